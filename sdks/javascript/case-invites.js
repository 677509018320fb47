'use strict';
// The life of an invite.

const { addCase, check, equal, refused } = require('./runner');
const { AWKWARD_USER, EDITOR, READER, statement } = require('./world');

const DAY = 24 * 60 * 60 * 1000;

addCase('createInvite', '201 with the invite, an id of its own and seven days to live', async world => {
  const wanted = { statements: [statement([READER, EDITOR], '/orgs/a|b/*', 'docs/1')], defaultLoginTenantId: 'tenant-1' };
  const { data, status } = await world.owner.invites.createInvite(wanted);
  equal(status, 201, 'the status');
  check(data.inviteId.startsWith('inv_'), 'the id does not begin inv_');
  equal(data.statements.map(({ roles, resources }) => ({ roles, resources })), wanted.statements, 'the statements');
  equal([data.defaultLoginTenantId, data.tenantId], ['tenant-1', 'tenant-1'], 'the tenant by both names');
  equal(data.conflictResolutionStrategy, 'GENERATE_NEW_RECORD', 'the strategy');
  check(Math.abs(Date.parse(data.expiryTime) - Date.now() - 7 * DAY) < 120000, `expiryTime is ${data.expiryTime}`);
  check(data.links.self.href.startsWith(world.url), `links.self is ${data.links.self.href}`);
});

addCase('createInvite', 'every strategy, an expiry between five minutes and thirty days, and no statement at all', async world => {
  for (const conflictResolutionStrategy of ['GENERATE_NEW_RECORD', 'UNSAFE_FORCE_MERGE', 'REPLACE_RECORD_DATA', 'SKIP_CHANGES']) {
    const made = await world.invite('/docs/strategies', { conflictResolutionStrategy });
    equal(made.conflictResolutionStrategy, conflictResolutionStrategy, 'the strategy');
  }
  const soon = new Date(Date.now() + 3600000).toISOString();
  equal((await world.invite('/docs/soon', { expiryTime: soon })).expiryTime, soon, 'expiryTime');
  for (const wrong of [60000, -DAY, 31 * DAY]) {
    const expiryTime = new Date(Date.now() + wrong).toISOString();
    await refused(400, world.owner.invites.createInvite({ statements: [statement([READER], '/docs/1')], expiryTime }));
  }
  equal((await world.owner.invites.createInvite({ statements: [] })).data.statements, [], 'no statements');
});

addCase('createInvite', 'what other SDKs send empty is taken as absent', async world => {
  const empty = { inviteId: '', defaultLoginTenantId: '', linkedUserId: '', authenticationRequestUri: null, links: null };
  const made = await world.invite('/docs/empty', empty);
  check(made.inviteId.startsWith('inv_'), 'no id was made');
  check(!made.defaultLoginTenantId && !made.linkedUserId, 'an empty id was echoed');
});

addCase('createInvite', '400 with the place of what is malformed', async world => {
  const create = body => world.owner.invites.createInvite(body);
  const bad = [
    [{ statements: [{ roles: [READER], resources: [{ resourceUri: '/docs//1' }] }] }, 'statements[0].resources[0].resourceUri'],
    [{ statements: [{ roles: ['ro_un known'], resources: [{ resourceUri: '/docs/1' }] }] }, 'statements[0].roles[0]'],
    [{ statements: [{ roles: ['ro_unknown'], resources: [{ resourceUri: '/docs/1' }] }] }, 'ro_unknown'],
    [{ statements: [statement([READER], '/docs/1')], conflictResolutionStrategy: 'WHATEVER' }, 'conflictResolutionStrategy'],
    [{ statements: [statement([READER], '/docs/1')], expiryTime: 'tomorrow' }, 'expiryTime'],
    [{ statements: [{ ...statement([READER], '/docs/1'), users: [{ userId: 'somebody' }] }] }, 'statements[0].users'],
    [{ statements: [statement([READER], '/docs/1')], tenantId: 'a', defaultLoginTenantId: 'b' }, 'enantId'],
    [{ statements: 'none' }, 'statements']
  ];
  for (const [body, place] of bad) {
    const answer = await refused(400, create(body));
    check(JSON.stringify(answer).includes(place), `${JSON.stringify(answer)} does not name ${place}`);
  }
});

addCase('createInvite', '401 without a token, 403 for giving more than one holds', async world => {
  const wanted = { statements: [statement([READER], '/docs/invited')] };
  await refused(401, world.nobody().invites.createInvite(wanted));
  await world.give('only-reads', [READER], '/docs/invited');
  await refused(403, (await world.person('only-reads')).invites.createInvite(wanted));
});

addCase('getInvite', 'answers the creator, 404 for a stranger who knows the id, 401 for nobody', async world => {
  const made = await world.invite('/docs/got');
  equal((await world.owner.invites.getInvite(made.inviteId)).data, made, 'the invite');
  await refused(404, (await world.person('stranger')).invites.getInvite(made.inviteId));
  await refused(401, world.nobody().invites.getInvite(made.inviteId));
  await refused(404, world.owner.invites.getInvite("inv/1|2:3~4*5 6'()!"));
});

addCase('respondToInvite', 'the person who accepts gains exactly what the invite gives', async world => {
  const made = await world.invite('/docs/accepted');
  const user = 'invited-person';
  check(!await world.may(user, '/docs/accepted'), 'the person has access before');
  const client = await world.person(user);
  const { data, status } = await client.invites.respondToInvite(made.inviteId);
  equal([status, data.accountId], [200, world.accountId], 'status and account');
  check(await world.may(user, '/docs/accepted'), 'the person has no access');
  check(!await world.may(user, '/docs/accepted', 'documents:update'), 'the person has more than was given');
  check(!await world.may(user, '/docs'), 'the person has more than was given');
  await client.userPermissions.authorizeUser(user, '/docs/accepted', 'documents:read');
  const again = await client.invites.respondToInvite(made.inviteId);
  equal([again.status, again.data], [200, data], 'the answer to the same person\'s second time');
  const records = await world.records(user);
  equal(records.length, 1, 'the number of records of the person');
  check(!JSON.stringify(records).includes(made.inviteId), 'the record shows the secret of the invite');
});

