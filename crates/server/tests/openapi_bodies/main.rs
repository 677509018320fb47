//! The described bodies are those of the wire types: what a schema forbids is refused, what it
//! allows is taken, and an answer has exactly the members that are described.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

use guestlist_server::openapi::description;
use serde_json::{Map, Value, json};

mod samples;
mod sign_in_samples;
mod webhook_samples;

use samples::{answers, bare_answers, requests};

/// The document's schemas.
struct Schemas(Value);

impl Schemas {
    fn read() -> Self {
        let document: Value = serde_json::from_slice(&description("/")).unwrap();
        Self(document["components"]["schemas"].clone())
    }

    /// A schema with references followed and `anyOf` and `allOf` folded into it: all members, and
    /// whether it may be null.
    fn flat<'a>(&'a self, schema: &'a Value) -> Flat<'a> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return self.flat(&self.0[name]);
        }
        for (keyword, alternative) in [("anyOf", true), ("allOf", false)] {
            let Some(parts) = schema[keyword].as_array() else {
                continue;
            };
            let parts = parts.iter().map(|part| self.flat(part));
            let mut parts: Vec<Flat<'_>> = parts.collect();
            let nullable = alternative && parts.iter().any(|part| part.nullable);
            // The first part is the one with the members; the rest narrows it or is null.
            let mut flat = parts.swap_remove(0);
            flat.nullable |= nullable;
            return flat;
        }
        let types = &schema["type"];
        let nullable = types == "null"
            || types
                .as_array()
                .is_some_and(|types| types.iter().any(|one| one == "null"));
        Flat {
            schema,
            nullable,
            optional: false,
        }
    }

    fn of(&self, name: &str) -> Flat<'_> {
        let flat = self.flat(&self.0[name]);
        assert!(flat.schema.is_object(), "{name} is not described");
        flat
    }
}

#[derive(Clone, Copy)]
struct Flat<'a> {
    schema: &'a Value,
    nullable: bool,
    /// Whether it is a member that may be left out, which `""` then means too.
    optional: bool,
}

impl<'a> Flat<'a> {
    fn has_type(&self, name: &str) -> bool {
        let types = &self.schema["type"];
        types == name
            || types
                .as_array()
                .is_some_and(|types| types.iter().any(|one| one == name))
    }

    fn members(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.schema["properties"].as_object().into_iter().flatten()
    }

    /// Whether it has members of names that are not said.
    fn is_open(&self) -> bool {
        let further = &self.schema["additionalProperties"];
        !further.is_null() && *further != false
    }

    /// Whether members that are not described are refused.
    fn is_closed(&self) -> bool {
        self.schema["additionalProperties"] == false
    }

    fn required(&self) -> Vec<&'a str> {
        let required = self.schema["required"].as_array();
        required
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap())
            .collect()
    }

    fn number(&self, keyword: &str) -> Option<usize> {
        self.schema[keyword]
            .as_u64()
            .map(|number| usize::try_from(number).unwrap())
    }
}

/// Checks that a value with all members has exactly those described, all the way down.
fn same_members(schemas: &Schemas, schema: Flat<'_>, value: &Value, path: &str) {
    match value {
        Value::Object(members) if !schema.is_open() => {
            let described: Vec<&String> = schema.members().map(|(name, _)| name).collect();
            let found: Vec<&String> = members.keys().collect();
            assert_eq!(described, found, "{path}");
            for (name, member) in schema.members() {
                let path = format!("{path}.{name}");
                same_members(schemas, schemas.flat(member), &members[name], &path);
            }
        }
        Value::Array(items) => {
            assert!(schema.has_type("array"), "{path}");
            for item in items {
                same_members(schemas, schemas.flat(&schema.schema["items"]), item, path);
            }
        }
        Value::String(text) => {
            assert!(schema.has_type("string"), "{path}");
            if let Some(allowed) = schema.schema["enum"].as_array() {
                assert!(allowed.iter().any(|one| one == text), "{path}");
            }
        }
        Value::Bool(_) => assert!(schema.has_type("boolean"), "{path}"),
        Value::Number(_) => {
            assert!(
                schema.has_type("integer") || schema.has_type("number"),
                "{path}"
            );
        }
        Value::Object(_) => assert!(schema.has_type("object"), "{path}"),
        Value::Null => assert!(schema.nullable, "{path}"),
    }
}

#[test]
fn answers_have_exactly_the_members_that_are_described() {
    let schemas = Schemas::read();
    for (name, value) in answers() {
        same_members(&schemas, schemas.of(name), &value, name);
    }
}

#[test]
fn requests_have_exactly_the_members_that_are_described() {
    let schemas = Schemas::read();
    for (name, value, reads) in requests() {
        same_members(&schemas, schemas.of(name), &value, name);
        assert!(reads(&value), "{name}");
    }
}

#[test]
fn answers_always_have_what_is_required() {
    let schemas = Schemas::read();
    for (name, value) in bare_answers() {
        let mut required = schemas.of(name).required();
        required.sort_unstable();
        let always: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(required, always, "{name}");
    }
}

