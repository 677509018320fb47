//! Verifying tokens: good ones of a real server, and crafted ones with the keys of a scripted one.

use guestlist_client::api::ids::UserId;
use guestlist_client::{Client, Credentials, InvalidToken, TokenError, TokenVerifier};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::scripted::{Scripted, Step, answer};
use crate::setup::{now, server, user};

/// A pair made for these tests.
const PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const PUBLIC_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const AUDIENCE: &str = "acc-1.accounts.authress.io";

#[tokio::test]
async fn tokens_of_a_real_server_are_accepted() {
    let (server, owner) = server().await;
    let token = server.token("auth0|a/b").unwrap();
    let verifier = owner.verifier();
    let caller = verifier.verify(&token).await.unwrap();
    assert_eq!(caller.user_id(), &"auth0|a/b".parse::<UserId>().unwrap());
    assert_eq!(caller.issuer(), server.url());
    let audience = format!("{}.accounts.authress.io", server.account_id());
    assert_eq!(caller.audiences().first(), Some(&audience));
    assert_eq!(caller.claim::<String>("scope").as_deref(), Some("openid"));
    assert_eq!(caller.claim::<u8>("scope"), None);
    assert!(caller.expires().milliseconds() > 0);

    // Without an access key the audience has to be said.
    let bob = user(&server, "bob");
    refused(&bob.verifier(), &token, InvalidToken::Audience).await;
    let verifier = bob.verifier().audience(audience);
    verifier.verify(&token).await.unwrap();
    let other = bob.verifier().audience("other");
    refused(&other, &token, InvalidToken::Audience).await;
    let other = verifier.clone().issuer("https://elsewhere");
    let error = other.verify(&token).await;
    assert!(matches!(error, Err(TokenError::Unavailable(_))));
}

#[track_caller]
fn is(error: &TokenError, reason: InvalidToken) {
    let TokenError::Invalid(found) = error else {
        panic!("{error}");
    };
    assert_eq!(*found, reason);
}

async fn refused(verifier: &TokenVerifier, token: &str, reason: InvalidToken) {
    is(&verifier.verify(token).await.unwrap_err(), reason);
}

/// A server whose keys are ours.
struct Issuer {
    server: Scripted,
    verifier: TokenVerifier,
}

fn key_set(keys: &Value) -> Step {
    answer(200, "", &json!({ "keys": keys }).to_string())
}

fn our_key(id: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": id, "x": PUBLIC_X})
}

fn discovery(issuer: &str) -> Step {
    let body = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/openid-configuration/jwks"),
    });
    answer(200, "", &body.to_string())
}

const ISSUER: &str = "https://guestlist.example";

/// Discovery and then keys, as often as they are given.
async fn issuer(answers: impl IntoIterator<Item = Step>) -> Issuer {
    let server = Scripted::start(answers).await;
    let client = Client::builder(&server.url, Credentials::none())
        .retries(0)
        .build()
        .unwrap();
    let verifier = client.verifier().audience(AUDIENCE);
    Issuer { server, verifier }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "bob", "aud": AUDIENCE, "iat": now(), "exp": now() + 600})
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "key_1"})
}

fn encode(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text)
}

/// Signs anything with our key.
fn sign_text(header: &str, claims: &str) -> String {
    use base64::Engine as _;
    let der = base64::engine::general_purpose::STANDARD
        .decode(PRIVATE)
        .unwrap();
    let key = EncodingKey::from_ed_der(&der);
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{signed}.{signature}")
}

