//! Verifies the chain of the event log: that no event was changed, left out or put in.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use guestlist_api::chain::{CanonicalEvent, ChainHash};
use guestlist_api::events::Event;
use guestlist_api::text::Malformed;

/// What every line of an audit export begins with.
const REVISION: &str = "{\"revision\":";
const HASH: &str = ",\"hash\":\"";
const EVENT: &str = "\",\"event\":";

/// How far the event log was verified. It begins before revision 1, or where somebody has verified it
/// to before.
///
/// What it proves, and what it does not: whoever can write to the server's database can write another
/// log with other hashes. They cannot write one that leads to a hash that was kept somewhere else.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Chain, Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// let page = client.events().get_events(0, 100).await?;
/// let mut chain = Chain::default();
/// for event in &page.events {
///     chain.follow(event)?;
/// }
/// assert_eq!(Some(chain.hash()), page.last_hash);
/// println!("{} {}", chain.revision(), chain.hash()); // Keep this somewhere else.
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    revision: u64,
    hash: ChainHash,
}

/// The place at which a log is not what its hashes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenChain {
    /// Another revision comes than the next.
    #[error("revision {found} stands where revision {expected} belongs")]
    OutOfPlace {
        /// The next revision.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The event, or one before it, is not the one that was hashed.
    #[error(
        "revision {revision} is broken: its hash is {said}, but the event and those before it have {computed}"
    )]
    Altered {
        /// Where.
        revision: u64,
        /// The hash that stands at the event.
        said: ChainHash,
        /// The hash that it should have.
        computed: ChainHash,
    },
    /// The event has no hash: the server does not chain its events.
    #[error("revision {revision} has no hash")]
    Unchained {
        /// Where.
        revision: u64,
    },
}

impl Default for Chain {
    /// Before revision 1.
    fn default() -> Self {
        Self::after(0, ChainHash::START)
    }
}

impl Chain {
    /// After a revision that has this hash.
    pub const fn after(revision: u64, hash: ChainHash) -> Self {
        Self { revision, hash }
    }

    /// The newest revision that was verified; 0 before the first.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Its hash, which stands for everything up to it.
    pub const fn hash(&self) -> ChainHash {
        self.hash
    }

    /// Verifies the next event of the log.
    ///
    /// # Errors
    ///
    /// [`BrokenChain`]; the chain stays where it was.
    pub fn follow(&mut self, event: &Event) -> Result<(), BrokenChain> {
        let revision = event.revision;
        let line = AuditLine::of(event).ok_or(BrokenChain::Unchained { revision })?;
        self.follow_line(&line)
    }

    /// Verifies the next line of an audit export.
    ///
    /// # Errors
    ///
    /// [`BrokenChain`]; the chain stays where it was.
    pub fn follow_line(&mut self, line: &AuditLine) -> Result<(), BrokenChain> {
        let (expected, found) = (self.revision.saturating_add(1), line.revision);
        if found != expected {
            return Err(BrokenChain::OutOfPlace { expected, found });
        }
        let (said, computed) = (line.hash, following(self.hash, expected, &line.event));
        if said != computed {
            return Err(BrokenChain::Altered {
                revision: expected,
                said,
                computed,
            });
        }
        *self = Self::after(expected, computed);
        Ok(())
    }
}

fn following(previous: ChainHash, revision: u64, event: &CanonicalEvent) -> ChainHash {
    let hashed = digest(&SHA256, &event.link(previous, revision));
    let mut bytes = [0; ChainHash::BYTES];
    for (place, byte) in bytes.iter_mut().zip(hashed.as_ref()) {
        *place = *byte;
    }
    ChainHash::from_bytes(bytes)
}

/// A line of an audit export: an event as it is hashed, and its hash.
///
/// It is written as `{"revision":7,"hash":"…","event":{…}}`, and is read in no other form, so that
/// nothing can stand in such a file that was not hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    revision: u64,
    hash: ChainHash,
    event: CanonicalEvent,
}

impl AuditLine {
    /// The line of an event; `None` if it has no hash.
    pub fn of(event: &Event) -> Option<Self> {
        Some(Self {
            revision: event.revision,
            hash: event.hash?,
            event: event.canonical(),
        })
    }

    /// Its place in the log.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What stands at the event; whether it is right a [`Chain`] says.
    pub const fn hash(&self) -> ChainHash {
        self.hash
    }

    /// The event as it is hashed.
    pub const fn event(&self) -> &CanonicalEvent {
        &self.event
    }
}

impl fmt::Display for AuditLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            revision,
            hash,
            event,
        } = self;
        write!(
            formatter,
            "{REVISION}{revision}{HASH}{hash}{EVENT}{event}}}"
        )
    }
}

