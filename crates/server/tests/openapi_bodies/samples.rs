//! Every body of the wire with all of its members.

use guestlist_api::accounts::{Account, AccountCollection, AccountList, AccountReference, Company};
use guestlist_api::clients::{
    AccessKey, AccessKeyRequest, AccessKeyText, Client, ClientCollection, ClientOptions,
    ClientRateLimit, ClientRequest, RateLimitDuration, VerificationKey,
};
use guestlist_api::events::{
    Actor, ActorKind, Event, EventCollection, EventData, EventType, Subject, SubjectKind,
};
use guestlist_api::groups::{Group, GroupCollection, GroupRequest};
use guestlist_api::identities::{Identity, IdentityCollection, IdentityRequest};
use guestlist_api::ids::InviteSecret;
use guestlist_api::invites::{ConflictResolutionStrategy, Invite, InviteRequest, InviteStatement};
use guestlist_api::paging::{CollectionLinks, Link, Links, Pagination, PaginationNext};
use guestlist_api::problems::Problem;
use guestlist_api::records::{
    AccessRecord, AccessRecordCollection, AccessRecordRequest, LinkedGroup, RecordStatus, Resource,
    Statement, User,
};
use guestlist_api::roles::{Permission, Role, RoleCollection, RoleRequest};
use guestlist_api::text::{Bounded, Tags, Text};
use guestlist_api::users::{
    Allowed, Explanation, PermissionCollection, ResourceUsersCollection, UserPermission,
    UserResourcesCollection, UserRole, UserRoleCollection,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{sign_in_samples, webhook_samples};

mod access;
mod invites;

pub(super) fn id<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(json!(text)).unwrap()
}

pub(super) fn name<const MIN: usize, const MAX: usize>() -> Text<MIN, MAX> {
    Text::parse("Name").unwrap()
}

pub(super) fn tags() -> Tags {
    serde_json::from_value(json!({ "colour": "green" })).unwrap()
}

fn one<T, const MIN: usize, const MAX: usize>(item: T) -> Bounded<T, MIN, MAX> {
    Bounded::new(vec![item]).unwrap()
}

fn user() -> User {
    User {
        user_id: id("user 1"),
    }
}

fn linked_group() -> LinkedGroup {
    LinkedGroup {
        group_id: id("grp_1"),
    }
}

fn resource() -> Resource {
    Resource {
        resource_uri: id("/documents/doc_1"),
    }
}

fn statement() -> Statement {
    Statement {
        roles: one(id("ro_1")),
        resources: one(resource()),
        users: one(user()),
        groups: one(linked_group()),
        expiry_time: Some(id("2027-01-02T03:04:05.678Z")),
    }
}

pub(super) fn invite_statement() -> InviteStatement {
    InviteStatement {
        roles: one(id("ro_1")),
        resources: one(resource()),
        users: Bounded::default(),
        groups: Bounded::default(),
    }
}

fn link() -> Link {
    Link {
        href: "https://guestlist.example/v1/records/rec_1".to_owned(),
    }
}

pub(super) fn links() -> Links {
    Links { own: Some(link()) }
}

pub(super) fn page() -> (Option<Pagination>, CollectionLinks) {
    let next = PaginationNext {
        cursor: "abc".to_owned(),
    };
    (
        Some(Pagination { next }),
        CollectionLinks {
            own: Some(link()),
            next: Some(link()),
        },
    )
}

pub(super) fn account_reference() -> AccountReference {
    AccountReference {
        account_id: id("acc-1"),
    }
}

fn account() -> Account {
    Account {
        account_id: id("acc-1"),
        created_time: Some(id("2026-01-02T03:04:05.678Z")),
        name: Some("name".to_owned()),
        company: Company {},
        domain: Some("guestlist.example".to_owned()),
        web_host_fqdn: Some("guestlist.example".to_owned()),
        links: links(),
    }
}

fn record() -> AccessRecord {
    AccessRecord {
        record_id: id("rec_1"),
        name: name(),
        description: Some(name()),
        capacity: Some(0.5),
        last_updated: Some(id("2026-01-02T03:04:05.678Z")),
        status: RecordStatus::Active.into(),
        account: Some(account_reference()),
        users: vec![user()],
        admins: vec![user()],
        groups: vec![linked_group()],
        statements: vec![statement()],
        tags: tags(),
        links: links(),
    }
}

