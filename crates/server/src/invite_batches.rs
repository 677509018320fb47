//! Batches of invites: each row judged as if it had come alone. Extensions of ours.

use std::collections::HashMap;

use guestlist_api::ids::InviteSecret;
use guestlist_api::invite_batches::{
    BatchFormat, BatchMode, BatchOutcome, BatchRow, InviteBatch, InviteBatchRequest, RefusedRow,
    RowRefusal, table,
};
use guestlist_api::invites::InviteRequest;
use guestlist_api::limits;
use guestlist_api::text::Bounded;
use guestlist_rules::changes::{Mark, Seen};
use guestlist_rules::invite_batches::together;
use guestlist_rules::invites::{
    self as rules, Remember, StoredIdempotencyKey, StoredInvite, repeated,
};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::body;
use crate::invite_budget::{Invited, Purse};
use crate::invite_effects::rehearsed;
use crate::invite_headers::InviteHeaders;
use crate::invites::{Made, RANDOM, answer, fresh, is_secret, key_hash, made, secret_from};
use crate::listing::given;
use crate::pepper::Purpose;
use crate::query::Query;
use crate::refusal::Refusal;

/// Rows that are judged before others get their turn.
const TURN: usize = 16;

/// A batch as it came: its rows are not read yet, so that one that cannot be read is refused alone.
pub struct InviteBatchGiven {
    mode: BatchMode,
    rows: Rows,
    /// They hold for each row.
    headers: InviteHeaders,
}

type Rows = Bounded<Value, 1, { limits::INVITE_BATCH }>;

fn bounded(rows: Vec<Value>) -> Result<Rows, Refusal> {
    Rows::new(rows).map_err(|reason| Refusal::malformed("invites", reason))
}

impl InviteBatchGiven {
    /// By its `Content-Type`: JSON unless it says lines or a table.
    pub fn read(query: &Query<'_>, headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let said = match given(query, "mode")?.as_deref() {
            None => None,
            Some("bestEffort") => Some(BatchMode::BestEffort),
            Some("atomic") => Some(BatchMode::Atomic),
            Some(_) => {
                return Err(Refusal::malformed("mode", "must be bestEffort or atomic"));
            }
        };
        let (mode, rows) = match format(headers) {
            BatchFormat::Json => {
                if said.is_some() {
                    let reason = "is a member of the body, if that is a JSON object";
                    return Err(Refusal::malformed("mode", reason));
                }
                let batch: Option<InviteBatchRequest<Value>> = body::parse(body)?;
                let batch =
                    batch.ok_or_else(|| Refusal::malformed("body", "a JSON object is needed"))?;
                (batch.mode, batch.invites)
            }
            BatchFormat::NdJson => (said.unwrap_or_default(), bounded(lines(body)?)?),
            BatchFormat::Csv => {
                let text = std::str::from_utf8(body)
                    .map_err(|_| Refusal::malformed("body", "must be UTF-8"))?;
                let rows = table(text, limits::INVITE_BATCH).map_err(|error| {
                    Refusal::malformed(format!("line {}", error.line), error.reason)
                })?;
                (said.unwrap_or_default(), bounded(rows)?)
            }
        };
        let headers = InviteHeaders::read(headers)?;
        Ok(Self {
            mode,
            rows,
            headers,
        })
    }

    /// The rows, read. One that is the same as another, for somebody by name, is a mistake.
    fn requests(self) -> Vec<Row> {
        let mut first: HashMap<String, u32> = HashMap::new();
        let rows = numbered(self.rows.into_vec());
        rows.map(|(number, row)| {
            let request = request(&row).and_then(|mut request| {
                self.headers.put_into(&mut request)?;
                Ok(request)
            });
            let request = request.map_err(|refusal| told(&refusal))?;
            if request.invitee.is_some()
                && let Ok(text) = serde_json::to_string(&request)
            {
                let before = *first.entry(text).or_insert(number);
                if before != number {
                    let reason = format!("is the same as row {before}");
                    return Err(told(&Refusal::malformed("row", reason)));
                }
            }
            Ok(request)
        })
        .collect()
    }
}

/// A row that could be read, or why not.
type Row = Result<InviteRequest, RowRefusal>;

fn numbered<T>(rows: Vec<T>) -> impl Iterator<Item = (u32, T)> {
    (1..).zip(rows)
}

fn format(headers: &HeaderMap) -> BatchFormat {
    let said = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = said.and_then(|said| said.split(';').next());
    match media.map(|media| media.trim().to_ascii_lowercase()) {
        Some(media) if media == "text/csv" => BatchFormat::Csv,
        Some(media) if media == "application/x-ndjson" || media == "application/ndjson" => {
            BatchFormat::NdJson
        }
        // As everywhere: SDKs send JSON under any name, or none.
        Some(_) | None => BatchFormat::Json,
    }
}

