use super::*;

const ROLE: &str = "\
kind: Role
roleId: ro_editor
name: Editor
permissions:
- {action: 'documents:read', allow: true, grant: false, delegate: false}
";

fn mistakes(text: &str) -> String {
    Folder::parse(&[("a.yaml", text)]).unwrap_err()
}

#[test]
fn several_documents_in_one_file_and_json_are_read() {
    let text = format!(
        "{ROLE}---\n---\nkind: Group\ngroupId: grp_team\nname: Team\nusers: [{{userId: alice}}]\n"
    );
    let json = r#"{"kind":"Client","name":"Robot","options":{"grantTokenGeneration":true}}"#;
    let record = "\
kind: Record
recordId: rec_1
name: One
status: ACTIVE
lastUpdated: 2026-01-02T03:04:05.678Z
links: {self: {href: 'https://example.com'}}
statements: [{roles: [ro_editor], resources: [{resourceUri: 'projects/1'}], users: [{userId: alice}]}]
";
    let identity = "kind: Identity\nissuer: https://issuer.example\npreferredAudience: '*'\n";
    let folder = Folder::parse(&[
        ("a.yaml", &text),
        ("b.json", json),
        ("c.yml", record),
        ("d.yaml", identity),
    ])
    .unwrap();
    assert_eq!(folder.len(), 5);
    let group = folder.groups.values().next().unwrap();
    // The empty document counts, as it does for an editor that jumps there.
    assert_eq!(group.origin.to_string(), "a.yaml (document 3)");
    assert_eq!(
        folder.clients[0]
            .wanted
            .request
            .name
            .as_ref()
            .unwrap()
            .as_str(),
        "Robot"
    );
}

#[test]
fn a_mistake_names_file_document_and_member() {
    let cases = [
        (
            "kind: Rol\n",
            "a.yaml: there is no kind Rol; did you mean Role?",
        ),
        (
            "kind: AccessRecord\n",
            "a.yaml: there is no kind AccessRecord; did you mean Record?",
        ),
        (
            "name: x\n",
            "a.yaml: kind is missing: it is one of Role, Group, Client, Identity, Record",
        ),
        (
            "- kind: Role\n",
            "a.yaml: must be an object with kind, such as kind: Role",
        ),
        (
            "kind: Role\nroleId: ro_a\nname: A\npermisions: []\n",
            "a.yaml: there is no member permisions; did you mean permissions?",
        ),
        (
            "kind: Role\nroleId: ro_a\nname: A\npermissions: [{acton: a, allow: true, grant: false, delegate: false}]\n",
            "a.yaml: there is no member permissions[0].acton; did you mean action?",
        ),
        (
            "kind: Record\nrecordId: r\nname: A\nstatements: [{roles: [r], resources: [{resourceUrl: a}]}]\n",
            "a.yaml: there is no member statements[0].resources[0].resourceUrl; did you mean resourceUri?",
        ),
        (
            "kind: Group\ngroupId: grp_a\nname: A\nusers: [{userId: 42}]\n",
            "users[0].userId: invalid type: integer `42`, expected a string (put it into quotes)",
        ),
        (
            "kind: Group\ngroupId: team\nname: A\n",
            "a.yaml: groupId: must begin with grp_",
        ),
        (
            "kind: Role\nname: A\npermissions: []\n",
            "a.yaml: roleId is missing: a manifest of a role needs it, so that it is found again",
        ),
        (
            "kind: Role\nroleId: Authress:Owner\nname: A\npermissions: []\n",
            "a.yaml: roleId: Authress:Owner is a built-in role, which never changes; leave it out",
        ),
        (
            "kind: Identity\nissuer: https://a\naudience: b\n",
            "a.yaml: there is no member audience; did you mean preferredAudience?",
        ),
        (
            "kind: Identity\njwt: abc\n",
            "a.yaml: jwt: a token is a secret and has no place in a manifest",
        ),
        ("kind: Client\ntags: {a: b}\n", "a.yaml: name is missing"),
        (
            "kind: Record\nrecordId: r\nname: A\nusers: [{userId: a}]\nstatements: [{roles: [r], resources: [{resourceUri: a}], users: [{userId: b}]}]\n",
            "a.yaml: statements[0]: users and groups stand either at the record",
        ),
        ("kind: Record\nstatus: DELETED\n", "a.yaml: status: "),
        ("kind: [\n", "a.yaml: "),
        ("kind: Role\nkind: Role\n", "duplicate entry"),
    ];
    for (text, expected) in cases {
        let told = mistakes(text);
        assert!(told.contains(expected), "{text}: {told}");
    }
    let second = mistakes(&format!("{ROLE}---\nkind: Rol\n"));
    assert!(second.starts_with("a.yaml (document 2): "), "{second}");
}

#[test]
fn the_same_object_twice_names_both_places() {
    let told = Folder::parse(&[("a.yaml", ROLE), ("b/c.yaml", ROLE)]).unwrap_err();
    assert_eq!(told, "b/c.yaml: the role ro_editor is already in a.yaml");
    let robot = "kind: Client\nname: Robot\n";
    let told = Folder::parse(&[("a.yaml", robot), ("b.yaml", robot)]).unwrap_err();
    assert_eq!(
        told,
        "b.yaml: the service client named \"Robot\" is already in a.yaml"
    );
    let one = "kind: Client\nclientId: sc_1\nname: Robot\n";
    let told = Folder::parse(&[("a.yaml", one), ("b.yaml", one)]).unwrap_err();
    assert_eq!(told, "b.yaml: the service client sc_1 is already in a.yaml");
}

#[test]
fn all_mistakes_are_told_at_once_up_to_a_bound() {
    let text = "kind: X\n---\n".repeat(30);
    let told = mistakes(&text);
    assert_eq!(told.lines().count(), 21);
    assert!(told.ends_with("and 10 more mistakes"), "{told}");
}

#[test]
fn suggestions_know_every_member_of_the_requests() {
    // What a request writes must be what `known` lists, or a suggestion would lead astray.
    let folder = Folder::parse(&[(
        "a.yaml",
        "\
kind: Role
roleId: ro_a
name: A
description: d
permissions: [{action: a, allow: true, grant: true, delegate: true}]
---
kind: Record
recordId: r
name: A
description: d
users: [{userId: a}]
groups: [{groupId: grp_a}]
admins: [{userId: a}]
tags: {a: b}
statements: [{roles: [ro_a], resources: [{resourceUri: a}]}]
",
    )])
    .unwrap();
    let role = serde_json::to_value(&folder.roles.values().next().unwrap().wanted).unwrap();
    let record = serde_json::to_value(&folder.records.values().next().unwrap().wanted).unwrap();
    for (kind, value) in [(Kind::Role, role), (Kind::Record, record)] {
        for member in value.as_object().unwrap().keys() {
            let misspelt = format!("{member}x");
            let told = members::unknown(kind, &misspelt);
            assert!(told.ends_with(&format!("did you mean {member}?")), "{told}");
        }
    }
}
