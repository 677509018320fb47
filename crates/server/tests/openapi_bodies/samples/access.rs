//! The bodies of users and what else concerns who has access.

use guestlist_api::users::{
    LinkedConnection, LinkedIdentity, UserIdentity, UserIdentityCollection,
};
use serde_json::Value;

use super::{id, page, value};

fn user_identity() -> UserIdentity {
    let text = |text: &str| Some(text.to_owned());
    UserIdentity {
        user_id: id("user 1"),
        name: text("User"),
        picture: text("https://guestlist.example/user.png"),
        email: text("user@guestlist.example"),
        linked_identities: vec![LinkedIdentity {
            connection: LinkedConnection {
                connection_id: "con_1".to_owned(),
                user_id: "1".to_owned(),
            },
        }],
    }
}

/// Every answer with all of its members.
pub(super) fn answers() -> Vec<(&'static str, Value)> {
    let (pagination, links) = page();
    let users = UserIdentityCollection {
        users: vec![user_identity()],
        pagination,
        links,
    };
    vec![
        ("UserIdentity", value(user_identity())),
        ("UserIdentityCollection", value(users)),
    ]
}

/// Answers without any member that may be absent.
pub(super) fn bare_answers() -> Vec<(&'static str, Value)> {
    vec![("UserIdentity", value(UserIdentity::new(id("user 1"))))]
}
