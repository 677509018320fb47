'use strict';
// Resource configurations, and the claims that they allow.

const { addCase, check, equal, refused } = require('./runner');
const { READER } = require('./world');

const allowing = (...actions) => ({ permissions: actions.map(action => ({ action, allow: true })) });
const update = (world, uri, body) => world.owner.resources.updateResourcePermissions(uri, body);
const claim = (client, collectionResource, resourceId) => client.accessRecords.createClaim({ collectionResource, resourceId });

addCase('updatePermissionedResource', '200, and replaces what is configured', async world => {
  const uri = '/configured/1|x:2';
  equal((await update(world, uri, allowing('CLAIM', 'PUBLIC'))).status, 200, 'the status');
  await update(world, uri, allowing('CLAIM'));
  equal((await world.owner.resources.getResourcePermissions(uri)).data.permissions, allowing('CLAIM').permissions, 'the permissions');
  await refused(401, world.nobody().resources.updateResourcePermissions(uri, allowing('CLAIM')));
  await refused(403, (await world.person('stranger')).resources.updateResourcePermissions(uri, allowing('CLAIM')));
});

addCase('updatePermissionedResource', 'PUBLIC lets everybody read, and nothing more', async world => {
  check(!await world.may('anybody', '/square/1', 'read'), 'everybody may read before');
  await update(world, '/square', allowing('PUBLIC'));
  check(await world.may('anybody', '/square/1', 'read'), 'nobody may read');
  check(!await world.may('anybody', '/square/1', 'update'), 'everybody may update');
});

addCase('getPermissionedResource', 'answers what was configured, 404 for what was not', async world => {
  await update(world, '/configured/2', allowing('PUBLIC'));
  equal((await world.owner.resources.getResourcePermissions('/configured/2')).data.permissions, allowing('PUBLIC').permissions, 'the permissions');
  await refused(404, world.owner.resources.getResourcePermissions('/configured/unknown'));
});

addCase('getPermissionedResources', 'lists what is configured, with links', async world => {
  await update(world, '/configured/3', allowing('CLAIM'));
  const { data } = await world.owner.resources.getResources();
  check(data.resources.length > 0, 'the list is empty');
  check(data.links.self.href.startsWith(world.url), 'links.self is missing');
});

addCase('createClaim', '201 for the first, who owns it; 409 for anybody after that', async world => {
  await update(world, 'claimable', allowing('CLAIM'));
  equal((await claim(await world.person('claimer'), 'claimable', '1')).status, 201, 'the status');
  check(await world.may('claimer', '/claimable/1', 'anything'), 'the claimer has no access');
  const body = await refused(409, claim(await world.person('second'), 'claimable', '1'));
  equal(body.errorCode, 'AlreadyClaimed', 'errorCode');
});

addCase('createClaim', '409 where somebody holds something already, 403 where claims are not allowed', async world => {
  await update(world, 'claimable', allowing('CLAIM'));
  await world.give('holds', [READER], '/claimable/held/below');
  const client = await world.person('claims-more');
  await refused(409, claim(client, 'claimable', 'held'));
  await refused(403, claim(client, 'unclaimable', '1'));
  await refused(401, claim(world.nobody(), 'claimable', '3'));
});