fn sign(header: &Value, claims: &Value) -> String {
    sign_text(&header.to_string(), &claims.to_string())
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

async fn usual() -> Issuer {
    issuer([discovery(ISSUER), key_set(&json!([our_key("key_1")]))]).await
}

#[tokio::test]
async fn good_tokens_in_all_their_forms() {
    let issuer = usual().await;
    let good = [
        sign(&header(), &claims()),
        sign(&without(header(), "typ"), &claims()),
        sign(&with(header(), "typ", "jwt".into()), &claims()),
        sign(
            &header(),
            &with(claims(), "aud", json!(["other", AUDIENCE])),
        ),
        sign(&header(), &without(claims(), "iat")),
        sign(&header(), &with(claims(), "iat", (now() + 30).into())),
        sign(&header(), &with(claims(), "nbf", (now() + 30).into())),
        sign(&header(), &with(claims(), "exp", (now() - 30).into())),
    ];
    for token in good {
        let caller = issuer.verifier.verify(&token).await.unwrap();
        assert_eq!(caller.user_id().as_str(), "bob");
    }
    assert_eq!(issuer.server.count(), 2, "keys are asked for once");
    let arrived = issuer.server.arrived();
    assert_eq!(arrived[0].line(), "GET /.well-known/openid-configuration");
    assert_eq!(
        arrived[1].line(),
        "GET /.well-known/openid-configuration/jwks"
    );
}

#[tokio::test]
async fn claims_that_do_not_hold() {
    use InvalidToken::{Audience, Claim, Expired, Issuer, NotYetValid};
    let issuer = usual().await;
    let cases = [
        ("exp", json!(now() - 120), Expired),
        ("exp", json!("2099"), Claim("exp")),
        ("exp", json!(1.5), Claim("exp")),
        ("exp", json!(-1), Claim("exp")),
        ("exp", json!(i64::MAX), Claim("exp")),
        ("iat", json!(now() + 120), NotYetValid),
        ("iat", json!(null), Claim("iat")),
        ("nbf", json!(now() + 120), NotYetValid),
        ("nbf", json!("0"), Claim("nbf")),
        ("aud", json!("other"), Audience),
        ("aud", json!([]), Claim("aud")),
        ("aud", json!([AUDIENCE, 1]), Claim("aud")),
        ("aud", json!({ "a": AUDIENCE }), Claim("aud")),
        ("aud", json!(null), Claim("aud")),
        ("iss", json!("https://elsewhere"), Issuer),
        ("iss", json!([ISSUER]), Claim("iss")),
        ("iss", json!(""), Claim("iss")),
        ("sub", json!(""), Claim("sub")),
        ("sub", json!(7), Claim("sub")),
        ("sub", json!("no user\nid"), Claim("sub")),
    ];
    for (name, value, reason) in cases {
        let token = sign(&header(), &with(claims(), name, value));
        refused(&issuer.verifier, &token, reason).await;
    }
    for name in ["exp", "aud", "iss", "sub"] {
        let token = sign(&header(), &without(claims(), name));
        refused(&issuer.verifier, &token, Claim(name)).await;
    }
}

#[tokio::test]
async fn headers_that_are_not_accepted() {
    let issuer = usual().await;
    let cases = [
        ("alg", json!("none"), "no accepted algorithm"),
        ("alg", json!("NoNe"), "no accepted algorithm"),
        ("alg", json!("HS256"), "no accepted algorithm"),
        ("alg", json!("ES384"), "no accepted algorithm"),
        ("alg", json!(null), "no accepted algorithm"),
        (
            "typ",
            json!("secevent+jwt"),
            "a type that is not an access token's",
        ),
        ("typ", json!(1), "a type that is not an access token's"),
        ("crit", json!(["exp"]), "extensions that must be understood"),
        ("crit", json!(null), "extensions that must be understood"),
        ("jku", json!("https://evil"), "a key of its own"),
        ("jwk", our_key("key_1"), "a key of its own"),
        ("b64", json!(false), "content that is not encoded"),
        ("zip", json!("DEF"), "compressed content"),
        ("kid", json!(""), "no key id"),
        ("kid", json!(1), "no key id"),
    ];
    for (name, value, reason) in cases {
        let token = sign(&with(header(), name, value), &claims());
        refused(&issuer.verifier, &token, InvalidToken::Header(reason)).await;
    }
}

#[tokio::test]
async fn signatures_and_forms_that_do_not_fit() {
    use InvalidToken::{Header as BadHeader, Malformed, Signature, UnknownKey};
    let issuer = usual().await;
    let good = sign(&header(), &claims());
    issuer.verifier.verify(&good).await.unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();

    // The public key as a secret.
    let hs256 = with(header(), "alg", "HS256".into());
    let forged = format!(
        "{}.{}",
        encode(&hs256.to_string()),
        encode(&claims().to_string())
    );
    let secret = EncodingKey::from_secret(PUBLIC_X.as_bytes());
    let tag = jsonwebtoken::crypto::sign(forged.as_bytes(), &secret, Algorithm::HS256).unwrap();
    let token = format!("{forged}.{tag}");
    refused(&issuer.verifier, &token, BadHeader("no accepted algorithm")).await;

    // The key is for one algorithm, whatever the token says.
    let token = sign(&with(header(), "alg", "RS256".into()), &claims());
    refused(&issuer.verifier, &token, UnknownKey).await;

    let somebody_else = with(claims(), "sub", "alice".into()).to_string();
    let swapped = format!("{head}.{}.{signature}", encode(&somebody_else));
    refused(&issuer.verifier, &swapped, Signature).await;
    let other = sign(&header(), &with(claims(), "sub", "alice".into()));
    let (_, others) = other.rsplit_once('.').unwrap();
    refused(&issuer.verifier, &format!("{signed}.{others}"), Signature).await;

    let twice = claims().to_string().replacen('{', r#"{"sub":"alice","#, 1);
    let duplicate = sign_text(&header().to_string(), &twice);
    refused(&issuer.verifier, &duplicate, Malformed).await;
    let long = with(claims(), "more", "x".repeat(8 * 1024).into());
    let malformed = [
        String::new(),
        "a".to_owned(),
        "a.b".to_owned(),
        "..".to_owned(),
        format!("{signed}."),
        format!("{good}="),
        format!("{good}.x"),
        format!(" {good}"),
        format!("Bearer {good}"),
        good.replace('.', ".."),
        sign(&header(), &long),
        sign_text("[]", &claims().to_string()),
        sign_text(&header().to_string(), "null"),
    ];
    for token in malformed {
        refused(&issuer.verifier, &token, Malformed).await;
    }
    let header = Header::new(Algorithm::EdDSA);
    assert!(header.kid.is_none());
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_and_not_with_every_token() {
    let steps = [
        discovery(ISSUER),
        key_set(&json!([our_key("key_0")])),
        discovery(ISSUER),
        key_set(&json!([our_key("key_1")])),
    ];
    let issuer = issuer(steps).await;
    let old = sign(&with(header(), "kid", "key_0".into()), &claims());
    let new = sign(&header(), &claims());
    issuer.verifier.verify(&old).await.unwrap();
    assert_eq!(issuer.server.count(), 2);
    // Keys were asked for a moment ago, so a new one is not looked for yet.
    for _ in 0..20 {
        refused(&issuer.verifier, &new, InvalidToken::UnknownKey).await;
    }
    assert_eq!(issuer.server.count(), 2);
    // After a while it is.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    issuer.verifier.verify(&new).await.unwrap();
    assert_eq!(issuer.server.count(), 4);
    refused(&issuer.verifier, &old, InvalidToken::UnknownKey).await;
    assert_eq!(issuer.server.count(), 4);
}

#[tokio::test]
async fn keys_outlive_an_outage_and_a_first_failure_says_so() {
    let steps = [
        discovery(ISSUER),
        key_set(&json!([our_key("key_1")])),
        answer(500, "", ""),
    ];
    let issuer_up = issuer(steps).await;
    let token = |life: i64| sign(&header(), &with(claims(), "exp", (now() + life).into()));
    issuer_up.verifier.verify(&token(600)).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_hours(2)).await;
    tokio::time::resume();
    issuer_up.verifier.verify(&token(600)).await.unwrap();
    assert_eq!(issuer_up.server.count(), 3);

    let down = issuer([answer(500, "", "")]).await;
    let error = down.verifier.verify(&token(600)).await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable(_)), "{error}");
    let error = down.verifier.verify(&token(600)).await.unwrap_err();
    assert!(matches!(error, TokenError::NotYetAgain), "{error}");
    assert_eq!(down.server.count(), 1);
}

