//! How far a part is: a bar where somebody watches, one line where nobody does.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// The progress of one part; gone from the screen when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(part: &str, steps: usize) -> Self {
        if !stderr().is_terminal() {
            terminal::say(&format!("{part}: {steps} measurements"));
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(steps as u64).with_prefix(part.to_owned());
        let template = "{prefix} {bar:30} {pos}/{len} {msg} [{elapsed}]";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        // Slow, because drawing takes CPU from what is measured.
        bar.enable_steady_tick(Duration::from_secs(1));
        Self(bar)
    }

    /// Says what is measured next.
    pub(crate) fn next(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
