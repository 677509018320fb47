//! Which requests are sent again, and when.

use std::time::Duration;

use crate::error::Error;

/// Whether a request may arrive twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeating {
    /// It changes nothing, or its idempotency key makes the second one harmless.
    Safe,
    /// It changes something: PUT, PATCH, DELETE, and POST without an idempotency key.
    ///
    /// Even those that read as if they could be repeated cannot: a DELETE that was done answers 404
    /// the second time, a PUT with a condition answers 412, and without one it would undo what
    /// somebody else wrote in between.
    Unsafe,
}

/// Milliseconds before the second attempt at most; doubled for each further one.
const FIRST: u64 = 200;
/// Milliseconds between two attempts at most, unless the server asks for more.
const LONGEST: u64 = 5_000;

/// How long to wait before sending the request again after `attempt` attempts; `None` if it must
/// not be sent again.
///
/// | what happened | safe | unsafe | why |
/// |---|---|---|---|
/// | no connection | again | again | the server has seen nothing |
/// | connection lost, time up | again | no | it may have been done |
/// | 429 | again | again | it was turned away |
/// | 503 that says nothing was done | again | again | the server says so |
/// | other 500, 502, 503, 504 | again | no | it may have been done |
/// | answer too large or unreadable | no | no | it would be again |
/// | anything else | no | no | the answer would be the same |
pub(crate) fn wait(repeating: Repeating, error: &Error, attempt: u32) -> Option<Duration> {
    let again = match error {
        Error::Transport(error) if error.is_too_large() => false,
        Error::Transport(error) => error.is_connect() || repeating == Repeating::Safe,
        Error::Refused(refusal) => match refusal.status {
            429 => true,
            503 if refusal.says_nothing_was_done() => true,
            500 | 502 | 503 | 504 => {
                repeating == Repeating::Safe && !refusal.says_nothing_was_done()
            }
            _ => false,
        },
        Error::Decoding(_)
        | Error::Credentials(_)
        | Error::Configuration(_)
        | Error::LostEvents(_) => false,
    };
    if !again {
        return None;
    }
    let asked = error.refusal().and_then(|refusal| refusal.retry_after);
    Some(backoff(attempt).max(asked.unwrap_or_default()))
}

/// Whether what failed to be read may be read another time.
pub(crate) fn may_be_read_again(error: &Error) -> bool {
    wait(Repeating::Safe, error, 1).is_some()
}

/// A random part of a bound that doubles, so that clients that failed together do not return
/// together.
fn backoff(attempt: u32) -> Duration {
    let bound = FIRST
        .saturating_mul(
            1_u64
                .checked_shl(attempt.saturating_sub(1))
                .unwrap_or(u64::MAX),
        )
        .min(LONGEST);
    // Without randomness the wait is the longest one, which is always right.
    let random = getrandom::u64().unwrap_or(bound);
    Duration::from_millis(random % (bound + 1))
}
