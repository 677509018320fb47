//! The operations on what the account decides about all its invites, and their body.

use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::codes::FORBIDDEN;
use super::description::{Description, Tag};
use super::shapes::{Named, boolean, object, of, or_null, string};

const PATH: &str = "/v1/settings/invites";

pub(super) fn get() -> Description {
    Description::new(
        Method::GET,
        PATH,
        Tag::Invites,
        "Read what holds for all invites",
    )
    .extension()
    .answers(200, "The settings.", "InviteSettings")
    .refuses([FORBIDDEN])
}

pub(super) fn set() -> Description {
    Description::new(
        Method::PUT,
        PATH,
        Tag::Invites,
        "Say what holds for all invites",
    )
    .extension()
    .about("Replaces what was said before: a member that is left out is as if it was never set.")
    .takes("InviteSettings")
    .answers(200, "The settings as they are now.", "InviteSettings")
    .refuses([FORBIDDEN])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("InviteSettings", settings()),
        ("InviteApprovalSettings", approval()),
    ]
}

fn approval() -> RefOr<Schema> {
    let risk = boolean().description(Some(
        "Whether invites that give something on `*`, every action, the right to give something on, \
         or something on the service's own resources must be approved, by a user who is \
         neither whoever made the invite nor whoever accepted it. `false` unless said.",
    ));
    object()
        .description(Some("Which invites must be approved that do not say so."))
        .property("requiredForRisk", or_null(risk))
        .into()
}

fn settings() -> RefOr<Schema> {
    let lost = string()
        .description(Some(
            "What becomes of an invite whose inviter may no longer give what it holds. `SUSPEND` \
             (unless said): nobody can accept it until they may again. `REVOKE`: it is withdrawn \
             within seconds, for good.",
        ))
        .enum_values(Some(["SUSPEND", "REVOKE"]));
    object()
        .description(Some("What holds for all invites of the account."))
        .property("lostAuthority", or_null(lost))
        .property("approval", or_null(of("InviteApprovalSettings")))
        .property("lastUpdated", or_null(of("Timestamp")))
        .into()
}
