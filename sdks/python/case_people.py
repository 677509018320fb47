"""Users as the account knows them."""

from authress.exceptions import ForbiddenException, NotFoundException

from runner import case, check, equal, refused
from world import AWKWARD_USER, READER, invite


@case("getUser", "answers a user whom a record names, 404 for nobody")
def get_user(world):
    for user in ("known-user", AWKWARD_USER):
        world.give(user, [READER], "/docs/known")
        equal(world.owner.users.get_user(user).user_id, user, "the user id")
    refused(404, NotFoundException, world.owner.users.get_user, "never-seen")
    refused(404, NotFoundException, world.person("stranger").users.get_user, "known-user")


@case("getUsers", "pages through the users, each once")
def get_users(world):
    wanted = {"listed-user-1", "listed-user-2", AWKWARD_USER}
    for user in wanted:
        world.give(user, [READER], "/docs/listed-users")
    found, cursor = [], None
    for _ in range(200):
        page = world.owner.users.get_users(limit=20, cursor=cursor)
        found += [user.user_id for user in page.users]
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(len(found), len(set(found)), "the number of different ids")
    check(wanted <= set(found), f"{wanted - set(found)} are missing")
    check(page.links.var_self.href.startswith(world.url), "links.self is missing")
    filtered = [user.user_id for user in world.owner.users.get_users(filter="listed-user-").users]
    equal(filtered, ["listed-user-1", "listed-user-2"], "the filtered list")


@case("getUsers", "refused for a stranger")
def get_users_refused(world):
    refused(403, ForbiddenException, world.person("stranger").users.get_users)


@case("deleteUser", "takes all access, and voids the invites of the user")
def delete_user(world):
    for user in ("leaves", "leaves|x/y"):
        world.give(user, ["Authress:Owner"], "/left")
        made = world.person(user).invites.create_invite(invite([READER], "/left/1"))
        check(world.may(user, "/left/1", "documents:read"), f"{user} has no access")
        equal(world.owner.users.delete_user(user), None, "the answer")
        check(not world.may(user, "/left/1", "documents:read"), f"{user} still has access")
        late = world.person("invited-late").invites.respond_to_invite
        try:
            late(made.invite_id)
        except (ForbiddenException, NotFoundException):
            pass
        check(not world.may("invited-late", "/left/1"), "the invite of a deleted user gave access")


@case("deleteUser", "404 for a stranger")
def delete_user_refused(world):
    world.give("stays-known", [READER], "/docs/stays")
    refused(404, NotFoundException, world.person("stranger").users.delete_user, "stays-known")
    check(world.may("stays-known", "/docs/stays"), "the user was deleted all the same")
