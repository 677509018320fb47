'use strict';
// Roles.

const { addCase, check, equal, refused } = require('./runner');
const { role } = require('./world');

addCase('createRole', '201 with the role as it was given, actions in the caller\'s case', async world => {
  const wanted = { ...role('ro_Made.by-sdk:1@x_y', ['Documents:Read', 'documents:*']), description: 'a description' };
  wanted.permissions.push({ action: 'share', allow: false, grant: true, delegate: true });
  const { data, status } = await world.owner.roles.createRole(wanted);
  equal(status, 201, 'the status');
  equal(data, wanted, 'the role');
});

addCase('createRole', 'makes an id when none is given', async world => {
  const { data } = await world.owner.roles.createRole({ name: 'no id', permissions: [] });
  check(data.roleId.startsWith('ro_'), `made the id ${data.roleId}`);
});

addCase('createRole', '409 for an id that exists, 400 for a malformed one or a reserved one', async world => {
  const wanted = role(world.fresh('ro_twice_'), ['a']);
  await world.owner.roles.createRole(wanted);
  equal((await refused(409, world.owner.roles.createRole(wanted))).errorCode, 'RoleAlreadyExists', 'errorCode');
  await refused(400, world.owner.roles.createRole(role('Authress:Mine', ['a'])));
  await refused(400, world.owner.roles.createRole(role('ro_with space', ['a'])));
  await refused(400, world.owner.roles.createRole(role(world.fresh('ro_'), ['a::b'])));
  await refused(400, world.owner.roles.createRole(role(world.fresh('ro_'), ['a*'])));
  await refused(400, world.owner.roles.createRole({ name: 'no permissions' }));
});

addCase('createRole', '401 without a token, 403 for a stranger', async world => {
  const wanted = role(world.fresh('ro_'), ['a']);
  await refused(401, world.nobody().roles.createRole(wanted));
  await refused(403, (await world.person('stranger')).roles.createRole(wanted));
});

addCase('getRole', 'answers a built-in role and a made one, 404 for an unknown one', async world => {
  const owner = (await world.owner.roles.getRole('Authress:Owner')).data;
  equal(owner.permissions, [{ action: '*', allow: true, grant: true, delegate: true }], 'the permissions of Authress:Owner');
  const made = (await world.owner.roles.createRole(role(world.fresh('ro_'), ['a']))).data;
  equal((await world.owner.roles.getRole(made.roleId)).data, made, 'the role');
  await refused(404, world.owner.roles.getRole('ro_unknown:a@b'));
});

addCase('updateRole', 'replaces name and permissions, and what its holders may do at once', async world => {
  const made = (await world.owner.roles.createRole(role(world.fresh('ro_'), ['documents:read']))).data;
  await world.give('role-holder', [made.roleId], '/docs/role-update');
  check(await world.may('role-holder', '/docs/role-update'), 'the role gives nothing');
  const { data, status } = await world.owner.roles.updateRole(made.roleId, role(made.roleId, ['documents:list'], 'changed'));
  equal([status, data.name], [200, 'changed'], 'status and name');
  check(!await world.may('role-holder', '/docs/role-update'), 'the old permission still holds');
  check(await world.may('role-holder', '/docs/role-update', 'documents:list'), 'the new permission does not hold');
});

addCase('updateRole', '404 for an unknown role, 403 for a built-in one, 400 for another id in the body', async world => {
  await refused(404, world.owner.roles.updateRole('ro_unknown', role('ro_unknown', ['a'])));
  await refused(403, world.owner.roles.updateRole('Authress:Owner', role('Authress:Owner', ['a'])));
  const made = (await world.owner.roles.createRole(role(world.fresh('ro_'), ['a']))).data;
  await refused(400, world.owner.roles.updateRole(made.roleId, role('ro_another', ['a'])));
});

addCase('deleteRole', '204, then 404; 403 for a built-in one', async world => {
  const made = (await world.owner.roles.createRole(role(world.fresh('ro_'), ['a']))).data;
  equal((await world.owner.roles.deleteRole(made.roleId)).status, 204, 'the status');
  await refused(404, world.owner.roles.getRole(made.roleId));
  await refused(404, world.owner.roles.deleteRole(made.roleId));
  await refused(403, world.owner.roles.deleteRole('Authress:ReadResource'));
});
