//! Every `errorCode` with its status and what it means to a caller, and which refusals which
//! operations share.

/// A refusal as a caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Code {
    /// The HTTP status.
    pub(super) status: u16,
    /// The `errorCode`.
    pub(super) name: &'static str,
    /// One sentence for a reader of the description.
    pub(super) meaning: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $status:literal $name:literal $meaning:literal;)*) => {
        $(pub(super) const $constant: Code = Code { status: $status, name: $name, meaning: $meaning };)*

        /// All of them.
        pub(super) const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    INVALID_REQUEST = 400 "InvalidRequest" "The request is malformed; `path` names the offending member or parameter.";
    ISSUER_NOT_USABLE = 400 "IssuerNotUsable" "The issuer cannot be asked for its keys.";
    UNAUTHORIZED = 401 "Unauthorized" "There are no valid credentials: none, malformed, expired or revoked ones.";
    FORBIDDEN = 403 "Forbidden" "The caller lacks the permission that `title` names.";
    INSUFFICIENT_GRANT_ACCESS = 403 "InsufficientGrantAccess" "The caller would hand out more than they may give.";
    BUILT_IN_ROLE = 403 "BuiltInRole" "Built-in roles cannot be changed or deleted.";
    INVITE_NO_LONGER_VALID = 403 "InviteNoLongerValid" "Whoever made the invite may no longer give what it holds.";
    INVITE_NOT_FOR_YOU = 403 "InviteNotForYou" "The invite is for somebody else; `title` says for whom, with most of it hidden.";
    INVALID_INVITE_ACCEPTOR = 403 "InvalidInviteAcceptor" "A service client cannot accept an invite.";
    SECOND_PERSON_REQUIRED = 403 "SecondPersonRequired" "Somebody else must approve this: not whoever accepted the invite nor, where the account wants two, whoever made it or a service client.";
    NOT_FOUND = 404 "NotFound" "It does not exist, or the caller may not know of it.";
    NO_SUCH_PATH = 404 "NoSuchPath" "There is nothing at this path.";
    INVITE_EXPIRED = 404 "InviteExpired" "The invite's time is over.";
    INVITE_REVOKED = 404 "InviteRevoked" "The invite was withdrawn.";
    INVITE_DECLINED = 404 "InviteDeclined" "The invite was declined.";
    INVITE_ALREADY_ACCEPTED = 404 "InviteAlreadyAccepted" "The invite was accepted.";
    INVITE_NOT_YET_VALID = 404 "InviteNotYetValid" "The invite can be used later.";
    INVITE_EXHAUSTED = 404 "InviteExhausted" "The invite was used as often as it may be.";
    APPROVAL_PENDING = 404 "ApprovalPending" "Somebody accepted the invite, which waits for approval.";
    BODY_TIMEOUT = 408 "BodyTimeout" "The request body did not arrive in time.";
    RECORD_ALREADY_EXISTS = 409 "AccessRecordAlreadyExists" "There is an access record with this id.";
    ROLE_ALREADY_EXISTS = 409 "RoleAlreadyExists" "There is a role with this id.";
    GROUP_ALREADY_EXISTS = 409 "GroupAlreadyExists" "There is a group with this id.";
    ANSWERED_OTHERWISE = 409 "AnsweredOtherwise" "The access request was answered otherwise before.";
    NOTHING_TO_APPROVE = 409 "NothingToApprove" "The invite that the access request belongs to does not wait for it any more.";
    ALREADY_CLAIMED = 409 "AlreadyClaimed" "Somebody has access to the resource, or to something below it, already.";
    CONNECTION_ALREADY_EXISTS = 409 "ConnectionAlreadyExists" "There is a connection with this id.";
    TENANT_ALREADY_EXISTS = 409 "TenantAlreadyExists" "There is a tenant with this id.";
    APPLICATION_IN_USE = 409 "ApplicationInUse" "The application belongs to an extension.";
    INVITE_RENEWED = 409 "InviteRenewed" "The invite made under the `Idempotency-Key` was renewed, so its first id is dead.";
    LAST_OWNER = 409 "LastOwner" "Nobody would be left who owns the account.";
    PRECONDITION_FAILED = 412 "PreconditionFailed" "It changed since the time in `If-Unmodified-Since`.";
    TOO_LARGE = 413 "TooLarge" "The request body, or what would be stored, is too large.";
    URI_TOO_LONG = 414 "UriTooLong" "The request target is too long.";
    UNSUPPORTED_CONTENT_ENCODING = 415 "UnsupportedContentEncoding" "The request body is compressed.";
    UNKNOWN_EXPECTATION = 417 "UnknownExpectation" "`Expect` holds something other than `100-continue`.";
    BATCH_REFUSED = 422 "BatchRefused" "Rows of a batch that is made as a whole cannot be made; `refusedRows` says which and why.";
    IDEMPOTENCY_KEY_REUSED = 422 "IdempotencyKeyReused" "The `Idempotency-Key` was sent with another request.";
    NOT_ASKABLE = 422 "NotAskable" "What `path` names cannot be asked for, or not by this caller.";
    TOO_MANY_OPEN_REQUESTS = 422 "TooManyOpenRequests" "The caller has as many open access requests as they may have.";
    TOO_MANY_ACCESS_KEYS = 422 "TooManyAccessKeys" "The client has as many access keys as it may have.";
    TOO_MANY_WEBHOOKS = 422 "TooManyWebhooks" "The account has as many webhooks as it may have.";
    TOO_MANY_REQUESTS = 429 "TooManyRequests" "Too many failed attempts, access requests, claims or people invited, or more requests than the rate limit of the service client allows; `Retry-After` says when to try again.";
    HEADERS_TOO_LARGE = 431 "HeadersTooLarge" "The header fields are too many or too long.";
    INTERNAL_ERROR = 500 "InternalError" "A fault of the server; its log has the rest under `errorId`.";
    BUSY = 503 "Busy" "What the request needs kept changing; nothing was done.";
    UNFINISHED = 503 "Unfinished" "Part of it is done; the same request goes on with the rest.";
    REVISION_NOT_REACHED = 503 "RevisionNotReached" "The server has not yet taken in the revision in `Guestlist-Min-Revision`; nothing was done.";
    NOT_UP_TO_DATE = 503 "NotUpToDate" "The server does not know whether it misses changes of other nodes; nothing was done.";
    SHUTTING_DOWN = 503 "ShuttingDown" "The server is about to end; nothing was done.";
    STORAGE_UNAVAILABLE = 503 "StorageUnavailable" "The server cannot reach its storage; nothing was done.";
    OUTCOME_UNKNOWN = 503 "OutcomeUnknown" "The server cannot tell whether it was done; read it again.";
    STORAGE_FULL = 507 "StorageFull" "The server has no room left to write; nothing was done.";
}