#[tokio::test]
async fn a_silent_server_holds_up_one_caller_and_not_all() {
    let steps = [
        discovery(ISSUER),
        key_set(&json!([our_key("key_1")])),
        Step::Hang,
    ];
    let issuer = issuer(steps).await;
    let token = sign(&header(), &with(claims(), "exp", (now() + 600).into()));
    issuer.verifier.verify(&token).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_hours(2)).await;
    tokio::time::resume();
    let (verifier, same) = (issuer.verifier.clone(), token.clone());
    let asking = tokio::spawn(async move { verifier.verify(&same).await });
    issuer.server.wait_for(3).await;
    // Less than the first one waits.
    let bound = std::time::Duration::from_secs(10);
    let other = tokio::time::timeout(bound, issuer.verifier.verify(&token)).await;
    other.unwrap().unwrap();
    assert!(!asking.is_finished());
    asking.abort();

    // Without older keys: whoever waited for them does not ask again.
    let silent = Scripted::start([Step::Hang]).await;
    let client = Client::builder(&silent.url, Credentials::none())
        .timeout(std::time::Duration::from_millis(1_500))
        .build()
        .unwrap();
    let verifier = client.verifier().audience(AUDIENCE);
    let (first, second) = tokio::join!(verifier.verify(&token), verifier.verify(&token));
    assert!(matches!(first.unwrap_err(), TokenError::Unavailable(_)));
    assert!(matches!(second.unwrap_err(), TokenError::NotYetAgain));
    assert_eq!(silent.count(), 1);
}

