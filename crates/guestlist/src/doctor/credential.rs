//! Whether the credential can be read, has the right shape, and is accepted; and what it may do.

use std::path::Path;

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::resources::ResourceUri;
use guestlist_client::{Client, Credentials};
use guestlist_server::clock::Clock;

use super::Findings;
use crate::connection::{self, CredentialSource};
use crate::exits::Failure;
use crate::invites::ends;
use crate::profiles::ConnectionArguments;
use crate::secret_input;
use crate::sign_in::{self, SignIn};
use crate::token_claims::Claims;

const CHECK: &str = "credential";

/// A credential that has the right shape.
pub(super) struct Readable {
    credentials: Credentials,
    /// Who it is, if that can be told without asking.
    user: Option<String>,
}

/// Reads the credential, as far as that shows what is wrong with it.
pub(super) fn read(source: &CredentialSource, findings: &mut Findings) -> Option<Readable> {
    match source {
        CredentialSource::KeyFile(path) => {
            let text = file(path, "the access key", findings)?;
            key(text.reveal(), findings)
        }
        CredentialSource::TokenFile(path) => {
            let text = file(path, "the token", findings)?;
            Some(token(text.reveal(), findings))
        }
        CredentialSource::SignIn(path) => {
            let stored = match SignIn::read(path) {
                Ok(stored) => stored,
                Err(failure) => {
                    findings.failure(CHECK, &failure);
                    return None;
                }
            };
            modes(path, findings);
            let claims = Claims::of(stored.token().reveal());
            findings.ok(CHECK, format!("a sign-in at {}", stored.issuer));
            Some(Readable {
                credentials: sign_in::credentials(path.clone()),
                user: claims.and_then(|claims| claims.sub),
            })
        }
        CredentialSource::KeyVariable => {
            let text = secret_input::from_environment("GUESTLIST_KEY")?;
            key(text.reveal(), findings)
        }
        CredentialSource::TokenVariable => {
            let text = secret_input::from_environment("GUESTLIST_TOKEN")?;
            Some(token(text.reveal(), findings))
        }
        CredentialSource::None => None,
    }
}

fn file(
    path: &Path,
    what: &str,
    findings: &mut Findings,
) -> Option<guestlist_api::clients::AccessKeyText> {
    match secret_input::read(path, what) {
        Ok(text) => {
            modes(path, findings);
            Some(text)
        }
        Err(failure) => {
            findings.failure(CHECK, &failure);
            None
        }
    }
}

fn modes(path: &Path, findings: &mut Findings) {
    if secret_input::others_may_read(path) {
        let place = path.display();
        findings.warning(
            "credential file",
            format!("others on this machine may read {place}"),
            format!("chmod 600 {place}; if others may have read it, replace what is in it."),
        );
    }
}

fn key(text: &str, findings: &mut Findings) -> Option<Readable> {
    match Credentials::access_key(text) {
        Ok(credentials) => {
            let user = credentials.client_id().map(ToString::to_string);
            let account = credentials.account_id().map(ToString::to_string);
            findings.ok(
                CHECK,
                format!(
                    "an access key of the client {} in the account {}",
                    user.as_deref().unwrap_or_default(),
                    account.unwrap_or_default()
                ),
            );
            Some(Readable { credentials, user })
        }
        Err(error) => {
            let advice = if Claims::of(text).is_some() {
                "This is a token: it goes into --token-file or GUESTLIST_TOKEN."
            } else {
                "An access key has four parts with dots in between. Was it copied whole?"
            };
            findings.problem(CHECK, Failure::from(error).message(), advice);
            None
        }
    }
}

fn token(text: &str, findings: &mut Findings) -> Readable {
    let claims = Claims::of(text);
    match &claims {
        None if Credentials::access_key(text).is_ok() => findings.warning(
            CHECK,
            "this is an access key, which is sent as it is instead of being used to sign",
            "It goes into --key-file or GUESTLIST_KEY.",
        ),
        None => findings.warning(
            CHECK,
            "a token that is no JWT",
            "A Guestlist server does not accept such a token: is it the right one?",
        ),
        Some(claims) => lifetime(claims, findings),
    }
    Readable {
        credentials: Credentials::token(text),
        user: claims.and_then(|claims| claims.sub),
    }
}

