//! Eight days later on a restarted server: what has expired, and what has stayed.

use serde_json::Value;

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::World;

fn left(world: &World, name: &str) -> Result<String, Failure> {
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&world.state_file)?)?;
    Ok(state[name].as_str().unwrap_or_default().to_owned())
}

pub async fn run(world: &World, report: &mut Report) {
    report
        .case("respondToInvite", "404 once the invite has expired", async {
            let client = world.local("late-comer")?.access_records;
            let expired = refused(404, client.respond_to_invite(left(world, "pending")?).await)?;
            let unknown = refused(404, client.respond_to_invite("inv_unknown".to_owned()).await)?;
            equal(&expired["title"], &unknown["title"], "the titles")?;
            check(!world.reads("late-comer", "/docs/later").await?, "it gave access")
        })
        .await;
    report
        .case("respondToInvite", "who accepted in time is answered as before", async {
            let accepted = left(world, "accepted")?;
            world.local("early")?.access_records.respond_to_invite(accepted.clone()).await?;
            let other = world.local("late-comer")?.access_records;
            refused(404, other.respond_to_invite(accepted).await)?;
            Ok(())
        })
        .await;
    report
        .case("authorizeUser", "what was given before the restart still holds", async {
            check(world.reads("early", "/docs/later-accepted").await?, "the access is gone")?;
            check(world.reads("checked", "/docs/checked").await?, "a record's access is gone")
        })
        .await;
}
