//! What an invite is made of on the command line: roles on resources, its end, and a file of it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use guestlist_api::identities::IssuerText;
use guestlist_api::ids::{Domain, LinkedUserId, RoleId, TenantId};
use guestlist_api::invite_terms::{
    AccessDuration, InviteApproval, InviteGrant, InviteRestrictions, Invitee,
};
use guestlist_api::invites::{ConflictResolutionStrategy, InviteRequest, InviteStatement};
use guestlist_api::limits;
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::{Bounded, Malformed};
use guestlist_api::times::Timestamp;
use jiff::{Span, SpanRelativeTo};

use crate::documents;
use crate::exits::Failure;
use crate::invite_lists::invitee;
use crate::tags::{Tag, tags};

/// Milliseconds that a request may be on its way to a server whose clock agrees: a life of exactly
/// five minutes would otherwise be too short when it arrives.
const ON_THE_WAY: i64 = 10_000;

/// What an invite is to hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "The invite")]
pub(crate) struct InviteArguments {
    /// A role to give on what --on names. Several: repeat it, or separate them by commas
    #[arg(
        long = "role",
        value_name = "ROLE",
        value_delimiter = ',',
        requires = "on"
    )]
    roles: Vec<RoleId>,

    /// A resource on which to give the roles. Several: repeat it, or separate them by commas
    #[arg(
        long,
        value_name = "RESOURCE",
        value_delimiter = ',',
        requires = "roles"
    )]
    on: Vec<ResourceUri>,

    /// Other roles on other resources, as in 'ro_editor,ro_viewer on projects/42,projects/43'; may
    /// be repeated
    #[arg(long = "grant", value_name = "ROLES on RESOURCES")]
    grants: Vec<Grant>,

    /// When it ends: after a time (36h, 5d, '2 weeks') or at a time (2026-01-02T03:04Z); 5 minutes
    /// to 30 days from now. Another end than the server's default needs the permission
    /// Invites:Create on Authress:Invites [default: 7 days, which the server chooses]
    #[arg(long, value_name = "DURATION|TIME")]
    expires: Option<Expiry>,

    /// How long access lasts once it is accepted, as in 30d or 36h; 5 minutes to 10 years [default:
    /// it does not end]
    #[arg(long, value_name = "DURATION", value_parser = access_duration)]
    access_duration: Option<AccessDuration>,

    /// What to do if it cannot safely be added to the record of whoever accepts [default:
    /// generate-new-record]
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<Strategy>,

    /// The user id for somebody who signs up through it
    #[arg(long, value_name = "ID")]
    user_id: Option<LinkedUserId>,

    /// Where somebody who follows it signs in
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,

    /// Only for this user id, or for whoever signs in with this verified e-mail address
    #[arg(long = "for", value_name = "USER|ADDRESS", value_parser = invitee)]
    invitee: Option<Invitee>,

    /// Only for verified e-mail addresses of this domain; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    email_domain: Vec<Domain>,

    /// Only for people who sign in by this linked issuer
    #[arg(long, value_name = "URL")]
    issuer: Option<IssuerText>,

    /// Cannot be used before: after a time (36h, 5d) or at a time (2026-01-02T03:04Z)
    #[arg(long, value_name = "DURATION|TIME")]
    not_before: Option<Expiry>,

    /// How many people can use it: 1 to 1000 [default: 1]
    #[arg(long, value_name = "NUMBER")]
    max_uses: Option<u32>,

    /// Accepting it gives nothing until somebody else who may give it approves
    #[arg(long)]
    require_approval: bool,

    /// A tag to find it by; may be repeated
    #[arg(long = "tag", value_name = "NAME=VALUE")]
    tags: Vec<Tag>,

    /// A file with the invite as the HTTP interface has it (statements, expiryTime, …), in YAML or
    /// JSON; `-` reads standard input. Flags go before what it says
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["roles", "grants"])]
    pub(crate) file: Option<PathBuf>,
}

/// What becomes of an invite that cannot safely be added to what the person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Strategy {
    /// Another record, under a random id
    GenerateNewRecord,
    /// Added all the same
    UnsafeForceMerge,
    /// The record's content is replaced
    ReplaceRecordData,
    /// Nothing is given; the invite counts as used
    SkipChanges,
}

impl From<Strategy> for ConflictResolutionStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::GenerateNewRecord => Self::GenerateNewRecord,
            Strategy::UnsafeForceMerge => Self::UnsafeForceMerge,
            Strategy::ReplaceRecordData => Self::ReplaceRecordData,
            Strategy::SkipChanges => Self::SkipChanges,
        }
    }
}

