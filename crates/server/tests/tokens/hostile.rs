//! Whatever bytes come: no panic, and nothing that was not signed is ever accepted.

use guestlist_server::access_keys::RawKey;
use guestlist_server::jwks::Keys;
use guestlist_server::tokens::Unverified;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

use crate::fake_issuer::SigningKey;
use crate::forms::{ISSUER, check_with};
use crate::setup::{ACCESS_KEY, NOW, claims};

/// The same cases in every run, so that a failure is one for everybody.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_270_115),
        ..ProptestConfig::default()
    }
}

/// JSON with the names that matter in it.
fn json_text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "alg|kid|typ|crit|jku|iss|sub|aud|exp|iat|nbf|keys|kty|crv|x|y|n|e|use",
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        "EdDSA|RS256|none|OKP|RSA|EC|P-256|Ed25519|k|.{0,10}"
            .prop_map(|text| json!(text).to_string()),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let member = (name.clone(), inner.clone())
            .prop_map(|(name, value)| format!("{}:{value}", json!(name)));
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// A token with a piece replaced, removed or doubled.
fn changed(text: &'static str) -> impl Strategy<Value = String> {
    let place = (0..text.len(), 0..text.len());
    (place, "[A-Za-z0-9._=+/ -]{0,6}").prop_map(move |((one, other), piece)| {
        let (start, end) = (one.min(other), one.max(other));
        let (before, after) = (text.get(..start).unwrap(), text.get(end..).unwrap());
        format!("{before}{piece}{after}")
    })
}

fn good_token() -> &'static str {
    let token = SigningKey::ed25519("k", 1).token(&claims(ISSUER, "u1"));
    Box::leak(token.into_boxed_str())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,200}", start in "[A-Za-z0-9_.-]{0,60}") {
        let _ = Unverified::read(&text).is_ok();
        let _ = Unverified::read(&start).is_ok();
        let _ = RawKey::parse(&text).is_some();
        let _ = RawKey::parse(&start).is_some();
    }

    #[test]
    fn any_json_in_a_signed_token_is_judged_without_a_panic(
        header in json_text(),
        payload in json_text(),
    ) {
        let key = SigningKey::ed25519("k", 1);
        let set = json!({ "keys": [key.jwk()] });
        // None of them has all the claims with the right values.
        prop_assert!(check_with(&set, &key.token_of(&header, &payload), NOW).is_err());
    }

    #[test]
    fn any_key_set_is_read_without_a_panic(keys in prop::collection::vec(json_text(), 0..5)) {
        let set = format!("{{\"keys\":[{}]}}", keys.join(","));
        let read = Keys::read(set.as_bytes(), &mut |_| ());
        if let Ok(read) = read {
            prop_assert!(read.len() <= keys.len());
        }
    }

    #[test]
    fn a_changed_token_is_never_accepted(token in changed(good_token())) {
        let set = json!({ "keys": [SigningKey::ed25519("k", 1).jwk()] });
        let accepted = check_with(&set, &token, NOW).is_ok();
        prop_assert_eq!(accepted, token == good_token());
    }

    #[test]
    fn a_changed_access_key_is_never_that_of_the_public_half(text in changed(ACCESS_KEY)) {
        let good = RawKey::parse(ACCESS_KEY).unwrap();
        let public = guestlist_server::ed25519::PublicKey::from_spki_text(
            &guestlist_api::text::Text::parse(crate::setup::PUBLIC_KEY).unwrap(),
        )
        .unwrap();
        prop_assert!(good.belongs_to(&public));
        if let Some(raw) = RawKey::parse(&text) {
            let same_secret = text.ends_with(ACCESS_KEY.rsplit_once('.').unwrap().1);
            prop_assert_eq!(raw.belongs_to(&public), same_secret);
        }
    }
}
