//! Everything of a database as an export, and everything of an export in an empty database: how a
//! store moves from one engine to another, and that nothing was lost on the way.

use std::io;

use futures_util::TryStreamExt as _;
use guestlist_rules::accounts::StoredAccount;
use guestlist_rules::changes::{Kind, Revision};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, RowStream};

use super::address::PostgresAddress;
use super::connecting::{Connector, Purpose, Session, limited};
use super::failure::Failure;
use super::rows::{Writer, base, document, json, logged, signed, text};
use super::schema::{Migrate, PostgresOpenError};
use super::{PostgresStore, ready, refused, statements as sql};
use crate::ExportFile;
use crate::chain::Head;
use crate::embedded::{Progress, ROWS, Watch, tell};
use crate::transfer::{
    DocumentLine, EventLine, ExportEnd, ExportHeader, ExportWriter, FORMAT, Line, TransferError,
    VERSION, unfit,
};

/// The most bytes that are sent at a time.
const BATCH: usize = 1 << 20;

const DOCUMENTS: &str = "
    INSERT INTO guestlist_documents (kind, id, mark, facets, body)
    SELECT new.kind, new.id, new.mark, new.facets, new.body
    FROM unnest($1::bytea[], $2::bytea[], $3::int8[], $4::bytea[], $5::bytea[])
      AS new (kind, id, mark, facets, body)";
const FACETS: &str = "
    INSERT INTO guestlist_facets (kind, facet, value, id, mark)
    SELECT new.kind, new.facet, new.value, new.id, new.mark
    FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::int8[])
      AS new (kind, facet, value, id, mark)";
const EVENTS: &str = "
    INSERT INTO guestlist_events (revision, event, touched, hash)
    SELECT new.revision, new.event, new.touched, new.hash
    FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::bytea[])
      AS new (revision, event, touched, hash)";
const HEAD: &str = "
    UPDATE guestlist_head SET revision = $1, hash = $2, writer = $3 WHERE id = 1";
const COUNTS: &str = "
    SELECT (SELECT count(*) FROM guestlist_documents), (SELECT count(*) FROM guestlist_events),
      (SELECT count(*) FROM guestlist_facets)";
/// In the order of an export.
const ALL_DOCUMENTS: &str = "
    SELECT kind, id, mark, facets, body FROM guestlist_documents ORDER BY kind, id";
const ALL_EVENTS: &str = "
    SELECT revision, event, touched, hash FROM guestlist_events ORDER BY revision";

impl PostgresStore {
    /// Writes everything in a database, whether nodes write to it or not, as lines of JSON: what it
    /// holds at one moment. `product` is the version of the program, for the first line. Blocks the
    /// thread, which must not be one that runs tasks; `watch` is told of the progress and can break
    /// it off.
    pub fn export(
        address: &PostgresAddress,
        product: &str,
        out: &mut dyn io::Write,
        watch: Watch<'_>,
    ) -> Result<(ExportHeader, ExportEnd), TransferError> {
        let failed = |failure: &Failure| TransferError::Database(refused(address, failure));
        let runtime = runtime(address)?;
        runtime.block_on(async {
            let session = session(address, Migrate::Check, Purpose::Snapshot).await?;
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
            let outcome = session.run(begin).await;
            outcome.map_err(|failure| failed(&failure))?;
            let written = write(&session, (product, VERSION), out, watch).await;
            written.map_err(|unwritten| unwritten.told(address))
        })
    }

    /// Fills an empty database from an export: documents, events and revisions, all of it or
    /// nothing. Before it is committed, the same transaction exports it once more, which must give
    /// the same bytes. Blocks the thread, which must not be one that runs tasks.
    pub fn import(
        address: &PostgresAddress,
        export: &mut ExportFile,
        watch: Watch<'_>,
    ) -> Result<(), TransferError> {
        let failed = |failure: Failure| TransferError::Database(refused(address, &failure));
        let runtime = runtime(address)?;
        let session = runtime.block_on(session(address, Migrate::Auto, Purpose::Migration))?;
        runtime.block_on(lock_empty(&session, address))?;
        let all = export.end().documents.values().sum::<u64>() + export.end().events;
        let (mut batch, mut head, mut done) = (Batch::default(), Head::START, 0);
        export.each_line(&mut |line, reached| {
            head = reached;
            batch.take(line, reached).map_err(failed)?;
            if batch.bytes >= BATCH {
                runtime.block_on(batch.send(&session)).map_err(failed)?;
                batch = Batch::default();
            }
            done += 1;
            if done % ROWS == 0 || done == all {
                tell(watch, Progress::Importing { done, all })?;
            }
            Ok(())
        })?;
        let form = (export.header().product.clone(), export.header().version);
        let again = runtime.block_on(async {
            batch.send(&session).await?;
            let (revision, token) = (signed(head.revision)?, Writer::draw()?);
            let hash = head.hash.as_bytes().as_slice();
            let parameters: [&(dyn ToSql + Sync); 3] = [&revision, &hash, &token.as_bytes()];
            session.execute(HEAD, &parameters).await?;
            let form = (form.0.as_str(), form.1);
            write(&session, form, &mut io::sink(), watch).await
        });
        let again = again.map_err(|unwritten| unwritten.told(address))?;
        // Without a commit nothing stays.
        if (&again.0, &again.1) != (export.header(), export.end()) {
            return Err(TransferError::Differs);
        }
        runtime.block_on(async {
            session.run("COMMIT").await.map_err(failed)?;
            // Statistics, so that the first questions are planned well; it goes without.
            if let Err(failure) = session.run("ANALYZE guestlist_documents").await {
                tracing::debug!(%failure, "the tables were not analysed");
            }
            Ok(())
        })
    }
}

