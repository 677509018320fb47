'use strict';
// Connections to identity providers.

const { addCase, check, equal, refused } = require('./runner');
const { AWKWARD_USER } = require('./world');

const connection = (more = {}) => ({
  type: 'OAUTH2',
  authenticationUrl: 'https://provider.example/authorize',
  tokenUrl: 'https://provider.example/token',
  clientId: 'client-at-the-provider',
  clientSecret: 'a-secret-of-the-provider',
  ...more
});
const make = async world => (await world.owner.connections.createConnection(connection())).data;

addCase('createConnection', '201 with the connection, without its secret', async world => {
  const { data, status } = await world.owner.connections.createConnection(connection({ connectionId: 'con_Made.by-sdk:1' }));
  equal([status, data.connectionId, data.type], [201, 'con_Made.by-sdk:1', 'OAUTH2'], 'the connection');
  check(!data.clientSecret, 'the secret is answered');
  check((await make(world)).connectionId, 'no id was made');
  await refused(401, world.nobody().connections.createConnection(connection()));
  await refused(403, (await world.person('stranger')).connections.createConnection(connection()));
});

addCase('getConnection', 'answers what was created, 404 for an unknown one and for a stranger', async world => {
  const made = await make(world);
  equal((await world.owner.connections.getConnection(made.connectionId)).data, made, 'the connection');
  check(!made.clientSecret, 'the secret is answered');
  await refused(404, world.owner.connections.getConnection('con_unknown'));
  await refused(404, (await world.person('stranger')).connections.getConnection(made.connectionId));
});

addCase('getConnections', 'lists what was created, without secrets', async world => {
  const made = await make(world);
  const { connections } = (await world.owner.connections.getConnections()).data;
  check(connections.some(item => item.connectionId === made.connectionId), 'it is missing');
  check(!connections.some(item => item.clientSecret), 'a secret is answered');
});

addCase('updateConnection', 'replaces the connection, 404 for an unknown one', async world => {
  const made = await make(world);
  const wanted = connection({ connectionId: made.connectionId, authenticationUrl: 'https://provider.example/other' });
  const { data, status } = await world.owner.connections.updateConnection(made.connectionId, wanted);
  equal([status, data.authenticationUrl], [200, 'https://provider.example/other'], 'the connection');
  await refused(404, world.owner.connections.updateConnection('con_unknown', connection()));
});

addCase('getConnectionCredentials', '404 for a user who never signed in there', async world => {
  const made = await make(world);
  for (const user of ['somebody', AWKWARD_USER]) {
    await refused(404, world.owner.connections.getConnectionCredentials(made.connectionId, user));
  }
});

addCase('deleteConnection', '204, and 404 afterwards', async world => {
  const made = await make(world);
  equal((await world.owner.connections.deleteConnection(made.connectionId)).status, 204, 'the status');
  await refused(404, world.owner.connections.getConnection(made.connectionId));
  await refused(404, world.owner.connections.deleteConnection(made.connectionId));
});
