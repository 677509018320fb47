//! Paths as the SDKs write them and as attackers do (contract §5).

use std::fmt::Write;

use guestlist_api::resources::ResourceUri;
use guestlist_server::edge_error::EdgeError;
use guestlist_server::paths::{
    Path, PathFault, ResourcePath, Segment, UserResource, resource_path, subject_and_resource,
    with_whole_user,
};
use guestlist_server::percent::NotText;
use proptest::prelude::*;

fn fault(path: &str) -> Option<PathFault> {
    Path::split(path).err().map(|error| error.reason)
}

/// What a path under `/v1/users/` means: the user, the resource and the rest.
fn meaning(path: &str) -> Result<Option<(String, String)>, EdgeError> {
    let path = Path::split(path)?;
    let [_, _, rest @ ..] = path.segments() else {
        panic!("too short");
    };
    let read = subject_and_resource(rest)?;
    Ok(read.map(|read| {
        let asks = match read.asks {
            UserResource::Resources => "resources".to_owned(),
            UserResource::Permissions { resource } => format!("permissions on {resource}"),
            UserResource::Permission {
                resource,
                permission,
            } => {
                format!("{permission} on {resource}")
            }
            UserResource::Roles { resource } => format!("roles on {resource}"),
        };
        (read.user.into_owned(), asks)
    }))
}

fn means(path: &str, user: &str, asks: &str) {
    let expected = Ok(Some((user.to_owned(), asks.to_owned())));
    assert_eq!(meaning(path), expected, "{path}");
}

#[test]
fn p01_the_example_of_every_sdk() {
    let user = "google-oauth2|1095/36@x+y";
    let asks = "READ:* on /orgs/ab/docs/*:d~1";
    for path in [
        "/v1/users/google-oauth2%7C1095%2F36%40x%2By/resources/%2Forgs%2Fab%2Fdocs%2F*%3Ad~1/permissions/READ%3A*",
        "/v1/users/google-oauth2%7C1095%2F36%40x%2By/resources/%2Forgs%2Fab%2Fdocs%2F%2A%3Ad~1/permissions/READ%3A%2A",
        "/v1/users/google-oauth2%7C1095%2F36@x+y/resources/%2Forgs%2Fab%2Fdocs%2F%2A:d~1/permissions/READ:%2A",
        "/v1/users/google-oauth2|1095/36@x+y/resources/%2Forgs%2Fab%2Fdocs%2F*%3Ad%7E1/permissions/READ:*",
        "/v1/users/google-oauth2%7c1095%2f36%40x%2by/resources/%2forgs%2fab%2fdocs%2f*%3ad%7e1/permissions/READ%3a*",
    ] {
        means(path, user, asks);
    }
    // The Ruby SDK's collapsed slashes take the resource's first slash with them.
    means(
        "/v1/users/u/resources/orgs/ab/docs/*:d~1/permissions/READ:*",
        "u",
        "READ:* on orgs/ab/docs/*:d~1",
    );
}

#[test]
fn every_question_about_a_users_resources() {
    means("/v1/users/u/resources", "u", "resources");
    means("/v1/users/a/b/resources", "a/b", "resources");
    means(
        "/v1/users/u/resources/r/permissions",
        "u",
        "permissions on r",
    );
    means("/v1/users/u/resources/r/roles", "u", "roles on r");
    means("/v1/users/a/b/resources/c/d/roles", "a/b", "roles on c/d");
    means(
        "/v1/users/u/resources/resources/permissions/READ",
        "u",
        "READ on resources",
    );
    means(
        "/v1/users/u/resources/resources/roles",
        "u",
        "roles on resources",
    );
    means(
        "/v1/users/%72esources/resources/r/roles",
        "resources",
        "roles on r",
    );
    means(
        "/v1/users/a%2Fresources%2Fb/resources/r/roles",
        "a/resources/b",
        "roles on r",
    );
    means(
        "/v1/users/u/resources/%70ermissions/permissions/x",
        "u",
        "x on permissions",
    );
}