fn lifetime(claims: &Claims, findings: &mut Findings) {
    let now = Clock::system().now();
    let issuer = claims.iss.as_deref().unwrap_or("nobody");
    match claims.ends() {
        Some(end) if end <= now => findings.problem(
            CHECK,
            format!("the token has ended: {}", ends(end, now)),
            "Get a new one from where you had it, or sign in anew with `guestlist login`.",
        ),
        Some(end) => findings.ok(
            CHECK,
            format!("a token of {issuer} that ends {}", ends(end, now)),
        ),
        None => findings.ok(CHECK, format!("a token of {issuer}")),
    }
}

/// Whether the server accepts it, and what it may do.
pub(super) async fn examine(
    readable: Readable,
    url: &str,
    connection: &ConnectionArguments,
    findings: &mut Findings,
) {
    const CHECK: &str = "signed in";
    let of_key = readable.credentials.account_id().cloned();
    let client = match connection::client(url, readable.credentials, connection) {
        Ok(client) => client,
        Err(failure) => return findings.failure(CHECK, &failure),
    };
    let accounts = match client.accounts().get_accounts().await {
        Ok(accounts) => accounts,
        Err(error) if error.status() == Some(401) => {
            let advice = if of_key.is_some() {
                "Was the key deleted, or its client? Is it of another server? Do the clocks agree? \
                 The server's log has the reason."
            } else {
                "Has it ended? Is its issuer linked, for its audience (`guestlist identity list`)? \
                 The server's log has the reason."
            };
            return findings.problem(CHECK, "the server does not accept the credential", advice);
        }
        Err(error) => return findings.failure(CHECK, &Failure::from(error)),
    };
    let account = accounts
        .into_iter()
        .next()
        .map(|account| account.account_id);
    if let (Some(of_key), Some(account)) = (&of_key, &account)
        && of_key != account
    {
        return findings.problem(
            CHECK,
            format!("the key is of the account {of_key}, but the server has {account}"),
            "Use a key of this server.",
        );
    }
    let account = account.map(|id| id.to_string()).unwrap_or_default();
    let Some(user) = readable.user else {
        return findings.ok(CHECK, format!("in the account {account}"));
    };
    findings.ok(CHECK, format!("as {user}, in the account {account}"));
    abilities(&user, &client, findings).await;
}

/// What is worth knowing that somebody may do: in words, and as a question.
const QUESTIONS: [(&str, &str, &str); 9] = [
    ("change records", "UPDATE", "Authress:AccessRecords"),
    ("read records", "READ", "Authress:AccessRecords"),
    ("change roles", "UPDATE", "Authress:Roles"),
    ("read roles", "READ", "Authress:Roles"),
    ("change clients", "UPDATE", "Authress:ServiceClients"),
    ("read what users hold", "READ", "Authress:UserPermissions"),
    (
        "choose the end of invites",
        "Invites:Create",
        "Authress:Invites",
    ),
    ("read all invites", "Invites:Read", "Authress:Invites"),
    ("read events", "READ", "Authress:Events"),
];

async fn abilities(user: &str, client: &Client, findings: &mut Findings) {
    const CHECK: &str = "may";
    let Ok(user) = user.parse::<UserId>() else {
        return findings.not_checked(CHECK, format!("{user} is no user id here"));
    };
    match may(&user, "*", "*", client).await {
        Ok(true) => return findings.ok(CHECK, "everything: an owner or administrator"),
        Ok(false) => {}
        // The issuer may be linked so that users are called otherwise than their tokens say.
        Err(failure) => {
            return findings.not_checked(
                CHECK,
                format!("cannot be asked for {user}: {}", failure.message()),
            );
        }
    }
    let mut words = Vec::new();
    for (word, action, resource) in QUESTIONS {
        match may(&user, action, resource, client).await {
            Ok(true) => words.push(word),
            Ok(false) => {}
            Err(failure) => return findings.not_checked(CHECK, failure.message()),
        }
    }
    if words.is_empty() {
        findings.ok(
            CHECK,
            "nothing in the administration; invite others to what it may give, ask about itself",
        );
    } else {
        findings.ok(CHECK, words.join(", "));
    }
}

async fn may(
    user: &UserId,
    action: &str,
    resource: &str,
    client: &Client,
) -> Result<bool, Failure> {
    let (Ok(action), Ok(resource)) = (action.parse::<Action>(), resource.parse::<ResourceUri>())
    else {
        return Ok(false);
    };
    let permissions = client.user_permissions();
    Ok(permissions.is_allowed(user, &resource, &action).await?)
}
