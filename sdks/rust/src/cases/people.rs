//! Users as the account knows them. This SDK sends the slashes of their ids as they are.

use authress::apis::users_api::GetUsersParams;

use crate::report::{Report, check, equal, refused};
use crate::world::{AWKWARD_USER, READER, World};

pub async fn run(world: &World, report: &mut Report) {
    let api = &world.owner.users;
    report
        .case(
            "getUser",
            "answers a user whom a record names, 404 for nobody",
            async {
                for user in ["known-user", AWKWARD_USER] {
                    world.give(user, &[READER], &["/docs/known"]).await?;
                    equal(
                        api.get_user(user.to_owned()).await?.user_id.as_str(),
                        user,
                        "the user id",
                    )?;
                }
                refused(404, api.get_user("never-seen".to_owned()).await)?;
                let stranger = world.person("stranger").users;
                refused(404, stranger.get_user("known-user".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getUsers",
            "lists and filters the users, 403 for a stranger",
            async {
                for user in ["listed-user-1", "listed-user-2"] {
                    world.give(user, &[READER], &["/docs/listed-users"]).await?;
                }
                let params = GetUsersParams {
                    filter: Some("listed-user-".to_owned()),
                    ..GetUsersParams::default()
                };
                let found = api.get_users(Some(params)).await?.users;
                let ids: Vec<&str> = found.iter().map(|user| user.user_id.as_str()).collect();
                equal(ids, ["listed-user-1", "listed-user-2"], "the filtered list")?;
                refused(403, world.person("stranger").users.get_users(None).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "deleteUser",
            "takes all access, 404 for a stranger",
            async {
                for user in ["leaves", "leaves|x/y"] {
                    world.give(user, &[READER], &["/left"]).await?;
                    check(world.reads(user, "/left").await?, "no access")?;
                    let stranger = world.person("stranger").users;
                    refused(404, stranger.delete_user(user.to_owned()).await)?;
                    api.delete_user(user.to_owned()).await?;
                    check(!world.reads(user, "/left").await?, "access after all")?;
                }
                Ok(())
            },
        )
        .await;
}
