//! Whether this node has taken in what other nodes wrote: at least so much as a caller has seen, and at
//! least so lately as the operator wants.

use std::fmt::Write as _;
use std::time::Duration;

use guestlist_rules::changes::Revision;
use http::HeaderMap;

use crate::app::App;
use crate::refusal::Refusal;

/// The request header that names the least revision to answer by.
const MIN_REVISION: &str = "Guestlist-Min-Revision";

/// What a node does when it no longer knows whether it is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenStale {
    /// Answers by what it has, and says in `/readyz` that it is not ready.
    #[default]
    Answer,
    /// Answers no request that is decided by what is stored.
    Refuse,
}

/// What a node may miss.
#[derive(Debug, Clone)]
pub struct FreshnessLimits {
    /// How long a request waits for the revision that it names.
    pub wait: Duration,
    /// How long ago a node may last have known that it misses nothing.
    pub stale_after: Duration,
    pub when_stale: WhenStale,
}

impl Default for FreshnessLimits {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(2),
            stale_after: Duration::from_secs(10),
            when_stale: WhenStale::default(),
        }
    }
}

/// Waits until this node has taken in the revision that the request names, and refuses if it does not
/// within its time. Before the caller is identified: who calls may be known by that change only.
pub(crate) async fn wait(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(wanted) = wanted(headers)? else {
        return Ok(());
    };
    let mut revisions = app.revisions();
    if *revisions.borrow() >= wanted {
        return Ok(());
    }
    let reached = revisions.wait_for(|revision| *revision >= wanted);
    match tokio::time::timeout(app.limits.freshness.wait, reached).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Refusal::NotReached {
            wanted: wanted.0,
            newest: app.revision().0,
        }),
    }
}

fn wanted(headers: &HeaderMap) -> Result<Option<Revision>, Refusal> {
    let mut values = headers.get_all(MIN_REVISION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::malformed(MIN_REVISION, "must be sent once"));
    }
    let digits = value.to_str().ok().filter(|text| {
        // `parse` would take a sign.
        text.bytes().all(|byte| byte.is_ascii_digit())
    });
    let revision = digits.and_then(|digits| digits.parse().ok());
    let malformed = || Refusal::malformed(MIN_REVISION, "must be a revision, a whole number");
    revision.map(Revision).map(Some).ok_or_else(malformed)
}

/// How long ago this node last knew that it misses nothing; `None` where nobody else writes.
pub(crate) fn age(app: &App) -> Option<Duration> {
    app.store.freshness().map(|freshness| freshness.age())
}

/// Refuses if this node may miss more than the operator allows.
pub(crate) fn require(app: &App) -> Result<(), Refusal> {
    match age(app).filter(|age| *age > app.limits.freshness.stale_after) {
        Some(age) => Err(Refusal::Stale {
            seconds: age.as_secs(),
        }),
        None => Ok(()),
    }
}

/// The same for a request, where the operator wants that.
pub(crate) fn require_for_request(app: &App) -> Result<(), Refusal> {
    match app.limits.freshness.when_stale {
        WhenStale::Answer => Ok(()),
        WhenStale::Refuse => require(app),
    }
}

/// For the page of metrics.
pub(crate) fn write(app: &App, text: &mut String) {
    let Some(age) = age(app) else {
        return;
    };
    let _ = write!(
        text,
        "# HELP guestlist_freshness_seconds How long ago this node last knew that it misses no \
         change of other nodes.\n\
         # TYPE guestlist_freshness_seconds gauge\n\
         guestlist_freshness_seconds {:.3}\n",
        age.as_secs_f64()
    );
}
