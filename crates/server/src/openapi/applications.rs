//! The operations on applications and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

use super::codes::{APPLICATION_IN_USE, FORBIDDEN, NOT_FOUND};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, list, object, of, optional_list, or_null, page, string, text};

const ALL: &str = "/v1/applications";
const ONE: &str = "/v1/applications/{applicationId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Applications, "Make an application")
        .takes("ApplicationRequest")
        .answers(201, "The application.", "Application")
        .refuses([FORBIDDEN])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Applications, "List applications")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::LARGE_PAGE))
        .with([parameters::filter()])
        .answers(200, "A page.", "ApplicationCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Applications, "Read an application")
        .with([parameters::path("applicationId", "ApplicationId")])
        .answers(200, "The application.", "Application")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Applications,
        "Replace what is said of an application",
    )
    .with([parameters::path("applicationId", "ApplicationId")])
    .takes("ApplicationRequest")
    .answers(200, "The application.", "Application")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(
        Method::DELETE,
        ONE,
        Tag::Applications,
        "Delete an application",
    )
    .about("That of an extension is deleted with its extension only.")
    .with([parameters::path("applicationId", "ApplicationId")])
    .answers_nothing(204, "It is gone.")
    .refuses([FORBIDDEN, NOT_FOUND, APPLICATION_IN_USE])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("RedirectUrl", redirect_url()),
        (
            "ApplicationAudience",
            text(1, limits::APPLICATION_AUDIENCE_LENGTH).into(),
        ),
        ("Application", application()),
        ("ApplicationRequest", request()),
        (
            "ApplicationCollection",
            page("A page of applications.", "applications", "Application").into(),
        ),
    ]
}

fn redirect_url() -> RefOr<Schema> {
    string()
        .description(Some(
            "An absolute URL without a fragment, of http, https or a scheme of the application's \
             own.",
        ))
        .min_length(Some(1))
        .max_length(Some(limits::REDIRECT_URL_LENGTH))
        .pattern(Some(r#"^(?!(?:javascript|data|vbscript|blob|file|about):)[A-Za-z][A-Za-z0-9+.-]*:/[!"$-~]+$"#))
        .into()
}

fn session_type() -> ObjectBuilder {
    string().enum_values(Some(["SINGLE_SESSION", "MULTI_SESSION"]))
}

fn name() -> ObjectBuilder {
    text(1, limits::SHORT_NAME_LENGTH)
}

fn application() -> RefOr<Schema> {
    object()
        .property("applicationId", of("ApplicationId"))
        .property("name", name())
        .property("redirectUrls", list("RedirectUrl"))
        .property("sessionType", session_type())
        .property("audiences", list("ApplicationAudience"))
        .property("createdTime", of("Timestamp"))
        .property("lastUpdated", of("Timestamp"))
        .property("tags", of("Tags"))
        .required("applicationId")
        .required("name")
        .required("redirectUrls")
        .required("sessionType")
        .required("createdTime")
        .required("lastUpdated")
        .required("tags")
        .into()
}

/// Redirect URLs as they are sent.
pub(super) fn redirect_urls() -> ArrayBuilder {
    optional_list(limits::REDIRECT_URLS, "RedirectUrl")
}

fn request() -> RefOr<Schema> {
    let audiences = list("ApplicationAudience")
        .max_items(Some(limits::APPLICATION_AUDIENCES))
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]));
    object()
        .property("name", name())
        .property("redirectUrls", redirect_urls())
        .property("sessionType", or_null(session_type()))
        .property("audiences", audiences)
        .property("tags", of("TagsRequest"))
        .required("name")
        .into()
}
