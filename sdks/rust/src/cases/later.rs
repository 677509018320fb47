//! Eight days later on a restarted server, with a clock that the cases move on.

use serde_json::Value;

use crate::cases::accounts::is_known;
use crate::issuer::Algorithm;
use crate::report::{Failure, Report, check, equal, refused};
use crate::world::World;

fn left(world: &World, name: &str) -> Result<String, Failure> {
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&world.state_file)?)?;
    Ok(state[name].as_str().unwrap_or_default().to_owned())
}

pub async fn run(world: &World, report: &mut Report) {
    lives(world, report).await;
    rotation(world, report).await;
}

async fn lives(world: &World, report: &mut Report) {
    report
        .case(
            "respondToInvite",
            "404 once the invite has expired",
            async {
                let client = world.local("late-comer")?.access_records;
                let expired =
                    refused(404, client.respond_to_invite(left(world, "pending")?).await)?;
                let unknown = refused(
                    404,
                    client.respond_to_invite("inv_unknown".to_owned()).await,
                )?;
                equal(&expired["title"], &unknown["title"], "the titles")?;
                check(
                    !world.reads("late-comer", "/docs/later").await?,
                    "it gave access",
                )
            },
        )
        .await;
    report
        .case(
            "respondToInvite",
            "who accepted in time is answered as before",
            async {
                let accepted = left(world, "accepted")?;
                world
                    .local("early")?
                    .access_records
                    .respond_to_invite(accepted.clone())
                    .await?;
                let other = world.local("late-comer")?.access_records;
                refused(404, other.respond_to_invite(accepted).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "authorizeUser",
            "what was given before the restart still holds",
            async {
                check(
                    world.reads("early", "/docs/later-accepted").await?,
                    "the access is gone",
                )?;
                check(
                    world.reads("checked", "/docs/checked").await?,
                    "a record's access is gone",
                )
            },
        )
        .await;
}

async fn rotation(world: &World, report: &mut Report) {
    report
        .case(
            "a linked issuer",
            "a key it adds is known, one it takes away is refused",
            async {
                let issuer = world.issuer();
                let old = issuer.token("rotating");
                is_known(world, "rotating", &old).await?;
                // Keys are asked for again at most every 30 seconds, and always after five minutes.
                for (kid, algorithm) in [("second", Algorithm::Rs256), ("third", Algorithm::EdDsa)]
                {
                    world.move_clock(31)?;
                    issuer.add_key(kid, algorithm);
                    is_known(world, "rotating", &issuer.token("rotating")).await?;
                    is_known(world, "rotating", &old).await?;
                }
                issuer.remove_key("first");
                world.move_clock(301)?;
                is_known(world, "rotating", &issuer.token("rotating")).await?;
                let client = world.with(&old).user_permissions;
                refused(
                    401,
                    client
                        .get_user_resources("rotating".to_owned(), None, None)
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
}
