//! One request from its head to its answer.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use guestlist_api::times::Timestamp;
use guestlist_rules::caller::Caller;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::answer::Answer;
use crate::app::App;
use crate::ask::{Ask, Library};
use crate::body::{self, Body};
use crate::dispatch::{Given, dispatch};
use crate::listener::Peer;
use crate::operations::Operation;
use crate::paths::Path;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::routes::{Routed, route};
use crate::{addresses, cors, development, discovery, documentation, head, health, request_id};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REVISION: HeaderName = HeaderName::from_static("guestlist-revision");

/// Answers a request. It never fails: what goes wrong is an answer too.
pub async fn answer(
    app: Arc<App>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Full<Bytes>> {
    let (parts, incoming) = request.into_parts();
    let id = request_id::of(&parts.headers, &app.entropy);
    let mut operation = None;
    let outcome = respond(&app, &parts, incoming, peer, &id, &mut operation).await;
    let mut response = match outcome {
        Ok(answer) => {
            log_answered(operation, &parts.method, answer.status.as_u16(), &id);
            answer.into_response()
        }
        Err(refusal) => {
            log_refused(operation, &parts.method, &refusal, &id);
            refusal.into_response(&id)
        }
    };
    app.metrics.answered(operation, response.status());
    let headers = response.headers_mut();
    cors::allow(&app.settings.allowed_origins, &parts.headers, headers);
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(REVISION, HeaderValue::from(app.revision().0));
    response
}

fn log_answered(operation: Option<Operation>, method: &Method, status: u16, id: &str) {
    tracing::info!(
        operation = operation.map(tracing::field::debug),
        method = method.as_str(),
        status,
        request_id = id,
        "answered"
    );
}

fn log_refused(operation: Option<Operation>, method: &Method, refusal: &Refusal, id: &str) {
    let told = refusal.for_caller();
    let operation = operation.map(tracing::field::debug);
    let (status, code) = (told.status.as_u16(), told.code);
    if refusal.is_fault() {
        let cause = refusal.for_log().to_string();
        tracing::error!(operation, method = method.as_str(), status, code, request_id = id, cause, "failed");
    } else {
        let cause = refusal.for_log().to_string();
        tracing::info!(operation, method = method.as_str(), status, code, request_id = id, cause, "refused");
    }
}

async fn respond(
    app: &App,
    parts: &Parts,
    incoming: Incoming,
    peer: Peer,
    id: &str,
    named: &mut Option<Operation>,
) -> Result<Answer, Refusal> {
    head::check(parts)?;
    if let Some(preflight) = cors::preflight(&app.settings.allowed_origins, parts) {
        return Ok(preflight);
    }
    let path = Path::split(parts.uri.path())?;
    let Routed { operation, arguments } = route(&parts.method, &path)?;
    *named = Some(operation);
    let query = Query::new(parts.uri.query())?;
    let [first, second, third] = &arguments;
    let arguments = [first.as_ref(), second.as_ref(), third.as_ref()];
    if operation.is_public() {
        let body = body::read(incoming, &parts.headers).await?;
        return public(app, operation, arguments, &body).await;
    }
    let address = addresses::client(peer, &parts.headers, &app.settings.trusted_proxies);
    let now = app.clock.now();
    let caller = identify(app, parts, address, now).await?;
    let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let ask = Ask { app, caller: &caller, request_id: id, now, library: Library::of(agent) };
    let body = body::read(incoming, &parts.headers).await?;
    let given = Given { arguments, query: &query, headers: &parts.headers, body };
    let guarded = matches!(
        operation,
        Operation::GetInvite | Operation::RespondToInvite | Operation::DeleteInvite
    );
    if !guarded {
        return dispatch(ask, operation, given).await;
    }
    app.limiters.before_invite(address, &caller.user_id, now)?;
    let outcome = dispatch(ask, operation, given).await;
    if matches!(outcome, Err(Refusal::Rule(Rule::NotFound(Noun::Invite)))) {
        app.limiters.failed_invite(address, &caller.user_id, now);
    }
    outcome
}

async fn identify(
    app: &App,
    parts: &Parts,
    address: IpAddr,
    now: Timestamp,
) -> Result<Arc<Caller>, Refusal> {
    if let Some(caller) = app.callers.remembered(&parts.headers, now) {
        return Ok(caller);
    }
    app.limiters.before_credentials(address, now)?;
    app.callers.identify(&parts.headers, now).await.map_err(|reason| {
        app.limiters.failed_credentials(address, now);
        Refusal::NotIdentified(reason)
    })
}

/// Answers an operation that does not ask who the caller is.
async fn public(
    app: &App,
    operation: Operation,
    [first, ..]: [&str; 3],
    body: &Body,
) -> Result<Answer, Refusal> {
    match operation {
        Operation::GetOpenIdConfiguration => discovery::get_configuration(app),
        Operation::GetUserTokenKeys => discovery::get_user_token_keys(app),
        Operation::GetClientTokenKeys => discovery::get_client_token_keys(app, first),
        Operation::CreateDevelopmentToken => development::create_token(app, body),
        Operation::GetHealth => health::get_health(app),
        Operation::GetReadiness => health::get_readiness(app).await,
        Operation::GetMetrics => Ok(app.metrics.page()),
        Operation::GetOpenApi => Ok(app.description.answer()),
        Operation::GetDocumentation => documentation::page(first),
        _ => Err(Refusal::NoSuchPath),
    }
}
