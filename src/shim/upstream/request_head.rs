//! The head of the request that goes to the agent.
//!
//! Invariants: headers from end to end go on in their order and to the byte; `Host` is the
//! agent's, in the place where the sender's was; the length of a body that came in chunks stands
//! where `Transfer-Encoding` stood. The token for the agent's own old URLs goes nowhere else.

use std::io::Write;

use crate::shim::auth::Secret;
use crate::shim::http::forwarded::ClientAddr;
use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;
use crate::shim::http::target::PathAndQuery;
use crate::shim::http::via::Via;
use crate::shim::upstream::agent::Upstream;

/// What a coming release of the agent asks for at its own old URLs (its `NEKRO_WEBHOOK_SECRET_KEY`).
const LEGACY_TOKEN: &str = "X-Webhook-Token";

/// How the body goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forward {
    /// It has been read: it has this length, if it came in chunks.
    Whole(usize),
    /// It goes on in chunks, as it comes.
    Chunked,
    /// The connection becomes another protocol.
    Upgrade,
}

/// Where a request comes from, as the agent is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Who sends it.
    pub(crate) sender: &'a ClientAddr,
    /// The authority, when the target was a whole URL.
    pub(crate) authority: Option<&'a [u8]>,
    /// What this process calls itself.
    pub(crate) via: &'a Via,
    /// What the agent's own old URLs ask for, when one of them is called.
    pub(crate) legacy_token: Option<&'a Secret>,
}

/// Writes the head. `target` is in percent-encoding.
pub(crate) fn write(
    head: &Head,
    agent: &Upstream,
    target: PathAndQuery<'_>,
    origin: Origin<'_>,
    forward: Forward,
    out: &mut Vec<u8>,
) {
    for part in [
        head.method(),
        b" ",
        agent.url.prefix().as_bytes(),
        target.path,
        target.query,
    ] {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    for (kind, name, value) in head.lines() {
        if origin.legacy_token.is_some() && name.eq_ignore_ascii_case(LEGACY_TOKEN.as_bytes()) {
            continue;
        }
        let value = match kind {
            Kind::Host => agent.url.authority().as_bytes(),
            Kind::Coding => {
                // Writing to memory does not fail.
                let _ = match forward {
                    Forward::Whole(length) => write!(out, "Content-Length: {length}\r\n"),
                    Forward::Chunked => out.write_all(b"Transfer-Encoding: chunked\r\n"),
                    Forward::Upgrade => Ok(()),
                };
                continue;
            }
            Kind::Upgrade if forward == Forward::Upgrade => value,
            Kind::EndToEnd
            | Kind::UserAgent
            | Kind::Via
            | Kind::Deprecation
            | Kind::Sunset
            | Kind::Length => value,
            Kind::Connection
            | Kind::Upgrade
            | Kind::Expect
            | Kind::Hop
            | Kind::ForwardedFor
            | Kind::ForwardedHost
            | Kind::ForwardedProto
            | Kind::Forwarded
            | Kind::Disguised => continue,
        };
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    if let Some(token) = origin.legacy_token {
        for part in [LEGACY_TOKEN.as_bytes(), b": ", token.bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    if forward == Forward::Upgrade {
        out.extend_from_slice(b"Connection: Upgrade\r\n");
    }
    origin.sender.write_lines(head, origin.authority, out);
    origin.via.write(head, out);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::http::upstream_url::UpstreamUrl;

    #[test]
    fn what_goes_from_end_to_end_goes_on_as_it_came() {
        let mut head = Head::default();
        let text = b"POST /old HTTP/1.1\r\nX-Twice: 1\r\nhOST: old:1\r\nConnection: close, X-Mine\r\n\
            X-Mine: gone\r\nTE: trailers\r\nx-raw: \xff\xfe\r\nX-Twice: 2\r\nExpect: 100-continue\r\n\
            Proxy-Authorization: gone\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nCookie: a\r\n\r\n";
        head.read_request(text).unwrap();
        head.mark_named_by_connection().unwrap();
        let agent = Upstream::new(UpstreamUrl::parse("http://agent:9/base").unwrap(), 0);
        let peer = "192.0.2.1".parse().unwrap();
        let sender = ClientAddr::of(&head, peer, &[]);
        let via = Via::default();
        let mut line = Vec::new();
        via.write(&head, &mut line);
        let mut out = Vec::new();
        let target = PathAndQuery::of(b"/new%20?a=%2f&&");
        write(
            &head,
            &agent,
            target,
            Origin {
                sender: &sender,
                authority: None,
                via: &via,
                legacy_token: None,
            },
            Forward::Whole(3),
            &mut out,
        );
        assert_eq!(
            out.escape_ascii().to_string(),
            "POST /base/new%20?a=%2f&& HTTP/1.1\\r\\nX-Twice: 1\\r\\nhOST: agent:9\\r\\n\
             x-raw: \\xff\\xfe\\r\\nX-Twice: 2\\r\\nContent-Length: 3\\r\\nCookie: a\\r\\n\
             X-Forwarded-For: 192.0.2.1\\r\\nX-Forwarded-Host: old:1\\r\\n\
             X-Forwarded-Proto: http\\r\\n"
                .to_owned()
                + &line.escape_ascii().to_string()
                + "\\r\\n"
        );
    }
}
