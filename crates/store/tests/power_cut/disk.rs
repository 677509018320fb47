//! A disk that keeps what was synced, and of everything else whatever the dice say.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use guestlist_store::suite::Dice;

use crate::trace::Happened;

/// The unit that a disk writes as a whole.
const SECTOR: usize = 512;

/// How much of what was not synced survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survives {
    Everything,
    Nothing,
    /// Any of the writes, in any order of the disk's liking.
    Some,
    /// The first ones, up to somewhere inside one of them.
    Beginning,
    /// Any of the sectors.
    Sectors,
}

impl Survives {
    pub(crate) const ALL: [Self; 5] = [
        Self::Everything,
        Self::Nothing,
        Self::Some,
        Self::Beginning,
        Self::Sectors,
    ];
}

#[derive(Debug, Clone)]
enum Change {
    Bytes { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Default)]
struct File {
    durable: Vec<u8>,
    waiting: Vec<Change>,
}

/// Entries and files as they are on the disk, and what waits to get there.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    /// What programs see.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    waiting_names: Vec<(String, Option<usize>)>,
    /// Syncs that have begun: the file (none for the directory), and how much of what waits.
    syncs: HashMap<usize, (Option<usize>, usize)>,
}

/// The files of a directory after a power cut.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

impl Disk {
    /// Whether this was something after which a power cut can leave something new.
    pub(crate) fn takes(&mut self, happened: &Happened) -> bool {
        match happened {
            Happened::Created { name } => {
                if self.names.contains_key(name) {
                    return false;
                }
                let file = self.files.len();
                self.files.push(File::default());
                self.names.insert(name.clone(), file);
                self.waiting_names.push((name.clone(), Some(file)));
            }
            Happened::Removed { name } => {
                self.names.remove(name);
                self.waiting_names.push((name.clone(), None));
            }
            Happened::Wrote {
                name,
                offset,
                bytes,
            } => {
                let change = Change::Bytes {
                    offset: *offset,
                    bytes: bytes.clone(),
                };
                self.file(name).waiting.push(change);
            }
            Happened::Resized { name, length } => {
                self.file(name).waiting.push(Change::Length(*length));
            }
            Happened::SyncBegan { name, call } => {
                let file = self.names[name];
                self.syncs
                    .insert(*call, (Some(file), self.files[file].waiting.len()));
                return false;
            }
            Happened::DirectorySyncBegan { call } => {
                self.syncs.insert(*call, (None, self.waiting_names.len()));
                return false;
            }
            Happened::SyncEnded { call } => self.synced(*call),
            Happened::Told(_) => {}
        }
        true
    }

    fn file(&mut self, name: &str) -> &mut File {
        &mut self.files[self.names[name]]
    }

    fn synced(&mut self, call: usize) {
        // A sync of a file outside the directory.
        let Some((file, count)) = self.syncs.remove(&call) else {
            return;
        };
        if let Some(index) = file {
            let file = &mut self.files[index];
            for change in file.waiting.drain(..count) {
                apply(&mut file.durable, &change);
            }
            // Another sync of the same file that is still going on has less to wait for.
            for (other, left) in self.syncs.values_mut() {
                if *other == Some(index) {
                    *left = left.saturating_sub(count);
                }
            }
        } else {
            for (name, entry) in self.waiting_names.drain(..count) {
                match entry {
                    Some(file) => self.durable_names.insert(name, file),
                    None => self.durable_names.remove(&name),
                };
            }
        }
    }

    /// What the directory holds when the power comes back.
    pub(crate) fn cut(&self, survives: Survives, dice: &mut Dice) -> Image {
        let mut names = self.durable_names.clone();
        for (name, entry) in &self.waiting_names {
            let kept = match survives {
                Survives::Everything => true,
                Survives::Nothing => false,
                Survives::Some | Survives::Beginning | Survives::Sectors => dice.below(2) == 0,
            };
            match entry {
                Some(file) if kept => drop(names.insert(name.clone(), *file)),
                None if kept => drop(names.remove(name)),
                Some(_) | None => {}
            }
        }
        let content = |file: usize| survivors(&self.files[file], survives, dice);
        let contents: Vec<Vec<u8>> = names.values().copied().map(content).collect();
        names.into_keys().zip(contents).collect()
    }
}

fn survivors(file: &File, survives: Survives, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = file.durable.clone();
    let last = dice.below(file.waiting.len() as u64);
    for (index, change) in (0..).zip(&file.waiting) {
        let whole = match survives {
            Survives::Everything => true,
            Survives::Nothing | Survives::Sectors => false,
            Survives::Some => dice.below(2) == 0,
            Survives::Beginning => index < last,
        };
        if whole {
            apply(&mut bytes, change);
        } else if survives == Survives::Sectors {
            apply_torn(&mut bytes, change, || dice.below(2) == 0);
        } else if survives == Survives::Beginning && index == last {
            let mut left = dice.below(8);
            apply_torn(&mut bytes, change, || {
                left = left.saturating_sub(1);
                left > 0
            });
        }
    }
    bytes
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    apply_torn(bytes, change, || true);
}

/// Applies those sectors of a write that are kept. A change of length is one step.
fn apply_torn(bytes: &mut Vec<u8>, change: &Change, mut kept: impl FnMut() -> bool) {
    match change {
        Change::Length(length) => {
            if kept() {
                bytes.resize(*length, 0);
            }
        }
        Change::Bytes { offset, bytes: new } => {
            let mut start = 0;
            while start < new.len() {
                let until_boundary = SECTOR - (offset + start) % SECTOR;
                let end = new.len().min(start + until_boundary);
                if kept() {
                    let (from, until) = (offset + start, offset + end);
                    if bytes.len() < until {
                        bytes.resize(until, 0);
                    }
                    bytes[from..until].copy_from_slice(&new[start..end]);
                }
                start = end;
            }
        }
    }
}

/// Writes the files of an image.
pub(crate) fn lay_out(directory: &Path, image: &Image) {
    for (name, bytes) in image {
        std::fs::write(directory.join(name), bytes).unwrap();
    }
}
