//! Batches of invites: many people invited by one request. Extensions of ours (no published model has
//! them).

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::csv::{self, NotATable};
use crate::invite_effects::InviteEffect;
use crate::invites::{Invite, InviteRequest};
use crate::limits;
use crate::text::{Bounded, default_if_null};

/// What becomes of a batch in which some rows are refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BatchMode {
    /// The others are made.
    #[default]
    BestEffort,
    /// None is made.
    Atomic,
}

/// Invites to make, 1 to 1,000, as [`InviteRequest`] or in another form that is written so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteBatchRequest<T = InviteRequest> {
    #[serde(default, deserialize_with = "default_if_null")]
    pub mode: BatchMode,
    pub invites: Bounded<T, 1, { limits::INVITE_BATCH }>,
}

/// What became of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InviteBatch {
    pub mode: BatchMode,
    /// Invites that were made, now or by the same request before; for a rehearsal, that could be made.
    pub accepted: u32,
    pub refused: u32,
    /// One for each row, in their order.
    pub results: Vec<BatchRow>,
}

/// What became of one row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BatchRow {
    /// From 1. The header of a table and empty lines are not counted.
    pub row: u32,
    #[serde(flatten)]
    pub outcome: BatchOutcome,
}

/// What became of one row: as if it had been sent alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BatchOutcome {
    Invite(Box<Invite>),
    /// What it would do. Only of a rehearsal.
    Effect(Box<InviteEffect>),
    Refusal(RowRefusal),
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowRefusal {
    /// The HTTP status that it would have had alone.
    pub status: u16,
    pub error_code: String,
    pub title: String,
    /// The offending member of the invite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A row that was refused, in a refusal of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// From 1. The header of a table and empty lines are not counted.
    pub row: u32,
    pub refusal: RowRefusal,
}

/// In which form a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchFormat {
    /// One [`InviteBatchRequest`].
    Json,
    /// An invite in each line.
    NdJson,
    /// A table; see [`table`].
    Csv,
}

/// The columns that a table may have, in any order. A name that is not among them is refused: a
/// restriction that is passed over would be none.
pub const COLUMNS: [&str; 15] = [
    "email",
    "userId",
    "resource",
    "roles",
    "expiryTime",
    "accessDuration",
    "approvalRequired",
    "tags",
    "maxUses",
    "emailDomains",
    "issuer",
    "notBefore",
    "conflictResolutionStrategy",
    "linkedUserId",
    "tenantId",
];

/// What stands in a cell of a table that deliberately says nothing, where it must not be empty.
pub const NONE: &str = "none";

/// Columns of which one says for whom an invite is.
const WHOM: [&str; 2] = ["email", "userId"];

/// Columns in which an empty cell is a mistake.
const MUST_BE_SAID: [&str; 4] = ["email", "userId", "emailDomains", "accessDuration"];

/// The invites of a table, each as it would be written in JSON.
///
/// `roles` and `emailDomains` take several, with blanks or `;` between them, `resource` with blanks,
/// and `tags` (`name=value`) with `;`. What is empty is not said.
///
/// Not so in the columns that bind an invite to somebody or end what it gives, `email`, `userId`,
/// `emailDomains` and `accessDuration`: there [`NONE`] is for deliberately nothing, and an empty cell
/// is a mistake, which would make an invite for whoever finds it. Of `email` and `userId` one is enough.
///
/// # Errors
///
/// The text is no table, has a column that is not known or stands there twice, has more than `most`
/// rows, or a row in which a cell is empty that must not be.
pub fn table(text: &str, most: usize) -> Result<Vec<Value>, NotATable> {
    let mut records = csv::records(text, most.saturating_add(1))?.into_iter();
    let Some(header) = records.next() else {
        return Err(NotATable::new(1, "there is no header"));
    };
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for name in &header.fields {
        let name = name.trim();
        let Some(column) = COLUMNS.into_iter().find(|column| *column == name) else {
            let reason = format!("the columns are {}", COLUMNS.join(", "));
            return Err(NotATable::new(header.line, reason));
        };
        if !seen.insert(column) {
            let reason = format!("the column {column} is there twice");
            return Err(NotATable::new(header.line, reason));
        }
        columns.push(column);
    }
    (1..)
        .zip(records)
        .map(|(number, record): (usize, _)| {
            let fields = record.fields.iter().map(|field| field.trim());
            let cells: Vec<_> = columns.iter().copied().zip(fields).collect();
            if let Some(reason) = left_open(&cells) {
                let reason = format!("row {number}: {reason}");
                return Err(NotATable::new(record.line, reason));
            }
            let said = cells.into_iter().filter(|(column, cell)| {
                let says_nothing = *cell == NONE && MUST_BE_SAID.contains(column);
                !cell.is_empty() && !says_nothing
            });
            Ok(invite(said))
        })
        .collect()
}

