//! The one function that sends: headers, time limits, a bounded answer, and repeating.

use std::time::Duration;

use bytes::Bytes;
use guestlist_api::problems::Problem;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::Shared;
use crate::clock;
use crate::error::{
    ConfigurationError, CredentialsError, DecodingError, Error, NoAnswer, Refusal, TransportError,
};
use crate::paths::{self, Path};
use crate::retries::{self, Repeating};

const REVISION: HeaderName = HeaderName::from_static("guestlist-revision");
const LEAST_REVISION: HeaderName = HeaderName::from_static("guestlist-min-revision");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TYPES: HeaderValue =
    HeaderValue::from_static("application/links+json, application/json, application/problem+json");
pub(crate) const IF_UNMODIFIED_SINCE: HeaderName = http::header::IF_UNMODIFIED_SINCE;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request before it has an address and credentials.
pub(crate) struct Request {
    method: Method,
    path: Path,
    query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    body: Option<Bytes>,
    repeating: Repeating,
    /// Texts that must not be told again by an error.
    secrets: Vec<String>,
    credentials: bool,
    /// Whether the answer must know of what was seen before.
    fresh: bool,
}

impl Request {
    pub(crate) fn new(method: Method, path: Path) -> Self {
        let is_read = method == Method::GET;
        let repeating = if is_read {
            Repeating::Safe
        } else {
            Repeating::Unsafe
        };
        Self {
            method,
            fresh: is_read,
            path,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            repeating,
            secrets: Vec::new(),
            credentials: true,
        }
    }

    pub(crate) fn get(path: Path) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn query(mut self, query: &[(&'static str, String)]) -> Self {
        self.query.extend_from_slice(query);
        self
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body)
            .map_err(|_| ConfigurationError::new("the request cannot be written as JSON"))?;
        self.body = Some(Bytes::from(body));
        Ok(self)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            ConfigurationError::new(format!("the header {name} must be visible ASCII"))
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// With this key, the same request may arrive twice.
    pub(crate) fn idempotent(mut self, key: &str) -> Result<Self, Error> {
        self.repeating = Repeating::Safe;
        self.header(IDEMPOTENCY_KEY, key)
    }

    /// As it is, and as it stands in a path.
    pub(crate) fn secret(mut self, text: &str) -> Self {
        self.secrets.push(text.to_owned());
        self.secrets.push(paths::encoded(text));
        self
    }

    /// For what is public: the server is not told who asks.
    pub(crate) fn without_credentials(mut self) -> Self {
        self.credentials = false;
        self
    }

    /// For what says by itself how new it is.
    pub(crate) fn however_old(mut self) -> Self {
        self.fresh = false;
        self
    }

    fn is_read(&self) -> bool {
        self.method == Method::GET
    }
}

/// A 2xx answer.
pub(crate) struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// Whether it was taken on and is not done.
    pub(crate) fn is_only_accepted(&self) -> bool {
        self.status == StatusCode::ACCEPTED
    }

    /// Reads the body. `expected` says what it is: "an invite".
    pub(crate) fn decode<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, Error> {
        decode(&self.body, expected)
    }

    /// Reads the body, if there is one that is neither `null` nor `{}`.
    pub(crate) fn decode_any<T: DeserializeOwned>(
        &self,
        expected: &'static str,
    ) -> Result<Option<T>, Error> {
        match self.body.trim_ascii() {
            b"" | b"null" | b"{}" => Ok(None),
            body => decode(body, expected).map(Some),
        }
    }

    pub(crate) fn text(&self, expected: &'static str) -> Result<String, Error> {
        String::from_utf8(self.body.to_vec()).map_err(|_| {
            Error::Decoding(DecodingError {
                expected,
                member: None,
            })
        })
    }
}

/// What `serde` says of an unreadable body quotes the body, so only the place is kept.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8], expected: &'static str) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        Error::Decoding(DecodingError {
            expected,
            member: (path != ".").then_some(path),
        })
    })?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(_) => Err(Error::Decoding(DecodingError {
            expected,
            member: None,
        })),
    }
}

/// Sends a request, again where that is safe, and returns the 2xx answer.
pub(crate) async fn send(shared: &Shared, request: Request) -> Result<Answer, Error> {
    let deadline = Instant::now() + shared.settings.timeout;
    let address = address(shared, &request)?;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let error = match send_once(shared, &request, &address, deadline).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = retries::wait(request.repeating, &error, attempt);
        // A server may ask for a wait that no clock can hold.
        match wait.and_then(|wait| Instant::now().checked_add(wait)) {
            Some(next) if attempt <= shared.settings.retries && next < deadline => {
                sleep(next.saturating_duration_since(Instant::now())).await;
            }
            Some(_) | None => return Err(error),
        }
    }
}

