//! Nodes on PostgreSQL beside the embedded store, and beside the commits that the database itself can
//! do: in one run, on one cluster that is made for it.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Bench;
use super::database::Database;
use super::figures::{Section, grouped, median_of, number, ratio_of, row};
use super::invites::invite;
use super::preparing::prepare;
use super::progress::Progress;
use super::running::{Mode, Running, data, owner_key};

const EMBEDDED: &str = "postgresql-embedded";
const DATABASE: &str = "postgresql-database";
const GRANTS: &str = "postgresql-grants";
const CLIENTS: [usize; 3] = [1, 8, 64];
/// Connections that write beside the checks, and those that check.
const WRITERS: usize = 8;
const CHECKERS: usize = 16;
/// Writes that the lag is measured with, in each round.
const FOLLOWED: usize = 200;

pub(crate) fn measure(bench: &Bench) -> Result<Section> {
    let rounds = bench.effort.invite_rounds.div_ceil(2);
    let steps = rounds * CLIENTS.len() * 2 + rounds * 3 + bench.effort.database_grants.len();
    let progress = Progress::new("postgresql", steps);
    let database = Database::start(bench)?;
    let mut json = json!({});
    let mut table = vec![row([
        "what",
        "clients",
        "a second",
        "floor",
        "ratio",
        "p50 ms",
        "p99 ms",
        "CPU µs each",
    ])];
    let writes = invites(bench, &database, rounds, &progress)?;
    invite_rows(&writes, &mut table)?;
    let most = number_of(&writes, DATABASE, WRITERS)?;
    let grants = bench.effort.database_grants.first().copied().unwrap_or(0);
    let address = database.address("grants");
    let node = Running::server_on(bench, GRANTS, Mode::Development, Some(&address))?;
    prepare(bench, &node, GRANTS, grants)?;
    let beside = beside_writes(bench, &node, grants, most / 2.0, rounds, &progress)?;
    let lag = lag(bench, &node, &address, grants, rounds, &progress)?;
    node.stop()?;
    check_rows(&beside, &mut table)?;
    lag_row(&lag, &mut table)?;
    let starts = starts(bench, &database, &progress)?;
    start_rows(&starts, &mut table)?;
    if let Some(members) = json.as_object_mut() {
        members.insert("invites".to_owned(), writes);
        members.insert("checks".to_owned(), json!(beside));
        members.insert("lag".to_owned(), json!(lag));
        members.insert("starts".to_owned(), json!(starts));
    }
    database.stop()?;
    Ok(Section {
        title: "nodes on PostgreSQL, beside pgbench and the embedded store".to_owned(),
        table,
        notes: vec![
            "The floor of invites is pgbench on the same cluster: as many clients, each inserting \
             one row of 600 bytes and waiting for its commit. That of checks beside writes is \
             the same checks without the writes. The database, the node and the load share the \
             processors."
                .to_owned(),
        ],
        json,
    })
}

/// By engine and clients, the rounds of each.
fn invites(
    bench: &Bench,
    database: &Database,
    rounds: usize,
    progress: &Progress,
) -> Result<Value> {
    let address = database.address("invites");
    let mut engines = serde_json::Map::new();
    for (name, store) in [(EMBEDDED, None), (DATABASE, Some(address.as_str()))] {
        let server = Running::server_on(bench, name, Mode::Development, store)?;
        prepare(bench, &server, name, 0)?;
        let mut by_clients: Vec<Vec<Value>> = CLIENTS.iter().map(|_| Vec::new()).collect();
        for round in 0..rounds {
            for (clients, results) in CLIENTS.into_iter().zip(&mut by_clients) {
                progress.next(&format!("{name}, {clients} clients"));
                let commits = database.commits(clients, bench.effort.invite_seconds / 2.0)?;
                let mut measured = invite(bench, &server, name, clients, round)?;
                if let Some(members) = measured.as_object_mut() {
                    members.insert("commitsPerSecond".to_owned(), json!(commits));
                }
                results.push(measured);
            }
        }
        server.stop()?;
        let of_clients = CLIENTS.iter().zip(by_clients);
        let of_clients =
            of_clients.map(|(clients, rounds)| json!({"clients": clients, "rounds": rounds}));
        engines.insert(name.to_owned(), of_clients.collect());
    }
    Ok(Value::Object(engines))
}

