//! One connection: hyper's HTTP/1.1 on it, and the times after which it is given up.
//!
//! hyper's own `header_read_timeout` is not used: it counts an idle connection as one that is slow
//! with its head, and arms a timer for every request. Here the phase of the connection is a byte
//! that the stream and the service set, and one timer for the whole connection is moved only when
//! it goes off, so a request costs one look at the clock.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::framing::{Following, Framing, Step};
use crate::limits::Limits;
use crate::listener::Peer;
use crate::panics;
use crate::places::{Place, Stage};

/// What a connection is doing. Written and read by one task; atomic only because tasks move.
#[derive(Debug, Default)]
struct Activity {
    phase: AtomicU8,
    /// How many requests were handed to the handler.
    requests: AtomicU32,
    /// The client is not taking what is written.
    stalled: AtomicBool,
    following: Following,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// No byte of the next request has come.
    Awaiting,
    /// Some of a head has come.
    Head,
    /// The handler is at work.
    Handling,
    /// The answer is on its way out.
    Answering,
}

impl Activity {
    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Awaiting,
            1 => Phase::Head,
            2 => Phase::Handling,
            _ => Phase::Answering,
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn request_begins(&self, body: Option<u64>) {
        self.enter(Phase::Handling);
        self.following.tell(body);
        let requests = self.requests.load(Ordering::Relaxed);
        self.requests
            .store(requests.wrapping_add(1), Ordering::Relaxed);
    }
}

/// The socket, watched.
struct Stream {
    socket: TcpStream,
    activity: Arc<Activity>,
    framing: Framing,
    /// What came together with the end of something, and belongs to what follows it.
    ahead: Bytes,
    linger: Linger,
}

/// In place of a bare line feed. NUL is legal nowhere in a head, so hyper answers 400 to it.
const BROKEN_LINE: &[u8] = b"\0";

/// How a connection ends whose client may still be sending (RFC 9112 §9.6): closing a socket with
/// unread bytes resets it, and a reset can destroy the answer before the client has read it.
struct Linger {
    time: Duration,
    bytes: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if stream.ahead.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut stream.socket).poll_read(context, buffer))?;
            stream.follow(buffer, before);
        } else {
            stream.read_ahead(buffer);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = Pin::new(&mut stream.socket).poll_write(context, bytes);
        stream.note_stall(&written);
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = Pin::new(&mut stream.socket).poll_write_vectored(context, slices);
        stream.note_stall(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// hyper flushes when it has written all it had, which is when a stall is over.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let activity = &self.activity;
        activity.stalled.store(false, Ordering::Relaxed);
        if activity.phase() == Phase::Answering {
            activity.enter(Phase::Awaiting);
        }
        // A TCP socket has nothing of its own to flush.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if stream.linger.timer.is_none() {
            ready!(Pin::new(&mut stream.socket).poll_shutdown(context))?;
            if !stream.framing.may_be_sending(&stream.activity.following) {
                return Poll::Ready(Ok(()));
            }
        }
        stream.poll_linger(context).map(Ok)
    }
}

impl Stream {
    /// Looks at what was read into the buffer, and takes out again what must wait for its turn.
    fn follow(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let Some(come) = buffer
            .filled()
            .get(before..)
            .filter(|come| !come.is_empty())
        else {
            return;
        };
        if self.activity.phase() == Phase::Awaiting {
            self.activity.enter(Phase::Head);
        }
        match self.framing.follow(come, &self.activity.following) {
            Step::Pass(count) => {
                if let Some(ahead) = come.get(count..).filter(|ahead| !ahead.is_empty()) {
                    self.ahead = Bytes::copy_from_slice(ahead);
                    buffer.set_filled(before + count);
                }
            }
            Step::BareLineFeed(place) => {
                buffer.set_filled(before + place);
                buffer.put_slice(BROKEN_LINE);
            }
        }
    }

    /// Passes on what was read before, as far as it belongs together.
    fn read_ahead(&mut self, buffer: &mut ReadBuf<'_>) {
        if self.activity.phase() == Phase::Awaiting {
            self.activity.enter(Phase::Head);
        }
        let come = self.ahead.slice(..self.ahead.len().min(buffer.remaining()));
        match self.framing.follow(&come, &self.activity.following) {
            Step::Pass(count) => buffer.put_slice(&self.ahead.split_to(count)),
            Step::BareLineFeed(place) => {
                buffer.put_slice(&self.ahead.split_to(place));
                buffer.put_slice(BROKEN_LINE);
                self.ahead.clear();
            }
        }
    }

    fn note_stall(&self, written: &Poll<io::Result<usize>>) {
        if written.is_pending() {
            self.activity.stalled.store(true, Ordering::Relaxed);
        }
    }

    /// Throws away what still comes, until the client closes or has had its chance.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let time = self.linger.time;
        let timer = self
            .linger
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        if timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut space = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer));
            let count = buffer.filled().len();
            if read.is_err() || count == 0 || count > self.linger.bytes {
                return Poll::Ready(());
            }
            self.linger.bytes -= count;
        }
    }
}

