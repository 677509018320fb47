//! A network between nodes and databases: it can be cut, silently or not, and lead elsewhere.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Nothing arrives on either side, and nobody is told.
    Silent,
    /// Connections end, and new ones too.
    Cut,
}

struct State {
    mode: Mode,
    /// The port of the database.
    to: u16,
    open: Vec<TcpStream>,
}

/// It is there until the process ends.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Before a port of this machine.
    pub(crate) fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            mode: Mode::Pass,
            to: port,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let _ended = accept(&shared, client);
            }
        });
        Self { port: own, state }
    }

    /// What becomes of bytes from now on. Connections in which some were lost are ended.
    pub(crate) fn set(&self, mode: Mode) {
        let mut state = self.state.lock().unwrap();
        if mode == Mode::Cut || state.mode == Mode::Silent {
            for stream in state.open.drain(..) {
                let _gone = stream.shutdown(Shutdown::Both);
            }
        }
        state.mode = mode;
    }
}

fn accept(state: &Arc<Mutex<State>>, client: TcpStream) -> std::io::Result<()> {
    let mut now = state.lock().unwrap();
    match now.mode {
        Mode::Cut => return Ok(()),
        Mode::Silent => {
            now.open.push(client);
            return Ok(());
        }
        Mode::Pass => {}
    }
    let server = TcpStream::connect(("127.0.0.1", now.to))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    now.open.push(client.try_clone()?);
    now.open.push(server.try_clone()?);
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        let state = Arc::clone(state);
        thread::spawn(move || pass(&state, from, to));
    }
    Ok(())
}

/// Passes on what is sent in one direction, until the connection ends.
fn pass(state: &Mutex<State>, mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let passes = state.lock().unwrap().mode == Mode::Pass;
        if passes && to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _gone = to.shutdown(Shutdown::Both);
    let _gone = from.shutdown(Shutdown::Both);
}
