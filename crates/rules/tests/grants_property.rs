//! The grants index answers as the documents say, whatever happens to them: random records, groups
//! and roles are written, replaced, deleted, made again and repeated, and after each step every kind
//! of question is asked of the index and of a naive reading of the documents.
//!
//! `GUESTLIST_CASES` sets the number of cases.

#[cfg(test)]
mod grants_both;
#[cfg(test)]
mod grants_naive;
#[cfg(test)]
mod grants_steps;
#[cfg(test)]
mod grants_world;

use grants_both::Both;
use grants_naive::{Asked, Naive};
use grants_steps::{question, step};
use grants_world::{parse, permission, record, role, statement};
use guestlist_api::actions::Action;
use guestlist_api::roles::Permission;
use proptest::prelude::*;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings but its environment"
)]
fn cases() -> u32 {
    std::env::var("GUESTLIST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(2000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_index_answers_as_the_documents_say(
        steps in prop::collection::vec((step(), prop::collection::vec(question(), 1..=2)), 1..=10),
    ) {
        let mut both = Both::new();
        for (step, questions) in &steps {
            both.take(step);
            both.check(questions)?;
        }
        both.rebuild();
        for (_, questions) in &steps {
            both.check(questions)?;
        }
    }
}

#[test]
fn the_model_tells_flags_and_actions_apart() {
    // The model is only worth something if it is right: the published examples, on the model alone.
    let mut naive = Naive::new();
    let held = role("ro_1", &[("documents:*", "a"), ("x", "d")]);
    assert_eq!(
        held.permissions,
        [permission(("documents:*", "a")), permission(("x", "d"))]
    );
    naive.roles.insert("ro_1".to_owned(), (1, held));
    let on = statement(&["ro_1"], &["/documents/*"]);
    naive
        .records
        .insert("rec".to_owned(), (2, record("rec", &["u"], &[], vec![on])));
    let ways = |asked: &str, action: &str| {
        let action: Action = parse(action);
        let wanted = |held: &Permission| held.allow && held.action.covers(&action);
        naive
            .read()
            .ways("u", asked, &Asked::new(asked), false, &wanted)
            .len()
    };
    assert_eq!(ways("documents/A", "documents:read"), 1);
    assert_eq!(ways("documents/B/sub-documents/C/metadata", "documents"), 1);
    assert_eq!(ways("documents/*", "documents"), 1);
    assert_eq!(ways("documents", "documents"), 0);
    assert_eq!(ways("*", "documents"), 0);
    assert_eq!(ways("documents/A", "x"), 0);
    assert_eq!(ways("documents/A", "*"), 0);
}
