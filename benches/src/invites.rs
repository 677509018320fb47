//! Invites: a service client creates them, and for each another user accepts it. Directly before
//! either, the floor is measured: a disk that others use too is not the same a few seconds later.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use guestlist_bench::clock;
use guestlist_bench::world::{ROLES, User};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access_key;
use crate::calls::Calls;
use crate::disk;
use crate::load::{self, Measured, Plan, Work};

/// Connections over which tokens are fetched: not measured.
const TOKEN_CONNECTIONS: usize = 8;
/// Far more than any machine needs to fetch the tokens.
const TOKEN_LIMIT: Duration = Duration::from_mins(2);

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
    #[arg(long)]
    connections: usize,
    /// Of creating; and at most so long of accepting.
    #[arg(long)]
    seconds: f64,
    /// Where the floor is measured: on the file system that holds the server's data.
    #[arg(long)]
    directory: PathBuf,
    /// Tells the users of this run from those of all other runs against the same server.
    #[arg(long)]
    run: usize,
}

#[derive(Args)]
pub(crate) struct PacedOptions {
    #[arg(long)]
    address: SocketAddr,
    /// The file that holds the owner's access key.
    #[arg(long)]
    key: PathBuf,
    /// The server's process id.
    #[arg(long)]
    process: u32,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    seconds: f64,
    /// Of all connections together.
    #[arg(long)]
    per_second: f64,
}

/// Creates invites at a pace: the writes beside which something else is measured.
pub(crate) fn run_paced(options: &PacedOptions) -> Result<Measured> {
    let connections = u32::try_from(options.connections)?;
    let plan = Plan {
        address: options.address,
        connections: options.connections,
        warm_up: Duration::ZERO,
        length: Duration::from_secs_f64(options.seconds),
        process: options.process,
        interval: Some(Duration::from_secs_f64(
            f64::from(connections) / options.per_second,
        )),
    };
    create(&plan, &options.key).map(|(measured, _)| measured)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Both {
    created: BesideDisk,
    accepted: BesideDisk,
}

#[derive(Serialize)]
struct BesideDisk {
    #[serde(flatten)]
    measured: Measured,
    disk: disk::Measured,
}

pub(crate) fn run(options: &Options) -> Result<Both> {
    let plan = Plan {
        address: options.address,
        connections: options.connections,
        warm_up: Duration::from_millis(300),
        length: Duration::from_secs_f64(options.seconds),
        process: options.process,
        interval: None,
    };
    let floor = || disk::run(&options.directory, plan.length / 2);
    let disk = floor()?;
    let (measured, invites) = create(&plan, &options.key)?;
    let created = BesideDisk { measured, disk };
    let tokens = fetch_tokens(&plan, options.run, invites.len())?;
    let disk = floor()?;
    let measured = accept(&plan, invites, tokens)?;
    let accepted = BesideDisk { measured, disk };
    Ok(Both { created, accepted })
}

struct Create {
    calls: Calls,
    count: Rc<Cell<usize>>,
    made: Rc<RefCell<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invite {
    invite_id: String,
}

impl Work for Create {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let count = self.count.get();
        self.count.set(count + 1);
        let [reader, writer] = ROLES;
        let project = User(count).project(0).to_string();
        let body = json!({
            "statements": [{
                "roles": [if count.is_multiple_of(2) { reader.0 } else { writer.0 }],
                "resources": [{"resourceUri": project}],
            }],
        });
        self.calls
            .send(request, "POST", "/v1/invites", &body.to_string());
        true
    }

    fn expected(&self) -> u16 {
        201
    }

    fn see(&mut self, body: &[u8]) -> Result<()> {
        let invite: Invite = serde_json::from_slice(body).context("no invite was answered")?;
        self.made.borrow_mut().push(invite.invite_id);
        Ok(())
    }
}

fn create(plan: &Plan, key: &Path) -> Result<(Measured, Vec<String>)> {
    let token = access_key::token(key, clock::unix_seconds())?;
    let calls = Calls::new(plan.address, &token);
    let count = Rc::new(Cell::new(0));
    let made = Rc::new(RefCell::new(Vec::new()));
    let measured = load::run(plan, |_| Create {
        calls: calls.clone(),
        count: Rc::clone(&count),
        made: Rc::clone(&made),
    })?;
    Ok((measured, made.take()))
}

/// Fetches the token of one user after another.
struct FetchToken {
    calls: Calls,
    run: usize,
    left: Rc<Cell<usize>>,
    fetched: Rc<RefCell<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    access_token: String,
}

impl Work for FetchToken {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(left) = self.left.get().checked_sub(1) else {
            return false;
        };
        self.left.set(left);
        let body = json!({"userId": format!("auth0|guest-{}-{left}", self.run)}).to_string();
        self.calls.send(request, "POST", "/v1/dev/tokens", &body);
        true
    }

    fn expected(&self) -> u16 {
        200
    }

    fn see(&mut self, body: &[u8]) -> Result<()> {
        let token: Token = serde_json::from_slice(body).context("no token was answered")?;
        self.fetched.borrow_mut().push(token.access_token);
        Ok(())
    }
}

fn fetch_tokens(plan: &Plan, run: usize, count: usize) -> Result<Vec<String>> {
    let plan = Plan {
        connections: TOKEN_CONNECTIONS,
        warm_up: Duration::ZERO,
        length: TOKEN_LIMIT,
        ..plan.clone()
    };
    let left = Rc::new(Cell::new(count));
    let fetched = Rc::new(RefCell::new(Vec::with_capacity(count)));
    load::run(&plan, |_| FetchToken {
        calls: Calls::new(plan.address, "none"),
        run,
        left: Rc::clone(&left),
        fetched: Rc::clone(&fetched),
    })?;
    Ok(fetched.take())
}

struct Accept {
    address: SocketAddr,
    waiting: Rc<RefCell<Vec<(String, String)>>>,
}

impl Work for Accept {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let Some((invite, token)) = self.waiting.borrow_mut().pop() else {
            return false;
        };
        let path = format!("/v1/invites/{invite}");
        Calls::new(self.address, &token).send(request, "PATCH", &path, "{}");
        true
    }

    fn expected(&self) -> u16 {
        200
    }

    fn see(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

fn accept(plan: &Plan, invites: Vec<String>, tokens: Vec<String>) -> Result<Measured> {
    let waiting: Vec<_> = invites.into_iter().zip(tokens).collect();
    let waiting = Rc::new(RefCell::new(waiting));
    load::run(plan, |_| Accept {
        address: plan.address,
        waiting: Rc::clone(&waiting),
    })
}
