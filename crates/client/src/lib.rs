//! An async client for Guestlist and other servers that speak the Authress HTTP API: its front page
//! is the README.
//!
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub use guestlist_api as api;

pub use crate::access_records::{AccessRecords, RecordQuery};
pub use crate::access_requests::AccessRequests;
pub use crate::accounts::Accounts;
pub use crate::applications::Applications;
pub use crate::audit::{AuditLine, BrokenChain, Chain};
pub use crate::client::{Builder, Client};
pub use crate::connections::Connections;
pub use crate::credentials::Credentials;
pub use crate::error::{
    ConfigurationError, CredentialsError, DecodingError, Error, LostEvents, Refusal, TransportError,
};
pub use crate::events::{Events, Following};
pub use crate::extensions::Extensions;
pub use crate::groups::Groups;
pub use crate::invite_statistics::StatisticsQuery;
pub use crate::invites::{Accepted, Invites};
pub use crate::keys::{JsonWebKey, JsonWebKeySet};
pub use crate::pages::{PageQuery, Pages};
pub use crate::resource_permissions::ResourcePermissions;
pub use crate::roles::Roles;
pub use crate::server::{DevelopmentToken, Health, Server};
pub use crate::service_clients::ServiceClients;
pub use crate::tenants::Tenants;
pub use crate::user_permissions::{UserPermissions, UserResourcesQuery};
pub use crate::user_tokens::UserTokens;
pub use crate::users::Users;
pub use crate::verifier::{
    InvalidToken, OpenIdConfiguration, TokenError, TokenVerifier, VerifiedToken,
};
pub use crate::webhook_verifier::{
    InvalidWebhook, VerifiedWebhook, WEBHOOK_TOLERANCE, verify_webhook,
};
pub use crate::webhooks::Webhooks;

mod access_records;
mod access_requests;
mod accounts;
mod applications;
mod audit;
mod client;
mod clock;
mod connections;
mod credentials;
mod documents;
mod error;
mod events;
mod extensions;
mod groups;
mod invite_batches;
mod invite_grants;
mod invite_lists;
mod invite_settings;
mod invite_statistics;
mod invites;
mod keys;
mod pages;
mod paths;
mod resource_permissions;
mod retries;
mod roles;
mod server;
mod service_clients;
mod tenants;
mod transport;
mod user_permissions;
mod user_tokens;
mod users;
mod verifier;
mod webhook_verifier;
mod webhooks;
