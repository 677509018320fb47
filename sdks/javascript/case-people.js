'use strict';
// Users as the account knows them, and the tokens made for them.

const { addCase, check, equal, refused } = require('./runner');
const { AWKWARD_USER, READER } = require('./world');

addCase('getUser', 'answers a user whom a record names, 404 for nobody', async world => {
  for (const user of ['known-user', AWKWARD_USER]) {
    await world.give(user, [READER], '/docs/known');
    equal((await world.owner.users.getUser(user)).data.userId, user, 'the user id');
  }
  await refused(404, world.owner.users.getUser('never-seen'));
  await refused(404, (await world.person('stranger')).users.getUser('known-user'));
});

const limits = [{ roles: [READER], resources: [{ resourceUri: '/docs/limited' }] }];

/** A service client that may make tokens of users. */
async function maker(world) {
  const options = { grantUserPermissionsAccess: false, grantTokenGeneration: true };
  const { clientId } = (await world.owner.serviceClients.createClient({ name: 'makes tokens', options })).data;
  return world.withKey((await world.owner.serviceClients.requestAccessKey(clientId)).data.accessKey);
}

addCase('requestUserToken', 'a token of a user, limited to statements; 403 for all but a client that may', async world => {
  await world.give(AWKWARD_USER, [READER], '/docs');
  const made = (await (await maker(world)).userPermissions.requestUserToken(AWKWARD_USER, { statements: limits })).data;
  equal([made.userId, made.account.accountId], [AWKWARD_USER, world.accountId], 'the user and the account');
  const bearer = world.withToken(made.token);
  const may = resource => world.may.call({ owner: bearer }, AWKWARD_USER, resource);
  equal([await may('/docs/limited/1'), await may('/docs/other')], [true, false], 'what it may');
  await refused(403, bearer.userPermissions.getUserResources(AWKWARD_USER));
  await refused(403, world.owner.userPermissions.requestUserToken(AWKWARD_USER, { statements: limits }));
  await refused(401, world.nobody().userPermissions.requestUserToken(AWKWARD_USER, { statements: limits }));
});

addCase('disableUserToken', 'a token that is disabled is refused; 404 for one that is not there', async world => {
  const client = await maker(world);
  const made = (await client.userPermissions.requestUserToken('token-user', { statements: limits })).data;
  const bearer = world.withToken(made.token);
  check(!await world.may.call({ owner: bearer }, 'token-user', '/docs/limited'), 'nobody gave the user anything');
  await client.userPermissions.disableUserToken('token-user', made.tokenId);
  await refused(401, bearer.userPermissions.authorizeUser('token-user', '/docs/limited', 'documents:read'));
  await refused(404, client.userPermissions.disableUserToken('token-user', made.tokenId));
});