/// The rounds of an engine with so many clients.
fn rounds_of(invites: &Value, engine: &str, clients: usize) -> Result<Vec<Value>> {
    let all = invites.get(engine).and_then(Value::as_array);
    let found = all.and_then(|all| {
        let found = all.iter().find(|one| one["clients"] == json!(clients));
        found?.get("rounds")?.as_array().cloned()
    });
    found.with_context(|| format!("no rounds of {engine} with {clients} clients"))
}

/// Invites created a second.
fn number_of(invites: &Value, engine: &str, clients: usize) -> Result<f64> {
    median_of(
        &rounds_of(invites, engine, clients)?,
        &["created", "perSecond"],
    )
}

fn invite_rows(invites: &Value, table: &mut Vec<Vec<String>>) -> Result<()> {
    for (engine, title) in [(EMBEDDED, "embedded"), (DATABASE, "PostgreSQL")] {
        for clients in CLIENTS {
            let rounds = rounds_of(invites, engine, clients)?;
            for operation in ["created", "accepted"] {
                let figure = |name: &str| median_of(&rounds, &[operation, name]);
                table.push(vec![
                    format!("invites {operation}, {title}"),
                    clients.to_string(),
                    grouped(figure("perSecond")?),
                    grouped(median_of(&rounds, &["commitsPerSecond"])?),
                    ratio_of(&rounds, &[operation, "perSecond"], &["commitsPerSecond"])?,
                    format!("{:.2}", figure("p50Microseconds")? / 1e3),
                    format!("{:.2}", figure("p99Microseconds")? / 1e3),
                    format!("{:.0}", 1e6 / figure("perCpuSecond")?),
                ]);
            }
        }
    }
    Ok(())
}

/// Checks alone, and beside writes at a pace.
fn beside_writes(
    bench: &Bench,
    node: &Running,
    grants: u32,
    pace: f64,
    rounds: usize,
    progress: &Progress,
) -> Result<Vec<Value>> {
    let seconds = bench.effort.invite_seconds;
    let key = owner_key(bench, GRANTS).display().to_string();
    let node = [
        ("--address", node.address.to_string()),
        ("--process", node.id().to_string()),
        ("--key", key),
    ];
    let arguments = |command: &str, more: &[(&str, String)]| {
        let named = node
            .iter()
            .chain(more)
            .flat_map(|(name, value)| [(*name).to_owned(), value.clone()]);
        std::iter::once(command.to_owned())
            .chain(named)
            .collect::<Vec<String>>()
    };
    let checks = arguments(
        "checks",
        &[
            ("--connections", CHECKERS.to_string()),
            ("--warm-up", "0.3".to_owned()),
            ("--seconds", seconds.to_string()),
            ("--grants", grants.to_string()),
        ],
    );
    let writes = arguments(
        "writes",
        &[
            ("--connections", WRITERS.to_string()),
            ("--seconds", (seconds + 0.3).to_string()),
            ("--per-second", pace.to_string()),
        ],
    );
    let mut all = Vec::new();
    for _ in 0..rounds {
        progress.next("checks");
        let alone = bench.programs.measure(false, &checks)?;
        progress.next("checks beside writes");
        let (beside, written) = std::thread::scope(|scope| {
            let writing = scope.spawn(|| bench.programs.measure(false, &writes));
            let beside = bench.programs.measure(false, &checks);
            let written = writing
                .join()
                .map_err(|_| anyhow::anyhow!("the writes panicked"));
            anyhow::Ok((beside?, written??))
        })?;
        all.push(json!({"alone": alone, "beside": beside, "written": written, "pace": pace}));
    }
    Ok(all)
}

