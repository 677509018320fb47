//! An export becomes the database of a data directory: all of it or nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use guestlist_rules::accounts::StoredAccount;
use guestlist_rules::changes::Kind;
use rusqlite::{Connection, OpenFlags, Transaction, params};
use serde::Deserialize;

use super::backup::{BackupError, Existing, sync, tell};
use super::change::{self, signed};
use super::contents::{self, Progress, ROWS, Watch};
use super::restore::put_in_place;
use super::{exporting, facets, schema};
use crate::admission::{admit_id, one_value_per_facet};
use crate::chain::Head;
use crate::transfer::{
    DocumentLine, EventLine, ExportEnd, ExportHeader, FORMAT, LONGEST_LINE, Line, TransferError,
    VERSION, hexadecimal,
};

/// An export that was read from its first to its last byte, and is whole.
#[derive(Debug)]
pub struct ExportFile {
    file: File,
    header: ExportHeader,
    end: ExportEnd,
}

impl ExportFile {
    /// Reads the whole file and refuses what is cut off, altered, in another order, newer or no
    /// export. The file is kept open, so what is imported is what was checked. Blocks the thread.
    pub fn check(mut file: File, watch: Watch<'_>) -> Result<Self, TransferError> {
        let all = length(&file)?;
        let mut done = 0;
        let mut rows = 0_u64;
        let (header, end) = read(&mut file, &mut |_line, _head, bytes| {
            done += bytes;
            rows += 1;
            if rows.is_multiple_of(ROWS) {
                tell(watch, Progress::Reading { done, all })?;
            }
            Ok(())
        })?;
        Ok(Self { file, header, end })
    }

    pub fn header(&self) -> &ExportHeader {
        &self.header
    }

    pub fn end(&self) -> &ExportEnd {
        &self.end
    }

    /// Reads the file again and tells where its event log has come to after each event, oldest first.
    /// Blocks the thread.
    pub fn follow_log(&mut self, each: &mut dyn FnMut(Head)) -> Result<(), TransferError> {
        self.each_line(&mut |line, head| {
            match line {
                Line::Event(_) => each(head),
                Line::Document(_) | Line::End(_) => {}
            }
            Ok(())
        })
    }

    /// Reads the file again and hands over each document and each event, with where the log ends after
    /// it. Blocks the thread.
    pub(crate) fn each_line(
        &mut self,
        each: &mut dyn FnMut(&Line, Head) -> Result<(), TransferError>,
    ) -> Result<(), TransferError> {
        let read = read(&mut self.file, &mut |line, head, _bytes| each(line, head))?;
        // Somebody wrote to the file meanwhile.
        if (&read.0, &read.1) == (&self.header, &self.end) {
            Ok(())
        } else {
            Err(TransferError::Differs)
        }
    }

    /// Makes a database of it in a directory, which is made if there is none, and puts `companions`
    /// beside it, as [`BackupFile::restore`](super::BackupFile::restore) does. Gives where the files
    /// are whose place was taken.
    ///
    /// The new database is exported once more before it takes its place, and must give the same
    /// bytes. Invites then get the facets that an older version did not export with them. A process
    /// that ends in between, or a power cut, leaves the old state or the new one. Blocks the thread.
    pub fn import(
        mut self,
        directory: &Path,
        existing: Existing,
        companions: &[PathBuf],
        watch: Watch<'_>,
    ) -> Result<Option<PathBuf>, TransferError> {
        let placed = put_in_place(directory, existing, companions, &mut |database| {
            self.fill(database, watch)?;
            self.compare(database, watch)?;
            complete(database)
        })?;
        if placed.newest.0 != self.header.revision {
            return Err(TransferError::Differs);
        }
        Ok(placed.replaced)
    }

