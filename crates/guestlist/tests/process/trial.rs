//! What the server prints, tried as it is printed.

use std::process::Command;

use serde_json::{Value, json};

use crate::server::Server;

#[test]
fn the_printed_commands_work_as_they_are_pasted() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(directory.path(), &["--dev"]);
    server.stdout.until("200: the invite gave it").unwrap();
    let said = server.stdout.so_far();
    let (_, trial) = said.split_once("another terminal:").unwrap();
    let shell = Command::new("bash")
        .args(["-e", "-u", "-c", trial])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(shell.stdout).unwrap(),
        String::from_utf8(shell.stderr).unwrap(),
    );
    let lines: Vec<&str> = out.lines().collect();
    let [before, invite, account, after] = lines.as_slice() else {
        panic!("{out}{err}");
    };
    assert_eq!((*before, *after), ("404", "200"));
    assert!(invite.starts_with("inv_") && invite.len() == 67, "{invite}");
    let account: Value = serde_json::from_str(account).unwrap();
    assert!(
        server
            .owner()
            .contains(account["accountId"].as_str().unwrap()),
        "{account}"
    );
    assert!(said.contains("DEVELOPMENT"));
}

#[test]
fn without_dev_there_is_the_owner_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(directory.path(), &[]);
    let body = json!({ "userId": "alice" });
    server.send("", "POST", "/v1/dev/tokens", &body).expect(404);
    let owner = server.owner();
    let list = |target: &str, member: &str| {
        let reply = server.send(&owner, "GET", target, &Value::Null).expect(200);
        reply.json()[member].as_array().unwrap().clone()
    };
    let roles = list("/v1/roles", "roles");
    assert!(
        roles
            .iter()
            .all(|role| role["roleId"].as_str().unwrap().starts_with("Authress:"))
    );
    assert!(!roles.is_empty());
    assert_eq!(list("/v1/records", "records").len(), 1);
    assert_eq!(list("/v1/clients", "clients").len(), 1);
    assert_eq!(list("/v1/groups", "groups").len(), 0);
    assert_eq!(list("/v1/identities", "identities").len(), 0);
    let said = server.stdout.so_far();
    assert!(
        !said.contains("DEVELOPMENT") && !said.contains("Try it"),
        "{said}"
    );
}

#[test]
fn a_token_of_development_ends_with_development() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::new(directory.path(), &["--dev"]);
    let address = server.address;
    let token = server.token("alice");
    let target = "/v1/users/alice/resources/projects%2F42/permissions/documents:write";
    server.send(&token, "GET", target, &Value::Null).expect(200);
    server.stop();
    // At the same address, so that issuer and audience stay the same.
    let mut command = crate::server::bare();
    command
        .args(["--listen", &address.to_string(), "--data"])
        .arg(directory.path());
    let server = Server::start(command, directory.path());
    server.send(&token, "GET", target, &Value::Null).expect(401);
}

#[test]
fn dev_on_data_without_samples_says_so_and_prints_no_commands() {
    let directory = tempfile::tempdir().unwrap();
    Server::new(directory.path(), &[]).stop();
    let mut server = Server::new(directory.path(), &["--dev"]);
    let said = server.stdout.until("no samples").unwrap();
    assert!(said.contains("--data"), "{said}");
    assert!(!server.stdout.so_far().contains("curl"));
}
