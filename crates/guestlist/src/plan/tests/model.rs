//! A naive model of an account, and what a server would answer of it.

use super::*;

pub(super) const CALLER: &str = "sc_owner";

/// An account that the caller owns, with a role, a group and a service client beside.
pub(super) fn account() -> Model {
    Model::of(
        &[(
            "a.yaml",
            "\
kind: Role
roleId: ro_viewer
name: Viewer
permissions: [{action: 'documents:read', allow: true, grant: false, delegate: false}]
---
kind: Group
groupId: grp_team
name: Team
users: [{userId: alice}]
---
kind: Record
recordId: rec_owner
name: Owner
users: [{userId: sc_owner}]
statements: [{roles: ['Authress:Owner'], resources: [{resourceUri: '*'}]}]
---
kind: Record
recordId: rec_view
name: View
groups: [{groupId: grp_team}]
statements: [{roles: [ro_viewer], resources: [{resourceUri: projects/1}]}]
",
        )],
        &[CALLER, "sc_robot"],
    )
}

/// A naive model of an account: documents by id, nothing else.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) roles: BTreeMap<RoleId, RoleRequest>,
    pub(super) groups: BTreeMap<GroupId, GroupRequest>,
    pub(super) clients: BTreeMap<ClientId, ClientRequest>,
    pub(super) identities: BTreeMap<IdentityKey, IdentityRequest>,
    pub(super) records: BTreeMap<RecordId, AccessRecordRequest>,
    pub(super) made: usize,
}

pub(super) fn folder(text: &str) -> Folder {
    Folder::parse(&[("new.yaml", text)]).unwrap()
}

impl Model {
    fn of(files: &[(&str, &str)], clients: &[&str]) -> Self {
        let mut model = Self::default();
        model.fill(Folder::parse(files).unwrap());
        for id in clients {
            let name = format!("Client {id}").parse().unwrap();
            let request = ClientRequest::new().name(name);
            model.clients.insert(id.parse().unwrap(), request);
        }
        model
    }

    pub(super) fn fill(&mut self, folder: Folder) {
        let wanted = folder.roles.into_iter().map(|(id, one)| (id, one.wanted));
        self.roles.extend(wanted);
        let wanted = folder.groups.into_iter().map(|(id, one)| (id, one.wanted));
        self.groups.extend(wanted);
        let wanted = folder.records.into_iter().map(|(id, one)| (id, one.wanted));
        self.records.extend(wanted);
        let wanted = folder.identities.into_iter();
        self.identities
            .extend(wanted.map(|(id, one)| (id, one.wanted)));
    }

    /// As the server answers it: other orders and spellings, and a built-in role in the list.
    pub(super) fn answered(&self, folder: &Folder) -> Account {
        let json = |value: serde_json::Value| value;
        let role = |id: &RoleId, role: &RoleRequest| -> Role {
            let mut role = serde_json::to_value(role).unwrap();
            role["roleId"] = json(id.as_str().into());
            role["permissions"].as_array_mut().unwrap().reverse();
            serde_json::from_value(role).unwrap()
        };
        let mut account = Account {
            roles: Some(
                self.roles
                    .iter()
                    .map(|(id, one)| (id.clone(), role(id, one)))
                    .collect(),
            ),
            identities: Some(
                self.identities
                    .iter()
                    .map(|(key, one)| {
                        let identity = Identity {
                            issuer: key.0.clone(),
                            audience: key.1.clone(),
                            user_id_expression: one.user_id_expression.clone().unwrap_or_default(),
                        };
                        (key.clone(), identity)
                    })
                    .collect(),
            ),
            ..Account::default()
        };
        let built_in = RoleRequest::new("Owner").unwrap();
        let owner: RoleId = "Authress:Owner".parse().unwrap();
        let owner_role = role(&owner, &built_in);
        account.roles.as_mut().unwrap().insert(owner, owner_role);
        for (id, request) in &self.clients {
            let mut client = serde_json::to_value(request).unwrap();
            client["clientId"] = id.as_str().into();
            if id.as_str() == CALLER {
                client["verificationKeys"] = serde_json::json!([{"keyId": "key_1"}]);
            }
            account
                .clients
                .insert(id.clone(), serde_json::from_value(client).unwrap());
        }
        for request in self.records.values() {
            let mut record = serde_json::to_value(request).unwrap();
            record["lastUpdated"] = "2026-01-02T03:04:05.678Z".into();
            record["statements"].as_array_mut().unwrap().reverse();
            account.take_record(folder, serde_json::from_value(record).unwrap());
        }
        let deciding = account.deciding_groups(folder);
        for request in self.groups.values() {
            let mut group = serde_json::to_value(request).unwrap();
            group["users"].as_array_mut().unwrap().reverse();
            account.take_group(folder, &deciding, serde_json::from_value(group).unwrap());
        }
        account
    }

