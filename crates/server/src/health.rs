//! Whether the process lives and whether it can take requests.

use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::answer::Answer;
use crate::app::App;
use crate::refusal::Refusal;

/// Whether the server has begun to shut down: from then on it is not ready.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: &'static str,
    revision: u64,
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
    })
}

/// GET `/readyz`: it can also write, and is not shutting down.
pub async fn get_readiness(app: &App) -> Result<Answer, Refusal> {
    if app.draining.has_begun() {
        return Err(Refusal::Draining);
    }
    app.store.ping().await?;
    plain(&Report {
        status: "ready",
        revision: app.revision().0,
    })
}
