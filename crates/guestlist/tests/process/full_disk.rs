//! A full disk: writes are refused, everything else goes on, and room is enough to go on.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::server::{Server, invite_of};

/// A file system of a given size, taken away at the end.
pub(crate) struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where nobody may mount one.
    pub(crate) fn new(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = mount(
            &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"],
            directory.path(),
        );
        mounted.then_some(Self(directory))
    }

    pub(crate) fn grow(&self, size: &str) {
        assert!(mount(
            &["-o", &format!("remount,size={size}")],
            self.0.path()
        ));
    }
}

impl Disk {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _status = Command::new("umount").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    let mount = Command::new("mount").args(arguments).arg(place).output();
    mount.is_ok_and(|mount| mount.status.success())
}

/// A record of about 50 KB.
fn large(number: usize) -> Value {
    let resources = |statement: usize| -> Vec<Value> {
        let uri = |resource| format!("large/{number}/{statement}/{}{resource}", "x".repeat(100));
        (0..40)
            .map(|resource| json!({ "resourceUri": uri(resource) }))
            .collect()
    };
    let statements: Vec<Value> = (0..10)
        .map(|statement| json!({ "roles": ["ro_viewer"], "resources": resources(statement) }))
        .collect();
    let users = [json!({ "userId": "someone" })];
    json!({ "recordId": format!("large-{number}"), "name": "large", "users": users, "statements": statements })
}

#[test]
fn r05_a_full_disk_refuses_writes_and_nothing_else() {
    let Some(disk) = Disk::new("4m") else {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!in_ci, "a test run in CI must be able to mount a tmpfs");
        println!("SKIPPED: mounting a tmpfs needs root");
        return;
    };
    let data = disk.0.path().join("data");
    let server = Server::new(&data, &["--dev"]);
    let owner = server.owner();
    let check = |resource: &str| {
        let target = format!("/v1/users/alice/resources/{resource}/permissions/documents:write");
        server.send(&owner, "GET", &target, &Value::Null).status
    };
    let mut made = 0;
    let refused = loop {
        let reply = server.send(&owner, "POST", "/v1/records", &large(made));
        if reply.status != 201 {
            break reply.expect(507);
        }
        made += 1;
        assert!(made < 1000, "the disk never became full");
    };
    assert_eq!(refused.json()["errorCode"], "StorageFull");
    assert!(refused.header("retry-after").is_none());
    let keep_answering = || {
        assert_eq!((check("projects%2F42"), check("projects%2F43")), (200, 404));
        server.send("", "GET", "/healthz", &Value::Null).expect(200);
        server
            .send(&owner, "GET", "/v1/records/large-0", &Value::Null)
            .expect(200);
        let last = format!("/v1/records/large-{made}");
        server.send(&owner, "GET", &last, &Value::Null).expect(404);
    };
    for _ in 0..5 {
        keep_answering();
        server
            .send(&owner, "POST", "/v1/records", &large(made))
            .expect(507);
    }
    disk.grow("32m");
    server
        .send(&owner, "POST", "/v1/records", &large(made))
        .expect(201);
    let invite = server.send(&owner, "POST", "/v1/invites", &invite_of("ro_editor", "a"));
    invite.expect(201);
    let log = server.stop();
    assert!(log.contains("there is no room for a write"), "{log}");
    let server = Server::new(&data, &["--dev"]);
    for number in 0..=made {
        let target = format!("/v1/records/large-{number}");
        server
            .send(&owner, "GET", &target, &Value::Null)
            .expect(200);
    }
    println!("full after {made} records of 50 KB, all kept");
    server.stop();
}
