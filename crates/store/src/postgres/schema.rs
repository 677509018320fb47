//! The tables, and the steps that lead from one version of them to the next: forward only.
//!
//! A step only adds (*expand*): what the previous release reads and writes stays as it was, so that
//! its nodes go on while the nodes of this one take their places, one after the other. What nothing
//! uses any more is removed by a step of a later release (*contract*). Each statement may be
//! repeated, because not every database undoes a change of tables with its transaction.

use super::connecting::Session;
use super::failure::{Failure, Reach};
use super::rows::Writer;
use crate::chain::Head;

/// What a start does about tables that are older than this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Migrate {
    /// Brings them up to date.
    #[default]
    Auto,
    /// Refuses to start.
    Check,
}

/// Where the tables were and where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version that was found; 0 for an empty database.
    pub from: i64,
    pub to: i64,
}

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum PostgresOpenError {
    #[error(
        "the database was written by a newer Guestlist (schema {found}, this one knows {known}); \
         start the newer version, nothing was changed"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "the tables of the database are of version {found}, this Guestlist needs {needed}; run \
         `guestlist migrate`, or start with --migrate auto"
    )]
    Older { found: i64, needed: i64 },
    #[error("the database at {address} cannot be used: {reason}")]
    Database { address: String, reason: String },
}

/// How often a step is tried when several nodes start at once.
const TRIES: u32 = 20;

/// The one table that is there before all others: whoever changes tables holds its row.
const FIRST: &str = "
    CREATE TABLE IF NOT EXISTS guestlist_schema (
        id      BIGINT PRIMARY KEY CHECK (id = 1),
        version BIGINT NOT NULL
    );
    INSERT INTO guestlist_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";

const VERSION: &str = "SELECT version FROM guestlist_schema WHERE id = 1";
const LOCKED_VERSION: &str = "SELECT version FROM guestlist_schema WHERE id = 1 FOR UPDATE";

/// Each leads from the version that is its place in this list to the next.
const STEPS: [&str; 2] = [
    // `guestlist_facets.mark` is the mark of the document that the row is of: rows of earlier writes
    // are told by it. `guestlist_recent_changes` holds what other nodes have yet to hear.
    "
    CREATE TABLE IF NOT EXISTS guestlist_head (
        id       BIGINT PRIMARY KEY CHECK (id = 1),
        revision BIGINT NOT NULL,
        hash     BYTEA NOT NULL,
        writer   BYTEA NOT NULL
    );
    CREATE TABLE IF NOT EXISTS guestlist_documents (
        kind   BYTEA NOT NULL,
        id     BYTEA NOT NULL,
        mark   BIGINT NOT NULL,
        facets BYTEA NOT NULL,
        body   BYTEA NOT NULL,
        PRIMARY KEY (kind, id)
    );
    CREATE TABLE IF NOT EXISTS guestlist_facets (
        kind  BYTEA NOT NULL,
        facet BYTEA NOT NULL,
        value BYTEA NOT NULL,
        id    BYTEA NOT NULL,
        mark  BIGINT NOT NULL,
        PRIMARY KEY (kind, facet, value, id)
    );
    CREATE INDEX IF NOT EXISTS guestlist_facets_of_document ON guestlist_facets (kind, id);
    CREATE TABLE IF NOT EXISTS guestlist_events (
        revision BIGINT PRIMARY KEY,
        event    BYTEA NOT NULL,
        touched  BYTEA NOT NULL,
        hash     BYTEA NOT NULL
    );
    CREATE TABLE IF NOT EXISTS guestlist_recent_changes (
        revision BIGINT PRIMARY KEY,
        writer   BYTEA NOT NULL,
        payload  BYTEA NOT NULL,
        written  TIMESTAMPTZ NOT NULL DEFAULT now()
    )",
    // Which node does what one of them is to do.
    "
    CREATE TABLE IF NOT EXISTS guestlist_duty (
        id      BIGINT PRIMARY KEY CHECK (id = 1),
        holder  BYTEA NOT NULL,
        renewed TIMESTAMPTZ NOT NULL
    );
    INSERT INTO guestlist_duty (id, holder, renewed)
    VALUES (1, '', '1970-01-01T00:00:00Z') ON CONFLICT (id) DO NOTHING",
];

/// The row of the head of an empty log.
const FIRST_HEAD: &str = "
    INSERT INTO guestlist_head (id, revision, hash, writer) VALUES (1, $1, $2, $3)
    ON CONFLICT (id) DO NOTHING";

