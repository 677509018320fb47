//! `edit`: an object in the person's editor, and what happens when it cannot be saved.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::exits::{Exit, Failure};
use crate::output::Output;
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
    let draft = Draft::new(name)?;
    let mut before = text;
    let mut tried = false;
    loop {
        let after = match draft.open(&before) {
            Ok(after) => after,
            Err(failure) if draft.is_worth_keeping(&before, tried) => {
                return Err(draft.keep(failure));
            }
            Err(failure) => return Err(failure),
        };
        if content(&after) == content(&before) {
            if tried {
                return Err(draft.keep(Failure::invalid("it was not corrected, so not saved")));
            }
            output.notice("Nothing changed.");
            return Ok(());
        }
        let failure = match documents::parse(&after) {
            Ok(value) => match save(value).await {
                Ok(()) => return Ok(()),
                Err(failure) if failure.exit() == Exit::Invalid => failure,
                Err(failure) => return Err(draft.keep(failure)),
            },
            Err(reason) => Failure::invalid(reason),
        };
        tried = true;
        before = with_mistake(failure.message(), &after);
    }
}

/// Without the comments that tell of mistakes.
fn content(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with(MISTAKE))
        .collect()
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

/// The file that the editor opens, readable by its owner only. It goes away unless it is kept.
struct Draft {
    file: tempfile::NamedTempFile,
}

impl Draft {
    fn new(name: &str) -> Result<Self, Failure> {
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
        Ok(Self { file })
    }

    /// Opens it with this content and tells what it holds when the editor has ended.
    fn open(&self, text: &str) -> Result<String, Failure> {
        let path = self.file.path();
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

    /// Whether somebody wrote something into it, now or (`tried`) before.
    fn is_worth_keeping(&self, before: &str, tried: bool) -> bool {
        tried
            || fs::read_to_string(self.file.path())
                .is_ok_and(|after| content(&after) != content(before))
    }

    /// Leaves what was written where its author finds it.
    fn keep(self, failure: Failure) -> Failure {
        match self.file.keep() {
            Ok((_, path)) => failure.hint(kept(&path)),
            Err(error) => failure.hint(format!("What was written could not be kept: {error}")),
        }
    }
}

fn kept(path: &Path) -> String {
    format!(
        "What you wrote is in {}; `edit -f` with this file saves it later.",
        path.display()
    )
}

fn editor() -> String {
    ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| environment::variable(name))
        .unwrap_or_else(|| "vi".to_owned())
}
