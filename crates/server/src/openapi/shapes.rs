//! Pieces that schemas are put together from, and the texts, ids and times all of them share.

use guestlist_api::limits;
use serde_json::json;
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

/// A schema under the name of its component.
pub(super) type Named = (&'static str, RefOr<Schema>);

/// What a name or a short text may not contain: control characters.
const NO_CONTROLS: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The same where lines and tabs are allowed.
const NO_CONTROLS_BUT_LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";

/// A reference to a component.
pub(super) fn of(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

pub(super) fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

pub(super) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

pub(super) fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// A number with a fraction.
pub(super) fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number)
}

/// A text of one line with a number of characters between two limits.
pub(super) fn text(least: usize, most: usize) -> ObjectBuilder {
    string()
        .min_length(Some(least))
        .max_length(Some(most))
        .pattern(Some(NO_CONTROLS))
}

/// Letters, digits and these further characters, as the inside of a character class.
fn id(what: &str, most: usize, characters: &str) -> RefOr<Schema> {
    string()
        .description(Some(what))
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(format!("^[A-Za-z0-9{characters}]+$")))
        .into()
}

/// An id with full stops in it, which may not be one of the segments that paths fold.
fn dotted_id(what: &str, most: usize) -> RefOr<Schema> {
    string()
        .description(Some(what))
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(r"^(?!\.\.?$)[A-Za-z0-9._:-]+$"))
        .into()
}

/// A span of time.
pub(super) fn duration(what: &str) -> ObjectBuilder {
    string()
        .description(Some(format!("{what} A duration of ISO 8601.")))
        .max_length(Some(32))
        .pattern(Some(
            r"^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d+[HMS])(\d+H)?(\d+M)?(\d+S)?)?$",
        ))
        .examples([json!("PT24H")])
}

pub(super) fn name() -> ObjectBuilder {
    text(1, limits::NAME_LENGTH)
}

pub(super) fn description() -> ObjectBuilder {
    string()
        .max_length(Some(limits::DESCRIPTION_LENGTH))
        .pattern(Some(NO_CONTROLS_BUT_LINES))
}

/// A list of components as it is answered.
pub(super) fn list(item: &str) -> ArrayBuilder {
    ArrayBuilder::new().items(of(item))
}

/// A list that is sent, with the number of items it may have.
pub(super) fn list_of(least: usize, most: usize, item: &str) -> ArrayBuilder {
    let least = (least > 0).then_some(least);
    list(item).min_items(least).max_items(Some(most))
}

/// A list that may be left out or `null`, which is the same as empty.
pub(super) fn optional_list(most: usize, item: &str) -> ArrayBuilder {
    list_of(0, most, item).schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
}

/// A member that may also be `null`, which is the same as leaving it out.
pub(super) fn or_null(schema: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    AnyOfBuilder::new()
        .item(schema)
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .into()
}

pub(super) fn url() -> ObjectBuilder {
    string().format(Some(SchemaFormat::Custom("uri".to_owned())))
}

/// The ids, times and small objects that several nouns share.
pub(super) fn schemas() -> Vec<Named> {
    let mut all = ids();
    all.extend(sign_in_ids());
    all.extend([
        ("UserId", user_id()),
        ("InviteId", invite_id()),
        ("ResourceUri", resource_uri()),
        ("Action", action()),
        ("Timestamp", timestamp()),
        ("Tags", tags(false)),
        ("TagsRequest", tags(true)),
        ("Problem", problem()),
        ("Link", link()),
    ]);
    all.extend([
        (
            "Links",
            object()
                .description(Some("The link of an object to itself."))
                .property("self", of("Link"))
                .required("self")
                .into(),
        ),
        (
            "CollectionLinks",
            object()
                .description(Some("The page itself and, if there is one, the next page."))
                .property("self", of("Link"))
                .property("next", of("Link"))
                .required("self")
                .into(),
        ),
        ("Pagination", pagination()),
    ]);
    all
}

