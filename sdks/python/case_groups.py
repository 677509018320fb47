"""Groups."""

from authress.exceptions import ApiException, BadRequestException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.access_record import AccessRecord
from authress.models.group import Group
from authress.models.linked_group import LinkedGroup
from authress.models.user import User

from runner import case, check, equal, refused
from world import READER, statement


def group(group_id, *users, name="a group of the tests", admins=()):
    def people(ids):
        return [User(user_id=user) for user in ids]

    return Group(group_id=group_id, name=name, users=people(users), admins=people(admins))


@case("createGroup", "answers the group as it was given")
def create_group(world):
    wanted = group("grp_Made-by_sdk", "one", "google-oauth2|1095/36@x+y", admins=["boss"])
    wanted.tags = {"key": "value"}
    made = world.owner.groups.create_group(wanted)
    equal(made.group_id, wanted.group_id, "the group id")
    equal((made.users, made.admins, made.tags), (wanted.users, wanted.admins, wanted.tags), "users, admins, tags")
    check(made.last_updated is not None, "lastUpdated is missing")


@case("createGroup", "makes an id when none is given")
def create_group_without_id(world):
    made = world.owner.groups.create_group(group(None, "one"))
    check(made.group_id.startswith("grp_"), f"made the id {made.group_id}")


@case("createGroup", "409 for an id that exists, 400 without the prefix")
def create_group_bad(world):
    wanted = group(world.fresh("grp_"), "one")
    world.owner.groups.create_group(wanted)
    refused(409, ApiException, world.owner.groups.create_group, wanted)
    refused(400, BadRequestException, world.owner.groups.create_group, group("no-prefix", "one"))


@case("createGroup", "401 without a token, 403 for a stranger")
def create_group_unauthorized(world):
    wanted = group(world.fresh("grp_"), "one")
    refused(401, UnauthorizedException, world.nobody().groups.create_group, wanted)
    refused(403, ForbiddenException, world.person("stranger").groups.create_group, wanted)


@case("getGroup", "answers what was created, 404 for an unknown group and for a stranger")
def get_group(world):
    made = world.owner.groups.create_group(group(world.fresh("grp_"), "one"))
    equal(world.owner.groups.get_group(made.group_id), made, "the group")
    refused(404, NotFoundException, world.owner.groups.get_group, "grp_unknown")
    refused(404, NotFoundException, world.person("stranger").groups.get_group, made.group_id)


@case("getGroups", "pages through all groups, each once, and filters by text")
def get_groups(world):
    wanted = [
        world.owner.groups.create_group(group(world.fresh("grp_"), "one", name=f"Haystack {number}")).group_id
        for number in range(3)
    ]
    found, cursor = [], None
    for _ in range(100):
        page = world.owner.groups.get_groups(limit=1, cursor=cursor)
        found += [item.group_id for item in page.groups]
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(len(found), len(set(found)), "the number of different ids")
    check(set(wanted) <= set(found), f"{set(wanted) - set(found)} are missing")
    filtered = [item.group_id for item in world.owner.groups.get_groups(filter="hayStack 1").groups]
    equal(filtered, [wanted[1]], "the filtered list")


@case("updateGroup", "who joins gains at once what the group has, who leaves loses it")
def update_group(world):
    made = world.owner.groups.create_group(group(world.fresh("grp_"), "stays"))
    record = AccessRecord(
        record_id=world.fresh("rec_"),
        name="by group",
        groups=[LinkedGroup(group_id=made.group_id)],
        statements=[statement([READER], "/docs/group-update")],
    )
    world.owner.access_records.create_record(record)
    check(world.may("stays", "/docs/group-update"), "the member has no access")
    changed = world.owner.groups.update_group(made.group_id, group(made.group_id, "joins", name="changed"))
    equal((changed.name, changed.users[0].user_id), ("changed", "joins"), "the changed group")
    check(world.may("joins", "/docs/group-update"), "who joined has no access")
    check(not world.may("stays", "/docs/group-update"), "who left still has access")


@case("updateGroup", "accepts the version it last saw, 412 for an older one, 404 for an unknown group")
def update_group_conditional(world):
    made = world.owner.groups.create_group(group(world.fresh("grp_"), "one"))
    seen = made.last_updated.isoformat()
    update = world.owner.groups.update_group
    second = update(made.group_id, group(made.group_id, "two"), seen)
    check(second.last_updated > made.last_updated, "lastUpdated did not move")
    refused(412, ApiException, update, made.group_id, group(made.group_id, "three"), seen)
    equal(world.owner.groups.get_group(made.group_id).users[0].user_id, "two", "the member")
    refused(404, NotFoundException, update, "grp_unknown", group("grp_unknown", "one"))


@case("deleteGroup", "takes what its members had through it, 404 afterwards")
def delete_group(world):
    made = world.owner.groups.create_group(group(world.fresh("grp_"), "loses"))
    record = AccessRecord(
        record_id=world.fresh("rec_"),
        name="by group",
        groups=[LinkedGroup(group_id=made.group_id)],
        statements=[statement([READER], "/docs/group-delete")],
    )
    world.owner.access_records.create_record(record)
    check(world.may("loses", "/docs/group-delete"), "the member has no access")
    equal(world.owner.groups.delete_group(made.group_id), None, "the answer")
    check(not world.may("loses", "/docs/group-delete"), "the group still gives access")
    refused(404, NotFoundException, world.owner.groups.get_group, made.group_id)
    refused(404, NotFoundException, world.owner.groups.delete_group, made.group_id)
