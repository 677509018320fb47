//! A permission in a few words.

use guestlist_api::roles::Permission;

/// The action, and what besides doing it is meant.
pub(crate) fn permission_text(permission: &Permission) -> String {
    let action = permission.action.as_str();
    let mut words = Vec::new();
    if !permission.allow {
        words.push("not itself");
    }
    if permission.grant {
        words.push("grant");
    }
    if permission.delegate {
        words.push("delegate");
    }
    if words.is_empty() {
        action.to_owned()
    } else {
        format!("{action} ({})", words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_where_they_are_not_the_usual_ones() {
        let action = || {
            "documents:read"
                .parse::<guestlist_api::actions::Action>()
                .unwrap()
        };
        let usual = Permission::allow(action());
        assert_eq!(permission_text(&usual), "documents:read");
        let most = usual.and_grant().and_delegate();
        assert_eq!(permission_text(&most), "documents:read (grant, delegate)");
        let grants_only = Permission {
            allow: false,
            ..Permission::allow(action()).and_grant()
        };
        assert_eq!(
            permission_text(&grants_only),
            "documents:read (not itself, grant)"
        );
    }
}
