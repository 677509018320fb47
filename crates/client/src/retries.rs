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
            500 | 502 | 503 | 504 => repeating == Repeating::Safe,
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

#[cfg(test)]
mod tests {
    use guestlist_api::problems::Problem;

    use super::*;
    use crate::error::{NoAnswer, Refusal, TransportError};

    fn transport(reason: NoAnswer, timed_out: bool) -> Error {
        Error::Transport(TransportError {
            reason,
            timed_out,
            changes: true,
            source: None,
        })
    }

    fn refused(status: u16, code: &str) -> Error {
        let body = format!(r#"{{"errorCode":"{code}"}}"#);
        let problem: Problem = serde_json::from_str(&body).unwrap();
        Error::Refused(Refusal {
            status,
            problem: Some(Box::new(problem)),
            retry_after: None,
            request_id: None,
            changes: true,
        })
    }

    #[test]
    fn the_table_holds() {
        use NoAnswer::{Interrupted, NotConnected, TooLarge};
        let cases = [
            (transport(NotConnected, false), true, true),
            (transport(NotConnected, true), true, true),
            (transport(Interrupted, false), true, false),
            (transport(Interrupted, true), true, false),
            (transport(TooLarge, false), false, false),
            (refused(429, "TooManyRequests"), true, true),
            (refused(429, ""), true, true),
            (refused(503, "Busy"), true, true),
            (refused(503, "StorageUnavailable"), true, true),
            (refused(503, "OutcomeUnknown"), true, false),
            (refused(503, ""), true, false),
            (refused(500, "InternalError"), true, false),
            (refused(502, ""), true, false),
            (refused(504, ""), true, false),
            (refused(501, "NotImplemented"), false, false),
            (refused(507, "StorageFull"), false, false),
            (refused(400, "Busy"), false, false),
            (refused(404, ""), false, false),
            (refused(302, ""), false, false),
        ];
        for (error, safe, not_safe) in cases {
            let again = |repeating| wait(repeating, &error, 1).is_some();
            let found = (again(Repeating::Safe), again(Repeating::Unsafe));
            assert_eq!(found, (safe, not_safe), "{error:?}");
            assert_eq!(
                error.outcome_unknown(),
                safe && !not_safe || is_too_large(&error)
            );
        }
    }

    /// It was answered, and with what nobody knows.
    fn is_too_large(error: &Error) -> bool {
        matches!(error, Error::Transport(error) if error.is_too_large())
    }

    #[test]
    fn waits_are_bounded_and_not_before_the_server_says() {
        for attempt in 1..100 {
            let wait = backoff(attempt).as_millis();
            assert!(wait <= u128::from(LONGEST));
            let doubled = u128::from(FIRST) << (attempt - 1).min(60);
            assert!(wait <= doubled, "{attempt}: {wait}");
        }
        let mut error = refused(429, "");
        if let Error::Refused(refusal) = &mut error {
            refusal.retry_after = Some(Duration::from_secs(9));
        }
        let asked = wait(Repeating::Unsafe, &error, 1);
        assert_eq!(asked, Some(Duration::from_secs(9)));
    }
}