/// What any request can be answered with.
pub(super) const OF_EVERY_REQUEST: &[Code] = &[
    INVALID_REQUEST,
    BODY_TIMEOUT,
    TOO_LARGE,
    URI_TOO_LONG,
    UNSUPPORTED_CONTENT_ENCODING,
    UNKNOWN_EXPECTATION,
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
];

/// What a request that needs a caller can be answered with besides.
pub(super) const OF_A_CALLER: &[Code] = &[
    UNAUTHORIZED,
    TOO_MANY_REQUESTS,
    REVISION_NOT_REACHED,
    NOT_UP_TO_DATE,
    STORAGE_UNAVAILABLE,
];

/// What a request that writes can be answered with besides.
pub(super) const OF_A_CHANGE: &[Code] = &[BUSY, OUTCOME_UNKNOWN, STORAGE_FULL];

/// What a request that names an invite can be answered with when it cannot be used.
pub(super) const OF_AN_UNUSABLE_INVITE: &[Code] = &[
    NOT_FOUND,
    INVITE_EXPIRED,
    INVITE_REVOKED,
    INVITE_DECLINED,
    INVITE_ALREADY_ACCEPTED,
    INVITE_NOT_YET_VALID,
    INVITE_EXHAUSTED,
    APPROVAL_PENDING,
];

