//! What is counted for operators: requests by operation and status, without ids and without secrets.

use http::{HeaderValue, StatusCode};
use metrics::{Key, Label, Metadata, Recorder as _};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::answer::Answer;
use crate::operations::Operation;

/// The counters of one server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Default for Metrics {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        Self { recorder, handle }
    }
}

const ABOUT: Metadata<'static> = Metadata::new(module_path!(), metrics::Level::INFO, None);

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, operation: Option<Operation>, status: StatusCode) {
        let operation = operation.map_or_else(|| "none".to_owned(), Operation::name);
        let labels = vec![
            Label::new("operation", operation),
            Label::new("status", status.as_str().to_owned()),
        ];
        let key = Key::from_parts("guestlist_requests_total", labels);
        self.recorder.register_counter(&key, &ABOUT).increment(1);
    }

    /// GET `/metrics`: the Prometheus text format.
    pub fn page(&self) -> Answer {
        let text = self.handle.render();
        Answer::file(
            HeaderValue::from_static("text/plain; version=0.0.4"),
            text.into(),
        )
    }
}
