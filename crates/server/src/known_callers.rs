//! The directory of who may call: service clients with their keys, and linked issuers, in memory.
//!
//! It is fed by the store like the grants index, so that a request never reads the store to learn
//! who is calling, and what is revoked is refused from the next request on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use guestlist_api::identities::IssuerText;
use guestlist_api::ids::{ClientId, KeyId};
use guestlist_api::times::Timestamp;
use guestlist_rules::caller::{Caller, CallerKind};
use guestlist_rules::changes::{Committed, Document, Kind, Mark, Seen, Unreadable};
use guestlist_rules::clients::StoredClient;
use guestlist_rules::identities::StoredIdentity;
use guestlist_rules::user_tokens::StoredUserToken;

use crate::client_rates::Usage;
use crate::ed25519::PublicKey;
use crate::jwks::{self, JsonWebKey, KeySet};
use crate::rate::RetryAfter;
use crate::tokens::VerifyingKey;

/// Whether what was once looked up is still what the directory says. Clones share it.
#[derive(Debug, Clone)]
pub struct Standing(Arc<AtomicBool>);

impl Standing {
    pub fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub fn holds(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn end(&self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self::new()
    }
}

/// A service client as it is now. Any change to it makes a new one and ends the standing of this.
#[derive(Debug)]
pub struct KnownClient {
    caller: Arc<Caller>,
    keys: Vec<KnownKey>,
    mark: Mark,
    /// What it has used of its rate limit, if it has one.
    usage: Option<Usage>,
    standing: Standing,
    /// That of the tokens it has made for users: it ends whenever one of them is disabled.
    tokens: Mutex<Standing>,
    tokens_valid_from: Option<Timestamp>,
}

/// An access key of a client.
#[derive(Debug)]
pub struct KnownKey {
    pub key_id: KeyId,
    pub public: PublicKey,
    /// Whether the client keeps the key to itself, so that it is never accepted whole.
    pub handed_in: bool,
    verifying: VerifyingKey,
}

/// A linked issuer with everything that is linked for it, one per audience. Any change makes a new
/// one and ends the standing of this.
#[derive(Debug)]
pub struct KnownIssuer {
    pub issuer: IssuerText,
    /// In the byte order of their audiences; never empty.
    pub identities: Vec<StoredIdentity>,
    standing: Standing,
}

impl KnownClient {
    fn new(client: StoredClient, mark: Mark, former: Option<&Self>) -> Self {
        let used = former.and_then(|former| former.usage.as_ref());
        let usage = Usage::of(&client.rate_limits, used);
        let keys = client
            .keys
            .into_iter()
            .filter_map(|stored| {
                let Ok(public) = PublicKey::from_spki_text(&stored.public_key) else {
                    tracing::warn!(
                        client = client.client_id.as_str(),
                        key = stored.key_id.as_str(),
                        "an access key cannot be read and is not accepted"
                    );
                    return None;
                };
                Some(KnownKey {
                    verifying: jwks::ed25519(stored.key_id.as_str(), &public),
                    key_id: stored.key_id,
                    public,
                    handed_in: stored.handed_in,
                })
            })
            .collect();
        Self {
            caller: Arc::new(Caller {
                user_id: client.client_id.clone().into(),
                kind: CallerKind::Client {
                    client_id: client.client_id,
                    options: client.options,
                },
            }),
            keys,
            mark,
            usage,
            standing: Standing::new(),
            tokens: Mutex::default(),
            tokens_valid_from: client.tokens_valid_from,
        }
    }

    pub const fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The version of the client's document.
    pub const fn mark(&self) -> Mark {
        self.mark
    }

    pub const fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether it may make tokens for users.
    pub fn may_make_tokens(&self) -> bool {
        match &self.caller.kind {
            CallerKind::Client { options, .. } => options.grant_token_generation,
            CallerKind::User { .. } | CallerKind::Limited { .. } => false,
        }
    }

    /// Whether a token that it made at an instant is still to be believed.
    pub fn vouches_for(&self, made: Timestamp) -> bool {
        self.tokens_valid_from.is_none_or(|from| made >= from)
    }

    /// The standing of the tokens that it has made for users.
    pub fn standing_of_tokens(&self) -> Standing {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.clone()
    }

    /// Ends what is remembered of the tokens that it has made, so that each is looked up again.
    fn recheck_tokens(&self) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *tokens).end();
    }

    fn end(&self) {
        self.standing.end();
        self.recheck_tokens();
    }

    pub fn key(&self, key_id: &str) -> Option<&KnownKey> {
        self.keys.iter().find(|key| key.key_id.as_str() == key_id)
    }

    /// What the client's JWKS answers: its active keys.
    pub fn key_set(&self) -> KeySet {
        let keys = self.keys.iter();
        KeySet {
            keys: keys
                .map(|key| JsonWebKey::new(key.key_id.as_str(), &key.public))
                .collect(),
        }
    }
}

impl KnownKey {
    pub const fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }
}

impl KnownIssuer {
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }
}

