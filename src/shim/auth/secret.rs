//! What a sender and the operator share.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

/// Secrets of which any will do, so that one can be changed while senders still have the other. Never
/// empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// These secrets; none when there are none.
    pub(crate) fn new(secrets: Vec<Secret>) -> Option<Self> {
        (!secrets.is_empty()).then_some(Self(secrets))
    }

    /// Whether one of them fits. All are tried: the time does not tell which it was.
    pub(super) fn any(&self, fits: impl Fn(&Secret) -> bool) -> bool {
        self.0
            .iter()
            .fold(false, |found, secret| found | fits(secret))
    }

    /// What is made of each of them.
    pub(crate) fn each<T>(&self, make: impl Fn(&Secret) -> T) -> Vec<T> {
        self.0.iter().map(make).collect()
    }

    /// What is made of each of them; none when it cannot be made of one.
    pub(crate) fn map(&self, make: impl Fn(&Secret) -> Option<Secret>) -> Option<Self> {
        let made: Option<Vec<_>> = self.0.iter().map(make).collect();
        made.and_then(Self::new)
    }
}

/// A secret. Never empty, never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// The secret in `bytes`; none when there is nothing in it.
    pub(crate) fn new(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// The key that it stands for as a secret of Standard Webhooks; none when it is not base64.
    pub(crate) fn standard_webhooks_key(&self) -> Option<Self> {
        let encoded = self.0.strip_prefix(b"whsec_").unwrap_or(&self.0);
        STANDARD.decode(encoded).ok().and_then(Self::new)
    }

    /// Whether it can be the value of a header.
    pub(crate) fn fits_a_header(&self) -> bool {
        let is_text = |byte: &u8| !byte.is_ascii_control();
        self.0.iter().all(is_text) && self.0.trim_ascii() == self.0
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `other` is the same, found out in a time that does not depend on where they differ.
    pub(super) fn is(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
