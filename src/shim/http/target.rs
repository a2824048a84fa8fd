//! Paths of requests: taken apart without being changed, decoded to be matched, encoded to be
//! sent on.
//!
//! Invariants: what is sent on is either what came, to the byte, or the path of a route in
//! percent-encoding; a decoded path is only ever used to look something up.

use std::borrow::Cow;

use crate::shim::http::rejection::Rejection;

/// What a request asks for, as it came or in percent-encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathAndQuery<'a> {
    /// The path.
    pub path: &'a [u8],
    /// The query with its `?`; empty when there is none.
    pub query: &'a [u8],
}

impl<'a> PathAndQuery<'a> {
    /// The two parts of `text`.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let end = memchr::memchr(b'?', text).unwrap_or(text.len());
        let (path, query) = text.split_at(end);
        Self { path, query }
    }
}

/// A request-target, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A path, and the query with its `?` (empty when there is none).
    Path {
        /// The path as it came.
        path: &'a [u8],
        /// `?` and what follows it, as it came.
        query: &'a [u8],
        /// The authority, when the target was a whole URL.
        authority: Option<&'a [u8]>,
    },
    /// `*`: the server itself.
    Server,
}

/// Takes a request-target apart (RFC 9112, section 3.2).
pub(crate) fn target<'a>(method: &[u8], target: &'a [u8]) -> Result<Target<'a>, Rejection> {
    if method == b"CONNECT" {
        return Err(Rejection::Connect);
    }
    if target == b"*" {
        return match method {
            b"OPTIONS" => Ok(Target::Server),
            _ => Err(Rejection::Malformed),
        };
    }
    if target.contains(&b'#') {
        return Err(Rejection::Malformed);
    }
    let (authority, rest) = if target.first() == Some(&b'/') {
        (None, target)
    } else {
        let rest = ["http://", "https://"]
            .iter()
            .find_map(|scheme| {
                let start = target.get(..scheme.len())?;
                start
                    .eq_ignore_ascii_case(scheme.as_bytes())
                    .then(|| &target[scheme.len()..])
            })
            .ok_or(Rejection::Malformed)?;
        let end = rest
            .iter()
            .position(|byte| b"/?".contains(byte))
            .unwrap_or(rest.len());
        let authority = &rest[..end];
        // It takes the place of `Host` (RFC 9112, section 3.2.2), and has to be one.
        if !is_host(authority) {
            return Err(Rejection::Host);
        }
        (Some(authority), &rest[end..])
    };
    let end = memchr::memchr(b'?', rest).unwrap_or(rest.len());
    let (path, query) = rest.split_at(end);
    let path = if path.is_empty() { b"/" } else { path };
    Ok(Target::Path {
        path,
        query,
        authority,
    })
}

