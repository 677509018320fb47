//! The one reader of environment variables that are no arguments.

/// What a variable holds, unless it is blank or not text.
#[expect(
    clippy::disallowed_methods,
    reason = "secrets and programs of the user are no arguments; this is where they are read"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}
