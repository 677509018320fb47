//! Tenants and what else concerns how users sign in, against a real server.

use guestlist_client::api::applications::{ApplicationRequest, SessionType};
use guestlist_client::api::clients::{
    AccessKeyRequest, AccessKeyText, ClientOptions, ClientRateLimit, ClientRequest,
    RateLimitDuration,
};
use guestlist_client::api::connections::{ConnectionRequest, ConnectionType};
use guestlist_client::api::extensions::ExtensionRequest;
use guestlist_client::api::invites::InviteStatement;
use guestlist_client::api::oauth::OAuthTokenRequest;
use guestlist_client::api::tenants::{AuthenticationTokenConfiguration, TenantName, TenantRequest};
use guestlist_client::api::text::Name;
use guestlist_client::api::user_tokens::{
    TokenClaims, TokenRequest, UserDefaultClaims, UserTokenConfiguration,
};
use guestlist_client::{Client, Credentials, InvalidToken, PageQuery, TokenError};

use crate::setup::{editor, server, user};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

#[tokio::test]
async fn tenants() {
    let (server, owner) = server().await;
    let tenants = owner.tenants();
    let request = TenantRequest::new()
        .tenant_id(id("acme:eu"))
        .name(TenantName::parse("Acme").unwrap())
        .tenant_lookup_identifier(id("acme"))
        .domain(id("acme.example"))
        .connection(id("con_1"))
        .token_configuration(AuthenticationTokenConfiguration {
            access_token_duration: Some(id("PT1H")),
            session_duration: None,
        });
    let made = tenants.create_tenant(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    assert!(made.created_time.is_some());
    assert_eq!(tenants.get_tenant(&made.tenant_id).await.unwrap(), made);
    let error = tenants.create_tenant(&request).await.unwrap_err();
    assert_eq!(error.error_code(), Some("TenantAlreadyExists"));
    let fewer = TenantRequest::new().domain(id("acme.test"));
    let updated = tenants
        .update_tenant(&made.tenant_id, &fewer)
        .await
        .unwrap();
    assert_eq!(updated.domains.len(), 1);
    assert_eq!(updated.data, None);
    let page = tenants
        .get_tenants(&PageQuery::new().filter("ACME.TEST"))
        .await;
    assert_eq!(page.unwrap().tenants, std::slice::from_ref(&updated));
    assert_eq!(
        tenants.list().filter("acme").try_collect().await.unwrap(),
        [updated]
    );
    tenants
        .link_tenant_user(&made.tenant_id, &id("bob|1/2"))
        .await
        .unwrap();
    let stranger = user(&server, "mallory");
    let error = stranger
        .tenants()
        .link_tenant_user(&made.tenant_id, &id("mallory"))
        .await;
    assert!(error.unwrap_err().is_not_found());
    tenants.delete_tenant(&made.tenant_id).await.unwrap();
    assert!(
        tenants
            .get_tenant(&made.tenant_id)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn connections() {
    let (_server, owner) = server().await;
    let connections = owner.connections();
    let mut request = ConnectionRequest::new(ConnectionType::OAuth2)
        .connection_id(id("con_1"))
        .client(id("our.client"), id("canary-of-the-provider"));
    request.token_url = Some(id("https://login.example/token"));
    let made = connections.create_connection(&request).await.unwrap();
    assert_eq!(made.settings(), request.settings());
    assert_eq!(made.has_client_secret, Some(true));
    assert_eq!(
        connections
            .get_connection(&made.connection_id)
            .await
            .unwrap(),
        made
    );
    let error = connections.create_connection(&request).await.unwrap_err();
    assert_eq!(error.error_code(), Some("ConnectionAlreadyExists"));
    // Read, changed, written back: the secret stays, unless the provider is another.
    let mut changed = made.to_request();
    changed.issuer_url = made.issuer_url.clone();
    let updated = connections
        .update_connection(&made.connection_id, &changed)
        .await
        .unwrap();
    assert_eq!(updated.has_client_secret, Some(true));
    changed.token_url = Some(id("https://other.example/token"));
    let error = connections
        .update_connection(&made.connection_id, &changed)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(400));
    let page = connections
        .get_connections(&PageQuery::new().filter("CON_1"))
        .await;
    assert_eq!(page.unwrap().connections, std::slice::from_ref(&updated));
    let listed = connections.list().filter("our.client").try_collect().await;
    assert_eq!(listed.unwrap(), [updated]);
    connections
        .delete_connection(&made.connection_id)
        .await
        .unwrap();
    let gone = connections.get_connection(&made.connection_id).await;
    assert!(gone.unwrap_err().is_not_found());
}

#[tokio::test]
async fn applications() {
    let (_server, owner) = server().await;
    let applications = owner.applications();
    let request = ApplicationRequest::new("Shop")
        .unwrap()
        .redirect_url(id("https://shop.example"))
        .session_type(SessionType::SingleSession)
        .audience(id("shop"));
    let made = applications.create_application(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    let one = &made.application_id;
    assert_eq!(applications.get_application(one).await.unwrap(), made);
    let bare = ApplicationRequest::new("Store").unwrap();
    let updated = applications.update_application(one, &bare).await.unwrap();
    assert_eq!(updated.session_type, SessionType::MultiSession);
    let page = applications
        .get_applications(&PageQuery::new().filter("STORE"))
        .await;
    assert_eq!(page.unwrap().applications, std::slice::from_ref(&updated));
    let listed = applications.list().filter("store").try_collect().await;
    assert_eq!(listed.unwrap(), [updated]);
    applications.delete_application(one).await.unwrap();
    assert!(
        applications
            .get_application(one)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn extensions() {
    let (_server, owner) = server().await;
    let extensions = owner.extensions();
    let request = ExtensionRequest::new()
        .name(Name::parse("Weather").unwrap())
        .redirect_url(id("https://weather.example"))
        .rate_limit(ClientRateLimit {
            duration: RateLimitDuration::Hour,
            quota: Some(1000),
        });
    let made = extensions.create_extension(&request).await.unwrap();
    assert_eq!(made.to_request().unwrap(), request);
    let one = &made.extension_id;
    assert_eq!(extensions.get_extension(one).await.unwrap(), made);
    let application = &made.application.as_ref().unwrap().application_id;
    let error = owner
        .applications()
        .delete_application(application)
        .await
        .unwrap_err();
    assert_eq!(error.error_code(), Some("ApplicationInUse"));
    let updated = extensions
        .update_extension(one, &ExtensionRequest::new())
        .await
        .unwrap();
    assert_eq!(updated.client.as_ref().unwrap().rate_limits, []);
    let page = extensions
        .get_extensions(&PageQuery::new().filter(one.as_str()))
        .await;
    assert_eq!(page.unwrap().extensions, std::slice::from_ref(&updated));
    let listed = extensions.list().filter(one.as_str()).try_collect().await;
    assert_eq!(listed.unwrap(), [updated]);
    extensions.delete_extension(one).await.unwrap();
    assert!(
        extensions
            .get_extension(one)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let client = &made.client.as_ref().unwrap().client_id;
    assert!(
        owner
            .service_clients()
            .get_client(client)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

/// A client that may make tokens of users.
async fn maker(owner: &Client) -> Client {
    let request = ClientRequest::new().options(ClientOptions {
        grant_token_generation: true,
        ..ClientOptions::default()
    });
    let clients = owner.service_clients();
    let id = clients.create_client(&request).await.unwrap().client_id;
    let key = clients
        .request_access_key(&id, &AccessKeyRequest::new())
        .await;
    let key = key.unwrap().access_key.unwrap();
    owner.with_credentials(Credentials::access_key(key.reveal()).unwrap())
}

#[tokio::test]
async fn tokens_of_users() {
    let (server, owner) = server().await;
    let ann = id("ann|1/2");
    let record = editor("rec_ann", "ann|1/2", "projects/42");
    owner.access_records().create_record(&record).await.unwrap();
    let limits = InviteStatement::new(["ro_viewer"], ["projects/42"]).unwrap();
    let request = TokenRequest::new([limits]).unwrap();
    let refused = owner.user_tokens().request_user_token(&ann, &request).await;
    assert_eq!(refused.unwrap_err().status(), Some(403));
    let claims = TokenClaims::new().with("plan", "gold".into()).unwrap();
    let configuration = UserTokenConfiguration {
        default_claims: UserDefaultClaims {
            default_access_token_claims: claims,
        },
    };
    let said = owner
        .user_tokens()
        .set_user_token_configuration(&ann, &configuration)
        .await;
    assert_eq!(said.unwrap(), configuration);
    let maker = maker(&owner).await;
    let tokens = maker.user_tokens();
    let made = tokens.request_user_token(&ann, &request).await.unwrap();
    assert_eq!(made.user_id, ann);
    let text = made.token.reveal();
    assert!(!format!("{made:?}").contains(text));
    // It is for the server to be asked with, and no application's sign-in.
    let refused = owner.verifier().verify(text).await;
    assert!(matches!(
        refused,
        Err(TokenError::Invalid(InvalidToken::Audience))
    ));
    let verifier = owner.verifier().audience(server.url());
    let proven = verifier.verify(text).await.unwrap();
    assert_eq!(*proven.user_id(), ann);
    assert_eq!(proven.claim::<String>("plan").as_deref(), Some("gold"));
    let bearer = owner.with_credentials(Credentials::token(text));
    let (read, write) = (id("documents:read"), id("documents:write"));
    let project = id("projects/42");
    let may = bearer.user_permissions();
    assert!(may.is_allowed(&ann, &project, &read).await.unwrap());
    assert!(!may.is_allowed(&ann, &project, &write).await.unwrap());
    tokens
        .disable_user_token(&ann, &made.token_id)
        .await
        .unwrap();
    let ended = may.is_allowed(&ann, &project, &read).await;
    assert_eq!(ended.unwrap_err().status(), Some(401));
    let again = tokens.disable_user_token(&ann, &made.token_id).await;
    assert!(again.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_secret_is_exchanged_for_a_token_that_serves_as_well() {
    let (server, owner) = server().await;
    let id = server
        .owner_key()
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let secret = |text: &str| AccessKeyText::new(text.to_owned());
    let request = OAuthTokenRequest::client_credentials(&id, secret(server.owner_key()));
    let nobody = owner.with_credentials(Credentials::token("none"));
    let made = nobody.extensions().request_token(&request).await.unwrap();
    assert_eq!(made.token_type.as_deref(), Some("Bearer"));
    let bearer = owner.with_credentials(Credentials::token(made.access_token.reveal()));
    let accounts = bearer.accounts().get_accounts().await.unwrap();
    assert_eq!(accounts.len(), 1);
    let wrong = OAuthTokenRequest::client_credentials(&id, secret("wrong"));
    let refused = nobody.extensions().request_token(&wrong).await;
    assert_eq!(refused.unwrap_err().status(), Some(401));
}
