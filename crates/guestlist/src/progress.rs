//! Long work on files: its progress on a terminal, and its end by an interrupt.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guestlist_store::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::exits::Failure;
use crate::output::Output;

/// How often a bar is drawn again when nothing is reported, so that its time goes on.
const TICK: Duration = Duration::from_millis(200);

/// What a long work tells, and asks whether it should go on.
pub(crate) struct Watcher {
    bar: ProgressBar,
    stage: Option<Stage>,
    interrupted: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Copying,
    Checking,
    Reading,
    Exporting,
    Importing,
}

impl Stage {
    fn style(self) -> ProgressStyle {
        let template = match self {
            Self::Copying | Self::Reading => {
                "{msg:9} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {elapsed_precise}"
            }
            Self::Checking | Self::Exporting | Self::Importing => {
                "{msg:9} {wide_bar} {human_pos}/{human_len} rows {elapsed_precise}"
            }
        };
        // The templates are of this file; a bar in another style would do as well.
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }
}

impl Watcher {
    /// To be called by the work, often.
    pub(crate) fn report(&mut self, progress: Progress) -> ControlFlow<()> {
        let (stage, message, done, all) = match progress {
            Progress::Copying { done, all } => (Stage::Copying, "copying", done, all),
            Progress::Checking { done, all } => (Stage::Checking, "checking", done, all),
            Progress::Reading { done, all } => (Stage::Reading, "reading", done, all),
            Progress::Exporting { done, all } => (Stage::Exporting, "exporting", done, all),
            Progress::Importing { done, all } => (Stage::Importing, "importing", done, all),
        };
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            self.bar.set_style(stage.style());
            self.bar.set_message(message);
        }
        self.bar.set_length(all);
        self.bar.set_position(done);
        if self.interrupted.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Does a work that blocks. An interrupt asks it to end; a second one does not wait for that.
pub(crate) fn watched<T: Send + 'static>(
    output: &Output,
    work: impl FnOnce(&mut Watcher) -> T + Send + 'static,
) -> Result<T, Failure> {
    let bar = if output.shows_progress() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    bar.enable_steady_tick(TICK);
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut watcher = Watcher {
        bar: bar.clone(),
        stage: None,
        interrupted: Arc::clone(&interrupted),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(async {
        let mut working = tokio::task::spawn_blocking(move || work(&mut watcher));
        let ended = tokio::select! {
            ended = &mut working => ended,
            _interrupt = tokio::signal::ctrl_c() => {
                interrupted.store(true, Ordering::Relaxed);
                tokio::select! {
                    ended = &mut working => ended,
                    _second = tokio::signal::ctrl_c() => return Err(Failure::interrupted()),
                }
            }
        };
        ended.map_err(|error| Failure::local(format!("the work has failed: {error}")))
    });
    bar.finish_and_clear();
    // Waiting for it would be waiting for what a second interrupt has given up.
    runtime.shutdown_background();
    outcome
}
