//! The examples of README.md, run as they stand against a new server.
//!
//! A fenced block is run if its info string says so: "```sh test", "```python test" or
//! "```js test". Blocks run in their order, on one server, in one empty working directory; in them
//! `http://127.0.0.1:8888` is replaced by the server's address, `ACCESS_KEY` is set to the owner's
//! access key, and `guestlist` is the built program.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command;
use crate::machine::{self, Need};
use crate::report::{Counts, Outcome};
use crate::sdks;
use crate::server::Server;
use crate::terminal;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(2);
const WRITTEN_ADDRESS: &str = "http://127.0.0.1:8888";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Shell,
    Python,
    JavaScript,
}

#[derive(Debug, PartialEq, Eq)]
struct Block {
    language: Language,
    /// Where it begins in the file, for people.
    line: usize,
    text: String,
}

pub(crate) fn part(workspace: &Workspace) -> Result<Outcome> {
    let file = workspace.root.join("README.md");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let blocks = blocks(&text);
    if blocks.is_empty() {
        return Ok(Outcome::Skipped(
            "README.md has no block marked `test`".to_owned(),
        ));
    }
    if let Some(reason) = machine::lacking(&[Need::Curl, Need::Python, Need::Node]) {
        return Ok(Outcome::Skipped(reason));
    }
    let directory = tempfile::tempdir().context("no temporary directory can be made")?;
    let server = Server::start(workspace, "readme", &directory.path().join("data"))?;
    let desk = directory.path().join("examples");
    std::fs::create_dir(&desk)?;
    let mut counts = Counts::default();
    for block in &blocks {
        let passed = run(workspace, &server, &desk, block)?;
        let verdict = if passed { "passed" } else { "FAILED" };
        terminal::say(&format!(
            "README.md:{} ({:?}) {verdict}",
            block.line, block.language
        ));
        counts += Counts::one(passed);
    }
    server.stop()?;
    Ok(Outcome::Ran(counts))
}

fn run(workspace: &Workspace, server: &Server, desk: &Path, block: &Block) -> Result<bool> {
    let text = block.text.replace(WRITTEN_ADDRESS, &server.url());
    let mut command = match block.language {
        Language::Shell => {
            let mut command = Command::new("bash");
            command.args(["-euo", "pipefail", "-c", &text]);
            command
        }
        Language::Python => {
            let mut command = Command::new(sdks::python_environment(workspace, "newest")?);
            command.args(["-B", "-c", &text]);
            command
        }
        Language::JavaScript => {
            let script = desk.join("example.mjs");
            std::fs::write(&script, &text)?;
            link_modules(&sdks::node_modules(workspace)?, desk)?;
            let mut command = Command::new("node");
            command.arg(script);
            command
        }
    };
    command
        .current_dir(desk)
        .env("HOME", desk)
        .env("PATH", with_program(workspace)?)
        .env("ACCESS_KEY", server.owner_key()?);
    let status = command::watch(&mut command, LIMIT, terminal::say)?;
    Ok(status.success())
}

/// The search path with the built `guestlist` in front.
fn with_program(workspace: &Workspace) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = [workspace.target.join("debug")]
        .into_iter()
        .chain(std::env::split_paths(&path));
    std::env::join_paths(directories).context("a directory of PATH cannot be named")
}

/// ECMAScript modules are looked up beside the file only, never through `NODE_PATH`.
fn link_modules(modules: &Path, desk: &Path) -> Result<()> {
    let link = desk.join("node_modules");
    if !link.exists() {
        std::os::unix::fs::symlink(modules, &link)?;
    }
    Ok(())
}

/// The fenced blocks that are marked for testing, in order.
fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Option<Block>> = None;
    for (position, line) in text.lines().enumerate() {
        let Some(info) = line.strip_prefix("```") else {
            if let Some(Some(block)) = &mut open {
                block.text.push_str(line);
                block.text.push('\n');
            }
            continue;
        };
        open = match open {
            Some(block) => {
                found.extend(block);
                None
            }
            None => Some(marked(info).map(|language| Block {
                language,
                line: position + 1,
                text: String::new(),
            })),
        };
    }
    found
}

fn marked(info: &str) -> Option<Language> {
    let mut words = info.split_whitespace();
    let language = match words.next()? {
        "sh" | "bash" | "shell" => Language::Shell,
        "python" => Language::Python,
        "js" | "javascript" => Language::JavaScript,
        _ => return None,
    };
    words.any(|word| word == "test").then_some(language)
}

#[cfg(test)]
mod tests {
    use super::{Block, Language, blocks};

    #[test]
    fn only_marked_blocks_of_known_languages_are_found() {
        let text = "# A\n```sh test\necho a\necho b\n```\n```sh\nrm x\n```\n```js test\nf()\n```\n```toml test\na = 1\n```\n";
        assert_eq!(
            blocks(text),
            [
                Block {
                    language: Language::Shell,
                    line: 2,
                    text: "echo a\necho b\n".to_owned()
                },
                Block {
                    language: Language::JavaScript,
                    line: 9,
                    text: "f()\n".to_owned()
                },
            ]
        );
    }

    #[test]
    fn an_unclosed_block_is_not_run() {
        assert_eq!(blocks("```sh test\necho a\n"), []);
    }
}
