//! Clause 6: subscribers hear of everything, in order, once, and before the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guestlist_rules::changes::{Changes, Committed, Document, Expect, Kind, Revision, Seen};

use super::{
    Outcome, Place, all, at, cases, check, conflict, deleting, document, done, event, expecting,
    same, writing,
};
use crate::{Store, Subscriber};

cases!(
    following_an_empty_store_finds_nothing,
    a_snapshot_holds_what_is_there,
    a_snapshot_holds_only_its_kinds,
    a_snapshot_without_kinds_has_a_revision,
    a_snapshot_is_large,
    a_follower_hears_of_everything_after_its_snapshot,
    a_follower_hears_before_the_answer,
    a_follower_hears_before_the_answer_of_a_conflict,
    a_follower_hears_the_whole_change,
    a_follower_does_not_hear_of_conflicts,
    a_follower_hears_in_order_and_once,
    followers_hear_the_same,
    a_snapshot_and_what_follows_join_while_others_write,
    a_snapshot_is_complete_before_anything_follows,
    a_follow_that_is_dropped_is_never_called,
);

const INVITE: Kind = Kind::Invite;

/// What a follower heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Committed>>>);

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Vec<Committed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sink(&self) -> Subscriber {
        let heard = self.clone();
        Arc::new(move |committed| heard.lock().push(committed.clone()))
    }

    fn revisions(&self) -> Vec<u64> {
        self.lock()
            .iter()
            .map(|committed| committed.revision.0)
            .collect()
    }
}

async fn follow(
    store: &Arc<dyn Store>,
    kinds: &[Kind],
) -> Outcome<(Vec<Seen<Document>>, Heard, Revision)> {
    let heard = Heard::default();
    let mut found = Vec::new();
    let revision = store
        .follow(kinds, &mut |seen| found.push(seen), heard.sink())
        .await?;
    Ok((found, heard, revision))
}

async fn following_an_empty_store_finds_nothing(place: Place) -> Outcome {
    let store = place.open();
    let (found, heard, revision) = follow(&store, &Kind::ALL).await?;
    same!((found, revision), (vec![], Revision(0)));
    done(&store, writing([])).await?;
    same!(heard.revisions(), [1]);
    Ok(())
}

async fn a_snapshot_holds_what_is_there(place: Place) -> Outcome {
    let store = place.open();
    done(
        &store,
        writing([document(INVITE, "a", "1"), document(INVITE, "b", "1")]),
    )
    .await?;
    done(&store, deleting(INVITE, "a")).await?;
    let newest = done(&store, writing([document(INVITE, "c", "1")])).await?;
    let (found, heard, revision) = follow(&store, &[INVITE]).await?;
    let mut ids: Vec<_> = found
        .into_iter()
        .map(|seen| (seen.value.id, seen.mark.0))
        .collect();
    ids.sort();
    same!(ids, vec![("b".to_owned(), 1), ("c".to_owned(), 3)]);
    same!(revision, newest);
    same!(heard.revisions(), Vec::<u64>::new());
    Ok(())
}

async fn a_snapshot_holds_only_its_kinds(place: Place) -> Outcome {
    let store = place.open();
    done(
        &store,
        writing(Kind::ALL.map(|kind| document(kind, "a", "1"))),
    )
    .await?;
    let (found, _, _) = follow(&store, &[Kind::Role, Kind::Group]).await?;
    let mut kinds: Vec<_> = found.into_iter().map(|seen| seen.value.kind).collect();
    kinds.sort();
    same!(kinds, [Kind::Group, Kind::Role]);
    Ok(())
}

async fn a_snapshot_without_kinds_has_a_revision(place: Place) -> Outcome {
    let store = place.open();
    let newest = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let (found, heard, revision) = follow(&store, &[]).await?;
    same!((found, revision), (vec![], newest));
    done(&store, writing([document(INVITE, "b", "1")])).await?;
    same!(heard.revisions(), [2]);
    Ok(())
}

