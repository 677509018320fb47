'use strict';
// Eight days later on a restarted server, with a clock that the cases move on.

const fs = require('fs');

const { addCase, check, equal, refused } = require('./runner');

const read = world => JSON.parse(fs.readFileSync(world.stateFile, 'utf8'));

addCase('before the clock moves', 'invites and a record are left for later', async world => {
  const longest = new Date(Date.now() + 29 * 24 * 3600 * 1000).toISOString();
  const state = {
    pending: (await world.invite('/docs/later')).inviteId,
    accepted: (await world.invite('/docs/later-accepted')).inviteId,
    long: (await world.invite('/docs/later-long', { expiryTime: longest })).inviteId
  };
  await (await world.local('early')).invites.respondToInvite(state.accepted);
  fs.writeFileSync(world.stateFile, JSON.stringify(state));
  check(await world.may('early', '/docs/later-accepted'), 'the person has no access');
});

addCase('respondToInvite', '404 once the invite has expired, 200 while it has not', async world => {
  const client = await world.local('late-comer');
  const expired = await refused(404, client.invites.respondToInvite(read(world).pending));
  const unknown = await refused(404, client.invites.respondToInvite('inv_unknown'));
  equal(expired.title, unknown.title, 'the title for an expired and for an unknown invite');
  check(!await world.may('late-comer', '/docs/later'), 'the expired invite gave access');
  await client.invites.respondToInvite(read(world).long);
  check(await world.may('late-comer', '/docs/later-long'), 'the invite with a longer life gave nothing');
}, 'later');

addCase('respondToInvite', 'who accepted in time is answered as before, others are not', async world => {
  await (await world.local('early')).invites.respondToInvite(read(world).accepted);
  await refused(404, (await world.local('late-comer')).invites.respondToInvite(read(world).accepted));
}, 'later');

addCase('authorizeUser', 'what was given before the restart still holds', async world => {
  check(await world.may('early', '/docs/later-accepted'), 'the access is gone');
  check(await world.may('checked', '/docs/checked'), 'the access by a record is gone');
  check(!await world.may('late-comer', '/docs/later-accepted'), 'somebody else has access');
}, 'later');

addCase('a linked issuer', 'a key that it adds is known, one that it takes away is refused', async world => {
  const issuer = await world.issuer();
  const ask = key => world.withToken(issuer.token('rotating', {}, key)).userPermissions.getUserResources('rotating', '*', null, null, null, 'INCLUDE_NESTED');
  const first = issuer.keys[0];
  await ask(first);
  // Keys are asked for again at most every 30 seconds, and always after five minutes.
  for (const [kid, algorithm] of [['second', 'RS256'], ['third', 'EdDSA']]) {
    world.moveClock(31);
    await ask(issuer.addKey(kid, algorithm));
    await ask(first);
  }
  issuer.keys.shift();
  world.moveClock(301);
  await ask(issuer.keys[1]);
  await refused(401, ask(first));
}, 'later');
