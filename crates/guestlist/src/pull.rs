//! `guestlist pull`: the present account as a folder of manifests.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_client::{Error, Pages};
use serde::Serialize;
use yaml_serde::{Mapping, Value};

use crate::connection::Session;
use crate::exits::Failure;
use crate::manifests::{Kind, identity_name, is_manifest};
use crate::output;
use crate::plan::is_made_by_invite;

/// Objects at most: more are not for files.
const MOST: usize = 100_000;
/// Bytes of a file's name without its ending at most; file systems take 255.
const NAME_LENGTH: usize = 180;

/// Where to write.
#[derive(Debug, Args)]
#[command(after_help = "\
One file for each role, group, service client, identity and record, in a folder for each kind. Built-in
roles are left out, and so are secrets: access keys are in no manifest. Nothing is overwritten unless
--force is said, and nothing is ever deleted.

Afterwards `guestlist diff -f DIR` finds no differences.

Examples:
  guestlist pull access/
  guestlist pull access/ --force             once more, over the files of the last time")]
pub(crate) struct PullArguments {
    /// The folder; made if there is none
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Write into a folder that has files, and over those of the same names
    #[arg(long)]
    force: bool,

    /// Also the records that invites made. They come and go with people: apply leaves them alone
    /// unless they are in a manifest
    #[arg(long)]
    with_invited: bool,
}

/// What was written.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pulled {
    files: Vec<String>,
    /// Records that invites made and that were left out.
    invited: usize,
}

pub(crate) async fn run(arguments: PullArguments, session: &Session) -> Result<(), Failure> {
    let directory = &arguments.directory;
    if !arguments.force && is_occupied(directory)? {
        return Err(Failure::conflict(format!(
            "there are files in {} already",
            directory.display()
        ))
        .hint("Name another folder, or say --force to write over files of the same names."));
    }
    let mut writer = Writer {
        directory,
        force: arguments.force,
        pulled: Pulled::default(),
        names: BTreeSet::new(),
    };
    writer.all(session, arguments.with_invited).await?;
    let Pulled { files, invited } = &writer.pulled;
    session.output.show(&writer.pulled, |_| {
        format!(
            "Wrote {} manifests to {}.",
            files.len(),
            directory.display()
        )
    })?;
    if *invited > 0 {
        session.output.notice(&format!(
            "Left out {invited} records that invites made: --with-invited writes them too."
        ));
    }
    let strange = strangers(directory, &writer.names)?;
    if let Some(first) = strange.first() {
        session.output.notice(&format!(
            "warning: {} manifests in {} are not of this account as it is, such as {first}: apply \
             would make what they say",
            strange.len(),
            directory.display()
        ));
    }
    Ok(())
}

struct Writer<'a> {
    directory: &'a Path,
    force: bool,
    pulled: Pulled,
    /// The files below the directory in lower case, since some file systems see no difference.
    names: BTreeSet<String>,
}