async fn a_snapshot_is_large(place: Place) -> Outcome {
    let store = place.open();
    for part in 0..4 {
        let ids = (0..1000).map(|number| format!("{part}-{number}"));
        done(&store, writing(ids.map(|id| document(INVITE, &id, "1")))).await?;
    }
    let (found, _, _) = follow(&store, &Kind::ALL).await?;
    let ids: std::collections::HashSet<_> = found.iter().map(|seen| &seen.value.id).collect();
    same!((found.len(), ids.len()), (4000, 4000));
    Ok(())
}

async fn a_follower_hears_of_everything_after_its_snapshot(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "a", "1")])).await?;
    // Also of kinds that were not in its snapshot.
    let (_, heard, _) = follow(&store, &[Kind::Role]).await?;
    done(&store, writing([document(INVITE, "b", "1")])).await?;
    done(&store, deleting(INVITE, "a")).await?;
    done(&store, Changes::new(event("nothing.written"))).await?;
    same!(heard.revisions(), [2, 3, 4]);
    Ok(())
}

async fn a_follower_hears_before_the_answer(place: Place) -> Outcome {
    let store = place.open();
    let (_, heard, _) = follow(&store, &[]).await?;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let (store, heard) = (Arc::clone(&store), heard.clone());
        tasks.push(tokio::spawn(async move {
            for number in 0..25 {
                let change = writing([document(INVITE, &format!("{task}-{number}"), "1")]);
                let revision = done(&store, change).await?;
                let newest = heard.revisions().last().copied().unwrap_or_default();
                check!(
                    newest >= revision.0,
                    "{revision} was answered, {newest} was told"
                );
            }
            Ok(())
        }));
    }
    all(tasks).await?;
    Ok(())
}

async fn a_follower_hears_before_the_answer_of_a_conflict(place: Place) -> Outcome {
    let store = place.open();
    let (_, heard, _) = follow(&store, &[]).await?;
    for round in 0..50_usize {
        let id = format!("round-{round}");
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let (store, heard, id) = (Arc::clone(&store), heard.clone(), id.clone());
            tasks.push(tokio::spawn(async move {
                let change = writing([document(INVITE, &id, "1")]);
                let change = expecting(change, INVITE, &id, Expect::Absent);
                store.apply(change).await?;
                let told = heard.lock().len();
                check!(told > round, "an answer came before {id} was told");
                Ok(())
            }));
        }
        all(tasks).await?;
    }
    Ok(())
}

async fn a_follower_hears_the_whole_change(place: Place) -> Outcome {
    let store = place.open();
    let first = done(&store, writing([document(INVITE, "a", "1")])).await?;
    let (_, heard, _) = follow(&store, &[]).await?;
    let mut change = writing([document(INVITE, "b", "2"), document(Kind::Role, "c", "3")]);
    change.delete.push((INVITE, "a".to_owned()));
    let change = expecting(change, INVITE, "a", at(first));
    done(&store, change.clone()).await?;
    let told: Vec<Changes> = heard
        .lock()
        .iter()
        .map(|committed| (*committed.changes).clone())
        .collect();
    same!(told, vec![change]);
    Ok(())
}

async fn a_follower_does_not_hear_of_conflicts(place: Place) -> Outcome {
    let store = place.open();
    let (_, heard, _) = follow(&store, &[]).await?;
    done(&store, writing([document(INVITE, "a", "1")])).await?;
    conflict(&store, expecting(writing([]), INVITE, "a", Expect::Absent)).await?;
    done(&store, writing([document(INVITE, "b", "1")])).await?;
    same!(heard.revisions(), [1, 2]);
    Ok(())
}

/// Eight tasks that write fifty changes each.
async fn write_a_lot(store: &Arc<dyn Store>) -> Outcome {
    let mut tasks = Vec::new();
    for task in 0..8 {
        let store = Arc::clone(store);
        tasks.push(tokio::spawn(async move {
            for number in 0..50 {
                done(
                    &store,
                    writing([document(INVITE, &format!("{task}-{number}"), "1")]),
                )
                .await?;
            }
            Ok(())
        }));
    }
    all(tasks).await.map(drop)
}

