"""Access requests."""

from authress.exceptions import NotFoundException, UnauthorizedException
from authress.models.access_request import AccessRequest
from authress.models.access_request_response import AccessRequestResponse
from authress.models.access_template import AccessTemplate
from authress.models.user import User

from runner import case, check, equal, refused
from world import READER, statement


def request(user, *resources):
    access = AccessTemplate(users=[User(user_id=user)], statements=[statement([READER], *resources)])
    # Newer releases demand an id in the constructor and then do not send it.
    return AccessRequest(request_id="ignored", access=access)


def make(world, user, *resources):
    return world.person(user).access_records.create_request(request(user, *resources))


def answer(status):
    return AccessRequestResponse(status=status)


@case("createRequest", "answers the request, open, under an id of its own")
def create_request(world):
    made = make(world, "asks-1", "/asked/1")
    check(made.request_id and made.request_id != "ignored", f"made the id {made.request_id}")
    equal(made.status, "OPEN", "the status")
    equal(made.access, request("asks-1", "/asked/1").access, "what is asked for")
    check(made.last_updated is not None, "lastUpdated is missing")
    check(not world.may("asks-1", "/asked/1"), "asking gives access")


@case("createRequest", "401 without a token")
def create_request_refused(world):
    refused(401, UnauthorizedException, world.nobody().access_records.create_request, request("u", "/asked/1"))


@case("getRequest", "answers whoever asked and the owner, 404 for a stranger")
def get_request(world):
    made = make(world, "asks-2", "/asked/2")
    equal(world.owner.access_records.get_request(made.request_id), made, "the request")
    equal(world.person("asks-2").access_records.get_request(made.request_id), made, "the request")
    refused(404, NotFoundException, world.person("stranger").access_records.get_request, made.request_id)
    refused(404, NotFoundException, world.owner.access_records.get_request, "req_unknown")


@case("getRequests", "pages through the open ones, each once")
def get_requests(world):
    wanted = {make(world, "asks-3", f"/asked/3/{number}").request_id for number in range(3)}
    found, cursor = [], None
    for _ in range(100):
        page = world.owner.access_records.get_requests(limit=2, cursor=cursor, status="OPEN")
        found += [item.request_id for item in page.records]
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(len(found), len(set(found)), "the number of different ids")
    check(wanted <= set(found), f"{wanted - set(found)} are missing")


@case("respondToAccessRequest", "approving gives what was asked for, at once")
def approve(world):
    made = make(world, "asks-4", "/asked/4")
    approved = world.owner.access_records.respond_to_access_request(made.request_id, answer("APPROVED"))
    equal((approved.request_id, approved.status), (made.request_id, "APPROVED"), "the request")
    check(world.may("asks-4", "/asked/4"), "the approved request gives nothing")
    check(not world.may("asks-4", "/asked"), "the approved request gives more")


@case("respondToAccessRequest", "denying gives nothing; whoever asked cannot approve")
def deny(world):
    made = make(world, "asks-5", "/asked/5")
    mine = world.person("asks-5").access_records.respond_to_access_request
    refused(404, NotFoundException, mine, made.request_id, answer("APPROVED"))
    denied = world.owner.access_records.respond_to_access_request(made.request_id, answer("DENIED"))
    equal(denied.status, "DENIED", "the status")
    check(not world.may("asks-5", "/asked/5"), "the denied request gives access")


@case("deleteRequest", "whoever asked takes it back, 404 for a stranger")
def delete_request(world):
    made = make(world, "asks-6", "/asked/6")
    refused(404, NotFoundException, world.person("stranger").access_records.delete_request, made.request_id)
    equal(world.person("asks-6").access_records.delete_request(made.request_id), None, "the answer")
    listed = [item.request_id for item in world.owner.access_records.get_requests(status="OPEN").records]
    check(made.request_id not in listed, "the request is still open")
    refused(404, NotFoundException, world.owner.access_records.delete_request, "req_unknown")
