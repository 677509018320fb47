//! Permission checks over HTTP: a service client asks about any user, as an application's backend
//! does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use guestlist_bench::clock;

use crate::access_key;
use crate::calls::Calls;
use crate::load::{self, Measured, Plan, Work};
use guestlist_bench::world::{
    self, ACTION, EncodedDocument, EncodedUser, GRANTS_EACH, Numbers, User,
};

/// Documents of a project that are asked about; none is named in any statement.
const DOCUMENTS: usize = 1000;

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    address: SocketAddr,
    /// The file that holds the owner's access key: the floor gets the same requests, token included.
    #[arg(long)]
    key: PathBuf,
    /// The server's process id.
    #[arg(long)]
    process: u32,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    warm_up: f64,
    #[arg(long)]
    seconds: f64,
    /// How many grants the server holds: any of them may be asked about.
    #[arg(long)]
    grants: usize,
    /// Ask about what the user may not do.
    #[arg(long)]
    denied: bool,
    /// The status of every answer.
    #[arg(long, default_value_t = 200)]
    expected: u16,
}

struct Check {
    calls: Calls,
    numbers: Numbers,
    users: usize,
    denied: bool,
    expected: u16,
}

impl Work for Check {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let user = User(self.numbers.below(self.users));
        let which = self.numbers.below(GRANTS_EACH);
        let project = if self.denied {
            user.strange_project(which)
        } else {
            user.project(which)
        };
        let document = EncodedDocument(project, self.numbers.below(DOCUMENTS));
        let user = EncodedUser(user);
        let path = format_args!("/v1/users/{user}/resources/{document}/permissions/{ACTION}");
        self.calls.get(request, path);
        true
    }

    fn expected(&self) -> u16 {
        self.expected
    }

    fn see(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn run(options: &Options) -> Result<Measured> {
    let token = access_key::token(&options.key, clock::unix_seconds())?;
    let calls = Calls::new(options.address, &token);
    let plan = Plan {
        address: options.address,
        connections: options.connections,
        warm_up: Duration::from_secs_f64(options.warm_up),
        length: Duration::from_secs_f64(options.seconds),
        process: options.process,
        interval: None,
    };
    load::run(&plan, |connection| Check {
        calls: calls.clone(),
        numbers: Numbers::new(connection as u64 + 1),
        users: world::users(options.grants),
        denied: options.denied,
        expected: options.expected,
    })
}
