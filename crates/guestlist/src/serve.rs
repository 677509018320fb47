//! `guestlist serve`: builds the server from its settings and runs it until it is told to end.

use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use guestlist_api::ids::AccountId;
use guestlist_server::app::App;
use guestlist_server::clock::Clock;
use guestlist_server::entropy::Entropy;
use guestlist_server::freshness::{FreshnessLimits, WhenStale};
use guestlist_server::limits::Limits;
use guestlist_server::settings::Settings;
use guestlist_server::startup::{self, Account};
use guestlist_server::{assembly, samples};
use guestlist_store::{Migrate, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::settings::{OlderTables, ServeArguments, ServeSettings, Stale};
use crate::{logs, welcome};

/// What the start made, for people.
pub(crate) struct Started {
    pub(crate) address: SocketAddr,
    /// The public URL, which is made from the address unless it is set.
    pub(crate) url: String,
    pub(crate) account_id: AccountId,
    pub(crate) data: PathBuf,
    /// The file of the owner's access key, and the key: on the first start only.
    pub(crate) owner_key: Option<(PathBuf, String)>,
    pub(crate) trial: Trial,
}

/// What there is to try.
pub(crate) enum Trial {
    /// Nothing: not in development.
    None,
    /// The samples.
    Samples,
    /// Development on data that was made without samples.
    NoSamples,
}

impl Trial {
    fn of(development: bool, samples: bool) -> Self {
        match (development, samples) {
            (false, _) => Self::None,
            (true, true) => Self::Samples,
            (true, false) => Self::NoSamples,
        }
    }
}

/// Runs until a signal, or until the store has stopped for good.
pub(crate) fn run(arguments: ServeArguments) -> ExitCode {
    let outcome = arguments.complete().and_then(|settings| {
        logs::start(&settings.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
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
    let mut signals = Signals::listen()?;
    // The embedded store makes its directory itself, and makes sure that it is on the disk.
    let store = open(&settings).await?;
    make_directory(&settings.data)?;
    // Before anything is made: the owner's key is shown by the start that makes it.
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let secrets = startup::secrets(store.as_ref(), &settings.data, &clock, &entropy).await?;
    let account = startup::account(
        store.as_ref(),
        &clock,
        &entropy,
        &settings.data,
        settings.account_id.clone(),
        settings.development,
    )
    .await?;
    let address = listener.local_addr()?;
    let url = match &settings.public_url {
        Some(url) => url.clone(),
        None => format!("http://{address}"),
    };
    let drain_delay = Duration::from_secs(settings.drain_delay);
    let data = settings.data.clone();
    let server_settings = server_settings(settings, account.account_id.clone(), url.clone());
    let samples = samples::are_in(store.as_ref()).await?;
    let trial = Trial::of(server_settings.development, samples);
    let app = assembly::build(server_settings, Arc::clone(&store), secrets, clock, entropy).await?;
    show(&Started::new(address, url, account, data, trial))?;
    until_the_end(app, store, listener, &mut signals, drain_delay).await
}

/// Runs the server until a signal comes or the store stops; a second signal ends it at once.
async fn until_the_end(
    app: Arc<App>,
    store: Arc<dyn Store>,
    listener: TcpListener,
    signals: &mut Signals,
    drain_delay: Duration,
) -> anyhow::Result<ExitCode> {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        let _told = ended.await;
    };
    let mut running = std::pin::pin!(assembly::run(app, listener, shutdown, drain_delay));
    let stopped = tokio::select! {
        outcome = &mut running => return outcome.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        () = signals.next() => false,
        () = store.stopped() => true,
    };
    if stopped {
        tracing::error!(
            "the store has stopped after a failure: the server ends, so that it is started again \
             on what is really on the disk"
        );
    } else {
        tracing::info!("shutting down; a second signal ends the server at once");
    }
    let _told = end.send(());
    tokio::select! {
        outcome = &mut running => {
            if !stopped {
                outcome?;
            }
        }
        () = signals.next() => tracing::warn!("ended at once by a second signal"),
    }
    Ok(if stopped {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn make_directory(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the data directory {}", path.display()))
}

async fn open(settings: &ServeSettings) -> anyhow::Result<Arc<dyn Store>> {
    let address = match settings.store.as_str() {
        "embedded" => format!("embedded:{}", settings.data.display()),
        // The owner's key of this start would take the place of the one of that store.
        "memory" if settings.data.join("guestlist.db").exists() => bail!(
            "{} holds the data of an embedded store: choose another directory with --data for \
             --store memory",
            settings.data.display()
        ),
        other => other.to_owned(),
    };
    let migrate = match settings.migrate {
        OlderTables::Auto => Migrate::Auto,
        OlderTables::Check => Migrate::Check,
    };
    Ok(guestlist_store::open(&address, migrate).await?)
}

fn server_settings(settings: ServeSettings, account_id: AccountId, public_url: String) -> Settings {
    let limits = Limits::default();
    Settings {
        account_id,
        public_url,
        development: settings.development,
        raw_access_keys: settings.raw_access_keys,
        allowed_origins: settings.allowed_origins,
        trusted_proxies: settings.trusted_proxies,
        private_issuers: settings.private_issuers,
        limits: Limits {
            invite_budget: settings.invite_budget.unwrap_or(limits.invite_budget),
            freshness: freshness(settings.stale_after, settings.when_stale),
            ..limits
        },
    }
}

fn freshness(stale_after: Option<u64>, when_stale: Option<Stale>) -> FreshnessLimits {
    let limits = FreshnessLimits::default();
    FreshnessLimits {
        stale_after: stale_after.map_or(limits.stale_after, Duration::from_secs),
        when_stale: match when_stale {
            None => limits.when_stale,
            Some(Stale::Answer) => WhenStale::Answer,
            Some(Stale::Refuse) => WhenStale::Refuse,
        },
        ..limits
    }
}

impl Started {
    fn new(
        address: SocketAddr,
        url: String,
        account: Account,
        data: PathBuf,
        trial: Trial,
    ) -> Self {
        let owner_key = account
            .owner_key
            .map(|(path, key)| (path, key.secret.reveal().to_owned()));
        let data = fs::canonicalize(&data).unwrap_or(data);
        Self {
            address,
            url,
            account_id: account.account_id,
            data,
            owner_key,
            trial,
        }
    }
}

fn show(started: &Started) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(welcome::text(started).as_bytes())?;
    out.flush()?;
    Ok(())
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