fn group() -> Group {
    Group {
        group_id: id("grp_1"),
        name: name(),
        users: vec![user()],
        admins: vec![user()],
        last_updated: Some(id("2026-01-02T03:04:05.678Z")),
        tags: tags(),
        links: links(),
    }
}

fn permission() -> Permission {
    Permission {
        action: id("documents:read"),
        allow: true,
        grant: false,
        delegate: false,
    }
}

fn role() -> Role {
    Role {
        role_id: id("ro_1"),
        name: name(),
        description: Some(name()),
        permissions: vec![permission()],
    }
}

fn rate_limit() -> ClientRateLimit {
    ClientRateLimit {
        duration: RateLimitDuration::Day,
        quota: Some(100),
    }
}

fn client() -> Client {
    let key = VerificationKey {
        key_id: id("key_1"),
        client_id: Some(id("sc_1")),
        public_key: Some(name()),
        generation_date: Some(id("2026-01-02T03:04:05.678Z")),
    };
    Client {
        client_id: id("sc_1"),
        created_time: Some(id("2026-01-02T03:04:05.678Z")),
        name: Some(name()),
        options: ClientOptions::default(),
        rate_limits: vec![rate_limit()],
        verification_keys: vec![key],
        tags: tags(),
    }
}

fn access_key() -> AccessKey {
    AccessKey {
        key_id: id("key_1"),
        client_id: Some(id("sc_1")),
        generation_date: Some(id("2026-01-02T03:04:05.678Z")),
        public_key: Some(name()),
        access_key: Some(AccessKeyText::new("key".to_owned())),
        client_secret: Some(AccessKeyText::new("key".to_owned())),
    }
}

fn invite() -> Invite {
    let random: Vec<u8> = (0..=255).collect();
    Invite {
        invite_id: InviteSecret::generate(&random).unwrap().into(),
        statements: vec![invite_statement()],
        conflict_resolution_strategy: ConflictResolutionStrategy::default().into(),
        expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
        linked_user_id: Some(id("user_1")),
        default_login_tenant_id: Some(id("tenant_1")),
        tenant_id: Some(id("tenant_1")),
        reference: Some(id("0123456789AB")),
        invitee: Some(invites::invitee()),
        restrictions: Some(invites::restrictions()),
        grant: invites::grant(),
        approval: Some(invites::approval()),
        tags: tags(),
        links: links(),
    }
}

fn invite_request() -> Value {
    let mut invite = value(InviteRequest {
        statements: one(invite_statement()),
        conflict_resolution_strategy: ConflictResolutionStrategy::default(),
        expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
        linked_user_id: Some(id("user_1")),
        default_login_tenant_id: Some(id("tenant_1")),
        tenant_id: Some(id("tenant_1")),
        invitee: Some(invites::invitee()),
        grant: invites::grant(),
        approval: Some(invites::approval()),
        restrictions: Some(invites::restrictions()),
        tags: tags(),
    });
    invite["statements"][0]["users"] = json!([]);
    invite["statements"][0]["groups"] = json!([]);
    invite
}

fn identity() -> Identity {
    Identity {
        issuer: name(),
        audience: name(),
        user_id_expression: "google|{sub}".parse().unwrap(),
    }
}

fn problem() -> Problem {
    Problem {
        kind: "/problems/NotFound".to_owned(),
        title: "There is no such role.".to_owned(),
        status: 404,
        error_code: "NotFound".to_owned(),
        error_id: "abc".to_owned(),
        detail: Some("More".to_owned()),
        error: Some("invalid_client".to_owned()),
        path: Some("roleId".to_owned()),
        refused_rows: vec![invites::refused_row()],
    }
}

pub(super) fn value(body: impl Serialize) -> Value {
    serde_json::to_value(body).unwrap()
}

fn explanation() -> Explanation {
    Explanation {
        record_id: Some(id("rec_1")),
        role_id: Some(id("ro_1")),
        public: true,
        resource_uri: id("documents"),
        action: id("documents:read"),
        group_id: Some(id("grp_1")),
        invite_reference: Some(id("0123456789AB")),
        accepted_time: Some(id("2026-01-02T03:04:05.678Z")),
        expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
    }
}

