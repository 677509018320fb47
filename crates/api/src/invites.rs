//! Invites: access for somebody who has no account yet (contract §2.2 Invite, semantics §4).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{InviteId, InviteReference, LinkedUserId, RoleId, TenantId};
use crate::invite_terms::{
    AccessDuration, InviteApproval, InviteGrant, InviteRestrictions, Invitee,
};
use crate::limits;
use crate::paging::Links;
use crate::records::{LinkedGroup, Resource, User, resources_of, roles_of};
use crate::resources::ResourceUri;
use crate::text::{Bounded, Malformed, OpenEnum, Tags, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// What to do when what the invite holds cannot be added to the person's record without anybody
/// else gaining something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConflictResolutionStrategy {
    /// Make another record under a random id.
    #[default]
    GenerateNewRecord,
    /// Add it all the same.
    UnsafeForceMerge,
    /// Put the invite's content in the place of the record's.
    ReplaceRecordData,
    /// Change nothing; the invite counts as used.
    SkipChanges,
}

/// Roles on resources for the person who accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteStatement {
    pub roles: Bounded<RoleId, 1, { limits::STATEMENT_ROLES }>,
    pub resources: Bounded<Resource, 1, { limits::STATEMENT_RESOURCES }>,
    /// Must be absent or empty: who it is for is not known yet.
    #[serde(default, deserialize_with = "default_if_null", skip_serializing)]
    pub users: Bounded<User, 0, 0>,
    /// Must be absent or empty.
    #[serde(default, deserialize_with = "default_if_null", skip_serializing)]
    pub groups: Bounded<LinkedGroup, 0, 0>,
}

impl InviteStatement {
    /// These roles on these resources, given as values or as texts.
    ///
    /// # Errors
    ///
    /// If a text is not what it must be, or there are none or more than 100 of either.
    pub fn new<R, U>(
        roles: impl IntoIterator<Item = R>,
        resources: impl IntoIterator<Item = U>,
    ) -> Result<Self, Malformed>
    where
        R: TryInto<RoleId>,
        U: TryInto<ResourceUri>,
        Malformed: From<R::Error> + From<U::Error>,
    {
        Ok(Self {
            roles: roles_of(roles)?,
            resources: resources_of(resources)?,
            users: Bounded::default(),
            groups: Bounded::default(),
        })
    }
}

/// An invite as it is answered: only ever to somebody who holds its secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    pub invite_id: InviteId,
    #[serde(default, deserialize_with = "default_if_null")]
    pub statements: Vec<InviteStatement>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub conflict_resolution_strategy: OpenEnum<ConflictResolutionStrategy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_user_id: Option<LinkedUserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_login_tenant_id: Option<TenantId>,
    /// The older name of `defaultLoginTenantId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The public half of the id, for lists, logs and support. An extension, as all that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<InviteReference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee: Option<Invitee>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<InviteRestrictions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<InviteGrant>,
    /// Only of an invite that must be approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<InviteApproval>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "Tags::is_empty"
    )]
    pub tags: Tags,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// Without the links, which hold the whole id.
impl fmt::Debug for Invite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Invite")
            .field("invite_id", &self.invite_id)
            .field("statements", &self.statements)
            .field(
                "conflict_resolution_strategy",
                &self.conflict_resolution_strategy,
            )
            .field("expiry_time", &self.expiry_time)
            .field("linked_user_id", &self.linked_user_id)
            .field("default_login_tenant_id", &self.default_login_tenant_id)
            .finish_non_exhaustive()
    }
}

/// An invite as it is made. Members that are not listed are ignored, read-only ones too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRequest {
    #[serde(default, deserialize_with = "default_if_null")]
    pub statements: Bounded<InviteStatement, 0, { limits::STATEMENTS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub conflict_resolution_strategy: ConflictResolutionStrategy,
    /// 7 days from now unless given; 5 minutes to 30 days from now.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiry_time: Option<Timestamp>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub linked_user_id: Option<LinkedUserId>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_login_tenant_id: Option<TenantId>,
    /// The older name of `defaultLoginTenantId`; if both are given they must agree.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_id: Option<TenantId>,
    /// Whom it is for; whoever holds it, unless given. An extension, as all that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee: Option<Invitee>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<InviteRestrictions>,
    /// How it is given. When an invite is replaced, absent leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<InviteGrant>,
    /// Whether somebody must approve it once it is accepted. When an invite is replaced, absent leaves
    /// it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<InviteApproval>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "Tags::is_empty"
    )]
    pub tags: Tags,
}

impl InviteRequest {
    /// An invite that gives nothing yet and lives as long as the server has it by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also gives this to whoever accepts. At most 100, which the server checks.
    #[must_use]
    pub fn statement(mut self, statement: InviteStatement) -> Self {
        self.statements = self.statements.with(statement);
        self
    }

    /// Ends at this time, 5 minutes to 30 days from now. To choose it, `Invites:Create` on
    /// `Authress:Invites` is needed.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use guestlist_api::invites::InviteRequest;
    ///
    /// let in_five_days = SystemTime::now() + Duration::from_hours(5 * 24);
    /// let invite = InviteRequest::new().expires(in_five_days.into());
    /// ```
    #[must_use]
    pub fn expires(mut self, time: Timestamp) -> Self {
        self.expiry_time = Some(time);
        self
    }

    /// What it gives ends so long after it was accepted.
    ///
    /// ```
    /// use guestlist_api::invites::InviteRequest;
    ///
    /// let invite = InviteRequest::new().access_duration("P30D".parse()?);
    /// # Ok::<(), guestlist_api::text::Malformed>(())
    /// ```
    #[must_use]
    pub fn access_duration(mut self, duration: AccessDuration) -> Self {
        self.grant = InviteGrant::of(Some(duration));
        self
    }

    /// Accepting it gives nothing until somebody who may give it approves.
    ///
    /// ```
    /// use guestlist_api::invites::InviteRequest;
    ///
    /// let invite = InviteRequest::new().approval_required();
    /// ```
    #[must_use]
    pub fn approval_required(mut self) -> Self {
        self.approval = Some(InviteApproval::REQUIRED);
        self
    }

    /// What to do when it cannot safely be added to what the person has.
    #[must_use]
    pub fn conflict_resolution_strategy(mut self, strategy: ConflictResolutionStrategy) -> Self {
        self.conflict_resolution_strategy = strategy;
        self
    }

    /// The user id for somebody who signs up through it.
    #[must_use]
    pub fn linked_user_id(mut self, user: LinkedUserId) -> Self {
        self.linked_user_id = Some(user);
        self
    }

    /// Where somebody who follows it signs in.
    #[must_use]
    pub fn default_login_tenant_id(mut self, tenant: TenantId) -> Self {
        self.default_login_tenant_id = Some(tenant);
        self
    }

    /// Only for this user, or for whoever signs in with this verified address.
    #[must_use]
    pub fn invitee(mut self, invitee: Invitee) -> Self {
        self.invitee = Some(invitee);
        self
    }

    /// Only within these bounds.
    #[must_use]
    pub fn restrictions(mut self, restrictions: InviteRestrictions) -> Self {
        self.restrictions = Some(restrictions);
        self
    }

    /// With these tags, to find it by.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}
