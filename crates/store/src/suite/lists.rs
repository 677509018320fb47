//! Clauses 7 and 8 for lists: order, pages, and facets that follow their documents.

use std::sync::Arc;

use guestlist_rules::changes::{Document, Facet, Kind, Mark};

use super::{
    Dice, Outcome, Place, cases, check, deleting, document, done, same, with_facets, writing,
};
use crate::{Position, Selection, Store};

cases!(
    all_is_in_the_byte_order_of_ids,
    pages_of_all_join_without_gap_or_repeat,
    pages_of_equal_join_without_gap_or_repeat,
    pages_of_between_join_without_gap_or_repeat,
    ties_are_paged_by_id,
    a_limit_of_nothing_gives_nothing,
    a_limit_is_never_exceeded,
    a_huge_limit_gives_everything,
    a_position_may_be_of_a_document_that_is_gone,
    a_position_at_either_end,
    equal_means_the_whole_value,
    equal_ignores_the_value_of_a_position,
    between_takes_its_lower_end_and_not_its_upper,
    between_nothing_is_nothing,
    between_from_the_empty_value_takes_everything,
    between_is_in_the_byte_order_of_values,
    between_is_not_widened_by_a_position,
    lists_keep_kinds_apart,
    lists_keep_facets_apart,
    lists_carry_bodies_facets_and_marks,
    facets_follow_an_update,
    facets_that_stay_are_kept,
    facets_go_when_they_are_left_out,
    facets_go_with_the_document,
    facets_come_back_with_the_document,
    pages_go_on_while_others_write,
);

const INVITE: Kind = Kind::Invite;

fn invited(id: &str, inviter: &str) -> Document {
    with_facets(document(INVITE, id, id), &[(Facet::Inviter, inviter)])
}

fn equal(value: &str) -> Selection {
    Selection::Equal(Facet::Inviter, value.to_owned())
}

fn between(from: &str, until: &str) -> Selection {
    Selection::Between(Facet::Inviter, from.to_owned(), until.to_owned())
}

fn position(value: &str, id: &str) -> Position {
    Position {
        value: value.to_owned(),
        id: id.to_owned(),
    }
}

async fn ids(
    store: &Arc<dyn Store>,
    selection: &Selection,
    after: Option<&Position>,
    limit: usize,
) -> Outcome<Vec<String>> {
    let page = store.list(INVITE, selection, after, limit).await?;
    Ok(page.into_iter().map(|seen| seen.value.id).collect())
}

/// All pages of a list, one after the other.
async fn walk(store: &Arc<dyn Store>, selection: &Selection, limit: usize) -> Outcome<Vec<String>> {
    let mut walked = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(INVITE, selection, after.as_ref(), limit).await?;
        check!(
            page.len() <= limit,
            "a page of {} for a limit of {limit}",
            page.len()
        );
        let Some(last) = page.last() else {
            return Ok(walked);
        };
        let value = match selection {
            Selection::All | Selection::Equal(..) => String::new(),
            Selection::Between(facet, ..) => {
                let facets = last.value.facets.iter();
                facets
                    .filter(|(name, _)| name == facet)
                    .map(|(_, value)| value.clone())
                    .collect()
            }
        };
        after = Some(Position {
            value,
            id: last.value.id.clone(),
        });
        walked.extend(page.into_iter().map(|seen| seen.value.id));
        tokio::task::yield_now().await;
        check!(walked.len() < 10_000, "the pages do not end");
    }
}

/// Fifty documents of five inviters, written in a mixed order.
async fn fill(store: &Arc<dyn Store>) -> Outcome<Vec<(String, String)>> {
    let mut dice = Dice(0x5eed);
    let mut rows = Vec::new();
    for number in 0..50_u64 {
        let id = format!("{:02x}-{number}", dice.below(256));
        let inviter = format!("u{}", dice.below(5));
        done(store, writing([invited(&id, &inviter)])).await?;
        rows.push((inviter, id));
    }
    rows.sort();
    Ok(rows)
}

async fn all_is_in_the_byte_order_of_ids(place: Place) -> Outcome {
    let store = place.open();
    let mut expected: Vec<&str> = vec![
        "b", "a", "B", "ä", "z", "Z", "0", "~", "\u{ffff}", "🎟", "aa",
    ];
    for id in &expected {
        done(&store, writing([document(INVITE, id, "1")])).await?;
    }
    expected.sort_by_key(|id| id.as_bytes());
    same!(ids(&store, &Selection::All, None, 100).await?, expected);
    Ok(())
}

