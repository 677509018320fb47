//! One request that is being answered: who asks, when, and what it may use.

use std::net::IpAddr;
use std::time::Duration;

use guestlist_api::ids::AccountId;
use guestlist_api::paging::{CollectionLinks, Link, Links, Pagination, PaginationNext};
use guestlist_api::times::Timestamp;
use guestlist_rules::caller::Caller;
use guestlist_rules::changes::{Changes, Seen, Stored};
use guestlist_rules::facts::Facts;
use guestlist_store::Applied;

use crate::app::App;
use crate::refusal::Refusal;

/// How often a decision is made anew because what it rested on had changed. After the first conflict
/// those who contend take turns, so that only newcomers can be in the way.
const ATTEMPTS: usize = 10;
/// How long one who met a conflict waits for a turn.
const TURN: Duration = Duration::from_secs(10);

/// The client libraries whose answers differ (contract §10); nothing else depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// Its declarations say that `accounts` of `getAccounts` is a list; all others read one object.
    JavaScript,
    /// It reads nothing but `null` as the answer to accepting an invite.
    Rust,
    /// It takes every status but 200 for a failure, so `createRole` cannot answer it 201.
    Terraform,
    Other,
}

impl Library {
    /// By `User-Agent` (contract §3.6).
    pub fn of(user_agent: Option<&str>) -> Self {
        match user_agent.and_then(|agent| agent.strip_prefix("Authress SDK; ")) {
            Some(rest) if rest.starts_with("Javascript;") => Self::JavaScript,
            Some(rest) if rest.starts_with("Rust;") => Self::Rust,
            Some(rest) if rest.starts_with("Terraform;") => Self::Terraform,
            Some(_) | None => Self::Other,
        }
    }
}

/// What a handler is given.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub request_id: &'a str,
    pub now: Timestamp,
    pub library: Library,
    /// Whence the request came, behind proxies that are trusted.
    pub address: IpAddr,
}

/// What a decision came to.
#[expect(
    clippy::large_enum_variant,
    reason = "made once for each write and not kept"
)]
pub enum Decided<T> {
    /// Write this, and then answer that.
    Change(Changes, T),
    /// Nothing to write.
    Nothing(T),
}

impl<'a> Ask<'a> {
    pub fn account_id(&self) -> &'a AccountId {
        &self.app.settings.account_id
    }

    /// A document as it is now.
    pub async fn see<T: Stored>(&self, id: &str) -> Result<Option<Seen<T>>, Refusal> {
        let Some(seen) = self.app.store.get(T::KIND, id).await? else {
            return Ok(None);
        };
        let value = seen
            .value
            .read()
            .map_err(guestlist_rules::refusals::Refusal::from)?;
        Ok(Some(Seen {
            value,
            mark: seen.mark,
        }))
    }

    /// Asks the rules, with what is held at this moment.
    pub fn decide<T>(
        &self,
        rule: impl FnOnce(Facts<'_>) -> Result<T, guestlist_rules::refusals::Refusal>,
    ) -> Result<T, Refusal> {
        let grants = self.app.grants();
        let known = self.app.known_callers();
        let client_mark = |id: &str| known.client(id).map(|client| client.mark());
        let client_has_key = |id: &str| known.client(id).is_some_and(|client| client.has_key());
        let facts = Facts {
            grants: &grants,
            caller: self.caller,
            // Read here and not when the request came: a decision may be made anew after waiting.
            now: self.app.clock.now(),
            request_id: self.request_id,
            client_mark: &client_mark,
            client_has_key: &client_has_key,
        };
        rule(facts).map_err(Refusal::from)
    }

    /// Reads, decides and writes; when something the decision rested on had changed, all of it
    /// again. What is answered was decided on what was written.
    pub async fn change<T, Attempt, Deciding>(&self, mut attempt: Attempt) -> Result<T, Refusal>
    where
        Attempt: FnMut() -> Deciding,
        Deciding: Future<Output = Result<Decided<T>, Refusal>>,
    {
        let mut turn = None;
        for _ in 0..ATTEMPTS {
            match attempt().await? {
                Decided::Nothing(value) => return Ok(value),
                Decided::Change(changes, value) => match self.app.store.apply(changes).await? {
                    Applied::Done(_) => return Ok(value),
                    Applied::Conflict { kind, id, .. } => {
                        tracing::debug!(kind = kind.name(), id, "decided anew after a conflict");
                        if turn.is_none() {
                            let waiting = self.app.turn.lock();
                            let waited = tokio::time::timeout(TURN, waiting).await;
                            turn = Some(waited.map_err(|_| Refusal::Busy)?);
                        }
                    }
                },
            }
        }
        drop(turn);
        Err(Refusal::Busy)
    }

    /// The link of an object to itself.
    pub fn links(&self, path: &str) -> Links {
        Links {
            own: Some(self.link(path)),
        }
    }

    fn link(&self, path: &str) -> Link {
        Link {
            href: format!("{}{path}", self.app.settings.public_url),
        }
    }

    /// The links and the cursor of a page. `query` is what the page was asked with, without its
    /// cursor.
    pub fn page(
        &self,
        path: &str,
        query: &str,
        next: Option<String>,
    ) -> (Option<Pagination>, CollectionLinks) {
        let and = |extra: &str| match (query.is_empty(), extra.is_empty()) {
            (true, true) => path.to_owned(),
            (true, false) => format!("{path}?{extra}"),
            (false, true) => format!("{path}?{query}"),
            (false, false) => format!("{path}?{query}&{extra}"),
        };
        let own = Some(self.link(&and("")));
        match next {
            None => (None, CollectionLinks { own, next: None }),
            Some(cursor) => {
                let next = Some(self.link(&and(&format!("cursor={cursor}"))));
                let pagination = Pagination {
                    next: PaginationNext { cursor },
                };
                (Some(pagination), CollectionLinks { own, next })
            }
        }
    }
}
