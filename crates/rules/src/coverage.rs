//! Which resources a resource URI stands for when it is held, segment by segment (semantics §1).
//!
//! `X` stands for `X` and everything below it; so `X/*`, whose last segment may be anything, stands
//! for everything below `X` and not for `X`, and `*` for everything. No segment but the last needs a
//! rule of its own.

use std::borrow::Cow;

use guestlist_api::resources::{ResourceUri, is_reserved};

/// Whether whoever holds a role on `held` holds it on all of `asked`.
///
/// `asked` may have wildcards: then all they stand for must be covered. A wildcard where the
/// namespace stands reaches the service's own resources (`Authress:…`) only through a built-in role;
/// `held_built_in` says whether the held role is one, and `asked_built_in` whether `asked` is meant
/// to reach them (a built-in role is about to be given on it).
pub fn covers(
    held: &ResourceUri,
    held_built_in: bool,
    asked: &ResourceUri,
    asked_built_in: bool,
) -> bool {
    let (held, asked) = (held.canonical(), asked.canonical());
    contains(held, asked) && (held_built_in || !needs_built_in(held, asked, asked_built_in))
}

/// Coverage of canonical resources, apart from the reserved namespace.
pub(crate) fn contains(held: &str, asked: &str) -> bool {
    let mut asked = asked.split('/');
    held.split('/').all(|held| {
        asked
            .next()
            .is_some_and(|asked| segment_contains(held, asked))
    })
}

/// Whether only a built-in role on `held` reaches all of `asked`, given that it contains it.
pub(crate) fn needs_built_in(held: &str, asked: &str, asked_built_in: bool) -> bool {
    begins_with_wildcard(held)
        && (is_reserved(asked) || asked_built_in && begins_with_wildcard(asked))
}

/// Whether a wildcard stands where the namespace would.
pub(crate) fn begins_with_wildcard(canonical: &str) -> bool {
    canonical.split(['/', ':']).next() == Some("*")
}

fn segment_contains(held: &str, asked: &str) -> bool {
    if held == "*" || held == asked {
        return true;
    }
    if asked == "*" {
        return false;
    }
    let mut asked = asked.split(':');
    let mut held = held.split(':').peekable();
    while let Some(part) = held.next() {
        let Some(asked_part) = asked.next() else {
            return false;
        };
        if part == "*" && held.peek().is_none() {
            return true;
        }
        // A last `*` of `asked` stands for several parts; then `held` has more parts and fails in
        // the next turn, or its last one is no wildcard and fails here.
        if part != "*" && part != asked_part {
            return false;
        }
    }
    asked.next().is_none()
}

