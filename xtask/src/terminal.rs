//! What a person at a terminal sees: headings, lines, and a spinner while something silent runs.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// One line on standard output. A closed pipe is no reason to stop a test run.
pub(crate) fn say(text: &str) {
    let mut out = stdout().lock();
    let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A heading, so that the parts of a long log can be found.
pub(crate) fn heading(text: &str) {
    if stdout().is_terminal() {
        say(&format!("\n\u{1b}[1m== {text}\u{1b}[0m"));
    } else {
        say(&format!("\n== {text}"));
    }
}

/// One line on standard error, for what went wrong.
pub(crate) fn complain(text: &str) {
    let _closed = writeln!(stderr().lock(), "error: {text}");
}

/// Whether colours make sense in what child processes print through us.
pub(crate) fn is_coloured() -> bool {
    stdout().is_terminal()
}

/// Turns while something without output of its own runs; a plain line where nobody watches.
pub(crate) fn spinner(text: &str) -> ProgressBar {
    if !stderr().is_terminal() {
        say(text);
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(text.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The text without terminal colour codes, for reading counts out of coloured output.
pub(crate) fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            for code in rest.by_ref() {
                if code.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_colours;

    #[test]
    fn colour_codes_are_taken_out_and_nothing_else() {
        assert_eq!(
            without_colours("a \u{1b}[32mok\u{1b}(B\u{1b}[m. 3 b"),
            "a ok. 3 b"
        );
        assert_eq!(without_colours("plain"), "plain");
    }
}
