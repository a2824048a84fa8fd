//! What the head of a request says about the rest of the connection: where the body ends, whether
//! another request follows.
//!
//! Two servers that disagree about this can be made to see different requests in the same bytes
//! (request smuggling). So whatever can be read in two ways is rejected here, before the agent has
//! seen a byte.

use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target::is_host;

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// There is none.
    Empty,
    /// By its length.
    Length(u64),
    /// By its last chunk.
    Chunked,
    /// By the end of the connection; replies only.
    UntilClose,
}

/// The framing of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    /// The end of the body.
    pub(crate) body: Body,
    /// Whether the sender may send another request afterwards.
    pub(crate) keep_alive: bool,
    /// Whether the sender waits for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
}

/// The framing of a request, or why it is rejected.
pub(crate) fn of_request(head: &Head) -> Result<Framing, Rejection> {
    let mut length = None;
    let mut coding = false;
    let mut hosts = 0;
    let mut expects_continue = false;
    let mut connection = false;
    for (kind, _, value) in head.lines() {
        match kind {
            Kind::Length => {
                if length.is_some() {
                    return Err(Rejection::Length);
                }
                length = Some(number(value).ok_or(Rejection::Length)?);
            }
            Kind::Coding => {
                // A coding in HTTP/1.0, whose servers may not know it, is rejected as well.
                if coding || !value.eq_ignore_ascii_case(b"chunked") || !head.is_http_11() {
                    return Err(Rejection::Coding);
                }
                coding = true;
            }
            Kind::Host => {
                hosts += 1;
                if !is_host(value) {
                    return Err(Rejection::Host);
                }
            }
            Kind::Expect => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Rejection::Expectation);
                }
                expects_continue = head.is_http_11();
            }
            Kind::Connection => connection = true,
            _ => {}
        }
    }
    if length.is_some() && coding {
        return Err(Rejection::LengthAndCoding);
    }
    if hosts != 1 {
        return Err(Rejection::Host);
    }
    let body = match length {
        _ if coding => Body::Chunked,
        Some(0) | None => Body::Empty,
        Some(length) => Body::Length(length),
    };
    Ok(Framing {
        body,
        keep_alive: head.is_http_11() && !(connection && head.has_token(Kind::Connection, "close")),
        expects_continue: expects_continue && body != Body::Empty,
    })
}

/// The end of the body of a reply to `method`; `None` when it can be read in two ways.
pub(crate) fn of_reply(head: &Head, method: &[u8]) -> Option<Body> {
    let mut length = None;
    let mut coding = false;
    for (kind, _, value) in head.lines() {
        match kind {
            Kind::Length => {
                let value = number(value)?;
                if length.is_some_and(|other| other != value) {
                    return None;
                }
                length = Some(value);
            }
            Kind::Coding => {
                if coding || !value.eq_ignore_ascii_case(b"chunked") {
                    return None;
                }
                coding = true;
            }
            _ => {}
        }
    }
    if length.is_some() && coding {
        return None;
    }
    if method == b"HEAD" || matches!(head.status(), 100..=199 | 204 | 304) {
        return Some(Body::Empty);
    }
    Some(match length {
        _ if coding => Body::Chunked,
        Some(0) => Body::Empty,
        Some(length) => Body::Length(length),
        None => Body::UntilClose,
    })
}

/// A number of digits and nothing else: no sign, no list, no spaces.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        value
            .iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "old.example",
            "old_example",
            "old.example:80",
            "old.example:",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "[fe80::1%25eth0]",
            "a;b",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a:b", "a:1:2", "a:123456", "::1", "[::1", "[]", "[::1]80", "[::1]:x", "a[",
            "a]", "u@a", "a b", "a/b", "[a]b",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    fn framing(lines: &str) -> Result<Framing, Rejection> {
        let mut head = Head::default();
        head.read_request(format!("POST / HTTP/1.1\r\n{lines}\r\n").as_bytes())
            .unwrap();
        of_request(&head)
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_rejected() {
        for (lines, rejection) in [
            (
                "Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                Rejection::LengthAndCoding,
            ),
            (
                "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                Rejection::LengthAndCoding,
            ),
            (
                "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n",
                Rejection::Coding,
            ),
            (
                "Host: h\r\nTransfer-Encoding: identity\r\n",
                Rejection::Coding,
            ),
            (
                "Host: h\r\nTransfer-Encoding: xchunked\r\n",
                Rejection::Coding,
            ),
            (
                "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                Rejection::Coding,
            ),
            ("Host: h\r\nTransfer-Encoding:\r\n", Rejection::Coding),
            (
                "Host: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
                Rejection::Length,
            ),
            ("Host: h\r\nContent-Length: 1, 1\r\n", Rejection::Length),
            ("Host: h\r\nContent-Length: +1\r\n", Rejection::Length),
            ("Host: h\r\nContent-Length: 0x1\r\n", Rejection::Length),
            ("Host: h\r\nContent-Length:\r\n", Rejection::Length),
            (
                "Host: h\r\nContent-Length: 99999999999999999999\r\n",
                Rejection::Length,
            ),
            ("", Rejection::Host),
            ("Host:\r\n", Rejection::Host),
            ("Host: a\r\nHost: a\r\n", Rejection::Host),
            ("Host: a b\r\n", Rejection::Host),
            ("Host: a/b\r\n", Rejection::Host),
            ("Host: u@h\r\n", Rejection::Host),
            ("Host: h\r\nExpect: something\r\n", Rejection::Expectation),
        ] {
            assert_eq!(framing(lines), Err(rejection), "{lines:?}");
        }
    }

    #[test]
    fn the_end_of_a_body_is_known() {
        let body = |lines: &str| framing(&format!("Host: [::1]:80\r\n{lines}")).unwrap().body;
        assert_eq!(body(""), Body::Empty);
        assert_eq!(body("Content-Length: 0\r\n"), Body::Empty);
        assert_eq!(body("content-length: 007\r\n"), Body::Length(7));
        assert_eq!(body("transfer-encoding: CHUNKED\r\n"), Body::Chunked);
    }

    #[test]
    fn a_connection_is_kept_unless_the_sender_says_otherwise() {
        assert!(framing("Host: h\r\n").unwrap().keep_alive);
        assert!(
            !framing("Host: h\r\nConnection: x, Close\r\n")
                .unwrap()
                .keep_alive
        );
    }

    #[test]
    fn replies_have_an_end_too() {
        let body = |text: &str, method: &[u8]| {
            let mut head = Head::default();
            head.read_reply(text.as_bytes()).unwrap();
            of_reply(&head, method)
        };
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(body(length, b"GET"), Some(Body::Length(5)));
        assert_eq!(body(length, b"HEAD"), Some(Body::Empty));
        assert_eq!(
            body("HTTP/1.1 200 OK\r\n\r\n", b"GET"),
            Some(Body::UntilClose)
        );
        assert_eq!(body("HTTP/1.1 204 OK\r\n\r\n", b"GET"), Some(Body::Empty));
        assert_eq!(
            body(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"GET"
            ),
            None
        );
        assert_eq!(
            body(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                b"GET"
            ),
            None
        );
    }
}
