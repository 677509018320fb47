//! Access records through the API: their life, their lists, their conditions and their refusals.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines, record_of, statement};

async fn create(world: &World, record: &Value) -> Value {
    let reply = world.own("POST", "/v1/records", Some(record)).await;
    reply.expect(201).json()
}

async fn read(world: &World, id: &str) -> Value {
    let target = format!("/v1/records/{id}");
    world.own("GET", &target, None).await.expect(200).json()
}

#[tokio::test]
async fn a_record_is_made_under_the_id_that_is_asked_for_or_under_a_new_one() {
    for engine in engines() {
        let world = World::new(engine).await;
        let record = record_of("rec_A:1|x~y-z_0", "bob", &["ro_viewer"], &["p/1"]);
        let made = create(&world, &record).await;
        assert_eq!(made["recordId"], "rec_A:1|x~y-z_0");
        assert_eq!(read(&world, "rec_A:1%7Cx~y-z_0").await, made);
        let mut made_ids = vec![];
        for absent in [None, Some(json!("")), Some(Value::Null)] {
            let mut record = record.clone();
            match absent {
                None => drop(record.as_object_mut().unwrap().remove("recordId")),
                Some(value) => record["recordId"] = value,
            }
            let made = create(&world, &record).await;
            let id = made["recordId"].as_str().unwrap().to_owned();
            assert!(id.starts_with("rec_") && id.len() == 20, "{id}");
            assert_eq!(read(&world, &id).await, made);
            made_ids.push(id);
        }
        made_ids.sort_unstable();
        made_ids.dedup();
        assert_eq!(made_ids.len(), 3);
        assert_eq!(world.count("access-record.created").await, 4);
    }
}

#[tokio::test]
async fn a_record_that_is_there_is_never_made_again() {
    let world = World::new(Engine::Memory).await;
    let record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    let made = create(&world, &record).await;
    let revision = world.app.revision();
    let other = record_of("rec_1", "carol", &["ro_editor"], &["p/2"]);
    let reply = world.own("POST", "/v1/records", Some(&other)).await;
    assert_eq!(reply.expect(409).code(), "AccessRecordAlreadyExists");
    assert_eq!(world.app.revision(), revision);
    assert_eq!(read(&world, "rec_1").await, made);
}

#[tokio::test]
async fn a_deleted_record_can_be_read_and_is_made_anew_without_its_content() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
        record["description"] = json!("old");
        record["tags"] = json!({"old": "tag"});
        record["admins"] = json!([{"userId": "old-admin"}]);
        record["groups"] = json!([{"groupId": "grp_old"}]);
        let made = create(&world, &record).await;
        assert!(world.may("bob", "p/1", "documents:read").await);
        let gone = world.own("DELETE", "/v1/records/rec_1", None).await;
        assert_eq!(gone.expect(204).text, "");
        assert!(!world.may("bob", "p/1", "documents:read").await);
        let deleted = read(&world, "rec_1").await;
        assert_eq!(deleted["status"], "DELETED");
        for member in ["statements", "users", "admins", "groups", "tags", "name"] {
            assert_eq!(deleted[member], made[member], "{member}");
        }
        // Neither a second time nor back by an update.
        let put = world.own("PUT", "/v1/records/rec_1", Some(&record)).await;
        assert_eq!(put.expect(404).code(), "NotFound");
        let again = world.own("DELETE", "/v1/records/rec_1", None).await;
        assert_eq!(again.expect(404).code(), "NotFound");

        let anew = record_of("rec_1", "carol", &["ro_viewer"], &["p/2"]);
        let revived = create(&world, &anew).await;
        assert_eq!(revived["status"], "ACTIVE");
        assert_eq!(revived["users"], json!([{"userId": "carol"}]));
        assert_eq!(revived["admins"], json!([]));
        assert_eq!(revived["groups"], json!([]));
        for absent in ["description", "tags"] {
            assert!(revived.get(absent).is_none(), "{absent}");
        }
        let times = [&made, &deleted, &revived].map(|record| record["lastUpdated"].as_str());
        assert!(times.is_sorted_by(|one, other| one < other), "{times:?}");
        assert!(!world.may("bob", "p/1", "documents:read").await);
        assert!(!world.may("bob", "p/2", "documents:read").await);
        assert!(world.may("carol", "p/2", "documents:read").await);
        // The former administrator is none any more.
        let former = world
            .as_user("old-admin", "GET", "/v1/records/rec_1", None)
            .await;
        former.expect(404);
    }
}

