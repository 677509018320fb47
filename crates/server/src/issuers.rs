//! The keys of linked issuers: found by OpenID Connect discovery, kept, and fetched again in time.
//!
//! - A key that an issuer removes is refused at most five minutes later; keys of an issuer that
//!   does not answer are kept for a day.
//! - A key id that is not known makes at most one fetch in 30 seconds for an issuer, however many
//!   such tokens come, and also when the answer was useless.
//! - One fetch at a time for an issuer. It runs in a task of its own, so that a caller who goes
//!   away does not break it off.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guestlist_api::times::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::jwks::{Keys, NotAKeySet, Unusable};
use crate::outgoing::{NotAllowed, Outgoing, OutgoingError};
use crate::tokens::VerifyingKey;

/// Milliseconds after which keys are fetched again while the former ones are still in use.
const RENEW: i64 = 4 * 60 * 1000;
/// Milliseconds for which keys are used without asking the issuer again.
const FRESH: i64 = 5 * 60 * 1000;
/// Milliseconds for which keys are used when the issuer does not answer.
const KEPT: i64 = 24 * 60 * 60 * 1000;
/// Milliseconds between the starts of two fetches.
const PAUSE: i64 = 30 * 1000;
/// Bytes of the URL of a key set.
const LONGEST_URL: usize = 2048;
/// Issuers whose keys are kept.
const MOST_ISSUERS: usize = 1000;

/// The keys of all issuers.
#[derive(Clone)]
pub struct Issuers(Arc<Inner>);

struct Inner {
    outgoing: Outgoing,
    clock: Clock,
    issuers: Mutex<HashMap<String, Arc<Issuer>>>,
}

struct Issuer {
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fetched: Option<Fetched>,
    last_start: Option<Timestamp>,
    /// Whether the last fetch that ended brought no keys.
    failed: bool,
    /// Closed when the running fetch ends, however it ends.
    running: Option<watch::Receiver<()>>,
}

struct Fetched {
    keys: Keys,
    time: Timestamp,
}

/// A key of an issuer.
#[derive(Debug, Clone)]
pub struct FoundKey {
    pub key: Arc<VerifyingKey>,
    /// When to ask again whether it is still a key of the issuer.
    pub recheck: Timestamp,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    #[error("the issuer has no such key")]
    Unknown,
    #[error("the keys of the issuer could not be fetched")]
    Unreachable,
}

/// What to do about a key that is asked for.
enum Step {
    Use(FoundKey),
    Refuse(NoKey),
    Wait(watch::Receiver<()>),
}

impl Issuers {
    pub fn new(outgoing: Outgoing, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            outgoing,
            clock,
            issuers: Mutex::default(),
        }))
    }

    /// Whether the name can be that of an issuer whose keys may be fetched: a URL without query
    /// and fragment (OpenID Connect Core §2), of a place that may be reached.
    pub fn check(&self, issuer: &str) -> Result<(), NotAllowed> {
        let url = self.0.outgoing.check(issuer)?;
        match url.query() {
            None => Ok(()),
            Some(_) => Err(NotAllowed::Parts),
        }
    }

    /// The key of an issuer. Waits for a fetch (at most two requests of five seconds) if the key is
    /// not known or was not heard of for too long. Must be called within a tokio runtime, and only
    /// for issuers that are linked or that an administrator names.
    pub async fn key(&self, issuer: &str, key_id: &str) -> Result<FoundKey, NoKey> {
        let issuer = self.issuer(issuer);
        let mut running = match self.step(&issuer, key_id, true) {
            Step::Use(found) => return Ok(found),
            Step::Refuse(reason) => return Err(reason),
            Step::Wait(running) => running,
        };
        // Nothing is ever sent: this ends when the sender is dropped.
        while running.changed().await.is_ok() {}
        match self.step(&issuer, key_id, false) {
            Step::Use(found) => Ok(found),
            Step::Refuse(reason) => Err(reason),
            Step::Wait(_) => Err(NoKey::Unreachable),
        }
    }

    fn issuer(&self, name: &str) -> Arc<Issuer> {
        let issuers = &self.0.issuers;
        let mut issuers = issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issuer) = issuers.get(name) {
            return issuer.clone();
        }
        if issuers.len() >= MOST_ISSUERS {
            let any = issuers.keys().next().cloned();
            any.and_then(|any| issuers.remove(&any));
        }
        let issuer = Arc::new(Issuer {
            name: name.to_owned(),
            state: Mutex::default(),
        });
        issuers.insert(name.to_owned(), issuer.clone());
        issuer
    }

    fn step(&self, issuer: &Arc<Issuer>, key_id: &str, may_wait: bool) -> Step {
        let now = self.0.clock.now();
        let mut state = issuer.state();
        let found = state.find(key_id, now);
        if found.as_ref().is_some_and(|(_, age)| *age < RENEW) {
            return state.answer(found, now);
        }
        if state.may_fetch(now) {
            self.start(issuer, &mut state, now);
        }
        let overdue = found.as_ref().is_none_or(|(_, age)| *age >= FRESH);
        // The keys of an issuer that does not answer are used without waiting for it each time.
        let worth_waiting = overdue && (found.is_none() || !state.failed);
        match &state.running {
            Some(running) if may_wait && worth_waiting => Step::Wait(running.clone()),
            Some(_) | None => state.answer(found, now),
        }
    }

    fn start(&self, issuer: &Arc<Issuer>, state: &mut State, now: Timestamp) {
        let (ends, running) = watch::channel(());
        state.running = Some(running);
        state.last_start = Some(now);
        let issuer = issuer.clone();
        let outgoing = self.0.outgoing.clone();
        tokio::spawn(async move {
            let result = fetch(&outgoing, &issuer.name).await;
            if let Err(error) = &result {
                tracing::warn!(
                    issuer = issuer.name,
                    reason = %error,
                    "the keys of an issuer could not be fetched"
                );
            }
            issuer.state().finish(result, now);
            drop(ends);
        });
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Issuers(…)")
    }
}

