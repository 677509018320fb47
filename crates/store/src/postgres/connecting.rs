//! Connections: how they are made, what is set on each, and that no wait on one is without limit.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_postgres::types::ToSql;
use tokio_postgres::{
    AsyncMessage, Client, Connection, NoTls, Row, RowStream, SimpleQueryMessage, Statement,
};

use super::address::{PostgresAddress, Transport};
use super::failure::{Failure, Reach};
use super::passwords;
use super::rows::Writer;
use super::tls::Verifying;

// The limits follow from one another. Whoever is cut off while it holds the head has it taken away
// before those that wait for it give up; and the server's own word comes before a limit of ours.

/// How long it takes at most to connect and to be ready: several hosts, TLS and a password.
const READY: Duration = Duration::from_secs(8);
/// How long an answer may take, on this side.
const ANSWER: Duration = Duration::from_secs(10);

/// What a connection is for: it decides what the server limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Statements that find few rows by a key.
    Short,
    /// Reading everything.
    Snapshot,
    /// Changing the tables.
    Migration,
}

impl Purpose {
    /// Limits in milliseconds: of a statement, of a wait for a lock, and of doing nothing inside a
    /// transaction, which frees the head when its holder is cut off.
    const fn limits(self) -> &'static str {
        match self {
            Self::Short => {
                "SET statement_timeout = 8000; SET lock_timeout = 6000; \
                 SET idle_in_transaction_session_timeout = 3000"
            }
            Self::Snapshot => {
                "SET statement_timeout = 3600000; SET lock_timeout = 5000; \
                 SET idle_in_transaction_session_timeout = 60000"
            }
            Self::Migration => {
                "SET statement_timeout = 3600000; SET lock_timeout = 60000; \
                 SET idle_in_transaction_session_timeout = 60000"
            }
        }
    }

    /// Plans by index and in the order of the index, also for statements that were planned when the
    /// tables were empty. Advice: a database that does not know one of these goes on without.
    const fn advice(self) -> &'static [&'static str] {
        match self {
            Self::Short => &[
                "SET enable_seqscan = off",
                "SET enable_bitmapscan = off",
                "SET enable_hashjoin = off",
                "SET enable_mergejoin = off",
                // Costs are no measure any more after the above.
                "SET jit = off",
            ],
            // Rows in the order of an index come at once, and not after everything was sorted.
            Self::Snapshot | Self::Migration => &["SET jit = off", "SET enable_sort = off"],
        }
    }
}

/// Makes connections to one database.
pub(super) struct Connector {
    address: PostgresAddress,
    /// Connections live in this runtime, whichever asked for them.
    home: Handle,
    /// What this store calls itself in notifications, to tell its own from those of others.
    name: String,
}

impl Connector {
    /// Needs tokio's runtime.
    pub(super) fn new(address: PostgresAddress) -> Self {
        // Without chance a node merely wakes itself, too.
        let drawn = Writer::draw().unwrap_or(Writer::NONE);
        let digits = drawn.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        Self {
            address,
            home: Handle::current(),
            name: digits.collect(),
        }
    }

    /// What tells the other nodes that something was written.
    pub(super) fn notification(&self) -> String {
        format!("NOTIFY guestlist, '{}'", self.name)
    }

    pub(super) fn address(&self) -> &PostgresAddress {
        &self.address
    }

    pub(super) fn home(&self) -> &Handle {
        &self.home
    }