/// Roles on resources, in one argument.
#[derive(Debug, Clone)]
struct Grant {
    roles: Vec<RoleId>,
    resources: Vec<ResourceUri>,
}

impl FromStr for Grant {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "must be roles, the word `on`, and resources, as in \
                 'ro_editor,ro_viewer on projects/42,projects/43'",
            )
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut halves = words.split(|word| *word == "on");
        let (Some(roles), Some(resources), None) = (halves.next(), halves.next(), halves.next())
        else {
            return Err(malformed());
        };
        let grant = Self {
            roles: listed(roles)?,
            resources: listed(resources)?,
        };
        if grant.roles.is_empty() || grant.resources.is_empty() {
            return Err(malformed());
        }
        Ok(grant)
    }
}

/// Items separated by commas, with or without spaces.
fn listed<T: FromStr<Err = Malformed>>(words: &[&str]) -> Result<Vec<T>, Malformed> {
    words
        .iter()
        .flat_map(|word| word.split(','))
        .filter(|item| !item.is_empty())
        .map(str::parse)
        .collect()
}

/// When an invite or a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// So many milliseconds from now.
    After(i64),
    At(Timestamp),
}

/// A length of time as people write it (30d), or as the wire does (P30D).
fn access_duration(text: &str) -> Result<AccessDuration, Malformed> {
    if let Ok(duration) = text.parse() {
        return Ok(duration);
    }
    match text.parse()? {
        Expiry::After(milliseconds) => format!("PT{}S", milliseconds / 1000).parse(),
        Expiry::At(_) => Err(Malformed::new("must be a duration (36h, 5d, P30D)")),
    }
}

impl FromStr for Expiry {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        let malformed = || {
            Malformed::new(
                "must be a duration (36h, 5d, '2 weeks') or a time with its zone \
                 (2026-01-02T03:04Z)",
            )
        };
        let span: Span = text.parse().map_err(|_| malformed())?;
        let duration = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| {
                Malformed::new("months and years have no fixed length: say it in days or weeks")
            })?;
        i64::try_from(duration.as_millis())
            .map(Self::After)
            .map_err(|_| malformed())
    }
}

impl Expiry {
    /// The end, however far it is.
    pub(crate) fn end(self, now: Timestamp) -> Timestamp {
        match self {
            Self::After(life) => now.plus(life),
            Self::At(time) => time,
        }
    }

    /// The end, if an invite may live so long.
    pub(crate) fn from(self, now: Timestamp) -> Result<Timestamp, Failure> {
        let lifetime = match self {
            Self::After(lifetime) => lifetime,
            Self::At(time) => time.milliseconds() - now.milliseconds(),
        };
        if !(limits::INVITE_LIFETIME_LEAST..=limits::INVITE_LIFETIME_MOST).contains(&lifetime) {
            return Err(Failure::invalid(format!(
                "an invite lives 5 minutes to 30 days, but this one would {}",
                lived(lifetime)
            ))
            .hint("Choose another --expires, as in --expires 5d."));
        }
        Ok(match self {
            Self::At(time) => time,
            Self::After(lifetime) => now.plus(lifetime.clamp(
                limits::INVITE_LIFETIME_LEAST + ON_THE_WAY,
                limits::INVITE_LIFETIME_MOST - ON_THE_WAY,
            )),
        })
    }
}

fn lived(lifetime: i64) -> String {
    if lifetime <= 0 {
        "have ended already".to_owned()
    } else {
        format!("live {}", length(lifetime))
    }
}

