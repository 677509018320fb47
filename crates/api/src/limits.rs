//! Every upper bound of the wire format, in one place (contract §1.0, §2; semantics §9).

/// Characters of a resource URI.
pub const RESOURCE_URI_LENGTH: usize = 512;
/// Segments of a resource URI. It also bounds the work of one permission check.
pub const RESOURCE_URI_SEGMENTS: usize = 15;
/// Characters of one `:`-separated part of a segment.
pub const RESOURCE_URI_PART_LENGTH: usize = 128;
/// Characters of an action.
pub const ACTION_LENGTH: usize = 64;
/// Characters of a user id.
pub const USER_ID_LENGTH: usize = 128;
/// Characters of a record id.
pub const RECORD_ID_LENGTH: usize = 100;
/// Characters of any other id.
pub const ID_LENGTH: usize = 64;
/// Characters of a tenant id.
pub const TENANT_ID_LENGTH: usize = 128;
/// Characters of a domain.
pub const DOMAIN_LENGTH: usize = 128;
/// Domains of a tenant.
pub const TENANT_DOMAINS: usize = 10;
/// Characters of the name of a tenant, and of that of an application.
pub const SHORT_NAME_LENGTH: usize = 64;
/// Seconds of the shortest life of tokens and sessions: a minute.
pub const TOKEN_DURATION_LEAST: u64 = 60;
/// Seconds that an access token may live: a day.
pub const TOKEN_DURATION_MOST: u64 = 24 * 60 * 60;
/// Seconds that a session may live: 90 days.
pub const SESSION_DURATION_MOST: u64 = 90 * 24 * 60 * 60;
/// Seconds that a sign-in may be old: an hour.
pub const LEEWAY_DURATION_MOST: u64 = 60 * 60;
/// Characters of the URL at which a connection's users sign in.
pub const AUTHENTICATION_URL_LENGTH: usize = 256;
/// Characters of other texts of a connection.
pub const CONNECTION_TEXT_LENGTH: usize = 128;
/// Characters of what is sent along to a provider under one name.
pub const CONNECTION_PROPERTY_LENGTH: usize = 384;
/// Things that are sent along to a provider.
pub const CONNECTION_PROPERTIES: usize = 50;
/// Characters of a provider's certificate.
pub const CERTIFICATE_LENGTH: usize = 4096;
/// Characters of the secret of a client at its provider.
pub const CLIENT_SECRET_LENGTH: usize = 2048;
/// Characters of the id of such a secret.
pub const SECRET_ID_LENGTH: usize = 32;
/// Redirect URLs of an application.
pub const REDIRECT_URLS: usize = 100;
/// Characters of a redirect URL.
pub const REDIRECT_URL_LENGTH: usize = 1024;
/// Audiences of an application.
pub const APPLICATION_AUDIENCES: usize = 10;
/// Characters of one of them.
pub const APPLICATION_AUDIENCE_LENGTH: usize = 128;
/// Claims of the caller's own in the tokens of a user.
pub const TOKEN_CLAIMS: usize = 50;
/// Bytes of them as JSON: a quarter of the longest token.
pub const TOKEN_CLAIMS_BYTES: usize = 2048;
/// Webhooks of an account: each is a task, a request under way and a reader of the log.
pub const WEBHOOKS: usize = 20;
/// Characters of the URL of a webhook.
pub const WEBHOOK_URL_LENGTH: usize = 1024;
/// Event types of a webhook, or patterns of them.
pub const WEBHOOK_EVENT_TYPES: usize = 50;
/// Attempts to deliver that are remembered of a webhook.
pub const WEBHOOK_DELIVERIES: usize = 100;
/// Milliseconds for which a webhook's secret signs beside the one that took its place: 24 hours.
pub const WEBHOOK_SECRET_OVERLAP: i64 = DAY;
/// Characters of an e-mail address (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const EMAIL_LENGTH: usize = 254;
/// Times an invite can be used.
pub const INVITE_USES: u32 = 1_000;
/// Invites made by one request.
pub const INVITE_BATCH: usize = 1_000;
/// Domains whose users an invite is for.
pub const INVITE_DOMAINS: usize = 20;
/// Characters of why an invite is declined or withdrawn.
pub const INVITE_REASON_LENGTH: usize = 256;
/// Lines of the history of an invite that are kept.
pub const INVITE_MOMENTS: usize = 50;
/// Inviters, roles or domains that statistics of invites tell apart: those with most invites.
pub const INVITE_GROUPS: usize = 1_000;
/// Accepts of one invite that were refused, as far as they are kept and told: more say nothing new.
pub const INVITE_FAILURES: u32 = 10;
/// Users and resources of whom one event tells that they gained or lost access.
pub const EVENT_ACCESS_CHANGES: usize = 100;
/// Pairs of user and resource in a record before and after a change that are compared for that:
/// of larger ones nothing but that there is more.
pub const EVENT_ACCESS_PAIRS: usize = 20_000;
/// Characters of an invite id in a path. Ours have 67.
pub const INVITE_ID_LENGTH: usize = 256;
/// Characters of a name.
pub const NAME_LENGTH: usize = 128;
/// Characters of a description.
pub const DESCRIPTION_LENGTH: usize = 1024;
/// Characters of a tag's name and of its value.
pub const TAG_LENGTH: usize = 128;
/// Tags of one object.
pub const TAGS: usize = 100;
/// Statements of a record or an invite.
pub const STATEMENTS: usize = 100;
/// Roles of a statement.
pub const STATEMENT_ROLES: usize = 100;
/// Resources of a statement.
pub const STATEMENT_RESOURCES: usize = 100;
/// Users of a statement.
pub const STATEMENT_USERS: usize = 100;
/// Groups of a statement.
pub const STATEMENT_GROUPS: usize = 10;
/// Users of an access request.
pub const ACCESS_REQUEST_USERS: usize = 100;
/// Users of a record.
pub const RECORD_USERS: usize = 1000;
/// Administrators of a record or a group.
pub const ADMINS: usize = 100;
/// Groups of a record.
pub const RECORD_GROUPS: usize = 100;
/// Users of a group.
pub const GROUP_USERS: usize = 100;
/// Bytes of a stored access record: what `capacity` 1 means.
pub const RECORD_BYTES: usize = 102_400;
/// Permissions of a role.
pub const ROLE_PERMISSIONS: usize = 100;
/// Permissions of a resource configuration.
pub const RESOURCE_PERMISSIONS: usize = 100;
/// Characters of the collection of a claim, and of the resource in it.
pub const CLAIM_PART_LENGTH: usize = 128;
/// Active access keys of a service client.
pub const CLIENT_KEYS: usize = 5;
/// Characters of a public key handed in by its owner (base64 of SPKI DER).
pub const PUBLIC_KEY_LENGTH: usize = 256;
/// Characters of a `userIdExpression`.
pub const USER_ID_EXPRESSION_LENGTH: usize = 128;
/// Characters of an issuer or an audience.
pub const ISSUER_LENGTH: usize = 240;
/// Bytes of a sample token in an identity request.
pub const SAMPLE_TOKEN_LENGTH: usize = 8192;
/// Largest page of records, groups, clients, resources and users of a resource.
pub const PAGE: usize = 20;
/// Largest page of roles, tenants, connections, applications and resource configurations.
pub const LARGE_PAGE: usize = 100;
/// Largest page of events.
pub const EVENTS: usize = 1000;
/// Events of a page unless it is said how many.
pub const EVENTS_UNLESS_SAID: usize = 100;
/// Seconds that a request for events may wait for the next one: less than the 30 after which
/// common proxies and clients give up.
pub const EVENTS_WAIT: u64 = 20;
/// Characters of a list filter.
pub const FILTER_LENGTH: usize = 128;
/// Characters of a cursor.
pub const CURSOR_LENGTH: usize = 2048;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_LENGTH: usize = 255;
/// Milliseconds an invite lives unless it says otherwise: 7 days.
pub const INVITE_LIFETIME: i64 = 7 * DAY;
/// Milliseconds an invite lives at least: 5 minutes.
pub const INVITE_LIFETIME_LEAST: i64 = 5 * 60 * 1000;
/// Milliseconds an invite lives at most: 30 days.
pub const INVITE_LIFETIME_MOST: i64 = 30 * DAY;
/// Milliseconds an idempotency key is remembered: 24 hours.
pub const IDEMPOTENCY_KEY_LIFETIME: i64 = DAY;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Seconds that access by an invite lasts at least, if it ends: 5 minutes.
pub const ACCESS_DURATION_LEAST: u64 = 5 * 60;
/// Seconds that access by an invite lasts at most, if it ends: 10 years of 365 days.
pub const ACCESS_DURATION_MOST: u64 = 10 * 365 * 86_400;