#[tokio::test]
async fn only_who_could_give_it_makes_a_deleted_record_anew() {
    let world = World::new(Engine::Memory).await;
    world.give("rec_1", "bob", &["ro_viewer"], &["p/1"]).await;
    let gone = world.own("DELETE", "/v1/records/rec_1", None).await;
    gone.expect(204);
    let anew = record_of("rec_1", "alice", &["ro_viewer"], &["p/1"]);
    let reply = world
        .as_user("alice", "POST", "/v1/records", Some(&anew))
        .await;
    assert_eq!(reply.expect(403).code(), "InsufficientGrantAccess");
    let hers = record_of("rec_1", "dave", &["ro_viewer"], &["projects/42/a"]);
    world
        .as_user("alice", "POST", "/v1/records", Some(&hers))
        .await
        .expect(201);
}

#[tokio::test]
async fn updates_and_deletes_of_what_is_not_there_are_404_and_make_nothing() {
    let world = World::new(Engine::Memory).await;
    let record = record_of("rec_none", "bob", &["ro_viewer"], &["p/1"]);
    let revision = world.app.revision();
    for (method, body) in [
        ("PUT", Some(&record)),
        ("POST", Some(&record)),
        ("DELETE", None),
        ("GET", None),
    ] {
        let reply = world.own(method, "/v1/records/rec_none", body).await;
        assert_eq!(reply.expect(404).code(), "NotFound", "{method}");
        // An id that no record can have is the id of no record.
        let awkward = world.own(method, "/v1/records/a%20b%2Fc", body).await;
        assert_eq!(awkward.expect(404).code(), "NotFound", "{method}");
    }
    assert_eq!(world.app.revision(), revision);
}

#[tokio::test]
async fn the_administrator_of_a_deleted_record_is_told_it_is_gone() {
    let world = World::new(Engine::Memory).await;
    // Somebody who may do something else in the account, so that a refusal would be 403.
    world
        .role("ro_auditor", &[("READ", true, false, false)])
        .await;
    world
        .give("rec_a", "erin", &["ro_auditor"], &["Authress:Roles"])
        .await;
    let mut record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    record["admins"] = json!([{"userId": "erin"}]);
    create(&world, &record).await;
    let target = "/v1/records/rec_1";
    world
        .as_user("erin", "DELETE", target, None)
        .await
        .expect(204);
    let deleted = world.as_user("erin", "GET", target, None).await.expect(200);
    assert_eq!(deleted.json()["status"], "DELETED");
    world
        .as_user("erin", "DELETE", target, None)
        .await
        .expect(404);
    let put = world.as_user("erin", "PUT", target, Some(&record)).await;
    put.expect(404);
    // Of others' records they may not know whether they are gone.
    world.give("rec_2", "bob", &["ro_viewer"], &["p/1"]).await;
    world
        .own("DELETE", "/v1/records/rec_2", None)
        .await
        .expect(204);
    for method in ["GET", "DELETE"] {
        let reply = world
            .as_user("erin", method, "/v1/records/rec_2", None)
            .await;
        reply.expect(403);
    }
}

/// The milliseconds of a record's `lastUpdated`; a still clock moves on by one with each change.
async fn milliseconds(world: &World, id: &str) -> String {
    let record = read(world, id).await;
    let time = record["lastUpdated"].as_str().unwrap();
    let milliseconds = time.strip_prefix("2026-01-02T03:04:05.").unwrap();
    milliseconds.strip_suffix('Z').unwrap().to_owned()
}

