//! An export: every document and every line of the event log of one moment, made while a server
//! goes on writing.

use std::io::Write;
use std::path::Path;

use guestlist_rules::accounts::StoredAccount;
use guestlist_rules::changes::Kind;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row};

use super::backup::BackupError;
use super::change::{stored_event, stored_facets, stored_touched};
use super::contents::{self, Watch};
use super::reading::{self, unsigned};
use super::{placing, schema};
use crate::transfer::{
    DocumentLine, EventLine, ExportEnd, ExportHeader, ExportWriter, FORMAT, TransferError, VERSION,
    unfit,
};

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
    let mut writer = ExportWriter::begin(&header, all, out, watch)?;
    write_documents(&mut writer, connection, database)?;
    write_events(&mut writer, connection, database)?;
    let end = writer.end(version)?;
    Ok((header, end))
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

fn write_documents(
    writer: &mut ExportWriter<'_>,
    connection: &Connection,
    database: &Path,
) -> Result<(), TransferError> {
    let mut statement = connection
        .prepare("SELECT kind, id, mark, facets, body FROM documents ORDER BY kind, id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line = document(row).map_err(|error| damaged(database, error.to_string()))?;
        refuse_unfit(database, &line.body)?;
        writer.document(&line)?;
    }
    Ok(())
}

fn write_events(
    writer: &mut ExportWriter<'_>,
    connection: &Connection,
    database: &Path,
) -> Result<(), TransferError> {
    let mut statement =
        connection.prepare("SELECT revision, event, touched FROM events ORDER BY revision")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line = event(row).map_err(|error| damaged(database, error.to_string()))?;
        refuse_unfit(database, &line.event)?;
        writer.event(&line)?;
    }
    Ok(())
}

fn refuse_unfit(database: &Path, json: &str) -> Result<(), TransferError> {
    unfit(json).map_or(Ok(()), |problem| Err(damaged(database, problem)))
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
