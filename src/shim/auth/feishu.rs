//! Feishu, and Lark, which is the same elsewhere. An app has a verification token, and may have an encrypt
//! key; which of them is there decides what a request can prove.
//!
//! - With an encrypt key, bodies are encrypted and signed: SHA-256 of time, nonce, key and body. Not signed
//!   is the one request that is sent when its URL is entered: it is encrypted, asks for its challenge to
//!   be sent back, and the plugin answers it.
//! - Without one, each body has the token in it.
//!
//! Invariant: of what is not signed nothing but such a challenge passes. An event whose signature was
//! taken away is encrypted just as well, and could be sent again for ever.

use std::time::Duration;

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::mac::{Tag, hex};
use super::secret::Secret;
use super::time::is_fresh;
use crate::shim::http::head::Head;

const SIGNATURE: &str = "x-lark-signature";
const TIME: &str = "x-lark-request-timestamp";
const NONCE: &str = "x-lark-request-nonce";

/// The type of the request that asks for its challenge back.
const CHALLENGE: &str = "url_verification";
/// A challenge is far shorter; nothing longer is decrypted for whoever has proved nothing.
const LARGEST_CHALLENGE: usize = 4 << 10;
/// AES works on so many bytes at a time.
const BLOCK: usize = 16;

/// A body that is encrypted.
#[derive(Deserialize)]
struct Encrypted<'b> {
    #[serde(borrow)]
    encrypt: &'b str,
}

/// What a body says of itself. A key that is there twice is an error.
#[derive(Deserialize)]
struct Plain {
    /// In a challenge, and in events of version 1.
    token: Option<String>,
    /// In events of version 2.
    header: Option<Header>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    token: Option<String>,
}

/// Whether the request is signed with an encrypt key, or is a challenge that is encrypted with it.
pub(super) fn verify(
    key: &Secret,
    tolerance: Duration,
    head: &Head,
    body: &[u8],
    now: u64,
) -> Option<bool> {
    if [SIGNATURE, TIME, NONCE].iter().all(|name| !head.has(name)) {
        return is_challenge(key, body);
    }
    let (time, nonce) = (head.only(TIME)?, head.only(NONCE)?);
    if !is_fresh(time, tolerance, now)? {
        return Some(false);
    }
    let signature = hex(head.only(SIGNATURE)?)?;
    Some(Tag::sha256(&[time, nonce, key.bytes(), body]).is(&signature))
}

/// Whether the token is in the body.
pub(super) fn has_token(token: &Secret, body: &[u8]) -> Option<bool> {
    let Plain {
        token: first,
        header,
        ..
    } = serde_json::from_slice(body).ok()?;
    let second = header.and_then(|header| header.token);
    // With two of them it would depend on the reader which holds.
    match (first, second) {
        (Some(one), None) | (None, Some(one)) => Some(token.is(one.as_bytes())),
        _ => None,
    }
}

fn is_challenge(key: &Secret, body: &[u8]) -> Option<bool> {
    if body.len() > LARGEST_CHALLENGE {
        return None;
    }
    let Encrypted { encrypt } = serde_json::from_slice(body).ok()?;
    let decrypted = decrypt(key, &STANDARD.decode(encrypt).ok()?)?;
    let plain: Plain = serde_json::from_slice(&decrypted).ok()?;
    Some(plain.kind.as_deref() == Some(CHALLENGE) && plain.header.is_none())
}

/// AES-256 in CBC, with the SHA-256 of the key as key, the first block as vector, and PKCS 7 at the end.
fn decrypt(key: &Secret, bytes: &[u8]) -> Option<Vec<u8>> {
    let (vector, rest) = bytes.split_at_checked(BLOCK)?;
    if rest.is_empty() || rest.len() % BLOCK != 0 {
        return None;
    }
    let cipher = Aes256::new_from_slice(Tag::sha256(&[key.bytes()]).bytes()).ok()?;
    let mut plain = Vec::with_capacity(rest.len());
    let mut before = vector;
    for block in rest.chunks_exact(BLOCK) {
        let mut decrypted = aes::Block::try_from(block).ok()?;
        cipher.decrypt_block(&mut decrypted);
        plain.extend(decrypted.iter().zip(before).map(|(one, other)| one ^ other));
        before = block;
    }
    let padding = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(padding)?;
    let is_padded = (1..=BLOCK).contains(&padding)
        && plain[length..]
            .iter()
            .all(|&byte| usize::from(byte) == padding);
    plain.truncate(length);
    is_padded.then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the documentation of Feishu.
    #[test]
    fn what_feishu_encrypts_is_decrypted() {
        let key = Secret::new(b"test key".to_vec()).unwrap();
        let bytes = STANDARD
            .decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=")
            .unwrap();
        assert_eq!(decrypt(&key, &bytes).unwrap(), b"hello world");
        for length in 0..bytes.len() {
            assert_eq!(decrypt(&key, &bytes[..length]), None, "{length}");
        }
        let other = Secret::new(b"another key".to_vec()).unwrap();
        assert_ne!(
            decrypt(&other, &bytes).as_deref(),
            Some(&b"hello world"[..])
        );
    }
}
