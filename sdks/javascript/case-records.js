'use strict';
// Access records.

const { addCase, check, equal, refused } = require('./runner');
const { EDITOR, READER, role, statement } = require('./world');

function record(recordId, resources, more = {}) {
  return { recordId, name: 'a record of the tests', users: [{ userId: 'reader' }], statements: [statement([READER], ...resources)], ...more };
}

addCase('createRecord', '201 with the record as it was given, its version and its state', async world => {
  const wanted = record('rec_A:acc-1:U:user|x~1', ['/docs/1', 'docs/2/*'], {
    users: [{ userId: 'u2' }, { userId: 'u1' }], admins: [{ userId: 'admin-1' }], description: 'why', tags: { key: 'value' }
  });
  wanted.statements[0].roles = [EDITOR, READER];
  const { data, status, headers } = await world.owner.accessRecords.createRecord(wanted);
  equal(status, 201, 'the status');
  check(headers['content-type'].startsWith('application/links+json'), `the type is ${headers['content-type']}`);
  for (const member of ['recordId', 'name', 'description', 'users', 'admins', 'tags']) {
    equal(data[member], wanted[member], member);
  }
  equal(data.groups, [], 'groups');
  equal(data.statements.map(({ roles, resources }) => ({ roles, resources })), wanted.statements, 'statements');
  equal([data.status, data.account], ['ACTIVE', { accountId: world.accountId }], 'status and account');
  check(data.capacity >= 0 && data.capacity <= 1, `capacity is ${data.capacity}`);
  check(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(data.lastUpdated), `lastUpdated is ${data.lastUpdated}`);
  check(data.links.self.href.startsWith(world.url), `links.self is ${data.links.self.href}`);
});

addCase('createRecord', 'makes an id when none is given, ignores what only the server writes', async world => {
  const wanted = record(undefined, ['/docs/no-id'], { status: 'DELETED', capacity: 1, account: { accountId: 'other' }, links: {} });
  const { data } = await world.owner.accessRecords.createRecord(wanted);
  check(data.recordId.startsWith('rec_'), `made the id ${data.recordId}`);
  equal([data.status, data.account.accountId], ['ACTIVE', world.accountId], 'status and account');
});

addCase('createRecord', '409 for an id that exists', async world => {
  const wanted = record(world.fresh('rec_'), ['/docs/twice']);
  await world.owner.accessRecords.createRecord(wanted);
  equal((await refused(409, world.owner.accessRecords.createRecord(wanted))).errorCode, 'AccessRecordAlreadyExists', 'errorCode');
});

addCase('createRecord', '400 for what is malformed', async world => {
  const create = body => world.owner.accessRecords.createRecord(body);
  await refused(400, create({ statements: [statement([READER], '/docs/1')] }));
  await refused(400, create(record(world.fresh('rec_'), ['/docs//1'])));
  await refused(400, create(record(world.fresh('rec_'), ['/docs/a*'])));
  await refused(400, create(record('rec with space', ['/docs/1'])));
  await refused(400, create(record(world.fresh('rec_'), ['/docs/1'], { statements: [] })));
  await refused(400, create(record(world.fresh('rec_'), ['/docs/1'], { users: [{ userId: 'a(b)' }] })));
  await refused(400, create(record(world.fresh('rec_'), ['/docs/1'], { statements: [statement(['ro_unknown'], '/docs/1')] })));
  const both = { ...statement([READER], '/docs/1'), users: [{ userId: 'x' }] };
  await refused(400, create(record(world.fresh('rec_'), ['/docs/1'], { statements: [both] })));
  const empty = { ...statement([READER], '/docs/1'), users: [], groups: [] };
  await create(record(world.fresh('rec_'), ['/docs/1'], { statements: [empty], groups: [] }));
});

addCase('createRecord', '401 without a token, 403 for giving more than one holds', async world => {
  const wanted = record(world.fresh('rec_'), ['/docs/mine'], { users: [{ userId: 'stranger' }] });
  await refused(401, world.nobody().accessRecords.createRecord(wanted));
  await world.give('holder', [READER], '/docs/mine');
  await refused(403, (await world.person('holder')).accessRecords.createRecord(wanted));
  check(!await world.may('stranger', '/docs/mine'), 'the refused record gives access');
});

addCase('getRecord', 'answers what was created; 404 for unknown and for strangers, 403 for who holds other rights', async world => {
  const made = await world.give('get-record', [READER], '/docs/get-record');
  equal((await world.owner.accessRecords.getRecord(made.recordId)).data, made, 'the record');
  await refused(404, world.owner.accessRecords.getRecord('rec_unknown:a|b~c'));
  await refused(404, (await world.person('stranger')).accessRecords.getRecord(made.recordId));
  await world.ensureRole('ro_sdk_clerk', ['read']);
  await world.give('clerk', ['ro_sdk_clerk'], 'Authress:Roles');
  await refused(403, (await world.person('clerk')).accessRecords.getRecord(made.recordId));
});

addCase('getRecords', 'pages through all records by cursor and by link, each once', async world => {
  const wanted = [];
  for (let number = 0; number < 5; number++) {
    wanted.push((await world.give('listed', [READER], `/docs/listed/${number}`)).recordId);
  }
  const found = [];
  let cursor = null;
  for (let page = 0; page < 200 && cursor !== undefined; page++) {
    const { data } = await world.owner.accessRecords.getRecords(2, cursor);
    check(data.records.length <= 2, `a page of ${data.records.length}`);
    check(data.links.self.href.startsWith(world.url), `links.self is ${data.links.self.href}`);
    found.push(...data.records.map(item => item.recordId));
    cursor = data.pagination?.next?.cursor ?? undefined;
    equal(data.links.next === undefined, cursor === undefined, 'whether links.next is missing');
    check(cursor === undefined || /^[A-Za-z0-9_-]+$/.test(cursor), 'the cursor needs encoding');
  }
  equal(found.length, new Set(found).size, 'the number of different ids');
  check(wanted.every(recordId => found.includes(recordId)), 'records are missing');
});