/// A JSON value in each line that is not blank.
fn lines(body: &[u8]) -> Result<Vec<Value>, Refusal> {
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        let number: u32 = number;
        let value: Option<Value> = body::parse(line)
            .map_err(|error| Refusal::malformed(format!("line {number}"), error))?;
        rows.extend(value);
        if rows.len() > limits::INVITE_BATCH {
            break;
        }
    }
    Ok(rows)
}

fn request(row: &Value) -> Result<InviteRequest, Refusal> {
    let text = serde_json::to_vec(row).map_err(crate::answer::NotWritable::from)?;
    let parsed = body::parse(&text)?;
    parsed.ok_or_else(|| Refusal::malformed("row", "a JSON object is needed"))
}

/// Why a row is refused, as a caller is told it. A fault of the server is told to its log too.
fn told(refusal: &Refusal) -> RowRefusal {
    if refusal.is_fault() {
        tracing::error!(error = %refusal.for_log(), "an invite of a batch was not made");
    }
    let told = refusal.for_caller();
    RowRefusal {
        status: told.status.as_u16(),
        error_code: told.code.to_owned(),
        title: told.title,
        path: told.path,
    }
}

/// An idempotency key and what was sent with it. All secrets of a batch come from one salt, each with
/// the number of its row.
struct Keyed<'a> {
    key: &'a str,
    key_hash: String,
    request_hash: String,
}

impl<'a> Keyed<'a> {
    fn new(ask: Ask<'_>, key: &'a str, batch: &InviteBatchGiven) -> Result<Self, Refusal> {
        // An invite has another form, so that a key is for one of them or the other.
        let body = match batch.headers.told_apart() {
            None => serde_json::to_string(&("batch", batch.mode, &batch.rows)),
            Some(headers) => serde_json::to_string(&("batch", batch.mode, &batch.rows, headers)),
        };
        let body = body.map_err(crate::answer::NotWritable::from)?;
        Ok(Self {
            key,
            key_hash: key_hash(ask, key),
            request_hash: ask.app.pepper.hash(Purpose::IdempotentBody, &body),
        })
    }

    /// What the key stands for, and the mark of what it stood for in a time that is over.
    async fn look(
        &self,
        ask: Ask<'_>,
    ) -> Result<(Option<StoredIdempotencyKey>, Option<Mark>), Refusal> {
        let seen: Option<Seen<StoredIdempotencyKey>> = ask.see(&self.key_hash).await?;
        let known = seen.as_ref().map(|seen| &seen.value);
        let known = repeated(ask.now, known, &self.request_hash)?.cloned();
        let expired = seen.filter(|_| known.is_none()).map(|seen| seen.mark);
        Ok((known, expired))
    }

    fn secret(&self, ask: Ask<'_>, salt: &str, row: u32) -> Result<InviteSecret, Refusal> {
        let row = row.to_string();
        let parts = [ask.caller.user_id.as_str(), self.key, salt, "row", &row];
        let pepper = &ask.app.pepper;
        secret_from(&pepper.derive(Purpose::InviteSecret, &parts, RANDOM))
    }

    fn remember(&self, ask: Ask<'_>, salt: String, first: &InviteSecret) -> StoredIdempotencyKey {
        StoredIdempotencyKey {
            key_hash: self.key_hash.clone(),
            request_hash: self.request_hash.clone(),
            salt,
            reference: first.reference(),
            expiry_time: ask.now.plus(limits::IDEMPOTENCY_KEY_LIFETIME),
        }
    }
}

/// The invite of a secret, if it was made before.
async fn found(ask: Ask<'_>, secret: InviteSecret) -> Result<Option<Made>, Refusal> {
    let seen: Option<Seen<StoredInvite>> = ask.see(secret.reference().as_str()).await?;
    let Some(Seen { value: invite, .. }) = seen else {
        return Ok(None);
    };
    if !is_secret(ask.app, &invite, &secret) {
        return Err(Refusal::Rule(Rule::InviteRenewed));
    }
    let is_new = false;
    Ok(Some(Made {
        secret,
        invite,
        is_new,
    }))
}

