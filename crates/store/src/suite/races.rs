//! Clauses 1, 2 and 4 under real threads, and against a model.

use std::collections::BTreeMap;
use std::sync::Arc;

use guestlist_rules::changes::{Document, Expect, Facet, Kind, Mark, Revision};

use super::{
    Dice, Failed, Outcome, Place, all, at, body, cases, check, deleting, document, done, expecting,
    same, with_facets, writing,
};
use crate::{Applied, Logged, Selection, Store};

cases!(
    sixteen_threads_leave_no_gap,
    of_64_racers_for_one_document_one_wins,
    of_64_racers_for_one_mark_one_wins,
    a_counter_loses_nothing,
    two_that_exclude_each_other_never_both_win,
    a_revocation_is_never_overtaken,
    conflicts_do_not_harm_their_neighbours,
    a_reader_never_sees_half_a_change,
    a_dropped_future_leaves_all_or_nothing,
    random_changes_agree_with_a_model,
);

const INVITE: Kind = Kind::Invite;

/// Runs this on so many threads of the operating system, each with a runtime of its own: tasks
/// alone would prove nothing of concurrency.
async fn on_threads<F>(count: u64, work: impl Fn(u64) -> F + Send + Sync + 'static) -> Outcome
where
    F: Future<Output = Outcome> + 'static,
{
    let work = Arc::new(work);
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let work = Arc::clone(&work);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(work(number))
            })
        })
        .collect();
    let joined = tokio::task::spawn_blocking(|| {
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Failed("a thread has failed".to_owned())))
        })
    });
    joined.await?
}

async fn whole_log(store: &Arc<dyn Store>) -> Outcome<Vec<Logged>> {
    let mut log = Vec::new();
    loop {
        let newest = log
            .last()
            .map_or(Revision(0), |line: &Logged| line.revision);
        let page = store.events_after(newest, 500).await?;
        if page.is_empty() {
            return Ok(log);
        }
        log.extend(page);
    }
}

async fn sixteen_threads_leave_no_gap(place: Place) -> Outcome {
    let store = place.open();
    let shared = Arc::clone(&store);
    on_threads(16, move |thread| {
        let store = Arc::clone(&shared);
        async move {
            let mut last = 0;
            for number in 0..50 {
                let id = format!("{thread}-{number}");
                let change = writing([document(INVITE, &id, "1")]);
                let change = expecting(change, INVITE, &id, Expect::Absent);
                let revision = done(&store, change).await?.0;
                check!(revision > last, "{revision} came after {last}");
                last = revision;
            }
            Ok(())
        }
    })
    .await?;
    let log = whole_log(&store).await?;
    let revisions: Vec<u64> = log.iter().map(|line| line.revision.0).collect();
    same!(revisions, (1..=800).collect::<Vec<u64>>());
    super::chained(&log)?;
    for line in &log {
        for (kind, id) in &line.touched {
            let mark = store.get(*kind, id).await?.map(|seen| seen.mark);
            same!(mark, Some(Mark(line.revision.0)));
        }
    }
    Ok(())
}

/// Sixty-four tasks that try the same condition at once, in each of several rounds.
async fn race(store: &Arc<dyn Store>, id: &str, expect: Expect) -> Outcome {
    let start = Arc::new(tokio::sync::Barrier::new(64));
    let mut tasks = Vec::new();
    for racer in 0..64 {
        let (store, start, id) = (Arc::clone(store), Arc::clone(&start), id.to_owned());
        tasks.push(tokio::spawn(async move {
            let change = writing([document(INVITE, &id, &racer.to_string())]);
            let change = expecting(change, INVITE, &id, expect);
            start.wait().await;
            let applied = store.apply(change).await?;
            Ok(matches!(applied, Applied::Done(_)).then_some(racer))
        }));
    }
    let winners: Vec<i32> = all(tasks).await?.into_iter().flatten().collect();
    same!(winners.len(), 1);
    let written = body(store, INVITE, id).await?;
    same!(written, winners.first().map(ToString::to_string));
    Ok(())
}

async fn of_64_racers_for_one_document_one_wins(place: Place) -> Outcome {
    let store = place.open();
    for round in 0..10 {
        race(&store, &round.to_string(), Expect::Absent).await?;
        same!(store.revision().await?, Revision(round + 1));
    }
    Ok(())
}

async fn of_64_racers_for_one_mark_one_wins(place: Place) -> Outcome {
    let store = place.open();
    let mut mark = done(&store, writing([document(INVITE, "a", "first")])).await?;
    for _ in 0..10 {
        race(&store, "a", at(mark)).await?;
        mark = Revision(mark.0 + 1);
        same!(store.revision().await?, mark);
    }
    Ok(())
}

