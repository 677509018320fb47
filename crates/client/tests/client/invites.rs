//! The whole life of an invite.

use guestlist_client::api::invites::{ConflictResolutionStrategy, InviteRequest, InviteStatement};
use guestlist_client::api::times::Timestamp;

use crate::setup::{now, server, user};

fn editor() -> InviteRequest {
    InviteRequest::new().statement(InviteStatement::new(["ro_editor"], ["projects/42"]).unwrap())
}

#[tokio::test]
async fn an_invite_is_made_read_accepted_and_then_gone() {
    let (server, owner) = server().await;
    let alice = user(&server, "alice");
    let in_two_days = Timestamp::from_milliseconds((now() + 2 * 24 * 60 * 60) * 1000);
    let request = editor()
        .expires(in_two_days)
        .conflict_resolution_strategy(ConflictResolutionStrategy::SkipChanges)
        .linked_user_id("bob".parse().unwrap());
    let made = owner.invites().create_invite(&request).await.unwrap();
    assert_eq!(made.expiry_time, Some(in_two_days));
    assert_eq!(
        made.conflict_resolution_strategy,
        ConflictResolutionStrategy::SkipChanges
    );
    assert_eq!(made.statements, request.statements.to_vec());
    let read = owner.invites().get_invite(&made.invite_id).await.unwrap();
    assert_eq!(read.invite_id.reveal(), made.invite_id.reveal());

    let by_alice = alice.invites().create_invite(&editor()).await.unwrap();
    let bob = user(&server, "bob");
    let question = (
        "bob".parse().unwrap(),
        "projects/42/readme".parse().unwrap(),
        "documents:write".parse().unwrap(),
    );
    let (who, what, action) = &question;
    let permissions = owner.user_permissions();
    assert!(!permissions.is_allowed(who, what, action).await.unwrap());
    for _ in 0..2 {
        let account = bob.invites().respond_to_invite(&by_alice.invite_id).await;
        let account = account.unwrap().unwrap();
        assert_eq!(&account.account_id, server.account_id());
    }
    assert!(permissions.is_allowed(who, what, action).await.unwrap());

    let carol = user(&server, "carol");
    let error = carol.invites().respond_to_invite(&by_alice.invite_id).await;
    assert_eq!(
        error.unwrap_err().error_code(),
        Some("InviteAlreadyAccepted")
    );
    let error = owner.invites().respond_to_invite(&made.invite_id).await;
    assert_eq!(
        error.unwrap_err().error_code(),
        Some("InvalidInviteAcceptor")
    );
    owner
        .invites()
        .delete_invite(&made.invite_id)
        .await
        .unwrap();
    let error = carol.invites().respond_to_invite(&made.invite_id).await;
    assert_eq!(error.unwrap_err().error_code(), Some("InviteRevoked"));
}

#[tokio::test]
async fn the_same_key_gets_the_same_invite() {
    let (_server, owner) = server().await;
    let invites = owner.invites();
    let first = invites.create_invite_once(&editor(), "order-7").await;
    let again = invites.create_invite_once(&editor(), "order-7").await;
    let first = first.unwrap();
    assert_eq!(first.invite_id.reveal(), again.unwrap().invite_id.reveal());
    let other = InviteRequest::new();
    let error = invites.create_invite_once(&other, "order-7").await;
    assert_eq!(
        error.unwrap_err().error_code(),
        Some("IdempotencyKeyReused")
    );
    // The control: without a key of the caller's, each call makes another one.
    let one = invites.create_invite(&editor()).await.unwrap();
    let two = invites.create_invite(&editor()).await.unwrap();
    assert_ne!(one.invite_id.reveal(), two.invite_id.reveal());
}
