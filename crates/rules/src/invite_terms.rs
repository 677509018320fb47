//! For whom an invite is, and within which bounds it can be used: judged when it is made, and again
//! when somebody uses it.

use guestlist_api::emails::EmailAddress;
use guestlist_api::identities::IssuerText;
use guestlist_api::ids::{Domain, RoleId, UserId};
use guestlist_api::invite_terms::{InviteRestrictions, Invitee};
use guestlist_api::invites::{ConflictResolutionStrategy, InviteRequest, InviteStatement};
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::caller::CallerKind;
use crate::coverage::begins_with_wildcard;
use crate::facts::Facts;
use crate::grants::Grants;
use crate::refusals::Refusal;

/// The terms of an invite as they are stored. Invites of before there were terms have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terms {
    pub invitee: Option<Invitee>,
    pub email_domains: Vec<Domain>,
    pub issuer: Option<IssuerText>,
    pub not_before: Option<Timestamp>,
}

impl Terms {
    /// The terms that a request asks for.
    ///
    /// # Errors
    ///
    /// They contradict each other or the rest of the request.
    pub fn of(request: &InviteRequest, expiry_time: Timestamp) -> Result<Self, Refusal> {
        let restrictions = request.restrictions.clone().unwrap_or_default();
        if restrictions
            .not_before
            .is_some_and(|instant| instant >= expiry_time)
        {
            return Err(Refusal::invalid(
                "restrictions.notBefore",
                "must be before the invite expires",
            ));
        }
        if restrictions.max_uses.get() > 1 {
            if matches!(request.invitee, Some(Invitee::User(_))) {
                return Err(Refusal::invalid(
                    "restrictions.maxUses",
                    "must be 1 for an invite that is for one user",
                ));
            }
            match request.conflict_resolution_strategy {
                ConflictResolutionStrategy::GenerateNewRecord
                | ConflictResolutionStrategy::SkipChanges => {}
                ConflictResolutionStrategy::UnsafeForceMerge
                | ConflictResolutionStrategy::ReplaceRecordData => {
                    return Err(Refusal::invalid(
                        "conflictResolutionStrategy",
                        "must be GENERATE_NEW_RECORD or SKIP_CHANGES for an invite for several",
                    ));
                }
            }
        }
        if let Some(Invitee::User(user)) = &request.invitee
            && !user.is_person()
        {
            return Err(Refusal::invalid(
                "invitee.userId",
                "must be a person: service clients accept no invites",
            ));
        }
        Ok(Self {
            invitee: request.invitee.clone(),
            email_domains: restrictions.email_domains.into_vec(),
            issuer: restrictions.issuer,
            not_before: restrictions.not_before,
        })
    }

    /// As they are answered, with how often the invite can be used.
    pub fn restrictions(&self, max_uses: u32) -> InviteRestrictions {
        InviteRestrictions {
            // What is stored was parsed by the same types, so neither is ever lost here.
            email_domains: guestlist_api::text::Bounded::new(self.email_domains.clone())
                .unwrap_or_default(),
            issuer: self.issuer.clone(),
            not_before: self.not_before,
            max_uses: max_uses.try_into().unwrap_or_default(),
        }
    }

    /// Whether the caller is one for whom the invite is: by what their token proves, and not by what
    /// they say.
    ///
    /// # Errors
    ///
    /// [`Refusal::InviteNotForYou`], which says as much of whom it is for as helps somebody who signed
    /// in with another account.
    pub fn admit(&self, facts: Facts<'_>) -> Result<(), Refusal> {
        let (issuer, email) = match &facts.caller.kind {
            CallerKind::User {
                issuer,
                verified_email,
            } => (issuer, verified_email.as_ref()),
            CallerKind::Client { .. } | CallerKind::Limited { .. } => {
                return Err(Refusal::AcceptorNotAUser);
            }
        };
        let admitted = self.is_invitee(facts, email)
            && self.issuer.as_ref().is_none_or(|wanted| wanted == issuer)
            && (self.email_domains.is_empty() || self.is_of_domain(email));
        if admitted {
            Ok(())
        } else {
            Err(Refusal::InviteNotForYou {
                expected: self.expected(),
            })
        }
    }

    /// Whether it is for this user by their id.
    pub(crate) fn is_for(&self, user: &UserId) -> bool {
        match &self.invitee {
            Some(Invitee::User(wanted)) => wanted.principal() == user.principal(),
            Some(Invitee::Email(_)) | None => false,
        }
    }

    fn is_invitee(&self, facts: Facts<'_>, email: Option<&EmailAddress>) -> bool {
        match &self.invitee {
            None => true,
            Some(Invitee::User(user)) => user.principal() == facts.who().principal(),
            Some(Invitee::Email(wanted)) => email == Some(wanted),
        }
    }

    /// The whole domain, not its end: `evil-example.com` is not `example.com`, and neither is
    /// `mail.example.com`.
    fn is_of_domain(&self, email: Option<&EmailAddress>) -> bool {
        let Some((_, domain)) = email.map(EmailAddress::parts) else {
            return false;
        };
        let mut domains = self.email_domains.iter();
        domains.any(|wanted| wanted.as_str() == domain)
    }

    fn expected(&self) -> String {
        let mut expected = Vec::new();
        match &self.invitee {
            Some(Invitee::User(_)) => expected.extend(
                self.invitee
                    .as_ref()
                    .map(|invitee| format!("the user {}", invitee.masked())),
            ),
            Some(Invitee::Email(email)) => {
                expected.push(format!("the verified e-mail address {}", email.masked()));
            }
            None => {}
        }
        if !self.email_domains.is_empty() {
            let domains: Vec<&str> = self.email_domains.iter().map(Domain::as_str).collect();
            expected.push(format!(
                "a verified e-mail address of {}",
                domains.join(" or ")
            ));
        }
        if let Some(issuer) = &self.issuer {
            expected.push(format!("an account of {issuer}"));
        }
        expected.join(", and ")
    }
}

/// Whether all that an invite for several people holds is fit for that: links never administer.
///
/// It is refused if a role lets its holders give anything on, if a role is not there (nobody can tell
/// what it would give), and if it reaches the service's own resources.
pub fn is_for_several(
    grants: &Grants,
    statements: &[InviteStatement],
) -> Result<(), AdministersBecause> {
    for statement in statements {
        for role in statement.roles.iter() {
            let Some(facts) = grants.role(role) else {
                return Err(AdministersBecause::Role(role.clone()));
            };
            let gives_on = facts
                .permissions
                .iter()
                .any(|permission| permission.grant || permission.delegate);
            if gives_on {
                return Err(AdministersBecause::Role(role.clone()));
            }
        }
        for resource in statement.resources.iter() {
            let uri = &resource.resource_uri;
            if uri.is_reserved() || begins_with_wildcard(uri.canonical()) {
                return Err(AdministersBecause::Resource(uri.clone()));
            }
        }
    }
    Ok(())
}

/// What of an invite for several people would administer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdministersBecause {
    Role(RoleId),
    Resource(ResourceUri),
}

impl From<AdministersBecause> for Refusal {
    fn from(because: AdministersBecause) -> Self {
        let what = match because {
            AdministersBecause::Role(role) => {
                format!("{role} lets its holders give something on, or is not there")
            }
            AdministersBecause::Resource(resource) => {
                format!("{resource} is, or reaches, the service's own resources")
            }
        };
        Self::invalid(
            "restrictions.maxUses",
            format!("must be 1: an invite for several people must not administer, and {what}"),
        )
    }
}