/// A runtime of its own: connections go on while the thread reads a file.
fn runtime(address: &PostgresAddress) -> Result<Runtime, TransferError> {
    let mut builder = Builder::new_multi_thread();
    let made = builder.worker_threads(1).enable_all().build();
    made.map_err(|error| {
        TransferError::Database(PostgresOpenError::Database {
            address: address.to_string(),
            reason: error.to_string(),
        })
    })
}

async fn session(
    address: &PostgresAddress,
    migrate: Migrate,
    purpose: Purpose,
) -> Result<Session, TransferError> {
    let connector = std::sync::Arc::new(Connector::new(address.clone()));
    let (session, _migrated) = ready(&connector, migrate).await?;
    if purpose == Purpose::Migration {
        return Ok(session);
    }
    let session = connector.connect(purpose, None).await;
    session.map_err(|failure| refused(address, &failure).into())
}

/// Begins a transaction that keeps every node from writing, if nothing was ever written.
async fn lock_empty(session: &Session, address: &PostgresAddress) -> Result<(), TransferError> {
    let looking = async {
        session.run("BEGIN").await?;
        let head = base(&session.query(sql::LOCK_HEAD, &[]).await?)?.head;
        let counts = session.query(COUNTS, &[]).await?;
        let rows = counts.iter().try_fold(0, |sum, row| {
            let count = |number| row.try_get::<_, i64>(number).map_err(Failure::damaged);
            Ok::<_, Failure>(sum + count(0)? + count(1)? + count(2)?)
        })?;
        Ok(head == Head::START && rows == 0)
    };
    match looking.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(TransferError::NotEmpty {
            address: address.to_string(),
        }),
        Err(failure) => Err(refused(address, &failure).into()),
    }
}

/// Why an export was not written.
enum Unwritten {
    Failed(Failure),
    Transfer(TransferError),
}

impl Unwritten {
    fn told(self, address: &PostgresAddress) -> TransferError {
        match self {
            Self::Failed(failure) => refused(address, &failure).into(),
            Self::Transfer(error) => error,
        }
    }
}

