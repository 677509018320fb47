//! The operation that tells what became of many invites, and its answer.

use guestlist_api::invite_statistics::InviteGrouping;
use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema};

use super::description::{Description, Tag};
use super::invite_lists::narrowing;
use super::parameters;
use super::shapes::{Named, boolean, integer, list_of, object, of, string};

pub(super) fn get() -> Description {
    let names = InviteGrouping::ALL.map(InviteGrouping::name);
    Description::new(
        Method::GET,
        "/v1/invites/statistics",
        Tag::Invites,
        "Tell what became of many invites",
    )
    .extension()
    .about(
        "Of those that the list would have: made in the last 30 days unless it is said otherwise, and \
         50,000 at most.",
    )
    .with(narrowing())
    .with([parameters::query(
        "groupBy",
        "Also for each inviter, role or domain of e-mail addresses.",
        string().enum_values(Some(names)),
    )])
    .answers(200, "The numbers.", "InviteStatistics")
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("InviteStatistics", statistics()),
        ("InviteFunnel", funnel().into()),
        ("InviteGroup", group()),
        ("InviteDelays", delays()),
    ]
}

fn count(what: &str) -> ObjectBuilder {
    integer().minimum(Some(0)).description(Some(what))
}

fn funnel() -> ObjectBuilder {
    let states = object()
        .description(Some("How many stand so now; only what there is."))
        .additional_properties(Some(AdditionalProperties::from(RefOr::from(
            integer().minimum(Some(1)),
        ))));
    object()
        .property("invites", count("How many were made."))
        .property("people", count("How many people could accept them."))
        .property(
            "previewed",
            count("Those of which somebody who held the id looked what they are."),
        )
        .property("refused", count("Those that somebody could not accept."))
        .property("accepted", count("Those that somebody accepted."))
        .property("accepts", count("How many people accepted."))
        .property("byStatus", states)
        .property("secondsToAccept", of("InviteDelays"))
        .required("invites")
        .required("people")
        .required("previewed")
        .required("refused")
        .required("accepted")
        .required("accepts")
        .required("byStatus")
}

fn group() -> RefOr<Schema> {
    funnel()
        .property(
            "name",
            string().description(Some("The inviter, the role or the domain.")),
        )
        .required("name")
        .into()
}

fn delays() -> RefOr<Schema> {
    object()
        .description(Some(
            "Seconds from making an invite to the first person who accepted it.",
        ))
        .property("median", count("Half of them took no longer."))
        .property("ninetieth", count("Nine of ten took no longer."))
        .property("longest", count("None took longer."))
        .required("median")
        .required("ninetieth")
        .required("longest")
        .into()
}

fn statistics() -> RefOr<Schema> {
    let groups = list_of(0, limits::INVITE_GROUPS, "InviteGroup");
    object()
        .property("createdAfter", of("Timestamp"))
        .property("createdBefore", of("Timestamp"))
        .property("total", of("InviteFunnel"))
        .property("groups", groups)
        .property(
            "moreGroups",
            boolean().description(Some("There are more groups than are told.")),
        )
        .property(
            "incomplete",
            boolean().description(Some(
                "There are more invites than were looked at: ask for a shorter time.",
            )),
        )
        .required("createdAfter")
        .required("createdBefore")
        .required("total")
        .into()
}
