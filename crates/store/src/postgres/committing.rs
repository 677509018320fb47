//! The transactions that write a group: the one that takes a single round trip, the one that reads
//! under the lock of the head first, and how the outcome of one that was cut off is found out.

use std::collections::HashMap;
use std::pin::Pin;

use guestlist_rules::changes::{Kind, Revision};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::batch::Batch;
use super::change::Texts;
use super::connecting::{Session, limited, said};
use super::failure::{Failure, Reach, is_certainly_undone};
use super::judging::{Judged, Known, judge};
use super::rows::{Base, Line, Writer, base, key_and_mark, line, revision, signed, writer};
use super::statements as sql;
use super::writer::Job;

/// The most lines of other nodes that a writer reads while it holds the head: several groups.
const MISSED: i64 = 1024;

/// READ COMMITTED is enough, because the head is written by every transaction; a database whose
/// weakest level is stricter takes that.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The bytes for which there must be room again after there was none.
const PROBED_ROOM: usize = 64 << 10;

/// Every statement of a transaction that writes.
pub(super) const PREPARED: [&str; 11] = [
    sql::MOVE_HEAD,
    sql::DELETE_DOCUMENTS,
    sql::WRITE_DOCUMENTS,
    sql::DELETE_FACETS,
    sql::WRITE_FACETS,
    sql::WRITE_EVENTS,
    sql::WRITE_RECENT,
    sql::LOCK_HEAD,
    sql::MARKS,
    sql::LINES,
    sql::PROBE,
];

/// How a transaction ended.
pub(super) enum Ended {
    Committed,
    /// The head was not the expected one, or an assumption did not hold: nothing was written.
    Moved,
    /// Nothing was written.
    Failed(Failure),
    /// The connection ended before the answer to the commit.
    Unclear(Failure),
}

/// Judges a group by what is known.
pub(super) fn judged<'a>(
    group: &'a [Job],
    base: Base,
    known: &Known,
) -> Result<Option<Judged<'a>>, Failure> {
    let changes = group.iter().map(|job| (&*job.changes, &job.texts));
    judge(changes, base.head, known)
}

/// Writes a judged group behind `base`, if that is still the head, and commits: one round trip.
pub(super) async fn write(
    session: &Session,
    group: &[Job],
    judged: &Judged<'_>,
    base: Base,
    token: Writer,
    begins: bool,
) -> Ended {
    let texts: Vec<&Texts> = group.iter().map(|job| &job.texts).collect();
    let batch = match Batch::of(judged, &texts) {
        Ok(batch) => batch,
        Err(failure) => return Ended::Failed(failure),
    };
    match send(session, &batch, judged, base, token, begins).await {
        Ok(ended) => ended,
        Err(failure) => Ended::Failed(failure),
    }
}

/// A statement on its way, with the number of rows that it will have touched.
type Sent<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>;

