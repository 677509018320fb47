//! Builds the server from its parts and runs it.

use std::sync::Arc;
use std::time::Duration;

use guestlist_api::identities::IssuerText;
use guestlist_store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::addresses::{NotANetwork, TrustedProxies};
use crate::app::{App, Memory, NotFollowed, Parts};
use crate::caller::{CallerSettings, Callers};
use crate::clock::Clock;
use crate::cors::{Cors, NotAnOrigin};
use crate::entropy::{Entropy, NoEntropy};
use crate::invite_notices;
use crate::issuers::Issuers;
use crate::limits::Limits;
use crate::outgoing::{Names, Outgoing, Reach};
use crate::settings::Settings;
use crate::startup::Secrets;
use crate::webhook_delivery::{self, Webhooks};
use crate::{listener, service};

/// Why the server could not be built. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NotBuilt {
    #[error(transparent)]
    Followed(#[from] NotFollowed),
    #[error(transparent)]
    Origin(#[from] NotAnOrigin),
    #[error(transparent)]
    Proxy(#[from] NotANetwork),
    #[error("the public URL is too long: {0}")]
    PublicUrl(guestlist_api::text::Malformed),
    #[error("outgoing connections cannot be set up")]
    Outgoing(#[from] reqwest::Error),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// Builds the server: reads everything that is kept in memory.
pub async fn build(
    settings: Settings,
    store: Arc<dyn Store>,
    secrets: Secrets,
    clock: Clock,
    entropy: Entropy,
) -> Result<Arc<App>, NotBuilt> {
    let memory = Memory::follow(store.as_ref()).await?;
    let public_url = IssuerText::parse(&settings.public_url).map_err(NotBuilt::PublicUrl)?;
    let caller_settings = CallerSettings {
        raw_keys: settings.raw_access_keys,
        development: settings.development,
        ..CallerSettings::new(settings.account_id.clone(), public_url)
    };
    let reach = Reach {
        private_addresses: settings.private_issuers,
        development: settings.development,
    };
    let attempt = settings.limits.webhooks.attempt;
    let sending = Outgoing::with(reach, Names::System, attempt)?;
    // After the memory: what a delivery is told of the memory has taken in already.
    let webhooks = Webhooks::follow(store.as_ref(), sending).await?;
    let callers = Callers::new(
        caller_settings,
        Arc::clone(memory.known_callers()),
        Issuers::new(Outgoing::new(reach)?, clock.clone()),
        secrets.user_token_key,
        Arc::clone(&store),
        clock.clone(),
        &entropy,
    )?;
    let proxies = TrustedProxies::new(settings.trusted_proxies.iter().map(String::as_str))?;
    let cors = Cors::new(settings.allowed_origins.iter().map(String::as_str))?;
    let limits = Limits {
        proxies,
        ..settings.limits.clone()
    };
    let (pepper, sealing_key) = (secrets.pepper, secrets.sealing_key);
    let parts = Parts {
        settings,
        store,
        clock,
        entropy,
        pepper,
        sealing_key,
        callers,
        cors,
        limits,
        memory,
        webhooks,
    };
    Ok(Arc::new(App::new(parts)?))
}

/// Answers requests until `shutdown`: then `/readyz` says so for `drain_delay`, no more connections
/// are taken, requests in flight are answered, and what the store has accepted is finished. Webhooks
/// are delivered until no more requests are answered.
pub async fn run(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    drain_delay: Duration,
) -> Result<(), guestlist_store::StoreError> {
    let limits = app.limits.clone();
    let answering = Arc::clone(&app);
    let handler = move |request, peer| service::answer(Arc::clone(&answering), request, peer);
    let draining = Arc::clone(&app);
    let ending = async move {
        shutdown.await;
        draining.draining.begin();
        tokio::time::sleep(drain_delay).await;
    };
    // Sent and dropped alike end the tasks, so they end also if this is dropped.
    let (end, ended) = watch::channel(false);
    let noticing = tokio::spawn(invite_notices::run(Arc::clone(&app), ended.clone()));
    let delivering = tokio::spawn(webhook_delivery::run(Arc::clone(&app), ended));
    listener::serve(listener, limits, handler, ending).await;
    drop(end);
    if let Err(error) = noticing.await {
        tracing::error!(%error, "what tells of expired invites did not end well");
    }
    if let Err(error) = delivering.await {
        tracing::error!(%error, "the deliveries of webhooks did not end well");
    }
    app.store.close().await
}
