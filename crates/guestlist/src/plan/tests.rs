//! Plans for small accounts.

mod model;
mod properties;

use self::model::{CALLER, Model, account, folder, ids};
use super::*;

const RECORD: &str = "\
kind: Record
recordId: rec_new
name: New
users: [{userId: bob}]
statements: [{roles: [ro_new], resources: [{resourceUri: projects/1}]}]
---
";
const ROLE: &str = "\
kind: Role
roleId: ro_new
name: New
permissions: []
---
";

#[test]
fn what_is_named_is_made_before_what_names_it_and_deleted_after_it() {
    let model = account();
    let wanted = folder(&format!(
        "{RECORD}{ROLE}kind: Group\ngroupId: grp_new\nname: New\n---\nkind: Client\nname: Robot\n"
    ));
    let plan = model.plan(&wanted, Rest::Pruned).unwrap();
    assert_eq!(
        ids(&plan),
        [
            "+ro_new",
            "+grp_new",
            "+Robot",
            "+rec_new",
            "-rec_view",
            "-sc_robot",
            "-grp_team",
            "-ro_viewer",
        ]
    );
    let kept: Vec<_> = plan.kept.iter().map(|kept| kept.id.as_str()).collect();
    assert_eq!(kept, [CALLER, "rec_owner"]);
}

#[test]
fn without_prune_the_rest_is_only_counted() {
    let plan = account().plan(&folder(ROLE), Rest::Stays).unwrap();
    assert_eq!(ids(&plan), ["+ro_new"]);
    let left: Vec<_> = plan
        .left
        .iter()
        .map(|left| (left.kind, left.count))
        .collect();
    assert_eq!(
        left,
        [
            (Kind::Role, 1),
            (Kind::Group, 1),
            (Kind::Client, 2),
            (Kind::Record, 2),
        ]
    );
    let text = plan.for_people();
    assert!(
        text.contains("Left alone, in no manifest: 2 records (rec_owner, rec_view);"),
        "{text}"
    );
}

#[test]
fn order_case_spelling_and_defaults_are_no_differences() {
    let mut model = Model::default();
    model.fill(folder(
        "\
kind: Role
roleId: ro_a
name: A
permissions:
- {action: 'documents:read', allow: true, grant: false, delegate: false}
- {action: 'documents', allow: false, grant: true, delegate: false}
---
kind: Record
recordId: rec_a
name: A
description: ''
users: [{userId: 'Authress:ServiceClients/sc_1'}, {userId: bob}]
statements:
- {roles: [ro_a, ro_a], resources: [{resourceUri: /projects/1/}, {resourceUri: b}]}
---
kind: Identity
issuer: https://a
preferredAudience: b
",
    ));
    let same = folder(
        "\
kind: Role
roleId: ro_a
name: A
permissions:
- {action: 'DOCUMENTS:*', allow: false, grant: true, delegate: false}
- {action: 'Documents:Read', allow: true, grant: false, delegate: false}
---
kind: Record
recordId: rec_a
name: A
users: [{userId: bob}, {userId: sc_1}]
statements:
- {roles: [ro_a], resources: [{resourceUri: b}, {resourceUri: projects/1}]}
---
kind: Identity
issuer: https://a
preferredAudience: b
userIdExpression: '{sub}'
",
    );
    let plan = model.plan(&same, Rest::Stays).unwrap();
    assert_eq!(ids(&plan), Vec::<String>::new());
    assert_eq!(plan.unchanged, 3);
    assert!(plan.summary().starts_with("Nothing to do: 3 objects are"));
}

