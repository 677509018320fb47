//! `guestlist webhook`: their whole lives, output and exit codes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use guestlist_server::testing::TestServer;

use crate::program::{Person, is_private};

/// The URL of a receiver that answers this to each request.
fn receiver(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 8192];
            let _read = stream.read(&mut buffer);
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            let _written = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[tokio::test]
async fn a_webhook_is_made_shown_tested_changed_rotated_replayed_and_deleted() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let url = receiver("200 OK");
    let out = owner.file("directory", "");
    let out = out.replace("directory", "shop.secret");
    let made = owner
        .say(&format!(
            "webhook create {url} --event identity.* --event role.deleted --description shop --out {out} --json"
        ))
        .expect(0)
        .json();
    let id = made["webhookId"].as_str().unwrap().to_owned();
    assert!(made.get("secret").is_none(), "{made}");
    let secret = std::fs::read_to_string(&out).unwrap();
    assert!(secret.starts_with("whsec_") && is_private(std::path::Path::new(&out)));
    // Nothing is made if the secret has no place.
    owner
        .say(&format!("webhook create {url} --out {out}"))
        .expect(7);
    let list = owner.say("webhook list --filter SHOP").expect(0);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", list.stdout);
    assert!(lines[1].contains("identity.*, role.deleted") && lines[1].contains("enabled"));

    let tested = owner.say(&format!("webhook test {id}")).expect(0);
    assert!(
        tested.stdout.contains("delivered (200)"),
        "{}",
        tested.stdout
    );
    let deliveries = owner.say(&format!("webhook deliveries {id}")).expect(0);
    assert!(
        deliveries.stdout.contains("webhook.tested"),
        "{}",
        deliveries.stdout
    );
    let rotated = owner.say(&format!("webhook rotate {id}")).expect(0);
    assert!(rotated.stdout.starts_with("whsec_"), "{}", rotated.stdout);
    assert_eq!(rotated.stdout.lines().count(), 1);
    assert_ne!(rotated.stdout.trim(), secret.trim());
    owner
        .say(&format!("webhook replay {id} --after 0"))
        .expect(0);
    owner
        .say(&format!("webhook replay {id} --after 1000"))
        .expect(2);

    let shown = owner.say(&format!("webhook edit {id} --disable")).expect(0);
    assert!(shown.stdout.contains("disabled"), "{}", shown.stdout);
    let yaml = owner.say(&format!("webhook show {id} --yaml")).expect(0);
    assert!(!yaml.stdout.contains("whsec_"));
    let failing = receiver("500 No");
    let changed = yaml.stdout.replace(&url, &failing);
    owner
        .run_with(&["webhook", "edit", &id, "-f", "-"], &changed)
        .expect(0);
    let tested = owner.say(&format!("webhook test {id}")).expect(1);
    assert!(
        tested.stdout.contains("not delivered (500)"),
        "{}",
        tested.stdout
    );
    owner.say(&format!("webhook delete {id} --yes")).expect(0);
    owner.say(&format!("webhook show {id}")).expect(3);
    owner.say("webhook create http://hooks.example/").expect(2);
    owner.say("webhook create").expect(2);
}
