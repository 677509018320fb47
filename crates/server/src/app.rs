//! Everything long-lived a handler may touch.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use guestlist_api::text::Malformed;
use guestlist_rules::changes::{Kind, Revision};
use guestlist_rules::grants::Grants;
use guestlist_store::{Store, StoreError};

use crate::caller::Callers;
use crate::clock::Clock;
use crate::entropy::{Entropy, NoEntropy};
use crate::health::Draining;
use crate::known_callers::KnownCallers;
use crate::limiters::Limiters;
use crate::metrics::Metrics;
use crate::pepper::Pepper;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::user_tokens::UserTokens;

/// Characters of the random part of an id that is made here: 95 bits, so that none is made twice.
const FRESH: usize = 16;

/// The running server's state.
pub struct App {
    pub settings: Settings,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub entropy: Entropy,
    pub pepper: Arc<Pepper>,
    pub callers: Callers,
    pub user_tokens: Arc<UserTokens>,
    pub limiters: Limiters,
    pub draining: Draining,
    pub metrics: Metrics,
    memory: Memory,
}

/// What is kept in memory and follows the store.
#[derive(Clone, Default)]
pub struct Memory {
    grants: Arc<RwLock<Grants>>,
    known: Arc<RwLock<KnownCallers>>,
}

/// The server cannot hold in memory what is stored.
#[derive(Debug, thiserror::Error)]
pub enum NotFollowed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("something stored cannot be read by this version")]
    Unreadable(#[from] guestlist_rules::changes::Unreadable),
}

impl Memory {
    /// Reads what is stored and follows every change from then on.
    pub async fn follow(store: &dyn Store) -> Result<Self, NotFollowed> {
        let memory = Self::default();
        let kinds = [
            Kind::AccessRecord,
            Kind::Role,
            Kind::Group,
            Kind::Client,
            Kind::Identity,
        ];
        let mut failed = None;
        let mut each = |seen| {
            let loaded = memory.write_grants().load(&seen).and_then(|()| {
                memory.known.write().unwrap_or_else(PoisonError::into_inner).load(&seen)
            });
            if let Err(error) = loaded {
                failed.get_or_insert(error);
            }
        };
        let (grants, known) = (Arc::clone(&memory.grants), Arc::clone(&memory.known));
        let sink = Arc::new(move |committed: &guestlist_rules::changes::Committed| {
            let mut grants = grants.write().unwrap_or_else(PoisonError::into_inner);
            let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = grants.commit(committed).and_then(|()| known.commit(committed)) {
                // What was committed was written by this version, so this is a defect; going on
                // with an index that misses something is still better than allowing by mistake:
                // what cannot be read grants nothing.
                tracing::error!(%error, revision = committed.revision.0, "a change was not followed");
            }
        });
        let revision = store.follow(&kinds, &mut each, sink).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        memory.write_grants().set_revision(revision);
        Ok(memory)
    }

    fn write_grants(&self) -> std::sync::RwLockWriteGuard<'_, Grants> {
        self.grants.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Callers as the token check reads them.
    pub fn known_callers(&self) -> &Arc<RwLock<KnownCallers>> {
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
    pub user_tokens: Arc<UserTokens>,
    pub callers: Callers,
    pub memory: Memory,
    pub metrics: Metrics,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self {
            limiters: Limiters::new(&parts.settings),
            draining: Draining::default(),
            settings: parts.settings,
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            pepper: parts.pepper,
            callers: parts.callers,
            user_tokens: parts.user_tokens,
            metrics: parts.metrics,
            memory: parts.memory,
        }
    }

    /// The grants index as it is now. Never held across a wait.
    pub fn grants(&self) -> RwLockReadGuard<'_, Grants> {
        self.memory.grants.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Service clients and issuers as they are now. Never held across a wait.
    pub fn known_callers(&self) -> RwLockReadGuard<'_, KnownCallers> {
        self.memory.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest revision this node has taken in.
    pub fn revision(&self) -> Revision {
        self.grants().revision()
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
