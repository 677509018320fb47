//! Clauses 1, 2 and 4: conditions, and changes that are all or nothing.

use guestlist_rules::changes::{Expect, Facet, Kind, Mark, Revision};

use super::{
    Outcome, Place, at, body, cases, check, conflict, deleting, document, done, event, expecting,
    same, with_facets, writing,
};
use crate::Selection;

cases!(
    absence_holds_for_a_new_document,
    absence_fails_for_a_known_document,
    absence_holds_again_after_a_delete,
    a_mark_holds_until_the_next_write,
    a_mark_fails_for_an_absent_document,
    a_mark_fails_after_delete_and_new_creation,
    a_mark_that_never_was_fails,
    the_mark_is_the_revision_of_the_write,
    an_unwritten_document_is_compared_too,
    an_unwritten_absence_is_compared_too,
    expectations_without_any_write_are_compared,
    every_expectation_counts,
    the_broken_expectation_is_named,
    an_expectation_may_be_named_twice,
    expectations_that_contradict_conflict,
    a_conflict_writes_nothing,
    a_conflict_deletes_nothing,
    a_conflict_takes_no_revision,
    without_expectation_the_last_write_counts,
    deleting_what_is_absent_is_done,
    a_deletion_may_be_conditional,
    one_change_may_move_a_document,
    one_change_has_one_mark,
    kinds_do_not_share_ids,
    a_change_without_documents_is_a_change,
    an_expectation_is_compared_with_what_was_before,
);

const INVITE: Kind = Kind::Invite;
const ROLE: Kind = Kind::Role;

async fn absence_holds_for_a_new_document(place: Place) -> Outcome {
    let store = place.open();
    let change = writing([document(INVITE, "a", "1")]);
    done(&store, expecting(change, INVITE, "a", Expect::Absent)).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("1"));
    Ok(())
}

async fn absence_fails_for_a_known_document(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "a", "1")])).await?;
    let change = writing([document(INVITE, "a", "2")]);
    conflict(&store, expecting(change, INVITE, "a", Expect::Absent)).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("1"));
    Ok(())
}

async fn absence_holds_again_after_a_delete(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "a", "1")])).await?;
    done(&store, deleting(INVITE, "a")).await?;
    let change = writing([document(INVITE, "a", "2")]);
    done(&store, expecting(change, INVITE, "a", Expect::Absent)).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("2"));
    Ok(())
}

async fn a_mark_holds_until_the_next_write(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let change = |text: &str| writing([document(INVITE, "a", text)]);
    let second = done(&store, expecting(change("2"), INVITE, "a", at(first))).await?;
    conflict(&store, expecting(change("3"), INVITE, "a", at(first))).await?;
    done(&store, expecting(change("4"), INVITE, "a", at(second))).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("4"));
    Ok(())
}

async fn a_mark_fails_for_an_absent_document(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    done(&store, deleting(INVITE, "a")).await?;
    let change = writing([document(INVITE, "a", "2")]);
    conflict(&store, expecting(change, INVITE, "a", at(first))).await?;
    same!(store.get(INVITE, "a").await?, None);
    Ok(())
}

async fn a_mark_fails_after_delete_and_new_creation(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    done(&store, deleting(INVITE, "a")).await?;
    let again = done(&store, writing([document(INVITE, "a", "1")])).await?;
    check!(again > first, "the mark came back: {again}");
    let change = writing([document(INVITE, "a", "2")]);
    conflict(&store, expecting(change, INVITE, "a", at(first))).await?;
    Ok(())
}

async fn a_mark_that_never_was_fails(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "a", "1")])).await?;
    for mark in [0, 2, u64::MAX] {
        let change = writing([document(INVITE, "a", "2")]);
        conflict(
            &store,
            expecting(change, INVITE, "a", Expect::At(Mark(mark))),
        )
        .await?;
    }
    Ok(())
}