/// POST `/v1/invites/batch`.
pub async fn create_invites(
    ask: Ask<'_>,
    batch: InviteBatchGiven,
    key: Option<&str>,
) -> Result<Answer, Refusal> {
    let keyed = key.map(|key| Keyed::new(ask, key, &batch)).transpose()?;
    let mode = batch.mode;
    let rows = batch.requests();
    match mode {
        BatchMode::BestEffort => best_effort(ask, rows, keyed.as_ref()).await,
        BatchMode::Atomic => atomic(ask, rows, keyed.as_ref()).await,
    }
}

/// POST `/v1/invites/batch?dryRun=true`: what each row would do. Nothing is written, and nobody is
/// counted as invited.
pub async fn try_invites(ask: Ask<'_>, batch: InviteBatchGiven) -> Result<Answer, Refusal> {
    let mode = batch.mode;
    let mut outcomes = Vec::new();
    for row in batch.requests() {
        outcomes.push(match row {
            Ok(request) => match rehearsed(ask, request).await {
                Ok(effect) => BatchOutcome::Effect(Box::new(effect)),
                Err(refusal) => BatchOutcome::Refusal(told(&refusal)),
            },
            Err(refusal) => BatchOutcome::Refusal(refusal),
        });
    }
    answered(mode, outcomes)
}

fn answered(mode: BatchMode, outcomes: Vec<BatchOutcome>) -> Result<Answer, Refusal> {
    let (mut accepted, mut refused) = (0, 0);
    for outcome in &outcomes {
        match outcome {
            BatchOutcome::Invite(_) | BatchOutcome::Effect(_) => accepted += 1,
            BatchOutcome::Refusal(_) => refused += 1,
        }
    }
    let results = numbered(outcomes)
        .map(|(row, outcome)| BatchRow { row, outcome })
        .collect();
    let batch = InviteBatch {
        mode,
        accepted,
        refused,
        results,
    };
    Answer::json(StatusCode::OK, &batch).map_err(Refusal::from)
}

fn outcome(ask: Ask<'_>, made: Result<Made, Refusal>) -> BatchOutcome {
    match made {
        Ok(made) => BatchOutcome::Invite(Box::new(answer(ask, made.secret, &made.invite))),
        // From now on what was made is told, whatever becomes of the rest: it is told nowhere else.
        Err(refusal) => BatchOutcome::Refusal(told(&refusal)),
    }
}

async fn best_effort(
    ask: Ask<'_>,
    rows: Vec<Row>,
    keyed: Option<&Keyed<'_>>,
) -> Result<Answer, Refusal> {
    // Before anything is made: a key of something else refuses all of it.
    let known = match keyed {
        Some(keyed) => keyed.look(ask).await?.0,
        None => None,
    };
    let mut outcomes = Vec::with_capacity(rows.len());
    for (number, row) in numbered(rows) {
        others_turn(number).await;
        let request = match row {
            Ok(request) => request,
            Err(refusal) => {
                outcomes.push(BatchOutcome::Refusal(refusal));
                continue;
            }
        };
        let before = match (keyed, &known) {
            (Some(keyed), Some(known)) => made_before(ask, keyed, known, number).await,
            (Some(_) | None, _) => Ok(None),
        };
        let made = match before {
            Ok(Some(made)) => Ok(made),
            Ok(None) => one(ask, request, keyed, number).await,
            Err(refusal) => Err(refusal),
        };
        outcomes.push(outcome(ask, made));
    }
    let answer = answered(BatchMode::BestEffort, outcomes)?;
    Ok(telling(ask, answer))
}

/// Lets others go on. A row that is refused waits for nothing, and a thousand are a long time.
async fn others_turn(row: u32) {
    if (row as usize).is_multiple_of(TURN) {
        tokio::task::yield_now().await;
    }
}

async fn made_before(
    ask: Ask<'_>,
    keyed: &Keyed<'_>,
    known: &StoredIdempotencyKey,
    row: u32,
) -> Result<Option<Made>, Refusal> {
    found(ask, keyed.secret(ask, &known.salt, row)?).await
}

async fn one(
    ask: Ask<'_>,
    request: InviteRequest,
    keyed: Option<&Keyed<'_>>,
    row: u32,
) -> Result<Made, Refusal> {
    let purse = &Purse::new(ask);
    let made = ask
        .change(|| attempt(ask, request.clone(), keyed, (purse, row)))
        .await;
    if !made.as_ref().is_ok_and(|made| made.is_new) {
        purse.give_back();
    }
    made
}

