//! Users and access requests, against a real server.

use guestlist_client::api::access_requests::{
    AccessRequestAnswer, AccessRequestStatus, NewAccessRequest,
};
use guestlist_client::api::ids::UserId;
use guestlist_client::api::invites::{InviteRequest, InviteStatement};
use guestlist_client::api::records::{AccessRecordRequest, Statement};
use guestlist_client::{Credentials, PageQuery};

use crate::setup::{server, user};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

#[tokio::test]
async fn users() {
    let (server, owner) = server().await;
    let statement = Statement::new(["Authress:Owner"], ["projects/7"]).unwrap();
    let names = ["google|1/2 3", "zoe"];
    for (number, name) in names.into_iter().enumerate() {
        let record = AccessRecordRequest::new("Owners", [statement.clone()])
            .unwrap()
            .record_id(id(&format!("rec_{number}")))
            .user(id::<UserId>(name));
        owner.access_records().create_record(&record).await.unwrap();
    }
    let listed = owner.users().list().try_collect().await.unwrap();
    let listed: Vec<&str> = listed.iter().map(|user| user.user_id.as_str()).collect();
    assert_eq!(listed, ["alice", "google|1/2 3", "zoe"]);
    let page = owner.users().get_users(&PageQuery::new().limit(1)).await;
    assert!(page.unwrap().pagination.is_some());
    let filtered = owner.users().list().filter("GOOGLE").try_collect().await;
    assert_eq!(filtered.unwrap().len(), 1);

    let zoe = user(&server, "zoe");
    let made = InviteRequest::new()
        .statement(InviteStatement::new(["Authress:ReadResource"], ["projects/7"]).unwrap());
    let invite = zoe.invites().create_invite(&made).await.unwrap();
    for name in names {
        let who: UserId = id(name);
        assert_eq!(owner.users().get_user(&who).await.unwrap().user_id, who);
        owner.users().delete_user(&who).await.unwrap();
        let error = owner.users().delete_user(&who).await.unwrap_err();
        assert!(error.is_not_found());
    }
    let accepted = user(&server, "bob")
        .invites()
        .respond_to_invite(&invite.invite_id)
        .await;
    assert_eq!(accepted.unwrap_err().error_code(), Some("InviteRevoked"));
    let nobody = owner.with_credentials(Credentials::none());
    let error = nobody.users().get_users(&PageQuery::new()).await;
    assert_eq!(error.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn access_requests() {
    let (server, owner) = server().await;
    let bob = user(&server, "bob");
    let wanted = Statement::new(["Authress:ReadResource"], ["projects/7"]).unwrap();
    let wanted = NewAccessRequest::new(id::<UserId>("bob"), [wanted]).unwrap();
    let mut asked = Vec::new();
    for _ in 0..3 {
        asked.push(bob.access_requests().create_request(&wanted).await.unwrap());
    }
    let (first, second) = (&asked[0].request_id, &asked[1].request_id);
    let error = user(&server, "carol")
        .access_requests()
        .get_request(first)
        .await;
    assert!(error.unwrap_err().is_not_found());
    let answering = owner.access_requests();
    let approved = AccessRequestAnswer::Approved;
    let given = answering.respond_to_access_request(first, approved).await;
    assert_eq!(given.unwrap().status, AccessRequestStatus::Approved);
    let denied = AccessRequestAnswer::Denied;
    let error = answering.respond_to_access_request(first, denied).await;
    assert_eq!(error.unwrap_err().error_code(), Some("AnsweredOtherwise"));
    answering
        .respond_to_access_request(second, denied)
        .await
        .unwrap();
    let read = bob.access_requests().get_request(second).await.unwrap();
    assert_eq!(read.status, AccessRequestStatus::Denied);
    bob.access_requests()
        .delete_request(&asked[2].request_id)
        .await
        .unwrap();
    let listed = bob
        .access_requests()
        .list()
        .page_size(1)
        .try_collect()
        .await;
    assert_eq!(listed.unwrap().len(), 2);
    for (status, count) in [
        (AccessRequestStatus::Open, 0),
        (AccessRequestStatus::Approved, 1),
        (AccessRequestStatus::Denied, 1),
        (AccessRequestStatus::Deleted, 1),
    ] {
        let listed = answering.list().status(status).try_collect().await;
        assert_eq!(listed.unwrap().len(), count, "{status:?}");
        let page = answering
            .get_requests(Some(status), &PageQuery::new())
            .await;
        assert_eq!(page.unwrap().records.len(), count, "{status:?}");
    }
}
