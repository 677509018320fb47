//! Every way a decision can be "no". Which status and which words a caller gets is chosen in the
//! server, in one place.

use crate::changes::Unreadable;

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    AccessKey,
    AccessRecord,
    AccessRequest,
    Account,
    Application,
    Client,
    Connection,
    Extension,
    Group,
    Invite,
    Resource,
    ResourceConfiguration,
    Role,
    Tenant,
    User,
    UserToken,
    Webhook,
}

/// Why an invite cannot be used. Told only to a holder of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteUnusable {
    Expired,
    Revoked,
    Declined,
    AlreadyAccepted,
    Exhausted,
    /// It can be used later.
    NotYetValid,
    /// Somebody accepted it, which waits for approval.
    AwaitingApproval,
}

/// Who must not approve what was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approver {
    /// Whoever accepted it.
    Invited,
    /// Whoever made the invite, where the account wants two.
    Inviter,
    /// A program, where the account wants two: whoever made the invite may own it.
    Program,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is not there, or the caller may not know that it is.
    NotFound(Noun),
    /// The caller may know that it is there but not do this.
    Forbidden {
        /// The permission that would be needed, as `ACTION on RESOURCE`.
        needs: String,
    },
    /// The caller would hand out more than they hold.
    InsufficientGrantAccess,
    /// A member of the request is well formed and still cannot be.
    Invalid {
        /// Where: `statements[0].roles[1]`.
        path: String,
        /// What it must be.
        reason: String,
    },
    /// Well formed, and nothing that can be asked for.
    NotAskable {
        /// Where: `access.statements[0].roles[1]`.
        path: String,
        /// What it must be.
        reason: String,
    },
    /// Somebody has as many open access requests as they may have.
    TooManyOpenRequests,
    /// The access request was answered otherwise.
    AnsweredOtherwise,
    /// What was accepted must be approved by somebody else.
    SecondPersonRequired(Approver),
    /// The invite that an access request belongs to does not wait for it any more.
    NothingToApprove(InviteUnusable),
    /// The id is in use.
    Taken(Noun),
    /// What is claimed is somebody's already.
    AlreadyClaimed,
    /// It changed since the caller read it.
    Outdated,
    /// It would be larger than it may be.
    TooLarge { reason: String },
    /// Built-in roles are the same everywhere.
    BuiltInRole,
    /// A client has as many access keys as it may have.
    TooManyKeys,
    /// The account has as many webhooks as it may have.
    TooManyWebhooks,
    /// The invite cannot be used, or not by this caller.
    InviteUnusable(InviteUnusable),
    /// The invite is for somebody else.
    InviteNotForYou {
        /// For whom, with most of it hidden.
        expected: String,
    },
    /// Who made the invite may no longer give what it holds.
    InviteSuspended,
    /// Only a person can accept an invite.
    AcceptorNotAUser,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// What was made under the idempotency key has another id since: the invite was renewed.
    InviteRenewed,
    /// The application belongs to an extension, and is deleted with it.
    ApplicationInUse,
    /// Nobody would be left who can administer the account.
    LastOwner,
    /// Something stored cannot be read.
    Unreadable(UnreadableDocument),
}

/// [`Unreadable`], compared by what it names.
#[derive(Debug, Clone)]
pub struct UnreadableDocument(pub Unreadable);

impl PartialEq for UnreadableDocument {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind && self.0.id == other.0.id
    }
}

impl Eq for UnreadableDocument {}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(UnreadableDocument(unreadable))
    }
}

impl Refusal {
    /// A member of the request that cannot be.
    pub fn invalid(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.into(),
            reason: reason.into(),
        }
    }
}