#[tokio::test]
async fn discovery_that_leads_elsewhere_is_not_followed() {
    let elsewhere = json!({"issuer": ISSUER, "jwks_uri": "https://elsewhere/jwks"});
    let beside = json!({"issuer": ISSUER, "jwks_uri": "https://guestlist.example.evil/jwks"});
    for body in [elsewhere, beside] {
        let issuer = issuer([answer(200, "", &body.to_string())]).await;
        let error = issuer.verifier.verify(&sign(&header(), &claims())).await;
        assert!(matches!(error, Err(TokenError::Unavailable(_))));
        assert_eq!(issuer.server.count(), 1);
    }
    let other = issuer([discovery("https://elsewhere")]).await;
    let verifier = other.verifier.clone().issuer(ISSUER);
    let error = verifier.verify(&sign(&header(), &claims())).await;
    assert!(matches!(error, Err(TokenError::Unavailable(_))));
}

#[tokio::test]
async fn keys_that_are_of_no_use_are_left_out() {
    let weak_rsa = json!({"kty": "RSA", "kid": "key_1", "n": "AQAB", "e": "AQAB"});
    let encrypts = with(our_key("key_1"), "use", "enc".into());
    let other_algorithm = with(our_key("key_1"), "alg", "ES256".into());
    let symmetric = json!({"kty": "oct", "kid": "key_1", "k": "c2VjcmV0"});
    let short = with(our_key("key_1"), "x", "AAAA".into());
    for key in [
        weak_rsa,
        encrypts,
        other_algorithm,
        symmetric,
        short,
        json!(7),
    ] {
        let issuer = issuer([discovery(ISSUER), key_set(&json!([key]))]).await;
        let token = sign(&header(), &claims());
        refused(&issuer.verifier, &token, InvalidToken::UnknownKey).await;
    }
    // The control: among such, a good one is found.
    let keys = json!([7, {"kty": "oct"}, our_key("key_1"), our_key("key_2")]);
    let issuer = issuer([discovery(ISSUER), key_set(&keys)]).await;
    issuer
        .verifier
        .verify(&sign(&header(), &claims()))
        .await
        .unwrap();
}
