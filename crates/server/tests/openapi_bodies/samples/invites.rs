//! The bodies of what is done with invites besides the published operations.

use guestlist_api::accounts::AccountReference;
use guestlist_api::ids::InviteSecret;
use guestlist_api::invite_batches::{
    BatchMode, BatchOutcome, BatchRow, InviteBatch, InviteBatchRequest, RefusedRow, RowRefusal,
};
use guestlist_api::invite_effects::{
    EffectiveGrant, InviteEffect, InviteEffectRequest, NamedGrant, RiskFlag,
};
use guestlist_api::invite_grants::{
    InviteAcceptance, InviteAcceptanceCollection, InviteOutcome, InviteUndoing, InviteUndone,
};
use guestlist_api::invite_lists::{
    InviteAnswer, InviteChange, InviteCollection, InviteHistory, InviteHolder, InviteMoment,
    InvitePreview, InviteRenewal, InviteResponse, InviteRevocation, InviteRevocations, InviteState,
    InviteSummary, InviteUses, Inviter,
};
use guestlist_api::invite_settings::{ApprovalSettings, InviteSettings, LostAuthority};
use guestlist_api::invite_statistics::{InviteDelays, InviteFunnel, InviteGroup, InviteStatistics};
use guestlist_api::invite_terms::{InviteApproval, InviteGrant, InviteRestrictions, Invitee};
use guestlist_api::invites::ConflictResolutionStrategy;
use guestlist_api::roles::Permission;
use guestlist_api::text::Bounded;
use serde_json::Value;

use super::{Reads, id, invite_statement, links, page, reads, statement, tags, value};

pub(super) fn invitee() -> Invitee {
    Invitee::Email(id("ann@example.com"))
}

pub(super) fn restrictions() -> InviteRestrictions {
    InviteRestrictions {
        email_domains: Bounded::new(vec![id("example.com")]).unwrap(),
        issuer: Some(id("https://login.example")),
        not_before: Some(id("2026-01-02T03:04:05.678Z")),
        max_uses: 5.try_into().unwrap(),
    }
}

pub(super) fn grant() -> Option<InviteGrant> {
    InviteGrant::of(Some(id("P30D")))
}

pub(super) fn approval() -> InviteApproval {
    InviteApproval {
        required: true,
        request_id: Some(id("req_1")),
    }
}

fn summary() -> InviteSummary {
    InviteSummary {
        reference: id("0123456789AB"),
        invite_id: id("0123456789AB"),
        status: InviteState::Declined.into(),
        status_reason: Some("no thanks".to_owned()),
        statements: vec![invite_statement()],
        conflict_resolution_strategy: ConflictResolutionStrategy::default().into(),
        inviter: inviter(),
        created_time: id("2026-01-02T03:04:05.678Z"),
        expiry_time: id("2026-01-02T03:04:05.678Z"),
        responded_time: Some(id("2026-01-02T03:04:05.678Z")),
        last_updated: id("2026-01-02T03:04:05.678Z"),
        invitee: Some(invitee()),
        restrictions: restrictions(),
        grant: grant(),
        approval: Some(approval()),
        uses: InviteUses {
            max: 5,
            accepted: 1,
        },
        linked_user_id: Some(id("user_1")),
        default_login_tenant_id: Some(id("tenant_1")),
        tags: tags(),
        links: links(),
    }
}

fn inviter() -> Inviter {
    Inviter {
        user_id: id("user 1"),
    }
}

fn moment() -> InviteMoment {
    InviteMoment {
        change: InviteChange::Declined,
        time: id("2026-01-02T03:04:05.678Z"),
        user_id: Some(id("user 1")),
        reason: Some(id("no thanks")),
    }
}