#[test]
fn a_change_says_what_differs_member_by_member() {
    let mut wanted = folder(
        "\
kind: Record
recordId: rec_view
name: 'View \"1\"'
groups: [{groupId: grp_other}]
statements: [{roles: [ro_viewer], resources: [{resourceUri: projects/2}]}]
tags: {team: a}
---
kind: Role
roleId: ro_viewer
name: Viewer
description: Reads
permissions: [{action: 'documents:read', allow: true, grant: true, delegate: false}]
",
    );
    let plan = account().plan(&wanted, Rest::Stays).unwrap();
    let text = anstream::adapter::strip_str(&plan.for_people()).to_string();
    let expected = "  ~ role ro_viewer  new.yaml (document 2)
      + description: \"Reads\"
      - permissions: documents:read (allow)
      + permissions: documents:read (allow, grant)
  ~ record rec_view  new.yaml
      ~ name: \"View\" → \"View \\\"1\\\"\"
      - groups: grp_team
      + groups: grp_other
      - statements: ro_viewer on projects/1
      + statements: ro_viewer on projects/2
      + tags: team=a

warning: the record rec_view names the group grp_other, which is neither in the manifests nor in the \
account: it has no members
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("0 to create, 2 to change, 0 to delete, 0 unchanged."));
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["steps"][1]["operation"], "change");
    assert_eq!(json["steps"][1]["kind"], "Record");
    assert_eq!(json["steps"][1]["manifest"]["document"], 1);
    assert_eq!(
        json["steps"][1]["differences"][1],
        serde_json::json!({"member": "groups", "added": ["grp_other"], "removed": ["grp_team"]})
    );
    // A name from elsewhere cannot steer a terminal.
    let evil = "a\u{202e}b".parse().unwrap();
    wanted.roles.values_mut().next().unwrap().wanted.name = evil;
    let plan = account().plan(&wanted, Rest::Stays).unwrap();
    assert!(!plan.for_people().contains('\u{202e}'));
}

#[test]
fn a_role_that_is_nowhere_is_a_mistake_that_names_the_place() {
    let text = RECORD.replace("ro_new", "ro_viewr");
    let told = account().plan(&folder(&text), Rest::Stays).unwrap_err();
    assert_eq!(
        told,
        ["new.yaml: statements[0].roles[0]: there is no role ro_viewr; did you mean ro_viewer?"]
    );
    let text = RECORD.replace("ro_new", "ro_viewer");
    let told = account().plan(&folder(&text), Rest::Pruned).unwrap_err();
    assert_eq!(
        told,
        [
            "new.yaml: statements[0].roles[0]: the role ro_viewer would be deleted by --prune: put \
             it into the manifests too"
        ]
    );
}

#[test]
fn records_that_invites_made_are_pruned_only_on_demand() {
    let mut model = account();
    let mut invited = folder(RECORD).records.into_values().next().unwrap().wanted;
    invited.name = "Invite access for bob".parse().unwrap();
    invited.description = Some(
        "Given by invites; the first was made by alice."
            .parse()
            .unwrap(),
    );
    model
        .roles
        .insert("ro_new".parse().unwrap(), RoleRequest::new("New").unwrap());
    model.records.insert("rec_new".parse().unwrap(), invited);
    let wanted = folder("kind: Group\ngroupId: grp_team\nname: Team\nusers: [{userId: alice}]\n");
    let plan = model.plan(&wanted, Rest::Pruned).unwrap();
    assert!(!ids(&plan).contains(&"-rec_new".to_owned()));
    assert!(
        plan.left
            .iter()
            .any(|left| left.made_by_invites && left.count == 1)
    );
    assert_eq!(
        plan.warnings,
        [
            "the role ro_new is deleted, and 1 of the records that stay name it: they give nothing \
             by it any more"
        ]
    );
    let plan = model.plan(&wanted, Rest::PrunedWithInvited).unwrap();
    assert!(ids(&plan).contains(&"-rec_new".to_owned()));
}

/// What an owner's record looks like with other content.
fn owners(users: &str, role: &str) -> Folder {
    folder(&format!(
        "\
kind: Record
recordId: rec_owner
name: Owner
users: {users}
statements: [{{roles: ['{role}'], resources: [{{resourceUri: '*'}}]}}]
"
    ))
}

#[test]
fn a_plan_that_takes_the_callers_own_access_is_refused() {
    let model = account();
    let told = model
        .plan(&owners("[{userId: bob}]", "Authress:Owner"), Rest::Stays)
        .unwrap_err();
    assert!(told[0].starts_with("this would take away your own access: CREATE on Authress:"));
    assert!(
        told[0].ends_with("or say --allow-losing-access"),
        "{told:?}"
    );
    // An owner that becomes an administrator loses one thing only.
    let told = model
        .plan(
            &owners("[{userId: sc_owner}]", "Authress:Admin"),
            Rest::Stays,
        )
        .unwrap_err();
    assert_eq!(
        told[0],
        "this would take away your own access: giving others anything (Authress:Owner on *). Change \
         the manifests, or say --allow-losing-access"
    );
    let shared = owners("[{userId: bob}, {userId: sc_owner}]", "Authress:Owner");
    assert_eq!(
        ids(&model.plan(&shared, Rest::Stays).unwrap()),
        ["~rec_owner"]
    );
}