/// The version this program writes.
fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Why the tables were not brought up to date.
pub(super) enum Unready {
    Version(PostgresOpenError),
    Failed(Failure),
}

impl From<Failure> for Unready {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Looks at the version of the tables, and changes them if that is wanted. Several nodes may do so
/// at once: one does the work, and the others wait for it.
pub(super) async fn prepare(session: &Session, migrate: Migrate) -> Result<Migrated, Unready> {
    let found = version(session).await?;
    if found == newest() {
        return Ok(Migrated {
            from: found,
            to: found,
        });
    }
    refuse_newer(found)?;
    match migrate {
        Migrate::Check => Err(Unready::Version(PostgresOpenError::Older {
            found,
            needed: newest(),
        })),
        Migrate::Auto => bring_up(session).await,
    }
}

fn refuse_newer(found: i64) -> Result<(), Unready> {
    if found <= newest() {
        return Ok(());
    }
    Err(Unready::Version(PostgresOpenError::Newer {
        found,
        known: newest(),
    }))
}

/// The version of the tables; 0 when there are none.
async fn version(session: &Session) -> Result<i64, Failure> {
    let exists = session
        .query(
            "SELECT count(*) FROM information_schema.tables
             WHERE table_name = 'guestlist_schema' AND table_schema = current_schema()",
            &[],
        )
        .await?;
    let tables: i64 = scalar(&exists)?;
    if tables == 0 {
        return Ok(0);
    }
    let rows = session.query(VERSION, &[]).await?;
    // The row comes with the table, a moment later.
    if rows.is_empty() {
        return Ok(0);
    }
    scalar(&rows)
}

fn scalar(rows: &[tokio_postgres::Row]) -> Result<i64, Failure> {
    let row = rows
        .first()
        .ok_or_else(|| Failure::damaged("the row of guestlist_schema is missing"))?;
    row.try_get(0).map_err(Failure::damaged)
}

async fn bring_up(session: &Session) -> Result<Migrated, Unready> {
    // `IF NOT EXISTS` is no lock: two nodes that make the same table at the same moment meet in the
    // catalogue, and one of them is refused.
    let mut tried = session.run(FIRST).await;
    for _ in 1..TRIES {
        match &tried {
            Ok(()) => break,
            Err(failure) if failure.reach == Reach::Lost => break,
            Err(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                tried = session.run(FIRST).await;
            }
        }
    }
    tried?;
    let mut last = None;
    for _ in 0..TRIES {
        match climb(session).await {
            Err(Unready::Failed(failure)) if failure.reach == Reach::Again => {
                session.run("ROLLBACK").await?;
                last = Some(failure);
            }
            Err(unready) => {
                // The connection ends with the start; whatever it holds ends with it.
                return Err(unready);
            }
            Ok(migrated) => return Ok(migrated),
        }
    }
    let failure = last.unwrap_or_else(Failure::elapsed);
    Err(Unready::Failed(failure))
}

/// All steps that are missing, while no one else takes any.
async fn climb(session: &Session) -> Result<Migrated, Unready> {
    session.run("BEGIN").await?;
    let rows = session.query(LOCKED_VERSION, &[]).await?;
    let found: i64 = scalar(&rows)?;
    refuse_newer(found)?;
    let done = usize::try_from(found).map_err(Failure::damaged)?;
    for step in STEPS.iter().skip(done) {
        session.run(step).await?;
    }
    session
        .execute(
            FIRST_HEAD,
            &[
                &0_i64,
                &Head::START.hash.as_bytes().as_slice(),
                &Writer::NONE.as_bytes(),
            ],
        )
        .await?;
    session
        .execute(
            "UPDATE guestlist_schema SET version = $1 WHERE id = 1",
            &[&newest()],
        )
        .await?;
    session.run("COMMIT").await?;
    Ok(Migrated {
        from: found,
        to: newest(),
    })
}

/// Makes the schema that an address names.
pub(super) async fn make_schema(session: &Session, name: &str) -> Result<(), Failure> {
    // The name needs no quotes: see PostgresAddress. Nodes that start at once may meet here too.
    let sql = format!("CREATE SCHEMA IF NOT EXISTS {name}");
    let mut tried = session.run(&sql).await;
    for _ in 1..TRIES {
        match &tried {
            Err(failure) if failure.reach == Reach::Change => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                tried = session.run(&sql).await;
            }
            Ok(()) | Err(_) => break,
        }
    }
    tried
}