/// Sends everything at once, and only then waits for the answers.
async fn send(
    session: &Session,
    batch: &Batch<'_>,
    judged: &Judged<'_>,
    base: Base,
    token: Writer,
    begins: bool,
) -> Result<Ended, Failure> {
    let (new, old) = (signed(judged.head.revision)?, signed(base.head.revision)?);
    let (new_hash, old_hash) = (
        judged.head.hash.as_bytes().as_slice(),
        base.head.hash.as_bytes().as_slice(),
    );
    let (token, old_token) = (token.as_bytes(), base.writer.as_bytes());
    let head: [&(dyn ToSql + Sync); 9] = [
        &new,
        &new_hash,
        &token,
        &old,
        &old_hash,
        &old_token,
        &batch.assumed.kinds,
        &batch.assumed.ids,
        &batch.assumed.marks,
    ];
    let (deleted, written) = (&batch.deleted, &batch.written);
    let gone: [&(dyn ToSql + Sync); 3] = [&deleted.kinds, &deleted.ids, &token];
    let writes: [&(dyn ToSql + Sync); 6] = [
        &written.kinds,
        &written.ids,
        &written.marks,
        &batch.written_facets,
        &batch.written_bodies,
        &token,
    ];
    let rewritten = &batch.rewritten;
    let old_facets: [&(dyn ToSql + Sync); 4] =
        [&rewritten.kinds, &rewritten.ids, &rewritten.marks, &token];
    let facets: [&(dyn ToSql + Sync); 6] = [
        &batch.facets.kinds,
        &batch.facet_names,
        &batch.facet_values,
        &batch.facets.ids,
        &batch.facets.marks,
        &token,
    ];
    let events: [&(dyn ToSql + Sync); 5] = [
        &batch.revisions,
        &batch.events,
        &batch.touched,
        &batch.hashes,
        &token,
    ];
    let recent: [&(dyn ToSql + Sync); 3] = [&batch.revisions, &batch.payloads, &token];
    let plan: [(&'static str, &[&(dyn ToSql + Sync)], bool); 7] = [
        (sql::MOVE_HEAD, &head, true),
        (sql::DELETE_DOCUMENTS, &gone, !deleted.is_empty()),
        (sql::WRITE_DOCUMENTS, &writes, !written.is_empty()),
        (sql::DELETE_FACETS, &old_facets, !rewritten.is_empty()),
        (sql::WRITE_FACETS, &facets, !batch.facets.is_empty()),
        (sql::WRITE_EVENTS, &events, true),
        (sql::WRITE_RECENT, &recent, true),
    ];
    let mut statements: Vec<(Statement, &[&(dyn ToSql + Sync)])> = Vec::with_capacity(plan.len());
    for (sql, parameters, is_needed) in plan {
        if is_needed {
            statements.push((session.known(sql)?, parameters));
        }
    }
    Ok(transact(session, &statements, begins).await)
}

/// The first statement is the one that moves the head.
async fn transact(
    session: &Session,
    statements: &[(Statement, &[&(dyn ToSql + Sync)])],
    begins: bool,
) -> Ended {
    let client = &session.client;
    let simple = |sql: &'static str| -> Sent<'_> {
        Box::pin(async move { client.batch_execute(sql).await.map(|()| 0) })
    };
    let mut sent: Vec<Sent<'_>> = Vec::with_capacity(statements.len() + 2);
    if begins {
        sent.push(simple(BEGIN));
    }
    let of_head = sent.len();
    for (statement, parameters) in statements {
        sent.push(Box::pin(client.execute(statement, parameters)));
    }
    sent.push(simple("COMMIT"));
    // Polled in this order, and each is sent when it is polled first.
    let answers = limited(async { Ok(futures_util::future::join_all(sent).await) });
    let answers = match answers.await {
        Ok(answers) => answers,
        Err(failure) => return Ended::Unclear(failure),
    };
    let last = answers.len() - 1;
    let mut moved = 0;
    for (number, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(rows) if number == of_head => moved = rows,
            Ok(_) => {}
            Err(error) => {
                let failure = Failure::from(error);
                // What failed before the commit has turned the commit into a rollback.
                let undone = if number == last {
                    is_certainly_undone(&failure)
                } else {
                    failure.is_refusal
                };
                if undone || (number > of_head && moved == 0) {
                    return Ended::Failed(failure);
                }
                return Ended::Unclear(failure);
            }
        }
    }
    if moved == 1 {
        Ended::Committed
    } else {
        Ended::Moved
    }
}

/// What is found under the lock of the head.
pub(super) struct Locked {
    pub(super) base: Base,
    pub(super) marks: Known,
    /// What other nodes wrote since: all of it, unless there was too much.
    pub(super) missed: Vec<Line>,
}

