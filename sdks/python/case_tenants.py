"""Tenants."""

from authress.exceptions import ForbiddenException, NotFoundException, UnauthorizedException
from authress.models.tenant import Tenant
from authress.models.tenant_data import TenantData
from authress.models.tenant_user import TenantUser

from runner import case, check, equal, refused
from world import AWKWARD_USER


def tenant(tenant_id, name="a tenant of the tests", **more):
    return Tenant(tenant_id=tenant_id, data=TenantData(name=name), **more)


def make(world):
    return world.owner.tenants.create_tenant(tenant(world.fresh("tenant-")))


@case("createTenant", "answers the tenant as it was given")
def create_tenant(world):
    wanted = tenant("Tenant_1.a:b", tenant_lookup_identifier="lookup-1")
    made = world.owner.tenants.create_tenant(wanted)
    equal((made.tenant_id, made.tenant_lookup_identifier), ("Tenant_1.a:b", "lookup-1"), "the ids")
    equal(made.data.name, wanted.data.name, "the name")


@case("createTenant", "401 without a token, 403 for a stranger")
def create_tenant_refused(world):
    refused(401, UnauthorizedException, world.nobody().tenants.create_tenant, tenant("mine"))
    refused(403, ForbiddenException, world.person("stranger").tenants.create_tenant, tenant("mine"))


@case("getTenant", "answers what was created, 404 for an unknown one and for a stranger")
def get_tenant(world):
    made = make(world)
    equal(world.owner.tenants.get_tenant(made.tenant_id), made, "the tenant")
    refused(404, NotFoundException, world.owner.tenants.get_tenant, "unknown-tenant")
    refused(404, NotFoundException, world.person("stranger").tenants.get_tenant, made.tenant_id)


@case("getTenants", "lists what was created")
def get_tenants(world):
    made = make(world)
    check(made.tenant_id in [item.tenant_id for item in world.owner.tenants.get_tenants().tenants], "it is missing")


@case("updateTenant", "replaces the tenant, 404 for an unknown one")
def update_tenant(world):
    made = make(world)
    changed = world.owner.tenants.update_tenant(made.tenant_id, tenant(made.tenant_id, "changed"))
    equal((changed.tenant_id, changed.data.name), (made.tenant_id, "changed"), "the tenant")
    refused(404, NotFoundException, world.owner.tenants.update_tenant, "unknown-tenant", tenant("unknown-tenant"))


@case("linkTenantUser", "takes a user into the tenant, 404 for an unknown tenant")
def link_tenant_user(world):
    made = make(world)
    user = TenantUser(user_id=AWKWARD_USER)
    equal(world.owner.tenants.link_tenant_user(made.tenant_id, user), None, "the answer")
    refused(404, NotFoundException, world.owner.tenants.link_tenant_user, "unknown-tenant", user)


@case("deleteTenant", "404 afterwards")
def delete_tenant(world):
    made = make(world)
    equal(world.owner.tenants.delete_tenant(made.tenant_id), None, "the answer")
    refused(404, NotFoundException, world.owner.tenants.get_tenant, made.tenant_id)
    refused(404, NotFoundException, world.owner.tenants.delete_tenant, made.tenant_id)
