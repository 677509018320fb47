"""Accounts and linked identities."""

from authress.exceptions import BadRequestException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.identity_request import IdentityRequest

from issuer import Issuer
from runner import Failure, case, check, equal, refused


@case("getAccounts", "names the account of the access key")
def get_accounts(world):
    found = world.owner.accounts.get_accounts()
    equal(found.accounts.account_id, world.account_id, "the account id")
    check(found.accounts.created_time is not None, "createdTime is missing")
    equal(found.accounts.company, {}, "company")


@case("getAccounts", "401 without a token")
def get_accounts_as_nobody(world):
    refused(401, UnauthorizedException, world.nobody().accounts.get_accounts)


@case("getAccount", "answers the account by its id")
def get_account(world):
    equal(world.owner.accounts.get_account(world.account_id).account_id, world.account_id, "the account id")


@case("getAccount", "404 for an unknown account")
def get_unknown_account(world):
    refused(404, NotFoundException, world.owner.accounts.get_account, "acc-unknown")


@case("delegateAuthentication", "links an issuer, whose people are then known by their subject")
def delegate_authentication(world):
    client = world.person("linked-person")
    found = client.user_permissions.get_user_resources("linked-person", collection_configuration="INCLUDE_NESTED")
    equal(found.user_id, "linked-person", "the user id")


@case("delegateAuthentication", "links an issuer by a sample of its tokens")
def delegate_by_sample(world):
    issuer = Issuer("sample-audience")
    try:
        issuer.add_key("rsa", "RS256")
        request = IdentityRequest(jwt=issuer.token("somebody"), preferred_audience="sample-audience")
        world.owner.accounts.delegate_authentication(request)
        client = world.with_token(issuer.token("sample-person"))
        client.user_permissions.get_user_resources("sample-person", collection_configuration="INCLUDE_NESTED")
    finally:
        issuer.close()


@case("delegateAuthentication", "400 without an issuer and without a sample")
def delegate_nothing(world):
    refused(400, BadRequestException, world.owner.accounts.delegate_authentication, IdentityRequest())


@case("delegateAuthentication", "403 for a user without rights in the account")
def delegate_as_stranger(world):
    request = IdentityRequest(issuer=world.issuer.url, preferred_audience="mine")
    refused(403, ForbiddenException, world.person("stranger").accounts.delegate_authentication, request)


@case("getAccountIdentities", "lists the linked issuer with its audience")
def get_identities(world):
    issuer = world.issuer
    found = world.owner.accounts.get_account_identities().identities
    mine = [identity for identity in found if identity.issuer == issuer.url]
    equal(len(mine), 1, f"how often {issuer.url} is listed")
    equal(mine[0].audience, issuer.audience, "the audience")
    equal(mine[0].user_id_expression, "{sub}", "the expression")


@case("a linked issuer", "401 for a token that is expired, for another audience, foreign, or altered")
def bad_tokens(world):
    issuer = world.issuer
    stranger = Issuer(issuer.audience)
    try:
        foreign = stranger.add_key(issuer.keys[0].kid, "EdDSA")
        good = issuer.token("linked-person")
        head, body, signature = good.split(".")
        bad = {
            "expired": issuer.token("linked-person", exp=1_700_000_000),
            "for another audience": issuer.token("linked-person", aud="somebody-else"),
            "of an unlinked issuer": stranger.token("linked-person"),
            "signed by a foreign key": issuer.token("linked-person", key=foreign),
            "of a service client": issuer.token("sc_pretender"),
            "altered": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
            "no token at all": "nonsense",
        }
    finally:
        stranger.close()
    world.with_token(good).user_permissions.get_user_resources("linked-person", collection_configuration="INCLUDE_NESTED")
    for what, token in bad.items():
        try:
            refused(401, UnauthorizedException, world.with_token(token).accounts.get_accounts)
        except Failure as failure:
            raise Failure(f"a token {what}: {failure}")