async fn pages_of_all_join_without_gap_or_repeat(place: Place) -> Outcome {
    let store = place.open();
    let rows = fill(&store).await?;
    let mut expected: Vec<String> = rows.into_iter().map(|(_, id)| id).collect();
    expected.sort();
    for limit in [1, 2, 7, 49, 50, 51] {
        same!(walk(&store, &Selection::All, limit).await?, expected);
    }
    Ok(())
}

async fn pages_of_equal_join_without_gap_or_repeat(place: Place) -> Outcome {
    let store = place.open();
    let rows = fill(&store).await?;
    for inviter in ["u0", "u1", "u2", "u3", "u4", "u5"] {
        let of_one = rows.iter().filter(|(other, _)| other == inviter);
        let expected: Vec<_> = of_one.map(|(_, id)| id.clone()).collect();
        for limit in [1, 3, 50] {
            same!(walk(&store, &equal(inviter), limit).await?, expected);
        }
    }
    Ok(())
}

async fn pages_of_between_join_without_gap_or_repeat(place: Place) -> Outcome {
    let store = place.open();
    let rows = fill(&store).await?;
    let inside = rows
        .iter()
        .filter(|(inviter, _)| ("u1".."u4").contains(&inviter.as_str()));
    let expected: Vec<_> = inside.map(|(_, id)| id.clone()).collect();
    for limit in [1, 2, 7, 50] {
        same!(walk(&store, &between("u1", "u4"), limit).await?, expected);
    }
    Ok(())
}

async fn ties_are_paged_by_id(place: Place) -> Outcome {
    let store = place.open();
    for id in ["d", "b", "a", "c"] {
        done(&store, writing([invited(id, "same")])).await?;
    }
    done(&store, writing([invited("0", "tame")])).await?;
    for limit in 1..6 {
        same!(
            walk(&store, &between("same", "z"), limit).await?,
            ["a", "b", "c", "d", "0"]
        );
        same!(
            walk(&store, &equal("same"), limit).await?,
            ["a", "b", "c", "d"]
        );
    }
    Ok(())
}

async fn a_limit_of_nothing_gives_nothing(place: Place) -> Outcome {
    let store = place.open();
    fill(&store).await?;
    for selection in [Selection::All, equal("u1"), between("", "z")] {
        same!(
            ids(&store, &selection, None, 0).await?,
            Vec::<String>::new()
        );
    }
    Ok(())
}

async fn a_limit_is_never_exceeded(place: Place) -> Outcome {
    let store = place.open();
    fill(&store).await?;
    for selection in [Selection::All, equal("u1"), between("", "z")] {
        same!(ids(&store, &selection, None, 3).await?.len(), 3);
    }
    Ok(())
}

async fn a_huge_limit_gives_everything(place: Place) -> Outcome {
    let store = place.open();
    fill(&store).await?;
    same!(
        ids(&store, &Selection::All, None, usize::MAX).await?.len(),
        50
    );
    same!(
        ids(&store, &between("", "z"), None, usize::MAX)
            .await?
            .len(),
        50
    );
    Ok(())
}

async fn a_position_may_be_of_a_document_that_is_gone(place: Place) -> Outcome {
    let store = place.open();
    for id in ["a", "b", "c"] {
        done(&store, writing([invited(id, "u")])).await?;
    }
    done(&store, deleting(INVITE, "b")).await?;
    same!(
        ids(&store, &Selection::All, Some(&position("", "b")), 9).await?,
        ["c"]
    );
    same!(
        ids(&store, &equal("u"), Some(&position("", "b")), 9).await?,
        ["c"]
    );
    same!(
        ids(&store, &between("u", "v"), Some(&position("u", "b")), 9).await?,
        ["c"]
    );
    Ok(())
}

