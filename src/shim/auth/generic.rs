//! A sender that nobody here knows, but that signs as many do: an HMAC in a header, of the body and
//! perhaps of a time and other headers.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::mac::{Hash, Tag, hex};
use super::secret::{Secret, Secrets};
use super::time::is_fresh;
use crate::shim::http::head::Head;

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// In hexadecimal digits.
    Hex,
    /// In base64.
    Base64,
}

impl Encoding {
    /// The encoding with this name in the configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "hex" => Some(Self::Hex),
            "base64" => Some(Self::Base64),
            _ => None,
        }
    }

    fn decode(self, text: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex(text),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
    }
}

/// A time that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedTime {
    /// The header that holds it.
    pub(crate) header: String,
    /// How far it may be from ours.
    pub(crate) tolerance: Duration,
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Body,
    Time,
    Header(String),
}

/// What is signed: text with places for the body, the time and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed(Vec<Piece>);

impl Signed {
    /// The body alone.
    pub(crate) fn body() -> Self {
        Self(vec![Piece::Body])
    }

    /// Reads `{timestamp}.{body}`; also `{header:NAME}`. None when it is not understood.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, after) = after.split_once('}')?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match inside {
                "body" => Piece::Body,
                "timestamp" => Piece::Time,
                _ => Piece::Header(
                    inside
                        .strip_prefix("header:")
                        .filter(|name| is_header_name(name))?
                        .to_owned(),
                ),
            });
            rest = after;
        }
        if rest.contains('}') {
            return None;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Some(Self(pieces))
    }

    /// Whether the body is part of it.
    pub(crate) fn has_body(&self) -> bool {
        self.0.contains(&Piece::Body)
    }

    /// Whether the time is part of it.
    pub(crate) fn has_time(&self) -> bool {
        self.0.contains(&Piece::Time)
    }
}

/// Whether `name` can be the name of a header.
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// An HMAC as a sender makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HmacRule {
    /// The header that holds the signature.
    pub(crate) header: String,
    /// The hash.
    pub(crate) hash: Hash,
    /// How the signature is written.
    pub(crate) encoding: Encoding,
    /// What stands in front of it.
    pub(crate) prefix: String,
    /// What is signed.
    pub(crate) signed: Signed,
    /// The time that is part of it, if one is.
    pub(crate) time: Option<SignedTime>,
    /// The keys, of which any will do.
    pub(crate) secrets: Secrets,
}

impl HmacRule {
    /// Whether the request has a signature of one of the secrets.
    pub(super) fn verify(&self, head: &Head, body: &[u8], now: u64) -> Option<bool> {
        let mut time: &[u8] = b"";
        if let Some(signed) = &self.time {
            time = head.only(&signed.header)?;
            if !is_fresh(time, signed.tolerance, now)? {
                return Some(false);
            }
        }
        let signature = head.only(&self.header)?;
        let signature = signature.strip_prefix(self.prefix.as_bytes())?;
        let signature = self.encoding.decode(signature)?;
        let parts: Option<Vec<&[u8]>> = self
            .signed
            .0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text.as_bytes()),
                Piece::Body => Some(body),
                Piece::Time => Some(time),
                Piece::Header(name) => head.only(name),
            })
            .collect();
        let parts = parts?;
        let fits = |secret: &Secret| {
            Tag::hmac(self.hash, secret, &parts).is_some_and(|tag| tag.is(&signature))
        };
        Some(self.secrets.any(fits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_text_with_places() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let header = Piece::Header("X-Id".to_owned());
        for (written, pieces) in [
            ("{body}", vec![Piece::Body]),
            (
                "{timestamp}.{body}",
                vec![Piece::Time, text("."), Piece::Body],
            ),
            (
                "v0:{header:X-Id}{body}\n",
                vec![text("v0:"), header, Piece::Body, text("\n")],
            ),
            ("", vec![]),
        ] {
            assert_eq!(Signed::parse(written), Some(Signed(pieces)), "{written:?}");
        }
        for wrong in [
            "{",
            "}",
            "{body",
            "body}",
            "{Body}",
            "{header:}",
            "{header:a b}",
            "{{body}}",
        ] {
            assert_eq!(Signed::parse(wrong), None, "{wrong}");
        }
    }
}