/// The directory.
#[derive(Debug, Default)]
pub struct KnownCallers {
    clients: RwLock<HashMap<ClientId, Arc<KnownClient>>>,
    issuers: RwLock<HashMap<String, Arc<KnownIssuer>>>,
    /// Whether there was ever a client with a rate limit: otherwise no request looks for one.
    some_are_limited: AtomicBool,
}

impl KnownCallers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a document that was there before. Clients, identities and tokens of users are its
    /// business, other kinds are none of it.
    ///
    /// # Errors
    ///
    /// If the document cannot be read. The client or issuer is then unknown.
    pub fn load(&self, document: &Seen<Document>) -> Result<(), Unreadable> {
        self.write(&document.value, document.mark)
    }

    /// Takes in a change, in the order of revisions.
    ///
    /// # Errors
    ///
    /// If a document cannot be read. Everything else of the change is taken in, and what cannot be
    /// read is unknown from then on.
    pub fn commit(&self, committed: &Committed) -> Result<(), Unreadable> {
        for (kind, id) in &committed.changes.delete {
            self.delete(*kind, id);
        }
        let mut result = Ok(());
        for document in &committed.changes.write {
            result = result.and(self.write(document, Mark(committed.revision.0)));
        }
        result
    }

    fn write(&self, document: &Document, mark: Mark) -> Result<(), Unreadable> {
        if document.kind == Kind::Client {
            let client = document.read::<StoredClient>().inspect_err(|_| {
                self.delete(document.kind, &document.id);
            })?;
            self.put_client(client, mark);
        } else if document.kind == Kind::Identity {
            let identity = document.read::<StoredIdentity>().inspect_err(|_| {
                self.delete(document.kind, &document.id);
            })?;
            let issuer = identity.issuer.clone();
            self.change_issuer(issuer.as_str(), |identities| {
                identities.retain(|other| other.audience != identity.audience);
                identities.push(identity);
                identities.sort_by(|one, other| one.audience.cmp(&other.audience));
            });
        } else if document.kind == Kind::UserToken {
            let token = document.read::<StoredUserToken>()?;
            if let Some(client) = self.client(token.client_id.as_str())
                && token.disabled.is_some()
            {
                client.recheck_tokens();
            }
        }
        Ok(())
    }

    fn put_client(&self, client: StoredClient, mark: Mark) {
        let id = client.client_id.clone();
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        let former = clients.get(&id).map(Arc::as_ref);
        let known = Arc::new(KnownClient::new(client, mark, former));
        if known.usage.is_some() {
            self.some_are_limited.store(true, Ordering::Release);
        }
        if let Some(former) = clients.insert(id, known) {
            former.end();
        }
    }

    fn delete(&self, kind: Kind, id: &str) {
        if kind == Kind::Client {
            let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(former) = clients.remove(id) {
                former.end();
            }
        } else if kind == Kind::Identity
            && let Some((issuer, audience)) = id.split_once('\n')
        {
            self.change_issuer(issuer, |identities| {
                identities.retain(|identity| identity.audience.as_str() != audience);
            });
        }
    }

    fn change_issuer(&self, name: &str, change: impl FnOnce(&mut Vec<StoredIdentity>)) {
        let mut issuers = self.issuers.write().unwrap_or_else(PoisonError::into_inner);
        let former = issuers.remove(name);
        let mut identities = former
            .as_ref()
            .map(|former| former.identities.clone())
            .unwrap_or_default();
        change(&mut identities);
        if let Some(first) = identities.first() {
            let known = KnownIssuer {
                issuer: first.issuer.clone(),
                identities,
                standing: Standing::new(),
            };
            issuers.insert(name.to_owned(), Arc::new(known));
        }
        if let Some(former) = former {
            former.standing.end();
        }
    }

    pub fn client(&self, id: &str) -> Option<Arc<KnownClient>> {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner);
        clients.get(id).cloned()
    }

    /// Counts a request of a service client that has a rate limit.
    ///
    /// # Errors
    ///
    /// When it may make the next one, if it has made as many as it may.
    pub fn count_request(&self, caller: &Caller, now: Timestamp) -> Result<(), RetryAfter> {
        let CallerKind::Client { client_id, .. } = &caller.kind else {
            return Ok(());
        };
        if !self.some_are_limited.load(Ordering::Acquire) {
            return Ok(());
        }
        let client = self.client(client_id.as_str());
        client
            .and_then(|client| client.usage.as_ref().map(|usage| usage.count(now)))
            .unwrap_or(Ok(()))
    }

    /// What the JWKS of a client answers; a client that does not exist has no keys.
    pub fn client_key_set(&self, id: &str) -> KeySet {
        match self.client(id) {
            Some(client) => client.key_set(),
            None => KeySet { keys: Vec::new() },
        }
    }

    /// Everything that is linked for exactly this `iss`.
    pub fn issuer(&self, name: &str) -> Option<Arc<KnownIssuer>> {
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        issuers.get(name).cloned()
    }
}
