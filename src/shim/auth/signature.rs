//! The ways in which senders sign: what exactly is signed, and where the signature stands.

use std::time::Duration;

use super::feishu;
use super::mac::{Hash, Tag, hex};
use super::secret::Secret;
use super::time::{TOLERANCE, is_fresh};
use crate::shim::http::head::Head;
use crate::shim::http::target;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whose way of signing. All of them are HMAC-SHA256, but for Feishu's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `X-Hub-Signature-256: sha256=<hex>` of the body.
    GitHub,
    /// `X-Gitea-Signature: <hex>` of the body; Forgejo and Gogs have names of their own for it.
    Gitea,
    /// `webhook-signature: v1,<base64>` of `<webhook-id>.<webhook-timestamp>.<body>`; or `svix-…`, as
    /// they were called before.
    StandardWebhooks,
    /// `Stripe-Signature: t=<time>,v1=<hex>` of `<time>.<body>`.
    Stripe,
    /// `X-Slack-Signature: v0=<hex>` of `v0:<X-Slack-Request-Timestamp>:<body>`.
    Slack,
    /// `X-Gitee-Token`: the secret itself, or the base64 of a signature of
    /// `<X-Gitee-Timestamp>\n<secret>`.
    Gitee,
    /// `sign`: the base64 of a signature of `<timestamp>\n<secret>`; both are headers.
    DingTalk,
    /// `X-Lark-Signature`: what `feishu` says.
    Feishu,
}

impl Scheme {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::GitHub,
        Self::Gitea,
        Self::StandardWebhooks,
        Self::Stripe,
        Self::Slack,
        Self::Gitee,
        Self::DingTalk,
        Self::Feishu,
    ];

    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Gitea => "gitea",
            Self::StandardWebhooks => "standard-webhooks",
            Self::Stripe => "stripe",
            Self::Slack => "slack",
            Self::Gitee => "gitee",
            Self::DingTalk => "dingtalk",
            Self::Feishu => "feishu",
        }
    }

    /// How far the time of a signature may be from ours, where nothing is said of it.
    pub(crate) fn tolerance(self) -> Duration {
        match self {
            // Gitee names none, and clocks of self-hosted senders are worse than those of services;
            // DingTalk names this one.
            Self::Gitee | Self::DingTalk => Duration::from_secs(60 * 60),
            _ => TOLERANCE,
        }
    }
}

/// Whether the request has a signature of `secret`.
pub(super) fn verify(
    scheme: Scheme,
    secret: &Secret,
    tolerance: Duration,
    head: &Head,
    body: &[u8],
    now: u64,
) -> bool {
    verified(scheme, secret, tolerance, head, body, now).unwrap_or(false)
}

