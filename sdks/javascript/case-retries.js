'use strict';
// Lost answers: this SDK repeats POST and PATCH on 5xx and on cut connections, so a repeat has to be harmless.

const { LossyProxy } = require('./proxy');
const { addCase, check, equal, refused } = require('./runner');
const { READER, statement } = require('./world');

async function through(world, method, how, expected, run) {
  const proxy = await LossyProxy.start(world.url, method, how);
  try {
    await run(proxy.url);
    equal(proxy.answers, expected, 'the answers of the server, and what the SDK got');
  } finally {
    proxy.close();
  }
}

for (const how of [502, 'cut']) {
  const lost = how === 'cut' ? 'the connection is cut' : 'the answer is lost';

  addCase('respondToInvite', `${lost} once: the repeat is 200 and there is one record`, async world => {
    const made = await world.invite(`/docs/repeated-${how}`);
    const token = (await world.issuer()).token(`repeats-${how}`);
    await through(world, 'PATCH', how, [[200, how], [200, 200]], async url => {
      await world.withToken(token, url).invites.respondToInvite(made.inviteId);
    });
    equal((await world.records(`/docs/repeated-${how}`)).length, 1, 'the number of records');
    check(await world.may(`repeats-${how}`, `/docs/repeated-${how}`), 'the person has no access');
  });

  addCase('createInvite', `${lost} once: the repeat is 201 with an invite that works`, async world => {
    let made;
    await through(world, 'POST', how, [[201, how], [201, 201]], async url => {
      const wanted = { statements: [statement([READER], `/docs/created-${how}`)] };
      made = (await world.withKey(world.ownerKey, url).invites.createInvite(wanted)).data;
    });
    await (await world.person(`created-${how}`)).invites.respondToInvite(made.inviteId);
    check(await world.may(`created-${how}`, `/docs/created-${how}`), 'the person has no access');
  });
}

addCase('createRecord', 'the answer is lost once: the repeat says that the record exists, and it does', async world => {
  const recordId = world.fresh('rec_');
  const wanted = { recordId, name: 'repeated', users: [{ userId: 'recorded' }], statements: [statement([READER], '/docs/recorded')] };
  await through(world, 'POST', 502, [[201, 502], [409, 409]], async url => {
    await refused(409, world.withKey(world.ownerKey, url).accessRecords.createRecord(wanted));
  });
  check(await world.may('recorded', '/docs/recorded'), 'the record gives nothing');
});

addCase('deleteRecord', 'the connection is cut once: the record is deleted', async world => {
  const made = await world.give('delete-repeated', [READER], '/docs/delete-repeated');
  const proxy = await LossyProxy.start(world.url, 'DELETE', 'cut');
  try {
    await world.withKey(world.ownerKey, proxy.url).accessRecords.deleteRecord(made.recordId).catch(error => equal(error.status, 404, 'the status'));
  } finally {
    proxy.close();
  }
  check(!await world.may('delete-repeated', '/docs/delete-repeated'), 'the record still gives access');
});
