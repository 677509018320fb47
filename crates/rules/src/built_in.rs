//! The built-in roles: the same in every installation, never stored and never changed.

use guestlist_api::roles::{Permission, Role};
use guestlist_api::text::{Description, Name};

/// Everything, and giving everything to others. Held on `*`, it owns the account.
pub const OWNER: &str = "Authress:Owner";
/// Everything, and giving others the right to act, but not to pass that right on.
pub const ADMIN: &str = "Authress:Admin";
/// Reading.
pub const READ_RESOURCE: &str = "Authress:ReadResource";
/// For service clients that sign users in with a password.
pub const AUTHENTICATE_USER: &str = "Authress:AuthenticateUser";

/// A role as it is written down here.
struct Written {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
    grant: bool,
    delegate: bool,
}

const WRITTEN: [Written; 4] = [
    Written {
        id: OWNER,
        name: "Owner",
        description: "Full control, including giving others any of it. On * it is control of the \
                      whole account.",
        actions: &["*"],
        grant: true,
        delegate: true,
    },
    Written {
        id: ADMIN,
        name: "Administrator",
        description: "Every action, and giving others the right to act. Those cannot pass it on.",
        actions: &["*"],
        grant: true,
        delegate: false,
    },
    Written {
        id: READ_RESOURCE,
        name: "Reader",
        description: "Reading: the action read, and read of any one thing, such as accounts:read.",
        actions: &["read", "*:read"],
        grant: false,
        delegate: false,
    },
    Written {
        id: AUTHENTICATE_USER,
        name: "Authenticator",
        description: "For service clients that sign users in with a password. It gives nothing \
                      else.",
        actions: &["authenticate-user"],
        grant: false,
        delegate: false,
    },
];

/// The built-in roles, in the order people should read them (semantics §2, decisions).
pub fn roles() -> impl Iterator<Item = Role> {
    // What is written above is well formed, which a test holds it to.
    WRITTEN.iter().filter_map(Written::role)
}

impl Written {
    fn role(&self) -> Option<Role> {
        let permission = |action: &&str| {
            Some(Permission {
                action: action.parse().ok()?,
                allow: true,
                grant: self.grant,
                delegate: self.delegate,
            })
        };
        Some(Role {
            role_id: self.id.parse().ok()?,
            name: Name::parse(self.name).ok()?,
            description: Some(Description::parse(self.description).ok()?),
            permissions: self.actions.iter().map(permission).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_role_is_well_formed_and_reserved() {
        let ids: Vec<String> = roles().map(|role| role.role_id.to_string()).collect();
        assert_eq!(ids, [OWNER, ADMIN, READ_RESOURCE, AUTHENTICATE_USER]);
        assert!(roles().all(|role| role.role_id.is_reserved()));
    }

    #[test]
    fn they_give_what_the_decisions_say() {
        let flags = |id: &str| {
            let role = roles().find(|role| role.role_id.as_str() == id).unwrap();
            let permissions = role.permissions.iter();
            permissions
                .map(|held| {
                    (
                        held.action.to_string(),
                        held.allow,
                        held.grant,
                        held.delegate,
                    )
                })
                .collect::<Vec<_>>()
        };
        let held = |action: &str, allow, grant, delegate| {
            vec![(action.to_owned(), allow, grant, delegate)]
        };
        assert_eq!(flags(OWNER), held("*", true, true, true));
        assert_eq!(flags(ADMIN), held("*", true, true, false));
        assert_eq!(
            flags(READ_RESOURCE),
            [
                held("read", true, false, false),
                held("*:read", true, false, false)
            ]
            .concat()
        );
        assert_eq!(
            flags(AUTHENTICATE_USER),
            held("authenticate-user", true, false, false)
        );
    }
}