#[tokio::test]
async fn every_form_of_if_unmodified_since_that_sdks_send_is_understood() {
    for engine in engines() {
        let world = World::new(engine).await;
        let record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
        create(&world, &record).await;
        let put = async |since: &str| {
            let header = [("If-Unmodified-Since", since)];
            let target = "/v1/records/rec_1";
            let owner = &world.owner;
            world
                .send_with(owner, "PUT", target, &header, Some(&record))
                .await
        };
        for form in [
            "2026-01-02T03:04:05.MMMZ",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.MMM0000+00:00",
            "2026-01-02T03:04:05.MMM000+00:00",
            "2026-01-02 03:04:05.MMM000+00:00",
            "2026-01-02T05:04:05.MMM+02:00",
            "Fri, 02 Jan 2026 03:04:05 GMT",
            "",
            "undefined",
            "null",
        ] {
            let now = milliseconds(&world, "rec_1").await;
            put(&form.replace("MMM", &now)).await.expect(202);
            let after = milliseconds(&world, "rec_1").await;
            assert_eq!(
                after,
                (now.parse::<u32>().unwrap() + 1).to_string(),
                "{form}"
            );
        }
        let now = milliseconds(&world, "rec_1").await;
        for outdated in [
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:04Z",
            "2026-01-02T03:04:06Z",
            "2026-01-02T03:04:05.6780000+00:00",
            "Fri, 02 Jan 2026 03:04:06 GMT",
            &format!("2026-01-02T03:04:05.{now}+01:00"),
        ] {
            let reply = put(outdated).await.expect(412);
            assert_eq!(reply.code(), "PreconditionFailed", "{outdated}");
        }
        for malformed in [
            "yesterday",
            "1767323045678",
            "2026-01-02T03:04:05",
            "\u{fc}",
        ] {
            let reply = put(malformed).await.expect(400);
            assert_eq!(reply.json()["path"], "If-Unmodified-Since", "{malformed}");
        }
        assert_eq!(milliseconds(&world, "rec_1").await, now);
    }
}

#[tokio::test]
async fn the_id_in_the_body_is_that_of_the_path_or_absent() {
    let world = World::new(Engine::Memory).await;
    let record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    create(&world, &record).await;
    for (id, status) in [
        (json!("rec_1"), 202),
        (json!(""), 202),
        (Value::Null, 202),
        (json!("rec_2"), 400),
        (json!("REC_1"), 400),
        (json!("a b"), 400),
        (json!(7), 400),
    ] {
        let mut body = record.clone();
        body["recordId"] = id.clone();
        let reply = world.own("PUT", "/v1/records/rec_1", Some(&body)).await;
        let reply = reply.expect(status);
        if status == 400 {
            assert_eq!(reply.json()["path"], "recordId", "{id}");
        }
    }
    let mut without = record.clone();
    without.as_object_mut().unwrap().remove("recordId");
    world
        .own("PUT", "/v1/records/rec_1", Some(&without))
        .await
        .expect(202);
    world
        .own("GET", "/v1/records/rec_2", None)
        .await
        .expect(404);
}

