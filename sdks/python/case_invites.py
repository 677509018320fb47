"""The life of an invite."""

from datetime import datetime, timedelta, timezone

from authress.exceptions import BadRequestException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.invite_statement import InviteStatement
from authress.models.user import User

from runner import case, check, equal, refused
from world import AWKWARD_USER, EDITOR, READER, invite


@case("createInvite", "answers the invite with an id of its own")
def create_invite(world):
    made = world.owner.invites.create_invite(invite([READER, EDITOR], "/orgs/a|b/*", "docs/1", tenant_id="tenant-1"))
    check(made.invite_id.startswith("inv_"), "the id does not begin inv_")
    equal(made.statements[0].roles, [READER, EDITOR], "the roles")
    equal([r.resource_uri for r in made.statements[0].resources], ["/orgs/a|b/*", "docs/1"], "the resources")
    equal(made.tenant_id, "tenant-1", "the tenant")
    again = world.owner.invites.create_invite(invite([READER], "/docs/1"))
    check(again.invite_id != made.invite_id, "two invites have one id")


@case("createInvite", "every conflict resolution strategy is echoed")
def create_with_strategies(world):
    if "conflict_resolution_strategy" not in type(invite([READER], "/docs/1")).__fields__:
        made = world.invite("/docs/strategies")
        check(made.invite_id, "no id")
        return
    for strategy in ("GENERATE_NEW_RECORD", "UNSAFE_FORCE_MERGE", "REPLACE_RECORD_DATA", "SKIP_CHANGES"):
        wanted = invite([READER], "/docs/strategies", conflict_resolution_strategy=strategy)
        made = world.owner.invites.create_invite(wanted)
        equal(made.conflict_resolution_strategy, strategy, "the strategy")


@case("createInvite", "401 without a token, 403 for giving more than one holds")
def create_unauthorized(world):
    wanted = invite([READER], "/docs/invited")
    refused(401, UnauthorizedException, world.nobody().invites.create_invite, wanted)
    world.give("only-reads", [READER], "/docs/invited")
    refused(403, ForbiddenException, world.person("only-reads").invites.create_invite, wanted)


@case("createInvite", "400 for an unknown role, for users in a statement")
def create_malformed(world):
    refused(400, BadRequestException, world.owner.invites.create_invite, invite(["ro_unknown"], "/docs/1"))
    if "users" in InviteStatement.__fields__:
        wanted = invite([READER], "/docs/1")
        wanted.statements[0].users = [User(user_id="somebody")]
        refused(400, BadRequestException, world.owner.invites.create_invite, wanted)


@case("getInvite", "answers the creator, 404 for a stranger who knows the id")
def get_invite(world):
    made = world.invite("/docs/got")
    found = world.owner.invites.get_invite(made.invite_id)
    equal(found.invite_id, made.invite_id, "the id")
    equal(found.statements, made.statements, "the statements")
    refused(404, NotFoundException, world.person("stranger").invites.get_invite, made.invite_id)
    refused(401, UnauthorizedException, world.nobody().invites.get_invite, made.invite_id)


@case("respondToInvite", "the person who accepts gains exactly what the invite gives")
def accept(world):
    made = world.invite("/docs/accepted", "/orgs/x/*")
    user = "invited-person"
    check(not world.may(user, "/docs/accepted"), "the person has access before")
    client = world.person(user)
    account = client.invites.respond_to_invite(made.invite_id)
    if account is not None:
        equal(account.account_id, world.account_id, "the account")
    check(world.may(user, "/docs/accepted"), "the person has no access")
    check(world.may(user, "/orgs/x/1"), "the person has no access below the wildcard")
    check(not world.may(user, "/docs/accepted", "documents:update"), "the person has more than was given")
    check(not world.may(user, "/docs"), "the person has more than was given")
    client.user_permissions.authorize_user(user, "/docs/accepted", "documents:read")
    found = world.owner.resource_permissions.get_resource_users("/docs/accepted")
    equal([item.user_id for item in found.users], [user], "who has access")
    again = client.invites.respond_to_invite(made.invite_id)
    equal(again, account, "the answer to the same person's second time")
    records = world.owner.access_records.get_records(filter=user).records
    equal(len(records), 1, "the number of records of the person")


@case("respondToInvite", "a second person is refused as if the invite did not exist")
def accept_used(world):
    made = world.invite("/docs/once")
    world.person("first-person").invites.respond_to_invite(made.invite_id)
    used = refused(404, NotFoundException, world.person("second-person").invites.respond_to_invite, made.invite_id)
    check(not world.may("second-person", "/docs/once"), "the second person has access")
    unknown = made.invite_id[:-1] + ("A" if made.invite_id[-1] != "A" else "B")
    other = refused(404, NotFoundException, world.person("second-person").invites.respond_to_invite, unknown)
    equal(used["title"], other["title"], "the title for a used and for an unknown invite")


