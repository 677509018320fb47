//! Resource configurations, and the claims that they allow.

use authress::models::resource_permission::Action;
use authress::models::{ClaimRequest, PermissionedResource, ResourcePermission};

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{READER, World};

fn allowing(actions: &[Action]) -> PermissionedResource {
    let permission = |action: &Action| ResourcePermission {
        action: *action,
        allow: true,
    };
    PermissionedResource {
        permissions: actions.iter().map(permission).collect(),
    }
}

pub fn claims() -> PermissionedResource {
    allowing(&[Action::Claim])
}

async fn update(world: &World, uri: &str, wanted: PermissionedResource) -> Result<(), Failure> {
    let api = &world.owner.resource_permissions;
    Ok(api
        .update_permissioned_resource(uri.to_owned(), wanted)
        .await?)
}

fn claim(collection: &str, resource: &str) -> ClaimRequest {
    ClaimRequest::new(collection.to_owned(), resource.to_owned())
}

pub async fn run(world: &World, report: &mut Report) {
    configurations(world, report).await;
    claiming(world, report).await;
}

async fn configurations(world: &World, report: &mut Report) {
    let api = &world.owner.resource_permissions;
    report
        .case(
            "updatePermissionedResource",
            "replaces what is configured, 403 for a stranger",
            async {
                let uri = "/configured/1|x:2";
                update(world, uri, allowing(&[Action::Claim, Action::Public])).await?;
                update(world, uri, claims()).await?;
                equal(
                    api.get_permissioned_resource(uri.to_owned()).await?,
                    claims(),
                    "the permissions",
                )?;
                let stranger = world.person("stranger").resource_permissions;
                refused(
                    403,
                    stranger
                        .update_permissioned_resource(uri.to_owned(), claims())
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getPermissionedResource",
            "answers what was configured, 404 for what was not",
            async {
                update(world, "/configured/2", allowing(&[Action::Public])).await?;
                let found = api
                    .get_permissioned_resource("/configured/2".to_owned())
                    .await?;
                equal(found, allowing(&[Action::Public]), "the permissions")?;
                let unknown = "/configured/unknown".to_owned();
                refused(404, api.get_permissioned_resource(unknown).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getPermissionedResources",
            "lists what is configured",
            async {
                update(world, "/configured/3", claims()).await?;
                let found = api.get_permissioned_resources().await?;
                check(!found.resources.is_empty(), "the list is empty")
            },
        )
        .await;
}

async fn claiming(world: &World, report: &mut Report) {
    report
        .case(
            "createClaim",
            "the first to claim owns it, anybody after that is told 409",
            async {
                update(world, "claimable", claims()).await?;
                let first = world.person("claimer").access_records;
                first.create_claim(claim("claimable", "1")).await?;
                check(
                    world.reads("claimer", "/claimable/1").await?,
                    "the claimer has no access",
                )?;
                check(
                    !world.reads("claimer", "/claimable/2").await?,
                    "the claimer has more",
                )?;
                let second = world.person("second").access_records;
                let body = refused(409, second.create_claim(claim("claimable", "1")).await)?;
                equal(
                    body["errorCode"].as_str(),
                    Some("AlreadyClaimed"),
                    "errorCode",
                )
            },
        )
        .await;
    report
        .case(
            "createClaim",
            "409 where somebody holds something, 403 where it is not allowed",
            async {
                update(world, "claimable", claims()).await?;
                world
                    .give("holds", &[READER], &["/claimable/held/below"])
                    .await?;
                let client = world.person("claims-more").access_records;
                refused(409, client.create_claim(claim("claimable", "held")).await)?;
                refused(403, client.create_claim(claim("unclaimable", "1")).await)?;
                refused(
                    401,
                    world
                        .nobody()
                        .access_records
                        .create_claim(claim("claimable", "3"))
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
}
