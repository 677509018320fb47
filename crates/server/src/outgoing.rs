//! Requests the server makes itself, kept away from networks that callers must not reach through
//! it.
//!
//! Names are resolved here, every address is checked, and the connection goes to a checked address:
//! a name that resolves to something else a moment later gains nothing. Redirects are not followed
//! and proxies of the environment are not used. What comes back is bounded in time and size.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};

/// Bytes of an answer at most.
pub const LARGEST: usize = 1024 * 1024;
/// How long a request may take from its start to the end of the answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Where requests may go besides public addresses by https.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Private, shared and loopback addresses too, by https. Link-local addresses (where clouds
    /// keep their metadata) never.
    pub private_addresses: bool,
    /// Development: this machine, by http too.
    pub development: bool,
}

/// How names become addresses.
#[derive(Debug, Clone)]
pub enum Names {
    System,
    /// These and no others, for tests.
    Fixed(HashMap<String, Vec<IpAddr>>),
}

/// Why a URL is not requested: a sentence for whoever gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error("must be an https URL")]
    Malformed,
    #[error("must be an https URL (http is allowed only for this machine, in development)")]
    Scheme,
    #[error("must be a URL without user name, query and fragment")]
    Parts,
    #[error("must be a URL with port 443 or one above 1023")]
    Port,
    #[error("must be a URL of a public address")]
    Address,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    #[error("no answer: {}", reason(.0))]
    Failed(#[from] reqwest::Error),
}

/// What kind of reason there is for having no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// The URL, or every address of its name, is one that may not be reached.
    NotAllowed,
    TimedOut,
    /// There was no connection.
    NotConnected,
    /// The connection broke, or what came over it is no answer.
    Broken,
}

impl OutgoingError {
    /// The kind of reason, without the words: those may hold the URL.
    pub fn class(&self) -> NoAnswer {
        match self {
            Self::NotAllowed(_) => NoAnswer::NotAllowed,
            Self::TooLarge => NoAnswer::Broken,
            Self::Failed(error) => {
                let mut cause: Option<&dyn std::error::Error> = Some(error);
                while let Some(error) = cause {
                    if error.is::<NoAllowedAddress>() {
                        return NoAnswer::NotAllowed;
                    }
                    cause = error.source();
                }
                if error.is_timeout() {
                    NoAnswer::TimedOut
                } else if error.is_connect() {
                    NoAnswer::NotConnected
                } else {
                    NoAnswer::Broken
                }
            }
        }
    }
}

/// The innermost reason: the outer ones repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.is_timeout() {
        "it took too long".to_owned()
    } else {
        innermost.to_string()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Outgoing {
    client: Client,
    reach: Reach,
}

impl Outgoing {
    pub fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        Self::with(reach, Names::System, TIME_LIMIT)
    }

    /// With another way to resolve names and another limit of time, for tests.
    pub fn with(reach: Reach, names: Names, limit: Duration) -> Result<Self, reqwest::Error> {
        let resolver = Arc::new(Resolver { reach, names });
        let builder = || {
            Client::builder()
                .user_agent("Guestlist")
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .timeout(limit)
                .connect_timeout(limit)
                .pool_max_idle_per_host(0)
                .dns_resolver(resolver.clone())
        };
        let client = builder().build().or_else(|error| {
            tracing::warn!(
                reason = reason(&error),
                "no certificate authorities: https requests will fail"
            );
            builder().tls_certs_only([]).build()
        })?;
        Ok(Self { client, reach })
    }

    /// Whether a URL may be requested, as far as it can be told without resolving its name.
    pub fn check(&self, url: &str) -> Result<Url, NotAllowed> {
        let url = Url::parse(url).map_err(|_| NotAllowed::Malformed)?;
        let host = url.host_str().ok_or(NotAllowed::Malformed)?;
        // The parser has already brought every way to write an IPv4 address into its plain form.
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let this_machine = match literal {
            Some(address) => address.is_loopback(),
            None => is_localhost(host),
        };
        let secure = match url.scheme() {
            "https" => true,
            "http" if self.reach.development && this_machine => false,
            _ => return Err(NotAllowed::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(NotAllowed::Parts);
        }
        match url.port() {
            None | Some(443 | 1024..) => {}
            Some(80) if !secure => {}
            Some(_) => return Err(NotAllowed::Port),
        }
        let allowed = match literal {
            Some(address) => self.reach.allows(address),
            None => !this_machine || self.reach.allows(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        };
        if allowed {
            Ok(url)
        } else {
            Err(NotAllowed::Address)
        }
    }

    /// Gets a URL, whatever the status of the answer.
    pub async fn get(&self, url: &str) -> Result<Answer, OutgoingError> {
        let url = self.check(url)?;
        let request = self.client.get(url).header("accept", "application/json");
        let mut response = request.send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(OutgoingError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            body,
        })
    }
}

impl Outgoing {
    /// Posts to a URL, and answers the status alone: the body of the answer is not read.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<u16, OutgoingError> {
        let url = self.check(url)?;
        let request = self.client.post(url).headers(headers).body(body);
        Ok(request.send().await?.status().as_u16())
    }
}

