//! Heads of requests and replies: found in what has arrived, read once, kept as the bytes that
//! came.
//!
//! Why not a map of headers: a signature made by the sender has to verify behind the shim, so the
//! lines go on in their order, with their duplicates and with values that are not UTF-8. And why
//! not a server library: it would settle the questions of framing (`Content-Length` beside
//! `Transfer-Encoding`) before anyone can see that they were asked.
//!
//! Invariants: every span of a [`Head`] lies inside its bytes; lines end in CRLF and
//! nothing else; a bare LF is rejected while the head is still arriving.

use std::ops::Range;

use crate::shim::http::header::{Kind, is_protected, tokens};
use crate::shim::http::rejection::Rejection;
use crate::shim::http::start_line::{self, RequestLine};

/// More lines than this are rejected as too large a head.
const MAX_LINES: usize = 128;

/// A range of the bytes of a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` is in `base`; an empty span when it is not a part of it, as a reason that the
    /// parser made up.
    fn of(base: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(base.as_ptr() as usize);
        match start.checked_add(part.len()) {
            Some(end) if end <= base.len() => Self {
                start: start as u32,
                end: end as u32,
            },
            _ => Self::default(),
        }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

#[derive(Debug, Clone, Copy)]
struct Line {
    name: Span,
    value: Span,
    kind: Kind,
}

/// The head of a request or a reply. Made to be filled again and again: its memory stays.
#[derive(Debug, Default)]
pub struct Head {
    /// The head as it came, with the empty line that ends it.
    bytes: Vec<u8>,
    /// Of a request the method, of a reply the reason.
    first: Span,
    target: Span,
    status: u16,
    http_11: bool,
    lines: Vec<Line>,
}

/// How far [`Scan::find_end`] has looked.
#[derive(Debug, Default, Clone, Copy)]
pub struct Scan {
    /// Bytes already looked at.
    seen: usize,
    /// Where the line begins that is not ended yet.
    line: usize,
}

impl Scan {
    /// The length of the head at the start of `bytes`, when all of it is there. Looks only at
    /// what is new since the last call, so that a head which comes byte by byte costs no more
    /// than one that comes at once.
    pub fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Rejection> {
        let from = self.seen.min(bytes.len());
        for offset in memchr::memchr_iter(b'\n', &bytes[from..]) {
            let end = from + offset;
            if end == 0 || bytes[end - 1] != b'\r' {
                return Err(Rejection::Malformed);
            }
            if end == self.line + 1 {
                return Ok(Some(end + 1));
            }
            self.line = end + 1;
        }
        self.seen = bytes.len();
        Ok(None)
    }
}

impl Head {
    /// Reads the head of a request, which `bytes` are to the last of them.
    pub fn read_request(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let mut lines = [const { std::mem::MaybeUninit::uninit() }; MAX_LINES];
        let mut request = httparse::Request::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_request_with_uninit_headers(
            &mut request,
            bytes,
            &mut lines,
        );
        match parsed {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(Rejection::HeadTooLarge),
            Err(httparse::Error::Token | httparse::Error::Version) => {
                return self.read_unusual_request(bytes);
            }
            _ => return Err(Rejection::Malformed),
        }
        let (Some(method), Some(target), Some(version)) =
            (request.method, request.path, request.version)
        else {
            return Err(Rejection::Malformed);
        };
        self.first = Span::of(bytes, method.as_bytes());
        self.target = Span::of(bytes, target.as_bytes());
        self.http_11 = version == 1;
        self.status = 0;
        self.take(bytes, request.headers);
        Ok(())
    }

    /// Reads the head of a request whose first line `httparse` does not know.
    fn read_unusual_request(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let line = RequestLine::read(bytes)?;
        let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
        let headers = match httparse::parse_headers(line.rest, &mut lines) {
            Ok(httparse::Status::Complete((length, headers))) if length == line.rest.len() => {
                headers
            }
            Err(httparse::Error::TooManyHeaders) => return Err(Rejection::HeadTooLarge),
            _ => return Err(Rejection::Malformed),
        };
        self.first = Span::of(bytes, line.method);
        self.target = Span::of(bytes, line.target);
        self.http_11 = line.http_11;
        self.status = 0;
        self.take(bytes, headers);
        Ok(())
    }

    /// Reads the head of a reply; `None` when it is not one.
    pub fn read_reply(&mut self, bytes: &[u8]) -> Option<()> {
        let mut lines = [const { std::mem::MaybeUninit::uninit() }; MAX_LINES];
        let mut reply = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut reply, bytes, &mut lines);
        if !matches!(parsed, Ok(httparse::Status::Complete(length)) if length == bytes.len()) {
            return None;
        }
        self.first = match reply.reason? {
            "" => Span::of(bytes, start_line::reason(bytes)),
            reason => Span::of(bytes, reason.as_bytes()),
        };
        self.target = Span::default();
        // Below 100 there is none; whoever reads three digits and whoever reads a number differ.
        self.status = reply.code.filter(|code| *code >= 100)?;
        self.http_11 = reply.version? == 1;
        self.take(bytes, reply.headers);
        Some(())
    }

    fn take(&mut self, bytes: &[u8], headers: &[httparse::Header<'_>]) {
        self.lines.clear();
        self.lines.extend(headers.iter().map(|header| Line {
            name: Span::of(bytes, header.name.as_bytes()),
            value: Span::of(bytes, header.value),
            kind: Kind::of(header.name.as_bytes()),
        }));
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    fn part(&self, span: Span) -> &[u8] {
        self.bytes.get(span.range()).unwrap_or_default()
    }

    /// The method of a request.
    pub(crate) fn method(&self) -> &[u8] {
        self.part(self.first)
    }

    /// The reason phrase of a reply.
    pub(crate) fn reason(&self) -> &[u8] {
        self.part(self.first)
    }

    /// The request-target as it came.
    pub(crate) fn target(&self) -> &[u8] {
        self.part(self.target)
    }

    /// The status of a reply.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Whether the version is HTTP/1.1, not 1.0.
    pub(crate) fn is_http_11(&self) -> bool {
        self.http_11
    }

    /// The headers in their order: what each is, its name and its value.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Kind, &[u8], &[u8])> {
        self.lines
            .iter()
            .map(|line| (line.kind, self.part(line.name), self.part(line.value)))
    }

    /// The values of the headers of one kind.
    pub(crate) fn values(&self, kind: Kind) -> impl Iterator<Item = &[u8]> {
        self.lines
            .iter()
            .filter(move |line| line.kind == kind)
            .map(|line| self.part(line.value))
    }

    /// Whether there is a header with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut lines = self.lines();
        lines.any(|(_, other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The value of the one header with this name: none when it is missing or there twice.
    pub(crate) fn only(&self, name: &str) -> Option<&[u8]> {
        let mut found = self
            .lines()
            .filter(|(_, other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        match (found.next(), found.next()) {
            (Some((_, _, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Takes the headers that `Connection` names as headers of this connection; rejects those
    /// names that have to reach the other end.
    pub fn mark_named_by_connection(&mut self) -> Result<(), Rejection> {
        let mut named: Vec<Vec<u8>> = Vec::new();
        for value in self.values(Kind::Connection) {
            for token in tokens(value) {
                let usual = ["keep-alive", "close", "upgrade", "te"];
                if usual
                    .iter()
                    .any(|name| token.eq_ignore_ascii_case(name.as_bytes()))
                {
                    continue;
                }
                if is_protected(token) {
                    return Err(Rejection::ConnectionNames);
                }
                named.push(token.to_ascii_lowercase());
            }
        }
        if named.is_empty() {
            return Ok(());
        }
        for index in 0..self.lines.len() {
            let line = self.lines[index];
            let name = self.part(line.name);
            if line.kind != Kind::Connection
                && named.iter().any(|other| name.eq_ignore_ascii_case(other))
            {
                self.lines[index].kind = Kind::Hop;
            }
        }
        Ok(())
    }

    /// Whether a header of this kind has `token` in its list.
    pub(crate) fn has_token(&self, kind: Kind, token: &str) -> bool {
        self.values(kind)
            .flat_map(tokens)
            .any(|other| other.eq_ignore_ascii_case(token.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Head, Rejection> {
        let end = Scan::default()
            .find_end(text)?
            .ok_or(Rejection::SenderSlow)?;
        let mut head = Head::default();
        head.read_request(&text[..end])?;
        Ok(head)
    }

    #[test]
    fn order_duplicates_and_bytes_stay_as_they_came() {
        let head = read(b"POST /a?b HTTP/1.1\r\nHost: h\r\nX-B: 1\r\nx-a: \xff\r\nX-B: 2\r\n\r\n")
            .unwrap();
        let lines: Vec<_> = head.lines().map(|(_, n, v)| (n, v)).collect();
        assert_eq!(
            lines,
            [
                (&b"Host"[..], &b"h"[..]),
                (b"X-B", b"1"),
                (b"x-a", b"\xff"),
                (b"X-B", b"2")
            ]
        );
        assert_eq!(head.method(), b"POST");
        assert_eq!(head.target(), b"/a?b");
        assert!(head.is_http_11());
        assert_eq!(head.only("x-a"), Some(&b"\xff"[..]));
        assert_eq!(head.only("x-b"), None, "twice is as good as not there");
    }

    #[test]
    fn a_head_is_found_however_it_is_cut() {
        let text = b"GET / HTTP/1.1\r\nHost: h\r\n\r\nrest";
        let mut scan = Scan::default();
        for length in 0..27 {
            assert_eq!(scan.find_end(&text[..length]), Ok(None), "{length}");
        }
        assert_eq!(scan.find_end(text), Ok(Some(27)));
    }

    #[test]
    fn what_is_no_http_is_rejected() {
        for (text, rejection) in [
            (
                &b"GET / HTTP/1.1\nHost: h\r\n\r\n"[..],
                Rejection::Malformed,
            ),
            (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", Rejection::Malformed),
            (
                b"GET / HTTP/1.1\r\nHost: h\r\n a: b\r\n\r\n",
                Rejection::Malformed,
            ),
            (
                b"GET / HTTP/1.1\r\nHost: h\x00\r\n\r\n",
                Rejection::Malformed,
            ),
            (b"GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", Rejection::Malformed),
            (b"GET /\r\nHost: h\r\n\r\n", Rejection::Malformed),
            (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", Rejection::Version),
            (b"PO ST / HTTP/1.1\r\nHost: h\r\n\r\n", Rejection::Malformed),
            (b"GET / HTTP/1.2\r\nHost : h\r\n\r\n", Rejection::Malformed),
            (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", Rejection::Malformed),
        ] {
            assert_eq!(read(text).err(), Some(rejection), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn connection_cannot_name_what_has_to_arrive() {
        let named = |name: &str| {
            let text = format!(
                "POST / HTTP/1.1\r\nHost: h\r\nX-Mine: 1\r\nConnection: close, {name}\r\n\r\n"
            );
            let mut head = read(text.as_bytes()).unwrap();
            head.mark_named_by_connection()
                .map(|()| head.values(Kind::Hop).count())
        };
        assert_eq!(named("x-mine"), Ok(1));
        assert_eq!(named("X-Other"), Ok(0));
        for name in [
            "X-Hub-Signature-256",
            "Authorization",
            "x-gitlab-token",
            "X-Forwarded-For",
            "Forwarded",
            "webhook-id",
            "Content-Length",
            "Host",
            "X-Slack-Request-Timestamp",
        ] {
            assert_eq!(named(name), Err(Rejection::ConnectionNames), "{name}");
        }
    }

    #[test]
    fn a_reply_without_a_reason_is_read() {
        let mut head = Head::default();
        for text in [&b"HTTP/1.1 200\r\n\r\n"[..], b"HTTP/1.1 200 \r\n\r\n"] {
            head.read_reply(text).unwrap();
            assert_eq!((head.status(), head.reason()), (200, &b""[..]));
        }
        head.read_reply(b"HTTP/1.1 200 Gr\xfc\xdfe\r\nA: b\r\n\r\n")
            .unwrap();
        assert_eq!(head.reason(), b"Gr\xfc\xdfe");
        assert_eq!(head.read_reply(b"HTTP/1.1 2x0 OK\r\n\r\n"), None);
    }
}
