//! The operations on tokens of users and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Schema};

use super::codes::{FORBIDDEN, NOT_FOUND};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, list_of, object, of, or_null, string, text};

pub(super) fn request() -> Description {
    let path = "/v1/users/{userId}/tokens";
    Description::new(
        Method::POST,
        path,
        Tag::UserTokens,
        "Make a token for a user",
    )
    .about(
        "Only for service clients with `grantTokenGeneration`. Its bearer may ask what the user \
             may do, and is told yes only for what is in the statements too. A token with the role \
             `Authress:Owner` on `*` is as good as one of the user's own. This answer is the only \
             place where it is.",
    )
    .with([parameters::path("userId", "UserId")])
    .takes("TokenRequest")
    .answers(201, "The token.", "UserToken")
    .refuses([FORBIDDEN])
}

pub(super) fn disable() -> Description {
    let path = "/v1/users/{userId}/tokens/{tokenId}";
    Description::new(
        Method::DELETE,
        path,
        Tag::UserTokens,
        "Disable a token of a user",
    )
    .about("By whoever made it, by the user, and by whoever may change the user.")
    .with([
        parameters::path("userId", "UserId"),
        parameters::path("tokenId", "UserTokenId"),
    ])
    .answers_nothing(204, "It is refused from the next request on.")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn configure() -> Description {
    let path = "/v1/users/{userId}/token-configuration";
    configuration(path).about(
        "Claims of the account's own. They are in the tokens that are made for the user from then \
         on.",
    )
}

pub(super) fn configure_by_user() -> Description {
    configuration("/v1/users/{userId}")
        .about("The same as with `/token-configuration`, for a client library that leaves it out.")
        .discouraged()
        .further("ByUser")
}

fn configuration(path: &'static str) -> Description {
    Description::new(
        Method::PUT,
        path,
        Tag::UserTokens,
        "Say what the tokens of a user say",
    )
    .with([parameters::path("userId", "UserId")])
    .takes("UserTokenConfiguration")
    .answers(200, "What they say.", "UserTokenConfiguration")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("TokenRequest", token_request()),
        ("UserToken", user_token()),
        ("TokenClaims", claims()),
        (
            "UserDefaultClaims",
            object()
                .property("defaultAccessTokenClaims", or_null(of("TokenClaims")))
                .into(),
        ),
        (
            "UserTokenConfiguration",
            object()
                .property("defaultClaims", or_null(of("UserDefaultClaims")))
                .into(),
        ),
    ]
}

fn token_request() -> RefOr<Schema> {
    object()
        .description(Some(
            "Without a time it ends after 24 hours, or after what the user's tenant says.",
        ))
        .property(
            "statements",
            list_of(1, limits::STATEMENTS, "InviteStatementRequest"),
        )
        .property("expires", or_null(of("Timestamp")))
        .property("expiryTime", or_null(of("Timestamp")))
        .required("statements")
        .into()
}

fn user_token() -> RefOr<Schema> {
    object()
        .property("account", of("AccountReference"))
        .property("userId", of("UserId"))
        .property("tokenId", of("UserTokenId"))
        .property(
            "token",
            string().description(Some("The token. A secret, told once.")),
        )
        .property("links", of("Links"))
        .required("account")
        .required("userId")
        .required("tokenId")
        .required("token")
        .required("links")
        .into()
}

fn claims() -> RefOr<Schema> {
    let name = text(1, limits::TAG_LENGTH);
    object()
        .description(Some(format!(
            "Claims with values of any kind, at most {} bytes in all. None of those that tokens \
             have already or that mean access: `iss`, `sub`, `scope` and the like.",
            limits::TOKEN_CLAIMS_BYTES
        )))
        .property_names(Some(Schema::Object(name.build())))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
        .max_properties(Some(limits::TOKEN_CLAIMS))
        .into()
}
