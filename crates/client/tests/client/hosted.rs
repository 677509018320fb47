//! Answers of the hosted service (contract §2.2, §2.3, §9.5, §10): other shapes of ids, members that
//! are missing or null, words and members that are not known here.

use guestlist_client::Error;
use guestlist_client::api::accounts::Account;
use guestlist_client::api::clients::{AccessKey, Client};
use guestlist_client::api::groups::{Group, GroupCollection};
use guestlist_client::api::identities::IdentityCollection;
use guestlist_client::api::invites::Invite;
use guestlist_client::api::problems::Problem;
use guestlist_client::api::records::{AccessRecord, AccessRecordCollection, RecordStatus};
use guestlist_client::api::roles::RoleCollection;
use guestlist_client::api::text::OpenEnum;
use guestlist_client::api::users::{PermissionCollection, UserResourcesCollection};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::scripted::{Scripted, Step, answer};

#[track_caller]
fn read<T: DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).unwrap()
}

#[test]
fn invites() {
    let invite: Invite = read(&json!({
        "inviteId": "3f1c2f6e-0000-4b8d-9d5e-1c2f6e3f1c2f",
        "statements": [{
            "roles": ["Authress:ReadResource"],
            "resources": [{"resourceUri": "/projects/*"}],
            "users": [], "groups": null,
        }],
        "conflictResolutionStrategy": "ASK_SOMEBODY",
        "authenticationRequestUri": "https://login.example.com/?request_uri=a",
        "links": {"self": {"href": "https://acc-1.api.authress.io/v1/invites/3f1c", "rel": "self"}},
    }));
    assert_eq!(invite.invite_id.reveal().len(), 36);
    assert!(invite.invite_id.reference().is_none());
    assert_eq!(
        invite.conflict_resolution_strategy,
        OpenEnum::Unknown("ASK_SOMEBODY".to_owned())
    );
    assert_eq!(
        invite.conflict_resolution_strategy.to_string(),
        "ASK_SOMEBODY"
    );
    let least: Invite = read(&json!({"inviteId": "a/b", "statements": null, "links": null}));
    assert!(least.statements.is_empty() && least.expiry_time.is_none());
}

#[test]
fn records() {
    let full = json!({
        "recordId": "rec_1",
        "name": "Editors",
        "description": null,
        "capacity": 0,
        "lastUpdated": "2026-01-02T03:04:05.1234567Z",
        "status": "ARCHIVED",
        "account": {"accountId": "acc-1"},
        "users": null, "admins": null, "groups": null,
        "statements": [],
        "tags": null,
        "links": {"self": null},
        "somethingNew": {"a": [1]},
    });
    let record: AccessRecord = read(&full);
    assert_eq!(record.status.known(), None);
    assert_eq!(record.status.to_string(), "ARCHIVED");
    assert_ne!(record.status, RecordStatus::Active);
    assert_eq!(record.capacity, Some(0.0));
    let least: AccessRecord = read(&json!({
        "recordId": "sc_without_prefix", "name": "A", "statements": [],
        "account": {}, "status": null,
    }));
    assert_eq!(least.status, RecordStatus::Active);
    assert_eq!(least.status.to_string(), "ACTIVE");
    assert!(least.account.is_none() && least.last_updated.is_none());
    let page: AccessRecordCollection = read(&json!({"records": [full], "pagination": null}));
    assert_eq!(page.records.len(), 1);
}

#[test]
fn groups_roles_and_clients() {
    let group = json!({"groupId": "grp_1", "name": "A", "users": null, "admins": []});
    let page: GroupCollection = read(&json!({"groups": [group], "links": {"self": null}}));
    let group: &Group = &page.groups[0];
    assert!(group.users.is_empty() && group.last_updated.is_none());
    let roles: RoleCollection = read(&json!({
        "roles": [{
            "roleId": "Authress:Owner", "name": "Owner", "description": null,
            "permissions": [{"action": "*", "allow": true, "grant": true, "delegate": true}],
        }],
        "links": {"self": {"href": "https://acc-1.api.authress.io/v1/roles"}},
    }));
    assert!(roles.roles[0].permissions[0].delegate);
    let client: Client = read(&json!({
        "clientId": "sc_1", "name": null, "options": null, "rateLimits": null,
        "verificationKeys": [{"keyId": "k1", "publicKey": null}],
    }));
    assert_eq!(client.verification_keys[0].client_id, None);
    let bare: Client = read(&json!({"clientId": "sc_1"}));
    assert!(bare.verification_keys.is_empty() && bare.created_time.is_none());
    let key: AccessKey = read(&json!({"keyId": "k1", "publicKey": "MCow"}));
    assert!(key.client_id.is_none() && key.access_key.is_none());
}

