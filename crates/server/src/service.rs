//! One request from its head to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::answer::Answer;
use crate::app::App;
use crate::ask::{Ask, Library};
use crate::listener::Peer;
use crate::operations::Operation;
use crate::paths::{self, SplitPath};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::{body, cors, dispatch, head, request_id, routes};

/// Answers a request. It never fails: what goes wrong is an answer too.
pub async fn answer(app: Arc<App>, request: Request<Incoming>, peer: Peer) -> Response<Full<Bytes>> {
    todo!()
}
