'use strict';
// Service clients and their access keys.

const { addCase, check, equal, refused, Failure } = require('./runner');

const make = async (world, more = {}) => (await world.owner.serviceClients.createClient({ name: 'a client of the tests', ...more })).data;
const key = async (world, clientId) => (await world.owner.serviceClients.requestAccessKey(clientId)).data;

addCase('createClient', '201 with the client, its id and options', async world => {
  const wanted = { name: 'named', options: { grantUserPermissionsAccess: true, grantTokenGeneration: false }, tags: { key: 'value' } };
  const { data, status } = await world.owner.serviceClients.createClient(wanted);
  equal(status, 201, 'the status');
  check(data.clientId.startsWith('sc_'), `made the id ${data.clientId}`);
  equal({ name: data.name, options: data.options, tags: data.tags }, wanted, 'the client');
  equal(data.verificationKeys, [], 'the keys');
  check(data.createdTime.endsWith('Z'), `createdTime is ${data.createdTime}`);
});

addCase('createClient', 'ignores what only the server writes; 401 without a token, 403 for a stranger', async world => {
  const made = await make(world, { clientId: 'sc_mine', createdTime: '0001-01-01T00:00:00Z', verificationKeys: [] });
  check(made.clientId !== 'sc_mine' && made.createdTime > '2020', `made ${made.clientId} at ${made.createdTime}`);
  await refused(401, world.nobody().serviceClients.createClient({ name: 'mine' }));
  await refused(403, (await world.person('stranger')).serviceClients.createClient({ name: 'mine' }));
});

addCase('getClient', 'answers what was created, 404 for an unknown client and for a stranger', async world => {
  const made = await make(world);
  equal((await world.owner.serviceClients.getClient(made.clientId)).data, made, 'the client');
  await refused(404, world.owner.serviceClients.getClient('sc_unknown'));
  await refused(404, (await world.person('stranger')).serviceClients.getClient(made.clientId));
});

addCase('getClients', 'lists clients with links', async world => {
  const { data } = await world.owner.serviceClients.getClients();
  check(data.clients.length > 0 && data.clients.length <= 20, `${data.clients.length} clients`);
  check(data.links.self.href.startsWith(world.url), 'links.self is missing');
});

addCase('updateClient', 'replaces name and options, 404 for an unknown client', async world => {
  const made = await make(world);
  const { data, status } = await world.owner.serviceClients.updateClient(made.clientId, { ...made, name: 'changed' });
  equal([status, data.clientId, data.name], [200, made.clientId, 'changed'], 'the changed client');
  await refused(404, world.owner.serviceClients.updateClient('sc_unknown', { name: 'x' }));
});

addCase('requestAccessKey', '201 with a key with which this SDK signs in at once', async world => {
  const made = await make(world, { options: { grantUserPermissionsAccess: true, grantTokenGeneration: false } });
  const { data, status } = await world.owner.serviceClients.requestAccessKey(made.clientId);
  equal(status, 201, 'the status');
  equal(data.accessKey.split('.').slice(0, 3), [made.clientId, data.keyId, world.accountId], 'the parts of the access key');
  equal(Buffer.from(data.accessKey.split('.')[3], 'base64').length, 48, 'the length of the private key');
  const client = world.withKey(data.accessKey);
  check(!await world.may.call({ owner: client }, 'unknown-user', '/docs/1'), 'an unknown user has access');
  const listed = (await world.owner.serviceClients.getClient(made.clientId)).data.verificationKeys;
  equal(listed.map(item => [item.keyId, item.clientId, item.accessKey, item.clientSecret]), [[data.keyId, made.clientId, undefined, undefined]], 'the keys');
});

addCase('requestAccessKey', 'five keys at most, 404 for an unknown client', async world => {
  const made = await make(world);
  for (let number = 0; number < 5; number++) {
    await key(world, made.clientId);
  }
  try {
    await key(world, made.clientId);
  } catch (error) {
    check(error.status >= 400 && error.status < 500, `the sixth key was refused with ${error.status}`);
    await refused(404, world.owner.serviceClients.requestAccessKey('sc_unknown'));
    return;
  }
  throw new Failure('a sixth key was given out');
});

addCase('deleteAccessKey', '204, and the key is refused from the next request on, others stay', async world => {
  const made = await make(world);
  const [first, second] = [await key(world, made.clientId), await key(world, made.clientId)];
  const [client, other] = [world.withKey(first.accessKey), world.withKey(second.accessKey)];
  await client.accessRecords.getRecords();
  equal((await world.owner.serviceClients.deleteAccessKey(made.clientId, first.keyId)).status, 204, 'the status');
  await refused(401, client.accessRecords.getRecords());
  await other.accessRecords.getRecords();
  await refused(404, world.owner.serviceClients.deleteAccessKey(made.clientId, 'unknown'));
});

addCase('deleteClient', '204, and the client is refused from the next request on', async world => {
  const made = await make(world);
  const client = world.withKey((await key(world, made.clientId)).accessKey);
  await client.accessRecords.getRecords();
  equal((await world.owner.serviceClients.deleteClient(made.clientId)).status, 204, 'the status');
  await refused(401, client.accessRecords.getRecords());
  await refused(404, world.owner.serviceClients.getClient(made.clientId));
  await refused(404, world.owner.serviceClients.deleteClient(made.clientId));
});

addCase('a client without rights', '403 and 404 where it holds nothing', async world => {
  const made = await make(world);
  const client = world.withKey((await key(world, made.clientId)).accessKey);
  await refused(403, client.userPermissions.authorizeUser('checked', '/docs/checked', 'documents:read'));
  await refused(404, client.serviceClients.getClient(world.clientId));
});