fn event() -> Event {
    Event {
        revision: 7,
        event_id: id("evt_0123456789abcdef0123456789abcdef"),
        event_type: EventType::ClientKeyCreated,
        event_time: id("2026-01-02T03:04:05.678Z"),
        actor: Actor {
            kind: ActorKind::User,
            id: id("user 1"),
        },
        subject: Subject {
            kind: SubjectKind::Client,
            id: "sc_1".to_owned(),
        },
        request_id: Some("abc".to_owned()),
        data: EventData::of(&json!({ "keyId": "key_1" })).unwrap(),
        hash: Some(id(&"0a".repeat(32))),
    }
}

fn user_roles() -> UserRoleCollection {
    let role = UserRole {
        role_id: id("ro_1"),
        expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
    };
    UserRoleCollection {
        user_id: id("user 1"),
        roles: vec![role],
    }
}

/// Every answer with all of its members. A member that a type gains does not compile here.
#[expect(clippy::too_many_lines, reason = "a list of every answer")]
pub(super) fn answers() -> Vec<(&'static str, Value)> {
    let (pagination, links) = page();
    macro_rules! collection {
        ($type:ident, $list:ident, $item:expr) => {{
            let list = vec![$item];
            let (pagination, links) = page();
            (
                stringify!($type),
                value($type {
                    $list: list,
                    pagination,
                    links,
                }),
            )
        }};
    }
    let mut all = vec![
        ("Invite", value(invite())),
        ("AccessRecord", value(record())),
        ("Group", value(group())),
        ("Role", value(role())),
        ("Client", value(client())),
        ("AccessKey", value(access_key())),
        ("Account", value(account())),
        (
            "AccountCollection",
            value(AccountCollection {
                accounts: account(),
            }),
        ),
        (
            "AccountList",
            value(AccountList {
                accounts: vec![account()],
            }),
        ),
        (
            "IdentityCollection",
            value(IdentityCollection {
                identities: vec![identity()],
            }),
        ),
        ("Problem", value(problem())),
        ("UserRoleCollection", value(user_roles())),
        (
            "PermissionCollection",
            value(PermissionCollection {
                account: Some(account_reference()),
                user_id: id("user 1"),
                permissions: vec![UserPermission {
                    permission: permission(),
                    expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
                }],
            }),
        ),
        (
            "UserResourcesCollection",
            value(UserResourcesCollection {
                account: Some(account_reference()),
                user_id: id("user 1"),
                resources: vec![resource()],
                pagination,
                links,
            }),
        ),
        collection!(ResourceUsersCollection, users, user_roles()),
        collection!(AccessRecordCollection, records, record()),
        collection!(GroupCollection, groups, group()),
        collection!(RoleCollection, roles, role()),
        collection!(ClientCollection, clients, client()),
    ];
    all.extend(further_answers());
    all.extend(sign_in_samples::answers());
    all.extend(webhook_samples::answers());
    all.extend(access::answers());
    all.extend(invites::answers());
    all
}

