//! Keys of issuers: discovery, rotation, floods of unknown key ids, and every kind of bad answer.

use std::sync::Arc;

use futures_util::FutureExt;
use guestlist_server::caller::{NotIdentified, SampleRefused};
use guestlist_server::issuers::NoKey;
use guestlist_server::outgoing::NotAllowed;
use guestlist_server::tokens::TokenRefused;
use serde_json::{Value, json};

use crate::fake_issuer::{FakeIssuer, Reply, SigningKey};
use crate::setup::{AUDIENCE, NOW, Setup, claims};

const DAY: i64 = 24 * 3600;

async fn linked(key: &SigningKey) -> (Setup, FakeIssuer) {
    let issuer = FakeIssuer::start(&[key]).await;
    let setup = Setup::with(|settings| settings.issuer_token_life = 10 * DAY * 1000);
    setup.link(issuer.name(), AUDIENCE, "{sub}");
    (setup, issuer)
}

/// A token that lives for days, so that only its key can end it.
fn token(key: &SigningKey, issuer: &FakeIssuer, user: &str) -> String {
    let mut claims = claims(issuer.name(), user);
    claims["exp"] = json!(NOW + 5 * DAY);
    key.token(&claims)
}

fn set(keys: &[&SigningKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys })
}

/// Waits for something that is bound to happen.
async fn until(mut happened: impl FnMut() -> bool) {
    let wait = async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, wait).await.unwrap();
}

/// Whether the bearer is accepted, if that is known without waiting for anything.
fn answered_at_once(setup: &Setup, bearer: &str) -> Option<bool> {
    setup.user(bearer).now_or_never().map(|user| user.is_ok())
}

#[tokio::test]
async fn t18_ten_thousand_unknown_key_ids_make_one_fetch_in_thirty_seconds() {
    let key = SigningKey::ed25519("k", 1);
    let (setup, issuer) = linked(&key).await;
    let good = token(&key, &issuer, "u");
    assert!(setup.user(&good).await.is_ok());
    assert_eq!(issuer.key_fetches(), 1);
    // 10 000 in 60 seconds: two pauses end in that time.
    for count in 0..10_000 {
        if count % 1000 == 999 {
            setup.advance(6);
        }
        let unknown = SigningKey::ed25519(&format!("k{count}"), 2);
        let refused = setup.user(&token(&unknown, &issuer, "u")).await;
        assert_eq!(refused, Err(NoKey::Unknown.into()));
    }
    assert_eq!(issuer.key_fetches(), 3);
    assert!(setup.is_known(&good));
    assert!(setup.user(&token(&key, &issuer, "v")).await.is_ok());
    assert_eq!(issuer.key_fetches(), 3);
}

