//! What the command line says of itself: every help text as a snapshot, scripts for every shell, and
//! a manual page of every command. The commands are found by asking the program, so that none is
//! forgotten.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect, and says what it left out"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// Columns of the help texts.
const WIDTH: &str = "100";
const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// What the program prints, without anything from the environment.
#[track_caller]
fn said(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_guestlist"))
        .env_clear()
        .env("COLUMNS", WIDTH)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<&str> {
    let below = help.lines().skip_while(|line| *line != "Commands:");
    below
        .skip(1)
        .take_while(|line| line.starts_with(' ') || line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        // What a text goes on with is indented further.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
        .collect()
}

/// Every command with its help text; the program itself is the empty path.
fn commands() -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![Vec::new()];
    while let Some(path) = waiting.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = said(&arguments);
        for name in listed(&help) {
            let below: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
            waiting.push(below);
        }
        found.push((path, help));
    }
    found.sort();
    found
}

fn name(path: &[String]) -> String {
    ["guestlist".to_owned()]
        .iter()
        .chain(path)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("-")
}

#[test]
fn the_walk_finds_commands_at_every_depth() {
    let names: BTreeSet<String> = commands().iter().map(|(path, _)| name(path)).collect();
    for known in ["guestlist", "guestlist-serve", "guestlist-role-list"] {
        assert!(names.contains(known), "{known} is not in {names:?}");
    }
}

/// `INSTA_UPDATE=always cargo test -p guestlist --test help` writes them anew; read the difference.
#[test]
fn every_help_text_is_the_one_that_was_looked_through() {
    let commands = commands();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (path, help) in &commands {
            insta::assert_snapshot!(name(path), help);
        }
    });
    // A command that is gone must not leave its text behind.
    let expected: BTreeSet<String> = commands
        .iter()
        .map(|(path, _)| format!("{}.snap", name(path)))
        .collect();
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let found: BTreeSet<String> = snapshots
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("guestlist"))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_help_text_fits_and_shows_how_to_use_the_command() {
    for (path, help) in commands() {
        let name = name(&path);
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let usage = format!(
            "Usage: {}",
            [&["guestlist"], words.as_slice()].concat().join(" ")
        );
        assert!(help.contains(&usage), "{usage}: {help}");
        let first = help.lines().next().unwrap();
        assert!(
            first.len() > 10 && !first.ends_with(' '),
            "{name} says nothing: {help}"
        );
    }
}

/// Whether a shell or tool is there to read what was made for it. If not, that is said.
fn is_there(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("SKIPPED: {program} is not installed, so it does not read what was made for it");
    }
    found
}

#[test]
fn every_shell_has_a_script_that_it_can_read_and_that_knows_every_command() {
    let home = tempfile::tempdir().unwrap();
    let commands = commands();
    for shell in SHELLS {
        let script = said(&["completions", shell]);
        for (path, _) in &commands {
            for name in path {
                assert!(script.contains(name), "{shell}: {name}");
            }
        }
        let file = home.path().join(shell);
        std::fs::write(&file, &script).unwrap();
        if ["bash", "zsh", "fish"].contains(&shell) && is_there(shell) {
            let read = Command::new(shell).arg("-n").arg(&file).output().unwrap();
            assert!(read.status.success(), "{shell}: {read:?}");
        }
    }
}

/// Bash itself completes by the script.
#[test]
fn bash_completes_commands_and_options() {
    if !is_there("bash") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("guestlist.bash");
    std::fs::write(&file, said(&["completions", "bash"])).unwrap();
    let complete = |words: &str| {
        let asked = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _guestlist guestlist \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let output = Command::new("bash").args(["-c", &asked]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("guestlist back").trim(), "backup");
    assert_eq!(complete("guestlist role lis").trim(), "list");
    assert_eq!(complete("guestlist restore --repl").trim(), "--replace");
}

#[test]
fn every_command_has_a_manual_page() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("man/man1");
    said(&["man", "--out", out.to_str().unwrap()]);
    let expected: BTreeSet<String> = commands()
        .iter()
        .map(|(path, _)| format!("{}.1", name(path)))
        .collect();
    let found: BTreeSet<String> = out
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
    for page in &found {
        check_page(&out.join(page));
    }
    let whole = said(&["man"]);
    assert_eq!(
        whole,
        std::fs::read_to_string(out.join("guestlist.1")).unwrap()
    );
}

fn check_page(path: &Path) {
    let page = std::fs::read_to_string(path).unwrap();
    for part in [
        ".TH guestlist",
        ".SH NAME",
        ".SH SYNOPSIS",
        ".SH DESCRIPTION",
    ] {
        assert!(page.contains(part), "{}: no {part}", path.display());
    }
    if is_there("groff") {
        let read = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww"])
            .arg(path)
            .output()
            .unwrap();
        assert!(read.status.success(), "{read:?}");
    }
}