    /// Writes everything into a new database, onto the disk.
    fn fill(&mut self, database: &Path, watch: Watch<'_>) -> Result<(), TransferError> {
        let full = |error: rusqlite::Error| BackupError::from(error).at_full_disk(database);
        schema::check_library(rusqlite::version_number()).map_err(BackupError::from)?;
        schema::create_private(database).map_err(BackupError::from)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(database, flags)?;
        // It means nothing until it is whole and on the disk.
        connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "off")?;
        schema::migrate(&mut connection)
            .map_err(|error| BackupError::from(error).at_full_disk(database))?;
        let transaction = connection.transaction()?;
        let all = self.end.documents.values().sum::<u64>() + self.end.events;
        let mut done = 0;
        let (header, end) = read(&mut self.file, &mut |line, head, _bytes| {
            insert(&transaction, line, head).map_err(full)?;
            done += 1;
            if done % ROWS == 0 || done == all {
                tell(watch, Progress::Importing { done, all })?;
            }
            Ok(())
        })?;
        // Somebody wrote to the file meanwhile.
        if header != self.header || end != self.end {
            return Err(TransferError::Differs);
        }
        transaction.commit().map_err(full)?;
        connection
            .close()
            .map_err(|(_connection, error)| full(error))?;
        Ok(sync(database).map_err(BackupError::file(database))?)
    }

    /// Reads the new database as any backup is read, and exports it to nowhere.
    fn compare(&self, database: &Path, watch: Watch<'_>) -> Result<(), TransferError> {
        contents::check(database, watch)?;
        let connection = contents::open_still(database)?;
        let form = (self.header.product.as_str(), self.header.version);
        let again = exporting::write(&connection, database, form, &mut io::sink(), watch)?;
        if again != (self.header.clone(), self.end.clone()) {
            return Err(TransferError::Differs);
        }
        Ok(())
    }
}

/// Gives invites the facets that they did not have when they were exported.
fn complete(database: &Path) -> Result<(), TransferError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(database, flags)?;
    // It means nothing until it is in its place.
    connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "off")?;
    let full = |error: rusqlite::Error| BackupError::from(error).at_full_disk(database);
    let transaction = connection.transaction()?;
    facets::fill(&transaction).map_err(full)?;
    transaction.commit().map_err(full)?;
    connection
        .close()
        .map_err(|(_connection, error)| full(error))?;
    Ok(sync(database).map_err(BackupError::file(database))?)
}

fn length(file: &File) -> Result<u64, TransferError> {
    let metadata = file.metadata().map_err(TransferError::Unreadable)?;
    Ok(metadata.len())
}

fn insert(transaction: &Transaction<'_>, line: &Line, head: Head) -> rusqlite::Result<()> {
    match line {
        Line::Document(document) => insert_document(transaction, document),
        Line::Event(event) => {
            let touched = serde_json::to_string(&event.touched).map_err(unstorable)?;
            let revision = signed(event.revision)?;
            transaction
                .prepare_cached(change::INSERT_EVENT)?
                .execute(params![
                    revision,
                    event.event,
                    touched,
                    head.hash.as_bytes()
                ])?;
            Ok(())
        }
        Line::End(_) => Ok(()),
    }
}

fn insert_document(transaction: &Transaction<'_>, line: &DocumentLine) -> rusqlite::Result<()> {
    let facets = serde_json::to_string(&line.facets).map_err(unstorable)?;
    change::insert(transaction, signed(line.mark)?, &line.document(), &facets)
}

fn unstorable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// Is told of each document and each event, where the log ends after it, and how many bytes its line
/// has.
type Each<'a> = &'a mut dyn FnMut(&Line, Head, u64) -> Result<(), TransferError>;

/// Reads a whole export and compares everything that it says of itself.
fn read(file: &mut File, each: Each<'_>) -> Result<(ExportHeader, ExportEnd), TransferError> {
    file.seek(SeekFrom::Start(0))
        .map_err(TransferError::Unreadable)?;
    let mut lines = Lines {
        reader: BufReader::with_capacity(1 << 20, file),
        line: Vec::new(),
        number: 0,
    };
    let mut hash = Context::new(&SHA256);
    let header = match lines.next()? {
        Some(line) => {
            hash.update(line.as_bytes());
            hash.update(b"\n");
            header(line)?
        }
        None => return Err(TransferError::NotAnExport),
    };
    let mut order = Order::new(&header);
    loop {
        let Some(text) = lines.next()? else {
            return Err(TransferError::CutOff { line: lines.number });
        };
        let (text, number) = (text.to_owned(), lines.number);
        let line = Line::read(number, &text)?;
        if let Line::End(end) = line {
            if lines.next()?.is_some() {
                return Err(TransferError::GoesOn { line: lines.number });
            }
            order.compare(&end, hexadecimal(hash))?;
            return Ok((header, end));
        }
        let admitted = order.admit(&line);
        admitted.map_err(|problem| TransferError::Line {
            line: number,
            problem,
        })?;
        hash.update(text.as_bytes());
        hash.update(b"\n");
        each(&line, order.head, text.len() as u64 + 1)?;
    }
}

/// What is looked at first, whatever else a newer version writes.
#[derive(Deserialize)]
struct Probe {
    format: String,
    version: u32,
}

