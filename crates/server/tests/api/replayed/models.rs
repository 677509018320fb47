//! The members that the models of the SDKs cannot do without, as the Go SDK checks them: a key that is
//! not there is an error, a null counts as there (contract §2.3).

use serde_json::Value;

/// A member of a model.
struct Member {
    name: &'static str,
    is_required: bool,
    /// The model of the member, or of each of its items.
    model: &'static str,
}

const fn needed(name: &'static str, model: &'static str) -> Member {
    Member {
        name,
        is_required: true,
        model,
    }
}

const fn perhaps(name: &'static str, model: &'static str) -> Member {
    Member {
        name,
        is_required: false,
        model,
    }
}

const TIME: &str = "time";
const ANY: &str = "";

/// Reads a value as the SDK would; says what it would complain about.
pub(super) fn read(model: &str, value: &Value) -> Result<(), String> {
    if value.is_null() || model == ANY {
        return Ok(());
    }
    if model == TIME {
        let text = value.as_str().unwrap_or_default();
        // RFC 3339 with a zone.
        let is_time = text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
        return if is_time {
            Ok(())
        } else {
            Err(format!("{value} is no time"))
        };
    }
    let Some(object) = value.as_object() else {
        return Err(format!("{model} is no object: {value}"));
    };
    for member in members(model) {
        let Some(found) = object.get(member.name) else {
            if member.is_required {
                return Err(format!("{model} without {}: {value}", member.name));
            }
            continue;
        };
        let items = found
            .as_array()
            .map_or(std::slice::from_ref(found), Vec::as_slice);
        for item in items {
            read(member.model, item)?;
        }
    }
    Ok(())
}

const LINKED: Member = perhaps("links", "Links");
const PAGED: Member = needed("links", "CollectionLinks");
const NEXT: Member = perhaps("pagination", "Pagination");

