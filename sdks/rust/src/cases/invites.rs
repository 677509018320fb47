//! The life of an invite. This SDK cannot read one, and takes only `null` for an accepted one.

use serde_json::json;

use crate::report::{Report, check, equal, refused};
use crate::world::{AWKWARD_USER, EDITOR, READER, World, ids, invite};

pub async fn run(world: &World, report: &mut Report) {
    create(world, report).await;
    accept(world, report).await;
    accept_refused(world, report).await;
    suspended(world, report).await;
    delete(world, report).await;
    leave_for_later(world, report).await;
}

async fn create(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "createInvite",
            "answers the invite with an id of its own",
            async {
                let wanted = invite(&[READER, EDITOR], &["/orgs/a|b/*", "docs/1"]);
                let made = api.create_invite(wanted.clone()).await?;
                check(made.invite_id.starts_with("inv_"), "no id was made")?;
                equal(&made.statements, &wanted.statements, "the statements")?;
                check(made.links.flatten().is_some(), "links are missing")
            },
        )
        .await;
    report
        .case(
            "createInvite",
            "400 for what is malformed, 401, 403 for too much",
            async {
                refused(
                    400,
                    api.create_invite(invite(&["ro_unknown"], &["/docs/1"]))
                        .await,
                )?;
                let bad = refused(
                    400,
                    api.create_invite(invite(&[READER], &["/docs//1"])).await,
                )?;
                let named = bad
                    .to_string()
                    .contains("statements[0].resources[0].resourceUri");
                check(named, &format!("{bad} does not name the place"))?;
                let wanted = invite(&[READER], &["/docs/invited"]);
                let nobody = world.nobody().access_records;
                refused(401, nobody.create_invite(wanted.clone()).await)?;
                world
                    .give("only-reads", &[READER], &["/docs/invited"])
                    .await?;
                let person = world.person("only-reads").access_records;
                refused(403, person.create_invite(wanted).await)?;
                Ok(())
            },
        )
        .await;
}

async fn accept(world: &World, report: &mut Report) {
    report
        .case(
            "respondToInvite",
            "who accepts gains exactly what the invite gives",
            async {
                let id = world.invite("/docs/accepted").await?;
                let user = "invited-person";
                check(!world.reads(user, "/docs/accepted").await?, "access before")?;
                let client = world.person(user).access_records;
                client.respond_to_invite(id.clone()).await?;
                check(world.reads(user, "/docs/accepted").await?, "no access")?;
                check(
                    !world
                        .may(user, "/docs/accepted", "documents:update")
                        .await?,
                    "too much",
                )?;
                check(!world.reads(user, "/docs").await?, "too much")?;
                client.respond_to_invite(id.clone()).await?;
                let records = world.records(user).await?;
                equal(records.len(), 1, "the number of records")?;
                let mut users = ids(&records[0].users);
                for item in records[0]
                    .statements
                    .iter()
                    .filter_map(|item| item.users.as_ref())
                {
                    users.extend(item.iter().map(|user| user.user_id.clone()));
                }
                equal(users, [user], "the users of the record")?;
                check(
                    !format!("{records:?}").contains(&id),
                    "the record shows the secret",
                )
            },
        )
        .await;
    report.differs("answers nothing, where others are given the account");
    report
        .case(
            "respondToInvite",
            "accepting again does not bring back what was taken away",
            async {
                let id = world.invite("/docs/taken-away").await?;
                let client = world.person("taken-away").access_records;
                client.respond_to_invite(id.clone()).await?;
                let records = world.records("taken-away").await?;
                let record = records[0].record_id.clone().unwrap_or_default();
                world.owner.access_records.delete_record(record).await?;
                client.respond_to_invite(id).await?;
                check(
                    !world.reads("taken-away", "/docs/taken-away").await?,
                    "it came back",
                )
            },
        )
        .await;
    report
        .case(
            "respondToInvite",
            "a person with an awkward id, a second invite beside it",
            async {
                let client = world.person(AWKWARD_USER).access_records;
                for resource in ["/docs/awkward", "/docs/awkward-2"] {
                    client
                        .respond_to_invite(world.invite(resource).await?)
                        .await?;
                }
                check(
                    world.reads(AWKWARD_USER, "/docs/awkward").await?,
                    "the first is gone",
                )?;
                check(
                    world.reads(AWKWARD_USER, "/docs/awkward-2").await?,
                    "the second gave nothing",
                )
            },
        )
        .await;
}

