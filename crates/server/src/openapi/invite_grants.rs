//! Who accepted an invite, and taking back what it gave.

use super::codes::{FORBIDDEN, LAST_OWNER, OF_AN_UNUSABLE_INVITE, UNFINISHED};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, boolean, list, object, of, page, string};
use guestlist_api::limits;
use http::Method;

pub(super) fn acceptances() -> Description {
    Description::new(
        Method::GET,
        "/v1/invites/{inviteId}/acceptances",
        Tag::Invites,
        "List who accepted an invite",
    )
    .extension()
    .about("By reference, for whoever made it or may read it: who, when, and exactly what it gave.")
    .with([parameters::path("inviteId", "InviteReference")])
    .with(parameters::list(limits::PAGE))
    .answers(200, "A page.", "InviteAcceptanceCollection")
    .refuses([FORBIDDEN])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn undo() -> Description {
    Description::new(
        Method::DELETE,
        "/v1/invites/{inviteId}/grants",
        Tag::Invites,
        "Take back what an invite gave",
    )
    .extension()
    .about(
        "By reference: exactly what its acceptances added, unless another accepted invite gives it \
         too. What was replaced does not come back, and who accepted it cannot do so again. 200 \
         acceptances at once. Repeated, it finds nothing more to do.",
    )
    .with([
        parameters::path("inviteId", "InviteReference"),
        parameters::query("dryRun", "Only say what would be taken.", boolean()),
        parameters::query("userId", "Only from this user.", of("UserId")),
    ])
    .answers(200, "What was taken.", "InviteUndoing")
    .refuses([FORBIDDEN, LAST_OWNER, UNFINISHED])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        (
            "InviteAcceptance",
            object()
                .description(Some(
                    "One use of an invite. `added` is what the record gave the person from then on and \
                     had not given them before.",
                ))
                .property("userId", of("UserId"))
                .property("time", of("Timestamp"))
                .property(
                    "outcome",
                    string().enum_values(Some([
                        "CREATED",
                        "MERGED",
                        "GENERATED",
                        "FORCE_MERGED",
                        "REPLACED",
                        "SKIPPED",
                        "NOTHING",
                    ])),
                )
                .property("recordId", of("RecordId"))
                .property("added", list("Statement"))
                .property("undoneTime", of("Timestamp"))
                .required("userId")
                .required("time")
                .required("outcome")
                .required("added")
                .into(),
        ),
        (
            "InviteAcceptanceCollection",
            page("A page of uses of an invite.", "acceptances", "InviteAcceptance").into(),
        ),
        (
            "InviteUndone",
            object()
                .description(Some(
                    "What was taken back from one person, or would be. `kept` is what another invite \
                     that they accepted gives too.",
                ))
                .property("userId", of("UserId"))
                .property("recordId", of("RecordId"))
                .property("taken", list("Statement"))
                .property("kept", list("Statement"))
                .property("recordDeleted", boolean())
                .required("userId")
                .required("taken")
                .required("kept")
                .required("recordDeleted")
                .into(),
        ),
        (
            "InviteUndoing",
            object()
                .description(Some(
                    "`dryRun`: nothing was written. `more`: the same request goes on.",
                ))
                .property("dryRun", boolean())
                .property("undone", list("InviteUndone"))
                .property("more", boolean())
                .property("links", of("Links"))
                .required("dryRun")
                .required("undone")
                .required("more")
                .required("links")
                .into(),
        ),
    ]
}