/// The first invite that is made is written with the key; the others are found by what it says.
async fn attempt(
    ask: Ask<'_>,
    request: InviteRequest,
    keyed: Option<&Keyed<'_>>,
    (purse, row): (&Purse<'_>, u32),
) -> Result<Decided<Made>, Refusal> {
    let Some(keyed) = keyed else {
        let random: [u8; RANDOM] = ask.app.entropy.bytes()?;
        return made(ask, request, secret_from(&random)?, None, (purse, row));
    };
    let (known, expired) = keyed.look(ask).await?;
    if let Some(known) = known {
        let secret = keyed.secret(ask, &known.salt, row)?;
        return match found(ask, secret.clone()).await? {
            Some(before) => Ok(Decided::Nothing(before)),
            None => made(ask, request, secret, None, (purse, row)),
        };
    }
    let salt = ask.app.entropy.text(22)?;
    let secret = keyed.secret(ask, &salt, row)?;
    let key = keyed.remember(ask, salt, &secret);
    let remember = Some(Remember { key, expired });
    made(ask, request, secret, remember, (purse, row))
}

async fn atomic(
    ask: Ask<'_>,
    rows: Vec<Row>,
    keyed: Option<&Keyed<'_>>,
) -> Result<Answer, Refusal> {
    if let Some(keyed) = keyed
        && let (Some(known), _) = keyed.look(ask).await?
    {
        return answered(
            BatchMode::Atomic,
            all_before(ask, &rows, keyed, &known).await?,
        );
    }
    let purse = &Purse::new(ask);
    let made = ask.change(|| attempt_all(ask, &rows, keyed, purse)).await;
    if !matches!(made, Ok((_, true))) {
        purse.give_back();
    }
    let answer = answered(BatchMode::Atomic, made?.0)?;
    Ok(telling(ask, answer))
}

fn telling(ask: Ask<'_>, answer: Answer) -> Answer {
    let budget = &ask.app.invite_budget;
    budget.tell(&ask.caller.user_id, ask.now, answer)
}

/// What the same request was answered.
async fn all_before(
    ask: Ask<'_>,
    rows: &[Row],
    keyed: &Keyed<'_>,
    known: &StoredIdempotencyKey,
) -> Result<Vec<BatchOutcome>, Refusal> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for (number, _) in (1..).zip(rows) {
        let before = made_before(ask, keyed, known, number).await;
        let before =
            before.and_then(|before| before.ok_or(Refusal::Rule(Rule::NotFound(Noun::Invite))));
        outcomes.push(outcome(ask, before));
    }
    Ok(outcomes)
}

/// All of them and whether they are new.
async fn attempt_all(
    ask: Ask<'_>,
    rows: &[Row],
    keyed: Option<&Keyed<'_>>,
    purse: &Purse<'_>,
) -> Result<Decided<(Vec<BatchOutcome>, bool)>, Refusal> {
    let (known, expired) = match keyed {
        Some(keyed) => keyed.look(ask).await?,
        None => (None, None),
    };
    if let (Some(keyed), Some(known)) = (keyed, &known) {
        let before = all_before(ask, rows, keyed, known).await?;
        return Ok(Decided::Nothing((before, false)));
    }
    let salt = ask.app.entropy.text(22)?;
    let (mut decided, mut secrets, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (row, request) in (1..).zip(rows) {
        others_turn(row).await;
        let request = match request {
            Ok(request) => request.clone(),
            Err(refusal) => {
                let refusal = refusal.clone();
                refused.push(RefusedRow { row, refusal });
                continue;
            }
        };
        let secret = match keyed {
            Some(keyed) => keyed.secret(ask, &salt, row)?,
            None => secret_from(&ask.app.entropy.bytes::<RANDOM>()?)?,
        };
        let fresh = fresh(ask, &secret);
        let invited = Invited::by(&request);
        let one = ask.decide(|facts| rules::create(facts, request, fresh, None));
        match one.and_then(|one| purse.pay(row, invited).map(|()| one)) {
            Ok(one) => decided.push(one),
            Err(refusal) if refusal.is_fault() => return Err(refusal),
            Err(refusal) => {
                let refusal = told(&refusal);
                refused.push(RefusedRow { row, refusal });
            }
        }
        secrets.push(secret);
    }
    if !refused.is_empty() {
        return Err(Refusal::BatchRefused(refused));
    }
    let key = keyed.zip(secrets.first()).map(|(keyed, first)| Remember {
        key: keyed.remember(ask, salt, first),
        expired,
    });
    let Some((changes, invites)) = ask.decide(|facts| together(facts, decided, key))? else {
        return Ok(Decided::Nothing((Vec::new(), false)));
    };
    let all = secrets.into_iter().zip(&invites);
    let outcomes = all
        .map(|(secret, invite)| BatchOutcome::Invite(Box::new(answer(ask, secret, invite))))
        .collect();
    Ok(Decided::Change(changes, (outcomes, true)))
}
