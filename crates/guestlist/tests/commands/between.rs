//! Something between a command and its server that sees each request and can act before it is passed
//! on: for what happens while a command runs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a connection may stay without a word; then it ends, so that no thread stays behind.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port that passes everything on.
pub(crate) struct Between {
    pub(crate) url: String,
    /// First lines of all requests: `PUT /v1/records/rec_1`.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Between {
    /// In front of the server at `url`. `act` is called with method and path of each request before
    /// it is passed on.
    pub(crate) fn new(url: &str, act: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let act = Arc::new(act);
        // Ends with the process of the test.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&server).unwrap();
                let (seen, act) = (Arc::clone(&noted), Arc::clone(&act));
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(back.0, back.1, |_| {}));
                thread::spawn(move || {
                    pass(client, server, |bytes| {
                        if let Some(line) = request_line(bytes) {
                            act(&line);
                            seen.lock().unwrap().push(line);
                        }
                    });
                });
            }
        });
        Self {
            url: format!("http://{address}"),
            seen,
        }
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// A client writes the head of a request at once, so a piece that begins with a method is one.
fn request_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let line = line.strip_suffix(" HTTP/1.1")?;
    Some(line.to_owned())
}

fn pass(mut from: TcpStream, mut to: TcpStream, see: impl Fn(&[u8])) {
    from.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        let piece = &buffer[..length];
        if piece.is_empty() {
            break;
        }
        see(piece);
        if to.write_all(piece).is_err() {
            break;
        }
    }
    let _ended = to.shutdown(std::net::Shutdown::Both);
}
