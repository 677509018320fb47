//! Service clients: their tokens as the SDKs build them, their raw keys, and what revokes them.

use guestlist_rules::changes::Kind;
use guestlist_server::caller::{CallerKind, NotIdentified};
use guestlist_server::tokens::TokenRefused;
use serde_json::{Value, json};

use crate::fake_issuer::SigningKey;
use crate::setup::{ACCESS_KEY, NOW, PUBLIC_KEY, Setup, headers, stored_client};

const CLIENT: &str = "sc_probe001";

/// Tokens that the official SDKs built with [`ACCESS_KEY`], and the second of their `iat`.
const CAPTURED: [(&str, i64, &str); 3] = [
    (
        "Python 3.1.126",
        1_795_379_945,
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImswMDEiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjE4MTAxL3YxL2NsaWVudHMvc2NfcHJvYmUwMDEiLCJhdWQiOiJhY2MtcHJvYmUxLmFjY291bnRzLmF1dGhyZXNzLmlvIiwiaWF0IjoxNzk1Mzc5OTQ1LCJleHAiOjE3OTU0NjYzNDUsInN1YiI6InNjX3Byb2JlMDAxIiwiY2xpZW50X2lkIjoic2NfcHJvYmUwMDEiLCJzY29wZXMiOiJvcGVuSWQifQ.CzzFM_WvFg7fbhga84lyVKUMB6bxpksFpvSzONWY-1eM8Bs8JeIY-v6GPO7IWe5lVvnWKyYQjZO5AvpACS18CA",
    ),
    (
        "JavaScript 3.x",
        1_795_380_251,
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImswMDEiLCJ0eXAiOiJhdCtqd3QifQ.eyJhdWQiOiJhY2MtcHJvYmUxLmFjY291bnRzLmF1dGhyZXNzLmlvIiwiaXNzIjoiaHR0cDovLzEyNy4wLjAuMToxODEwMi92MS9jbGllbnRzL3NjX3Byb2JlMDAxIiwic3ViIjoic2NfcHJvYmUwMDEiLCJjbGllbnRfaWQiOiJzY19wcm9iZTAwMSIsImlhdCI6MTc5NTM4MDI1MSwiZXhwIjoxNzk1NDY2NjUxLCJzY29wZSI6Im9wZW5pZCJ9.dcEO89B04WY_-Gdm1QIDXhWFy97oINZTWKNX3fI_yKacbgnY0Q4_HkJ1Jto_dJKC52OHS73VeUHUMQKwkteVDw",
    ),
    (
        "JavaScript 2.3.127",
        1_795_380_252,
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImswMDEiLCJ0eXAiOiJhdCtqd3QifQ.eyJhdWQiOiJhY2MtcHJvYmUxLmFjY291bnRzLmF1dGhyZXNzLmlvIiwiaXNzIjoiaHR0cDovLzEyNy4wLjAuMToxODEwMy92MS9jbGllbnRzL3NjX3Byb2JlMDAxIiwic3ViIjoic2NfcHJvYmUwMDEiLCJjbGllbnRfaWQiOiJzY19wcm9iZTAwMSIsImlhdCI6MTc5NTM4MDI1MiwiZXhwIjoxNzk1NDY2NjUyLCJzY29wZSI6Im9wZW5pZCJ9.7PIlupoLe7n24Ko-G9LjpRaH8HmdJTifpnIWBf6WkOo5eXwyAwYpQ-iUBXwoEyp8ABpjoDHsQSpxidcLkDDGBg",
    ),
];

/// A key of the client whose private half the tests hold.
fn key() -> SigningKey {
    SigningKey::ed25519("k002", 9)
}

fn spki(key: &SigningKey) -> String {
    let x = key.jwk()["x"].as_str().unwrap().to_owned();
    // The twelve bytes before the key are sixteen characters, so the texts can be joined.
    format!("MCowBQYDK2VwAyEA{x}")
}

fn setup() -> Setup {
    let setup = Setup::new();
    let other = spki(&key());
    setup.put_client(
        CLIENT,
        &[("k001", PUBLIC_KEY, false), ("k002", &other, true)],
    );
    setup
}

