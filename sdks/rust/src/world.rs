//! What the cases share: the server, its owner, people with tokens, and words for building models.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use authress::models::{
    AccessRecord, Group, IdentityRequest, Invite, InviteStatement, PermissionObject, Resource,
    Role, Statement, User,
};
use authress::{AuthressClient, AuthressSettings};
use serde_json::{Value, json};

use crate::issuer::{Algorithm, Issuer};
use crate::report::{Failure, check};

pub const AUDIENCE: &str = "guestlist-sdk-tests";
pub const READER: &str = "ro_sdk_reader";
pub const EDITOR: &str = "ro_sdk_editor";
/// An id that needs care in a path: a pipe, a slash, an at sign, a plus.
pub const AWKWARD_USER: &str = "google-oauth2|1095/36@x+y";

pub struct World {
    pub url: String,
    pub owner: AuthressClient,
    pub client_id: String,
    pub account_id: String,
    pub state_file: String,
    issuer: OnceCell<Issuer>,
    number: Cell<u32>,
}

impl World {
    pub fn new(url: String, owner_key: &str, state_file: String) -> Self {
        let mut parts = owner_key.split('.');
        let client_id = parts.next().unwrap_or_default().to_owned();
        let account_id = parts.nth(1).unwrap_or_default().to_owned();
        let owner = client(&url, owner_key);
        Self {
            url,
            owner,
            client_id,
            account_id,
            state_file,
            issuer: OnceCell::new(),
            number: Cell::new(0),
        }
    }

    /// A client with any bearer: this SDK sends what it is given, a token or a whole access key.
    pub fn with(&self, bearer: &str) -> AuthressClient {
        client(&self.url, bearer)
    }

    pub fn nobody(&self) -> AuthressClient {
        self.with("")
    }

    /// Starts and links the issuer of another company, and makes the roles that cases give out.
    pub async fn prepare(&self) -> Result<(), Failure> {
        let issuer = Issuer::start(AUDIENCE)?;
        issuer.add_key("first", Algorithm::EdDsa);
        let request = IdentityRequest {
            issuer: Some(Some(issuer.url.clone())),
            preferred_audience: Some(Some(AUDIENCE.to_owned())),
            ..IdentityRequest::default()
        };
        self.owner.accounts.delegate_authentication(request).await?;
        let _first = self.issuer.set(issuer);
        let known = self.owner.roles.get_roles().await?.roles;
        for (id, actions) in [
            (READER, &["documents:read"][..]),
            (EDITOR, &["documents:read", "documents:update"]),
        ] {
            if known.iter().all(|role| role.role_id != id) {
                self.owner.roles.create_role(role(id, actions)).await?;
            }
        }
        Ok(())
    }

    pub fn issuer(&self) -> &Issuer {
        self.issuer.get().expect("prepare comes first")
    }

    /// Somebody who signs in with the linked issuer.
    pub fn person(&self, user_id: &str) -> AuthressClient {
        self.with(&self.issuer().token(user_id))
    }

    /// Somebody with a token of the server itself, as its development mode gives out.
    pub fn local(&self, user_id: &str) -> Result<AuthressClient, Failure> {
        let body = json!({"userId": user_id}).to_string();
        let body = self.exchange("POST /v1/dev/tokens", &body)?;
        check(
            body["expiresIn"]
                .as_i64()
                .is_some_and(|seconds| seconds > 0),
            "expiresIn",
        )?;
        Ok(self.with(body["accessToken"].as_str().unwrap_or_default()))
    }

