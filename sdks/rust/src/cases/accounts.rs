//! Accounts and linked identities.

use authress::models::IdentityRequest;
use serde_json::json;

use crate::issuer::{Algorithm, Issuer};
use crate::report::{Failure, Report, check, equal, refused};
use crate::world::{AUDIENCE, World};

pub async fn run(world: &World, report: &mut Report) {
    accounts(world, report).await;
    identities(world, report).await;
}

async fn accounts(world: &World, report: &mut Report) {
    let api = &world.owner.accounts;
    report
        .case(
            "getAccounts",
            "names the account of the access key",
            async {
                let found = api.get_accounts(None).await?;
                equal(
                    &found.accounts.account_id,
                    &world.account_id,
                    "the account id",
                )?;
                check(
                    found.accounts.created_time.is_some(),
                    "createdTime is missing",
                )
            },
        )
        .await;
    report
        .case("getAccounts", "401 without a token", async {
            refused(401, world.nobody().accounts.get_accounts(None).await)?;
            Ok(())
        })
        .await;
    report
        .case(
            "getAccount",
            "answers the account by its id, 404 for an unknown one",
            async {
                let found = api.get_account(world.account_id.clone()).await?;
                equal(&found.account_id, &world.account_id, "the account id")?;
                refused(404, api.get_account("acc-unknown".to_owned()).await)?;
                Ok(())
            },
        )
        .await;
}

fn request(issuer: Option<&str>, jwt: Option<String>) -> IdentityRequest {
    IdentityRequest {
        jwt: jwt.map(Some),
        issuer: issuer.map(|url| Some(url.to_owned())),
        preferred_audience: Some(Some(AUDIENCE.to_owned())),
    }
}

/// Succeeds only for somebody whose token the server accepts as this user's.
pub async fn is_known(world: &World, user: &str, token: &str) -> Result<(), Failure> {
    let client = world.with(token);
    let found = client
        .user_permissions
        .get_user_resources(user.to_owned(), None, None)
        .await?;
    equal(found.user_id.as_str(), user, "the user id")
}

async fn identities(world: &World, report: &mut Report) {
    let api = &world.owner.accounts;
    let issuer = world.issuer();
    report
        .case(
            "delegateAuthentication",
            "links an issuer, by name or by a sample token",
            async {
                is_known(world, "linked-person", &issuer.token("linked-person")).await?;
                let other = Issuer::start(AUDIENCE)?;
                other.add_key("rsa", Algorithm::Rs256);
                api.delegate_authentication(request(None, Some(other.token("somebody"))))
                    .await?;
                is_known(world, "sample-person", &other.token("sample-person")).await
            },
        )
        .await;
    report
        .case(
            "delegateAuthentication",
            "400 without either, 403 for a stranger",
            async {
                refused(400, api.delegate_authentication(request(None, None)).await)?;
                let stranger = world.person("stranger");
                let asked = stranger
                    .accounts
                    .delegate_authentication(request(Some(&issuer.url), None));
                refused(403, asked.await)?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getAccountIdentities",
            "lists the linked issuer with its audience",
            async {
                let found = api.get_account_identities().await?.identities;
                let mine: Vec<_> = found
                    .iter()
                    .filter(|item| item.issuer == issuer.url)
                    .collect();
                equal(mine.len(), 1, "how often the issuer is listed")?;
                equal(mine[0].audience.as_str(), AUDIENCE, "the audience")
            },
        )
        .await;
    report
        .case(
            "a linked issuer",
            "401 for tokens that are expired, elsewhere's, or foreign",
            async {
                let stranger = Issuer::start(AUDIENCE)?;
                let foreign = stranger.add_key("first", Algorithm::EdDsa);
                let bad = [
                    issuer.token_with("linked-person", None, json!({"exp": 1_700_000_000})),
                    issuer.token_with("linked-person", None, json!({"aud": "somebody-else"})),
                    issuer.token_with("linked-person", Some(&foreign), json!({})),
                    issuer.token("sc_pretender"),
                    stranger.token("linked-person"),
                    "nonsense".to_owned(),
                ];
                for token in bad {
                    refused(401, world.with(&token).accounts.get_accounts(None).await)?;
                }
                Ok(())
            },
        )
        .await;
}
