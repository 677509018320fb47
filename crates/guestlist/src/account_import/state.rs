//! How far an import came, in a file: what is written there is on the disk before the import goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use crate::exits::Failure;

/// Bytes at most: 100 000 documents of each kind with the longest ids are less.
const LONGEST: u64 = 512 * 1024 * 1024;
/// Of the form of the file.
const VERSION: u32 = 1;
/// How every such file begins.
const FIRST: &str = r#"{"line":"import","#;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "line")]
enum Line {
    /// The first one: between which servers.
    Import {
        version: u32,
        from: String,
        to: String,
    },
    /// A document that got a new id here.
    Made {
        kind: Kind,
        id: String,
        made_as: String,
    },
    /// A document that is here now.
    Done { kind: Kind, id: String },
    /// All documents were looked at: the next run looks at all of them again.
    Ended,
}

/// How far an import came.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    /// `None` for an import that writes nothing.
    file: Option<File>,
    done: BTreeSet<(Kind, String)>,
    made: BTreeMap<Kind, BTreeMap<String, String>>,
}

impl State {
    /// Opens or makes the file, for this run alone.
    ///
    /// # Errors
    ///
    /// If it is of another import, is not such a file, or another run has it open.
    pub(super) fn open(path: &Path, from: &str, to: &str, writes: bool) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::local(format!(
                "cannot use the state file {}: {error}",
                path.display()
            ))
        };
        let mut state = Self {
            path: path.to_owned(),
            file: None,
            done: BTreeSet::new(),
            made: BTreeMap::new(),
        };
        let opened = OpenOptions::new()
            .read(true)
            .write(writes)
            .create(writes)
            .truncate(false)
            .mode(0o600)
            .open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if !writes && error.kind() == ErrorKind::NotFound => return Ok(state),
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::conflict(format!(
                    "another import is using the state file {}",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        (&mut file)
            .take(LONGEST)
            .read_to_string(&mut text)
            .map_err(failed)?;
        let whole = state.read(&text, from, to)?;
        if !writes {
            return Ok(state);
        }
        // A line that was cut off by a crash is not there.
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        state.file = Some(file);
        if whole == 0 {
            state.write(&Line::Import {
                version: VERSION,
                from: from.to_owned(),
                to: to.to_owned(),
            })?;
            let directory = path
                .parent()
                .filter(|directory| !directory.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(failed)?;
        }
        Ok(state)
    }

    /// Takes in the lines; answers how many bytes of the text are whole lines.
    fn read(&mut self, text: &str, from: &str, to: &str) -> Result<usize, Failure> {
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        // Nothing but a beginning of our own first line may be written over.
        if whole == 0 && !text.is_empty() && !FIRST.starts_with(text) && !text.starts_with(FIRST) {
            return Err(self.foreign());
        }
        let lines = text.get(..whole).unwrap_or_default();
        for (number, line) in lines.lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|_| {
                Failure::invalid(format!(
                    "{}: line {} is not one of a state file",
                    self.path.display(),
                    number + 1
                ))
                .hint("Name another file with --state, or begin anew without this one.")
            })?;
            let begins = matches!(line, Line::Import { .. });
            if begins != (number == 0) {
                return Err(self.foreign());
            }
            self.take(line, from, to)?;
        }
        Ok(whole)
    }

    fn foreign(&self) -> Failure {
        Failure::invalid(format!(
            "{} is not a state file of an import",
            self.path.display()
        ))
    }

    fn take(&mut self, line: Line, from: &str, to: &str) -> Result<(), Failure> {
        match line {
            Line::Import {
                version,
                from: begun_from,
                to: begun_to,
            } => {
                if version != VERSION || begun_from != from || begun_to != to {
                    return Err(Failure::conflict(format!(
                        "{} is the state of an import from {begun_from} to {begun_to}",
                        self.path.display()
                    ))
                    .hint("Name another file with --state."));
                }
            }
            Line::Made { kind, id, made_as } => {
                self.made.entry(kind).or_default().insert(id, made_as);
            }
            Line::Done { kind, id } => {
                self.done.insert((kind, id));
            }
            Line::Ended => self.done.clear(),
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let path = &self.path;
        serde_json::to_vec(line)
            .map_err(std::io::Error::from)
            .and_then(|mut text| {
                text.push(b'\n');
                file.write_all(&text)
            })
            .and_then(|()| file.sync_data())
            .map_err(|error| Failure::local(format!("cannot write {}: {error}", path.display())))
    }

    /// Whether a run that did not come to its end carried it.
    pub(super) fn is_done(&self, kind: Kind, id: &str) -> bool {
        self.done.contains(&(kind, id.to_owned()))
    }

    pub(super) fn done(&mut self, kind: Kind, id: &str) -> Result<(), Failure> {
        self.write(&Line::Done {
            kind,
            id: id.to_owned(),
        })?;
        // A list may have a document twice.
        self.done.insert((kind, id.to_owned()));
        Ok(())
    }

    /// The new ids of a kind, by those of the other server.
    pub(super) fn made_as(&self, kind: Kind, id: &str) -> Option<&str> {
        self.made.get(&kind)?.get(id).map(String::as_str)
    }

    pub(super) fn made(&mut self, kind: Kind, id: &str, made_as: &str) -> Result<(), Failure> {
        if self.made_as(kind, id) == Some(made_as) {
            return Ok(());
        }
        self.write(&Line::Made {
            kind,
            id: id.to_owned(),
            made_as: made_as.to_owned(),
        })?;
        self.translate(kind, id, made_as);
        Ok(())
    }

    fn translate(&mut self, kind: Kind, id: &str, made_as: &str) {
        let made = self.made.entry(kind).or_default();
        made.insert(id.to_owned(), made_as.to_owned());
    }

    pub(super) fn ended(&mut self) -> Result<(), Failure> {
        self.write(&Line::Ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<State, Failure> {
        State::open(path, "https://a", "https://b", true)
    }

    #[test]
    fn what_was_written_is_there_again_until_the_import_has_ended() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        let mut state = open(&path).unwrap();
        state.done(Kind::Roles, "ro_1").unwrap();
        state.made(Kind::Clients, "sc_1", "sc_2").unwrap();
        drop(state);
        let mut state = open(&path).unwrap();
        assert!(state.is_done(Kind::Roles, "ro_1"));
        assert!(!state.is_done(Kind::Groups, "ro_1"));
        assert_eq!(state.made_as(Kind::Clients, "sc_1"), Some("sc_2"));
        state.ended().unwrap();
        drop(state);
        let state = open(&path).unwrap();
        assert!(!state.is_done(Kind::Roles, "ro_1"));
        assert_eq!(state.made_as(Kind::Clients, "sc_1"), Some("sc_2"));
    }

    #[test]
    fn a_line_cut_off_by_a_crash_is_not_there_and_the_next_one_is_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        let mut state = open(&path).unwrap();
        state.done(Kind::Roles, "ro_1").unwrap();
        let before = std::fs::metadata(&path).unwrap().len();
        state.done(Kind::Roles, "ro_2").unwrap();
        drop(state);
        let after = std::fs::metadata(&path).unwrap().len();
        for length in before..after {
            let cut = home.path().join(length.to_string());
            std::fs::copy(&path, &cut).unwrap();
            let file = OpenOptions::new().write(true).open(&cut).unwrap();
            file.set_len(length).unwrap();
            drop(file);
            let mut state = open(&cut).unwrap();
            assert!(state.is_done(Kind::Roles, "ro_1"));
            assert!(!state.is_done(Kind::Roles, "ro_2"));
            state.done(Kind::Roles, "ro_3").unwrap();
            drop(state);
            assert!(open(&cut).unwrap().is_done(Kind::Roles, "ro_3"));
        }
        assert!(open(&path).unwrap().is_done(Kind::Roles, "ro_2"));
    }

    #[test]
    fn the_file_of_another_import_another_run_or_another_program_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        let state = open(&path).unwrap();
        let busy = open(&path).unwrap_err();
        assert!(busy.message().contains("another import"), "{busy}");
        drop(state);
        assert!(State::open(&path, "https://c", "https://b", true).is_err());
        assert!(State::open(&path, "https://a", "https://c", true).is_err());
        assert!(open(&path).is_ok());
        for text in ["something else\n", "something else"] {
            std::fs::write(&path, text).unwrap();
            assert!(open(&path).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn who_only_looks_makes_no_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        let mut state = State::open(&path, "https://a", "https://b", false).unwrap();
        state.done(Kind::Roles, "ro_1").unwrap();
        assert!(!path.exists());
    }
}
