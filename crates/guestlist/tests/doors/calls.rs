//! The calls that every door can make, the table of cases, and what is steady about answers.

use serde_json::Value;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Owner,
    User(&'static str),
    /// The service client that the table has made, with its newest key.
    Machine,
    Nobody,
}

/// What a call comes to. HTTP tells it by the status, the command line by the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Done,
    /// A check that says no.
    No,
    Invalid,
    NotFound,
    Denied,
    Conflict,
}

/// A call, by the words of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    CreateRole {
        id: &'static str,
        allow: &'static str,
    },
    ShowRole(&'static str),
    DeleteRole(&'static str),
    CreateGroup {
        id: &'static str,
        user: &'static str,
    },
    ShowGroup(&'static str),
    DeleteGroup(&'static str),
    CreateRecord {
        id: &'static str,
        user: &'static str,
        role: &'static str,
        resource: &'static str,
    },
    ShowRecord(&'static str),
    ListRecords,
    DeleteRecord(&'static str),
    CreateInvite {
        role: &'static str,
        resource: &'static str,
    },
    ShowInvite,
    AcceptInvite,
    RevokeInvite,
    Check {
        user: &'static str,
        resource: &'static str,
        action: &'static str,
    },
    WhoCan {
        action: &'static str,
        resource: &'static str,
    },
    CreateClient {
        name: &'static str,
    },
    ShowClient,
    CreateKey,
    DeleteKey,
    DeleteClient,
    ListIdentities,
    ShowAccount,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) who: Who,
    pub(crate) call: Call,
    pub(crate) comes_to: Came,
}

/// Bob becomes an editor by an invite of Alice's, and loses it; others may not; a machine comes and
/// goes.
#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    use Call::*;
    use Came::*;
    use Who::*;
    let write = Check { user: "bob", resource: "projects/42", action: "documents:write" };
    let editor = CreateInvite { role: "ro_editor", resource: "projects/42" };
    let record = CreateRecord { id: "rec_ida", user: "ida|1/2", role: "ro_reader", resource: "projects/42/notes" };
    let case = |who, call: &Call, comes_to| Case { who, call: call.clone(), comes_to };
    vec![
        case(Nobody, &ShowAccount, Denied),
        case(Owner, &ShowAccount, Done),
        // Roles, groups and records.
        case(Owner, &CreateRole { id: "ro_reader", allow: "notes:read" }, Done),
        case(Owner, &CreateRole { id: "ro_reader", allow: "notes:read" }, Conflict),
        case(Owner, &CreateRole { id: "ro_bad", allow: "not an action" }, Invalid),
        case(User("mallory"), &CreateRole { id: "ro_mallory", allow: "*" }, Denied),
        case(Owner, &ShowRole("ro_reader"), Done),
        case(Owner, &ShowRole("ro_missing"), NotFound),
        case(Owner, &CreateGroup { id: "grp_team", user: "ida|1/2" }, Done),
        case(Owner, &ShowGroup("grp_team"), Done),
        case(User("mallory"), &ShowGroup("grp_team"), NotFound),
        case(Owner, &record, Done),
        case(Owner, &record, Conflict),
        case(User("mallory"), &record, Denied),
        case(Owner, &ShowRecord("rec_ida"), Done),
        case(Owner, &ListRecords, Done),
        case(Owner, &Check { user: "ida|1/2", resource: "projects/42/notes", action: "notes:read" }, Done),
        case(Owner, &Check { user: "ida|1/2", resource: "projects/42/notes/7", action: "NOTES:READ" }, Done),
        case(Owner, &Check { user: "ida|1/2", resource: "projects/43", action: "notes:read" }, No),
        case(User("mallory"), &Check { user: "ida|1/2", resource: "projects/43", action: "notes:read" }, Denied),
        case(Owner, &WhoCan { action: "notes:read", resource: "projects/42/notes/7" }, Done),
        // The life of an invite.
        case(Owner, &write, No),
        case(User("mallory"), &editor, Denied),
        case(Owner, &CreateInvite { role: "ro_missing", resource: "projects/42" }, Invalid),
        case(User("alice"), &editor, Done),
        case(User("alice"), &ShowInvite, Done),
        case(User("mallory"), &RevokeInvite, NotFound),
        case(Owner, &AcceptInvite, Denied),
        case(User("bob"), &AcceptInvite, Done),
        case(User("bob"), &AcceptInvite, Done),
        case(User("mallory"), &AcceptInvite, NotFound),
        case(Owner, &write, Done),
        case(User("bob"), &write, Done),
        case(Owner, &ShowRecord("bob"), Done),
        case(Owner, &DeleteRecord("bob"), Done),
        case(Owner, &write, No),
        case(User("alice"), &editor, Done),
        case(User("alice"), &RevokeInvite, Done),
        case(User("bob"), &AcceptInvite, NotFound),
        case(User("alice"), &ShowInvite, NotFound),
        // A machine.
        case(User("mallory"), &CreateClient { name: "Billing" }, Denied),
        case(Owner, &CreateClient { name: "Billing" }, Done),
        case(Owner, &CreateKey, Done),
        case(Machine, &ShowAccount, Done),
        case(Machine, &ShowRole("ro_reader"), NotFound),
        case(Owner, &ShowClient, Done),
        case(Owner, &DeleteKey, Done),
        case(Machine, &ShowAccount, Denied),
        case(Owner, &DeleteClient, Done),
        case(Owner, &ShowClient, NotFound),
        case(Owner, &ListIdentities, Done),
        // And all is put away again.
        case(Owner, &DeleteRecord("rec_ida"), Done),
        case(Owner, &DeleteGroup("grp_team"), Done),
        case(Owner, &DeleteRole("ro_reader"), Done),
        case(Owner, &DeleteRole("ro_reader"), NotFound),
    ]
}

/// Members that differ each time. What they hold is checked where it is made.
const UNSTEADY: [&str; 15] = [
    "accessKey",
    "account",
    "accountId",
    "clientId",
    "clientSecret",
    "createdTime",
    "domain",
    "errorId",
    "expiryTime",
    "generationDate",
    "inviteId",
    "keyId",
    "lastUpdated",
    "links",
    "webHostFqdn",
];

/// What was answered, without what differs each time; that it is there stays.
pub(crate) fn steady(mut data: Value) -> Value {
    match &mut data {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if UNSTEADY.contains(&name.as_str()) {
                    *value = Value::String("…".to_owned());
                } else {
                    *value = steady(value.take());
                }
            }
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                *item = steady(item.take());
            }
        }
        Value::String(text) if text.starts_with("sc_") => "sc_…".clone_into(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    data
}

/// What a door tells of an answer, as far as all of them tell it: the command line says in words of
/// its own that something was accepted or is allowed, and shows an invite without what its reader
/// knows.
pub(crate) fn told(call: &Call, data: Value) -> Value {
    let only = |names: &[&str]| {
        if data.is_null() {
            return Value::Null;
        }
        let members = names
            .iter()
            .map(|name| ((*name).to_owned(), data[*name].clone()));
        Value::Object(members.collect())
    };
    match call {
        Call::AcceptInvite | Call::RevokeInvite | Call::Check { .. } => Value::Null,
        Call::CreateInvite { .. } => only(&[
            "inviteId",
            "statements",
            "conflictResolutionStrategy",
            "expiryTime",
        ]),
        Call::ShowInvite => only(&["statements", "conflictResolutionStrategy", "expiryTime"]),
        _ => data,
    }
}
