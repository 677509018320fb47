//! The bodies of what concerns how users sign in, with all of their members.

use guestlist_api::applications::{
    Application, ApplicationCollection, ApplicationRequest, SessionType,
};
use guestlist_api::clients::AccessKeyText;
use guestlist_api::clients::{ClientRateLimit, RateLimitDuration};
use guestlist_api::connections::{
    AssignmentType, Connection, ConnectionCollection, ConnectionConditions, ConnectionData,
    ConnectionLinkingConfiguration, ConnectionProperties, ConnectionRequest,
    ConnectionTenantConfiguration, ConnectionType, ConnectionUserDataConfiguration, DataLocation,
    LinkingType, SupportedContentType,
};
use guestlist_api::extensions::{
    Extension, ExtensionApplication, ExtensionClient, ExtensionCollection, ExtensionRequest,
};
use guestlist_api::oauth::{OAuthTokenRequest, OAuthTokenResponse};
use guestlist_api::tenants::{
    AuthenticationTokenConfiguration, Tenant, TenantCollection, TenantConnection, TenantData,
    TenantDomain, TenantRequest, TenantUser,
};
use guestlist_api::text::Tags;
use guestlist_api::user_tokens::{
    TokenClaims, TokenRequest, TokenText, UserDefaultClaims, UserToken, UserTokenConfiguration,
};
use serde_json::{Value, json};

use crate::samples::{
    Reads, account_reference, id, invite_statement, links, name, page, reads, tags, value,
};

fn connection() -> Connection {
    let provider = || Some("https://login.example/a".parse().unwrap());
    let data = ConnectionData {
        developer_account_id: Some(name()),
        name: Some(name()),
        supported_content_type: Some(SupportedContentType::Json),
        oidc_user_endpoint_url: provider(),
        user_id_expression: Some(name()),
        trust_identity_user_id: Some(true),
    };
    Connection {
        connection_id: id("con_1"),
        kind: Some(ConnectionType::OAuth2),
        authentication_url: Some(id("https://login.example/a")),
        token_url: provider(),
        issuer_url: Some(name()),
        provider_certificate: Some(id("AAAA\n")),
        client_id: Some(name()),
        client_secret_id: Some(name()),
        user_data_configuration: Some(ConnectionUserDataConfiguration {
            location: Some(DataLocation::Che.into()),
        }),
        data: Some(data),
        default_connection_properties: Some(
            ConnectionProperties::new().with("scope", "openid").unwrap(),
        ),
        conditions: Some(ConnectionConditions {
            require_business_account: Some(true),
            authentication_leeway_duration: Some(id("PT5M")),
        }),
        tenant_configuration: Some(ConnectionTenantConfiguration {
            assignment_type: Some(AssignmentType::Default),
        }),
        linking_configuration: Some(ConnectionLinkingConfiguration {
            kind: Some(LinkingType::Explicit),
        }),
        has_client_secret: Some(true),
        created_time: Some(id("2026-01-02T03:04:05.678Z")),
        last_updated: Some(id("2026-01-02T03:04:05.678Z")),
        tags: tags(),
    }
}

fn application() -> Application {
    Application {
        application_id: id("app_1"),
        name: name(),
        redirect_urls: vec![id("https://app.example")],
        session_type: SessionType::SingleSession.into(),
        audiences: vec![name()],
        created_time: Some(id("2026-01-02T03:04:05.678Z")),
        last_updated: Some(id("2026-01-02T03:04:05.678Z")),
        tags: tags(),
    }
}

fn extension() -> Extension {
    let rate_limit = ClientRateLimit {
        duration: RateLimitDuration::Day,
        quota: Some(100),
    };
    Extension {
        extension_id: id("ext_1"),
        name: Some(name()),
        created_time: Some(id("2026-01-02T03:04:05.678Z")),
        application: Some(ExtensionApplication {
            application_id: id("app_1"),
            redirect_urls: vec![id("https://app.example")],
            links: links(),
        }),
        client: Some(ExtensionClient {
            client_id: id("sc_1"),
            rate_limits: vec![rate_limit],
            links: links(),
        }),
        tags: tags(),
    }
}

fn token_configuration() -> UserTokenConfiguration {
    UserTokenConfiguration {
        default_claims: UserDefaultClaims {
            default_access_token_claims: TokenClaims::new().with("plan", json!("gold")).unwrap(),
        },
    }
}

fn user_token() -> UserToken {
    UserToken {
        account: Some(account_reference()),
        user_id: id("user 1"),
        token_id: id("tok_1"),
        token: TokenText::new("token".to_owned()),
        links: links(),
    }
}

