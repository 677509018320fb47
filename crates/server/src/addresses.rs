//! Whose address counts: the socket's peer, or what a trusted proxy says about it.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is believed. Empty by default: then nobody's is.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

/// A setting that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a network as in 10.0.0.0/8")]
pub struct NotANetwork(String);

impl TrustedProxies {
    /// Single addresses and networks in CIDR notation.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, NotANetwork> {
        networks
            .into_iter()
            .map(|text| {
                IpNet::from_str(text)
                    .or_else(|_| IpAddr::from_str(text).map(IpNet::from))
                    .map_err(|_| NotANetwork(text.to_owned()))
            })
            .collect::<Result<Arc<[IpNet]>, _>>()
            .map(Self)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of the client: the peer, or, if the peer is a trusted proxy, the right-most entry
    /// of `X-Forwarded-For` that is not itself a trusted proxy.
    ///
    /// The list is read from the right because each proxy appends what it saw: everything left of
    /// the first untrusted entry was written by the client. An entry that is not an address ends the
    /// search at the proxy that wrote it.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        if self.0.is_empty() || !self.contains(nearest) {
            return nearest;
        }
        let lines = headers.get_all("x-forwarded-for");
        let mut lines: Vec<&[u8]> = lines.iter().map(http::HeaderValue::as_bytes).collect();
        lines.reverse();
        let entries = lines
            .into_iter()
            .flat_map(|line| line.rsplit(|byte| *byte == b','));
        for entry in entries {
            let Some(address) = forwarded_address(entry) else {
                break;
            };
            nearest = address;
            if !self.contains(nearest) {
                break;
            }
        }
        nearest
    }
}

/// An entry of `X-Forwarded-For`: an address, for some proxies with a port.
fn forwarded_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let address = text.parse::<IpAddr>().or_else(|_| {
        text.parse()
            .map(|with_port: std::net::SocketAddr| with_port.ip())
    });
    address.ok().map(|address| address.to_canonical())
}

/// What limits are counted by: one IPv4 address, or one IPv6 /64 network, which is the least that a
/// single customer is given and within which addresses cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressBlock(IpAddr);

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn d08_an_untrusted_peer_cannot_choose_its_address() {
        let nobody = TrustedProxies::default();
        let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
        for forged in ["1.1.1.1", "2.2.2.2, 10.0.0.1", "10.0.0.1", "", "nonsense"] {
            let headers = headers(&[forged]);
            let peer = address("203.0.113.7");
            assert_eq!(nobody.client(peer, &headers), peer);
            assert_eq!(proxies.client(peer, &headers), peer);
            assert_eq!(
                nobody.client(address("10.0.0.1"), &headers),
                address("10.0.0.1")
            );
        }
    }

    #[test]
    fn d08_behind_proxies_the_right_most_untrusted_entry_counts() {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "192.0.2.1", "fd00::/8"]).unwrap();
        let client = |lines: &[&str]| proxies.client(address("10.1.2.3"), &headers(lines));
        assert_eq!(client(&[]), address("10.1.2.3"));
        assert_eq!(client(&["198.51.100.9"]), address("198.51.100.9"));
        assert_eq!(client(&["6.6.6.6, 198.51.100.9"]), address("198.51.100.9"));
        assert_eq!(
            client(&["6.6.6.6", "198.51.100.9, 192.0.2.1"]),
            address("198.51.100.9")
        );
        assert_eq!(
            client(&["198.51.100.9:4711 , fd00::1"]),
            address("198.51.100.9")
        );
        assert_eq!(client(&["[2001:db8::1]:4711"]), address("2001:db8::1"));
        assert_eq!(client(&["::ffff:198.51.100.9"]), address("198.51.100.9"));
        assert_eq!(client(&["6.6.6.6, unknown, 10.9.9.9"]), address("10.9.9.9"));
        assert_eq!(client(&["10.9.9.9"]), address("10.9.9.9"));
    }

    #[test]
    fn a_mapped_peer_is_its_ipv4_address() {
        let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
        let peer = address("::ffff:10.0.0.1");
        assert_eq!(
            proxies.client(peer, &headers(&["9.9.9.9"])),
            address("9.9.9.9")
        );
        assert_eq!(
            AddressBlock::from(peer),
            AddressBlock::from(address("10.0.0.1"))
        );
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_block() {
        let block = |text: &str| AddressBlock::from(address(text));
        assert_eq!(block("2001:db8:0:1::1"), block("2001:db8:0:1:ffff::2"));
        assert_ne!(block("2001:db8:0:1::1"), block("2001:db8:0:2::1"));
        assert_ne!(block("192.0.2.1"), block("192.0.2.2"));
    }

    #[test]
    fn settings_that_are_no_network_are_named() {
        let error = TrustedProxies::new(["10.0.0.0/8", "10.0.0.0/33"]).unwrap_err();
        assert_eq!(error, NotANetwork("10.0.0.0/33".to_owned()));
    }
}