fn ids() -> Vec<Named> {
    vec![
        (
            "RoleId",
            id(
                "A role: `ro_…` by custom, `Authress:…` for the built-in ones.",
                limits::ID_LENGTH,
                "._:@-",
            ),
        ),
        (
            "RecordId",
            id("An access record.", limits::RECORD_ID_LENGTH, "_:|~-"),
        ),
        (
            "RequestId",
            id(
                "An access request: `req_…`.",
                limits::RECORD_ID_LENGTH,
                "_:|~-",
            ),
        ),
        (
            "GroupId",
            id("A group of users: `grp_…`.", limits::ID_LENGTH, "_-"),
        ),
        (
            "ClientId",
            id("A service client: `sc_…`.", limits::ID_LENGTH, "_-"),
        ),
        (
            "KeyId",
            id(
                "An access key of a service client.",
                limits::ID_LENGTH,
                "_-",
            ),
        ),
        (
            "InviteReference",
            string()
                .description(Some("The public part of an invite's id, to name it by."))
                .pattern(Some("^[A-Za-z0-9]{12}$"))
                .into(),
        ),
        ("AccountId", id("The account.", limits::ID_LENGTH, "_-")),
        (
            "LinkedUserId",
            id(
                "The user id a person should get who signs up through an invite.",
                32,
                "_-",
            ),
        ),
    ]
}

/// Those of what concerns how users sign in.
fn sign_in_ids() -> Vec<Named> {
    vec![
        (
            "ApplicationId",
            id("An application: `app_…`.", limits::ID_LENGTH, "_-"),
        ),
        (
            "UserTokenId",
            id(
                "A token of a user, to disable it by: `tok_…`. No secret.",
                limits::ID_LENGTH,
                "_-",
            ),
        ),
        (
            "ExtensionId",
            id("An extension: `ext_…`.", limits::ID_LENGTH, "_-"),
        ),
        ("TenantId", dotted_id("A tenant.", limits::TENANT_ID_LENGTH)),
        (
            "TenantLookupIdentifier",
            dotted_id(
                "What an application names a tenant by when it begins a sign-in.",
                limits::ID_LENGTH,
            ),
        ),
        (
            "ConnectionId",
            dotted_id("A connection: `con_…` by custom.", limits::ID_LENGTH),
        ),
    ]
}

fn user_id() -> RefOr<Schema> {
    let inner = "A-Za-z0-9+._|/~:@-";
    string()
        .description(Some(
            "Who holds access: the subject of a token, or the id of a service client. Case \
             matters. No space at the ends.",
        ))
        .min_length(Some(1))
        .max_length(Some(limits::USER_ID_LENGTH))
        .pattern(Some(format!("^[{inner}]([{inner} ]*[{inner}])?$")))
        .examples([json!("google-oauth2|1095")])
        .into()
}

fn invite_id() -> RefOr<Schema> {
    string()
        .description(Some(
            "The whole id of an invite, which is a secret: whoever holds it may accept the \
             invite. `inv_`, 12 characters to refer to it, 43 secret ones, a checksum.",
        ))
        .max_length(Some(limits::INVITE_ID_LENGTH))
        .pattern(Some("^inv_[A-Za-z0-9]{12}_[A-Za-z0-9]{43}_[A-Za-z0-9]{6}$"))
        .into()
}

fn resource_uri() -> RefOr<Schema> {
    let (part, segments) = (
        limits::RESOURCE_URI_PART_LENGTH,
        limits::RESOURCE_URI_SEGMENTS - 1,
    );
    let characters = "A-Za-z0-9_.+=~|@-";
    let first = format!(r"(?:\*|[{characters}]{{1,{part}}})");
    let further = format!(r"(?::(?:\*|[{characters}]{{0,{part}}}))*");
    let segment = format!(r"(?!\.\.?(?:/|$)){first}{further}");
    string()
        .description(Some(format!(
            "A path of 1 to {} segments, each of which may be `*`. `*` alone means every resource; \
             resources that begin with `Authress:` are the service's own. A leading and a trailing \
             `/` mean nothing. In a path of this API it is one segment, with `/` written `%2F`.",
            limits::RESOURCE_URI_SEGMENTS
        )))
        .min_length(Some(1))
        .max_length(Some(limits::RESOURCE_URI_LENGTH))
        .pattern(Some(format!(
            r"^(?:\*|(?!/?\*/?$)/?{segment}(?:/{segment}){{0,{segments}}}/?)$"
        )))
        .examples([json!("/documents/doc_1"), json!("/organizations/*")])
        .into()
}

