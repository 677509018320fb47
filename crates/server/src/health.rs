//! Whether the process lives and whether it can take requests.

use http::{HeaderValue, StatusCode};
use serde::Serialize;
use tokio::sync::watch;

use crate::answer::Answer;
use crate::app::App;
use crate::freshness;
use crate::refusal::Refusal;

/// Whether the server has begun to shut down: from then on it is not ready.
#[derive(Debug, Default)]
pub struct Draining(watch::Sender<bool>);

impl Draining {
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it has begun.
    pub async fn begun(&self) {
        let mut begun = self.0.subscribe();
        // The sender is `self`, so it never ends without having said so.
        let _begun = begun.wait_for(|begun| *begun).await;
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: &'static str,
    revision: u64,
    /// How long ago it last knew that it misses no change of other nodes; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_seconds_ago: Option<f64>,
}

fn plain(report: &Report) -> Result<Answer, Refusal> {
    let mut answer = Answer::json(StatusCode::OK, report)?;
    answer.content_type = Some(HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// GET `/healthz`: the process answers.
pub fn get_health(app: &App) -> Result<Answer, Refusal> {
    plain(&Report {
        status: "ok",
        revision: app.revision().0,
        confirmed_seconds_ago: None,
    })
}

/// GET `/readyz`: it can also write, misses nothing, and is not shutting down.
pub async fn get_readiness(app: &App) -> Result<Answer, Refusal> {
    if app.draining.has_begun() {
        return Err(Refusal::Draining);
    }
    freshness::require(app)?;
    app.store.ping().await?;
    plain(&Report {
        status: "ready",
        revision: app.revision().0,
        confirmed_seconds_ago: freshness::age(app).map(|age| age.as_secs_f64()),
    })
}
