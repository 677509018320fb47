//! Service clients and their access keys (contract §1.11).

use guestlist_api::clients::{
    AccessKey, AccessKeyRequest, Client, ClientCollection, ClientRequest, VerificationKey,
};
use guestlist_api::ids::{ClientId, KeyId};
use guestlist_api::limits;
use guestlist_rules::authority::{Ability, holds, require};
use guestlist_rules::changes::Seen;
use guestlist_rules::clients::{self as rules, StoredClient};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::access_keys;
use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/clients`.
pub async fn create_client(ask: Ask<'_>, request: ClientRequest) -> Result<Answer, Refusal> {
    let fresh: ClientId = ask.app.fresh_id("sc_")?;
    let client = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let decided = ask.decide(|facts| rules::create(facts, request, fresh));
                decided.map(|(changes, client)| Decided::Change(changes, client))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(client)).map_err(Refusal::from)
}

/// GET `/v1/clients`: those the caller may read.
pub async fn get_clients(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "clients", limits::PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |client: &StoredClient| {
            let readable = ask.decide(|facts| {
                let ability = Ability::ReadClient(&client.client_id);
                Ok(holds(facts.grants, facts.who(), ability).is_some())
            });
            readable.unwrap_or(false) && matches(client, filter)
        })
        .await?;
    let clients = found.into_iter().map(|seen| answer(seen.value)).collect();
    let (pagination, links) = listing.page(ask, "/v1/clients", next)?;
    Answer::json(
        StatusCode::OK,
        &ClientCollection {
            clients,
            pagination,
            links,
        },
    )
    .map_err(Refusal::from)
}

fn matches(client: &StoredClient, filter: Option<&str>) -> bool {
    let name = client.name.as_ref().map_or("", |name| name.as_str());
    contains(filter, [client.client_id.as_str(), name])
}

/// GET `/v1/clients/{clientId}`.
pub async fn get_client(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadClient(&id)))?;
    let seen: Option<Seen<StoredClient>> = ask.see(id.as_str()).await?;
    let client = seen
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Client)))?
        .value;
    Answer::json(StatusCode::OK, &answer(client)).map_err(Refusal::from)
}

/// PUT `/v1/clients/{clientId}`.
pub async fn update_client(
    ask: Ask<'_>,
    id: &str,
    request: ClientRequest,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let client = ask
        .change(|| {
            let request = request.clone();
            async move {
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::update(facts, id, request, existing.as_ref()));
                decided.map(|(changes, client)| Decided::Change(changes, client))
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(client)).map_err(Refusal::from)
}

/// DELETE `/v1/clients/{clientId}`.
pub async fn delete_client(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// POST `/v1/clients/{clientId}/access-keys`: makes a key, or takes the public half of one that the
/// caller made. The private half is in this answer and nowhere else.
pub async fn request_access_key(
    ask: Ask<'_>,
    id: &str,
    request: AccessKeyRequest,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let (key, private) = if let Some(text) = request.public_key {
        (access_keys::take_in(&ask.app.entropy, text, ask.now)?, None)
    } else {
        let made = access_keys::make(&ask.app.entropy, id, ask.account_id(), ask.now)?;
        (made.stored, Some(made.secret))
    };
    ask.change(|| {
        let key = key.clone();
        async move {
            let existing = ask.see(id.as_str()).await?;
            let decided = ask.decide(|facts| rules::add_key(facts, id, key, existing.as_ref()));
            decided.map(|(changes, _)| Decided::Change(changes, ()))
        }
    })
    .await?;
    let answer = AccessKey {
        key_id: key.key_id,
        client_id: Some(id.clone()),
        generation_date: Some(key.generation_date),
        public_key: key.handed_in.then_some(key.public_key),
        client_secret: private.clone(),
        access_key: private,
    };
    Answer::json(StatusCode::CREATED, &answer).map_err(Refusal::from)
}

/// DELETE `/v1/clients/{clientId}/access-keys/{keyId}`.
pub async fn delete_access_key(ask: Ask<'_>, id: &str, key: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let key: &KeyId = &key
        .parse()
        .map_err(|_| Refusal::Rule(Rule::NotFound(Noun::AccessKey)))?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::remove_key(facts, id, key, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An id that no client can have is the id of no client.
fn parse(id: &str) -> Result<ClientId, Refusal> {
    id.parse().map_err(|_| Rule::NotFound(Noun::Client).into())
}

fn answer(client: StoredClient) -> Client {
    let verification_keys = client
        .keys
        .into_iter()
        .map(|key| VerificationKey {
            key_id: key.key_id,
            client_id: Some(client.client_id.clone()),
            public_key: key.handed_in.then_some(key.public_key),
            generation_date: Some(key.generation_date),
        })
        .collect();
    Client {
        client_id: client.client_id,
        created_time: Some(client.created_time),
        name: client.name,
        options: client.options,
        rate_limits: client.rate_limits,
        verification_keys,
        tags: client.tags,
    }
}
