//! Tenants.

use authress::models::{Tenant, TenantData};

use crate::report::{Failure, Report, check, equal, refused};
use crate::world::World;

pub fn tenant(id: &str, name: &str) -> Tenant {
    Tenant {
        tenant_id: id.to_owned(),
        data: Some(Box::new(TenantData {
            name: Some(Some(name.to_owned())),
        })),
        ..Tenant::default()
    }
}

async fn make(world: &World) -> Result<Tenant, Failure> {
    let wanted = tenant(&world.fresh("tenant-"), "a tenant of the tests");
    Ok(world.owner.tenants.create_tenant(wanted).await?)
}

pub async fn run(world: &World, report: &mut Report) {
    let api = &world.owner.tenants;
    let unknown = || "unknown-tenant".to_owned();
    report
        .case(
            "createTenant",
            "answers the tenant, 401 and 403 for others",
            async {
                let made = api.create_tenant(tenant("Tenant_1.a:b", "n")).await?;
                equal(made.tenant_id.as_str(), "Tenant_1.a:b", "the tenant id")?;
                equal(made.data, tenant("x", "n").data, "the data")?;
                refused(
                    401,
                    world
                        .nobody()
                        .tenants
                        .create_tenant(tenant("mine", "n"))
                        .await,
                )?;
                refused(
                    403,
                    world
                        .person("stranger")
                        .tenants
                        .create_tenant(tenant("mine", "n"))
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case(
            "getTenant",
            "answers what was created, 404 for others",
            async {
                let made = make(world).await?;
                equal(
                    &api.get_tenant(made.tenant_id.clone()).await?,
                    &made,
                    "the tenant",
                )?;
                refused(404, api.get_tenant(unknown()).await)?;
                refused(
                    404,
                    world
                        .person("stranger")
                        .tenants
                        .get_tenant(made.tenant_id)
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case("getTenants", "lists what was created", async {
            let made = make(world).await?;
            check(
                api.get_tenants().await?.tenants.contains(&made),
                "it is missing",
            )
        })
        .await;
    report
        .case(
            "updateTenant",
            "replaces the tenant, 404 for an unknown one",
            async {
                let id = make(world).await?.tenant_id;
                let changed = api
                    .update_tenant(id.clone(), tenant(&id, "changed"))
                    .await?;
                equal(changed.data, tenant("x", "changed").data, "the data")?;
                refused(
                    404,
                    api.update_tenant(unknown(), tenant("unknown-tenant", "n"))
                        .await,
                )?;
                Ok(())
            },
        )
        .await;
    report
        .case("deleteTenant", "404 afterwards", async {
            let id = make(world).await?.tenant_id;
            api.delete_tenant(id.clone()).await?;
            refused(404, api.get_tenant(id.clone()).await)?;
            refused(404, api.delete_tenant(id).await)?;
            Ok(())
        })
        .await;
}
