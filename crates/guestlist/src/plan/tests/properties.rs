//! Any folder on any account.

use proptest::prelude::*;

use super::*;

/// A folder of a few small objects, so that many of them meet.
fn folders() -> impl Strategy<Value = String> {
    let flags = (any::<bool>(), any::<bool>());
    let role = (0..4_usize, 0..3_usize, flags).prop_map(|(id, name, (allow, grant))| {
        (
            format!("role{id}"),
            format!(
                "kind: Role\nroleId: ro_{id}\nname: N{name}\npermissions:\n- {{action: a{name}, \
                 allow: {allow}, grant: {grant}, delegate: false}}\n"
            ),
        )
    });
    let group = (0..3_usize, 0..3_usize, 0..3_usize).prop_map(|(id, name, user)| {
        (
            format!("group{id}"),
            format!(
                "kind: Group\ngroupId: grp_{id}\nname: N{name}\nusers: [{{userId: u{user}}}, \
                 {{userId: sc_owner}}]\n"
            ),
        )
    });
    let client = (0..3_usize, any::<bool>()).prop_map(|(name, option)| {
        (
            format!("client{name}"),
            format!("kind: Client\nname: N{name}\noptions: {{grantTokenGeneration: {option}}}\n"),
        )
    });
    let resource = prop::sample::select(vec!["a/1", "a/*", "Authress:Roles", "*"]);
    let record = (0..4_usize, 0..4_usize, 0..3_usize, resource, any::<bool>()).prop_map(
        |(id, role, whom, resource, by_group)| {
            let whom = if by_group {
                format!("groups: [{{groupId: grp_{whom}}}]")
            } else {
                format!("users: [{{userId: u{whom}}}]")
            };
            (
                format!("record{id}"),
                format!(
                    "kind: Record\nrecordId: rec_{id}\nname: N\n{whom}\nstatements: [{{roles: \
                     [ro_{role}, 'Authress:Admin'], resources: [{{resourceUri: '{resource}'}}]}}]\n---\n\
                     kind: Role\nroleId: ro_{role}\nname: Of record\npermissions: []\n"
                ),
            )
        },
    );
    let identity = (0..2_usize, 0..2_usize).prop_map(|(issuer, expression)| {
        (
            format!("identity{issuer}"),
            format!(
                "kind: Identity\nissuer: https://i{issuer}\npreferredAudience: a\n\
                 userIdExpression: 'e{expression}|{{sub}}'\n"
            ),
        )
    });
    let one = prop_oneof![role, group, client, record, identity];
    prop::collection::btree_map(any::<u8>(), one, 1..12).prop_map(|objects| {
        // One of each id: the record's own role goes before a role of that id.
        let mut chosen: BTreeMap<String, String> = BTreeMap::new();
        for (key, text) in objects.into_values() {
            for part in text.split("---\n") {
                let key = part
                    .lines()
                    .find_map(|line| line.strip_prefix("roleId: "))
                    .map_or_else(|| key.clone(), |id| format!("role {id}"));
                chosen.entry(key).or_insert_with(|| part.to_owned());
            }
        }
        chosen.into_values().collect::<Vec<_>>().join("---\n")
    })
}

proptest! {
    #[test]
    fn after_a_plan_the_account_is_as_wanted_and_a_second_plan_is_empty(
        before in folders(),
        wanted in folders(),
        prunes in any::<bool>(),
    ) {
        let mut model = account();
        model.fill(folder(&before));
        let wanted = folder(&wanted);
        let rest = if prunes { Rest::Pruned } else { Rest::Stays };
        let plan = model.plan(&wanted, rest).unwrap();
        let old = model.clone();
        for step in &plan.steps {
            model.apply(step);
        }
        let again = model.plan(&wanted, rest).unwrap();
        prop_assert_eq!(ids(&again), Vec::<String>::new());
        prop_assert_eq!(again.unchanged, wanted.len());
        for (id, manifest) in &wanted.roles {
            prop_assert_eq!(&differences::role(&model.roles[id]), &differences::role(&manifest.wanted));
        }
        for (id, manifest) in &wanted.groups {
            prop_assert_eq!(&differences::group(&model.groups[id]), &differences::group(&manifest.wanted));
        }
        for (id, manifest) in &wanted.records {
            prop_assert_eq!(&differences::record(&model.records[id]), &differences::record(&manifest.wanted));
        }
        for manifest in &wanted.clients {
            let request = &manifest.wanted.request;
            let same = model.clients.values().filter(|client| client.name == request.name);
            prop_assert_eq!(same.collect::<Vec<_>>(), [request]);
        }
        // The caller can still do what it could.
        prop_assert!(model.clients.contains_key(CALLER));
        prop_assert!(model.records.contains_key("rec_owner"));
        if prunes {
            let kept: BTreeSet<&str> = again.kept.iter().map(|kept| kept.id.as_str()).collect();
            let roles = model.roles.keys().map(RoleId::as_str);
            for role in roles.filter(|id| !wanted.roles.contains_key(*id)) {
                prop_assert!(kept.contains(role), "{} was not pruned", role);
            }
            let records = model.records.keys().map(RecordId::as_str);
            for record in records.filter(|id| !wanted.records.contains_key(*id)) {
                prop_assert!(kept.contains(record), "{} was not pruned", record);
            }
        } else {
            for id in old.records.keys().filter(|id| !wanted.records.contains_key(*id)) {
                prop_assert_eq!(&model.records[id], &old.records[id]);
            }
            for id in old.groups.keys().filter(|id| !wanted.groups.contains_key(*id)) {
                prop_assert_eq!(&model.groups[id], &old.groups[id]);
            }
        }
    }
}
