//! The bar of an import, and its end by an interrupt: the document in hand is finished first.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::exits::Failure;
use crate::output::Output;

/// How often the bar is drawn again when nothing is reported, so that its time goes on.
const TICK: Duration = Duration::from_millis(200);

pub(super) struct Steps {
    bar: ProgressBar,
    interrupted: Cell<bool>,
}

impl Steps {
    /// A bar with one step for each kind, if somebody looks.
    pub(super) fn new(output: &Output, kinds: usize) -> Self {
        let bar = if output.shows_progress() {
            ProgressBar::new(kinds as u64)
        } else {
            ProgressBar::hidden()
        };
        let style =
            ProgressStyle::with_template("{bar:20} {pos}/{len} {elapsed_precise} {wide_msg}");
        // The template is of this file; a bar in another style would do as well.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            interrupted: Cell::new(false),
        }
    }

    /// Before each document: shows where it is, and ends the import if somebody has asked for that.
    pub(super) fn goes_on(&self, message: &str) -> Result<(), Failure> {
        if self.interrupted.get() {
            return Err(Failure::interrupted());
        }
        self.bar.set_message(message.to_owned());
        Ok(())
    }

    pub(super) fn kind_is_done(&self) {
        self.bar.inc(1);
    }

    /// Waits for a second interrupt; the first one asks for the end.
    pub(super) async fn interrupts(
        &self,
        output: &Output,
        interrupts: &mut mpsc::UnboundedReceiver<()>,
    ) {
        for is_first in [true, false] {
            if interrupts.recv().await.is_none() {
                // Nobody will interrupt any more.
                std::future::pending::<()>().await;
            }
            self.interrupted.set(true);
            if is_first {
                self.bar.suspend(|| {
                    output.notice(
                        "finishing the document in hand; Ctrl-C again does not wait for it",
                    );
                });
            }
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
