//! Webhooks: who may have events sent somewhere, and what is kept of what was sent.

use std::collections::VecDeque;

use guestlist_api::ids::{UserId, WebhookId};
use guestlist_api::limits;
use guestlist_api::text::Description;
use guestlist_api::times::Timestamp;
use guestlist_api::webhooks::{
    Delivery, DisabledReason, EventPattern, WebhookFormat, WebhookRequest, WebhookUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, require, require_plainly};
use crate::changes::{Changes, Event, Expect, Kind, Mark, Revision, Seen, Stored, Unreadable};
use crate::connections::SealedSecret;
use crate::facts::Facts;
use crate::refusals::{Noun, Refusal};

/// Secrets that sign at once: the newest and those it took the place of within a day.
const SECRETS: usize = 3;

/// A webhook as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredWebhook {
    pub webhook_id: WebhookId,
    pub url: WebhookUrl,
    pub event_types: Vec<EventPattern>,
    #[serde(default)]
    pub format: WebhookFormat,
    pub enabled: bool,
    #[serde(default)]
    pub disabled_reason: Option<DisabledReason>,
    #[serde(default)]
    pub description: Option<Description>,
    /// Newest first.
    pub secrets: Vec<StoredSecret>,
    pub start: Start,
    pub created_time: Timestamp,
    pub created_by: UserId,
    pub last_updated: Timestamp,
}

/// A secret of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSecret {
    /// Encrypted under a key that is not in the store, for this webhook alone.
    pub sealed: SealedSecret,
    /// When it signs no more; absent for the newest.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// From where on events are sent. It belongs to the webhook and not to its progress, which only the
/// delivery writes: so neither ever overwrites the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub after: Revision,
    /// Counts how often it was said, so that the same place twice is noticed.
    pub number: u64,
}

/// How far the events of a webhook are delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredProgress {
    pub webhook_id: WebhookId,
    /// Which [`Start`] it counts from.
    pub start: u64,
    /// All up to here is delivered, or was not to be sent.
    pub delivered: Revision,
    /// The event after that, if it failed before.
    #[serde(default)]
    pub failing: Option<Failing>,
    /// The last attempts, oldest first.
    #[serde(default)]
    pub deliveries: VecDeque<Delivery>,
}

/// An event that could not be delivered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failing {
    pub revision: Revision,
    pub since: Timestamp,
    pub attempts: u32,
}

impl Stored for StoredWebhook {
    const KIND: Kind = Kind::Webhook;

    fn id(&self) -> String {
        self.webhook_id.to_string()
    }
}

impl Stored for StoredProgress {
    const KIND: Kind = Kind::WebhookProgress;

    fn id(&self) -> String {
        self.webhook_id.to_string()
    }
}

impl StoredWebhook {
    /// Whether an event of this type, with these details, is sent.
    ///
    /// Who asked for invites that are made is told of those that are made together, too.
    pub fn wants(&self, event_type: &str, data: &serde_json::Value) -> bool {
        let patterns = &self.event_types;
        let made_together = event_type == "invite.batch-created";
        let is_meant = patterns.is_empty()
            || patterns.iter().any(|pattern| {
                pattern.matches(event_type) || (made_together && pattern.matches("invite.created"))
            });
        is_meant
            && match self.format {
                WebhookFormat::Event => true,
                WebhookFormat::AccessChanged => data.get("access").is_some(),
            }
    }

    /// The secrets that sign at this moment, newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
        self.secrets
            .iter()
            .filter(move |secret| secret.until.is_none_or(|until| now < until))
            .map(|secret| &secret.sealed)
    }
}

impl StoredProgress {
    /// That of a webhook which has sent nothing from its start on.
    pub fn at_start(webhook: &StoredWebhook) -> Self {
        Self {
            webhook_id: webhook.webhook_id.clone(),
            start: webhook.start.number,
            delivered: webhook.start.after,
            failing: None,
            deliveries: VecDeque::new(),
        }
    }

