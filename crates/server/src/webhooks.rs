//! Webhooks: an extension. How events are delivered is in `webhook_delivery.rs`.

use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guestlist_api::events::{Actor, Event, EventData, EventType, Subject, SubjectKind};
use guestlist_api::ids::{EventId, WebhookId};
use guestlist_api::limits;
use guestlist_api::text::{Bounded, Description, OpenEnum};
use guestlist_api::webhooks::{
    CreatedWebhook, DeliveryCollection, RotatedWebhookSecret, Webhook, WebhookCollection,
    WebhookReplay, WebhookRequest, WebhookSecret,
};
use guestlist_rules::authority::{Ability, holds, require};
use guestlist_rules::changes::{Revision, Seen};
use guestlist_rules::connections::SealedSecret;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::webhooks::{self as rules, StoredWebhook};
use http::StatusCode;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::events::actor_kind;
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::sealing::Sealed;

/// Bytes of a secret: as many as the digest that is made with it (RFC 2104 §3).
const SECRET: usize = SHA256_OUTPUT_LEN;

/// POST `/v1/webhooks`.
pub async fn create_webhook(ask: Ask<'_>, request: WebhookRequest) -> Result<Answer, Refusal> {
    let id: &WebhookId = &ask.app.fresh_id("whk_")?;
    let (secret, sealed) = fresh_secret(ask, id)?;
    let (request, sealed) = (&request, &sealed);
    let webhook = ask
        .change(|| async move {
            let (others, newest) = (ask.app.webhooks.len(), ask.app.revision());
            let decided = ask.decide(|facts| {
                rules::create(facts, id.clone(), request, sealed.clone(), others, newest)
            })?;
            check_url(ask, request)?;
            Ok(Decided::Change(decided.0, decided.1))
        })
        .await?;
    let created = CreatedWebhook {
        webhook: answer(webhook)?,
        secret,
    };
    Answer::json(StatusCode::CREATED, &created).map_err(Refusal::from)
}

/// What leads inside is refused here, so that whoever writes it learns of it; and once more at each
/// connection, when its name has become an address. After the decision: a stranger does not learn
/// what may be reached from here.
fn check_url(ask: Ask<'_>, request: &WebhookRequest) -> Result<(), Refusal> {
    let checked = ask.app.webhooks.outgoing().check(request.url.as_str());
    checked
        .map(drop)
        .map_err(|reason| Refusal::malformed("url", reason))
}

/// A new secret, and what is stored of it.
fn fresh_secret(ask: Ask<'_>, id: &WebhookId) -> Result<(WebhookSecret, SealedSecret), Refusal> {
    let app = ask.app;
    let bytes: Zeroizing<[u8; SECRET]> = Zeroizing::new(app.entropy.bytes()?);
    let text = Zeroizing::new(format!("whsec_{}", STANDARD.encode(bytes.as_slice())));
    let sealed = app
        .sealing_key
        .seal(Sealed::WebhookSecret, id.as_str(), &text, &app.entropy)?;
    let secret = text
        .parse()
        .map_err(|reason| Refusal::malformed("secret", reason))?;
    Ok((secret, SealedSecret(sealed)))
}

/// GET `/v1/webhooks`: those the caller may read.
pub async fn get_webhooks(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "webhooks", limits::LARGE_PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |webhook: &StoredWebhook| {
            let readable = ask.decide(|facts| {
                let ability = Ability::ReadWebhook(&webhook.webhook_id);
                Ok(holds(facts.grants, facts.who(), ability).is_some())
            });
            let description = webhook.description.as_ref();
            let texts = [
                Some(webhook.webhook_id.as_str()),
                Some(webhook.url.as_str()),
                description.map(Description::as_str),
            ];
            readable.unwrap_or(false) && contains(filter, texts.into_iter().flatten())
        })
        .await?;
    let webhooks = found.into_iter().map(|seen| answer(seen.value));
    let webhooks = webhooks.collect::<Result<_, _>>()?;
    let (pagination, links) = listing.page(ask, "/v1/webhooks", next)?;
    let page = WebhookCollection {
        webhooks,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// GET `/v1/webhooks/{webhookId}`.
pub async fn get_webhook(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadWebhook(&id)))?;
    let webhook = see(ask, &id).await?;
    Answer::json(StatusCode::OK, &answer(webhook)?).map_err(Refusal::from)
}

