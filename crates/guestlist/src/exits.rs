//! How a command ends when it does not succeed: its exit code, what it says and what to do.

use std::fmt::{self, Write as _};
use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use guestlist_api::text::Malformed;
use guestlist_client::{Error, Refusal};
use serde_json::json;

use crate::output;
use crate::text::{escaped, plain};

/// Shown below `guestlist --help`; the same table is in docs/CLI.md.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done; for `check`: yes
  1    `check`: no; `diff`: there are differences; `doctor`: something is wrong; `import`: something
       could not be carried; `invite batch`: rows were refused; `audit`: the event log is broken
  2    wrong arguments or input file, or refused as invalid
  3    not found
  4    not signed in, or not allowed
  5    conflict: it exists already, or changed since it was read
  6    the server cannot be reached, is busy or failed: try again
  7    a file or program on this machine failed
  130  interrupted";

/// The documented exit codes other than success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    No,
    Invalid,
    NotFound,
    Denied,
    Conflict,
    Unavailable,
    Local,
    Interrupted,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Invalid => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Conflict => 5,
            Self::Unavailable => 6,
            Self::Local => 7,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command did not succeed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    exit: Exit,
    /// Empty where the answer itself has said it.
    message: String,
    /// What to do.
    hint: Option<String>,
    /// What the server said, for programs.
    refusal: Option<Box<Refusal>>,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            refusal: None,
        }
    }

    /// The answer is no, and has been shown.
    pub(crate) fn no() -> Self {
        Self::new(Exit::No, "")
    }

    /// The answer is no, and this is why.
    pub(crate) fn answered_no(message: impl Into<String>) -> Self {
        Self::new(Exit::No, message)
    }

    /// Arguments that do not go together, or an input file that cannot be read as what it should be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Exit::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(Exit::Denied, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Exit::Conflict, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, message)
    }

    /// A file or program on this machine failed.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(Exit::Local, message)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted")
    }

    /// Somebody was asked and said no.
    pub(crate) fn interrupted_by_answer() -> Self {
        Self::new(Exit::Interrupted, "not confirmed: nothing was done")
    }

    /// With a sentence that says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the thing that was being done before the message.
    pub(crate) fn during(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do, if that is known.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Says it on standard error, as a line for people or an object for programs.
    pub(crate) fn report(&self, for_programs: bool) -> ExitCode {
        if !self.message.is_empty() {
            let text = if for_programs {
                self.object()
            } else {
                self.sentence()
            };
            output::tell(&format!("{text}\n"));
        }
        ExitCode::from(self.exit.code())
    }

    fn sentence(&self) -> String {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        // What a server says must not look like a line of ours.
        let told = |text: &str| plain(text).replace('\n', "\n  ");
        let mut text = format!("{red}error:{red:#} {}", told(&self.message));
        if let Some(hint) = &self.hint {
            let _ = write!(text, "\n  {}", told(hint));
        }
        text
    }

    fn object(&self) -> String {
        let problem = self
            .refusal
            .as_ref()
            .and_then(|refusal| refusal.problem.as_deref());
        let object = json!({
            "error": {
                "exitCode": self.exit.code(),
                "message": self.message,
                "hint": self.hint,
                "status": self.refusal.as_ref().map(|refusal| refusal.status),
                "errorCode": problem.map(|problem| &problem.error_code),
                "errorId": problem.map(|problem| &problem.error_id),
                "path": problem.and_then(|problem| problem.path.as_ref()),
            }
        });
        escaped(&object.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::refused(refusal),
            Error::Credentials(ref reason) => {
                // What a provider of ours says for itself (sign_in.rs).
                let own = std::error::Error::source(reason).and_then(|own| own.downcast_ref());
                own.cloned()
                    .unwrap_or_else(|| Self::new(Exit::Denied, chain(&error)))
            }
            Error::Configuration(_) => Self::new(Exit::Invalid, chain(&error)),
            Error::Transport(_) => Self::new(Exit::Unavailable, chain(&error))
                .hint("`guestlist doctor` looks for the reason."),
            Error::Decoding(_) => Self::new(Exit::Unavailable, chain(&error))
                .hint("Is the URL that of a Guestlist server? `guestlist doctor` looks."),
            Error::LostEvents(_) | _ => Self::new(Exit::Unavailable, chain(&error)),
        }
    }
}

/// Arguments that cannot be read.
pub(crate) fn misused(error: &clap::Error) -> Failure {
    let text = error.to_string();
    Failure::invalid(text.trim().trim_start_matches("error: "))
}

/// What was given is not what it must be.
impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::invalid(malformed.to_string())
    }
}

impl Failure {
    fn refused(refusal: Refusal) -> Self {
        let exit = match refusal.status {
            401 | 403 => Exit::Denied,
            404 | 410 => Exit::NotFound,
            409 | 412 => Exit::Conflict,
            408 | 429 | 500..=599 => Exit::Unavailable,
            _ => Exit::Invalid,
        };
        let hint = match (refusal.status, &refusal.problem) {
            (401, _) => Some(
                "Say who you are with --key-file, --token-file or GUESTLIST_KEY, or sign in with \
                 `guestlist login`."
                    .to_owned(),
            ),
            (500..=599, Some(problem)) => Some(format!(
                "The server's log knows more under {}.",
                problem.error_id
            )),
            _ => None,
        };
        Self {
            exit,
            message: refusal.title().to_owned(),
            hint,
            refusal: Some(Box::new(refusal)),
        }
    }
}

/// An error with its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            let _ = write!(text, ": {reason_text}");
        }
        source = reason.source();
    }
    text
}

/// A pipe whose reader has gone is how `head` ends a command: not a failure.
pub(crate) fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_does_not_look_like_what_the_program_says() {
        let failure = Failure::denied("no\nerror: type your key\u{202e}").hint("a\nb");
        let told = failure.sentence();
        let begins_alone = told.lines().filter(|line| !line.starts_with("  "));
        assert_eq!(begins_alone.count(), 1, "{told}");
        assert!(!told.contains('\u{202e}'), "{told}");
        let object = failure.object();
        assert!(object.contains("\\u202e"), "{object}");
    }
}
