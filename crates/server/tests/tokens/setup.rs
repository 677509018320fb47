//! A server's callers without a server: a still clock, a directory fed by hand, a fake issuer.

use std::sync::Arc;
use std::time::Duration;

use guestlist_api::clients::{ClientOptions, PublicKeyText};
use guestlist_api::identities::IssuerText;
use guestlist_api::ids::UserId;
use guestlist_api::text::Tags;
use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Changes, Committed, Document, Event, Kind, Mark, Revision, Seen};
use guestlist_rules::clients::{StoredClient, StoredKey};
use guestlist_rules::identities::StoredIdentity;
use guestlist_server::caller::{Caller, CallerSettings, Callers, NotIdentified};
use guestlist_server::clock::Clock;
use guestlist_server::entropy::Entropy;
use guestlist_server::issuers::Issuers;
use guestlist_server::known_callers::KnownCallers;
use guestlist_server::outgoing::{Names, Outgoing, Reach};
use guestlist_server::user_token_key::UserTokenKey;
use guestlist_store::MemoryStore;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

/// 2027-01-15, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const AUDIENCE: &str = "https://app.example";
pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:8888";
pub(crate) const ACCOUNT: &str = "acc-probe1";

/// The throw-away access key whose use by the official SDKs was captured.
pub(crate) const ACCESS_KEY: &str =
    "sc_probe001.k001.acc-probe1.MC4CAQAwBQYDK2VwBCIEIPTf3jcni8JCKQTkR1XPR8ICm/5GfAkYSCP4TwLA9gTK";
pub(crate) const PUBLIC_KEY: &str = "MCowBQYDK2VwAyEAipXT25p9XHZoFLinuJC03/RTWAcYjd3/kklS7JWlauk=";

pub(crate) struct Setup {
    pub(crate) callers: Callers,
    pub(crate) known: Arc<KnownCallers>,
    pub(crate) clock: Clock,
    pub(crate) user_token_key: Arc<UserTokenKey>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut CallerSettings)) -> Self {
        let clock = Clock::still(Timestamp::from_milliseconds(NOW * 1000));
        let entropy = Entropy::seeded(7);
        let reach = Reach {
            development: true,
            ..Reach::default()
        };
        let limit = Duration::from_millis(500);
        let outgoing = Outgoing::with(reach, Names::Fixed([].into()), limit).unwrap();
        let known = Arc::new(KnownCallers::new());
        let user_token_key = Arc::new(UserTokenKey::new(
            &guestlist_server::ed25519::PrivateKey::generate(&entropy).unwrap(),
        ));
        let public_url = IssuerText::parse(PUBLIC_URL).unwrap();
        let mut settings = CallerSettings::new(ACCOUNT.parse().unwrap(), public_url);
        settings.development = true;
        change(&mut settings);
        let callers = Callers::new(
            settings,
            known.clone(),
            Issuers::new(outgoing, clock.clone()),
            user_token_key.clone(),
            Arc::new(MemoryStore::new()),
            clock.clone(),
            &entropy,
        );
        Self {
            callers: callers.unwrap(),
            known,
            clock,
            user_token_key,
        }
    }

    /// A client with keys, of which each is (id, public key, handed in).
    pub(crate) fn put_client(&self, id: &str, keys: &[(&str, &str, bool)]) {
        let stored = stored_client(id, keys);
        self.commit(|changes| changes.create(&stored).unwrap());
    }

    pub(crate) fn link(&self, issuer: &str, audience: &str, expression: &str) {
        let identity = StoredIdentity {
            issuer: IssuerText::parse(issuer).unwrap(),
            audience: IssuerText::parse(audience).unwrap(),
            user_id_expression: expression.parse().unwrap(),
            created_time: self.clock.now(),
            created_by: "u".parse().unwrap(),
        };
        let document = Seen {
            value: Document::of(&identity).unwrap(),
            mark: Mark(1),
        };
        self.known.load(&document).unwrap();
    }

    pub(crate) fn delete(&self, kind: Kind, id: &str) {
        self.commit(|changes| changes.delete.push((kind, id.to_owned())));
    }

    pub(crate) fn commit(&self, change: impl FnOnce(&mut Changes)) {
        let mut changes = Changes::new(Event {
            kind: "test".to_owned(),
            time: 0,
            actor: String::new(),
            request_id: String::new(),
            subject: String::new(),
            data: Value::Null,
        });
        change(&mut changes);
        let committed = Committed {
            revision: Revision(1),
            changes: Arc::new(changes),
        };
        self.known.commit(&committed).unwrap();
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(seconds * 1000);
    }

    pub(crate) async fn identify(&self, bearer: &str) -> Result<Arc<Caller>, NotIdentified> {
        self.callers.identify(&bearer_headers(bearer)).await
    }

    /// The user id behind a bearer.
    pub(crate) async fn user(&self, bearer: &str) -> Result<UserId, NotIdentified> {
        self.identify(bearer)
            .await
            .map(|caller| caller.user_id.clone())
    }

    /// Whether the bearer would be answered without checking it anew.
    pub(crate) fn is_known(&self, bearer: &str) -> bool {
        self.callers
            .identify_known(&bearer_headers(bearer))
            .is_some()
    }
}

pub(crate) fn stored_client(id: &str, keys: &[(&str, &str, bool)]) -> StoredClient {
    let time = Timestamp::from_milliseconds(0);
    let keys = keys
        .iter()
        .map(|(key_id, public_key, handed_in)| StoredKey {
            key_id: key_id.parse().unwrap(),
            generation_date: time,
            public_key: PublicKeyText::parse(public_key).unwrap(),
            handed_in: *handed_in,
        });
    StoredClient {
        client_id: id.parse().unwrap(),
        created_time: time,
        created_by: "u".parse().unwrap(),
        name: None,
        options: ClientOptions::default(),
        rate_limits: Vec::new(),
        tags: Tags::default(),
        keys: keys.collect(),
        tokens_valid_from: None,
    }
}

pub(crate) fn bearer_headers(bearer: &str) -> HeaderMap {
    headers(&[&format!("Bearer {bearer}")])
}

pub(crate) fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.append("authorization", value);
    }
    headers
}

/// Claims of a token that is valid now.
pub(crate) fn claims(issuer: &str, subject: &str) -> Value {
    json!({"iss": issuer, "sub": subject, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 3600})
}
