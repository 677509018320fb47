//! `edit`: an object in the person's editor, and what happens when it cannot be saved.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use guestlist_api::times::Timestamp;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use crate::exits::{Exit, Failure};
use crate::output::{self, Output};
use crate::{documents, environment};

const MISTAKE: &str = "# error: ";
const NO_EDITOR: i32 = 127;

/// Lets somebody edit `text` until it can be read and `save` takes it, or they leave it as it was.
///
/// Mistakes bring the editor back with the reason on top. What was written is never lost: whenever
/// it was not saved, it stays in a file whose name is told.
pub(crate) async fn edit<T: DeserializeOwned>(
    output: &Output,
    name: &str,
    text: String,
    save: impl AsyncFn(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut draft = Draft::new(name, &text)?;
    let mut before = text;
    let mut mistake = None;
    loop {
        let after = match draft.open(&before) {
            Ok(after) => after,
            Err(failure) => return Err(draft.keep(failure)),
        };
        if content(&after) == content(&before) {
            if let Some(mistake) = mistake {
                return Err(draft.keep(mistake).during("not corrected, so not saved"));
            }
            draft.discard();
            output.notice("Nothing changed.");
            return Ok(());
        }
        if is_empty(&after) {
            draft.discard();
            output.notice("Nothing is left of it, so nothing was changed.");
            return Ok(());
        }
        let failure = match documents::parse(&after) {
            Ok(value) => match save(value).await {
                Ok(()) => {
                    draft.discard();
                    return Ok(());
                }
                Err(failure) if failure.exit() == Exit::Invalid => failure,
                Err(failure) => return Err(draft.keep(failure)),
            },
            Err(reason) => Failure::invalid(reason),
        };
        before = with_mistake(failure.message(), &after);
        mistake = Some(failure);
    }
}

/// What to do if an object from a file was refused because it was changed after the file was made.
pub(crate) fn from_file(failure: Failure, made_from: Option<Timestamp>) -> Failure {
    match made_from {
        Some(time) if failure.exit() == Exit::Conflict => failure.hint(format!(
            "The file was made from the state of {time} (lastUpdated). Without that member, it \
             replaces what is there now."
        )),
        Some(_) | None => failure,
    }
}

/// Without the comments that tell of mistakes.
fn content(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with(MISTAKE))
        .collect()
}

fn is_empty(text: &str) -> bool {
    text.lines()
        .all(|line| line.trim().is_empty() || line.starts_with('#'))
}

fn with_mistake(reason: &str, text: &str) -> String {
    let mut all = String::new();
    for line in reason.lines() {
        all.push_str(MISTAKE);
        all.push_str(line);
        all.push('\n');
    }
    for line in content(text) {
        all.push_str(line);
        all.push('\n');
    }
    all
}

/// The file that the editor opens, readable by its owner only. It goes away unless something was
/// written into it that is not saved.
struct Draft {
    file: Option<NamedTempFile>,
    /// What was there before anybody edited.
    original: String,
}

impl Draft {
    fn new(name: &str, original: &str) -> Result<Self, Failure> {
        let plain: String = name
            .chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character
                } else {
                    '-'
                }
            })
            .collect();
        let file = tempfile::Builder::new()
            .prefix(&format!("guestlist-{plain}-"))
            .suffix(".yaml")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile()
            .map_err(|error| Failure::local(format!("cannot make a file to edit: {error}")))?;
        Ok(Self {
            file: Some(file),
            original: original.to_owned(),
        })
    }

    /// Opens it with this content and tells what it holds when the editor has ended.
    fn open(&self, text: &str) -> Result<String, Failure> {
        let Some(file) = &self.file else {
            return Ok(text.to_owned());
        };
        let path = file.path();
        let failed = |error| Failure::local(format!("cannot use {}: {error}", path.display()));
        let mut file = fs::File::create(path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        drop(file);
        let editor = editor();
        // By the shell, because editors are set with arguments: `code --wait`.
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("guestlist")
            .arg(path)
            .status()
            .map_err(|error| Failure::local(format!("cannot start {editor}: {error}")))?;
        if !status.success() {
            let reason = if status.code() == Some(NO_EDITOR) {
                format!("there is no editor {editor}")
            } else {
                format!("{editor} ended with {status}, so nothing is saved")
            };
            let failure = Failure::local(reason)
                .hint("EDITOR or VISUAL says which editor to use; `-f FILE` does without one.");
            return Err(failure);
        }
        fs::read_to_string(path).map_err(failed)
    }

    /// For when nobody needs it any more.
    fn discard(&mut self) {
        self.file = None;
    }

    /// Leaves what was written where its author finds it, and says so.
    fn keep(&mut self, failure: Failure) -> Failure {
        let verb = if failure.exit() == Exit::Conflict {
            "replaces what is there now"
        } else {
            "saves it later"
        };
        match self.leave(verb) {
            Some(told) => failure.hint(told),
            None => failure,
        }
    }

    /// Leaves the file if there is something of the person's in it; where that is.
    fn leave(&mut self, verb: &str) -> Option<String> {
        let file = self.file.take()?;
        if is_as_it_was(file.path(), &self.original) {
            return None;
        }
        Some(match file.keep() {
            Ok((_, path)) => format!(
                "What you wrote is in {}; `edit -f` with this file {verb}.",
                path.display()
            ),
            Err(error) => format!("What you wrote could not be kept: {error}"),
        })
    }
}

/// Only an interrupt comes here with something that is not saved.
impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(told) = self.leave("saves it") {
            output::say(&told);
        }
    }
}

fn is_as_it_was(path: &Path, original: &str) -> bool {
    // What cannot be read may be anything.
    fs::read(path).is_ok_and(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        content(&text) == content(original)
    })
}

fn editor() -> String {
    ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| environment::variable(name))
        .unwrap_or_else(|| "vi".to_owned())
}
