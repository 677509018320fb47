//! The event log as a feed that is polled: an extension.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use guestlist_api::chain::ChainHash;
use guestlist_api::events::{
    Actor, ActorKind, Event, EventCollection, EventData, EventType, Subject, SubjectKind,
};
use guestlist_api::ids::{AccountId, EventId, UserId};
use guestlist_api::limits;
use guestlist_api::times::Timestamp;
use guestlist_rules::authority::{Ability, require_plainly};
use guestlist_rules::changes::{Event as StoredEvent, Revision, published};
use guestlist_store::{Logged, StoreError};
use http::{HeaderMap, StatusCode};

use crate::answer::Answer;
use crate::ask::Ask;
use crate::listing::given;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::startup::SERVICE;

/// What is asked for.
struct Asked {
    after: Revision,
    limit: usize,
    wait: Duration,
}

impl Asked {
    fn read(query: &Query<'_>) -> Result<Self, Refusal> {
        let number = |name: &str, reason: &str| {
            given(query, name)?
                .map(|text| text.parse::<u64>())
                .transpose()
                .map_err(|_| Refusal::malformed(name, reason))
        };
        let after = number("after", "must be a revision: a number from 0 on")?;
        let most = limits::EVENTS;
        let reason = format!("must be 1 to {most}");
        let limit = match number("limit", &reason)? {
            None => limits::EVENTS_UNLESS_SAID,
            Some(0) => return Err(Refusal::malformed("limit", reason)),
            Some(limit) => usize::try_from(limit).unwrap_or(most).min(most),
        };
        let longest = limits::EVENTS_WAIT;
        let wait = number("wait", &format!("must be 0 to {longest} seconds"))?;
        Ok(Self {
            after: Revision(after.unwrap_or_default()),
            limit,
            wait: Duration::from_secs(wait.unwrap_or_default().min(longest)),
        })
    }
}

/// GET `/v1/events`: what came after a revision, for whoever may read the log.
///
/// What is answered the server has taken in already: who reads of a change and then asks for
/// something gets an answer that knows of it.
pub async fn get_events(
    ask: Ask<'_>,
    query: &Query<'_>,
    headers: &HeaderMap,
) -> Result<Answer, Refusal> {
    let asked = Asked::read(query)?;
    may_read(ask)?;
    let app = ask.app;
    if app.revision() == asked.after && !asked.wait.is_zero() {
        let who = &ask.caller.user_id;
        app.wait_for_change(who, asked.after, asked.wait).await;
        // What counts is the moment of the answer: meanwhile the credential may have ended, or the
        // right to read been taken away.
        if app.is_behind() {
            return Err(StoreError::Stopped.into());
        }
        let caller = app.callers.identify(headers).await;
        let caller = &caller.map_err(Refusal::NotIdentified)?;
        may_read(Ask { caller, ..ask })?;
    }
    let last = app.revision();
    let mut logged = Vec::new();
    if asked.after < last {
        logged = app.store.events_after(asked.after, asked.limit).await?;
        logged.retain(|line| line.revision <= last);
    }
    let last_hash = hash_of(ask, last, &logged).await?;
    let events = logged
        .into_iter()
        .map(|line| event(ask.account_id(), line))
        .collect::<Result<_, _>>()?;
    let page = EventCollection {
        events,
        last_revision: last.0,
        last_hash: Some(last_hash),
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// The hash of a revision, which is the last of a page where the page comes so far.
async fn hash_of(
    ask: Ask<'_>,
    revision: Revision,
    page: &[Logged],
) -> Result<ChainHash, StoreError> {
    let Some(before) = revision.0.checked_sub(1) else {
        return Ok(ChainHash::START);
    };
    let of = |lines: &[Logged]| {
        let line = lines.last().filter(|line| line.revision == revision)?;
        Some(line.hash)
    };
    if let Some(hash) = of(page) {
        return Ok(hash);
    }
    let read = ask.app.store.events_after(Revision(before), 1).await?;
    of(&read).ok_or_else(|| StoreError::Damaged(format!("revision {revision} is not in the log")))
}

fn may_read(ask: Ask<'_>) -> Result<(), Refusal> {
    ask.decide(|facts| require_plainly(facts, Ability::ReadEvents))
        .map(drop)
}

/// A line of the log as the wire has it.
pub(crate) fn event(account: &AccountId, line: Logged) -> Result<Event, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("event {}: {what}", line.revision));
    let event_id = event_id(account, line.revision, &line.event);
    let subject = line.event.published_subject();
    let (noun, id) = subject.ok_or_else(|| damaged("its subject has no id"))?;
    let subject = Subject {
        kind: SubjectKind::from(noun),
        id: id.to_owned(),
    };
    let StoredEvent {
        kind,
        time,
        actor,
        request_id,
        subject: _,
        data,
    } = line.event;
    let actor: UserId = actor.parse().map_err(|_| damaged("its actor is no id"))?;
    Ok(Event {
        revision: line.revision.0,
        event_id,
        event_type: EventType::from(published(&kind)),
        event_time: Timestamp::from_milliseconds(time),
        actor: Actor {
            kind: actor_kind(&actor),
            id: actor,
        },
        subject,
        request_id: (!request_id.is_empty()).then_some(request_id),
        data: EventData::of(&data).map_err(|_| damaged("its details are no object"))?,
        hash: Some(line.hash),
    })
}

