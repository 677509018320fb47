//! What the grants index decides, case by case: named after the decisions of the reference texts.

#[cfg(test)]
mod grants_world;

use grants_world::{
    World, committed, configuration, group, parse, record, role, statement, statement_for,
};
use guestlist_api::records::RecordStatus;
use guestlist_api::resources::ResourceUri;
use guestlist_rules::changes::{Document, Expect, Kind, Mark, Revision, Seen};
use guestlist_rules::grants::Grants;

fn allowed(world: &World, who: &str, resource: &str, action: &str) -> bool {
    let (who, resource, action) = (parse(who), parse(resource), parse(action));
    let because = world.grants.allowed(&who, &resource, &action);
    assert_eq!(
        because.is_some(),
        world.grants.is_allowed(&who, &resource, &action)
    );
    because.is_some()
}

fn resources(world: &World, who: &str, collection: &str, nested: bool) -> Vec<String> {
    let collection: Option<ResourceUri> = (!collection.is_empty()).then(|| parse(collection));
    let found = world
        .grants
        .resources(&parse(who), collection.as_ref(), nested, None, None, 100);
    found.iter().map(ToString::to_string).collect()
}

/// One record for `u` with one role that may do `read`.
fn reader(resources: &[&str]) -> World {
    let mut world = World::new();
    world.write(&role("ro_read", &[("read", "a")]));
    world.write(&record(
        "rec",
        &["u"],
        &[],
        vec![statement(&["ro_read"], resources)],
    ));
    world
}

#[test]
fn a08_a_custom_role_on_everything_does_not_reach_the_reserved_namespace() {
    let mut world = World::new();
    world.write(&role("ro_all", &[("*", "agd")]));
    world.write(&record(
        "rec",
        &["custom"],
        &[],
        vec![statement(&["ro_all"], &["*", "*:x"])],
    ));
    world.write(&record(
        "own",
        &["owner"],
        &[],
        vec![statement(&["Authress:Owner"], &["*"])],
    ));
    assert!(allowed(&world, "custom", "orgs/a", "read"));
    assert!(allowed(&world, "custom", "*", "read"));
    assert!(!allowed(&world, "custom", "Authress:Roles/x", "read"));
    assert!(!allowed(&world, "custom", "Authress:x", "read"));
    assert!(!allowed(&world, "custom", "Authress:*", "read"));
    assert!(allowed(&world, "owner", "Authress:Roles/x", "read"));
    assert!(!world.grants.holds_reserved(&parse("custom")));
    assert!(world.grants.holds_reserved(&parse("owner")));
    let give = |who: &str, built_in: bool, resource: &str| {
        let (action, resource) = (parse("*"), parse(resource));
        world
            .grants
            .may_give(&parse(who), built_in, &action, &resource, true)
            .is_some()
    };
    assert!(give("custom", false, "*"));
    assert!(
        !give("custom", true, "*"),
        "would make an owner of the account"
    );
    assert!(!give("custom", true, "*/x"));
    assert!(give("custom", true, "orgs/*"));
    assert!(!give("custom", false, "Authress:Roles"));
    assert!(give("owner", true, "*"));
}

#[test]
fn a10_names_that_look_like_the_reserved_namespace_are_other_resources() {
    let world = reader(&["authress/x", "Authress/x", "Xuthress:Roles"]);
    assert!(!allowed(&world, "u", "Authress:Roles/x", "read"));
    assert!(!world.grants.holds_reserved(&parse("u")));
    let world = reader(&["Authress:Roles/x"]);
    assert!(allowed(&world, "u", "Authress:Roles/x", "read"));
    assert!(!allowed(&world, "u", "Authress:Roles/X", "read"));
    assert!(world.grants.holds_reserved(&parse("u")));
}

#[test]
fn a11_ids_that_differ_only_in_case_share_nothing() {
    let mut world = World::new();
    world.write(&role("ro_x", &[("read", "a")]));
    world.write(&role("ro_X", &[("write", "a")]));
    world.write(&record(
        "rec",
        &["u1"],
        &[],
        vec![statement(&["ro_x"], &["orgs/a"])],
    ));
    world.write(&record(
        "REC",
        &["U1"],
        &[],
        vec![statement(&["ro_X"], &["orgs/A"])],
    ));
    assert!(allowed(&world, "u1", "orgs/a", "read"));
    assert!(!allowed(&world, "u1", "orgs/A", "read"));
    assert!(!allowed(&world, "u1", "orgs/a", "write"));
    assert!(!allowed(&world, "U1", "orgs/a", "read"));
    assert!(allowed(&world, "U1", "orgs/A", "write"));
}

