//! Durable invites, created and accepted, against a loop that appends a row and calls `fdatasync`.

use anyhow::Result;
use serde_json::{Value, json};

use super::Bench;
use super::figures::{Section, grouped, median_of, number, ratio_of, row};
use super::preparing::server_with;
use super::progress::Progress;
use super::running::{Mode, Running, owner_key};

const DATA: &str = "invites";
const CLIENTS: [usize; 2] = [1, 64];

pub(crate) fn measure(bench: &Bench) -> Result<Section> {
    let rounds = bench.effort.invite_rounds;
    let progress = Progress::new("invites", CLIENTS.len() * rounds);
    let server = server_with(bench, DATA, 0, Mode::Development)?;
    let mut results: Vec<Vec<Value>> = CLIENTS.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for (clients, results) in CLIENTS.into_iter().zip(&mut results) {
            progress.next(&format!("{clients} clients"));
            results.push(invite(bench, &server, DATA, clients, round)?);
        }
    }
    server.stop()?;
    section(&results)
}

/// Invites of so many clients, made by the owner of the data directory `data`.
pub(super) fn invite(
    bench: &Bench,
    server: &Running,
    data: &str,
    clients: usize,
    round: usize,
) -> Result<Value> {
    let mut arguments = vec!["invites".to_owned()];
    for (name, value) in [
        ("--address", server.address.to_string()),
        ("--process", server.id().to_string()),
        ("--key", owner_key(bench, data).display().to_string()),
        ("--connections", clients.to_string()),
        ("--seconds", bench.effort.invite_seconds.to_string()),
        ("--directory", bench.directory.path().display().to_string()),
        ("--run", (round * 1000 + clients).to_string()),
    ] {
        arguments.extend([name.to_owned(), value]);
    }
    bench.programs.measure(false, &arguments)
}

fn section(results: &[Vec<Value>]) -> Result<Section> {
    let mut table = vec![row([
        "clients",
        "operation",
        "a second",
        "fdatasync a second",
        "ratio",
        "p50 ms",
        "p99 ms",
        "CPU µs each",
    ])];
    let mut all = Vec::new();
    for (clients, rounds) in CLIENTS.iter().zip(results) {
        for operation in ["created", "accepted"] {
            let figure = |name: &str| median_of(rounds, &[operation, name]);
            table.push(vec![
                clients.to_string(),
                operation.to_owned(),
                grouped(figure("perSecond")?),
                grouped(median_of(rounds, &[operation, "disk", "perSecond"])?),
                ratio_of(
                    rounds,
                    &[operation, "perSecond"],
                    &[operation, "disk", "perSecond"],
                )?,
                format!("{:.2}", figure("p50Microseconds")? / 1e3),
                format!("{:.2}", figure("p99Microseconds")? / 1e3),
                format!("{:.0}", 1e6 / figure("perCpuSecond")?),
            ]);
        }
        all.push(json!({"clients": clients, "rounds": rounds}));
    }
    let counts: Result<Vec<f64>> = results
        .iter()
        .flatten()
        .map(|round| number(round, &["accepted", "requests"]))
        .collect();
    Ok(Section {
        title: "durable invites, against a loop of append and fdatasync".to_owned(),
        table,
        notes: vec![format!(
            "Every answer is durable. Each accept is another user's, with a token never seen \
             before. {} invites were accepted in the measured times.",
            grouped(counts?.iter().sum())
        )],
        json: Value::Array(all),
    })
}
