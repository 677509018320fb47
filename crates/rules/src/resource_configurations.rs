//! Resource configurations: what everybody may do on a resource.

use guestlist_api::ids::RoleId;
use guestlist_api::resource_configurations::{
    ConfiguredAction, PermissionedResourceRequest, ResourcePermission,
};
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, gives_everything, holds, refuse};
use crate::built_in;
use crate::ceiling::may_hand_out;
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::refusals::Refusal;

/// A configuration as it is stored, under the canonical form of its resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredResourceConfiguration {
    pub resource_uri: ResourceUri,
    pub permissions: Vec<ResourcePermission>,
    pub last_updated: Timestamp,
}

impl Stored for StoredResourceConfiguration {
    const KIND: Kind = Kind::ResourceConfiguration;

    fn id(&self) -> String {
        self.resource_uri.canonical().to_owned()
    }
}

impl StoredResourceConfiguration {
    pub fn allows(&self, action: ConfiguredAction) -> bool {
        let mut said = self.permissions.iter();
        said.any(|said| said.action == action && said.allow)
    }
}

fn subject(resource: &ResourceUri) -> String {
    format!("resource/{}", resource.canonical())
}

/// Whether a resource can be configured at all: one of its own, and not the service's.
///
/// Wildcards would let one configuration reach what nobody thought of; and the service's own
/// resources are what the authority over everything else is made of.
pub fn is_configurable(resource: &ResourceUri) -> bool {
    !resource.has_wildcard() && !resource.is_reserved()
}

/// Whether the caller may read the configuration: readers of configurations, and whoever could give
/// everything on the resource.
pub fn may_read(facts: Facts<'_>, resource: &ResourceUri) -> Result<(), Refusal> {
    let ability = Ability::ReadResourceConfiguration(resource);
    holds(facts.grants, facts.who(), ability)
        .or_else(|| gives_everything(facts, resource))
        .map(drop)
        .ok_or_else(|| refuse(facts, ability))
}

/// Replaces what is configured on a resource.
///
/// What is newly allowed to everybody is judged as if the caller gave it to them: they must hold it.
/// A claim gives whoever makes it the built-in owner role, and what is public everybody may read.
/// Taking away needs nothing more than the right to configure.
pub fn update(
    facts: Facts<'_>,
    resource: &ResourceUri,
    request: PermissionedResourceRequest,
    existing: Option<&Seen<StoredResourceConfiguration>>,
) -> Result<(Changes, StoredResourceConfiguration), Refusal> {
    check(resource, &request)?;
    let mut basis = gives_everything(facts, resource).ok_or_else(|| Refusal::Forbidden {
        needs: format!(
            "the right to give * on Authress:ResourcePermissions/{}",
            resource.canonical()
        ),
    })?;
    let configuration = StoredResourceConfiguration {
        resource_uri: resource.clone(),
        permissions: request.permissions.into_vec(),
        last_updated: facts.now,
    };
    basis.extend(may_allow(facts, &configuration, existing)?);
    let data = json!({ "permissions": configuration.permissions });
    let mut changes = facts.changes("resource.configured", subject(resource), data);
    changes.expect.extend(basis);
    match existing {
        Some(seen) => changes.replace(seen.mark, &configuration)?,
        None => changes.create(&configuration)?,
    }
    Ok((changes, configuration))
}

fn check(resource: &ResourceUri, request: &PermissionedResourceRequest) -> Result<(), Refusal> {
    if !is_configurable(resource) {
        return Err(Refusal::invalid(
            "resourceUri",
            "must have no wildcard (*) and must not be one of the service's own (Authress:…)",
        ));
    }
    if request
        .resource_uri
        .as_ref()
        .is_some_and(|given| given != resource)
    {
        return Err(Refusal::invalid(
            "resourceUri",
            format!("must be {resource}, as in the path"),
        ));
    }
    let mut said = Vec::new();
    for (position, permission) in request.permissions.iter().enumerate() {
        if said.contains(&permission.action) {
            return Err(Refusal::invalid(
                format!("permissions[{position}].action"),
                "is there already; say each action once",
            ));
        }
        said.push(permission.action);
    }
    Ok(())
}

/// Whether the caller may give to everybody what the configuration newly allows.
fn may_allow(
    facts: Facts<'_>,
    configuration: &StoredResourceConfiguration,
    existing: Option<&Seen<StoredResourceConfiguration>>,
) -> Result<Basis, Refusal> {
    let mut roles: Vec<RoleId> = Vec::new();
    for (action, role) in [
        (ConfiguredAction::Claim, built_in::OWNER),
        (ConfiguredAction::Public, built_in::READ_RESOURCE),
    ] {
        let before = existing.is_some_and(|seen| seen.value.allows(action));
        if configuration.allows(action) && !before {
            let role = role.parse();
            roles.push(role.map_err(|_| Refusal::InsufficientGrantAccess)?);
        }
    }
    let resource = &configuration.resource_uri;
    let gifts = roles.iter().map(|role| (role, resource));
    may_hand_out(facts.grants, facts.who(), gifts).map_err(Refusal::from)
}
