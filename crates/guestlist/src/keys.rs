//! `guestlist key`: access keys of service clients.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use guestlist_api::clients::{AccessKey, AccessKeyRequest, PublicKeyText};
use guestlist_api::ids::{ClientId, KeyId};

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{details, optional};
use crate::{deletion, documents};

/// The commands on access keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Lists the access keys of a client: their ids, never the keys
    #[command(after_help = "Example:\n  guestlist key list sc_1a2b3c")]
    List {
        /// The client
        client: ClientId,
    },
    /// Makes an access key for a client; a client has at most five
    ///
    /// The key is told once. It goes alone to standard output, or into a file that only you may read.
    #[command(after_help = "\
Examples:
  guestlist key create sc_1a2b3c --out billing.key
  guestlist key create sc_1a2b3c --public-key public.txt")]
    Create {
        /// The client
        client: ClientId,
        /// Write the key into this new file (mode 0600) and nowhere else
        #[arg(long, value_name = "FILE", conflicts_with = "public_key")]
        out: Option<PathBuf>,
        /// Take the public half of a key that you keep: base64 of an Ed25519 SPKI in this file
        #[arg(long, value_name = "FILE")]
        public_key: Option<PathBuf>,
    },
    /// Deletes an access key: it is refused from then on
    #[command(after_help = "Example:\n  guestlist key delete sc_1a2b3c key_4d5e6f --yes")]
    Delete {
        /// The client
        client: ClientId,
        /// The key, as `key list` shows it
        key: KeyId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(crate) async fn run(command: KeyCommand, session: &Session) -> Result<(), Failure> {
    let (clients, output) = (session.client.service_clients(), &session.output);
    match command {
        KeyCommand::List { client } => {
            let keys = clients.get_client(&client).await?.verification_keys;
            output.show_all(&keys, &["KEY", "MADE", "PUBLIC KEY"], |key| {
                let own = key.public_key.is_some();
                vec![
                    key.key_id.to_string(),
                    optional(key.generation_date.as_ref()),
                    if own {
                        "handed in"
                    } else {
                        "made by the server"
                    }
                    .to_owned(),
                ]
            })
        }
        KeyCommand::Create {
            client,
            out,
            public_key,
        } => create(session, client, out, public_key).await,
        KeyCommand::Delete { client, key, yes } => {
            deletion::delete(output, "key", &[key], yes, async |key| {
                clients.delete_access_key(&client, key).await
            })
            .await
        }
    }
}

async fn create(
    session: &Session,
    client: ClientId,
    out: Option<PathBuf>,
    public_key: Option<PathBuf>,
) -> Result<(), Failure> {
    let (clients, output) = (session.client.service_clients(), &session.output);
    let mut request = AccessKeyRequest::new();
    if let Some(path) = &public_key {
        let text = documents::text(path)?;
        request = request.public_key(PublicKeyText::parse(text.trim())?);
    }
    // Before anything is made: a key that cannot be written down would be lost.
    let mut file = out.as_deref().map(new_file).transpose()?;
    let made = clients.request_access_key(&client, &request).await;
    let key = match (made, &out) {
        (Ok(key), _) => key,
        (Err(error), path) => {
            if let Some(path) = path {
                let _removed = std::fs::remove_file(path);
            }
            let lost = error.outcome_unknown();
            let failure = Failure::from(error);
            return Err(if lost {
                failure.hint(format!(
                    "If a key was made, nobody knows it: `guestlist key list {client}` shows, and \
                     `guestlist key delete` removes it."
                ))
            } else {
                failure
            });
        }
    };
    output.notice(&format!("Made the key {} of {client}.", key.key_id));
    let secret = key.access_key.as_ref().or(key.client_secret.as_ref());
    let (Some(file), Some(secret), Some(path)) = (&mut file, secret, &out) else {
        if secret.is_some() {
            output.notice("This is the only time that it is told: keep it safe.");
        }
        return output.show(&key, |key| {
            secret.map_or_else(|| told(key), |secret| secret.reveal().to_owned())
        });
    };
    file.write_all(format!("{}\n", secret.reveal()).as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            Failure::local(format!(
                "cannot write the key to {}: {error}",
                path.display()
            ))
            .hint(format!(
                "Delete it with `guestlist key delete {client} {}`.",
                key.key_id
            ))
        })?;
    output.notice(&format!("It is in {}.", path.display()));
    let without = AccessKey {
        access_key: None,
        client_secret: None,
        ..key
    };
    output.show(&without, told)
}

/// A file that was not there, readable by its owner only.
pub(crate) fn new_file(path: &Path) -> Result<std::fs::File, Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Failure::local(format!("cannot make {}: {error}", path.display())))
}

/// A key whose secret is elsewhere.
fn told(key: &AccessKey) -> String {
    details([
        ("Client", optional(key.client_id.as_ref())),
        ("Key", key.key_id.to_string()),
    ])
}
