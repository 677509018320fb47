//! What is counted for operators: requests by operation and status, without ids and without secrets.
//!
//! A counter is one atomic number at a place known in advance, so that counting costs a request a
//! few nanoseconds and no allocation.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderValue, StatusCode};

use crate::answer::Answer;
use crate::app::App;
use crate::freshness;
use crate::operations::Operation;

/// Every status an answer has; any other would be counted as the last.
const STATUSES: [u16; 25] = [
    200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 417, 422, 429, 431,
    501, 502, 503, 504, 507, 500,
];
/// The operations, and one place for requests that reach none.
const OPERATIONS: usize = Operation::ALL.len() + 1;
const NONE: usize = OPERATIONS - 1;

/// The counters of one server.
pub struct Metrics {
    answers: Box<[AtomicU64]>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            answers: (0..OPERATIONS * STATUSES.len())
                .map(|_| AtomicU64::new(0))
                .collect(),
        }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, operation: Option<Operation>, status: StatusCode) {
        let row = operation.map_or(NONE, |operation| operation as usize);
        let column = STATUSES.iter().position(|known| *known == status.as_u16());
        let place = row * STATUSES.len() + column.unwrap_or(STATUSES.len() - 1);
        if let Some(counter) = self.answers.get(place) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// GET `/metrics`: the Prometheus text format, version 0.0.4.
pub fn page(app: &App) -> Answer {
    let mut text = String::from(
        "# HELP guestlist_requests_total Requests answered, by operation and status.\n\
         # TYPE guestlist_requests_total counter\n",
    );
    let names = Operation::ALL.iter().map(|operation| operation.name());
    let rows = app.metrics.answers.chunks(STATUSES.len());
    for (name, row) in names.chain(["none".to_owned()]).zip(rows) {
        for (status, counter) in STATUSES.iter().zip(row) {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                let labels = format!("operation=\"{name}\",status=\"{status}\"");
                let _ = writeln!(text, "guestlist_requests_total{{{labels}}} {count}");
            }
        }
    }
    text.push_str(
        "# HELP guestlist_webhooks Webhooks, by whether the last attempt to deliver failed.\n\
         # TYPE guestlist_webhooks gauge\n",
    );
    for (state, count) in app.webhooks.states() {
        let _ = writeln!(text, "guestlist_webhooks{{state=\"{state}\"}} {count}");
    }
    app.invite_metrics().write(&mut text);
    freshness::write(app, &mut text);
    let (revision, grants) = {
        let grants = app.grants();
        (grants.revision(), grants.len())
    };
    let _ = write!(
        text,
        "# HELP guestlist_revision Position in the event log that this node has taken in.\n\
         # TYPE guestlist_revision gauge\n\
         guestlist_revision {revision}\n\
         # HELP guestlist_grants Combinations of principal, role and resource in memory.\n\
         # TYPE guestlist_grants gauge\n\
         guestlist_grants {grants}\n\
         # HELP guestlist_build_info The version that runs.\n\
         # TYPE guestlist_build_info gauge\n\
         guestlist_build_info{{version=\"{version}\"}} 1\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    Answer::file(
        HeaderValue::from_static("text/plain; version=0.0.4"),
        text.into(),
    )
}
