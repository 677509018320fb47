//! The event log: pages of it, and an endless stream over it. Only our server has it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use guestlist_api::events::{Event, EventCollection};
use guestlist_api::limits;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::{DecodingError, Error, LostEvents};
use crate::paths::Path;
use crate::retries;
use crate::transport::Request;

/// Events of a page of [`Events::follow`] unless set.
const PAGE: u16 = 100;
/// What is left of the time of a call for everything but waiting for an event.
const SPARE: Duration = Duration::from_secs(5);
/// Failures in a row that [`Following`] passes over, unless set: about three minutes.
const FAILURES: u32 = 10;
/// Milliseconds before the server is asked again, after it failed or did not let the client wait.
const FIRST_PAUSE: u64 = 1_000;
/// The longest such pause.
const LONGEST_PAUSE: u64 = 30_000;
/// The longest pause that a server may ask for without anybody being told.
const LONGEST_ASKED_FOR: Duration = Duration::from_mins(10);

/// The event log. From [`Client::events`].
///
/// It needs `READ` on `Authress:Events`.
#[derive(Debug, Clone, Copy)]
pub struct Events<'a> {
    pub(crate) client: &'a Client,
}

impl Events<'_> {
    /// The events after a revision (0 for all), oldest first: `limit` at most, which may be 1 to
    /// 1000. There are more at once while the revision of the last one is less than `last_revision`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// let page = client.events().get_events(0, 100).await?;
    /// assert_eq!(page.events[0].event_type.as_str(), "account.created");
    /// assert_eq!(page.last_revision, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not read the log.
    pub async fn get_events(self, after: u64, limit: u16) -> Result<EventCollection, Error> {
        self.wait(after, limit, Duration::ZERO).await
    }

    /// The same, but if there is nothing after that revision yet, the answer comes with the next
    /// event, or without one after this time: whole seconds, 20 at most, and less than the
    /// [time of a call](crate::Builder::timeout) by 5.
    ///
    /// It may also come earlier without one, when the server ends or very many wait: pause then
    /// before asking again, as [`follow`](Self::follow) does.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not read the log.
    pub async fn wait(
        self,
        after: u64,
        limit: u16,
        time: Duration,
    ) -> Result<EventCollection, Error> {
        let wait = waiting_time(time, self.client.timeout());
        // A server that was restored from a backup must be able to say so: it will not soon have the
        // revision that was seen.
        let request = Request::get(Path::new("/v1/events")).however_old().query(&[
            ("after", after.to_string()),
            ("limit", limit.to_string()),
            ("wait", wait.as_secs().to_string()),
        ]);
        self.client.send(request).await?.decode("a page of events")
    }

    /// All events after a revision, and then every event as it comes: it never ends.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// let mut events = client.events().follow(0);
    /// let event = events.next_event().await?;
    /// println!("{}: {} by {}", event.revision, event.event_type, event.actor.id);
    /// // Keep `event.revision`: it is what to go on after, in another process too.
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow(self, after: u64) -> Following {
        Following {
            client: self.client.clone(),
            limit: PAGE,
            course: Course {
                after,
                failures: 0,
                most_failures: FAILURES,
                pause: Duration::ZERO,
            },
            events: VecDeque::new(),
            asking: None,
        }
    }
}

/// Whole seconds.
fn waiting_time(wanted: Duration, timeout: Duration) -> Duration {
    let longest = Duration::from_secs(limits::EVENTS_WAIT).min(timeout.saturating_sub(SPARE));
    Duration::from_secs(wanted.min(longest).as_secs())
}

/// What was answered, and how long the server was waited for and could have been.
struct Asked {
    outcome: Result<EventCollection, Error>,
    took: Duration,
    could_take: Duration,
}

/// Where a reader of the log is, and what comes next: without I/O.
struct Course {
    /// The last revision that was handed out.
    after: u64,
    /// In a row.
    failures: u32,
    most_failures: u32,
    /// Before the server is asked again.
    pause: Duration,
}

impl Course {
    /// The events of an answer; none if the server is to be asked again.
    ///
    /// # Errors
    ///
    /// What asking again does not mend, and what failed too often.
    fn take(&mut self, asked: Asked) -> Result<Vec<Event>, Error> {
        self.pause = Duration::ZERO;
        match asked.outcome.and_then(|page| self.check(page)) {
            Ok(events) => {
                self.failures = 0;
                if events.is_empty() && asked.took < asked.could_take.max(SPARE) / 2 {
                    // The server had no place for another one who waits, or is about to end.
                    self.pause = Duration::from_millis(FIRST_PAUSE);
                }
                Ok(events)
            }
            Err(error) => {
                self.failures += 1;
                let asked_for = error.refusal().and_then(|refusal| refusal.retry_after);
                let is_too_long = asked_for.is_some_and(|pause| pause > LONGEST_ASKED_FOR);
                if !may_pass(&error) || is_too_long || self.failures > self.most_failures {
                    self.failures = 0;
                    return Err(error);
                }
                self.pause = pause_after(self.failures).max(asked_for.unwrap_or_default());
                Ok(Vec::new())
            }
        }
    }