addCase('getRecords', 'filters by text and by state, 400 for a cursor that was not given out', async world => {
  const made = await world.give('filter-user', [READER], '/docs/Filtered-Needle');
  equal((await world.records('filtered-needle')).map(item => item.recordId), [made.recordId], 'the filtered list');
  await world.owner.accessRecords.deleteRecord(made.recordId);
  equal(await world.records('filtered-needle'), [], 'the list after the record was deleted');
  const deleted = (await world.owner.accessRecords.getRecords(20, null, 'filtered-needle', 'DELETED')).data.records;
  equal(deleted.map(item => [item.recordId, item.status]), [[made.recordId, 'DELETED']], 'the deleted records');
  await refused(400, world.owner.accessRecords.getRecords(20, 'a/b+c='));
  equal((await (await world.person('stranger')).accessRecords.getRecords()).data.records, [], 'the list of a stranger');
});

addCase('updateRecord', '202 without a body, takes back the whole record that it was given', async world => {
  const made = await world.give('updated', [READER], '/docs/before');
  made.statements[0].resources = [{ resourceUri: '/docs/after' }];
  const { status, data } = await world.owner.accessRecords.updateRecord(made.recordId, made);
  equal([status, data], [202, ''], 'status and body');
  check(!await world.may('updated', '/docs/before'), 'the old statement still gives access');
  check(await world.may('updated', '/docs/after'), 'the new statement gives nothing');
});

addCase('updateRecord', 'accepts the version it last saw in every spelling, 412 for an older one, 400 for no time', async world => {
  const made = await world.give('versions', [READER], '/docs/versions');
  const update = when => world.owner.accessRecords.updateRecord(made.recordId, made, when);
  const version = async () => (await world.owner.accessRecords.getRecord(made.recordId)).data.lastUpdated;
  await update(made.lastUpdated);
  const second = await version();
  check(second > made.lastUpdated, `lastUpdated went from ${made.lastUpdated} to ${second}`);
  await update(new Date(second));
  await update((await version()).replace('Z', '0000+00:00'));
  await update(new Date(await version()).toUTCString());
  await refused(412, update(made.lastUpdated));
  await refused(400, update('yesterday'));
});

addCase('updateRecord', '404 for an unknown and for a deleted record, 400 for another id in the body', async world => {
  await refused(404, world.owner.accessRecords.updateRecord('rec_unknown', record('rec_unknown', ['/docs/1'])));
  const made = await world.give('gone', [READER], '/docs/gone');
  await refused(400, world.owner.accessRecords.updateRecord(made.recordId, record('rec_another', ['/docs/1'])));
  await world.owner.accessRecords.deleteRecord(made.recordId);
  await refused(404, world.owner.accessRecords.updateRecord(made.recordId, record(made.recordId, ['/docs/1'])));
});

addCase('deleteRecord', 'keeps the record as DELETED, takes its access, and frees its id', async world => {
  const made = await world.give('deleted', [READER], '/docs/deleted');
  await world.owner.accessRecords.deleteRecord(made.recordId);
  check(!await world.may('deleted', '/docs/deleted'), 'a deleted record still gives access');
  equal((await world.owner.accessRecords.getRecord(made.recordId)).data.status, 'DELETED', 'the status');
  const again = record(made.recordId, ['/docs/deleted-again'], { users: [{ userId: 'deleted' }] });
  const { data, status } = await world.owner.accessRecords.createRecord(again);
  equal([status, data.status], [201, 'ACTIVE'], 'the new record');
  check(await world.may('deleted', '/docs/deleted-again'), 'the new record gives nothing');
  check(!await world.may('deleted', '/docs/deleted'), 'the old statements came back');
});

addCase('deleteRecord', '404 for an unknown record and for a stranger', async world => {
  await refused(404, world.owner.accessRecords.deleteRecord('rec_unknown'));
  const made = await world.give('kept', [READER], '/docs/kept');
  await refused(404, (await world.person('stranger')).accessRecords.deleteRecord(made.recordId));
  check(await world.may('kept', '/docs/kept'), 'the record was deleted all the same');
});

addCase('grant and delegate', 'who may give a permission need not have it, and may give no more', async world => {
  const giver = { action: 'documents:read', allow: false, grant: true, delegate: false };
  await world.owner.roles.createRole({ roleId: 'ro_sdk_giver', name: 'giver', permissions: [giver] });
  await world.owner.roles.createRole(role('ro_sdk_writer', ['documents:write']));
  await world.give('giver', ['ro_sdk_giver'], '/given');
  check(!await world.may('giver', '/given/1'), 'a giver may do what they may only give');
  const client = await world.person('giver');
  const give = (roles, resource) => client.accessRecords.createRecord({
    recordId: world.fresh('rec_'), name: 'given on', users: [{ userId: 'taker' }], statements: [statement(roles, resource)]
  });
  await give([READER], '/given/1');
  check(await world.may('taker', '/given/1'), 'what was given does not hold');
  await refused(403, give([READER], '/elsewhere'));
  await refused(403, give(['ro_sdk_writer'], '/given/1'));
  await refused(403, give(['ro_sdk_giver'], '/given/1'));
  await refused(403, give([READER], '*'));
});
