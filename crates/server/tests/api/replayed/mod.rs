//! The Go and the C# SDK as bytes: the requests they send, replayed as they stand on the wire, and the
//! members of answers that their models cannot do without (contract §2.3, §2.4, §9.4).
//!
//! The requests of the Go SDK were captured; those of the C# SDK follow from its source. Each SDK's
//! requests go to one server, one after another, as a program would send them.

mod csharp;
mod go;
mod models;

use std::collections::{BTreeMap, BTreeSet};

use guestlist_server::operations::Operation;

use crate::world::{ACCOUNT, Engine, Reply, World};

/// One request and what must come back.
#[derive(Clone, Copy)]
struct Replayed {
    operation: &'static str,
    /// The request line up to the version. Names in braces are filled with what stood in answers
    /// before: `{recordId}`, `{clientSecret}`.
    line: &'static str,
    sender: Sender,
    /// Header lines beyond those of every request.
    headers: &'static str,
    body: Option<&'static str>,
    status: u16,
    /// What the SDK reads the answer as; empty if it does not look.
    model: &'static str,
}

/// Who sends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// The owner's service client.
    Owner,
    /// A person, whose token the application passes on.
    Person,
}

const fn ask(
    operation: &'static str,
    line: &'static str,
    status: u16,
    model: &'static str,
) -> Replayed {
    Replayed {
        operation,
        line,
        sender: Sender::Owner,
        headers: "",
        body: None,
        status,
        model,
    }
}

const fn send(
    operation: &'static str,
    line: &'static str,
    body: &'static str,
    status: u16,
    model: &'static str,
) -> Replayed {
    Replayed {
        body: Some(body),
        ..ask(operation, line, status, model)
    }
}

const fn by_person(replayed: Replayed) -> Replayed {
    Replayed {
        sender: Sender::Person,
        ..replayed
    }
}

/// How an SDK writes a request, and what it asks for.
struct Sdk {
    name: &'static str,
    /// The whole request from its line, header lines, credentials and body.
    write: fn(&Replayed, &str, &Credentials) -> String,
    requests: &'static [&'static [Replayed]],
    /// The operations of the server that this SDK has no method for.
    lacks: &'static [&'static str],
}

/// Operations that no SDK has, because the published API does not have them.
const OURS: [&str; 16] = [
    "createInvites",
    "getInviteStatistics",
    "getInviteSettings",
    "setInviteSettings",
    "getInviteAcceptances",
    "undoInvite",
    "getInviteEffect",
    "getInvites",
    "updateInvite",
    "renewInvite",
    "getInviteEvents",
    "revokeInvites",
    "getUserInvites",
    "previewInvite",
    "declineInvite",
    "reportInviteLeak",
];

/// What callers sign in with.
struct Credentials {
    /// The owner's access key as it is.
    key: String,
    /// A token that the C# SDK would make of that key.
    signed: String,
    person: String,
}

/// What stood in answers, by the name of the member.
type Places = BTreeMap<String, String>;

fn filled(text: &str, places: &Places) -> String {
    places.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// Keeps the ids and the secret that an answer names, for the requests to come.
fn keep(reply: &Reply, places: &mut Places) {
    for (name, value) in reply.json().as_object().into_iter().flatten() {
        if let Some(text) = value.as_str()
            && (name.ends_with("Id") || name == "clientSecret")
        {
            places.insert(name.clone(), text.to_owned());
        }
    }
}

fn is_built(operation: &str) -> bool {
    Operation::ALL
        .into_iter()
        .any(|built| built.name() == operation)
}

fn judge(sdk: &Sdk, replayed: &Replayed, request: &str, reply: &Reply) {
    let what = format!(
        "{} {}\n{request}\n{}\n{}",
        sdk.name, replayed.operation, reply.head, reply.text
    );
    if !is_built(replayed.operation) {
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (501, "NotImplemented"),
            "{what}"
        );
        return;
    }
    assert_eq!(reply.status, replayed.status, "{what}");
    if !reply.text.is_empty() {
        // The Go SDK reads a body only if its type says that it is JSON (contract §0.2 rule 1).
        let kind = reply.header("content-type").unwrap_or_default();
        assert!(
            kind.starts_with("application/") && kind.ends_with("json"),
            "{what}"
        );
    }
    if reply.status >= 300 {
        assert!(reply.json()["title"].is_string(), "{what}");
    } else if !replayed.model.is_empty()
        && let Err(fault) = models::read(replayed.model, &reply.json())
    {
        panic!("{fault}\n{what}");
    }
}

async fn replay(sdk: &Sdk) {
    let world = World::new(Engine::Memory).await;
    // What the requests of every SDK speak of.
    world
        .give(
            "rec_orgs",
            "google-oauth2|1095/36@x+y",
            &["Authress:Owner"],
            &["/orgs"],
        )
        .await;
    let credentials = Credentials {
        key: world.owner.clone(),
        signed: csharp::signed(&world),
        person: world.token("person"),
    };
    let mut places = Places::from([("accountId".to_owned(), ACCOUNT.to_owned())]);
    for replayed in sdk.requests.iter().copied().flatten() {
        let line = filled(replayed.line, &places);
        let body = replayed.body.map(|body| filled(body, &places));
        let request = (sdk.write)(replayed, &line, &credentials);
        let request = match body {
            Some(body) => request
                .replace("{body}", &body)
                .replace("{length}", &body.len().to_string()),
            None => request,
        };
        let reply = world.raw(request.as_bytes()).await;
        judge(sdk, replayed, &request, &reply);
        if reply.status < 300 {
            keep(&reply, &mut places);
        }
    }
}

fn is_complete(sdk: &Sdk) {
    let asked: BTreeSet<String> = sdk
        .requests
        .iter()
        .copied()
        .flatten()
        .map(|replayed| replayed.operation.to_owned())
        .collect();
    let lacks: BTreeSet<String> = sdk.lacks.iter().map(|name| (*name).to_owned()).collect();
    assert!(asked.is_disjoint(&lacks), "{}", sdk.name);
    let missing: Vec<String> = Operation::ALL
        .into_iter()
        .map(Operation::name)
        .filter(|name| !asked.contains(name) && !lacks.contains(name))
        .filter(|name| !OURS.contains(&name.as_str()))
        .collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "no request of {} for these",
        sdk.name
    );
}

#[test]
fn there_are_requests_for_every_operation_that_each_sdk_has() {
    is_complete(&go::SDK);
    is_complete(&csharp::SDK);
}

#[tokio::test]
async fn what_the_go_sdk_sends_is_answered_as_it_reads() {
    replay(&go::SDK).await;
}

#[tokio::test]
async fn what_the_csharp_sdk_sends_is_answered_as_it_reads() {
    replay(&csharp::SDK).await;
}