async fn a_follower_hears_in_order_and_once(place: Place) -> Outcome {
    let store = place.open();
    let (_, heard, _) = follow(&store, &[]).await?;
    write_a_lot(&store).await?;
    same!(heard.revisions(), (1..=400).collect::<Vec<u64>>());
    Ok(())
}

async fn followers_hear_the_same(place: Place) -> Outcome {
    let store = place.open();
    let (_, one, _) = follow(&store, &[]).await?;
    let (_, two, _) = follow(&store, &[INVITE]).await?;
    write_a_lot(&store).await?;
    same!(one.revisions(), two.revisions());
    same!(one.revisions().len(), 400);
    Ok(())
}

async fn a_snapshot_and_what_follows_join_while_others_write(place: Place) -> Outcome {
    let store = place.open();
    for number in 0..500 {
        done(
            &store,
            writing([document(INVITE, &format!("old-{number}"), "1")]),
        )
        .await?;
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = Vec::new();
    for task in 0..4 {
        let (store, stopped) = (Arc::clone(&store), stopped.clone());
        tasks.push(tokio::spawn(async move {
            for number in 0..5000 {
                if *stopped.borrow() {
                    break;
                }
                done(
                    &store,
                    writing([document(INVITE, &format!("{task}-{number}"), "1")]),
                )
                .await?;
                tokio::task::yield_now().await;
            }
            Ok(())
        }));
    }
    let mut followed = Vec::new();
    for _ in 0..20 {
        followed.push(follow(&store, &[INVITE]).await?);
        tokio::task::yield_now().await;
    }
    stop.send_replace(true);
    all(tasks).await?;
    let newest = store.revision().await?;
    for (found, heard, revision) in followed {
        // Each change writes one document of its own: the snapshot has one for each revision.
        same!(u64::try_from(found.len())?, revision.0);
        same!(
            heard.revisions(),
            (revision.0 + 1..=newest.0).collect::<Vec<u64>>()
        );
    }
    Ok(())
}

async fn a_snapshot_is_complete_before_anything_follows(place: Place) -> Outcome {
    let store = place.open();
    let ids = (0..2000).map(|number| format!("old-{number}"));
    done(&store, writing(ids.map(|id| document(INVITE, &id, "1")))).await?;
    let writers = Arc::clone(&store);
    let writing_a_lot = tokio::spawn(async move { write_a_lot(&writers).await });
    // What came, in the order it came: a document of the snapshot, or a change.
    let order = Arc::new(Mutex::new(Vec::<&'static str>::new()));
    let push = |order: &Mutex<Vec<&'static str>>, what| {
        order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    };
    let sink_order = Arc::clone(&order);
    let sink: Subscriber = Arc::new(move |_| push(&sink_order, "change"));
    store
        .follow(&[INVITE], &mut |_| push(&order, "document"), sink)
        .await?;
    writing_a_lot.await??;
    let order = order.lock().unwrap_or_else(PoisonError::into_inner);
    check!(
        order.is_sorted_by(|one, two| one >= two),
        "a change came before a document"
    );
    Ok(())
}

async fn a_follow_that_is_dropped_is_never_called(place: Place) -> Outcome {
    let store = place.open();
    let ids = (0..5000).map(|number| format!("old-{number}"));
    done(&store, writing(ids.map(|id| document(INVITE, &id, "1")))).await?;
    let heard = Heard::default();
    let mut found = 0_usize;
    let mut count = |_: Seen<Document>| found += 1;
    let mut following = store.follow(&[INVITE], &mut count, heard.sink());
    let finished = tokio::select! {
        biased;
        ended = &mut following => ended.is_ok(),
        () = std::future::ready(()) => false,
    };
    drop(following);
    done(&store, writing([document(INVITE, "new", "1")])).await?;
    // An engine may finish it in one step; then it must have finished it wholly.
    let expected = if finished {
        (5000, vec![2])
    } else {
        (found, vec![])
    };
    same!((found, heard.revisions()), expected);
    Ok(())
}
