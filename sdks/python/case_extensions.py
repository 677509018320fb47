"""Extensions, and tokens for the secrets of service clients."""

from authress.exceptions import ApiException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.client import Client
from authress.models.extension import Extension
from authress.models.o_auth_token_request import OAuthTokenRequest

from runner import Failure, case, check, equal, refused


def make(world, name="an extension of the tests"):
    return world.owner.extensions.create_extension(Extension(extension_id="ignored", name=name))


@case("createExtension", "answers the extension with its service client")
def create_extension(world):
    made = make(world)
    check(made.extension_id.startswith("ext_"), f"made the id {made.extension_id}")
    check(made.client.client_id.startswith("sc_"), f"made the client {made.client.client_id}")
    check(made.created_time is not None, "createdTime is missing")


@case("createExtension", "401 without a token, 403 for a stranger")
def create_extension_refused(world):
    wanted = Extension(extension_id="ignored", name="mine")
    refused(401, UnauthorizedException, world.nobody().extensions.create_extension, wanted)
    refused(403, ForbiddenException, world.person("stranger").extensions.create_extension, wanted)


@case("getExtension", "answers what was created, 404 for an unknown one and for a stranger")
def get_extension(world):
    made = make(world)
    equal(world.owner.extensions.get_extension(made.extension_id), made, "the extension")
    refused(404, NotFoundException, world.owner.extensions.get_extension, "ext_unknown")
    refused(404, NotFoundException, world.person("stranger").extensions.get_extension, made.extension_id)


@case("getExtensions", "lists what was created")
def get_extensions(world):
    made = make(world)
    found = [item.extension_id for item in world.owner.extensions.get_extensions().extensions]
    check(made.extension_id in found, "it is missing")


@case("updateExtension", "replaces the name, keeps the client, 404 for an unknown one")
def update_extension(world):
    made = make(world)
    wanted = Extension(extension_id=made.extension_id, name="changed")
    changed = world.owner.extensions.update_extension(made.extension_id, wanted)
    equal((changed.name, changed.client.client_id), ("changed", made.client.client_id), "the extension")
    refused(404, NotFoundException, world.owner.extensions.update_extension, "ext_unknown", wanted)


@case("deleteExtension", "takes its service client with it, 404 afterwards")
def delete_extension(world):
    made = make(world)
    equal(world.owner.extensions.delete_extension(made.extension_id), None, "the answer")
    refused(404, NotFoundException, world.owner.service_clients.get_client, made.client.client_id)
    refused(404, NotFoundException, world.owner.extensions.get_extension, made.extension_id)
    refused(404, NotFoundException, world.owner.extensions.delete_extension, made.extension_id)


def token_request(**more):
    return OAuthTokenRequest(grant_type="client_credentials", **more)


@case("requestToken", "a client's secret gets a token that works, a wrong one gets none")
def request_token(world):
    made = world.owner.service_clients.create_client(Client(name="with a secret"))
    key = world.owner.service_clients.request_access_key(made.client_id)
    ask = world.nobody().extensions.request_token
    got = ask(token_request(client_id=made.client_id, client_secret=key.client_secret))
    client = world.with_token(got.access_token)
    found = client.user_permissions.get_user_resources(made.client_id, collection_configuration="INCLUDE_NESTED")
    equal(found.user_id, made.client_id, "the user id")
    for secret in ("wrong", key.client_secret[:-1]):
        try:
            found = ask(token_request(client_id=made.client_id, client_secret=secret))
        except ApiException as error:
            check(error.status in (400, 401), f"refused with {error.status}")
            continue
        raise Failure(f"a wrong secret was answered {sorted(found.dict())}")