#[tokio::test]
async fn t18_many_at_once_share_one_fetch() {
    let key = SigningKey::ed25519("k", 1);
    let (setup, issuer) = linked(&key).await;
    issuer.answer_keys(Reply::Held(set(&[&key])));
    let setup = Arc::new(setup);
    let request = |count: i32| {
        let setup = setup.clone();
        let token = token(&key, &issuer, &format!("u{count}"));
        tokio::spawn(async move { setup.user(&token).await.is_ok() })
    };
    // The caller whose request began the fetch goes away, which does not break it off.
    let first = request(0);
    until(|| issuer.key_fetches() == 1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let others: Vec<_> = (1..50).map(request).collect();
    tokio::task::yield_now().await;
    issuer.release();
    for other in others {
        assert!(other.await.unwrap());
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn t19_useless_answers_leave_the_former_keys_in_use() {
    let key = SigningKey::ed25519("k", 1);
    let fresh = SigningKey::ed25519("new", 2);
    let trap = FakeIssuer::start(&[&fresh]).await;
    let mut weak = fresh.jwk();
    weak["x"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let unknown = json!({"kty": "new", "kid": "new"});
    for (name, reply) in [
        ("500", Reply::Status(500)),
        ("404", Reply::Status(404)),
        ("hang", Reply::Hang),
        ("HTML", Reply::Html),
        ("10 MB", Reply::Large(set(&[&key, &fresh]))),
        ("no keys", Reply::Json(json!({"keys": []}))),
        ("only weak keys", Reply::Json(json!({"keys": [weak]}))),
        ("unknown types", Reply::Json(json!({"keys": [unknown]}))),
        ("not a set", Reply::Json(json!({"keys": {}}))),
        ("redirect", Reply::Redirect(format!("{}/keys", trap.name()))),
        (
            "redirect to metadata",
            Reply::Redirect("http://169.254.169.254/".to_owned()),
        ),
    ] {
        let (setup, issuer) = linked(&key).await;
        assert!(setup.user(&token(&key, &issuer, "u")).await.is_ok());
        issuer.answer_keys(reply);
        setup.advance(31);
        let refused = setup.user(&token(&fresh, &issuer, "u")).await;
        assert_eq!(refused, Err(NoKey::Unreachable.into()), "{name}");
        assert_eq!(issuer.key_fetches(), 2, "{name}");
        // The pause holds after a useless answer too.
        let refused = setup.user(&token(&fresh, &issuer, "u")).await;
        assert!(refused.is_err());
        assert_eq!(issuer.key_fetches(), 2, "{name}");
        for seconds in [0, 3600, 20 * 3600] {
            setup.advance(seconds);
            let user = setup.user(&token(&key, &issuer, "v")).await;
            assert!(user.is_ok(), "{name} after {seconds} s: {user:?}");
        }
        // A day after they were last heard of, even known keys are used no more.
        setup.advance(3 * 3600);
        let refused = setup.user(&token(&key, &issuer, "w")).await;
        assert_eq!(refused, Err(NoKey::Unreachable.into()), "{name}");
        issuer.rotate(&[&key, &fresh]);
        setup.advance(31);
        assert!(
            setup.user(&token(&key, &issuer, "x")).await.is_ok(),
            "{name}"
        );
        assert!(
            setup.user(&token(&fresh, &issuer, "x")).await.is_ok(),
            "{name}"
        );
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn t19_of_two_keys_with_one_id_the_first_is_used() {
    let first = SigningKey::ed25519("k", 1);
    let second = SigningKey::ed25519("k", 2);
    let (setup, issuer) = linked(&first).await;
    issuer.answer_keys(Reply::Json(set(&[&first, &second])));
    assert!(setup.user(&token(&first, &issuer, "u")).await.is_ok());
    assert_eq!(
        setup.user(&token(&second, &issuer, "u")).await,
        Err(TokenRefused::Signature.into())
    );
}

#[tokio::test]
async fn t20_a_new_key_is_accepted_after_one_fetch() {
    let old = SigningKey::ed25519("old", 1);
    let new = SigningKey::ed25519("new", 2);
    let (setup, issuer) = linked(&old).await;
    assert!(setup.user(&token(&old, &issuer, "u")).await.is_ok());
    setup.advance(31);
    issuer.rotate(&[&old, &new]);
    assert!(setup.user(&token(&new, &issuer, "u")).await.is_ok());
    assert_eq!(issuer.key_fetches(), 2);
    // Within the pause a key that is newer still has to wait for its end.
    let newer = SigningKey::ed25519("newer", 3);
    issuer.rotate(&[&newer]);
    assert!(setup.user(&token(&newer, &issuer, "u")).await.is_err());
    setup.advance(30);
    assert!(setup.user(&token(&newer, &issuer, "u")).await.is_ok());
}

#[tokio::test]
async fn t20_a_removed_key_is_refused_after_five_minutes_at_most() {
    let old = SigningKey::ed25519("old", 1);
    let new = SigningKey::ed25519("new", 2);
    let (setup, issuer) = linked(&old).await;
    let remembered = token(&old, &issuer, "u");
    assert!(setup.user(&remembered).await.is_ok());
    issuer.rotate(&[&new]);
    setup.advance(200);
    // Verified shortly before, and still good no longer than its key was heard of.
    let late = token(&old, &issuer, "late");
    assert!(setup.user(&late).await.is_ok());
    setup.advance(99);
    assert!(setup.is_known(&remembered));
    setup.advance(1);
    for bearer in [&remembered, &late] {
        assert!(!setup.is_known(bearer));
        assert_eq!(setup.user(bearer).await, Err(NoKey::Unknown.into()));
    }
    assert_eq!(issuer.key_fetches(), 2);
    assert!(setup.user(&token(&new, &issuer, "u")).await.is_ok());
}

#[tokio::test]
async fn t20_keys_are_renewed_while_the_former_ones_serve() {
    let key = SigningKey::ed25519("k", 1);
    let (setup, issuer) = linked(&key).await;
    assert!(setup.user(&token(&key, &issuer, "u")).await.is_ok());
    issuer.answer_keys(Reply::Held(set(&[&key])));
    setup.advance(239);
    assert_eq!(
        answered_at_once(&setup, &token(&key, &issuer, "a")),
        Some(true)
    );
    tokio::task::yield_now().await;
    assert_eq!(issuer.discovery_fetches(), 1);
    setup.advance(1);
    // Nobody waits for the issuer, which is asked and does not answer yet.
    for user in ["b", "c", "d"] {
        let token = token(&key, &issuer, user);
        assert_eq!(answered_at_once(&setup, &token), Some(true), "{user}");
    }
    until(|| issuer.key_fetches() == 2).await;
    let late = token(&key, &issuer, "e");
    assert_eq!(answered_at_once(&setup, &late), Some(true));
    // Five minutes after they were last heard of, they do wait: for the one fetch that runs.
    setup.advance(60);
    let overdue = token(&key, &issuer, "f");
    assert_eq!(answered_at_once(&setup, &overdue), None);
    issuer.release();
    assert_eq!(setup.user(&overdue).await.unwrap().as_str(), "f");
    assert_eq!(issuer.key_fetches(), 2);
    // The age now counts from the second fetch.
    setup.advance(179);
    let renewed = token(&key, &issuer, "g");
    assert_eq!(answered_at_once(&setup, &renewed), Some(true));
    assert_eq!(issuer.discovery_fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_makes_nobody_wait_twice() {
    let key = SigningKey::ed25519("k", 1);
    let (setup, issuer) = linked(&key).await;
    assert!(setup.user(&token(&key, &issuer, "u")).await.is_ok());
    issuer.answer_discovery(Reply::Hang);
    setup.advance(301);
    let first = token(&key, &issuer, "a");
    assert_eq!(answered_at_once(&setup, &first), None);
    assert!(setup.user(&first).await.is_ok());
    for round in 0..5 {
        setup.advance(31);
        // Every request is answered at once, while one attempt after the other is made and given
        // up at its limit of time.
        let mut count = 0;
        until(|| {
            count += 1;
            let next = token(&key, &issuer, &format!("b{round}-{count}"));
            assert_eq!(answered_at_once(&setup, &next), Some(true));
            issuer.discovery_fetches() == 3 + round
        })
        .await;
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn discovery_must_name_the_issuer_it_was_asked_for() {
    let key = SigningKey::ed25519("k", 1);
    for (name, expected) in [("https://evil.example", false), ("same", true)] {
        let (setup, issuer) = linked(&key).await;
        let named = if expected { issuer.name() } else { name };
        let jwks = format!("{}/keys", issuer.name());
        issuer.answer_discovery(Reply::Json(json!({"issuer": named, "jwks_uri": jwks})));
        let user = setup.user(&token(&key, &issuer, "u")).await;
        assert_eq!(user.is_ok(), expected);
        assert_eq!(issuer.key_fetches(), usize::from(expected));
    }
}

#[tokio::test]
async fn keys_may_be_served_without_a_discovery_document() {
    let key = SigningKey::ed25519("k", 1);
    let (setup, issuer) = linked(&key).await;
    issuer.answer_discovery(Reply::Status(404));
    assert!(setup.user(&token(&key, &issuer, "u")).await.is_ok());
    // But an issuer in trouble is not asked at another place.
    let (setup, issuer) = linked(&key).await;
    issuer.answer_discovery(Reply::Status(503));
    assert!(setup.user(&token(&key, &issuer, "u")).await.is_err());
    assert_eq!((issuer.discovery_fetches(), issuer.key_fetches()), (1, 0));
}

#[tokio::test]
async fn keys_are_not_fetched_from_where_a_discovery_document_must_not_lead() {
    let key = SigningKey::ed25519("k", 1);
    for place in [
        "http://169.254.169.254/latest",
        "http://10.0.0.1/keys",
        "file:///etc/passwd",
        "http://evil.example/keys",
        "not a URL",
    ] {
        let (setup, issuer) = linked(&key).await;
        let document = json!({"issuer": issuer.name(), "jwks_uri": place});
        issuer.answer_discovery(Reply::Json(document));
        let refused = setup.user(&token(&key, &issuer, "u")).await;
        assert_eq!(refused, Err(NoKey::Unreachable.into()), "{place}");
    }
}

#[tokio::test]
async fn a_sample_token_tells_its_issuer_and_audiences_once_it_is_verified() {
    let key = SigningKey::ed25519("k", 1);
    let issuer = FakeIssuer::start(&[&key]).await;
    let setup = Setup::new();
    let mut sample = claims(issuer.name(), "u");
    sample["aud"] = json!(["a", "b"]);
    let verified = setup
        .callers
        .verify_sample(&key.token(&sample))
        .await
        .unwrap();
    assert_eq!(verified.issuer.as_str(), issuer.name());
    let audiences = verified
        .audiences
        .iter()
        .map(guestlist_api::text::Text::as_str);
    assert_eq!(audiences.collect::<Vec<_>>(), ["a", "b"]);
    let forged = SigningKey::ed25519("k", 2).token(&sample);
    assert_eq!(
        setup.callers.verify_sample(&forged).await,
        Err(TokenRefused::Signature.into())
    );
    sample["exp"] = json!(NOW - 100);
    sample["iat"] = json!(NOW - 200);
    assert_eq!(
        setup.callers.verify_sample(&key.token(&sample)).await,
        Err(TokenRefused::Expired.into())
    );
    // It makes nobody a caller.
    let token = key.token(&claims(issuer.name(), "u"));
    assert_eq!(setup.user(&token).await, Err(NotIdentified::UnknownIssuer));
}

#[tokio::test]
async fn s01_a_sample_token_leads_nowhere_inside() {
    let key = SigningKey::ed25519("k", 1);
    let setup = Setup::new();
    for (issuer, expected) in [
        ("http://evil.example", NotAllowed::Scheme),
        ("https://169.254.169.254", NotAllowed::Address),
        ("https://10.0.0.1", NotAllowed::Address),
        ("https://a.example:25", NotAllowed::Port),
        ("https://a.example?x", NotAllowed::Parts),
        ("accounts.google.com", NotAllowed::Malformed),
    ] {
        let sample = key.token(&claims(issuer, "u"));
        let refused = setup.callers.verify_sample(&sample).await;
        assert_eq!(refused, Err(SampleRefused::Issuer(expected)), "{issuer}");
    }
}
