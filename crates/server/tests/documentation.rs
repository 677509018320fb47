//! The reference page: complete, and without any request to elsewhere.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use guestlist_server::documentation::{file, page};
use guestlist_server::refusal::Refusal;
use http::header::{
    CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

fn text(name: &str) -> String {
    String::from_utf8(file(name).unwrap().body.to_vec()).unwrap()
}

#[test]
fn the_page_names_only_files_that_are_there() {
    let page = text("");
    assert_eq!(page, text("index.html"));
    let mut named = 0;
    for part in page.split("/docs/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(file(name).is_some(), "{name}");
        named += 1;
    }
    assert_eq!(named, 4);
}

#[test]
fn nothing_of_our_own_names_another_server() {
    for name in ["", "start.js"] {
        let text = text(name);
        assert!(!text.contains("//"), "{text}");
        assert!(
            !text.contains("<style") && !text.contains("style="),
            "{text}"
        );
    }
    assert!(text("start.js").contains("validatorUrl: null"));
    assert!(text("start.js").contains("url: \"/openapi.json\""));
}

#[test]
fn every_file_says_what_it_is_and_what_it_may_do() {
    for (name, content_type) in [
        ("", "text/html"),
        ("start.js", "text/javascript"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("favicon-32x32.png", "image/png"),
    ] {
        let response = page(name).unwrap().into_response();
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert!(header(CONTENT_TYPE).starts_with(content_type), "{name}");
        assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(header(REFERRER_POLICY), "no-referrer");
        let policy = header(CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        let compressed = file(name).unwrap().body.starts_with(&[0x1f, 0x8b]);
        assert_eq!(
            response.headers().contains_key(CONTENT_ENCODING),
            compressed,
            "{name}"
        );
    }
}

#[test]
fn there_is_no_other_file() {
    for name in [
        "swagger-ui.js",
        "swagger-initializer.js",
        "oauth2-redirect.html",
        "../Cargo.toml",
        "Index.html",
        "/",
        ".",
    ] {
        assert!(matches!(page(name), Err(Refusal::NoSuchPath)), "{name}");
    }
}

#[test]
fn the_page_is_small() {
    let names = [
        "",
        "start.js",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "favicon-32x32.png",
    ];
    let bytes: usize = names
        .iter()
        .map(|name| file(name).unwrap().body.len())
        .sum();
    assert!(bytes < 1_000_000, "{bytes}");
}
