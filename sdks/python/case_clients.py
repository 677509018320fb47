"""Service clients and their access keys."""

from authress.exceptions import ApiException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.client import Client
from authress.models.client_options import ClientOptions

from runner import Failure, case, check, equal, refused


def make(world, name="a client of the tests", **more):
    return world.owner.service_clients.create_client(Client(name=name, **more))


@case("createClient", "answers the client with its id and options")
def create_client(world):
    options = ClientOptions(grant_user_permissions_access=True, grant_token_generation=False)
    made = make(world, "named", options=options, tags={"key": "value"})
    check(made.client_id.startswith("sc_"), f"made the id {made.client_id}")
    check(made.created_time is not None, "createdTime is missing")
    equal((made.name, made.tags), ("named", {"key": "value"}), "name and tags")
    equal(made.options, options, "the options")


@case("createClient", "401 without a token, 403 for a stranger")
def create_client_unauthorized(world):
    refused(401, UnauthorizedException, world.nobody().service_clients.create_client, Client(name="mine"))
    refused(403, ForbiddenException, world.person("stranger").service_clients.create_client, Client(name="mine"))


@case("getClient", "answers what was created, 404 for an unknown client and for a stranger")
def get_client(world):
    made = make(world)
    found = world.owner.service_clients.get_client(made.client_id)
    equal((found.client_id, found.name), (made.client_id, made.name), "the client")
    equal(list(found.verification_keys or []), [], "the keys")
    refused(404, NotFoundException, world.owner.service_clients.get_client, "sc_unknown")
    refused(404, NotFoundException, world.person("stranger").service_clients.get_client, made.client_id)


@case("getClients", "pages through all clients, each once")
def get_clients(world):
    wanted = {make(world, f"paged {number}").client_id for number in range(3)} | {world.client_id}
    found, cursor = [], None
    for _ in range(50):
        page = world.owner.service_clients.get_clients(limit=2, cursor=cursor)
        check(len(page.clients) <= 2, f"a page of {len(page.clients)}")
        found += [client.client_id for client in page.clients]
        cursor = page.pagination.next.cursor if page.pagination and page.pagination.next else None
        if cursor is None:
            break
    equal(len(found), len(set(found)), "the number of different ids")
    check(wanted <= set(found), f"{wanted - set(found)} are missing")


@case("updateClient", "replaces name and options, 404 for an unknown client")
def update_client(world):
    made = make(world)
    changed = Client(name="changed", options=ClientOptions(grant_user_permissions_access=True))
    found = world.owner.service_clients.update_client(made.client_id, changed)
    equal((found.client_id, found.name), (made.client_id, "changed"), "the changed client")
    check(found.options.grant_user_permissions_access, "the option was not set")
    refused(404, NotFoundException, world.owner.service_clients.update_client, "sc_unknown", changed)


@case("requestAccessKey", "answers a key with which this SDK signs in at once")
def request_access_key(world):
    made = make(world, options=ClientOptions(grant_user_permissions_access=True))
    key = world.owner.service_clients.request_access_key(made.client_id)
    equal(key.client_id, made.client_id, "the client id") if hasattr(key, "client_id") else None
    parts = key.access_key.split(".")
    equal(parts[:3], [made.client_id, key.key_id, world.account_id], "the parts of the access key")
    client = world.with_key(key.access_key)
    refused(404, NotFoundException, client.user_permissions.authorize_user, "unknown-user", "/docs/1", "documents:read")
    listed = world.owner.service_clients.get_client(made.client_id).verification_keys
    equal([item.key_id for item in listed], [key.key_id], "the keys of the client")
    equal([item.access_key for item in listed], [None], "the secret parts in a later answer")


@case("requestAccessKey", "five keys at most, 404 for an unknown client")
def request_sixth_key(world):
    made = make(world)
    ids = {world.owner.service_clients.request_access_key(made.client_id).key_id for _ in range(5)}
    equal(len(ids), 5, "the number of different key ids")
    try:
        world.owner.service_clients.request_access_key(made.client_id)
        raise Failure("a sixth key was given out")
    except ApiException as error:
        check(400 <= error.status < 500, f"the sixth key was refused with {error.status}")
    refused(404, NotFoundException, world.owner.service_clients.request_access_key, "sc_unknown")


@case("a client without rights", "403 and 404 where it holds nothing")
def client_without_rights(world):
    made = make(world)
    client = world.with_key(world.owner.service_clients.request_access_key(made.client_id).access_key)
    refused(403, ForbiddenException, client.user_permissions.authorize_user, "checked", "/docs/checked", "documents:read")
    refused(404, NotFoundException, client.service_clients.get_client, world.client_id)


@case("deleteAccessKey", "the key is refused from the next request on, others stay")
def delete_access_key(world):
    made = make(world)
    first = world.owner.service_clients.request_access_key(made.client_id)
    second = world.owner.service_clients.request_access_key(made.client_id)
    client, other = world.with_key(first.access_key), world.with_key(second.access_key)
    client.access_records.get_records()
    equal(world.owner.service_clients.delete_access_key(made.client_id, first.key_id), None, "the answer")
    refused(401, UnauthorizedException, client.access_records.get_records)
    other.access_records.get_records()
    refused(404, NotFoundException, world.owner.service_clients.delete_access_key, made.client_id, "unknown")


@case("deleteClient", "the client and its keys are refused from the next request on")
def delete_client(world):
    made = make(world)
    client = world.with_key(world.owner.service_clients.request_access_key(made.client_id).access_key)
    client.access_records.get_records()
    equal(world.owner.service_clients.delete_client(made.client_id), None, "the answer")
    refused(401, UnauthorizedException, client.access_records.get_records)
    refused(404, NotFoundException, world.owner.service_clients.get_client, made.client_id)
    refused(404, NotFoundException, world.owner.service_clients.delete_client, made.client_id)
