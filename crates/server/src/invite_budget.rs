//! How many people may be invited: by one inviter, from one address, in the account, and how often
//! one person may be.
//!
//! People are counted and not requests: a batch of a hundred takes a hundred, and an invite for ten
//! takes ten. What was used comes back evenly over a day. In memory and for each node: a start of the
//! server begins anew. Deliberately not counted: renewing, by which nobody is invited who was not.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use guestlist_api::ids::UserId;
use guestlist_api::invite_terms::Invitee;
use guestlist_api::invites::InviteRequest;
use guestlist_api::times::Timestamp;
use http::{HeaderName, HeaderValue};

use crate::addresses::AddressBlock;
use crate::answer::Answer;
use crate::ask::Ask;
use crate::rate::{Limiter, Quota, RetryAfter};
use crate::refusal::Refusal;

/// The time in which a budget that was used up is whole again: a day.
const SECONDS: u32 = 24 * 60 * 60;
/// What the account has for each that one inviter has.
const ACCOUNT: u32 = 10;
/// What one address has: many people can stand behind one.
const ADDRESS: u32 = 5;
/// How often one recipient can be invited, by whomever.
const RECIPIENT: u32 = 100;
/// Inviters, addresses or recipients that are remembered.
const KEYS: usize = 100_000;

/// `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10. Clients that do not
/// know them pass over them, which no client does with `Retry-After` (contract §0.2 rule 18).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Which of the budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Inviter,
    Account,
    Address,
    Recipient,
}

impl Policy {
    /// Its name in the headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Inviter => "inviter",
            Self::Account => "account",
            Self::Address => "address",
            Self::Recipient => "recipient",
        }
    }
}

/// A budget that is used up, and when there is enough of it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp {
    pub policy: Policy,
    pub quota: u32,
    pub seconds: u64,
}

/// The budgets of everybody.
pub struct InviteBudget {
    limits: Option<Limits>,
}

struct Limits {
    inviters: Counted<UserId>,
    account: Counted<()>,
    addresses: Counted<AddressBlock>,
    recipients: Counted<String>,
}

struct Counted<K> {
    policy: Policy,
    quota: u32,
    limiter: Limiter<K>,
}

/// Who invites whom, as far as it is counted.
#[derive(Debug, Clone)]
pub struct Invited {
    pub people: u32,
    pub recipients: Vec<String>,
}

impl Invited {
    /// Those of one invite, before it is known whether it can be made.
    pub fn by(request: &InviteRequest) -> Self {
        let restrictions = request.restrictions.as_ref();
        let uses = restrictions.map(|restrictions| restrictions.max_uses);
        Self {
            people: uses.unwrap_or_default().get(),
            recipients: request.invitee.iter().map(Invitee::key).collect(),
        }
    }
}

/// What was taken out of the budgets, to be given back if it was for nothing.
pub struct Spent<'a> {
    limits: Option<&'a Limits>,
    inviter: UserId,
    address: AddressBlock,
    whom: Invited,
    now: Timestamp,
}

impl InviteBudget {
    /// For so many people for each inviter in a day; 0 for any number.
    pub fn new(people: u32) -> Self {
        let limits = (people > 0).then(|| Limits {
            inviters: Counted::new(Policy::Inviter, people),
            account: Counted::new(Policy::Account, people.saturating_mul(ACCOUNT)),
            addresses: Counted::new(Policy::Address, people.saturating_mul(ADDRESS)),
            recipients: Counted::new(Policy::Recipient, RECIPIENT.min(people)),
        });
        Self { limits }
    }

    /// Takes what inviting these people takes: all of it or, if one budget is used up, nothing.
    pub fn spend(
        &self,
        inviter: &UserId,
        address: IpAddr,
        whom: Invited,
        now: Timestamp,
    ) -> Result<Spent<'_>, Refusal> {
        let spent = Spent {
            limits: self.limits.as_ref(),
            inviter: inviter.clone(),
            address: address.into(),
            whom,
            now,
        };
        let Some(limits) = spent.limits else {
            return Ok(spent);
        };
        let people = spent.whom.people;
        limits.addresses.take(&spent.address, people, now)?;
        if let Err(used_up) = limits.inviters.take(&spent.inviter, people, now) {
            limits.addresses.give_back(&spent.address, people, now);
            return Err(used_up.into());
        }
        if let Err(used_up) = limits.account.take(&(), people, now) {
            limits.addresses.give_back(&spent.address, people, now);
            limits.inviters.give_back(&spent.inviter, people, now);
            return Err(used_up.into());
        }
        for (taken, recipient) in spent.whom.recipients.iter().enumerate() {
            if let Err(used_up) = limits.recipients.take(recipient, 1, now) {
                spent.give_back_but_recipients_after(taken);
                return Err(used_up.into());
            }
        }
        Ok(spent)
    }

    /// Says what the inviter has left. What others have done is not theirs to know.
    #[must_use]
    pub fn tell(&self, inviter: &UserId, now: Timestamp, answer: Answer) -> Answer {
        let Some(limits) = &self.limits else {
            return answer;
        };
        let inviters = &limits.inviters;
        let (left, whole_in) = inviters.limiter.left(inviter, now);
        headers(inviters.policy, inviters.quota, left, whole_in)
            .into_iter()
            .fold(answer, |answer, (name, value)| answer.with(name, value))
    }
}

