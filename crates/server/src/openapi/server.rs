//! The operations that need no caller: keys, development, health and documentation.

use http::Method;
use utoipa::PartialSchema as _;
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{Content, ContentBuilder, RefOr};

use super::codes::{
    NO_SUCH_PATH, NOT_UP_TO_DATE, SHUTTING_DOWN, STORAGE_FULL, STORAGE_UNAVAILABLE,
    TOO_MANY_REQUESTS, UNAUTHORIZED,
};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, integer, number, object, of, or_null, string, url};
use crate::jwks::{JsonWebKey, KeySet};

const JSON: &str = "application/json";

/// An answer that generic programs read: plain JSON.
fn plain(description: Description, what: &str, component: &str) -> Description {
    description.answers_as(200, what, JSON, Content::new(Some(of(component))))
}

pub(super) fn get_configuration() -> Description {
    let path = "/.well-known/openid-configuration";
    let description = Description::new(Method::GET, path, Tag::Keys, "Read where the keys are");
    plain(
        description,
        "OpenID Connect discovery.",
        "OpenIdConfiguration",
    )
}

pub(super) fn get_user_keys() -> Description {
    let path = "/.well-known/openid-configuration/jwks";
    let description =
        Description::new(Method::GET, path, Tag::Keys, "Read the keys of user tokens");
    plain(description, "The keys.", "KeySet")
}

pub(super) fn get_client_keys() -> Description {
    let path = "/v1/clients/{clientId}/.well-known/openid-configuration/jwks";
    let description = Description::new(Method::GET, path, Tag::Keys, "Read the keys of a client")
        .about("A client that does not exist has none.")
        .with([parameters::path("clientId", "ClientId")]);
    plain(description, "The keys.", "KeySet")
}

pub(super) fn request_token() -> Description {
    let description = Description::new(
        Method::POST,
        "/api/authentication/oauth/tokens",
        Tag::Keys,
        "Get a token for the secret of a service client",
    )
    .about(
        "`client_credentials` of RFC 6749 §4.4, as JSON or as a form, or with the client in HTTP \
         Basic. The token is the one that the \
         client could have signed with its access key, and ends with that key.",
    )
    .takes("OAuthTokenRequest")
    .refuses([UNAUTHORIZED, TOO_MANY_REQUESTS, STORAGE_UNAVAILABLE]);
    plain(description, "The token.", "OAuthTokenResponse")
}

pub(super) fn create_development_token() -> Description {
    Description::new(
        Method::POST,
        "/v1/dev/tokens",
        Tag::Server,
        "Make a token for any user",
    )
    .about("For trying things out. It does not exist unless the server runs for development.")
    .takes("DevelopmentTokenRequest")
    .answers(200, "The token.", "DevelopmentToken")
    .refuses([NO_SUCH_PATH])
    .development_only()
}

pub(super) fn get_health() -> Description {
    let description = Description::new(
        Method::GET,
        "/healthz",
        Tag::Server,
        "Ask whether the server lives",
    );
    plain(description, "It does.", "Health").extension()
}

pub(super) fn get_readiness() -> Description {
    let description = Description::new(
        Method::GET,
        "/readyz",
        Tag::Server,
        "Ask whether the server takes requests that write",
    );
    plain(description, "It does.", "Health")
        .refuses([
            SHUTTING_DOWN,
            NOT_UP_TO_DATE,
            STORAGE_UNAVAILABLE,
            STORAGE_FULL,
        ])
        .extension()
}

pub(super) fn get_metrics() -> Description {
    let text = Content::new(Some(string()));
    Description::new(Method::GET, "/metrics", Tag::Server, "Read the metrics")
        .answers_as(200, "The Prometheus text format.", "text/plain", text)
        .extension()
}

pub(super) fn get_openapi() -> Description {
    let document = ContentBuilder::new().schema(Some(object())).build();
    Description::new(
        Method::GET,
        "/openapi.json",
        Tag::Server,
        "Read this description",
    )
    .answers_as(200, "OpenAPI 3.1.", JSON, document)
    .extension()
}

pub(super) fn get_documentation() -> Description {
    Description::new(Method::GET, "/docs", Tag::Server, "Read the reference page")
        .answers_files("The page.", &["text/html"])
        .extension()
}

/// The files of the reference page.
pub(super) fn get_documentation_file() -> Description {
    let media = ["text/css", "text/html", "text/javascript", "image/png"];
    Description::new(
        Method::GET,
        "/docs/{file}",
        Tag::Server,
        "Read a file of the reference page",
    )
    .with([parameters::file()])
    .answers_files("The file.", &media)
    .refuses([NO_SUCH_PATH])
    .extension()
    .further("File")
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("OpenIdConfiguration", configuration()),
        ("JsonWebKey", JsonWebKey::schema()),
        ("KeySet", KeySet::schema()),
        (
            "OAuthTokenRequest",
            object()
                .property("client_id", string())
                .property(
                    "client_secret",
                    or_null(string().description(Some("The access key. A secret."))),
                )
                .property(
                    "grant_type",
                    or_null(string().description(Some(
                        "`client_credentials`, which is also meant by nothing. \
                         `authorization_code` and `password` are not there yet.",
                    ))),
                )
                .required("client_id")
                .into(),
        ),
        (
            "OAuthTokenResponse",
            object()
                .property("access_token", string())
                .property("token_type", string().enum_values(Some(["Bearer"])))
                .property("expires_in", integer().description(Some("Seconds.")))
                .required("access_token")
                .required("token_type")
                .required("expires_in")
                .into(),
        ),
        (
            "DevelopmentTokenRequest",
            object()
                .property("userId", of("UserId"))
                .required("userId")
                .into(),
        ),
        (
            "DevelopmentToken",
            object()
                .property("accessToken", string())
                .property("expiresIn", integer().description(Some("Seconds.")))
                .required("accessToken")
                .required("expiresIn")
                .into(),
        ),
        ("Health", health()),
    ]
}

fn health() -> RefOr<Schema> {
    object()
        .property("status", string().enum_values(Some(["ok", "ready"])))
        .property(
            "revision",
            integer()
                .minimum(Some(0))
                .description(Some("The newest change it knows of.")),
        )
        .property(
            "confirmedSecondsAgo",
            number().minimum(Some(0.0)).description(Some(
                "Of `/readyz`, where there are several nodes: how long ago it last knew that it \
                 misses no change of another.",
            )),
        )
        .required("status")
        .required("revision")
        .into()
}

fn list_of_texts() -> ArrayBuilder {
    ArrayBuilder::new().items(string())
}

fn configuration() -> RefOr<Schema> {
    object()
        .property("issuer", url())
        .property("jwks_uri", url())
        .property("authorization_endpoint", url())
        .property("token_endpoint", url())
        .property("response_types_supported", list_of_texts())
        .property("subject_types_supported", list_of_texts())
        .property("id_token_signing_alg_values_supported", list_of_texts())
        .required("issuer")
        .required("jwks_uri")
        .required("authorization_endpoint")
        .required("token_endpoint")
        .required("response_types_supported")
        .required("subject_types_supported")
        .required("id_token_signing_alg_values_supported")
        .into()
}
