//! Tells in the log what happens to invites though nobody does it, and what somebody tried with them.
//!
//! One task looks every few seconds. Nothing depends on it but what is told: an invite is expired at
//! its instant and suspended at once, also where this never runs. Several nodes tell each once, as
//! what was told is written into the invite under a condition.

use std::net::Ipv4Addr;
use std::sync::Arc;

use guestlist_api::ids::UserId;
use guestlist_rules::caller::{Caller, CallerKind};
use guestlist_rules::changes::{Facet, Kind, Revision, Seen, Stored as _, sortable};
use guestlist_rules::invite_notices::{accept_failed, notice};
use guestlist_rules::invites::StoredInvite;
use guestlist_rules::refusals::Refusal as Rule;
use guestlist_store::{Position, Selection};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::App;
use crate::ask::{Ask, Library};
use crate::invite_settings::settings;
use crate::invites::waiting;
use crate::refusal::Refusal;
use crate::startup::SERVICE;

/// Invites that are read at once.
const STEP: usize = 200;

/// A look at all invites may take one part in so many of the time.
const SHARE: u32 = 20;

/// Which invites to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Those that have ended.
    AtEnded,
    /// And those that may be suspended, or not any more.
    AtAll,
}

/// Looks again and again until `ending` says so.
pub async fn run(app: Arc<App>, mut ending: watch::Receiver<bool>) {
    let revisions = app.revisions();
    let mut judged: Option<Revision> = None;
    loop {
        let began = Instant::now();
        let newest = *revisions.borrow();
        // Nobody gains or loses authority without a change.
        let look = if judged == Some(newest) {
            Look::AtEnded
        } else {
            Look::AtAll
        };
        // Of several nodes one tells.
        if app.store.is_on_duty() {
            tokio::select! {
                biased;
                _ended = ending.wait_for(|ended| *ended) => return,
                told = tell(&app, look) => match told {
                    Ok(_) => judged = Some(newest),
                    Err(error) => tracing::warn!(error = %error.for_log(), "what happened to invites cannot be told now"),
                },
            }
        } else {
            judged = None;
        }
        let pause = app.limits.notice_pause.max(began.elapsed() * SHARE);
        tokio::select! {
            biased;
            _ended = ending.wait_for(|ended| *ended) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Tells what is to be told now, and how much that was.
///
/// Nothing while memory misses a change: who may give what is not known then, and an invite could be
/// withdrawn by mistake. That it misses one was logged when it did.
///
/// # Errors
///
/// The store cannot be read or written. What was told stays told.
pub async fn tell(app: &App, look: Look) -> Result<usize, Refusal> {
    let caller = Caller {
        user_id: service()?,
        // Nothing is done in its name that needs a right.
        kind: CallerKind::Limited {
            statements: Arc::new([]),
        },
    };
    let ask = Ask {
        app,
        caller: &caller,
        request_id: "",
        now: app.clock.now(),
        library: Library::Other,
        address: Ipv4Addr::LOCALHOST.into(),
    };
    let until = match look {
        Look::AtEnded => ask.now.milliseconds().saturating_add(1),
        Look::AtAll => i64::MAX,
    };
    let selection = Selection::Between(Facet::Live, sortable(i64::MIN), sortable(until));
    let settings = settings(ask).await?;
    let (mut told, mut after) = (0, None);
    loop {
        let step = app
            .store
            .list(Kind::Invite, &selection, after.as_ref(), STEP)
            .await?;
        let is_last = step.len() < STEP;
        for document in step {
            if app.is_behind() {
                return Ok(told);
            }
            let seen: Seen<StoredInvite> = Seen {
                value: document.value.read().map_err(Rule::from)?,
                mark: document.mark,
            };
            after = seen.value.live().map(|value| Position {
                value,
                id: seen.value.id(),
            });
            let waiting = waiting(ask, &seen.value).await?;
            let (settings, waiting) = (settings.as_ref(), waiting.as_ref());
            if let Some(changes) = ask.decide(|facts| notice(facts, settings, &seen, waiting))? {
                // Whoever was faster wrote the invite, and it is looked at again.
                let _applied = app.store.apply(changes).await?;
                told += 1;
            }
        }
        if is_last {
            return Ok(told);
        }
        // Others are answered between two steps.
        tokio::task::yield_now().await;
    }
}

fn service() -> Result<UserId, Refusal> {
    SERVICE
        .parse()
        .map_err(|reason| Refusal::malformed("actor", reason))
}

/// Notes that the caller could not accept an invite, if that is what the refusal says. They are
/// answered the same whether it can be noted or not.
pub(crate) async fn note_refused(ask: Ask<'_>, seen: &Seen<StoredInvite>, refusal: &Refusal) {
    let Refusal::Rule(
        Rule::InviteUnusable(_) | Rule::InviteNotForYou { .. } | Rule::InviteSuspended,
    ) = refusal
    else {
        return;
    };
    let code = refusal.for_caller().code;
    let changes = match ask.decide(|facts| accept_failed(facts, seen, code)) {
        Ok(Some(changes)) => changes,
        Ok(None) => return,
        Err(error) => return not_noted(&error),
    };
    if let Err(error) = ask.app.store.apply(changes).await {
        not_noted(&error.into());
    }
}

pub(crate) fn not_noted(error: &Refusal) {
    tracing::warn!(
        error = %error.for_log(),
        "what was tried with an invite cannot be told"
    );
}