#[test]
fn a12_a_check_with_wildcards_is_containment_by_one_grant() {
    let mut world = reader(&["orgs/a", "orgs/b", "docs/*"]);
    assert!(allowed(&world, "u", "orgs/a", "READ"));
    assert!(allowed(&world, "u", "orgs/a", "read:*"));
    assert!(!allowed(&world, "u", "orgs/a", "*"));
    assert!(!allowed(&world, "u", "orgs/a", "write"));
    assert!(!allowed(&world, "u", "orgs/*", "read"));
    assert!(!allowed(&world, "u", "*", "read"));
    assert!(allowed(&world, "u", "docs/*", "read"));
    assert!(allowed(&world, "u", "docs/*/x", "read"));
    assert!(!allowed(&world, "u", "docs", "read"));
    world.write(&record(
        "rec2",
        &["u"],
        &[],
        vec![statement(&["ro_read"], &["orgs/*"])],
    ));
    assert!(allowed(&world, "u", "orgs/*", "read"));
    assert!(allowed(&world, "u", "orgs/*/x/*", "read"));
}

#[test]
fn s1_7_a_role_on_a_parent_is_one_on_all_below() {
    let world = reader(&["/documents/*"]);
    assert!(allowed(&world, "u", "/documents/A", "read"));
    assert!(allowed(
        &world,
        "u",
        "/documents/B/sub-documents/C/metadata",
        "read"
    ));
    assert!(!allowed(&world, "u", "/documents", "read"));
    assert!(!allowed(&world, "u", "/documentsA", "read"));
}

#[test]
fn s5_13_a_service_client_is_one_principal_under_both_names() {
    let mut world = World::new();
    world.write(&role("ro_read", &[("read", "a")]));
    let client = ["Authress:ServiceClients/sc_1"];
    world.write(&record(
        "rec",
        &client,
        &[],
        vec![statement(&["ro_read"], &["a"])],
    ));
    assert!(allowed(&world, "sc_1", "a", "read"));
    assert!(allowed(&world, "Authress:ServiceClients/sc_1", "a", "read"));
    let users = world.grants.users_of(&parse("a"), None, 10);
    assert_eq!(users, [(parse("sc_1"), vec![parse("ro_read")])]);
}

#[test]
fn s6_5_wildcards_and_nested_resources_as_published() {
    let mut world = reader(&[
        "resources/001",
        "resources/002/sub-resource/*",
        "resources/003/sub-resource/003",
        "others/1",
    ]);
    assert_eq!(
        resources(&world, "u", "/resources/*", true),
        [
            "resources/001",
            "resources/002/sub-resource/*",
            "resources/003/sub-resource/003"
        ]
    );
    world.write(&record(
        "all",
        &["all"],
        &[],
        vec![statement(&["ro_read"], &["*"])],
    ));
    assert_eq!(
        resources(&world, "all", "/resources/*", true),
        ["/resources/*"]
    );
    world.write(&record(
        "mid",
        &["mid"],
        &[],
        vec![statement(&["ro_read"], &["orgs/*/docs/7"])],
    ));
    assert_eq!(
        resources(&world, "mid", "orgs/a/docs", true),
        ["orgs/a/docs/7"]
    );
    assert_eq!(
        resources(&world, "mid", "orgs/*/docs/*", true),
        ["orgs/*/docs/7"]
    );
    assert_eq!(resources(&world, "mid", "*/a/*", true), ["orgs/a/docs/7"]);
    assert_eq!(
        resources(&world, "mid", "*/a/images", true),
        Vec::<String>::new()
    );
}

#[test]
fn s6_6_access_to_a_parent_is_listed_only_with_nested_ones() {
    let world = reader(&["orgs/a"]);
    assert_eq!(
        resources(&world, "u", "orgs/a/docs", false),
        Vec::<String>::new()
    );
    assert_eq!(
        resources(&world, "u", "orgs/a/docs", true),
        ["orgs/a/docs/*"]
    );
    assert_eq!(
        resources(&world, "u", "/orgs/a/docs/", true),
        ["/orgs/a/docs/*"]
    );
    assert_eq!(
        resources(&world, "u", "orgs/*/docs", true),
        ["orgs/a/docs/*"]
    );
    assert_eq!(
        resources(&world, "u", "orgs/b/docs", true),
        Vec::<String>::new()
    );
}

