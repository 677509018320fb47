//! What an account holds, read page by page; of what no manifest names only as much as a plan needs.

use std::collections::BTreeMap;
use std::time::Duration;

use guestlist_api::records::RecordStatus;
use guestlist_client::{Client, Error, Pages};
use indicatif::ProgressBar;

use crate::connection::Session;
use crate::exits::Failure;
use crate::manifests::{Folder, Kind};
use crate::plan::{Account, Rest};

/// Records and groups that are looked at to count those in no manifest: 100 pages of each.
const LOOKED_AT: usize = 2_000;
/// Objects of a kind at most where all must be looked at.
const MOST: usize = 100_000;

/// Reads what a plan for these manifests needs.
pub(super) async fn read(
    session: &Session,
    folder: &Folder,
    rest: Rest,
) -> Result<Account, Failure> {
    let progress = if session.output.shows_progress() {
        ProgressBar::new_spinner().with_message("reading the account")
    } else {
        ProgressBar::hidden()
    };
    progress.enable_steady_tick(Duration::from_millis(100));
    let account = all(&session.client, folder, rest, &progress).await;
    progress.finish_and_clear();
    account
}

async fn all(
    client: &Client,
    folder: &Folder,
    rest: Rest,
    progress: &ProgressBar,
) -> Result<Account, Failure> {
    let mut account = Account::default();
    let most = if rest == Rest::Stays { LOOKED_AT } else { MOST };
    account.roles = roles(client, folder.roles.is_empty()).await?;
    account.identities = identities(client, folder.identities.is_empty()).await?;
    let mut clients = BTreeMap::new();
    let pages = client.service_clients().list();
    let ended = walk(pages, MOST, |one| {
        clients.insert(one.client_id.clone(), one);
    })
    .await?;
    ended_or(ended, Kind::Client)?;
    account.clients = clients;
    progress.set_message("reading records");
    let pages = client.access_records().list();
    let ended = walk(pages, most, |record| account.take_record(folder, record)).await?;
    if !ended {
        ended_or(rest == Rest::Stays, Kind::Record)?;
        account.more.insert(Kind::Record);
        missing_records(client, folder, &mut account).await?;
    }
    progress.set_message("reading groups");
    let deciding = account.deciding_groups(folder);
    let pages = client.groups().list();
    let ended = walk(pages, most, |group| {
        account.take_group(folder, &deciding, group);
    })
    .await?;
    if !ended {
        ended_or(rest == Rest::Stays, Kind::Group)?;
        account.more.insert(Kind::Group);
        missing_groups(client, folder, &mut account).await?;
    }
    Ok(account)
}

/// Visits the items of a list, up to `most`. Says whether that was all.
async fn walk<T: 'static>(
    mut pages: Pages<T>,
    most: usize,
    mut take: impl FnMut(T),
) -> Result<bool, Error> {
    for _ in 0..most {
        match pages.try_next().await? {
            Some(item) => take(item),
            None => return Ok(true),
        }
    }
    Ok(pages.try_next().await?.is_none())
}

fn ended_or(ended: bool, kind: Kind) -> Result<(), Failure> {
    if ended {
        return Ok(());
    }
    let message = format!("the account has more than {MOST} {}", kind.nouns());
    Err(Failure::invalid(message).hint(
        "Without --prune, records and groups that are in no manifest need not all be looked at.",
    ))
}

/// Whether the caller may not read a list.
fn is_refused(error: &Error) -> bool {
    matches!(error.status(), Some(403 | 404 | 501))
}

async fn roles(
    client: &Client,
    dispensable: bool,
) -> Result<Option<BTreeMap<guestlist_api::ids::RoleId, guestlist_api::roles::Role>>, Failure> {
    let mut roles = BTreeMap::new();
    let walked = walk(client.roles().list(), MOST, |role| {
        roles.insert(role.role_id.clone(), role);
    })
    .await;
    match walked {
        Ok(ended) => ended_or(ended, Kind::Role).map(|()| Some(roles)),
        Err(error) if dispensable && is_refused(&error) => Ok(None),
        Err(error) => Err(Failure::from(error).during("reading the roles")),
    }
}

async fn identities(
    client: &Client,
    dispensable: bool,
) -> Result<
    Option<BTreeMap<crate::manifests::IdentityKey, guestlist_api::identities::Identity>>,
    Failure,
> {
    match client.accounts().get_account_identities().await {
        Ok(answer) => Ok(Some(
            answer
                .identities
                .into_iter()
                .map(|identity| {
                    let key = (identity.issuer.clone(), identity.audience.clone());
                    (key, identity)
                })
                .collect(),
        )),
        Err(error) if dispensable && is_refused(&error) => Ok(None),
        Err(error) => Err(Failure::from(error).during("reading the identities")),
    }
}

/// Reads the records of manifests that were not among those looked at.
async fn missing_records(
    client: &Client,
    folder: &Folder,
    account: &mut Account,
) -> Result<(), Failure> {
    for id in folder.records.keys() {
        if account.records.contains_key(id) {
            continue;
        }
        match client.access_records().get_record(id).await {
            // A deleted one can be read too, and its id taken again.
            Ok(record) if record.status == RecordStatus::Active => {
                account.take_record(folder, record);
            }
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads the groups of manifests that were not among those looked at.
async fn missing_groups(
    client: &Client,
    folder: &Folder,
    account: &mut Account,
) -> Result<(), Failure> {
    for id in folder.groups.keys() {
        if account.groups.contains_key(id) {
            continue;
        }
        match client.groups().get_group(id).await {
            Ok(group) => {
                account.groups.insert(id.clone(), group);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
