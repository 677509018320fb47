//! What a refusal says in headers of its own.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method};

use super::{LONGEST_RETRY_AFTER, NoToken, Refusal};

pub(super) fn insert(refusal: &Refusal, headers: &mut HeaderMap) {
    match refusal {
        Refusal::NotIdentified(_) | Refusal::NoToken(NoToken::Client { basic: false, .. }) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The scheme that was used (RFC 6749 §5.2). `Basic` never where it was not: browsers ask for a
        // password when they see it.
        Refusal::NoToken(NoToken::Client { basic: true, .. }) => {
            let basic = HeaderValue::from_static("Basic realm=\"service clients\"");
            headers.insert(WWW_AUTHENTICATE, basic);
        }
        Refusal::NoSuchMethod(methods) => {
            let allow = methods
                .iter()
                .map(Method::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            if let Ok(allow) = HeaderValue::from_str(&allow) {
                headers.insert(ALLOW, allow);
            }
        }
        // Only ever on 429: an SDK sleeps long on it elsewhere (contract §0.2 rule 18).
        Refusal::TooMany { seconds } | Refusal::TooManyMade { seconds } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
        Refusal::TooManyInvited(used_up) => {
            let seconds = used_up.seconds.min(LONGEST_RETRY_AFTER);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            for (name, value) in used_up.headers() {
                headers.insert(name, value);
            }
        }
        // That SDK would sleep for days; the title has the whole time.
        Refusal::RateLimited { seconds } => {
            let seconds = (*seconds).min(LONGEST_RETRY_AFTER);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        Refusal::NoToken(NoToken::Request { .. } | NoToken::Grant)
        | Refusal::NotReached { .. }
        | Refusal::Stale { .. }
        | Refusal::Rule(_)
        | Refusal::Edge(_)
        | Refusal::Malformed { .. }
        | Refusal::NoSuchPath
        | Refusal::NotBuilt(_)
        | Refusal::BadCursor
        | Refusal::BatchRefused(_)
        | Refusal::Busy
        | Refusal::Unfinished
        | Refusal::Issuer { .. }
        | Refusal::Draining
        | Refusal::Store(_)
        | Refusal::Entropy(_)
        | Refusal::NotWritable(_)
        | Refusal::CannotSign(_)
        | Refusal::NotSealed(_)
        | Refusal::NotEncrypted(_)
        | Refusal::Panicked(_) => {}
    }
}