impl Issuer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The key and the age of what is known; nothing that is too old. A clock that was set back
    /// makes things old.
    fn find(&self, key_id: &str, now: Timestamp) -> Option<(Arc<VerifyingKey>, i64)> {
        let fetched = self.fetched.as_ref()?;
        let age = match now.milliseconds() - fetched.time.milliseconds() {
            age @ 0.. => age,
            _ => FRESH,
        };
        let key = fetched.keys.get(key_id)?;
        (age < KEPT).then(|| (key.clone(), age))
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        let running = self.running.as_ref();
        let is_running = running.is_some_and(|running| running.has_changed().is_ok());
        let since = |start: Timestamp| now.milliseconds() - start.milliseconds();
        let paused = self
            .last_start
            .is_some_and(|start| (0..PAUSE).contains(&since(start)));
        !is_running && !paused
    }

    fn answer(&self, found: Option<(Arc<VerifyingKey>, i64)>, now: Timestamp) -> Step {
        match found {
            Some((key, age)) => Step::Use(FoundKey {
                key,
                recheck: now.plus(if age < FRESH { FRESH - age } else { PAUSE }),
            }),
            None if self.failed => Step::Refuse(NoKey::Unreachable),
            None => Step::Refuse(NoKey::Unknown),
        }
    }

    fn finish(&mut self, result: Result<Keys, NotFetched>, started: Timestamp) {
        self.running = None;
        self.failed = result.is_err();
        if let Ok(keys) = result {
            self.fetched = Some(Fetched {
                keys,
                time: started,
            });
        }
    }
}

/// Why a fetch brought no keys. URLs may come from outside, so they are printed escaped.
#[derive(Debug, thiserror::Error)]
enum NotFetched {
    #[error("{0:?} answered with status {1}")]
    Status(String, u16),
    #[error("{0:?}: {1}")]
    Outgoing(String, #[source] OutgoingError),
    #[error("{0:?} is not a discovery document")]
    NotDiscovery(String),
    #[error("{0:?} names another issuer")]
    OtherIssuer(String),
    #[error("{0:?} is {1}")]
    NotAKeySet(String, #[source] NotAKeySet),
    #[error("{0:?} has no key that can be used")]
    NoKeys(String),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

async fn fetch(outgoing: &Outgoing, issuer: &str) -> Result<Keys, NotFetched> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let discovery = format!("{base}/.well-known/openid-configuration");
    let jwks = match get(outgoing, &discovery).await {
        Ok(body) => key_set_url(&discovery, &body, issuer)?,
        // Servers of this API may serve their keys and no discovery document (contract §3.5).
        Err(NotFetched::Status(_, 400..=499)) => format!("{discovery}/jwks"),
        Err(error) => return Err(error),
    };
    let body = get(outgoing, &jwks).await?;
    let read = Keys::read(&body, &mut |reason| ignored(issuer, reason));
    let keys = read.map_err(|error| NotFetched::NotAKeySet(jwks.clone(), error))?;
    if keys.is_empty() {
        return Err(NotFetched::NoKeys(jwks));
    }
    Ok(keys)
}

/// OpenID Connect Discovery §4.3: the document must name exactly the issuer it was asked for.
fn key_set_url(url: &str, body: &[u8], issuer: &str) -> Result<String, NotFetched> {
    let document: Discovery =
        serde_json::from_slice(body).map_err(|_| NotFetched::NotDiscovery(url.to_owned()))?;
    if document.jwks_uri.len() > LONGEST_URL {
        Err(NotFetched::NotDiscovery(url.to_owned()))
    } else if document.issuer == issuer {
        Ok(document.jwks_uri)
    } else {
        Err(NotFetched::OtherIssuer(url.to_owned()))
    }
}

async fn get(outgoing: &Outgoing, url: &str) -> Result<Vec<u8>, NotFetched> {
    let answer = outgoing
        .get(url)
        .await
        .map_err(|error| NotFetched::Outgoing(url.to_owned(), error))?;
    if answer.status == 200 {
        Ok(answer.body)
    } else {
        Err(NotFetched::Status(url.to_owned(), answer.status))
    }
}

fn ignored(issuer: &str, reason: Unusable) {
    match reason {
        Unusable::OtherUse | Unusable::Unsupported | Unusable::NoId => {
            tracing::debug!(issuer, %reason, "a key of an issuer is not used");
        }
        Unusable::Duplicate | Unusable::Malformed | Unusable::Weak | Unusable::TooMany => {
            tracing::warn!(issuer, %reason, "a key of an issuer is not used");
        }
    }
}