/// The times of a connection.
struct Deadlines<'l> {
    limits: &'l Limits,
    phase: Phase,
    stalled: bool,
    requests: u32,
    /// When the present phase, or the present stall, began.
    since: Instant,
    timer: Pin<Box<Sleep>>,
    /// Whether the timer knows whom to wake.
    armed: bool,
}

impl<'l> Deadlines<'l> {
    fn new(limits: &'l Limits) -> Self {
        let since = Instant::now();
        Self {
            limits,
            phase: Phase::Awaiting,
            stalled: false,
            requests: 0,
            since,
            timer: Box::pin(tokio::time::sleep_until(since + limits.header_time)),
            armed: false,
        }
    }

    /// How long what is going on now may take; without a limit while the handler works, which has
    /// limits of its own.
    fn allowed(&self) -> Option<Duration> {
        if self.stalled {
            return Some(self.limits.write_time);
        }
        match self.phase {
            Phase::Awaiting if self.requests > 0 => Some(self.limits.idle_time),
            Phase::Awaiting | Phase::Head => Some(self.limits.header_time),
            Phase::Handling | Phase::Answering => None,
        }
    }

    /// Notes what the connection does now; ready when it has done so for too long.
    fn poll(&mut self, activity: &Activity, context: &mut Context<'_>) -> Poll<()> {
        let phase = activity.phase();
        let stalled = activity.stalled.load(Ordering::Relaxed);
        let requests = activity.requests.load(Ordering::Relaxed);
        // A new connection has one allowance for its silence and its first head.
        let first_head = requests == 0 && (self.phase, phase) == (Phase::Awaiting, Phase::Head);
        let changed = phase != self.phase || requests != self.requests || stalled != self.stalled;
        (self.phase, self.stalled, self.requests) = (phase, stalled, requests);
        if changed && !first_head {
            self.since = Instant::now();
        }
        let Some(allowed) = self.allowed() else {
            return Poll::Pending;
        };
        let deadline = self.since + allowed;
        let set_to = self.timer.deadline();
        let went_off = self.timer.is_elapsed();
        if went_off && set_to >= deadline {
            return Poll::Ready(());
        }
        if self.armed && !went_off && set_to <= deadline {
            // It goes off in time, and is then set to what is left.
            return Poll::Pending;
        }
        self.timer.as_mut().reset(deadline);
        self.armed = true;
        self.timer.as_mut().poll(context)
    }
}

/// What all connections of a listener have in common.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    builder: http1::Builder,
}

impl Setup {
    pub(crate) fn new(limits: Limits) -> Self {
        /// The method, the version and the spaces between them and the target.
        const REQUEST_LINE: usize = 64;
        const PAGE: usize = 4096;
        let head = limits.target + limits.header_block + REQUEST_LINE;
        let mut builder = http1::Builder::new();
        builder
            .header_read_timeout(None)
            .max_header_size(head)
            .max_buf_size((head.next_multiple_of(PAGE) + PAGE).max(2 * PAGE))
            // A client that has sent its request may close its side, and what it asked for is done
            // to the end even if it goes away.
            .half_close(true);
        if limits.headers != Limits::default().headers {
            // hyper's default is the same number, and keeps them on the stack.
            builder.max_headers(limits.headers);
        }
        Self { limits, builder }
    }
}

/// Serves a connection until its client or the server ends it, or it takes too long.
pub(crate) async fn serve<H, F>(
    socket: TcpStream,
    peer: Peer,
    place: Place,
    setup: Arc<Setup>,
    handler: H,
) where
    H: Fn(Request<Incoming>, Peer) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    let activity = Arc::new(Activity::default());
    let stream = Stream {
        socket,
        activity: Arc::clone(&activity),
        framing: Framing::new(),
        ahead: Bytes::new(),
        linger: Linger {
            time: setup.limits.linger_time,
            bytes: setup.limits.linger_bytes,
            timer: None,
        },
    };
    let (handler, activity) = (&handler, &*activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let body = request.body().size_hint().exact();
        activity.request_begins(body);
        async move {
            let answer = panics::caught(|| handler(request, peer)).await;
            activity.enter(Phase::Answering);
            let mut answer = answer.unwrap_or_else(|panicked| panics::answer(&panicked));
            if body.is_none() {
                // The end of chunks is not followed, so nothing may come after them. No SDK sends any.
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let served = setup
        .builder
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let mut deadlines = Deadlines::new(&setup.limits);
    let mut stage = place.stage.clone();
    let mut wakes = pin!(wake_at_each_change(place.stage.clone()));
    let mut woken = true;
    poll_fn(|context| {
        loop {
            if served.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            // Asking for the stage is one atomic load; only a change is worth registering again.
            if woken {
                woken = false;
                let Poll::Pending = wakes.as_mut().poll(context);
            }
            if !stage.has_changed().unwrap_or(true) {
                break;
            }
            woken = true;
            match *stage.borrow_and_update() {
                Stage::Serving => {}
                Stage::Draining => served.as_mut().graceful_shutdown(),
                Stage::Ended => return Poll::Ready(()),
            }
        }
        deadlines.poll(activity, context)
    })
    .await;
}

/// Never ready: polled once, it wakes its task at the next change of the stage.
async fn wake_at_each_change(mut stage: watch::Receiver<Stage>) -> Infallible {
    loop {
        if stage.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
