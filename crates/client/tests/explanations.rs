//! Why somebody may do something, and who may: through the client.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use guestlist_client::api::actions::Action;
use guestlist_client::api::ids::UserId;
use guestlist_client::api::invites::InviteRequest;
use guestlist_client::api::records::AccessRecordRequest;
use guestlist_client::api::resources::ResourceUri;
use guestlist_client::{Client, Credentials, Error, PageQuery};
use guestlist_server::testing::TestServer;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn resource(uri: &str) -> ResourceUri {
    uri.parse().unwrap()
}

fn action(text: &str) -> Action {
    text.parse().unwrap()
}

fn owner(server: &TestServer) -> Client {
    let credentials = Credentials::access_key(server.owner_key()).unwrap();
    Client::new(server.url(), credentials).unwrap()
}

fn caller(server: &TestServer, user: &str) -> Client {
    let token = server.token(user).unwrap();
    Client::new(server.url(), Credentials::token(token)).unwrap()
}

#[tokio::test]
async fn a_yes_is_explained_down_to_its_invite_and_a_no_is_none() {
    let server = TestServer::start().await.unwrap();
    let (owner, bob) = (owner(&server), caller(&server, "google|1/2@x"));
    let invite = json!({"statements": [{"roles": ["ro_editor"],
        "resources": [{"resourceUri": "projects/7"}]}]});
    let invite: InviteRequest = serde_json::from_value(invite).unwrap();
    let invite = owner.invites().create_invite(&invite).await.unwrap();
    bob.invites()
        .respond_to_invite(&invite.invite_id)
        .await
        .unwrap();
    let who = user("google|1/2@x");
    let explain = async |client: &Client, uri: &str, what: &str| {
        let (resource, action) = (resource(uri), action(what));
        let questions = client.user_permissions();
        questions.explain_permission(&who, &resource, &action).await
    };
    let because = explain(&owner, "projects/7/a", "documents:write").await;
    let because = because.unwrap().unwrap();
    assert_eq!(because.role_id.unwrap().as_str(), "ro_editor");
    assert_eq!(because.resource_uri.as_str(), "projects/7");
    assert_eq!(because.action.as_str(), "documents:write");
    assert!(because.record_id.is_some() && because.accepted_time.is_some());
    assert_eq!(because.group_id, None);
    let reference = because.invite_reference.unwrap();
    assert!(
        invite
            .invite_id
            .reveal()
            .starts_with(&format!("inv_{reference}_"))
    );
    // About himself he may ask, and is shown no ids.
    let because = explain(&bob, "projects/7/a", "documents:write").await;
    let because = because.unwrap().unwrap();
    assert_eq!((because.record_id, because.invite_reference), (None, None));
    assert_eq!(because.resource_uri.as_str(), "projects/7");
    let no = explain(&owner, "projects/8", "documents:write").await;
    assert_eq!(no.unwrap(), None);
    let mallory = caller(&server, "mallory");
    let refused = explain(&mallory, "projects/7", "documents:write").await;
    assert_eq!(refused.unwrap_err().status(), Some(403));
}

#[tokio::test]
async fn a_server_that_says_only_yes_is_not_taken_for_one_that_explains() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for body in ["", "{}", r#"{"userId":"bob"}"#] {
        let client = Client::new(&url, Credentials::token("t")).unwrap();
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _read = stream.read(&mut head).await.unwrap();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let (user, resource, action) = (user("bob"), resource("a"), action("read"));
        let questions = client.user_permissions();
        let asking = questions.explain_permission(&user, &resource, &action);
        let (told, ()) = tokio::join!(asking, serving);
        assert!(matches!(told, Err(Error::Decoding(_))), "{body}");
    }
}

#[tokio::test]
async fn everybody_who_may_is_listed_page_by_page() {
    let server = TestServer::start().await.unwrap();
    let owner = owner(&server);
    let users: Vec<_> = (10..55)
        .map(|number| json!({"userId": format!("user {number}")}))
        .collect();
    let record = json!({"recordId": "rec_1", "name": "r", "users": users, "statements": [
        {"roles": ["ro_viewer"], "resources": [{"resourceUri": "projects"}]}]});
    let record: AccessRecordRequest = serde_json::from_value(record).unwrap();
    owner.access_records().create_record(&record).await.unwrap();
    let (uri, read) = (resource("projects/42/x"), action("documents:read"));
    let questions = owner.resource_permissions();
    let all = questions.list_users_who_can(&uri, &read).page_size(7);
    let all = all.try_collect().await.unwrap();
    let ids: Vec<&str> = all.iter().map(|user| user.user_id.as_str()).collect();
    assert!(ids.is_sorted() && ids.len() == 47, "{ids:?}");
    assert_eq!(ids[0], "alice");
    assert_eq!(all[0].roles[0].role_id.as_str(), "ro_manager");
    for id in ids {
        let may = owner
            .user_permissions()
            .is_allowed(&user(id), &uri, &read)
            .await;
        assert!(may.unwrap(), "{id}");
    }
    let query = PageQuery::new().limit(2);
    let page = questions.get_users_who_can(&uri, &read, &query).await;
    let page = page.unwrap();
    assert_eq!(page.users, all[..2]);
    let cursor = page.pagination.unwrap().next.cursor;
    let query = query.cursor(cursor);
    let page = questions.get_users_who_can(&uri, &read, &query).await;
    assert_eq!(page.unwrap().users, all[2..4]);
    // Nobody is named on it itself.
    let named = questions.list_resource_users(&uri).try_collect().await;
    assert!(named.unwrap().is_empty());
}