#[test]
fn s6_4_top_level_only_is_one_segment_below_and_include_nested_is_all() {
    let world = reader(&[
        "Collection/resource_1",
        "Collection/namespaces/ns/resources/resource_1",
        "Collection",
        "Collection2/resource_1",
        "single",
    ]);
    assert_eq!(
        resources(&world, "u", "Collection", false),
        ["Collection/resource_1"]
    );
    assert_eq!(
        resources(&world, "u", "Collection", true),
        [
            "Collection/*",
            "Collection/namespaces/ns/resources/resource_1",
            "Collection/resource_1"
        ]
    );
    assert_eq!(resources(&world, "u", "", false), ["Collection", "single"]);
    assert_eq!(resources(&world, "u", "", true).len(), 5);
}

#[test]
fn s6_4_only_allow_counts_for_an_action_and_anything_without() {
    let mut world = World::new();
    world.write(&role("ro_grant", &[("read", "g")]));
    world.write(&role("ro_none", &[("read", "")]));
    world.write(&record(
        "rec",
        &["u"],
        &[],
        vec![statement(&["ro_grant"], &["c/1"])],
    ));
    world.write(&record(
        "rec2",
        &["u"],
        &[],
        vec![statement(&["ro_none", "ro_x"], &["c/2"])],
    ));
    assert_eq!(resources(&world, "u", "c", false), ["c/1"]);
    let (who, collection, action) = (parse("u"), parse("c"), parse("read"));
    let found = world
        .grants
        .resources(&who, Some(&collection), false, Some(&action), None, 10);
    assert_eq!(found, []);
    assert!(!allowed(&world, "u", "c/1", "read"));
}

