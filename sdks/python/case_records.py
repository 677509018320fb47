"""Access records."""

from authress.exceptions import ApiException, BadRequestException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.access_record import AccessRecord
from authress.models.linked_group import LinkedGroup
from authress.models.user import User

from runner import case, check, equal, refused
from world import EDITOR, READER, role, statement


def record(record_id, *resources, users=("reader",), roles=(READER,), **more):
    return AccessRecord(
        record_id=record_id,
        name=more.pop("name", "a record of the tests"),
        users=[User(user_id=user) for user in users],
        statements=[statement(roles, *resources)],
        **more,
    )


@case("createRecord", "answers the record as it was given, with its version and state")
def create_record(world):
    world.roles()
    wanted = record("rec_A:acc-1:U:user|x~1", "/docs/1", "docs/2/*", users=["u2", "u1"], roles=[EDITOR, READER])
    wanted.description = "why"
    wanted.admins = [User(user_id="admin-1")]
    wanted.tags = {"key": "value"}
    made = world.owner.access_records.create_record(wanted)
    equal(made.record_id, wanted.record_id, "the record id")
    equal((made.name, made.description, made.tags), (wanted.name, "why", {"key": "value"}), "name, description, tags")
    equal(made.status, "ACTIVE", "the status")
    check(made.last_updated is not None, "lastUpdated is missing")
    check(0 <= made.capacity <= 1, f"the capacity is {made.capacity}")
    equal(made.account.account_id, world.account_id, "the account")
    equal([user.user_id for user in made.users], ["u2", "u1"], "the users")
    equal([user.user_id for user in made.admins], ["admin-1"], "the admins")
    equal(made.statements[0].roles, [EDITOR, READER], "the roles")
    equal([resource.resource_uri for resource in made.statements[0].resources], ["/docs/1", "docs/2/*"], "the resources")


@case("createRecord", "makes an id when none is given")
def create_record_without_id(world):
    made = world.owner.access_records.create_record(record(None, "/docs/no-id"))
    check(made.record_id.startswith("rec_"), f"made the id {made.record_id}")


@case("createRecord", "gives users of single statements what those statements say")
def create_record_statement_users(world):
    wanted = AccessRecord(
        record_id=world.fresh("rec_"),
        name="per statement",
        statements=[
            statement([READER], "/split/1", users=["split-1"]),
            statement([READER], "/split/2", users=["split-2"]),
        ],
    )
    made = world.owner.access_records.create_record(wanted)
    equal([s.users[0].user_id for s in made.statements], ["split-1", "split-2"], "the users of the statements")
    check(world.may("split-1", "/split/1"), "the first statement gives nothing")
    check(not world.may("split-1", "/split/2"), "the second statement gives to the user of the first")


@case("createRecord", "409 for an id that exists")
def create_record_twice(world):
    wanted = record(world.fresh("rec_"), "/docs/twice")
    world.owner.access_records.create_record(wanted)
    body = refused(409, ApiException, world.owner.access_records.create_record, wanted)
    equal(body["errorCode"], "AccessRecordAlreadyExists", "errorCode")


@case("createRecord", "400 for an unknown role, and for users at both levels")
def create_record_bad(world):
    create = world.owner.access_records.create_record
    refused(400, BadRequestException, create, record(world.fresh("rec_"), "/docs/x", roles=["ro_unknown"]))
    both = record(world.fresh("rec_"), "/docs/x")
    both.statements = [statement([READER], "/docs/x", users=["somebody"])]
    refused(400, BadRequestException, create, both)


@case("createRecord", "401 without a token, 403 for giving more than one holds")
def create_record_unauthorized(world):
    wanted = record(world.fresh("rec_"), "/docs/mine", users=["stranger"])
    refused(401, UnauthorizedException, world.nobody().access_records.create_record, wanted)
    world.give("holder", [READER], "/docs/mine")
    refused(403, ForbiddenException, world.person("holder").access_records.create_record, wanted)
    check(not world.may("stranger", "/docs/mine"), "the refused record gives access")


@case("getRecord", "answers what was created, and its links")
def get_record(world):
    made = world.give("get-record", [READER], "/docs/get-record")
    found = world.owner.access_records.get_record(made.record_id)
    equal(found, made, "the record")
    check(found.links.var_self.href.startswith(world.url), f"links.self is {found.links.var_self.href}")


@case("getRecord", "404 for an unknown record and for a stranger, 403 for who holds other rights")
def get_record_refused(world):
    made = world.give("get-record", [READER], "/docs/get-record-refused")
    refused(404, NotFoundException, world.owner.access_records.get_record, "rec_unknown:a|b~c")
    refused(404, NotFoundException, world.person("stranger").access_records.get_record, made.record_id)
    world.owner.roles.create_role(role("ro_sdk_clerk", ["read"]))
    world.give("clerk", ["ro_sdk_clerk"], "Authress:Roles")
    refused(403, ForbiddenException, world.person("clerk").access_records.get_record, made.record_id)


@case("getRecords", "pages through all records, each once")
def get_records(world):
    wanted = [world.give("listed", [READER], f"/docs/listed/{number}").record_id for number in range(5)]
    found, cursor = [], None
    for _ in range(200):
        page = world.owner.access_records.get_records(limit=2, cursor=cursor)
        check(len(page.records) <= 2, f"a page of {len(page.records)} records")
        check(page.links.var_self.href.startswith(world.url), f"links.self is {page.links.var_self.href}")
        found += [item.record_id for item in page.records]
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(len(found), len(set(found)), "the number of different ids")
    check(set(wanted) <= set(found), f"{set(wanted) - set(found)} are missing")


