//! What commands say: data on standard output, everything else on standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};

use anstyle::Style;
use clap::{Args, ColorChoice, ValueEnum};
use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use guestlist_client::Pages;
use serde::Serialize;

use crate::environment;
use crate::exits::{Failure, is_closed_pipe};
use crate::terminal;
use crate::text::{escaped, plain};

/// How answers are shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, where one may be given without the others"
)]
pub(crate) struct OutputArguments {
    /// Print JSON, for programs; errors too, on standard error
    #[arg(long, global = true, conflicts_with = "yaml")]
    pub(crate) json: bool,

    /// Print YAML
    #[arg(long, global = true)]
    pub(crate) yaml: bool,

    /// Print nothing but data and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// When to use colours. NO_COLOR turns them off too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Never show long output in $PAGER
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Decides for everything that is printed from now on.
    pub(crate) fn choose(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// The form of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    People,
    Json,
    Yaml,
}

/// Where a command says things.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    pager: bool,
}

impl Output {
    pub(crate) fn new(arguments: &OutputArguments) -> Self {
        let format = match (arguments.json, arguments.yaml) {
            (true, _) => Format::Json,
            (false, true) => Format::Yaml,
            (false, false) => Format::People,
        };
        Self {
            format,
            quiet: arguments.quiet,
            pager: !arguments.no_pager,
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether somebody sits in front of standard error: then progress may be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Says something beside the data, unless quiet.
    pub(crate) fn notice(&self, text: &str) {
        if !self.quiet {
            tell(&format!("{}\n", plain(text)));
        }
    }

    /// Says names and values beside the data, unless quiet.
    pub(crate) fn notice_details<'a>(&self, lines: impl IntoIterator<Item = (&'a str, String)>) {
        if !self.quiet {
            tell(&details(lines));
        }
    }

    /// Shows one value: as it is to programs, by `for_people` to people.
    pub(crate) fn show<T: Serialize>(
        &self,
        value: &T,
        for_people: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let text = match self.format {
            Format::People => for_people(value),
            Format::Json => json(value)?,
            Format::Yaml => yaml(value)?,
        };
        self.print(&text)
    }

    /// Shows a list with one row for each item.
    pub(crate) fn show_all<T: Serialize>(
        &self,
        items: &[T],
        headings: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::People if items.is_empty() => {
                self.notice("There are none.");
                Ok(())
            }
            Format::People => self.print(&table(headings, items.iter().map(row))),
            Format::Json => self.print(&json(&items)?),
            Format::Yaml => self.print(&yaml(&items)?),
        }
    }

    /// Shows up to `limit` items of a list, and says if there are more.
    pub(crate) async fn list<T: Serialize + 'static>(
        &self,
        mut pages: Pages<T>,
        limit: &Limit,
        headings: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<(), Failure> {
        let mut items = Vec::new();
        let mut more = false;
        while let Some(item) = pages.try_next().await? {
            if limit.is_reached(items.len()) {
                more = true;
                break;
            }
            items.push(item);
        }
        self.show_all(&items, headings, row)?;
        if more {
            self.notice(&format!(
                "There are more than these {}: --limit NUMBER or --all shows them.",
                items.len()
            ));
        }
        Ok(())
    }

    /// Asks whether to go on, unless `yes` was said before.
    #[expect(clippy::unused_self, reason = "whatever is said is said through here")]
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::invalid(format!(
                "{question} Nobody can be asked here: say it with --yes"
            )));
        }
        let answer = terminal::ask(&format!("{} [y/N] ", plain(question)))?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            Ok(())
        } else {
            Err(Failure::interrupted_by_answer())
        }
    }

    /// Prints text for standard output, by the pager where it is long and somebody reads it.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let text = text.trim_end_matches('\n');
        if self.pager && is_long(text) && page(text).is_ok() {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if !is_closed_pipe(&error) => Err(Failure::local(format!(
                "cannot write to standard output: {error}"
            ))),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Says something that the person must know to go on, also if quiet.
pub(crate) fn say(text: &str) {
    tell(&format!("{}\n", plain(text)));
}

/// Writes to standard error. Where that cannot be written to there is nobody to tell, and the command
/// and its exit code are what counts.
pub(crate) fn tell(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _nobody = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// How much of a list to show.
#[derive(Debug, Clone, Args)]
pub(crate) struct Limit {
    /// Show at most so many
    #[arg(long, value_name = "NUMBER", default_value = "1000")]
    limit: NonZeroUsize,

    /// Show all, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl Limit {
    pub(crate) fn is_reached(&self, shown: usize) -> bool {
        !self.all && shown >= self.limit.get()
    }
}

/// Columns under headings.
pub(crate) fn table(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    // Escapes are dropped again where standard output shows no colours.
    table.enforce_styling();
    table.set_header(
        headings
            .iter()
            .map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)),
    );
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(plain(text))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.to_string().lines().map(without_padding).collect();
    lines.join("\n")
}

/// Without spaces at the end, inside and outside of a style.
fn without_padding(line: &str) -> String {
    const RESET: &str = "\u{1b}[0m";
    let line = line.trim_end();
    match line.strip_suffix(RESET) {
        Some(styled) => format!("{}{RESET}", styled.trim_end()),
        None => line.to_owned(),
    }
}

/// What may be missing, as text for a table.
pub(crate) fn optional(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// Names and values, one a line; values with several lines are indented.
pub(crate) fn details<'a>(lines: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let lines: Vec<(&str, String)> = lines.into_iter().collect();
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let bold = Style::new().bold();
    let mut text = String::new();
    for (name, value) in lines {
        let value = plain(&value).replace('\n', &format!("\n{:width$}  ", ""));
        let line = format!("{bold}{name:width$}{bold:#}  {value}");
        text.push_str(&without_padding(&line));
        text.push('\n');
    }
    text
}

/// Pretty JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|json| escaped(&json))
        .map_err(|error| Failure::local(format!("cannot print this as JSON: {error}")))
}

/// JSON on one line, for a stream of values.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map(|json| escaped(&json))
        .map_err(|error| Failure::local(format!("cannot print this as JSON: {error}")))
}

/// YAML.
pub(crate) fn yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    yaml_serde::to_string(value)
        .map_err(|error| Failure::local(format!("cannot print this as YAML: {error}")))
}

fn is_long(text: &str) -> bool {
    io::stdout().is_terminal()
        && terminal_size::terminal_size()
            .is_some_and(|(_, height)| text.lines().count() >= usize::from(height.0))
}

/// Shows text in $PAGER, or `less` with colours kept, if there are to be any.
fn page(text: &str) -> io::Result<()> {
    let text = match anstream::AutoStream::choice(&io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        anstream::ColorChoice::Auto
        | anstream::ColorChoice::Always
        | anstream::ColorChoice::AlwaysAnsi => text.to_owned(),
    };
    let pager = environment::variable("PAGER").unwrap_or_else(|| "less -FRX".to_owned());
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(pager)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        match writeln!(stdin, "{text}") {
            Err(error) if !is_closed_pipe(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    // 127: the shell found no such program.
    if child.wait()?.code() == Some(127) {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok(())
}
