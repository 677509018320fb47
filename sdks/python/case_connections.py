"""Connections to identity providers."""

from authress.exceptions import ApiException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.connection import Connection

from runner import Failure, case, check, equal, refused
from world import AWKWARD_USER

SECRET = "a-secret-of-the-provider"


def connection(connection_id=None, **more):
    return Connection(
        type="OAUTH2",
        connection_id=connection_id,
        authentication_url=more.pop("authentication_url", "https://provider.example/authorize"),
        token_url="https://provider.example/token",
        client_id="client-at-the-provider",
        client_secret=SECRET,
        **more,
    )


def make(world):
    return world.owner.connections.create_connection(connection())


@case("createConnection", "answers the connection without its secret")
def create_connection(world):
    made = world.owner.connections.create_connection(connection("con_Made.by-sdk:1"))
    equal(made.connection_id, "con_Made.by-sdk:1", "the connection id")
    equal((made.type, made.client_id), ("OAUTH2", "client-at-the-provider"), "type and client")
    check(not made.client_secret, "the secret is answered")
    check(make(world).connection_id, "no id was made")


@case("createConnection", "401 without a token, 403 for a stranger")
def create_connection_refused(world):
    refused(401, UnauthorizedException, world.nobody().connections.create_connection, connection())
    refused(403, ForbiddenException, world.person("stranger").connections.create_connection, connection())


@case("getConnection", "answers what was created, 404 for an unknown one and for a stranger")
def get_connection(world):
    made = make(world)
    found = world.owner.connections.get_connection(made.connection_id)
    equal((found.connection_id, found.token_url), (made.connection_id, "https://provider.example/token"), "the connection")
    check(not found.client_secret, "the secret is answered")
    refused(404, NotFoundException, world.owner.connections.get_connection, "con_unknown")
    refused(404, NotFoundException, world.person("stranger").connections.get_connection, made.connection_id)


@case("getConnections", "lists what was created, without secrets")
def get_connections(world):
    made = make(world)
    found = {item.connection_id: item for item in world.owner.connections.get_connections().connections}
    check(made.connection_id in found, "it is missing")
    check(not any(item.client_secret for item in found.values()), "a secret is answered")


@case("updateConnection", "replaces the connection, 404 for an unknown one")
def update_connection(world):
    made = make(world)
    wanted = connection(made.connection_id, authentication_url="https://provider.example/other")
    changed = world.owner.connections.update_connection(made.connection_id, wanted)
    equal(changed.authentication_url, "https://provider.example/other", "the address")
    refused(404, NotFoundException, world.owner.connections.update_connection, "con_unknown", connection("con_unknown"))


@case("getConnectionCredentials", "of a user who never signed in there: a clean refusal")
def get_connection_credentials(world):
    made = make(world)
    for user in ("somebody", AWKWARD_USER):
        try:
            found = world.owner.connections.get_connection_credentials(made.connection_id, user)
        except ApiException as error:
            check(error.status == 404, f"refused with {error.status}")
            continue
        raise Failure(f"answered {found!r}")


@case("deleteConnection", "404 afterwards")
def delete_connection(world):
    made = make(world)
    equal(world.owner.connections.delete_connection(made.connection_id), None, "the answer")
    refused(404, NotFoundException, world.owner.connections.get_connection, made.connection_id)
    refused(404, NotFoundException, world.owner.connections.delete_connection, made.connection_id)
