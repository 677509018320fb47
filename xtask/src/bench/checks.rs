//! Permission checks over HTTP, against bare hyper.

use anyhow::Result;
use serde_json::{Value, json};

use super::Bench;
use super::figures::{Section, grouped, median_of, ratio_of, row};
use super::preparing::server_with;
use super::progress::Progress;
use super::running::{Mode, Running, owner_key};

/// The data directory in which the many grants are, for other parts.
pub(crate) const MANY: &str = "checks-100000";
pub(crate) const MANY_GRANTS: u32 = 100_000;
const FEW: &str = "checks-1000";
const FEW_GRANTS: u32 = 1_000;
/// Seconds before the measured ones.
const WARM_UP: f64 = 0.3;

/// One row of the table.
struct Case {
    data: &'static str,
    grants: u32,
    connections: usize,
    denied: bool,
}

const CASES: &[Case] = &[
    case(FEW, FEW_GRANTS, 1, false),
    case(FEW, FEW_GRANTS, 64, false),
    case(MANY, MANY_GRANTS, 1, false),
    case(MANY, MANY_GRANTS, 64, false),
    case(MANY, MANY_GRANTS, 64, true),
];

const fn case(data: &'static str, grants: u32, connections: usize, denied: bool) -> Case {
    Case {
        data,
        grants,
        connections,
        denied,
    }
}

pub(crate) fn measure(bench: &Bench) -> Result<Section> {
    let rounds = bench.effort.check_rounds;
    let progress = Progress::new("checks", CASES.len() * rounds + 2);
    progress.next("loading 1 000 grants");
    let few = server_with(bench, FEW, FEW_GRANTS, Mode::Pinned)?;
    progress.next("loading 100 000 grants");
    let many = server_with(bench, MANY, MANY_GRANTS, Mode::Pinned)?;
    let hyper = Running::hyper(bench)?;
    let mut results: Vec<Vec<Value>> = CASES.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (case, results) in CASES.iter().zip(&mut results) {
            progress.next(&format!(
                "{} grants, {} connections",
                case.grants, case.connections
            ));
            let server = if case.data == FEW { &few } else { &many };
            let floor = ask(bench, case, &hyper, 200)?;
            let ours = ask(bench, case, server, if case.denied { 404 } else { 200 })?;
            results.push(json!({"hyper": floor, "guestlist": ours}));
        }
    }
    few.stop()?;
    many.stop()?;
    section(&results)
}

fn ask(bench: &Bench, case: &Case, server: &Running, expected: u16) -> Result<Value> {
    let key = owner_key(bench, case.data);
    let mut arguments = vec!["checks".to_owned()];
    for (name, value) in [
        ("--address", server.address.to_string()),
        ("--process", server.id().to_string()),
        ("--key", key.display().to_string()),
        ("--connections", case.connections.to_string()),
        ("--grants", case.grants.to_string()),
        ("--expected", expected.to_string()),
        ("--warm-up", WARM_UP.to_string()),
        ("--seconds", bench.effort.check_seconds.to_string()),
    ] {
        arguments.extend([name.to_owned(), value]);
    }
    if case.denied {
        arguments.push("--denied".to_owned());
    }
    bench.programs.measure(true, &arguments)
}

fn section(results: &[Vec<Value>]) -> Result<Section> {
    let mut table = vec![row([
        "grants",
        "connections",
        "answer",
        "a CPU second",
        "hyper",
        "ratio",
        "a second",
        "hyper",
        "p50 µs",
        "hyper",
        "p99 µs",
        "hyper",
    ])];
    let mut all = Vec::new();
    for (case, rounds) in CASES.iter().zip(results) {
        let ours = |figure: &str| median_of(rounds, &["guestlist", figure]);
        let floor = |figure: &str| median_of(rounds, &["hyper", figure]);
        table.push(vec![
            grouped(case.grants.into()),
            case.connections.to_string(),
            if case.denied { "no" } else { "yes" }.to_owned(),
            grouped(ours("perCpuSecond")?),
            grouped(floor("perCpuSecond")?),
            ratio_of(
                rounds,
                &["guestlist", "perCpuSecond"],
                &["hyper", "perCpuSecond"],
            )?,
            grouped(ours("perSecond")?),
            grouped(floor("perSecond")?),
            format!("{:.0}", ours("p50Microseconds")?),
            format!("{:.0}", floor("p50Microseconds")?),
            format!("{:.0}", ours("p99Microseconds")?),
            format!("{:.0}", floor("p99Microseconds")?),
        ]);
        all.push(json!({
            "grants": case.grants,
            "connections": case.connections,
            "denied": case.denied,
            "rounds": rounds,
        }));
    }
    Ok(Section {
        title: "permission checks over HTTP, against bare hyper".to_owned(),
        table,
        notes: vec![
            "A CPU second is one of the server's, all its threads together: the figure that other \
             programs on the machine move least. Ratios are taken within each round: the median, \
             and the least and the most."
                .to_owned(),
        ],
        json: Value::Array(all),
    })
}
