//! A server that holds so many grants, given through its API.

use anyhow::Result;

use super::Bench;
use super::running::{Mode, Running, owner_key};

/// A fresh server in the data directory `name`, with the roles that are measured with and so many
/// grants.
pub(crate) fn server_with(bench: &Bench, name: &str, grants: u32, mode: Mode) -> Result<Running> {
    let server = Running::server(bench, name, mode)?;
    prepare(bench, &server, name, grants)?;
    Ok(server)
}

/// Gives so many grants through a running server, whose owner's key is in the data directory `name`.
pub(crate) fn prepare(bench: &Bench, server: &Running, name: &str, grants: u32) -> Result<()> {
    let mut arguments = vec!["prepare".to_owned()];
    for (name, value) in [
        ("--address", server.address.to_string()),
        ("--process", server.id().to_string()),
        ("--key", owner_key(bench, name).display().to_string()),
        ("--grants", grants.to_string()),
    ] {
        arguments.extend([name.to_owned(), value]);
    }
    bench.programs.measure(true, &arguments)?;
    Ok(())
}
