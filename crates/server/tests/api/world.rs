//! A server of its own for each test, on loopback, with a still clock and seeded randomness; acted on
//! through its API alone.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;
use guestlist_server::app::App;
use guestlist_server::assembly;
use guestlist_server::clock::Clock;
use guestlist_server::entropy::Entropy;
use guestlist_server::limits::Limits;
use guestlist_server::settings::Settings;
use guestlist_server::startup::{self, Secrets};
use guestlist_store::suite::cluster::{self, Cluster, ClusterOptions};
use guestlist_store::{EmbeddedStore, MemoryStore, PostgresOptions, PostgresStore, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2026-01-02T03:04:05.678Z.
pub(crate) const START: i64 = 1_767_323_045_678;
pub(crate) const ACCOUNT: &str = "acc-world";
/// An answer that has not come by then never will.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a world keeps what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Memory,
    Embedded,
    Postgres,
}

/// Every engine there is: the one on PostgreSQL where that is installed, which it must be where tests
/// count.
pub(crate) fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::Memory, Engine::Embedded];
    if cluster().is_some() {
        engines.push(Engine::Postgres);
    }
    engines
}

/// The database server of these tests. Worlds are not asked to survive the loss of power: the tests of
/// the engine are.
fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let make = || cluster::own_or_skip(&ClusterOptions::default().without_fsync()).unwrap();
    CLUSTER.get_or_init(make).as_ref()
}

impl Engine {
    /// A store of it, over what the directory has, or says the place of.
    pub(crate) async fn open(self, directory: &Path) -> Arc<dyn Store> {
        match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Embedded => Arc::new(EmbeddedStore::open(directory).unwrap()),
            Self::Postgres => {
                let place = directory.join(PLACE);
                let address = std::fs::read_to_string(&place).unwrap_or_else(|_| {
                    let address = cluster().unwrap().new_address();
                    std::fs::write(&place, &address).unwrap();
                    address
                });
                let address = address.parse().unwrap();
                let store = PostgresStore::open(&address, PostgresOptions::default()).await;
                Arc::new(store.unwrap())
            }
        }
    }

    /// Whether what was stored is there after the end.
    pub(crate) fn keeps(self) -> bool {
        match self {
            Self::Memory => false,
            Self::Embedded | Self::Postgres => true,
        }
    }
}

/// The file with the address of the database.
const PLACE: &str = "database-address";

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    /// The owner's raw access key.
    pub(crate) owner: String,
    /// The owner's client id.
    pub(crate) owner_id: String,
    pub(crate) directory: tempfile::TempDir,
    end: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["errorCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }

    /// The body of a refusal without the id that differs each time.
    pub(crate) fn anonymous(&self) -> Value {
        let mut body = self.json();
        if let Some(members) = body.as_object_mut() {
            members.remove("errorId");
        }
        body
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text);
        self
    }
}

