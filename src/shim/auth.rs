//! Auth rules: what a sender has to prove before its request reaches a route.
//!
//! Invariants: a rule that cannot decide rejects; secrets and signatures are compared in constant time;
//! a header that is there twice is as good as missing; no secret is shown, not even by `Debug`.

mod ed25519;
mod feishu;
mod generic;
mod mac;
mod secret;
mod signature;
mod time;
#[cfg(test)]
mod vectors;

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::shim::http::head::Head;
use crate::shim::http::rejection::Rejection;

pub(crate) use ed25519::{PublicKey, Signer};
pub(crate) use generic::{Encoding, HmacRule, Signed, SignedTime, is_header_name};
pub(crate) use mac::Hash;
pub(crate) use secret::{Secret, Secrets};
pub(crate) use signature::Scheme;
pub(crate) use time::TOLERANCE;

/// What a sender has to prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthRule {
    /// A signature of the body as it came.
    Signature {
        /// Whose way of signing.
        scheme: Scheme,
        /// The keys, of which any will do.
        secrets: Secrets,
        /// How far the time of the signature may be from ours, where it has one.
        tolerance: Duration,
    },
    /// A signature of the time and the body by a key that only the sender has.
    Ed25519 {
        /// Who signs.
        signer: Signer,
        /// The keys, of which any will do.
        keys: Vec<PublicKey>,
        /// How far the time of the signature may be from ours.
        tolerance: Duration,
    },
    /// An HMAC in the form that the configuration describes.
    Hmac(HmacRule),
    /// The verification token of Feishu, in the body.
    FeishuToken {
        /// The tokens, of which any will do.
        secrets: Secrets,
    },
    /// A header that holds the secret itself.
    Token {
        /// The name of the header.
        header: String,
        /// The secrets, of which any will do.
        secrets: Secrets,
    },
    /// `Authorization: Bearer` and the secret.
    Bearer {
        /// The secrets, of which any will do.
        secrets: Secrets,
    },
    /// An address in one of these networks.
    Addresses(Vec<IpNet>),
}

impl AuthRule {
    /// What kind it is, by the name that the configuration gives it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Signature { scheme, .. } => scheme.name(),
            Self::Ed25519 { signer, .. } => signer.name(),
            Self::Hmac(_) => "hmac",
            Self::FeishuToken { .. } => "feishu-token",
            Self::Token { .. } => "token",
            Self::Bearer { .. } => "bearer",
            Self::Addresses(_) => "addresses",
        }
    }

    /// Whether it needs the body.
    pub(super) fn is_about_the_body(&self) -> bool {
        match self {
            Self::Signature { .. }
            | Self::Ed25519 { .. }
            | Self::Hmac(_)
            | Self::FeishuToken { .. } => true,
            Self::Token { .. } | Self::Bearer { .. } | Self::Addresses(_) => false,
        }
    }
}

/// Whether rules are checked before the body is there, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthPhase {
    /// The head alone is there.
    Head,
    /// The body is there too.
    Body,
}

/// Checks all rules that can be decided in this phase.
///
/// # Errors
/// The first rule that fails, as a rejection.
pub(super) fn authorize(
    rules: &[AuthRule],
    phase: AuthPhase,
    head: &Head,
    body: &[u8],
    sender: IpAddr,
    now: u64,
) -> Result<(), Rejection> {
    for rule in rules {
        if phase == AuthPhase::Head && rule.is_about_the_body() {
            continue;
        }
        let passes = match rule {
            AuthRule::Signature {
                scheme,
                secrets,
                tolerance,
            } => secrets
                .any(|secret| signature::verify(*scheme, secret, *tolerance, head, body, now)),
            AuthRule::Ed25519 {
                keys, tolerance, ..
            } => ed25519::verify(keys, *tolerance, head, body, now).unwrap_or(false),
            AuthRule::Hmac(rule) => rule.verify(head, body, now).unwrap_or(false),
            AuthRule::FeishuToken { secrets } => {
                secrets.any(|secret| feishu::has_token(secret, body).unwrap_or(false))
            }
            AuthRule::Token { header, secrets } => head
                .only(header)
                .is_some_and(|value| secrets.any(|secret| secret.is(value))),
            AuthRule::Bearer { secrets } => head
                .only("authorization")
                .and_then(bearer)
                .is_some_and(|value| secrets.any(|secret| secret.is(value))),
            AuthRule::Addresses(networks) => {
                if !contains(networks, sender) {
                    return Err(Rejection::Address);
                }
                true
            }
        };
        if !passes {
            return Err(Rejection::Unauthorized);
        }
    }
    Ok(())
}