/// Refusals that many operations share, under the names of their components.
pub(super) const SHARED: &[(&str, &[Code])] = &[
    ("InvalidRequest", &[INVALID_REQUEST]),
    ("Unauthorized", &[UNAUTHORIZED]),
    ("Forbidden", &[FORBIDDEN]),
    ("ForbiddenGrant", &[FORBIDDEN, INSUFFICIENT_GRANT_ACCESS]),
    ("NotFound", &[NOT_FOUND]),
    ("InviteNotFound", OF_AN_UNUSABLE_INVITE),
    ("BodyTimeout", &[BODY_TIMEOUT]),
    ("LastOwner", &[LAST_OWNER]),
    ("PreconditionFailed", &[PRECONDITION_FAILED]),
    ("TooLarge", &[TOO_LARGE]),
    ("UriTooLong", &[URI_TOO_LONG]),
    (
        "UnsupportedContentEncoding",
        &[UNSUPPORTED_CONTENT_ENCODING],
    ),
    ("UnknownExpectation", &[UNKNOWN_EXPECTATION]),
    ("TooManyRequests", &[TOO_MANY_REQUESTS]),
    ("HeadersTooLarge", &[HEADERS_TOO_LARGE]),
    ("InternalError", &[INTERNAL_ERROR]),
    (
        "Unavailable",
        &[REVISION_NOT_REACHED, NOT_UP_TO_DATE, STORAGE_UNAVAILABLE],
    ),
    (
        "UnavailableForChanges",
        &[
            BUSY,
            REVISION_NOT_REACHED,
            NOT_UP_TO_DATE,
            STORAGE_UNAVAILABLE,
            OUTCOME_UNKNOWN,
        ],
    ),
    ("StorageFull", &[STORAGE_FULL]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use guestlist_rules::refusals::{Approver, InviteUnusable, Noun, Refusal as Rule};
    use guestlist_store::StoreError;

    use super::*;
    use crate::caller::NotIdentified;
    use crate::edge_error::EdgeError;
    use crate::invite_budget::{Policy, UsedUp};
    use crate::refusal::NoToken;
    use crate::refusal::Refusal;

    /// What no described operation is answered with: other methods and paths, and ids that callers
    /// do not choose.
    const OF_NO_OPERATION: [&str; 14] = [
        "MethodNotAllowed",
        "NotImplemented",
        "AccessKeyAlreadyExists",
        "AccessRequestAlreadyExists",
        "AccountAlreadyExists",
        "ApplicationAlreadyExists",
        "ClientAlreadyExists",
        "ExtensionAlreadyExists",
        "InviteAlreadyExists",
        "ResourceAlreadyExists",
        "ResourceConfigurationAlreadyExists",
        "TokenAlreadyExists",
        "UserAlreadyExists",
        "WebhookAlreadyExists",
    ];

    #[test]
    fn the_codes_are_those_of_the_refusals() {
        let sources = [
            include_str!("../refusal.rs"),
            include_str!("../refusal/nouns.rs"),
        ];
        let one_word = |text: &&str| {
            text.starts_with(|first: char| first.is_ascii_uppercase())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let quoted = sources
            .into_iter()
            .flat_map(|source| source.split('"').skip(1).step_by(2))
            .filter(one_word);
        let found: BTreeSet<&str> = quoted.filter(|text| *text != "Bearer").collect();
        let listed = ALL
            .iter()
            .map(|code| code.name)
            .chain(OF_NO_OPERATION)
            .collect();
        assert_eq!(found, listed);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one list of every refusal")]
    fn the_statuses_are_those_of_the_refusals() {
        let rules = [
            Rule::NotFound(Noun::Role),
            Rule::Forbidden {
                needs: String::new(),
            },
            Rule::InsufficientGrantAccess,
            Rule::invalid("", ""),
            Rule::Taken(Noun::AccessRecord),
            Rule::Taken(Noun::Role),
            Rule::Taken(Noun::Group),
            Rule::Taken(Noun::Connection),
            Rule::Taken(Noun::Tenant),
            Rule::Outdated,
            Rule::NotAskable {
                path: String::new(),
                reason: String::new(),
            },
            Rule::TooManyOpenRequests,
            Rule::AnsweredOtherwise,
            Rule::AlreadyClaimed,
            Rule::TooLarge {
                reason: String::new(),
            },
            Rule::BuiltInRole,
            Rule::TooManyKeys,
            Rule::TooManyWebhooks,
            Rule::InviteUnusable(InviteUnusable::Expired),
            Rule::InviteUnusable(InviteUnusable::Revoked),
            Rule::InviteUnusable(InviteUnusable::Declined),
            Rule::InviteUnusable(InviteUnusable::AlreadyAccepted),
            Rule::InviteUnusable(InviteUnusable::Exhausted),
            Rule::InviteUnusable(InviteUnusable::NotYetValid),
            Rule::InviteUnusable(InviteUnusable::AwaitingApproval),
            Rule::SecondPersonRequired(Approver::Invited),
            Rule::NothingToApprove(InviteUnusable::Expired),
            Rule::InviteNotForYou {
                expected: String::new(),
            },
            Rule::InviteSuspended,
            Rule::AcceptorNotAUser,
            Rule::IdempotencyKeyReused,
            Rule::InviteRenewed,
            Rule::ApplicationInUse,
            Rule::LastOwner,
        ];
        let edges = [
            EdgeError::UriTooLong {
                length: 2,
                allowed: 1,
            },
            EdgeError::HeadersTooLarge {
                length: 2,
                allowed: 1,
            },
            EdgeError::BadTarget,
            EdgeError::UnknownExpectation,
            EdgeError::BodyTooLarge { allowed: 1 },
            EdgeError::BodyTimeout { seconds: 1 },
            EdgeError::UnsupportedEncoding,
        ];
        let others = [
            Refusal::malformed("", ""),
            Refusal::NotIdentified(NotIdentified::NoAuthorization),
            Refusal::NoToken(NoToken::Client {
                reason: NotIdentified::UnknownClient,
                basic: true,
            }),
            Refusal::NoToken(NoToken::Grant),
            Refusal::NotReached {
                wanted: 2,
                newest: 1,
            },
            Refusal::Stale { seconds: 1 },
            Refusal::NoSuchPath,
            Refusal::BadCursor,
            Refusal::TooMany { seconds: 1 },
            Refusal::TooManyMade { seconds: 1 },
            Refusal::BatchRefused(Vec::new()),
            Refusal::TooManyInvited(UsedUp {
                policy: Policy::Inviter,
                quota: 1,
                seconds: 1,
            }),
            Refusal::RateLimited { seconds: 1 },
            Refusal::Busy,
            Refusal::Unfinished,
            Refusal::Issuer {
                reason: String::new(),
            },
            Refusal::Draining,
            Refusal::Store(StoreError::Full(None)),
            Refusal::Store(StoreError::Unavailable(None)),
            Refusal::Store(StoreError::Unknown(None)),
            Refusal::Store(StoreError::Stopped),
            Refusal::Store(StoreError::Damaged(String::new())),
        ];
        let rules = rules.into_iter().map(Refusal::Rule);
        let edges = edges.into_iter().map(Refusal::Edge);
        let mut produced = BTreeSet::new();
        for refusal in rules.chain(edges).chain(others) {
            let told = refusal.for_caller();
            let code = ALL.iter().find(|code| code.name == told.code);
            let code = code.unwrap_or_else(|| panic!("{} is not listed", told.code));
            assert_eq!(told.status.as_u16(), code.status, "{}", told.code);
            produced.insert(code.name);
        }
        assert_eq!(produced, ALL.iter().map(|code| code.name).collect());
    }

    #[test]
    fn shared_refusals_have_one_status_and_a_name_each() {
        let names: BTreeSet<&str> = SHARED.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), SHARED.len());
        for (name, shared) in SHARED {
            let statuses: BTreeSet<u16> = shared.iter().map(|code| code.status).collect();
            assert_eq!(statuses.len(), 1, "{name}");
        }
    }
}
