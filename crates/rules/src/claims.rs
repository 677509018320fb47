//! Claims: who may make a resource their own, and what that writes.

use guestlist_api::claims::ClaimRequest;
use guestlist_api::ids::{RecordId, RoleId};
use guestlist_api::records::{RecordStatus, Resource, Statement, User};
use guestlist_api::resource_configurations::ConfiguredAction;
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::{Bounded, Description, Malformed, Name, Tags};
use serde_json::json;

use crate::authority::Basis;
use crate::built_in;
use crate::ceiling::{NotGiven, may_hand_out};
use crate::changes::{Changes, Expect, Kind, Seen};
use crate::facts::Facts;
use crate::grants::Holding;
use crate::records::StoredRecord;
use crate::refusals::Refusal;
use crate::resource_configurations::StoredResourceConfiguration;

/// Names of resources, and statements that may name them, looked at for one claim at most: some
/// milliseconds' work. Beyond it nobody can tell whether the resource is somebody's.
pub const NAMES: usize = 50_000;

/// What a claim needs to know besides what is held.
pub struct Places<'a> {
    /// That of the collection.
    pub configuration: Option<&'a Seen<StoredResourceConfiguration>>,
    /// That of the resource itself.
    pub own_configuration: Option<&'a Seen<StoredResourceConfiguration>>,
    /// The id of the record for this resource: the same for everybody who claims it, so that two who
    /// claim it at once do not both succeed.
    pub record_id: RecordId,
    /// The record of that id, if there is one.
    pub existing: Option<&'a Seen<StoredRecord>>,
    /// A random id, should that one be used for something else.
    pub fresh: RecordId,
}

/// What is claimed.
///
/// # Errors
///
/// It cannot be claimed by anybody: too long a path, or the service's own.
pub fn resource(request: &ClaimRequest) -> Result<ResourceUri, Refusal> {
    let resource = request
        .resource_uri()
        .map_err(|reason| Refusal::invalid("collectionResource", reason.to_string()))?;
    if resource.is_reserved() {
        return Err(Refusal::invalid(
            "collectionResource",
            "must not be one of the service's own (Authress:…)",
        ));
    }
    Ok(resource)
}

/// Gives the caller the built-in owner role on a resource that is nobody's.
///
/// It is somebody's if a record in force names it, or anything below it, for somebody else, if a
/// configuration there allows everybody something, or if the caller claimed it before. Who holds something above it does not count: the owner of the collection
/// holds everything in it.
///
/// A record that somebody else makes on the resource at the same moment is not excluded: it may
/// as well have been made just after, which a claim does not prevent.
pub fn create(
    facts: Facts<'_>,
    request: &ClaimRequest,
    places: Places<'_>,
) -> Result<(Changes, StoredRecord), Refusal> {
    let resource = resource(request)?;
    let basis = may_claim(facts, &resource, places.configuration)?;
    let existing = places.existing;
    let in_force = existing.filter(|seen| seen.value.is_active());
    let about = in_force.filter(|seen| is_about(&seen.value, &resource));
    if about.is_some_and(|seen| names_anybody(&seen.value)) {
        return Err(Refusal::AlreadyClaimed);
    }
    match facts.grants.held_by_others(facts.who(), &resource, NAMES) {
        Holding::Nobody => {}
        Holding::Somebody => return Err(Refusal::AlreadyClaimed),
        Holding::TooManyNames => {
            return Err(Refusal::TooLarge {
                reason: "too much at this resource and below it was named to tell whether it is \
                         somebody's; claim another one"
                    .to_owned(),
            });
        }
    }
    // Somebody gave the id to a record on something else.
    let other = in_force.filter(|_| about.is_none());
    if other.is_some() && owns(facts, &resource)? {
        return Err(Refusal::AlreadyClaimed);
    }
    let record_id = match other {
        Some(_) => places.fresh,
        None => places.record_id,
    };
    let mut record = record(facts, resource.clone(), record_id)?;
    let data = json!({ "recordId": record.record_id });
    let subject = format!("resource/{}", resource.canonical());
    let mut changes = facts.changes("resource.claimed", subject, data);
    changes.expect.extend(basis);
    let own = places.own_configuration;
    changes.rely_on(
        Kind::ResourceConfiguration,
        resource.canonical(),
        own.map_or(Expect::Absent, |seen| Expect::At(seen.mark)),
    );
    changes.tell_access(None, Some(&record));
    match existing {
        None => changes.create(&record)?,
        Some(deleted) if other.is_none() => {
            record.last_updated = record.last_updated.max(deleted.value.last_updated.plus(1));
            changes.replace(deleted.mark, &record)?;
        }
        Some(other) => {
            changes.create(&record)?;
            // It is written as it is, so that two who claim at once still get into each other's way.
            changes.replace(other.mark, &other.value)?;
        }
    }
    Ok((changes, record))
}