/// `None` where something that is needed is missing or malformed.
fn verified(
    scheme: Scheme,
    secret: &Secret,
    tolerance: Duration,
    head: &Head,
    body: &[u8],
    now: u64,
) -> Option<bool> {
    let fresh = |time: &[u8]| is_fresh(time, tolerance, now)?.then_some(());
    let hmac = |parts: &[&[u8]]| Tag::hmac(Hash::Sha256, secret, parts);
    match scheme {
        Scheme::GitHub => {
            let signature = head.only("x-hub-signature-256")?.strip_prefix(b"sha256=")?;
            Some(hmac(&[body])?.is(&hex(signature)?))
        }
        Scheme::Gitea => {
            let names = [
                "x-gitea-signature",
                "x-forgejo-signature",
                "x-gogs-signature",
            ];
            // Those that are there have to be one and the same: none is a way past another.
            let mut found = names.iter().filter(|name| head.has(name)).peekable();
            found.peek()?;
            let tag = hmac(&[body])?;
            let mut all = true;
            for name in found {
                all &= tag.is(&hex(head.only(name)?)?);
            }
            Some(all)
        }
        Scheme::StandardWebhooks => {
            // All of one kind: a time of one does not go with a signature of the other.
            let [id, time, signatures] = match head.has("webhook-signature") {
                true => ["webhook-id", "webhook-timestamp", "webhook-signature"],
                false => ["svix-id", "svix-timestamp", "svix-signature"],
            };
            let time = head.only(time)?;
            fresh(time)?;
            let tag = hmac(&[head.only(id)?, b".", time, b".", body])?;
            let mut found = false;
            for signature in head.only(signatures)?.split(|&byte| byte == b' ') {
                if let Some(encoded) = signature.strip_prefix(b"v1,")
                    && let Ok(signature) = STANDARD.decode(encoded)
                {
                    found |= tag.is(&signature);
                }
            }
            Some(found)
        }
        Scheme::Stripe => {
            let mut time = None;
            let mut signatures = Vec::new();
            for part in head.only("stripe-signature")?.split(|&byte| byte == b',') {
                let part = part.trim_ascii();
                if let Some(value) = part.strip_prefix(b"t=") {
                    // Two times would leave open which of them was signed.
                    if time.replace(value).is_some() {
                        return None;
                    }
                } else if let Some(value) = part.strip_prefix(b"v1=") {
                    signatures.push(hex(value)?);
                }
            }
            let time = time?;
            fresh(time)?;
            let tag = hmac(&[time, b".", body])?;
            let fits = |found, signature: &Vec<u8>| found | tag.is(signature);
            Some(signatures.iter().fold(false, fits))
        }
        Scheme::Slack => {
            let time = head.only("x-slack-request-timestamp")?;
            fresh(time)?;
            let signature = head.only("x-slack-signature")?.strip_prefix(b"v0=")?;
            Some(hmac(&[b"v0:", time, b":", body])?.is(&hex(signature)?))
        }
        Scheme::Gitee => {
            let token = head.only("x-gitee-token")?;
            if secret.is(token) {
                return Some(true);
            }
            let time = head.only("x-gitee-timestamp")?;
            fresh(time)?;
            // Its documents have it in percent-encoding, too.
            let signature = STANDARD.decode(target::decode(token)).ok()?;
            Some(hmac(&[time, b"\n", secret.bytes()])?.is(&signature))
        }
        Scheme::DingTalk => {
            let time = head.only("timestamp")?;
            fresh(time)?;
            let signature = STANDARD.decode(head.only("sign")?).ok()?;
            Some(hmac(&[time, b"\n", secret.bytes()])?.is(&signature))
        }
        Scheme::Feishu => feishu::verify(secret, tolerance, head, body, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    fn passes(scheme: Scheme, secret: &[u8], lines: &str, body: &[u8], now: u64) -> bool {
        let mut head = Head::default();
        head.read_request(format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n").as_bytes())
            .unwrap();
        let secret = Secret::new(secret.to_vec()).unwrap();
        verify(scheme, &secret, TOLERANCE, &head, body, now)
    }

    fn mac(secret: &[u8], text: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    fn to_hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn senders_of_one_kind_have_several_names() {
        let secret = b"hunter2";
        let signed = to_hex(&mac(secret, b"x"));
        let other = to_hex(&mac(secret, b"y"));
        let passes = |lines: &str| passes(Scheme::Gitea, secret, lines, b"x", 0);
        for name in [
            "X-Gitea-Signature",
            "X-Forgejo-Signature",
            "X-Gogs-Signature",
        ] {
            assert!(passes(&format!("{name}: {signed}\r\n")), "{name}");
            assert!(!passes(&format!("{name}: {other}\r\n")), "{name}");
        }
        let both = |one: &str, two: &str| {
            passes(&format!(
                "X-Gitea-Signature: {one}\r\nX-Gogs-Signature: {two}\r\n"
            ))
        };
        assert!(both(&signed, &signed));
        assert!(!both(&signed, &other) && !both(&other, &signed) && !both("", &signed));
        assert!(!passes(""));
    }

    #[test]
    fn svix_signs_under_its_own_names() {
        let key = b"0123456789abcdef0123456789abcdef";
        let signature = STANDARD.encode(mac(key, b"msg_1.100.x"));
        let lines = |id: &str, time: &str, signature_name: &str| {
            format!("{id}: msg_1\r\n{time}: 100\r\n{signature_name}: v1,{signature}\r\n")
        };
        let passes = |lines: &str| passes(Scheme::StandardWebhooks, key, lines, b"x", 100);
        assert!(passes(&lines(
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature"
        )));
        assert!(passes(&lines(
            "svix-id",
            "svix-timestamp",
            "svix-signature"
        )));
        assert!(!passes(&lines(
            "svix-id",
            "webhook-timestamp",
            "svix-signature"
        )));
        assert!(!passes(&lines(
            "svix-id",
            "svix-timestamp",
            "webhook-signature"
        )));
    }

    #[test]
    fn gitee_may_encode_its_signature() {
        let secret = b"hunter2";
        let time = "1700000000000";
        let text = [time.as_bytes(), b"\n", secret].concat();
        let token = STANDARD.encode(mac(secret, &text));
        let encoded = token
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        for token in [token, encoded] {
            let lines = format!("X-Gitee-Token: {token}\r\nX-Gitee-Timestamp: {time}\r\n");
            assert!(
                passes(Scheme::Gitee, secret, &lines, b"", 1_700_000_000),
                "{token}"
            );
        }
    }

    /// The example in GitHub's documentation ("Validating webhook deliveries").
    #[test]
    fn github_signs_the_body() {
        let secret = b"It's a Secret to Everybody";
        let good = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let line = |value: &str| format!("X-Hub-Signature-256: {value}\r\n");
        let passes =
            |value: &str, body: &[u8]| passes(Scheme::GitHub, secret, &line(value), body, 0);
        assert!(passes(&format!("sha256={good}"), b"Hello, World!"));
        assert!(passes(
            &format!("sha256={}", good.to_uppercase()),
            b"Hello, World!"
        ));
        assert!(!passes(&format!("sha256={good}"), b"Hello, World"));
        assert!(!passes(good, b"Hello, World!"));
        assert!(!passes("sha256=", b"Hello, World!"));
        assert!(!passes(&format!("sha1={good}"), b"Hello, World!"));
        assert!(!passes(
            &format!("sha256={}", &good[..62]),
            b"Hello, World!"
        ));
    }

    #[test]
    fn gitea_has_no_prefix() {
        let line = format!("X-Gitea-Signature: {}\r\n", to_hex(&mac(b"k", b"body")));
        assert!(passes(Scheme::Gitea, b"k", &line, b"body", 0));
        assert!(!passes(Scheme::Gitea, b"l", &line, b"body", 0));
    }

    /// The vector that the Standard Webhooks libraries are tested with.
    #[test]
    fn standard_webhooks_sign_id_and_time_too() {
        let key = |text: &str| {
            let secret = Secret::new(text.into())?;
            Some(secret.standard_webhooks_key()?.bytes().to_vec())
        };
        assert_eq!(key("whsec_?"), None);
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let lines = |time: u64| {
            format!(
                "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\nwebhook-timestamp: {time}\r\n\
                 webhook-signature: v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"
            )
        };
        let scheme = Scheme::StandardWebhooks;
        assert!(passes(
            scheme,
            &key,
            &lines(1_614_265_330),
            body,
            1_614_265_330 + 300
        ));
        assert!(!passes(
            scheme,
            &key,
            &lines(1_614_265_330),
            body,
            1_614_265_330 + 301
        ));
        assert!(!passes(
            scheme,
            &key,
            &lines(1_614_265_331),
            body,
            1_614_265_330
        ));
    }

    #[test]
    fn stripe_takes_any_of_its_signatures() {
        let good = to_hex(&mac(b"k", b"100.body"));
        let bad = "0".repeat(64);
        let passes = |value: &str| {
            let line = format!("Stripe-Signature: {value}\r\n");
            passes(Scheme::Stripe, b"k", &line, b"body", 100)
        };
        assert!(passes(&format!("t=100,v1={bad},v1={good},v0=x")));
        assert!(!passes(&format!("t=100,v1={bad}")));
        assert!(!passes(&format!("v1={good}")));
        assert!(!passes(&format!("t=101,v1={good}")));
        assert!(!passes(&format!("t=100,t=101,v1={good}")));
        assert!(!passes("t=100"));
    }

    #[test]
    fn slack_has_its_own_form() {
        let good = to_hex(&mac(b"k", b"v0:100:body"));
        let passes = |signature: &str, now| {
            let lines =
                format!("X-Slack-Request-Timestamp: 100\r\nX-Slack-Signature: {signature}\r\n");
            passes(Scheme::Slack, b"k", &lines, b"body", now)
        };
        assert!(passes(&format!("v0={good}"), 100));
        assert!(!passes(&format!("v0={good}"), 401));
        assert!(!passes(&good, 100));
    }

    #[test]
    fn gitee_has_two_ways() {
        let signature = STANDARD.encode(mac(b"k", b"1700000000000\nk"));
        let passes = |lines: &str, now| passes(Scheme::Gitee, b"k", lines, b"", now);
        assert!(passes("X-Gitee-Token: k\r\n", 0));
        let lines = format!("X-Gitee-Token: {signature}\r\nX-Gitee-Timestamp: 1700000000000\r\n");
        let now = 1_700_000_000;
        assert!(passes(&lines, now));
        assert!(!passes(&lines, now + 1_000));
        assert!(!passes(&format!("X-Gitee-Token: {signature}\r\n"), now));
        assert!(!passes(
            "X-Gitee-Token: x\r\nX-Gitee-Timestamp: 1700000000000\r\n",
            now
        ));
    }
}
