//! Service clients and their access keys, which this SDK sends whole.

use std::collections::HashSet;

use authress::apis::service_clients_api::GetClientsParams;
use authress::models::{Client, ClientAccessKey, ClientOptions};

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::World;

pub async fn run(world: &World, report: &mut Report) {
    clients(world, report).await;
    list(world, report).await;
    keys(world, report).await;
    revocation(world, report).await;
}

fn named(name: &str) -> Client {
    let options = ClientOptions {
        grant_user_permissions_access: Some(Some(true)),
        grant_token_generation: Some(Some(false)),
    };
    Client {
        name: Some(Some(name.to_owned())),
        options: Some(Box::new(options)),
        ..Client::default()
    }
}

async fn make(world: &World) -> Result<String, Failure> {
    Ok(world
        .owner
        .service_clients
        .create_client(named("a client"))
        .await?
        .client_id)
}

async fn key(world: &World, id: &str) -> Result<ClientAccessKey, Failure> {
    Ok(world
        .owner
        .service_clients
        .request_access_key(id.to_owned())
        .await?)
}

async fn clients(world: &World, report: &mut Report) {
    let api = &world.owner.service_clients;
    report
        .case(
            "createClient",
            "answers the client with its id and options; 401, 403",
            async {
                let made = api.create_client(named("named")).await?;
                check(made.client_id.starts_with("sc_"), "no id was made")?;
                check(made.created_time.is_some(), "createdTime is missing")?;
                equal(&made.options, &named("").options, "the options")?;
                refused(
                    401,
                    world
                        .nobody()
                        .service_clients
                        .create_client(named("x"))
                        .await,
                )?;
                let stranger = world.person("stranger").service_clients;
                refused(403, stranger.create_client(named("x")).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getClient",
            "answers what was created, 404 for unknown and for a stranger",
            async {
                let made = api.create_client(named("got")).await?;
                equal(
                    &api.get_client(made.client_id.clone()).await?,
                    &made,
                    "the client",
                )?;
                refused(404, api.get_client("sc_unknown".to_owned()).await)?;
                let stranger = world.person("stranger").service_clients;
                refused(404, stranger.get_client(made.client_id).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "updateClient",
            "replaces the name, 404 for an unknown client",
            async {
                let id = make(world).await?;
                let changed = api.update_client(id.clone(), named("changed")).await?;
                equal(changed.name, Some(Some("changed".to_owned())), "the name")?;
                refused(
                    404,
                    api.update_client("sc_unknown".to_owned(), named("x")).await,
                )?;
                Ok(())
            },
        )
        .await;
}

async fn list(world: &World, report: &mut Report) {
    let api = &world.owner.service_clients;
    report
        .case(
            "getClients",
            "pages through all clients, each once",
            async {
                let mut wanted = HashSet::from([world.client_id.clone()]);
                for _client in 0..3 {
                    wanted.insert(make(world).await?);
                }
                let mut found = Vec::new();
                let mut cursor = None;
                for _page in 0..50 {
                    let params = GetClientsParams {
                        limit: Some(2),
                        cursor,
                    };
                    let page = api.get_clients(Some(params)).await?;
                    check(page.clients.len() <= 2, "a page is too long")?;
                    found.extend(page.clients.into_iter().map(|client| client.client_id));
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
                check(wanted.is_subset(&different), "a client is missing")
            },
        )
        .await;
}

async fn keys(world: &World, report: &mut Report) {
    let api = &world.owner.service_clients;
    report
        .case(
            "requestAccessKey",
            "answers a key that this SDK can send at once",
            async {
                let id = make(world).await?;
                let made = key(world, &id).await?;
                equal(made.client_id.as_str(), id.as_str(), "the client id")?;
                let access_key = made.access_key.unwrap_or_default();
                let start = format!(
                    "{id}.{}.{}.",
                    made.key_id.clone().unwrap_or_default(),
                    world.account_id
                );
                check(
                    access_key.starts_with(&start),
                    "the parts of the access key",
                )?;
                let client = world.with(&access_key);
                client.access_records.get_records(None).await?;
                let listed = api
                    .get_client(id)
                    .await?
                    .verification_keys
                    .unwrap_or_default();
                equal(listed.len(), 1, "the number of keys")?;
                equal(&listed[0].key_id, &made.key_id, "the key id")?;
                check(listed[0].access_key.is_none(), "the secret is shown again")?;
                let altered = format!("{}x", access_key.trim_end_matches('='));
                refused(
                    401,
                    world.with(&altered).access_records.get_records(None).await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "requestAccessKey",
            "five keys at most, 404 for an unknown client",
            async {
                let id = make(world).await?;
                for _key in 0..5 {
                    key(world, &id).await?;
                }
                match api.request_access_key(id).await {
                    Err(authress::apis::Error::ResponseError(answer)) => {
                        check(answer.status.is_client_error(), "the status of the sixth")?;
                    }
                    other => return Err(Failure(format!("the sixth key: {other:?}"))),
                }
                refused(404, api.request_access_key("sc_unknown".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
}

async fn revocation(world: &World, report: &mut Report) {
    let api = &world.owner.service_clients;
    report
        .case(
            "deleteAccessKey",
            "the key is refused from the next request on",
            async {
                let id = make(world).await?;
                let first = key(world, &id).await?;
                let second = key(world, &id).await?;
                let client = world.with(&first.access_key.unwrap_or_default());
                let other = world.with(&second.access_key.unwrap_or_default());
                client.access_records.get_records(None).await?;
                api.delete_access_key(id.clone(), first.key_id.unwrap_or_default())
                    .await?;
                refused(401, client.access_records.get_records(None).await)?;
                other.access_records.get_records(None).await?;
                refused(404, api.delete_access_key(id, "unknown".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "deleteClient",
            "the client is refused from the next request on",
            async {
                let id = make(world).await?;
                let client = world.with(&key(world, &id).await?.access_key.unwrap_or_default());
                client.access_records.get_records(None).await?;
                api.delete_client(id.clone()).await?;
                refused(401, client.access_records.get_records(None).await)?;
                refused(404, api.get_client(id.clone()).await)?;
                refused(404, api.delete_client(id).await)?;
                Ok(())
            },
        )
        .await;
}