/// The names that mean this machine (RFC 6761 §6.3).
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

struct Resolver {
    reach: Reach,
    names: Names,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let names = self.names.clone();
        Box::pin(async move {
            let found: Vec<IpAddr> = if is_localhost(name.as_str()) {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            } else {
                match names {
                    Names::System => tokio::net::lookup_host((name.as_str(), 0))
                        .await?
                        .map(|address| address.ip())
                        .collect(),
                    Names::Fixed(names) => names.get(name.as_str()).cloned().unwrap_or_default(),
                }
            };
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| reach.allows(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(NoAllowedAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name has no address that may be reached")]
struct NoAllowedAddress;

/// What kind of network an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Public,
    Loopback,
    /// Private (RFC 1918), unique local (RFC 4193), shared by carriers (RFC 6598).
    Private,
    /// Link-local, multicast, reserved, for documentation, or a tunnel.
    Other,
}

impl Reach {
    fn allows(self, address: IpAddr) -> bool {
        match network(address) {
            Network::Public => true,
            Network::Loopback => self.development || self.private_addresses,
            Network::Private => self.private_addresses,
            Network::Other => false,
        }
    }
}

/// By the special-purpose registries (RFC 6890). What is not known to be public is not.
fn network(address: IpAddr) -> Network {
    match address {
        IpAddr::V4(address) => network_v4(address),
        IpAddr::V6(address) => network_v6(address),
    }
}

fn network_v4(address: Ipv4Addr) -> Network {
    match address.octets() {
        [127, ..] => Network::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Network::Private,
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Network::Other,
        _ => Network::Public,
    }
}

fn network_v6(address: Ipv6Addr) -> Network {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Network::Loopback,
        // IPv4 in IPv6: mapped, and translated (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            network_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        [0xfc00..=0xfdff, ..] => Network::Private,
        // Protocol assignments and Teredo, documentation, 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Network::Other,
        [0x2000..=0x3fff, ..] => Network::Public,
        _ => Network::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Reach = Reach {
        private_addresses: false,
        development: false,
    };
    const PRIVATE: Reach = Reach {
        private_addresses: true,
        development: false,
    };
    const DEVELOPMENT: Reach = Reach {
        private_addresses: false,
        development: true,
    };

    fn outgoing(reach: Reach) -> Outgoing {
        let names = HashMap::from([
            (
                "rebound.example".to_owned(),
                vec!["127.0.0.1".parse().unwrap()],
            ),
            (
                "metadata.example".to_owned(),
                vec!["169.254.169.254".parse().unwrap()],
            ),
        ]);
        Outgoing::with(reach, Names::Fixed(names), Duration::from_secs(2)).unwrap()
    }

    #[test]
    fn s01_addresses_are_told_apart() {
        for (address, expected) in [
            ("8.8.8.8", Network::Public),
            ("127.8.8.8", Network::Loopback),
            ("10.0.0.1", Network::Private),
            ("172.16.0.1", Network::Private),
            ("172.32.0.1", Network::Public),
            ("192.168.1.1", Network::Private),
            ("100.64.0.1", Network::Private),
            ("100.128.0.1", Network::Public),
            ("169.254.169.254", Network::Other),
            ("0.0.0.0", Network::Other),
            ("224.0.0.1", Network::Other),
            ("255.255.255.255", Network::Other),
            ("192.0.0.8", Network::Other),
            ("198.18.0.1", Network::Other),
            ("::", Network::Other),
            ("::1", Network::Loopback),
            ("::ffff:127.0.0.1", Network::Loopback),
            ("::ffff:169.254.169.254", Network::Other),
            ("::ffff:8.8.8.8", Network::Public),
            ("::127.0.0.1", Network::Other),
            ("64:ff9b::7f00:1", Network::Loopback),
            ("64:ff9b::808:808", Network::Public),
            ("64:ff9b:1::1", Network::Other),
            ("fd00::1", Network::Private),
            ("fe80::1", Network::Other),
            ("fec0::1", Network::Other),
            ("ff02::1", Network::Other),
            ("2001:db8::1", Network::Other),
            ("2001::1", Network::Other),
            ("2002:7f00:1::", Network::Other),
            ("2606:4700:4700::1111", Network::Public),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn s01_urls_are_refused_before_anything_is_sent() {
        let closed = outgoing(CLOSED);
        for (url, expected) in [
            ("", NotAllowed::Malformed),
            ("issuer", NotAllowed::Malformed),
            ("file:///etc/passwd", NotAllowed::Malformed),
            ("https://", NotAllowed::Malformed),
            ("ftp://a.example/", NotAllowed::Scheme),
            ("http://a.example/", NotAllowed::Scheme),
            ("http://127.0.0.1/", NotAllowed::Scheme),
            ("https://u@a.example/", NotAllowed::Parts),
            ("https://a.example/#x", NotAllowed::Parts),
            ("https://a.example:25/", NotAllowed::Port),
            ("https://a.example:80/", NotAllowed::Port),
            ("https://127.0.0.1/", NotAllowed::Address),
            ("https://0x7f.1/", NotAllowed::Address),
            ("https://2130706433/", NotAllowed::Address),
            ("https://[::1]/", NotAllowed::Address),
            ("https://[::ffff:127.0.0.1]/", NotAllowed::Address),
            ("https://169.254.169.254/", NotAllowed::Address),
            ("https://localhost/", NotAllowed::Address),
            ("https://localhost./", NotAllowed::Address),
            ("https://a.LOCALHOST/", NotAllowed::Address),
        ] {
            assert_eq!(closed.check(url).map(|_| ()), Err(expected), "{url}");
        }
        for url in [
            "https://a.example",
            "https://a.example:8443/x",
            "https://8.8.8.8/",
        ] {
            assert!(closed.check(url).is_ok(), "{url}");
        }
        let private = outgoing(PRIVATE);
        assert!(private.check("https://10.0.0.1/").is_ok());
        assert!(private.check("http://10.0.0.1/").is_err());
        assert!(private.check("https://169.254.169.254/").is_err());
        let development = outgoing(DEVELOPMENT);
        for url in [
            "http://127.0.0.1:9/",
            "http://localhost/",
            "http://[::1]:8000/",
        ] {
            let refused = development.check(url).err();
            let expected = url.contains(":9/").then_some(NotAllowed::Port);
            assert_eq!(refused, expected, "{url}");
        }
        assert!(development.check("http://10.0.0.1/").is_err());
        assert!(development.check("http://a.example/").is_err());
    }

    #[tokio::test]
    async fn s01_names_that_lead_inside_are_refused_at_the_connection() {
        let closed = outgoing(CLOSED);
        for name in ["rebound.example", "metadata.example", "unknown.example"] {
            let refused = closed.get(&format!("https://{name}/")).await.unwrap_err();
            assert!(
                refused
                    .to_string()
                    .contains("no address that may be reached"),
                "{refused}"
            );
            assert_eq!(refused.class(), NoAnswer::NotAllowed);
            let url = format!("https://{name}/");
            let refused = closed.post(&url, HeaderMap::new(), Vec::new()).await;
            assert_eq!(refused.unwrap_err().class(), NoAnswer::NotAllowed, "{name}");
        }
        let inside = "https://10.0.0.1/";
        let refused = closed.post(inside, HeaderMap::new(), Vec::new()).await;
        assert_eq!(refused.unwrap_err().class(), NoAnswer::NotAllowed);
    }
}
