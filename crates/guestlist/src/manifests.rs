//! Manifests: YAML and JSON files that say what an account should hold.

mod files;
mod members;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guestlist_api::clients::ClientRequest;
use guestlist_api::groups::GroupRequest;
use guestlist_api::identities::{IdentityRequest, IssuerText};
use guestlist_api::ids::{ClientId, GroupId, RecordId, RoleId};
use guestlist_api::records::AccessRecordRequest;
use guestlist_api::roles::RoleRequest;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use yaml_serde::{Mapping, Value};

use crate::documents;
use crate::exits::Failure;

pub(crate) use self::members::{nearest, path as member_path};

/// Documents at most: more is a folder that was not meant.
const DOCUMENTS: usize = 20_000;
/// Mistakes that are told at once.
const TOLD: usize = 20;

/// What manifests are of, in the order in which they are made: what is named before what names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Kind {
    Role,
    Group,
    Client,
    Identity,
    Record,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Role,
        Self::Group,
        Self::Client,
        Self::Identity,
        Self::Record,
    ];

    /// As it stands in `kind:`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::Group => "Group",
            Self::Client => "Client",
            Self::Identity => "Identity",
            Self::Record => "Record",
        }
    }

    /// For people.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Group => "group",
            Self::Client => "service client",
            Self::Identity => "identity",
            Self::Record => "record",
        }
    }

    /// For people, of several.
    pub(crate) const fn nouns(self) -> &'static str {
        match self {
            Self::Role => "roles",
            Self::Group => "groups",
            Self::Client => "service clients",
            Self::Identity => "identities",
            Self::Record => "records",
        }
    }

    /// The member with the id.
    pub(crate) const fn id_member(self) -> &'static str {
        match self {
            Self::Role => "roleId",
            Self::Group => "groupId",
            Self::Client => "clientId",
            Self::Identity => "issuer",
            Self::Record => "recordId",
        }
    }
}

/// Where a manifest stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    /// Counted from 1.
    pub(crate) document: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if self.document > 1 {
            write!(formatter, " (document {})", self.document)?;
        }
        Ok(())
    }
}

/// What is wanted, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest<T> {
    pub(crate) origin: Origin,
    pub(crate) wanted: T,
}

/// A service client: its id is made by the server, so a new one is known by its name until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedClient {
    pub(crate) client_id: Option<ClientId>,
    pub(crate) request: ClientRequest,
}

/// The issuer and the audience: together they are the id of an identity.
pub(crate) type IdentityKey = (IssuerText, IssuerText);

/// Everything that manifests say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) roles: BTreeMap<RoleId, Manifest<RoleRequest>>,
    pub(crate) groups: BTreeMap<GroupId, Manifest<GroupRequest>>,
    pub(crate) clients: Vec<Manifest<WantedClient>>,
    pub(crate) identities: BTreeMap<IdentityKey, Manifest<IdentityRequest>>,
    pub(crate) records: BTreeMap<RecordId, Manifest<AccessRecordRequest>>,
}

impl Folder {
    pub(crate) fn len(&self) -> usize {
        self.roles.len()
            + self.groups.len()
            + self.clients.len()
            + self.identities.len()
            + self.records.len()
    }

    /// Reads all manifests in these files and folders.
    ///
    /// All mistakes are told at once, each with file, document and member.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut reader = Reader::default();
        for path in paths {
            for (name, file) in files::of(path)? {
                reader.file(&name, &documents::text(&file)?);
            }
        }
        let folder = reader.finish().map_err(Failure::invalid)?;
        if folder.len() == 0 {
            let names: Vec<String> = paths.iter().map(|path| documents::name(path)).collect();
            // With --prune, nothing would mean that everything is to go.
            return Err(Failure::invalid(format!(
                "there are no manifests in {}",
                names.join(", ")
            ))
            .hint("`guestlist pull DIR` writes those of the present account."));
        }
        Ok(folder)
    }

    /// Reads texts as if they were files.
    #[cfg(test)]
    pub(crate) fn parse(files: &[(&str, &str)]) -> Result<Self, String> {
        let mut reader = Reader::default();
        for (name, text) in files {
            reader.file(name, text);
        }
        reader.finish()
    }
}

/// What was read so far, and what is wrong with it.
#[derive(Default)]
struct Reader {
    folder: Folder,
    documents: usize,
    mistakes: Vec<String>,
}

