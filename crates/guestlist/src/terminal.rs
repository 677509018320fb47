//! What only a terminal can do: show a QR code, take text to the clipboard, ask without echo.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};

use anstyle::{Ansi256Color, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use crate::exits::Failure;

/// Characters of a secret that is typed or pasted.
const LONGEST: usize = 4096;
/// Ctrl-C.
const INTERRUPT: u8 = 3;

/// The terminal that standard error or standard output is. Secrets for somebody's eyes go there and
/// nowhere else: not into a file or a log that a stream was turned to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terminal {
    Error,
    Output,
}

impl Terminal {
    /// The terminal; `None` if both streams go elsewhere.
    pub(crate) fn find() -> Option<Self> {
        if io::stderr().is_terminal() {
            Some(Self::Error)
        } else if io::stdout().is_terminal() {
            Some(Self::Output)
        } else {
            None
        }
    }

    fn write(self, text: &str) -> Result<(), Failure> {
        let write = |stream: &mut dyn Write| {
            stream.write_all(text.as_bytes())?;
            stream.flush()
        };
        match self {
            Self::Error => write(&mut anstream::stderr().lock()),
            Self::Output => write(&mut anstream::stdout().lock()),
        }
        .map_err(|error| Failure::local(format!("cannot write to the terminal: {error}")))
    }

    /// Draws a QR code. Says so if the terminal is too narrow for it.
    pub(crate) fn draw(self, text: &str) -> Result<(), Failure> {
        let drawn = qr_code(text, self.has_colours())?;
        let width = terminal_size::terminal_size_of(io::stderr())
            .or_else(terminal_size::terminal_size)
            .map_or(usize::MAX, |(width, _)| usize::from(width.0));
        if drawn.width > width {
            return Err(Failure::local(format!(
                "the QR code needs a terminal of {} columns, but this one has {width}",
                drawn.width
            )));
        }
        self.write(&drawn.text)
    }

    fn has_colours(self) -> bool {
        let choice = match self {
            Self::Error => anstream::AutoStream::choice(&io::stderr()),
            Self::Output => anstream::AutoStream::choice(&io::stdout()),
        };
        choice != anstream::ColorChoice::Never
    }

    /// Hands text to the clipboard of whoever sits at the terminal, over any number of remote shells
    /// (OSC 52). Whether the terminal takes it cannot be known: some must be told to.
    pub(crate) fn copy(self, text: &str) -> Result<(), Failure> {
        let sequence = clipboard_sequence(text);
        let write = |stream: &mut dyn Write| {
            stream.write_all(sequence.as_bytes())?;
            stream.flush()
        };
        // Past anstream, which would drop the sequence where there are no colours.
        match self {
            Self::Error => write(&mut io::stderr().lock()),
            Self::Output => write(&mut io::stdout().lock()),
        }
        .map_err(|error| Failure::local(format!("cannot write to the terminal: {error}")))
    }
}

fn clipboard_sequence(text: &str) -> String {
    format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text))
}

struct Drawn {
    text: String,
    /// Columns.
    width: usize,
}

/// A QR code in half blocks.
///
/// With colours it is black on white whatever the terminal's own are. Without, light parts are drawn
/// in the colour of the text: right where that is light on dark, and turned round elsewhere, which
/// scanners of today read too.
fn qr_code(text: &str, colours: bool) -> Result<Drawn, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .map_err(|_| Failure::invalid("this is too long for a QR code"))?;
    let mut renderer = code.render::<Dense1x2>();
    renderer.quiet_zone(true);
    let style = if colours {
        // Of the fixed part of the palette: a theme may turn black into grey.
        Style::new()
            .fg_color(Some(Ansi256Color(16).into()))
            .bg_color(Some(Ansi256Color(231).into()))
    } else {
        renderer
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark);
        Style::new()
    };
    let blocks = renderer.build();
    let width = blocks
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for line in blocks.lines() {
        let _ = writeln!(text, "{style}{line}{style:#}");
    }
    Ok(Drawn { text, width })
}