    pub(super) fn plan(&self, folder: &Folder, rest: Rest) -> Result<Plan, Vec<String>> {
        let options = Options {
            rest,
            own_access: OwnAccess::Protected,
            caller: Some(CALLER.parse().unwrap()),
        };
        plan(folder, &self.answered(folder), &options)
    }

    pub(super) fn apply(&mut self, step: &Step) {
        match &step.work {
            Work::Role(change) => match &**change {
                Change::Create(wanted) => {
                    let id = wanted.role_id.clone().unwrap();
                    assert!(self.roles.insert(id, wanted.clone()).is_none());
                }
                Change::Update(seen, wanted) => {
                    let before = self.roles.insert(seen.role_id.clone(), wanted.clone());
                    assert!(before.is_some());
                }
                Change::Delete(seen) => assert!(self.roles.remove(&seen.role_id).is_some()),
            },
            Work::Group(change) => match &**change {
                Change::Create(wanted) => {
                    let id = wanted.group_id.clone().unwrap();
                    assert!(self.groups.insert(id, wanted.clone()).is_none());
                }
                Change::Update(seen, wanted) => {
                    let before = self.groups.insert(seen.id.clone(), wanted.clone());
                    assert!(before.is_some());
                }
                Change::Delete(seen) => assert!(self.groups.remove(&seen.id).is_some()),
            },
            Work::Client(change) => match &**change {
                Change::Create(wanted) => {
                    self.made += 1;
                    let id = format!("sc_made{}", self.made).parse().unwrap();
                    self.clients.insert(id, wanted.clone());
                }
                Change::Update(seen, wanted) => {
                    self.clients.insert(seen.client_id.clone(), wanted.clone());
                }
                Change::Delete(seen) => assert!(self.clients.remove(&seen.client_id).is_some()),
            },
            Work::Identity { wanted, .. } => {
                let key = (
                    wanted.issuer.clone().unwrap(),
                    wanted.preferred_audience.clone().unwrap(),
                );
                self.identities.insert(key, (**wanted).clone());
            }
            Work::Record(change) => match &**change {
                Change::Create(wanted) => {
                    self.needs_roles(wanted);
                    let id = wanted.record_id.clone().unwrap();
                    assert!(self.records.insert(id, wanted.clone()).is_none());
                }
                Change::Update(seen, wanted) => {
                    self.needs_roles(wanted);
                    let before = self.records.insert(seen.id.clone(), wanted.clone());
                    assert!(before.is_some());
                }
                Change::Delete(seen) => assert!(self.records.remove(&seen.id).is_some()),
            },
        }
    }

    /// As the server does.
    fn needs_roles(&self, record: &AccessRecordRequest) {
        for role in record.statements.iter().flat_map(|one| one.roles.iter()) {
            let there = role.is_reserved() || self.roles.contains_key(role);
            assert!(there, "no role {role} yet");
        }
    }
}

pub(super) fn ids(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let sign = match step.work.operation() {
                Operation::Create => '+',
                Operation::Change => '~',
                Operation::Delete => '-',
            };
            format!("{sign}{}", step.id)
        })
        .collect()
}
