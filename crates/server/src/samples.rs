//! What `--dev` puts into a new account: roles and a user who may invite others.

use guestlist_api::ids::UserId;
use guestlist_api::records::{RecordStatus, User};
use guestlist_api::roles::Permission;
use guestlist_api::text::{Description, Malformed, Name, Tags};
use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Changes, Kind};
use guestlist_rules::records::StoredRecord;
use guestlist_rules::roles::StoredRole;
use guestlist_store::{Store, StoreError};

use crate::startup::{NotStarted, SERVICE, statement};

/// Who may invite others to the sample project.
pub const MANAGER: &str = "alice";
/// Who is invited in what the server prints.
pub const INVITED: &str = "bob";
/// What they are invited to.
pub const PROJECT: &str = "projects/42";
const RECORD: &str = "rec_sample";

/// What they become there.
pub const EDITOR: &str = "ro_editor";

fn permission(action: &str, allow: bool, grant: bool) -> Result<Permission, Malformed> {
    Ok(Permission {
        action: action.parse()?,
        allow,
        grant,
        delegate: false,
    })
}

fn role(
    id: &str,
    name: &str,
    description: &str,
    permissions: Vec<Permission>,
    now: Timestamp,
) -> Result<StoredRole, Malformed> {
    Ok(StoredRole {
        role_id: id.parse()?,
        name: Name::parse(name)?,
        description: Some(Description::parse(description)?),
        permissions,
        last_updated: now,
    })
}

/// Whether a store holds the samples.
pub async fn are_in(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.get(Kind::AccessRecord, RECORD).await?.is_some())
}

/// Adds the samples to the changes of the first start.
pub(crate) fn add(changes: &mut Changes, now: Timestamp) -> Result<(), NotStarted> {
    let viewer = vec![permission("documents:read", true, false)?];
    let editor = vec![
        permission("documents:read", true, false)?,
        permission("documents:write", true, false)?,
    ];
    let manager = vec![permission("documents", true, true)?];
    changes.create(&role(
        "ro_viewer",
        "Viewer",
        "Sample: reads documents.",
        viewer,
        now,
    )?)?;
    changes.create(&role(
        EDITOR,
        "Editor",
        "Sample: reads and writes documents.",
        editor,
        now,
    )?)?;
    let about = "Sample: does everything with documents and invites others to it.";
    changes.create(&role("ro_manager", "Manager", about, manager, now)?)?;
    let service: UserId = SERVICE.parse()?;
    changes.create(&StoredRecord {
        record_id: RECORD.parse()?,
        name: Name::parse("Sample: Alice manages project 42")?,
        description: None,
        users: vec![User {
            user_id: MANAGER.parse()?,
        }],
        admins: Vec::new(),
        groups: Vec::new(),
        statements: vec![statement(&["ro_manager"], &[PROJECT])?],
        tags: Tags::default(),
        status: RecordStatus::Active,
        created_by: service,
        last_updated: now,
    })?;
    Ok(())
}
