//! Access records.

use std::collections::{HashMap, HashSet};

use authress::apis::access_records_api::{GetRecordsParams, UpdateRecordParams};
use authress::models::AccessRecord;
use authress::models::access_record::Status;
use chrono::{DateTime, Utc};

use crate::report::{Report, check, equal, refused};
use crate::world::{EDITOR, READER, World, ids, people, record, role, statement, users};

pub async fn run(world: &World, report: &mut Report) {
    create(world, report).await;
    create_refused(world, report).await;
    read(world, report).await;
    list(world, report).await;
    update(world, report).await;
    delete(world, report).await;
}

async fn create(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "createRecord",
            "answers the record as it was given, its version and state",
            async {
                let wanted = AccessRecord {
                    users: people(&["u2", "u1"]),
                    admins: people(&["admin-1"]),
                    description: Some(Some("why".to_owned())),
                    tags: Some(Some(HashMap::from([(
                        "key".to_owned(),
                        "value".to_owned(),
                    )]))),
                    ..record(
                        "rec_A:acc-1:U:user|x~1",
                        &[EDITOR, READER],
                        &["/docs/1", "docs/2/*"],
                    )
                };
                let made = api.create_record(wanted.clone()).await?;
                equal(&made.record_id, &wanted.record_id, "the record id")?;
                equal(&made.description, &wanted.description, "the description")?;
                equal(&made.tags, &wanted.tags, "the tags")?;
                equal(ids(&made.users), ["u2", "u1"], "the users")?;
                equal(ids(&made.admins), ["admin-1"], "the admins")?;
                equal(
                    &made.statements[0].roles,
                    &wanted.statements[0].roles,
                    "the roles",
                )?;
                let resources = &made.statements[0].resources;
                equal(resources, &wanted.statements[0].resources, "the resources")?;
                equal(made.status, Some(Status::Active), "the status")?;
                check(made.last_updated.is_some(), "lastUpdated is missing")
            },
        )
        .await;
    report
        .case(
            "createRecord",
            "gives users of single statements what those say",
            async {
                let mut first = statement(&[READER], &["/split/1"]);
                first.users = Some(users(&["split-1"]));
                let mut second = statement(&[READER], &["/split/2"]);
                second.users = Some(users(&["split-2"]));
                let wanted = AccessRecord {
                    name: "per statement".to_owned(),
                    statements: vec![first, second],
                    ..AccessRecord::default()
                };
                let made = api.create_record(wanted).await?;
                check(
                    made.record_id.is_some_and(|id| id.starts_with("rec_")),
                    "no id was made",
                )?;
                check(
                    world.reads("split-1", "/split/1").await?,
                    "the statement gives nothing",
                )?;
                check(
                    !world.reads("split-1", "/split/2").await?,
                    "it gives to the other user",
                )
            },
        )
        .await;
}

async fn create_refused(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "createRecord",
            "409 for an id that exists, 400 for what is malformed",
            async {
                let wanted = record(&world.fresh("rec_"), &[READER], &["/docs/twice"]);
                api.create_record(wanted.clone()).await?;
                let body = refused(409, api.create_record(wanted).await)?;
                equal(
                    body["errorCode"].as_str(),
                    Some("AccessRecordAlreadyExists"),
                    "errorCode",
                )?;
                let id = world.fresh("rec_");
                refused(
                    400,
                    api.create_record(record(&id, &["ro_unknown"], &["/docs/1"]))
                        .await,
                )?;
                refused(
                    400,
                    api.create_record(record(&id, &[READER], &["/docs//1"]))
                        .await,
                )?;
                refused(
                    400,
                    api.create_record(record("a b", &[READER], &["/docs/1"]))
                        .await,
                )?;
                let empty = AccessRecord {
                    statements: vec![],
                    ..record(&id, &[], &[])
                };
                refused(400, api.create_record(empty).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "createRecord",
            "401 without a token, 403 for giving more than one holds",
            async {
                let wanted = record(&world.fresh("rec_"), &[READER], &["/docs/mine"]);
                let nobody = world.nobody();
                refused(
                    401,
                    nobody.access_records.create_record(wanted.clone()).await,
                )?;
                world.give("holder", &[READER], &["/docs/mine"]).await?;
                let holder = world.person("holder");
                refused(403, holder.access_records.create_record(wanted).await)?;
                Ok(())
            },
        )
        .await;
}

async fn read(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "getRecord",
            "answers what was created; 404 unknown, 404 stranger, 403 clerk",
            async {
                let made = world
                    .give("get-record", &[READER], &["/docs/get-record"])
                    .await?;
                let id = made.record_id.clone().unwrap_or_default();
                equal(&api.get_record(id.clone()).await?, &made, "the record")?;
                refused(404, api.get_record("rec_unknown:a|b~c".to_owned()).await)?;
                refused(
                    404,
                    world
                        .person("stranger")
                        .access_records
                        .get_record(id.clone())
                        .await,
                )?;
                world
                    .owner
                    .roles
                    .create_role(role("ro_sdk_clerk", &["read"]))
                    .await?;
                world
                    .give("clerk", &["ro_sdk_clerk"], &["Authress:Roles"])
                    .await?;
                refused(
                    403,
                    world.person("clerk").access_records.get_record(id).await,
                )?;
                Ok(())
            },
        )
        .await;
}