#[tokio::test]
async fn users_and_groups_stand_at_the_record_or_at_its_statements() {
    let world = World::new(Engine::Memory).await;
    let plain = || {
        json!({"name": "n", "statements": [
            statement(&["ro_viewer"], &["p/1"]), statement(&["ro_editor"], &["p/2"])]})
    };
    let people = json!([{"userId": "bob"}]);
    let groups = json!([{"groupId": "grp_1"}]);
    for (of_record, of_statement) in [
        ("users", "users"),
        ("users", "groups"),
        ("groups", "users"),
        ("groups", "groups"),
    ] {
        let value = |name: &str| {
            if name == "users" {
                people.clone()
            } else {
                groups.clone()
            }
        };
        let mut both = plain();
        both[of_record] = value(of_record);
        both["statements"][1][of_statement] = value(of_statement);
        let reply = world
            .own("POST", "/v1/records", Some(&both))
            .await
            .expect(400);
        assert_eq!(reply.code(), "InvalidRequest");
        assert_eq!(reply.json()["path"], "statements[1]");
        // An empty list is as good as none, on either level.
        for (level, empty) in [(true, json!([])), (true, Value::Null), (false, json!([]))] {
            let mut one = both.clone();
            let place = if level {
                &mut one[of_record]
            } else {
                &mut one["statements"][1][of_statement]
            };
            *place = empty;
            world
                .own("POST", "/v1/records", Some(&one))
                .await
                .expect(201);
        }
    }
    // Statements are independent: bob's roles do not meet carol's resources.
    let mut split = plain();
    split["recordId"] = json!("rec_split");
    split["statements"][0]["users"] = json!([{"userId": "ben"}]);
    split["statements"][1]["users"] = json!([{"userId": "cleo"}]);
    let made = create(&world, &split).await;
    assert_eq!(made["users"], json!([]));
    assert_eq!(made["statements"], split["statements"]);
    for (user, resource, action, may) in [
        ("ben", "p/1", "documents:read", true),
        ("ben", "p/2", "documents:write", false),
        ("cleo", "p/2", "documents:write", true),
        ("cleo", "p/1", "documents:read", false),
    ] {
        assert_eq!(
            world.may(user, resource, action).await,
            may,
            "{user} {resource}"
        );
    }
    // A put may move them from one level to the other, but not to both.
    let mut moved = split.clone();
    moved["users"] = json!([{"userId": "ben"}]);
    let reply = world
        .own("PUT", "/v1/records/rec_split", Some(&moved))
        .await;
    assert_eq!(reply.expect(400).json()["path"], "statements[0]");
}

#[tokio::test]
async fn administrators_of_a_record_read_change_and_delete_it_and_nothing_else() {
    let world = World::new(Engine::Memory).await;
    let mut record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    record["admins"] = json!([{"userId": "erin"}]);
    create(&world, &record).await;
    world.give("rec_2", "bob", &["ro_viewer"], &["p/1"]).await;
    let erin = world.token("erin");
    let target = "/v1/records/rec_1";
    let seen = world
        .send(&erin, "GET", target, None)
        .await
        .expect(200)
        .json();
    assert_eq!(seen, read(&world, "rec_1").await);
    // They are not what the record is for.
    assert!(!world.may("erin", "p/1", "documents:read").await);
    let mut renamed = seen.clone();
    renamed["name"] = json!("renamed");
    world
        .send(&erin, "PUT", target, Some(&renamed))
        .await
        .expect(202);
    // What they do not hold they cannot add: not to others, and not to themselves.
    let mut greedy = seen.clone();
    greedy["users"] = json!([{"userId": "bob"}, {"userId": "erin"}]);
    let reply = world.send(&erin, "PUT", target, Some(&greedy)).await;
    assert_eq!(reply.expect(403).code(), "InsufficientGrantAccess");
    for (method, body) in [("GET", None), ("PUT", Some(&record)), ("DELETE", None)] {
        world
            .send(&erin, method, "/v1/records/rec_2", body)
            .await
            .expect(404);
    }
    world.send(&erin, "DELETE", target, None).await.expect(204);
    assert_eq!(read(&world, "rec_1").await["name"], "renamed");
}