@case("getRecords", "filters by text, and shows only what the caller may see")
def get_records_filtered(world):
    made = world.give("filter-user", [READER], "/docs/Filtered-Needle")
    found = world.owner.access_records.get_records(filter="filtered-needle").records
    equal([item.record_id for item in found], [made.record_id], "the filtered list")
    equal(world.person("stranger").access_records.get_records().records, [], "the list of a stranger")


@case("getRecords", "400 for a cursor that was not given out")
def get_records_bad_cursor(world):
    refused(400, BadRequestException, world.owner.access_records.get_records, cursor="a/b+c=")


@case("updateRecord", "replaces the record, and what it gives at once")
def update_record(world):
    made = world.give("updated", [READER], "/docs/before")
    changed = record(made.record_id, "/docs/after", users=["updated"], name="changed")
    equal(world.owner.access_records.update_record(made.record_id, changed), None, "the answer")
    found = world.owner.access_records.get_record(made.record_id)
    equal((found.name, found.statements[0].resources[0].resource_uri), ("changed", "/docs/after"), "the record")
    check(not world.may("updated", "/docs/before"), "the old statement still gives access")
    check(world.may("updated", "/docs/after"), "the new statement gives nothing")


@case("updateRecord", "takes back the whole record that it was given")
def update_record_whole(world):
    made = world.give("whole", [READER], "/docs/whole")
    found = world.owner.access_records.get_record(made.record_id)
    found.users.append(User(user_id="whole-2"))
    world.owner.access_records.update_record(made.record_id, found)
    check(world.may("whole-2", "/docs/whole"), "the added user has no access")


@case("updateRecord", "accepts the version it last saw in every spelling, 412 for an older one")
def update_record_conditional(world):
    made = world.give("versions", [READER], "/docs/versions")
    first = made.last_updated
    milliseconds = first.strftime("%Y-%m-%dT%H:%M:%S.") + f"{first.microsecond // 1000:03}Z"
    update = world.owner.access_records.update_record
    update(made.record_id, record(made.record_id, "/docs/versions", name="second"), milliseconds)
    second = world.owner.access_records.get_record(made.record_id).last_updated
    check(second > first, f"lastUpdated went from {first} to {second}")
    update(made.record_id, record(made.record_id, "/docs/versions", name="third"), second.isoformat())
    stale = record(made.record_id, "/docs/versions", name="stale")
    refused(412, ApiException, update, made.record_id, stale, milliseconds)
    equal(world.owner.access_records.get_record(made.record_id).name, "third", "the name")


@case("updateRecord", "404 for an unknown record, 400 for a condition that is no time")
def update_record_refused(world):
    update = world.owner.access_records.update_record
    refused(404, NotFoundException, update, "rec_unknown", record("rec_unknown", "/docs/x"))
    made = world.give("versions", [READER], "/docs/no-time")
    refused(400, BadRequestException, update, made.record_id, made, "yesterday")


@case("deleteRecord", "keeps the record as DELETED, takes its access, and frees its id")
def delete_record(world):
    made = world.give("deleted", [READER], "/docs/deleted")
    equal(world.owner.access_records.delete_record(made.record_id), None, "the answer")
    check(not world.may("deleted", "/docs/deleted"), "a deleted record still gives access")
    equal(world.owner.access_records.get_record(made.record_id).status, "DELETED", "the status")
    listed = [item.record_id for item in world.owner.access_records.get_records(filter=made.record_id).records]
    equal(listed, [], "the list of active records")
    again = record(made.record_id, "/docs/deleted-again", users=["deleted"])
    equal(world.owner.access_records.create_record(again).status, "ACTIVE", "the status of the new record")
    check(world.may("deleted", "/docs/deleted-again"), "the new record gives nothing")
    check(not world.may("deleted", "/docs/deleted"), "the old statements came back")


@case("deleteRecord", "404 for an unknown record and for a stranger")
def delete_record_refused(world):
    refused(404, NotFoundException, world.owner.access_records.delete_record, "rec_unknown")
    made = world.give("kept", [READER], "/docs/kept")
    refused(404, NotFoundException, world.person("stranger").access_records.delete_record, made.record_id)
    check(world.may("kept", "/docs/kept"), "the record was deleted all the same")


@case("records of groups", "a group named in a statement gives access to its members")
def record_of_group(world):
    from authress.models.group import Group

    group = Group(group_id="grp_readers", name="readers", users=[User(user_id="member")], admins=[])
    world.owner.groups.create_group(group)
    wanted = AccessRecord(
        record_id=world.fresh("rec_"),
        name="by group",
        statements=[statement([READER], "/docs/by-group", groups=[LinkedGroup(group_id="grp_readers")])],
    )
    made = world.owner.access_records.create_record(wanted)
    equal(made.statements[0].groups[0].group_id, "grp_readers", "the group in the statement")
    check(world.may("member", "/docs/by-group"), "a member has no access")
    check(not world.may("no-member", "/docs/by-group"), "somebody else has access")