async fn the_mark_is_the_revision_of_the_write(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "other", "1")])).await?;
    let revision = done(&store, writing([document(INVITE, "a", "1")])).await?;
    done(&store, writing([document(INVITE, "other", "2")])).await?;
    let seen = store.get(INVITE, "a").await?;
    same!(seen.map(|seen| seen.mark), Some(Mark(revision.0)));
    Ok(())
}

async fn an_unwritten_document_is_compared_too(place: Place) -> Outcome {
    let store = place.open();
    let role = done(&store, writing([document(ROLE, "r", "1")])).await?;
    let change = |id: &str| expecting(writing([document(INVITE, id, "1")]), ROLE, "r", at(role));
    done(&store, change("before")).await?;
    done(&store, writing([document(ROLE, "r", "2")])).await?;
    same!(
        conflict(&store, change("after")).await?,
        (ROLE, "r".to_owned(), at(role))
    );
    same!(store.get(INVITE, "after").await?, None);
    Ok(())
}

async fn an_unwritten_absence_is_compared_too(place: Place) -> Outcome {
    let store = place.open();
    let change = |id: &str| {
        expecting(
            writing([document(INVITE, id, "1")]),
            ROLE,
            "r",
            Expect::Absent,
        )
    };
    done(&store, change("before")).await?;
    done(&store, writing([document(ROLE, "r", "1")])).await?;
    conflict(&store, change("after")).await?;
    same!(store.get(INVITE, "after").await?, None);
    Ok(())
}

async fn expectations_without_any_write_are_compared(place: Place) -> Outcome {
    let store = place.open();
    let role = done(&store, writing([document(ROLE, "r", "1")])).await?;
    let change = || expecting(writing([]), ROLE, "r", at(role));
    done(&store, change()).await?;
    done(&store, deleting(ROLE, "r")).await?;
    conflict(&store, change()).await?;
    Ok(())
}

async fn every_expectation_counts(place: Place) -> Outcome {
    let store = place.open();
    for broken in 0..5 {
        let mut change = writing([document(INVITE, "a", "1")]);
        for number in 0..5 {
            let expect = if number == broken {
                Expect::At(Mark(7))
            } else {
                Expect::Absent
            };
            change = expecting(change, ROLE, &format!("r{number}"), expect);
        }
        let named = conflict(&store, change).await?;
        same!(named, (ROLE, format!("r{broken}"), Expect::At(Mark(7))));
    }
    same!(store.get(INVITE, "a").await?, None);
    Ok(())
}

async fn the_broken_expectation_is_named(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let change = expecting(writing([]), INVITE, "a", at(first));
    let change = expecting(change, INVITE, "a", Expect::Absent);
    same!(
        conflict(&store, change).await?,
        (INVITE, "a".to_owned(), Expect::Absent)
    );
    Ok(())
}

async fn an_expectation_may_be_named_twice(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let change = writing([document(INVITE, "a", "2")]);
    let change = expecting(change, INVITE, "a", at(first));
    done(&store, expecting(change, INVITE, "a", at(first))).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("2"));
    Ok(())
}

async fn expectations_that_contradict_conflict(place: Place) -> Outcome {
    let store = place.open();
    let change = expecting(writing([]), INVITE, "a", Expect::Absent);
    conflict(&store, expecting(change, INVITE, "a", Expect::At(Mark(1)))).await?;
    Ok(())
}

async fn a_conflict_writes_nothing(place: Place) -> Outcome {
    let store = place.open();
    let old = with_facets(document(INVITE, "a", "1"), &[(Facet::Inviter, "old")]);
    done(&store, writing([old])).await?;
    let new = |id| with_facets(document(INVITE, id, "2"), &[(Facet::Inviter, "new")]);
    let change = writing([new("a"), new("b"), new("c")]);
    conflict(&store, expecting(change, INVITE, "c", Expect::At(Mark(1)))).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("1"));
    same!(store.get(INVITE, "b").await?, None);
    let selection = Selection::Equal(Facet::Inviter, "new".to_owned());
    same!(store.list(INVITE, &selection, None, 10).await?, vec![]);
    same!(store.events_after(Revision(0), 10).await?.len(), 1);
    Ok(())
}