/// PUT `/v1/webhooks/{webhookId}`.
pub async fn update_webhook(
    ask: Ask<'_>,
    id: &str,
    request: WebhookRequest,
) -> Result<Answer, Refusal> {
    let (id, request) = (&parse(id)?, &request);
    let webhook = ask
        .change(|| async move {
            let existing = ask.see(id.as_str()).await?;
            let decided =
                ask.decide(|facts| rules::update(facts, id, request, existing.as_ref()))?;
            check_url(ask, request)?;
            Ok(Decided::Change(decided.0, decided.1))
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(webhook)?).map_err(Refusal::from)
}

/// DELETE `/v1/webhooks/{webhookId}`.
pub async fn delete_webhook(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// POST `/v1/webhooks/{webhookId}/secret`: another secret, which is answered this once.
pub async fn rotate_webhook_secret(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let (secret, sealed) = fresh_secret(ask, id)?;
    let sealed = &sealed;
    let previous_secret_expires = ask
        .change(|| async move {
            let existing = ask.see(id.as_str()).await?;
            let decided = ask.decide(|facts| rules::rotate(facts, id, sealed, existing.as_ref()));
            decided.map(|(changes, until)| Decided::Change(changes, until))
        })
        .await?;
    let rotated = RotatedWebhookSecret {
        secret,
        previous_secret_expires,
    };
    Answer::json(StatusCode::CREATED, &rotated).map_err(Refusal::from)
}

/// GET `/v1/webhooks/{webhookId}/deliveries`: the last attempts, and how far it is.
pub fn get_webhook_deliveries(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadWebhook(&id)))?;
    let hook = ask.app.webhooks.get(&id);
    let progress = hook
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Webhook)))?
        .progressed();
    let answer = DeliveryCollection {
        deliveries: progress.deliveries.into_iter().rev().collect(),
        delivered_revision: progress.delivered.0,
        last_revision: ask.app.revision().0,
    };
    Answer::json(StatusCode::OK, &answer).map_err(Refusal::from)
}

/// POST `/v1/webhooks/{webhookId}/replay`: sends events from another revision on.
pub async fn replay_webhook(
    ask: Ask<'_>,
    id: &str,
    request: WebhookReplay,
) -> Result<Answer, Refusal> {
    let (id, after) = (&parse(id)?, Revision(request.after));
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let newest = ask.app.revision();
        let changes =
            ask.decide(|facts| rules::replay(facts, id, after, newest, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// POST `/v1/webhooks/{webhookId}/test`: sends an event that is not in the log, enabled or not, and
/// answers what became of it.
pub async fn test_webhook(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::UpdateWebhook(&id)))?;
    let webhook = see(ask, &id).await?;
    let hook = ask.app.webhooks.get(&id);
    let hook = hook.ok_or(Refusal::Rule(Rule::NotFound(Noun::Webhook)))?;
    let actor = ask.caller.user_id.clone();
    let event = Event {
        revision: 0,
        event_id: EventId::from_digest(ask.app.entropy.bytes()?),
        event_type: EventType::WebhookTested,
        event_time: ask.now,
        actor: Actor {
            kind: actor_kind(&actor),
            id: actor,
        },
        subject: Subject {
            kind: SubjectKind::Webhook,
            id: id.into_string(),
        },
        request_id: Some(ask.request_id.to_owned()),
        data: EventData::default(),
        hash: None,
    };
    let delivery = hook.test(ask.app, &webhook, &event).await;
    let delivery = delivery.ok_or(Refusal::Busy)?;
    Answer::json(StatusCode::OK, &delivery).map_err(Refusal::from)
}

async fn see(ask: Ask<'_>, id: &WebhookId) -> Result<StoredWebhook, Refusal> {
    let seen: Option<Seen<StoredWebhook>> = ask.see(id.as_str()).await?;
    seen.map(|seen| seen.value)
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Webhook)))
}

/// An id that no webhook can have is the id of no webhook.
fn parse(id: &str) -> Result<WebhookId, Refusal> {
    id.parse().map_err(|_| Rule::NotFound(Noun::Webhook).into())
}

/// The webhook without its secrets.
fn answer(webhook: StoredWebhook) -> Result<Webhook, Refusal> {
    let event_types = Bounded::new(webhook.event_types)
        .map_err(|reason| Refusal::malformed("eventTypes", reason))?;
    Ok(Webhook {
        webhook_id: webhook.webhook_id,
        url: webhook.url,
        event_types,
        format: webhook.format.into(),
        enabled: webhook.enabled,
        disabled_reason: webhook.disabled_reason.map(OpenEnum::from),
        description: webhook.description,
        created_time: webhook.created_time,
        last_updated: webhook.last_updated,
    })
}