    /// The operations that the server says it has.
    pub fn built(&self) -> Result<BTreeSet<String>, Failure> {
        let described = self.exchange("GET /openapi.json", "")?;
        let paths = described["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
        let ids = operations.filter_map(|(_, operation)| operation["operationId"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    /// A request that is not the SDK's, for what only this server has.
    fn exchange(&self, line: &str, body: &str) -> Result<Value, Failure> {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        check(head.starts_with("HTTP/1.1 200"), &format!("{line}: {head}"))?;
        Ok(serde_json::from_str(body)?)
    }

    /// Moves the clock of this process and of the server on; in the later phase only.
    pub fn move_clock(&self, seconds: u64) -> Result<(), Failure> {
        let file = crate::setting("GUESTLIST_TEST_CLOCK")?;
        let now: u64 = std::fs::read_to_string(&file)?.parse().unwrap_or_default();
        std::fs::write(file, format!("+{}", now + seconds))?;
        Ok(())
    }

    /// An id that no other case uses.
    pub fn fresh(&self, prefix: &str) -> String {
        self.number.set(self.number.get() + 1);
        format!("{prefix}{}", self.number.get())
    }

    /// Gives a user roles on resources by a record of its own, and answers the record.
    pub async fn give(
        &self,
        user: &str,
        roles: &[&str],
        resources: &[&str],
    ) -> Result<AccessRecord, Failure> {
        let wanted = AccessRecord {
            users: people(&[user]),
            ..record(&self.fresh("rec_given_"), roles, resources)
        };
        Ok(self.owner.access_records.create_record(wanted).await?)
    }

    /// What the owner is told when asking whether a user may do something.
    pub async fn may(&self, user: &str, resource: &str, permission: &str) -> Result<bool, Failure> {
        let ask = self.owner.user_permissions.authorize_user(
            user.to_owned(),
            resource.to_owned(),
            permission.to_owned(),
        );
        match ask.await {
            Ok(()) => Ok(true),
            Err(authress::apis::Error::ResponseError(answer)) if answer.status.as_u16() == 404 => {
                Ok(false)
            }
            Err(other) => Err(other.into()),
        }
    }

    pub async fn reads(&self, user: &str, resource: &str) -> Result<bool, Failure> {
        self.may(user, resource, "documents:read").await
    }

    pub async fn invite(&self, resource: &str) -> Result<String, Failure> {
        let made = self
            .owner
            .access_records
            .create_invite(invite(&[READER], &[resource]))
            .await?;
        Ok(made.invite_id)
    }

    pub async fn records(&self, filter: &str) -> Result<Vec<AccessRecord>, Failure> {
        let params = authress::apis::access_records_api::GetRecordsParams {
            filter: Some(filter.to_owned()),
            ..Default::default()
        };
        Ok(self
            .owner
            .access_records
            .get_records(Some(params))
            .await?
            .records)
    }
}

fn client(url: &str, bearer: &str) -> AuthressClient {
    AuthressClient::new(&AuthressSettings::new(url.to_owned(), bearer.to_owned()))
}

pub fn role(id: &str, actions: &[&str]) -> Role {
    let permission = |action: &&str| PermissionObject {
        action: (*action).to_owned(),
        allow: true,
        grant: false,
        delegate: false,
    };
    Role {
        role_id: id.to_owned(),
        name: "a role of the tests".to_owned(),
        description: None,
        permissions: actions.iter().map(permission).collect(),
    }
}

pub fn people(ids: &[&str]) -> Option<Option<Vec<User>>> {
    Some(Some(users(ids)))
}

pub fn users(ids: &[&str]) -> Vec<User> {
    ids.iter()
        .map(|id| User {
            user_id: (*id).to_owned(),
        })
        .collect()
}

pub fn ids(users: &Option<Option<Vec<User>>>) -> Vec<String> {
    let users = users.clone().flatten().unwrap_or_default();
    users.into_iter().map(|user| user.user_id).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn places(uris: &[&str]) -> Vec<Resource> {
    uris.iter()
        .map(|uri| Resource {
            resource_uri: (*uri).to_owned(),
        })
        .collect()
}

pub fn statement(roles: &[&str], resources: &[&str]) -> Statement {
    Statement {
        roles: owned(roles),
        resources: places(resources),
        users: None,
        groups: None,
    }
}

pub fn record(id: &str, roles: &[&str], resources: &[&str]) -> AccessRecord {
    AccessRecord {
        record_id: Some(id.to_owned()),
        name: "a record of the tests".to_owned(),
        users: people(&["reader"]),
        statements: vec![statement(roles, resources)],
        ..AccessRecord::default()
    }
}

pub fn group(id: Option<&str>, members: &[&str]) -> Group {
    Group {
        group_id: id.map(str::to_owned),
        name: "a group of the tests".to_owned(),
        users: users(members),
        ..Group::default()
    }
}

pub fn invite(roles: &[&str], resources: &[&str]) -> Invite {
    Invite {
        invite_id: String::new(),
        statements: vec![InviteStatement {
            roles: owned(roles),
            resources: places(resources),
        }],
        links: None,
    }
}
