//! Users: tokens of linked issuers, how their ids are made, and the server's own tokens.

use guestlist_rules::changes::Kind;
use guestlist_server::caller::{CallerKind, NoDevelopmentToken, NotIdentified};
use guestlist_server::tokens::TokenRefused;
use serde_json::json;

use crate::fake_issuer::{FakeIssuer, SigningKey};
use crate::setup::{AUDIENCE, NOW, PUBLIC_URL, Setup, claims};

async fn linked() -> (Setup, FakeIssuer, SigningKey) {
    let key = SigningKey::ed25519("k", 1);
    let issuer = FakeIssuer::start(&[&key]).await;
    let setup = Setup::new();
    setup.link(issuer.name(), AUDIENCE, "{sub}");
    (setup, issuer, key)
}

#[tokio::test]
async fn a_user_of_a_linked_issuer_is_identified_with_every_algorithm() {
    let keys = [
        SigningKey::ed25519("a", 1),
        SigningKey::p256("b"),
        SigningKey::rsa("c", "RS256"),
        SigningKey::rsa("d", "PS256"),
    ];
    let all: Vec<&SigningKey> = keys.iter().collect();
    let issuer = FakeIssuer::start(&all).await;
    let setup = Setup::new();
    setup.link(issuer.name(), AUDIENCE, "{sub}");
    for key in &keys {
        let token = key.token(&claims(issuer.name(), "google-oauth2|1095/36@x+y"));
        let caller = setup.identify(&token).await.unwrap();
        assert_eq!(caller.user_id.as_str(), "google-oauth2|1095/36@x+y");
        let CallerKind::User { issuer: name, .. } = &caller.kind else {
            panic!("not a user");
        };
        assert_eq!(name.as_str(), issuer.name());
        assert!(setup.is_known(&token));
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn t23_ids_that_only_this_server_gives_are_refused() {
    let (setup, issuer, key) = linked().await;
    let long = "a".repeat(129);
    for (subject, expected) in [
        ("sc_x", NotIdentified::ReservedUserId),
        ("SC_x", NotIdentified::ReservedUserId),
        ("sc_", NotIdentified::ReservedUserId),
        ("Authress:Owner", NotIdentified::ReservedUserId),
        (
            "authress:ServiceClients/sc_x",
            NotIdentified::ReservedUserId,
        ),
        ("AUTHRESS:x", NotIdentified::ReservedUserId),
        ("", TokenRefused::Claim("sub").into()),
        (&long, NotIdentified::NoUserId),
        ("a\0", NotIdentified::NoUserId),
        (" a", NotIdentified::NoUserId),
        ("a\nb", NotIdentified::NoUserId),
        ("ä", NotIdentified::NoUserId),
        (" sc_x", NotIdentified::NoUserId),
    ] {
        let token = key.token(&claims(issuer.name(), subject));
        let refused = setup.user(&token).await;
        assert_eq!(refused, Err(expected), "{subject:?}");
        assert!(!setup.is_known(&token));
    }
    for good in ["a", "scx", "s", "x|sc_x", "Authress", &"a".repeat(128)] {
        let token = key.token(&claims(issuer.name(), good));
        assert_eq!(setup.user(&token).await.unwrap().as_str(), good);
    }
}

#[tokio::test]
async fn t23_an_expression_cannot_be_used_to_make_a_reserved_id() {
    let (setup, issuer, key) = linked().await;
    setup.link(issuer.name(), AUDIENCE, "{a}{b}");
    let with = |a: serde_json::Value, b: serde_json::Value| {
        let mut claims = claims(issuer.name(), "u");
        claims["a"] = a;
        claims["b"] = b;
        key.token(&claims)
    };
    let good = with(json!("x"), json!("y"));
    assert_eq!(setup.user(&good).await.unwrap().as_str(), "xy");
    for (a, b, expected) in [
        (json!("s"), json!("c_x"), NotIdentified::ReservedUserId),
        (
            json!("Auth"),
            json!("ress:x"),
            NotIdentified::ReservedUserId,
        ),
        (json!(""), json!(""), NotIdentified::NoUserId),
        (json!(null), json!("x"), NotIdentified::NoUserId),
        (json!(1), json!("x"), NotIdentified::NoUserId),
        (json!(["x"]), json!("x"), NotIdentified::NoUserId),
    ] {
        assert_eq!(setup.user(&with(a, b)).await, Err(expected));
    }
    let missing = key.token(&claims(issuer.name(), "u"));
    assert_eq!(setup.user(&missing).await, Err(NotIdentified::NoUserId));
}

#[tokio::test]
async fn the_audience_chooses_the_expression() {
    let (setup, issuer, key) = linked().await;
    setup.link(issuer.name(), "https://b", "b|{sub}");
    setup.link(issuer.name(), "https://c", "b|{sub}");
    let token = |audience: serde_json::Value| {
        let mut claims = claims(issuer.name(), "u");
        claims["aud"] = audience;
        key.token(&claims)
    };
    let user = async |audience| {
        let user = setup.user(&token(audience)).await;
        user.map(|user| user.to_string())
    };
    assert_eq!(user(json!(AUDIENCE)).await.unwrap(), "u");
    assert_eq!(user(json!("https://b")).await.unwrap(), "b|u");
    assert_eq!(
        user(json!(["https://b", "https://c"])).await.unwrap(),
        "b|u"
    );
    assert_eq!(
        user(json!([AUDIENCE, "https://b"])).await,
        Err(NotIdentified::AmbiguousUserId)
    );
    assert_eq!(
        user(json!("https://d")).await,
        Err(TokenRefused::Audience.into())
    );
    setup.link(issuer.name(), "*", "any|{sub}");
    assert_eq!(user(json!("https://d")).await.unwrap(), "any|u");
    assert_eq!(user(json!("https://b")).await.unwrap(), "b|u");
}

#[tokio::test]
async fn a_changed_or_removed_link_holds_with_the_next_request() {
    let (setup, issuer, key) = linked().await;
    let token = key.token(&claims(issuer.name(), "u"));
    assert_eq!(setup.user(&token).await.unwrap().as_str(), "u");
    setup.link(issuer.name(), AUDIENCE, "x|{sub}");
    assert!(!setup.is_known(&token));
    assert_eq!(setup.user(&token).await.unwrap().as_str(), "x|u");
    setup.link(issuer.name(), "https://other", "{sub}");
    setup.delete(Kind::Identity, &format!("{}\n{AUDIENCE}", issuer.name()));
    assert_eq!(setup.user(&token).await, Err(TokenRefused::Audience.into()));
    setup.delete(Kind::Identity, &format!("{}\nhttps://other", issuer.name()));
    assert_eq!(setup.user(&token).await, Err(NotIdentified::UnknownIssuer));
}

#[tokio::test]
async fn t10_each_issuer_has_its_own_keys() {
    let (setup, first, key) = linked().await;
    let other = SigningKey::ed25519("k", 2);
    let second = FakeIssuer::start(&[&other]).await;
    setup.link(second.name(), AUDIENCE, "{sub}");
    let forged = key.token(&claims(second.name(), "u"));
    assert_eq!(
        setup.user(&forged).await,
        Err(TokenRefused::Signature.into())
    );
    assert!(
        setup
            .user(&other.token(&claims(second.name(), "u")))
            .await
            .is_ok()
    );
    for name in [
        format!("{}/", first.name()),
        first.name().to_uppercase(),
        format!("{}:80", first.name()),
        "https://evil.example".to_owned(),
    ] {
        let token = key.token(&claims(&name, "u"));
        assert_eq!(setup.user(&token).await, Err(NotIdentified::UnknownIssuer));
    }
    assert_eq!(first.connections(), 0);
}

#[tokio::test]
async fn t05_nothing_a_header_names_is_ever_contacted() {
    let (setup, issuer, key) = linked().await;
    let trap = FakeIssuer::start(&[&key]).await;
    let url = format!("{}/keys", trap.name());
    for name in ["jku", "x5u", "jwk", "x5c"] {
        let mut header = json!({"alg": "EdDSA", "kid": "k"});
        header[name] = if name == "jwk" { key.jwk() } else { json!(url) };
        let payload = claims(issuer.name(), "u").to_string();
        let token = key.token_of(&header.to_string(), &payload);
        assert_eq!(
            setup.user(&token).await,
            Err(TokenRefused::BringsItsKey.into())
        );
    }
    // Nor is an issuer that is not linked.
    let token = key.token(&claims(trap.name(), "u"));
    assert_eq!(setup.user(&token).await, Err(NotIdentified::UnknownIssuer));
    assert_eq!(trap.connections(), 0);
    assert_eq!(issuer.connections(), 0);
}

#[tokio::test]
async fn what_is_refused_anyway_fetches_no_keys() {
    let (setup, issuer, key) = linked().await;
    let mut expired = claims(issuer.name(), "u");
    expired["exp"] = json!(NOW - 61);
    expired["iat"] = json!(NOW - 100);
    assert!(setup.user(&key.token(&expired)).await.is_err());
    let mut other = claims(issuer.name(), "u");
    other["aud"] = json!("x");
    assert!(setup.user(&key.token(&other)).await.is_err());
    assert_eq!(issuer.connections(), 0);
}

#[tokio::test]
async fn own_tokens_are_for_development_alone() {
    let setup = Setup::new();
    let user = "google|1".parse().unwrap();
    let token = setup.callers.development_token(&user).unwrap();
    assert_eq!(token.expires_in, 3600);
    let caller = setup.identify(&token.access_token).await.unwrap();
    assert_eq!(caller.user_id, user);
    setup.advance(3600 + 60);
    assert_eq!(
        setup.user(&token.access_token).await,
        Err(TokenRefused::Expired.into())
    );
    for reserved in ["sc_x", "authress:x", "Authress:ServiceClients/sc_x"] {
        let refused = setup.callers.development_token(&reserved.parse().unwrap());
        assert!(matches!(refused, Err(NoDevelopmentToken::UserId(_))));
    }
    let closed = Setup::with(|settings| settings.development = false);
    let refused = closed.callers.development_token(&user);
    assert!(matches!(refused, Err(NoDevelopmentToken::NotInDevelopment)));
    let signed = closed
        .user_token_key
        .sign(
            PUBLIC_URL,
            "acc-probe1.accounts.authress.io",
            &user,
            None,
            closed.clock.now(),
        )
        .unwrap();
    assert_eq!(
        closed.user(&signed).await,
        Err(NotIdentified::NotInDevelopment)
    );
}

#[tokio::test]
async fn own_tokens_are_checked_like_any_other() {
    let setup = Setup::new();
    let now = setup.clock.now();
    let user = "u".parse().unwrap();
    let sign = |issuer, audience| {
        setup
            .user_token_key
            .sign(issuer, audience, &user, None, now)
            .unwrap()
    };
    let audience = "acc-probe1.accounts.authress.io";
    assert!(setup.user(&sign(PUBLIC_URL, audience)).await.is_ok());
    assert_eq!(
        setup.user(&sign(PUBLIC_URL, "other")).await,
        Err(TokenRefused::Audience.into())
    );
    assert_eq!(
        setup.user(&sign("http://127.0.0.1:8888/", audience)).await,
        Err(NotIdentified::UnknownIssuer)
    );
    let forged = SigningKey::ed25519(&setup.user_token_key.key_set().keys[0].kid, 3);
    let mut claims = claims(PUBLIC_URL, "u");
    claims["aud"] = json!(audience);
    assert_eq!(
        setup.user(&forged.token(&claims)).await,
        Err(TokenRefused::Signature.into())
    );
    let client_key = SigningKey::ed25519("k", 3);
    assert_eq!(
        setup.user(&client_key.token(&claims)).await,
        Err(TokenRefused::WrongKey.into())
    );
}
