//! Connections to identity providers.

use authress::models::Connection;

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{AWKWARD_USER, World};

pub fn connection(id: Option<&str>) -> Connection {
    let text = |text: &str| Some(Some(text.to_owned()));
    Connection {
        connection_id: id.map(|id| Some(id.to_owned())),
        authentication_url: Some("https://provider.example/authorize".to_owned()),
        token_url: text("https://provider.example/token"),
        client_id: text("client-at-the-provider"),
        client_secret: text("a-secret-of-the-provider"),
        ..Connection::default()
    }
}

async fn make(world: &World) -> Result<(String, Connection), Failure> {
    let made = world
        .owner
        .connections
        .create_connection(connection(None))
        .await?;
    let id = made.connection_id.clone().flatten().unwrap_or_default();
    check(!id.is_empty(), "no id was made")?;
    Ok((id, made))
}

pub async fn run(world: &World, report: &mut Report) {
    let api = &world.owner.connections;
    let unknown = || "con_unknown".to_owned();
    report
        .case(
            "createConnection",
            "answers the connection without its secret, 401 and 403",
            async {
                let made = api
                    .create_connection(connection(Some("con_Made.by-sdk:1")))
                    .await?;
                equal(
                    made.connection_id,
                    Some(Some("con_Made.by-sdk:1".to_owned())),
                    "the id",
                )?;
                check(
                    made.client_secret.flatten().is_none(),
                    "the secret is answered",
                )?;
                refused(
                    401,
                    world
                        .nobody()
                        .connections
                        .create_connection(connection(None))
                        .await,
                )?;
                let stranger = world.person("stranger").connections;
                refused(403, stranger.create_connection(connection(None)).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getConnection",
            "answers what was created, 404 for others",
            async {
                let (id, made) = make(world).await?;
                equal(
                    &api.get_connection(id.clone()).await?,
                    &made,
                    "the connection",
                )?;
                refused(404, api.get_connection(unknown()).await)?;
                refused(
                    404,
                    world
                        .person("stranger")
                        .connections
                        .get_connection(id)
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case("getConnections", "lists what was created", async {
            let (_, made) = make(world).await?;
            check(
                api.get_connections().await?.connections.contains(&made),
                "it is missing",
            )
        })
        .await;
    report
        .case(
            "updateConnection",
            "replaces the connection, 404 for an unknown one",
            async {
                let (id, _) = make(world).await?;
                let mut wanted = connection(Some(&id));
                wanted.authentication_url = Some("https://provider.example/other".to_owned());
                let changed = api.update_connection(id, wanted.clone()).await?;
                equal(
                    changed.authentication_url,
                    wanted.authentication_url,
                    "the address",
                )?;
                refused(
                    404,
                    api.update_connection(unknown(), connection(Some("con_unknown")))
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getConnectionCredentials",
            "404 for a user who never signed in there",
            async {
                let (id, _) = make(world).await?;
                for user in ["somebody", AWKWARD_USER] {
                    refused(
                        404,
                        api.get_connection_credentials(id.clone(), user.to_owned())
                            .await,
                    )?;
                }
                Ok(())
            },
        )
        .await;
    report
        .case("deleteConnection", "404 afterwards", async {
            let (id, _) = make(world).await?;
            api.delete_connection(id.clone()).await?;
            refused(404, api.get_connection(id.clone()).await)?;
            refused(404, api.delete_connection(id).await)?;
            Ok(())
        })
        .await;
}
