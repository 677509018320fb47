//! `kill -9` in the middle of deleting a user: what was done is done, the rest is still there, and
//! the same request goes on with it.

use std::thread;

use serde_json::{Value, json};

use crate::http::{Call, Connection};
use crate::server::Server;

/// Enough for a dozen changes.
const RECORDS: usize = 300;
const USERS: usize = 12;

/// The resources that a user holds.
fn held(server: &Server, owner: &str, user: &str) -> usize {
    let all = format!("/v1/users/{user}/resources?collectionConfiguration=INCLUDE_NESTED");
    let mut target = all.clone();
    let mut count = 0;
    loop {
        let page = server.send(owner, "GET", &target, &Value::Null).expect(200);
        let page = page.json();
        count += page["resources"].as_array().unwrap().len();
        let Some(cursor) = page["pagination"]["next"]["cursor"].as_str() else {
            return count;
        };
        target = format!("{all}&cursor={cursor}");
    }
}

/// Waits until a first part is done.
fn until_a_part_is_done(server: &Server, owner: &str, after: u64) {
    let mut connection = Connection::open(server.address).unwrap();
    let target = format!("/v1/events?after={after}&wait=20&limit=1");
    let call = Call {
        credential: owner,
        method: "GET",
        target: &target,
        ..Call::default()
    };
    let events = connection.call(call).unwrap().expect(200).json();
    let kind = &events["events"][0]["eventType"];
    assert_eq!(kind, "user.deletion-continued", "{events}");
}

fn last_revision(server: &Server, owner: &str) -> u64 {
    let events = server.send(owner, "GET", "/v1/events?limit=1", &Value::Null);
    events.expect(200).json()["lastRevision"].as_u64().unwrap()
}

#[test]
fn a_deletion_that_was_cut_off_is_completed_by_the_same_request() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let mut server = Server::new(data, &["--dev"]);
    let owner = server.owner();
    let users: Vec<Value> = (0..USERS)
        .map(|user| json!({"userId": format!("user-{user}")}))
        .collect();
    for number in 0..RECORDS {
        let record = json!({
            "recordId": format!("rec_{number:03}"),
            "name": "n",
            "users": users,
            "statements": [{
                "roles": ["Authress:ReadResource"],
                "resources": [{"resourceUri": format!("shelf/{number}")}],
            }],
        });
        server
            .send(&owner, "POST", "/v1/records", &record)
            .expect(201);
    }
    let mut cut_off = 0;
    // The last user stays, and keeps everything.
    for user in 0..USERS - 1 {
        let user = format!("user-{user}");
        let target = format!("/v1/users/{user}");
        assert_eq!(held(&server, &owner, &user), RECORDS);
        let after = last_revision(&server, &owner);
        let deleting = {
            let (owner, target, address) = (owner.clone(), target.clone(), server.address);
            thread::spawn(move || {
                let call = Call {
                    credential: &owner,
                    method: "DELETE",
                    target: &target,
                    ..Call::default()
                };
                // It is killed, or was quicker.
                Connection::open(address).and_then(|mut connection| connection.call(call))
            })
        };
        until_a_part_is_done(&server, &owner, after);
        server.kill();
        let answered = deleting.join().unwrap().is_ok();
        server = Server::new(data, &["--dev"]);
        let left = held(&server, &owner, &user);
        assert!(left < RECORDS, "a part was done");
        assert!(!answered || left == 0, "what was answered is done");
        let again = server.send(&owner, "DELETE", &target, &Value::Null);
        assert_eq!(
            again.status,
            if left == 0 { 404 } else { 202 },
            "{}",
            again.text
        );
        assert_eq!(held(&server, &owner, &user), 0);
        server
            .send(&owner, "GET", &target, &Value::Null)
            .expect(404);
        cut_off += usize::from(left > 0);
    }
    // The control: the kill did come in the middle.
    assert!(cut_off > 0, "every deletion was quicker than its kill");
    let last = format!("user-{}", USERS - 1);
    assert_eq!(held(&server, &owner, &last), RECORDS);
    println!("{cut_off} of {} deletions were cut off", USERS - 1);
}