async fn list(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "getRecords",
            "pages through all records, each once",
            async {
                let mut wanted = HashSet::new();
                for number in 0..5 {
                    let uri = format!("/docs/listed/{number}");
                    let made = world.give("listed", &[READER], &[&uri]).await?;
                    wanted.insert(made.record_id.unwrap_or_default());
                }
                let mut found = Vec::new();
                let mut cursor = None;
                for _page in 0..200 {
                    let params = GetRecordsParams {
                        limit: Some(2),
                        cursor,
                        ..Default::default()
                    };
                    let page = api.get_records(Some(params)).await?;
                    check(page.records.len() <= 2, "a page is too long")?;
                    check(page.links.self_link.is_some(), "links.self is missing")?;
                    found.extend(
                        page.records
                            .into_iter()
                            .filter_map(|record| record.record_id),
                    );
                    let next = page
                        .pagination
                        .and_then(|pagination| pagination.next.flatten());
                    cursor = next.map(|next| next.cursor);
                    if cursor.is_none() {
                        break;
                    }
                }
                let different: HashSet<String> = found.iter().cloned().collect();
                equal(found.len(), different.len(), "the number of different ids")?;
                check(wanted.is_subset(&different), "a record is missing")
            },
        )
        .await;
    report
        .case(
            "getRecords",
            "filters by text and state, 400 for a made-up cursor",
            async {
                let made = world
                    .give("filter-user", &[READER], &["/docs/Filtered-Needle"])
                    .await?;
                let id = made.record_id.unwrap_or_default();
                let found = world.records("filtered-needle").await?;
                equal(found.len(), 1, "the number of filtered records")?;
                api.delete_record(id.clone()).await?;
                equal(
                    world.records("filtered-needle").await?.len(),
                    0,
                    "the number of active ones",
                )?;
                let params = GetRecordsParams {
                    filter: Some("filtered-needle".to_owned()),
                    status: Some("DELETED".to_owned()),
                    ..Default::default()
                };
                let deleted = api.get_records(Some(params)).await?.records;
                equal(deleted.len(), 1, "the number of deleted ones")?;
                equal(deleted[0].status, Some(Status::Deleted), "the status")?;
                let cursor = Some("a/b+c=".to_owned());
                let params = GetRecordsParams {
                    cursor,
                    ..Default::default()
                };
                refused(400, api.get_records(Some(params)).await)?;
                Ok(())
            },
        )
        .await;
}

fn seen(version: Option<DateTime<Utc>>) -> UpdateRecordParams {
    UpdateRecordParams {
        expected_last_modified_time: version,
    }
}

async fn update(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "updateRecord",
            "replaces the record, and what it gives at once",
            async {
                let mut made = world.give("updated", &[READER], &["/docs/before"]).await?;
                let id = made.record_id.clone().unwrap_or_default();
                made.statements = vec![statement(&[READER], &["/docs/after"])];
                api.update_record(id, made, seen(None)).await?;
                check(
                    !world.reads("updated", "/docs/before").await?,
                    "the old statement holds",
                )?;
                check(
                    world.reads("updated", "/docs/after").await?,
                    "the new one gives nothing",
                )
            },
        )
        .await;
    report
        .case(
            "updateRecord",
            "accepts the version it last saw, 412 for an older one",
            async {
                let made = world
                    .give("versions", &[READER], &["/docs/versions"])
                    .await?;
                let id = made.record_id.clone().unwrap_or_default();
                api.update_record(id.clone(), made.clone(), seen(made.last_updated))
                    .await?;
                let second = api.get_record(id.clone()).await?;
                check(
                    second.last_updated > made.last_updated,
                    "lastUpdated did not move",
                )?;
                let stale = api.update_record(id.clone(), made.clone(), seen(made.last_updated));
                refused(412, stale.await)?;
                api.update_record(id, second.clone(), seen(second.last_updated))
                    .await?;
                let unknown = record("rec_unknown", &[READER], &["/docs/1"]);
                let asked = api.update_record("rec_unknown".to_owned(), unknown, seen(None));
                refused(404, asked.await)?;
                Ok(())
            },
        )
        .await;
}

async fn delete(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "deleteRecord",
            "keeps the record as DELETED, and frees its id",
            async {
                let made = world.give("deleted", &[READER], &["/docs/deleted"]).await?;
                let id = made.record_id.clone().unwrap_or_default();
                api.delete_record(id.clone()).await?;
                check(
                    !world.reads("deleted", "/docs/deleted").await?,
                    "it still gives access",
                )?;
                let status = api.get_record(id.clone()).await?.status;
                equal(status, Some(Status::Deleted), "the status")?;
                let again = AccessRecord {
                    users: people(&["deleted"]),
                    ..record(&id, &[READER], &["/docs/deleted-again"])
                };
                api.create_record(again).await?;
                check(
                    world.reads("deleted", "/docs/deleted-again").await?,
                    "it gives nothing",
                )?;
                check(
                    !world.reads("deleted", "/docs/deleted").await?,
                    "the old one came back",
                )
            },
        )
        .await;
    report
        .case(
            "deleteRecord",
            "404 for an unknown record and for a stranger",
            async {
                refused(404, api.delete_record("rec_unknown".to_owned()).await)?;
                let made = world.give("kept", &[READER], &["/docs/kept"]).await?;
                let id = made.record_id.unwrap_or_default();
                refused(
                    404,
                    world
                        .person("stranger")
                        .access_records
                        .delete_record(id)
                        .await,
                )?;
                check(
                    world.reads("kept", "/docs/kept").await?,
                    "it was deleted all the same",
                )
            },
        )
        .await;
}
