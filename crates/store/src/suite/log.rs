//! Clauses 4 and 5: the log has no gaps, and reads see what was acknowledged.

use std::sync::Arc;

use guestlist_rules::changes::{Changes, Event, Expect, Kind, Revision};

use super::{
    Outcome, Place, cases, chained, conflict, document, done, event, expecting, same, with_facets,
    writing,
};
use crate::{Head, Logged, Selection};

cases!(
    an_empty_store_is_at_revision_zero,
    revisions_count_from_one,
    an_event_is_kept_as_it_was,
    a_line_names_what_was_touched,
    a_line_names_the_same_documents_in_any_number,
    the_log_is_given_in_pages,
    a_page_of_the_log_is_never_too_long,
    after_the_newest_there_is_nothing,
    reads_see_what_was_acknowledged,
    reads_of_another_task_see_what_was_acknowledged,
    hashes_are_those_that_were_written_down,
    each_line_is_hashed_with_all_before_it,
    a_conflict_is_not_in_the_chain,
);

const INVITE: Kind = Kind::Invite;

async fn an_empty_store_is_at_revision_zero(place: Place) -> Outcome {
    let store = place.open();
    same!(store.revision().await?, Revision(0));
    same!(store.events_after(Revision(0), 10).await?, vec![]);
    Ok(())
}

async fn revisions_count_from_one(place: Place) -> Outcome {
    let store = place.open();
    for number in 1..=20 {
        let change = writing([document(INVITE, "a", &number.to_string())]);
        same!(done(&store, change).await?, Revision(number));
        same!(store.revision().await?, Revision(number));
    }
    let log = store.events_after(Revision(0), 100).await?;
    let revisions: Vec<u64> = log.iter().map(|line| line.revision.0).collect();
    same!(revisions, (1..=20).collect::<Vec<u64>>());
    Ok(())
}

async fn an_event_is_kept_as_it_was(place: Place) -> Outcome {
    let store = place.open();
    let mut odd = event("invite.accepted");
    odd.time = -62_135_596_800_001;
    odd.actor = String::from("Authress:Service");
    odd.request_id = String::new();
    odd.subject = String::from("invite/é\"\\\u{1}🎟");
    odd.data = serde_json::json!({
        "empty": {}, "list": [1, -1, u64::MAX, i64::MIN, 0.5, true, null, "\u{0}\u{2028}"],
        "nested": { "b": 1, "a": { "z": [] } }, "": "no name"
    });
    done(&store, Changes::new(odd.clone())).await?;
    let log = store.events_after(Revision(0), 10).await?;
    same!(
        log,
        vec![Logged {
            revision: Revision(1),
            hash: Head::START.followed_by(&odd.canonical()).hash,
            event: odd,
            touched: Vec::new(),
        }]
    );
    Ok(())
}

async fn a_line_names_what_was_touched(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "gone", "1")])).await?;
    let mut change = writing([document(INVITE, "é/a", "1"), document(Kind::Role, "b", "1")]);
    change.delete.push((INVITE, "gone".to_owned()));
    let revision = done(&store, change).await?;
    let log = store.events_after(Revision(revision.0 - 1), 10).await?;
    let touched: Vec<_> = log.into_iter().flat_map(|line| line.touched).collect();
    let expected = [(INVITE, "é/a"), (Kind::Role, "b"), (INVITE, "gone")];
    same!(
        touched,
        expected.map(|(kind, id)| (kind, id.to_owned())).to_vec()
    );
    Ok(())
}

async fn a_line_names_the_same_documents_in_any_number(place: Place) -> Outcome {
    let store = place.open();
    for count in [0_usize, 1, 2, 50] {
        let ids: Vec<String> = (0..count)
            .map(|number| format!("{count}-{number}"))
            .collect();
        let revision = done(
            &store,
            writing(ids.iter().map(|id| document(INVITE, id, "1"))),
        )
        .await?;
        let log = store.events_after(Revision(revision.0 - 1), 10).await?;
        let touched: Vec<String> = log
            .into_iter()
            .flat_map(|line| line.touched)
            .map(|(_, id)| id)
            .collect();
        same!(touched, ids);
    }
    Ok(())
}

async fn the_log_is_given_in_pages(place: Place) -> Outcome {
    let store = place.open();
    for number in 0..23 {
        done(&store, Changes::new(event(&format!("number.{number}")))).await?;
    }
    for limit in [1, 2, 10, 23, 100] {
        let mut kinds = Vec::new();
        let mut after = Revision(0);
        loop {
            let page = store.events_after(after, limit).await?;
            let Some(last) = page.last() else { break };
            after = last.revision;
            kinds.extend(page.into_iter().map(|line| line.event.kind));
        }
        same!(
            kinds,
            (0..23)
                .map(|number| format!("number.{number}"))
                .collect::<Vec<_>>()
        );
    }
    Ok(())
}

