//! Ids in paths: what is sent, and that a real server reads it as it was meant.

use guestlist_client::Error;
use guestlist_client::api::ids::{InviteId, UserId};
use guestlist_client::api::resources::ResourceUri;

use crate::scripted::{Scripted, answer};
use crate::setup::{editor, server};

#[tokio::test]
async fn everything_that_is_reserved_is_encoded() {
    let server = Scripted::start([answer(200, "", "{}")]).await;
    let client = server.client();
    let user: UserId = "google-oauth2|1095/36@x+y z~:.".parse().unwrap();
    let resource: ResourceUri = "/orgs/a+b/docs/*:d~1=@|".parse().unwrap();
    let action = "READ:*".parse().unwrap();
    let permissions = client.user_permissions();
    permissions
        .authorize_user(&user, &resource, &action)
        .await
        .unwrap();
    let invite: InviteId = "inv/1|2:3~4*5 6'()!?#[]%2F%ä".parse().unwrap();
    client.invites().delete_invite(&invite).await.unwrap();
    let arrived = server.arrived();
    assert_eq!(
        arrived[0].line(),
        "GET /v1/users/google-oauth2%7C1095%2F36%40x%2By%20z~%3A./resources/\
         %2Forgs%2Fa%2Bb%2Fdocs%2F%2A%3Ad~1%3D%40%7C/permissions/READ%3A%2A"
    );
    assert_eq!(
        arrived[1].line(),
        "DELETE /v1/invites/inv%2F1%7C2%3A3~4%2A5%206%27%28%29%21%3F%23%5B%5D%252F%25%C3%A4"
    );
}

#[tokio::test]
async fn ids_that_would_be_folded_away_are_not_sent() {
    let server = Scripted::start([answer(200, "", "{}")]).await;
    let client = server.client();
    for id in [".", ".."] {
        let user: UserId = id.parse().unwrap();
        let resource = "projects/1".parse().unwrap();
        let permissions = client.user_permissions();
        let asked = permissions.get_user_roles_for_resource(&user, &resource);
        assert!(matches!(asked.await, Err(Error::Configuration(_))), "{id}");
        let invite: InviteId = id.parse().unwrap();
        let deleted = client.invites().delete_invite(&invite).await;
        assert!(matches!(deleted, Err(Error::Configuration(_))), "{id}");
    }
    assert_eq!(server.count(), 0);
    // The control: what only looks like them is sent.
    let invite: InviteId = "...".parse().unwrap();
    client.invites().delete_invite(&invite).await.unwrap();
    assert_eq!(server.arrived()[0].line(), "DELETE /v1/invites/...");
}

#[tokio::test]
async fn a_path_under_which_the_server_is_reached_is_kept() {
    let server = Scripted::start([answer(200, "", "{}")]).await;
    let url = format!("{}/guest%20list/", server.url);
    let credentials = guestlist_client::Credentials::none();
    let client = guestlist_client::Client::new(&url, credentials).unwrap();
    let invite: InviteId = "a".parse().unwrap();
    client.invites().delete_invite(&invite).await.unwrap();
    let line = "DELETE /guest%20list/v1/invites/a";
    assert_eq!(server.arrived()[0].line(), line);
}

#[tokio::test]
async fn a_real_server_reads_such_ids_as_they_were_meant() {
    let (_server, owner) = server().await;
    let users = [
        "google-oauth2|1095/36@x+y",
        "a b",
        "a/b",
        "a/resources/b",
        "a:b~2f",
        "...",
        "Authress:ServiceClients/sc_1",
    ];
    let resources = [
        "projects/1",
        "/projects/a+b",
        "projects/a=b@c|d~2F",
        "projects/...",
    ];
    let action = "documents:read".parse().unwrap();
    for (number, user) in users.iter().enumerate() {
        for (other, resource) in resources.iter().enumerate() {
            let request = editor(&format!("rec_{number}_{other}"), user, resource);
            let (user, resource) = (user.parse().unwrap(), resource.parse().unwrap());
            let permissions = owner.user_permissions();
            let before = permissions.is_allowed(&user, &resource, &action).await;
            assert!(!before.unwrap(), "{user} {resource}");
            owner
                .access_records()
                .create_record(&request)
                .await
                .unwrap();
            let after = permissions.is_allowed(&user, &resource, &action).await;
            assert!(after.unwrap(), "{user} {resource}");
            let who = owner.resource_permissions();
            let who = who.list_resource_users(&resource).try_collect().await;
            assert!(
                who.unwrap()
                    .iter()
                    .any(|held| held.user_id.principal() == user.principal())
            );
        }
    }
    // Ids of records have other characters that are special in paths.
    let record = editor("rec_a|b:c~2f", "bob", "projects/1");
    let made = owner.access_records().create_record(&record).await.unwrap();
    owner
        .access_records()
        .get_record(&made.record_id)
        .await
        .unwrap();
}
