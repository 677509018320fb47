//! The first start: the account, its owner, and the secrets; and every start after it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_api::accounts::AccountName;
use guestlist_api::clients::ClientOptions;
use guestlist_api::ids::{AccountId, ClientId, UserId};
use guestlist_api::records::{RecordStatus, Resource, Statement, User};
use guestlist_api::text::{Bounded, Malformed, Name, Tags};
use guestlist_api::times::Timestamp;
use guestlist_rules::accounts::StoredAccount;
use guestlist_rules::built_in;
use guestlist_rules::changes::{Changes, Document, Event, Kind, Seen, Unreadable};
use guestlist_rules::clients::StoredClient;
use guestlist_rules::records::StoredRecord;
use guestlist_store::{Applied, Selection, Store, StoreError};
use serde_json::json;

use crate::access_keys::{self, NewKey, NotMade};
use crate::clock::Clock;
use crate::entropy::{Entropy, NoEntropy};
use crate::pepper::Pepper;
use crate::samples;
use crate::sealing::SealingKey;
use crate::secret_files::{self, SecretFileError};
use crate::user_token_key::UserTokenKey;

/// The principal under which the server itself makes changes.
pub use guestlist_rules::caller::SERVICE;

/// The secrets of an installation: files in the data directory, never in the database.
pub struct Secrets {
    pub pepper: Arc<Pepper>,
    pub sealing_key: Arc<SealingKey>,
    pub user_token_key: Arc<UserTokenKey>,
}

/// Why the server cannot start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Key(#[from] NotMade),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(
        "this data belongs to the account {stored}, not to {asked}: leave --account-id out, or \
         choose another data directory"
    )]
    OtherAccount { stored: AccountId, asked: AccountId },
    #[error(
        "{path} is not the secret that this store was written with: copy the secret files ({files}) of the \
         data directory that the account was made with, or of another node, into this one",
        path = .0.display(), files = SECRET_FILES.join(", ")
    )]
    OtherSecret(PathBuf),
    #[error("another server is making the account in this store at this moment: start again")]
    Raced,
}

impl Secrets {
    /// Reads the secrets, or makes them.
    pub fn load_or_create(data: &Path, entropy: &Entropy) -> Result<Self, NotStarted> {
        Ok(Self {
            pepper: Arc::new(Pepper::load_or_create(&data.join(PEPPER), entropy)?),
            sealing_key: Arc::new(SealingKey::load_or_create(
                &data.join(SEALING_KEY),
                entropy,
            )?),
            user_token_key: Arc::new(UserTokenKey::load_or_create(
                &data.join(USER_TOKEN_KEY),
                entropy,
            )?),
        })
    }
}

const PEPPER: &str = "pepper";
const SEALING_KEY: &str = "sealing-key";
const USER_TOKEN_KEY: &str = "user-token-key";
/// The files of the secrets, in the data directory. They belong to one account, and never change.
pub const SECRET_FILES: [&str; 3] = [PEPPER, USER_TOKEN_KEY, SEALING_KEY];

/// What has secrets that are encrypted with the sealing key.
pub const SEALED_KINDS: [Kind; 2] = [Kind::Connection, Kind::Webhook];

/// Whether an account that has so many documents of [`SEALED_KINDS`] can do without this secret: the
/// sealing key came later than the first accounts, and nothing else is encrypted with it.
pub fn is_dispensable(file: &str, sealed: u64) -> bool {
    file == SEALING_KEY && sealed == 0
}

