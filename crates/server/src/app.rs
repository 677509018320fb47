//! Everything long-lived a handler may touch.

use bytes::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use guestlist_api::text::Malformed;
use guestlist_rules::changes::{Committed, Kind, Revision};
use guestlist_rules::grants::Grants;
use guestlist_store::{Store, StoreError};
use tokio::sync::watch;

use crate::caller::Callers;
use crate::clock::Clock;
use crate::cors::Cors;
use crate::entropy::{Entropy, NoEntropy};
use crate::health::Draining;
use crate::invite_budget::InviteBudget;
use crate::invite_metrics::InviteMetrics;
use crate::known_callers::KnownCallers;
use crate::limiters::Limiters;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::openapi;
use crate::pepper::Pepper;
use crate::refusal::Refusal;
use crate::request_id::RequestIds;
use crate::sealing::SealingKey;
use crate::settings::Settings;
use crate::waits::Waits;
use crate::webhook_delivery::Webhooks;

/// Characters of the random part of an id that is made here: 95 bits, so that none is made twice.
const FRESH: usize = 16;

/// The running server's state.
pub struct App {
    pub settings: Settings,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub entropy: Entropy,
    pub pepper: Arc<Pepper>,
    pub sealing_key: Arc<SealingKey>,
    pub callers: Callers,
    pub request_ids: RequestIds,
    pub cors: Cors,
    pub limits: Limits,
    pub limiters: Limiters,
    pub invite_budget: InviteBudget,
    pub draining: Draining,
    /// Who waits for the next change.
    pub waits: Waits,
    pub webhooks: Webhooks,
    /// Held by whoever decides anew after a conflict, so that those who contend take turns.
    pub turn: tokio::sync::Mutex<()>,
    pub metrics: Metrics,
    /// The description of the API, made once.
    pub description: Bytes,
    memory: Memory,
}

/// What is kept in memory and follows the store.
#[derive(Clone)]
pub struct Memory {
    grants: Arc<RwLock<Grants>>,
    known: Arc<KnownCallers>,
    /// A change could not be taken in: from then on nothing here can be relied on.
    behind: Arc<AtomicBool>,
    /// The newest revision that was told of, for those who wait for the next.
    revisions: Arc<watch::Sender<Revision>>,
    /// What happened to invites.
    invites: Arc<InviteMetrics>,
}

/// The server cannot hold in memory what is stored.
#[derive(Debug, thiserror::Error)]
pub enum NotFollowed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("something stored cannot be read by this version")]
    Unreadable(#[from] guestlist_rules::changes::Unreadable),
}

/// What the memory follows.
const FOLLOWED: [Kind; 6] = [
    Kind::AccessRecord,
    Kind::Role,
    Kind::Group,
    Kind::Client,
    Kind::Identity,
    Kind::ResourceConfiguration,
];

impl Memory {
    /// Reads what is stored and follows every change from then on.
    pub async fn follow(store: &dyn Store) -> Result<Self, NotFollowed> {
        let memory = Self {
            grants: Arc::new(RwLock::new(Grants::new())),
            known: Arc::default(),
            behind: Arc::default(),
            revisions: Arc::default(),
            invites: Arc::default(),
        };
        let mut failed = None;
        let mut each = |seen| {
            let loaded = memory
                .write_grants()
                .load(&seen)
                .and_then(|()| memory.known.load(&seen));
            if let Err(error) = loaded {
                failed.get_or_insert(error);
            }
        };
        let follower = memory.clone();
        let sink = Arc::new(move |committed: &Committed| follower.commit(committed));
        let revision = store.follow(&FOLLOWED, &mut each, sink).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        memory.write_grants().set_revision(revision);
        memory.tell(revision);
        Ok(memory)
    }

    /// Takes in a change. Called by the store before anybody is told that the change was made.
    fn commit(&self, committed: &Committed) {
        self.invites.commit(committed);
        let grants = self.write_grants().commit(committed);
        let known = self.known.commit(committed);
        if let Err(error) = grants.and(known) {
            // A revocation may be what is missing, so nothing is answered from memory any more.
            self.behind.store(true, Ordering::SeqCst);
            let revision = committed.revision.0;
            tracing::error!(%error, revision, "a change was not taken in: start the server again");
        }
        // Whoever waits is woken also if it could not be taken in, and then finds that out.
        self.tell(committed.revision);
    }

    /// A change may come before the revision of the snapshot is told.
    fn tell(&self, revision: Revision) {
        self.revisions.send_if_modified(|newest| {
            let is_newer = revision > *newest;
            *newest = revision.max(*newest);
            is_newer
        });
    }

    fn write_grants(&self) -> RwLockWriteGuard<'_, Grants> {
        self.grants.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Service clients and issuers, as the check of tokens reads them.
    pub fn known_callers(&self) -> &Arc<KnownCallers> {
        &self.known
    }
}

/// What an [`App`] is made of besides what it makes itself.
pub struct Parts {
    pub settings: Settings,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub entropy: Entropy,
    pub pepper: Arc<Pepper>,
    pub sealing_key: Arc<SealingKey>,
    pub callers: Callers,
    pub cors: Cors,
    pub limits: Limits,
    pub memory: Memory,
    pub webhooks: Webhooks,
}

impl App {
    /// # Errors
    ///
    /// If the operating system gives no random bytes.
    pub fn new(parts: Parts) -> Result<Self, NoEntropy> {
        Ok(Self {
            request_ids: RequestIds::new(&parts.entropy)?,
            description: openapi::description(&parts.settings.public_url),
            settings: parts.settings,
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            pepper: parts.pepper,
            sealing_key: parts.sealing_key,
            callers: parts.callers,
            cors: parts.cors,
            invite_budget: InviteBudget::new(parts.limits.invite_budget),
            limits: parts.limits,
            limiters: Limiters::default(),
            draining: Draining::default(),
            waits: Waits::default(),
            webhooks: parts.webhooks,
            turn: tokio::sync::Mutex::default(),
            metrics: Metrics::default(),
            memory: parts.memory,
        })
    }

    /// The grants index as it is now. Never held across a wait.
    ///
    /// What has ended by now is taken out first, so nobody ever decides on it: whoever comes first
    /// after an instant does that. The clock is only read if anything ends at all.
    pub fn grants(&self) -> RwLockReadGuard<'_, Grants> {
        loop {
            let grants = self
                .memory
                .grants
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let Some(ending) = grants.next_ending() else {
                return grants;
            };
            let now = self.clock.now();
            if now < ending {
                return grants;
            }
            drop(grants);
            self.memory.write_grants().pass(now);
        }
    }

    /// What happened to invites since the start.
    pub fn invite_metrics(&self) -> &InviteMetrics {
        &self.memory.invites
    }

    /// Service clients and issuers.
    pub fn known_callers(&self) -> &KnownCallers {
        &self.memory.known
    }

    /// Whether memory misses a change, so that no decision may be made from it.
    pub fn is_behind(&self) -> bool {
        self.memory.behind.load(Ordering::SeqCst)
    }

    /// The newest revision this node has taken in.
    pub fn revision(&self) -> Revision {
        self.grants().revision()
    }

    /// The newest revision, for those who wait for another.
    pub fn revisions(&self) -> watch::Receiver<Revision> {
        self.memory.revisions.subscribe()
    }

    /// A new id with a prefix.
    pub fn fresh_id<T>(&self, prefix: &str) -> Result<T, Refusal>
    where
        T: std::str::FromStr<Err = Malformed>,
    {
        let text = format!("{prefix}{}", self.entropy.text(FRESH)?);
        text.parse().map_err(|_| Refusal::Entropy(NoEntropy))
    }
}