/// What a row leaves open that the header promises, and what to do about it.
fn left_open(cells: &[(&str, &str)]) -> Option<String> {
    let mut named = cells.iter().filter(|(column, _)| WHOM.contains(column));
    if named.clone().next().is_some() && named.all(|(_, cell)| cell.is_empty()) {
        return Some(format!(
            "for whom is it? Fill in email or userId, or write {NONE} there for an invite that \
             whoever holds it may accept"
        ));
    }
    let mut cells = cells.iter().filter(|(_, cell)| cell.is_empty());
    cells.find_map(|(column, _)| match *column {
        "emailDomains" => Some(format!(
            "emailDomains is empty: fill it in, or write {NONE} there for an invite without that \
             restriction"
        )),
        "accessDuration" => Some(format!(
            "accessDuration is empty: fill it in, or write {NONE} there for access that does not \
             end by itself"
        )),
        _other => None,
    })
}

/// The form of one row that it has in JSON. Nothing is judged here but what JSON needs.
fn invite<'a>(cells: impl Iterator<Item = (&'static str, &'a str)>) -> Value {
    let mut invite = Map::new();
    let mut invitee = Map::new();
    let mut restrictions = Map::new();
    let mut statement = Map::new();
    for (column, cell) in cells {
        match column {
            "email" | "userId" => drop(invitee.insert(column.to_owned(), cell.into())),
            "roles" => drop(statement.insert(column.to_owned(), several(cell).collect())),
            "resource" => {
                let resources = cell.split_ascii_whitespace();
                let resources = resources.map(|uri| json!({ "resourceUri": uri }));
                statement.insert("resources".to_owned(), resources.collect());
            }
            "accessDuration" => {
                invite.insert("grant".to_owned(), json!({ "accessDuration": cell }));
            }
            "approvalRequired" => {
                let required = cell
                    .parse::<bool>()
                    .map_or_else(|_| cell.into(), Value::from);
                invite.insert("approval".to_owned(), json!({ "required": required }));
            }
            "tags" => {
                let tags = cell.split(';').map(str::trim).filter(|tag| !tag.is_empty());
                let tags = tags.map(|tag| tag.split_once('=').unwrap_or((tag, "")));
                let tags = tags.map(|(name, value)| (name.trim().to_owned(), value.trim().into()));
                invite.insert("tags".to_owned(), Value::Object(tags.collect()));
            }
            "maxUses" => {
                let uses = cell
                    .parse::<u32>()
                    .map_or_else(|_| cell.into(), Value::from);
                restrictions.insert(column.to_owned(), uses);
            }
            "emailDomains" => drop(restrictions.insert(column.to_owned(), several(cell).collect())),
            "issuer" | "notBefore" => drop(restrictions.insert(column.to_owned(), cell.into())),
            other => drop(invite.insert(other.to_owned(), cell.into())),
        }
    }
    for (name, member) in [("invitee", invitee), ("restrictions", restrictions)] {
        if !member.is_empty() {
            invite.insert(name.to_owned(), Value::Object(member));
        }
    }
    if !statement.is_empty() {
        let statements = Value::Array(vec![Value::Object(statement)]);
        invite.insert("statements".to_owned(), statements);
    }
    Value::Object(invite)
}