addCase('respondToInvite', 'a second person is refused as if the invite did not exist', async world => {
  const made = await world.invite('/docs/once');
  await (await world.person('first-person')).invites.respondToInvite(made.inviteId);
  const client = await world.person('second-person');
  const used = await refused(404, client.invites.respondToInvite(made.inviteId));
  const other = await refused(404, client.invites.respondToInvite('inv_unknown'));
  equal(used.title, other.title, 'the title for a used and for an unknown invite');
  check(!await world.may('second-person', '/docs/once'), 'the second person has access');
});

addCase('respondToInvite', 'accepting again does not bring back what was taken away', async world => {
  const made = await world.invite('/docs/taken-away');
  const client = await world.person('taken-away');
  await client.invites.respondToInvite(made.inviteId);
  await world.owner.accessRecords.deleteRecord((await world.records('taken-away'))[0].recordId);
  check(!await world.may('taken-away', '/docs/taken-away'), 'the access was not taken away');
  await client.invites.respondToInvite(made.inviteId);
  check(!await world.may('taken-away', '/docs/taken-away'), 'the access came back');
});

addCase('respondToInvite', 'a person with an awkward id, and a second invite beside the first', async world => {
  const client = await world.person(AWKWARD_USER);
  await client.invites.respondToInvite((await world.invite('/docs/awkward')).inviteId);
  await client.invites.respondToInvite((await world.invite('/docs/awkward-2')).inviteId);
  check(await world.may(AWKWARD_USER, '/docs/awkward'), 'the first invite\'s access is gone');
  check(await world.may(AWKWARD_USER, '/docs/awkward-2'), 'the second invite gave nothing');
});

addCase('respondToInvite', 'strategies decide where a merge would not be safe', async world => {
  // A record under the person's own id that another administers: no safe merge.
  const occupy = async user => world.owner.accessRecords.createRecord({
    recordId: user, name: 'occupied', users: [{ userId: user }], admins: [{ userId: 'somebody' }], statements: [statement([READER], `/occupied/${user}`)]
  });
  const accept = async (user, conflictResolutionStrategy) => {
    await occupy(user);
    const made = await world.invite(`/docs/${user}`, { conflictResolutionStrategy });
    await (await world.person(user)).invites.respondToInvite(made.inviteId);
    return [await world.may(user, `/docs/${user}`), await world.may(user, `/occupied/${user}`)];
  };
  equal(await accept('occupied-skip', 'SKIP_CHANGES'), [false, true], 'access by the invite and by the record, skipped');
  equal(await accept('occupied-new', 'GENERATE_NEW_RECORD'), [true, true], 'the same, in a new record');
  equal(await accept('occupied-merge', 'UNSAFE_FORCE_MERGE'), [true, true], 'the same, merged');
  equal(await accept('occupied-replace', 'REPLACE_RECORD_DATA'), [true, false], 'the same, replaced');
});

addCase('respondToInvite', '401 without a token, 403 for a service client, 404 for unknown ids', async world => {
  const made = await world.invite('/docs/unaccepted');
  await refused(401, world.nobody().invites.respondToInvite(made.inviteId));
  await refused(403, world.owner.invites.respondToInvite(made.inviteId));
  const client = await world.person('guesser');
  for (const unknown of ['inv_unknown', "inv/1|2:3~4*5 6'()!", 'x', `${made.inviteId}x`, made.inviteId.toUpperCase()]) {
    await refused(404, client.invites.respondToInvite(unknown));
  }
  check(!await world.may('guesser', '/docs/unaccepted'), 'a guess gives access');
});

addCase('respondToInvite', '403 while the inviter no longer holds what the invite gives', async world => {
  const record = await world.give('inviter', ['Authress:Owner'], '/lent');
  const inviter = await world.person('inviter');
  const made = (await inviter.invites.createInvite({ statements: [statement([READER], '/lent/1')] })).data;
  await world.owner.accessRecords.deleteRecord(record.recordId);
  const client = await world.person('late');
  await refused(403, client.invites.respondToInvite(made.inviteId));
  check(!await world.may('late', '/lent/1'), 'the suspended invite gave access');
  await world.owner.accessRecords.createRecord(record);
  await client.invites.respondToInvite(made.inviteId);
  check(await world.may('late', '/lent/1'), 'the invite does not work again');
});

addCase('deleteInvite', 'nobody can accept it any more; after it was accepted the access stays', async world => {
  const made = await world.invite('/docs/withdrawn');
  await world.owner.invites.deleteInvite(made.inviteId);
  await refused(404, (await world.person('too-late')).invites.respondToInvite(made.inviteId));
  await refused(404, world.owner.invites.deleteInvite('inv_unknown'));
  const kept = await world.invite('/docs/kept-after');
  await (await world.person('keeps')).invites.respondToInvite(kept.inviteId);
  await world.owner.invites.deleteInvite(kept.inviteId);
  check(await world.may('keeps', '/docs/kept-after'), 'the access is gone');
});

addCase('deleteInvite', '404 for a stranger who knows the id, 401 without a token', async world => {
  const made = await world.invite('/docs/not-yours');
  await refused(404, (await world.person('stranger')).invites.deleteInvite(made.inviteId));
  await refused(401, world.nobody().invites.deleteInvite(made.inviteId));
  await (await world.person('still-invited')).invites.respondToInvite(made.inviteId);
});
