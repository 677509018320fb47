//! Roles.

use authress::models::PermissionObject;

use crate::report::{Report, check, equal, refused};
use crate::world::{World, role};

pub async fn run(world: &World, report: &mut Report) {
    create(world, report).await;
    read(world, report).await;
    change(world, report).await;
}

async fn create(world: &World, report: &mut Report) {
    let api = &world.owner.roles;
    report
        .case("createRole", "answers the role as it was given", async {
            let mut wanted = role("ro_Made.by-sdk:1@x_y", &["Documents:Read", "documents:*"]);
            wanted.description = Some(Some("a description".to_owned()));
            wanted.permissions.push(PermissionObject {
                action: "share".to_owned(),
                allow: false,
                grant: true,
                delegate: true,
            });
            equal(api.create_role(wanted.clone()).await?, wanted, "the role")
        })
        .await;
    report
        .case(
            "createRole",
            "409 for an id that exists, 400 for what is malformed",
            async {
                let wanted = role(&world.fresh("ro_"), &["a"]);
                api.create_role(wanted.clone()).await?;
                let body = refused(409, api.create_role(wanted).await)?;
                equal(
                    body["errorCode"].as_str(),
                    Some("RoleAlreadyExists"),
                    "errorCode",
                )?;
                refused(400, api.create_role(role("Authress:Mine", &["a"])).await)?;
                refused(
                    400,
                    api.create_role(role(&world.fresh("ro_"), &["a::b"])).await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "createRole",
            "401 without a token, 403 for a stranger",
            async {
                let wanted = role(&world.fresh("ro_"), &["a"]);
                refused(401, world.nobody().roles.create_role(wanted.clone()).await)?;
                refused(
                    403,
                    world.person("stranger").roles.create_role(wanted).await,
                )?;
                Ok(())
            },
        )
        .await;
}

async fn read(world: &World, report: &mut Report) {
    let api = &world.owner.roles;
    report
        .case(
            "getRole",
            "answers a built-in role and a made one, 404 for an unknown one",
            async {
                let owner = api.get_role("Authress:Owner".to_owned()).await?;
                equal(
                    owner.permissions.len(),
                    1,
                    "the permissions of Authress:Owner",
                )?;
                let made = api.create_role(role(&world.fresh("ro_"), &["a"])).await?;
                equal(
                    &api.get_role(made.role_id.clone()).await?,
                    &made,
                    "the role",
                )?;
                refused(404, api.get_role("ro_unknown:a@b".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getRoles",
            "lists built-in roles and made ones, with links",
            async {
                let made = api.create_role(role(&world.fresh("ro_"), &["a"])).await?;
                let found = api.get_roles().await?;
                let has = |id: &str| found.roles.iter().any(|role| role.role_id == id);
                check(
                    has("Authress:Owner") && has(&made.role_id),
                    "a role is missing",
                )?;
                check(found.links.self_link.is_some(), "links.self is missing")
            },
        )
        .await;
}

async fn change(world: &World, report: &mut Report) {
    let api = &world.owner.roles;
    report
        .case(
            "updateRole",
            "replaces what its holders may do at once",
            async {
                let made = api
                    .create_role(role(&world.fresh("ro_"), &["documents:read"]))
                    .await?;
                let id = made.role_id.as_str();
                world
                    .give("role-holder", &[id], &["/docs/role-update"])
                    .await?;
                check(
                    world.reads("role-holder", "/docs/role-update").await?,
                    "the role gives nothing",
                )?;
                let changed = role(id, &["documents:list"]);
                equal(
                    api.update_role(id.to_owned(), changed.clone()).await?,
                    changed,
                    "the role",
                )?;
                check(
                    !world.reads("role-holder", "/docs/role-update").await?,
                    "it still holds",
                )?;
                let lists = world
                    .may("role-holder", "/docs/role-update", "documents:list")
                    .await?;
                check(lists, "the new permission does not hold")
            },
        )
        .await;
    report
        .case(
            "updateRole",
            "404 for an unknown role, 403 for a built-in one",
            async {
                let update = |id: &str| api.update_role(id.to_owned(), role(id, &["a"]));
                refused(404, update("ro_unknown").await)?;
                refused(403, update("Authress:Owner").await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "deleteRole",
            "removes the role, 403 for a built-in one",
            async {
                let made = api.create_role(role(&world.fresh("ro_"), &["a"])).await?;
                api.delete_role(made.role_id.clone()).await?;
                refused(404, api.get_role(made.role_id.clone()).await)?;
                refused(404, api.delete_role(made.role_id).await)?;
                refused(
                    403,
                    api.delete_role("Authress:ReadResource".to_owned()).await,
                )?;
                Ok(())
            },
        )
        .await;
}
