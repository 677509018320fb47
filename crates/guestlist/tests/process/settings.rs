//! Settings: where they come from, which goes before which, and what is wrong with them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::server::{Server, bare, free_address, refused, run, serve};

/// Every setting, by the name of its flag.
const SETTINGS: [&str; 16] = [
    "listen",
    "public-url",
    "account-id",
    "data",
    "store",
    "migrate",
    "dev",
    "log",
    "allowed-origin",
    "trusted-proxy",
    "invite-budget",
    "stale-after",
    "when-stale",
    "private-issuers",
    "raw-access-keys",
    "drain-delay",
];

fn issuer(command: Command, data: &Path) -> String {
    let server = Server::start(command, data);
    let reply = server.send("", "GET", "/.well-known/openid-configuration", &Value::Null);
    reply.expect(200).member("issuer")
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = directory.path().join("guestlist.toml");
    let address = free_address();
    let settings = format!(
        "listen = \"{address}\"\ndata = \"{}\"\npublic-url = \"https://file.example/\"\n\
         allowed-origin = [\"https://app.example\"]\ntrusted-proxy = [\"10.0.0.0/8\"]\n\
         invite-budget = 500\n\
         private-issuers = true\nraw-access-keys = true\ndrain-delay = 0\nlog = \"debug\"\n\
         dev = false\nstore = \"embedded\"\naccount-id = \"acc-file\"\n",
        data.display()
    );
    fs::write(&file, settings).unwrap();
    let with_file = || {
        let mut command = bare();
        command.arg("--config").arg(&file);
        command
    };
    assert_eq!(issuer(with_file(), &data), "https://file.example");
    let mut command = with_file();
    command.env("GUESTLIST_PUBLIC_URL", "https://environment.example");
    assert_eq!(issuer(command, &data), "https://environment.example");
    let mut command = with_file();
    command
        .env("GUESTLIST_PUBLIC_URL", "https://environment.example")
        .args(["--public-url", "https://flag.example:8443"]);
    assert_eq!(issuer(command, &data), "https://flag.example:8443");
    // The file itself can be named by the environment.
    let mut command = bare();
    command.env("GUESTLIST_CONFIG", &file);
    let server = Server::start(command, &data);
    assert_eq!(server.address, address);
    assert!(server.owner().contains(".acc-file."));
}

#[test]
fn what_is_wrong_in_the_environment_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = serve(directory.path());
    command.env("GUESTLIST_DRAIN_DELAY", "soon");
    refused(command, &["--drain-delay", "soon"]);
}

#[test]
fn what_is_wrong_in_the_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("guestlist.toml");
    for (text, says) in [
        ("lissten = \"127.0.0.1:0\"", "lissten"),
        ("config = \"other.toml\"", "config"),
        ("drain-delay = \"soon\"", "drain-delay"),
        ("listen = \"nowhere\"", "listen"),
        ("dev = ", "line 1"),
    ] {
        fs::write(&file, text).unwrap();
        let mut command = serve(&directory.path().join("data"));
        command.arg("--config").arg(&file);
        refused(command, &[file.to_str().unwrap(), says]);
    }
    let mut command = serve(&directory.path().join("data"));
    command.args(["--config", "/no/such/file.toml"]);
    refused(command, &["/no/such/file.toml"]);
    assert!(
        !directory.path().join("data").exists(),
        "nothing is made before the settings are read"
    );
}

#[test]
fn a_malformed_setting_is_named_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for (flag, value, says) in [
        ("--public-url", "auth.example.com", "--public-url"),
        ("--public-url", "https://", "--public-url"),
        ("--public-url", "https://a.example/path", "--public-url"),
        ("--public-url", "https://user@a.example", "--public-url"),
        ("--public-url", "https://a.example?q", "--public-url"),
        ("--public-url", "ftp://a.example", "--public-url"),
        ("--public-url", "https://a b.example", "--public-url"),
        ("--public-url", "https://a.example:port", "--public-url"),
        ("--public-url", "https://bad_\"quote", "--public-url"),
        ("--listen", "8888", "--listen"),
        ("--log", "loud", "--log"),
        ("--dev", "perhaps", "--dev"),
        ("--trusted-proxy", "10.0.0.0/33", "10.0.0.0/33"),
        ("--allowed-origin", "app.example", "app.example"),
        ("--store", "mysql://db", "names no known engine"),
        (
            "--store",
            "postgres://owner:hunter2@127.0.0.1:1/guestlist",
            "the database at postgres://127.0.0.1/guestlist cannot be used",
        ),
        ("--no-such-flag", "1", "--no-such-flag"),
    ] {
        let mut command = serve(&data);
        command.args([flag, value]);
        let said = refused(command, &[says]);
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!data.join("guestlist.db").exists(), "{flag} {value}");
        assert!(!data.join("pepper").exists(), "{flag} {value}");
    }
}

#[test]
fn help_names_every_setting() {
    let mut command = bare();
    command.arg("--help");
    let help = run(command);
    assert!(help.status.success());
    let text = help.stdout;
    for setting in SETTINGS.into_iter().chain(["config"]) {
        assert!(
            text.contains(&format!("--{setting} ")),
            "--{setting}: {text}"
        );
    }
    // Every variable is that of a flag, and the other way round.
    let variables = text.matches("GUESTLIST_").count();
    assert_eq!(variables, SETTINGS.len() + 1, "{text}");
    let flags = text
        .lines()
        .filter(|line| line.trim_start().starts_with("--"))
        .count();
    assert_eq!(flags, SETTINGS.len() + 1, "{text}");
}

#[test]
fn s05_help_shows_no_value_of_the_environment() {
    let mut command = bare();
    command
        .env("GUESTLIST_STORE", "postgres://owner:hunter2@db/guestlist")
        .arg("--help");
    let help = run(command);
    assert!(help.status.success());
    assert!(!help.stdout.contains("hunter2"), "{}", help.stdout);
}

#[test]
fn the_memory_store_keeps_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--store", "memory"]);
    let first = server.owner();
    server
        .send(&first, "GET", "/v1/accounts", &Value::Null)
        .expect(200);
    server.stop();
    assert!(!data.join("guestlist.db").exists());
    let server = Server::new(data, &["--store", "memory"]);
    assert_ne!(server.owner(), first);
    server
        .send(&first, "GET", "/v1/accounts", &Value::Null)
        .expect(401);
}
