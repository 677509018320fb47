//! What a user may do: checks, permissions, roles, resources, and who has access to a resource.

use std::collections::BTreeMap;

use authress::apis::resource_permissions_api::GetResourceUsersParams;
use authress::apis::user_permissions_api::GetUserResourcesParams;

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{AWKWARD_USER, EDITOR, READER, World};

pub async fn run(world: &World, report: &mut Report) {
    checks(world, report).await;
    awkward(world, report).await;
    summaries(world, report).await;
    resources(world, report).await;
    wildcards(world, report).await;
    resource_users(world, report).await;
}

fn three(user: &str, resource: &str, permission: &str) -> (String, String, String) {
    (user.to_owned(), resource.to_owned(), permission.to_owned())
}

async fn checks(world: &World, report: &mut Report) {
    let api = &world.owner.user_permissions;
    report
        .case(
            "authorizeUser",
            "200 for what a user has, 404 for what not",
            async {
                world.give("checked", &[READER], &["/docs/checked"]).await?;
                check(world.reads("checked", "/docs/checked").await?, "no access")?;
                check(
                    world
                        .may("checked", "docs/checked/1/2", "DOCUMENTS:Read")
                        .await?,
                    "below",
                )?;
                check(
                    !world
                        .may("checked", "/docs/checked", "documents:update")
                        .await?,
                    "update",
                )?;
                check(!world.reads("checked", "/docs").await?, "the parent")?;
                check(
                    !world.reads("checked", "/docs/checked2").await?,
                    "a longer name",
                )?;
                check(
                    !world.reads("unknown-user", "/docs/checked").await?,
                    "an unknown user",
                )
            },
        )
        .await;
    report
        .case(
            "authorizeUser",
            "users may ask about themselves, 403 about others, 401",
            async {
                world.give("asks", &[READER], &["/docs/asks"]).await?;
                let own = world.person("asks").user_permissions;
                let (user, resource, permission) = three("asks", "/docs/asks", "documents:read");
                own.authorize_user(user, resource, permission).await?;
                let (user, resource, permission) =
                    three("checked", "/docs/checked", "documents:read");
                let asked = own.authorize_user(user.clone(), resource.clone(), permission.clone());
                refused(403, asked.await)?;
                let nobody = world.nobody().user_permissions;
                refused(401, nobody.authorize_user(user, resource, permission).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "authorizeUser",
            "400 for what is no resource and no action",
            async {
                for (resource, permission) in [
                    ("/docs//1", "documents:read"),
                    ("/docs/a*", "documents:read"),
                    ("/docs/1", "documents::read"),
                    ("/docs/1", "a*"),
                ] {
                    let (user, resource, permission) = three("checked", resource, permission);
                    refused(400, api.authorize_user(user, resource, permission).await)?;
                }
                Ok(())
            },
        )
        .await;
}

async fn awkward(world: &World, report: &mut Report) {
    report
        .case(
            "authorizeUser",
            "awkward ids: this SDK does not encode slashes in users",
            async {
                let resources = ["/orgs/a/docs/*", "/x|y/a~b:c=d+e@f.g_h-i"];
                world.give(AWKWARD_USER, &[READER], &resources).await?;
                check(
                    world.reads(AWKWARD_USER, "/orgs/a/docs/*").await?,
                    "the wildcard itself",
                )?;
                check(
                    world.reads(AWKWARD_USER, "/orgs/a/docs/1/2").await?,
                    "below the wildcard",
                )?;
                check(
                    world.reads(AWKWARD_USER, "x|y/a~b:c=d+e@f.g_h-i").await?,
                    "odd characters",
                )?;
                check(
                    !world.reads(AWKWARD_USER, "/orgs/a/docs").await?,
                    "the parent",
                )?;
                check(
                    !world.reads(AWKWARD_USER, "/orgs/*/docs/1").await?,
                    "a wider wildcard",
                )?;
                check(
                    !world.reads("google-oauth2|1095", "/orgs/a/docs/1").await?,
                    "a shorter user",
                )?;
                let own = world.person(AWKWARD_USER).user_permissions;
                let (user, resource, action) =
                    three(AWKWARD_USER, "/orgs/a/docs/1", "documents:read");
                own.authorize_user(user, resource, action).await?;
                Ok(())
            },
        )
        .await;
}

async fn summaries(world: &World, report: &mut Report) {
    let api = &world.owner.user_permissions;
    let ask = |user: &str, uri: &str| {
        api.get_user_permissions_for_resource(user.to_owned(), uri.to_owned())
    };
    report
        .case(
            "getUserPermissionsForResource",
            "sums up what a user has, 404, 403",
            async {
                world.give("summed", &[EDITOR], &["/docs/summed"]).await?;
                let found = ask("summed", "/docs/summed/1").await?;
                equal(found.user_id.as_str(), "summed", "the user id")?;
                let mut actions: Vec<_> =
                    found.permissions.iter().map(|p| p.action.clone()).collect();
                actions.sort();
                equal(
                    actions,
                    ["documents:read", "documents:update"],
                    "the actions",
                )?;
                check(
                    found
                        .permissions
                        .iter()
                        .all(|p| p.allow && !p.grant && !p.delegate),
                    "flags",
                )?;
                refused(404, ask("summed", "/elsewhere").await)?;
                let awkward = ask(AWKWARD_USER, "/orgs/a/docs/*").await?;
                equal(
                    awkward.user_id.as_str(),
                    AWKWARD_USER,
                    "the awkward user id",
                )?;
                let stranger = world.person("stranger").user_permissions;
                let (user, uri) = ("summed".to_owned(), "/docs/summed".to_owned());
                refused(
                    403,
                    stranger.get_user_permissions_for_resource(user, uri).await,
                )?;
                Ok(())
            },
        )
        .await;
    let ask =
        |user: &str, uri: &str| api.get_user_roles_for_resource(user.to_owned(), uri.to_owned());
    report
        .case(
            "getUserRolesForResource",
            "explicit roles on exactly that resource, 404",
            async {
                world
                    .give("roled", &[READER, EDITOR], &["/docs/roled"])
                    .await?;
                let found = ask("roled", "/docs/roled").await?;
                let mut roles: Vec<_> = found.roles.into_iter().map(|role| role.role_id).collect();
                roles.sort();
                equal(roles, [EDITOR, READER], "the roles")?;
                refused(404, ask("roled", "/docs/roled/1").await)?;
                let awkward = ask(AWKWARD_USER, "/orgs/a/docs/*").await?;
                equal(
                    awkward.user_id.as_str(),
                    AWKWARD_USER,
                    "the awkward user id",
                )
            },
        )
        .await;
}

/// The resources of a user below one, in all pages of three, without slashes around them.
async fn listed(
    world: &World,
    user: &str,
    resource: &str,
    nested: bool,
    permission: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut cursor = None;
    for _page in 0..50 {
        let configuration = if nested {
            "INCLUDE_NESTED"
        } else {
            "TOP_LEVEL_ONLY"
        };
        let params = GetUserResourcesParams {
            collection_configuration: Some(configuration.to_owned()),
            permissions: permission.map(str::to_owned),
            limit: Some(3),
            cursor,
        };
        let asked = world.owner.user_permissions.get_user_resources(
            user.to_owned(),
            Some(resource.to_owned()),
            Some(params),
        );
        let page = asked.await?;
        let resources = page.resources.unwrap_or_default();
        check(resources.len() <= 3, "a page is too long")?;
        found.extend(
            resources
                .iter()
                .map(|item| item.resource_uri.trim_matches('/').to_owned()),
        );
        cursor = page
            .pagination
            .and_then(|next| next.next.flatten())
            .map(|next| next.cursor);
        if cursor.is_none() {
            break;
        }
    }
    found.sort();
    Ok(found)
}

async fn resources(world: &World, report: &mut Report) {
    report
        .case(
            "getUserResources",
            "one level below or everything, by permission, in pages",
            async {
                let shelf = [
                    "/shelf/a",
                    "/shelf/b",
                    "/shelf/c/pages/1",
                    "/shelf/d",
                    "/other/e",
                ];
                world.give("lister", &[READER], &shelf).await?;
                world.give("lister", &[EDITOR], &["/shelf/f"]).await?;
                let top = listed(world, "lister", "/shelf", false, None).await?;
                equal(
                    top,
                    ["shelf/a", "shelf/b", "shelf/d", "shelf/f"],
                    "one level below",
                )?;
                let all = listed(world, "lister", "/shelf", true, None).await?;
                let expected = [
                    "shelf/a",
                    "shelf/b",
                    "shelf/c/pages/1",
                    "shelf/d",
                    "shelf/f",
                ];
                equal(all, expected, "everything below")?;
                let update =
                    listed(world, "lister", "/shelf", true, Some("documents:update")).await?;
                equal(update, ["shelf/f"], "with a permission")
            },
        )
        .await;
    report
        .case(
            "getUserResources",
            "users may ask about themselves, 403 about others",
            async {
                let own = world.person("lister").user_permissions;
                let found = own
                    .get_user_resources("lister".to_owned(), None, None)
                    .await?;
                equal(found.user_id.as_str(), "lister", "the user id")?;
                let asked = own.get_user_resources("checked".to_owned(), None, None);
                refused(403, asked.await)?;
                Ok(())
            },
        )
        .await;
}

async fn wildcards(world: &World, report: &mut Report) {
    report
        .case(
            "getUserResources",
            "wildcards: overlapping grants are cut to the question",
            async {
                let own = listed(world, AWKWARD_USER, "/orgs/a/docs/*", true, None).await?;
                equal(own, ["orgs/a/docs/*"], "the resources of the awkward user")?;
                world
                    .give("wild", &["Authress:ReadResource"], &["*"])
                    .await?;
                let all = listed(world, "wild", "/shelf/*", true, None).await?;
                equal(all, ["shelf/*"], "the resources of who has everything")
            },
        )
        .await;
}

async fn resource_users(world: &World, report: &mut Report) {
    let api = &world.owner.resource_permissions;
    report
        .case(
            "getResourceUsers",
            "who has explicit access to exactly that resource",
            async {
                let uri = "/room/1|x:2";
                for user in ["guest-1", "guest-2", AWKWARD_USER] {
                    world.give(user, &[READER], &[uri]).await?;
                }
                world.give("guest-1", &[EDITOR], &[uri]).await?;
                world.give("parent", &[READER], &["/room"]).await?;
                let mut found = BTreeMap::new();
                let mut cursor = None;
                for _page in 0..10 {
                    let params = GetResourceUsersParams {
                        limit: Some(1),
                        cursor,
                    };
                    let page = api.get_resource_users(uri.to_owned(), Some(params)).await?;
                    for user in page.users {
                        check(!found.contains_key(&user.user_id), "a user is listed twice")?;
                        found.insert(user.user_id, user.roles.len());
                    }
                    let next = page
                        .pagination
                        .and_then(|pagination| pagination.next.flatten());
                    cursor = next.map(|next| next.cursor);
                    if cursor.is_none() {
                        break;
                    }
                }
                let expected = BTreeMap::from([
                    ("guest-1".to_owned(), 2),
                    ("guest-2".to_owned(), 1),
                    (AWKWARD_USER.to_owned(), 1),
                ]);
                equal(found, expected, "the users and how many roles they have")
            },
        )
        .await;
    report
        .case(
            "getResourceUsers",
            "401 for nobody, 403 for a stranger, 400 malformed",
            async {
                let uri = || "/room/1".to_owned();
                let nobody = world.nobody().resource_permissions;
                refused(401, nobody.get_resource_users(uri(), None).await)?;
                let stranger = world.person("stranger").resource_permissions;
                refused(403, stranger.get_resource_users(uri(), None).await)?;
                refused(
                    400,
                    api.get_resource_users("/room//1".to_owned(), None).await,
                )?;
                Ok(())
            },
        )
        .await;
}
