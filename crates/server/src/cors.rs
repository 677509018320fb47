//! Which pages of other origins may call this API from a browser (the Fetch standard's CORS).
//!
//! Origins come from a configured list and are compared exactly; nothing is reflected and `null`
//! (sandboxed frames, local files) is never allowed. Credentials are deliberately not allowed: callers
//! are known by `Authorization`, which a page sends itself, never by cookies.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// What the SDKs send from browsers (contract §1.0), and what makes a retry safe and traceable.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, If-Unmodified-Since, Idempotency-Key, Guestlist-Access-Duration, Guestlist-Approval, Guestlist-Min-Revision, X-Powered-By, X-Request-Id",
);
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Guestlist-Revision, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id",
);
/// Two hours, the most that browsers keep a preflight answer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The origins that may call.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    origins: Vec<HeaderValue>,
}

/// A setting that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin as browsers send it: a scheme, a host in lower case and, if it is not the default, a port, as in https://app.example.com"
)]
pub struct NotAnOrigin(String);

impl Cors {
    /// Origins as browsers send them, without a path or a slash at the end.
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAnOrigin> {
        let parse =
            |origin: &'a str| parse_origin(origin).ok_or_else(|| NotAnOrigin(origin.to_owned()));
        let origins = origins.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { origins })
    }

    /// Whether the request is a preflight, to be answered 204 without a body, whatever its path, with
    /// the header fields of [`Cors::preflight`].
    pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The header fields of the answer to a preflight. They allow nothing for an origin that is not
    /// in the list.
    pub fn preflight(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(request) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }

    /// The header fields of any other answer, refusals too.
    pub fn answer(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        // Also for other origins and for none: a shared cache must not mix the answers.
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(request) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        }
    }

    fn allowed(&self, request: &HeaderMap) -> Option<&HeaderValue> {
        let mut origins = request.get_all(ORIGIN).iter();
        let origin = origins.next()?;
        if origins.next().is_some() {
            return None;
        }
        self.origins.iter().find(|allowed| *allowed == origin)
    }
}

fn parse_origin(origin: &str) -> Option<HeaderValue> {
    let (scheme, authority) = origin.split_once("://")?;
    if !matches!(scheme, "http" | "https") || authority.is_empty() {
        return None;
    }
    let of_a_host =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
    if !authority.bytes().all(of_a_host) {
        return None;
    }
    // A browser leaves the default port out, so an origin with it would never match.
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    if authority.ends_with(default_port) || authority.ends_with(':') {
        return None;
    }
    HeaderValue::from_str(origin).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors::new(["https://app.example.com", "http://localhost:3000"]).unwrap()
    }

    fn from(origins: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    fn answered(origins: &[&str]) -> HeaderMap {
        let mut answer = HeaderMap::new();
        cors().answer(&from(origins), &mut answer);
        answer
    }

    #[test]
    fn listed_origins_are_allowed_and_named() {
        for origin in ["https://app.example.com", "http://localhost:3000"] {
            let answer = answered(&[origin]);
            assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            assert_eq!(answer[VARY], "Origin");
            assert!(!answer.contains_key("access-control-allow-credentials"));
        }
    }

    #[test]
    fn no_other_origin_is_allowed_or_repeated() {
        let others = [
            "null",
            "*",
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "https://badexample.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com/",
            "https://APP.example.com",
        ];
        for other in others {
            let answer = answered(&[other]);
            assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{other}");
            assert_eq!(answer[VARY], "Origin", "{other}");
            let mut preflight = HeaderMap::new();
            cors().preflight(&from(&[other]), &mut preflight);
            assert_eq!(preflight.len(), 1, "{other}");
        }
        let twice = answered(&["https://app.example.com", "https://app.example.com"]);
        assert!(!twice.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[test]
    fn a_preflight_tells_methods_and_headers() {
        let mut request = from(&["https://app.example.com"]);
        assert!(!Cors::is_preflight(&Method::OPTIONS, &request));
        request.insert(
            ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("PATCH"),
        );
        assert!(Cors::is_preflight(&Method::OPTIONS, &request));
        assert!(!Cors::is_preflight(&Method::GET, &request));
        let mut answer = HeaderMap::new();
        cors().preflight(&request, &mut answer);
        assert_eq!(
            answer[ACCESS_CONTROL_ALLOW_ORIGIN],
            "https://app.example.com"
        );
        assert!(
            answer[ACCESS_CONTROL_ALLOW_METHODS]
                .to_str()
                .unwrap()
                .contains("PATCH")
        );
        let headers = answer[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        for header in ["Authorization", "If-Unmodified-Since", "X-Powered-By"] {
            assert!(headers.contains(header));
        }
    }

    #[test]
    fn without_configured_origins_nothing_is_said() {
        let mut answer = HeaderMap::new();
        Cors::default().answer(&from(&["https://app.example.com"]), &mut answer);
        assert!(answer.is_empty());
    }

    #[test]
    fn settings_that_no_browser_sends_are_refused() {
        let wrong = [
            "null",
            "*",
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://localhost:80",
            "https://*.example.com",
            "https://user@example.com",
        ];
        for origin in wrong {
            assert!(Cors::new([origin]).is_err(), "{origin}");
        }
    }
}