fn check_rows(rounds: &[Value], table: &mut Vec<Vec<String>>) -> Result<()> {
    let pace = median_of(rounds, &["written", "perSecond"])?;
    for (member, title) in [
        ("alone", "checks, no writes".to_owned()),
        (
            "beside",
            format!("checks beside {} invites a second", grouped(pace)),
        ),
    ] {
        let figure = |name: &str| median_of(rounds, &[member, name]);
        table.push(vec![
            title,
            CHECKERS.to_string(),
            grouped(figure("perSecond")?),
            grouped(median_of(rounds, &["alone", "perSecond"])?),
            ratio_of(rounds, &[member, "perSecond"], &["alone", "perSecond"])?,
            format!("{:.2}", figure("p50Microseconds")? / 1e3),
            format!("{:.2}", figure("p99Microseconds")? / 1e3),
            format!("{:.0}", 1e6 / figure("perCpuSecond")?),
        ]);
    }
    Ok(())
}

/// From the answer of one node to the yes of another.
fn lag(
    bench: &Bench,
    writer: &Running,
    address: &str,
    grants: u32,
    rounds: usize,
    progress: &Progress,
) -> Result<Vec<Value>> {
    let follower = Running::server_on(bench, GRANTS, Mode::Development, Some(address))?;
    let mut all = Vec::new();
    // Users to whom the preparation gave nothing.
    let beyond = usize::try_from(grants)? + 1_000_000;
    for round in 0..rounds {
        progress.next("lag");
        let mut arguments = vec!["lag".to_owned()];
        for (name, value) in [
            ("--writer", writer.address.to_string()),
            ("--follower", follower.address.to_string()),
            ("--key", owner_key(bench, GRANTS).display().to_string()),
            ("--writes", FOLLOWED.to_string()),
            ("--first", (beyond + round * FOLLOWED).to_string()),
        ] {
            arguments.extend([name.to_owned(), value]);
        }
        all.push(bench.programs.measure(false, &arguments)?);
    }
    follower.stop()?;
    Ok(all)
}

fn lag_row(rounds: &[Value], table: &mut Vec<Vec<String>>) -> Result<()> {
    let milliseconds = |name: &str| {
        let figure = median_of(rounds, &[name])?;
        anyhow::Ok(format!("{:.2}", figure / 1e3))
    };
    let mut cells = row(["another node knows, after the answer", "1", "", "", ""]);
    cells.push(milliseconds("p50Microseconds")?);
    cells.push(milliseconds("p99Microseconds")?);
    cells.push(String::new());
    table.push(cells);
    Ok(())
}

/// From the process to the line that it listens, with everything loaded.
fn starts(bench: &Bench, database: &Database, progress: &Progress) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for grants in bench.effort.database_grants {
        progress.next(&format!(
            "start with {} grants",
            grouped(f64::from(*grants))
        ));
        let name = format!("postgresql-start-{grants}");
        let address = database.address(&format!("start_{grants}"));
        let node = Running::server_on(bench, &name, Mode::Pinned, Some(&address))?;
        prepare(bench, &node, &name, *grants)?;
        node.stop()?;
        let mut rounds = Vec::new();
        for _ in 0..bench.effort.start_rounds.div_ceil(2) {
            let node = Running::server_on(bench, &name, Mode::Pinned, Some(&address))?;
            rounds.push(json!({
                "milliseconds": node.ready_after.as_secs_f64() * 1e3,
                "residentBytes": node.resident_bytes()?,
            }));
            node.stop()?;
        }
        all.push(json!({"grants": grants, "rounds": rounds}));
    }
    // The keys of the owners are of no more use.
    for grants in bench.effort.database_grants {
        let _gone = std::fs::remove_dir_all(data(bench, &format!("postgresql-start-{grants}")));
    }
    Ok(all)
}

fn start_rows(starts: &[Value], table: &mut Vec<Vec<String>>) -> Result<()> {
    for start in starts {
        let rounds = start.get("rounds").and_then(Value::as_array);
        let rounds = rounds.context("no rounds")?;
        let mut cells = vec![format!(
            "start with {} grants, ready after",
            grouped(number(start, &["grants"])?)
        )];
        cells.extend(row(["", "", "", ""]));
        cells.push(format!("{:.0}", median_of(rounds, &["milliseconds"])?));
        cells.extend(row(["", ""]));
        table.push(cells);
    }
    Ok(())
}