async fn a_position_at_either_end(place: Place) -> Outcome {
    let store = place.open();
    for id in ["b", "c"] {
        done(&store, writing([invited(id, "u")])).await?;
    }
    let nothing = Vec::<String>::new();
    same!(
        ids(&store, &Selection::All, Some(&position("", "a")), 9).await?,
        ["b", "c"]
    );
    same!(
        ids(&store, &Selection::All, Some(&position("", "c")), 9).await?,
        nothing
    );
    same!(
        ids(
            &store,
            &Selection::All,
            Some(&position("", "\u{10ffff}")),
            9
        )
        .await?,
        nothing
    );
    same!(
        ids(&store, &between("a", "z"), Some(&position("u", "c")), 9).await?,
        nothing
    );
    same!(
        ids(&store, &between("a", "z"), Some(&position("t", "z")), 9).await?,
        ["b", "c"]
    );
    Ok(())
}

async fn equal_means_the_whole_value(place: Place) -> Outcome {
    let store = place.open();
    for (id, inviter) in [
        ("1", "ann"),
        ("2", "Ann"),
        ("3", "ann "),
        ("4", "anna"),
        ("5", "an"),
    ] {
        done(&store, writing([invited(id, inviter)])).await?;
    }
    same!(ids(&store, &equal("ann"), None, 9).await?, ["1"]);
    same!(
        ids(&store, &equal(""), None, 9).await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn equal_ignores_the_value_of_a_position(place: Place) -> Outcome {
    let store = place.open();
    for id in ["a", "b"] {
        done(&store, writing([invited(id, "u")])).await?;
    }
    for value in ["", "u", "z"] {
        same!(
            ids(&store, &equal("u"), Some(&position(value, "a")), 9).await?,
            ["b"]
        );
    }
    Ok(())
}

async fn between_takes_its_lower_end_and_not_its_upper(place: Place) -> Outcome {
    let store = place.open();
    for value in ["a", "b", "bb", "c", "cc"] {
        done(&store, writing([invited(&format!("of-{value}"), value)])).await?;
    }
    same!(
        ids(&store, &between("b", "c"), None, 9).await?,
        ["of-b", "of-bb"]
    );
    same!(
        ids(&store, &between("b", "c\u{1}"), None, 9).await?,
        ["of-b", "of-bb", "of-c"]
    );
    Ok(())
}

async fn between_nothing_is_nothing(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([invited("1", "b")])).await?;
    for selection in [between("b", "b"), between("c", "a"), between("", "")] {
        same!(
            ids(&store, &selection, None, 9).await?,
            Vec::<String>::new()
        );
    }
    Ok(())
}

async fn between_from_the_empty_value_takes_everything(place: Place) -> Outcome {
    let store = place.open();
    for (id, value) in [("1", ""), ("2", "a"), ("3", "\u{10ffff}")] {
        done(&store, writing([invited(id, value)])).await?;
    }
    same!(
        ids(&store, &between("", "\u{10ffff}\u{1}"), None, 9).await?,
        ["1", "2", "3"]
    );
    Ok(())
}

async fn between_is_in_the_byte_order_of_values(place: Place) -> Outcome {
    let store = place.open();
    let mut values = vec!["a", "B", "ä", "Z", "10", "9", "🎟", "\u{ffff}", " "];
    for value in &values {
        done(&store, writing([invited(&format!("of-{value}"), value)])).await?;
    }
    values.sort_by_key(|value| value.as_bytes());
    let expected: Vec<_> = values.iter().map(|value| format!("of-{value}")).collect();
    same!(
        ids(&store, &between("", "\u{10ffff}"), None, 99).await?,
        expected
    );
    Ok(())
}

async fn between_is_not_widened_by_a_position(place: Place) -> Outcome {
    let store = place.open();
    for value in ["a", "b", "c"] {
        done(&store, writing([invited(&format!("of-{value}"), value)])).await?;
    }
    same!(
        ids(&store, &between("b", "c"), Some(&position("", "x")), 9).await?,
        ["of-b"]
    );
    let beyond = position("x", "");
    same!(
        ids(&store, &between("b", "c"), Some(&beyond), 9).await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn lists_keep_kinds_apart(place: Place) -> Outcome {
    let store = place.open();
    let of_kind = |kind: Kind| {
        let id = format!("{}-1", kind.name());
        with_facets(document(kind, &id, "1"), &[(Facet::Inviter, "u")])
    };
    done(&store, writing(Kind::ALL.map(of_kind))).await?;
    for selection in [Selection::All, equal("u"), between("", "z")] {
        same!(ids(&store, &selection, None, 99).await?, ["invite-1"]);
    }
    Ok(())
}

async fn lists_keep_facets_apart(place: Place) -> Outcome {
    let store = place.open();
    let facets = [(Facet::Inviter, "x"), (Facet::Status, "y")];
    done(
        &store,
        writing([with_facets(document(INVITE, "a", "1"), &facets)]),
    )
    .await?;
    same!(
        ids(&store, &equal("y"), None, 9).await?,
        Vec::<String>::new()
    );
    same!(
        ids(&store, &between("y", "z"), None, 9).await?,
        Vec::<String>::new()
    );
    same!(ids(&store, &between("", "z"), None, 9).await?, ["a"]);
    Ok(())
}

async fn lists_carry_bodies_facets_and_marks(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([invited("other", "v")])).await?;
    let written = invited("a", "u");
    let revision = done(&store, writing([written.clone()])).await?;
    for selection in [equal("u"), between("u", "v")] {
        let page = store.list(INVITE, &selection, None, 9).await?;
        let page: Vec<_> = page
            .into_iter()
            .map(|seen| (seen.value, seen.mark))
            .collect();
        same!(page, vec![(written.clone(), Mark(revision.0))]);
    }
    Ok(())
}

async fn facets_follow_an_update(place: Place) -> Outcome {
    let store = place.open();
    for inviter in ["u", "v", "u", "w"] {
        done(&store, writing([invited("a", inviter)])).await?;
        same!(ids(&store, &equal(inviter), None, 9).await?, ["a"]);
        same!(ids(&store, &between("", "z"), None, 9).await?, ["a"]);
    }
    same!(
        ids(&store, &equal("u"), None, 9).await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn facets_that_stay_are_kept(place: Place) -> Outcome {
    let store = place.open();
    for status in ["1", "2"] {
        let facets = [(Facet::Status, status), (Facet::Inviter, "u")];
        done(
            &store,
            writing([with_facets(document(INVITE, "a", status), &facets)]),
        )
        .await?;
    }
    same!(ids(&store, &equal("u"), None, 9).await?, ["a"]);
    // The same facets in another order are the same facets.
    let facets = [(Facet::Inviter, "u"), (Facet::Status, "2")];
    done(
        &store,
        writing([with_facets(document(INVITE, "a", "3"), &facets)]),
    )
    .await?;
    same!(ids(&store, &equal("u"), None, 9).await?, ["a"]);
    Ok(())
}

async fn facets_go_when_they_are_left_out(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([invited("a", "u")])).await?;
    done(&store, writing([document(INVITE, "a", "2")])).await?;
    same!(
        ids(&store, &equal("u"), None, 9).await?,
        Vec::<String>::new()
    );
    same!(ids(&store, &Selection::All, None, 9).await?, ["a"]);
    Ok(())
}

async fn facets_go_with_the_document(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([invited("a", "u"), invited("b", "u")])).await?;
    done(&store, deleting(INVITE, "a")).await?;
    same!(ids(&store, &equal("u"), None, 9).await?, ["b"]);
    same!(ids(&store, &between("", "z"), None, 9).await?, ["b"]);
    Ok(())
}

async fn facets_come_back_with_the_document(place: Place) -> Outcome {
    let store = place.open();
    for _ in 0..3 {
        done(&store, writing([invited("a", "u")])).await?;
        same!(ids(&store, &equal("u"), None, 9).await?, ["a"]);
        done(&store, deleting(INVITE, "a")).await?;
        same!(
            ids(&store, &equal("u"), None, 9).await?,
            Vec::<String>::new()
        );
    }
    Ok(())
}

async fn pages_go_on_while_others_write(place: Place) -> Outcome {
    let store = place.open();
    for number in 0..40 {
        done(
            &store,
            writing([invited(&format!("stays-{number:02}"), "u")]),
        )
        .await?;
    }
    let writer = Arc::clone(&store);
    let task = tokio::spawn(async move {
        for number in 0..100 {
            done(
                &writer,
                writing([invited(&format!("comes-{number:02}"), "u")]),
            )
            .await?;
            done(&writer, deleting(INVITE, &format!("comes-{number:02}"))).await?;
        }
        Outcome::Ok(())
    });
    let expected: Vec<_> = (0..40).map(|number| format!("stays-{number:02}")).collect();
    for selection in [Selection::All, equal("u"), between("", "z")] {
        let mut walked = walk(&store, &selection, 3).await?;
        walked.retain(|id| id.starts_with("stays"));
        same!(walked, expected);
    }
    task.await??;
    Ok(())
}
