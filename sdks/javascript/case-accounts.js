'use strict';
// Accounts and linked identities.

const { addCase, check, equal, refused, Failure } = require('./runner');
const { Issuer } = require('./issuer');

const nested = 'INCLUDE_NESTED';

async function resourcesOf(client, user) {
  return (await client.userPermissions.getUserResources(user, '*', null, null, null, nested)).data;
}

addCase('getAccounts', 'answers a list, as this SDK declares it', async world => {
  const { data, status } = await world.owner.accounts.getAccounts();
  equal(status, 200, 'the status');
  check(Array.isArray(data.accounts), 'accounts is no list');
  equal(data.accounts.map(account => account.accountId), [world.accountId], 'the accounts');
}, 'first', '`accounts` is a list, as this SDK declares it; all others read one object');

addCase('getAccounts', '401 without a token', async world => {
  await refused(401, world.nobody().accounts.getAccounts());
});

addCase('getAccount', 'answers the account by its id', async world => {
  const { data, headers } = await world.owner.accounts.getAccount(world.accountId);
  equal(data.accountId, world.accountId, 'the account id');
  equal(data.company, {}, 'company');
  check(!Number.isNaN(Date.parse(data.createdTime)) && data.createdTime.endsWith('Z'), `createdTime is ${data.createdTime}`);
  check(headers['content-type'].startsWith('application/links+json'), `the type is ${headers['content-type']}`);
});

addCase('getAccount', '404 for an unknown account', async world => {
  await refused(404, world.owner.accounts.getAccount('acc-unknown'));
});

addCase('delegateAuthentication', 'links an issuer, whose people are then known by their subject', async world => {
  equal((await resourcesOf(await world.person('linked-person'), 'linked-person')).userId, 'linked-person', 'the user id');
});

addCase('delegateAuthentication', 'links an issuer by a sample of its tokens', async world => {
  const issuer = await Issuer.start('sample-audience');
  try {
    issuer.addKey('rsa', 'RS256');
    const { status } = await world.owner.accounts.linkIdentity({ jwt: issuer.token('somebody'), preferredAudience: 'sample-audience' });
    equal(status, 201, 'the status');
    await resourcesOf(world.withToken(issuer.token('sample-person')), 'sample-person');
  } finally {
    issuer.close();
  }
});

addCase('delegateAuthentication', '400 without an issuer, 403 for a user without rights', async world => {
  await refused(400, world.owner.accounts.linkIdentity({}));
  const issuer = await world.issuer();
  await refused(403, (await world.person('stranger')).accounts.linkIdentity({ issuer: issuer.url, preferredAudience: 'mine' }));
});

addCase('getAccountIdentities', 'lists the linked issuer with its audience', async world => {
  const issuer = await world.issuer();
  const { data } = await world.owner.accounts.getAccountIdentities();
  const mine = data.identities.filter(identity => identity.issuer === issuer.url);
  equal(mine.map(identity => identity.audience), [issuer.audience], 'the audiences');
});

addCase('a linked issuer', '401 for a token that is expired, for another audience, foreign, or altered', async world => {
  const issuer = await world.issuer();
  const stranger = await Issuer.start(issuer.audience);
  const foreign = stranger.addKey(issuer.keys[0].kid, 'EdDSA');
  const good = issuer.token('linked-person');
  const [head, body, signature] = good.split('.');
  const bad = {
    expired: issuer.token('linked-person', { exp: 1700000000 }),
    'for another audience': issuer.token('linked-person', { aud: 'somebody-else' }),
    'of an unlinked issuer': stranger.token('linked-person'),
    'signed by a foreign key': issuer.token('linked-person', {}, foreign),
    'of a service client': issuer.token('sc_pretender'),
    altered: `${head}.${body}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`,
    'no token at all': 'nonsense'
  };
  stranger.close();
  await resourcesOf(world.withToken(good), 'linked-person');
  for (const [what, token] of Object.entries(bad)) {
    try {
      await refused(401, world.withToken(token).accounts.getAccounts());
    } catch (error) {
      throw new Failure(`a token ${what}: ${error.message}`);
    }
  }
});
