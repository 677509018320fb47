//! Extensions, and logins that are passed on to applications.

use authress::models::Extension;

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{AWKWARD_USER, World};

pub fn extension(name: &str) -> Extension {
    Extension {
        name: Some(Some(name.to_owned())),
        ..Extension::default()
    }
}

async fn make(world: &World) -> Result<Extension, Failure> {
    Ok(world
        .owner
        .extensions
        .create_extension(extension("of the tests"))
        .await?)
}

pub async fn run(world: &World, report: &mut Report) {
    extensions(world, report).await;
    report
        .case(
            "delegateUserLogin",
            "404 for an unknown application",
            async {
                let api = &world.owner.applications;
                let user = AWKWARD_USER.to_owned();
                refused(
                    404,
                    api.delegate_user_login("app_unknown".to_owned(), user)
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
}

async fn extensions(world: &World, report: &mut Report) {
    let api = &world.owner.extensions;
    let unknown = || "ext_unknown".to_owned();
    report
        .case(
            "createExtension",
            "answers the extension with its service client, 401 and 403",
            async {
                let made = make(world).await?;
                check(made.extension_id.starts_with("ext_"), "the extension id")?;
                check(made.client.client_id.starts_with("sc_"), "the client id")?;
                refused(
                    401,
                    world
                        .nobody()
                        .extensions
                        .create_extension(extension("n"))
                        .await,
                )?;
                refused(
                    403,
                    world
                        .person("stranger")
                        .extensions
                        .create_extension(extension("n"))
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getExtension",
            "answers what was created, 404 for others",
            async {
                let made = make(world).await?;
                let id = || made.extension_id.clone();
                equal(&api.get_extension(id()).await?, &made, "the extension")?;
                refused(404, api.get_extension(unknown()).await)?;
                refused(
                    404,
                    world
                        .person("stranger")
                        .extensions
                        .get_extension(id())
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case("getExtensions", "lists what was created", async {
            let made = make(world).await?;
            check(
                api.get_extensions().await?.extensions.contains(&made),
                "it is missing",
            )
        })
        .await;
    report
        .case(
            "updateExtension",
            "replaces the name, keeps the client, 404 for an unknown one",
            async {
                let made = make(world).await?;
                let changed = api
                    .update_extension(made.extension_id, extension("changed"))
                    .await?;
                equal(changed.name, extension("changed").name, "the name")?;
                equal(
                    &changed.client.client_id,
                    &made.client.client_id,
                    "the client",
                )?;
                refused(404, api.update_extension(unknown(), extension("n")).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "deleteExtension",
            "takes its service client with it, 404 afterwards",
            async {
                let made = make(world).await?;
                api.delete_extension(made.extension_id.clone()).await?;
                let client = made.client.client_id.clone();
                refused(404, world.owner.service_clients.get_client(client).await)?;
                refused(404, api.get_extension(made.extension_id.clone()).await)?;
                refused(404, api.delete_extension(made.extension_id).await)?;
                Ok(())
            },
        )
        .await;
}