    fn check(&self, page: EventCollection) -> Result<Vec<Event>, Error> {
        if page.last_revision < self.after {
            return Err(Error::LostEvents(LostEvents {
                after: self.after,
                last_revision: page.last_revision,
            }));
        }
        // One that goes back would be read for ever, and one that leaves some out would hide them.
        let expected = (self.after..=u64::MAX).skip(1);
        let goes_on = page
            .events
            .iter()
            .zip(expected)
            .all(|(event, revision)| event.revision == revision);
        if goes_on {
            Ok(page.events)
        } else {
            Err(Error::Decoding(DecodingError {
                expected: "a page of events without a gap",
                member: Some("events".to_owned()),
            }))
        }
    }
}

/// Whether asking again later may go well.
fn may_pass(error: &Error) -> bool {
    match error {
        // With several servers, one of them may be behind for a moment.
        Error::LostEvents(_) => true,
        Error::Refused(_)
        | Error::Transport(_)
        | Error::Decoding(_)
        | Error::Credentials(_)
        | Error::Configuration(_) => retries::may_be_read_again(error),
    }
}

/// Doubled with each failure, and some part of it random, so that readers that lost the same server
/// do not return together.
fn pause_after(failures: u32) -> Duration {
    let doubled = 1_u64.checked_shl(failures.saturating_sub(1));
    let whole = FIRST_PAUSE
        .saturating_mul(doubled.unwrap_or(u64::MAX))
        .min(LONGEST_PAUSE);
    let half = whole / 2;
    // Without randomness it is the longest one, which is always right.
    let random = getrandom::u64().unwrap_or(half);
    Duration::from_millis(whole - half + random % (half + 1))
}

/// Every event after a revision, as it comes: a [`Stream`] that never ends, which also can be read
/// without one, by [`next_event`](Self::next_event). From [`Events::follow`].
///
/// The server is asked when the next event is; meanwhile nothing runs. If it cannot be reached, or
/// fails, it is asked again after a growing pause (of 1 to 30 seconds), and the stream goes on after
/// the last event it gave: no event is left out or comes twice. What does not pass (the caller may
/// not read the log) is told at once, and so are a failure after ten others in a row and a server that
/// asks for a pause of more than ten minutes. Whoever reads on after an error goes on at the same
/// place.
#[must_use = "nothing is asked for until it is read"]
pub struct Following {
    client: Client,
    limit: u16,
    course: Course,
    events: VecDeque<Event>,
    asking: Option<Pin<Box<dyn Future<Output = Asked> + Send>>>,
}

impl Following {
    /// Events that are asked for at a time: 1 to 1000, 100 unless set.
    pub fn page_size(mut self, size: u16) -> Self {
        self.limit = size;
        self
    }

    /// How many failures in a row are passed over before one is told: 10 unless set.
    pub fn failures(mut self, most: u32) -> Self {
        self.course.most_failures = most;
        self
    }

    /// The revision of the last event that was given: what to go on after.
    pub fn revision(&self) -> u64 {
        self.course.after
    }

