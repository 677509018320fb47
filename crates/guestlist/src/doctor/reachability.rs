//! Whether there is a way to the server, and whether it is one.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use guestlist_api::times::Timestamp;
use guestlist_server::clock::Clock;
use reqwest::header::{ACCEPT, DATE, HeaderMap, LOCATION, SERVER};
use reqwest::{Response, Url};
use serde::Deserialize;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Findings;
use super::configuration::proxy_of;
use crate::profiles::ConnectionArguments;
use crate::text::plain;

/// How long a name or a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// Bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A server that answered.
pub(super) struct Reached {
    pub(super) is_guestlist: bool,
    /// Its clock, to the second, if it tells.
    pub(super) date: Option<Timestamp>,
    /// Ours when it answered, give or take half of the time the answer took.
    pub(super) here: Timestamp,
}

pub(super) async fn examine(
    url: &str,
    connection: &ConnectionArguments,
    findings: &mut Findings,
) -> Option<Reached> {
    let parsed = match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => parsed,
        Ok(_) | Err(_) => {
            findings.problem(
                "server",
                format!("{url} is no URL of a server"),
                "It begins with https:// or http://, and has a host.",
            );
            return None;
        }
    };
    // Behind a proxy, names and connections are the proxy's affair.
    if proxy_of(url).is_none() {
        let addresses = name(&parsed, findings).await?;
        connect(&addresses, findings).await?;
    }
    let clock = Clock::system();
    let before = clock.now();
    let answer = ask(&parsed, connection, findings).await?;
    let after = clock.now();
    let half = (after.milliseconds() - before.milliseconds()) / 2;
    let date = date(answer.headers());
    let is_guestlist = answer.headers().contains_key("guestlist-revision");
    identify(answer, &parsed, is_guestlist, findings).await?;
    Some(Reached {
        is_guestlist,
        date,
        here: before.plus(half),
    })
}

async fn name(url: &Url, findings: &mut Findings) -> Option<Vec<SocketAddr>> {
    const CHECK: &str = "name";
    let host = url
        .host_str()?
        .trim_start_matches('[')
        .trim_end_matches(']');
    let port = url.port_or_known_default()?;
    let looked_up = timeout(PATIENCE, lookup_host((host, port))).await;
    match looked_up {
        Ok(Ok(addresses)) => {
            let addresses: Vec<SocketAddr> = addresses.take(ADDRESSES).collect();
            if addresses.is_empty() {
                findings.problem(CHECK, format!("{host} has no address"), SPELLING);
                return None;
            }
            if host.parse::<std::net::IpAddr>().is_err() {
                let list: Vec<String> = addresses
                    .iter()
                    .map(|address| address.ip().to_string())
                    .collect();
                findings.ok(CHECK, format!("{host} is {}", list.join(", ")));
            }
            Some(addresses)
        }
        Ok(Err(error)) => {
            findings.problem(CHECK, format!("{host} is not known: {error}"), SPELLING);
            None
        }
        Err(_elapsed) => {
            findings.problem(
                CHECK,
                format!("nobody says in time what {host} is"),
                "Does this machine reach its name servers?",
            );
            None
        }
    }
}

const SPELLING: &str = "Is the name spelt right, and known to the name servers of this machine?";

async fn connect(addresses: &[SocketAddr], findings: &mut Findings) -> Option<()> {
    const CHECK: &str = "connection";
    let mut last = None;
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_stream)) => {
                findings.ok(CHECK, format!("{address} takes connections"));
                return Some(());
            }
            Ok(Err(error)) => last = Some((address, Some(error))),
            Err(_elapsed) => last = Some((address, None)),
        }
    }
    let (address, error) = last?;
    let (found, advice) = match error {
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => (
            format!("nothing listens at {address}"),
            "Is the server running, and is the port right? It says where it listens when it starts.",
        ),
        Some(error) => (
            format!("no way to {address}: {error}"),
            "Is this machine in the right network?",
        ),
        None => (
            format!(
                "{address} does not answer in {} seconds",
                PATIENCE.as_secs()
            ),
            "Is a firewall in between, and is the address right?",
        ),
    };
    findings.problem(CHECK, found, advice);
    None
}

