//! Fills a running server with grants, through its API, as an application would.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use guestlist_bench::clock::{self, Stopwatch};
use guestlist_bench::world::{self, ROLES, User};
use serde::Serialize;
use serde_json::Value;

use crate::access_key;
use crate::calls::Calls;
use crate::load::{self, Plan, Work};

/// Enough to keep the store's one writer busy.
const CONNECTIONS: usize = 64;
/// Far more than any machine needs.
const LIMIT: Duration = Duration::from_mins(5);

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    address: SocketAddr,
    /// The file that holds the owner's access key.
    #[arg(long)]
    key: PathBuf,
    /// The server's process id.
    #[arg(long)]
    process: u32,
    /// How many grants; ten make a record. 0: only the roles.
    #[arg(long)]
    grants: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Prepared {
    records: usize,
    seconds: f64,
}

/// POSTs one body after another.
struct Post {
    calls: Calls,
    path: &'static str,
    next: Box<dyn FnMut() -> Option<Value>>,
}

impl Work for Post {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(body) = (self.next)() else {
            return false;
        };
        self.calls
            .send(request, "POST", self.path, &body.to_string());
        true
    }

    fn expected(&self) -> u16 {
        201
    }

    fn see(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn run(options: &Options) -> Result<Prepared> {
    let token = access_key::token(&options.key, clock::unix_seconds())?;
    let calls = Calls::new(options.address, &token);
    let plan = |connections| Plan {
        address: options.address,
        connections,
        warm_up: Duration::ZERO,
        length: LIMIT,
        process: options.process,
        interval: None,
    };
    load::run(&plan(1), |_| {
        let mut roles = ROLES.into_iter().map(world::role);
        Post {
            calls: calls.clone(),
            path: "/v1/roles",
            next: Box::new(move || roles.next()),
        }
    })?;
    let records = if options.grants == 0 {
        0
    } else {
        world::users(options.grants)
    };
    let watch = Stopwatch::start();
    if records > 0 {
        let given = Rc::new(Cell::new(0));
        load::run(&plan(CONNECTIONS), |_| {
            let given = Rc::clone(&given);
            Post {
                calls: calls.clone(),
                path: "/v1/records",
                next: Box::new(move || {
                    let user = User(given.get());
                    given.set(user.0 + 1);
                    (user.0 < records).then(|| user.record())
                }),
            }
        })?;
    }
    Ok(Prepared {
        records,
        seconds: watch.elapsed().as_secs_f64(),
    })
}
