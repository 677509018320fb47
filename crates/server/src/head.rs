//! The head of a request, checked before anything in it is used.
//!
//! hyper has already refused what is not HTTP: malformed lines, header fields continued on the next
//! line, conflicting lengths, transfer codings other than chunked, more than 100 header fields. A
//! `#` in the request target and all after it has already been cut off by the `http` crate. Deliberately
//! absent: any use of `X-Original-URL`, `X-Rewrite-URL`, `X-HTTP-Method-Override` and the like, and
//! any use of `Host` for making URLs.

use http::header::{EXPECT, HOST};
use http::{Request, Version};

use crate::edge_error::{BadHost, EdgeError};
use crate::limits::Limits;

/// Checks the head. The path is then `request.uri().path()`, also for a target in absolute form,
/// whose authority is ignored like `Host` (one server serves one account).
pub fn check<B>(request: &Request<B>, limits: &Limits) -> Result<(), EdgeError> {
    check_target(request, limits)?;
    let length: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + ": ".len() + value.len() + "\r\n".len())
        .sum();
    if length > limits.header_block || request.headers().len() > limits.headers {
        return Err(EdgeError::HeadersTooLarge {
            length,
            allowed: limits.header_block,
        });
    }
    check_host(request)?;
    check_expectation(request)
}

fn check_target<B>(request: &Request<B>, limits: &Limits) -> Result<(), EdgeError> {
    let uri = request.uri();
    let authority = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len() + "http://".len());
    let length = authority + uri.path_and_query().map_or(0, |path| path.as_str().len());
    if length > limits.target {
        return Err(EdgeError::UriTooLong {
            length,
            allowed: limits.target,
        });
    }
    // `CONNECT host:port` has no path; `OPTIONS *` has the path `*`.
    if uri.path().starts_with('/') {
        Ok(())
    } else {
        Err(EdgeError::BadTarget)
    }
}

/// RFC 9112 §3.2: without exactly one `Host`, two programs can disagree about whom a request is for.
fn check_host<B>(request: &Request<B>) -> Result<(), EdgeError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return if request.version() < Version::HTTP_11 {
            Ok(())
        } else {
            Err(EdgeError::BadHost(BadHost::Missing))
        };
    };
    if hosts.next().is_some() {
        return Err(EdgeError::BadHost(BadHost::Several));
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(byte);
    if host.as_bytes().iter().all(allowed) {
        Ok(())
    } else {
        Err(EdgeError::BadHost(BadHost::Malformed))
    }
}

fn check_expectation<B>(request: &Request<B>) -> Result<(), EdgeError> {
    let expectations = request.headers().get_all(EXPECT);
    let met = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if expectations.iter().all(met) {
        Ok(())
    } else {
        Err(EdgeError::UnknownExpectation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::get("/v1/users");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    fn checked(request: &Request<()>) -> Result<(), EdgeError> {
        check(request, &Limits::default())
    }

    #[test]
    fn p09_exactly_one_host() {
        let fault = |headers| match checked(&request(headers)) {
            Err(EdgeError::BadHost(fault)) => Some(fault),
            _ => None,
        };
        assert_eq!(checked(&request(&[("host", "localhost:8888")])), Ok(()));
        assert_eq!(checked(&request(&[("host", "[::1]:8888")])), Ok(()));
        assert_eq!(fault(&[]), Some(BadHost::Missing));
        assert_eq!(
            fault(&[("host", "a"), ("host", "a")]),
            Some(BadHost::Several)
        );
        assert_eq!(fault(&[("host", "a, b")]), Some(BadHost::Malformed));
        assert_eq!(fault(&[("host", "a/b")]), Some(BadHost::Malformed));
        let mut old = request(&[]);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(checked(&old), Ok(()));
    }

    #[test]
    fn targets_that_are_no_path_are_refused() {
        for target in ["*", "example.com:443"] {
            let mut request = request(&[("host", "a")]);
            *request.uri_mut() = target.parse().unwrap();
            assert_eq!(checked(&request), Err(EdgeError::BadTarget), "{target}");
        }
    }

    #[test]
    fn expectations_other_than_continue_are_refused() {
        let with = |value| checked(&request(&[("host", "a"), ("expect", value)]));
        assert_eq!(with("100-Continue"), Ok(()));
        assert_eq!(with("200-ok"), Err(EdgeError::UnknownExpectation));
    }
}
