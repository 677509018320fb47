//! Clause 3, and how a store ends: what is closed in good order, dropped, and opened again.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use guestlist_rules::changes::{Expect, Facet, Kind, Revision};

use super::{
    Outcome, Place, at, body, cases, chained, check, conflict, document, done, expecting,
    is_stopped, same, with_facets, writing,
};
use crate::{Applied, Selection, StoreError};

cases!(
    a_healthy_store_answers_a_ping,
    a_closed_store_takes_no_writes,
    a_closed_store_does_not_answer_a_ping,
    closing_twice_is_closing,
    closing_finishes_what_was_accepted,
    a_healthy_store_has_not_stopped,
    what_was_closed_is_found_again,
    what_was_dropped_is_found_again,
    revisions_go_on_after_opening_again,
    the_chain_goes_on_after_opening_again,
    conditions_hold_after_opening_again,
    facets_are_found_after_opening_again,
    an_empty_store_is_opened_again,
);

const INVITE: Kind = Kind::Invite;

/// Looks at a future once.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

async fn a_healthy_store_answers_a_ping(place: Place) -> Outcome {
    let store = place.open();
    store.ping().await?;
    done(&store, writing([])).await?;
    store.ping().await?;
    Ok(())
}

async fn a_closed_store_takes_no_writes(place: Place) -> Outcome {
    let store = place.open();
    store.close().await?;
    let answer = store.apply(writing([document(INVITE, "a", "1")])).await;
    check!(is_stopped(&answer), "{answer:?}");
    Ok(())
}

async fn a_closed_store_does_not_answer_a_ping(place: Place) -> Outcome {
    let store = place.open();
    store.close().await?;
    let answer = store.ping().await;
    check!(is_stopped(&answer), "{answer:?}");
    Ok(())
}

async fn closing_twice_is_closing(place: Place) -> Outcome {
    let store = place.open();
    store.close().await?;
    store.close().await?;
    Ok(())
}

async fn closing_finishes_what_was_accepted(place: Place) -> Outcome {
    let store = place.open();
    let mut tasks = Vec::new();
    for number in 0..200 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            store
                .apply(writing([document(INVITE, &number.to_string(), "1")]))
                .await
        }));
    }
    tokio::task::yield_now().await;
    store.close().await?;
    let mut acknowledged = Vec::new();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await? {
            Ok(Applied::Done(_)) => acknowledged.push(number),
            Err(StoreError::Stopped) => {}
            other => check!(false, "{number}: {other:?}"),
        }
    }
    drop(store);
    if place.keeps {
        let store = place.open();
        same!(
            store.list(INVITE, &Selection::All, None, 500).await?.len(),
            acknowledged.len()
        );
    }
    Ok(())
}

async fn a_healthy_store_has_not_stopped(place: Place) -> Outcome {
    let store = place.open();
    same!(poll_once(store.stopped()), None);
    store.close().await?;
    same!(poll_once(store.stopped()), None);
    Ok(())
}

async fn what_was_closed_is_found_again(place: Place) -> Outcome {
    if !place.keeps {
        return Ok(());
    }
    let store = place.open();
    for number in 0..20 {
        done(
            &store,
            writing([document(INVITE, &format!("{number:02}"), "é\0")]),
        )
        .await?;
    }
    let before = store.list(INVITE, &Selection::All, None, 100).await?;
    let log = store.events_after(Revision(0), 100).await?;
    store.close().await?;
    drop(store);
    let store = place.open();
    same!(
        store.list(INVITE, &Selection::All, None, 100).await?,
        before
    );
    same!(store.events_after(Revision(0), 100).await?, log);
    Ok(())
}

async fn what_was_dropped_is_found_again(place: Place) -> Outcome {
    if !place.keeps {
        return Ok(());
    }
    for number in 0..10 {
        let store = place.open();
        let found = store.list(INVITE, &Selection::All, None, 100).await?.len();
        same!(found, number);
        done(
            &store,
            writing([document(INVITE, &number.to_string(), "1")]),
        )
        .await?;
    }
    Ok(())
}

async fn revisions_go_on_after_opening_again(place: Place) -> Outcome {
    if !place.keeps {
        return Ok(());
    }
    for number in 1..6 {
        let store = place.open();
        same!(store.revision().await?, Revision(number - 1));
        same!(done(&store, writing([])).await?, Revision(number));
        store.close().await?;
    }
    Ok(())
}

async fn the_chain_goes_on_after_opening_again(place: Place) -> Outcome {
    if !place.keeps {
        return Ok(());
    }
    for number in 1..6 {
        let store = place.open();
        for _ in 0..number {
            done(&store, writing([])).await?;
        }
        if number % 2 == 0 {
            store.close().await?;
        }
    }
    let log = place.open().events_after(Revision(0), 100).await?;
    same!(log.len(), 15);
    chained(&log)
}

async fn conditions_hold_after_opening_again(place: Place) -> Outcome {
    if !place.keeps {
        return Ok(());
    }
    let store = place.open();
    let mark = done(&store, writing([document(INVITE, "a", "1")])).await?;
    drop(store);
    let store = place.open();
    conflict(&store, expecting(writing([]), INVITE, "a", Expect::Absent)).await?;
    let change = writing([document(INVITE, "a", "2")]);
    done(&store, expecting(change, INVITE, "a", at(mark))).await?;
    same!(body(&store, INVITE, "a").await?.as_deref(), Some("2"));
    Ok(())
}

async fn facets_are_found_after_opening_again(place: Place) -> Outcome {
    if !place.keeps {
        return Ok(());
    }
    let store = place.open();
    let invited = |inviter| with_facets(document(INVITE, "a", "1"), &[(Facet::Inviter, inviter)]);
    done(&store, writing([invited("u")])).await?;
    drop(store);
    let store = place.open();
    done(&store, writing([invited("v")])).await?;
    drop(store);
    let store = place.open();
    for (inviter, expected) in [("u", 0), ("v", 1)] {
        let selection = Selection::Equal(Facet::Inviter, inviter.to_owned());
        same!(
            store.list(INVITE, &selection, None, 9).await?.len(),
            expected
        );
    }
    Ok(())
}

async fn an_empty_store_is_opened_again(place: Place) -> Outcome {
    for _ in 0..3 {
        let store = place.open();
        same!(store.revision().await?, Revision(0));
        store.close().await?;
    }
    Ok(())
}