/// No token of a person makes an id that reads like a service client's or like the server's own.
pub(crate) fn actor_kind(actor: &UserId) -> ActorKind {
    if actor.as_str() == SERVICE {
        ActorKind::Service
    } else if actor.principal().starts_with("sc_") {
        ActorKind::Client
    } else {
        ActorKind::User
    }
}

/// Made from what the log holds, so that it needs no room there. Not from the revision alone: a
/// server that was restored from a backup uses revisions again, for other changes.
fn event_id(account: &AccountId, revision: Revision, event: &StoredEvent) -> EventId {
    let mut context = Context::new(&SHA256);
    let (revision, time) = (revision.to_string(), event.time.to_string());
    for part in [
        account.as_str(),
        &revision,
        &time,
        &event.kind,
        &event.actor,
        &event.request_id,
        &event.subject,
    ] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    let mut first = [0; 16];
    for (place, byte) in first.iter_mut().zip(digest.as_ref()) {
        *place = *byte;
    }
    EventId::from_digest(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Logged {
        Logged {
            revision: Revision(7),
            event: StoredEvent {
                kind: "access-record.updated".to_owned(),
                time: 1_767_323_045_678,
                actor: "alice".to_owned(),
                request_id: "request-1".to_owned(),
                subject: "access-record/rec_1".to_owned(),
                data: serde_json::json!({}),
            },
            touched: Vec::new(),
            hash: ChainHash::START,
        }
    }

    fn id_of(account: &str, change: impl FnOnce(&mut Logged)) -> EventId {
        let mut line = line();
        change(&mut line);
        event(&account.parse().unwrap(), line).unwrap().event_id
    }

    #[test]
    fn an_event_keeps_its_id_and_no_other_has_it() {
        // Written down: ids must not change with a new version.
        let id = id_of("acc-1", |_| {});
        assert_eq!(id.as_str(), "evt_f726e488bfe1036e14318395a04aede4");
        let others = [
            id_of("acc-2", |_| {}),
            id_of("acc-1", |line| line.revision.0 += 1),
            id_of("acc-1", |line| line.event.time += 1),
            id_of("acc-1", |line| line.event.kind.push('x')),
            id_of("acc-1", |line| line.event.actor.push('x')),
            id_of("acc-1", |line| line.event.request_id.push('x')),
            id_of("acc-1", |line| line.event.subject.push('x')),
            id_of("acc-1", |line| {
                line.event.actor.push('r');
                line.event.request_id.remove(0);
            }),
        ];
        for (number, other) in others.iter().enumerate() {
            assert!(
                *other != id && !others[..number].contains(other),
                "{number}"
            );
        }
    }

    #[test]
    fn records_have_their_published_name() {
        let event = event(&"acc-1".parse().unwrap(), line()).unwrap();
        assert_eq!(event.event_type, EventType::RecordUpdated);
        assert_eq!(event.subject.kind, SubjectKind::Record);
        assert_eq!(published("access-records.x"), "access-records.x");
        assert_eq!(published("invite.created"), "invite.created");
    }

    #[test]
    fn what_is_hashed_can_be_computed_from_what_is_answered() {
        let changes: [fn(&mut StoredEvent); 6] = [
            |_| {},
            |stored| stored.subject = "access-records/a/b".to_owned(),
            |stored| stored.request_id = String::new(),
            |stored| stored.time = i64::MAX,
            |stored| stored.data = serde_json::Value::Null,
            |stored| {
                stored.data =
                    serde_json::json!({"z": 1.5e300, "a": [0.1, null, "\u{1}\u{e9}"], "": {}});
            },
        ];
        for change in changes {
            let mut line = line();
            change(&mut line.event);
            let stored = line.event.canonical();
            let answered = event(&"acc-1".parse().unwrap(), line).unwrap();
            let text = serde_json::to_string(&answered).unwrap();
            let read: Event = serde_json::from_str(&text).unwrap();
            assert_eq!(read.canonical(), stored, "{text}");
        }
    }

    #[test]
    fn actors_are_told_apart() {
        for (actor, kind) in [
            ("alice", ActorKind::User),
            ("sc_1", ActorKind::Client),
            ("Authress:ServiceClients/sc_1", ActorKind::Client),
            (SERVICE, ActorKind::Service),
        ] {
            assert_eq!(actor_kind(&actor.parse().unwrap()), kind, "{actor}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_not_passed_over() {
        let broken: [fn(&mut Logged); 3] = [
            |line| line.event.actor = " ".to_owned(),
            |line| line.event.subject = "record".to_owned(),
            |line| line.event.data = serde_json::json!([1]),
        ];
        for change in broken {
            let mut line = line();
            change(&mut line);
            let outcome = event(&"acc-1".parse().unwrap(), line);
            assert!(matches!(outcome, Err(StoreError::Damaged(_))));
        }
    }
}
