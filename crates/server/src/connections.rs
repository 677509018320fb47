//! Connections to identity providers (contract §1.6).

use guestlist_api::connections::{
    Connection, ConnectionCollection, ConnectionName, ConnectionRequest, ConnectionText,
    ConnectionType,
};
use guestlist_api::ids::ConnectionId;
use guestlist_api::limits;
use guestlist_rules::authority::{Ability, holds, require};
use guestlist_rules::changes::Seen;
use guestlist_rules::connections::{self as rules, SealedSecret, StoredConnection};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided, Library};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::sealing::Sealed;

/// POST `/v1/connections`.
pub async fn create_connection(
    ask: Ask<'_>,
    request: ConnectionRequest,
) -> Result<Answer, Refusal> {
    let id = &rules::id_of(&request, ask.app.fresh_id("con_")?);
    let (request, sealed) = (&request, &sealed(ask, id, &request)?);
    let connection = ask
        .change(|| async move {
            let existing = ask.see(id.as_str()).await?;
            let decided = ask.decide(|facts| {
                rules::create(
                    facts,
                    id.clone(),
                    request,
                    sealed.clone(),
                    existing.as_ref(),
                )
            });
            decided.map(|(changes, connection)| Decided::Change(changes, connection))
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(ask, connection)).map_err(Refusal::from)
}

/// The secret of a request, encrypted for the connection of this id.
fn sealed(
    ask: Ask<'_>,
    id: &ConnectionId,
    request: &ConnectionRequest,
) -> Result<Option<SealedSecret>, Refusal> {
    let Some(secret) = &request.client_secret else {
        return Ok(None);
    };
    let app = ask.app;
    let sealed = app.sealing_key.seal(
        Sealed::ConnectionSecret,
        id.as_str(),
        secret.reveal(),
        &app.entropy,
    )?;
    Ok(Some(SealedSecret(sealed)))
}

/// GET `/v1/connections`: those the caller may read.
pub async fn get_connections(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "connections", limits::LARGE_PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |connection: &StoredConnection| {
            let readable = ask.decide(|facts| {
                let ability = Ability::ReadConnection(&connection.connection_id);
                Ok(holds(facts.grants, facts.who(), ability).is_some())
            });
            readable.unwrap_or(false) && matches(connection, filter)
        })
        .await?;
    let connections = found
        .into_iter()
        .map(|seen| answer(ask, seen.value))
        .collect();
    let (pagination, links) = listing.page(ask, "/v1/connections", next)?;
    let page = ConnectionCollection {
        connections,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

fn matches(connection: &StoredConnection, filter: Option<&str>) -> bool {
    let settings = &connection.settings;
    let name = settings.data.as_ref().and_then(|data| data.name.as_ref());
    let optional = [
        name.map(ConnectionName::as_str),
        settings.issuer_url.as_ref().map(ConnectionText::as_str),
        settings.client_id.as_ref().map(ConnectionText::as_str),
    ];
    contains(
        filter,
        [connection.connection_id.as_str()]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(connection.tags.iter().map(|(_, tag)| tag)),
    )
}

/// GET `/v1/connections/{connectionId}`.
pub async fn get_connection(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadConnection(&id)))?;
    let seen: Option<Seen<StoredConnection>> = ask.see(id.as_str()).await?;
    let connection = seen
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Connection)))?
        .value;
    Answer::json(StatusCode::OK, &answer(ask, connection)).map_err(Refusal::from)
}

/// PUT `/v1/connections/{connectionId}`.
pub async fn update_connection(
    ask: Ask<'_>,
    id: &str,
    request: ConnectionRequest,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let (request, sealed) = (&request, &sealed(ask, id, &request)?);
    let connection = ask
        .change(|| async move {
            let existing = ask.see(id.as_str()).await?;
            let decided = ask.decide(|facts| {
                rules::update(facts, id, request, sealed.clone(), existing.as_ref())
            });
            decided.map(|(changes, connection)| Decided::Change(changes, connection))
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(ask, connection)).map_err(Refusal::from)
}

/// DELETE `/v1/connections/{connectionId}`.
pub async fn delete_connection(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An id that no connection can have is the id of no connection.
fn parse(id: &str) -> Result<ConnectionId, Refusal> {
    id.parse()
        .map_err(|_| Rule::NotFound(Noun::Connection).into())
}

/// The connection without its secret.
fn answer(ask: Ask<'_>, connection: StoredConnection) -> Connection {
    let mut settings = connection.settings;
    settings.kind = readable_by(ask.library, settings.kind.unwrap_or_default());
    Connection {
        has_client_secret: Some(connection.sealed_secret.is_some()),
        created_time: Some(connection.created_time),
        last_updated: Some(connection.last_updated),
        tags: connection.tags,
        ..Connection::new(connection.connection_id)
    }
    .with_settings(settings)
}

/// The official Rust SDK knows three types and reads no connection of another (contract §2.2).
const fn readable_by(library: Library, kind: ConnectionType) -> Option<ConnectionType> {
    match (library, kind) {
        (Library::Rust, ConnectionType::Password | ConnectionType::OpenIdLegacy) => None,
        (Library::Rust | Library::JavaScript | Library::Terraform | Library::Other, kind) => {
            Some(kind)
        }
    }
}
