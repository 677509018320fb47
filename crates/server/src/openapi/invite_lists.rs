//! The operations on invites that are extensions of ours, and their bodies.

use guestlist_api::invite_lists::{InviteOrder, InviteState};
use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema};

use super::codes::{
    FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, OF_AN_UNUSABLE_INVITE, PRECONDITION_FAILED,
    STORAGE_UNAVAILABLE, TOO_MANY_REQUESTS,
};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, integer, list, object, of, or_null, page, string, text};

const ALL: &str = "/v1/invites";
const ONE: &str = "/v1/invites/{inviteId}";

/// The reference stands where the id does in the published operations.
fn reference() -> utoipa::openapi::path::Parameter {
    parameters::path("inviteId", "InviteReference")
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Invites, "List invites")
        .extension()
        .about(
            "Those that the caller made or may read, in whatever state, without their secrets. A page \
             may be shorter than asked for.",
        )
        .with(parameters::list(limits::LARGE_PAGE))
        .with(narrowing())
        .with([parameters::query(
            "sort",
            "The order: by reference, unless it is said otherwise, by expiry, or by when they were made, \
             `-createdTime` the newest first.",
            string().enum_values(Some(InviteOrder::ALL.map(InviteOrder::name))),
        )])
        .answers(200, "A page.", "InviteCollection")
}

