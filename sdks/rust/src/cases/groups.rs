//! Groups.

use authress::apis::groups_api::{GetGroupsParams, UpdateGroupParams};
use authress::models::{AccessRecord, LinkedGroup};
use chrono::{DateTime, Utc};

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{READER, World, group, record, users};

pub async fn run(world: &World, report: &mut Report) {
    create(world, report).await;
    read(world, report).await;
    change(world, report).await;
}

async fn create(world: &World, report: &mut Report) {
    let api = &world.owner.groups;
    report
        .case(
            "createGroup",
            "answers the group as it was given, or with an id made",
            async {
                let mut wanted = group(
                    Some("grp_Made-by_sdk"),
                    &["one", "google-oauth2|1095/36@x+y"],
                );
                wanted.admins = users(&["boss"]);
                let made = api.create_group(wanted.clone()).await?;
                equal(&made.group_id, &wanted.group_id, "the group id")?;
                equal(&made.users, &wanted.users, "the users")?;
                equal(&made.admins, &wanted.admins, "the admins")?;
                check(made.last_updated.is_some(), "lastUpdated is missing")?;
                let other = api.create_group(group(None, &["one"])).await?.group_id;
                check(
                    other.is_some_and(|id| id.starts_with("grp_")),
                    "no id was made",
                )
            },
        )
        .await;
    report
        .case(
            "createGroup",
            "409 for an id that exists, 400 without the prefix, 401, 403",
            async {
                let id = world.fresh("grp_");
                let wanted = group(Some(&id), &["one"]);
                api.create_group(wanted.clone()).await?;
                refused(409, api.create_group(wanted.clone()).await)?;
                refused(
                    400,
                    api.create_group(group(Some("no-prefix"), &["one"])).await,
                )?;
                refused(
                    401,
                    world.nobody().groups.create_group(wanted.clone()).await,
                )?;
                let other = group(Some(&world.fresh("grp_")), &["one"]);
                refused(
                    403,
                    world.person("stranger").groups.create_group(other).await,
                )?;
                Ok(())
            },
        )
        .await;
}

async fn read(world: &World, report: &mut Report) {
    let api = &world.owner.groups;
    report
        .case(
            "getGroup",
            "answers what was created, 404 for unknown and for a stranger",
            async {
                let made = api
                    .create_group(group(Some(&world.fresh("grp_")), &["one"]))
                    .await?;
                let id = made.group_id.clone().unwrap_or_default();
                equal(&api.get_group(id.clone()).await?, &made, "the group")?;
                refused(404, api.get_group("grp_unknown".to_owned()).await)?;
                refused(404, world.person("stranger").groups.get_group(id).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case("getGroups", "pages through all groups, each once", async {
            let mut found: Vec<String> = Vec::new();
            let mut cursor = None;
            for _page in 0..100 {
                let params = GetGroupsParams {
                    limit: Some(1),
                    cursor,
                    filter: None,
                };
                let page = api.get_groups(Some(params)).await?;
                found.extend(page.groups.into_iter().filter_map(|group| group.group_id));
                let next = page
                    .pagination
                    .and_then(|pagination| pagination.next.flatten());
                cursor = next.map(|next| next.cursor);
                if cursor.is_none() {
                    break;
                }
            }
            let listed = found.len();
            found.sort();
            found.dedup();
            equal(found.len(), listed, "the number of different ids")?;
            check(
                found.iter().any(|id| id == "grp_Made-by_sdk"),
                "a group is missing",
            )
        })
        .await;
}

async fn give_to_group(world: &World, id: &str, resource: &str) -> Result<(), Failure> {
    let wanted = AccessRecord {
        users: None,
        groups: Some(Some(vec![LinkedGroup {
            group_id: id.to_owned(),
        }])),
        ..record(&world.fresh("rec_"), &[READER], &[resource])
    };
    world.owner.access_records.create_record(wanted).await?;
    Ok(())
}

fn seen(version: Option<DateTime<Utc>>) -> UpdateGroupParams {
    UpdateGroupParams {
        expected_last_modified_time: version,
    }
}

async fn change(world: &World, report: &mut Report) {
    let api = &world.owner.groups;
    report
        .case(
            "updateGroup",
            "who joins gains at once, who leaves loses; 412, 404",
            async {
                let made = api
                    .create_group(group(Some(&world.fresh("grp_")), &["stays"]))
                    .await?;
                let id = made.group_id.clone().unwrap_or_default();
                give_to_group(world, &id, "/docs/group-update").await?;
                check(
                    world.reads("stays", "/docs/group-update").await?,
                    "no access by the group",
                )?;
                let changed = group(Some(&id), &["joins"]);
                let answer = api
                    .update_group(id.clone(), changed, seen(made.last_updated))
                    .await?;
                equal(answer.users, users(&["joins"]), "the members")?;
                check(
                    world.reads("joins", "/docs/group-update").await?,
                    "who joined has no access",
                )?;
                check(
                    !world.reads("stays", "/docs/group-update").await?,
                    "who left still has it",
                )?;
                let stale = group(Some(&id), &["other"]);
                refused(
                    412,
                    api.update_group(id, stale, seen(made.last_updated)).await,
                )?;
                let unknown = group(Some("grp_unknown"), &["one"]);
                refused(
                    404,
                    api.update_group("grp_unknown".to_owned(), unknown, seen(None))
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "deleteGroup",
            "takes what its members had through it, 404 afterwards",
            async {
                let made = api
                    .create_group(group(Some(&world.fresh("grp_")), &["loses"]))
                    .await?;
                let id = made.group_id.unwrap_or_default();
                give_to_group(world, &id, "/docs/group-delete").await?;
                check(
                    world.reads("loses", "/docs/group-delete").await?,
                    "no access by the group",
                )?;
                api.delete_group(id.clone()).await?;
                check(
                    !world.reads("loses", "/docs/group-delete").await?,
                    "it still gives access",
                )?;
                refused(404, api.get_group(id.clone()).await)?;
                refused(404, api.delete_group(id).await)?;
                Ok(())
            },
        )
        .await;
}