fn preview() -> InvitePreview {
    InvitePreview {
        account: AccountReference {
            account_id: id("acc-1"),
        },
        inviter: inviter(),
        expiry_time: id("2026-01-02T03:04:05.678Z"),
        not_before: Some(id("2026-01-02T03:04:05.678Z")),
        invitee: Some("a***@example.com".to_owned()),
        issuer: Some(id("https://login.example")),
        email_domains: vec![id("example.com")],
        default_login_tenant_id: Some(id("tenant_1")),
    }
}

fn effect() -> InviteEffect {
    let permission: Permission = serde_json::from_value(serde_json::json!(
        {"action": "read", "allow": true, "grant": false, "delegate": false}
    ))
    .unwrap();
    let grant = EffectiveGrant {
        resource_uri: id("documents/1"),
        role_id: id("ro_1"),
        permissions: vec![permission],
    };
    InviteEffect {
        user_id: Some(id("user 1")),
        error_code: Some("InviteExpired".to_owned()),
        outcome: InviteOutcome::Replaced.into(),
        record_id: Some(id("rec_1")),
        gains: vec![grant.clone()],
        already_held: vec![grant],
        replaced: vec![NamedGrant {
            resource_uri: id("documents/1"),
            role_id: id("ro_1"),
        }],
        other_users: vec![id("user 2")],
        other_groups: vec![id("grp_1")],
        risk_flags: RiskFlag::ALL.to_vec(),
        approval_required: true,
    }
}

fn acceptance() -> InviteAcceptance {
    InviteAcceptance {
        user_id: id("user 1"),
        time: id("2026-01-02T03:04:05.678Z"),
        outcome: InviteOutcome::Merged.into(),
        record_id: Some(id("rec_1")),
        added: vec![statement()],
        undone_time: Some(id("2026-01-02T03:04:05.678Z")),
    }
}

fn settings() -> InviteSettings {
    InviteSettings {
        lost_authority: LostAuthority::Revoke,
        approval: ApprovalSettings {
            required_for_risk: true,
        },
        last_updated: Some(id("2026-01-02T03:04:05.678Z")),
    }
}

fn statistics() -> InviteStatistics {
    let funnel = InviteFunnel {
        invites: 3,
        people: 4,
        previewed: 2,
        refused: 1,
        accepted: 2,
        accepts: 2,
        by_status: [(InviteState::Accepted, 2), (InviteState::Pending, 1)].into(),
        seconds_to_accept: Some(InviteDelays {
            median: 60,
            ninetieth: 3600,
            longest: 7200,
        }),
    };
    InviteStatistics {
        created_after: id("2026-01-02T03:04:05.678Z"),
        created_before: id("2026-01-03T03:04:05.678Z"),
        total: funnel.clone(),
        groups: vec![InviteGroup {
            name: "example.com".to_owned(),
            funnel,
        }],
        more_groups: true,
        incomplete: true,
    }
}

fn undone() -> InviteUndone {
    InviteUndone {
        user_id: id("user 1"),
        record_id: Some(id("rec_1")),
        taken: vec![statement()],
        kept: vec![statement()],
        record_deleted: true,
    }
}

/// Every answer with all of its members.
fn refusal() -> RowRefusal {
    RowRefusal {
        status: 400,
        error_code: "InvalidRequest".to_owned(),
        title: "InvalidRequest: invitee.email: must have an @".to_owned(),
        path: Some("invitee.email".to_owned()),
    }
}

pub(super) fn refused_row() -> RefusedRow {
    RefusedRow {
        row: 2,
        refusal: refusal(),
    }
}

fn batch() -> InviteBatch {
    let row = BatchRow {
        row: 1,
        outcome: BatchOutcome::Effect(Box::new(effect())),
    };
    InviteBatch {
        mode: BatchMode::BestEffort,
        accepted: 1,
        refused: 0,
        results: vec![row],
    }
}

/// With all that a row can have, of which it has one.
fn whole_batch() -> Value {
    let mut batch = value(batch());
    batch["results"][0]["invite"] = value(super::invite());
    batch["results"][0]["refusal"] = value(refusal());
    batch
}

