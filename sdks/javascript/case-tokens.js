'use strict';
// Tokens: signed by this SDK's own key, and verified by this SDK's own verifier.

const { TokenVerifier } = require('@authress/sdk');

const { addCase, check, equal, Failure } = require('./runner');

addCase('getClientTokenKeys', 'verifies a service client\'s own token through its key set', async world => {
  const found = await TokenVerifier(world.url, await world.owner.tokenProvider.getToken(world.url));
  equal([found.sub, found.iss], [world.clientId, `${world.url}/v1/clients/${world.clientId}`], 'sub and iss');
});

addCase('getClientTokenKeys', 'verifies an access key itself, which this SDK turns into a token', async world => {
  equal((await TokenVerifier(world.url, world.ownerKey)).sub, world.clientId, 'sub');
});

addCase('getUserTokenKeys', 'verifies a user\'s token through the server\'s key set, with and without Authorization', async world => {
  const token = await world.localToken('verified-user');
  const found = await TokenVerifier(world.url, token);
  equal([found.sub, found.iss], ['verified-user', world.url], 'sub and iss');
  equal((await world.owner.verifyToken(token)).sub, 'verified-user', 'sub');
  equal((await world.nobody().verifyToken(token)).sub, 'verified-user', 'sub');
});

addCase('getClientTokenKeys', 'an altered token and a deleted key are refused', async world => {
  const [head, body, signature] = (await world.localToken('verified-user')).split('.');
  const made = (await world.owner.serviceClients.createClient({ name: 'deleted key' })).data;
  const key = (await world.owner.serviceClients.requestAccessKey(made.clientId)).data;
  const token = await world.withKey(key.accessKey).tokenProvider.getToken(world.url);
  await world.owner.serviceClients.deleteAccessKey(made.clientId, key.keyId);
  const bad = { altered: `${head}.${body}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`, 'of a deleted key': token };
  for (const [what, wrong] of Object.entries(bad)) {
    let verified = true;
    try {
      await TokenVerifier(world.url, wrong);
    } catch (error) {
      verified = false;
      equal(error.code, 'TokenVerificationError', `the error for a token ${what}`);
    }
    if (verified) {
      throw new Failure(`a token ${what} was verified`);
    }
  }
});

addCase('a local token', 'its user is known to the server by the token\'s subject', async world => {
  const client = await world.local('local-user');
  const { data } = await client.userPermissions.getUserResources('local-user', '*', null, null, null, 'INCLUDE_NESTED');
  equal(data.userId, 'local-user', 'the user id');
  check(Array.isArray(data.resources), 'resources is no list');
});
