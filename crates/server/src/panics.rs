//! The last wall behind a handler: a panic becomes an answer, and the process lives.

use std::any::Any;
use std::fmt::Write;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// A future panicked. What it said is for the log only.
#[derive(Debug)]
pub struct Panicked(String);

impl Panicked {
    fn new(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self(message.unwrap_or("no message").to_owned())
    }

    /// What the panic said. Never shown to a client.
    pub fn message(&self) -> &str {
        &self.0
    }
}

/// Makes a future and runs it, turning a panic of either into an error.
///
/// Nothing that the future shared with others is used afterwards on this path: locks that it held
/// are poisoned or released, and their owners decide what that means.
pub async fn caught<F: Future>(make: impl FnOnce() -> F) -> Result<F::Output, Panicked> {
    let future =
        catch_unwind(AssertUnwindSafe(make)).map_err(|payload| Panicked::new(&*payload))?;
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => Poll::Ready(Err(Panicked::new(&*payload))),
        },
    )
    .await
}

/// Answers 500 with an id, and writes the message of the panic to the log under the same id.
///
/// The id is a count, as nothing here has randomness: it is unique within one run's log.
pub(crate) fn answer(panicked: &Panicked) -> Response<Full<Bytes>> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut error_id = String::new();
    // Writing to a string does not fail.
    let _ = write!(error_id, "panic-{count}");
    tracing::error!(
        error_id,
        message = panicked.message(),
        "a request handler panicked"
    );
    let body = format!(
        "{{\"type\":\"/problems/InternalError\",\"title\":\"The server failed to answer. Its log says more under the errorId.\",\"status\":500,\"errorCode\":\"InternalError\",\"errorId\":\"{error_id}\"}}"
    );
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let json = HeaderValue::from_static("application/problem+json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}