/// Whether `address` is in one of `networks`. An IPv4 address that came in through an IPv6 socket
/// is the IPv4 address.
pub(super) fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Head {
        let mut head = Head::default();
        head.read_request(format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n").as_bytes())
            .unwrap();
        head
    }

    fn through(rule: AuthRule, lines: &str, sender: &str) -> Result<(), Rejection> {
        let sender = sender.parse().unwrap();
        authorize(&[rule], AuthPhase::Body, &head(lines), b"", sender, 0)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec()).unwrap()
    }

    fn secrets(text: &str) -> Secrets {
        Secrets::new(vec![secret(text)]).unwrap()
    }

    #[test]
    fn any_of_several_secrets_will_do() {
        let rule = || AuthRule::Bearer {
            secrets: Secrets::new(vec![secret("old"), secret("new")]).unwrap(),
        };
        let call =
            |token: &str| through(rule(), &format!("Authorization: Bearer {token}\r\n"), "::1");
        assert_eq!((call("old"), call("new")), (Ok(()), Ok(())));
        assert_eq!(call("other"), Err(Rejection::Unauthorized));
        assert_eq!(Secrets::new(Vec::new()), None);
    }

    #[test]
    fn a_token_is_the_secret_once() {
        let rule = || AuthRule::Token {
            header: "X-Gitlab-Token".to_owned(),
            secrets: secrets("s3"),
        };
        assert_eq!(through(rule(), "x-gitlab-token: s3\r\n", "::1"), Ok(()));
        for lines in [
            "",
            "X-Gitlab-Token: s\r\n",
            "X-Gitlab-Token: s33\r\n",
            "X-Gitlab-Token:\r\n",
            "X-Gitlab-Token: s3\r\nX-Gitlab-Token: s3\r\n",
            "X-Gitlab-Token: x\r\nX-Gitlab-Token: s3\r\n",
        ] {
            assert_eq!(
                through(rule(), lines, "::1"),
                Err(Rejection::Unauthorized),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn bearer_has_its_scheme() {
        let rule = || AuthRule::Bearer {
            secrets: secrets("s3"),
        };
        assert_eq!(
            through(rule(), "Authorization: bearer  s3\r\n", "::1"),
            Ok(())
        );
        for lines in [
            "Authorization: s3\r\n",
            "Authorization: Basic s3\r\n",
            "Authorization: B\r\n",
        ] {
            assert_eq!(
                through(rule(), lines, "::1"),
                Err(Rejection::Unauthorized),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn addresses_are_in_a_network() {
        let rule = || {
            AuthRule::Addresses(vec![
                "192.0.2.0/24".parse().unwrap(),
                "2001:db8::/32".parse().unwrap(),
            ])
        };
        for sender in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"] {
            assert_eq!(through(rule(), "", sender), Ok(()), "{sender}");
        }
        for sender in ["192.0.3.7", "::1", "::ffff:192.0.3.1"] {
            assert_eq!(
                through(rule(), "", sender),
                Err(Rejection::Address),
                "{sender}"
            );
        }
        assert_eq!(
            through(AuthRule::Addresses(Vec::new()), "", "::1"),
            Err(Rejection::Address)
        );
    }

    #[test]
    fn a_secret_is_never_empty_and_never_shown() {
        assert_eq!(Secret::new(Vec::new()), None);
        assert!(!format!("{:?}", secret("hunter2")).contains("hunter2"));
    }
}
