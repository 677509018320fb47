'use strict';
// Every operation that this SDK has, the method that calls it, and a call for servers that lack it.

const AWKWARD_USER = 'google-oauth2|1095/36@x+y';

/** A method of one of the client's APIs; the arguments are good for one call, where any were written down. */
class Operation {
  constructor(path, ...givenArguments) {
    [this.api, this.method] = path.split('.');
    this.arguments = givenArguments;
  }

  call(client) {
    return client[this.api][this.method](...this.arguments);
  }
}

const operation = (path, ...givenArguments) => new Operation(path, ...givenArguments);
const statements = [{ roles: ['Authress:ReadResource'], resources: [{ resourceUri: '/docs/1' }] }];
const claims = { permissions: [{ action: 'CLAIM', allow: true }] };

const OPERATIONS = {
  createClaim: operation('accessRecords.createClaim', { collectionResource: 'rooms', resourceId: '1' }),
  createRecord: operation('accessRecords.createRecord'),
  getRecords: operation('accessRecords.getRecords'),
  getRecord: operation('accessRecords.getRecord'),
  updateRecord: operation('accessRecords.updateRecord'),
  deleteRecord: operation('accessRecords.deleteRecord'),
  createInvite: operation('invites.createInvite'),
  getInvite: operation('invites.getInvite'),
  respondToInvite: operation('invites.respondToInvite'),
  deleteInvite: operation('invites.deleteInvite'),
  getAccounts: operation('accounts.getAccounts'),
  getAccount: operation('accounts.getAccount'),
  getAccountIdentities: operation('accounts.getAccountIdentities'),
  delegateAuthentication: operation('accounts.linkIdentity'),
  createConnection: operation('connections.createConnection', {}),
  getConnections: operation('connections.getConnections'),
  getConnection: operation('connections.getConnection', 'con_1'),
  updateConnection: operation('connections.updateConnection', 'con_1', {}),
  deleteConnection: operation('connections.deleteConnection', 'con_1'),
  getConnectionCredentials: operation('connections.getConnectionCredentials', 'con_1', AWKWARD_USER),
  createExtension: operation('extensions.createExtension', { name: 'ext' }),
  getExtensions: operation('extensions.getExtensions'),
  getExtension: operation('extensions.getExtension', 'ext_1'),
  updateExtension: operation('extensions.updateExtension', 'ext_1', { name: 'ext' }),
  deleteExtension: operation('extensions.deleteExtension', 'ext_1'),
  getPermissionedResources: operation('resources.getResources'),
  getPermissionedResource: operation('resources.getResourcePermissions', '/rooms'),
  updatePermissionedResource: operation('resources.updateResourcePermissions', '/rooms', claims),
  getResourceUsers: operation('resources.getResourceUsers'),
  createRole: operation('roles.createRole'),
  getRole: operation('roles.getRole'),
  updateRole: operation('roles.updateRole'),
  deleteRole: operation('roles.deleteRole'),
  createClient: operation('serviceClients.createClient'),
  getClients: operation('serviceClients.getClients'),
  getClient: operation('serviceClients.getClient'),
  updateClient: operation('serviceClients.updateClient'),
  deleteClient: operation('serviceClients.deleteClient'),
  requestAccessKey: operation('serviceClients.requestAccessKey'),
  deleteAccessKey: operation('serviceClients.deleteAccessKey'),
  createTenant: operation('tenants.createTenant', { tenantId: 'tenant-1' }),
  getTenants: operation('tenants.getTenants'),
  getTenant: operation('tenants.getTenant', 'tenant-1'),
  updateTenant: operation('tenants.updateTenant', 'tenant-1', { tenantId: 'tenant-1' }),
  deleteTenant: operation('tenants.deleteTenant', 'tenant-1'),
  authorizeUser: operation('userPermissions.authorizeUser'),
  getUserPermissionsForResource: operation('userPermissions.getUserPermissionsForResource'),
  getUserRolesForResource: operation('userPermissions.getUserRolesForResource'),
  getUserResources: operation('userPermissions.getUserResources'),
  disableUserToken: operation('userPermissions.disableUserToken', AWKWARD_USER, 'token-1'),
  requestUserToken: operation('userPermissions.requestUserToken', AWKWARD_USER, { statements, expires: '2030-01-01T00:00:00Z' }),
  getUser: operation('users.getUser', AWKWARD_USER)
};

// Reached by `verifyToken` and not by a method of their own.
const BY_VERIFYING = ['getUserTokenKeys', 'getClientTokenKeys'];

/** Whether a member of a client is one of its APIs, told by the name of its class. */
function isApi(value) {
  return Boolean(value) && typeof value === 'object' && Object.getPrototypeOf(value).constructor.name.endsWith('Api');
}

/** The methods of all APIs of a client, as `api.method`. */
function methodsOf(client) {
  return Object.entries(client).filter(([, value]) => isApi(value)).flatMap(([api, value]) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(value)).filter(name => name !== 'constructor').map(name => `${api}.${name}`));
}

/** What the table and the SDK do not have in common, in words; nothing if all is in order. */
function unmapped(client) {
  const mapped = Object.values(OPERATIONS).map(item => `${item.api}.${item.method}`);
  const there = methodsOf(client);
  const absent = mapped.filter(path => !there.includes(path)).map(path => `${path} is not in this SDK`);
  return [...absent, ...there.filter(path => !mapped.includes(path)).map(path => `${path} is in no table`)];
}

module.exports = { OPERATIONS, BY_VERIFYING, isApi, unmapped };
