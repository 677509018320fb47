//! An export: every document and every line of the event log of one moment, made while a server
//! goes on writing.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use guestlist_rules::accounts::StoredAccount;
use guestlist_rules::changes::{Document, Kind};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row};
use serde::de::IgnoredAny;

use super::backup::{BackupError, tell};
use super::change::{stored_event, stored_facets, stored_touched};
use super::contents::{self, Progress, ROWS, Watch};
use super::reading::{self, unsigned};
use super::transfer::{
    DocumentLine, EventLine, ExportEnd, ExportHeader, FORMAT, LONGEST_LINE, TransferError, VERSION,
    hexadecimal,
};
use super::{placing, schema};
use crate::chain::Head;

/// Writes everything in the database of a directory, of a running server or not, as lines of JSON.
///
/// It is what one read transaction sees, so it holds every change that was acknowledged before the
/// call. A database that does not hold together is refused before the first byte. `product` is the
/// version of the program, for the first line. Blocks the thread; `watch` is told of the progress
/// and can break it off.
pub fn export(
    directory: &Path,
    product: &str,
    out: &mut dyn Write,
    watch: Watch<'_>,
) -> Result<(ExportHeader, ExportEnd), TransferError> {
    schema::check_library(rusqlite::version_number()).map_err(BackupError::from)?;
    let database = directory.join(schema::FILE);
    if !database.is_file() {
        return Err(BackupError::NoDatabase(directory.to_owned()).into());
    }
    if placing::is_unfinished(directory) {
        return Err(BackupError::Unfinished(directory.to_owned()).into());
    }
    let mut source = schema::open_reader(&database)?;
    let moment = source.transaction()?;
    let contents = contents::read(&moment, &database, watch)?;
    let (header, end) = write(&moment, &database, (product, VERSION), out, watch)?;
    if end.documents != contents.documents
        || end.events != contents.events
        || end.head != Some(contents.head)
    {
        return Err(TransferError::Differs);
    }
    Ok((header, end))
}

/// Writes everything that the connection sees, which is in a transaction or the only one, in the form
/// of a version.
pub(super) fn write(
    connection: &Connection,
    database: &Path,
    (product, version): (&str, u32),
    out: &mut dyn Write,
    watch: Watch<'_>,
) -> Result<(ExportHeader, ExportEnd), TransferError> {
    let header = ExportHeader {
        format: FORMAT.to_owned(),
        version,
        product: product.to_owned(),
        account: account(connection, database)?,
        revision: reading::revision(connection)?.0,
    };
    let all = connection.query_row(
        "SELECT (SELECT count(*) FROM documents) + (SELECT count(*) FROM events)",
        [],
        |row| unsigned(row, 0),
    )?;
    let mut writing = Writing {
        out,
        watch,
        hash: Context::new(&SHA256),
        head: Head::START,
        done: 0,
        all,
    };
    writing.line(serde_json::to_string(&header))?;
    let documents = writing.documents(connection, database)?;
    let events = writing.events(connection, database)?;
    let Writing {
        out, hash, head, ..
    } = writing;
    let end = ExportEnd {
        documents,
        events,
        head: ExportEnd::head_in(version, head),
        sha256: hexadecimal(hash),
    };
    let text = end.text().map_err(unwritable)?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(TransferError::Unwritable)?;
    Ok((header, end))
}

fn unwritable(error: serde_json::Error) -> TransferError {
    TransferError::Unwritable(error.into())
}

fn account(connection: &Connection, database: &Path) -> Result<Option<String>, TransferError> {
    let document = reading::get(connection, Kind::Account, "account")?;
    let account = document.map(|seen| seen.value.read::<StoredAccount>());
    let account = account
        .transpose()
        .map_err(|error| damaged(database, error.to_string()))?;
    Ok(account.map(|account| account.account_id.to_string()))
}

fn damaged(database: &Path, problem: String) -> TransferError {
    TransferError::Store(BackupError::Damaged {
        path: database.to_owned(),
        problem,
    })
}

