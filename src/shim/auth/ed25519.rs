//! Senders that sign with a key of their own, so that who checks cannot sign: Discord, and bots of QQ.
//!
//! Both sign the time and the body, one after the other, and put signature and time into the same two
//! headers. Both look, from time to time, whether bad signatures are refused.

use std::time::Duration;

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

use super::mac::hex;
use super::secret::Secret;
use super::time::is_fresh;
use crate::shim::http::head::Head;

const SIGNATURE: &str = "x-signature-ed25519";
const TIME: &str = "x-signature-timestamp";

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// Discord: every application has a public key.
    Discord,
    /// QQ: the key of a bot follows from its secret.
    Qq,
}

impl Signer {
    /// Its name in the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Qq => "qq",
        }
    }
}

/// The key that signatures are checked with. Not a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key that `text` writes in hexadecimal digits; none when that is none, or one that anybody could
    /// sign for.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = hex(text.as_bytes())?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// The key of the bot of QQ that has this secret: its seed is the secret, again and again.
    pub(crate) fn of_bot(secret: &Secret) -> Self {
        let mut seed = [0; 32];
        for (byte, of_secret) in seed.iter_mut().zip(secret.bytes().iter().cycle()) {
            *byte = *of_secret;
        }
        Self(SigningKey::from_bytes(&seed).verifying_key())
    }
}

/// Whether the request has a signature that one of `keys` fits.
pub(super) fn verify(
    keys: &[PublicKey],
    tolerance: Duration,
    head: &Head,
    body: &[u8],
    now: u64,
) -> Option<bool> {
    let time = head.only(TIME)?;
    if !is_fresh(time, tolerance, now)? {
        return Some(false);
    }
    let signature: [u8; 64] = hex(head.only(SIGNATURE)?)?.try_into().ok()?;
    let signature = Signature::from_bytes(&signature);
    let signed = [time, body].concat();
    let fits = |key: &PublicKey| key.0.verify_strict(&signed, &signature).is_ok();
    Some(keys.iter().any(fits))
}