async fn a_counter_loses_nothing(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "count", "0")])).await?;
    let shared = Arc::clone(&store);
    on_threads(8, move |_| {
        let store = Arc::clone(&shared);
        async move {
            let mut added = 0;
            // The others make at most 140 of the tries fail for each that succeeds.
            for _ in 0..20 * 200 {
                let Some(seen) = store.get(INVITE, "count").await? else {
                    return Err(Failed("the counter is gone".to_owned()));
                };
                let count: u64 = String::from_utf8_lossy(&seen.value.body).parse()?;
                let change = writing([document(INVITE, "count", &(count + 1).to_string())]);
                let change = expecting(change, INVITE, "count", Expect::At(seen.mark));
                if matches!(store.apply(change).await?, Applied::Done(_)) {
                    added += 1;
                }
                if added == 20 {
                    return Ok(());
                }
            }
            Err(Failed(format!("only {added} of 20 were added")))
        }
    })
    .await?;
    same!(body(&store, INVITE, "count").await?.as_deref(), Some("160"));
    same!(store.revision().await?, Revision(161));
    Ok(())
}

/// Each relies on the absence of what the other writes: in a serial order only one can win.
async fn two_that_exclude_each_other_never_both_win(place: Place) -> Outcome {
    let store = place.open();
    for round in 0..100 {
        let name = |side: usize| format!("{round}-{side}");
        let mut tasks = Vec::new();
        for side in 0..2 {
            let (store, own, other) = (Arc::clone(&store), name(side), name(1 - side));
            tasks.push(tokio::spawn(async move {
                let change = writing([document(INVITE, &own, "1")]);
                let applied = store
                    .apply(expecting(change, INVITE, &other, Expect::Absent))
                    .await?;
                Ok(matches!(applied, Applied::Done(_)))
            }));
        }
        let won = all(tasks).await?.into_iter().filter(|won| *won).count();
        same!(won, 1);
    }
    Ok(())
}

/// What was used under an authority has a smaller revision than the end of that authority.
async fn a_revocation_is_never_overtaken(place: Place) -> Outcome {
    let store = place.open();
    for round in 0..30 {
        let role = format!("role-{round}");
        let mark = done(&store, writing([document(Kind::Role, &role, "1")])).await?;
        let mut tasks = Vec::new();
        for user in 0..8 {
            let (store, role) = (Arc::clone(&store), role.clone());
            tasks.push(tokio::spawn(async move {
                let change = if user == 4 {
                    deleting(Kind::Role, &role)
                } else {
                    let change = writing([document(INVITE, &format!("{round}-{user}"), "1")]);
                    expecting(change, Kind::Role, &role, at(mark))
                };
                let applied = store.apply(change).await?;
                Ok((user == 4, applied))
            }));
        }
        let (mut used, mut revoked) = (Revision(0), Revision(0));
        for (is_revocation, applied) in all(tasks).await? {
            match applied {
                Applied::Done(revision) if is_revocation => revoked = revision,
                Applied::Done(revision) => used = used.max(revision),
                Applied::Conflict { .. } => check!(!is_revocation, "the revocation conflicted"),
            }
        }
        check!(used < revoked, "used at {used}, revoked at {revoked}");
    }
    Ok(())
}

async fn conflicts_do_not_harm_their_neighbours(place: Place) -> Outcome {
    let store = place.open();
    done(&store, writing([document(INVITE, "taken", "1")])).await?;
    let mut tasks = Vec::new();
    for number in 0..200 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let id = format!("n{number}");
            let change = writing([document(INVITE, &id, "1")]);
            let broken = number % 3 == 0;
            let name = if broken { "taken" } else { "free" };
            let applied = store
                .apply(expecting(change, INVITE, name, Expect::Absent))
                .await?;
            check!(
                matches!(applied, Applied::Done(_)) != broken,
                "{id}: {applied:?}"
            );
            check!(
                store.get(INVITE, &id).await?.is_some() != broken,
                "{id} is half done"
            );
            Ok(())
        }));
    }
    all(tasks).await?;
    same!(store.revision().await?, Revision(1 + 200 - 67));
    Ok(())
}

async fn a_reader_never_sees_half_a_change(place: Place) -> Outcome {
    let store = place.open();
    let pair = |text: &str| writing(["a", "b", "c"].map(|id| document(INVITE, id, text)));
    done(&store, pair("0")).await?;
    let writer = Arc::clone(&store);
    let task = tokio::spawn(async move {
        for number in 0..300 {
            done(&writer, pair(&number.to_string())).await?;
        }
        Outcome::Ok(())
    });
    while !task.is_finished() {
        // An engine that never waits would not let the other task begin.
        tokio::task::yield_now().await;
        let page = store.list(INVITE, &Selection::All, None, 10).await?;
        let bodies: Vec<_> = page
            .iter()
            .map(|seen| (&seen.value.body, seen.mark))
            .collect();
        check!(bodies.len() == 3, "{} documents", bodies.len());
        check!(
            bodies.windows(2).all(|two| two.first() == two.last()),
            "half a change: {bodies:?}"
        );
    }
    task.await?
}