/// Values that a schema forbids in the place of one that it allows, and why.
fn forbidden(schema: Flat<'_>, value: &Value) -> Vec<(String, Value)> {
    let mut all = vec![("another type".to_owned(), other_type(value))];
    let mut add = |why: &str, value: Value| all.push((why.to_owned(), value));
    if !schema.nullable {
        add("null", Value::Null);
    }
    if let Some(most) = schema.number("maxLength") {
        add("maxLength", json!("a".repeat(most + 1)));
    }
    if schema.number("minLength").is_some() && !schema.optional {
        add("minLength", json!(""));
    }
    if schema.schema["pattern"].is_string() {
        add("pattern", json!("\u{0}"));
    }
    if schema.schema["enum"].is_array() {
        add("enum", json!("NOTHING"));
    }
    if schema.schema["format"] == "date-time" {
        add("format", json!("yesterday"));
    }
    if let (Some(most), Some(items)) = (schema.number("maxItems"), value.as_array()) {
        let item = items
            .first()
            .cloned()
            .unwrap_or_else(|| json!({ "userId": "a", "groupId": "a" }));
        add("maxItems", Value::Array(vec![item; most + 1]));
    }
    if schema.number("minItems").is_some() {
        add("minItems", json!([]));
    }
    if let Some(most) = schema.number("maxProperties") {
        let labels = (0..=most).map(|number| (number.to_string(), json!("a")));
        add("maxProperties", Value::Object(labels.collect()));
        add("propertyNames", json!({ "": "a" }));
        if schema.schema["additionalProperties"].is_object() {
            add("additionalProperties", json!({ "a": "a".repeat(1_000) }));
        }
    }
    if let Some(most) = schema.schema["maximum"].as_u64() {
        add("maximum", json!(most + 1));
        add("minimum", json!(-1));
    }
    if let (true, Some(members)) = (schema.is_closed(), value.as_object()) {
        let mut more = members.clone();
        more.insert("unknownMember".to_owned(), json!("text"));
        add("additionalProperties", Value::Object(more));
    }
    for name in schema.required() {
        let mut less = value.as_object().unwrap().clone();
        less.remove(name);
        add(&format!("required {name}"), Value::Object(less));
    }
    all
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::String(_) | Value::Bool(_) => json!(7),
        Value::Number(_) | Value::Array(_) | Value::Object(_) | Value::Null => json!("text"),
    }
}

/// Values that a schema allows in the place of another.
fn allowed(schema: Flat<'_>, value: &Value) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    if schema.nullable {
        all.push(("null", Value::Null));
    }
    let is_enum = schema.schema["enum"].is_array();
    if schema.optional && schema.has_type("string") && schema.nullable && !is_enum {
        all.push(("empty", json!("")));
    }
    // Some patterns forbid a long row of one letter; their limits are tested with their types.
    let pattern = schema.schema["pattern"].as_str().unwrap_or_default();
    let plain = pattern.starts_with("^[") && !pattern.contains('{');
    if let Some(most) = schema.number("maxLength").filter(|_| plain) {
        all.push(("maxLength", json!("a".repeat(most))));
    }
    if let (Some(most), Some(item)) = (
        schema.number("maxItems"),
        value.as_array().and_then(|items| items.first()),
    ) {
        all.push(("maxItems", Value::Array(vec![item.clone(); most])));
    }
    if let Some(values) = schema.schema["enum"].as_array() {
        all.extend(values.iter().map(|value| ("enum", value.clone())));
    }
    if let Value::Object(members) = value {
        let is_full = schema.number("maxProperties") == Some(members.len());
        if !schema.is_closed() && !is_full {
            let mut more = members.clone();
            more.insert("unknownMember".to_owned(), json!("text"));
            all.push(("further members", Value::Object(more)));
        }
        let required = schema.required();
        let least: Map<String, Value> = members
            .clone()
            .into_iter()
            .filter(|(name, _)| required.contains(&name.as_str()))
            .collect();
        if schema.number("minProperties").is_none() {
            all.push(("required members only", Value::Object(least)));
        }
    }
    all
}

/// Calls back for every place in a body with a way to put something else there.
fn each_place<'a>(
    schemas: &'a Schemas,
    schema: Flat<'a>,
    body: &Value,
    pointer: &str,
    found: &mut dyn FnMut(&str, Flat<'a>, &Value),
) {
    found(pointer, schema, body);
    match body {
        Value::Object(members) => {
            let required = schema.required();
            for (name, member) in schema.members() {
                let optional = !required.contains(&name.as_str());
                let inner = Flat {
                    optional,
                    ..schemas.flat(member)
                };
                each_place(
                    schemas,
                    inner,
                    &members[name],
                    &format!("{pointer}/{name}"),
                    found,
                );
            }
        }
        Value::Array(items) => {
            if let Some(item) = items.first() {
                let inner = schemas.flat(&schema.schema["items"]);
                each_place(schemas, inner, item, &format!("{pointer}/0"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn replaced(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[test]
fn what_a_schema_forbids_is_refused() {
    let schemas = Schemas::read();
    let mut tried = 0;
    for (name, body, reads) in requests() {
        each_place(
            &schemas,
            schemas.of(name),
            &body,
            "",
            &mut |pointer, schema, value| {
                for (why, bad) in forbidden(schema, value) {
                    tried += 1;
                    let body = replaced(&body, pointer, bad);
                    assert!(!reads(&body), "{name}{pointer}: {why}");
                }
            },
        );
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn what_a_schema_allows_is_taken() {
    let schemas = Schemas::read();
    let mut tried = 0;
    for (name, body, reads) in requests() {
        each_place(
            &schemas,
            schemas.of(name),
            &body,
            "",
            &mut |pointer, schema, value| {
                for (why, good) in allowed(schema, value) {
                    tried += 1;
                    let body = replaced(&body, pointer, good);
                    assert!(reads(&body), "{name}{pointer}: {why}");
                }
            },
        );
    }
    assert!(tried > 100, "{tried}");
}