    /// A new connection. `heard` is told of notifications.
    pub(super) async fn connect(
        self: &Arc<Self>,
        purpose: Purpose,
        heard: Option<Arc<Notify>>,
    ) -> Result<Session, Failure> {
        let connector = Arc::clone(self);
        let connecting = async move {
            tokio::time::timeout(READY, connector.connect_here(purpose, heard)).await
        };
        match self.home.spawn(connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(_elapsed)) => Err(Failure::elapsed()),
            Err(error) => Err(Failure::new(Reach::Lost, error)),
        }
    }

    async fn connect_here(
        &self,
        purpose: Purpose,
        heard: Option<Arc<Notify>>,
    ) -> Result<Session, Failure> {
        let local = |error: std::io::Error| Failure::new(Reach::Lost, error);
        let mut config = self.address.config.clone();
        if let Some(password) =
            passwords::current(&self.address.password, &config).map_err(local)?
        {
            config.password(password);
        }
        let client = match &self.address.transport {
            Transport::Plain => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(drive(connection, heard, self.name.clone()));
                client
            }
            Transport::Verified { authorities } => {
                let verifying = Verifying::by(authorities.as_deref()).map_err(local)?;
                let (client, connection) = config.connect(verifying).await?;
                tokio::spawn(drive(connection, heard, self.name.clone()));
                client
            }
        };
        self.set_up(&client, purpose).await?;
        Ok(Session {
            client,
            statements: Mutex::default(),
        })
    }

    async fn set_up(&self, client: &Client, purpose: Purpose) -> Result<(), Failure> {
        let mut settings = purpose.limits().to_owned();
        if let Some(schema) = &self.address.schema {
            // The name needs no quotes: see PostgresAddress.
            settings.push_str("; SET search_path TO ");
            settings.push_str(schema);
        }
        client.batch_execute(&settings).await?;
        for advice in purpose.advice() {
            match client.batch_execute(advice).await {
                Err(error) if error.as_db_error().is_none() => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        // An answer that a commit is durable must be true, whatever is the default of the server.
        let asked = client.simple_query("SHOW synchronous_commit").await;
        let is_off = asked.is_ok_and(|messages| said(&messages) == Some("off"));
        if is_off {
            client.batch_execute("SET synchronous_commit = on").await?;
        }
        Ok(())
    }
}

/// Moves what is sent and received, until the connection ends.
async fn drive<S, T>(mut connection: Connection<S, T>, heard: Option<Arc<Notify>>, own: String)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(said))) => {
                if let Some(heard) = heard.as_ref().filter(|_| said.payload() != own) {
                    heard.notify_one();
                }
            }
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!(message = notice.message(), "the database says");
            }
            Some(Ok(_)) => {}
            // Whoever waits for an answer is told, too.
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection to the database has ended");
                break;
            }
            None => break,
        }
    }
    if let Some(heard) = &heard {
        heard.notify_one();
    }
}

/// The one value that a `SHOW` answers.
pub(super) fn said(messages: &[SimpleQueryMessage]) -> Option<&str> {
    messages.iter().find_map(|message| {
        if let SimpleQueryMessage::Row(row) = message {
            row.get(0)
        } else {
            None
        }
    })
}

/// Parameters of a statement.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// One connection, with the statements that were prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
}

impl Session {
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The prepared statement; made at its first use.
    pub(super) async fn prepared(&self, sql: &'static str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements().get(sql) {
            return Ok(statement.clone());
        }
        let statement = limited(self.client.prepare(sql)).await?;
        self.statements().insert(sql, statement.clone());
        Ok(statement)
    }

    /// A statement that was prepared before.
    pub(super) fn known(&self, sql: &'static str) -> Result<Statement, Failure> {
        let known = self.statements().get(sql).cloned();
        known.ok_or_else(|| Failure::new(Reach::Change, "a statement was not prepared"))
    }

    pub(super) async fn query(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(sql).await?;
        limited(self.client.query(&statement, parameters)).await
    }

    pub(super) async fn execute(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, Failure> {
        let statement = self.prepared(sql).await?;
        limited(self.client.execute(&statement, parameters)).await
    }

    /// The rows of a statement without parameters, as they come.
    pub(super) async fn stream(&self, sql: &'static str) -> Result<RowStream, Failure> {
        let statement = self.prepared(sql).await?;
        let none = std::iter::empty::<i64>();
        limited(self.client.query_raw(&statement, none)).await
    }

    /// Statements without parameters.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Failure> {
        limited(self.client.batch_execute(sql)).await
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an answer as long as it may take.
pub(super) async fn limited<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(ANSWER, answer).await {
        Ok(answered) => answered.map_err(Failure::from),
        Err(_elapsed) => Err(Failure::elapsed()),
    }
}