    /// Remembers an attempt, and forgets the oldest of too many.
    pub fn remember(&mut self, delivery: Delivery) {
        while self.deliveries.len() >= limits::WEBHOOK_DELIVERIES {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(delivery);
    }
}

fn subject(webhook: &WebhookId) -> String {
    format!("webhook/{webhook}")
}

/// Makes a webhook. `others` is how many there are; two that are made at once may pass the limit by
/// one, which harms nobody. `newest` is the newest revision: it begins with what comes after it.
pub fn create(
    facts: Facts<'_>,
    webhook_id: WebhookId,
    request: &WebhookRequest,
    sealed: SealedSecret,
    others: usize,
    newest: Revision,
) -> Result<(Changes, StoredWebhook), Refusal> {
    let basis = require_plainly(facts, Ability::CreateWebhook)?;
    let reading = require_plainly(facts, Ability::ReadEvents)?;
    check(request)?;
    if others >= limits::WEBHOOKS {
        return Err(Refusal::TooManyWebhooks);
    }
    let webhook = StoredWebhook {
        webhook_id,
        url: request.url.clone(),
        event_types: request.event_types.to_vec(),
        format: request.format.unwrap_or_default(),
        enabled: request.enabled.unwrap_or(true),
        disabled_reason: None,
        description: request.description.clone(),
        secrets: vec![StoredSecret {
            sealed,
            until: None,
        }],
        start: Start {
            after: newest,
            number: 1,
        },
        created_time: facts.now,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    };
    let mut changes = facts.changes("webhook.created", subject(&webhook.webhook_id), json!({}));
    changes.expect.extend(basis);
    rely(&mut changes, reading);
    changes.create(&webhook)?;
    Ok((changes, webhook))
}

/// A type that this version does not have is a mistake: nothing would ever be sent for it.
fn check(request: &WebhookRequest) -> Result<(), Refusal> {
    let unknown = request
        .event_types
        .iter()
        .position(|pattern| !pattern.is_known());
    match unknown {
        None => Ok(()),
        Some(place) => Err(Refusal::invalid(
            format!("eventTypes[{place}]"),
            "must be a type of event that is sent, as in docs/API.md, or all of a noun (invite.*)",
        )),
    }
}

fn rely(changes: &mut Changes, basis: Basis) {
    for (kind, id, expect) in basis {
        changes.rely_on(kind, id, expect);
    }
}

/// Replaces what is said of a webhook. Who has events sent that were not sent there before must be
/// able to read them.
pub fn update(
    facts: Facts<'_>,
    webhook_id: &WebhookId,
    request: &WebhookRequest,
    existing: Option<&Seen<StoredWebhook>>,
) -> Result<(Changes, StoredWebhook), Refusal> {
    let basis = require(facts, Ability::UpdateWebhook(webhook_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Webhook))?;
    check(request)?;
    let before = &seen.value;
    let enabled = request.enabled.unwrap_or(before.enabled);
    let webhook = StoredWebhook {
        url: request.url.clone(),
        event_types: request.event_types.to_vec(),
        format: request.format.unwrap_or(before.format),
        enabled,
        disabled_reason: before.disabled_reason.filter(|_| !enabled),
        description: request.description.clone(),
        ..before.clone()
    };
    let sends_more = webhook.url != before.url
        || webhook.event_types != before.event_types
        || webhook.format != before.format
        || (enabled && !before.enabled);
    let reading = if sends_more {
        require_plainly(facts, Ability::ReadEvents)?
    } else {
        Basis::new()
    };
    let mut changes = changed(facts, "webhook.updated", seen, webhook)?;
    rely(&mut changes.0, basis);
    rely(&mut changes.0, reading);
    Ok(changes)
}

/// The change that puts `webhook` in the place of what was seen.
fn changed(
    facts: Facts<'_>,
    event: &str,
    seen: &Seen<StoredWebhook>,
    webhook: StoredWebhook,
) -> Result<(Changes, StoredWebhook), Refusal> {
    let webhook = StoredWebhook {
        last_updated: facts.now.max(seen.value.last_updated.plus(1)),
        ..webhook
    };
    let mut changes = facts.changes(event, subject(&webhook.webhook_id), json!({}));
    changes.replace(seen.mark, &webhook)?;
    Ok((changes, webhook))
}

/// Gives a webhook another secret. The one before it signs beside it for a day.
pub fn rotate(
    facts: Facts<'_>,
    webhook_id: &WebhookId,
    sealed: &SealedSecret,
    existing: Option<&Seen<StoredWebhook>>,
) -> Result<(Changes, Timestamp), Refusal> {
    let basis = require(facts, Ability::UpdateWebhook(webhook_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Webhook))?;
    let until = facts.now.plus(limits::WEBHOOK_SECRET_OVERLAP);
    let newest = StoredSecret {
        sealed: sealed.clone(),
        until: None,
    };
    let older = seen.value.secrets.iter().filter_map(|secret| {
        let until = secret.until.unwrap_or(until);
        (facts.now < until).then(|| StoredSecret {
            sealed: secret.sealed.clone(),
            until: Some(until),
        })
    });
    let webhook = StoredWebhook {
        secrets: [newest].into_iter().chain(older).take(SECRETS).collect(),
        ..seen.value.clone()
    };
    let (mut changes, _) = changed(facts, "webhook.secret-rotated", seen, webhook)?;
    rely(&mut changes, basis);
    Ok((changes, until))
}

/// Sends events from another place on, again or not at all. `newest` is the newest revision.
pub fn replay(
    facts: Facts<'_>,
    webhook_id: &WebhookId,
    after: Revision,
    newest: Revision,
    existing: Option<&Seen<StoredWebhook>>,
) -> Result<Changes, Refusal> {
    let basis = require(facts, Ability::UpdateWebhook(webhook_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Webhook))?;
    let reading = require_plainly(facts, Ability::ReadEvents)?;
    if after > newest {
        return Err(Refusal::invalid(
            "after",
            format!("must not be after the newest revision, {newest}"),
        ));
    }
    let start = Start {
        after,
        number: seen.value.start.number.saturating_add(1),
    };
    let webhook = StoredWebhook {
        start,
        ..seen.value.clone()
    };
    let (mut changes, _) = changed(facts, "webhook.replayed", seen, webhook)?;
    rely(&mut changes, basis);
    rely(&mut changes, reading);
    changes.event.data = json!({ "after": after });
    Ok(changes)
}

/// Deletes a webhook, its secrets, and what was kept of its deliveries.
pub fn delete(
    facts: Facts<'_>,
    webhook_id: &WebhookId,
    existing: Option<&Seen<StoredWebhook>>,
) -> Result<Changes, Refusal> {
    let basis = require(facts, Ability::UpdateWebhook(webhook_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Webhook))?;
    let mut changes = facts.changes("webhook.deleted", subject(webhook_id), json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    // Whatever it is by now, and also if there is none: the delivery writes it only beside a
    // webhook that is there.
    changes
        .delete
        .push((Kind::WebhookProgress, webhook_id.to_string()));
    Ok(changes)
}

/// What the server itself writes of its deliveries.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// As whom the server acts.
    pub actor: &'a str,
    pub now: Timestamp,
    /// The webhook as it was when events were sent for it.
    pub webhook: &'a Seen<StoredWebhook>,
    pub progress: &'a StoredProgress,
    /// As it was last written; `None` if it never was.
    pub mark: Option<Mark>,
}

impl Writing<'_> {
    fn changes(self, event: &str, data: serde_json::Value) -> Result<Changes, Unreadable> {
        let mut changes = Changes::new(Event {
            kind: event.to_owned(),
            time: self.now.milliseconds(),
            actor: self.actor.to_owned(),
            request_id: String::new(),
            subject: subject(&self.webhook.value.webhook_id),
            data,
        });
        match self.mark {
            Some(mark) => changes.replace(mark, self.progress)?,
            None => changes.create(self.progress)?,
        }
        Ok(changes)
    }

    /// How far it got. Nothing is kept of a webhook that is gone or is another by now.
    pub fn progressed(self) -> Result<Changes, Unreadable> {
        let data = json!({ "delivered": self.progress.delivered });
        let mut changes = self.changes("webhook.progressed", data)?;
        let id = self.webhook.value.id();
        changes.rely_on(Kind::Webhook, id, Expect::At(self.webhook.mark));
        Ok(changes)
    }

    /// That nothing is sent any more, and why.
    pub fn disabled(self, reason: DisabledReason) -> Result<Changes, Unreadable> {
        let before = &self.webhook.value;
        let webhook = StoredWebhook {
            enabled: false,
            disabled_reason: Some(reason),
            last_updated: self.now.max(before.last_updated.plus(1)),
            ..before.clone()
        };
        let mut changes = self.changes("webhook.disabled", json!({ "reason": reason }))?;
        changes.replace(self.webhook.mark, &webhook)?;
        Ok(changes)
    }
}
