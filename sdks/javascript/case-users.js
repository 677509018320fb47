'use strict';
// What a user may do: checks, permissions, roles, resources, and who has access to a resource.

const { addCase, check, equal, refused, Failure } = require('./runner');
const { AWKWARD_USER, EDITOR, READER, UnauthorizedError } = require('./world');

/** This SDK has an exception of its own for the "no" of a check. */
async function denied(promise) {
  try {
    await promise;
  } catch (error) {
    check(error instanceof UnauthorizedError, `threw ${error.status} instead of UnauthorizedError`);
    return;
  }
  throw new Failure('was allowed');
}

addCase('authorizeUser', '200 for what a user has, this SDK\'s UnauthorizedError for what not', async world => {
  await world.give('checked', [READER], '/docs/checked');
  const ask = (...words) => world.owner.userPermissions.authorizeUser(...words);
  equal((await ask('checked', '/docs/checked', 'documents:read')).status, 200, 'the status');
  await ask('checked', 'docs/checked/chapter/1', 'DOCUMENTS:Read');
  await denied(ask('checked', '/docs/checked', 'documents:update'));
  await denied(ask('checked', '/docs', 'documents:read'));
  await denied(ask('checked', '/docs/checked2', 'documents:read'));
  await denied(ask('checked', '/docs/checked', '*'));
  await denied(ask('unknown-user', '/docs/checked', 'documents:read'));
});

addCase('authorizeUser', 'users may ask about themselves, 403 about others, 401 for nobody', async world => {
  await world.give('asks', [READER], '/docs/asks');
  const client = await world.person('asks');
  await client.userPermissions.authorizeUser('asks', '/docs/asks', 'documents:read');
  // Without a user id this SDK takes the subject of the token.
  await client.userPermissions.authorizeUser(null, '/docs/asks', 'documents:read');
  await refused(403, client.userPermissions.authorizeUser('checked', '/docs/checked', 'documents:read'));
  await refused(401, world.nobody().userPermissions.authorizeUser('asks', '/docs/asks', 'documents:read'));
});

addCase('authorizeUser', 'awkward user ids and resources in this SDK\'s encoding', async world => {
  await world.give(AWKWARD_USER, [READER], '/orgs/a/docs/*', '/x|y/a~b:c=d+e@f.g_h-i');
  const ask = (...words) => world.owner.userPermissions.authorizeUser(...words);
  await ask(AWKWARD_USER, '/orgs/a/docs/*', 'documents:read');
  await ask(AWKWARD_USER, '/orgs/a/docs/1/pages/2', 'documents:read');
  await ask(AWKWARD_USER, 'x|y/a~b:c=d+e@f.g_h-i', 'documents:read');
  await denied(ask(AWKWARD_USER, '/orgs/a/docs', 'documents:read'));
  await denied(ask(AWKWARD_USER, '/orgs/*/docs/1', 'documents:read'));
  await denied(ask('google-oauth2|1095', '/orgs/a/docs/1', 'documents:read'));
  await denied(ask('google-oauth2|1095/36@x y', '/orgs/a/docs/1', 'documents:read'));
  const client = await world.person(AWKWARD_USER);
  await client.userPermissions.authorizeUser(AWKWARD_USER, '/orgs/a/docs/1', 'documents:read');
});

addCase('authorizeUser', '400 for what is no resource, no action, no user', async world => {
  const ask = (...words) => world.owner.userPermissions.authorizeUser(...words);
  for (const resource of ['/docs//1', '/docs/a b', '/docs/a*', '/', '/docs/é', 'a'.repeat(513)]) {
    await refused(400, ask('checked', resource, 'documents:read'));
  }
  for (const action of ['documents::read', 'documents:', 'a*', 'a b', 'a'.repeat(65)]) {
    await refused(400, ask('checked', '/docs/1', action));
  }
  await refused(400, ask('no(user)', '/docs/1', 'documents:read'));
});

addCase('getUserPermissionsForResource', 'sums up what a user has, 404 for nothing, 403 for a stranger', async world => {
  await world.give('summed', [EDITOR], '/docs/summed');
  const ask = (...words) => world.owner.userPermissions.getUserPermissionsForResource(...words);
  const { data } = await ask('summed', '/docs/summed/1');
  equal(data.userId, 'summed', 'the user id');
  const flags = data.permissions.map(item => [item.action, item.allow, item.grant, item.delegate]).sort();
  equal(flags, [['documents:read', true, false, false], ['documents:update', true, false, false]], 'the permissions');
  equal(data.account, { accountId: world.accountId }, 'the account');
  await refused(404, ask('summed', '/elsewhere'));
  equal((await ask(AWKWARD_USER, '/orgs/a/docs/*')).data.userId, AWKWARD_USER, 'the awkward user id');
  await refused(403, (await world.person('stranger')).userPermissions.getUserPermissionsForResource('summed', '/docs/summed'));
});