/// Those that the published API does not have.
fn further_answers() -> [(&'static str, Value); 3] {
    [
        (
            "Allowed",
            value(Allowed {
                because: Some(explanation()),
            }),
        ),
        ("Explanation", value(explanation())),
        (
            "EventCollection",
            value(EventCollection {
                events: vec![event()],
                last_revision: 7,
                last_hash: Some(id(&"0a".repeat(32))),
            }),
        ),
    ]
}

/// A way to read a body as its type does.
pub(super) type Reads = fn(&Value) -> bool;

pub(super) fn reads<T: for<'de> Deserialize<'de>>(body: &Value) -> bool {
    serde_json::from_value::<T>(body.clone()).is_ok()
}

/// Every body that is sent, with all of its members.
pub(super) fn requests() -> Vec<(&'static str, Value, Reads)> {
    let record = AccessRecordRequest {
        record_id: Some(id("rec_1")),
        name: name(),
        description: Some(name()),
        users: one(user()),
        admins: one(user()),
        groups: one(linked_group()),
        statements: one(statement()),
        tags: tags(),
    };
    let group = GroupRequest {
        group_id: Some(id("grp_1")),
        name: name(),
        users: one(user()),
        admins: one(user()),
        tags: tags(),
    };
    let role = RoleRequest {
        role_id: Some(id("ro_1")),
        name: name(),
        description: Some(name()),
        permissions: one(permission()),
    };
    let client = ClientRequest {
        name: Some(name()),
        options: ClientOptions::default(),
        rate_limits: one(rate_limit()),
        tags: tags(),
    };
    let identity = IdentityRequest {
        jwt: Some(name()),
        issuer: Some(name()),
        preferred_audience: Some(name()),
        user_id_expression: Some("{sub}".parse().unwrap()),
    };
    // Written only when it is not empty, but read.
    let mut all: Vec<(&'static str, Value, Reads)> = vec![
        ("InviteRequest", invite_request(), reads::<InviteRequest>),
        (
            "AccessRecordRequest",
            value(record),
            reads::<AccessRecordRequest>,
        ),
        ("GroupRequest", value(group), reads::<GroupRequest>),
        ("RoleRequest", value(role), reads::<RoleRequest>),
        ("ClientRequest", value(client), reads::<ClientRequest>),
        (
            "AccessKeyRequest",
            value(AccessKeyRequest {
                public_key: Some(name()),
            }),
            reads::<AccessKeyRequest>,
        ),
        ("IdentityRequest", value(identity), reads::<IdentityRequest>),
    ];
    all.extend(further_requests());
    all
}

/// Those of the subjects that have a file of their own.
fn further_requests() -> impl Iterator<Item = (&'static str, Value, Reads)> {
    let more = [
        sign_in_samples::requests(),
        access::requests(),
        invites::requests(),
        webhook_samples::requests(),
    ];
    more.into_iter().flatten()
}

/// Answers without any member that may be absent.
pub(super) fn bare_answers() -> Vec<(&'static str, Value)> {
    let bare_record = AccessRecord {
        description: None,
        users: Vec::new(),
        admins: Vec::new(),
        groups: Vec::new(),
        tags: Tags::default(),
        ..record()
    };
    let bare_invite = Invite {
        linked_user_id: None,
        default_login_tenant_id: None,
        tenant_id: None,
        reference: None,
        invitee: None,
        restrictions: None,
        tags: Tags::default(),
        grant: None,
        approval: None,
        ..invite()
    };
    let bare_group = Group {
        users: Vec::new(),
        admins: Vec::new(),
        tags: Tags::default(),
        ..group()
    };
    let bare_role = Role {
        description: None,
        ..role()
    };
    let mut bare = vec![
        ("AccessRecord", value(bare_record)),
        ("Invite", value(bare_invite)),
        ("Group", value(bare_group)),
        ("Role", value(bare_role)),
    ];
    bare.extend(further_bare_answers());
    bare.extend(sign_in_samples::bare_answers());
    bare.extend(webhook_samples::bare_answers());
    bare.extend(access::bare_answers());
    bare.extend(invites::bare_answers());
    bare
}

fn further_bare_answers() -> [(&'static str, Value); 7] {
    let bare_client = Client {
        name: None,
        rate_limits: Vec::new(),
        verification_keys: Vec::new(),
        tags: Tags::default(),
        ..client()
    };
    let links = CollectionLinks {
        own: Some(link()),
        next: None,
    };
    let bare_page = RoleCollection {
        roles: Vec::new(),
        pagination: None,
        links,
    };
    let bare_key = AccessKey {
        public_key: None,
        access_key: None,
        client_secret: None,
        ..access_key()
    };
    let bare_problem = Problem {
        detail: None,
        error: None,
        path: None,
        refused_rows: Vec::new(),
        ..problem()
    };
    let bare_explanation = Explanation {
        public: false,
        record_id: None,
        role_id: None,
        group_id: None,
        invite_reference: None,
        accepted_time: None,
        expiry_time: None,
        ..explanation()
    };
    let bare_event = Event {
        request_id: None,
        hash: None,
        ..event()
    };
    [
        ("Allowed", value(Allowed::default())),
        ("Explanation", value(bare_explanation)),
        ("Event", value(bare_event)),
        ("Client", value(bare_client)),
        ("AccessKey", value(bare_key)),
        ("RoleCollection", value(bare_page)),
        ("Problem", value(bare_problem)),
    ]
}
