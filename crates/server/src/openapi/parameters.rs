//! Parameters in paths, queries and header fields.

use guestlist_api::limits;
use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use super::description::extension;
use super::shapes::{integer, of, string, text};

/// A segment of the path, described by a component.
pub(super) fn path(name: &str, component: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(of(component)))
        .build()
}

/// An optional parameter of the query.
pub(super) fn query(name: &str, what: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    optional(ParameterIn::Query, name, what, schema).build()
}

/// The place comes first: a parameter of a path, which it is until then, is always required.
fn optional(
    place: ParameterIn,
    name: &str,
    what: &str,
    schema: impl Into<RefOr<Schema>>,
) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(what))
        .schema(Some(schema))
}

/// How many items a page may have. More than the largest page is not an error.
pub(super) fn limit(most: usize) -> Parameter {
    let schema = integer().minimum(Some(1)).default(Some(json!(most)));
    let what = format!("Items on a page at most; more than {most} means {most}.");
    query("limit", &what, schema)
}

pub(super) fn cursor() -> Parameter {
    let what = "Where to go on: `pagination.next.cursor` of the page before.";
    query(
        "cursor",
        what,
        string()
            .min_length(Some(1))
            .max_length(Some(limits::CURSOR_LENGTH)),
    )
}

/// A text that some text of an item must contain.
pub(super) fn filter() -> Parameter {
    let what = "Only items in which some text contains this, in whatever case.";
    query(
        "filter",
        what,
        string()
            .min_length(Some(1))
            .max_length(Some(limits::FILTER_LENGTH)),
    )
}

/// The same where the published API has none.
pub(super) fn further_filter() -> Parameter {
    further(filter())
}

/// Says that the published API does not have this parameter.
pub(super) fn further(mut parameter: Parameter) -> Parameter {
    parameter.extensions = Some(extension());
    parameter
}

/// The parameters of a list.
pub(super) fn list(most: usize) -> [Parameter; 2] {
    [limit(most), cursor()]
}

/// Asks for a change to be made only to what the caller saw.
pub(super) fn if_unmodified_since() -> Parameter {
    let what = "The `lastUpdated` that was read (RFC 3339) or an HTTP date. If it changed since, \
                the answer is 412 and nothing is done.";
    optional(
        ParameterIn::Header,
        "If-Unmodified-Since",
        what,
        string().max_length(Some(40)),
    )
    .build()
}

/// How long access by an invite lasts, for clients whose models cannot say it in the body.
pub(super) fn access_duration() -> Parameter {
    let what = "Access ends so long after the invite was accepted: 5 minutes to 10 years, as in \
                P30D (ISO 8601). The same as `grant.accessDuration` in the body.";
    let schema = string().min_length(Some(1)).max_length(Some(32));
    let name = "Guestlist-Access-Duration";
    optional(ParameterIn::Header, name, what, schema)
        .extensions(Some(extension()))
        .build()
}

/// For clients whose models have no `approval`.
pub(super) fn approval() -> Parameter {
    let what = "`required`: somebody must approve it once it is accepted. The same as \
                `approval.required` in the body.";
    let schema = string().enum_values(Some(["required"]));
    optional(ParameterIn::Header, "Guestlist-Approval", what, schema)
        .extensions(Some(extension()))
        .build()
}

/// Makes a request safe to repeat.
pub(super) fn idempotency_key() -> Parameter {
    let what = "Any text that is new for each request. A request that is repeated with its key \
                within 24 hours is done once and answered alike.";
    let schema = string()
        .min_length(Some(1))
        .max_length(Some(limits::IDEMPOTENCY_KEY_LENGTH))
        .pattern(Some("^[!-~]+$"));
    optional(ParameterIn::Header, "Idempotency-Key", what, schema)
        .extensions(Some(extension()))
        .build()
}

/// The name of a file.
pub(super) fn file() -> Parameter {
    ParameterBuilder::new()
        .name("file")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text(1, 64)))
        .build()
}
