//! The operations on extensions and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::applications::redirect_urls;
use super::codes::{FORBIDDEN, LAST_OWNER, NOT_FOUND};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, list, name, object, of, optional_list, or_null, page};

const ALL: &str = "/v1/extensions";
const ONE: &str = "/v1/extensions/{extensionId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Extensions, "Make an extension")
        .about(
            "With it an application and a service client are made. The client has no access key, \
             no options and no access.",
        )
        .takes("ExtensionRequest")
        .answers(201, "The extension.", "Extension")
        .refuses([FORBIDDEN])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Extensions, "List extensions")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::PAGE))
        .with([parameters::further_filter()])
        .answers(200, "A page.", "ExtensionCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Extensions, "Read an extension")
        .with([parameters::path("extensionId", "ExtensionId")])
        .answers(200, "The extension.", "Extension")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Extensions,
        "Replace what is said of an extension, its application and its client",
    )
    .with([parameters::path("extensionId", "ExtensionId")])
    .takes("ExtensionRequest")
    .answers(200, "The extension.", "Extension")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Extensions, "Delete an extension")
        .about("Its application, its service client and the client's access keys go with it.")
        .with([parameters::path("extensionId", "ExtensionId")])
        .answers_nothing(204, "It is gone.")
        .refuses([FORBIDDEN, NOT_FOUND, LAST_OWNER])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("ExtensionApplication", application()),
        ("ExtensionClient", client()),
        ("Extension", extension()),
        (
            "ExtensionApplicationRequest",
            object().property("redirectUrls", redirect_urls()).into(),
        ),
        (
            "ExtensionClientRequest",
            object()
                .property("rateLimits", optional_list(1, "ClientRateLimit"))
                .into(),
        ),
        ("ExtensionRequest", request()),
        (
            "ExtensionCollection",
            page("A page of extensions.", "extensions", "Extension").into(),
        ),
    ]
}

fn application() -> RefOr<Schema> {
    object()
        .property("applicationId", of("ApplicationId"))
        .property("redirectUrls", list("RedirectUrl"))
        .property("links", of("Links"))
        .required("applicationId")
        .required("redirectUrls")
        .required("links")
        .into()
}

fn client() -> RefOr<Schema> {
    object()
        .property("clientId", of("ClientId"))
        .property("rateLimits", list("ClientRateLimit").max_items(Some(1)))
        .property("links", of("Links"))
        .required("clientId")
        .required("rateLimits")
        .required("links")
        .into()
}

fn extension() -> RefOr<Schema> {
    object()
        .property("extensionId", of("ExtensionId"))
        .property("name", name())
        .property("createdTime", of("Timestamp"))
        .property("application", of("ExtensionApplication"))
        .property("client", of("ExtensionClient"))
        .property("tags", of("Tags"))
        .required("extensionId")
        .required("createdTime")
        .required("client")
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .property("name", or_null(name()))
        .property("application", or_null(of("ExtensionApplicationRequest")))
        .property("client", or_null(of("ExtensionClientRequest")))
        .property("tags", of("TagsRequest"))
        .into()
}
