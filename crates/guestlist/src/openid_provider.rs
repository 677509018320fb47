//! An OpenID provider: where its endpoints are, and asking them for tokens (RFC 6749, RFC 8414).

use std::net::IpAddr;
use std::time::Duration;

use guestlist_api::clients::AccessKeyText;
use guestlist_api::text::Malformed;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exits::Failure;
use crate::text::plain;

const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const LONGEST_ANSWER: usize = 256 * 1024;

/// A URL to which secrets may be sent: https, or http on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SafeUrl(Url);

impl SafeUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new("must be a URL that begins with https:// (or http:// on this machine)")
        };
        let url = Url::parse(text).map_err(|_| malformed())?;
        let safe = match url.scheme() {
            "https" => url.has_host(),
            "http" => is_loopback(&url),
            _ => false,
        };
        if safe && url.username().is_empty() && url.password().is_none() {
            Ok(Self(url))
        } else {
            Err(malformed())
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// What a provider says of itself, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    #[serde(default)]
    device_authorization_endpoint: Option<String>,
    #[serde(default)]
    revocation_endpoint: Option<String>,
}

/// Where a provider is asked for what.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) token: SafeUrl,
    pub(crate) device_authorization: Option<SafeUrl>,
    pub(crate) revocation: Option<SafeUrl>,
}

/// What a provider gives when somebody has signed in. Secrets, so there is no Debug.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: AccessKeyText,
    #[serde(default)]
    pub(crate) id_token: Option<AccessKeyText>,
    #[serde(default)]
    pub(crate) refresh_token: Option<AccessKeyText>,
    /// Seconds.
    #[serde(default)]
    pub(crate) expires_in: Option<i64>,
}

/// Why a provider gives no tokens (RFC 6749 §5.2).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OAuthError {
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_description: Option<String>,
}

impl OAuthError {
    /// In words, harmless for a terminal.
    pub(crate) fn told(&self) -> String {
        match &self.error_description {
            Some(description) => {
                format!("{} ({})", plain(description), plain(&self.error))
            }
            None => plain(&self.error).into_owned(),
        }
    }
}

/// What an endpoint answered.
pub(crate) enum Answer<T> {
    Given(T),
    Refused(OAuthError),
    /// No answer, or none that can be read: it may be there the next time.
    None(String),
}

/// Calls a provider.
pub(crate) struct Provider {
    http: reqwest::Client,
}

impl Provider {
    pub(crate) fn new() -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("guestlist/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // What is sent are secrets, which go nowhere but where they were meant for.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build()
            .map_err(|error| Failure::local(format!("cannot make connections: {error}")))?;
        Ok(Self { http })
    }

    /// Reads where the endpoints of an issuer are.
    pub(crate) async fn discover(&self, issuer: &SafeUrl) -> Result<Endpoints, Failure> {
        let name = issuer.as_str().trim_end_matches('/');
        let place = format!("{name}/.well-known/openid-configuration");
        let failed = |reason: String| {
            Failure::unavailable(format!("no OpenID provider at {name}: {reason}"))
        };
        let request = self.http.get(&place).header(ACCEPT, "application/json");
        let (status, body) = read(request).await.map_err(failed)?;
        if status != 200 {
            return Err(failed(format!("{place} answers with status {status}")));
        }
        let metadata: Metadata = serde_json::from_slice(&body)
            .map_err(|_| failed(format!("what {place} answers is no OpenID configuration")))?;
        // Anybody could say so of another issuer.
        if metadata.issuer.trim_end_matches('/') != name {
            return Err(Failure::unavailable(format!(
                "{place} describes another issuer: {}",
                metadata.issuer
            ))
            .hint("Give that one with --issuer, if it is the one you mean."));
        }
        let endpoint = |text: &str| {
            SafeUrl::parse(text)
                .map_err(|reason| failed(format!("its endpoint {} {reason}", plain(text))))
        };
        Ok(Endpoints {
            token: endpoint(&metadata.token_endpoint)?,
            device_authorization: metadata
                .device_authorization_endpoint
                .as_deref()
                .map(endpoint)
                .transpose()?,
            revocation: metadata
                .revocation_endpoint
                .as_deref()
                .map(endpoint)
                .transpose()?,
        })
    }

    /// Sends a form to an endpoint that answers with nothing; whether it took it.
    pub(crate) async fn accepts(&self, endpoint: &SafeUrl, form: &[(&str, &str)]) -> bool {
        let answer = read(self.form(endpoint, form)).await;
        answer.is_ok_and(|(status, _body)| (200..300).contains(&status))
    }

    fn form(&self, endpoint: &SafeUrl, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.http
            .post(endpoint.0.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
    }

    /// Sends a form to an endpoint.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        endpoint: &SafeUrl,
        form: &[(&str, &str)],
    ) -> Answer<T> {
        let (status, body) = match read(self.form(endpoint, form)).await {
            Ok(answer) => answer,
            Err(reason) => return Answer::None(reason),
        };
        if (200..300).contains(&status)
            && let Ok(given) = serde_json::from_slice(&body)
        {
            return Answer::Given(given);
        }
        match serde_json::from_slice(&body) {
            Ok(error) => Answer::Refused(error),
            Err(_) => Answer::None(format!(
                "it answers with status {status} and nothing that can be read"
            )),
        }
    }
}

/// Status and body, as far as it may be long. What is said of a failure names no address, since
/// secrets can be in one.
async fn read(request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), String> {
    let told = |error: reqwest::Error| {
        if error.is_timeout() {
            "it does not answer in time".to_owned()
        } else if error.is_connect() {
            "no connection".to_owned()
        } else {
            "the connection ended before the answer".to_owned()
        }
    };
    let mut answer = request.send().await.map_err(told)?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err("its answer is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for good in [
            "https://login.example.com",
            "https://login.example.com/tenant/",
            "http://127.0.0.1:8080/token",
            "http://[::1]:8080",
            "http://localhost/x",
        ] {
            assert!(SafeUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://login.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://user:password@login.example.com",
            "ftp://127.0.0.1",
            "login.example.com",
            "",
        ] {
            assert!(SafeUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
