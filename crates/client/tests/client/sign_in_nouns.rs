//! Tenants and what else concerns how users sign in, against a real server.

use guestlist_client::PageQuery;
use guestlist_client::api::tenants::{AuthenticationTokenConfiguration, TenantName, TenantRequest};

use crate::setup::{server, user};

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
