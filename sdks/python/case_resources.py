"""Resource configurations, and the claims that they allow."""

from authress.exceptions import ApiException, ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.claim_request import ClaimRequest
from authress.models.permissioned_resource import PermissionedResource
from authress.models.resource_permission import ResourcePermission

from runner import case, check, equal, refused
from world import READER


def configuration(*actions, allow=True):
    return PermissionedResource(permissions=[ResourcePermission(action=action, allow=allow) for action in actions])


def claim(collection, resource):
    return ClaimRequest(collection_resource=collection, resource_id=resource)


@case("updatePermissionedResource", "replaces what is configured")
def update(world):
    api = world.owner.resource_permissions
    equal(api.update_permissioned_resource("/configured/1|x:2", configuration("CLAIM", "PUBLIC")), None, "the answer")
    api.update_permissioned_resource("/configured/1|x:2", configuration("CLAIM"))
    found = api.get_permissioned_resource("/configured/1|x:2").permissions
    equal([(item.action, item.allow) for item in found], [("CLAIM", True)], "the permissions")


@case("updatePermissionedResource", "PUBLIC lets everybody read, and nothing more")
def public(world):
    update = world.owner.resource_permissions.update_permissioned_resource
    check(not world.may("anybody", "/square/1", "read"), "everybody may read before")
    update("/square", configuration("PUBLIC"))
    check(world.may("anybody", "/square/1", "read"), "nobody may read")
    check(not world.may("anybody", "/square/1", "update"), "everybody may update")
    update("/square", configuration("PUBLIC", allow=False))
    check(not world.may("anybody", "/square/1", "read"), "everybody may still read")


@case("updatePermissionedResource", "401 without a token, refused for a stranger")
def update_refused(world):
    wanted = configuration("CLAIM")
    call = "update_permissioned_resource"
    refused(401, UnauthorizedException, getattr(world.nobody().resource_permissions, call), "/rooms", wanted)
    stranger = getattr(world.person("stranger").resource_permissions, call)
    refused(403, ForbiddenException, stranger, "/rooms", wanted)


@case("getPermissionedResource", "answers what was configured, 404 for what was not")
def get(world):
    api = world.owner.resource_permissions
    api.update_permissioned_resource("/configured/2", configuration("PUBLIC", allow=False))
    equal(api.get_permissioned_resource("/configured/2"), configuration("PUBLIC", allow=False), "the configuration")
    refused(404, NotFoundException, api.get_permissioned_resource, "/configured/unknown")


@case("getPermissionedResources", "lists what is configured, with links")
def listed(world):
    api = world.owner.resource_permissions
    api.update_permissioned_resource("/configured/3", configuration("CLAIM"))
    found = api.get_permissioned_resources()
    check(found.resources, "the list is empty")
    check(found.links.var_self.href.startswith(world.url), f"links.self is {found.links.var_self.href}")


@case("createClaim", "the first to claim owns it, anybody after that is told 409")
def create_claim(world):
    world.owner.resource_permissions.update_permissioned_resource("claimable", configuration("CLAIM"))
    claimer = world.person("claimer")
    claimer.access_records.create_claim(claim("claimable", "1"))
    check(world.may("claimer", "/claimable/1", "anything"), "the claimer has no access")
    check(not world.may("claimer", "/claimable/2", "anything"), "the claimer has access to more")
    create = world.person("second").access_records.create_claim
    equal(refused(409, ApiException, create, claim("claimable", "1"))["errorCode"], "AlreadyClaimed", "errorCode")
    check(not world.may("second", "/claimable/1", "anything"), "the second has access")


@case("createClaim", "409 where somebody holds something already, 403 where claims are not allowed")
def claim_refused(world):
    world.owner.resource_permissions.update_permissioned_resource("claimable", configuration("CLAIM"))
    world.give("holds", [READER], "/claimable/held/below")
    create = world.person("claims-more").access_records.create_claim
    refused(409, ApiException, create, claim("claimable", "held"))
    refused(403, ForbiddenException, create, claim("unclaimable", "1"))
    refused(401, UnauthorizedException, world.nobody().access_records.create_claim, claim("claimable", "3"))
