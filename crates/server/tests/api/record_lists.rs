//! Lists of access records through the API: filters, pages, and who sees what.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::world::{Engine, World, engines, record_of};

async fn create(world: &World, record: &Value) {
    world
        .own("POST", "/v1/records", Some(record))
        .await
        .expect(201);
}

/// The ids of a page of records.
fn ids(page: &Value) -> Vec<&str> {
    let records = page["records"].as_array().unwrap().iter();
    records
        .map(|record| record["recordId"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_list_is_filtered_by_every_text_of_a_record() {
    let world = World::new(Engine::Memory).await;
    let mut record = record_of("rec_one", "Ursula", &["ro_viewer"], &["Shelf/7"]);
    record["name"] = json!("Reading room");
    record["description"] = json!("Second floor");
    record["admins"] = json!([{"userId": "Anton"}]);
    record["groups"] = json!([{"groupId": "grp_readers"}]);
    record["tags"] = json!({"colour": "Vermilion"});
    create(&world, &record).await;
    let mut other = record_of("rec_two", "x", &["ro_editor"], &["desk/1"]);
    other["users"] = json!([]);
    other["statements"][0]["users"] = json!([{"userId": "Wilma"}]);
    other["statements"][0]["groups"] = json!([{"groupId": "grp_writers"}]);
    create(&world, &other).await;
    for (filter, expected) in [
        ("rec_on", vec!["rec_one"]),
        ("READING%20ROOM", vec!["rec_one"]),
        ("second+floor", vec!["rec_one"]),
        ("ursul", vec!["rec_one"]),
        ("anton", vec!["rec_one"]),
        ("grp_readers", vec!["rec_one"]),
        ("shelf%2F7", vec!["rec_one"]),
        ("vermil", vec!["rec_one"]),
        ("wilma", vec!["rec_two"]),
        ("GRP_W", vec!["rec_two"]),
        ("ro_editor", vec!["rec_two"]),
        (
            "rec_",
            vec!["rec_one", "rec_owner", "rec_sample", "rec_two"],
        ),
        ("nothing-like-it", vec![]),
    ] {
        let target = format!("/v1/records?filter={filter}");
        let page = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(ids(&page), expected, "{filter}");
    }
    let long = format!("/v1/records?filter={}", "a".repeat(129));
    let reply = world.own("GET", &long, None).await.expect(400);
    assert_eq!(reply.json()["path"], "filter");
}

#[tokio::test]
async fn a_list_shows_records_in_force_unless_asked_for_deleted_ones() {
    for engine in engines() {
        let world = World::new(engine).await;
        for id in ["rec_1", "rec_2", "rec_3"] {
            world.give(id, "bob", &["ro_viewer"], &["p/1"]).await;
        }
        world
            .own("DELETE", "/v1/records/rec_2", None)
            .await
            .expect(204);
        let list = async |query: &str| {
            let target = format!("/v1/records{query}");
            world.own("GET", &target, None).await.expect(200).json()
        };
        let active = ["rec_1", "rec_3", "rec_owner", "rec_sample"];
        for query in [
            "",
            "?status=ACTIVE",
            "?status=",
            "?status=undefined",
            "?status=null&filter=null&cursor=undefined&limit=null",
        ] {
            assert_eq!(ids(&list(query).await), active, "{query}");
        }
        let deleted = list("?status=DELETED").await;
        assert_eq!(ids(&deleted), ["rec_2"]);
        assert_eq!(deleted["records"][0]["status"], "DELETED");
        assert!(deleted.get("pagination").is_none());
        for status in ["deleted", "OPEN", "ACTIVE%20"] {
            let target = format!("/v1/records?status={status}");
            let reply = world.own("GET", &target, None).await.expect(400);
            assert_eq!(reply.json()["path"], "status", "{status}");
        }
        // A cursor goes on in the list it was given for.
        let first = list("?limit=1&status=ACTIVE").await;
        let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
        let next = list(&format!("?limit=2&status=ACTIVE&cursor={cursor}")).await;
        assert_eq!(ids(&next), ["rec_3", "rec_owner"]);
        let other = format!("/v1/records?status=DELETED&cursor={cursor}");
        world.own("GET", &other, None).await.expect(400);
    }
}

#[tokio::test]
async fn everybody_sees_the_records_they_may_read_and_no_others() {
    let world = World::new(Engine::Memory).await;
    for number in 0..30 {
        let mut record = record_of(&format!("rec_{number:02}"), "bob", &["ro_viewer"], &["p/1"]);
        if number % 3 == 0 {
            record["admins"] = json!([{"userId": "carol"}]);
        }
        create(&world, &record).await;
    }
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give(
            "rec_x",
            "dave",
            &["ro_reader"],
            &["Authress:AccessRecords/rec_07"],
        )
        .await;
    world
        .give("rec_y", "erin", &["ro_reader"], &["Authress:AccessRecords"])
        .await;
    let seen = async |user: &str| {
        let mut target = "/v1/records?limit=4".to_owned();
        let mut seen: Vec<String> = Vec::new();
        loop {
            let page = world
                .as_user(user, "GET", &target, None)
                .await
                .expect(200)
                .json();
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page["links"]["next"]["href"].as_str() else {
                return seen;
            };
            next.strip_prefix("http://guestlist.test")
                .unwrap()
                .clone_into(&mut target);
        }
    };
    let carols: Vec<String> = (0..10).map(|n| format!("rec_{:02}", n * 3)).collect();
    assert_eq!(seen("carol").await, carols);
    assert_eq!(seen("dave").await, ["rec_07"]);
    assert_eq!(seen("erin").await.len(), 34);
    assert!(seen("bob").await.is_empty());
}

#[tokio::test]
async fn a_cursor_tells_nothing_of_records_that_were_passed_over() {
    let world = World::new(Engine::Memory).await;
    for id in ["rec_1", "rec_secret2", "rec_3"] {
        let mut record = record_of(id, "bob", &["ro_viewer"], &["p/1"]);
        if !id.contains("secret") {
            record["admins"] = json!([{"userId": "carol"}]);
        }
        create(&world, &record).await;
    }
    let page = world
        .as_user("carol", "GET", "/v1/records?limit=1", None)
        .await
        .expect(200)
        .json();
    let cursor = page["pagination"]["next"]["cursor"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(cursor)
        .unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("rec_"));
}