#[tokio::test]
async fn capacity_is_the_share_of_100_kilobytes_that_is_full() {
    let world = World::new(Engine::Memory).await;
    let small = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    assert_eq!(create(&world, &small).await["capacity"], 0.01);
    let users = |count: usize| -> Vec<Value> {
        let id = |number: usize| format!("{number:0>100}");
        (0..count)
            .map(|number| json!({"userId": id(number)}))
            .collect()
    };
    let mut half = small.clone();
    half["users"] = json!(users(450));
    world
        .own("PUT", "/v1/records/rec_1", Some(&half))
        .await
        .expect(202);
    let capacity = read(&world, "rec_1").await["capacity"].as_f64().unwrap();
    assert!((0.49..=0.51).contains(&capacity), "{capacity}");
    let mut full = small.clone();
    full["users"] = json!(users(1000));
    for (method, target) in [("PUT", "/v1/records/rec_1"), ("POST", "/v1/records")] {
        if method == "POST" {
            full["recordId"] = json!("rec_2");
        }
        let reply = world.own(method, target, Some(&full)).await.expect(413);
        assert_eq!(reply.code(), "TooLarge");
    }
    let still = read(&world, "rec_1").await;
    assert_eq!(still["users"].as_array().unwrap().len(), 450);
}

#[tokio::test]
async fn tags_and_descriptions_are_kept_and_can_be_taken_away() {
    let world = World::new(Engine::Memory).await;
    let mut record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    record["description"] = json!("Two\nlines, and a \u{2713}");
    record["tags"] = json!({"b": "2", "a": "", "gone": null});
    let made = create(&world, &record).await;
    assert_eq!(made["description"], record["description"]);
    assert_eq!(made["tags"], json!({"a": "", "b": "2"}));
    let bare = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    world
        .own("PUT", "/v1/records/rec_1", Some(&bare))
        .await
        .expect(202);
    let after = read(&world, "rec_1").await;
    assert!(after.get("tags").is_none() && after.get("description").is_none());
    for (member, value) in [
        ("tags", json!({"a": "x".repeat(129)})),
        ("tags", json!({"a": 1})),
        ("tags", json!(["a"])),
        ("description", json!("x".repeat(1025))),
        ("name", json!("")),
        ("name", json!("x".repeat(129))),
        ("name", json!("a\nb")),
        ("name", Value::Null),
        ("statements", json!([])),
        ("statements", Value::Null),
        ("users", json!([{"userId": "a#b"}])),
        ("users", json!([{"userId": " a"}])),
        ("users", json!([{}])),
    ] {
        let mut bad = bare.clone();
        bad[member] = value.clone();
        let reply = world
            .own("PUT", "/v1/records/rec_1", Some(&bad))
            .await
            .expect(400);
        assert_eq!(reply.code(), "InvalidRequest");
        let path = reply.json()["path"].as_str().unwrap_or_default().to_owned();
        assert!(
            path.starts_with(member),
            "{member} {value}: {path:?} {}",
            reply.text
        );
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_named_with_its_place() {
    let world = World::new(Engine::Memory).await;
    world.give("rec_1", "bob", &["ro_viewer"], &["p/1"]).await;
    let body = json!({"name": "n", "users": [{"userId": "bob"}], "statements": [
        statement(&["ro_viewer"], &["p/1"]), statement(&["ro_editor", "ro_none"], &["p/2"])]});
    for (method, target) in [("POST", "/v1/records"), ("PUT", "/v1/records/rec_1")] {
        let reply = world.own(method, target, Some(&body)).await.expect(400);
        assert_eq!(reply.json()["path"], "statements[1].roles[1]", "{method}");
        assert_eq!(reply.code(), "InvalidRequest");
    }
}

#[tokio::test]
async fn a_record_that_was_read_can_be_put_back_as_it_is() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut record = record_of(
            "rec_A:acc:U:bob",
            "bob",
            &["ro_viewer"],
            &["/p/1/", "p/2/*"],
        );
        record["description"] = json!("d");
        record["tags"] = json!({"a": "b"});
        record["admins"] = json!([{"userId": "erin"}]);
        let made = create(&world, &record).await;
        let target = "/v1/records/rec_A:acc:U:bob";
        let since = made["lastUpdated"].as_str().unwrap();
        let owner = world.owner.clone();
        let header = [("If-Unmodified-Since", since)];
        let reply = world
            .send_with(&owner, "PUT", target, &header, Some(&made))
            .await;
        assert_eq!(reply.expect(202).text, "");
        let mut after = read(&world, "rec_A:acc:U:bob").await;
        assert!(after["lastUpdated"].as_str().unwrap() > since);
        after["lastUpdated"] = made["lastUpdated"].clone();
        assert_eq!(after, made, "resources come back as they were written, too");
        // Read-only members are not the caller's to set.
        let mut forged = made.clone();
        forged["status"] = json!("DELETED");
        forged["capacity"] = json!(7);
        forged["account"] = json!({"accountId": "acc-other"});
        forged["links"] = json!({"self": {"href": "http://elsewhere.test"}});
        forged["lastUpdated"] = json!("1999-01-01T00:00:00.000Z");
        world.own("PUT", target, Some(&forged)).await.expect(202);
        let mut after = read(&world, "rec_A:acc:U:bob").await;
        assert!(after["lastUpdated"].as_str().unwrap() > since);
        after["lastUpdated"] = made["lastUpdated"].clone();
        assert_eq!(after, made);
    }
}

