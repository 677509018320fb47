//! What can happen to records, groups, roles and resource configurations, and what can be asked, at random.

use guestlist_api::records::Statement;
use guestlist_api::times::Timestamp;
use guestlist_rules::records::StoredRecord;
use proptest::prelude::*;
use proptest::sample::select;

use crate::grants_world::{named, record, statement_for};

pub(crate) const USERS: [&str; 5] = ["u1", "u2", "U1", "sc_1", "Authress:ServiceClients/sc_1"];
pub(crate) const GROUPS: [&str; 3] = ["grp_1", "grp_2", "grp_3"];
pub(crate) const RECORDS: [&str; 4] = ["rec_1", "rec_2", "rec_3", "rec_4"];
const ROLES: [&str; 4] = ["ro_1", "ro_2", "ro_3", "ro_4"];
pub(crate) const NAMED_ROLES: [&str; 9] = [
    "ro_1",
    "ro_2",
    "ro_3",
    "ro_4",
    "Authress:Owner",
    "Authress:Admin",
    "Authress:ReadResource",
    "Authress:AuthenticateUser",
    "ro_dangling",
];
const ACTIONS: [&str; 12] = [
    "*",
    "read",
    "READ",
    "read:*",
    "docs:read",
    "docs",
    "docs:*:x",
    "*:read",
    "Docs:b:x",
    "write",
    "authenticate-user",
    "*:*",
];
const SEGMENTS: [&str; 9] = ["a", "b", "A", "*", "n:a", "n:*", "n:*:b", "*:a", "n:a:b"];
const FIRST_SEGMENTS: [&str; 13] = [
    "a",
    "a",
    "b",
    "A",
    "*",
    "n:a",
    "n:*",
    "*:a",
    "Authress:a",
    "Authress:*",
    "Authress",
    "a",
    "b",
];

/// Statements end, and the clock stands, at one of so few instants that they often meet.
const INSTANTS: i64 = 6;