impl FromStr for AuditLine {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("it is not a line of an audit export");
        let rest = text.strip_prefix(REVISION).ok_or_else(malformed)?;
        let (revision, rest) = rest.split_once(HASH).ok_or_else(malformed)?;
        let (hash, rest) = rest.split_once(EVENT).ok_or_else(malformed)?;
        let event = rest.strip_suffix('}').ok_or_else(malformed)?;
        let line = Self {
            revision: revision.parse().map_err(|_| malformed())?,
            hash: hash.parse()?,
            event: event.parse()?,
        };
        // A number has more than one text: `7` and `+7`.
        if line.to_string() == text {
            Ok(line)
        } else {
            Err(malformed())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(revision: u64) -> Event {
        serde_json::from_value(serde_json::json!({
            "revision": revision, "eventId": "evt_1", "eventType": "role.created",
            "eventTime": "2026-01-02T03:04:05.678Z", "actor": {"kind": "user", "id": "a"},
            "subject": {"kind": "role", "id": "ro_1"}, "data": {"name": "r"},
        }))
        .unwrap()
    }

    /// A log whose hashes are right.
    fn log(events: u64) -> Vec<AuditLine> {
        let mut hash = ChainHash::START;
        (1..=events)
            .map(|revision| {
                let mut event = event(revision);
                hash = following(hash, revision, &event.canonical());
                event.hash = Some(hash);
                AuditLine::of(&event).unwrap()
            })
            .collect()
    }

    #[test]
    fn hashes_are_those_that_were_written_down() {
        // Made by another program, from the form that docs/API.md has.
        let hash = log(1)[0].hash().to_string();
        assert_eq!(
            hash,
            "ef3f5221fcc315577ba1a572d2fff8d3edc119c9b7246ae9e36294885bf7b4d9"
        );
    }

    #[test]
    fn a_log_is_followed_from_its_beginning_or_from_what_is_known() {
        let log = log(5);
        let mut chain = Chain::default();
        for line in &log {
            chain.follow_line(line).unwrap();
        }
        assert_eq!((chain.revision(), chain.hash()), (5, log[4].hash()));
        let mut later = Chain::after(3, log[2].hash());
        later.follow_line(&log[3]).unwrap();
        assert_eq!(later.hash(), log[3].hash());
    }

    #[test]
    fn whatever_was_changed_left_out_or_put_in_is_noticed() {
        let good = log(5);
        let broken = |lines: &[AuditLine]| {
            let mut chain = Chain::default();
            let ended = lines.iter().try_for_each(|line| chain.follow_line(line));
            (chain.revision(), ended)
        };
        assert_eq!(broken(&good), (5, Ok(())));
        for place in 0..5 {
            let before = place as u64;
            let mut changed = good.clone();
            let text = changed[place].to_string().replace("\"r\"", "\"s\"");
            changed[place] = text.parse().unwrap();
            let (revision, ended) = broken(&changed);
            assert_eq!(revision, before);
            assert!(
                matches!(ended, Err(BrokenChain::Altered { revision, .. }) if revision == before + 1)
            );
            let mut changed = good.clone();
            changed[place].hash = ChainHash::START;
            assert!(matches!(
                broken(&changed).1,
                Err(BrokenChain::Altered { .. })
            ));
            let mut shorter = good.clone();
            shorter.remove(place);
            // What was cut off at the end only a hash that was kept can show.
            assert_eq!(broken(&shorter).1.is_ok(), place == 4, "{place}");
            // Also if the numbers are made to fit.
            for line in shorter.iter_mut().skip(place) {
                line.revision -= 1;
            }
            assert_eq!(broken(&shorter).1.is_ok(), place == 4, "{place}");
        }
        let mut other = good.clone();
        other.swap(1, 2);
        let expected = BrokenChain::OutOfPlace {
            expected: 2,
            found: 3,
        };
        assert_eq!(broken(&other), (1, Err(expected)));
        let unchained = Chain::default().follow(&event(1));
        assert_eq!(unchained, Err(BrokenChain::Unchained { revision: 1 }));
        assert!(
            Chain::after(u64::MAX, ChainHash::START)
                .follow_line(&good[0])
                .is_err()
        );
    }

    #[test]
    fn a_line_is_read_as_it_is_written_and_in_no_other_way() {
        let text = log(2)[1].to_string();
        let line: AuditLine = text.parse().unwrap();
        assert_eq!((line.revision(), line.to_string()), (2, text.clone()));
        for (from, to) in [
            ("{\"rev", "{ \"rev"),
            (":2,", ":+2,"),
            (":2,", ":02,"),
            (",\"event\"", ",\"more\":1,\"event\""),
            ("\"actor\":\"a\"", "\"actor\":\"b\",\"actor\":\"a\""),
            ("}}}", "}}} "),
            ("}}}", "}}"),
        ] {
            assert!(text.contains(from), "{from}");
            let changed = text.replacen(from, to, 1);
            assert!(changed.parse::<AuditLine>().is_err(), "{changed}");
        }
    }
}