/// A number of milliseconds in words, in its largest sensible unit.
pub(crate) fn length(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    let rounded = |unit: i64| (seconds + unit / 2) / unit;
    let (number, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7200 => (rounded(60), "minute"),
        7200..172_800 => (rounded(3600), "hour"),
        172_800.. => (rounded(86_400), "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

impl InviteArguments {
    /// The invite that is asked for.
    pub(crate) fn request(&self, now: Timestamp) -> Result<InviteRequest, Failure> {
        let mut request = match &self.file {
            Some(path) => self.read(path, now)?,
            None => InviteRequest {
                statements: self.statements()?,
                ..InviteRequest::default()
            },
        };
        if let Some(expiry) = self.expires {
            request.expiry_time = Some(expiry.from(now)?);
        }
        if self.access_duration.is_some() {
            request.grant = InviteGrant::of(self.access_duration.clone());
        }
        if self.require_approval {
            request.approval = Some(InviteApproval::REQUIRED);
        }
        if let Some(strategy) = self.strategy {
            request.conflict_resolution_strategy = strategy.into();
        }
        if let Some(user) = &self.user_id {
            request.linked_user_id = Some(user.clone());
        }
        if let Some(tenant) = &self.tenant {
            request.default_login_tenant_id = Some(tenant.clone());
            request.tenant_id = None;
        }
        if let Some(invitee) = &self.invitee {
            request.invitee = Some(invitee.clone());
        }
        if !self.tags.is_empty() {
            request.tags = tags(&self.tags)?;
        }
        self.restrict(&mut request, now)?;
        Ok(request)
    }

    fn restrict(&self, request: &mut InviteRequest, now: Timestamp) -> Result<(), Failure> {
        let mut restrictions = request.restrictions.clone().unwrap_or_default();
        if !self.email_domain.is_empty() {
            restrictions.email_domains = Bounded::new(self.email_domain.clone())?;
        }
        if let Some(issuer) = &self.issuer {
            restrictions.issuer = Some(issuer.clone());
        }
        if let Some(begins) = self.not_before {
            restrictions.not_before = Some(begins.from(now)?);
        }
        if let Some(uses) = self.max_uses {
            restrictions.max_uses = uses.try_into()?;
        }
        if restrictions != InviteRestrictions::default() {
            request.restrictions = Some(restrictions);
        }
        Ok(())
    }

    fn statements(&self) -> Result<Bounded<InviteStatement, 0, { limits::STATEMENTS }>, Failure> {
        let simple = (!self.roles.is_empty()).then(|| Grant {
            roles: self.roles.clone(),
            resources: self.on.clone(),
        });
        let statements = simple
            .iter()
            .chain(&self.grants)
            .map(|grant| InviteStatement::new(grant.roles.iter(), grant.resources.iter().cloned()))
            .collect::<Result<Vec<_>, Malformed>>()
            .and_then(Bounded::new)
            .map_err(|reason| Failure::invalid(format!("what the invite gives {reason}")))?;
        if statements.is_empty() {
            return Err(Failure::invalid("what does the invite give?").hint(
                "Say it with --role ROLE --on RESOURCE, with --grant, or with -f FILE. A file may \
                 also have no statements.",
            ));
        }
        Ok(statements)
    }

    fn read(&self, path: &Path, now: Timestamp) -> Result<InviteRequest, Failure> {
        let request: InviteRequest = documents::read(path)?;
        if let Some(time) = request.expiry_time
            && self.expires.is_none()
        {
            Expiry::At(time).from(now)?;
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn ends(text: &str) -> Result<String, String> {
        let expiry: Expiry = text
            .parse()
            .map_err(|reason: Malformed| reason.to_string())?;
        expiry
            .from(now())
            .map(|time| time.to_string())
            .map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn an_end_is_a_duration_or_a_time() {
        for (text, end) in [
            ("5d", "2026-01-06T00:00:00.000Z"),
            ("36h", "2026-01-02T12:00:00.000Z"),
            ("2 weeks", "2026-01-15T00:00:00.000Z"),
            ("1 day, 2 hours", "2026-01-02T02:00:00.000Z"),
            ("P5D", "2026-01-06T00:00:00.000Z"),
            ("2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"),
            ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"),
            // Long enough, and short enough, when the server reads them a moment later.
            ("5m", "2026-01-01T00:05:10.000Z"),
            ("30d", "2026-01-30T23:59:50.000Z"),
        ] {
            assert_eq!(ends(text).as_deref(), Ok(end), "{text}");
        }
    }

    #[test]
    fn an_end_that_no_invite_may_have_is_refused_with_the_reason() {
        for (text, reason) in [
            ("4m", "would live 4 minutes"),
            ("31d", "would live 31 days"),
            ("-5d", "would have ended already"),
            ("2025-12-31T00:00Z", "would have ended already"),
            ("2027-01-01T00:00Z", "would live 365 days"),
            ("1 month", "say it in days or weeks"),
            ("5", "must be a duration"),
            ("soon", "must be a duration"),
            ("2026-01-02T03:04", "must be a duration"),
            ("", "must be a duration"),
        ] {
            let refused = ends(text).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }

    #[test]
    fn a_grant_is_roles_on_resources() {
        let grant: Grant = "ro_a, ro_b on  projects/42,projects/43 ".parse().unwrap();
        assert_eq!(grant.roles.len(), 2);
        assert_eq!(grant.resources.len(), 2);
        for bad in [
            "",
            "ro_a",
            "ro_a on",
            "on x",
            "ro_a on x on y",
            "ro_a, on ,",
            "r/a on x",
        ] {
            assert!(bad.parse::<Grant>().is_err(), "{bad}");
        }
    }
}
