//! The client's address and scheme, and the `Forwarded` headers that carry them to the agent.
//!
//! Invariants: the address of the peer decides. What a header claims counts only as far as
//! the peers that wrote it are trusted proxies. `X-Forwarded-*`, `Forwarded` and `X-Real-IP` of
//! others do not go on, and none of them does in a spelling with `_`, which a trusted proxy may
//! have let through.

use std::io::Write;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::shim::auth::contains;
use crate::shim::http::head::Head;
use crate::shim::http::header::{Kind, tokens};

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddr {
    /// Its address, as far as it can be known.
    pub(crate) address: IpAddr,
    /// The other end of the connection.
    pub(crate) peer: IpAddr,
    /// Whether the peer is a trusted proxy.
    pub(crate) trusted: bool,
    /// Whether the peer says for whom it calls, and is not believed.
    pub(crate) is_not_believed: bool,
}

impl ClientAddr {
    /// The sender of a request that came from `peer`: behind trusted proxies, the last address
    /// that is none of theirs.
    pub(crate) fn of(head: &Head, peer: IpAddr, proxies: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        let trusted = contains(proxies, peer);
        let mut address = peer;
        if trusted {
            let mut claimed: Vec<&[u8]> =
                head.values(Kind::ForwardedFor).flat_map(tokens).collect();
            while let Some(claim) = claimed.pop() {
                let Some(claim) = parse(claim) else { break };
                address = claim;
                if !contains(proxies, claim) {
                    break;
                }
            }
        }
        Self {
            address,
            peer,
            trusted,
            is_not_believed: !trusted && head.values(Kind::ForwardedFor).next().is_some(),
        }
    }

    /// Writes the lines for the agent that say where the request comes from. What an untrusted peer
    /// sent of them is not among them.
    pub(crate) fn write_lines(&self, head: &Head, authority: Option<&[u8]>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"X-Forwarded-For: ");
        if self.trusted {
            for value in head.values(Kind::ForwardedFor) {
                out.extend_from_slice(value);
                out.extend_from_slice(b", ");
            }
        }
        // Writing to memory does not fail.
        let _ = write!(out, "{}\r\n", self.peer);
        let own = |kind| head.values(kind).next().filter(|_| self.trusted);
        let host = own(Kind::ForwardedHost)
            .or(authority)
            .or_else(|| head.values(Kind::Host).next())
            .unwrap_or_default();
        line(out, "X-Forwarded-Host", host);
        let scheme = own(Kind::ForwardedProto).unwrap_or(b"http");
        line(out, "X-Forwarded-Proto", scheme);
        if self.trusted {
            for (kind, name, value) in head.lines() {
                if kind == Kind::Forwarded {
                    out.extend_from_slice(name);
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(value);
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
    }
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// An address as proxies write it: with a port or without, IPv6 in brackets or not.
fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = text.parse().ok();
    let with_port = || {
        text.parse()
            .ok()
            .map(|address: std::net::SocketAddr| address.ip())
    };
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    plain
        .or_else(with_port)
        .or_else(bracketed)
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(peer: &str, lines: &str) -> (String, String) {
        let mut head = Head::default();
        head.read_request(format!("GET / HTTP/1.1\r\nHost: old\r\n{lines}\r\n").as_bytes())
            .unwrap();
        let proxies = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let sender = ClientAddr::of(&head, peer.parse().unwrap(), &proxies);
        let mut out = Vec::new();
        sender.write_lines(&head, None, &mut out);
        (sender.address.to_string(), String::from_utf8(out).unwrap())
    }

    #[test]
    fn an_untrusted_peer_is_itself_whatever_it_claims() {
        let (address, lines) = sender(
            "192.0.2.9",
            "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nForwarded: for=x\r\n",
        );
        assert_eq!(address, "192.0.2.9");
        assert_eq!(
            lines,
            "X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Host: old\r\nX-Forwarded-Proto: http\r\n"
        );
    }

    #[test]
    fn trusted_proxies_are_believed_as_far_as_they_go() {
        let (address, lines) = sender(
            "::ffff:10.0.0.2",
            "X-Forwarded-For: 192.0.2.66, 198.51.100.7\r\nX-Forwarded-For: 10.1.1.1\r\nX-Forwarded-Proto: https\r\n",
        );
        assert_eq!(address, "198.51.100.7");
        assert_eq!(
            lines,
            "X-Forwarded-For: 192.0.2.66, 198.51.100.7, 10.1.1.1, 10.0.0.2\r\n\
             X-Forwarded-Host: old\r\nX-Forwarded-Proto: https\r\n"
        );
        assert_eq!(
            sender("10.0.0.2", "X-Forwarded-For: [2001:db8::1]:99\r\n").0,
            "2001:db8::1"
        );
        assert_eq!(
            sender("10.0.0.2", "X-Forwarded-For: 1.2.3.4:99\r\n").0,
            "1.2.3.4"
        );
        assert_eq!(
            sender("10.0.0.2", "X-Forwarded-For: 1.2.3.4, unknown\r\n").0,
            "10.0.0.2"
        );
        assert_eq!(sender("::1", "").0, "::1");
    }
}
