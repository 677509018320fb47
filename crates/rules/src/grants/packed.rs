//! A record as the index keeps it: numbers in one piece of memory, as long as its document and not
//! as the product of its lists.

use super::holders::Holder;
use super::names::Full;
use super::resources::Resource;

/// A record with its texts turned into numbers.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    pub(super) active: bool,
    pub(super) admins: Vec<u32>,
    /// Whom the record names.
    pub(super) holders: Vec<Holder>,
    pub(super) statements: Vec<NumberedStatement>,
}

#[derive(Debug, Default)]
pub(super) struct NumberedStatement {
    pub(super) roles: Vec<u32>,
    pub(super) resources: Vec<Resource>,
    /// Whom the statement itself names.
    pub(super) holders: Vec<Holder>,
}

/// A packed record: nothing in it if there is no such record.
///
/// `[active, admins, …, audience, holders, …]`, then for each statement `[roles + resources << 8 +
/// holders << 16, audience if it has holders, roles…, resources…, holders…]`. [`NONE`] stands for
/// no audience.
#[derive(Debug, Default)]
pub(super) struct Packed(Box<[u32]>);

const NONE: u32 = u32::MAX;

/// Whom a statement is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct For<'a> {
    words: &'a [u32],
    audience: Option<Holder>,
}

impl<'a> For<'a> {
    /// Everybody named, without the audience that may stand for them.
    pub(super) fn holders(self) -> impl Iterator<Item = Holder> + use<'a> {
        self.words.iter().copied().map(Holder::from_word)
    }

    pub(super) fn audience(self) -> Option<Holder> {
        self.audience
    }

    /// Those under whom the statement is found: the audience if there is one.
    pub(super) fn keys(self) -> impl Iterator<Item = Holder> + use<'a> {
        let named = if self.audience.is_some() {
            &[]
        } else {
            self.words
        };
        self.audience
            .into_iter()
            .chain(named.iter().copied().map(Holder::from_word))
    }

    pub(super) fn names(self, holder: Holder) -> bool {
        self.audience == Some(holder) || self.words.contains(&holder.word())
    }
}

/// A statement of a packed record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement<'a> {
    pub(super) roles: &'a [u32],
    resources: &'a [u32],
    pub(super) whom: For<'a>,
    /// Whether it names them itself.
    pub(super) own: bool,
}

impl<'a> Statement<'a> {
    pub(super) fn resources(self) -> impl Iterator<Item = Resource> + use<'a> {
        self.resources.iter().copied().map(Resource::from_word)
    }

    pub(super) fn is_on(self, resource: Resource) -> bool {
        self.resources.contains(&resource.word())
    }
}

impl Packed {
    /// Packs a record; `audience` is asked for one where many are given many resources.
    pub(super) fn new(
        record: &Numbered,
        audience: &mut dyn FnMut() -> Option<Holder>,
    ) -> Result<Self, Full> {
        let mut words = vec![u32::from(record.active), count(record.admins.len())?];
        words.extend(&record.admins);
        if !record.active {
            return Ok(Self(words.into_boxed_slice()));
        }
        let shared = record
            .statements
            .iter()
            .filter(|statement| statement.holders.is_empty());
        let resources = shared.map(|statement| statement.resources.len()).sum();
        words.push(audience_for(record.holders.len(), resources, audience));
        words.push(count(record.holders.len())?);
        words.extend(record.holders.iter().copied().map(Holder::word));
        for statement in &record.statements {
            let NumberedStatement {
                roles,
                resources,
                holders,
            } = statement;
            let byte = |length: usize| u8::try_from(length).map(u32::from).map_err(|_| Full);
            words.push(
                byte(roles.len())? | byte(resources.len())? << 8 | byte(holders.len())? << 16,
            );
            if !holders.is_empty() {
                words.push(audience_for(holders.len(), resources.len(), audience));
            }
            words.extend(roles);
            words.extend(resources.iter().copied().map(Resource::word));
            words.extend(holders.iter().copied().map(Holder::word));
        }
        Ok(Self(words.into_boxed_slice()))
    }

    pub(super) fn exists(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn is_active(&self) -> bool {
        self.0.first() == Some(&1)
    }

    pub(super) fn admins(&self) -> &[u32] {
        let rest = self.0.get(1..).unwrap_or_default();
        counted(rest).map_or(&[], |(admins, _)| admins)
    }

    /// Whom the record itself names; nobody if it is not in force.
    pub(super) fn whom(&self) -> For<'_> {
        self.parts().map_or(
            For {
                words: &[],
                audience: None,
            },
            |(whom, _)| whom,
        )
    }

    /// The statements in force.
    pub(super) fn statements(&self) -> Statements<'_> {
        let nothing = (
            For {
                words: &[],
                audience: None,
            },
            &[][..],
        );
        let (whom, words) = self.parts().unwrap_or(nothing);
        Statements { whom, words }
    }

    fn parts(&self) -> Option<(For<'_>, &[u32])> {
        let (_, rest) = counted(self.0.get(1..)?)?;
        let (audience, rest) = rest.split_first()?;
        let (holders, rest) = counted(rest)?;
        Some((
            For {
                words: holders,
                audience: to_audience(*audience),
            },
            rest,
        ))
    }
}

/// The statements of a record, in the order of its document.
#[derive(Debug, Clone)]
pub(super) struct Statements<'a> {
    whom: For<'a>,
    words: &'a [u32],
}

impl<'a> Iterator for Statements<'a> {
    type Item = Statement<'a>;

    fn next(&mut self) -> Option<Statement<'a>> {
        let (counts, mut rest) = self.words.split_first()?;
        let [roles, resources, holders, _] = counts.to_le_bytes().map(usize::from);
        let own = holders > 0;
        let mut whom = self.whom;
        if own {
            let (audience, after) = rest.split_first()?;
            whom.audience = to_audience(*audience);
            rest = after;
        }
        let (roles, rest) = rest.split_at_checked(roles)?;
        let (resources, rest) = rest.split_at_checked(resources)?;
        let (holders, rest) = rest.split_at_checked(holders)?;
        if own {
            whom.words = holders;
        }
        self.words = rest;
        Some(Statement {
            roles,
            resources,
            whom,
            own,
        })
    }
}

fn counted(words: &[u32]) -> Option<(&[u32], &[u32])> {
    let (count, rest) = words.split_first()?;
    rest.split_at_checked(*count as usize)
}

fn count(length: usize) -> Result<u32, Full> {
    u32::try_from(length).map_err(|_| Full)
}

const fn to_audience(word: u32) -> Option<Holder> {
    if word == NONE {
        None
    } else {
        Some(Holder::from_word(word))
    }
}

/// An audience, where naming each holder with each resource would take much more room than the
/// record does.
fn audience_for(
    holders: usize,
    resources: usize,
    audience: &mut dyn FnMut() -> Option<Holder>,
) -> u32 {
    let many = holders * resources > 64 + 4 * (holders + resources);
    let made = if many { audience() } else { None };
    made.map_or(NONE, Holder::word)
}