#[test]
fn paths_that_ask_nothing_are_not_found() {
    for path in [
        "/v1/users/u",
        "/v1/users/u/tokens/t",
        "/v1/users/u/resources/r",
        "/v1/users/u/resources/permissions",
        "/v1/users/u/resources/roles",
        "/v1/users/u/resources/permissions/READ",
        "/v1/users/u/resources/r/metadata",
        "/v1/users/u/resources/r/Permissions",
        "/v1/users/u/Resources",
        "/v1/users/u/%72esources",
        "/v1/users/resources",
        "/v1/users/u/resources/r/permissions/READ/x",
    ] {
        assert_eq!(meaning(path), Ok(None), "{path}");
    }
}

#[test]
fn p08_what_can_be_read_twice_is_refused() {
    for path in [
        "/v1/users/a/resources/b/resources/r/permissions/READ",
        "/v1/users/a/resources/b/resources/r/roles",
        "/v1/users/a/resources/b/resources",
        "/v1/users/u/resources/resources",
        "/v1/users/resources/resources",
        "/v1/users/resources/resources/r/roles",
        "/v1/users/u/resources/r/permissions/permissions",
        "/v1/users/u/resources/r/permissions/roles",
        "/v1/users/u/resources/r/roles/permissions/roles",
    ] {
        assert_eq!(meaning(path), Err(EdgeError::AmbiguousPath), "{path}");
    }
}

#[test]
fn p01_a_user_id_of_several_raw_segments_is_one() {
    let whole = |path: &str| {
        let path = Path::split(path).unwrap();
        with_whole_user(path.segments()).map(|texts| texts.map(|texts| texts.join(" ")))
    };
    for (path, expected) in [
        // The Rust SDK, which leaves the pipe as it is, too.
        (
            "/v1/users/google-oauth2|1095/36@x+y",
            "v1 users google-oauth2|1095/36@x+y",
        ),
        ("/v1/users/a/b/c", "v1 users a/b/c"),
        ("/v1/users/a%2Fb/c", "v1 users a/b/c"),
        ("/v1/users/a/b/tokens", "v1 users a/b tokens"),
        ("/v1/users/a/b/tokens/t%2F1", "v1 users a/b tokens t/1"),
        (
            "/v1/users/a/b/token-configuration",
            "v1 users a/b token-configuration",
        ),
        (
            "/v1/connections/c/users/google-oauth2|1095/36@x+y/credentials",
            "v1 connections c users google-oauth2|1095/36@x+y credentials",
        ),
        (
            "/v1/applications/app_1/users/a/users/b/delegation",
            "v1 applications app_1 users a/users/b delegation",
        ),
    ] {
        assert_eq!(whole(path), Ok(Some(expected.to_owned())), "{path}");
    }
    // One segment is one text already.
    for path in [
        "/v1/users",
        "/v1/users/u",
        "/v1/users/a%2Fb",
        "/v1/users/u/tokens",
        "/v1/users/u/tokens/t",
        "/v1/users/resources",
        "/v1/users/u/token-configuration",
        "/v1/connections/c/users/u/credentials",
        "/v1/connections/c",
        "/v1/applications/a/users/u/delegation",
        "/v1/applications/a/users/b/c",
        "/v1/records/a/b",
        "/",
    ] {
        assert_eq!(whole(path), Ok(None), "{path}");
    }
    for path in [
        "/v1/users/u/resources/r",
        "/v1/users/a/resources/tokens/t",
        "/v1/users/a/tokens/tokens",
        "/v1/connections/c/users/a/resources/credentials",
    ] {
        assert_eq!(whole(path), Err(EdgeError::AmbiguousPath), "{path}");
    }
}

