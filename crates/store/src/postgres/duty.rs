//! Which of several nodes does what one node is to do: deliver webhooks, tell what happened to
//! invites.
//!
//! One row names it. It renews its name every few seconds by the clock of the database; when it has
//! not for a while, another takes its place. It counts itself out before that, by a clock of its own
//! that never jumps, so that there is one at most unless its process was halted.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connecting::Session;
use super::failure::Failure;
use super::rows::Writer;

/// How often it is renewed, or asked for.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// For so long after it was renewed a node counts itself on duty: less than the 15 seconds in `TAKE`.
const LASTS: Duration = Duration::from_secs(10);

const TAKE: &str = "
    UPDATE guestlist_duty SET holder = $1, renewed = now()
    WHERE id = 1 AND (holder = $1 OR renewed < now() - interval '15 seconds')";

const LEAVE: &str = "
    UPDATE guestlist_duty SET renewed = '1970-01-01T00:00:00Z' WHERE id = 1 AND holder = $1";

/// Of one node.
pub(super) struct Duty {
    /// The name of this node, drawn when it starts.
    name: Writer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    until: Option<Instant>,
    asked: Option<Instant>,
}

impl Duty {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {
            name: Writer::draw()?,
            state: Mutex::default(),
        })
    }

    pub(super) fn is_held(&self) -> bool {
        self.state(|state| state.until.is_some_and(|until| Instant::now() < until))
    }

    /// Renews it or asks for it, when it is time to.
    pub(super) async fn renew(&self, session: &Session) -> Result<(), Failure> {
        let moment = Instant::now();
        let is_time = self.state(|state| {
            let is_time = state
                .asked
                .is_none_or(|asked| asked.elapsed() >= RENEW_EVERY);
            if is_time {
                state.asked = Some(moment);
            }
            is_time
        });
        if !is_time {
            return Ok(());
        }
        let taken = session.execute(TAKE, &[&self.name.as_bytes()]).await?;
        // From before it was asked: the database's time began later.
        let until = (taken > 0).then(|| moment + LASTS);
        self.state(|state| state.until = until);
        Ok(())
    }

    /// Lets another node take over at once.
    pub(super) async fn leave(&self, session: &Session) -> Result<(), Failure> {
        self.state(|state| state.until = None);
        session.execute(LEAVE, &[&self.name.as_bytes()]).await?;
        Ok(())
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