pub(super) fn answers() -> Vec<(&'static str, Value)> {
    let (pagination, links) = page();
    let invites = InviteCollection {
        invites: vec![summary()],
        pagination,
        links,
    };
    let (pagination, links) = page();
    let acceptances = InviteAcceptanceCollection {
        acceptances: vec![acceptance()],
        pagination,
        links,
    };
    let undoing = InviteUndoing {
        dry_run: true,
        undone: vec![undone()],
        more: true,
        links: super::links(),
    };
    let history = InviteHistory {
        events: vec![moment()],
        links: super::links(),
    };
    vec![
        ("InviteSummary", value(summary())),
        ("InviteCollection", value(invites)),
        ("InviteMoment", value(moment())),
        ("InviteHistory", value(history)),
        ("InvitePreview", value(preview())),
        ("InviteEffect", value(effect())),
        ("InviteBatch", whole_batch()),
        ("InviteAcceptance", value(acceptance())),
        ("InviteAcceptanceCollection", value(acceptances)),
        ("InviteUndone", value(undone())),
        ("InviteUndoing", value(undoing)),
        ("InviteSettings", value(settings())),
        ("InviteStatistics", value(statistics())),
        (
            "InviteRevocations",
            value(InviteRevocations {
                revoked: vec![id("0123456789AB")],
                more: true,
            }),
        ),
    ]
}

/// Answers without any member that may be absent.
pub(super) fn bare_answers() -> Vec<(&'static str, Value)> {
    let summary = InviteSummary {
        status_reason: None,
        responded_time: None,
        invitee: None,
        linked_user_id: None,
        default_login_tenant_id: None,
        grant: None,
        approval: None,
        ..summary()
    };
    let moment = InviteMoment {
        user_id: None,
        reason: None,
        ..moment()
    };
    let preview = InvitePreview {
        not_before: None,
        invitee: None,
        issuer: None,
        email_domains: Vec::new(),
        default_login_tenant_id: None,
        ..preview()
    };
    vec![
        ("InviteSummary", value(summary)),
        ("InviteMoment", value(moment)),
        ("InvitePreview", value(preview)),
        (
            "InviteEffect",
            value(InviteEffect {
                user_id: None,
                error_code: None,
                record_id: None,
                ..effect()
            }),
        ),
    ]
}

/// Every body that is sent, with all of its members.
pub(super) fn requests() -> Vec<(&'static str, Value, Reads)> {
    let random: Vec<u8> = (0..=255).collect();
    let revocation = InviteRevocation {
        inviter_user_id: Some(id("user 1")),
        invitee: Some(invitee()),
        resource_uri: Some(id("documents/1")),
        tag: Some("team=blue".to_owned()),
        reason: Some(id("gone")),
    };
    let response = InviteResponse {
        response: InviteAnswer::Decline,
        reason: Some(id("no thanks")),
    };
    vec![
        (
            "InviteBatchRequest",
            value(InviteBatchRequest {
                mode: BatchMode::Atomic,
                invites: Bounded::new(vec![super::invite_request()]).unwrap(),
            }),
            reads::<InviteBatchRequest>,
        ),
        ("InviteSettings", value(settings()), reads::<InviteSettings>),
        (
            "InviteEffectRequest",
            value(InviteEffectRequest {
                user_id: Some(id("user 1")),
            }),
            reads::<InviteEffectRequest>,
        ),
        (
            "InviteRenewal",
            value(InviteRenewal {
                expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
            }),
            reads::<InviteRenewal>,
        ),
        (
            "InviteRevocation",
            value(revocation),
            reads::<InviteRevocation>,
        ),
        ("InviteResponse", value(response), reads::<InviteResponse>),
        (
            "InviteHolder",
            value(InviteHolder {
                invite_id: InviteSecret::generate(&random).unwrap().into(),
                reason: Some(id("leaked")),
            }),
            reads::<InviteHolder>,
        ),
    ]
}
