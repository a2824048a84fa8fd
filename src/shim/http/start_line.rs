//! First lines that `httparse` does not read, and that mean something all the same.
//!
//! Bytes beyond ASCII in a target go on as they came, whether they are UTF-8 or not; what they mean
//! is for the agent to say (uvicorn, with either of its parsers, answers them with 400). A minor
//! version that nobody knows yet is read as the highest that is known (RFC 9110, 2.5).
//!
//! Invariants: a line has one reading or none. Method, target and version are parted by one
//! space each, and none of them has a space or a control character inside.

use crate::shim::http::rejection::Rejection;

/// Method and target of a request whose version is HTTP/1.1 or is read as that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    /// The method.
    pub(super) method: &'a [u8],
    /// The request-target.
    pub(super) target: &'a [u8],
    /// Whether the version is HTTP/1.1 or later, not 1.0.
    pub(super) http_11: bool,
    /// The lines of headers that follow, with the empty line.
    pub(super) rest: &'a [u8],
}

impl<'a> RequestLine<'a> {
    /// Reads the first line of a head.
    pub(super) fn read(head: &'a [u8]) -> Result<Self, Rejection> {
        let end = memchr::memmem::find(head, b"\r\n").ok_or(Rejection::Malformed)?;
        let (line, rest) = (&head[..end], &head[end + 2..]);
        let mut parts = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Rejection::Malformed);
        };
        let is_in_target = |byte: &u8| !matches!(byte, 0..=b' ' | 0x7f);
        if !is_token(method) || target.is_empty() || !target.iter().all(is_in_target) {
            return Err(Rejection::Malformed);
        }
        let http_11 = match version {
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                if *major != b'1' {
                    return Err(Rejection::Version);
                }
                *minor != b'0'
            }
            _ => return Err(Rejection::Malformed),
        };
        Ok(Self {
            method,
            target,
            http_11,
            rest,
        })
    }
}

/// The reason phrase of a reply that `httparse` has read: it leaves one out that is not ASCII.
pub(super) fn reason(head: &[u8]) -> &[u8] {
    const START: usize = "HTTP/1.1 200 ".len();
    let end = memchr::memchr(b'\r', head).unwrap_or(0);
    head.get(START..end).unwrap_or_default()
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_in_token(byte))
}

/// Whether `byte` can stand in a method or in the name of a header.
pub(super) fn is_in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_reading_or_none() {
        let read = |line: &[u8]| {
            let head = [line, b"\r\nHost: h\r\n\r\n"].concat();
            RequestLine::read(&head).map(|line| (line.target.to_vec(), line.http_11))
        };
        assert_eq!(
            read(b"GET /a?\xff\x80 HTTP/1.1"),
            Ok((b"/a?\xff\x80".to_vec(), true))
        );
        assert_eq!(read(b"GET / HTTP/1.0"), Ok((b"/".to_vec(), false)));
        assert_eq!(read(b"GET / HTTP/1.9"), Ok((b"/".to_vec(), true)));
        for line in [&b"GET / HTTP/2.0"[..], b"GET / HTTP/0.9", b"PRI * HTTP/9.9"] {
            assert_eq!(
                read(line),
                Err(Rejection::Version),
                "{}",
                line.escape_ascii()
            );
        }
        for line in [
            &b"PO ST / HTTP/1.1"[..],
            b"GET /a b HTTP/1.1",
            b"GET /a  HTTP/1.1",
            b"GET / http/1.1",
            b"GET / HTTP/1.10",
            b"GET / HTTP/11",
            b"GET / HTTP/1.x",
            b"GET / HTTP/1.1 ",
            b" GET / HTTP/1.1",
            b"G(T / HTTP/1.1",
            b"GET /\x7f HTTP/1.1",
            b"GET /\t HTTP/1.1",
            b"GET /",
            b"GET",
            b"",
        ] {
            assert_eq!(
                read(line),
                Err(Rejection::Malformed),
                "{}",
                line.escape_ascii()
            );
        }
    }

    #[test]
    fn a_reason_is_what_stands_there() {
        assert_eq!(reason(b"HTTP/1.1 200 Gut\xe9\tso\r\n\r\n"), b"Gut\xe9\tso");
        assert_eq!(reason(b"HTTP/1.1 200 \r\n\r\n"), b"");
        assert_eq!(reason(b"HTTP/1.1 200\r\n\r\n"), b"");
    }
}
