//! Access requests.

use authress::apis::access_records_api::GetRequestsParams;
use authress::models::access_request_response::Status;
use authress::models::{AccessRequest, AccessRequestResponse, AccessTemplate};

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{READER, World, statement, users};

pub fn request(user: &str, resource: &str) -> AccessRequest {
    AccessRequest {
        access: Box::new(AccessTemplate {
            users: users(&[user]),
            statements: vec![statement(&[READER], &[resource])],
        }),
        ..AccessRequest::default()
    }
}

async fn make(world: &World, user: &str, resource: &str) -> Result<AccessRequest, Failure> {
    let client = world.person(user).access_records;
    Ok(client.create_request(request(user, resource)).await?)
}

fn answer(status: Status) -> AccessRequestResponse {
    AccessRequestResponse { status }
}

fn open(cursor: Option<String>) -> Option<GetRequestsParams> {
    Some(GetRequestsParams {
        limit: Some(2),
        cursor,
        status: Some("OPEN".to_owned()),
    })
}

pub async fn run(world: &World, report: &mut Report) {
    making(world, report).await;
    answering(world, report).await;
}

async fn making(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "createRequest",
            "answers the request under an id of its own, which gives nothing",
            async {
                let made = make(world, "asks-1", "/asked/1").await?;
                check(!made.request_id.is_empty(), "no id was made")?;
                equal(
                    &made.access,
                    &request("asks-1", "/asked/1").access,
                    "what is asked for",
                )?;
                check(
                    !world.reads("asks-1", "/asked/1").await?,
                    "asking gives access",
                )?;
                let nobody = world.nobody().access_records;
                refused(401, nobody.create_request(request("u", "/asked/1")).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getRequest",
            "answers the owner, 404 for a stranger and for an unknown id",
            async {
                let made = make(world, "asks-2", "/asked/2").await?;
                equal(
                    &api.get_request(made.request_id.clone()).await?,
                    &made,
                    "the request",
                )?;
                let stranger = world.person("stranger").access_records;
                refused(404, stranger.get_request(made.request_id).await)?;
                refused(404, api.get_request("req_unknown".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getRequests",
            "pages through the open ones, each once",
            async {
                let made = make(world, "asks-3", "/asked/3").await?;
                let (mut found, mut cursor) = (Vec::new(), None);
                for _ in 0..100 {
                    let page = api.get_requests(open(cursor)).await?;
                    let ids = page.records.unwrap_or_default();
                    found.extend(ids.into_iter().map(|item| item.request_id));
                    let next = page
                        .pagination
                        .and_then(|pagination| pagination.next.flatten());
                    cursor = next.map(|next| next.cursor);
                    if cursor.is_none() {
                        break;
                    }
                }
                let times = found.iter().filter(|id| **id == made.request_id).count();
                equal(times, 1, "how often the request is listed")
            },
        )
        .await;
}

async fn answering(world: &World, report: &mut Report) {
    let api = &world.owner.access_records;
    report
        .case(
            "respondToAccessRequest",
            "approving gives what was asked for, denying nothing",
            async {
                let made = make(world, "asks-4", "/asked/4").await?;
                let other = make(world, "asks-5", "/asked/5").await?;
                let mine = world.person("asks-4").access_records;
                let approved = || answer(Status::Approved);
                let id = || made.request_id.clone();
                refused(404, mine.respond_to_access_request(id(), approved()).await)?;
                api.respond_to_access_request(id(), approved()).await?;
                api.respond_to_access_request(other.request_id, answer(Status::Denied))
                    .await?;
                check(
                    world.reads("asks-4", "/asked/4").await?,
                    "the approved request gives nothing",
                )?;
                check(
                    !world.reads("asks-5", "/asked/5").await?,
                    "the denied request gives access",
                )
            },
        )
        .await;
    report
        .case(
            "deleteRequest",
            "whoever asked takes it back, 404 for a stranger",
            async {
                let made = make(world, "asks-6", "/asked/6").await?;
                let stranger = world.person("stranger").access_records;
                refused(404, stranger.delete_request(made.request_id.clone()).await)?;
                let mine = world.person("asks-6").access_records;
                mine.delete_request(made.request_id).await?;
                refused(404, api.delete_request("req_unknown".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
}
