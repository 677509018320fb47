//! The example of the front page: what it shows is what is run here.

use guestlist_server::testing::TestServer;

#[path = "../../examples/invite.rs"]
#[expect(
    dead_code,
    reason = "its `main` reads arguments; the test calls the rest"
)]
mod invite;

#[tokio::test]
async fn the_example_of_the_front_page_works() {
    let page = include_str!("../../README.md");
    let example = include_str!("../../examples/invite.rs");
    let (_, shown) = example
        .split_once("// The front page shows this part as it stands here.\n")
        .unwrap();
    let (shown, _) = shown.split_once("// To here.\n").unwrap();
    let shown = shown.replace("pub(crate) ", "");
    assert!(page.contains(&shown), "README.md shows another example");
    let server = TestServer::start().await.unwrap();
    let token = server.token("bob").unwrap();
    let allowed = invite::invite_an_editor(server.url(), server.owner_key(), &token).await;
    assert!(allowed.unwrap());
}
