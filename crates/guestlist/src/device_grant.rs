//! Signing in at an OpenID provider with another device (RFC 8628).

use std::time::Duration;

use guestlist_api::clients::AccessKeyText;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use crate::exits::Failure;
use crate::openid_provider::{Answer, OAuthError, Provider, SafeUrl, Tokens};
use crate::output::{self, Output};
use crate::terminal::Terminal;
use crate::text::plain;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Unless the provider says otherwise (RFC 8628 §3.2).
const INTERVAL: u64 = 5;
/// The least pause, whatever the provider says: it is asked in a loop.
const INTERVAL_LEAST: u64 = 1;
/// The longest pause, so that a mistake of the provider does not look like waiting for a person.
const INTERVAL_MOST: u64 = 60;
/// Seconds that a code is waited for at most, however long it is good.
const PATIENCE: u64 = 60 * 60;
/// What `slow_down` adds (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Who asks for what.
pub(crate) struct DeviceRequest<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) audience: Option<&'a str>,
}

/// What the provider wants the person to do (RFC 8628 §3.2). The device code is a secret.
#[derive(Deserialize)]
struct Authorization {
    device_code: AccessKeyText,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    /// Seconds.
    expires_in: u64,
    #[serde(default)]
    interval: Option<u64>,
}

/// Asks for a code, shows it, and waits until the person has entered it.
pub(crate) async fn sign_in(
    provider: &Provider,
    device_endpoint: &SafeUrl,
    token_endpoint: &SafeUrl,
    request: &DeviceRequest<'_>,
    output: &Output,
) -> Result<Tokens, Failure> {
    let authorization = authorize(provider, device_endpoint, request).await?;
    show(&authorization, output)?;
    wait(provider, token_endpoint, request, &authorization).await
}

async fn authorize(
    provider: &Provider,
    endpoint: &SafeUrl,
    request: &DeviceRequest<'_>,
) -> Result<Authorization, Failure> {
    let mut form = vec![("client_id", request.client_id), ("scope", request.scope)];
    if let Some(audience) = request.audience {
        form.push(("audience", audience));
    }
    match provider.post(endpoint, &form).await {
        Answer::Given(authorization) => Ok(authorization),
        Answer::Refused(error) => Err(refused(&error).hint(
            "Is the client allowed to use the device grant, and is it public, without a secret?",
        )),
        Answer::None(reason) => Err(Failure::unavailable(format!(
            "the provider gives no code: {reason}"
        ))),
    }
}

fn refused(error: &OAuthError) -> Failure {
    Failure::denied(format!("the provider refuses: {}", error.told()))
}

fn show(authorization: &Authorization, output: &Output) -> Result<(), Failure> {
    let page = |text: &str| {
        SafeUrl::parse(text).map_err(|reason| {
            Failure::unavailable(format!("the provider's page {} {reason}", plain(text)))
        })
    };
    let place = page(&authorization.verification_uri)?;
    let complete = authorization
        .verification_uri_complete
        .as_deref()
        .map(page)
        .transpose()?;
    output::say(&format!(
        "To sign in, open\n\n  {}\n\nand enter the code\n\n  {}\n",
        place.as_str(),
        plain(&authorization.user_code)
    ));
    if let Some(complete) = &complete {
        output::say(&format!(
            "Here it is filled in already: {}",
            complete.as_str()
        ));
    }
    if let Some(terminal) = Terminal::find() {
        let target = complete.as_ref().unwrap_or(&place);
        // The address is there to read as well.
        let _drawn = terminal.draw(target.as_str());
    }
    output.notice("Waiting until you have signed in. Ctrl-C gives up.");
    Ok(())
}

/// How to go on after an answer.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// After this pause.
    Again(Duration),
    /// It has come to nothing.
    GivenUp(&'static str),
    Unknown,
}

/// The rules of RFC 8628 §3.5.
fn next(error: Option<&str>, pause: Duration) -> Next {
    let most = Duration::from_secs(INTERVAL_MOST);
    match error {
        Some("authorization_pending") => Next::Again(pause),
        Some("slow_down") => Next::Again((pause + SLOWER).min(most)),
        Some("access_denied") => Next::GivenUp("you refused, or may not sign in to this"),
        Some("expired_token") => Next::GivenUp("the code has expired"),
        Some(_) => Next::Unknown,
        // No answer: the provider may have too much to do.
        None => Next::Again((pause * 2).min(most)),
    }
}

async fn wait(
    provider: &Provider,
    endpoint: &SafeUrl,
    request: &DeviceRequest<'_>,
    authorization: &Authorization,
) -> Result<Tokens, Failure> {
    let form = [
        ("grant_type", GRANT_TYPE),
        ("device_code", authorization.device_code.reveal()),
        ("client_id", request.client_id),
    ];
    let given_up = |reason: &str| {
        Failure::denied(format!("not signed in: {reason}"))
            .hint("Start again with the same command.")
    };
    let seconds = authorization.interval.unwrap_or(INTERVAL);
    let mut pause = Duration::from_secs(seconds.clamp(INTERVAL_LEAST, INTERVAL_MOST));
    let end = Instant::now() + Duration::from_secs(authorization.expires_in.min(PATIENCE));
    loop {
        let at = Instant::now() + pause;
        if at >= end {
            return Err(given_up("the code has expired"));
        }
        sleep_until(at).await;
        let answer = provider.post(endpoint, &form).await;
        let error = match &answer {
            Answer::Given(_) | Answer::None(_) => None,
            Answer::Refused(error) => Some(error.error.as_str()),
        };
        let next = next(error, pause);
        match (answer, next) {
            (Answer::Given(tokens), _) => return Ok(tokens),
            (Answer::Refused(_) | Answer::None(_), Next::Again(longer)) => pause = longer,
            (_, Next::GivenUp(reason)) => return Err(given_up(reason)),
            (Answer::Refused(error), Next::Unknown) => return Err(refused(&error)),
            (Answer::None(reason), Next::Unknown) => return Err(given_up(&reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_provider() {
        let seconds = Duration::from_secs;
        let pending = next(Some("authorization_pending"), seconds(5));
        assert_eq!(pending, Next::Again(seconds(5)));
        assert_eq!(
            next(Some("slow_down"), seconds(5)),
            Next::Again(seconds(10))
        );
        assert_eq!(
            next(Some("slow_down"), seconds(58)),
            Next::Again(seconds(60))
        );
        assert_eq!(next(None, seconds(5)), Next::Again(seconds(10)));
        assert_eq!(next(None, seconds(40)), Next::Again(seconds(60)));
        assert!(matches!(
            next(Some("access_denied"), seconds(5)),
            Next::GivenUp(_)
        ));
        assert!(matches!(
            next(Some("expired_token"), seconds(5)),
            Next::GivenUp(_)
        ));
        assert_eq!(next(Some("invalid_client"), seconds(5)), Next::Unknown);
    }
}