fn action() -> RefOr<Schema> {
    string()
        .description(Some(
            "What may be done: parts separated by `:`, each of which may be `*`. Compared without \
             regard to case; a parent implies its children.",
        ))
        .min_length(Some(1))
        .max_length(Some(limits::ACTION_LENGTH))
        .pattern(Some(r"^(?:\*|[A-Za-z0-9_-]+)(?::(?:\*|[A-Za-z0-9_-]+))*$"))
        .examples([json!("documents:read")])
        .into()
}

fn timestamp() -> RefOr<Schema> {
    string()
        .description(Some(
            "A time as in RFC 3339; answered in UTC with milliseconds.",
        ))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples([json!("2026-01-02T03:04:05.678Z")])
        .into()
}

/// Labels; when they are sent, one that is `null` is left out.
fn tags(sent: bool) -> RefOr<Schema> {
    let value = text(0, limits::TAG_LENGTH);
    let (value, types) = if sent {
        let null_too = |first| SchemaType::from_iter([first, Type::Null]);
        (
            value.schema_type(null_too(Type::String)),
            null_too(Type::Object),
        )
    } else {
        (value, Type::Object.into())
    };
    ObjectBuilder::new()
        .schema_type(types)
        .description(Some(
            "Labels of the caller's own, shown and never interpreted.",
        ))
        .property_names(Some(Schema::Object(text(1, limits::TAG_LENGTH).build())))
        .additional_properties(Some(value))
        .max_properties(Some(limits::TAGS))
        .into()
}

fn problem() -> RefOr<Schema> {
    object()
        .description(Some("Why a request was refused (RFC 9457)."))
        .property(
            "type",
            string().description(Some("`/problems/{errorCode}`")),
        )
        .property(
            "title",
            string().description(Some("For a person: what went wrong and what to do.")),
        )
        .property(
            "status",
            integer()
                .description(Some("The HTTP status."))
                .minimum(Some(400))
                .maximum(Some(599)),
        )
        .property(
            "errorCode",
            string().description(Some("For programs; it does not change.")),
        )
        .property(
            "errorId",
            string().description(Some(
                "The id of the request, to find it in the server's log.",
            )),
        )
        .property(
            "detail",
            string().description(Some("More about this case.")),
        )
        .property(
            "path",
            string().description(Some(
                "The offending member or parameter, as in `statements[0].roles[1]`.",
            )),
        )
        .property(
            "error",
            string().description(Some("Of the token endpoint alone, as in RFC 6749 §5.2.")),
        )
        .property("refusedRows", list("RefusedRow"))
        .required("type")
        .required("title")
        .required("status")
        .required("errorCode")
        .required("errorId")
        .into()
}

fn link() -> RefOr<Schema> {
    object()
        .property("href", url().description(Some("An absolute URL.")))
        .required("href")
        .into()
}

fn pagination() -> RefOr<Schema> {
    let next = object()
        .property(
            "cursor",
            string()
                .description(Some(
                    "What to pass as `cursor`. Good for this caller and list only.",
                ))
                .max_length(Some(limits::CURSOR_LENGTH)),
        )
        .required("cursor");
    object()
        .description(Some("How to go on. Absent on the last page."))
        .property("next", next)
        .required("next")
        .into()
}

/// A page of a list.
pub(super) fn page(what: &str, member: &str, item: &str) -> ObjectBuilder {
    object()
        .description(Some(what))
        .property(member, list(item))
        .property("pagination", of("Pagination"))
        .property("links", of("CollectionLinks"))
        .required(member)
        .required("links")
}
