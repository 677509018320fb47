//! Every operation, against a real server.

use guestlist_client::api::claims::ClaimRequest;
use guestlist_client::api::clients::{
    AccessKeyRequest, ClientOptions, ClientRequest, PublicKeyText,
};
use guestlist_client::api::groups::GroupRequest;
use guestlist_client::api::identities::IdentityRequest;
use guestlist_client::api::ids::{GroupId, RecordId, RoleId, UserId};
use guestlist_client::api::invite_lists::{InviteOrder, InviteRevocation, InviteState};
use guestlist_client::api::invite_settings::LostAuthority;
use guestlist_client::api::invite_statistics::InviteGrouping;
use guestlist_client::api::invite_terms::Invitee;
use guestlist_client::api::invites::{InviteRequest, InviteStatement};
use guestlist_client::api::records::{AccessRecordRequest, RecordStatus, Statement};
use guestlist_client::api::resource_configurations::{
    ConfiguredAction, PermissionedResourceRequest,
};
use guestlist_client::api::resources::ResourceUri;
use guestlist_client::api::roles::{Permission, RoleRequest};
use guestlist_client::api::text::{Description, Name, Tags};
use guestlist_client::api::users::CollectionConfiguration;
use guestlist_client::{
    Client, Credentials, PageQuery, RecordQuery, StatisticsQuery, UserResourcesQuery,
};

use crate::setup::{editor, server, user};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