/// What the caller's right to claim rests on: the configuration of the collection, or that they could
/// give somebody everything on the resource.
fn may_claim(
    facts: Facts<'_>,
    resource: &ResourceUri,
    configuration: Option<&Seen<StoredResourceConfiguration>>,
) -> Result<Basis, Refusal> {
    let claimable = configuration.filter(|seen| seen.value.allows(ConfiguredAction::Claim));
    if let Some(seen) = claimable {
        let id = seen.value.resource_uri.canonical().to_owned();
        return Ok(vec![(
            Kind::ResourceConfiguration,
            id,
            Expect::At(seen.mark),
        )]);
    }
    let owner = owner()?;
    may_hand_out(facts.grants, facts.who(), [(&owner, resource)]).map_err(|reason| match reason {
        NotGiven::TooMuch => Refusal::Forbidden {
            needs: "a collection that is configured for claims (CLAIM), or the right to delegate \
                    * on the resource"
                .to_owned(),
        },
        other @ (NotGiven::UnknownRole(_) | NotGiven::TooMany) => other.into(),
    })
}

/// Whether a record gives something on exactly this resource.
fn is_about(record: &StoredRecord, resource: &ResourceUri) -> bool {
    let mut statements = record.statements.iter();
    statements.any(|statement| {
        let mut resources = statement.resources.iter();
        resources.any(|named| named.resource_uri == *resource)
    })
}

/// Whether a record is for anybody at all.
fn names_anybody(record: &StoredRecord) -> bool {
    let mut statements = record.statements.iter();
    record.names_principals()
        || statements.any(|statement| !statement.users.is_empty() || !statement.groups.is_empty())
}

/// Whether the caller has the built-in owner role on exactly this resource.
fn owns(facts: Facts<'_>, resource: &ResourceUri) -> Result<bool, Refusal> {
    let roles = facts.grants.explicit_roles(facts.who(), resource);
    let owner = owner()?;
    Ok(roles.iter().any(|(role, _)| *role == owner))
}

fn owner() -> Result<RoleId, Refusal> {
    built_in::OWNER.parse().map_err(|reason| broken(&reason))
}

fn broken(reason: &Malformed) -> Refusal {
    Refusal::TooLarge {
        reason: reason.to_string(),
    }
}

/// The record of a claim. It has no administrators: its owner changes who has access with records of
/// their own, and whoever may update records takes it away again.
fn record(
    facts: Facts<'_>,
    resource_uri: ResourceUri,
    record_id: RecordId,
) -> Result<StoredRecord, Refusal> {
    let description = format!("{resource_uri} was nobody's and was claimed.");
    let statement = Statement {
        roles: one(owner()?)?,
        resources: one(Resource { resource_uri })?,
        users: Bounded::default(),
        groups: Bounded::default(),
        expiry_time: None,
    };
    Ok(StoredRecord {
        record_id,
        name: Name::parse("Claim of a resource").map_err(|reason| broken(&reason))?,
        description: Description::parse(&description).ok(),
        users: vec![User {
            user_id: facts.who().clone(),
        }],
        admins: Vec::new(),
        groups: Vec::new(),
        statements: vec![statement],
        tags: Tags::default(),
        status: RecordStatus::Active,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    })
}

fn one<T, const LEAST: usize, const MOST: usize>(
    item: T,
) -> Result<Bounded<T, LEAST, MOST>, Refusal> {
    Bounded::new(vec![item]).map_err(|reason| broken(&reason))
}