impl World {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, |_| {}).await
    }

    /// A world with other settings.
    pub(crate) async fn with(engine: Engine, change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = engine.open(directory.path()).await;
        Self::at(store, directory, change).await
    }

    /// A world on this store, whose secrets are in the directory.
    pub(crate) async fn at(
        store: Arc<dyn Store>,
        directory: tempfile::TempDir,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let path = directory.path();
        let clock = Clock::still(Timestamp::from_milliseconds(START));
        let entropy = Entropy::seeded(7);
        let (owner, owner_id) = begin(store.as_ref(), &clock, &entropy, path).await;
        let secrets = Secrets::load_or_create(path, &entropy).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut settings = Settings {
            account_id: ACCOUNT.parse().unwrap(),
            public_url: "http://guestlist.test".to_owned(),
            development: true,
            raw_access_keys: true,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            private_issuers: false,
            limits: Limits::default(),
        };
        // What happens by itself is told when a test says so: its clock stands still.
        settings.limits.notice_pause = Duration::from_hours(24);
        change(&mut settings);
        let app = assembly::build(settings, store, secrets, clock.clone(), entropy)
            .await
            .unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let serving = Arc::clone(&app);
        let running = tokio::spawn(async move {
            let shutdown = async {
                let _told = ended.await;
            };
            assembly::run(serving, listener, shutdown, Duration::ZERO)
                .await
                .unwrap();
        });
        let (end, running) = (Some(end), Some(running));
        Self {
            app,
            address,
            clock,
            owner,
            owner_id,
            directory,
            end,
            running,
        }
    }

    /// Another node on the same database, with the same secrets.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.directory.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
        }
        let store = Engine::Postgres.open(directory.path()).await;
        Self::at(store, directory, change).await
    }

    /// Ends the server, and starts another on what it kept.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn restart_with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.stop().await;
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        let now = self.clock.now().milliseconds();
        drop(self);
        let engine = if directory.path().join(PLACE).exists() {
            Engine::Postgres
        } else {
            Engine::Embedded
        };
        let store = engine.open(directory.path()).await;
        let world = Self::at(store, directory, change).await;
        world.clock.advance(now - START);
        world
    }

    /// Ends the server in good order.
    pub(crate) async fn stop(&mut self) {
        if let (Some(end), Some(running)) = (self.end.take(), self.running.take()) {
            let _told = end.send(());
            tokio::time::timeout(PATIENCE, running)
                .await
                .unwrap()
                .unwrap();
        }
    }

    /// A token of a user.
    pub(crate) fn token(&self, user: &str) -> String {
        let user: UserId = user.parse().unwrap();
        self.app
            .callers
            .development_token(&user)
            .unwrap()
            .access_token
    }

    /// A token of a user whose e-mail address was verified.
    pub(crate) fn token_with_email(&self, user: &str, email: &str) -> String {
        let (user, email): (UserId, _) = (user.parse().unwrap(), email.parse().unwrap());
        let callers = &self.app.callers;
        let token = callers.development_token_with(&user, Some(&email));
        token.unwrap().access_token
    }

    /// A request with a credential and perhaps a body.
    pub(crate) async fn send(
        &self,
        credential: &str,
        method: &str,
        target: &str,
        body: Option<&Value>,
    ) -> Reply {
        self.send_with(credential, method, target, &[], body).await
    }

    /// The same with more header lines.
    pub(crate) async fn send_with(
        &self,
        credential: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: guestlist.test\r\n");
        if !credential.is_empty() {
            let _ = write!(request, "Authorization: Bearer {credential}\r\n");
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        let length = body.len();
        let _ = write!(
            request,
            "Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        self.raw(request.as_bytes()).await
    }

    /// Bytes as they are.
    pub(crate) async fn raw(&self, request: &[u8]) -> Reply {
        tokio::time::timeout(PATIENCE, exchange(self.address, request))
            .await
            .unwrap()
    }

    /// A request as the owner.
    pub(crate) async fn own(&self, method: &str, target: &str, body: Option<&Value>) -> Reply {
        self.send(&self.owner, method, target, body).await
    }

    /// A request as a user.
    pub(crate) async fn as_user(
        &self,
        user: &str,
        method: &str,
        target: &str,
        body: Option<&Value>,
    ) -> Reply {
        self.send(&self.token(user), method, target, body).await
    }

    /// Makes a role as the owner. `permissions` are `(action, allow, grant, delegate)`.
    pub(crate) async fn role(&self, id: &str, permissions: &[(&str, bool, bool, bool)]) {
        let permissions: Vec<Value> = permissions
            .iter()
            .map(|(action, allow, grant, delegate)| {
                json!({"action": action, "allow": allow, "grant": grant, "delegate": delegate})
            })
            .collect();
        let role = json!({"roleId": id, "name": id, "permissions": permissions});
        self.own("POST", "/v1/roles", Some(&role)).await.expect(201);
    }

    /// Gives a user roles on resources as the owner, by a record of this id.
    pub(crate) async fn give(&self, record: &str, user: &str, roles: &[&str], resources: &[&str]) {
        self.give_as(&self.owner, record, user, roles, resources)
            .await;
    }

    /// The same as somebody else.
    pub(crate) async fn give_as(
        &self,
        credential: &str,
        record: &str,
        user: &str,
        roles: &[&str],
        resources: &[&str],
    ) {
        let record = record_of(record, user, roles, resources);
        self.send(credential, "POST", "/v1/records", Some(&record))
            .await
            .expect(201);
    }

    /// Makes an invite and returns its id.
    pub(crate) async fn invite(&self, credential: &str, body: &Value) -> String {
        let reply = self
            .send(credential, "POST", "/v1/invites", Some(body))
            .await
            .expect(201);
        reply.json()["inviteId"].as_str().unwrap().to_owned()
    }

    /// Whether a user may do something, as the server says.
    pub(crate) async fn may(&self, user: &str, resource: &str, action: &str) -> bool {
        let target = check(user, resource, action);
        let reply = self.own("GET", &target, None).await;
        match reply.status {
            200 => true,
            404 => false,
            other => panic!("{other} {}", reply.text),
        }
    }

    /// All events, newest last.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let store = &self.app.store;
        let logged = store
            .events_after(guestlist_rules::changes::Revision(0), 100_000)
            .await;
        logged
            .unwrap()
            .into_iter()
            .map(|line| serde_json::to_value(line.event).unwrap())
            .collect()
    }

    /// How many events of a kind there are.
    pub(crate) async fn count(&self, kind: &str) -> usize {
        self.events()
            .await
            .iter()
            .filter(|event| event["type"] == kind)
            .count()
    }
}

/// The first start, and the owner's key from its file.
async fn begin(
    store: &dyn Store,
    clock: &Clock,
    entropy: &Entropy,
    path: &Path,
) -> (String, String) {
    let account = Some(ACCOUNT.parse().unwrap());
    startup::account(store, clock, entropy, path, account, true)
        .await
        .unwrap();
    let file = std::fs::read_to_string(path.join("owner-access-key")).unwrap();
    let owner = file.trim().to_owned();
    let id = owner.split('.').next().unwrap().to_owned();
    (owner, id)
}

pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    let _read = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Reply {
        status,
        head: head.to_owned(),
        text: body.to_owned(),
    }
}

/// The target of a permission check.
pub(crate) fn check(user: &str, resource: &str, action: &str) -> String {
    let (user, resource) = (encode(user), encode(resource));
    format!(
        "/v1/users/{user}/resources/{resource}/permissions/{}",
        encode(action)
    )
}

/// A path member with everything escaped that needs it.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Roles on resources.
pub(crate) fn statement(roles: &[&str], resources: &[&str]) -> Value {
    let resources: Vec<Value> = resources
        .iter()
        .map(|resource| json!({"resourceUri": resource}))
        .collect();
    json!({"roles": roles, "resources": resources})
}

/// An invite that holds roles on resources.
pub(crate) fn invite_of(roles: &[&str], resources: &[&str]) -> Value {
    json!({"statements": [statement(roles, resources)]})
}

/// A record that gives a user roles on resources.
pub(crate) fn record_of(id: &str, user: &str, roles: &[&str], resources: &[&str]) -> Value {
    json!({
        "recordId": id,
        "name": id,
        "users": [{"userId": user}],
        "statements": [statement(roles, resources)],
    })
}
