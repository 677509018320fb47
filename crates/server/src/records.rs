//! Access records (contract §1.1).

use guestlist_api::accounts::AccountReference;
use guestlist_api::ids::{RecordId, RoleId};
use guestlist_api::limits;
use guestlist_api::records::{
    AccessRecord, AccessRecordCollection, AccessRecordRequest, LinkedGroup, User,
};
use guestlist_api::times::UnmodifiedSince;
use guestlist_rules::authority::{Ability, require};
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::records::{self as rules, StoredRecord};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains, given};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/records`.
pub async fn create_record(ask: Ask<'_>, request: AccessRecordRequest) -> Result<Answer, Refusal> {
    let fresh: RecordId = ask.app.fresh_id("rec_")?;
    let record = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let id = request.record_id.as_ref().unwrap_or(&fresh);
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::create(facts, request, fresh, existing.as_ref()));
                decided.map(|(changes, record)| Decided::Change(changes, record))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(ask, record)).map_err(Refusal::from)
}

/// GET `/v1/records`: those the caller may read; those in force unless asked otherwise.
pub async fn get_records(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let status = match given(query, "status")?.as_deref() {
        None | Some("ACTIVE") => "ACTIVE",
        Some("DELETED") => "DELETED",
        Some(_) => return Err(Refusal::malformed("status", "must be ACTIVE or DELETED")),
    };
    let listing = Listing::read(ask, query, "records", limits::PAGE, &["status"])?;
    let filter = listing.filter.as_deref();
    let selection = Selection::Equal(Facet::Status, status.to_owned());
    let (found, next) = listing
        .selected(ask, &selection, |record: &StoredRecord| {
            ask.decide(|facts| rules::may_read(facts, record)).is_ok() && matches(record, filter)
        })
        .await?;
    let records = found
        .into_iter()
        .map(|seen| answer(ask, seen.value))
        .collect();
    let (pagination, links) = listing.page(ask, "/v1/records", next)?;
    Answer::json(
        StatusCode::OK,
        &AccessRecordCollection {
            records,
            pagination,
            links,
        },
    )
    .map_err(Refusal::from)
}

/// Whether some text of the record holds the filter (semantics 5.11).
fn matches(record: &StoredRecord, filter: Option<&str>) -> bool {
    fn users(users: &[User]) -> impl Iterator<Item = &str> {
        users.iter().map(|user| user.user_id.as_str())
    }
    fn groups(groups: &[LinkedGroup]) -> impl Iterator<Item = &str> {
        groups.iter().map(|group| group.group_id.as_str())
    }
    let description = record.description.as_ref().map_or("", |text| text.as_str());
    let own = [record.record_id.as_str(), record.name.as_str(), description];
    let statements = record.statements.iter().flat_map(|statement| {
        let roles = statement.roles.iter().map(RoleId::as_str);
        let resources = statement
            .resources
            .iter()
            .map(|item| item.resource_uri.as_str());
        roles
            .chain(resources)
            .chain(users(&statement.users))
            .chain(groups(&statement.groups))
    });
    let tags = record.tags.iter().map(|(_, value)| value);
    let people = users(&record.users)
        .chain(users(&record.admins))
        .chain(groups(&record.groups));
    contains(
        filter,
        own.into_iter().chain(people).chain(statements).chain(tags),
    )
}

/// GET `/v1/records/{recordId}`: deleted ones too.
pub async fn get_record(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    let seen: Option<Seen<StoredRecord>> = ask.see(id.as_str()).await?;
    let Some(Seen { value: record, .. }) = seen else {
        ask.decide(|facts| require(facts, Ability::ReadRecord(&id)))?;
        return Err(Rule::NotFound(Noun::AccessRecord).into());
    };
    ask.decide(|facts| rules::may_read(facts, &record))?;
    Answer::json(StatusCode::OK, &answer(ask, record)).map_err(Refusal::from)
}

/// PUT `/v1/records/{recordId}`: 202 as published, although it is in force at once.
pub async fn update_record(
    ask: Ask<'_>,
    id: &str,
    request: AccessRecordRequest,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| {
        let request = request.clone();
        async move {
            let existing = ask.see(id.as_str()).await?;
            let (changes, _) = ask.decide(|facts| {
                rules::update(facts, id, request, existing.as_ref(), unmodified_since)
            })?;
            Ok(Decided::Change(changes, ()))
        }
    })
    .await?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

/// DELETE `/v1/records/{recordId}`.
pub async fn delete_record(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An id that no record can have is the id of no record.
fn parse(id: &str) -> Result<RecordId, Refusal> {
    id.parse()
        .map_err(|_| Rule::NotFound(Noun::AccessRecord).into())
}

fn answer(ask: Ask<'_>, record: StoredRecord) -> AccessRecord {
    AccessRecord {
        capacity: Some(record.capacity().unwrap_or(1.0)),
        links: ask.links(&format!("/v1/records/{}", record.record_id)),
        record_id: record.record_id,
        name: record.name,
        description: record.description,
        last_updated: Some(record.last_updated),
        status: record.status.into(),
        account: Some(AccountReference {
            account_id: ask.account_id().clone(),
        }),
        users: record.users,
        admins: record.admins,
        groups: record.groups,
        statements: record.statements,
        tags: record.tags,
    }
}
