//! Requests as bytes, with the header fields that an SDK sends.

use std::io::Write as _;
use std::net::SocketAddr;

/// Writes the requests of one caller to one server.
#[derive(Clone)]
pub(crate) struct Calls {
    fields: String,
}

impl Calls {
    pub(crate) fn new(address: SocketAddr, bearer: &str) -> Self {
        let fields = format!(
            "host: {address}\r\nuser-agent: guestlist-bench\r\naccept: application/json\r\n\
             authorization: Bearer {bearer}\r\n"
        );
        Self { fields }
    }

    /// Replaces what is in `out`.
    pub(crate) fn get(&self, out: &mut Vec<u8>, path: std::fmt::Arguments<'_>) {
        out.clear();
        // Writing to a vector does not fail.
        let _ = write!(out, "GET {path} HTTP/1.1\r\n{}\r\n", self.fields);
    }

    /// Replaces what is in `out`.
    pub(crate) fn send(&self, out: &mut Vec<u8>, method: &str, path: &str, body: &str) {
        out.clear();
        let (fields, length) = (&self.fields, body.len());
        let _ = write!(
            out,
            "{method} {path} HTTP/1.1\r\n{fields}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
    }
}
