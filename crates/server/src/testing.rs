//! A server for the tests and the examples of other packages: a real one on loopback, on a thread of
//! its own, with the samples of `--dev`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use guestlist_api::ids::{AccountId, UserId};
use guestlist_store::{EmbeddedStore, MemoryStore, Migrate, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::App;
use crate::assembly;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::limits::Limits;
use crate::secret_files;
use crate::settings::Settings;
use crate::startup;

/// How long [`TestServer::stop`] and dropping wait for the server to end. It takes milliseconds
/// unless a request is still running.
const ENDING: Duration = Duration::from_secs(10);

/// A running server. It ends when this is dropped.
///
/// It listens on a free port of 127.0.0.1 and is in development (`--dev`): there are the sample
/// roles, and the user `alice` may invite others to `projects/42`. It has the machine's clock.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use guestlist_server::testing::TestServer;
///
/// let server = TestServer::start().await?;
/// println!("at {}, with the token {}", server.url(), server.token("alice")?);
/// # Ok(())
/// # }
/// ```
pub struct TestServer {
    app: Arc<App>,
    url: String,
    owner_key: String,
    /// Where the secrets are, if they are nobody's but this server's.
    _directory: Option<TempDir>,
    end: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
}

/// Why a server for a test could not be started, or could not make a token.
#[derive(Debug, thiserror::Error)]
#[error("the server for tests: {0}")]
pub struct TestServerError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// What the thread of the server tells when it has begun.
struct Begun {
    app: Arc<App>,
    url: String,
    owner_key: String,
}

impl TestServer {
    /// Starts a server that keeps everything in memory.
    ///
    /// # Errors
    ///
    /// If there is no free port, or no temporary directory can be made for its secrets.
    pub async fn start() -> Result<Self, TestServerError> {
        let directory = TempDir::new().map_err(failed)?;
        let path = directory.path().to_owned();
        let store = Opening::Ready(Arc::new(MemoryStore::new()));
        Self::begin(store, path, Some(directory)).await
    }

    /// Starts a server on the embedded store in this directory, where its data stays. It is found
    /// again by another server that is started there after this one has ended.
    ///
    /// # Errors
    ///
    /// If there is no free port, or the directory cannot be used or is in use.
    pub async fn start_in(directory: &Path) -> Result<Self, TestServerError> {
        let store = EmbeddedStore::open(directory).map_err(failed)?;
        let store = Opening::Ready(Arc::new(store));
        Self::begin(store, directory.to_owned(), None).await
    }

    /// Starts a server on the store at an address (`postgres://…`), with its secrets in a directory of
    /// its own.
    ///
    /// # Errors
    ///
    /// If there is no free port, or the store cannot be opened.
    pub async fn start_at(address: &str) -> Result<Self, TestServerError> {
        let directory = TempDir::new().map_err(failed)?;
        let path = directory.path().to_owned();
        let store = Opening::At(address.to_owned());
        Self::begin(store, path, Some(directory)).await
    }

    async fn begin(
        store: Opening,
        path: PathBuf,
        directory: Option<TempDir>,
    ) -> Result<Self, TestServerError> {
        let (end, told_to_end) = oneshot::channel();
        let (has_ended, ended) = mpsc::channel();
        let (tell, told) = oneshot::channel();
        // A runtime of its own: so it lives on while a test blocks its thread, and can be waited for
        // when it is dropped.
        thread::Builder::new()
            .name("guestlist-test-server".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(live(store, path, tell, told_to_end)),
                    Err(error) => drop(tell.send(Err(failed(error)))),
                }
                let _waited_for = has_ended.send(());
            })
            .map_err(failed)?;
        let begun = told.await.map_err(failed)??;
        Ok(Self {
            app: begun.app,
            url: begun.url,
            owner_key: begun.owner_key,
            _directory: directory,
            end: Some(end),
            ended,
        })
    }

    /// Its URL, `http://127.0.0.1:…`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The access key of the service client that owns the account.
    pub fn owner_key(&self) -> &str {
        &self.owner_key
    }

    /// The account.
    pub fn account_id(&self) -> &AccountId {
        &self.app.settings.account_id
    }

    /// A token of any user, good for an hour.
    ///
    /// # Errors
    ///
    /// If this is no user id, or one that reads like a service client (`sc_…`, `Authress:…`).
    pub fn token(&self, user: &str) -> Result<String, TestServerError> {
        let user: UserId = user.parse().map_err(failed)?;
        let token = self.app.callers.development_token(&user).map_err(failed)?;
        Ok(token.access_token)
    }

    /// Ends the server and waits until it has ended. Dropping it does the same.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(end) = self.end.take() {
            let _told = end.send(());
            let _ended = self.ended.recv_timeout(ENDING);
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Without the owner's key.
impl fmt::Debug for TestServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestServer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TestServerError {
    TestServerError(error.into())
}

/// A store, or where it is: one with tasks of its own is opened where the server runs.
enum Opening {
    Ready(Arc<dyn Store>),
    At(String),
}

impl Opening {
    async fn open(self) -> Result<Arc<dyn Store>, TestServerError> {
        match self {
            Self::Ready(store) => Ok(store),
            Self::At(address) => guestlist_store::open(&address, Migrate::Auto)
                .await
                .map_err(failed),
        }
    }
}

/// The life of the server, on its own thread.
async fn live(
    store: Opening,
    path: PathBuf,
    tell: oneshot::Sender<Result<Begun, TestServerError>>,
    told_to_end: oneshot::Receiver<()>,
) {
    let built = match store.open().await {
        Ok(store) => build(store, &path).await,
        Err(error) => Err(error),
    };
    let (listener, begun) = match built {
        Ok(built) => built,
        Err(error) => return drop(tell.send(Err(error))),
    };
    let app = Arc::clone(&begun.app);
    if tell.send(Ok(begun)).is_err() {
        return;
    }
    let shutdown = async {
        // Also when it is dropped without a word.
        let _told = told_to_end.await;
    };
    if let Err(error) = assembly::run(app, listener, shutdown, Duration::ZERO).await {
        tracing::warn!(%error, "the server for tests did not end well");
    }
}

async fn build(
    store: Arc<dyn Store>,
    path: &Path,
) -> Result<(TcpListener, Begun), TestServerError> {
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let url = format!("http://{address}");
    let secrets = startup::secrets(store.as_ref(), path, &clock, &entropy)
        .await
        .map_err(failed)?;
    let account = startup::account(store.as_ref(), &clock, &entropy, path, None, true)
        .await
        .map_err(failed)?;
    let key = secret_files::read(&path.join("owner-access-key"))
        .map_err(failed)?
        .ok_or_else(|| failed("the file of the owner's access key is missing"))?;
    let owner_key = str::from_utf8(&key).map_err(failed)?.trim().to_owned();
    let settings = Settings {
        account_id: account.account_id,
        public_url: url.clone(),
        development: true,
        raw_access_keys: true,
        allowed_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        private_issuers: true,
        limits: Limits::default(),
    };
    let app = assembly::build(settings, store, secrets, clock, entropy)
        .await
        .map_err(failed)?;
    let begun = Begun {
        app,
        url,
        owner_key,
    };
    Ok((listener, begun))
}