#[test]
fn resources_and_their_users() {
    let read = |path: &str| {
        let path = Path::split(path).unwrap();
        resource_path(path.segments().get(2..).unwrap()).map(|read| match read {
            ResourcePath::Itself(resource) => format!("{resource} itself"),
            ResourcePath::Users(resource) => format!("users of {resource}"),
        })
    };
    assert_eq!(read("/v1/resources").as_deref(), None);
    assert_eq!(
        read("/v1/resources/%2Fa%2Fb").as_deref(),
        Some("/a/b itself")
    );
    assert_eq!(
        read("/v1/resources/a/b/users").as_deref(),
        Some("users of a/b")
    );
    assert_eq!(read("/v1/resources/users").as_deref(), Some("users itself"));
    assert_eq!(
        read("/v1/resources/users/users").as_deref(),
        Some("users of users")
    );
    assert_eq!(
        read("/v1/resources/a%2Fusers").as_deref(),
        Some("a/users itself")
    );
}

#[test]
fn p02_dot_segments_are_refused_however_they_are_written() {
    for segment in [
        ".",
        "..",
        "%2e",
        "%2e%2e",
        ".%2E",
        "%2E%2E%2Fx",
        "a%2F..%2Fb",
        "a%2f.",
        "..%2F",
        "%2F..",
    ] {
        for path in [
            format!("/v1/{segment}/x"),
            format!("/{segment}"),
            format!("/a/{segment}/"),
        ] {
            assert_eq!(fault(&path), Some(PathFault::DotSegment), "{path}");
        }
    }
    for segment in [
        "...",
        ".a",
        "a.",
        "a..b",
        "..a",
        "%2Ea",
        "a%2F.b",
        "%252e%252e",
    ] {
        assert_eq!(fault(&format!("/v1/{segment}")), None, "{segment}");
    }
}

#[test]
fn p03_escapes_are_decoded_once() {
    for (raw, decoded) in [("%252F", "%2F"), ("%25%32%46", "%2F"), ("%2525", "%25")] {
        let path = format!("/{raw}");
        let path = Path::split(&path).unwrap();
        assert_eq!(path.segments()[0].text(), decoded);
        assert!(
            decoded.parse::<ResourceUri>().is_err(),
            "a % is legal in no resource"
        );
    }
}

#[test]
fn p04_control_characters_and_bytes_that_are_not_text() {
    for (segment, expected) in [
        ("a%00", NotText::ControlCharacter),
        ("%0a", NotText::ControlCharacter),
        ("%0D", NotText::ControlCharacter),
        ("%7f", NotText::ControlCharacter),
        ("%FF", NotText::NotUtf8),
        ("%C0%AF", NotText::NotUtf8),
        ("%ED%A0%80", NotText::NotUtf8),
    ] {
        let path = format!("/v1/users/{segment}/resources");
        assert_eq!(fault(&path), Some(PathFault::NotText(expected)), "{path}");
    }
}

#[test]
fn p05_broken_escapes_are_refused_with_their_place() {
    for segment in ["a%2", "a%zz", "%", "a%2/41"] {
        let path = format!("/v1/users/{segment}");
        let error = Path::split(&path).unwrap_err();
        assert_eq!(
            error.reason,
            PathFault::NotText(NotText::BrokenEscape),
            "{path}"
        );
        assert_eq!(error.position, 3);
        assert!(
            error
                .to_string()
                .starts_with("segment 3 of the path has a %"),
            "{error}"
        );
    }
}

#[test]
fn p06_empty_segments_are_refused() {
    for path in [
        "//",
        "//v1",
        "/v1//users",
        "/v1/users//",
        "/v1/users//resources",
        "/v1/users/u/resources//permissions/READ",
    ] {
        assert_eq!(fault(path), Some(PathFault::EmptySegment), "{path}");
    }
    assert_eq!(fault(""), Some(PathFault::NotAbsolute));
    assert_eq!(fault("*"), Some(PathFault::NotAbsolute));
    assert_eq!(fault("v1/users"), Some(PathFault::NotAbsolute));
}

