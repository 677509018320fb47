//! The members that manifests may have, for saying which one was meant.

use super::Kind;

/// What answers have beside what can be written: what `show --yaml` printed is a manifest as soon as
/// it has a kind.
const READ_ONLY: [&str; 7] = [
    "account",
    "capacity",
    "createdTime",
    "lastUpdated",
    "links",
    "status",
    "verificationKeys",
];

const PERMISSION: &[&str] = &["action", "allow", "grant", "delegate"];
const STATEMENT: &[&str] = &["roles", "resources", "users", "groups"];

/// The members at a place; none where nothing is known.
///
/// Only for suggestions: what is unknown is decided by the types of the API themselves.
fn known(kind: Kind, place: &str) -> &'static [&'static str] {
    match (kind, place) {
        (Kind::Role, "") => &["kind", "roleId", "name", "description", "permissions"],
        (Kind::Role, "permissions") => PERMISSION,
        (Kind::Group, "") => &["kind", "groupId", "name", "users", "admins", "tags"],
        (Kind::Client, "") => &["kind", "clientId", "name", "options", "rateLimits", "tags"],
        (Kind::Client, "options") => &["grantUserPermissionsAccess", "grantTokenGeneration"],
        (Kind::Client, "rateLimits") => &["duration", "quota"],
        (Kind::Identity, "") => &["kind", "issuer", "preferredAudience", "userIdExpression"],
        (Kind::Record, "") => &[
            "kind",
            "recordId",
            "name",
            "description",
            "users",
            "admins",
            "groups",
            "statements",
            "tags",
        ],
        (Kind::Record, "statements") => STATEMENT,
        (Kind::Record, place) if place.ends_with("resources") => &["resourceUri"],
        (Kind::Group | Kind::Record, place) if place.ends_with("groups") => &["groupId"],
        (Kind::Group | Kind::Record, _) => &["userId"],
        (Kind::Role | Kind::Client | Kind::Identity, _) => &[],
    }
}

/// Whether a member of the object itself is one that the server makes.
pub(super) fn is_read_only(path: &str) -> bool {
    READ_ONLY.contains(&path)
}

/// `permissions.0.?.action` as people write it: `permissions[0].action`.
pub(crate) fn path(dotted: &str) -> String {
    let mut path = String::new();
    for part in dotted.split('.').filter(|part| *part != "?") {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push('[');
            path.push_str(part);
            path.push(']');
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(part);
        }
    }
    path
}

/// What to say of a member that nothing knows.
pub(super) fn unknown(kind: Kind, path: &str) -> String {
    let (above, member) = path.rsplit_once('.').unwrap_or(("", path));
    let place: String = above
        .split('[')
        .map(|part| part.split_once(']').map_or(part, |(_, after)| after))
        .collect();
    let known = known(kind, &place);
    match nearest(member, known.iter().copied()) {
        Some(meant) => format!("there is no member {path}; did you mean {meant}?"),
        None if known.is_empty() => format!("there is no member {path}"),
        None => format!("there is no member {path}; there are {}", known.join(", ")),
    }
}

/// The word that was probably meant, if one is near enough.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    known
        .map(|candidate| {
            let other = candidate.to_lowercase();
            // `audience` for `preferredAudience`, `AccessRecord` for `Record`.
            let part = lower.len() >= 4 && (other.contains(&lower) || lower.contains(&other));
            let distance = if part { 1 } else { distance(&lower, &other) };
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be changed, added or removed (Levenshtein's distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, character) in one.chars().enumerate() {
        let mut left = row + 1;
        let mut next = vec![left];
        for (candidate, above) in other.iter().zip(last.windows(2)) {
            let (diagonal, up) = match above {
                [diagonal, up] => (*diagonal, *up),
                _ => (left, left),
            };
            let changed = diagonal + usize::from(character != *candidate);
            left = changed.min(up + 1).min(left + 1);
            next.push(left);
        }
        last = next;
    }
    last.last().copied().unwrap_or_default()
}
