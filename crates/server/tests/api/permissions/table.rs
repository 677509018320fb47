//! Who may do what: every operation, what it needs, and what each kind of caller is answered.
//!
//! This one table is tried cell by cell, and writes the columns on permissions of docs/API.md. A row of
//! an operation that the server does not have yet waits until it has it.

pub(super) mod access;
pub(super) mod service;

/// Something a caller holds: a permission of a role, on a resource.
#[derive(Clone, Copy)]
pub(super) struct Holds {
    pub(super) action: &'static str,
    /// Places in braces are filled as those of the path are.
    pub(super) on: &'static str,
    pub(super) right: Right,
}

/// What somebody may do with a permission.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    Use,
    Give,
    /// Give, and let others give.
    PassOn,
}

const fn may(action: &'static str, on: &'static str) -> Holds {
    Holds {
        action,
        on,
        right: Right::Use,
    }
}

const fn gives(action: &'static str, on: &'static str) -> Holds {
    Holds {
        action,
        on,
        right: Right::Give,
    }
}

const fn passes_on(action: &'static str, on: &'static str) -> Holds {
    Holds {
        action,
        on,
        right: Right::PassOn,
    }
}

/// An operation.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) request: &'static str,
    /// What docs/API.md says; `{exact}` stands for the permission. Empty for the server's own
    /// operations, which its tables do not have.
    pub(super) needs: &'static str,
    /// The permission that is exactly enough, and one whose action and resource are above it.
    pub(super) holds: Option<[Holds; 2]>,
    pub(super) body: &'static str,
    pub(super) expected: Expected,
}

/// The statuses that the callers are answered with.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) nobody: u16,
    /// Signed in, with nothing in the account.
    pub(super) stranger: u16,
    /// With a permission on something else of the service.
    pub(super) neighbour: u16,
    /// With the exact permission, and with one above it; nothing where there is no such permission.
    pub(super) holders: Option<[u16; 2]>,
    pub(super) owner: u16,
}

/// For what is named by the path: strangers must not learn whether it is there.
const fn named(done: u16) -> Expected {
    Expected {
        nobody: 401,
        stranger: 404,
        neighbour: 403,
        holders: Some([done, done]),
        owner: done,
    }
}

/// For what names nothing that could be missing.
const fn plainly(done: u16) -> Expected {
    Expected {
        stranger: 403,
        ..named(done)
    }
}

/// For what everybody who is known may do.
const fn anybody(done: u16) -> Expected {
    Expected {
        nobody: 401,
        stranger: done,
        neighbour: done,
        holders: None,
        owner: done,
    }
}

const PUBLIC: Expected = Expected {
    nobody: 200,
    ..anybody(200)
};

/// An operation that needs a permission.
const fn row(
    operation: &'static str,
    request: &'static str,
    needs: &'static str,
    holds: [Holds; 2],
    body: &'static str,
    expected: Expected,
) -> Row {
    Row {
        operation,
        request,
        needs,
        holds: Some(holds),
        body,
        expected,
    }
}

/// An operation that no permission is needed for.
const fn free(
    operation: &'static str,
    request: &'static str,
    needs: &'static str,
    expected: Expected,
) -> Row {
    Row {
        operation,
        request,
        needs,
        holds: None,
        body: "",
        expected,
    }
}

const SHOWN: &str = "nothing; shows what you may read";

/// Every row, by subject.
pub(super) const TABLE: &[&[Row]] = &[
    access::INVITES,
    access::MORE_INVITES,
    access::RECORDS,
    access::CLAIMS,
    access::REQUESTS,
    access::GROUPS,
    access::ROLES,
    service::CLIENTS,
    access::USERS,
    access::RESOURCES,
    service::TENANTS,
    service::CONNECTIONS,
    service::APPLICATIONS,
    service::EXTENSIONS,
    service::WEBHOOKS,
    service::ACCOUNT,
    service::SERVER,
];
