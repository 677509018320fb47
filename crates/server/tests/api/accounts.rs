//! The account through the API.

use serde_json::json;

use crate::world::{ACCOUNT, Engine, World};

#[tokio::test]
async fn the_account_is_an_object_for_typed_sdks_and_a_list_for_javascript() {
    let world = World::new(Engine::Memory).await;
    let owner = world.owner.clone();
    let list = async |agent: &str| {
        let header = [("User-Agent", agent)];
        let target = "/v1/accounts?earliestCacheTime=2026-01-01T00:00:00Z";
        let reply = world.send_with(&owner, "GET", target, &header, None).await;
        reply.expect(200).json()["accounts"].clone()
    };
    let target = format!("/v1/accounts/{ACCOUNT}");
    let account = world.own("GET", &target, None).await.expect(200).json();
    insta::assert_json_snapshot!("account", account);
    assert_eq!(
        list("Authress SDK; Javascript; 3.2.5; app").await,
        json!([account])
    );
    for agent in [
        "Authress SDK; Python; 3.1.112; app",
        "Authress SDK; Go; 0.0.0; app",
        "Authress SDK; Rust; ;",
        "Authress SDK; C#; 2.0;",
        "Authress SDK; Terraform; 1.0;",
        "Javascript",
        "",
    ] {
        assert_eq!(list(agent).await, account, "{agent}");
    }
}

#[tokio::test]
async fn an_account_is_read_by_who_may_read_the_configuration() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give("rec_1", "dave", &["ro_reader"], &["Authress:Configuration"])
        .await;
    world
        .give("rec_2", "erin", &["ro_reader"], &["Authress:Roles"])
        .await;
    let own = format!("/v1/accounts/{ACCOUNT}");
    for (user, status) in [("dave", 200), ("erin", 403), ("mallory", 404)] {
        world.as_user(user, "GET", &own, None).await.expect(status);
    }
    // Another account is nobody's, and case counts.
    for other in ["acc-other", "ACC-WORLD", "%20", "a%2Fb"] {
        let target = format!("/v1/accounts/{other}");
        for credential in [world.owner.clone(), world.token("mallory")] {
            let reply = world.send(&credential, "GET", &target, None).await;
            assert_eq!(reply.expect(404).code(), "NotFound", "{other}");
        }
    }
}