#[test]
fn lists_are_paged_by_canonical_text() {
    let names: Vec<String> = (10..40).map(|number| format!("c/{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = reader(&names);
    let collection = parse("c");
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = world.grants.resources(
            &parse("u"),
            Some(&collection),
            false,
            None,
            after.as_deref(),
            7,
        );
        after = page.last().map(ToString::to_string);
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        all.extend(page.iter().map(ToString::to_string));
    }
    assert_eq!(all, names);
    assert_eq!(
        world
            .grants
            .resources(&parse("u"), None, true, None, None, 0),
        []
    );
}

#[test]
fn s6_8_explicit_roles_stand_on_exactly_that_resource() {
    let mut world = World::new();
    world.write(&role("ro_a", &[("read", "a")]));
    world.write(&role("ro_b", &[("read", "a")]));
    world.write(&group("grp_1", &["u"]));
    let twice = vec![
        statement(&["ro_b", "ro_a"], &["x/y", "x"]),
        statement(&["ro_a"], &["/x/y/"]),
    ];
    world.write(&record("rec", &["u"], &["grp_1"], twice));
    world.write(&record(
        "rec2",
        &["u"],
        &[],
        vec![statement(&["ro_gone"], &["x/y"])],
    ));
    let roles = |resource: &str| {
        let roles = world.grants.explicit_roles(&parse("u"), &parse(resource));
        let roles = roles.iter().map(|(role, _)| role.to_string());
        roles.collect::<Vec<_>>()
    };
    assert_eq!(
        roles("x/y"),
        ["ro_a", "ro_a", "ro_a", "ro_a", "ro_b", "ro_b"]
    );
    assert_eq!(roles("x"), ["ro_a", "ro_a", "ro_b", "ro_b"]);
    assert_eq!(roles("x/y/z"), Vec::<String>::new());
    assert_eq!(roles("x/*"), Vec::<String>::new());
}

#[test]
fn s6_9_users_of_a_resource_are_those_named_on_it_with_members_of_groups() {
    let mut world = reader(&["x/y"]);
    world.write(&group("grp_1", &["m", "u", "a"]));
    let on = vec![statement(&["ro_read", "Authress:Owner"], &["x/y"])];
    world.write(&record("rec2", &[], &["grp_1"], on));
    world.write(&record(
        "rec3",
        &["parent"],
        &[],
        vec![statement(&["ro_read"], &["x"])],
    ));
    world.write(&record(
        "rec4",
        &["child"],
        &[],
        vec![statement(&["ro_read"], &["x/y/z"])],
    ));
    world.write(&record(
        "rec5",
        &["gone"],
        &[],
        vec![statement(&["ro_gone"], &["x/y"])],
    ));
    let both = vec![parse("Authress:Owner"), parse("ro_read")];
    let users = world.grants.users_of(&parse("/x/y"), None, 10);
    assert_eq!(
        users,
        [
            (parse("a"), both.clone()),
            (parse("m"), both.clone()),
            (parse("u"), both)
        ]
    );
    let users = world.grants.users_of(&parse("x/y"), Some("a"), 1);
    assert_eq!(
        users
            .iter()
            .map(|(user, _)| user.to_string())
            .collect::<Vec<_>>(),
        ["m"]
    );
}

#[test]
fn s2_7_roles_are_resolved_when_they_are_used() {
    let mut world = reader(&["x"]);
    world.write(&role("ro_read", &[("write", "a")]));
    assert!(!allowed(&world, "u", "x", "read"));
    assert!(allowed(&world, "u", "x", "write"));
    world.delete(Kind::Role, "ro_read");
    assert!(!allowed(&world, "u", "x", "write"));
    assert!(world.grants.role(&parse("ro_read")).is_none());
    world.write(&role("ro_read", &[("read", "a")]));
    assert!(allowed(&world, "u", "x", "read"));
    let mark = world.grants.role(&parse("ro_read")).unwrap().mark;
    assert_eq!(mark, Some(Mark(world.revision)));
}

#[test]
fn s6_13_groups_are_resolved_when_they_are_used() {
    let mut world = World::new();
    world.write(&role("ro_read", &[("read", "a")]));
    let on = vec![statement_for(&["ro_read"], &["x"], &[], &["grp_1"])];
    world.write(&record("rec", &[], &[], on));
    assert!(!allowed(&world, "u", "x", "read"));
    world.write(&group("grp_1", &["u", "v"]));
    assert!(allowed(&world, "u", "x", "read"));
    let because = world
        .grants
        .allowed(&parse("u"), &parse("x"), &parse("read"))
        .unwrap();
    assert_eq!(because.group, Some(parse("grp_1")));
    assert_eq!(
        world.grants.relied(&because),
        [
            (Kind::AccessRecord, "rec".to_owned(), Expect::At(Mark(2))),
            (Kind::Role, "ro_read".to_owned(), Expect::At(Mark(1))),
            (Kind::Group, "grp_1".to_owned(), Expect::At(Mark(3))),
        ]
    );
    world.write(&group("grp_1", &["v"]));
    assert!(!allowed(&world, "u", "x", "read"));
    assert!(allowed(&world, "v", "x", "read"));
    world.delete(Kind::Group, "grp_1");
    assert!(!allowed(&world, "v", "x", "read"));
    assert_eq!(
        world.grants.statements_of_group(&parse("grp_1")),
        [(parse("ro_read"), parse("x"))]
    );
}

#[test]
fn s5_6_a_deleted_record_grants_nothing_and_can_still_be_read() {
    let mut world = reader(&["x"]);
    let mut deleted = record("rec", &["u"], &[], vec![statement(&["ro_read"], &["x"])]);
    deleted.status = RecordStatus::Deleted;
    world.write(&deleted);
    assert!(!allowed(&world, "u", "x", "read"));
    assert!(world.grants.is_empty());
    let facts = world.grants.record(&parse("rec")).unwrap();
    assert_eq!((facts.status, facts.mark), (RecordStatus::Deleted, Mark(3)));
    assert_eq!(facts.admins().collect::<Vec<_>>(), ["admin"]);
    world.write(&record(
        "rec",
        &["v"],
        &[],
        vec![statement(&["ro_read"], &["x"])],
    ));
    assert!(!allowed(&world, "u", "x", "read"));
    assert!(allowed(&world, "v", "x", "read"));
}

#[test]
fn s6_3_permissions_are_merged_by_action() {
    let mut world = World::new();
    world.write(&role(
        "ro_a",
        &[("Docs:Read", "a"), ("write", "d"), ("none", "")],
    ));
    world.write(&role("ro_b", &[("docs:read:*", "g"), ("*", "a")]));
    world.write(&record(
        "rec",
        &["u"],
        &[],
        vec![statement(&["ro_a"], &["x/*"])],
    ));
    world.write(&record(
        "rec2",
        &["u"],
        &[],
        vec![statement(&["ro_b"], &["x"])],
    ));
    let held = world.grants.permissions(&parse("u"), &parse("x/y"));
    let held: Vec<_> = held
        .iter()
        .map(|held| &held.permission)
        .map(|held| (held.action.as_str(), held.allow, held.grant, held.delegate))
        .collect();
    assert_eq!(
        held,
        [
            ("*", true, false, false),
            ("Docs:Read", true, true, false),
            ("write", false, false, true)
        ]
    );
}

#[test]
fn s3_giving_needs_grant_or_delegate_and_passing_on_needs_delegate() {
    let mut world = World::new();
    world.write(&role(
        "ro_a",
        &[("a", "a"), ("g", "g"), ("d", "d"), ("wide", "gd")],
    ));
    world.write(&record(
        "rec",
        &["u"],
        &[],
        vec![statement(&["ro_a"], &["x/*/y"])],
    ));
    let gives = |action: &str, resource: &str, needs_delegate: bool| {
        let (action, resource) = (parse(action), parse(resource));
        let grants = &world.grants;
        grants
            .may_give(&parse("u"), false, &action, &resource, needs_delegate)
            .is_some()
    };
    assert!(!gives("a", "x/1/y", false));
    assert!(gives("g", "x/1/y", false) && !gives("g", "x/1/y", true));
    assert!(gives("d", "x/1/y", false) && gives("d", "x/1/y", true));
    assert!(gives("wide:part", "x/*/y/*", true));
    assert!(
        !gives("wide", "x/*", true) && !gives("wide", "x/1", true) && !gives("*", "x/1/y", true)
    );
}

#[test]
fn owners_are_those_of_everything() {
    let mut world = World::new();
    world.write(&group("grp_1", &["m"]));
    let owner = |resource: &str| vec![statement(&["Authress:Owner"], &[resource])];
    world.write(&record("rec", &["u"], &["grp_1"], owner("*")));
    world.write(&record("rec2", &["v"], &[], owner("orgs")));
    world.write(&record(
        "rec3",
        &["w"],
        &[],
        vec![statement(&["Authress:Admin"], &["*"])],
    ));
    world.write(&record("rec4", &["u"], &[], owner("*")));
    let owners: Vec<_> = world
        .grants
        .owners()
        .into_iter()
        .map(|(who, because)| (who, because.record.to_string(), because.group.is_some()))
        .collect();
    let expected = [
        ("m", "rec", true),
        ("u", "rec", false),
        ("u", "rec4", false),
    ];
    assert_eq!(
        owners,
        expected.map(|(who, record, group)| (who.into(), record.into(), group))
    );
}

#[test]
fn an_older_document_never_comes_back() {
    let mut world = reader(&["x"]);
    let old = Seen {
        value: Document::of(&record(
            "rec",
            &["old"],
            &[],
            vec![statement(&["ro_read"], &["x"])],
        ))
        .unwrap(),
        mark: Mark(1),
    };
    world.grants.load(&old).unwrap();
    assert!(!allowed(&world, "old", "x", "read"));
    world.delete(Kind::AccessRecord, "rec");
    world.delete(Kind::AccessRecord, "unknown");
    world.grants.load(&old).unwrap();
    assert!(!allowed(&world, "old", "x", "read"));
    assert!(world.grants.record(&parse("rec")).is_none());
    let again = committed(1, vec![old.value], Vec::new());
    world.grants.commit(&again).unwrap();
    assert!(!allowed(&world, "old", "x", "read"));
    assert_eq!(world.grants.revision(), Revision(world.revision));
}

#[test]
fn a_commit_that_cannot_be_read_changes_nothing() {
    let mut world = reader(&["x"]);
    let good = Document::of(&record(
        "new",
        &["v"],
        &[],
        vec![statement(&["ro_read"], &["x"])],
    ));
    let good = good.unwrap();
    let damaged = Document {
        body: b"{}".to_vec(),
        ..good.clone()
    };
    let renamed = Document {
        id: "other".to_owned(),
        ..good.clone()
    };
    let reserved = Document::of(&role("Authress:Owner", &[("read", "a")])).unwrap();
    for bad in [damaged, renamed, reserved] {
        let failing = committed(9, vec![good.clone(), bad.clone()], vec![]);
        let unreadable = world.grants.commit(&failing).unwrap_err();
        assert_eq!(unreadable.id, bad.id);
        assert!(
            world
                .grants
                .load(&Seen {
                    value: bad,
                    mark: Mark(9)
                })
                .is_err()
        );
        assert!(!allowed(&world, "v", "x", "read"));
        assert!(allowed(&world, "u", "x", "read"));
        assert_eq!(world.grants.revision(), Revision(2));
    }
}

#[test]
fn built_in_roles_cannot_be_deleted_and_have_no_mark() {
    let mut world = World::new();
    world.delete(Kind::Role, "Authress:Owner");
    let owner = world.grants.role(&parse("Authress:Owner")).unwrap();
    assert_eq!((owner.mark, owner.permissions.len()), (None, 1));
    assert!(Grants::new().role(&parse("authress:owner")).is_none());
}

#[test]
fn a20_a_record_with_many_users_and_many_resources_costs_its_length() {
    let users: Vec<String> = (0..900).map(|number| format!("u{number}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let names: Vec<String> = (0..2000).map(|number| format!("r/{number}")).collect();
    let mut world = World::new();
    world.write(&role("ro_read", &[("read", "a")]));
    world.write(&group("grp_1", &["member"]));
    let statements = |from: usize| {
        names[from..]
            .chunks(100)
            .map(|chunk| {
                let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
                statement(&["ro_read"], &chunk)
            })
            .collect::<Vec<_>>()
    };
    // Product of the lists: 1.8 million pairs; written again and again it must stay quick.
    for from in 0..100 {
        world.write(&record("rec", &users, &["grp_1"], statements(from)));
    }
    assert!(allowed(&world, "u899", "r/1999/below", "read"));
    assert!(allowed(&world, "member", "r/1999", "read"));
    assert!(!allowed(&world, "u899", "r/98", "read"));
    assert!(!allowed(&world, "nobody", "r/1999", "read"));
    let because = world
        .grants
        .allowed(&parse("member"), &parse("r/500"), &parse("read"))
        .unwrap();
    assert_eq!(because.group, Some(parse("grp_1")));
    assert_eq!(
        world.grants.explicit_roles(&parse("u3"), &parse("r/500")),
        [(parse("ro_read"), None)]
    );
    assert_eq!(
        world.grants.users_of(&parse("r/500"), None, 2000).len(),
        901
    );
    world.write(&record("rec", &users[1..], &[], statements(0)));
    assert!(!allowed(&world, "u0", "r/5", "read"));
    assert!(!allowed(&world, "member", "r/5", "read"));
    assert!(allowed(&world, "u1", "r/5", "read"));
    world.delete(Kind::AccessRecord, "rec");
    assert!(!allowed(&world, "u1", "r/5", "read"));
    // Whoever was in a large record that is gone is not in the next one.
    world.write(&record("rec2", &users[450..], &[], statements(0)));
    assert!(allowed(&world, "u450", "r/5", "read"));
    assert!(!allowed(&world, "u449", "r/5", "read"));
    assert!(!allowed(&world, "member", "r/5", "read"));
}

#[test]
fn an_older_configuration_does_not_come_back() {
    let mut world = World::new();
    let public = |world: &World| world.grants.is_public(&parse("square/1"), &parse("read"));
    world.write(&configuration("/square", true));
    assert!(public(&world));
    world.write(&configuration("square", false));
    assert!(!public(&world));
    let older = Document::of(&configuration("square", true)).unwrap();
    let seen = Seen {
        value: older.clone(),
        mark: Mark(1),
    };
    world.grants.load(&seen).unwrap();
    assert!(!public(&world));
    world
        .grants
        .commit(&committed(1, vec![older], vec![]))
        .unwrap();
    assert!(!public(&world));
    world.write(&configuration("square", true));
    world.delete(Kind::ResourceConfiguration, "square");
    assert!(!public(&world));
}

#[test]
fn what_cannot_be_configured_is_not_taken_in() {
    for resource in ["*", "a/*", "a:*", "Authress:Roles"] {
        let mut grants = Grants::new();
        let value = Document::of(&configuration(resource, true)).unwrap();
        let mark = Mark(1);
        assert!(grants.load(&Seen { value, mark }).is_err(), "{resource}");
        for asked in ["*", "a/b", "a:b", "Authress:Roles"] {
            assert!(!grants.is_public(&parse(asked), &parse("read")), "{asked}");
        }
    }
}
