//! The account (contract §1.4).

use guestlist_api::accounts::{Account, AccountCollection, AccountList, Company};
use guestlist_rules::accounts::StoredAccount;
use guestlist_rules::authority::{Ability, require};
use guestlist_rules::changes::Seen;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Library};
use crate::refusal::Refusal;

/// GET `/v1/accounts`: the caller's accounts, which is the one there is.
pub async fn get_accounts(ask: Ask<'_>) -> Result<Answer, Refusal> {
    let account = account(ask).await?;
    let answer = match ask.library {
        // Its types have a list here, those of all others one object (contract §2.2).
        Library::JavaScript => Answer::json(
            StatusCode::OK,
            &AccountList {
                accounts: vec![account],
            },
        ),
        Library::Rust | Library::Terraform | Library::Other => {
            Answer::json(StatusCode::OK, &AccountCollection { accounts: account })
        }
    };
    answer.map_err(Refusal::from)
}

/// GET `/v1/accounts/{accountId}`.
pub async fn get_account(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    if id != ask.account_id().as_str() {
        return Err(Rule::NotFound(Noun::Account).into());
    }
    ask.decide(|facts| require(facts, Ability::ReadConfiguration))?;
    Answer::json(StatusCode::OK, &account(ask).await?).map_err(Refusal::from)
}

/// The account as it is answered.
pub async fn account(ask: Ask<'_>) -> Result<Account, Refusal> {
    let seen: Option<Seen<StoredAccount>> = ask.see("account").await?;
    let stored = seen
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Account)))?
        .value;
    let public_url = &ask.app.settings.public_url;
    let host = public_url
        .split_once("://")
        .map_or(public_url.as_str(), |(_, host)| host);
    let links = ask.links(&format!("/v1/accounts/{}", stored.account_id));
    Ok(Account {
        account_id: stored.account_id,
        created_time: Some(stored.created_time),
        name: Some(stored.name.to_string()),
        company: Company::default(),
        domain: Some(host.to_owned()),
        web_host_fqdn: Some(host.to_owned()),
        links,
    })
}