impl From<Failure> for Unwritten {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<TransferError> for Unwritten {
    fn from(error: TransferError) -> Self {
        Self::Transfer(error)
    }
}

/// Writes what the transaction of the session sees, after checking that the log is whole.
async fn write(
    session: &Session,
    (product, version): (&str, u32),
    out: &mut dyn io::Write,
    watch: Watch<'_>,
) -> Result<(ExportHeader, ExportEnd), Unwritten> {
    let head = base(&session.query(sql::HEAD, &[]).await?)?.head;
    let counts = session.query(COUNTS, &[]).await?;
    let count = |number: usize| -> Result<u64, Failure> {
        let row = counts.first().ok_or_else(Failure::elapsed)?;
        let count: i64 = row.try_get(number).map_err(Failure::damaged)?;
        u64::try_from(count).map_err(Failure::damaged)
    };
    let header = ExportHeader {
        format: FORMAT.to_owned(),
        version,
        product: product.to_owned(),
        account: account(session).await?,
        revision: head.revision.0,
    };
    let mut writer = ExportWriter::begin(&header, count(0)? + count(1)?, out, watch)?;
    let mut facets = 0;
    let mut rows = std::pin::pin!(session.stream(ALL_DOCUMENTS).await?);
    while let Some(row) = next(&mut rows).await? {
        let line = document_line(&row)?;
        facets += line.facets.len() as u64;
        writer.document(&line)?;
    }
    let mut reached = Head::START;
    let mut rows = std::pin::pin!(session.stream(ALL_EVENTS).await?);
    while let Some(row) = next(&mut rows).await? {
        let line = event_line(&row)?;
        reached = reached.followed_by(&line.canonical);
        let stored = logged(&row)?;
        if (stored.revision, stored.hash) != (reached.revision, reached.hash) {
            let revision = stored.revision;
            return Err(Failure::damaged(format!("the hash of {revision} does not follow")).into());
        }
        writer.event(&line)?;
    }
    if reached != head || facets != count(2)? {
        let problem = "the head or the indexed facets are not those of the documents and the log";
        return Err(Failure::damaged(problem).into());
    }
    Ok((header, writer.end(version)?))
}

async fn next(rows: &mut std::pin::Pin<&mut RowStream>) -> Result<Option<Row>, Failure> {
    limited(rows.try_next()).await
}

async fn account(session: &Session) -> Result<Option<String>, Failure> {
    let name = Kind::Account.name().as_bytes();
    let rows = session
        .query(sql::GET, &[&name, &b"account".as_slice()])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let account = document(Kind::Account, row)?.value.read::<StoredAccount>();
    let account = account.map_err(Failure::damaged)?;
    Ok(Some(account.account_id.to_string()))
}

/// A row of kind, id, mark, facets, body. What this version does not know is not left out here: an
/// export holds everything.
fn document_line(row: &Row) -> Result<DocumentLine, Failure> {
    let name = text(row, 0)?;
    let kind = Kind::from_name(&name).ok_or_else(|| {
        Failure::damaged(format!("this version knows no kind of document {name:?}"))
    })?;
    let mark: i64 = row.try_get(2).map_err(Failure::damaged)?;
    let facets: &[u8] = row.try_get(3).map_err(Failure::damaged)?;
    let line = DocumentLine {
        kind,
        id: text(row, 1)?,
        mark: u64::try_from(mark).map_err(Failure::damaged)?,
        facets: json(facets)?,
        body: text(row, 4)?,
    };
    unfit(&line.body).map_or(Ok(line), |problem| Err(Failure::damaged(problem)))
}

/// A row of revision, event, touched, hash.
fn event_line(row: &Row) -> Result<EventLine, Failure> {
    let touched: &[u8] = row.try_get(2).map_err(Failure::damaged)?;
    let stored = logged(row)?;
    let line = EventLine {
        revision: stored.revision.0,
        touched: json(touched)?,
        event: text(row, 1)?,
        canonical: stored.event.canonical(),
    };
    unfit(&line.event).map_or(Ok(line), |problem| Err(Failure::damaged(problem)))
}

/// Rows that are sent together: a column of each table as an array.
#[derive(Default)]
struct Batch {
    bytes: usize,
    kinds: Vec<&'static [u8]>,
    ids: Vec<Vec<u8>>,
    marks: Vec<i64>,
    facets: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    facet_kinds: Vec<&'static [u8]>,
    facet_names: Vec<&'static [u8]>,
    facet_values: Vec<Vec<u8>>,
    facet_ids: Vec<Vec<u8>>,
    facet_marks: Vec<i64>,
    revisions: Vec<i64>,
    events: Vec<Vec<u8>>,
    touched: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
}

impl Batch {
    fn take(&mut self, line: &Line, reached: Head) -> Result<(), Failure> {
        match line {
            Line::Document(document) => self.document(document),
            Line::Event(event) => self.event(event, reached),
            Line::End(_) => Ok(()),
        }
    }

    fn document(&mut self, line: &DocumentLine) -> Result<(), Failure> {
        let (kind, id) = (line.kind.name().as_bytes(), line.id.as_bytes());
        let mark = signed(Revision(line.mark))?;
        let facets = serde_json::to_vec(&line.facets).map_err(Failure::damaged)?;
        self.bytes += id.len() + facets.len() * 2 + line.body.len() + 64;
        for (facet, value) in &line.facets {
            self.facet_kinds.push(kind);
            self.facet_names.push(facet.name().as_bytes());
            self.facet_values.push(value.as_bytes().to_vec());
            self.facet_ids.push(id.to_vec());
            self.facet_marks.push(mark);
        }
        self.kinds.push(kind);
        self.ids.push(id.to_vec());
        self.marks.push(mark);
        self.facets.push(facets);
        self.bodies.push(line.body.as_bytes().to_vec());
        Ok(())
    }

    fn event(&mut self, line: &EventLine, reached: Head) -> Result<(), Failure> {
        let touched = serde_json::to_vec(&line.touched).map_err(Failure::damaged)?;
        self.bytes += line.event.len() + touched.len() + 64;
        self.revisions.push(signed(Revision(line.revision))?);
        self.events.push(line.event.as_bytes().to_vec());
        self.touched.push(touched);
        self.hashes.push(reached.hash.as_bytes().to_vec());
        Ok(())
    }

    async fn send(&self, session: &Session) -> Result<(), Failure> {
        if !self.kinds.is_empty() {
            let columns: [&(dyn ToSql + Sync); 5] = [
                &self.kinds,
                &self.ids,
                &self.marks,
                &self.facets,
                &self.bodies,
            ];
            session.execute(DOCUMENTS, &columns).await?;
        }
        if !self.facet_kinds.is_empty() {
            let columns: [&(dyn ToSql + Sync); 5] = [
                &self.facet_kinds,
                &self.facet_names,
                &self.facet_values,
                &self.facet_ids,
                &self.facet_marks,
            ];
            session.execute(FACETS, &columns).await?;
        }
        if !self.revisions.is_empty() {
            let columns: [&(dyn ToSql + Sync); 4] =
                [&self.revisions, &self.events, &self.touched, &self.hashes];
            session.execute(EVENTS, &columns).await?;
        }
        Ok(())
    }
}