impl Writer<'_> {
    async fn all(&mut self, session: &Session, with_invited: bool) -> Result<(), Failure> {
        let client = &session.client;
        let mut roles = Bounded::new(client.roles().list());
        while let Some(role) = roles.next().await? {
            if !role.role_id.is_reserved() {
                self.write(Kind::Role, role.role_id.as_str(), None, &role.to_request()?)?;
            }
        }
        let mut groups = Bounded::new(client.groups().list());
        while let Some(group) = groups.next().await? {
            self.write(
                Kind::Group,
                group.group_id.as_str(),
                None,
                &group.to_request()?,
            )?;
        }
        let mut clients = Bounded::new(client.service_clients().list());
        while let Some(one) = clients.next().await? {
            let id = one.client_id.as_str();
            self.write(Kind::Client, id, Some(id), &one.to_request()?)?;
        }
        for identity in client.accounts().get_account_identities().await?.identities {
            let key = (identity.issuer.clone(), identity.audience.clone());
            let expression = identity.user_id_expression;
            let request = guestlist_api::identities::IdentityRequest {
                jwt: None,
                issuer: Some(identity.issuer),
                preferred_audience: Some(identity.audience),
                user_id_expression: Some(expression),
            };
            self.write(Kind::Identity, &identity_name(&key), None, &request)?;
        }
        let mut records = Bounded::new(client.access_records().list());
        while let Some(record) = records.next().await? {
            if !with_invited && is_made_by_invite(&record) {
                self.pulled.invited += 1;
            } else {
                let id = record.record_id.as_str();
                self.write(Kind::Record, id, None, &record.to_request()?)?;
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        kind: Kind,
        id: &str,
        client_id: Option<&str>,
        request: &impl Serialize,
    ) -> Result<(), Failure> {
        let unwritable = |reason: &dyn std::fmt::Display| {
            Failure::local(format!("cannot write the {} {id}: {reason}", kind.noun()))
        };
        let members = match yaml_serde::to_value(request) {
            Ok(Value::Mapping(members)) => members,
            Ok(_) => return Err(unwritable(&"it is no object")),
            Err(error) => return Err(unwritable(&error)),
        };
        let mut manifest = Mapping::new();
        manifest.insert("kind".into(), kind.word().into());
        if let Some(client_id) = client_id {
            manifest.insert("clientId".into(), client_id.into());
        }
        for (member, value) in members {
            if !is_default(&value) {
                manifest.insert(member, value);
            }
        }
        // A list that must be there says so even if it is empty.
        if kind == Kind::Role && !manifest.contains_key("permissions") {
            manifest.insert("permissions".into(), Value::Sequence(Vec::new()));
        }
        let text = output::yaml(&manifest)?;
        let name = self.name(kind, id);
        let path = self.directory.join(&name);
        write_file(&path, &text, self.force)
            .map_err(|error| Failure::local(format!("cannot write {}: {error}", path.display())))?;
        self.pulled.files.push(name);
        Ok(())
    }

    /// A name for the file that no other one has, on any file system.
    fn name(&mut self, kind: Kind, id: &str) -> String {
        let folder = kind.nouns().replace("service ", "");
        let stem = file_stem(id);
        let mut name = format!("{folder}/{stem}.yaml");
        let mut number = 1;
        while !self.names.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{folder}/{stem}~{number}.yaml");
        }
        name
    }
}

/// A list that must not be endless.
struct Bounded<T> {
    pages: Pages<T>,
    read: usize,
}

impl<T: 'static> Bounded<T> {
    fn new(pages: Pages<T>) -> Self {
        Self { pages, read: 0 }
    }

    async fn next(&mut self) -> Result<Option<T>, Failure> {
        let next = self.pages.try_next().await.map_err(|error: Error| error)?;
        self.read += 1;
        if self.read > MOST && next.is_some() {
            return Err(Failure::invalid(format!(
                "there are more than {MOST} objects of a kind, which is not for files"
            )));
        }
        Ok(next)
    }
}

/// What need not be said: nothing, no items, and options that are all off.
fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(members) => members.values().all(|value| *value == Value::Bool(false)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => false,
    }
}

/// An id as a file's name: letters, digits, `-`, `_` and `.` stay, everything else is `~` and two
/// hexadecimal digits for each byte.
fn file_stem(id: &str) -> String {
    let mut stem = String::new();
    for byte in id.bytes() {
        let stays = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        // Names that begin with a dot are passed over when manifests are read.
        if stays && !(stem.is_empty() && byte == b'.') {
            stem.push(char::from(byte));
        } else {
            let _ = write!(stem, "~{byte:02X}");
        }
    }
    stem.truncate(NAME_LENGTH);
    stem
}

fn write_file(path: &Path, text: &str, force: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}

fn is_occupied(directory: &Path) -> Result<bool, Failure> {
    let unreadable =
        |error| Failure::local(format!("cannot read {}: {error}", directory.display()));
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            Some(entry) => entry.map(|_| true).map_err(unreadable),
            None => Ok(false),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(error)),
    }
}

/// Manifests that were not written just now, in the folders that were written to.
fn strangers(directory: &Path, written: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let mut strange = Vec::new();
    for kind in Kind::ALL {
        let folder = kind.nouns().replace("service ", "");
        let entries = match fs::read_dir(directory.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(Failure::local(format!("cannot read {folder}: {error}")));
            }
        };
        for entry in entries.flatten() {
            let name = format!("{folder}/{}", entry.file_name().display());
            if is_manifest(&entry.path()) && !written.contains(&name.to_lowercase()) {
                strange.push(name);
            }
        }
    }
    strange.sort();
    Ok(strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names_that_every_file_system_takes() {
        assert_eq!(file_stem("ro_editor"), "ro_editor");
        assert_eq!(file_stem("google|1/2:3"), "google~7C1~2F2~3A3");
        assert_eq!(file_stem("..a"), "~2E.a");
        assert_eq!(file_stem(&"a".repeat(300)).len(), NAME_LENGTH);
    }
}
