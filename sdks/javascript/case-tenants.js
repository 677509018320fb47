'use strict';
// Tenants.

const { addCase, check, equal, refused } = require('./runner');

const tenant = (tenantId, name = 'a tenant of the tests') => ({ tenantId, data: { name } });
const make = async world => (await world.owner.tenants.createTenant(tenant(world.fresh('tenant-')))).data;

addCase('createTenant', '201 with the tenant as it was given', async world => {
  const wanted = { ...tenant('Tenant_1.a:b'), tenantLookupIdentifier: 'lookup-1' };
  const { data, status } = await world.owner.tenants.createTenant(wanted);
  equal(status, 201, 'the status');
  equal([data.tenantId, data.tenantLookupIdentifier, data.data.name], ['Tenant_1.a:b', 'lookup-1', wanted.data.name], 'the tenant');
  await refused(401, world.nobody().tenants.createTenant(tenant('mine')));
  await refused(403, (await world.person('stranger')).tenants.createTenant(tenant('mine')));
});

addCase('getTenant', 'answers what was created, 404 for an unknown one and for a stranger', async world => {
  const made = await make(world);
  equal((await world.owner.tenants.getTenant(made.tenantId)).data, made, 'the tenant');
  await refused(404, world.owner.tenants.getTenant('unknown-tenant'));
  await refused(404, (await world.person('stranger')).tenants.getTenant(made.tenantId));
});

addCase('getTenants', 'lists what was created', async world => {
  const made = await make(world);
  const { data } = await world.owner.tenants.getTenants();
  check(data.tenants.some(item => item.tenantId === made.tenantId), 'it is missing');
});

addCase('updateTenant', 'replaces the tenant, 404 for an unknown one', async world => {
  const made = await make(world);
  const { data, status } = await world.owner.tenants.updateTenant(made.tenantId, tenant(made.tenantId, 'changed'));
  equal([status, data.tenantId, data.data.name], [200, made.tenantId, 'changed'], 'the tenant');
  await refused(404, world.owner.tenants.updateTenant('unknown-tenant', tenant('unknown-tenant')));
});

addCase('deleteTenant', '204, and 404 afterwards', async world => {
  const made = await make(world);
  equal((await world.owner.tenants.deleteTenant(made.tenantId)).status, 204, 'the status');
  await refused(404, world.owner.tenants.getTenant(made.tenantId));
  await refused(404, world.owner.tenants.deleteTenant(made.tenantId));
});
