//! The description of the API: complete, consistent, in step with the route table, and checked in.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use guestlist_server::openapi::description;
use guestlist_server::operations::Operation;
use guestlist_server::paths::Path;
use guestlist_server::refusal::Refusal;
use guestlist_server::routes::route;
use http::Method;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_slice(&description("/")).unwrap()
}

/// Every described way to an operation: method, path template, and the operation of the document.
fn described(document: &Value) -> Vec<(Method, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            all.push((method, path.clone(), operation.clone()));
        }
    }
    all
}

/// The operation that an `operationId` names. A second way to one has a suffix.
fn named(id: &str) -> Operation {
    let plain = id
        .strip_suffix("ByPost")
        .or_else(|| id.strip_suffix("ByUser"))
        .or_else(|| id.strip_suffix("File"))
        .unwrap_or(id);
    let found = Operation::ALL
        .into_iter()
        .find(|operation| operation.name() == plain);
    found.unwrap_or_else(|| panic!("{id} is no operation"))
}

/// A path of a template, with something in its variable places.
fn filled(template: &str) -> String {
    template
        .replace("{userId}", "google-oauth2%7C1095%2F36")
        .replace("{resourceUri}", "%2Fdocuments%2Fdoc_1")
        .replace("{permission}", "documents%3Aread")
        .replace("{file}", "start.js")
        .replace(['{', '}'], "x")
}

#[test]
fn the_checked_in_description_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let mut fresh = serde_json::to_string_pretty(&document()).unwrap();
    fresh.push('\n');
    if std::env::var_os("GUESTLIST_BLESS").is_some() {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == fresh,
        "docs/openapi.json is not what the code says; look at the difference after \
         GUESTLIST_BLESS=1 cargo test -p guestlist-server --test openapi"
    );
}

#[test]
fn every_operation_is_described_under_its_name() {
    let document = document();
    let ids: Vec<String> = described(&document)
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    for operation in Operation::ALL {
        assert!(distinct.contains(&operation.name()), "{operation:?}");
    }
}

#[test]
fn every_described_way_leads_to_its_operation_and_no_other_method_leads_anywhere() {
    let document = document();
    let all = described(&document);
    for (method, template, operation) in &all {
        let target = filled(template);
        let path = Path::split(&target).unwrap();
        let routed = route(method, &path).unwrap();
        let id = operation["operationId"].as_str().unwrap();
        assert_eq!(routed.operation, named(id), "{method} {template}");
    }
    let templates: BTreeSet<&String> = all.iter().map(|(_, template, _)| template).collect();
    for template in templates {
        let target = filled(template);
        let path = Path::split(&target).unwrap();
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let known =
                |(one, other, _): &&(Method, String, Value)| *one == method && other == template;
            if all.iter().find(known).is_none() {
                let refusal = route(&method, &path).err();
                let other_method = matches!(
                    refusal,
                    Some(Refusal::NoSuchMethod(_) | Refusal::NotBuilt(_))
                );
                assert!(
                    other_method,
                    "{method} {template} is routed and not described"
                );
            }
        }
    }
}

#[test]
fn required_parameters_are_those_of_the_path() {
    for (method, template, operation) in described(&document()) {
        let in_template: BTreeSet<&str> = template
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let in_path = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path");
        let listed = in_path
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_template, listed, "{method} {template}");
        for parameter in parameters {
            assert_eq!(
                parameter["required"],
                parameter["in"] == "path",
                "{parameter}"
            );
        }
    }
}

#[test]
fn what_needs_a_caller_says_so() {
    for (method, template, operation) in described(&document()) {
        let public = named(operation["operationId"].as_str().unwrap()).is_public();
        let security = operation["security"].as_array().unwrap();
        assert_eq!(security.is_empty(), public, "{method} {template}");
        let refused = operation["responses"].get("401").is_some();
        // Its credential is in the body.
        let by_secret = operation["operationId"] == "requestToken";
        assert_eq!(refused, !public || by_secret, "{method} {template}");
    }
}

#[test]
fn every_answer_has_the_media_type_it_is_sent_with() {
    let document = document();
    for (method, template, operation) in described(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(&reference[1..]).unwrap(),
                None => response,
            };
            let media = response["content"].as_object();
            let media: Vec<&str> = media
                .into_iter()
                .flatten()
                .map(|(media, _)| media.as_str())
                .collect();
            let refused = status.parse::<u16>().unwrap() >= 400;
            let is_problem = media == ["application/problem+json"];
            assert_eq!(refused, is_problem, "{method} {template} {status}");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => {
                        found.insert(reference.clone());
                    }
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_to_a_component_and_every_component_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let mut there = BTreeSet::new();
    for kind in ["schemas", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            there.insert(format!("#/components/{kind}/{name}"));
        }
    }
    assert_eq!(used, there);
}

#[test]
fn the_document_names_where_the_server_is_reached() {
    let url = "https://guestlist.example";
    let document: Value = serde_json::from_slice(&description(url)).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], url);
}
