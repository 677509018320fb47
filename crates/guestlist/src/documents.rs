//! Objects as files: YAML or JSON in, YAML that people edit out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exits::Failure;
use crate::output;
use crate::secret_input;

/// More than any object of the API may have, as YAML.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Members that answers have and requests do not: what was read can be written back unchanged.
const READ_ONLY: [&str; 10] = [
    "account",
    "capacity",
    "clientId",
    "createdTime",
    "inviteId",
    "lastUpdated",
    "links",
    "status",
    "verificationKeys",
    "webHostFqdn",
];

/// An object in a file, or in standard input if the file is `-`.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    parse(&text(path)?).map_err(|reason| Failure::invalid(format!("{}: {reason}", name(path))))
}

/// The text of a file, or of standard input if the file is `-`.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    let read = if path == Path::new("-") {
        bounded(secret_input::standard_input()?)
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
        let member = member.to_string();
        if !READ_ONLY.contains(&member.as_str()) {
            unknown.push(member);
        }
    })
    .map_err(|error| error.to_string())?;
    match unknown.first() {
        Some(member) => Err(format!("there is no member {member} here")),
        None => Ok(value),
    }
}

/// What people edit: the members that can be changed, below comments.
pub(crate) fn editable(comments: &[String], value: &impl Serialize) -> Result<String, Failure> {
    let mut text = String::new();
    for comment in comments {
        text.push_str("# ");
        text.push_str(comment);
        text.push('\n');
    }
    text.push_str(&output::yaml(value)?);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use guestlist_api::roles::RoleRequest;

    use super::*;

    #[test]
    fn yaml_and_json_are_read_and_misspelt_members_refused() {
        let yaml = "name: Editor\npermissions:\n- action: documents:read\n  allow: true\n  grant: false\n  delegate: false\n";
        let role: RoleRequest = parse(yaml).unwrap();
        assert_eq!(role.name.as_str(), "Editor");
        let again: RoleRequest = parse(&serde_json::to_string(&role).unwrap()).unwrap();
        assert_eq!(again, role);
        let written = editable(&["a comment".to_owned()], &role).unwrap();
        assert_eq!(parse::<RoleRequest>(&written).unwrap(), role);
        let read_only = format!("{yaml}lastUpdated: 2026-01-02T03:04:05Z\n");
        assert_eq!(parse::<RoleRequest>(&read_only).unwrap(), role);
        for (bad, says) in [
            ("name: A\npermisions: []\n", "permi"),
            (
                "name: A\npermissions:\n- {action: a, allow: true, grant: false, delegate: false, deny: true}\n",
                "permissions.0.deny",
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
}
