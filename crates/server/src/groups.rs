//! Groups (contract §1.8).

use guestlist_api::groups::{Group, GroupCollection, GroupRequest};
use guestlist_api::ids::GroupId;
use guestlist_api::limits;
use guestlist_api::times::UnmodifiedSince;
use guestlist_rules::authority::{Ability, require};
use guestlist_rules::changes::Seen;
use guestlist_rules::groups::{self as rules, StoredGroup};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/groups`.
pub async fn create_group(ask: Ask<'_>, request: GroupRequest) -> Result<Answer, Refusal> {
    let fresh: GroupId = ask.app.fresh_id("grp_")?;
    let group = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let id = request.group_id.as_ref().unwrap_or(&fresh);
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::create(facts, request, fresh, existing.as_ref()));
                decided.map(|(changes, group)| Decided::Change(changes, group))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(ask, group)).map_err(Refusal::from)
}

/// GET `/v1/groups`: those the caller may read.
pub async fn get_groups(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "groups", limits::PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |group: &StoredGroup| {
            ask.decide(|facts| rules::may_read(facts, group)).is_ok() && matches(group, filter)
        })
        .await?;
    let groups = found
        .into_iter()
        .map(|seen| answer(ask, seen.value))
        .collect();
    let (pagination, links) = listing.page(ask, "/v1/groups", next)?;
    Answer::json(
        StatusCode::OK,
        &GroupCollection {
            groups,
            pagination,
            links,
        },
    )
    .map_err(Refusal::from)
}

fn matches(group: &StoredGroup, filter: Option<&str>) -> bool {
    let own = [group.group_id.as_str(), group.name.as_str()];
    let people = group
        .users
        .iter()
        .chain(&group.admins)
        .map(|user| user.user_id.as_str());
    contains(
        filter,
        own.into_iter()
            .chain(people)
            .chain(group.tags.iter().map(|(_, tag)| tag)),
    )
}

/// GET `/v1/groups/{groupId}`.
pub async fn get_group(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    let seen: Option<Seen<StoredGroup>> = ask.see(id.as_str()).await?;
    let Some(Seen { value: group, .. }) = seen else {
        ask.decide(|facts| require(facts, Ability::ReadGroup(&id)))?;
        return Err(Rule::NotFound(Noun::Group).into());
    };
    ask.decide(|facts| rules::may_read(facts, &group))?;
    Answer::json(StatusCode::OK, &answer(ask, group)).map_err(Refusal::from)
}

/// PUT `/v1/groups/{groupId}`.
pub async fn update_group(
    ask: Ask<'_>,
    id: &str,
    request: GroupRequest,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let group = ask
        .change(|| {
            let request = request.clone();
            async move {
                let existing = ask.see(id.as_str()).await?;
                let decided = ask.decide(|facts| {
                    rules::update(facts, id, request, existing.as_ref(), unmodified_since)
                });
                decided.map(|(changes, group)| Decided::Change(changes, group))
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(ask, group)).map_err(Refusal::from)
}

/// DELETE `/v1/groups/{groupId}`.
pub async fn delete_group(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An id that no group can have is the id of no group.
fn parse(id: &str) -> Result<GroupId, Refusal> {
    id.parse().map_err(|_| Rule::NotFound(Noun::Group).into())
}

fn answer(ask: Ask<'_>, group: StoredGroup) -> Group {
    Group {
        links: ask.links(&format!("/v1/groups/{}", group.group_id)),
        group_id: group.group_id,
        name: group.name,
        users: group.users,
        admins: group.admins,
        last_updated: Some(group.last_updated),
        tags: group.tags,
    }
}