/// The segment that stands for what both segments stand for.
pub(crate) fn common_segment<'a>(one: &'a str, other: &'a str) -> Option<Cow<'a, str>> {
    if segment_contains(one, other) {
        return Some(Cow::Borrowed(other));
    }
    if segment_contains(other, one) {
        return Some(Cow::Borrowed(one));
    }
    let (ones, others): (Vec<&str>, Vec<&str>) =
        (one.split(':').collect(), other.split(':').collect());
    let mut common: Vec<&str> = Vec::new();
    for position in 0.. {
        let (here, there) = (ones.get(position), others.get(position));
        match (here, there) {
            (Some(&"*"), Some(_)) if position + 1 == ones.len() => {
                common.extend(others.iter().skip(position));
                break;
            }
            (Some(_), Some(&"*")) if position + 1 == others.len() => {
                common.extend(ones.iter().skip(position));
                break;
            }
            (Some(&"*"), Some(part)) | (Some(part), Some(&"*")) => common.push(part),
            (Some(part), Some(same)) if part == same => common.push(part),
            (None, None) => break,
            (Some(_) | None, Some(_)) | (Some(_), None) => return None,
        }
    }
    Some(Cow::Owned(common.join(":")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(text: &str) -> ResourceUri {
        text.parse().unwrap()
    }

    fn plain(held: &str, asked: &str) -> bool {
        covers(&uri(held), false, &uri(asked), false)
    }

    #[test]
    fn a_resource_covers_itself_and_all_below() {
        assert!(plain("orgs/a", "orgs/a"));
        assert!(plain("/orgs/a/", "orgs/a/docs/1/meta"));
        assert!(plain("documents/*", "documents/B/sub-documents/C/metadata"));
        assert!(!plain("orgs/a", "orgs"));
        assert!(!plain("orgs/a", "orgs/ab"));
        assert!(!plain("orgs/a", "orgs/A"));
    }

    #[test]
    fn a_trailing_wildcard_covers_only_what_is_below() {
        assert!(!plain("orgs/*", "orgs"));
        assert!(plain("orgs/*", "orgs/a"));
        assert!(plain("orgs/*", "orgs/a/b"));
        assert!(plain("orgs/*", "orgs/*"));
        assert!(plain("orgs", "orgs/*"));
        assert!(plain("*", "orgs/*"));
    }

    #[test]
    fn a_wildcard_on_the_way_covers_one_segment() {
        assert!(plain("orgs/*/docs", "orgs/a/docs/1"));
        assert!(!plain("orgs/*/docs", "orgs/a/b/docs"));
        assert!(!plain("orgs/*/docs", "orgs/docs"));
        assert!(plain("orgs/*", "orgs/*/docs"));
        assert!(!plain("orgs/a/docs", "orgs/*/docs"));
    }

    #[test]
    fn a_wildcard_in_a_segment_covers_parts() {
        assert!(plain("ns:*", "ns:a"));
        assert!(plain("ns:*", "ns:a:b/below"));
        assert!(!plain("ns:*", "ns"));
        assert!(plain("ns:*:c", "ns:b:c"));
        assert!(!plain("ns:*:c", "ns:a:b:c"));
        assert!(!plain("ns:*:c", "ns:*"));
        assert!(plain("ns:*", "ns:*:c"));
        assert!(plain("ns:*", "ns:a:*"));
        assert!(!plain("ns:a:*", "ns:*"));
        assert!(!plain("*:*", "*"));
    }

    #[test]
    fn a08_wildcards_reach_the_reserved_namespace_only_through_built_in_roles() {
        for wildcard in ["*", "*:Roles", "*:*", "*/x", "*:Roles/x"] {
            let (held, asked) = (uri(wildcard), uri("Authress:Roles/x"));
            assert!(!covers(&held, false, &asked, false), "{wildcard}");
            assert_eq!(
                covers(&held, true, &asked, false),
                contains(wildcard, "Authress:Roles/x")
            );
        }
        assert!(plain("Authress:*", "Authress:Roles/x"));
        assert!(plain("*", "Authress"));
        assert!(plain("*", "authress/x"));
    }

    #[test]
    fn a_built_in_role_on_a_wildcard_is_covered_by_built_in_roles_only() {
        assert!(plain("*", "*"));
        assert!(!covers(&uri("*"), false, &uri("*"), true));
        assert!(covers(&uri("*"), true, &uri("*"), true));
        assert!(!covers(&uri("*"), false, &uri("*/a"), true));
        assert!(covers(&uri("*"), false, &uri("a/*"), true));
    }

    /// Whether a pattern stands for a concrete resource: backtracking over parts, no shortcuts.
    fn matches(pattern: &[&str], concrete: &[&str]) -> bool {
        fn parts(pattern: &[&str], concrete: &[&str]) -> bool {
            match (pattern, concrete) {
                ([], []) | (["*"], [_, ..]) => true,
                ([first, rest @ ..], [part, tail @ ..]) => {
                    (*first == "*" || first == part) && parts(rest, tail)
                }
                ([], [_, ..]) | ([_, ..], []) => false,
            }
        }
        match (pattern, concrete) {
            ([], _) => true,
            ([_, ..], []) => false,
            ([segment, rest @ ..], [name, tail @ ..]) => {
                let (segment, name): (Vec<_>, Vec<_>) =
                    (segment.split(':').collect(), name.split(':').collect());
                parts(&segment, &name) && matches(rest, tail)
            }
        }
    }

    fn stands_for(pattern: &str, built_in: bool, concrete: &str) -> bool {
        let (segments, names): (Vec<_>, Vec<_>) =
            (pattern.split('/').collect(), concrete.split('/').collect());
        let barred = concrete.starts_with("Authress:") && pattern.starts_with('*') && !built_in;
        matches(&segments, &names) && !barred
    }

    const NAMES: [&str; 9] = [
        "a",
        "b",
        "n:a",
        "n:a:b",
        "m:b",
        "n:b:a:b",
        "Authress:a",
        "Authress:a:b",
        "Authress",
    ];
    const SEGMENTS: [&str; 16] = [
        "a",
        "b",
        "*",
        "*",
        "n:a",
        "n:*",
        "n:*:b",
        "*:a",
        "*:*",
        "*:*:b",
        "n:a:*",
        "n:*:*",
        "Authress:*",
        "Authress:a",
        "Authress:*:b",
        "Authress",
    ];

    fn concretes(names: &[&str], depth: usize) -> Vec<String> {
        let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut last = all.clone();
        for _ in 1..depth {
            last = last
                .iter()
                .flat_map(|above| names.iter().map(move |name| format!("{above}/{name}")))
                .collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    fn patterns(depth: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(&SEGMENTS[..]), 1..=depth)
            .prop_map(|segments| segments.join("/"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn coverage_is_that_of_the_sets_of_resources(
            held in patterns(4),
            held_built_in: bool,
            asked in patterns(4),
            asked_built_in: bool,
        ) {
            let all = concretes(&NAMES, 4);
            let covered = covers(&uri(&held), held_built_in, &uri(&asked), asked_built_in);
            let first_missing = all.iter().find(|concrete| {
                stands_for(&asked, asked_built_in, concrete)
                    && !stands_for(&held, held_built_in, concrete)
            });
            if covered {
                prop_assert_eq!(first_missing, None);
            }
            for concrete in all.iter().step_by(7) {
                let covered = covers(&uri(&held), held_built_in, &uri(concrete), asked_built_in);
                prop_assert_eq!(covered, stands_for(&held, held_built_in, concrete), "{}", concrete);
            }
        }

        /// Containment is not only sound: what is refused really has something that is not covered,
        /// which these names suffice to show.
        #[test]
        fn what_is_refused_is_not_covered(held in patterns(3), asked in patterns(3)) {
            if !plain(&held, &asked) {
                let more = ["m:a", "n:b", "m:a:a", "m:a:b", "n:a:a", "n:b:a", "n:b:b", "Authress:b"];
                let names = [&NAMES[..], &more].concat();
                let missing = |concrete: &String| {
                    stands_for(&asked, false, concrete) && !stands_for(&held, false, concrete)
                };
                let found = concretes(&names, 3).iter().any(missing);
                prop_assert!(found, "{} is all in {}", asked, held);
            }
        }

        #[test]
        fn a_common_segment_stands_for_what_both_stand_for(
            one in prop::sample::select(&SEGMENTS[..]),
            other in prop::sample::select(&SEGMENTS[..]),
        ) {
            let common = common_segment(one, other);
            for name in NAMES.into_iter().chain(["n:x:b", "n:x:y:b", "x:x:b", "Authress:x:b"]) {
                let both = matches(&[one], &[name]) && matches(&[other], &[name]);
                let found = common.as_ref().is_some_and(|common| matches(&[common.as_ref()], &[name]));
                prop_assert_eq!(both, found, "{} and {}: {:?} on {}", one, other, &common, name);
            }
        }
    }
}