/// Every model by its name.
const MODELS: &[(&str, &[Member])] = &[
    ("Link", &[needed("href", ANY)]),
    ("Links", &[needed("self", "Link")]),
    (
        "CollectionLinks",
        &[needed("self", "Link"), perhaps("next", "Link")],
    ),
    ("Pagination", &[perhaps("next", "PaginationNext")]),
    ("PaginationNext", &[needed("cursor", ANY)]),
    ("User", &[needed("userId", ANY)]),
    ("Resource", &[needed("resourceUri", ANY)]),
    ("LinkedGroup", &[needed("groupId", ANY)]),
    (
        "Statement",
        &[
            needed("roles", ANY),
            needed("resources", "Resource"),
            perhaps("users", "User"),
            perhaps("groups", "LinkedGroup"),
        ],
    ),
    (
        "AccessRecord",
        &[
            needed("recordId", ANY),
            needed("name", ANY),
            needed("statements", "Statement"),
            perhaps("users", "User"),
            perhaps("admins", "User"),
            perhaps("groups", "LinkedGroup"),
            perhaps("account", "AccountReference"),
            perhaps("lastUpdated", TIME),
            LINKED,
        ],
    ),
    ("AccountReference", &[needed("accountId", ANY)]),
    (
        "AccessRecordCollection",
        &[needed("records", "AccessRecord"), PAGED, NEXT],
    ),
    (
        "AccessTemplate",
        &[needed("users", "User"), needed("statements", "Statement")],
    ),
    (
        "AccessRequest",
        &[
            needed("requestId", ANY),
            needed("access", "AccessTemplate"),
            perhaps("lastUpdated", TIME),
            LINKED,
        ],
    ),
    (
        "AccessRequestCollection",
        &[needed("records", "AccessRequest"), PAGED, NEXT],
    ),
    (
        "Account",
        &[
            needed("accountId", ANY),
            needed("createdTime", TIME),
            needed("company", ANY),
            LINKED,
        ],
    ),
    ("AccountCollection", &[needed("accounts", "Account")]),
    (
        "Identity",
        &[needed("issuer", ANY), needed("audience", ANY)],
    ),
    ("IdentityCollection", &[needed("identities", "Identity")]),
    (
        "Invite",
        &[
            needed("inviteId", ANY),
            needed("statements", "Statement"),
            perhaps("expiryTime", TIME),
            LINKED,
        ],
    ),
    (
        "Client",
        &[
            needed("clientId", ANY),
            needed("createdTime", TIME),
            perhaps("verificationKeys", "ClientAccessKey"),
        ],
    ),
    (
        "ClientAccessKey",
        &[
            needed("keyId", ANY),
            needed("clientId", ANY),
            perhaps("generationDate", TIME),
        ],
    ),
    (
        "ClientCollection",
        &[needed("clients", "Client"), PAGED, NEXT],
    ),
    (
        "Group",
        &[
            needed("groupId", ANY),
            needed("name", ANY),
            needed("users", "User"),
            needed("admins", "User"),
            perhaps("lastUpdated", TIME),
            LINKED,
        ],
    ),
    ("GroupCollection", &[needed("groups", "Group"), PAGED, NEXT]),
    (
        "PermissionObject",
        &[
            needed("action", ANY),
            needed("allow", ANY),
            needed("grant", ANY),
            needed("delegate", ANY),
        ],
    ),
    (
        "Role",
        &[
            needed("roleId", ANY),
            needed("name", ANY),
            needed("permissions", "PermissionObject"),
        ],
    ),
    ("RoleCollection", &[needed("roles", "Role"), PAGED, NEXT]),
    (
        "PermissionCollection",
        &[
            needed("userId", ANY),
            needed("permissions", "PermissionObject"),
            perhaps("account", "AccountReference"),
        ],
    ),
    (
        "UserRoleCollection",
        &[needed("userId", ANY), needed("roles", "UserRole")],
    ),
    ("UserRole", &[needed("roleId", ANY)]),
    (
        "UserResourcesCollection",
        &[
            needed("userId", ANY),
            needed("resources", "Resource"),
            PAGED,
            NEXT,
        ],
    ),
    (
        "ResourceUsersCollection",
        &[needed("users", "UserRoleCollection"), PAGED, NEXT],
    ),
    (
        "ResourcePermission",
        &[needed("action", ANY), needed("allow", ANY)],
    ),
    (
        "PermissionedResource",
        &[needed("permissions", "ResourcePermission")],
    ),
    (
        "PermissionedResourceCollection",
        &[needed("resources", "PermissionedResource"), PAGED, NEXT],
    ),
    ("UserIdentity", &[needed("userId", ANY)]),
    (
        "UserIdentityCollection",
        &[needed("users", "UserIdentity"), PAGED, NEXT],
    ),
    (
        "Tenant",
        &[needed("tenantId", ANY), perhaps("createdTime", TIME)],
    ),
    ("TenantCollection", &[needed("tenants", "Tenant")]),
    (
        "Connection",
        &[needed("connectionId", ANY), perhaps("createdTime", TIME)],
    ),
    (
        "ConnectionCollection",
        &[needed("connections", "Connection")],
    ),
    (
        "Extension",
        &[
            needed("extensionId", ANY),
            needed("createdTime", TIME),
            needed("client", "ExtensionClient"),
            perhaps("application", "ExtensionApplication"),
        ],
    ),
    ("ExtensionClient", &[needed("clientId", ANY)]),
    ("ExtensionApplication", &[needed("applicationId", ANY)]),
    ("ExtensionCollection", &[needed("extensions", "Extension")]),
    ("OAuthTokenResponse", &[needed("access_token", ANY)]),
];

fn members(model: &str) -> &'static [Member] {
    let found = MODELS.iter().find(|(name, _)| *name == model);
    found
        .unwrap_or_else(|| panic!("there is no model {model}"))
        .1
}

#[test]
fn an_answer_that_lacks_something_is_found_out() {
    use serde_json::json;
    let good = json!({"records": [{"recordId": "r", "name": "n", "statements": [], "links": null}],
        "links": {"self": null}});
    assert_eq!(read("AccessRecordCollection", &good), Ok(()));
    for (pointer, value) in [
        ("/records/0", json!({"recordId": "r", "name": "n"})),
        ("/records/0/links", json!({})),
        ("/records/0/statements", json!([{"roles": []}])),
        ("/links", json!({})),
        ("/links/self", json!({})),
        ("/records/0/links", json!("x")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(read("AccessRecordCollection", &bad).is_err(), "{bad}");
    }
    assert!(
        read(
            "AccountCollection",
            &json!({"accounts": {"accountId": "a"}})
        )
        .is_err()
    );
    assert!(
        read(
            "Group",
            &json!({"groupId": "g", "name": "n", "users": [], "admins": [],
        "lastUpdated": "2026-01-02T03:04:05.678"})
        )
        .is_err()
    );
}
