//! A PostgreSQL of this measurement's own, which lasts until standard input ends.

use std::io::{Read as _, Write as _};

use anyhow::Result;
use guestlist_store::suite::cluster::{Cluster, ClusterOptions};
use serde_json::json;

/// Makes it, says where it is, and keeps it. Commits wait for the disk.
pub(crate) fn serve() -> Result<()> {
    let cluster = Cluster::make(&ClusterOptions::default())?;
    let mut out = std::io::stdout().lock();
    let said = json!({
        "address": cluster.address_of("bench"),
        "socket": cluster.root(),
        "port": cluster.port(),
    });
    writeln!(out, "{said}")?;
    out.flush()?;
    let mut rest = Vec::new();
    std::io::stdin().lock().read_to_end(&mut rest)?;
    Ok(())
}
