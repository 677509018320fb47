//! Connections in: accepted within limits, served on hyper's HTTP/1.1, drained at the end.
//!
//! HTTP/1.1 only: every SDK speaks it, and HTTP/2 would need limits of its own (rapid resets,
//! header continuations, pings). A proxy in front can speak what it likes to browsers.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::connection::{self, Setup};
use crate::limits::{ACCEPT_PAUSE, ACCEPT_PAUSE_LONGEST, Limits};
use crate::places::{Places, Stage};

/// Who is at the other end of the socket: the client, or the proxy nearest to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub address: SocketAddr,
}

/// Accepts connections and answers their requests with the handler until `shutdown`, then drains:
/// requests that the handler has begun are answered, idle connections are closed, and after
/// `limits.drain_time` whatever is left is dropped. Returns when no connection is open.
///
/// A connection beyond the limits is closed without an answer: nothing was read, so nothing was
/// done, and a client may try again without knowing more. (An answer with 503 would make three of
/// the SDKs repeat at once.) A handler that panics is answered for with 500.
pub async fn serve<H, F>(
    listener: TcpListener,
    limits: Limits,
    handler: H,
    shutdown: impl Future<Output = ()>,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let setup = Arc::new(Setup::new(limits.clone()));
    let drain_time = limits.drain_time;
    let places = Places::new(limits);
    let (stages, stage) = watch::channel(Stage::Serving);
    let (open, closed) = mpsc::channel(1);
    let mut shutdown = pin!(shutdown);
    let mut failures = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, address)) => {
                failures = 0;
                if let Some(place) = places.take(address.ip(), &stage, &open) {
                    begin(socket, Peer { address }, place, &setup, &handler);
                }
            }
            Err(error) => {
                let Some(pause) = pause_after(&error, failures) else {
                    continue;
                };
                failures += 1;
                tracing::warn!(%error, pause = ?pause, "a connection could not be accepted");
                tokio::select! {
                    biased;
                    () = &mut shutdown => break,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
    drop((listener, open));
    drain(&stages, closed, &places, drain_time).await;
}

fn begin<H, F>(
    socket: TcpStream,
    peer: Peer,
    place: crate::places::Place,
    setup: &Arc<Setup>,
    handler: &H,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    // Without it an answer may wait 40 ms for the client to acknowledge the one before.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    tokio::spawn(connection::serve(
        socket,
        peer,
        place,
        Arc::clone(setup),
        handler.clone(),
    ));
}

async fn drain(
    stages: &watch::Sender<Stage>,
    mut closed: mpsc::Receiver<()>,
    places: &Places,
    drain_time: Duration,
) {
    /// Tasks that are told to end do so as soon as they are polled.
    const LAST_MOMENT: Duration = Duration::from_secs(1);
    tracing::info!(
        connections = places.open(),
        "no more connections are accepted: draining"
    );
    stages.send_replace(Stage::Draining);
    if tokio::time::timeout(drain_time, closed.recv())
        .await
        .is_err()
    {
        let connections = places.open();
        tracing::warn!(
            connections,
            "connections were still open after the drain time"
        );
        stages.send_replace(Stage::Ended);
        if tokio::time::timeout(LAST_MOMENT, closed.recv())
            .await
            .is_err()
        {
            tracing::error!(
                connections = places.open(),
                "connections could not be ended"
            );
        }
    }
}

/// How long to wait before accepting again. `None` if only the one connection was at fault.
///
/// When file descriptors or memory run out, `accept` fails at once and the connection stays in the
/// queue, so trying again without a pause would take a whole core.
fn pause_after(error: &io::Error, failures: u32) -> Option<Duration> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    let kind = error.kind();
    if matches!(
        kind,
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    ) {
        return None;
    }
    let pause = ACCEPT_PAUSE.saturating_mul(2_u32.saturating_pow(failures));
    Some(pause.min(ACCEPT_PAUSE_LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepting_pauses_longer_and_longer_when_descriptors_run_out() {
        const EMFILE: i32 = 24;
        let error = io::Error::from_raw_os_error(EMFILE);
        let pauses: Vec<_> = (0..40)
            .map(|failures| pause_after(&error, failures))
            .collect();
        assert_eq!(pauses[0], Some(ACCEPT_PAUSE));
        assert_eq!(pauses[1], Some(ACCEPT_PAUSE * 2));
        assert!(pauses.is_sorted());
        assert_eq!(pauses[39], Some(ACCEPT_PAUSE_LONGEST));
    }

    #[test]
    fn a_connection_that_died_in_the_queue_costs_no_pause() {
        let error = io::Error::from(io::ErrorKind::ConnectionAborted);
        assert_eq!(pause_after(&error, 0), None);
    }
}
