//! The door of the command line: the program as a person would start it, with `--json`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::calls::{Call, Came, told};
use crate::{Credential, Outcome, Scene};

/// The words of a call, and what goes to standard input.
fn words(scene: &Scene, call: &Call) -> (Vec<String>, String) {
    let silent = |words: &[&str]| {
        (
            words.iter().map(ToString::to_string).collect(),
            String::new(),
        )
    };
    // The id of an invite is a secret: not an argument.
    let secret = |words: &[&str]| {
        let words = words.iter().map(ToString::to_string).collect();
        (words, scene.invite.clone())
    };
    match call {
        Call::CreateRole { id, allow } => {
            silent(&["role", "create", id, "--name", id, "--allow", allow])
        }
        Call::ShowRole(id) => silent(&["role", "show", id]),
        Call::DeleteRole(id) => silent(&["role", "delete", id, "--yes"]),
        Call::CreateGroup { id, user } => {
            silent(&["group", "create", id, "--name", id, "--user", user])
        }
        Call::ShowGroup(id) => silent(&["group", "show", id]),
        Call::DeleteGroup(id) => silent(&["group", "delete", id, "--yes"]),
        Call::CreateRecord {
            id,
            user,
            role,
            resource,
        } => silent(&[
            "record", "create", id, "--name", id, "--user", user, "--role", role, "--on", resource,
        ]),
        Call::ShowRecord(id) => silent(&["record", "show", id]),
        Call::ListRecords => silent(&["record", "list"]),
        Call::DeleteRecord(id) => silent(&["record", "delete", id, "--yes"]),
        Call::CreateInvite { role, resource } => {
            silent(&["invite", "create", "--role", role, "--on", resource])
        }
        Call::ShowInvite => secret(&["invite", "show", "-"]),
        Call::AcceptInvite => secret(&["invite", "accept", "-"]),
        Call::RevokeInvite => secret(&["invite", "revoke", "-"]),
        Call::Check {
            user,
            resource,
            action,
        } => silent(&["check", user, resource, action]),
        Call::WhoCan { action, resource } => silent(&["who-can", action, resource]),
        Call::CreateClient { name } => silent(&["client", "create", "--name", name]),
        Call::ShowClient => silent(&["client", "show", &scene.client]),
        Call::CreateKey => silent(&["key", "create", &scene.client]),
        Call::DeleteKey => silent(&["key", "delete", &scene.client, &scene.key.0, "--yes"]),
        Call::DeleteClient => silent(&["client", "delete", &scene.client, "--yes"]),
        Call::ListIdentities => silent(&["identity", "list"]),
        Call::ShowAccount => silent(&["account", "show"]),
    }
}

fn came(code: Option<i32>, call: &Call, errors: &str) -> Came {
    match code {
        Some(0) => Came::Done,
        Some(1) => Came::No,
        Some(2) => Came::Invalid,
        Some(3) => Came::NotFound,
        Some(4) => Came::Denied,
        Some(5) => Came::Conflict,
        other => panic!("{call:?} ended with {other:?}: {errors}"),
    }
}

pub(crate) async fn call(scene: &Scene, credential: &Credential, call: &Call) -> Outcome {
    let (words, input) = words(scene, call);
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("GUESTLIST_URL", scene.server.url())
        .args(&words)
        .arg("--json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match credential {
        Credential::Key(key) => drop(command.env("GUESTLIST_KEY", key)),
        Credential::Token(token) => drop(command.env("GUESTLIST_TOKEN", token)),
        Credential::None => {}
    }
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that reads nothing may have ended already.
        let _written = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let came = came(output.status.code(), call, &errors);
    let text = String::from_utf8(output.stdout).unwrap();
    let data = match came {
        Came::Done if !text.trim().is_empty() => serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{call:?} printed no JSON ({error}): {text}")),
        _ => Value::Null,
    };
    if !matches!(call, Call::CreateInvite { .. } | Call::ShowInvite) && !scene.invite.is_empty() {
        assert!(!text.contains(&scene.invite) && !errors.contains(&scene.invite));
    }
    Outcome {
        came,
        data: told(call, data),
    }
}