/// A path without its percent-encoding; as it came where a `%` encodes nothing.
pub(crate) fn decode(path: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', path).is_none() {
        return Cow::Borrowed(path);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        let pair = match (byte, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = pair {
            decoded.push(high * 16 + low);
            rest = &after[2..];
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    Cow::Owned(decoded)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// A decoded path in percent-encoding: what RFC 3986 allows in a path stays.
pub(crate) fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Whether a piece of a path as it came can be put into the path of a route: servers would not
/// agree about what an encoded separator or a dot segment means there.
pub(crate) fn is_plain(piece: &[u8]) -> bool {
    let decoded = decode(piece);
    let separators = |text: &[u8]| text.iter().filter(|&&byte| byte == b'/').count();
    !decoded.contains(&b'\\')
        && separators(&decoded) == separators(piece)
        && decoded
            .split(|&byte| byte == b'/')
            .all(|segment| !matches!(segment, b"." | b".."))
        // A `%` that is still there after decoding could be decoded once more further on.
        && memchr::memmem::find(&decoded.to_ascii_lowercase(), b"%2f").is_none()
        && memchr::memmem::find(&decoded.to_ascii_lowercase(), b"%5c").is_none()
        && memchr::memmem::find(&decoded.to_ascii_lowercase(), b"%2e").is_none()
}

/// More often than this no server decodes a path, and nobody who means well encodes one.
const MOST_ROUNDS: usize = 8;

/// The path that the most obliging of servers would make of `path`: decoded as often as it can be,
/// without empty and dot segments, `\` taken for `/`, without what follows a `;`, and without blanks and
/// control characters at its end. None when it could be decoded again and again: a path of `%252525…` would
/// be as dear as it is long, times its length.
pub(crate) fn normal(path: &[u8]) -> Option<String> {
    let mut bytes = path.to_vec();
    let mut rounds = 0;
    loop {
        let decoded = decode(&bytes).into_owned();
        // What changes becomes shorter.
        if decoded.len() == bytes.len() {
            break;
        }
        bytes = decoded;
        rounds += 1;
        if rounds > MOST_ROUNDS {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches(|c: char| c.is_control() || c == ' ');
    let mut segments = Vec::new();
    for segment in text.split(['/', '\\']) {
        match segment.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

/// Whether this can be the value of `Host`, or the authority of a target: what may stand in a name,
/// an address and a port, and neither a user nor a password.
pub(super) fn is_host(value: &[u8]) -> bool {
    let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=".contains(byte);
    let end = match value.first() {
        Some(b'[') => memchr::memchr(b']', value).map_or(0, |at| at + 1),
        _ => memchr::memchr(b':', value).unwrap_or(value.len()),
    };
    let (host, port) = value.split_at(end);
    let is_name = match host {
        [b'[', address @ .., b']'] => {
            let mut bytes = address.iter();
            !address.is_empty() && bytes.all(|byte| *byte == b':' || is_in_name(byte))
        }
        _ => !host.is_empty() && host.iter().all(is_in_name),
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_name && is_port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_taken_apart() {
        let parts = |text: &'static str| match target(b"GET", text.as_bytes()) {
            Ok(Target::Path {
                path,
                query,
                authority,
            }) => (
                std::str::from_utf8(path).unwrap(),
                std::str::from_utf8(query).unwrap(),
                authority.is_some(),
            ),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(parts("/a%2fb?c?d"), ("/a%2fb", "?c?d", false));
        assert_eq!(parts("/?"), ("/", "?", false));
        assert_eq!(parts("HTTP://h:1/a?b"), ("/a", "?b", true));
        assert_eq!(parts("http://h?b"), ("/", "?b", true));
        assert_eq!(target(b"OPTIONS", b"*"), Ok(Target::Server));
        for (method, text, rejection) in [
            ("GET", "*", Rejection::Malformed),
            ("GET", "a", Rejection::Malformed),
            ("GET", "/a#b", Rejection::Malformed),
            ("GET", "http://u:p@h/a", Rejection::Host),
            ("GET", "http:///a", Rejection::Host),
            ("GET", "http://?a", Rejection::Host),
            ("GET", "http://a\"<>/", Rejection::Host),
            ("GET", "http://a\\b/", Rejection::Host),
            ("GET", "http://\u{e4}/", Rejection::Host),
            ("GET", "ftp://h/a", Rejection::Malformed),
            ("CONNECT", "h:443", Rejection::Connect),
            ("CONNECT", "/a", Rejection::Connect),
        ] {
            assert_eq!(target(method.as_bytes(), text.as_bytes()), Err(rejection));
        }
    }

    #[test]
    fn decoding_keeps_what_encodes_nothing() {
        let text =
            |path: &'static str| String::from_utf8_lossy(&decode(path.as_bytes())).into_owned();
        assert_eq!(text("/a%20%e4%B8%ad%"), "/a 中%");
        assert_eq!(text("/%zz%2"), "/%zz%2");
        assert_eq!(text("/%2525"), "/%25");
    }

    #[test]
    fn encoding_is_taken_back_by_decoding() {
        assert_eq!(
            encode("/plugins/a.b/中 文%?#"),
            "/plugins/a.b/%E4%B8%AD%20%E6%96%87%25%3F%23"
        );
        assert_eq!(decode(encode("/中%2f").as_bytes()), "/中%2f".as_bytes());
    }

    #[test]
    fn every_spelling_has_one_normal_form() {
        for path in [
            "/a/b",
            "/a/b/",
            "//a///b",
            "/./a/x/../b",
            "/a\\b",
            "/a%2fb",
            "/a%252fb",
            "/%2561/b",
            "/a;x/b;y=1",
            "/../a/b",
            "/a%5cb",
            "a/b",
        ] {
            assert_eq!(normal(path.as_bytes()).unwrap(), "/a/b", "{path}");
        }
        assert_eq!(normal(b"/%zz/%25").unwrap(), "/%zz/%");
        assert_eq!(normal(b"/").unwrap(), "/");
        let nested = |times: usize| format!("/%{}61", "25".repeat(times));
        assert_eq!(normal(nested(7).as_bytes()).unwrap(), "/a");
        assert_eq!(normal(nested(8).as_bytes()), None);
        assert_eq!(normal(nested(30_000).as_bytes()), None);
    }

    #[test]
    fn what_servers_disagree_about_is_not_plain() {
        for piece in ["a", "a%20b", "a/b", "...", "%41", "a%3Fb"] {
            assert!(is_plain(piece.as_bytes()), "{piece}");
        }
        for piece in [
            "a%2fb",
            "a%2Fb",
            "a%5Cb",
            "a\\b",
            "..",
            "%2e%2e",
            ".",
            ".%2E",
            "a/../b",
            "a/./b",
            "%252f",
            "%255c",
            "%252e%252e",
        ] {
            assert!(!is_plain(piece.as_bytes()), "{piece}");
        }
    }
}
