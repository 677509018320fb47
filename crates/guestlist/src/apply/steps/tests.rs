use std::cell::{Cell, RefCell};

use super::*;
use crate::manifests::Folder;
use crate::output::OutputArguments;
use crate::plan::{Account, Options, plan};

fn steps() -> Vec<Step> {
    let text = "\
kind: Group
groupId: grp_1
name: One
---
kind: Group
groupId: grp_2
name: Two
---
kind: Group
groupId: grp_3
name: Three
";
    let folder = Folder::parse(&[("a.yaml", text)]).unwrap();
    plan(&folder, &Account::default(), &Options::default())
        .unwrap()
        .steps
}

fn output() -> Output {
    Output::new(&OutputArguments {
        quiet: true,
        ..OutputArguments::default()
    })
}

/// Does the steps with this in the place of the server.
async fn run_steps(
    interrupted: &mut mpsc::UnboundedReceiver<()>,
    perform: impl AsyncFn(&Step) -> Result<(), NotDone>,
) -> Report {
    let hidden = ProgressBar::hidden();
    run_with(&steps(), interrupted, &output(), &hidden, perform).await
}

#[tokio::test(flavor = "current_thread")]
async fn all_steps_are_done_in_their_order() {
    let (_tell, mut told) = mpsc::unbounded_channel();
    let seen = RefCell::new(Vec::new());
    let report = run_steps(&mut told, async |step| {
        seen.borrow_mut().push(step.id.clone());
        Ok(())
    })
    .await;
    assert!(report.failure.is_none());
    assert_eq!(*seen.borrow(), ["grp_1", "grp_2", "grp_3"]);
    assert_eq!(
        report.for_people(&steps()).unwrap(),
        "Done: 3 created, 0 changed, 0 deleted."
    );
}

#[tokio::test(flavor = "current_thread")]
async fn the_first_failure_stops_and_is_told_with_what_was_done() {
    let (_tell, mut told) = mpsc::unbounded_channel();
    let report = run_steps(&mut told, async |step| {
        if step.id == "grp_2" {
            Err(changed())
        } else {
            Ok(())
        }
    })
    .await;
    let failure = report.failure.as_ref().unwrap();
    assert_eq!(failure.exit(), crate::exits::Exit::Conflict);
    assert_eq!(
        failure.message(),
        "group grp_2: it changed since the plan was made"
    );
    assert_eq!(
        report.for_people(&steps()).unwrap(),
        "  done: create group grp_1\n  failed: create group grp_2\n  not done: create group grp_3\n"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn an_interruption_lets_the_step_in_hand_finish() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let calls = Cell::new(0);
    let report = run_steps(&mut told, async |_| {
        calls.set(calls.get() + 1);
        tell.send(()).unwrap();
        // Until the interruption was seen.
        tokio::task::yield_now().await;
        Ok(())
    })
    .await;
    assert_eq!(calls.get(), 1);
    let failure = report.failure.unwrap();
    assert_eq!(failure.exit(), crate::exits::Exit::Interrupted);
    assert_eq!(
        report.outcomes,
        [Outcome::Done, Outcome::NotDone, Outcome::NotDone]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_interruption_does_not_wait_and_says_that_it_does_not_know() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let report = run_steps(&mut told, async |_| {
        tell.send(()).unwrap();
        tell.send(()).unwrap();
        std::future::pending().await
    })
    .await;
    assert_eq!(
        report.outcomes,
        [
            Outcome::Unknown("interrupted".to_owned()),
            Outcome::NotDone,
            Outcome::NotDone
        ]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn interrupted_during_the_last_step_everything_is_done() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let report = run_steps(&mut told, async |step| {
        if step.id == "grp_3" {
            tell.send(()).unwrap();
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await;
    assert!(report.failure.is_none());
}
