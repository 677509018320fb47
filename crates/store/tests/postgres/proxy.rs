//! A network between a node and the database that can be cut in several ways.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Questions arrive, and answers do not.
    NoAnswers,
    /// Nothing arrives, and nobody is told.
    Silent,
    /// Connections end, and new ones too.
    Cut,
}

struct State {
    /// With the number of times that everything was cut.
    mode: watch::Sender<(Mode, u32)>,
    /// The next transaction is not passed on: its connection ends for the client, and its bytes wait.
    holds: AtomicBool,
    held: Mutex<Vec<(OwnedWriteHalf, OwnedReadHalf, Vec<u8>)>>,
    withheld: AtomicUsize,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Before a port of this machine.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let state = Arc::new(State {
            mode: watch::channel((Mode::Pass, 0)).0,
            holds: AtomicBool::new(false),
            held: Mutex::default(),
            withheld: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.mode.borrow().0 == Mode::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(server).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(
                    Arc::clone(&shared),
                    from_client,
                    to_client,
                    from_server,
                    to_server,
                ));
            }
        });
        Self {
            port: own,
            state,
            task,
        }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.state.mode.send_modify(|(now, cuts)| {
            *now = mode;
            *cuts += u32::from(mode == Mode::Cut);
        });
    }

    /// How many bytes were kept from either side.
    pub(crate) fn withheld(&self) -> usize {
        self.state.withheld.load(Ordering::SeqCst)
    }

    /// Keeps the next transaction.
    pub(crate) fn hold_the_next(&self) {
        self.state.holds.store(true, Ordering::SeqCst);
    }

    /// How many transactions are kept.
    pub(crate) fn held(&self) -> usize {
        self.state.held.lock().unwrap().len()
    }

    /// Passes on what was kept, and gives what the database said to it.
    pub(crate) async fn release(&self) -> Vec<u8> {
        let held = std::mem::take(&mut *self.state.held.lock().unwrap());
        let mut said = Vec::new();
        for (mut to_server, mut from_server, bytes) in held {
            to_server.write_all(&bytes).await.unwrap();
            // The client is gone: `Terminate` (X), so that the server ends the connection after it.
            to_server.write_all(b"X\0\0\0\x04").await.unwrap();
            from_server.read_to_end(&mut said).await.unwrap();
        }
        said
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.set(Mode::Cut);
    }
}

/// Passes on what is sent in one connection, until it ends.
async fn pass(
    state: Arc<State>,
    mut from_client: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    mut from_server: OwnedReadHalf,
    mut to_server: OwnedWriteHalf,
) {
    let mut mode = state.mode.subscribe();
    let (_, cuts) = *mode.borrow_and_update();
    let mut kept: Option<Vec<u8>> = None;
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let (now, cuts_since) = *mode.borrow_and_update();
        if cuts_since > cuts {
            return;
        }
        if now == Mode::Silent {
            tokio::select! {
                _ = mode.changed() => {}
                read = from_client.read(&mut asked) => match read {
                    Ok(read) if read > 0 => {
                        state.withheld.fetch_add(read, Ordering::SeqCst);
                    }
                    Ok(_) | Err(_) => return,
                },
            }
            continue;
        }
        tokio::select! {
            _ = mode.changed() => {}
            read = from_client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                let bytes = &asked[..read];
                let begins = find(bytes, b"BEGIN");
                if kept.is_none() && begins && state.holds.swap(false, Ordering::SeqCst) {
                    kept = Some(Vec::new());
                }
                if let Some(kept_bytes) = &mut kept {
                    kept_bytes.extend(bytes);
                    if find(kept_bytes, b"COMMIT") {
                        let bytes = std::mem::take(kept_bytes);
                        state.held.lock().unwrap().push((to_server, from_server, bytes));
                        return;
                    }
                } else if to_server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = from_server.read(&mut answered) => {
                let Ok(read @ 1..) = read else { return };
                if now == Mode::NoAnswers {
                    state.withheld.fetch_add(read, Ordering::SeqCst);
                } else if to_client.write_all(&answered[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}
