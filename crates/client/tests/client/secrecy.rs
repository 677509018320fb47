//! No token, access key or invite id is ever printed: by no value, and by no error.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};

use guestlist_client::api::clients::AccessKeyRequest;
use guestlist_client::api::identities::IdentityRequest;
use guestlist_client::api::ids::InviteId;
use guestlist_client::api::invites::InviteRequest;
use guestlist_client::{Client, Credentials, Error};

use crate::scripted::{Scripted, Step, answer};
use crate::setup::{server, user};

/// An error with all its reasons, as it is and for debugging.
fn told(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(reason) = source {
        let _ = write!(text, " {reason} {reason:?}");
        source = reason.source();
    }
    text
}

#[track_caller]
fn hides(secret: &str, value: &dyn Debug) {
    let text = format!("{value:?} {value:#?}");
    assert!(!text.contains(secret), "{text}");
}

#[tokio::test]
async fn values_do_not_print_their_secrets() {
    let (server, owner) = server().await;
    let key = server.owner_key().to_owned();
    let private = key.rsplit('.').next().unwrap();
    let credentials = Credentials::access_key(&key).unwrap();
    hides(private, &credentials);
    hides(private, &owner);
    hides(private, &owner.invites());
    hides(private, &owner.roles().list());
    hides(private, &owner.verifier());
    hides(private, &server);
    let token = server.token("bob").unwrap();
    hides(&token, &Credentials::token(token.as_str()));
    hides(&token, &user(&server, "bob"));
    let bob = "bob".parse().unwrap();
    let made = owner.server().create_development_token(&bob).await.unwrap();
    hides(&made.access_token, &made);
    hides("token", &IdentityRequest::sample("a-token").unwrap());

    let invite = owner.invites().create_invite(&InviteRequest::new()).await;
    let invite = invite.unwrap();
    let secret = invite.invite_id.reveal();
    hides(secret, &invite);
    hides(secret, &invite.invite_id);
    assert!(!invite.invite_id.to_string().contains(secret));
    // The control: it is in there, and its public half is printed.
    assert!(serde_json::to_string(&invite).unwrap().contains(secret));
    let reference = invite.invite_id.reference().unwrap().to_string();
    assert!(format!("{invite:?}").contains(&reference));

    let client = owner.credentials().client_id().unwrap().clone();
    let clients = owner.service_clients();
    let request = AccessKeyRequest::new();
    let made = clients.request_access_key(&client, &request).await.unwrap();
    hides(made.access_key.as_ref().unwrap().reveal(), &made);
}

#[tokio::test]
async fn errors_do_not_print_what_was_sent() {
    let secret = "inv_opaque/secret";
    let encoded = "inv_opaque%2Fsecret";
    let id: InviteId = secret.parse().unwrap();
    let quoting = format!(
        r#"{{"title":"No invite {secret} for a-token","detail":"{secret}","path":"/v1/invites/{encoded}","errorCode":"{secret}","errorId":"{secret}"}}"#
    );
    let steps = [
        Step::Close,
        answer(404, "", &quoting),
        answer(500, "", ""),
        answer(200, "", "<html>"),
        answer(302, &format!("Location: /{encoded}\r\n"), ""),
        Step::Hang,
    ];
    for step in steps {
        let server = Scripted::start([step.clone()]).await;
        let builder = server.builder().retries(0);
        let client = builder
            .timeout(std::time::Duration::from_millis(500))
            .build();
        let error = client.unwrap().invites().get_invite(&id).await.unwrap_err();
        let text = told(&error);
        assert!(!text.contains(secret), "{step:?} {text}");
        assert!(!text.contains(encoded), "{step:?} {text}");
        assert!(!text.contains("a-token"), "{step:?} {text}");
        // The control: it was sent.
        let arrived = server.arrived();
        assert!(arrived[0].head.contains(encoded));
        assert_eq!(arrived[0].header("authorization"), Some("Bearer a-token"));
    }
    let quoting = r#"{"title":"Not usable: eyJ.a-sample.x","errorCode":"IssuerNotUsable"}"#;
    let server = Scripted::start([answer(400, "", quoting)]).await;
    let client = server.client();
    let sample = IdentityRequest::sample("eyJ.a-sample.x").unwrap();
    let error = client.accounts().delegate_authentication(&sample).await;
    let text = told(&error.unwrap_err());
    assert!(!text.contains("a-sample"), "{text}");
    assert!(server.arrived()[0].body.contains("a-sample"));

    let unreachable = Client::builder("http://127.0.0.1:1", Credentials::token("a-token"));
    let client = unreachable.retries(0).build().unwrap();
    let error = client.invites().get_invite(&id).await.unwrap_err();
    let text = told(&error);
    assert!(
        !text.contains(encoded) && !text.contains("a-token"),
        "{text}"
    );
}

#[tokio::test]
async fn an_access_key_is_never_sent() {
    let server = Scripted::start([answer(200, "", r#"{"identities":[]}"#)]).await;
    let pkcs8 = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    let key = format!("sc_1.key_1.acc-1.{pkcs8}");
    let credentials = Credentials::access_key(&key).unwrap();
    let client = Client::new(&server.url, credentials).unwrap();
    for _ in 0..2 {
        client.accounts().get_account_identities().await.unwrap();
    }
    let arrived = server.arrived();
    let token = arrived[0].header("authorization").unwrap();
    assert!(token.starts_with("Bearer eyJ"));
    assert_eq!(
        arrived[1].header("authorization"),
        Some(token),
        "it is kept"
    );
    assert!(!arrived[0].head.contains(pkcs8));
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims);
    let claims: serde_json::Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    assert_eq!(claims["iss"], format!("{}/v1/clients/sc_1", server.url));
    assert_eq!(claims["aud"], "acc-1.accounts.authress.io");
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&"sc_1".into(), &"sc_1".into())
    );
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, 24 * 60 * 60);
}

#[tokio::test]
async fn what_is_public_is_asked_for_without_credentials() {
    let server = Scripted::start([answer(200, "", r#"{"status":"ok"}"#)]).await;
    server.client().server().get_health().await.unwrap();
    assert_eq!(server.arrived()[0].header("authorization"), None);
}
