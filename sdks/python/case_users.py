"""What a user may do: checks, permissions, roles, resources, and who has access to a resource."""

from authress.exceptions import BadRequestException, ForbiddenException, NotFoundException, UnauthorizedException

from runner import case, check, equal, refused
from world import AWKWARD_USER, EDITOR, READER, role


@case("authorizeUser", "200 for what a user has, 404 for what not")
def authorize_user(world):
    world.give("checked", [READER], "/docs/checked")
    ask = world.owner.user_permissions.authorize_user
    equal(ask("checked", "/docs/checked", "documents:read"), None, "the answer")
    ask("checked", "docs/checked/chapter/1", "DOCUMENTS:Read")
    refused(404, NotFoundException, ask, "checked", "/docs/checked", "documents:update")
    refused(404, NotFoundException, ask, "checked", "/docs", "documents:read")
    refused(404, NotFoundException, ask, "checked", "/docs/checked2", "documents:read")
    refused(404, NotFoundException, ask, "checked", "/docs/checked", "*")
    refused(404, NotFoundException, ask, "unknown-user", "/docs/checked", "documents:read")


@case("authorizeUser", "users may ask about themselves, 403 about others, 401 for nobody")
def authorize_self(world):
    world.give("asks", [READER], "/docs/asks")
    client = world.person("asks")
    client.user_permissions.authorize_user("asks", "/docs/asks", "documents:read")
    refused(403, ForbiddenException, client.user_permissions.authorize_user, "checked", "/docs/checked", "documents:read")
    nobody = world.nobody().user_permissions.authorize_user
    refused(401, UnauthorizedException, nobody, "asks", "/docs/asks", "documents:read")


@case("authorizeUser", "awkward user ids and resources in this SDK's encoding")
def authorize_awkward(world):
    world.give(AWKWARD_USER, [READER], "/orgs/a/docs/*", "/x|y/a~b:c=d+e@f.g_h-i")
    ask = world.owner.user_permissions.authorize_user
    ask(AWKWARD_USER, "/orgs/a/docs/*", "documents:read")
    ask(AWKWARD_USER, "/orgs/a/docs/1/pages/2", "documents:read")
    ask(AWKWARD_USER, "x|y/a~b:c=d+e@f.g_h-i", "documents:read")
    refused(404, NotFoundException, ask, AWKWARD_USER, "/orgs/a/docs", "documents:read")
    refused(404, NotFoundException, ask, AWKWARD_USER, "/orgs/*/docs/1", "documents:read")
    refused(404, NotFoundException, ask, "google-oauth2|1095", "/orgs/a/docs/1", "documents:read")
    refused(404, NotFoundException, ask, "google-oauth2|1095/36@x y", "/orgs/a/docs/1", "documents:read")
    client = world.person(AWKWARD_USER)
    client.user_permissions.authorize_user(AWKWARD_USER, "/orgs/a/docs/1", "documents:read")


@case("authorizeUser", "400 for what is no resource, no action, no user")
def authorize_malformed(world):
    ask = world.owner.user_permissions.authorize_user
    refused(400, BadRequestException, ask, "checked", "/docs//1", "documents:read")
    refused(400, BadRequestException, ask, "checked", "/docs/a b", "documents:read")
    refused(400, BadRequestException, ask, "checked", "/docs/a*", "documents:read")
    refused(400, BadRequestException, ask, "checked", "/docs/1", "documents::read")
    refused(400, BadRequestException, ask, "no(user)", "/docs/1", "documents:read")


@case("getUserPermissionsForResource", "sums up what a user has, 404 for nothing")
def get_permissions(world):
    world.give("summed", [EDITOR], "/docs/summed")
    ask = world.owner.user_permissions.get_user_permissions_for_resource
    found = ask("summed", "/docs/summed/1")
    equal(found.user_id, "summed", "the user id")
    flags = {p.action: (p.allow, p.grant, p.delegate) for p in found.permissions}
    expected = {"documents:read": (True, False, False), "documents:update": (True, False, False)}
    equal(flags, expected, "the permissions")
    refused(404, NotFoundException, ask, "summed", "/elsewhere")
    refused(404, NotFoundException, ask, "unknown-user", "/docs/summed")
    equal(ask(AWKWARD_USER, "/orgs/a/docs/*").user_id, AWKWARD_USER, "the awkward user id")
    refused(403, ForbiddenException, world.person("stranger").user_permissions.get_user_permissions_for_resource, "summed", "/docs/summed")


@case("getUserRolesForResource", "explicit roles on exactly that resource, 404 for none")
def get_roles_for_resource(world):
    world.give("roled", [READER, EDITOR], "/docs/roled")
    ask = world.owner.user_permissions.get_user_roles_for_resource
    found = ask("roled", "/docs/roled")
    equal(found.user_id, "roled", "the user id")
    equal({item.role_id for item in found.roles}, {READER, EDITOR}, "the roles")
    refused(404, NotFoundException, ask, "roled", "/docs/roled/1")
    equal({item.role_id for item in ask(AWKWARD_USER, "/orgs/a/docs/*").roles}, {READER}, "the roles of the awkward user")
    refused(403, ForbiddenException, world.person("stranger").user_permissions.get_user_roles_for_resource, "roled", "/docs/roled")


def uris(found):
    return sorted(resource.resource_uri.strip("/") for resource in found.resources or [])