fn tenant() -> Tenant {
    Tenant {
        tenant_id: id("tenant_1"),
        tenant_lookup_identifier: Some(id("tenant.1")),
        data: Some(TenantData { name: Some(name()) }),
        domains: vec![TenantDomain {
            domain: id("guestlist.example"),
        }],
        connection: Some(TenantConnection {
            connection_id: Some(id("con_1")),
        }),
        token_configuration: Some(AuthenticationTokenConfiguration {
            access_token_duration: Some(id("PT1H")),
            session_duration: Some(id("P30D")),
        }),
        created_time: Some(id("2026-01-02T03:04:05.678Z")),
    }
}

/// Every answer with all of its members. A member that a type gains does not compile here.
pub(super) fn answers() -> Vec<(&'static str, Value)> {
    let (pagination, links) = page();
    let applications = ApplicationCollection {
        applications: vec![application()],
        pagination: pagination.clone(),
        links: links.clone(),
    };
    let extensions = ExtensionCollection {
        extensions: vec![extension()],
        pagination: pagination.clone(),
        links: links.clone(),
    };
    let connections = ConnectionCollection {
        connections: vec![connection()],
        pagination: pagination.clone(),
        links: links.clone(),
    };
    let tenants = TenantCollection {
        tenants: vec![tenant()],
        pagination,
        links,
    };
    vec![
        (
            "OAuthTokenResponse",
            value(OAuthTokenResponse {
                access_token: TokenText::new("token".to_owned()),
                token_type: Some("Bearer".to_owned()),
                expires_in: Some(86_400),
            }),
        ),
        ("UserToken", value(user_token())),
        ("UserTokenConfiguration", value(token_configuration())),
        ("Application", value(application())),
        ("ApplicationCollection", value(applications)),
        ("Extension", value(extension())),
        ("ExtensionCollection", value(extensions)),
        ("Connection", value(connection())),
        ("ConnectionCollection", value(connections)),
        ("Tenant", value(tenant())),
        ("TenantCollection", value(tenants)),
    ]
}

/// Every body that is sent, with all of its members.
pub(super) fn requests() -> Vec<(&'static str, Value, Reads)> {
    let connection = ConnectionRequest {
        client_secret: Some("secret".parse().unwrap()),
        ..connection().to_request()
    };
    let tenant = tenant().to_request().unwrap();
    let tenant_user = TenantUser {
        user_id: id("user 1"),
    };
    let application = application().to_request().unwrap();
    let extension = extension().to_request().unwrap();
    let token = TokenRequest {
        expires: Some(id("2026-01-02T03:04:05.678Z")),
        expiry_time: Some(id("2026-01-02T03:04:05.678Z")),
        ..TokenRequest::new([invite_statement()]).unwrap()
    };
    // Written only when it is not empty, but read.
    let mut token = value(token);
    token["statements"][0]["users"] = json!([]);
    token["statements"][0]["groups"] = json!([]);
    vec![
        (
            "OAuthTokenRequest",
            value(OAuthTokenRequest::client_credentials(
                &id("sc_1"),
                AccessKeyText::new("secret".to_owned()),
            )),
            reads::<OAuthTokenRequest>,
        ),
        ("TokenRequest", token, reads::<TokenRequest>),
        (
            "UserTokenConfiguration",
            value(token_configuration()),
            reads::<UserTokenConfiguration>,
        ),
        (
            "ApplicationRequest",
            value(application),
            reads::<ApplicationRequest>,
        ),
        (
            "ExtensionRequest",
            value(extension),
            reads::<ExtensionRequest>,
        ),
        (
            "ConnectionRequest",
            value(connection),
            reads::<ConnectionRequest>,
        ),
        ("TenantRequest", value(tenant), reads::<TenantRequest>),
        ("TenantUser", value(tenant_user), reads::<TenantUser>),
    ]
}

/// Answers without any member that may be absent.
pub(super) fn bare_answers() -> Vec<(&'static str, Value)> {
    let bare_connection = Connection {
        has_client_secret: Some(false),
        created_time: connection().created_time,
        last_updated: connection().last_updated,
        ..Connection::new(id("con_1"))
    };
    let bare_tenant = Tenant {
        tenant_lookup_identifier: None,
        data: None,
        domains: Vec::new(),
        connection: None,
        token_configuration: None,
        ..tenant()
    };
    let bare_application = Application {
        audiences: Vec::new(),
        tags: Tags::default(),
        ..application()
    };
    let bare_extension = Extension {
        name: None,
        application: None,
        tags: Tags::default(),
        ..extension()
    };
    vec![
        ("Application", value(bare_application)),
        ("Extension", value(bare_extension)),
        ("Connection", value(bare_connection)),
        ("Tenant", value(bare_tenant)),
    ]
}
