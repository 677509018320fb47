//! The operation that makes many invites, and its bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use super::codes::{BATCH_REFUSED, FORBIDDEN, IDEMPOTENCY_KEY_REUSED};
use super::description::{Description, Tag};
use super::invite_lists::closed;
use super::parameters;
use super::shapes::{Named, boolean, integer, list, list_of, object, of, or_null, string};

pub(super) fn create() -> Description {
    Description::new(
        Method::POST,
        "/v1/invites/batch",
        Tag::Invites,
        "Make many invites",
    )
    .extension()
    .about(
        "Each row is judged as if it were sent alone. With `atomic` none is made unless all can be \
         (422 `BatchRefused`). By `Content-Type` also an invite in each line, or a table whose header \
         names `email`, `userId`, `resource`, `roles` and more. Send an `Idempotency-Key`: the ids \
         are told in this answer alone.",
    )
    .with([
        parameters::idempotency_key(),
        parameters::access_duration(),
        parameters::approval(),
        parameters::query("mode", "Of lines and tables. `bestEffort` unless said.", mode()),
        parameters::query("dryRun", "Only say what each would do.", boolean()),
    ])
    .takes("InviteBatchRequest")
    .or_text(&["application/x-ndjson", "text/csv"])
    .answers(200, "What became of each row, in their order.", "InviteBatch")
    .refuses([FORBIDDEN, IDEMPOTENCY_KEY_REUSED, BATCH_REFUSED])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("InviteBatchRequest", request()),
        ("InviteBatch", batch()),
        ("BatchRow", row().into()),
        ("RowRefusal", refusal()),
        (
            "RefusedRow",
            numbered()
                .property("refusal", of("RowRefusal"))
                .required("refusal")
                .into(),
        ),
    ]
}

fn mode() -> ObjectBuilder {
    string()
        .description(Some(
            "What becomes of a batch in which some rows are refused: the others are made, or none.",
        ))
        .enum_values(Some(["bestEffort", "atomic"]))
}

fn request() -> RefOr<Schema> {
    object()
        .property("mode", or_null(mode().default(Some(json!("bestEffort")))))
        .property("invites", list_of(1, limits::INVITE_BATCH, "InviteRequest"))
        .required("invites")
        .additional_properties(Some(closed()))
        .into()
}

fn batch() -> RefOr<Schema> {
    let batch = object()
        .description(Some(
            "`accepted`: made, now or by the same request before; of a rehearsal, those that could \
             be made.",
        ))
        .property("mode", mode())
        .property("accepted", integer())
        .property("refused", integer())
        .property("results", list("BatchRow"));
    ["mode", "accepted", "refused", "results"]
        .into_iter()
        .fold(batch, ObjectBuilder::required)
        .into()
}

fn numbered() -> ObjectBuilder {
    object()
        .property("row", integer().minimum(Some(1)))
        .required("row")
}

fn row() -> ObjectBuilder {
    numbered()
        .description(Some(
            "One of `invite`, `refusal` and, of a rehearsal, `effect`. Rows count from 1, without \
             the header of a table and empty lines.",
        ))
        .property("invite", of("Invite"))
        .property("effect", of("InviteEffect"))
        .property("refusal", of("RowRefusal"))
}

fn refusal() -> RefOr<Schema> {
    object()
        .description(Some(
            "Why a row was refused: what it would have been answered alone.",
        ))
        .property("status", integer().minimum(Some(400)).maximum(Some(599)))
        .property("errorCode", string())
        .property("title", string())
        .property("path", string())
        .required("status")
        .required("errorCode")
        .required("title")
        .into()
}
