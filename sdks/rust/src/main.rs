//! The official Authress SDK for Rust, unmodified, against a running server; started by `cargo xtask test`.

mod cases;
mod issuer;
mod report;
mod world;

use std::process::ExitCode;

use report::{Failure, Report};
use world::World;

const VERSION: &str = "0.1.66";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{}", failure.0);
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, Failure> {
    let owner_key = std::fs::read_to_string(setting("GUESTLIST_TEST_OWNER_KEY_FILE")?)?;
    let world = World::new(
        setting("GUESTLIST_TEST_URL")?,
        owner_key.trim(),
        setting("GUESTLIST_TEST_STATE")?,
    );
    let phase = setting("GUESTLIST_TEST_PHASE")?;
    let mut report = Report::new(world.built()?);
    world.prepare().await?;
    if phase == "later" {
        cases::later::run(&world, &mut report).await;
    } else {
        cases::accounts::run(&world, &mut report).await;
        cases::roles::run(&world, &mut report).await;
        cases::records::run(&world, &mut report).await;
        cases::groups::run(&world, &mut report).await;
        cases::users::run(&world, &mut report).await;
        cases::resources::run(&world, &mut report).await;
        cases::requests::run(&world, &mut report).await;
        cases::people::run(&world, &mut report).await;
        cases::tenants::run(&world, &mut report).await;
        cases::connections::run(&world, &mut report).await;
        cases::extensions::run(&world, &mut report).await;
        cases::clients::run(&world, &mut report).await;
        cases::invites::run(&world, &mut report).await;
        cases::not_built::run(&world, &mut report).await;
        report.complete().await;
    }
    Ok(report.finish(&phase, VERSION, &setting("GUESTLIST_TEST_RESULTS")?)?)
}

/// A setting of the run; a suite started by hand is told what it lacks.
fn setting(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_absent| {
        Failure(format!(
            "{name} is not set; `cargo xtask test --only sdk-rust` starts a server and sets it"
        ))
    })
}