#[test]
fn what_users_hold() {
    let permissions: PermissionCollection = read(&json!({
        "account": {}, "userId": "auth0|1",
        "permissions": [{"action": "READ", "allow": true, "grant": false, "delegate": false}],
    }));
    assert!(permissions.account.is_none());
    let resources: UserResourcesCollection =
        read(&json!({"userId": "auth0|1", "resources": null, "links": {"self": {"href": "x"}}}));
    assert!(resources.resources.is_empty());
    let identities: IdentityCollection =
        read(&json!({"identities": [{"issuer": "https://a.auth0.com/", "audience": "*"}]}));
    let expression = &identities.identities[0].user_id_expression;
    assert_eq!(expression.as_str(), "{sub}");
}

#[test]
fn refusals() {
    let problem: Problem = read(&json!({"title": "AlreadyClaimed", "errorId": null}));
    assert_eq!(
        (problem.title.as_str(), problem.error_id.as_str()),
        ("AlreadyClaimed", "")
    );
}

#[tokio::test]
async fn accounts_are_one_or_many() {
    let long_name = "A name that is longer than thirty-two characters";
    let account = json!({
        "accountId": "acc-1", "createdTime": null, "name": long_name,
        "company": {"name": "Company", "more": {}}, "links": null,
    });
    let many = json!([account.clone(), {"accountId": "acc-2"}]);
    for (accounts, count) in [(account, 1), (many, 2), (json!([]), 0)] {
        let body = json!({ "accounts": accounts }).to_string();
        let server = Scripted::start([answer(200, "", &body)]).await;
        let read: Vec<Account> = server.client().accounts().get_accounts().await.unwrap();
        assert_eq!(read.len(), count);
        if let Some(first) = read.first() {
            assert_eq!(first.name.as_deref(), Some(long_name));
        }
    }
}

#[tokio::test]
async fn accepting_may_be_answered_with_nothing() {
    let id = "abc".parse().unwrap();
    for body in ["", "null", " null\n", "{}"] {
        let server = Scripted::start([answer(200, "", body)]).await;
        let client = server.client();
        let account = client.invites().respond_to_invite(&id).await.unwrap();
        assert!(account.is_none(), "{body}");
    }
    let server = Scripted::start([answer(200, "", r#"{"accountId":"acc-1"}"#)]).await;
    let client = server.client();
    let account = client.invites().respond_to_invite(&id).await.unwrap();
    assert_eq!(account.unwrap().account_id.as_str(), "acc-1");
}

#[tokio::test]
async fn a_check_is_answered_by_a_server_of_the_api_and_not_by_a_web_site() {
    let asked = async |step: Step| {
        let server = Scripted::start([step]).await;
        let client = server.client();
        let (user, resource) = ("bob".parse().unwrap(), "projects/42".parse().unwrap());
        let action = "documents:read".parse().unwrap();
        let permissions = client.user_permissions();
        permissions.is_allowed(&user, &resource, &action).await
    };
    for body in ["", "{}", "null", r#"{"userId":"bob"}"#] {
        assert!(asked(answer(200, "", body)).await.unwrap(), "{body}");
    }
    assert!(!asked(answer(404, "", "")).await.unwrap());
    let page = "<!doctype html><title>Welcome</title>";
    let error = asked(answer(200, "", page)).await.unwrap_err();
    assert!(matches!(error, Error::Decoding(_)), "{error}");
}

#[tokio::test]
async fn any_2xx_is_a_success() {
    let record = r#"{"recordId":"rec_a","name":"A","statements":[]}"#;
    for status in [200, 201, 202] {
        let server = Scripted::start([answer(status, "", record)]).await;
        let client = server.client();
        let request = crate::setup::editor("rec_a", "bob", "projects/1");
        client
            .access_records()
            .create_record(&request)
            .await
            .unwrap();
        let id = "rec_a".parse().unwrap();
        let records = client.access_records();
        records.update_record(&id, &request, None).await.unwrap();
        records.delete_record(&id).await.unwrap();
    }
}
