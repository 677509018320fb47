//! One request from its head to its answer.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use guestlist_api::times::Timestamp;
use guestlist_rules::caller::Caller;
use guestlist_rules::invite_administration::ByHolder;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_store::StoreError;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::answer::Answer;
use crate::app::App;
use crate::ask::{Ask, Library};
use crate::caller::NotIdentified;
use crate::cors::Cors;
use crate::dispatch::{Given, dispatch};
use crate::invite_holders::Holder;
use crate::listener::Peer;
use crate::operations::Operation;
use crate::paths::Path;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::routes::{Routed, asks_to_sign_in, route};
use crate::{
    body, development, discovery, documentation, freshness, head, health, metrics, oauth, panics,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REVISION: HeaderName = HeaderName::from_static("guestlist-revision");

/// Answers a request. It never fails: what goes wrong is an answer too.
pub async fn answer(
    app: Arc<App>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Full<Bytes>> {
    let (parts, incoming) = request.into_parts();
    let request = Request::from_parts(parts, ());
    let id = app.request_ids.for_request(request.headers());
    let mut known = Known::default();
    let responding = || respond(&app, &request, incoming, peer, id.as_str(), &mut known);
    let outcome = match panics::caught(responding).await {
        Ok(outcome) => outcome,
        Err(panicked) => Err(Refusal::Panicked(panicked)),
    };
    log(&known, request.method(), &outcome, id.as_str());
    let mut response = match outcome {
        Ok(answer) => answer.into_response(),
        Err(refusal) => refusal.into_response(id.as_str()),
    };
    app.metrics.answered(known.operation, response.status());
    let headers = response.headers_mut();
    if !Cors::is_preflight(request.method(), request.headers()) {
        app.cors.answer(request.headers(), headers);
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(REVISION, HeaderValue::from(app.revision().0));
    response
}

/// What came to be known of a request before it was answered or refused.
#[derive(Default)]
struct Known {
    operation: Option<Operation>,
    caller: Option<Arc<Caller>>,
}

/// One line for each request. What the caller sent is not in it, and so neither is a secret.
fn log(known: &Known, method: &Method, outcome: &Result<Answer, Refusal>, request_id: &str) {
    let fault = outcome.as_ref().is_err_and(Refusal::is_fault);
    if !tracing::enabled!(tracing::Level::INFO) && !fault {
        return;
    }
    let operation = known.operation.map(tracing::field::debug);
    let caller = known.caller.as_ref().map(|caller| caller.user_id.as_str());
    let method = named(method);
    match outcome {
        Ok(answer) => {
            let status = answer.status.as_u16();
            tracing::info!(operation, caller, method, status, request_id, "answered");
        }
        Err(refusal) => {
            let told = refusal.for_caller();
            let (status, code) = (told.status.as_u16(), told.code);
            let cause = tracing::field::display(refusal.for_log());
            if fault {
                tracing::error!(
                    operation, caller, method, status, code, cause, request_id, "failed"
                );
            } else {
                tracing::info!(
                    operation, caller, method, status, code, cause, request_id, "refused"
                );
            }
        }
    }
}

/// The methods there are. Any other is a text of the caller's, of any length.
fn named(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    }
}

async fn respond(
    app: &App,
    request: &Request<()>,
    incoming: Incoming,
    peer: Peer,
    id: &str,
    known: &mut Known,
) -> Result<Answer, Refusal> {
    head::check(request, &app.limits)?;
    let headers = request.headers();
    if Cors::is_preflight(request.method(), headers) {
        return Ok(preflight(app, headers));
    }
    let path = Path::split(request.uri().path())?;
    let query = Query::new(request.uri().query())?;
    if asks_to_sign_in(&path, &query)? {
        return Err(Refusal::NotBuilt("sign-in"));
    }
    let Routed {
        operation,
        arguments,
    } = route(request.method(), &path)?;
    known.operation = Some(operation);
    let [first, second, third] = &arguments;
    let arguments = [first.as_ref(), second.as_ref(), third.as_ref()];
    let address = app.limits.proxies.client(peer.address.ip(), headers);
    freshness::wait(app, headers).await?;
    if operation.is_public() {
        let body = body::read(headers, incoming, &app.limits).await?;
        let given = (headers, &*body);
        return public(app, operation, arguments, given, address, id).await;
    }
    if app.is_behind() {
        return Err(StoreError::Stopped.into());
    }
    freshness::require_for_request(app)?;
    let caller = identify(app, headers, address, app.clock.now()).await?;
    known.caller = Some(Arc::clone(&caller));
    app.known_callers()
        .count_request(&caller, app.clock.now())?;
    let body = body::read(headers, incoming, &app.limits).await?;
    // A body may take its time, and meanwhile a credential may end or an invite expire: what counts
    // is the moment of the decision.
    let now = app.clock.now();
    let caller = if body.is_empty() {
        caller
    } else {
        identify(app, headers, address, now).await?
    };
    let agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let ask = Ask {
        app,
        caller: &caller,
        request_id: id,
        now,
        library: Library::of(agent),
        address,
    };
    let given = Given {
        arguments,
        query: &query,
        headers,
        body,
    };
    let by_secret = [
        Operation::GetInvite,
        Operation::RespondToInvite,
        Operation::DeleteInvite,
    ];
    if by_secret.contains(&operation) {
        return guess(ask, operation, given, address).await;
    }
    dispatch(ask, operation, given).await
}

fn preflight(app: &App, headers: &HeaderMap) -> Answer {
    let mut allowed = HeaderMap::new();
    app.cors.preflight(headers, &mut allowed);
    let mut answer = Answer::empty(StatusCode::NO_CONTENT);
    answer.headers.extend(
        allowed
            .into_iter()
            .filter_map(|(name, value)| Some((name?, value))),
    );
    answer
}

/// Answers an operation that names an invite by its secret: those who keep naming ones that are not
/// there are slowed down.
async fn guess(
    ask: Ask<'_>,
    operation: Operation,
    given: Given<'_>,
    address: IpAddr,
) -> Result<Answer, Refusal> {
    let limiters = &ask.app.limiters;
    let who = &ask.caller.user_id;
    limiters.before_invite(address, who, ask.now)?;
    let outcome = dispatch(ask, operation, given).await;
    if matches!(outcome, Err(Refusal::Rule(Rule::NotFound(Noun::Invite)))) {
        limiters.failed_invite(address, who, ask.now);
    }
    outcome
}

async fn identify(
    app: &App,
    headers: &HeaderMap,
    address: IpAddr,
    now: Timestamp,
) -> Result<Arc<Caller>, Refusal> {
    if let Some(caller) = app.callers.identify_known(headers) {
        return Ok(caller);
    }
    app.limiters.before_credentials(address, now)?;
    app.callers.identify(headers).await.map_err(|reason| {
        if reason.is_guess() {
            app.limiters.failed_credentials(address, now);
        }
        if reason == NotIdentified::StoreUnavailable {
            return StoreError::Unavailable(None).into();
        }
        Refusal::NotIdentified(reason)
    })
}

/// Answers an operation that does not ask who the caller is.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other operation asks: `is_public`"
)]
async fn public(
    app: &App,
    operation: Operation,
    [first, ..]: [&str; 3],
    (headers, body): (&HeaderMap, &[u8]),
    address: IpAddr,
    request_id: &str,
) -> Result<Answer, Refusal> {
    let holder = Holder {
        app,
        address,
        request_id,
    };
    match operation {
        Operation::PreviewInvite => holder.preview(body).await,
        Operation::DeclineInvite => holder.give_up(body, ByHolder::Decline).await,
        Operation::ReportInviteLeak => holder.give_up(body, ByHolder::ReportLeak).await,
        Operation::RequestToken => oauth::request_token(app, headers, body, address),
        Operation::GetOpenIdConfiguration => discovery::get_configuration(app),
        Operation::GetUserTokenKeys => discovery::get_user_token_keys(app),
        Operation::GetClientTokenKeys => discovery::get_client_token_keys(app, first),
        Operation::CreateDevelopmentToken => development::create_token(app, body),
        Operation::GetHealth => health::get_health(app),
        Operation::GetReadiness => health::get_readiness(app).await,
        Operation::GetMetrics => Ok(metrics::page(app)),
        Operation::GetOpenApi => {
            let json = HeaderValue::from_static("application/json");
            Ok(Answer::file(json, app.description.clone()))
        }
        Operation::GetDocumentation => documentation::page(first),
        _ => Err(Refusal::NoSuchPath),
    }
}
