//! Reads what `strace -f -xx` wrote: the calls that change files, and what was acknowledged when.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A thing that happened, in the order in which it was seen.
#[derive(Debug)]
pub(crate) enum Happened {
    Created {
        name: String,
    },
    Wrote {
        name: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Resized {
        name: String,
        length: usize,
    },
    Removed {
        name: String,
    },
    /// A sync of a file began; what was written to it before is durable when it ended.
    SyncBegan {
        name: String,
        call: usize,
    },
    SyncEnded {
        call: usize,
    },
    /// The same for the directory itself: its entries.
    DirectorySyncBegan {
        call: usize,
    },
    /// A line of the program to the world outside.
    Told(String),
}

/// Turns the lines of a trace into what happened to the files of a directory.
pub(crate) struct Reader<'a> {
    directory: &'a Path,
    /// What each descriptor is open on.
    open: HashMap<i32, PathBuf>,
    /// Calls that had not ended when another thread was heard: the text so far, by thread.
    unfinished: HashMap<String, (String, Option<usize>)>,
    happened: Vec<Happened>,
    calls: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn read(directory: &'a Path, trace: &str) -> Vec<Happened> {
        let (open, unfinished) = (HashMap::new(), HashMap::new());
        let mut reader = Self {
            directory,
            open,
            unfinished,
            happened: Vec::new(),
            calls: 0,
        };
        for line in trace.lines() {
            let (thread, rest) = line.split_once(' ').unwrap();
            reader.line(thread, rest.trim_start());
        }
        reader.happened
    }

    fn line(&mut self, thread: &str, rest: &str) {
        if rest.starts_with("+++") || rest.starts_with("---") {
            return;
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>").unwrap();
            let (start, call) = self.unfinished.remove(thread).unwrap();
            self.ended(&format!("{start}{end}"), call);
        } else if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            let call = self.began(start);
            self.unfinished
                .insert(thread.to_owned(), (start.to_owned(), call));
        } else {
            let call = self.began(rest);
            self.ended(rest, call);
        }
    }

    /// What takes effect, or may, as soon as a call begins. Gives the number of a sync.
    fn began(&mut self, text: &str) -> Option<usize> {
        let (name, arguments) = text.split_once('(').unwrap();
        let descriptor = arguments
            .split([',', ')'])
            .next()
            .and_then(|word| word.parse().ok());
        let on = descriptor.and_then(|descriptor: i32| self.open.get(&descriptor).cloned());
        let file = on.as_deref().and_then(|path| self.name_in(path));
        match name {
            "pwrite64" => {
                let name = file?;
                let (bytes, rest) = string(arguments);
                let offset = number(rest.trim_end_matches(')').split(", ").last()?);
                self.happened.push(Happened::Wrote {
                    name,
                    offset,
                    bytes,
                });
            }
            "write" if descriptor == Some(1) => {
                let text = String::from_utf8(string(arguments).0).unwrap();
                self.happened.push(Happened::Told(text));
            }
            "write" | "fallocate" | "rename" | "mmap" => {
                assert!(file.is_none(), "a call that is not replayed: {text}");
            }
            "ftruncate" => {
                let length = number(arguments.split([',', ')']).nth(1)?.trim());
                self.happened.push(Happened::Resized {
                    name: file?,
                    length,
                });
            }
            "unlink" => {
                let name = self.name_in(&path(string(arguments).0))?;
                self.happened.push(Happened::Removed { name });
            }
            "fsync" | "fdatasync" => {
                self.calls += 1;
                let call = self.calls;
                if on? == self.directory {
                    self.happened.push(Happened::DirectorySyncBegan { call });
                } else {
                    self.happened
                        .push(Happened::SyncBegan { name: file?, call });
                }
                return Some(call);
            }
            "close" => {
                self.open.remove(&descriptor?);
            }
            _ => {}
        }
        None
    }

    /// What takes effect when a call has ended.
    fn ended(&mut self, text: &str, call: Option<usize>) {
        let (start, result) = text.rsplit_once(" = ").unwrap();
        if let Some(call) = call {
            assert!(result.starts_with('0'), "a sync failed: {text}");
            self.happened.push(Happened::SyncEnded { call });
        }
        let Some(arguments) = start.strip_prefix("openat(") else {
            return;
        };
        let Ok(descriptor) = result.trim().parse::<i32>() else {
            return;
        };
        let path = path(string(arguments).0);
        if let Some(name) = self.name_in(&path)
            && arguments.contains("O_CREAT")
        {
            self.happened.push(Happened::Created { name });
        }
        self.open.insert(descriptor, path);
    }

    /// The name of a file of the database; its lock and its shared memory mean nothing later.
    fn name_in(&self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(self.directory).ok()?.to_str()?.to_owned();
        // The journal is there for the first moment, before the write-ahead log.
        let files = ["guestlist.db", "guestlist.db-wal", "guestlist.db-journal"];
        let counts = files.contains(&name.as_str());
        counts.then_some(name)
    }
}

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes).unwrap())
}

fn number(text: &str) -> usize {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// The first string of the arguments, all of it in hexadecimal escapes, and what comes after it.
fn string(arguments: &str) -> (Vec<u8>, &str) {
    let (_, rest) = arguments.split_once('"').unwrap();
    let (text, rest) = rest.split_once('"').unwrap();
    assert!(!rest.starts_with("..."), "the trace was cut");
    let escapes = text.split("\\x").skip(1);
    (
        escapes
            .map(|digits| u8::from_str_radix(digits, 16).unwrap())
            .collect(),
        rest,
    )
}
