//! Access requests (contract §1.2).

use guestlist_api::access_requests::{
    AccessRequest, AccessRequestCollection, AccessRequestResponse, AccessRequestStatus,
    AccessTemplate, NewAccessRequest,
};
use guestlist_api::ids::{RecordId, RequestId};
use guestlist_api::limits;
use guestlist_rules::access_requests::{
    self as rules, OPEN_REQUESTS, Places, StoredAccessRequest, record_id_of, status_word,
};
use guestlist_rules::authority::{Ability, require};
use guestlist_rules::caller::CallerKind;
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::invite_approvals::Approving;
use guestlist_rules::invites::StoredInvite;
use guestlist_rules::records::StoredRecord;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::users::limited;
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::invite_settings::settings;
use crate::invites::Accepting;
use crate::listing::{Listing, given, walk};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/requests`. An id that is sent along is ignored: SDKs send `""` and ids of their own.
pub async fn create_request(ask: Ask<'_>, request: NewAccessRequest) -> Result<Answer, Refusal> {
    let who = &ask.caller.user_id;
    match ask.caller.kind {
        CallerKind::User { .. } => ask.app.limiters.access_request(who, ask.now)?,
        // Somebody has given it a key.
        CallerKind::Client { .. } => {}
        CallerKind::Limited { .. } => return Err(limited().into()),
    }
    let fresh: RequestId = ask.app.fresh_id("req_")?;
    let request = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let own = Selection::Equal(Facet::OpenBy, who.to_string());
                let any = |_: &StoredAccessRequest| true;
                let (open, _) = walk(ask, &own, None, OPEN_REQUESTS, any).await?;
                let decided = ask.decide(|facts| rules::create(facts, request, fresh, open.len()));
                decided.map(|(changes, request)| Decided::Change(changes, request))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(ask, request)).map_err(Refusal::from)
}

/// GET `/v1/requests`: those the caller may read; deleted ones only if asked for.
pub async fn get_requests(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let status = match given(query, "status")?.as_deref() {
        None => None,
        Some("OPEN") => Some(AccessRequestStatus::Open),
        Some("APPROVED") => Some(AccessRequestStatus::Approved),
        Some("DENIED") => Some(AccessRequestStatus::Denied),
        Some("DELETED") => Some(AccessRequestStatus::Deleted),
        Some(_) => {
            let reason = "must be OPEN, APPROVED, DENIED or DELETED";
            return Err(Refusal::malformed("status", reason));
        }
    };
    let listing = Listing::read(ask, query, "requests", limits::PAGE, &["status"])?;
    let who = &ask.caller.user_id;
    let reads_others = ask.decide(|facts| Ok(facts.grants.holds_reserved(who)))?;
    let selection = match status {
        // Whoever holds nothing of the service reads nothing but what is theirs.
        _ if !reads_others => Selection::Equal(Facet::Principal, who.to_string()),
        Some(status) => Selection::Equal(Facet::Status, status_word(status).to_owned()),
        None => Selection::All,
    };
    let wanted = |request: &StoredAccessRequest| match status {
        Some(status) => request.status == status,
        None => request.status != AccessRequestStatus::Deleted,
    };
    let (found, next) = listing
        .selected(ask, &selection, |request: &StoredAccessRequest| {
            wanted(request) && ask.decide(|facts| rules::may_read(facts, request)).is_ok()
        })
        .await?;
    let records = found
        .into_iter()
        .map(|seen| answer(ask, seen.value))
        .collect();
    let (pagination, links) = listing.page(ask, "/v1/requests", next)?;
    let page = AccessRequestCollection {
        records,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// GET `/v1/requests/{requestId}`: answered and deleted ones too.
pub async fn get_request(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    let seen = find(ask, &id, Ability::ReadRequest(&id)).await?;
    ask.decide(|facts| rules::may_read(facts, &seen.value))?;
    Answer::json(StatusCode::OK, &answer(ask, seen.value)).map_err(Refusal::from)
}

/// PATCH `/v1/requests/{requestId}`.
pub async fn respond_to_access_request(
    ask: Ask<'_>,
    id: &str,
    response: AccessRequestResponse,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let fresh: RecordId = ask.app.fresh_id("rec_")?;
    let request = ask
        .change(|| {
            let fresh = fresh.clone();
            async move {
                let seen = find(ask, id, Ability::UpdateRequest(id)).await?;
                let existing: Option<Seen<StoredRecord>> =
                    ask.see(record_id_of(id)?.as_str()).await?;
                let of = OfInvite::see(ask, &seen.value).await?;
                // Read after its invite: if it is still open, nobody had answered it when the
                // invite was read, and what that says is not the end of the same answer.
                let seen = match of {
                    Some(_) => find(ask, id, Ability::UpdateRequest(id)).await?,
                    None => seen,
                };
                let settings = settings(ask).await?;
                let places = Places {
                    existing: existing.as_ref(),
                    invite: of.as_ref().map(|of| Approving {
                        invite: &of.invite,
                        acceptor: of.accepting.acceptor(fresh.clone()),
                        settings: settings.as_ref(),
                    }),
                    fresh,
                };
                let decided =
                    ask.decide(|facts| rules::respond(facts, &seen, response.status, places))?;
                Ok(match decided {
                    Some((changes, request)) => Decided::Change(changes, request),
                    None => Decided::Nothing(seen.value),
                })
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(ask, request)).map_err(Refusal::from)
}

/// DELETE `/v1/requests/{requestId}`.
pub async fn delete_request(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let seen = find(ask, id, Ability::UpdateRequest(id)).await?;
        let invite = invite_of(ask, &seen.value).await?;
        let changes = ask.decide(|facts| rules::delete(facts, &seen, invite.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What belongs to a request of an invite.
struct OfInvite {
    invite: Seen<StoredInvite>,
    accepting: Accepting,
}

impl OfInvite {
    async fn see(ask: Ask<'_>, request: &StoredAccessRequest) -> Result<Option<Self>, Refusal> {
        let Some(invite) = invite_of(ask, request).await? else {
            return Ok(None);
        };
        let reference = &invite.value.reference;
        let accepting = Accepting::see(ask, reference, &request.requester).await?;
        Ok(Some(Self { invite, accepting }))
    }
}

/// The invite that a request belongs to.
async fn invite_of(
    ask: Ask<'_>,
    request: &StoredAccessRequest,
) -> Result<Option<Seen<StoredInvite>>, Refusal> {
    match &request.invite {
        Some(of) => ask.see(of.reference.as_str()).await,
        None => Ok(None),
    }
}

/// The request; one that is not there answers as one that the caller may not see.
async fn find(
    ask: Ask<'_>,
    id: &RequestId,
    ability: Ability<'_>,
) -> Result<Seen<StoredAccessRequest>, Refusal> {
    if let Some(seen) = ask.see(id.as_str()).await? {
        return Ok(seen);
    }
    ask.decide(|facts| require(facts, ability))?;
    Err(Rule::NotFound(Noun::AccessRequest).into())
}

/// An id that no request can have is the id of no request.
fn parse(id: &str) -> Result<RequestId, Refusal> {
    id.parse()
        .map_err(|_| Rule::NotFound(Noun::AccessRequest).into())
}

pub(crate) fn answer(ask: Ask<'_>, request: StoredAccessRequest) -> AccessRequest {
    AccessRequest {
        links: ask.links(&format!("/v1/requests/{}", request.request_id)),
        request_id: request.request_id,
        status: request.status.into(),
        last_updated: Some(request.last_updated),
        access: AccessTemplate {
            users: request.users,
            statements: request.statements,
        },
        tags: request.tags,
        invite_reference: request.invite.map(|of| of.reference),
    }
}
