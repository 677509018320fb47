//! `guestlist serve`: builds the server from its settings and runs it until it is told to end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use guestlist_api::ids::AccountId;
use guestlist_server::app::App;
use guestlist_server::clock::Clock;
use guestlist_server::entropy::Entropy;
use guestlist_server::settings::Settings;
use guestlist_server::startup::{self, Secrets};
use guestlist_server::{run, trusted_proxies};
use guestlist_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::{ServeArguments, ServeSettings};
use crate::{logs, welcome};

/// What the start made, for people.
pub struct Started {
    pub url: String,
    pub account_id: AccountId,
    pub data: PathBuf,
    /// The file of the owner's access key, and the key: on the first start only.
    pub owner_key: Option<(PathBuf, String)>,
    pub development: bool,
}

/// Runs until a signal, or until the store has stopped for good.
pub fn run(arguments: ServeArguments) -> ExitCode {
    let outcome = arguments.complete().and_then(|settings| {
        logs::start(&settings.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(settings))
    });
    match outcome {
        Ok(code) => code,
        #[expect(clippy::print_stderr, reason = "the reason is for whoever started it")]
        Err(error) => {
            eprintln!("guestlist: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: ServeSettings) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