    /// The next event, when there is one.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not read the log; [`Error::LostEvents`] if the server has
    /// forgotten what was read before; whatever kept the server from answering for too long.
    pub async fn next_event(&mut self) -> Result<Event, Error> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Error>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.course.after = event.revision;
                return Poll::Ready(Ok(event));
            }
            let asking = match &mut self.asking {
                Some(asking) => asking,
                none => none.insert(ask(self.client.clone(), self.limit, &self.course)),
            };
            let asked = ready!(asking.as_mut().poll(context));
            self.asking = None;
            match self.course.take(asked) {
                Ok(events) => self.events = events.into(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

fn ask(client: Client, limit: u16, course: &Course) -> Pin<Box<dyn Future<Output = Asked> + Send>> {
    let (after, pause) = (course.after, course.pause);
    Box::pin(async move {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        let could_take = waiting_time(Duration::MAX, client.timeout());
        let begun = Instant::now();
        let outcome = client.events().wait(after, limit, could_take).await;
        Asked {
            outcome,
            took: begun.elapsed(),
            could_take,
        }
    })
}

/// Events are only moved, never pinned.
impl Unpin for Following {}

impl Stream for Following {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context).map(Some)
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Following")
            .field("client", &self.client)
            .field("revision", &self.course.after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    fn course(after: u64) -> Course {
        Course {
            after,
            failures: 0,
            most_failures: 3,
            pause: Duration::ZERO,
        }
    }

    fn event(revision: u64) -> Event {
        serde_json::from_value(serde_json::json!({
            "revision": revision, "eventId": "evt_1", "eventType": "role.created",
            "eventTime": "2026-01-02T03:04:05.678Z", "actor": {"kind": "user", "id": "a"},
            "subject": {"kind": "role", "id": "ro_1"}, "data": {},
        }))
        .unwrap()
    }

    fn page(revisions: &[u64], last_revision: u64) -> EventCollection {
        EventCollection {
            events: revisions.iter().copied().map(event).collect(),
            last_revision,
            last_hash: None,
        }
    }

    fn asked(outcome: Result<EventCollection, Error>, took: u64) -> Asked {
        Asked {
            outcome,
            took: Duration::from_secs(took),
            could_take: Duration::from_secs(20),
        }
    }

    fn refused(status: u16) -> Error {
        Error::Refused(Refusal {
            status,
            problem: None,
            retry_after: None,
            request_id: None,
            changes: false,
        })
    }

    #[test]
    fn a_wait_fits_into_a_call() {
        let time = |wanted, timeout| {
            let seconds = Duration::from_secs;
            waiting_time(seconds(wanted), seconds(timeout)).as_secs()
        };
        assert_eq!(time(7, 30), 7);
        assert_eq!(time(60, 30), 20);
        assert_eq!(time(20, 12), 7);
        assert_eq!(time(20, 3), 0);
        let long = waiting_time(Duration::MAX, Duration::from_millis(7_900));
        assert_eq!(long, Duration::from_secs(2));
    }

    #[test]
    fn after_events_the_server_is_asked_at_once_and_after_a_short_nothing_later() {
        let mut course = course(4);
        let events = course.take(asked(Ok(page(&[5, 6], 9)), 0)).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(course.pause, Duration::ZERO);
        assert!(course.take(asked(Ok(page(&[], 4)), 20)).unwrap().is_empty());
        assert_eq!(course.pause, Duration::ZERO);
        assert!(course.take(asked(Ok(page(&[], 4)), 0)).unwrap().is_empty());
        assert_eq!(course.pause, Duration::from_millis(FIRST_PAUSE));
    }

    #[test]
    fn where_nothing_can_be_waited_for_there_is_a_pause() {
        let mut course = course(4);
        let mut answer = asked(Ok(page(&[], 4)), 0);
        answer.could_take = Duration::ZERO;
        assert!(course.take(answer).unwrap().is_empty());
        assert!(!course.pause.is_zero());
    }

    #[test]
    fn failures_that_may_pass_are_passed_over_so_many_times() {
        let mut course = course(4);
        for round in 0..2 {
            let mut before = Duration::ZERO;
            for _ in 0..3 {
                assert!(course.take(asked(Err(refused(503)), 0)).unwrap().is_empty());
                assert!(course.pause >= before && !course.pause.is_zero());
                before = course.pause;
            }
            let told = course.take(asked(Err(refused(503)), 0)).unwrap_err();
            assert_eq!(told.status(), Some(503), "{round}");
        }
        // One that goes well begins the count anew.
        for _ in 0..9 {
            assert!(course.take(asked(Err(refused(500)), 0)).unwrap().is_empty());
            assert_eq!(course.take(asked(Ok(page(&[5], 5)), 0)).unwrap().len(), 1);
        }
        for status in [400, 401, 403, 404] {
            let told = course.take(asked(Err(refused(status)), 0)).unwrap_err();
            assert_eq!(told.status(), Some(status));
        }
    }

    #[test]
    fn a_pause_grows_up_to_a_bound() {
        for failures in 1..80 {
            let pause = pause_after(failures).as_millis();
            let whole = (u128::from(FIRST_PAUSE) << (failures - 1).min(60)).min(30_000);
            assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause}");
        }
    }

    #[test]
    fn what_the_server_asks_for_is_kept_to() {
        let mut course = course(0);
        let busy = |pause| {
            Err(Error::Refused(Refusal {
                status: 429,
                problem: None,
                retry_after: Some(Duration::from_secs(pause)),
                request_id: None,
                changes: false,
            }))
        };
        assert!(course.take(asked(busy(77), 0)).unwrap().is_empty());
        assert_eq!(course.pause, Duration::from_secs(77));
        let told = course.take(asked(busy(u64::MAX), 0)).unwrap_err();
        assert_eq!(told.status(), Some(429));
    }

    #[test]
    fn a_server_that_forgot_is_told_of_and_no_event_is_left_out_or_read_twice() {
        let mut course = course(4);
        for _ in 0..3 {
            assert!(course.take(asked(Ok(page(&[], 3)), 0)).unwrap().is_empty());
        }
        let told = course.take(asked(Ok(page(&[], 3)), 0)).unwrap_err();
        assert!(
            matches!(&told, Error::LostEvents(lost) if lost.after == 4 && lost.last_revision == 3)
        );
        for revisions in [&[4][..], &[6], &[5, 5], &[5, 7], &[5, 4]] {
            let told = course.take(asked(Ok(page(revisions, 9)), 0));
            assert!(matches!(told, Err(Error::Decoding(_))), "{revisions:?}");
        }
    }
}
