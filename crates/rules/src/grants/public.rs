//! What everybody may read, because a resource is configured so.

use guestlist_api::actions::Action;
use guestlist_api::resources::ResourceUri;
use guestlist_api::roles::Permission;

use super::Grants;
use super::resources::Resource;
use crate::built_in;

/// Why everybody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// The resource that is configured, in its canonical form.
    pub resource: ResourceUri,
    /// The action that everybody is allowed there.
    pub action: Action,
}

impl Grants {
    /// Whether everybody may do `action` on all of `resource`: what the built-in reader role allows,
    /// on a resource that is configured as `PUBLIC` and below it. It is never the right to give
    /// something, and no list shows it.
    pub fn is_public(&self, resource: &ResourceUri, action: &Action) -> bool {
        self.find_public(resource, action).is_some()
    }

    /// The same with the reason: the configured resource nearest to the root.
    pub fn public(&self, resource: &ResourceUri, action: &Action) -> Option<Public> {
        let (configured, allowed) = self.find_public(resource, action)?;
        Some(Public {
            resource: self.resources.path(configured).parse().ok()?,
            action: allowed.action.clone(),
        })
    }

    fn find_public(
        &self,
        resource: &ResourceUri,
        action: &Action,
    ) -> Option<(Resource, &Permission)> {
        // Most accounts have none, and every check that says no comes by here.
        if self.public.is_empty() {
            return None;
        }
        let role = self.role_ids.get(built_in::READ_RESOURCE)?;
        let permissions = self.roles.get(role as usize)?.permissions.as_deref()?;
        let allowed = permissions
            .iter()
            .find(|held| held.allow && held.action.covers(action))?;
        let ancestors = self.resources.ancestors(resource).exact;
        let configured = ancestors
            .into_iter()
            .find(|ancestor| self.public.contains(ancestor))?;
        Some((configured, allowed))
    }
}