#[test]
fn what_may_be_lost_may_still_not_be_the_last_owner() {
    let model = account();
    let options = |caller: Option<&str>| Options {
        rest: Rest::Pruned,
        own_access: OwnAccess::MayBeLost,
        caller: caller.map(|caller| caller.parse().unwrap()),
    };
    let to_bob = owners("[{userId: bob}]", "Authress:Owner");
    let account = model.answered(&to_bob);
    let allowed = plan(&to_bob, &account, &options(Some(CALLER))).unwrap();
    // Itself last, by whom everything else is done.
    assert_eq!(ids(&allowed).last().unwrap(), "-sc_owner");
    // A service client without an access key cannot call, so it owns nothing.
    let keyless = owners("[{userId: sc_robot}]", "Authress:Owner");
    let account = model.answered(&keyless);
    let told = plan(&keyless, &account, &options(Some(CALLER))).unwrap_err();
    assert!(
        told[0].starts_with("nobody would own the account"),
        "{told:?}"
    );
    // Pruning keeps the last owner without being asked.
    let nothing = folder(ROLE);
    let account = model.answered(&nothing);
    let allowed = plan(&nothing, &account, &options(None)).unwrap();
    let kept: Vec<_> = allowed.kept.iter().map(|kept| kept.id.as_str()).collect();
    assert_eq!(kept, ["rec_owner", "sc_owner"]);
}

#[test]
fn pruning_for_a_caller_who_is_not_known_is_refused() {
    let nothing = folder(ROLE);
    let options = Options {
        rest: Rest::Pruned,
        ..Options::default()
    };
    let told = plan(&nothing, &account().answered(&nothing), &options).unwrap_err();
    assert!(told[0].starts_with("it cannot be seen from the credentials who calls"));
}

#[test]
fn access_is_given_anew_before_it_is_taken() {
    let mut model = account();
    model.fill(folder(
        "\
kind: Group
groupId: grp_owners
name: Owners
users: [{userId: sc_owner}]
---
kind: Record
recordId: rec_owner
name: Owner
groups: [{groupId: grp_owners}]
statements: [{roles: ['Authress:Owner'], resources: [{resourceUri: '*'}]}]
",
    ));
    // The group loses the caller, and a record that sorts later gives them the same.
    let wanted = folder(
        "\
kind: Group
groupId: grp_owners
name: Owners
users: [{userId: bob}]
---
kind: Record
recordId: rec_zero
name: Zero
users: [{userId: sc_owner}]
statements: [{roles: ['Authress:Owner'], resources: [{resourceUri: '*'}]}]
",
    );
    let plan = model.plan(&wanted, Rest::Stays).unwrap();
    assert_eq!(ids(&plan), ["+rec_zero", "~grp_owners"]);
}

#[test]
fn service_clients_are_found_by_id_or_by_a_name_that_only_one_has() {
    let model = account();
    let told = |text: &str| {
        model
            .plan(&folder(text), Rest::Stays)
            .unwrap_err()
            .join("\n")
    };
    let plan = |text: &str| ids(&model.plan(&folder(text), Rest::Stays).unwrap());
    assert_eq!(
        plan("kind: Client\nname: Client sc_robot\n"),
        Vec::<String>::new()
    );
    assert_eq!(plan("kind: Client\nname: Another\n"), ["+Another"]);
    assert_eq!(
        plan("kind: Client\nclientId: sc_robot\nname: Another\n"),
        ["~sc_robot"]
    );
    assert!(
        told("kind: Client\nclientId: sc_no\nname: A\n")
            .contains("there is no service client sc_no.")
    );
    let both =
        "kind: Client\nclientId: sc_robot\nname: B\n---\nkind: Client\nname: Client sc_robot\n";
    assert!(
        told(both).contains("is in another manifest too"),
        "{}",
        told(both)
    );
    let mut twins = model.clone();
    let same = twins.clients.values().next().unwrap().clone();
    twins.clients.insert("sc_twin".parse().unwrap(), same);
    let told = twins
        .plan(
            &folder("kind: Client\nname: Client sc_owner\n"),
            Rest::Stays,
        )
        .unwrap_err();
    assert!(told[0].contains("sc_owner and sc_twin are both called so"));
}
