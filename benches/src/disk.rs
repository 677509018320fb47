//! The floor of every durable figure: appending rows to a file, each made durable before the next.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use guestlist_bench::clock::Stopwatch;

#[derive(Args)]
pub(crate) struct Options {
    /// Where the file is made and removed again.
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    seconds: f64,
    #[arg(long, default_value_t = 600)]
    row_bytes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    rows: u32,
    seconds: f64,
    per_second: f64,
}

pub(crate) fn run(options: &Options) -> Result<Measured> {
    let path = options.directory.join("floor");
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(&path)
        .with_context(|| format!("{} cannot be made", path.display()))?;
    let row = vec![b'x'; options.row_bytes];
    let length = Duration::from_secs_f64(options.seconds);
    let mut rows = 0_u32;
    let watch = Stopwatch::start();
    let written = loop {
        let written = file.write_all(&row).and_then(|()| file.sync_data());
        if written.is_err() {
            break written;
        }
        rows += 1;
        if watch.elapsed() >= length {
            break Ok(());
        }
    };
    let seconds = watch.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    written?;
    Ok(Measured {
        rows,
        seconds,
        per_second: f64::from(rows) / seconds,
    })
}
