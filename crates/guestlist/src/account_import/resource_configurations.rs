//! Resource configurations. The published model does not say which resource one is for: where the
//! other server leaves that out too, they cannot be carried.

use guestlist_client::api::resource_configurations::{
    ConfiguredAction, PermissionedResource, PermissionedResourceRequest,
};
use guestlist_client::api::resources::ResourceUri;
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, differing, found, text};
use super::kinds::Kind;
use super::state::State;

pub(super) struct ResourceConfigurations;

impl Noun for ResourceConfigurations {
    const KIND: Kind = Kind::ResourceConfigurations;
    const LIST: (&'static str, &'static str) = ("/v1/resources", "resources");
    type Read = PermissionedResource;
    type Wanted = (ResourceUri, PermissionedResourceRequest);
    type Here = PermissionedResource;

    fn id(document: &Value) -> Option<String> {
        text(document, "resourceUri")
    }

    fn wanted(&self, read: PermissionedResource, _state: &State) -> Result<Self::Wanted, Why> {
        let request = read.to_request()?;
        let uri = read.resource_uri.ok_or_else(|| {
            Why::Unreadable("the other server does not say which resource it is for".to_owned())
        })?;
        Ok((uri, request))
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        (uri, _): &Self::Wanted,
        _state: &State,
    ) -> Result<Present<PermissionedResource>, Error> {
        // Whoever may configure a resource may read its configuration: who may not is refused below,
        // and nothing is overwritten unseen.
        found(
            here.resource_permissions()
                .get_permissioned_resource(uri)
                .await,
        )
    }

    fn compare(&self, here: &PermissionedResource, (_, wanted): &Self::Wanted) -> Comparison {
        match here.to_request() {
            Ok(here) => Comparison::of(differing(&Said::of(&here), &Said::of(wanted))),
            Err(reason) => Comparison::Differs(vec![reason.to_string()]),
        }
    }

    async fn create(
        &mut self,
        here: &Client,
        (uri, wanted): &Self::Wanted,
    ) -> Result<PermissionedResource, Error> {
        let resources = here.resource_permissions();
        resources.update_permissioned_resource(uri, wanted).await?;
        Ok(PermissionedResource {
            resource_uri: Some(uri.clone()),
            permissions: wanted.permissions.to_vec(),
        })
    }

    async fn replace(
        &mut self,
        here: &Client,
        _present: &PermissionedResource,
        (uri, wanted): &Self::Wanted,
    ) -> Result<(), Error> {
        let resources = here.resource_permissions();
        resources.update_permissioned_resource(uri, wanted).await
    }
}

/// What a configuration says, in whatever order it says it.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    claim: Option<bool>,
    public: Option<bool>,
}

impl Said {
    fn of(request: &PermissionedResourceRequest) -> Self {
        let said = |action| {
            let mut permissions = request.permissions.iter();
            permissions
                .find(|said| said.action == action)
                .map(|said| said.allow)
        };
        Self {
            claim: said(ConfiguredAction::Claim),
            public: said(ConfiguredAction::Public),
        }
    }
}