fn address(shared: &Shared, request: &Request) -> Result<reqwest::Url, Error> {
    let mut address = format!("{}{}", shared.base, request.path.as_str()?);
    if !request.query.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&request.query)
            .finish();
        address.push('?');
        address.push_str(&query);
    }
    reqwest::Url::parse(&address)
        .map_err(|_| ConfigurationError::new("the address of the request is not a URL").into())
}

async fn send_once(
    shared: &Shared,
    request: &Request,
    address: &reqwest::Url,
    deadline: Instant,
) -> Result<Answer, Error> {
    let token = if request.credentials {
        timeout_at(deadline, shared.credentials.bearer(&shared.base))
            .await
            .map_err(|_| CredentialsError::new("the provider gave no token in time"))??
    } else {
        None
    };
    let mut headers = request.headers.clone();
    headers.insert(ACCEPT, TYPES);
    if let Some(token) = &token {
        headers.insert(AUTHORIZATION, token.clone());
    }
    if request.fresh
        && let Some(revision) = shared.revision()
    {
        headers.insert(LEAST_REVISION, HeaderValue::from(revision));
    }
    let remaining = deadline.saturating_duration_since(Instant::now());
    let mut sending = shared
        .http
        .request(request.method.clone(), address.clone())
        .timeout(remaining);
    if let Some(body) = &request.body {
        headers.insert(CONTENT_TYPE, JSON);
        sending = sending.body(body.clone());
    }
    let lost = |error| no_answer(request, error);
    let answer = sending.headers(headers).send().await.map_err(lost)?;
    if let Some(revision) = number(answer.headers(), &REVISION) {
        shared.saw(revision);
    }
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = read(answer, shared.settings.answer_limit, request).await?;
    if status.is_success() {
        return Ok(Answer { status, body });
    }
    Err(refused(request, token.as_ref(), status, &headers, &body))
}

/// Reads a body as far as it may be long.
async fn read(
    mut answer: reqwest::Response,
    limit: usize,
    request: &Request,
) -> Result<Bytes, Error> {
    let too_large = || {
        Error::Transport(TransportError {
            reason: NoAnswer::TooLarge,
            timed_out: false,
            changes: !request.is_read(),
            source: None,
        })
    };
    if answer
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| no_answer(request, error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(body))
}

/// The address is left out of the error, because the id of an invite may be in it.
fn no_answer(request: &Request, error: reqwest::Error) -> Error {
    let reason = if error.is_connect() {
        NoAnswer::NotConnected
    } else {
        NoAnswer::Interrupted
    };
    Error::Transport(TransportError {
        reason,
        timed_out: error.is_timeout(),
        changes: !request.is_read(),
        source: Some(error.without_url()),
    })
}

fn refused(
    request: &Request,
    token: Option<&HeaderValue>,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Error {
    let token = token
        .and_then(|token| token.to_str().ok())
        .and_then(|token| token.strip_prefix("Bearer "));
    let secrets: Vec<&str> = request
        .secrets
        .iter()
        .map(String::as_str)
        .chain(token)
        .collect();
    let mut problem: Option<Box<Problem>> = serde_json::from_slice(body).ok();
    if let Some(problem) = &mut problem {
        problem.status = status.as_u16();
        conceal(problem, &secrets);
    }
    let told = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let in_body = problem.as_ref().map(|problem| problem.error_id.as_str());
    let request_id = told.or(in_body).filter(|id| !id.is_empty());
    Error::Refused(Refusal {
        status: status.as_u16(),
        retry_after: retry_after(headers),
        request_id: request_id.map(ToOwned::to_owned),
        changes: !request.is_read(),
        problem,
    })
}

/// A server may quote what it was asked.
fn conceal(problem: &mut Problem, secrets: &[&str]) {
    let texts = [
        Some(&mut problem.kind),
        Some(&mut problem.title),
        Some(&mut problem.error_code),
        Some(&mut problem.error_id),
        problem.detail.as_mut(),
        problem.path.as_mut(),
    ];
    for text in texts.into_iter().flatten() {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            if text.contains(secret) {
                *text = text.replace(secret, "…");
            }
        }
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Seconds or an HTTP date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(seconds) = number(headers, &RETRY_AFTER) {
        return Some(Duration::from_secs(seconds));
    }
    let date = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let time = jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(date)
        .ok()?;
    let seconds = time.as_second() - clock::seconds();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
