'use strict';
// Extensions.

const { addCase, check, equal, refused } = require('./runner');

const make = async world => (await world.owner.extensions.createExtension({ name: 'an extension of the tests' })).data;

addCase('createExtension', '201 with the extension and its service client', async world => {
  const { data, status } = await world.owner.extensions.createExtension({ name: 'an extension of the tests' });
  equal([status, data.name], [201, 'an extension of the tests'], 'the extension');
  check(data.extensionId.startsWith('ext_') && data.client.clientId.startsWith('sc_'), `made ${data.extensionId}`);
  await refused(401, world.nobody().extensions.createExtension({ name: 'mine' }));
  await refused(403, (await world.person('stranger')).extensions.createExtension({ name: 'mine' }));
});

addCase('getExtension', 'answers what was created, 404 for an unknown one and for a stranger', async world => {
  const made = await make(world);
  equal((await world.owner.extensions.getExtension(made.extensionId)).data, made, 'the extension');
  await refused(404, world.owner.extensions.getExtension('ext_unknown'));
  await refused(404, (await world.person('stranger')).extensions.getExtension(made.extensionId));
});

addCase('getExtensions', 'lists what was created', async world => {
  const made = await make(world);
  const { data } = await world.owner.extensions.getExtensions();
  check(data.extensions.some(item => item.extensionId === made.extensionId), 'it is missing');
});

addCase('updateExtension', 'replaces the name, keeps the client, 404 for an unknown one', async world => {
  const made = await make(world);
  const { data, status } = await world.owner.extensions.updateExtension(made.extensionId, { ...made, name: 'changed' });
  equal([status, data.name, data.client.clientId], [200, 'changed', made.client.clientId], 'the extension');
  await refused(404, world.owner.extensions.updateExtension('ext_unknown', { name: 'x' }));
});

addCase('deleteExtension', '204, takes its service client with it, and 404 afterwards', async world => {
  const made = await make(world);
  equal((await world.owner.extensions.deleteExtension(made.extensionId)).status, 204, 'the status');
  await refused(404, world.owner.serviceClients.getClient(made.client.clientId));
  await refused(404, world.owner.extensions.getExtension(made.extensionId));
  await refused(404, world.owner.extensions.deleteExtension(made.extensionId));
});
