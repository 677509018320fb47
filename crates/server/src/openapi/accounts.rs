//! The operations on the account and on linked token issuers, and their bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, Schema};

use super::codes::{FORBIDDEN, ISSUER_NOT_USABLE, NOT_FOUND};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, list, object, of, or_null, string, text};

/// Characters of the name of an account.
const NAME_LENGTH: usize = 32;

pub(super) fn get_all() -> Description {
    let answer = AnyOfBuilder::new()
        .item(of("AccountCollection"))
        .item(of("AccountList"));
    Description::new(
        Method::GET,
        "/v1/accounts",
        Tag::Account,
        "Read the caller's accounts",
    )
    .answers_with(
        200,
        "The account: as one object, or in a list for a client library that expects one.",
        answer,
    )
    .refuses([NOT_FOUND])
}

pub(super) fn get() -> Description {
    let path = "/v1/accounts/{accountId}";
    Description::new(Method::GET, path, Tag::Account, "Read the account")
        .with([parameters::path("accountId", "AccountId")])
        .answers(200, "The account.", "Account")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn get_identities() -> Description {
    Description::new(
        Method::GET,
        "/v1/identities",
        Tag::Account,
        "List linked token issuers",
    )
    .answers(200, "All of them.", "IdentityCollection")
    .refuses([FORBIDDEN])
}

pub(super) fn link_identity() -> Description {
    Description::new(
        Method::POST,
        "/v1/identities",
        Tag::Account,
        "Link a token issuer",
    )
    .about("From then on, tokens that it signs for the audience name users of the account.")
    .takes("IdentityRequest")
    .answers_nothing(201, "It is linked.")
    .refuses([FORBIDDEN, ISSUER_NOT_USABLE])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        (
            "AccountReference",
            object()
                .description(Some("Which account an object belongs to."))
                .property("accountId", of("AccountId"))
                .required("accountId")
                .into(),
        ),
        ("Account", account()),
        (
            "AccountCollection",
            object()
                .property("accounts", of("Account"))
                .required("accounts")
                .into(),
        ),
        (
            "AccountList",
            object()
                .property("accounts", list("Account"))
                .required("accounts")
                .into(),
        ),
        ("UserIdExpression", user_id_expression()),
        ("Identity", identity()),
        ("IdentityRequest", identity_request()),
        (
            "IdentityCollection",
            object()
                .property("identities", list("Identity"))
                .required("identities")
                .into(),
        ),
    ]
}

fn account() -> RefOr<Schema> {
    object()
        .property("accountId", of("AccountId"))
        .property("createdTime", of("Timestamp"))
        .property("name", text(1, NAME_LENGTH))
        .property("company", object())
        .property(
            "domain",
            string().description(Some("Where the account is reached.")),
        )
        .property("webHostFqdn", string().description(Some("The same.")))
        .property("links", of("Links"))
        .required("accountId")
        .required("createdTime")
        .required("name")
        .required("company")
        .required("domain")
        .required("webHostFqdn")
        .required("links")
        .into()
}

fn user_id_expression() -> RefOr<Schema> {
    string()
        .description(Some(
            "How a user id is made from a token: text with at least one claim in braces.",
        ))
        .max_length(Some(limits::USER_ID_EXPRESSION_LENGTH))
        .pattern(Some(r"^[^{}]*\{[^{} ]+\}(?:[^{}]*\{[^{} ]+\})*[^{}]*$"))
        .examples([json!("{sub}"), json!("google|{sub}")])
        .into()
}

fn issuer() -> RefOr<Schema> {
    text(1, limits::ISSUER_LENGTH).into()
}

fn identity() -> RefOr<Schema> {
    object()
        .property("issuer", issuer())
        .property("audience", issuer())
        .property("userIdExpression", of("UserIdExpression"))
        .required("issuer")
        .required("audience")
        .required("userIdExpression")
        .into()
}

fn identity_request() -> RefOr<Schema> {
    let members = object()
        .property(
            "jwt",
            or_null(
                text(1, limits::SAMPLE_TOKEN_LENGTH)
                    .description(Some("A valid token of the issuer.")),
            ),
        )
        .property("issuer", or_null(issuer()))
        .property("preferredAudience", or_null(issuer()))
        .property("userIdExpression", or_null(of("UserIdExpression")));
    let named = AnyOfBuilder::new()
        .item(object().required("issuer").required("preferredAudience"))
        .item(object().required("jwt"));
    AllOfBuilder::new()
        .description(Some(
            "The issuer by its name, or by a token of it. `preferredAudience` is the `aud` that \
             tokens must have; `*` accepts those made for any application of the issuer and must \
             be asked for.",
        ))
        .item(members)
        .item(named)
        .into()
}