/// Begins a transaction, locks the head, and reads what the group expects: one round trip. The
/// statements after the first see what was committed before the lock was given.
pub(super) async fn lock(
    session: &Session,
    group: &[Job],
    told: Revision,
) -> Result<Locked, Failure> {
    let mut keys: Vec<(Kind, &str)> = group
        .iter()
        .flat_map(|job| &job.changes.expect)
        .map(|(kind, id, _)| (*kind, id.as_str()))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let kinds: Vec<&[u8]> = keys
        .iter()
        .map(|(kind, _)| kind.name().as_bytes())
        .collect();
    let ids: Vec<&[u8]> = keys.iter().map(|(_, id)| id.as_bytes()).collect();
    let told = signed(told)?;
    let client = &session.client;
    let (head, marks, lines) = (
        session.known(sql::LOCK_HEAD)?,
        session.known(sql::MARKS)?,
        session.known(sql::LINES)?,
    );
    let key_parameters: [&(dyn ToSql + Sync); 2] = [&kinds, &ids];
    let line_parameters: [&(dyn ToSql + Sync); 2] = [&told, &MISSED];
    let answers = async {
        tokio::try_join!(
            biased;
            client.batch_execute(BEGIN),
            client.query(&head, &[]),
            client.query(&marks, &key_parameters),
            client.query(&lines, &line_parameters),
        )
    };
    let ((), head, marks, lines) = limited(answers).await?;
    let marks: HashMap<_, _> = marks.iter().map(key_and_mark).collect::<Result<_, _>>()?;
    Ok(Locked {
        base: base(&head)?,
        marks: Known::Marks(marks),
        missed: lines.iter().map(line).collect::<Result<_, _>>()?,
    })
}

/// Whether the transaction of this writer, which was cut off, has committed up to this revision.
/// When it has not, it never will.
pub(super) async fn find_out(
    session: &Session,
    newest: Revision,
    token: Writer,
) -> Result<bool, Failure> {
    session.run(BEGIN).await?;
    // Waits until whoever holds the head has ended.
    let _head = base(&session.query(sql::LOCK_HEAD, &[]).await?)?;
    let found = session.query(sql::WRITER_OF, &[&signed(newest)?]).await?;
    if let Some(row) = found.first()
        && writer(row, 0)? == token
    {
        session.run("ROLLBACK").await?;
        return Ok(true);
    }
    // It may not have begun yet: then it finds another writer at the head.
    let fence = Writer::draw()?;
    session.execute(sql::FENCE, &[&fence.as_bytes()]).await?;
    session.run("COMMIT").await?;
    Ok(false)
}

/// Whether a write would work. Only where there was no room, one is tried, and taken back.
pub(super) async fn probe(session: &Session, writes: bool) -> Result<(), Failure> {
    if writes {
        session.run("BEGIN").await?;
        let written = write_something(session).await;
        session
            .run("ROLLBACK")
            .await
            .map_err(|failure| Failure::new(Reach::Lost, failure.to_string()))?;
        return written;
    }
    let answer = limited(session.client.simple_query("SHOW transaction_read_only")).await?;
    let is_read_only = said(&answer) == Some("on");
    if is_read_only {
        return Err(Failure::new(
            Reach::Lost,
            "the database takes no writes: it is a replica",
        ));
    }
    Ok(())
}

/// Moves the head to where it is, and takes room: to change a row in place needs none.
#[expect(
    clippy::disallowed_methods,
    reason = "what it draws takes room because it cannot be packed, and is not kept"
)]
async fn write_something(session: &Session) -> Result<(), Failure> {
    let mut room = vec![0; PROBED_ROOM];
    getrandom::fill(&mut room).map_err(|error| Failure::new(Reach::Change, error.to_string()))?;
    session.execute(sql::PROBE, &[]).await?;
    session.execute(sql::PROBE_ROOM, &[&room]).await.map(drop)
}

/// The newest revision.
pub(super) async fn newest(session: &Session) -> Result<Revision, Failure> {
    let rows = session.query(sql::HEAD, &[]).await?;
    let row = rows
        .first()
        .ok_or_else(|| Failure::damaged("the row of guestlist_head is missing"))?;
    revision(row, 0)
}
