//! The clock of the machine: for how long a token is good.

/// Seconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the client has no server's clock to be given; this is the one place that reads it"
)]
pub(crate) fn seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}