/// Resources that can be configured.
pub(crate) const CONFIGURABLE: [&str; 6] = ["a", "/a/b/", "A", "n:a", "b/a", "a/n:a:b"];

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Record {
        id: &'static str,
        shape: RecordShape,
    },
    RecordDeleted(&'static str),
    RecordGone(&'static str),
    Group {
        id: &'static str,
        members: Vec<&'static str>,
        admins: Vec<&'static str>,
    },
    GroupGone(&'static str),
    Role {
        id: &'static str,
        permissions: Vec<(&'static str, &'static str)>,
    },
    RoleGone(&'static str),
    Configured {
        resource: &'static str,
        allow: bool,
    },
    ConfigurationGone(&'static str),
    /// The clock says this, which may be earlier than what it said before.
    Clock(i64),
    /// An earlier step is told again, with the mark it had.
    Again(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct RecordShape {
    users: Vec<&'static str>,
    groups: Vec<&'static str>,
    statements: Vec<StatementShape>,
    admins: Vec<&'static str>,
    /// More users and more resources in the first statement, so that their product is large.
    large: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct StatementShape {
    roles: Vec<&'static str>,
    resources: Vec<String>,
    users: Vec<&'static str>,
    groups: Vec<&'static str>,
    ends: Option<i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) who: &'static str,
    pub(crate) resource: String,
    pub(crate) action: &'static str,
    /// What a page begins after, and how long it is.
    pub(crate) page: (Option<String>, usize),
}

fn some<T: Clone + std::fmt::Debug + 'static>(
    all: &'static [T],
    count: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(select(all), count)
}

fn resource() -> impl Strategy<Value = String> {
    let below = prop::collection::vec(select(&SEGMENTS[..]), 0..=2);
    let slashes = (any::<bool>(), any::<bool>());
    (select(&FIRST_SEGMENTS[..]), below, slashes).prop_map(|(first, below, (before, after))| {
        let all = [vec![first], below].concat().join("/");
        let [before, after] = [before, after].map(|slash| if slash { "/" } else { "" });
        // `*` is only ever written alone.
        if all == "*" {
            all
        } else {
            format!("{before}{all}{after}")
        }
    })
}

fn statement_shape() -> impl Strategy<Value = StatementShape> {
    let roles = some(&NAMED_ROLES, 1..=2);
    let resources = prop::collection::vec(resource(), 1..=3);
    let own = prop_oneof![
        Just((vec![], vec![])),
        (some(&USERS, 0..=2), some(&GROUPS, 0..=2)),
    ];
    let ends = prop_oneof![1 => Just(None), 1 => (0..INSTANTS).prop_map(Some)];
    (roles, resources, own, ends).prop_map(|(roles, resources, (users, groups), ends)| {
        StatementShape {
            roles,
            resources,
            users,
            groups,
            ends,
        }
    })
}

fn record_shape() -> impl Strategy<Value = RecordShape> {
    let users = some(&USERS, 0..=2);
    let groups = some(&GROUPS, 0..=2);
    let statements = prop::collection::vec(statement_shape(), 1..=3);
    let admins = some(&USERS, 0..=1);
    let large = prop::bool::weighted(0.2);
    (users, groups, statements, admins, large).prop_map(
        |(users, groups, statements, admins, large)| RecordShape {
            users,
            groups,
            statements,
            admins,
            large,
        },
    )
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let permissions = prop::collection::vec(
        (
            select(&ACTIONS[..]),
            select(&["a", "g", "d", "ag", "ad", "agd", ""][..]),
        ),
        0..=3,
    );
    prop_oneof![
        8 => (select(&RECORDS[..]), record_shape())
            .prop_map(|(id, shape)| Step::Record { id, shape }),
        1 => select(&RECORDS[..]).prop_map(Step::RecordDeleted),
        1 => select(&RECORDS[..]).prop_map(Step::RecordGone),
        4 => (select(&GROUPS[..]), some(&USERS, 0..=3), some(&USERS, 0..=1))
            .prop_map(|(id, members, admins)| Step::Group { id, members, admins }),
        1 => select(&GROUPS[..]).prop_map(Step::GroupGone),
        4 => (select(&ROLES[..]), permissions)
            .prop_map(|(id, permissions)| Step::Role { id, permissions }),
        1 => select(&ROLES[..]).prop_map(Step::RoleGone),
        2 => (select(&CONFIGURABLE[..]), prop::bool::weighted(0.7))
            .prop_map(|(resource, allow)| Step::Configured { resource, allow }),
        1 => select(&CONFIGURABLE[..]).prop_map(Step::ConfigurationGone),
        3 => (0..INSTANTS).prop_map(Step::Clock),
        1 => any::<usize>().prop_map(Step::Again),
    ]
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let after = prop_oneof![3 => Just(None), 1 => resource().prop_map(Some)];
    let resource = prop_oneof![9 => resource(), 1 => Just("large/3".to_owned())];
    (
        select(&USERS[..]),
        resource,
        select(&ACTIONS[..]),
        (after, 0..=4_usize),
    )
        .prop_map(|(who, resource, action, page)| Question {
            who,
            resource,
            action,
            page,
        })
}

/// Names that no question asks for, to make lists long.
fn filler(prefix: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}{number}"))
        .collect()
}

pub(crate) fn record_of(id: &str, shape: &RecordShape) -> StoredRecord {
    let (more_users, more_resources) = if shape.large {
        (filler("x", 12), filler("large/", 20))
    } else {
        (Vec::new(), Vec::new())
    };
    let mut users = shape.users.clone();
    let statements: Vec<Statement> = shape
        .statements
        .iter()
        .enumerate()
        .map(|(position, statement)| {
            let mut resources: Vec<&str> = statement.resources.iter().map(String::as_str).collect();
            let mut own = statement.users.clone();
            let own_more = !own.is_empty() || !statement.groups.is_empty();
            if position == 0 {
                resources.extend(more_resources.iter().map(String::as_str));
            }
            let own: Vec<&str> = if position == 0 && own_more {
                own.drain(..)
                    .chain(more_users.iter().map(String::as_str))
                    .collect()
            } else {
                own
            };
            Statement {
                expiry_time: statement.ends.map(Timestamp::from_milliseconds),
                ..statement_for(&statement.roles, &resources, &own, &statement.groups)
            }
        })
        .collect();
    let users: Vec<&str> = users
        .drain(..)
        .chain(more_users.iter().map(String::as_str))
        .collect();
    StoredRecord {
        admins: named(&shape.admins),
        ..record(id, &users, &shape.groups, statements)
    }
}
