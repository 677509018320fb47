//! Claims (contract §1.1 `createClaim`).

use guestlist_api::claims::{ClaimRequest, ClaimResponse};
use guestlist_api::ids::RecordId;
use guestlist_api::resources::ResourceUri;
use guestlist_rules::caller::CallerKind;
use guestlist_rules::changes::Seen;
use guestlist_rules::claims::{self as rules, Places};
use guestlist_rules::grants::Looked;
use guestlist_rules::records::StoredRecord;
use guestlist_rules::users::limited;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::digests::digest;
use crate::refusal::Refusal;
use crate::resource_configurations::configuration as configured_on;

/// Names put in order at once: about a millisecond's work.
const NAMES_OF_A_STEP: usize = 10_000;

/// POST `/v1/claims`.
pub async fn create_claim(ask: Ask<'_>, request: ClaimRequest) -> Result<Answer, Refusal> {
    match ask.caller.kind {
        CallerKind::User { .. } => {
            let limiters = &ask.app.limiters;
            limiters.claim(&ask.caller.user_id, ask.now)?;
        }
        // Somebody has given it a key.
        CallerKind::Client { .. } => {}
        CallerKind::Limited { .. } => return Err(limited().into()),
    }
    let resource = &rules::resource(&request)?;
    let record_id = record_id(resource)?;
    let fresh: RecordId = ask.app.fresh_id("rec_")?;
    while ask.app.grants().sort_resources(NAMES_OF_A_STEP) == Looked::InPart {
        tokio::task::yield_now().await;
    }
    let collection = request.collection_resource.resource_uri();
    ask.change(|| {
        let (record_id, fresh, request) = (record_id.clone(), fresh.clone(), &request);
        async move {
            let configuration = configured_on(ask, collection).await?;
            let own_configuration = configured_on(ask, resource).await?;
            let existing: Option<Seen<StoredRecord>> = ask.see(record_id.as_str()).await?;
            let places = Places {
                configuration: configuration.as_ref(),
                own_configuration: own_configuration.as_ref(),
                record_id,
                existing: existing.as_ref(),
                fresh,
            };
            let decided = ask.decide(|facts| rules::create(facts, request, places));
            decided.map(|(changes, _)| Decided::Change(changes, ()))
        }
    })
    .await?;
    Answer::json(StatusCode::CREATED, &ClaimResponse {}).map_err(Refusal::from)
}

/// The id of the record of a claim: the same for everybody who claims the resource.
fn record_id(resource: &ResourceUri) -> Result<RecordId, Refusal> {
    format!("claim:{}", digest(resource.canonical()))
        .parse()
        .map_err(|reason| Refusal::malformed("resourceId", reason))
}
