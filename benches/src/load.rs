//! A closed loop: every connection sends its next request when the answer to the last one is there.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use guestlist_bench::clock::Stopwatch;
use serde::Serialize;
use tokio::task::LocalSet;

use crate::connection::Connection;
use crate::process;

/// How much longer than planned a run may take before it is given up.
const GRACE: Duration = Duration::from_mins(2);

/// What one connection asks.
pub(crate) trait Work: 'static {
    /// Writes the next request into `request`, or says that there is none left.
    fn next(&mut self, request: &mut Vec<u8>) -> bool;
    /// The status that every answer must have.
    fn expected(&self) -> u16;
    /// Takes what it needs from an answer.
    fn see(&mut self, body: &[u8]) -> Result<()>;
}

/// How the load is put on.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    /// Not measured: caches fill, and the clock of the CPU goes up.
    pub(crate) warm_up: Duration,
    /// A run ends when this is over, or when there is nothing left to ask.
    pub(crate) length: Duration,
    /// Whose CPU time is measured.
    pub(crate) process: u32,
    /// The least time between two requests of a connection; without it the next follows at once.
    pub(crate) interval: Option<Duration>,
}

/// What was seen in the measured time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    requests: usize,
    seconds: f64,
    per_second: f64,
    server_cpu_seconds: f64,
    /// Requests per second of the server's CPU.
    per_cpu_second: f64,
    p50_microseconds: f64,
    p99_microseconds: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

/// State of a run; everything is on one thread.
struct Shared {
    phase: Cell<Phase>,
    /// Nanoseconds of each answer in the measured time.
    latencies: RefCell<Vec<u32>>,
}

/// Runs the work of every connection on this thread alone, to its end.
pub(crate) fn run<W: Work>(plan: &Plan, work: impl FnMut(usize) -> W) -> Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let limit = plan.warm_up + plan.length + GRACE;
    let whole = async { tokio::time::timeout(limit, drive(plan, work)).await };
    LocalSet::new()
        .block_on(&runtime, whole)
        .context("the load did not come to its end in time")?
}

async fn drive<W: Work>(plan: &Plan, mut work: impl FnMut(usize) -> W) -> Result<Measured> {
    let shared = Rc::new(Shared {
        phase: Cell::new(Phase::WarmUp),
        latencies: RefCell::new(Vec::with_capacity(1 << 20)),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..plan.connections {
        let connection = Connection::open(plan.address).await?;
        let shared = Rc::clone(&shared);
        tasks.spawn_local(repeat(connection, work(number), shared, plan.interval));
    }
    if !plan.warm_up.is_zero() {
        tokio::time::sleep(plan.warm_up).await;
    }
    let before = process::cpu_seconds(plan.process)?;
    let watch = Stopwatch::start();
    shared.phase.set(Phase::Measured);
    let all_done = async {
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = all_done => done?,
        () = tokio::time::sleep(plan.length) => {}
    }
    let seconds = watch.elapsed().as_secs_f64();
    let cpu = process::cpu_seconds(plan.process)? - before;
    shared.phase.set(Phase::Over);
    // The answers that are still on their way, so that the next run finds the server idle.
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let latencies = shared.latencies.take();
    summary(latencies, seconds, cpu)
}

async fn repeat<W: Work>(
    mut connection: Connection,
    mut work: W,
    shared: Rc<Shared>,
    interval: Option<Duration>,
) -> Result<()> {
    let mut request = Vec::with_capacity(2 * 1024);
    let mut pace = interval.map(tokio::time::interval);
    let mut watch = Stopwatch::start();
    while shared.phase.get() != Phase::Over && work.next(&mut request) {
        if let Some(pace) = &mut pace {
            pace.tick().await;
            watch.lap();
        }
        let answer = connection.ask(&request).await?;
        let took = watch.lap();
        if answer.status != work.expected() {
            let body = String::from_utf8_lossy(answer.body);
            let (status, body) = (answer.status, body.chars().take(300).collect::<String>());
            bail!("answered {status}, not {}: {body}", work.expected());
        }
        work.see(answer.body)?;
        if shared.phase.get() == Phase::Measured {
            let nanoseconds = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
            shared.latencies.borrow_mut().push(nanoseconds);
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn summary(mut latencies: Vec<u32>, seconds: f64, cpu: f64) -> Result<Measured> {
    latencies.sort_unstable();
    let requests = latencies.len();
    // The smallest latency that so many of a thousand do not exceed (nearest rank).
    let of_thousand = |share: usize| {
        let rank = (requests * share).div_ceil(1000).saturating_sub(1);
        latencies
            .get(rank)
            .map(|nanoseconds| f64::from(*nanoseconds) / 1e3)
    };
    let (Some(p50), Some(p99)) = (of_thousand(500), of_thousand(990)) else {
        bail!("nothing was answered in the measured time");
    };
    Ok(Measured {
        requests,
        seconds,
        per_second: requests as f64 / seconds,
        server_cpu_seconds: cpu,
        per_cpu_second: requests as f64 / cpu.max(f64::MIN_POSITIVE),
        p50_microseconds: p50,
        p99_microseconds: p99,
    })
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let latencies = (1..=100).rev().map(|hundred| hundred * 1000).collect();
        let measured = summary(latencies, 2.0, 0.5).unwrap();
        let percentiles = (measured.p50_microseconds, measured.p99_microseconds);
        assert_eq!(percentiles, (50.0, 99.0));
        assert_eq!(
            (measured.per_second, measured.per_cpu_second),
            (50.0, 200.0)
        );
        assert!(summary(Vec::new(), 1.0, 1.0).is_err());
    }
}
