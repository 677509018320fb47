//! The door of the Rust client.

use guestlist_client::api::accounts::Account;
use guestlist_client::api::clients::{AccessKeyRequest, ClientRequest};
use guestlist_client::api::groups::GroupRequest;
use guestlist_client::api::ids::RoleId;
use guestlist_client::api::invites::{InviteRequest, InviteStatement};
use guestlist_client::api::records::{AccessRecordRequest, Statement, User};
use guestlist_client::api::resources::ResourceUri;
use guestlist_client::api::roles::{Permission, RoleRequest};
use guestlist_client::api::text::Name;
use guestlist_client::{Client, Credentials, Error};
use serde::Serialize;
use serde_json::Value;

use crate::calls::{Call, Came, told};
use crate::{Credential, Outcome, Scene, raw};

/// Why there is no answer: what was asked cannot be said with the client's types, or the call failed.
enum NoAnswer {
    Unsayable,
    Failed(Error),
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Text that must be what its type demands.
fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, NoAnswer> {
    text.parse().map_err(|_| NoAnswer::Unsayable)
}

fn json(value: impl Serialize) -> Result<Value, NoAnswer> {
    serde_json::to_value(value).map_err(|_| NoAnswer::Unsayable)
}

pub(crate) async fn call(scene: &Scene, credential: &Credential, call: &Call) -> Outcome {
    let credentials = match credential {
        Credential::Key(key) => Credentials::access_key(key).unwrap(),
        Credential::Token(token) => Credentials::token(token.clone()),
        Credential::None => Credentials::none(),
    };
    let client = Client::new(scene.server.url(), credentials).unwrap();
    let (came, data) = match answer(scene, &client, call).await {
        Ok(Value::Bool(false)) => (Came::No, Value::Null),
        Ok(data) => (Came::Done, data),
        Err(NoAnswer::Unsayable) => (Came::Invalid, Value::Null),
        Err(NoAnswer::Failed(error)) => {
            let status = error
                .status()
                .unwrap_or_else(|| panic!("{call:?}: {error:?}"));
            (raw::came(status, call), Value::Null)
        }
    };
    Outcome {
        came,
        data: told(call, data),
    }
}

async fn answer(scene: &Scene, client: &Client, call: &Call) -> Result<Value, NoAnswer> {
    match call {
        Call::CreateInvite { .. } | Call::ShowInvite | Call::AcceptInvite | Call::RevokeInvite => {
            invites(scene, client, call).await
        }
        Call::CreateClient { .. }
        | Call::ShowClient
        | Call::CreateKey
        | Call::DeleteKey
        | Call::DeleteClient
        | Call::ListIdentities
        | Call::ShowAccount => account(scene, client, call).await,
        _ => access(client, call).await,
    }
}

async fn access(client: &Client, call: &Call) -> Result<Value, NoAnswer> {
    match call {
        Call::CreateRole { id, allow } => {
            let action: guestlist_client::api::actions::Action = parsed(allow)?;
            let role = RoleRequest::new(id)
                .unwrap()
                .role_id(parsed(id)?)
                .permission(Permission::allow(action));
            json(client.roles().create_role(&role).await?)
        }
        Call::ShowRole(id) => json(client.roles().get_role(&parsed(id)?).await?),
        Call::DeleteRole(id) => json(client.roles().delete_role(&parsed(id)?).await?),
        Call::CreateGroup { id, user } => {
            let user: User = User {
                user_id: parsed(user)?,
            };
            let group = GroupRequest::new(id)
                .unwrap()
                .group_id(parsed(id)?)
                .user(user);
            json(client.groups().create_group(&group).await?)
        }
        Call::ShowGroup(id) => json(client.groups().get_group(&parsed(id)?).await?),
        Call::DeleteGroup(id) => json(client.groups().delete_group(&parsed(id)?).await?),
        Call::CreateRecord {
            id,
            user,
            role,
            resource,
        } => {
            let statement = Statement::new(
                [parsed::<RoleId>(role)?],
                [parsed::<ResourceUri>(resource)?],
            )
            .unwrap();
            let record = AccessRecordRequest::new(id, [statement])
                .unwrap()
                .record_id(parsed(id)?)
                .user(User {
                    user_id: parsed(user)?,
                });
            json(client.access_records().create_record(&record).await?)
        }
        Call::ShowRecord(id) => json(client.access_records().get_record(&parsed(id)?).await?),
        Call::ListRecords => json(client.access_records().list().try_collect().await?),
        Call::DeleteRecord(id) => json(client.access_records().delete_record(&parsed(id)?).await?),
        Call::Check {
            user,
            resource,
            action,
        } => json(
            client
                .user_permissions()
                .is_allowed(&parsed(user)?, &parsed(resource)?, &parsed(action)?)
                .await?,
        ),
        Call::WhoCan { action, resource } => json(
            client
                .resource_permissions()
                .list_users_who_can(&parsed(resource)?, &parsed(action)?)
                .try_collect()
                .await?,
        ),
        other => panic!("{other:?} is not about access"),
    }
}

async fn invites(scene: &Scene, client: &Client, call: &Call) -> Result<Value, NoAnswer> {
    let id = || parsed(&scene.invite);
    match call {
        Call::CreateInvite { role, resource } => {
            let statement = InviteStatement::new(
                [parsed::<RoleId>(role)?],
                [parsed::<ResourceUri>(resource)?],
            )
            .unwrap();
            let invite = InviteRequest::new().statement(statement);
            json(client.invites().create_invite(&invite).await?)
        }
        Call::ShowInvite => json(client.invites().get_invite(&id()?).await?),
        Call::AcceptInvite => json(client.invites().respond_to_invite(&id()?).await?),
        Call::RevokeInvite => json(client.invites().delete_invite(&id()?).await?),
        other => panic!("{other:?} is not about invites"),
    }
}

async fn account(scene: &Scene, client: &Client, call: &Call) -> Result<Value, NoAnswer> {
    let id = || parsed(&scene.client);
    let clients = client.service_clients();
    match call {
        Call::CreateClient { name } => {
            let request = ClientRequest::new().name(Name::parse(name).unwrap());
            json(clients.create_client(&request).await?)
        }
        Call::ShowClient => json(clients.get_client(&id()?).await?),
        Call::CreateKey => json(
            clients
                .request_access_key(&id()?, &AccessKeyRequest::new())
                .await?,
        ),
        Call::DeleteKey => json(
            clients
                .delete_access_key(&id()?, &parsed(&scene.key.0)?)
                .await?,
        ),
        Call::DeleteClient => json(clients.delete_client(&id()?).await?),
        Call::ListIdentities => json(client.accounts().get_account_identities().await?.identities),
        Call::ShowAccount => {
            let accounts: Vec<Account> = client.accounts().get_accounts().await?;
            json(accounts)
        }
        other => panic!("{other:?} is not about the account"),
    }
}
