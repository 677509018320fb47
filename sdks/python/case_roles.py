"""Roles."""

from authress.exceptions import ApiException, ForbiddenException, NotFoundException, UnauthorizedException, BadRequestException
from authress.models.permission_object import PermissionObject
from authress.models.role import Role

from runner import case, check, equal, refused
from world import role


@case("createRole", "answers the role as it was given, actions in the caller's case")
def create_role(world):
    wanted = role("ro_Made.by-sdk:1@x_y", ["Documents:Read", "documents:*"])
    wanted.description = "a description"
    wanted.permissions.append(PermissionObject(action="share", allow=False, grant=True, delegate=True))
    made = world.owner.roles.create_role(wanted)
    equal(made.role_id, wanted.role_id, "the role id")
    equal(made.name, wanted.name, "the name")
    equal(made.description, wanted.description, "the description")
    equal(made.permissions, wanted.permissions, "the permissions")


@case("createRole", "makes an id when none is given")
def create_role_without_id(world):
    made = world.owner.roles.create_role(Role(name="no id", permissions=role("ro_x", ["a"]).permissions))
    check(made.role_id.startswith("ro_"), f"made the id {made.role_id}")
    equal(world.owner.roles.get_role(made.role_id).name, "no id", "the name")


@case("createRole", "409 for an id that exists")
def create_role_twice(world):
    wanted = role(world.fresh("ro_twice_"), ["a"])
    world.owner.roles.create_role(wanted)
    equal(refused(409, ApiException, world.owner.roles.create_role, wanted)["errorCode"], "RoleAlreadyExists", "errorCode")


@case("createRole", "400 for an id in the reserved namespace")
def create_reserved_role(world):
    refused(400, BadRequestException, world.owner.roles.create_role, role("Authress:Mine", ["a"]))


@case("createRole", "401 without a token, 403 for a stranger")
def create_role_unauthorized(world):
    wanted = role(world.fresh("ro_"), ["a"])
    refused(401, UnauthorizedException, world.nobody().roles.create_role, wanted)
    refused(403, ForbiddenException, world.person("stranger").roles.create_role, wanted)


@case("getRole", "answers a built-in role and a made one")
def get_role(world):
    owner_role = world.owner.roles.get_role("Authress:Owner")
    equal([p.action for p in owner_role.permissions], ["*"], "the actions of Authress:Owner")
    made = world.owner.roles.create_role(role(world.fresh("ro_"), ["documents:read"]))
    equal(world.owner.roles.get_role(made.role_id), made, "the role")


@case("getRole", "404 for an unknown role")
def get_unknown_role(world):
    refused(404, NotFoundException, world.owner.roles.get_role, "ro_unknown:a@b")


@case("getRoles", "pages through all roles, each once")
def get_roles(world):
    for _ in range(3):
        world.owner.roles.create_role(role(world.fresh("ro_page_"), ["a"]))
    found, cursor = [], None
    for _ in range(100):
        page = world.owner.roles.get_roles(limit=2, cursor=cursor)
        check(len(page.roles) <= 2, f"a page of {len(page.roles)} roles")
        found += [item.role_id for item in page.roles]
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(len(found), len(set(found)), "the number of different ids")
    whole = [item.role_id for item in world.owner.roles.get_roles().roles]
    equal(sorted(found), sorted(whole), "the paged list")
    check({"Authress:Owner", "Authress:ReadResource"} <= set(whole), f"built-in roles are missing in {whole}")


@case("getRoles", "filters by text")
def get_roles_filtered(world):
    wanted = role(world.fresh("ro_Filter_"), ["a"], name="Needle in a haystack")
    world.owner.roles.create_role(wanted)
    found = [item.role_id for item in world.owner.roles.get_roles(filter="nEEdle in").roles]
    equal(found, [wanted.role_id], "the filtered list")


@case("getRoles", "400 for a cursor that was not given out")
def get_roles_bad_cursor(world):
    refused(400, BadRequestException, world.owner.roles.get_roles, cursor="made/up+cursor=")


@case("updateRole", "replaces name and permissions, and what its holders may do at once")
def update_role(world):
    made = world.owner.roles.create_role(role(world.fresh("ro_"), ["documents:read"]))
    user = world.fresh("role-holder-")
    world.give(user, [made.role_id], "/docs/role-update")
    check(world.may(user, "/docs/role-update"), "the role gives nothing")
    changed = world.owner.roles.update_role(made.role_id, role(made.role_id, ["documents:list"], name="changed"))
    equal((changed.role_id, changed.name), (made.role_id, "changed"), "the changed role")
    check(not world.may(user, "/docs/role-update"), "the old permission still holds")
    check(world.may(user, "/docs/role-update", "documents:list"), "the new permission does not hold")


@case("updateRole", "404 for an unknown role, 403 for a built-in one")
def update_role_refused(world):
    refused(404, NotFoundException, world.owner.roles.update_role, "ro_unknown", role("ro_unknown", ["a"]))
    refused(403, ForbiddenException, world.owner.roles.update_role, "Authress:Owner", role("Authress:Owner", ["a"]))


@case("deleteRole", "removes the role, leaves the record that names it")
def delete_role(world):
    made = world.owner.roles.create_role(role(world.fresh("ro_"), ["documents:read"]))
    record = world.give("role-deleted", [made.role_id], "/docs/role-delete")
    check(world.may("role-deleted", "/docs/role-delete"), "the role gives nothing")
    world.owner.roles.delete_role(made.role_id)
    refused(404, NotFoundException, world.owner.roles.get_role, made.role_id)
    check(not world.may("role-deleted", "/docs/role-delete"), "a deleted role still gives access")
    found = world.owner.access_records.get_record(record.record_id)
    equal(found.statements[0].roles, [made.role_id], "the roles in the record")


@case("deleteRole", "404 for an unknown role, 403 for a built-in one")
def delete_role_refused(world):
    refused(404, NotFoundException, world.owner.roles.delete_role, "ro_unknown")
    refused(403, ForbiddenException, world.owner.roles.delete_role, "Authress:ReadResource")
