//! Lists: their parameters, their cursors, and a bounded walk over documents with a filter.

use std::borrow::Cow;
use std::fmt::Write as _;

use guestlist_api::limits;
use guestlist_api::paging::{CollectionLinks, Pagination};
use guestlist_rules::changes::{Seen, Stored};
use guestlist_rules::refusals::Refusal as Rule;
use guestlist_store::{Position, Selection};

use crate::ask::Ask;
use crate::cursors::{self, Scope};
use crate::query::Query;
use crate::refusal::Refusal;

/// Documents looked at for one page at most. A page may then be shorter than asked for and still
/// have a next one.
const WALK: usize = 1_000;
/// Documents read at once.
const STEP: usize = 50;

/// What a list was asked for.
pub struct Listing {
    pub limit: usize,
    pub filter: Option<String>,
    /// The list with its filters, as the cursor is bound to it.
    scope: String,
    /// The query without its cursor, for links.
    query: String,
    after: Option<String>,
}

/// What the next page begins after; `None` on the last page.
pub type Next = Option<String>;

impl Listing {
    /// Reads `limit`, `cursor`, `filter` and the further parameters that narrow this list.
    pub fn read(
        ask: Ask<'_>,
        query: &Query<'_>,
        list: &str,
        most: usize,
        narrowing: &[&str],
    ) -> Result<Self, Refusal> {
        let limit = limit(query, most)?;
        let filter = given(query, "filter")?;
        if filter
            .as_ref()
            .is_some_and(|filter| filter.chars().count() > limits::FILTER_LENGTH)
        {
            let reason = format!("must have at most {} characters", limits::FILTER_LENGTH);
            return Err(Refusal::malformed("filter", reason));
        }
        let mut scope = list.to_owned();
        let mut links = form_urlencoded::Serializer::new(String::new());
        for name in narrowing.iter().copied().chain(["filter"]) {
            if let Some(value) = given(query, name)? {
                let _ = write!(scope, "\n{name}={}:{value}", value.len());
                links.append_pair(name, &value);
            }
        }
        links.append_pair("limit", &limit.to_string());
        let bound = Scope {
            caller: &ask.caller.user_id,
            list: &scope,
        };
        let after = match given(query, "cursor")? {
            Some(cursor) => Some(cursors::read(&ask.app.pepper, bound, &cursor)?),
            None => None,
        };
        let filter = filter.map(|filter| filter.to_lowercase());
        Ok(Self {
            limit,
            filter,
            scope,
            query: links.finish(),
            after,
        })
    }

    /// What the page begins after.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// A page of the documents of a kind that `wanted` says yes to, in the order of their ids.
    pub async fn documents<T: Stored>(
        &self,
        ask: Ask<'_>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<Seen<T>>, Next), Refusal> {
        self.selected(ask, &Selection::All, wanted).await
    }

    /// The same among the documents of a selection.
    pub async fn selected<T: Stored>(
        &self,
        ask: Ask<'_>,
        selection: &Selection,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<Seen<T>>, Next), Refusal> {
        walk(ask, selection, self.after(), self.limit, wanted).await
    }

    /// The cursor and the links of the page.
    pub fn page(
        &self,
        ask: Ask<'_>,
        path: &str,
        next: Next,
    ) -> Result<(Option<Pagination>, CollectionLinks), Refusal> {
        let scope = Scope {
            caller: &ask.caller.user_id,
            list: &self.scope,
        };
        let cursor = next
            .map(|position| cursors::write(&ask.app.pepper, scope, &position))
            .transpose()?;
        Ok(ask.page(path, &self.query, cursor))
    }
}

/// Up to `limit` documents of a selection that `wanted` says yes to, in the order of their ids, from
/// after `after` on. What the next page begins after is `""` if not even one was passed.
pub async fn walk<T: Stored>(
    ask: Ask<'_>,
    selection: &Selection,
    after: Option<&str>,
    limit: usize,
    wanted: impl Fn(&T) -> bool,
) -> Result<(Vec<Seen<T>>, Next), Refusal> {
    let mut found = Vec::new();
    let mut after = after.map(ToOwned::to_owned);
    let mut looked_at = 0;
    loop {
        let position = after.as_ref().map(|id| Position {
            value: String::new(),
            id: id.clone(),
        });
        let store = &ask.app.store;
        let step = store
            .list(T::KIND, selection, position.as_ref(), STEP)
            .await?;
        // Others are answered between two steps.
        tokio::task::yield_now().await;
        let last = step.len() < STEP;
        let count = step.len();
        for (number, document) in step.into_iter().enumerate() {
            looked_at += 1;
            let id = document.value.id.clone();
            let value: T = document.value.read().map_err(Rule::from)?;
            if wanted(&value) {
                if found.len() == limit {
                    return Ok((found, Some(after.unwrap_or_default())));
                }
                found.push(Seen {
                    value,
                    mark: document.mark,
                });
            }
            after = Some(id);
            let more = !(last && number + 1 == count);
            if looked_at >= WALK && more {
                return Ok((found, after));
            }
        }
        if last {
            return Ok((found, None));
        }
    }
}

/// Whether a value means that there is none. SDKs send the words `undefined` and `null` for what
/// they were not given (contract §1.0), and an empty value means none.
pub fn is_absent(value: &str) -> bool {
    matches!(value, "" | "undefined" | "null")
}

/// A parameter that was given with a value.
pub fn given(query: &Query<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let value = query.get(name)?;
    Ok(value.filter(|value| !is_absent(value)).map(Cow::into_owned))
}

fn limit(query: &Query<'_>, most: usize) -> Result<usize, Refusal> {
    let Some(text) = given(query, "limit")? else {
        return Ok(most);
    };
    match text.parse::<u64>() {
        Ok(0) | Err(_) => Err(Refusal::malformed("limit", format!("must be 1 to {most}"))),
        // More than the largest page is not an error: the page is as large as it can be.
        Ok(wanted) => Ok(usize::try_from(wanted).unwrap_or(most).min(most)),
    }
}

/// Whether one of the texts holds the filter, which is in lower case; without a filter, yes.
pub fn contains<'a>(filter: Option<&str>, texts: impl IntoIterator<Item = &'a str>) -> bool {
    filter.is_none_or(|filter| {
        texts
            .into_iter()
            .any(|text| text.to_lowercase().contains(filter))
    })
}