impl Reader {
    fn file(&mut self, name: &str, text: &str) {
        let file: Arc<str> = Arc::from(name);
        for (position, document) in yaml_serde::Deserializer::from_str(text).enumerate() {
            let origin = Origin {
                file: Arc::clone(&file),
                document: position + 1,
            };
            // What comes after a document that cannot be read cannot be read either.
            match Value::deserialize(document) {
                Ok(Value::Null) => {}
                Ok(value) => self.document(&origin, value),
                Err(error) => return self.mistake(&origin, &error.to_string()),
            }
        }
    }

    fn mistake(&mut self, origin: &Origin, what: &str) {
        self.mistakes.push(format!("{origin}: {what}"));
    }

    fn document(&mut self, origin: &Origin, value: Value) {
        self.documents += 1;
        if self.documents > DOCUMENTS {
            return;
        }
        let outcome = match value {
            Value::Mapping(members) => self.object(origin, members),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Sequence(_)
            | Value::Tagged(_) => Err("must be an object with kind, such as kind: Role".to_owned()),
        };
        if let Err(what) = outcome {
            self.mistake(origin, &what);
        }
    }

    fn object(&mut self, origin: &Origin, mut members: Mapping) -> Result<(), String> {
        let kind = match members.remove("kind") {
            Some(Value::String(word)) => kind(&word)?,
            Some(_) | None => return Err(format!("kind is missing: {}", kinds())),
        };
        if let Some(status) = members.get("status")
            && *status != Value::String("ACTIVE".to_owned())
        {
            return Err(
                "status: a manifest is of what should be there; delete the file instead".to_owned(),
            );
        }
        let folder = &mut self.folder;
        match kind {
            Kind::Role => {
                let wanted: RoleRequest = decode(kind, members)?;
                let id = role_id(&wanted)?;
                add(&mut folder.roles, kind, id, origin, wanted)
            }
            Kind::Group => {
                let wanted: GroupRequest = decode(kind, members)?;
                let id = group_id(&wanted)?;
                add(&mut folder.groups, kind, id, origin, wanted)
            }
            Kind::Client => folder.add_client(origin, client(members)?),
            Kind::Identity => {
                if members.contains_key("jwt") {
                    return Err("jwt: a token is a secret and has no place in a manifest; say issuer and preferredAudience".to_owned());
                }
                let wanted: IdentityRequest = decode(kind, members)?;
                let key = identity_key(&wanted)?;
                add(&mut folder.identities, kind, key, origin, wanted)
            }
            Kind::Record => {
                let wanted: AccessRecordRequest = decode(kind, members)?;
                let id = record_id(&wanted)?;
                add(&mut folder.records, kind, id, origin, wanted)
            }
        }
    }

    fn finish(mut self) -> Result<Folder, String> {
        if self.documents > DOCUMENTS {
            return Err(format!(
                "there are {} documents, and at most {DOCUMENTS} are taken",
                self.documents
            ));
        }
        if self.mistakes.is_empty() {
            return Ok(self.folder);
        }
        let more = self.mistakes.len().saturating_sub(TOLD);
        self.mistakes.truncate(TOLD);
        let mut text = self.mistakes.join("\n");
        if more > 0 {
            let _ = write!(text, "\nand {more} more mistakes");
        }
        Err(text)
    }
}

fn kinds() -> String {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    format!("it is one of {}", words.join(", "))
}

fn kind(word: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    found.ok_or_else(|| {
        let known = Kind::ALL.iter().map(|kind| kind.word());
        match nearest(word, known) {
            Some(meant) => format!("there is no kind {word}; did you mean {meant}?"),
            None => format!("there is no kind {word}: {}", kinds()),
        }
    })
}

/// The object that members describe; members that nothing knows are refused, since the server would
/// ignore a misspelt one.
fn decode<T: DeserializeOwned>(kind: Kind, members: Mapping) -> Result<T, String> {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let value = Value::Mapping(members);
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(members::path(&path.to_string()));
    let decoded = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut note));
    // A misspelt member often is a missing one too, so it is told first.
    let unknown = unknown.iter().find(|path| !members::is_read_only(path));
    match (unknown, decoded) {
        (Some(path), _) => Err(members::unknown(kind, path)),
        (None, Ok(decoded)) => Ok(decoded),
        (None, Err(error)) => {
            let path = members::path(&track.path().to_string());
            let hint = if error.to_string().contains("expected a string") {
                " (put it into quotes)"
            } else {
                ""
            };
            Err(match path.as_str() {
                "" | "." => format!("{error}{hint}"),
                path => format!("{path}: {error}{hint}"),
            })
        }
    }
}

