"""Eight days later on a restarted server, with a clock that the cases move on."""

import json

from authress.exceptions import NotFoundException, UnauthorizedException

from runner import case, check, equal, refused


@case("before the clock moves", "invites and a record are left for later")
def leave(world):
    pending = world.invite("/docs/later")
    accepted = world.invite("/docs/later-accepted")
    world.local("early").invites.respond_to_invite(accepted.invite_id)
    state = {"pending": pending.invite_id, "accepted": accepted.invite_id}
    world.state_file.write_text(json.dumps(state), encoding="utf-8")
    check(world.may("early", "/docs/later-accepted"), "the person has no access")


@case("respondToInvite", "404 once the invite has expired", phase="later")
def accept_expired(world):
    state = json.loads(world.state_file.read_text(encoding="utf-8"))
    client = world.local("late-comer")
    expired = refused(404, NotFoundException, client.invites.respond_to_invite, state["pending"])
    unknown = refused(404, NotFoundException, client.invites.respond_to_invite, "inv_unknown")
    equal(expired["title"], unknown["title"], "the title for an expired and for an unknown invite")
    check(not world.may("late-comer", "/docs/later"), "the expired invite gave access")


@case("respondToInvite", "who accepted in time is answered as before, others are not", phase="later")
def accept_again(world):
    state = json.loads(world.state_file.read_text(encoding="utf-8"))
    world.local("early").invites.respond_to_invite(state["accepted"])
    refused(404, NotFoundException, world.local("late-comer").invites.respond_to_invite, state["accepted"])


@case("authorizeUser", "what was given before the restart still holds", phase="later")
def kept(world):
    check(world.may("early", "/docs/later-accepted"), "the access is gone")
    check(world.may("checked", "/docs/checked"), "the access by a record is gone")
    check(not world.may("late-comer", "/docs/later-accepted"), "somebody else has access")


@case("getAccounts", "the access key of the first start still works", phase="later")
def key_kept(world):
    equal(world.owner.accounts.get_accounts().accounts.account_id, world.account_id, "the account id")


@case("a linked issuer", "a key that it adds is known, one that it takes away is refused", phase="later")
def rotated_keys(world):
    issuer = world.issuer
    ask = {"user_id": "rotating", "collection_configuration": "INCLUDE_NESTED"}

    def known(key):
        world.with_token(issuer.token("rotating", key=key)).user_permissions.get_user_resources(**ask)

    first = issuer.keys[0]
    known(first)
    # Keys are asked for again at most every 30 seconds, and always after five minutes.
    for kid, algorithm in (("second", "RS256"), ("third", "EdDSA")):
        world.move_clock(31)
        known(issuer.add_key(kid, algorithm))
        known(first)
    issuer.keys.remove(first)
    world.move_clock(301)
    known(issuer.keys[-1])
    client = world.with_token(issuer.token("rotating", key=first))
    refused(401, UnauthorizedException, client.user_permissions.get_user_resources, **ask)