/// Asks for a secret on the terminal that standard input is, which does not show it; `None` if
/// standard input is something else.
pub(crate) fn ask_secretly(question: &str) -> Result<Option<String>, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    let failed = |error: io::Error| Failure::local(format!("cannot ask: {error}"));
    let mut stderr = io::stderr().lock();
    let answer = {
        let _silent = Modes::silent().map_err(failed)?;
        write!(stderr, "{question}")
            .and_then(|()| stderr.flush())
            .map_err(failed)?;
        read_line(stdin.lock()).map_err(failed)?
    };
    writeln!(stderr).map_err(failed)?;
    match answer {
        Some(answer) => Ok(Some(answer)),
        None => Err(Failure::interrupted()),
    }
}

/// Asks on the terminal that standard input is.
///
/// Whoever waits for a signal elsewhere does not see it while this waits, so Ctrl-C is read here.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::local(format!("cannot ask: {error}"));
    let mut stderr = anstream::stderr().lock();
    let answer = {
        let _modes = Modes::by_line().map_err(failed)?;
        write!(stderr, "{question}")
            .and_then(|()| stderr.flush())
            .map_err(failed)?;
        read_line(io::stdin().lock()).map_err(failed)?
    };
    answer.ok_or_else(|| {
        // It stands behind the question.
        let _line = writeln!(stderr);
        Failure::interrupted()
    })
}

/// The terminal's modes as they were, while it leaves Ctrl-C to us.
struct Modes(Termios);

impl Modes {
    /// Nothing that is typed is shown.
    fn silent() -> io::Result<Self> {
        Self::begin(|modes| {
            modes
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ICANON);
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        })
    }

    /// The terminal shows and edits a line, which Ctrl-C ends as well.
    fn by_line() -> io::Result<Self> {
        Self::begin(|modes| modes.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT)
    }

    fn begin(change: impl FnOnce(&mut Termios)) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ISIG);
        change(&mut modes);
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
        Ok(Self(before))
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        let _put_back = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// One line, byte by byte; `None` if it was broken off.
fn read_line(mut source: impl io::Read) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while source.read(&mut byte)? > 0 {
        let [byte] = byte;
        match byte {
            // Ctrl-D is the end as well.
            b'\r' | b'\n' | 4 => break,
            INTERRUPT => return Ok(None),
            // Backspace, of either kind.
            8 | 127 => {
                line.pop();
            }
            // Ctrl-U.
            21 => line.clear(),
            byte if line.len() < LONGEST => line.push(byte),
            _ => return Err(io::Error::other("this is too long")),
        }
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| io::Error::other("this is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_can_be_corrected_and_broken_off() {
        let read = |text: &str| read_line(text.as_bytes()).unwrap();
        assert_eq!(read("abc\r\nmore").as_deref(), Some("abc"));
        assert_eq!(read("abx\u{7f}c\n").as_deref(), Some("abc"));
        assert_eq!(read("wrong\u{15}right\n").as_deref(), Some("right"));
        assert_eq!(read("abc\u{3}"), None);
        assert_eq!(read("").as_deref(), Some(""));
        assert!(read_line("x".repeat(LONGEST + 1).as_bytes()).is_err());
    }

    #[test]
    fn a_qr_code_is_black_on_white_or_light_on_dark() {
        let text = "inv_0123456789AB_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg_012345";
        let coloured = qr_code(text, true).unwrap();
        let bare = qr_code(text, false).unwrap();
        // 33 modules and 4 of quiet on either side; two rows in a line.
        assert_eq!(bare.width, 41);
        assert_eq!(bare.text.lines().count(), 21);
        assert!(coloured.text.contains("\u{1b}[38;5;16m"));
        assert!(
            coloured
                .text
                .lines()
                .all(|line| line.ends_with("\u{1b}[0m"))
        );
        assert!(!bare.text.contains('\u{1b}'));
        // The quiet zone: light, so drawn only where light is what is drawn.
        assert!(bare.text.starts_with('█'));
        assert!(!coloured.text.lines().next().unwrap().contains('█'));
        assert!(qr_code(&"x".repeat(4000), true).is_err());
    }

    #[test]
    fn the_clipboard_is_told_in_base64() {
        assert_eq!(clipboard_sequence("inv_1"), "\u{1b}]52;c;aW52XzE=\u{7}");
    }
}
