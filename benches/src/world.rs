//! The people and things of the measurements: a product with organizations of a hundred users and a
//! hundred projects, in which every user has a role on ten projects.
//!
//! Everything follows from a number, so that neither side keeps lists of names.

use std::fmt;

use serde_json::{Value, json};

/// Grants of one user: a grant is one role of one user on one resource.
pub const GRANTS_EACH: usize = 10;
/// What is asked. Both roles allow it.
pub const ACTION: &str = "documents:read";
/// Roles of the users; half of the grants each.
pub const ROLES: [(&str, &[&str]); 2] = [
    ("ro_bench_reader", &["documents:read"]),
    ("ro_bench_writer", &["documents:read", "documents:write"]),
];

const USERS_OF_ORGANIZATION: usize = 100;
const PROJECTS_OF_ORGANIZATION: usize = 100;

/// How many users have this many grants together.
pub const fn users(grants: usize) -> usize {
    grants.div_ceil(GRANTS_EACH)
}

/// A user's id, as issuers write them.
#[derive(Clone, Copy)]
pub struct User(pub usize);

impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ids of real issuers are not in any order, so neither are these (a bijection).
        let scattered = (self.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        write!(formatter, "auth0|{scattered:024x}")
    }
}

/// A project of a user's organization.
#[derive(Clone, Copy)]
pub struct Project {
    organization: usize,
    number: usize,
}

impl User {
    /// One of the ten projects on which the user has a role.
    pub const fn project(self, which: usize) -> Project {
        self.near(which * GRANTS_EACH)
    }

    /// One of the ninety projects on which the user has none.
    pub const fn strange_project(self, which: usize) -> Project {
        self.near(which * GRANTS_EACH + 1 + which % 9)
    }

    const fn near(self, offset: usize) -> Project {
        Project {
            organization: self.0 / USERS_OF_ORGANIZATION,
            number: (self.0 + offset) % PROJECTS_OF_ORGANIZATION,
        }
    }

    /// The access record that gives the user their roles, as it is written through the API: the one
    /// record a person has who accepted invites.
    pub fn record(self) -> Value {
        let (readable, writable): (Vec<usize>, Vec<usize>) =
            (0..GRANTS_EACH).partition(|which| which % 2 == 0);
        let statement = |role: (&str, &[&str]), projects: Vec<usize>| {
            let resources: Vec<Value> = projects
                .into_iter()
                .map(|which| json!({"resourceUri": self.project(which).to_string()}))
                .collect();
            json!({"roles": [role.0], "resources": resources})
        };
        let [reader, writer] = ROLES;
        json!({
            "recordId": format!("rec_bench_{}", self.0),
            "name": format!("What {self} may do"),
            "users": [{"userId": self.to_string()}],
            "statements": [statement(reader, readable), statement(writer, writable)],
        })
    }
}

impl fmt::Display for Project {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            organization,
            number,
        } = self;
        write!(
            formatter,
            "organizations/org-{organization}/projects/{number}"
        )
    }
}

/// A document of a project, percent-encoded for a path: what applications ask about.
pub struct EncodedDocument(pub Project, pub usize);

impl fmt::Display for EncodedDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Project {
            organization,
            number,
        } = self.0;
        write!(
            formatter,
            "organizations%2Forg-{organization}%2Fprojects%2F{number}%2Fdocuments%2F{}",
            self.1
        )
    }
}

/// The id of a user, percent-encoded for a path.
pub struct EncodedUser(pub User);

impl fmt::Display for EncodedUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.to_string();
        formatter.write_str(&id.replace('|', "%7C"))
    }
}

/// A role as it is written through the API.
pub fn role((id, actions): (&str, &[&str])) -> Value {
    let permissions: Vec<Value> = actions
        .iter()
        .map(|action| json!({"action": action, "allow": true, "grant": false, "delegate": false}))
        .collect();
    json!({"roleId": id, "name": id, "permissions": permissions})
}

/// Numbers in no order that are the same in every run (xorshift64).
pub struct Numbers(u64);

impl Numbers {
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`, which is at least 1.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        // Below `limit`, which is a usize.
        usize::try_from((self.0 >> 11) % limit.max(1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{GRANTS_EACH, User};

    #[test]
    fn a_user_has_ten_projects_and_asks_in_vain_about_others() {
        for user in [User(0), User(99), User(12_345)] {
            let all = |of: &dyn Fn(usize) -> String| -> BTreeSet<String> {
                (0..GRANTS_EACH).map(of).collect()
            };
            let own = all(&|which| user.project(which).to_string());
            let strange = all(&|which| user.strange_project(which).to_string());
            assert_eq!((own.len(), strange.len()), (GRANTS_EACH, GRANTS_EACH));
            assert!(own.is_disjoint(&strange));
        }
    }
}
