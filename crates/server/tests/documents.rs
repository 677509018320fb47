//! The documents for readers, held to the code: refusals, operations, settings, the tables of what
//! covers what, and links.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guestlist_api::actions::Action;
use guestlist_api::resources::ResourceUri;
use guestlist_rules::coverage;
use serde_json::Value;

const API: &str = include_str!("../../../docs/API.md");
const README: &str = include_str!("../../../README.md");
const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");
const SETTINGS: &str = include_str!("../../guestlist/src/settings.rs");

/// The cells of the table whose heading begins so, without its heading and its ruler.
fn table<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let start = text
        .find(heading)
        .unwrap_or_else(|| panic!("no table {heading}"));
    let lines = text[start..]
        .lines()
        .take_while(|line| line.starts_with('|'));
    lines
        .enumerate()
        .filter(|(number, _)| *number != 1)
        .map(|(_, line)| cells(line))
        .collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Each status with an error code, as the description has them.
fn described_codes(value: &Value, found: &mut BTreeSet<(u64, String)>) {
    match value {
        Value::Object(members) => {
            let listed = |name: &str| {
                members
                    .get(name)
                    .and_then(|member| member["enum"].as_array())
            };
            if let (Some(codes), Some(statuses)) = (listed("errorCode"), listed("status")) {
                let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
                found.extend(codes.map(|code| (statuses[0].as_u64().unwrap(), code)));
            }
            members
                .values()
                .for_each(|member| described_codes(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| described_codes(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Codes that the code can answer and the page does not list with their status, and the reverse.
fn differing_codes(page: &str) -> BTreeSet<(u64, String)> {
    let mut in_code = BTreeSet::new();
    described_codes(&serde_json::from_str(DESCRIPTION).unwrap(), &mut in_code);
    // They are no answer of any one operation.
    in_code.extend([
        (405, "MethodNotAllowed".to_owned()),
        (501, "NotImplemented".to_owned()),
    ]);
    let rows = table(page, "| meaning |");
    let in_page: BTreeSet<(u64, String)> = rows[1..]
        .iter()
        .flat_map(|row| {
            let status = row[1].parse().unwrap();
            quoted(row[2]).map(move |code| (status, code.to_owned()))
        })
        .collect();
    in_code.symmetric_difference(&in_page).cloned().collect()
}

#[test]
fn every_refusal_stands_in_the_table_with_its_status() {
    assert_eq!(differing_codes(API), BTreeSet::new());
}

#[test]
fn control_a_missing_or_wrong_refusal_is_noticed() {
    assert_eq!(
        differing_codes(&API.replace("`LastOwner`", "`FirstOwner`")).len(),
        2
    );
    assert_eq!(differing_codes(&API.replace("| 412 |", "| 409 |")).len(), 2);
}

/// Operations of the description that the page does not name as `METHOD /path`.
fn missing_operations(page: &str) -> Vec<String> {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let named: BTreeSet<&str> = quoted(page).collect();
    let mut missing = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let operation = format!("{} {path}", method.to_uppercase());
            // Files of the reference page, and the alias that the quirks name.
            let aside = path == "/docs/{file}" || method == "post" && path.ends_with("Id}");
            let begins = |name: &&str| name.starts_with(&format!("{operation} "));
            if !aside && !named.contains(operation.as_str()) && !named.iter().any(begins) {
                missing.push(operation);
            }
        }
    }
    missing
}

#[test]
fn every_operation_stands_in_the_page_of_the_interface() {
    assert_eq!(missing_operations(API), Vec::<String>::new());
    let without = API.replace("`PATCH /v1/invites/{inviteId}`", "accepting");
    assert_eq!(
        missing_operations(&without),
        ["PATCH /v1/invites/{inviteId}"],
        "the control"
    );
}

#[test]
fn the_table_of_resources_says_what_the_rules_say() {
    let rows = table(API, "| held on |");
    assert!(rows.len() > 5);
    for row in &rows[1..] {
        for (asked, told) in rows[0].iter().zip(row).skip(1) {
            let (held, asked) = (row[0].trim_matches('`'), asked.trim_matches('`'));
            let uri = |text: &str| text.parse::<ResourceUri>().unwrap();
            let covered = coverage::covers(&uri(held), false, &uri(asked), false);
            let said = if covered { "yes" } else { "no" };
            assert_eq!(told.trim_matches('*'), said, "{held} and {asked}");
        }
    }
}

#[test]
fn the_table_of_actions_says_what_the_rules_say() {
    let rows = table(API, "| held | `documents`");
    assert!(rows.len() > 5);
    for row in &rows[1..] {
        for held in quoted(row[0]) {
            for (asked, told) in rows[0].iter().zip(row).skip(1) {
                let asked: Action = asked.trim_matches('`').parse().unwrap();
                let covered = held.parse::<Action>().unwrap().covers(&asked);
                assert_eq!(
                    *told,
                    if covered { "yes" } else { "no" },
                    "{held} and {asked}"
                );
            }
        }
    }
}

#[test]
fn every_setting_stands_in_the_readme() {
    let variables: Vec<&str> = SETTINGS
        .split("env = \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(variables.len() > 10);
    let rows = table(README, "| flag |");
    for variable in &variables {
        assert!(
            rows.iter().any(|row| row[1] == format!("`{variable}`")),
            "{variable}"
        );
    }
    assert_eq!(rows.len() - 1, variables.len());
}

/// The documents of this repository.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = [root.clone(), root.join("docs"), root.join("docs/decisions")];
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The text without what stands in fences.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// How a heading is linked to: lower case, spaces as `-`, no other signs.
fn anchor(heading: &str) -> String {
    let kept =
        |character: &char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_');
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

fn leads_somewhere(document: &Path, link: &str) -> bool {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => document.to_owned(),
        path => document.parent().unwrap().join(path),
    };
    if fragment.is_empty() {
        return target.exists();
    }
    let Ok(text) = fs::read_to_string(target) else {
        return false;
    };
    let headings = prose(&text);
    headings
        .lines()
        .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == fragment)
}

/// What stands in quotes behind `name=`.
fn assigned<'a>(text: &'a str, name: &str) -> &'a str {
    let start = format!("{name}='");
    let rest = &text[text.find(&start).unwrap() + start.len()..];
    rest.split('\'').next().unwrap()
}

#[test]
fn the_example_of_a_signature_is_right() {
    const OPERATING: &str = include_str!("../../../docs/OPERATING.md");
    let signature = |text: &str| {
        let secret = STANDARD.decode(assigned(text, "SECRET")).unwrap();
        let parts = ["ID", "TIMESTAMP", "BODY"].map(|name| assigned(text, name));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        STANDARD.encode(hmac::sign(&key, parts.join(".").as_bytes()))
    };
    let shown = |text: &str| text.contains(&format!("\n# {}\n", signature(text)));
    assert!(shown(OPERATING));
    assert!(!shown(&OPERATING.replace("2432232314", "1")), "the control");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 20);
    for document in documents {
        let text = prose(&fs::read_to_string(&document).unwrap());
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            let outside = link.starts_with("http://") || link.starts_with("https://");
            assert!(
                outside || leads_somewhere(&document, link),
                "{}: {link}",
                document.display()
            );
        }
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    assert!(!leads_somewhere(&readme, "docs/NOTHING.md"), "the control");
    assert!(
        !leads_somewhere(&readme, "docs/API.md#nothing"),
        "the control"
    );
}
