//! What single headers are to a proxy: which end with the connection, which go on, and which must
//! not be dropped whatever the sender says.

/// What a header is to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Host`.
    Host,
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding`.
    Coding,
    /// `Connection`.
    Connection,
    /// `Upgrade`.
    Upgrade,
    /// `Expect`.
    Expect,
    /// Another header of this connection alone, or one that `Connection` names.
    Hop,
    /// `X-Forwarded-For`.
    ForwardedFor,
    /// `X-Forwarded-Host`.
    ForwardedHost,
    /// `X-Forwarded-Proto`.
    ForwardedProto,
    /// Another `X-Forwarded-*`, `X-Real-IP`, or `Forwarded`.
    Forwarded,
    /// One of these with `_` for `-`: to an application behind WSGI or CGI it is the same header,
    /// and no proxy writes it so.
    Disguised,
    /// `User-Agent`.
    UserAgent,
    /// `Via`.
    Via,
    /// `Deprecation`.
    Deprecation,
    /// `Sunset`.
    Sunset,
    /// A header that goes from end to end.
    EndToEnd,
}

impl Kind {
    /// What the header with this name is.
    pub(super) fn of(name: &[u8]) -> Self {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        // By length first: most headers are decided by one comparison.
        match name.len() {
            2 if is("te") => Self::Hop,
            3 if is("via") => Self::Via,
            4 if is("host") => Self::Host,
            6 if is("expect") => Self::Expect,
            6 if is("sunset") => Self::Sunset,
            7 if is("upgrade") => Self::Upgrade,
            7 if is("trailer") => Self::Hop,
            9 if is("forwarded") || is("x-real-ip") => Self::Forwarded,
            9 if folds(name, b"x-real-ip") => Self::Disguised,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::Hop,
            10 if is("user-agent") => Self::UserAgent,
            11 if is("deprecation") => Self::Deprecation,
            14 if is("content-length") => Self::Length,
            15 if is("x-forwarded-for") => Self::ForwardedFor,
            16 if is("x-forwarded-host") => Self::ForwardedHost,
            17 if is("x-forwarded-proto") => Self::ForwardedProto,
            17 if is("transfer-encoding") => Self::Coding,
            6.. if starts_with(name, b"proxy-") => Self::Hop,
            12.. if folds(name, b"x-forwarded-") => match memchr::memchr(b'_', name) {
                Some(_) => Self::Disguised,
                None => Self::Forwarded,
            },
            _ => Self::EndToEnd,
        }
    }
}

/// Whether `name` starts with `prefix`, which is in lower case.
fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The same, where `_` is as good as `-`.
fn folds(name: &[u8], prefix: &[u8]) -> bool {
    let same = |(&byte, &wanted): (&u8, &u8)| {
        byte.eq_ignore_ascii_case(&wanted) || byte == b'_' && wanted == b'-'
    };
    name.len() >= prefix.len() && name.iter().zip(prefix).all(same)
}

/// The elements of a comma-separated list.
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// Whether a header with this name must not be dropped because a sender's `Connection` names it:
/// what proves who sent a request, what frames it, and what says where it came from.
pub(super) fn is_protected(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |part: &str| memchr::memmem::find(&name, part.as_bytes()).is_some();
    [
        "signature",
        "token",
        "authorization",
        "forwarded",
        "timestamp",
        "nonce",
        "cookie",
        "secret",
        "api-key",
    ]
    .into_iter()
    .any(has)
        || [
            &b"webhook-"[..],
            b"svix-",
            b"content-",
            b"x-real-",
            b"x-hub-",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || matches!(
            name.as_slice(),
            b"host" | b"transfer-encoding" | b"expect" | b"via" | b"date" | b"sign"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_say_where_a_request_comes_from_are_known_in_every_spelling() {
        for (name, kind) in [
            ("X-Forwarded-For", Kind::ForwardedFor),
            ("x-forwarded-port", Kind::Forwarded),
            ("X-FORWARDED-", Kind::Forwarded),
            ("x-real-IP", Kind::Forwarded),
            ("Forwarded", Kind::Forwarded),
            ("X_Forwarded_For", Kind::Disguised),
            ("x-forwarded_proto", Kind::Disguised),
            ("X_FORWARDED-HOST", Kind::Disguised),
            ("X-Forwarded-Client_Cert", Kind::Disguised),
            ("X_Real_IP", Kind::Disguised),
            ("x-real_ip", Kind::Disguised),
            ("X-Forwarded", Kind::EndToEnd),
            ("X-Forwardedfor", Kind::EndToEnd),
            ("X-Real-IPs", Kind::EndToEnd),
            ("X_Hub_Signature_256", Kind::EndToEnd),
            ("x-y-forwarded-for", Kind::EndToEnd),
        ] {
            assert_eq!(Kind::of(name.as_bytes()), kind, "{name}");
        }
    }
}