/// Refuses a directory in which a secret of an account that exists is missing or damaged, so that
/// none is made anew. Writes nothing.
pub fn require_secrets(data: &Path, sealed: u64) -> Result<(), NotStarted> {
    let entropy = Entropy::system();
    for file in SECRET_FILES {
        let path = data.join(file);
        if secret_files::read(&path)?.is_none() && !is_dispensable(file, sealed) {
            return Err(SecretFileError::Lost(path).into());
        }
    }
    // They are there, so none is made.
    Pepper::load_or_create(&data.join(PEPPER), &entropy)?;
    UserTokenKey::load_or_create(&data.join(USER_TOKEN_KEY), &entropy)?;
    let sealing_key = data.join(SEALING_KEY);
    if secret_files::read(&sealing_key)?.is_some() {
        SealingKey::load_or_create(&sealing_key, &entropy)?;
    }
    Ok(())
}

/// The secrets of this installation. They are made with the account and never again: a new pepper
/// would silently void every invite, a new sealing key the secret of every connection and webhook, and
/// a new signing key every user token.
pub async fn secrets(
    store: &dyn Store,
    data: &Path,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Secrets, NotStarted> {
    let document = store.get(Kind::Account, "account").await?;
    if let Some(document) = &document {
        let mut sealed = 0;
        for kind in SEALED_KINDS {
            let some = store.list(kind, &Selection::All, None, 1).await?;
            sealed += some.len() as u64;
        }
        require_secrets(data, sealed)?;
        refuse_others(document, data)?;
    }
    let secrets = Secrets::load_or_create(data, entropy)?;
    if let Some(document) = document {
        note_secrets(store, &document, data, clock.now()).await?;
    }
    Ok(secrets)
}

/// A hash of each secret file that is there. HMAC-SHA-256 with the secret as its key: it tells two
/// secrets apart, and nothing of either.
fn fingerprints(data: &Path) -> Result<BTreeMap<String, String>, SecretFileError> {
    let mut found = BTreeMap::new();
    for file in SECRET_FILES {
        if let Some(bytes) = secret_files::read(&data.join(file))? {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
            let text = format!("guestlist secret file {file}");
            let hash = hmac::sign(&key, text.as_bytes());
            found.insert(file.to_owned(), URL_SAFE_NO_PAD.encode(hash));
        }
    }
    Ok(found)
}

/// Refuses secrets that are not those of the account: with another pepper every invite would be void
/// here, and with another key every token and every encrypted secret, on this node alone.
fn refuse_others(document: &Seen<Document>, data: &Path) -> Result<(), NotStarted> {
    let account: StoredAccount = document.value.read()?;
    let found = fingerprints(data)?;
    for (file, hash) in &account.secrets {
        if found.get(file).is_some_and(|found| found != hash) {
            return Err(NotStarted::OtherSecret(data.join(file)));
        }
    }
    Ok(())
}

/// Writes down which secrets the account has, if that is not known of all of them.
async fn note_secrets(
    store: &dyn Store,
    document: &Seen<Document>,
    data: &Path,
    now: Timestamp,
) -> Result<(), NotStarted> {
    let mut account: StoredAccount = document.value.read()?;
    let known = account.secrets.len();
    account.secrets.extend(fingerprints(data)?);
    if account.secrets.len() == known {
        return Ok(());
    }
    let mut changes = Changes::new(Event {
        kind: "account.updated".to_owned(),
        time: now.milliseconds(),
        actor: SERVICE.to_owned(),
        request_id: String::new(),
        subject: format!("account/{}", account.account_id),
        data: json!({ "secrets": account.secrets.keys().collect::<Vec<_>>() }),
    });
    changes.replace(document.mark, &account)?;
    match store.apply(changes).await? {
        // Another node noted them.
        Applied::Done(_) | Applied::Conflict { .. } => Ok(()),
    }
}

/// What a start found or made.
pub struct Account {
    pub account_id: AccountId,
    /// On the first start: where the owner's access key was written, and the key to show once.
    pub owner_key: Option<(PathBuf, NewKey)>,
}

/// Finds the account, or makes it with its owner.
pub async fn account(
    store: &dyn Store,
    clock: &Clock,
    entropy: &Entropy,
    data: &Path,
    asked: Option<AccountId>,
    development: bool,
) -> Result<Account, NotStarted> {
    // Nothing is read from it again, but whoever else can read it owns the account.
    let path = data.join("owner-access-key");
    secret_files::read(&path)?;
    if let Some(document) = store.get(Kind::Account, "account").await? {
        let seen: Seen<StoredAccount> = Seen {
            value: document.value.read()?,
            mark: document.mark,
        };
        let stored = seen.value.account_id;
        return match asked {
            Some(asked) if asked != stored => Err(NotStarted::OtherAccount { stored, asked }),
            Some(_) | None => Ok(Account {
                account_id: stored,
                owner_key: None,
            }),
        };
    }
    let account_id = match asked {
        Some(asked) => asked,
        // Lower case: the account id is also the first label of a host name in some clients.
        None => format!("acc-{}", entropy.text(14)?.to_ascii_lowercase()).parse()?,
    };
    let now = clock.now();
    let client_id: ClientId = format!("sc_{}", entropy.text(16)?).parse()?;
    let key = access_keys::make(entropy, &client_id, &account_id, now)?;
    // Before the account: were it the other way round, a crash in between would leave an account
    // that nobody can own.
    secret_files::write(&path, format!("{}\n", key.secret.reveal()).as_bytes())?;
    let secrets = fingerprints(data)?;
    let mut changes = first_changes(&account_id, secrets, &client_id, &key, now)?;
    if development {
        samples::add(&mut changes, now)?;
    }
    match store.apply(changes).await? {
        Applied::Done(_) => Ok(Account {
            account_id,
            owner_key: Some((path, key)),
        }),
        Applied::Conflict { .. } => Err(NotStarted::Raced),
    }
}

/// The account, the owner service client, and the record that makes it the owner.
fn first_changes(
    account_id: &AccountId,
    secrets: BTreeMap<String, String>,
    client_id: &ClientId,
    key: &NewKey,
    now: Timestamp,
) -> Result<Changes, NotStarted> {
    let service: UserId = SERVICE.parse()?;
    let mut changes = Changes::new(Event {
        kind: "account.created".to_owned(),
        time: now.milliseconds(),
        actor: SERVICE.to_owned(),
        request_id: String::new(),
        subject: format!("account/{account_id}"),
        data: json!({ "owner": client_id }),
    });
    changes.create(&StoredAccount {
        account_id: account_id.clone(),
        name: AccountName::parse("Guestlist")?,
        created_time: now,
        secrets,
    })?;
    changes.create(&StoredClient {
        client_id: client_id.clone(),
        created_time: now,
        created_by: service.clone(),
        name: Some(Name::parse("Owner")?),
        options: ClientOptions::default(),
        rate_limits: Vec::new(),
        tags: Tags::default(),
        keys: vec![key.stored.clone()],
        tokens_valid_from: None,
    })?;
    changes.create(&StoredRecord {
        record_id: "rec_owner".parse()?,
        name: Name::parse("Owner of the account")?,
        description: None,
        users: vec![User {
            user_id: client_id.clone().into(),
        }],
        admins: Vec::new(),
        groups: Vec::new(),
        statements: vec![statement(&[built_in::OWNER], &["*"])?],
        tags: Tags::default(),
        status: RecordStatus::Active,
        created_by: service,
        last_updated: now,
    })?;
    Ok(changes)
}

/// A statement without principals of its own.
pub(crate) fn statement(roles: &[&str], resources: &[&str]) -> Result<Statement, Malformed> {
    let roles = roles
        .iter()
        .map(|role| role.parse())
        .collect::<Result<Vec<_>, _>>()?;
    let resources = resources
        .iter()
        .map(|uri| {
            Ok(Resource {
                resource_uri: uri.parse()?,
            })
        })
        .collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Statement {
        roles: Bounded::new(roles)?,
        resources: Bounded::new(resources)?,
        users: Bounded::default(),
        groups: Bounded::default(),
        expiry_time: None,
    })
}