struct Writing<'a> {
    out: &'a mut dyn Write,
    watch: Watch<'a>,
    hash: Context,
    head: Head,
    done: u64,
    all: u64,
}

impl Writing<'_> {
    fn documents(
        &mut self,
        connection: &Connection,
        database: &Path,
    ) -> Result<BTreeMap<String, u64>, TransferError> {
        let mut counts = BTreeMap::new();
        let mut statement = connection
            .prepare("SELECT kind, id, mark, facets, body FROM documents ORDER BY kind, id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let line = document(row).map_err(|error| damaged(database, error.to_string()))?;
            refuse_unfit(database, &line.body)?;
            *counts.entry(line.kind.name().to_owned()).or_default() += 1;
            self.row(line.text())?;
        }
        Ok(counts)
    }

    fn events(&mut self, connection: &Connection, database: &Path) -> Result<u64, TransferError> {
        let mut count = 0;
        let mut statement =
            connection.prepare("SELECT revision, event, touched FROM events ORDER BY revision")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let line = event(row).map_err(|error| damaged(database, error.to_string()))?;
            refuse_unfit(database, &line.event)?;
            self.head = self.head.followed_by(&line.canonical);
            count += 1;
            self.row(line.text())?;
        }
        Ok(count)
    }

    fn row(&mut self, text: serde_json::Result<String>) -> Result<(), TransferError> {
        self.line(text)?;
        self.done += 1;
        if self.done.is_multiple_of(ROWS) || self.done == self.all {
            let (done, all) = (self.done, self.all);
            tell(self.watch, Progress::Exporting { done, all })?;
        }
        Ok(())
    }

    fn line(&mut self, text: serde_json::Result<String>) -> Result<(), TransferError> {
        let mut text = text.map_err(unwritable)?;
        text.push('\n');
        if text.len() > LONGEST_LINE {
            return Err(TransferError::Unwritable(std::io::Error::other(format!(
                "a document or an event takes more than {LONGEST_LINE} bytes"
            ))));
        }
        self.hash.update(text.as_bytes());
        let written = self.out.write_all(text.as_bytes());
        written.map_err(TransferError::Unwritable)
    }
}

/// Everything that the server writes is JSON on one line; anything else could not be read again.
fn refuse_unfit(database: &Path, json: &str) -> Result<(), TransferError> {
    let unfit = |problem: String| damaged(database, problem);
    if json.contains('\n') {
        return Err(unfit(
            "a document or an event has more than one line".to_owned(),
        ));
    }
    serde_json::from_str::<IgnoredAny>(json)
        .map(drop)
        .map_err(|error| unfit(format!("a document or an event is not JSON: {error}")))
}

fn document(row: &Row<'_>) -> rusqlite::Result<DocumentLine> {
    let name: String = row.get(0)?;
    let body: Vec<u8> = row.get(4)?;
    let kind = Kind::from_name(&name).ok_or_else(|| {
        let problem = format!("this version knows no kind of document {name:?}");
        Error::FromSqlConversionFailure(0, Type::Text, problem.into())
    })?;
    Ok(DocumentLine {
        kind,
        id: row.get(1)?,
        mark: unsigned(row, 2)?,
        facets: stored_facets(row.get_ref(3)?.as_str()?)?,
        body: String::from_utf8(body)
            .map_err(|error| Error::FromSqlConversionFailure(4, Type::Blob, Box::new(error)))?,
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventLine> {
    let event: String = row.get(1)?;
    Ok(EventLine {
        revision: unsigned(row, 0)?,
        canonical: stored_event(&event)?.canonical(),
        event,
        touched: stored_touched(row.get_ref(2)?.as_str()?)?,
    })
}

/// The document of a line, for whoever checks documents.
impl DocumentLine {
    pub(super) fn document(&self) -> Document {
        Document {
            kind: self.kind,
            id: self.id.clone(),
            facets: self.facets.clone(),
            body: self.body.clone().into_bytes(),
        }
    }
}
