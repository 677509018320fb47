//! Objects as files: YAML or JSON in, YAML that people edit out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use guestlist_api::times::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use yaml_serde::{Mapping, Value};

use crate::exits::Failure;
use crate::manifests::member_path;
use crate::{output, standard_input};

/// More than any object of the API may have, as YAML.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Members that answers have and requests do not: what was read can be written back unchanged.
const READ_ONLY: [&str; 25] = [
    "account",
    "application.applicationId",
    "application.links",
    "applicationId",
    "capacity",
    "client.clientId",
    "client.links",
    "clientId",
    "createdTime",
    "disabledReason",
    "extensionId",
    "hasClientSecret",
    "inviteId",
    "inviter",
    "isActiveConnection",
    "lastUpdated",
    "links",
    "reference",
    "respondedTime",
    "status",
    "statusReason",
    "uses",
    "verificationKeys",
    "webHostFqdn",
    "webhookId",
];

/// An object in a file, or in standard input if the file is `-`.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    read_change(path).map(|(value, _)| value)
}

/// An object in a file and what the file tells of where it was read.
pub(crate) fn read_change<T: DeserializeOwned>(path: &Path) -> Result<(T, Basis), Failure> {
    let text = text(path)?;
    let both = || Ok((parse(&text)?, parse_known(&text)?));
    both().map_err(|reason: String| Failure::invalid(format!("{}: {reason}", name(path))))
}

/// What answers tell of an object and requests do not, if it stayed in the file: which object it
/// was, and how old.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Basis {
    pub(crate) application_id: Option<String>,
    /// Of a service client. A connection has a client of its provider's under this name.
    pub(crate) client_id: Option<String>,
    pub(crate) extension_id: Option<String>,
    pub(crate) last_updated: Option<Timestamp>,
}

/// Refuses a file of one object for another, where the request has no id that the server could
/// compare.
pub(crate) fn refuse_other(
    file: &Path,
    noun: &str,
    member: Option<&str>,
    id: &str,
) -> Result<(), Failure> {
    match member.filter(|other| *other != id) {
        Some(other) => Err(Failure::invalid(format!(
            "{}: {noun}Id: this is the {noun} {other}, not {id}",
            name(file)
        ))),
        None => Ok(()),
    }
}

fn parse_known<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    yaml_serde::from_str(text).map_err(|error| error.to_string())
}

/// The text of a file, or of standard input if the file is `-`.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let read = if path == Path::new("-") {
        bounded(standard_input::take()?)
    } else {
        File::open(path).and_then(bounded)
    };
    read.map_err(|error| Failure::local(format!("cannot read {}: {error}", name(path))))
}

fn bounded(source: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    let read = source.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(std::io::Error::other(format!(
            "it is longer than {LONGEST} bytes"
        )));
    }
    Ok(text)
}

/// How a file is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// One object. Members that nothing knows are refused: the server would ignore a misspelt one.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut unknown = Vec::new();
    // JSON is YAML.
    let deserializer = yaml_serde::Deserializer::from_str(text);
    let value = serde_ignored::deserialize(deserializer, |member| {
        let member = member_path(&member.to_string());
        if !READ_ONLY.contains(&member.as_str()) {
            unknown.push(member);
        }
    });
    // First what is misspelt: what is missing is mostly the same member.
    match unknown.first() {
        Some(member) => Err(format!(
            "there is no member {member} here{}",
            at(text, member)
        )),
        None => value.map_err(|error| error.to_string()),
    }
}

/// ` at line 3`, if only one line begins with this member.
fn at(text: &str, path: &str) -> String {
    let member = path.rsplit_once('.').map_or(path, |(_, member)| member);
    let begins = |line: &str| {
        let line = line.trim_start_matches([' ', '-', '{', '"', '\'']);
        line.strip_prefix(member)
            .is_some_and(|rest| rest.starts_with([':', '"', '\'', ' ']))
    };
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| begins(line));
    match (lines.next(), lines.next()) {
        (Some((line, _)), None) => format!(" at line {line}"),
        (None | Some(_), _) => String::new(),
    }
}

/// What people edit: the members that can be changed. What else there is (`shown`) is in comments.
pub(crate) fn editable(
    what: &str,
    shown: &impl Serialize,
    request: &impl Serialize,
) -> Result<String, Failure> {
    let mut text = format!(
        "# The {what}. Save it and leave the editor to change it; leave it as it is, or empty, to\n\
         # change nothing.\n"
    );
    let members = output::yaml(request)?;
    let mut rest = mapping(&output::yaml(shown)?);
    for member in mapping(&members).keys() {
        rest.shift_remove(member);
    }
    // Addresses of the API say nothing to people.
    rest.shift_remove("links");
    if !rest.is_empty() {
        text.push_str("# These cannot be changed here:\n");
        for line in output::yaml(&rest)?.lines() {
            text.push_str("#   ");
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&members);
    Ok(text)
}

fn mapping(yaml: &str) -> Mapping {
    match yaml_serde::from_str(yaml) {
        Ok(Value::Mapping(mapping)) => mapping,
        Ok(_) | Err(_) => Mapping::new(),
    }
}

#[cfg(test)]
mod tests {
    use guestlist_api::groups::{Group, GroupRequest};
    use guestlist_api::roles::RoleRequest;

    use super::*;

    #[test]
    fn yaml_and_json_are_read_and_misspelt_members_refused() {
        let yaml = "name: Editor\npermissions:\n- action: documents:read\n  allow: true\n  grant: false\n  delegate: false\n";
        let role: RoleRequest = parse(yaml).unwrap();
        assert_eq!(role.name.as_str(), "Editor");
        let again: RoleRequest = parse(&serde_json::to_string(&role).unwrap()).unwrap();
        assert_eq!(again, role);
        let read_only = format!("{yaml}lastUpdated: 2026-01-02T03:04:05Z\n");
        assert_eq!(parse::<RoleRequest>(&read_only).unwrap(), role);
        for (bad, says) in [
            ("name: A\npermisions: []\n", "permisions here at line 2"),
            (
                "name: A\npermissions:\n- {action: a, allow: true, grant: false, delegate: false, deny: true}\n",
                "permissions[0].deny here",
            ),
            (
                "name: A\npermissions:\n- {action: 'a b', allow: true, grant: false, delegate: false}\n",
                "action",
            ),
            ("name: [", "line"),
        ] {
            let reason = parse::<RoleRequest>(bad).unwrap_err();
            assert!(reason.contains(says), "{bad}: {reason}");
        }
    }

    #[test]
    fn the_line_is_told_only_if_it_is_certain() {
        assert_eq!(at("a: 1\n- b: 2\n", "x[0].b"), " at line 2");
        assert_eq!(at("{\n  \"b\": 2\n}", "b"), " at line 2");
        assert_eq!(at("b: 1\nc:\n  b: 2\n", "c.b"), "");
        assert_eq!(at("bc: 1\n", "b"), "");
    }

    #[test]
    fn what_cannot_be_changed_is_in_comments() {
        let json = r#"{"groupId": "grp_a", "name": "A\u2028kind: b", "users": [], "admins": [],
            "lastUpdated": "2026-01-02T03:04:05Z", "links": {"self": {"href": "x"}}}"#;
        let group: Group = parse_known(json).unwrap();
        let request = group.to_request().unwrap();
        let text = editable("group grp_a", &group, &request).unwrap();
        assert!(text.contains("\n#   lastUpdated: "), "{text}");
        assert!(!text.contains("links"), "{text}");
        assert_eq!(parse::<GroupRequest>(&text).unwrap(), request);
    }
}