async fn ask(
    url: &Url,
    connection: &ConnectionArguments,
    findings: &mut Findings,
) -> Option<Response> {
    const CHECK: &str = "answer";
    let built = reqwest::Client::builder()
        .timeout(Duration::from_secs(connection.timeout))
        .connect_timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let http = match built {
        Ok(http) => http,
        Err(error) => {
            findings.problem(
                CHECK,
                format!("connections cannot be set up: {error}"),
                "Does this machine have a store of trusted certificates?",
            );
            return None;
        }
    };
    let place = format!(
        "{}/.well-known/openid-configuration",
        url.as_str().trim_end_matches('/')
    );
    match http
        .get(place)
        .header(ACCEPT, "application/json")
        .send()
        .await
    {
        Ok(answer) => Some(answer),
        Err(error) => {
            let (found, advice) = unanswered(&error, url);
            findings.problem(CHECK, found, advice);
            None
        }
    }
}

/// Why there is no answer although there is a connection.
fn unanswered(error: &reqwest::Error, url: &Url) -> (String, &'static str) {
    let mut reasons = Vec::new();
    let mut source = error.source();
    while let Some(reason) = source {
        reasons.push(reason.to_string());
        source = reason.source();
    }
    let all = reasons.join(": ");
    let last = reasons
        .pop()
        .unwrap_or_else(|| "no reason is told".to_owned());
    let told = plain(&last).into_owned();
    if error.is_timeout() {
        return (
            "the server does not answer in time".to_owned(),
            "Try again, with a longer --timeout. The server's log may say what it is busy with.",
        );
    }
    if all.contains("certificate") {
        return (
            format!("the certificate is not accepted: {told}"),
            "Its name must be that of the URL, it must not have expired, and this machine must \
             trust who issued it.",
        );
    }
    if let Some((name, place)) = proxy_of(url.as_str())
        && error.is_connect()
    {
        return (
            format!("no connection by the proxy {place}, from {name}: {told}"),
            "Is the proxy right? The server's name in NO_PROXY goes past it.",
        );
    }
    // There was a connection a moment ago, so it is what comes after it.
    if url.scheme() == "https" && error.is_connect() {
        return (
            format!("it does not speak TLS: {told}"),
            "Is it http://, or does the reverse proxy for TLS listen at another port?",
        );
    }
    if url.scheme() == "http" {
        return (
            format!("what comes back is no HTTP: {told}"),
            "Is it https://, or another program that listens there?",
        );
    }
    (
        format!("no answer: {told}"),
        "Is it a server of HTTP that listens there?",
    )
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    #[serde(rename = "jwks_uri")]
    _jwks_uri: String,
}

/// What it is that answered.
async fn identify(
    mut answer: Response,
    url: &Url,
    is_guestlist: bool,
    findings: &mut Findings,
) -> Option<()> {
    const CHECK: &str = "answer";
    let status = answer.status().as_u16();
    let header = |name| {
        let value = answer.headers().get(name)?.to_str().ok()?;
        Some(plain(value).into_owned())
    };
    if (300..400).contains(&status) {
        let place = header(LOCATION).unwrap_or_else(|| "elsewhere".to_owned());
        findings.problem(
            CHECK,
            format!("{url} redirects to {place}"),
            "Use the URL it redirects to: credentials are not sent along.",
        );
        return None;
    }
    if matches!(status, 429 | 500..=599) {
        findings.problem(
            CHECK,
            format!("it answers with status {status}"),
            "The server, or a proxy in front of it, is not ready: look into its log.",
        );
        return None;
    }
    let who = header(SERVER);
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            break;
        }
    }
    let discovery: Option<Discovery> = serde_json::from_slice(&body).ok();
    match discovery {
        Some(discovery) if status == 200 && is_guestlist => {
            findings.ok(
                CHECK,
                format!("a Guestlist server, {}", plain(&discovery.issuer)),
            );
            Some(())
        }
        Some(discovery) if status == 200 => {
            findings.warning(
                CHECK,
                format!("no Guestlist server, but it may be Authress: {}", plain(&discovery.issuer)),
                "What only Guestlist has does not work there: who-can, --why, events, doctor's rest.",
            );
            Some(())
        }
        Some(_) | None => {
            let who = who.map_or_else(String::new, |name| format!(", and calls itself {name}"));
            findings.problem(
                CHECK,
                format!("no Guestlist server: {url} answers with status {status}{who}"),
                "Is the URL right, with the path under which a reverse proxy has it?",
            );
            None
        }
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let time = jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()?;
    Some(Timestamp::from_milliseconds(time.as_millisecond()))
}