async fn accept_refused(world: &World, report: &mut Report) {
    report
        .case(
            "respondToInvite",
            "another person is refused as if it did not exist",
            async {
                let id = world.invite("/docs/once").await?;
                world
                    .person("first-person")
                    .access_records
                    .respond_to_invite(id.clone())
                    .await?;
                let second = world.person("second-person").access_records;
                let used = refused(404, second.respond_to_invite(id).await)?;
                let unknown = refused(
                    404,
                    second.respond_to_invite("inv_unknown".to_owned()).await,
                )?;
                equal(&used["title"], &unknown["title"], "the titles")?;
                check(
                    !world.reads("second-person", "/docs/once").await?,
                    "it gave access",
                )
            },
        )
        .await;
    report
        .case(
            "respondToInvite",
            "401 for nobody, 403 for a client, 404 for unknown ids",
            async {
                let id = world.invite("/docs/unaccepted").await?;
                let nobody = world.nobody().access_records;
                refused(401, nobody.respond_to_invite(id.clone()).await)?;
                refused(
                    403,
                    world
                        .owner
                        .access_records
                        .respond_to_invite(id.clone())
                        .await,
                )?;
                let client = world.person("guesser").access_records;
                for unknown in [
                    "inv/1|2:3~4*5 6'()!".to_owned(),
                    "x".to_owned(),
                    format!("{id}x"),
                ] {
                    refused(404, client.respond_to_invite(unknown).await)?;
                }
                check(
                    !world.reads("guesser", "/docs/unaccepted").await?,
                    "a guess gave access",
                )
            },
        )
        .await;
}

async fn suspended(world: &World, report: &mut Report) {
    report
        .case(
            "respondToInvite",
            "403 while the inviter no longer holds what it gives",
            async {
                let record = world
                    .give("inviter", &["Authress:Owner"], &["/lent"])
                    .await?;
                let inviter = world.person("inviter").access_records;
                let id = inviter
                    .create_invite(invite(&[READER], &["/lent/1"]))
                    .await?
                    .invite_id;
                let owner = &world.owner.access_records;
                owner
                    .delete_record(record.record_id.clone().unwrap_or_default())
                    .await?;
                let client = world.person("late").access_records;
                refused(403, client.respond_to_invite(id.clone()).await)?;
                check(!world.reads("late", "/lent/1").await?, "it gave access")?;
                owner.create_record(record).await?;
                client.respond_to_invite(id).await?;
                check(
                    world.reads("late", "/lent/1").await?,
                    "it does not work again",
                )
            },
        )
        .await;
}

async fn delete(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "deleteInvite",
            "nobody can accept it any more; what it gave stays",
            async {
                let id = world.invite("/docs/withdrawn").await?;
                api.delete_invite(id.clone()).await?;
                refused(
                    404,
                    world
                        .person("too-late")
                        .access_records
                        .respond_to_invite(id)
                        .await,
                )?;
                refused(404, api.delete_invite("inv/1|2:3~4*5 6".to_owned()).await)?;
                let id = world.invite("/docs/kept-after").await?;
                world
                    .person("keeps")
                    .access_records
                    .respond_to_invite(id.clone())
                    .await?;
                api.delete_invite(id).await?;
                check(
                    world.reads("keeps", "/docs/kept-after").await?,
                    "the access is gone",
                )
            },
        )
        .await;
    report
        .case(
            "deleteInvite",
            "404 for a stranger who knows the id, 401 without a token",
            async {
                let id = world.invite("/docs/not-yours").await?;
                let stranger = world.person("stranger").access_records;
                refused(404, stranger.delete_invite(id.clone()).await)?;
                refused(401, world.nobody().access_records.delete_invite(id).await)?;
                Ok(())
            },
        )
        .await;
}

async fn leave_for_later(world: &World, report: &mut Report) {
    report
        .case(
            "before the clock moves",
            "invites and a record are left for later",
            async {
                let pending = world.invite("/docs/later").await?;
                let accepted = world.invite("/docs/later-accepted").await?;
                let early = world.local("early")?.access_records;
                early.respond_to_invite(accepted.clone()).await?;
                let state = json!({"pending": pending, "accepted": accepted});
                std::fs::write(&world.state_file, state.to_string())?;
                check(
                    world.reads("early", "/docs/later-accepted").await?,
                    "no access",
                )
            },
        )
        .await;
}