#[tokio::test]
async fn what_starter_kits_do_with_a_record_that_is_gone_works() {
    let world = World::new(Engine::Memory).await;
    let record = record_of("rec_A:acc:U:bob", "bob", &["ro_viewer"], &["p/1"]);
    let target = "/v1/records/rec_A:acc:U:bob";
    // Update first, create if that fails; read, and create if it is deleted.
    world.own("PUT", target, Some(&record)).await.expect(404);
    create(&world, &record).await;
    world.own("DELETE", target, None).await.expect(204);
    let mut deleted = world.own("GET", target, None).await.expect(200).json();
    assert_eq!(deleted["status"], "DELETED");
    deleted["users"] = json!([{"userId": "carol"}]);
    let revived = create(&world, &deleted).await;
    assert_eq!(revived["status"], "ACTIVE");
    assert!(world.may("carol", "p/1", "documents:read").await);
    assert!(!world.may("bob", "p/1", "documents:read").await);
}

#[tokio::test]
async fn a_service_client_is_the_same_under_both_of_its_names() {
    for engine in engines() {
        let world = World::new(engine).await;
        let client = world
            .own("POST", "/v1/clients", Some(&json!({"name": "c"})))
            .await;
        let id = client.expect(201).json()["clientId"]
            .as_str()
            .unwrap()
            .to_owned();
        let keys = format!("/v1/clients/{id}/access-keys");
        let key = world.own("POST", &keys, None).await.expect(201).json();
        let key = key["accessKey"].as_str().unwrap().to_owned();
        let long = format!("Authress:ServiceClients/{id}");
        world
            .give("rec_short", &id, &["ro_viewer"], &["short"])
            .await;
        world
            .give("rec_long", &long, &["ro_viewer"], &["long"])
            .await;
        let stored = read(&world, "rec_long").await;
        assert_eq!(
            stored["users"],
            json!([{"userId": long}]),
            "stored as given"
        );
        for name in [&id, &long] {
            for resource in ["short", "long"] {
                assert!(
                    world.may(name, resource, "documents:read").await,
                    "{name} {resource}"
                );
                // It asks about itself without any further right.
                let target = crate::world::check(name, resource, "documents:read");
                world.send(&key, "GET", &target, None).await.expect(200);
            }
            assert!(!world.may(name, "other", "documents:read").await);
        }
        // As an administrator, too.
        let mut record = record_of("rec_admin", "bob", &["ro_viewer"], &["p/1"]);
        record["admins"] = json!([{"userId": long}]);
        create(&world, &record).await;
        world
            .send(&key, "GET", "/v1/records/rec_admin", None)
            .await
            .expect(200);
        // Naming it both ways at once is nothing new to give.
        let mut both = stored.clone();
        both["users"] = json!([{"userId": long}, {"userId": id}]);
        world
            .own("PUT", "/v1/records/rec_long", Some(&both))
            .await
            .expect(202);
        let users = world
            .own("GET", "/v1/resources/long/users", None)
            .await
            .expect(200);
        assert_eq!(users.json()["users"].as_array().unwrap().len(), 1);
    }
}
