"""What the cases share: the server, its owner, people with tokens, and words for building models."""

import functools
import json
import pathlib
import urllib.request

from authress import AuthressClient
from authress.models.access_record import AccessRecord
from authress.models.identity_request import IdentityRequest
from authress.models.invite import Invite
from authress.models.invite_statement import InviteStatement
from authress.models.permission_object import PermissionObject
from authress.models.resource import Resource
from authress.models.role import Role
from authress.models.statement import Statement
from authress.models.user import User

from issuer import Issuer
from runner import check, setting
from watched import Watched

AUDIENCE = "guestlist-sdk-tests"
READER = "ro_sdk_reader"
EDITOR = "ro_sdk_editor"
# Ids that need care in a path: a pipe, a slash, an at sign, a plus.
AWKWARD_USER = "google-oauth2|1095/36@x+y"


class World:
    def __init__(self, url, owner_key):
        self.url = url
        self.owner_key = owner_key
        self.client_id, self.key_id, self.account_id, _ = owner_key.split(".", 3)
        # Methods that were called, and answered other than by a refusal.
        self.calls = set()
        self.owner = self.with_key(owner_key)
        self._issuer = None
        self._number = 0

    @property
    def issuer(self):
        """The linked issuer of another company; linked through the SDK when first needed."""
        if self._issuer is None:
            issuer = Issuer(AUDIENCE)
            issuer.add_key("first", "EdDSA")
            self.link(issuer)
            self._issuer = issuer
        return self._issuer

    def link(self, issuer):
        request = IdentityRequest(issuer=issuer.url, preferred_audience=issuer.audience)
        self.owner.accounts.delegate_authentication(request)

    def move_clock(self, seconds):
        """Moves the clock of this process and of the server on; in the later phase only."""
        file = pathlib.Path(setting("GUESTLIST_TEST_CLOCK"))
        file.write_text(f"+{int(file.read_text()) + seconds}", encoding="utf-8")

    def fresh(self, prefix):
        """An id that no other case uses."""
        self._number += 1
        return f"{prefix}{self._number}"

    @functools.cached_property
    def built(self):
        """The operations that the server says it has."""
        with urllib.request.urlopen(f"{self.url}/openapi.json", timeout=20) as answer:
            paths = json.load(answer)["paths"]
        return {operation["operationId"] for methods in paths.values() for operation in methods.values()}

    def with_key(self, access_key):
        client = AuthressClient(authress_api_url=self.url, service_client_access_key=access_key, user_agent="tests")
        return Watched(client, self.calls)

    def with_token(self, token):
        client = AuthressClient(authress_api_url=self.url, user_agent="tests")
        client.set_token(token)
        return Watched(client, self.calls)

    def nobody(self):
        return Watched(AuthressClient(authress_api_url=self.url), self.calls)

    def person(self, user_id):
        """Somebody who signs in with the linked issuer."""
        return self.with_token(self.issuer.token(user_id))

    def local_token(self, user_id):
        """A token of the server itself, as its development mode gives out."""
        body = json.dumps({"userId": user_id}).encode()
        request = urllib.request.Request(f"{self.url}/v1/dev/tokens", data=body, method="POST")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            found = json.load(answer)
        check(found["expiresIn"] > 0, f"expiresIn in {sorted(found)}")
        return found["accessToken"]

    def local(self, user_id):
        return self.with_token(self.local_token(user_id))

    def roles(self):
        """The two roles that the cases give out; made when first needed."""
        known = {role.role_id for role in self.owner.roles.get_roles().roles}
        for role_id, actions in ((READER, ["documents:read"]), (EDITOR, ["documents:read", "documents:update"])):
            if role_id not in known:
                self.owner.roles.create_role(role(role_id, actions))

    def give(self, user_id, roles, *resources):
        """Gives a user roles on resources by a record of its own, and answers the record."""
        record = AccessRecord(
            record_id=self.fresh("rec_given_"),
            name="given by a test",
            users=[User(user_id=user_id)],
            statements=[statement(roles, *resources)],
        )
        return self.owner.access_records.create_record(record)

    def may(self, user_id, resource, permission="documents:read"):
        """What the owner is told when asking whether a user may do something."""
        from authress.exceptions import NotFoundException

        try:
            self.owner.user_permissions.authorize_user(user_id, resource, permission)
            return True
        except NotFoundException:
            return False

    def invite(self, *resources, roles=(READER,), owner=None):
        owner = owner or self.owner
        return owner.invites.create_invite(invite(roles, *resources))

    def close(self):
        if self._issuer is not None:
            self._issuer.close()


def role(role_id, actions, name="a role of the tests"):
    permissions = [PermissionObject(action=action, allow=True, grant=False, delegate=False) for action in actions]
    return Role(role_id=role_id, name=name, permissions=permissions)


def statement(roles, *resources, users=None, groups=None):
    found = {"roles": list(roles), "resources": [Resource(resource_uri=uri) for uri in resources]}
    if users is not None:
        found["users"] = [User(user_id=user) for user in users]
    if groups is not None:
        found["groups"] = groups
    return Statement(**found)


def invite(roles, *resources, **more):
    statements = [InviteStatement(roles=list(roles), resources=[Resource(resource_uri=uri) for uri in resources])]
    # Newer releases demand an id in the constructor and then do not send it.
    return Invite(invite_id="ignored", statements=statements, **more)
