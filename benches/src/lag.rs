//! How long after one node answered a write another node decides by it.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use guestlist_bench::clock::{self, Stopwatch};
use guestlist_bench::world::{ACTION, EncodedDocument, EncodedUser, ROLES, User};
use serde::Serialize;
use serde_json::json;

use crate::access_key;
use crate::calls::Calls;
use crate::connection::Connection;

/// Far more questions than the slowest follower needs.
const QUESTIONS: usize = 100_000;

#[derive(Args)]
pub(crate) struct Options {
    /// The node that is written to.
    #[arg(long)]
    writer: SocketAddr,
    /// The node that is asked.
    #[arg(long)]
    follower: SocketAddr,
    /// The file that holds the owner's access key.
    #[arg(long)]
    key: PathBuf,
    /// Writes that are followed.
    #[arg(long)]
    writes: usize,
    /// The first of the users that are given something: others than in earlier runs.
    #[arg(long)]
    first: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lag {
    writes: usize,
    p50_microseconds: f64,
    p99_microseconds: f64,
    most_microseconds: f64,
}

pub(crate) fn run(options: &Options) -> Result<Lag> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut lags = runtime.block_on(measure(options))?;
    lags.sort_by(f64::total_cmp);
    let of_hundred = |share: usize| {
        let rank = (lags.len() * share).div_ceil(100).saturating_sub(1);
        lags.get(rank).copied().context("nothing was measured")
    };
    Ok(Lag {
        writes: lags.len(),
        p50_microseconds: of_hundred(50)?,
        p99_microseconds: of_hundred(99)?,
        most_microseconds: of_hundred(100)?,
    })
}

/// Microseconds from the answer to a write until the other node says yes. One question more or less is
/// the accuracy.
async fn measure(options: &Options) -> Result<Vec<f64>> {
    let token = access_key::token(&options.key, clock::unix_seconds())?;
    let (mut writer, mut follower) = (
        Connection::open(options.writer).await?,
        Connection::open(options.follower).await?,
    );
    let (told, asked) = (
        Calls::new(options.writer, &token),
        Calls::new(options.follower, &token),
    );
    let mut request = Vec::new();
    let mut lags = Vec::with_capacity(options.writes);
    for number in options.first..options.first + options.writes {
        let user = User(number);
        let project = user.project(0);
        let body = json!({
            "name": "lag",
            "users": [{"userId": user.to_string()}],
            "statements": [{
                "roles": [ROLES[0].0],
                "resources": [{"resourceUri": project.to_string()}],
            }],
        });
        told.send(&mut request, "POST", "/v1/records", &body.to_string());
        let answer = writer.ask(&request).await?;
        ensure!(
            answer.status == 201,
            "a record was answered {}",
            answer.status
        );
        let watch = Stopwatch::start();
        let (user, document) = (EncodedUser(user), EncodedDocument(project, 0));
        let path = format_args!("/v1/users/{user}/resources/{document}/permissions/{ACTION}");
        asked.get(&mut request, path);
        let mut questions = 0;
        while follower.ask(&request).await?.status != 200 {
            questions += 1;
            ensure!(questions < QUESTIONS, "the other node does not follow");
        }
        lags.push(watch.elapsed().as_secs_f64() * 1e6);
    }
    Ok(lags)
}
