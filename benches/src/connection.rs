//! The client's side of one keep-alive HTTP/1.1 connection, with as little of it as a closed loop
//! needs: the load must cost less than what it measures.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of the longest answer that is understood.
const LONGEST: usize = 256 * 1024;

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, all of it.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("{address} does not answer"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8 * 1024),
        })
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// The connection broke, or the answer has no `Content-Length`.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(head) = read_head(&self.buffer)? {
                break head;
            }
        };
        let end = head.length + head.body;
        ensure!(end <= LONGEST, "an answer is longer than {LONGEST} bytes");
        while self.buffer.len() < end {
            self.read_more().await?;
        }
        ensure!(self.buffer.len() == end, "more came than was asked for");
        let body = self.buffer.get(head.length..).unwrap_or_default();
        Ok(Answer {
            status: head.status,
            body,
        })
    }

    async fn read_more(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        ensure!(self.buffer.len() <= LONGEST, "an answer does not end");
        Ok(())
    }
}

struct Head {
    /// Bytes, the empty line included.
    length: usize,
    status: u16,
    /// Bytes of the body.
    body: usize,
}

/// The head of an answer, if all of it is there.
fn read_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(position) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = bytes.get(..position).unwrap_or_default();
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().and_then(read_status);
    let body = lines.find_map(read_length);
    let (Some(status), Some(body)) = (status, body) else {
        bail!("not understood: {}", String::from_utf8_lossy(head));
    };
    Ok(Some(Head {
        length: position + 4,
        status,
        body,
    }))
}

fn read_status(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn read_length(line: &[u8]) -> Option<usize> {
    let name = b"content-length:";
    let (start, value) = line.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::read_head;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let whole = b"HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 12\r\n\r\n{\"title\"";
        let head = read_head(whole).unwrap().unwrap();
        assert_eq!((head.status, head.body), (404, 12));
        assert_eq!(&whole[head.length..], b"{\"title\"");
        assert!(read_head(&whole[..20]).unwrap().is_none());
        assert!(read_head(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n").is_err());
        assert!(read_head(b"SPDY\r\ncontent-length: 1\r\n\r\n").is_err());
    }
}
