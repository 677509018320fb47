"""Tokens: signed by this SDK's own key, and verified by this SDK's own verifier."""

from runner import Failure, case, check, equal


@case("getClientTokenKeys", "verifies a service client's own token through its key set")
def verify_client_token(world):
    found = world.owner.verify_token(world.owner.get_client_token())
    equal(found["sub"], world.client_id, "sub")
    equal(found["iss"], f"{world.url}/v1/clients/{world.client_id}", "iss")


@case("getUserTokenKeys", "verifies a user's token through the server's key set")
def verify_user_token(world):
    found = world.nobody().verify_token(world.local_token("verified-user"))
    equal(found["sub"], "verified-user", "sub")
    equal(found["iss"], world.url, "iss")
    check(found["exp"] > found["iat"], "exp is not after iat")


@case("getClientTokenKeys", "verifies a new client's token with a key that was just made")
def verify_new_key(world):
    from authress import AuthressClient
    from authress.models.client import Client

    made = world.owner.service_clients.create_client(Client(name="verified"))
    key = world.owner.service_clients.request_access_key(made.client_id)
    client = AuthressClient(authress_api_url=world.url, service_client_access_key=key.access_key)
    equal(world.nobody().verify_token(client.get_client_token())["sub"], made.client_id, "sub")


@case("getClientTokenKeys", "an altered token and a deleted key are refused")
def verify_refused(world):
    from authress import AuthressClient
    from authress.models.client import Client

    head, body, signature = world.local_token("verified-user").split(".")
    altered = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    made = world.owner.service_clients.create_client(Client(name="deleted key"))
    key = world.owner.service_clients.request_access_key(made.client_id)
    token = AuthressClient(authress_api_url=world.url, service_client_access_key=key.access_key).get_client_token()
    world.owner.service_clients.delete_access_key(made.client_id, key.key_id)
    for what, bad in (("altered", altered), ("of a deleted key", token), ("no token", "nonsense")):
        try:
            world.nobody().verify_token(bad)
        except Exception as error:
            check("Unauthorized" in str(error), f"a token {what}: {error!r}")
            continue
        raise Failure(f"a token {what} was verified")


@case("a local token", "its user is known to the server by the token's subject")
def local_user(world):
    client = world.local("local-user")
    found = client.user_permissions.get_user_resources("local-user", collection_configuration="INCLUDE_NESTED")
    equal(found.user_id, "local-user", "the user id")