@case("respondToInvite", "accepting again does not bring back what was taken away")
def accept_again_after_removal(world):
    made = world.invite("/docs/taken-away")
    client = world.person("taken-away")
    client.invites.respond_to_invite(made.invite_id)
    record = world.owner.access_records.get_records(filter="taken-away").records[0]
    world.owner.access_records.delete_record(record.record_id)
    check(not world.may("taken-away", "/docs/taken-away"), "the access was not taken away")
    client.invites.respond_to_invite(made.invite_id)
    check(not world.may("taken-away", "/docs/taken-away"), "the access came back")


@case("respondToInvite", "a person with an awkward id")
def accept_awkward(world):
    made = world.invite("/docs/awkward")
    world.person(AWKWARD_USER).invites.respond_to_invite(made.invite_id)
    check(world.may(AWKWARD_USER, "/docs/awkward"), "the person has no access")


@case("respondToInvite", "a second invite adds to what the first gave")
def accept_two(world):
    client = world.person("twice-invited")
    for resource in ("/docs/first-invite", "/docs/second-invite"):
        client.invites.respond_to_invite(world.invite(resource).invite_id)
    check(world.may("twice-invited", "/docs/first-invite"), "the first invite's access is gone")
    check(world.may("twice-invited", "/docs/second-invite"), "the second invite gave nothing")


@case("respondToInvite", "401 without a token, 403 for a service client, 404 for unknown ids")
def accept_refused(world):
    made = world.invite("/docs/unaccepted")
    refused(401, UnauthorizedException, world.nobody().invites.respond_to_invite, made.invite_id)
    refused(403, ForbiddenException, world.owner.invites.respond_to_invite, made.invite_id)
    client = world.person("guesser")
    for unknown in ("inv_unknown", "inv/1|2:3~4*5 6'()!", "x", made.invite_id + "x"):
        refused(404, NotFoundException, client.invites.respond_to_invite, unknown)
    check(not world.may("guesser", "/docs/unaccepted"), "a guess gives access")


@case("respondToInvite", "403 while the inviter no longer holds what the invite gives")
def accept_suspended(world):
    world.give("inviter", ["Authress:Owner"], "/lent")
    record = world.owner.access_records.get_records(filter="inviter").records[0]
    inviter = world.person("inviter")
    made = inviter.invites.create_invite(invite([READER], "/lent/1"))
    world.owner.access_records.delete_record(record.record_id)
    client = world.person("late")
    refused(403, ForbiddenException, client.invites.respond_to_invite, made.invite_id)
    check(not world.may("late", "/lent/1"), "the suspended invite gave access")
    record.status = None
    world.owner.access_records.create_record(record)
    client.invites.respond_to_invite(made.invite_id)
    check(world.may("late", "/lent/1"), "the invite does not work again")


@case("deleteInvite", "nobody can accept it any more, and it is gone")
def delete_invite(world):
    made = world.invite("/docs/withdrawn")
    equal(world.owner.invites.delete_invite(made.invite_id), None, "the answer")
    refused(404, NotFoundException, world.person("too-late").invites.respond_to_invite, made.invite_id)
    check(not world.may("too-late", "/docs/withdrawn"), "the withdrawn invite gave access")
    refused(404, NotFoundException, world.owner.invites.delete_invite, "inv_unknown")


@case("deleteInvite", "after it was accepted the access stays")
def delete_accepted(world):
    made = world.invite("/docs/kept-after")
    world.person("keeps").invites.respond_to_invite(made.invite_id)
    world.owner.invites.delete_invite(made.invite_id)
    check(world.may("keeps", "/docs/kept-after"), "the access is gone")


@case("deleteInvite", "404 for a stranger who knows the id, 401 without a token")
def delete_unauthorized(world):
    made = world.invite("/docs/not-yours")
    refused(404, NotFoundException, world.person("stranger").invites.delete_invite, made.invite_id)
    refused(401, UnauthorizedException, world.nobody().invites.delete_invite, made.invite_id)
    world.person("still-invited").invites.respond_to_invite(made.invite_id)


@case("an inviter's own list", "what an invite gave is a record that its owner sees and can end")
def invited_record(world):
    before = datetime.now(timezone.utc) - timedelta(minutes=1)
    made = world.invite("/docs/listed-after")
    world.person("listed-after").invites.respond_to_invite(made.invite_id)
    found = world.owner.access_records.get_records(filter="/docs/listed-after").records
    equal(len(found), 1, "the number of records")
    check(found[0].last_updated > before, f"lastUpdated is {found[0].last_updated}")
    people = [user.user_id for user in found[0].users or []]
    people += [user.user_id for item in found[0].statements for user in item.users or []]
    equal(people, ["listed-after"], "the users of the record")
    equal(list(found[0].admins or []), [], "the admins of the record")
    check(made.invite_id not in found[0].json(), "the record shows the secret of the invite")