/// What narrows a list of invites.
pub(super) fn narrowing() -> [utoipa::openapi::path::Parameter; 11] {
    let time = |name: &str, what: &str| parameters::query(name, what, of("Timestamp"));
    [
        parameters::query("status", "Only those that stand so now.", state()),
        parameters::query(
            "invitee",
            "Only those for this user id or e-mail address.",
            text(1, limits::EMAIL_LENGTH),
        ),
        parameters::query("inviterUserId", "Only those of this inviter.", of("UserId")),
        parameters::query(
            "resourceUri",
            "Only those that give something on exactly this resource.",
            of("ResourceUri"),
        ),
        parameters::query("roleId", "Only those that give this role.", of("RoleId")),
        parameters::query("tenantId", "Only those for this tenant.", of("TenantId")),
        parameters::query("tag", "Only those with this tag, as name=value.", string()),
        time("createdAfter", "Made at this instant or later."),
        time("createdBefore", "Made before this instant."),
        time("expiresAfter", "That end at this instant or later."),
        time("expiresBefore", "That end before this instant."),
    ]
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Invites,
        "Replace what a pending invite holds",
    )
    .extension()
    .about(
        "By reference. The caller must be able to give everything it holds then, and stands for it \
         from then on. Its id stays.",
    )
    .with([
        reference(),
        parameters::if_unmodified_since(),
        parameters::access_duration(),
        parameters::approval(),
    ])
    .takes("InviteRequest")
    .answers(200, "The invite.", "InviteSummary")
    .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, PRECONDITION_FAILED])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn renew() -> Description {
    Description::new(
        Method::POST,
        "/v1/invites/{inviteId}/renewals",
        Tag::Invites,
        "Give an invite another id and more time",
    )
    .extension()
    .about(
        "By reference. The old id is dead at once. Also for invites that expired or were declined; \
         the caller must be able to give everything it holds.",
    )
    .with([reference()])
    .may_take("InviteRenewal")
    .answers(201, "The invite, with the id to pass on.", "Invite")
    .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn events() -> Description {
    Description::new(
        Method::GET,
        "/v1/invites/{inviteId}/events",
        Tag::Invites,
        "Read the history of an invite",
    )
    .extension()
    .about("By reference. The first line and the last 49.")
    .with([reference()])
    .answers(200, "The history, oldest first.", "InviteHistory")
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn revoke() -> Description {
    Description::new(
        Method::POST,
        "/v1/invites/revocations",
        Tag::Invites,
        "Withdraw many invites",
    )
    .extension()
    .about(
        "Those that fit all that is said, can still be used, and the caller may withdraw: 200 at \
         once. If there may be more, the same request goes on.",
    )
    .takes("InviteRevocation")
    .answers(200, "What was withdrawn.", "InviteRevocations")
}

pub(super) fn inbox() -> Description {
    Description::new(
        Method::GET,
        "/v1/users/{userId}/invites",
        Tag::Invites,
        "List the invites for a user",
    )
    .extension()
    .about(
        "Those for the user by id, and, for the user themself, for the e-mail address that their \
         token proves. They are accepted by reference.",
    )
    .with([parameters::path("userId", "UserId")])
    .with(parameters::list(limits::PAGE))
    .answers(200, "A page.", "InviteCollection")
    .refuses([FORBIDDEN])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

fn by_holder(path: &'static str, summary: &'static str) -> Description {
    Description::new(Method::POST, path, Tag::Invites, summary)
        .extension()
        .takes("InviteHolder")
        .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
        .refuses([TOO_MANY_REQUESTS, STORAGE_UNAVAILABLE])
}

pub(super) fn preview() -> Description {
    by_holder("/v1/invites/previews", "See what an invite is")
        .about("For whoever holds its id, without signing in. Not what it gives.")
        .answers(200, "The invite.", "InvitePreview")
}

pub(super) fn decline() -> Description {
    by_holder("/v1/invites/declines", "Decline an invite")
        .about("For whoever holds its id, without signing in.")
        .answers_nothing(204, "It cannot be used, now or already before.")
}

pub(super) fn report_leak() -> Description {
    by_holder("/v1/invites/report-leak", "Say that an invite leaked")
        .about("Whoever holds its id may end it, without signing in.")
        .answers_nothing(204, "It cannot be used, now or already before.")
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("InviteState", state().into()),
        ("Invitee", invitee()),
        ("InviteRestrictions", restrictions()),
        ("InviteUses", uses()),
        (
            "Inviter",
            object()
                .property("userId", of("UserId"))
                .required("userId")
                .into(),
        ),
        ("InviteSummary", summary()),
        (
            "InviteCollection",
            page("A page of invites.", "invites", "InviteSummary").into(),
        ),
        ("InviteMoment", moment()),
        ("InviteHistory", history()),
        (
            "InviteRenewal",
            object()
                .description(Some("7 days from now unless a time is given."))
                .property("expiryTime", or_null(of("Timestamp")))
                .into(),
        ),
        ("InviteRevocation", revocation()),
        ("InviteRevocations", revocations()),
        ("InviteHolder", holder()),
        ("InvitePreview", preview_body()),
    ]
}

fn state() -> ObjectBuilder {
    string()
        .description(Some(
            "Where an invite stands at this moment. `SUSPENDED`: whoever made it could not give now \
             what it holds. `SCHEDULED`: it can be used later. `AWAITING_APPROVAL`: somebody accepted \
             it, and nothing is given yet.",
        ))
        .enum_values(Some(InviteState::ALL.map(InviteState::name)))
}

fn reason() -> ObjectBuilder {
    text(1, limits::INVITE_REASON_LENGTH)
}

fn invitee() -> RefOr<Schema> {
    let either = string()
        .min_length(Some(1))
        .max_length(Some(limits::EMAIL_LENGTH));
    object()
        .description(Some(
            "`{\"userId\": …}` or `{\"email\": …}`: whoever signs in as this user, or with this \
             e-mail address, verified by their token issuer. Case of the address does not matter.",
        ))
        .min_properties(Some(1))
        .max_properties(Some(1))
        .additional_properties(Some(AdditionalProperties::RefOr(either.into())))
        .into()
}

/// Nothing that is not described: it would be passed over and then restrict nothing.
pub(super) const fn closed() -> AdditionalProperties<Schema> {
    AdditionalProperties::FreeForm(false)
}

fn restrictions() -> RefOr<Schema> {
    let uses = integer()
        .minimum(Some(1))
        .maximum(Some(f64::from(limits::INVITE_USES)))
        .default(Some(serde_json::json!(1)));
    object()
        .description(Some(
            "What is not known here is refused. An invite for several people (`maxUses`) gives no \
             right to give anything on, and nothing of the service's own.",
        ))
        .property(
            "emailDomains",
            or_null(
                ArrayBuilder::new()
                    .items(string())
                    .max_items(Some(limits::INVITE_DOMAINS)),
            ),
        )
        .property("issuer", or_null(string()))
        .property("notBefore", or_null(of("Timestamp")))
        .property("maxUses", or_null(uses))
        .additional_properties(Some(closed()))
        .into()
}

fn uses() -> RefOr<Schema> {
    object()
        .property("max", integer())
        .property("accepted", integer())
        .required("max")
        .required("accepted")
        .into()
}

fn summary() -> RefOr<Schema> {
    let summary = object()
        .description(Some(
            "An invite without its secret. `inviteId` is the reference here: nobody can accept the \
             invite with it.",
        ))
        .property("reference", of("InviteReference"))
        .property("inviteId", of("InviteReference"))
        .property("status", of("InviteState"))
        .property("statusReason", string())
        .property("statements", list("InviteStatement"))
        .property(
            "conflictResolutionStrategy",
            of("ConflictResolutionStrategy"),
        )
        .property("inviter", of("Inviter"))
        .property("createdTime", of("Timestamp"))
        .property("expiryTime", of("Timestamp"))
        .property("respondedTime", of("Timestamp"))
        .property("lastUpdated", of("Timestamp"))
        .property("invitee", of("Invitee"))
        .property("restrictions", of("InviteRestrictions"))
        .property("grant", of("InviteGrant"))
        .property("approval", of("InviteApproval"))
        .property("uses", of("InviteUses"))
        .property("linkedUserId", of("LinkedUserId"))
        .property("defaultLoginTenantId", of("TenantId"))
        .property("tags", of("Tags"))
        .property("links", of("Links"));
    [
        "reference",
        "inviteId",
        "status",
        "statements",
        "conflictResolutionStrategy",
        "inviter",
        "createdTime",
        "expiryTime",
        "lastUpdated",
        "restrictions",
        "uses",
        "tags",
        "links",
    ]
    .into_iter()
    .fold(summary, ObjectBuilder::required)
    .into()
}

fn moment() -> RefOr<Schema> {
    let change = string().enum_values(Some([
        "CREATED",
        "UPDATED",
        "RENEWED",
        "ACCEPTED",
        "DECLINED",
        "REVOKED",
        "LEAK_REPORTED",
        "PREVIEWED",
        "ACCEPT_FAILED",
        "EXPIRED",
        "EXHAUSTED",
        "SUSPENDED",
        "RESUMED",
        "APPROVAL_REQUESTED",
        "APPROVAL_WITHDRAWN",
        "APPROVED",
        "DENIED",
    ]));
    object()
        .description(Some(
            "What happened. `userId` is absent for somebody who held the id and did not \
             sign in, and for what nobody did. `reason` of `ACCEPT_FAILED` is the error code.",
        ))
        .property("change", change)
        .property("time", of("Timestamp"))
        .property("userId", of("UserId"))
        .property("reason", reason())
        .required("change")
        .required("time")
        .into()
}

fn history() -> RefOr<Schema> {
    object()
        .property("events", list("InviteMoment"))
        .property("links", of("Links"))
        .required("events")
        .required("links")
        .into()
}

fn revocation() -> RefOr<Schema> {
    object()
        .description(Some(
            "At least one of the first four. `tag` is `name=value`.",
        ))
        .property("inviterUserId", or_null(of("UserId")))
        .property("invitee", or_null(of("Invitee")))
        .property("resourceUri", or_null(of("ResourceUri")))
        .property("tag", or_null(string()))
        .property("reason", or_null(reason()))
        .additional_properties(Some(closed()))
        .into()
}

fn revocations() -> RefOr<Schema> {
    object()
        .property("revoked", list("InviteReference"))
        .property("more", super::shapes::boolean())
        .required("revoked")
        .required("more")
        .into()
}

fn holder() -> RefOr<Schema> {
    object()
        .description(Some(
            "The whole id, here and not in the path, so that no log of requests has it.",
        ))
        .property("inviteId", of("InviteId"))
        .property("reason", or_null(reason()))
        .required("inviteId")
        .into()
}

fn preview_body() -> RefOr<Schema> {
    object()
        .description(Some(
            "What an invite is. `invitee` is for whom, with most of it hidden.",
        ))
        .property("account", of("AccountReference"))
        .property("inviter", of("Inviter"))
        .property("expiryTime", of("Timestamp"))
        .property("notBefore", of("Timestamp"))
        .property("invitee", string())
        .property("issuer", string())
        .property("emailDomains", ArrayBuilder::new().items(string()))
        .property("defaultLoginTenantId", of("TenantId"))
        .required("account")
        .required("inviter")
        .required("expiryTime")
        .into()
}