addCase('getUserRolesForResource', 'explicit roles on exactly that resource, 404 for none, 403 for a stranger', async world => {
  await world.give('roled', [READER, EDITOR], '/docs/roled');
  const ask = (...words) => world.owner.userPermissions.getUserRolesForResource(...words);
  const { data } = await ask('roled', '/docs/roled');
  equal(data.userId, 'roled', 'the user id');
  equal(data.roles.map(item => item.roleId).sort(), [EDITOR, READER], 'the roles');
  await refused(404, ask('roled', '/docs/roled/1'));
  equal((await ask(AWKWARD_USER, '/orgs/a/docs/*')).data.roles, [{ roleId: READER }], 'the roles of the awkward user');
  await refused(403, (await world.person('stranger')).userPermissions.getUserRolesForResource('roled', '/docs/roled'));
});

const uris = data => (data.resources || []).map(item => item.resourceUri.replace(/^\/|\/$/g, '')).sort();

addCase('getUserResources', 'one level below, or everything below, with a permission if one is given', async world => {
  await world.give('lister', [READER], '/shelf/a', '/shelf/b', '/shelf/c/pages/1', '/other/d');
  await world.give('lister', [EDITOR], '/shelf/e');
  const ask = async (...words) => (await world.owner.userPermissions.getUserResources(...words)).data;
  equal(uris(await ask('lister', '/shelf', null, null, null, 'TOP_LEVEL_ONLY')), ['shelf/a', 'shelf/b', 'shelf/e'], 'one level below');
  const nested = await ask('lister', '/shelf', null, null, null, 'INCLUDE_NESTED');
  equal(uris(nested), ['shelf/a', 'shelf/b', 'shelf/c/pages/1', 'shelf/e'], 'everything below');
  equal(uris(await ask('lister', '/shelf', null, null, 'documents:update', 'INCLUDE_NESTED')), ['shelf/e'], 'with a permission');
  equal(uris(await ask('unknown-user', '/shelf')), [], 'of an unknown user');
});

addCase('getUserResources', 'a resource left out, which this SDK sends as "undefined", is no resource', async world => {
  await world.give('root-lister', [READER], '/root-level', '/deep/er');
  const { data } = await world.owner.userPermissions.getUserResources('root-lister');
  equal(uris(data), ['root-level'], 'the resources at the top level');
});

addCase('getUserResources', 'this SDK\'s short cut for who has everything', async world => {
  await world.give('holds-all', [READER], '/all');
  const { data } = await world.owner.userPermissions.getUserResources('holds-all', '/all', null, null, 'documents:read');
  equal([data.accessToAllSubResources, data.resources], [true, null], 'the short cut');
});

addCase('getUserResources', 'pages through all resources, each once', async world => {
  const wanted = [0, 1, 2, 3, 4, 5, 6].map(number => `pages/p${number}`);
  await world.give('pager', [READER], ...wanted);
  const found = [];
  let cursor = null;
  for (let page = 0; page < 20 && cursor !== undefined; page++) {
    const { data } = await world.owner.userPermissions.getUserResources('pager', '/pages', 3, cursor, null, 'INCLUDE_NESTED');
    check((data.resources || []).length <= 3, 'a page is too long');
    found.push(...uris(data));
    cursor = data.pagination?.next?.cursor ?? undefined;
  }
  equal(found.sort(), wanted, 'the paged list');
});

addCase('getUserResources', 'wildcards: grants that overlap the question are answered cut to it', async world => {
  const ask = async (...words) => (await world.owner.userPermissions.getUserResources(...words)).data;
  equal(uris(await ask(AWKWARD_USER, '/orgs/a/docs/*', null, null, null, 'INCLUDE_NESTED')), ['orgs/a/docs/*'], 'of the awkward user');
  await world.give('wild', ['Authress:ReadResource'], '*');
  equal(uris(await ask('wild', '/shelf/*', null, null, null, 'INCLUDE_NESTED')), ['shelf/*'], 'of who has everything');
});

addCase('getUserResources', 'users may ask about themselves, 403 about others', async world => {
  const client = await world.person('lister');
  equal(uris((await client.userPermissions.getUserResources('lister', '/other')).data), ['other/d'], 'the resources');
  await refused(403, client.userPermissions.getUserResources('pager', '/pages'));
});

addCase('getResourceUsers', 'who has explicit access to exactly that resource', async world => {
  const uri = '/room/1|x:2';
  for (const user of ['guest-1', 'guest-2', AWKWARD_USER]) {
    await world.give(user, [READER], uri);
  }
  await world.give('guest-1', [EDITOR], uri);
  await world.give('parent', [READER], '/room');
  await world.give('child', [READER], `${uri}/door`);
  const { data } = await world.owner.resources.getResourceUsers(uri);
  const found = data.users.map(user => [user.userId, user.roles.map(item => item.roleId).sort()]).sort();
  equal(found, [[AWKWARD_USER, [READER]], ['guest-1', [EDITOR, READER]], ['guest-2', [READER]]], 'the users');
  check(data.links.self.href.startsWith(world.url), 'links.self is missing');
  equal((await world.owner.resources.getResourceUsers('/nobody/here')).data.users, [], 'the users of an unknown resource');
});

addCase('getResourceUsers', '401 for nobody, 403 for a stranger, 400 for what is no resource', async world => {
  await refused(401, world.nobody().resources.getResourceUsers('/room/1'));
  await refused(403, (await world.person('stranger')).resources.getResourceUsers('/room/1'));
  await refused(400, world.owner.resources.getResourceUsers('/room//1'));
});