fn add<I: Ord + Named, T>(
    manifests: &mut BTreeMap<I, Manifest<T>>,
    kind: Kind,
    id: I,
    origin: &Origin,
    wanted: T,
) -> Result<(), String> {
    if let Some(other) = manifests.get(&id) {
        return Err(twice(kind, &id.name(), &other.origin));
    }
    let origin = origin.clone();
    manifests.insert(id, Manifest { origin, wanted });
    Ok(())
}

fn twice(kind: Kind, id: &str, other: &Origin) -> String {
    format!("the {} {id} is already in {other}", kind.noun())
}

/// What an id reads like in messages.
trait Named {
    fn name(&self) -> String;
}

macro_rules! named {
    ($($id:ty),*) => {$(
        impl Named for $id {
            fn name(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
named!(RoleId, GroupId, RecordId);

impl Named for IdentityKey {
    fn name(&self) -> String {
        identity_name(self)
    }
}

/// An identity as it is called in messages.
pub(crate) fn identity_name(key: &IdentityKey) -> String {
    format!("{} for {}", key.0, key.1)
}

fn missing(kind: Kind) -> String {
    format!(
        "{} is missing: a manifest of a {} needs it, so that it is found again",
        kind.id_member(),
        kind.noun()
    )
}

fn role_id(wanted: &RoleRequest) -> Result<RoleId, String> {
    let id = wanted.role_id.clone().ok_or_else(|| missing(Kind::Role))?;
    if id.is_reserved() {
        return Err(format!(
            "roleId: {id} is a built-in role, which never changes; leave it out"
        ));
    }
    Ok(id)
}

fn group_id(wanted: &GroupRequest) -> Result<GroupId, String> {
    let id = wanted
        .group_id
        .clone()
        .ok_or_else(|| missing(Kind::Group))?;
    if !id.has_prefix() {
        return Err("groupId: must begin with grp_".to_owned());
    }
    Ok(id)
}

fn record_id(wanted: &AccessRecordRequest) -> Result<RecordId, String> {
    let id = wanted
        .record_id
        .clone()
        .ok_or_else(|| missing(Kind::Record))?;
    let names = !wanted.users.is_empty() || !wanted.groups.is_empty();
    let both = wanted
        .statements
        .iter()
        .position(|statement| !statement.users.is_empty() || !statement.groups.is_empty());
    match both {
        Some(position) if names => Err(format!(
            "statements[{position}]: users and groups stand either at the record or at its \
             statements, not at both"
        )),
        Some(_) | None => Ok(id),
    }
}

fn identity_key(wanted: &IdentityRequest) -> Result<IdentityKey, String> {
    let issuer = wanted.issuer.clone().ok_or("issuer is missing")?;
    let audience = wanted
        .preferred_audience
        .clone()
        .ok_or("preferredAudience is missing; * accepts tokens for any audience")?;
    Ok((issuer, audience))
}

fn client(mut members: Mapping) -> Result<WantedClient, String> {
    let client_id = match members.remove("clientId") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => {
            Some(id.parse().map_err(|reason| format!("clientId: {reason}"))?)
        }
        Some(_) => return Err("clientId: must be text, as in sc_1".to_owned()),
    };
    let request: ClientRequest = decode(Kind::Client, members)?;
    if client_id.is_none() && request.name.is_none() {
        return Err(
            "name is missing: a service client is found again by its clientId or its name"
                .to_owned(),
        );
    }
    Ok(WantedClient { client_id, request })
}

impl Folder {
    fn add_client(&mut self, origin: &Origin, wanted: WantedClient) -> Result<(), String> {
        let same =
            |other: &&Manifest<WantedClient>| match (&other.wanted.client_id, &wanted.client_id) {
                (Some(other), Some(id)) => other == id,
                (None, None) => other.wanted.request.name == wanted.request.name,
                // Whether they are the same is seen when the account is read.
                (Some(_), None) | (None, Some(_)) => false,
            };
        if let Some(other) = self.clients.iter().find(same) {
            let id = match (&wanted.client_id, &wanted.request.name) {
                (Some(id), _) => id.to_string(),
                (None, Some(name)) => format!("named {name:?}", name = name.as_str()),
                (None, None) => String::new(),
            };
            return Err(twice(Kind::Client, &id, &other.origin));
        }
        let origin = origin.clone();
        self.clients.push(Manifest { origin, wanted });
        Ok(())
    }
}

/// Whether a file reads like a manifest.
pub(crate) fn is_manifest(path: &Path) -> bool {
    files::is_manifest(path)
}

#[cfg(test)]
mod tests;