fn header(line: &str) -> Result<ExportHeader, TransferError> {
    let probe: Probe = serde_json::from_str(line).map_err(|_| TransferError::NotAnExport)?;
    if probe.format != FORMAT || probe.version == 0 {
        return Err(TransferError::NotAnExport);
    }
    if probe.version > VERSION {
        return Err(TransferError::Newer {
            found: probe.version,
        });
    }
    let problem = |problem: String| TransferError::Line { line: 1, problem };
    let header: ExportHeader = serde_json::from_str(line)
        .map_err(|error| problem(format!("it cannot be read: {error}")))?;
    if serde_json::to_string(&header).is_ok_and(|text| text == line) {
        return Ok(header);
    }
    Err(problem(
        "it is not in the form that an export has".to_owned(),
    ))
}

struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its end; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<&str>, TransferError> {
        self.line.clear();
        let most = LONGEST_LINE as u64;
        let read = (&mut self.reader)
            .take(most)
            .read_until(b'\n', &mut self.line)
            .map_err(TransferError::Unreadable)?;
        if read == 0 {
            return Ok(None);
        }
        let before = self.number;
        self.number += 1;
        if self.line.pop_if(|byte| *byte == b'\n').is_none() {
            if before == 0 {
                return Err(TransferError::NotAnExport);
            }
            if read == LONGEST_LINE {
                return Err(TransferError::Line {
                    line: self.number,
                    problem: format!("it has more than {LONGEST_LINE} bytes"),
                });
            }
            return Err(TransferError::CutOff { line: before });
        }
        match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(Some(line)),
            Err(_) if before == 0 => Err(TransferError::NotAnExport),
            Err(error) => Err(TransferError::Line {
                line: self.number,
                problem: format!("it is not UTF-8: {error}"),
            }),
        }
    }
}

/// What has come so far, for what may come next.
struct Order<'a> {
    header: &'a ExportHeader,
    last: Option<(&'static str, String)>,
    documents: BTreeMap<String, u64>,
    head: Head,
    account: Option<String>,
}

impl<'a> Order<'a> {
    fn new(header: &'a ExportHeader) -> Self {
        Self {
            header,
            last: None,
            documents: BTreeMap::new(),
            head: Head::START,
            account: None,
        }
    }

    fn admit(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Document(document) => self.document(document),
            Line::Event(event) => self.event(event),
            Line::End(_) => Ok(()),
        }
    }

    fn document(&mut self, line: &DocumentLine) -> Result<(), String> {
        if self.head != Head::START {
            return Err("a document comes after the event log".to_owned());
        }
        let place = line.place();
        if self.last.as_ref().is_some_and(|last| *last >= place) {
            return Err("the documents are not in their order, or one comes twice".to_owned());
        }
        self.last = Some(place);
        if line.mark == 0 || line.mark > self.header.revision {
            return Err(format!(
                "the document was written at revision {}, which is not in the event log",
                line.mark
            ));
        }
        let document = line.document();
        admit_id(&line.id)
            .and_then(|()| one_value_per_facet(&document))
            .map_err(|error| error.to_string())?;
        if line.kind == Kind::Account {
            let account: StoredAccount = document.read().map_err(|error| error.to_string())?;
            self.account = Some(account.account_id.to_string());
        }
        *self
            .documents
            .entry(line.kind.name().to_owned())
            .or_default() += 1;
        Ok(())
    }

    fn event(&mut self, line: &EventLine) -> Result<(), String> {
        self.head = self.head.followed_by(&line.canonical);
        if line.revision != self.head.revision.0 {
            return Err(format!(
                "revision {} stands where revision {} belongs",
                line.revision, self.head.revision
            ));
        }
        Ok(())
    }

    fn compare(self, said: &ExportEnd, sha256: String) -> Result<(), TransferError> {
        let found = ExportEnd {
            documents: self.documents,
            events: self.head.revision.0,
            head: ExportEnd::head_in(self.header.version, self.head),
            sha256,
        };
        if found.documents != said.documents || found.events != said.events {
            return Err(TransferError::Count {
                said: said.counts(),
                found: found.counts(),
            });
        }
        if found.sha256 != said.sha256 {
            return Err(TransferError::Altered {
                said: said.sha256.clone(),
                found: found.sha256,
            });
        }
        match (said.head, found.head) {
            (None, None) => {}
            (Some(said), Some(found)) if said == found => {}
            (Some(said), _) => {
                let found = self.head.hash;
                return Err(TransferError::Broken { said, found });
            }
            (None, Some(_)) => {
                return Err(TransferError::Line {
                    line: 1,
                    problem: "its last line does not tell the hash of its newest event".to_owned(),
                });
            }
        }
        if found.events != self.header.revision || self.account != self.header.account {
            return Err(TransferError::Line {
                line: 1,
                problem: "its account or its revision is not the one that follows".to_owned(),
            });
        }
        Ok(())
    }
}
