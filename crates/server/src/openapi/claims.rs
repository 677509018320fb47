//! The operation on claims and its bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::codes::{ALREADY_CLAIMED, FORBIDDEN};
use super::description::{Description, Tag};
use super::shapes::{Named, object, string};

pub(super) fn create() -> Description {
    Description::new(
        Method::POST,
        "/v1/claims",
        Tag::Records,
        "Claim a resource that is nobody's",
    )
    .about(
        "The caller gets the built-in owner role on `{collectionResource}/{resourceId}`, in a \
         record of its own. The collection must be configured for claims (`CLAIM`), or the caller \
         be able to delegate everything on the resource.",
    )
    .takes("ClaimRequest")
    .answers(201, "It is the caller's.", "ClaimResponse")
    .refuses([FORBIDDEN, ALREADY_CLAIMED])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("ClaimRequest", request()),
        (
            "ClaimResponse",
            object()
                .description(Some("Nothing: the status says it all."))
                .into(),
        ),
    ]
}

fn request() -> RefOr<Schema> {
    let collection = string()
        .description(Some("A resource URI without wildcards."))
        .min_length(Some(1))
        .max_length(Some(limits::CLAIM_PART_LENGTH))
        .pattern(Some(r"^/?[A-Za-z0-9\-_.+=~|@:/]+$"));
    let id = string()
        .description(Some("One segment without wildcards."))
        .min_length(Some(1))
        .max_length(Some(limits::CLAIM_PART_LENGTH))
        .pattern(Some(r"^[A-Za-z0-9\-_.+=~|@:]+$"));
    object()
        .property("collectionResource", collection)
        .property("resourceId", id)
        .required("collectionResource")
        .required("resourceId")
        .into()
}