async fn a_dropped_future_leaves_all_or_nothing(place: Place) -> Outcome {
    let store = place.open();
    let mut tasks = Vec::new();
    for number in 0..300_u32 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let documents = ["a", "b", "c"].map(|part| {
                let document = document(INVITE, &format!("{number}-{part}"), "1");
                with_facets(document, &[(Facet::Inviter, &number.to_string())])
            });
            let applying = store.apply(writing(documents));
            // Dropped after it was polled a few times, at a different point each time.
            let polls = async {
                for _ in 0..number % 7 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                applied = applying => drop(applied?),
                () = polls => {}
            }
            Ok(())
        }));
    }
    all(tasks).await?;
    // A later change is behind all of them in the one serial order.
    done(&store, writing([document(INVITE, "last", "1")])).await?;
    let mut logged = 0;
    for number in 0..300 {
        let mut found = 0;
        for part in ["a", "b", "c"] {
            found += usize::from(
                store
                    .get(INVITE, &format!("{number}-{part}"))
                    .await?
                    .is_some(),
            );
        }
        let selection = Selection::Equal(Facet::Inviter, number.to_string());
        let listed = store.list(INVITE, &selection, None, 10).await?.len();
        check!(
            found == listed && (found == 0 || found == 3),
            "{number}: {found} of 3, {listed}"
        );
        logged += found / 3;
    }
    same!(whole_log(&store).await?.len(), logged + 1);
    Ok(())
}

/// Two thousand random changes, conditional and not, against a map.
async fn random_changes_agree_with_a_model(place: Place) -> Outcome {
    let store = place.open();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut model: BTreeMap<String, (Document, u64)> = BTreeMap::new();
    let mut revision = 0;
    for step in 0..2000 {
        let mut change = writing([]);
        let mut holds = true;
        for _ in 0..dice.below(4) {
            let id = format!("d{}", dice.below(12));
            let known = model.get(&id).map(|(_, mark)| *mark);
            let expect = match (known, dice.below(4)) {
                (Some(mark), 1..) => Expect::At(Mark(mark)),
                (Some(mark), 0) => Expect::At(Mark(mark + 1)),
                (None, 1..) => Expect::Absent,
                (None, 0) => Expect::At(Mark(1)),
            };
            holds &= expect == known.map_or(Expect::Absent, |mark| Expect::At(Mark(mark)));
            change = expecting(change, INVITE, &id, expect);
        }
        for number in 0..12 {
            let id = format!("d{number}");
            match dice.below(10) {
                0 | 1 => {
                    let inviter = format!("u{}", dice.below(3));
                    let written = document(INVITE, &id, &format!("{step}"));
                    change
                        .write
                        .push(with_facets(written, &[(Facet::Inviter, &inviter)]));
                }
                2 => change.delete.push((INVITE, id)),
                3.. => {}
            }
        }
        let applied = store.apply(change.clone()).await?;
        check!(
            matches!(applied, Applied::Done(_)) == holds,
            "step {step}: {applied:?}"
        );
        if holds {
            revision += 1;
            for written in change.write {
                model.insert(written.id.clone(), (written, revision));
            }
            for (_, id) in change.delete {
                model.remove(&id);
            }
        }
        if step % 50 == 0 {
            agrees(&store, &model).await?;
        }
    }
    agrees(&store, &model).await?;
    same!(store.revision().await?, Revision(revision));
    Ok(())
}

async fn agrees(store: &Arc<dyn Store>, model: &BTreeMap<String, (Document, u64)>) -> Outcome {
    let listed = store.list(INVITE, &Selection::All, None, 100).await?;
    let listed: Vec<_> = listed
        .into_iter()
        .map(|seen| (seen.value, seen.mark.0))
        .collect();
    same!(listed, model.values().cloned().collect::<Vec<_>>());
    for inviter in ["u0", "u1", "u2"] {
        let selection = Selection::Equal(Facet::Inviter, inviter.to_owned());
        let listed = store.list(INVITE, &selection, None, 100).await?;
        let listed: Vec<_> = listed.into_iter().map(|seen| seen.value).collect();
        let facet = [(Facet::Inviter, inviter.to_owned())];
        let of_one = model
            .values()
            .filter(|(document, _)| document.facets == facet);
        same!(
            listed,
            of_one
                .map(|(document, _)| document.clone())
                .collect::<Vec<_>>()
        );
    }
    Ok(())
}
