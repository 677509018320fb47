//! Access requests: somebody asks for access, somebody else says yes or no (contract §2.2
//! `AccessRequest`).

use serde::{Deserialize, Serialize};

use crate::ids::{InviteReference, RequestId};
use crate::limits;
use crate::paging::{CollectionLinks, Links, Pagination, absent_on_the_last_page};
use crate::records::{Statement, User};
use crate::text::{Bounded, Malformed, OpenEnum, Tags, default_if_null};
use crate::times::Timestamp;

/// Where a request stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AccessRequestStatus {
    /// Nobody has answered it.
    #[default]
    Open,
    /// What it asks for was given.
    Approved,
    Denied,
    /// Taken back; kept so that it can be read.
    Deleted,
}

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AccessRequestAnswer {
    Approved,
    Denied,
}

/// An access request as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequest {
    pub request_id: RequestId,
    #[serde(default, deserialize_with = "default_if_null")]
    pub status: OpenEnum<AccessRequestStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    /// What is asked for.
    pub access: AccessTemplate,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// The invite that was accepted and waits for this: approving gives what the invite holds. An
    /// extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_reference: Option<InviteReference>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// Access that is asked for: roles on resources, all of it for the same users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTemplate {
    pub users: Vec<User>,
    pub statements: Vec<Statement>,
}

/// An access request as it is made. Read-only members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccessRequest {
    pub access: WantedAccess,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// Access to ask for. Its statements name no users and groups of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedAccess {
    pub users: Bounded<User, 1, { limits::ACCESS_REQUEST_USERS }>,
    pub statements: Bounded<Statement, 1, { limits::STATEMENTS }>,
}

impl NewAccessRequest {
    /// Asks for this, of which there must be 1 to 100 statements, for this user.
    ///
    /// # Errors
    ///
    /// If the number of statements is not what it must be.
    pub fn new(
        user: impl Into<User>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            access: WantedAccess {
                users: Bounded::new(vec![user.into()])?,
                statements: Bounded::new(statements.into_iter().collect())?,
            },
            tags: Tags::default(),
        })
    }

    /// Also for this user. At most 100, which the server checks.
    #[must_use]
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.access.users = self.access.users.with(user.into());
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

/// The answer to a request, as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequestResponse {
    pub status: AccessRequestAnswer,
}

/// A page of access requests, under the name that the published API gives to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequestCollection {
    #[serde(default, deserialize_with = "default_if_null")]
    pub records: Vec<AccessRequest>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_as_sdks_send_them_are_read() {
        // The Go SDK sends an empty id, others one of their own.
        for id in ["", "\"requestId\":\"\",", "\"requestId\":\"ignored\","] {
            let text = format!(
                r#"{{{id}"access":{{"users":[{{"userId":"u"}}],"statements":[{{"roles":["ro"],
                "resources":[{{"resourceUri":"a"}}],"users":null,"groups":[]}}]}},"tags":null}}"#
            );
            let read: NewAccessRequest = serde_json::from_str(&text).unwrap();
            let statement = Statement::new(["ro"], ["a"]).unwrap();
            let user: crate::ids::UserId = "u".parse().unwrap();
            assert_eq!(read, NewAccessRequest::new(user, [statement]).unwrap());
        }
        for bad in [
            "{}",
            r#"{"access":{}}"#,
            r#"{"access":{"users":[],"statements":[]}}"#,
        ] {
            assert!(
                serde_json::from_str::<NewAccessRequest>(bad).is_err(),
                "{bad}"
            );
        }
        for bad in ["\"OPEN\"", "\"DELETED\"", "\"approved\"", "null"] {
            let text = format!(r#"{{"status":{bad}}}"#);
            assert!(serde_json::from_str::<AccessRequestResponse>(&text).is_err());
        }
    }
}
