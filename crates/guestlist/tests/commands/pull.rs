//! An account written as a folder of manifests.

use serde_json::Value;

use crate::apply::{owner, server};
use crate::program::Person;

/// The files that were written.
fn files(pulled: &Value) -> Vec<&str> {
    let files = pulled["files"].as_array().unwrap().iter();
    files.map(|file| file.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_pulled_folder_has_no_differences_and_no_secrets() {
    let server = server().await;
    let owner = owner(&server);
    owner.say("apply -f access --yes").expect(0);
    let clients = owner.say("client list --json").expect(0).json();
    let mut clients = clients.as_array().unwrap().iter();
    let robot = clients.find(|one| one["name"] == "Robot").unwrap();
    let robot = robot["clientId"].as_str().unwrap();
    let key = owner.say(&format!("key create {robot} --json"));
    let key = key.expect(0).json()["accessKey"]
        .as_str()
        .unwrap()
        .to_owned();
    let pulled = owner.say("pull mine --json").expect(0).json();
    let files = files(&pulled);
    for file in [
        "roles/ro_viewer.yaml",
        "groups/grp_writers.yaml",
        "records/rec_sample.yaml",
    ] {
        assert!(files.contains(&file), "{files:?}");
    }
    assert!(files.contains(&format!("clients/{robot}.yaml").as_str()));
    assert!(files.iter().any(|file| file.starts_with("identities/")));
    assert!(!files.iter().any(|file| file.contains("Authress")));
    let folder = owner.home.path().join("mine");
    let read = |file: &&str| std::fs::read_to_string(folder.join(file)).unwrap();
    let all: String = files.iter().map(read).collect();
    assert!(!all.contains("lastUpdated") && !all.contains("verificationKeys"));
    let secret = key.rsplit('.').next().unwrap();
    assert!(!all.contains(secret), "a secret is in the folder");
    for line in ["diff -f mine", "diff -f mine --prune"] {
        owner.say(line).expect(0).saying("Nothing to do");
    }
}

#[tokio::test]
async fn nothing_is_overwritten_unless_it_is_said() {
    let server = server().await;
    let owner = Person::owner(&server);
    owner.say("pull mine").expect(0);
    owner.say("pull mine").expect(5).saying("--force");
    let mine = owner.file("mine/roles/ro_viewer.yaml", "changed");
    let gone = "kind: Role\nroleId: ro_gone\nname: Gone\npermissions: []\n";
    owner.file("mine/roles/ro_gone.yaml", gone);
    owner
        .say("pull mine --force")
        .expect(0)
        .saying("in mine, roles/ro_gone.yaml is not of this account");
    assert_ne!(std::fs::read_to_string(mine).unwrap(), "changed");
}

#[tokio::test]
async fn records_that_invites_made_are_left_out_unless_it_is_said() {
    let server = server().await;
    let owner = Person::owner(&server);
    let invite = Person::user(&server, "alice")
        .say("invite create --role ro_editor --on projects/42 --json")
        .expect(0)
        .json();
    let id = invite["inviteId"].as_str().unwrap();
    Person::user(&server, "bob")
        .run_with(&["invite", "accept", "-"], id)
        .expect(0);
    let pulled = owner.say("pull mine --json").expect(0).saying("Left out 1");
    let pulled = pulled.json();
    assert_eq!(pulled["invited"], 1);
    assert!(!files(&pulled).contains(&"records/bob.yaml"));
    let all = owner.say("pull all --with-invited --json").expect(0).json();
    assert!(files(&all).contains(&"records/bob.yaml"));
    for line in ["diff -f mine --prune", "diff -f all --prune"] {
        owner.say(line).expect(0);
    }
}

#[tokio::test]
async fn what_was_pulled_makes_the_same_elsewhere() {
    let (here, there) = (server().await, server().await);
    let owner = owner(&here);
    owner.say("apply -f access --yes").expect(0);
    owner.say("pull mine").expect(0);
    let theirs = Person::owner(&there);
    let folder = owner.home.path().join("mine");
    // Without service clients, whose ids are made by each server.
    for part in ["roles", "groups", "identities"] {
        let part = folder.join(part).to_str().unwrap().to_owned();
        theirs.run(&["apply", "-f", &part, "--yes"]).expect(0);
        theirs.run(&["diff", "-f", &part]).expect(0);
    }
}

#[tokio::test]
async fn access_that_ends_is_written_and_made_with_its_end() {
    let one = server().await;
    let owner = Person::owner(&one);
    let record = "kind: Record\nrecordId: rec_ends\nname: Ends\nusers: [{userId: ann}]\n\
                  statements:\n- roles: [Authress:ReadResource]\n  resources: [{resourceUri: docs/1}]\n  \
                  expiryTime: 2099-01-02T03:04:05.678Z\n";
    owner.file("ends/record.yaml", record);
    owner.say("apply -f ends --yes").expect(0);
    owner.say("check ann docs/1 READ").expect(0);
    owner.say("pull mine").expect(0);
    let pulled = owner.home.path().join("mine/records/rec_ends.yaml");
    let pulled = std::fs::read_to_string(pulled).unwrap();
    assert!(pulled.contains("2099-01-02T03:04:05.678Z"), "{pulled}");
    owner.say("diff -f mine").expect(0).saying("Nothing to do");
    // An end that differs is a difference, and is written.
    owner.file(
        "mine/records/rec_ends.yaml",
        &pulled.replace("2099", "2001"),
    );
    let differs = owner.say("diff -f mine").expect(1);
    differs.saying("until 2001-01-02T03:04:05.678Z");
    owner.say("apply -f mine --yes").expect(0);
    owner.say("check ann docs/1 READ").expect(1);
    // Without an end it is for ever.
    let (before, _) = record.split_once("\n  expiryTime").unwrap();
    owner.file("ends/record.yaml", before);
    owner.say("apply -f ends --yes").expect(0);
    owner.say("check ann docs/1 READ").expect(0);
}
