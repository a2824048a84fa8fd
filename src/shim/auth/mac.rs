//! Hashes and MACs: made once of a request, however many signatures it names, and compared in constant
//! time.
//!
//! Why once: a head has room for a thousand signatures, and a MAC over a large body is the dearest thing
//! that a sender who has proved nothing can have done.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::secret::Secret;

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-1: weak elsewhere, still sound in an HMAC.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The hash with this name in the configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// What a signature has to be, to be one of what was hashed.
pub(super) struct Tag(Vec<u8>);

impl Tag {
    /// The HMAC of `parts`, one after another.
    pub(super) fn hmac(hash: Hash, secret: &Secret, parts: &[&[u8]]) -> Option<Self> {
        let tag = match hash {
            Hash::Sha1 => of_parts(Hmac::<Sha1>::new_from_slice(secret.bytes()), parts),
            Hash::Sha256 => of_parts(Hmac::<Sha256>::new_from_slice(secret.bytes()), parts),
            Hash::Sha512 => of_parts(Hmac::<Sha512>::new_from_slice(secret.bytes()), parts),
        };
        tag.map(Self)
    }

    /// The SHA-256 of `parts`, one after another.
    pub(super) fn sha256(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().to_vec())
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `signature` is it.
    pub(super) fn is(&self, signature: &[u8]) -> bool {
        self.0.ct_eq(signature).into()
    }
}

/// HMAC takes keys of every length; were it not so, the rule would reject.
fn of_parts<M: Mac, E>(mac: Result<M, E>, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = mac.ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

/// The bytes that `text` writes in hexadecimal digits, of either case.
pub(super) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_pairs_of_digits() {
        assert_eq!(hex(b"00fFa5"), Some(vec![0, 255, 165]));
        for wrong in ["", "0", "0g", "+1", " 1", "0x"] {
            assert_eq!(hex(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