fn several(cell: &str) -> impl Iterator<Item = Value> {
    cell.split(|character: char| character == ';' || character.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_invites() {
        let text = "email,resource,roles,tags,accessDuration,maxUses,userId,approvalRequired\n\
                    a@b.example,docs/1 docs/2,ro_a; ro_b,team=web;on,P30D,2,,true\n\
                    ,docs/3,ro_a,,none,x,bob,\n";
        let rows = table(text, 10).unwrap();
        let expected = json!([
            {
                "invitee": {"email": "a@b.example"},
                "statements": [{
                    "roles": ["ro_a", "ro_b"],
                    "resources": [{"resourceUri": "docs/1"}, {"resourceUri": "docs/2"}],
                }],
                "tags": {"team": "web", "on": ""},
                "grant": {"accessDuration": "P30D"},
                "approval": {"required": true},
                "restrictions": {"maxUses": 2},
            },
            {
                "invitee": {"userId": "bob"},
                "statements": [{"roles": ["ro_a"], "resources": [{"resourceUri": "docs/3"}]}],
                "restrictions": {"maxUses": "x"},
            },
        ]);
        assert_eq!(Value::Array(rows.clone()), expected);
        let read = |row: &Value| serde_json::from_value::<InviteRequest>(row.clone());
        assert!(read(&rows[0]).is_ok());
        assert!(read(&rows[1]).is_err());
    }

    #[test]
    fn what_binds_an_invite_is_not_left_empty_by_mistake() {
        let whom = "for whom is it? Fill in email or userId, or write none there";
        for (text, told) in [
            (
                "email,roles\na@b.example,ro\n,ro\n",
                format!("line 3: row 2: {whom}"),
            ),
            ("userId,roles\n\n ,ro\n", format!("line 3: row 1: {whom}")),
            (
                "email,userId,roles\n,,ro\n",
                format!("line 2: row 1: {whom}"),
            ),
            (
                "email,emailDomains\na@b.example,\n",
                "line 2: row 1: emailDomains is empty: fill it in, or write none".to_owned(),
            ),
            (
                "roles,accessDuration\nro,none\nro,\n",
                "line 3: row 2: accessDuration is empty: fill it in, or write none".to_owned(),
            ),
        ] {
            let refused = table(text, 10).unwrap_err().to_string();
            assert!(refused.starts_with(&told), "{text}: {refused}");
        }
        // One of two is enough, `none` is deliberate, and what has no column is not asked for.
        for (text, row) in [
            (
                "email,userId\n,bob\n",
                json!({"invitee": {"userId": "bob"}}),
            ),
            (
                "email,userId\na@b.example,none\n",
                json!({"invitee": {"email": "a@b.example"}}),
            ),
            ("email,userId\nnone,\n", json!({})),
            (
                "userId,emailDomains,accessDuration\nnone, none ,none\n",
                json!({}),
            ),
            // Where it means nothing of that kind it is a word like others.
            (
                "tenantId,tags\nnone,none\n",
                json!({"tenantId": "none", "tags": {"none": ""}}),
            ),
            (
                "roles,tags\nro,\n",
                json!({"statements": [{"roles": ["ro"]}]}),
            ),
        ] {
            assert_eq!(table(text, 10).unwrap(), [row], "{text}");
        }
    }

    #[test]
    fn columns_that_are_not_known_or_there_twice_are_refused() {
        for (text, reason) in [
            ("", "line 1: there is no header"),
            ("email,mail\n", "line 1: the columns are email, userId"),
            ("\nemail,email\n", "line 2: the column email is there twice"),
            ("email\na\nb\nc\n", "line 4: there are more than 2 rows"),
        ] {
            let told = table(text, 2).unwrap_err().to_string();
            assert!(told.starts_with(reason), "{told}");
        }
    }
}