#[test]
fn p07_a_trailing_slash_is_told_and_parameters_stay_in_their_segment() {
    let split = |path: &'static str| {
        let path = Path::split(path).unwrap();
        let segments: Vec<_> = path
            .segments()
            .iter()
            .map(|one| one.text().to_owned())
            .collect();
        (segments.join(" "), path.trailing_slash())
    };
    assert_eq!(split("/"), (String::new(), false));
    assert_eq!(split("/v1/users"), ("v1 users".to_owned(), false));
    assert_eq!(split("/v1/users/"), ("v1 users".to_owned(), true));
    assert_eq!(
        split("/v1;x=1/users%3Fa"),
        ("v1;x=1 users?a".to_owned(), false)
    );
    let path = Path::split("/V1/Users").unwrap();
    assert_eq!(path.raw().as_slice(), ["V1", "Users"]);
}

#[test]
fn the_number_of_segments_is_bounded() {
    assert_eq!(fault(&"/a".repeat(64)), None);
    assert_eq!(fault(&"/a".repeat(65)), Some(PathFault::TooManySegments));
    assert_eq!(fault(&"/a".repeat(4000)), Some(PathFault::TooManySegments));
}

/// Percent-encodes all bytes but the letters and digits and those in `plain`.
fn encode(text: &str, plain: &str, lower_case: bool, plus: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else if plus && byte == b' ' {
            encoded.push('+');
        } else if lower_case {
            write!(encoded, "%{byte:02x}").unwrap();
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}

/// The path of a check as each SDK writes it (contract §5).
fn in_every_sdk(user: &str, resource: &str, permission: &str) -> Vec<(&'static str, String)> {
    let path = |user: &str, resource: &str, permission: &str| {
        format!("/v1/users/{user}/resources/{resource}/permissions/{permission}")
    };
    let all = |encode: &dyn Fn(&str) -> String| {
        path(&encode(user), &encode(resource), &encode(permission))
    };
    let rust_resource = encode(resource, "*-._", false, true);
    vec![
        ("js", all(&|text| encode(text, "-_.!~*'()", false, false))),
        ("python", all(&|text| encode(text, "-_.~", false, false))),
        ("go", all(&|text| encode(text, "-_.~$&+=:@", false, false))),
        ("rust", path(user, &rust_resource, permission)),
        ("csharp", all(&|text| encode(text, "-_.!*()", true, true))),
        ("kotlin", all(&|text| encode(text, "-_.*", false, true))),
        ("php", all(&|text| encode(text, "-_.~", false, false))),
        ("ruby", path(user, resource, permission).replace("//", "/")),
    ]
}

/// Parts of a user id, none of which is a dot segment or a keyword.
fn user() -> impl Strategy<Value = String> {
    let part = "[a-zA-Z0-9+_|~:@-][a-zA-Z0-9+._|~:@-]{0,12}";
    prop::collection::vec(part, 1..4)
        .prop_map(|parts| parts.join("/"))
        .prop_filter("a keyword", |user| {
            !user.split('/').any(|part| part == "resources")
        })
}

fn resource() -> impl Strategy<Value = String> {
    let segment = "[a-zA-Z0-9_+=~|@-][a-zA-Z0-9_.+=~|@-]{0,12}(:[a-z]{1,4}|:\\*)?";
    let keywords = ["resources", "permissions", "roles"];
    (prop::collection::vec(segment, 1..6), any::<bool>())
        .prop_filter("a keyword", move |(segments, _)| {
            !segments
                .iter()
                .any(|segment| keywords.contains(&&**segment))
        })
        .prop_map(|(segments, slash)| {
            let resource = segments.join("/");
            if slash {
                format!("/{resource}")
            } else {
                resource
            }
        })
}

fn permission() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_-]{1,8}(:[a-zA-Z0-9_-]{1,8}|:\\*)?".prop_filter("a keyword", |permission| {
        !["permissions", "roles"].contains(&&**permission)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn p01_every_encoding_asks_the_same(
        user in user(), resource in resource(), permission in permission()
    ) {
        let expected: ResourceUri = resource.parse().unwrap();
        for (sdk, path) in in_every_sdk(&user, &resource, &permission) {
            let split = Path::split(&path).unwrap();
            let read = subject_and_resource(&split.segments()[2..]).unwrap().unwrap();
            prop_assert_eq!(&*read.user, &*user, "{}", sdk);
            let UserResource::Permission { resource, permission: asked } = read.asks else {
                panic!("{sdk}");
            };
            prop_assert_eq!(&resource.parse::<ResourceUri>().unwrap(), &expected, "{}", sdk);
            prop_assert_eq!(asked, &*permission, "{}", sdk);
        }
    }

    #[test]
    fn splitting_never_panics(path in "\\PC{0,60}|[/.%a0]{0,40}|/v1/users(/[a-z.%2Fresources]{0,12}){0,8}") {
        if let Ok(split) = Path::split(&path) {
            let rejoined: String = split.raw().iter().flat_map(|raw| ["/", *raw]).collect();
            let slash = if split.trailing_slash() || split.segments().is_empty() { "/" } else { "" };
            prop_assert_eq!(rejoined + slash, path.clone());
            for segment in split.segments() {
                let text = segment.text();
                prop_assert!(!text.is_empty() && !text.chars().any(char::is_control));
                prop_assert!(!text.split('/').any(|part| part == "." || part == ".."));
            }
            let _ = subject_and_resource(split.segments());
            let _ = resource_path(split.segments());
        }
    }

    #[test]
    fn decoding_undoes_encoding(
        texts in prop::collection::vec("[^\\p{Cc}]{1,20}", 1..6),
        plain in prop::sample::select(vec!["", "-_.~", "-_.!~*'()", "+$&=:@|\"{}"]),
        lower_case: bool,
    ) {
        let dots = |text: &String| text.split('/').any(|part| part == "." || part == "..");
        prop_assume!(!texts.iter().any(dots));
        let mut path = String::new();
        for text in &texts {
            path = path + "/" + &encode(text, plain, lower_case, false);
        }
        let split = Path::split(&path).unwrap();
        let decoded: Vec<_> = split.segments().iter().map(Segment::text).collect();
        prop_assert_eq!(decoded, texts);
    }

    #[test]
    fn a_reading_is_unique_or_refused(
        segments in prop::collection::vec(
            prop::sample::select(vec!["a", "resources", "permissions", "roles", "b%2Fc"]), 1..8
        )
    ) {
        let path = format!("/{}", segments.join("/"));
        let split = Path::split(&path).unwrap();
        let naive = naive_readings(&segments);
        match subject_and_resource(split.segments()) {
            Ok(None) => prop_assert_eq!(naive.len(), 0),
            Ok(Some(read)) => {
                prop_assert_eq!(naive.len(), 1);
                let user = naive[0].replace("%2F", "/");
                prop_assert_eq!(&*read.user, &*user);
                prop_assert!(!naive[0].split('/').any(|part| part == "resources"));
            }
            Err(error) => {
                prop_assert_eq!(error, EdgeError::AmbiguousPath);
                let keyword_in_user = naive.iter().any(|user| user.split('/').any(|part| part == "resources"));
                prop_assert!(naive.len() > 1 || keyword_in_user);
            }
        }
    }
}

/// The user of each reading, found by trying every way to cut the path.
fn naive_readings(segments: &[&str]) -> Vec<String> {
    let mut users = Vec::new();
    for keyword in 1..segments.len() {
        if segments[keyword] != "resources" {
            continue;
        }
        let user = segments[..keyword].join("/");
        let rest = &segments[keyword + 1..];
        if rest.is_empty() {
            users.push(user.clone());
        }
        for resource in 1..=rest.len() {
            match &rest[resource..] {
                ["permissions" | "roles"] | ["permissions", _] => users.push(user.clone()),
                _ => {}
            }
        }
    }
    users
}