/// What one request takes, for each of its rows once, however often it is decided anew.
///
/// Whoever hangs up before the answer gets nothing back: what was asked for may have been written.
pub(crate) struct Purse<'a> {
    ask: Ask<'a>,
    taken: Mutex<BTreeMap<u32, Spent<'a>>>,
}

impl<'a> Purse<'a> {
    pub(crate) const fn new(ask: Ask<'a>) -> Self {
        Self {
            ask,
            taken: Mutex::new(BTreeMap::new()),
        }
    }

    /// Takes for a row, if that was not done before. To be called when it is decided that the invite
    /// may be made: who may not invite uses up nothing, and learns nothing of what is used up.
    pub(crate) fn pay(&self, row: u32, whom: Invited) -> Result<(), Refusal> {
        let ask = self.ask;
        if let Entry::Vacant(place) = self.taken().entry(row) {
            let budget = &ask.app.invite_budget;
            place.insert(budget.spend(&ask.caller.user_id, ask.address, whom, ask.now)?);
        }
        Ok(())
    }

    /// Nobody was invited.
    pub(crate) fn give_back(&self) {
        for spent in std::mem::take(&mut *self.taken()).into_values() {
            spent.give_back();
        }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<u32, Spent<'a>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spent<'_> {
    /// Nobody was invited.
    fn give_back(&self) {
        self.give_back_but_recipients_after(usize::MAX);
    }

    fn give_back_but_recipients_after(&self, taken: usize) {
        let Some(limits) = self.limits else {
            return;
        };
        let (people, now) = (self.whom.people, self.now);
        limits.addresses.give_back(&self.address, people, now);
        limits.inviters.give_back(&self.inviter, people, now);
        limits.account.give_back(&(), people, now);
        for recipient in self.whom.recipients.iter().take(taken) {
            limits.recipients.give_back(recipient, 1, now);
        }
    }
}

impl<K: std::hash::Hash> Counted<K> {
    fn new(policy: Policy, quota: u32) -> Self {
        let interval = SECONDS.saturating_mul(1000) / quota.max(1);
        let quota_of = Quota {
            burst: quota,
            interval: interval.max(1),
        };
        Self {
            policy,
            quota,
            limiter: Limiter::new(quota_of, KEYS),
        }
    }

    fn take(&self, key: &K, people: u32, now: Timestamp) -> Result<(), UsedUp> {
        let taken = self.limiter.take(key, people, now);
        taken.map_err(|wait: RetryAfter| UsedUp {
            policy: self.policy,
            quota: self.quota,
            seconds: wait.seconds(),
        })
    }

    fn give_back(&self, key: &K, people: u32, now: Timestamp) {
        self.limiter.give_back(key, people, now);
    }
}

impl UsedUp {
    /// What a refusal says besides `Retry-After`: nothing of what others have done.
    pub(crate) fn headers(self) -> Vec<(HeaderName, HeaderValue)> {
        match self.policy {
            Policy::Inviter => headers(self.policy, self.quota, 0, self.seconds),
            Policy::Account | Policy::Address | Policy::Recipient => Vec::new(),
        }
    }
}

impl From<UsedUp> for Refusal {
    fn from(used_up: UsedUp) -> Self {
        Self::TooManyInvited(used_up)
    }
}

fn headers(policy: Policy, quota: u32, left: u32, whole_in: u64) -> Vec<(HeaderName, HeaderValue)> {
    let name = policy.name();
    let values = [
        (
            RATE_LIMIT_POLICY,
            format!("\"{name}\";q={quota};w={SECONDS}"),
        ),
        (RATE_LIMIT, format!("\"{name}\";r={left};t={whole_in}")),
    ];
    let values = values.into_iter();
    values
        .filter_map(|(header, value)| Some((header, HeaderValue::try_from(value).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(1_800_000_000_000 + seconds * 1000)
    }

    fn spend<'a>(
        budget: &'a InviteBudget,
        inviter: &str,
        address: &str,
        whom: Invited,
        now: Timestamp,
    ) -> Result<Spent<'a>, UsedUp> {
        let spent = budget.spend(
            &inviter.parse().unwrap(),
            address.parse().unwrap(),
            whom,
            now,
        );
        spent.map_err(|refusal| {
            let Refusal::TooManyInvited(used_up) = refusal else {
                panic!("{}", refusal.for_log());
            };
            used_up
        })
    }

    fn people(people: u32) -> Invited {
        Invited {
            people,
            recipients: Vec::new(),
        }
    }

    fn to(recipient: &str) -> Invited {
        Invited {
            people: 1,
            recipients: vec![recipient.to_owned()],
        }
    }

    const HERE: &str = "192.0.2.1";

    #[test]
    fn d41_people_are_counted_and_not_requests() {
        let budget = InviteBudget::new(1000);
        assert!(spend(&budget, "ann", HERE, people(999), at(0)).is_ok());
        let refused = spend(&budget, "ann", HERE, people(2), at(0)).err().unwrap();
        assert_eq!((refused.policy, refused.quota), (Policy::Inviter, 1000));
        // What is refused takes nothing.
        assert!(spend(&budget, "ann", HERE, people(1), at(0)).is_ok());
        assert!(spend(&budget, "ann", HERE, people(1), at(0)).is_err());
        // It comes back over a day, evenly.
        assert!(spend(&budget, "ann", HERE, people(1), at(87)).is_ok());
        assert!(spend(&budget, "ann", HERE, people(1), at(87)).is_err());
        assert!(spend(&budget, "ann", HERE, people(1000), at(87 + 86_401)).is_ok());
        // More than there ever is takes all there is, and is not refused for ever.
        assert!(spend(&budget, "bob", "192.0.2.2", people(5_000), at(900_000)).is_ok());
        assert!(spend(&budget, "bob", "192.0.2.3", people(1), at(900_000)).is_err());
    }

    #[test]
    fn the_account_and_the_address_have_bounds_of_their_own() {
        let budget = InviteBudget::new(10);
        let mut refused = None;
        for number in 0..11 {
            let (inviter, address) = (format!("u{number}"), format!("192.0.2.{number}"));
            refused = spend(&budget, &inviter, &address, people(10), at(0)).err();
        }
        assert_eq!(refused.map(|used_up| used_up.policy), Some(Policy::Account));
        let budget = InviteBudget::new(10);
        for number in 0..6 {
            let inviter = format!("u{number}");
            refused = spend(&budget, &inviter, HERE, people(10), at(0)).err();
        }
        assert_eq!(refused.map(|used_up| used_up.policy), Some(Policy::Address));
        // Who was refused for the address has not spent their own.
        assert!(spend(&budget, "u5", "192.0.2.9", people(10), at(0)).is_ok());
    }

    #[test]
    fn d41_one_recipient_is_not_flooded_by_many() {
        let budget = InviteBudget::new(10_000);
        for number in 0..100 {
            let inviter = format!("u{number}");
            assert!(spend(&budget, &inviter, HERE, to("email:a@b.example"), at(0)).is_ok());
        }
        let both = Invited {
            people: 2,
            recipients: vec![
                "email:c@d.example".to_owned(),
                "email:a@b.example".to_owned(),
            ],
        };
        let refused = spend(&budget, "x", HERE, both, at(0)).err().unwrap();
        assert_eq!(refused.policy, Policy::Recipient);
        assert!(spend(&budget, "x", HERE, to("email:c@d.example"), at(0)).is_ok());
        assert!(spend(&budget, "x", HERE, people(9_999), at(0)).is_ok());
        assert!(spend(&budget, "x", HERE, people(1), at(0)).is_err());
    }

    #[test]
    fn what_was_for_nothing_is_given_back() {
        let budget = InviteBudget::new(10);
        for _ in 0..1000 {
            spend(&budget, "ann", HERE, to("user:bob"), at(0))
                .unwrap()
                .give_back();
        }
        spend(&budget, "ann", HERE, to("user:bob"), at(0)).unwrap();
        let answer = budget.tell(&"ann".parse().unwrap(), at(0), Answer::yes());
        let said: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            said,
            [
                ("ratelimit-policy", "\"inviter\";q=10;w=86400"),
                ("ratelimit", "\"inviter\";r=9;t=8640"),
            ]
        );
    }

    #[test]
    fn without_a_budget_nothing_is_counted_and_nothing_told() {
        let budget = InviteBudget::new(0);
        for _ in 0..10 {
            spend(&budget, "ann", HERE, people(u32::MAX), at(0)).unwrap();
            let answer = budget.tell(&"ann".parse().unwrap(), at(0), Answer::yes());
            assert!(answer.headers.is_empty());
        }
    }
}
