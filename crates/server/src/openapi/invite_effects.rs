//! The operation that tells what accepting an invite would do, and its bodies.

use guestlist_api::invite_effects::RiskFlag;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};

use super::codes::{FORBIDDEN, OF_AN_UNUSABLE_INVITE};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, boolean, list, object, of, or_null, string};

pub(super) fn get() -> Description {
    Description::new(
        Method::POST,
        "/v1/invites/{inviteId}/effect",
        Tag::Invites,
        "Tell what accepting an invite would do",
    )
    .extension()
    .about(
        "By the whole id for the caller, or by reference for those who may know of the invite. For \
         another user only to those who may ask what that user holds. Nothing is written.",
    )
    .with([parameters::path("inviteId", "InviteId")])
    .may_take("InviteEffectRequest")
    .answers(200, "What would happen.", "InviteEffect")
    .refuses([FORBIDDEN])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        (
            "InviteEffectRequest",
            object()
                .description(Some("For whom; for the caller unless it is said."))
                .property("userId", or_null(of("UserId")))
                .into(),
        ),
        ("EffectiveGrant", grant()),
        ("NamedGrant", named().into()),
        ("InviteEffect", effect()),
    ]
}

fn named() -> ObjectBuilder {
    object()
        .property("resourceUri", of("ResourceUri"))
        .property("roleId", of("RoleId"))
        .required("resourceUri")
        .required("roleId")
}

fn grant() -> RefOr<Schema> {
    named()
        .property("permissions", list("Permission"))
        .required("permissions")
        .into()
}

fn effect() -> RefOr<Schema> {
    let outcome = string().enum_values(Some([
        "CREATED",
        "MERGED",
        "GENERATED",
        "FORCE_MERGED",
        "REPLACED",
        "SKIPPED",
        "NOTHING",
    ]));
    let flag = string().enum_values(Some(RiskFlag::ALL.map(RiskFlag::name)));
    let effect = object()
        .description(Some(
            "What accepting would do at this moment. `gains`: what the person could not do or give \
             before. `replaced`: what a record of theirs holds and would not any more. `errorCode`: \
             why they cannot accept it now. Without `userId` it is told for somebody who holds nothing.",
        ))
        .property("userId", of("UserId"))
        .property("errorCode", string())
        .property("outcome", outcome)
        .property("recordId", of("RecordId"))
        .property("gains", list("EffectiveGrant"))
        .property("alreadyHeld", list("EffectiveGrant"))
        .property("replaced", list("NamedGrant"))
        .property("otherUsers", list("UserId"))
        .property("otherGroups", list("GroupId"))
        .property("riskFlags", ArrayBuilder::new().items(flag))
        .property("approvalRequired", boolean());
    [
        "outcome",
        "gains",
        "alreadyHeld",
        "replaced",
        "otherUsers",
        "otherGroups",
        "riskFlags",
        "approvalRequired",
    ]
    .into_iter()
    .fold(effect, ObjectBuilder::required)
    .into()
}