async fn a_page_of_the_log_is_never_too_long(place: Place) -> Outcome {
    let store = place.open();
    for _ in 0..5 {
        done(&store, writing([])).await?;
    }
    same!(store.events_after(Revision(0), 0).await?, vec![]);
    same!(store.events_after(Revision(0), 3).await?.len(), 3);
    same!(store.events_after(Revision(0), usize::MAX).await?.len(), 5);
    Ok(())
}

async fn after_the_newest_there_is_nothing(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([])).await?;
    for after in [1, 2, u64::from(u32::MAX), u64::MAX] {
        same!(store.events_after(Revision(after), 10).await?, vec![]);
    }
    Ok(())
}

async fn reads_see_what_was_acknowledged(place: Place) -> Outcome {
    let store = place.open();
    for number in 1..=100_u64 {
        let text = number.to_string();
        let value = format!("{number:03}");
        let facets = [(guestlist_rules::changes::Facet::Inviter, value.as_str())];
        let revision = done(
            &store,
            writing([with_facets(document(INVITE, "a", &text), &facets)]),
        )
        .await?;
        same!(super::body(&store, INVITE, "a").await?, Some(text));
        let selection = Selection::Equal(guestlist_rules::changes::Facet::Inviter, value);
        same!(store.list(INVITE, &selection, None, 2).await?.len(), 1);
        same!(store.list(INVITE, &Selection::All, None, 2).await?.len(), 1);
        same!(store.revision().await?, revision);
        same!(store.events_after(Revision(number - 1), 2).await?.len(), 1);
    }
    Ok(())
}

async fn reads_of_another_task_see_what_was_acknowledged(place: Place) -> Outcome {
    let store = place.open();
    let (told, mut heard) = tokio::sync::mpsc::channel::<Revision>(1);
    let reader = Arc::clone(&store);
    let task = tokio::spawn(async move {
        while let Some(revision) = heard.recv().await {
            let seen = reader.get(INVITE, "a").await?.map(|seen| seen.mark.0);
            if seen < Some(revision.0) || reader.revision().await? < revision {
                return Err(super::Failed(format!("{seen:?} was read after {revision}")));
            }
        }
        Outcome::Ok(())
    });
    for number in 0..200 {
        let revision = done(
            &store,
            writing([document(INVITE, "a", &number.to_string())]),
        )
        .await?;
        if told.send(revision).await.is_err() {
            break;
        }
    }
    drop(told);
    task.await?
}

/// Made by another program, from the published form alone (docs/API.md).
async fn hashes_are_those_that_were_written_down(place: Place) -> Outcome {
    let store = place.open();
    let first = event("access-record.created");
    let second = Event {
        kind: "invite.accepted".to_owned(),
        time: 1_767_323_045_678,
        actor: "Authress:Service".to_owned(),
        request_id: String::new(),
        subject: "access-record/é/x".to_owned(),
        data: serde_json::json!({
            "z": [1, -1, u64::MAX, i64::MIN, true, null],
            "a": { "é": "\"\\\u{1}\u{2028}🎟", "A": 0.5, "b": 1.5e300 },
        }),
    };
    let third = Event {
        time: i64::MIN,
        data: serde_json::Value::Null,
        ..second.clone()
    };
    for event in [first, second, third] {
        done(&store, Changes::new(event)).await?;
    }
    let log = store.events_after(Revision(0), 10).await?;
    let hashes: Vec<String> = log.iter().map(|line| line.hash.to_string()).collect();
    same!(
        hashes,
        [
            "900bb2be5b107e38939ddfb0c57a323bc97863f894914a629f0c7f8105d16c17",
            "8d5831f84abc818efe66c6fd2fde32f63d877fca50918a494542166014d1f2e6",
            "cbf22b111cb50a1f629454c20dd9e151cc73304cde4681e4559da6fdc2510a27",
        ]
        .map(str::to_owned)
    );
    Ok(())
}

async fn each_line_is_hashed_with_all_before_it(place: Place) -> Outcome {
    let store = place.open();
    // The same event again and again has another hash each time.
    for _ in 0..20 {
        done(&store, Changes::new(event("role.created"))).await?;
    }
    let log = store.events_after(Revision(0), 100).await?;
    chained(&log)?;
    same!(
        store.events_after(Revision(7), 5).await?,
        log.iter().skip(7).take(5).cloned().collect::<Vec<_>>()
    );
    Ok(())
}

async fn a_conflict_is_not_in_the_chain(place: Place) -> Outcome {
    let store = place.open();
    for number in 0..5 {
        let change = writing([document(INVITE, &number.to_string(), "1")]);
        done(&store, change).await?;
        let change = expecting(writing([]), INVITE, "0", Expect::Absent);
        conflict(&store, change).await?;
    }
    let log = store.events_after(Revision(0), 100).await?;
    same!(log.len(), 5);
    chained(&log)
}
