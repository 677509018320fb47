//! The floor of every durable figure: appending rows to a file, each made durable before the next.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use guestlist_bench::clock::Stopwatch;
use serde::Serialize;

/// Bytes of a row.
const ROW: usize = 600;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    rows: u32,
    seconds: f64,
    per_second: f64,
}

/// Makes a file in `directory`, and removes it again.
pub(crate) fn run(directory: &Path, length: Duration) -> Result<Measured> {
    let path = directory.join("floor");
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(&path)
        .with_context(|| format!("{} cannot be made", path.display()))?;
    let row = vec![b'x'; ROW];
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