async fn a_conflict_deletes_nothing(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "a", "1")])).await?;
    conflict(
        &store,
        expecting(deleting(INVITE, "a"), ROLE, "r", Expect::At(Mark(1))),
    )
    .await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("1"));
    Ok(())
}

async fn a_conflict_takes_no_revision(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let change = || expecting(writing([]), INVITE, "a", Expect::Absent);
    conflict(&store, change()).await?;
    conflict(&store, change()).await?;
    same!(store.revision().await?, first);
    let next = done(&store, writing([document(INVITE, "b", "1")])).await?;
    same!(next, Revision(first.0 + 1));
    Ok(())
}

async fn without_expectation_the_last_write_counts(place: Place) -> Outcome {
    let store = place.open();
    for text in ["1", "2", "3"] {
        done(&store, writing([document(INVITE, "a", text)])).await?;
    }
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("3"));
    same!(
        store.list(INVITE, &Selection::All, None, 10).await?.len(),
        1
    );
    Ok(())
}

async fn deleting_what_is_absent_is_done(place: Place) -> Outcome {
    let store = place.open();
    same!(done(&store, deleting(INVITE, "a")).await?, Revision(1));
    same!(store.get(INVITE, "a").await?, None);
    Ok(())
}

async fn a_deletion_may_be_conditional(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let second = done(&store, writing([document(INVITE, "a", "2")])).await?;
    conflict(
        &store,
        expecting(deleting(INVITE, "a"), INVITE, "a", at(first)),
    )
    .await?;
    done(
        &store,
        expecting(deleting(INVITE, "a"), INVITE, "a", at(second)),
    )
    .await?;
    same!(store.get(INVITE, "a").await?, None);
    conflict(
        &store,
        expecting(deleting(INVITE, "a"), INVITE, "a", at(second)),
    )
    .await?;
    Ok(())
}

async fn one_change_may_move_a_document(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "old", "1")])).await?;
    let mut change = writing([document(INVITE, "new", "1")]);
    change.delete.push((INVITE, "old".to_owned()));
    let change = expecting(change, INVITE, "old", at(first));
    done(&store, expecting(change, INVITE, "new", Expect::Absent)).await?;
    same!(store.get(INVITE, "old").await?, None);
    same!(body(&store, INVITE, "new").await?.as_deref(), Some("1"));
    Ok(())
}

async fn one_change_has_one_mark(place: Place) -> Outcome {
    let store = place.open();
    let revision = done(
        &store,
        writing([document(INVITE, "a", "1"), document(ROLE, "b", "1")]),
    )
    .await?;
    for (kind, id) in [(INVITE, "a"), (ROLE, "b")] {
        same!(
            store.get(kind, id).await?.map(|seen| seen.mark),
            Some(Mark(revision.0))
        );
    }
    Ok(())
}

async fn kinds_do_not_share_ids(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "a", "invite")])).await?;
    let change = writing([document(ROLE, "a", "role")]);
    done(&store, expecting(change, ROLE, "a", Expect::Absent)).await?;
    done(&store, deleting(INVITE, "a")).await?;
    same!(store.get(INVITE, "a").await?, None);
    same!(body(&store, ROLE, "a").await?.as_deref(), Some("role"));
    Ok(())
}

async fn a_change_without_documents_is_a_change(place: Place) -> Outcome {
    let store = place.open();
    let change = guestlist_rules::changes::Changes::new(event("nothing.written"));
    same!(done(&store, change.clone()).await?, Revision(1));
    same!(done(&store, change).await?, Revision(2));
    same!(store.events_after(Revision(0), 10).await?.len(), 2);
    Ok(())
}

async fn an_expectation_is_compared_with_what_was_before(place: Place) -> Outcome {
    let store = place.open();
    // The change writes and deletes what it expects: its own writes do not count.
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let mut change = writing([document(INVITE, "b", "1")]);
    change.delete.push((INVITE, "a".to_owned()));
    let change = expecting(change, INVITE, "b", Expect::Absent);
    done(&store, expecting(change, INVITE, "a", at(first))).await?;
    Ok(())
}
