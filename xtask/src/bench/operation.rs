//! What an operator sees: memory of an idle server, the time of a start, the size of the binary.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Bench;
use super::checks::{MANY, MANY_GRANTS};
use super::figures::{Section, grouped, median_of, ratio_of, row};
use super::preparing::server_with;
use super::progress::Progress;
use super::running::{Mode, Running, data, read_all};

const EMPTY: &str = "operation-empty";
const MEBIBYTE: f64 = 1024.0 * 1024.0;

pub(crate) fn measure(bench: &Bench) -> Result<Section> {
    let rounds = bench.effort.start_rounds;
    let progress = Progress::new("operation", rounds + 1);
    progress.next("preparing");
    Running::server(bench, EMPTY, Mode::Pinned)?.stop()?;
    if !data(bench, MANY).exists() {
        server_with(bench, MANY, MANY_GRANTS, Mode::Pinned)?.stop()?;
    }
    let mut results = Vec::new();
    for _ in 0..rounds {
        progress.next("starting");
        let empty = start(bench, EMPTY)?;
        let (bytes, took) = read_all(&data(bench, MANY))?;
        let many = start(bench, MANY)?;
        results.push(json!({
            "empty": empty,
            "many": many,
            "read": {"bytes": bytes, "milliseconds": took.as_secs_f64() * 1e3},
        }));
    }
    let binary = std::fs::metadata(&bench.programs.server)
        .context("the server was not built")?
        .len();
    section(&results, binary)
}

/// Starts the server on prepared data, and stops it again.
fn start(bench: &Bench, name: &str) -> Result<Value> {
    let server = Running::server(bench, name, Mode::Pinned)?;
    let measured = json!({
        "milliseconds": server.ready_after.as_secs_f64() * 1e3,
        "residentBytes": server.resident_bytes()?,
    });
    server.stop()?;
    Ok(measured)
}

fn section(rounds: &[Value], binary: u64) -> Result<Section> {
    let figure = |path: &[&str]| median_of(rounds, path);
    let mebibytes =
        |path: &[&str]| Ok::<_, anyhow::Error>(format!("{:.1}", figure(path)? / MEBIBYTE));
    let milliseconds = |path: &[&str]| Ok::<_, anyhow::Error>(format!("{:.1}", figure(path)?));
    let size = figure_of(binary) / MEBIBYTE;
    let bytes = mebibytes(&["read", "bytes"])?;
    let ratio = ratio_of(rounds, &["many", "milliseconds"], &["read", "milliseconds"])?;
    let (many, read) = (
        format!("start with {} grants, ms", grouped(MANY_GRANTS.into())),
        format!("reading its {bytes} MiB of files, ms"),
    );
    let rows = vec![
        row(["what", "figure"]),
        vec![
            "idle, nothing stored, MiB resident".to_owned(),
            mebibytes(&["empty", "residentBytes"])?,
        ],
        vec![
            format!("idle, {} grants, MiB resident", grouped(MANY_GRANTS.into())),
            mebibytes(&["many", "residentBytes"])?,
        ],
        vec![
            "start with nothing stored, ms".to_owned(),
            milliseconds(&["empty", "milliseconds"])?,
        ],
        vec![many, milliseconds(&["many", "milliseconds"])?],
        vec![read, milliseconds(&["read", "milliseconds"])?],
        vec!["start to reading, ratio".to_owned(), ratio],
        vec!["binary, MiB".to_owned(), format!("{size:.1}")],
    ];
    Ok(Section {
        title: "operation".to_owned(),
        table: rows,
        notes: vec![
            "A start ends when the server listens with everything loaded. Files are in the page \
             cache."
                .to_owned(),
        ],
        json: json!({"binaryBytes": binary, "rounds": rounds}),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a binary has far fewer than 2^52 bytes"
)]
fn figure_of(bytes: u64) -> f64 {
    bytes as f64
}