@case("getUserResources", "one level below, or everything below, with a permission if one is given")
def get_resources(world):
    world.give("lister", [READER], "/shelf/a", "/shelf/b", "/shelf/c/pages/1", "/other/d")
    world.give("lister", [EDITOR], "/shelf/e")
    ask = world.owner.user_permissions.get_user_resources
    top = ask("lister", resource_uri="/shelf", collection_configuration="TOP_LEVEL_ONLY")
    equal(uris(top), ["shelf/a", "shelf/b", "shelf/e"], "the resources one level below")
    nested = ask("lister", resource_uri="/shelf", collection_configuration="INCLUDE_NESTED")
    equal(uris(nested), ["shelf/a", "shelf/b", "shelf/c/pages/1", "shelf/e"], "all resources below")
    update = ask("lister", resource_uri="/shelf", collection_configuration="INCLUDE_NESTED", permissions="documents:update")
    equal(uris(update), ["shelf/e"], "the resources with the permission")
    equal(uris(ask("unknown-user", resource_uri="/shelf")), [], "the resources of an unknown user")
    equal(top.user_id, "lister", "the user id")


@case("getUserResources", "pages through all resources, each once")
def get_resources_paged(world):
    wanted = [f"/pages/p{number}" for number in range(7)]
    world.give("pager", [READER], *wanted)
    ask = world.owner.user_permissions.get_user_resources
    found, cursor = [], None
    for _ in range(20):
        page = ask("pager", resource_uri="/pages", collection_configuration="INCLUDE_NESTED", limit=3, cursor=cursor)
        check(len(page.resources or []) <= 3, f"a page of {len(page.resources)}")
        found += uris(page)
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(sorted(found), sorted(uri.strip("/") for uri in wanted), "the paged list")


@case("getUserResources", "wildcards: grants that overlap the question are answered cut to it")
def get_resources_wildcards(world):
    ask = world.owner.user_permissions.get_user_resources
    found = ask(AWKWARD_USER, resource_uri="/orgs/a/docs/*", collection_configuration="INCLUDE_NESTED")
    equal(uris(found), ["orgs/a/docs/*"], "the resources of the awkward user")
    world.give("wild", ["Authress:ReadResource"], "*")
    everything = ask("wild", resource_uri="/shelf/*", collection_configuration="INCLUDE_NESTED")
    equal(uris(everything), ["shelf/*"], "the resources of who has everything")


@case("getUserResources", "users may ask about themselves, 403 about others")
def get_resources_self(world):
    client = world.person("lister")
    found = client.user_permissions.get_user_resources("lister", resource_uri="/other")
    equal(uris(found), ["other/d"], "the resources")
    refused(403, ForbiddenException, client.user_permissions.get_user_resources, "pager", resource_uri="/pages")


@case("getResourceUsers", "who has explicit access to exactly that resource, in pages")
def get_resource_users(world):
    for user in ("guest-1", "guest-2", AWKWARD_USER):
        world.give(user, [READER], "/room/1|x:2")
    world.give("guest-1", [EDITOR], "/room/1|x:2")
    world.give("parent", [READER], "/room")
    world.give("child", [READER], "/room/1|x:2/door")
    ask = world.owner.resource_permissions.get_resource_users
    found, cursor = {}, None
    for _ in range(10):
        page = ask("/room/1|x:2", limit=1, cursor=cursor)
        check(len(page.users) <= 1, f"a page of {len(page.users)}")
        for user in page.users:
            check(user.user_id not in found, f"{user.user_id} is listed twice")
            found[user.user_id] = {item.role_id for item in user.roles}
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(found, {"guest-1": {READER, EDITOR}, "guest-2": {READER}, AWKWARD_USER: {READER}}, "the users")
    equal(ask("/nobody/here").users, [], "the users of an unknown resource")


@case("getResourceUsers", "401 for nobody, 403 for a stranger, 400 for what is no resource")
def get_resource_users_refused(world):
    ask = "get_resource_users"
    refused(401, UnauthorizedException, getattr(world.nobody().resource_permissions, ask), "/room/1")
    refused(403, ForbiddenException, getattr(world.person("stranger").resource_permissions, ask), "/room/1")
    refused(400, BadRequestException, getattr(world.owner.resource_permissions, ask), "/room//1")


@case("grant and delegate", "who may give a permission need not have it, and may give no more")
def grant_without_allow(world):
    from authress.models.access_record import AccessRecord
    from authress.models.permission_object import PermissionObject
    from authress.models.role import Role
    from authress.models.user import User
    from world import statement

    giver = PermissionObject(action="documents:read", allow=False, grant=True, delegate=False)
    world.owner.roles.create_role(Role(role_id="ro_sdk_giver", name="giver", permissions=[giver]))
    world.owner.roles.create_role(role("ro_sdk_writer", ["documents:write"]))
    world.give("giver", ["ro_sdk_giver"], "/given")
    check(not world.may("giver", "/given/1"), "a giver may do what they may only give")
    client = world.person("giver")

    def wanted(roles, resource):
        return AccessRecord(
            record_id=world.fresh("rec_"), name="given on", users=[User(user_id="taker")], statements=[statement(roles, resource)]
        )

    client.access_records.create_record(wanted([READER], "/given/1"))
    check(world.may("taker", "/given/1"), "what was given does not hold")
    create = client.access_records.create_record
    refused(403, ForbiddenException, create, wanted([READER], "/elsewhere"))
    refused(403, ForbiddenException, create, wanted(["ro_sdk_writer"], "/given/1"))
    refused(403, ForbiddenException, create, wanted(["ro_sdk_giver"], "/given/1"))
    refused(403, ForbiddenException, create, wanted([READER], "*"))