fn client_claims() -> Value {
    json!({
        "iss": format!("https://acc-probe1.api.authress.io/v1/clients/{CLIENT}"),
        "aud": "acc-probe1.accounts.authress.io",
        "sub": CLIENT, "client_id": CLIENT, "iat": NOW, "exp": NOW + 86_400, "scope": "openid",
    })
}

#[tokio::test]
async fn tokens_that_official_sdks_built_are_valid_for_their_day() {
    for (sdk, issued, token) in CAPTURED {
        let setup = setup();
        setup.advance(issued - NOW);
        let caller = setup.identify(token).await.unwrap();
        assert_eq!(caller.user_id.as_str(), CLIENT, "{sdk}");
        assert!(matches!(caller.kind, CallerKind::Client { .. }));
        assert!(setup.is_known(token));
        setup.advance(86_400 + 59);
        assert!(setup.identify(token).await.is_ok(), "{sdk}");
        setup.advance(1);
        assert!(!setup.is_known(token));
        let refused = setup.identify(token).await;
        assert_eq!(refused, Err(TokenRefused::Expired.into()), "{sdk}");
        // A clock that is set back does not make a remembered token valid too early.
        setup.advance(-(86_400 + 60 + 61));
        assert!(setup.identify(token).await.is_err(), "{sdk}");
    }
}

#[tokio::test]
async fn t21_captured_tokens_are_for_their_account_alone() {
    for (sdk, issued, token) in CAPTURED {
        let setup = Setup::with(|settings| settings.account_id = "acc-other".parse().unwrap());
        setup.put_client(CLIENT, &[("k001", PUBLIC_KEY, false)]);
        setup.advance(issued - NOW);
        let refused = setup.identify(token).await;
        assert_eq!(refused, Err(TokenRefused::Audience.into()), "{sdk}");
    }
}

#[tokio::test]
async fn every_shape_in_which_sdks_build_tokens_is_accepted() {
    let setup = setup();
    let with = |changes: Value| {
        let mut claims = client_claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        key().token(&claims)
    };
    for (shape, changes) in [
        (
            "C#",
            json!({"nbf": NOW - 600, "iat": NOW - 600, "scopes": "openid"}),
        ),
        ("Python", json!({"scopes": "openId"})),
        (
            "slashes",
            json!({"iss": format!("http://h:8080///v1/clients/{CLIENT}")}),
        ),
        (
            "path",
            json!({"iss": format!("https://h/x/v1/clients/{CLIENT}")}),
        ),
        (
            "other audience",
            json!({"aud": "https://acc-probe1.api.authress.io"}),
        ),
        ("other suffix", json!({"aud": "acc-probe1.api.authress.io"})),
        ("our URL", json!({"aud": "http://127.0.0.1:8888"})),
    ] {
        assert!(setup.identify(&with(changes)).await.is_ok(), "{shape}");
    }
    let too_long = with(json!({"exp": NOW + 90_001}));
    let refused = setup.identify(&too_long).await;
    assert_eq!(refused, Err(TokenRefused::TooLongLived.into()));
}

#[tokio::test]
async fn t21_a_client_signs_for_itself_and_this_account_only() {
    let setup = setup();
    let strange = SigningKey::ed25519("k009", 10);
    setup.put_client("sc_other", &[("k009", &spki(&strange), true)]);
    let issuer = |client: &str| format!("https://h/v1/clients/{client}");
    let with = |key: &SigningKey, changes: Value| {
        let mut claims = client_claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        key.token(&claims)
    };
    for (token, expected) in [
        (
            with(&key(), json!({"sub": "sc_other"})),
            NotIdentified::OtherSubject,
        ),
        (
            with(&key(), json!({"iss": issuer("sc_other")})),
            NotIdentified::OtherSubject,
        ),
        // The key of one client for the other: unknown there, also under the id of a known one.
        (
            with(
                &key(),
                json!({"iss": issuer("sc_other"), "sub": "sc_other"}),
            ),
            NotIdentified::UnknownKey,
        ),
        (with(&strange, json!({})), NotIdentified::UnknownKey),
        (
            with(&SigningKey::ed25519("k002", 10), json!({})),
            TokenRefused::Signature.into(),
        ),
        (
            with(&key(), json!({"aud": "acc-other.accounts.authress.io"})),
            TokenRefused::Audience.into(),
        ),
        (
            with(&key(), json!({"iss": issuer("sc_x"), "sub": "sc_x"})),
            NotIdentified::UnknownClient,
        ),
        (
            with(&key(), json!({"iss": issuer("a/b"), "sub": "a/b"})),
            NotIdentified::OtherSubject,
        ),
        (
            with(&key(), json!({"iss": issuer(""), "sub": "sc_x"})),
            NotIdentified::OtherSubject,
        ),
        (
            with(&key(), json!({"iss": format!("{}/", issuer(CLIENT))})),
            NotIdentified::OtherSubject,
        ),
    ] {
        assert_eq!(setup.identify(&token).await, Err(expected));
    }
    assert!(setup.identify(&key().token(&client_claims())).await.is_ok());
}

