//! Running other programs: their output passed on line by line, each within a time limit.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::terminal;
use crate::waiting::Stopwatch;

/// Runs to the end, handing every line of standard output to `see`; ends it after `limit`.
pub(crate) fn watch(
    command: &mut Command,
    limit: Duration,
    mut see: impl FnMut(&str),
) -> Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} could not be started"))?;
    let lines = lines_of(&mut child)?;
    let watch = Stopwatch::start();
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => see(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                // A grandchild may hold the pipe open after the program itself has ended.
                if let Some(status) = child.try_wait()? {
                    // What it printed last may still be on its way to us.
                    while watch.elapsed() <= limit
                        && let Ok(line) = lines.recv_timeout(Duration::from_secs(1))
                    {
                        see(&line);
                    }
                    return Ok(status);
                }
            }
        }
        if watch.elapsed() > limit {
            end_with_descendants(&mut child);
            bail!("{name} did not end within {} seconds", limit.as_secs());
        }
    }
    let status = crate::waiting::until(Duration::from_secs(30), || child.try_wait().ok().flatten());
    if let Some(status) = status {
        return Ok(status);
    }
    end_with_descendants(&mut child);
    bail!("{name} closed its output but did not end");
}

/// Runs to the end with its output shown; an exit status other than success is an error.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let status = watch(command, limit, terminal::say)?;
    ensure!(status.success(), "{} failed: {status}", shown(command));
    Ok(())
}

/// Runs something silent behind a spinner; its whole output is shown only when it fails.
pub(crate) fn quietly(command: &mut Command, about: &str, limit: Duration) -> Result<()> {
    let spinner = terminal::spinner(about);
    let log = tempfile::NamedTempFile::new().context("no temporary file can be made")?;
    command.stderr(log.reopen()?);
    let mut output = Vec::new();
    let status = watch(command, limit, |line| output.push(line.to_owned()));
    spinner.finish_and_clear();
    if !status.as_ref().is_ok_and(ExitStatus::success) {
        for line in &output {
            terminal::say(line);
        }
        terminal::say(&std::fs::read_to_string(log.path()).unwrap_or_default());
    }
    let status = status?;
    ensure!(status.success(), "{} failed: {status}", shown(command));
    Ok(())
}

/// Whether a program can be started at all and answers success to these arguments.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let output = child
        .stdout
        .take()
        .context("standard output is not piped")?;
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                break;
            }
        }
    });
    Ok(lines)
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Ends a program and what it started, which a signal to the program alone would leave behind.
fn end_with_descendants(child: &mut Child) {
    let mut doomed = vec![child.id()];
    let mut next = 0;
    while let Some(&parent) = doomed.get(next) {
        doomed.extend(children_of(parent));
        next += 1;
    }
    for process in doomed.iter().rev() {
        let _gone = Command::new("kill")
            .args(["-KILL", &process.to_string()])
            .status();
    }
    let _reaped = child.wait();
}

/// Children are listed by the thread that started them, so every thread is asked.
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    let mut children = Vec::new();
    for thread in threads.flatten() {
        let text = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(
            text.split_whitespace()
                .filter_map(|word| word.parse::<u32>().ok()),
        );
    }
    children
}

#[cfg(test)]
mod tests {
    use super::{answers, end_with_descendants, lines_of, watch};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    #[test]
    fn lines_arrive_in_order_and_the_status_is_kept() {
        let mut seen = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two; exit 3"]);
        let status = watch(&mut command, Duration::from_secs(20), |line| {
            seen.push(line.to_owned());
        })
        .unwrap();
        assert_eq!(seen, ["one", "two"]);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let mut command = Command::new("sleep");
        assert!(watch(command.arg("600"), Duration::from_millis(1), |_| ()).is_err());
    }

    #[test]
    fn a_program_is_ended_with_what_it_started() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let grandchild = lines_of(&mut program).unwrap().recv().unwrap();
        end_with_descendants(&mut program);
        let state = format!("/proc/{}/stat", grandchild.trim());
        // Killed at once; whoever inherits it may take a moment to forget it.
        let gone = crate::waiting::until(Duration::from_secs(20), || {
            let text = std::fs::read_to_string(&state).unwrap_or_default();
            (text.is_empty() || text.contains(") Z ")).then_some(())
        });
        assert!(gone.is_some());
    }

    #[test]
    fn a_missing_program_answers_nothing() {
        assert!(!answers("there-is-no-such-program", &[]));
        assert!(answers("true", &[]));
    }
}
