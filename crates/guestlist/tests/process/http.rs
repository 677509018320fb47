//! An HTTP/1.1 client of a few lines, which keeps its connection and shows answers as they came.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer that has not come by then never will.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A request. What is empty is not sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Call<'a> {
    pub(crate) credential: &'a str,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a str,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A text member of the answer.
    pub(crate) fn member(&self, name: &str) -> String {
        let text = self.json()[name].as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            let same = found.eq_ignore_ascii_case(name);
            same.then(|| value.trim().to_owned())
        })
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text);
        self
    }
}

/// A connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn call(&mut self, call: Call<'_>) -> io::Result<Reply> {
        let mut request = format!(
            "{} {} HTTP/1.1\r\nHost: guestlist.test\r\nContent-Length: {}\r\n",
            call.method,
            call.target,
            call.body.len()
        );
        if !call.credential.is_empty() {
            let credential = call.credential;
            write!(request, "Authorization: Bearer {credential}\r\n").unwrap();
        }
        for (name, value) in call.headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        request += "\r\n";
        request += call.body;
        self.raw(request.as_bytes())
    }

    /// Sends bytes as they are and reads one answer.
    pub(crate) fn raw(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.0.get_mut().write_all(request)?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut reply = Reply {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            text: String::new(),
        };
        let length = reply.header("content-length");
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body)?;
        reply.text = String::from_utf8_lossy(&body).into_owned();
        Ok(reply)
    }
}