#[tokio::test]
async fn records() {
    let (_server, owner) = server().await;
    let records = owner.access_records();
    let bob: UserId = id("bob");
    let tags = Tags::new().with("team", "docs").unwrap();
    let statement = Statement::new(["ro_editor", "ro_viewer"], ["projects/1", "projects/2"]);
    let request = AccessRecordRequest::new("Editors", [statement.unwrap()])
        .unwrap()
        .record_id(id("rec_a"))
        .description(Description::parse("Two\nlines").unwrap())
        .user(&bob)
        .admin(id::<UserId>("carol"))
        .tags(tags.clone());
    let made = records.create_record(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    assert_eq!(made.status, RecordStatus::Active);
    assert_eq!(records.get_record(&made.record_id).await.unwrap(), made);
    let error = records.create_record(&request).await.unwrap_err();
    assert_eq!(error.error_code(), Some("AccessRecordAlreadyExists"));

    // Conditional: the second of two writers who read the same is refused.
    let read = made.last_updated;
    let mut changed = made.to_request().unwrap();
    changed.name = Name::parse("Writers").unwrap();
    let changed = changed.statement(Statement::new(["ro_viewer"], ["projects/3"]).unwrap());
    records
        .update_record(&made.record_id, &changed, read)
        .await
        .unwrap();
    let late = records.update_record(&made.record_id, &request, read).await;
    let error = late.unwrap_err();
    assert_eq!(error.error_code(), Some("PreconditionFailed"));
    assert_eq!(error.status(), Some(412));
    let now = records.get_record(&made.record_id).await.unwrap();
    assert_eq!(now.to_request().unwrap(), changed);
    assert!(now.last_updated > read);
    // Without a condition the last write wins.
    records
        .update_record(&made.record_id, &request, None)
        .await
        .unwrap();

    records.delete_record(&made.record_id).await.unwrap();
    let deleted = records.get_record(&made.record_id).await.unwrap();
    assert_eq!(deleted.status, RecordStatus::Deleted);
    let query = RecordQuery::new()
        .status(RecordStatus::Deleted)
        .filter("EDIT");
    let page = records.get_records(&query).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(page.pagination.is_none());
    let listed = records.list().status(RecordStatus::Deleted).try_collect();
    assert_eq!(listed.await.unwrap(), [deleted]);
    let filtered = records.list().filter("editors").try_collect().await;
    assert_eq!(filtered.unwrap(), []);
    let error = records.delete_record(&id("rec_owner")).await.unwrap_err();
    assert_eq!(error.error_code(), Some("LastOwner"));
}

#[tokio::test]
async fn roles() {
    let (_server, owner) = server().await;
    let roles = owner.roles();
    let read = Permission::allow(id::<guestlist_client::api::actions::Action>("read"));
    let request = RoleRequest::new("Reader")
        .unwrap()
        .role_id(id("ro_reader"))
        .description(Description::parse("Reads").unwrap())
        .permission(read.clone().and_grant().and_delegate());
    let made = roles.create_role(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    assert!(made.permissions[0].grant && made.permissions[0].delegate);
    let fewer = RoleRequest::new("Reader").unwrap().permission(read.clone());
    let updated = roles.update_role(&made.role_id, &fewer).await.unwrap();
    assert!(!updated.permissions[0].delegate);
    assert_eq!(roles.get_role(&made.role_id).await.unwrap(), updated);
    let page = roles.get_roles(&PageQuery::new().filter("reader")).await;
    assert!(page.unwrap().roles.contains(&updated));
    let listed = roles.list().filter("ro_reader").try_collect().await;
    assert_eq!(listed.unwrap(), [updated]);
    roles.delete_role(&made.role_id).await.unwrap();
    assert!(
        roles
            .get_role(&made.role_id)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let built_in: RoleId = id("Authress:Owner");
    let error = roles.delete_role(&built_in).await.unwrap_err();
    assert_eq!(error.error_code(), Some("BuiltInRole"));
}

#[tokio::test]
async fn groups() {
    let (_server, owner) = server().await;
    let groups = owner.groups();
    let request = GroupRequest::new("Team")
        .unwrap()
        .group_id(id("grp_team"))
        .user(id::<UserId>("bob"))
        .admin(id::<UserId>("carol"))
        .tags(Tags::new().with("a", "b").unwrap());
    let made = groups.create_group(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    let group: GroupId = made.group_id.clone();
    let record = AccessRecordRequest::new(
        "Team",
        [Statement::new(["ro_editor"], ["projects/9"])
            .unwrap()
            .group(&group)],
    );
    owner
        .access_records()
        .create_record(&record.unwrap())
        .await
        .unwrap();
    let may = |user: &'static str| {
        let owner = owner.clone();
        async move {
            let permissions = owner.user_permissions();
            let (user, action) = (id(user), id("documents:read"));
            permissions
                .is_allowed(&user, &id("projects/9"), &action)
                .await
        }
    };
    assert!(may("bob").await.unwrap() && !may("dave").await.unwrap());
    let more = made.to_request().unwrap().user(id::<UserId>("dave"));
    let updated = groups.update_group(&group, &more, made.last_updated).await;
    let updated = updated.unwrap();
    assert!(may("dave").await.unwrap());
    let late = groups.update_group(&group, &more, made.last_updated).await;
    assert_eq!(late.unwrap_err().status(), Some(412));
    assert_eq!(groups.get_group(&group).await.unwrap(), updated);
    let page = groups.get_groups(&PageQuery::new()).await.unwrap();
    assert_eq!(page.groups.first(), Some(&updated));
    let listed = groups.list().filter("TEAM").try_collect().await.unwrap();
    assert_eq!(listed, [updated]);
    groups.delete_group(&group).await.unwrap();
    assert!(!may("bob").await.unwrap());
}

#[tokio::test]
async fn service_clients_and_their_keys() {
    let (server, owner) = server().await;
    let clients = owner.service_clients();
    let request = ClientRequest::new()
        .name(Name::parse("ci").unwrap())
        .tags(Tags::new().with("a", "b").unwrap());
    let made = clients.create_client(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    let options = ClientOptions {
        grant_user_permissions_access: true,
        grant_token_generation: false,
    };
    let more = request.options(options);
    let updated = clients.update_client(&made.client_id, &more).await.unwrap();
    assert!(updated.options.grant_user_permissions_access);
    let key = clients
        .request_access_key(&made.client_id, &AccessKeyRequest::new())
        .await
        .unwrap();
    assert_eq!(key.client_id.as_ref(), Some(&made.client_id));

    // The key signs tokens the server accepts, until it is deleted.
    let secret = key.access_key.as_ref().unwrap().reveal();
    let ci = Client::new(server.url(), Credentials::access_key(secret).unwrap()).unwrap();
    let question = (id("alice"), id("projects/42"), id("documents:read"));
    let (user, resource, action) = &question;
    let asked = ci
        .user_permissions()
        .is_allowed(user, resource, action)
        .await;
    assert!(asked.unwrap());
    let keys = ci.server().get_client_token_keys(&made.client_id).await;
    assert_eq!(
        keys.unwrap().keys[0].kid.as_deref(),
        Some(key.key_id.as_str())
    );
    clients
        .delete_access_key(&made.client_id, &key.key_id)
        .await
        .unwrap();
    let asked = ci
        .user_permissions()
        .is_allowed(user, resource, action)
        .await;
    assert_eq!(asked.unwrap_err().status(), Some(401));

    let public = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let own = AccessKeyRequest::new().public_key(PublicKeyText::parse(public).unwrap());
    let key = clients
        .request_access_key(&made.client_id, &own)
        .await
        .unwrap();
    assert!(key.access_key.is_none());
    assert_eq!(key.public_key.unwrap().as_str(), public);
    let read = clients.get_client(&made.client_id).await.unwrap();
    assert_eq!(read.verification_keys.len(), 1);
    let page = clients.get_clients(&PageQuery::new()).await.unwrap();
    assert!(page.clients.contains(&read));
    let listed = clients.list().filter("ci").try_collect().await.unwrap();
    assert!(listed.contains(&read));
    clients.delete_client(&made.client_id).await.unwrap();
    let error = clients.get_client(&made.client_id).await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn accounts_and_identities() {
    let (server, owner) = server().await;
    let accounts = owner.accounts().get_accounts().await.unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(&accounts[0].account_id, server.account_id());
    let read = owner.accounts().get_account(server.account_id()).await;
    assert_eq!(read.unwrap(), accounts[0]);
    let none = owner.accounts().get_account_identities().await.unwrap();
    assert_eq!(none.identities, []);
    let unreachable = IdentityRequest::new("http://127.0.0.1:9", "app").unwrap();
    let error = owner.accounts().delegate_authentication(&unreachable).await;
    assert_eq!(error.unwrap_err().status(), Some(400));
    let sample = IdentityRequest::sample("eyJ-no-token").unwrap();
    let error = owner.accounts().delegate_authentication(&sample).await;
    assert_eq!(error.unwrap_err().status(), Some(400));
}

#[tokio::test]
async fn an_issuer_that_is_linked_is_listed() {
    let (_server, owner) = server().await;
    // A second server, whose users are known at the first one.
    let (issuing, _its_owner) = server().await;
    let expression = "other|{sub}".parse().unwrap();
    let request = IdentityRequest::new(issuing.url(), "app")
        .unwrap()
        .user_id_expression(expression);
    owner
        .accounts()
        .delegate_authentication(&request)
        .await
        .unwrap();
    let linked = owner.accounts().get_account_identities().await.unwrap();
    assert_eq!(linked.identities[0].issuer.as_str(), issuing.url());
    assert_eq!(
        linked.identities[0].user_id_expression.as_str(),
        "other|{sub}"
    );
}

#[tokio::test]
async fn questions_about_users_and_resources() {
    let (server, owner) = server().await;
    for (record, resource) in [
        ("rec_1", "orgs/1"),
        ("rec_2", "orgs/2"),
        ("rec_3", "orgs/2/a"),
    ] {
        let request = editor(record, "bob", resource);
        owner
            .access_records()
            .create_record(&request)
            .await
            .unwrap();
    }
    let bob: UserId = id("bob");
    let asked = user(&server, "bob");
    let permissions = asked.user_permissions();
    let held = permissions
        .get_user_permissions_for_resource(&bob, &id("orgs/1"))
        .await
        .unwrap();
    assert_eq!(held.permissions.len(), 2);
    let held = permissions
        .get_user_roles_for_resource(&bob, &id("orgs/1"))
        .await
        .unwrap();
    assert_eq!(held.roles[0].role_id.as_str(), "ro_editor");
    let none = permissions
        .get_user_roles_for_resource(&bob, &id("orgs/1/below"))
        .await;
    assert!(none.unwrap_err().is_not_found());
    permissions
        .authorize_user(&bob, &id("orgs/1/below"), &id("documents:read"))
        .await
        .unwrap();
    let no = permissions
        .authorize_user(&bob, &id("orgs/1"), &id("documents:delete"))
        .await;
    assert!(no.unwrap_err().is_not_found());
    // Asking about somebody else is not "no".
    let refused = permissions
        .is_allowed(&id("carol"), &id("orgs/1"), &id("documents:read"))
        .await;
    assert_eq!(refused.unwrap_err().status(), Some(403));

    let below = UserResourcesQuery::new()
        .resource_uri(id::<ResourceUri>("orgs"))
        .permission(id::<guestlist_client::api::actions::Action>(
            "documents:read",
        ));
    let page = permissions.get_user_resources(&bob, &below).await.unwrap();
    assert_eq!(page.resources.len(), 2);
    let all = below.collection_configuration(CollectionConfiguration::IncludeNested);
    let listed = permissions.list_user_resources(&bob, &all).page_size(1);
    assert_eq!(listed.try_collect().await.unwrap().len(), 3);

    let resources = owner.resource_permissions();
    let page = resources
        .get_resource_users(&id("orgs/2"), &PageQuery::new().limit(5))
        .await
        .unwrap();
    assert_eq!(page.users[0].user_id, bob);
    let listed = resources.list_resource_users(&id("orgs/2")).try_collect();
    assert_eq!(listed.await.unwrap(), page.users);
}

#[tokio::test]
async fn what_the_server_says_of_itself() {
    let (server, _owner) = server().await;
    let nobody = Client::new(server.url(), Credentials::none()).unwrap();
    let about = nobody.server();
    assert_eq!(about.get_health().await.unwrap().status, "ok");
    let ready = about.get_readiness().await.unwrap();
    assert_eq!((ready.status.as_str(), ready.revision), ("ready", Some(1)));
    assert!(
        about
            .get_metrics()
            .await
            .unwrap()
            .contains("guestlist_revision")
    );
    assert!(about.get_open_api().await.unwrap().contains("\"openapi\""));
    let configuration = about.get_open_id_configuration().await.unwrap();
    assert_eq!(configuration.issuer, server.url());
    let keys = about.get_user_token_keys().await.unwrap();
    assert_eq!(keys.keys[0].alg.as_deref(), Some("EdDSA"));
    let token = about.create_development_token(&id("bob")).await.unwrap();
    assert_eq!(token.expires_in, 3600);
    let bob = Client::new(server.url(), Credentials::token(token.access_token)).unwrap();
    bob.accounts().get_accounts().await.unwrap();
}

#[tokio::test]
async fn a_server_on_a_directory_is_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let record: RecordId = id("rec_kept");
    let first = guestlist_server::testing::TestServer::start_in(directory.path()).await;
    let first = first.unwrap();
    let key = first.owner_key().to_owned();
    let owner = Client::new(first.url(), Credentials::access_key(&key).unwrap()).unwrap();
    let request = editor("rec_kept", "bob", "projects/1");
    owner
        .access_records()
        .create_record(&request)
        .await
        .unwrap();
    drop(first);
    let error = owner.access_records().get_record(&record).await;
    assert!(error.is_err(), "the server has ended");
    let second = guestlist_server::testing::TestServer::start_in(directory.path()).await;
    let second = second.unwrap();
    assert_eq!(second.owner_key(), key);
    let owner = Client::new(second.url(), Credentials::access_key(&key).unwrap()).unwrap();
    owner.access_records().get_record(&record).await.unwrap();
    second.stop();
}

#[tokio::test]
async fn resource_configurations_and_claims() {
    let (server, owner) = server().await;
    let resources = owner.resource_permissions();
    let rooms: ResourceUri = "rooms".parse().unwrap();
    let error = resources
        .get_permissioned_resource(&rooms)
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    let claims = PermissionedResourceRequest::new(ConfiguredAction::Claim, true)
        .permission(ConfiguredAction::Public, false);
    resources
        .update_permissioned_resource(&rooms, &claims)
        .await
        .unwrap();
    let read = resources.get_permissioned_resource(&rooms).await.unwrap();
    assert_eq!(read.resource_uri, Some(rooms.clone()));
    assert_eq!(read.to_request().unwrap().permissions, claims.permissions);
    assert!(read.allows(ConfiguredAction::Claim) && !read.allows(ConfiguredAction::Public));
    let page = resources
        .get_permissioned_resources(&PageQuery::new().limit(1))
        .await;
    assert_eq!(page.unwrap().resources, std::slice::from_ref(&read));
    let filtered = resources.list_permissioned_resources().filter("ROOM");
    assert_eq!(filtered.try_collect().await.unwrap(), [read]);
    let none = resources.list_permissioned_resources().filter("halls");
    assert!(none.try_collect().await.unwrap().is_empty());

    let room = ClaimRequest::new("rooms".parse().unwrap(), "1".parse().unwrap());
    let ann = user(&server, "ann");
    ann.access_records().create_claim(&room).await.unwrap();
    let bob = user(&server, "bob");
    let error = bob.access_records().create_claim(&room).await.unwrap_err();
    assert_eq!(error.error_code(), Some("AlreadyClaimed"));
    let error = bob
        .resource_permissions()
        .update_permissioned_resource(&rooms, &claims)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(403));
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn invites_beyond_the_published_operations() {
    let (server, owner) = server().await;
    let invites = owner.invites();
    let request = InviteRequest::new()
        .statement(InviteStatement::new(["Authress:ReadResource"], ["docs/1"]).unwrap())
        .invitee(Invitee::User(id("ann")))
        .tags(Tags::new().with("team", "blue").unwrap());
    let made = invites.create_invite(&request).await.unwrap();
    let reference = made.reference.clone().unwrap();
    let listed = invites.list().tag("team", "blue").by_expiry();
    let listed = listed.try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].reference, reference);
    for order in InviteOrder::ALL {
        let sorted = invites.list().sorted(order).try_collect().await;
        assert_eq!(sorted.unwrap(), listed, "{order:?}");
    }
    assert_eq!(listed[0].status, InviteState::Pending);
    let one = invites.get_invite_by_reference(&reference).await.unwrap();
    assert_eq!(one, listed[0]);
    let page = invites.get_invites(&PageQuery::new().limit(1)).await;
    assert_eq!(page.unwrap().invites, listed);
    for narrowed in [
        invites.list().status(InviteState::Expired),
        invites.list().inviter(&id("nobody")),
        invites.list().resource(&id("docs/2")),
        invites.list().invitee(&Invitee::Email(id("a@b.c"))),
    ] {
        assert!(narrowed.try_collect().await.unwrap().is_empty());
    }
    let changed = InviteRequest::new()
        .statement(InviteStatement::new(["Authress:ReadResource"], ["docs/2"]).unwrap());
    let since = Some(one.last_updated);
    let updated = invites
        .update_invite(&reference, &changed, since)
        .await
        .unwrap();
    assert_eq!(updated.invitee, None);
    let error = invites
        .update_invite(&reference, &changed, since)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(412));
    let effect = invites.try_invite(&changed).await.unwrap();
    assert_eq!(effect.gains.len(), 1);
    let eve: UserId = id("eve");
    let of_eve = invites.get_invite_effect_for(&reference, &eve).await;
    assert_eq!(of_eve.unwrap().gains, effect.gains);
    let own = user(&server, "eve");
    let own = own
        .invites()
        .get_invite_effect(&made.invite_id)
        .await
        .unwrap();
    assert_eq!(own.user_id, Some(id("eve")));
    let preview = invites.preview_invite(&made.invite_id).await.unwrap();
    assert_eq!(preview.expiry_time, updated.expiry_time);
    let bob = user(&server, "bob");
    let declined = bob
        .invites()
        .decline_invite(&made.invite_id, Some(id("no")))
        .await;
    declined.unwrap();
    let renewed = invites.renew_invite(&reference, None).await.unwrap();
    let error = bob
        .invites()
        .respond_to_invite(&made.invite_id)
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    bob.invites()
        .respond_to_invite(&renewed.invite_id)
        .await
        .unwrap();
    let happened = invites.get_invite_events(&reference).await.unwrap();
    assert_eq!(happened.len(), 6);
    let query = StatisticsQuery::new()
        .group_by(InviteGrouping::Role)
        .tag("a", "b");
    let none = invites.get_invite_statistics(&query).await.unwrap();
    assert_eq!((none.total.invites, none.groups.len()), (0, 0));
    let query = StatisticsQuery::new().group_by(InviteGrouping::Inviter);
    let statistics = invites.get_invite_statistics(&query).await.unwrap();
    assert_eq!(statistics.total.accepts, 1);
    assert_eq!(statistics.groups[0].funnel, statistics.total);
    let mut settings = invites.get_invite_settings().await.unwrap();
    assert_eq!(settings.lost_authority, LostAuthority::Suspend);
    settings.lost_authority = LostAuthority::Revoke;
    let set = invites.set_invite_settings(&settings).await.unwrap();
    assert_eq!(set.lost_authority, LostAuthority::Revoke);
    assert_eq!(invites.get_invite_settings().await.unwrap(), set);
    // The inbox, and accepting from it by reference.
    let made = invites.create_invite(&request).await.unwrap();
    let ann = user(&server, "ann");
    let inbox = ann
        .invites()
        .list_for(&id("ann"))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(inbox.len(), 1);
    let by_reference = inbox[0].reference.as_str().parse().unwrap();
    ann.invites()
        .respond_to_invite(&by_reference)
        .await
        .unwrap();
    drop(made);
    let which = InviteRevocation {
        resource_uri: Some(id("docs/1")),
        ..InviteRevocation::default()
    };
    let leaked = invites.create_invite(&request).await.unwrap();
    invites
        .report_invite_leak(&leaked.invite_id, None)
        .await
        .unwrap();
    let held = invites.create_invite(&request).await.unwrap();
    let as_holder = invites.decline_invite_as_holder(&held.invite_id, None);
    as_holder.await.unwrap();
    let last = invites.create_invite(&request).await.unwrap();
    let revoked = invites.revoke_invites(&which).await.unwrap();
    assert_eq!(revoked.revoked, [last.reference.unwrap()]);
    assert!(!revoked.more);
}
