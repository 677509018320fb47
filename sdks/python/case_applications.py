"""Applications; most of it is only in newer releases."""

from authress.exceptions import ForbiddenException, NotFoundException, UnauthorizedException

from runner import case, check, equal, refused
from world import AWKWARD_USER


def application(name="an application of the tests"):
    from authress.models.application_request import ApplicationRequest

    return ApplicationRequest(name=name, redirect_urls=["https://app.example/"])


def make(world):
    return world.owner.applications.create_application(application())


def applications():
    """Registers the cases of what older releases lack."""

    @case("createApplication", "answers the application under an id of its own")
    def create_application(world):
        made = make(world)
        check(made.application_id.startswith("app_"), f"made the id {made.application_id}")
        equal((made.name, made.redirect_urls), (application().name, ["https://app.example/"]), "the application")

    @case("createApplication", "401 without a token, 403 for a stranger")
    def create_application_refused(world):
        refused(401, UnauthorizedException, world.nobody().applications.create_application, application())
        refused(403, ForbiddenException, world.person("stranger").applications.create_application, application())

    @case("getApplication", "answers what was created, 404 for an unknown one and for a stranger")
    def get_application(world):
        made = make(world)
        equal(world.owner.applications.get_application(made.application_id).name, made.name, "the name")
        refused(404, NotFoundException, world.owner.applications.get_application, "app_unknown")
        refused(404, NotFoundException, world.person("stranger").applications.get_application, made.application_id)

    @case("getApplications", "lists what was created")
    def get_applications(world):
        made = make(world)
        found = [item.application_id for item in world.owner.applications.get_applications().applications]
        check(made.application_id in found, "it is missing")

    @case("updateApplication", "replaces the application, 404 for an unknown one")
    def update_application(world):
        made = make(world)
        changed = world.owner.applications.update_application(made.application_id, application("changed"))
        equal(changed.name, "changed", "the name")
        refused(404, NotFoundException, world.owner.applications.update_application, "app_unknown", application())

    @case("deleteApplication", "404 afterwards")
    def delete_application(world):
        made = make(world)
        equal(world.owner.applications.delete_application(made.application_id), None, "the answer")
        refused(404, NotFoundException, world.owner.applications.get_application, made.application_id)
        refused(404, NotFoundException, world.owner.applications.delete_application, made.application_id)


try:
    import authress.models.application_request  # noqa: F401

    applications()
except ImportError:
    pass


@case("delegateUserLogin", "404 for an unknown application and for a stranger")
def delegate_user_login(world):
    delegate = "delegate_user_login"
    refused(404, NotFoundException, getattr(world.owner.applications, delegate), "app_unknown", AWKWARD_USER)
    refused(404, NotFoundException, getattr(world.person("stranger").applications, delegate), "app_unknown", "u")