#[tokio::test]
async fn t21_a_revoked_key_is_refused_with_the_next_request() {
    let setup = setup();
    let token = key().token(&client_claims());
    for bearer in [token.as_str(), ACCESS_KEY] {
        assert!(setup.identify(bearer).await.is_ok());
        assert!(setup.is_known(bearer));
    }
    let kept = stored_client(CLIENT, &[("k001", PUBLIC_KEY, false)]);
    setup.commit(|changes| changes.create(&kept).unwrap());
    assert!(!setup.is_known(&token));
    let refused = setup.identify(&token).await;
    assert_eq!(refused, Err(NotIdentified::UnknownKey));
    assert!(setup.identify(ACCESS_KEY).await.is_ok());
    setup.delete(Kind::Client, CLIENT);
    assert!(!setup.is_known(ACCESS_KEY));
    let refused = setup.identify(ACCESS_KEY).await;
    assert_eq!(refused, Err(NotIdentified::UnknownClient));
}

#[tokio::test]
async fn new_options_of_a_client_hold_with_the_next_request() {
    let setup = setup();
    assert!(setup.identify(ACCESS_KEY).await.is_ok());
    let mut changed = stored_client(CLIENT, &[("k001", PUBLIC_KEY, false)]);
    changed.options.grant_user_permissions_access = true;
    setup.commit(|changes| changes.create(&changed).unwrap());
    let caller = setup.identify(ACCESS_KEY).await.unwrap();
    let CallerKind::Client { options, .. } = &caller.kind else {
        panic!("not a client");
    };
    assert!(options.grant_user_permissions_access);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_makes_its_client_unknown() {
    let setup = setup();
    assert!(setup.identify(ACCESS_KEY).await.is_ok());
    let broken = guestlist_rules::changes::Document {
        kind: Kind::Client,
        id: CLIENT.to_owned(),
        facets: Vec::new(),
        body: b"{}".to_vec(),
    };
    let seen = guestlist_rules::changes::Seen {
        value: broken,
        mark: guestlist_rules::changes::Mark(2),
    };
    assert!(setup.known.load(&seen).is_err());
    assert!(!setup.is_known(ACCESS_KEY));
    assert!(setup.identify(ACCESS_KEY).await.is_err());
}

#[tokio::test]
async fn t22_a_raw_access_key_is_its_client_and_nothing_else_is() {
    let setup = setup();
    let own = "MC4CAQAwBQYDK2VwBCIEIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ";
    let caller = setup.identify(ACCESS_KEY).await.unwrap();
    assert_eq!(caller.user_id.as_str(), CLIENT);
    setup.put_client("sc_other", &[("k001", &spki(&key()), false)]);
    let secret = ACCESS_KEY.rsplit_once('.').unwrap().1;
    for (bearer, expected) in [
        (
            ACCESS_KEY.replace("IPTf3", "IPTf4"),
            NotIdentified::WrongSecret,
        ),
        (ACCESS_KEY.replace(secret, own), NotIdentified::WrongSecret),
        (
            ACCESS_KEY.replace(CLIENT, "sc_other"),
            NotIdentified::WrongSecret,
        ),
        (
            ACCESS_KEY.replace(CLIENT, "sc_none"),
            NotIdentified::UnknownClient,
        ),
        (
            ACCESS_KEY.replace("k001", "k009"),
            NotIdentified::UnknownKey,
        ),
        (
            ACCESS_KEY.replace("acc-probe1", "acc-other"),
            NotIdentified::OtherAccount,
        ),
        (
            format!("{CLIENT}.k002.acc-probe1.{own}"),
            NotIdentified::KeptByClient,
        ),
        (
            format!("{ACCESS_KEY}{}", "A".repeat(5000)),
            NotIdentified::NotACredential,
        ),
        (format!("{ACCESS_KEY}.x"), NotIdentified::NotACredential),
        ("a.b.c.d".to_owned(), NotIdentified::NotACredential),
    ] {
        let refused = setup.identify(&bearer).await;
        assert_eq!(refused, Err(expected));
        // Nothing of what was shown is in what is logged.
        assert!(!expected.to_string().contains("MC4C"));
        assert!(!setup.is_known(&bearer));
    }
    // The control: where the same key was not handed in, its raw form is accepted.
    let bearer = format!("sc_other.k001.acc-probe1.{own}");
    assert!(setup.identify(&bearer).await.is_ok());
}

#[tokio::test]
async fn t22_one_setting_turns_raw_keys_off() {
    let setup = Setup::with(|settings| settings.raw_keys = false);
    setup.put_client(CLIENT, &[("k001", PUBLIC_KEY, false)]);
    let refused = setup.identify(ACCESS_KEY).await;
    assert_eq!(refused, Err(NotIdentified::RawKeysOff));
}

#[tokio::test]
async fn t01_without_a_bearer_nobody_is_identified() {
    let setup = setup();
    for (lines, expected) in [
        (vec![], NotIdentified::NoAuthorization),
        (vec![""], NotIdentified::NotBearer),
        (vec!["Bearer"], NotIdentified::NotBearer),
        (vec!["Bearer "], NotIdentified::NotBearer),
        (vec!["Basic c2NfMTpr"], NotIdentified::NotBearer),
        (vec![ACCESS_KEY], NotIdentified::NotBearer),
        (vec!["Bearer undefined"], NotIdentified::NotACredential),
        (vec!["Bearer\u{e9} x"], NotIdentified::NotBearer),
    ] {
        let refused = setup.callers.identify(&headers(&lines)).await;
        assert_eq!(refused, Err(expected), "{lines:?}");
        assert!(setup.callers.identify_known(&headers(&lines)).is_none());
    }
    let long = format!("Bearer {}", "x".repeat(8193));
    let refused = setup.callers.identify(&headers(&[&long])).await;
    assert_eq!(refused, Err(TokenRefused::TooLong.into()));
}

#[tokio::test]
async fn t15_the_scheme_has_any_case_and_one_space() {
    let setup = setup();
    for good in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let headers = headers(&[&format!("{good} {ACCESS_KEY}")]);
        assert!(setup.callers.identify(&headers).await.is_ok(), "{good}");
    }
    for bad in ["Bearer  ", "Bearer\t", "Bearer:", "Bearer, ", " Bearer "] {
        let headers = headers(&[&format!("{bad}{ACCESS_KEY}")]);
        assert!(setup.callers.identify(&headers).await.is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn t24_the_first_line_counts_and_there_is_no_fallback() {
    let setup = setup();
    let user = setup
        .callers
        .development_token(&"u1".parse().unwrap())
        .unwrap();
    let user = format!("Bearer {}", user.access_token);
    let key = format!("Bearer {ACCESS_KEY}");
    let bad = "Bearer x.y.z";
    for (lines, expected) in [
        (vec![user.as_str(), key.as_str()], Some("u1")),
        (vec![user.as_str(), "Bearer"], Some("u1")),
        (vec![key.as_str(), user.as_str()], Some(CLIENT)),
        (vec![bad, key.as_str()], None),
        (vec!["Basic x", key.as_str()], None),
        (vec![key.as_str(), bad], Some(CLIENT)),
    ] {
        let caller = setup.callers.identify(&headers(&lines)).await.ok();
        let found = caller.as_ref().map(|caller| caller.user_id.as_str());
        assert_eq!(found, expected);
    }
}
