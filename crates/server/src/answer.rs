//! A successful answer on its way out. Refusals are made in `refusal.rs` alone.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

/// The media type of every typed body; one SDK refuses anything that is not some JSON
/// (contract §0.2 rule 1).
const LINKS_JSON: HeaderValue = HeaderValue::from_static("application/links+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// How an operation went, when it went well.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
    pub content_type: Option<HeaderValue>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// A value that has no JSON form; none of ours should.
#[derive(Debug, thiserror::Error)]
#[error("an answer could not be written as JSON")]
pub struct NotWritable(#[from] serde_json::Error);

impl Answer {
    /// A typed body.
    pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Result<Self, NotWritable> {
        Ok(Self {
            status,
            body: serde_json::to_vec(body)?.into(),
            content_type: Some(LINKS_JSON),
            headers: Vec::new(),
        })
    }

    /// "Yes" to a permission check: prepared, since it is what the server is asked most.
    pub fn yes() -> Self {
        Self {
            status: StatusCode::OK,
            body: Bytes::from_static(b"{}"),
            content_type: Some(LINKS_JSON),
            headers: Vec::new(),
        }
    }

    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: Bytes::new(),
            content_type: None,
            headers: Vec::new(),
        }
    }

    /// A file or text of another type.
    pub fn file(content_type: HeaderValue, body: Bytes) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            content_type: Some(content_type),
            headers: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        headers.insert(CACHE_CONTROL, NO_STORE);
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}
