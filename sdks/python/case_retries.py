"""Lost answers: this SDK repeats POST and PATCH on 5xx, so a repeat has to be harmless."""

from authress import AuthressClient
from authress.exceptions import ApiException
from authress.models.access_record import AccessRecord
from authress.models.user import User

from proxy import LossyProxy
from runner import case, check, equal, refused
from world import READER, invite, statement


def through(proxy, world, token=None):
    key = None if token else world.owner_key
    client = AuthressClient(authress_api_url=proxy.url, service_client_access_key=key)
    if token:
        client.set_token(token)
    return client


@case("respondToInvite", "the answer is lost once: the repeat is 200 and there is one record")
def accept_repeated(world):
    made = world.invite("/docs/repeated")
    proxy = LossyProxy(world.url, {"PATCH"})
    try:
        through(proxy, world, world.issuer.token("repeats")).invites.respond_to_invite(made.invite_id)
        equal(proxy.answers, [("PATCH", 200, 502), ("PATCH", 200, 200)], "the answers")
    finally:
        proxy.close()
    records = world.owner.access_records.get_records(filter="/docs/repeated").records
    equal(len(records), 1, "the number of records")
    check(world.may("repeats", "/docs/repeated"), "the person has no access")


@case("createInvite", "the answer is lost once: the repeat is 201 with an invite that works")
def create_repeated(world):
    proxy = LossyProxy(world.url, {"POST"})
    try:
        made = through(proxy, world).invites.create_invite(invite([READER], "/docs/created-twice"))
        equal(proxy.answers, [("POST", 201, 502), ("POST", 201, 201)], "the answers")
    finally:
        proxy.close()
    world.person("created-twice").invites.respond_to_invite(made.invite_id)
    check(world.may("created-twice", "/docs/created-twice"), "the person has no access")


@case("createRecord", "the answer is lost once: the repeat says that the record exists, and it does")
def record_repeated(world):
    wanted = AccessRecord(
        record_id=world.fresh("rec_"),
        name="repeated",
        users=[User(user_id="recorded")],
        statements=[statement([READER], "/docs/recorded")],
    )
    proxy = LossyProxy(world.url, {"POST"})
    try:
        refused(409, ApiException, through(proxy, world).access_records.create_record, wanted)
        equal(proxy.answers, [("POST", 201, 502), ("POST", 409, 409)], "the answers")
    finally:
        proxy.close()
    check(world.may("recorded", "/docs/recorded"), "the record gives nothing")


@case("updateRecord", "the answer is lost once: the repeat is 202")
def update_repeated(world):
    made = world.give("update-repeated", [READER], "/docs/update-repeated")
    proxy = LossyProxy(world.url, {"PUT"})
    try:
        made.name = "changed"
        through(proxy, world).access_records.update_record(made.record_id, made)
        equal(proxy.answers, [("PUT", 202, 502), ("PUT", 202, 202)], "the answers")
    finally:
        proxy.close()
    equal(world.owner.access_records.get_record(made.record_id).name, "changed", "the name")
