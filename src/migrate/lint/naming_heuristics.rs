//! What the names that authors give to things say: whether one is that of a secret, and whether
//! calling one checks something.
//!
//! Names are taken apart into words, so that `design` does not count as `sign`, nor `author` as `auth`.

/// The words of a name, in lower case: `X-Hub-Signature` and `checkSign_2` are three each.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        let starts_word = !c.is_alphanumeric() || (c.is_uppercase() && after_lower);
        if starts_word && !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if c.is_alphanumeric() {
            current.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    if !current.is_empty() {
        words.push(current);
    }
    words
}

/// Words that make a name that of a secret, a token or a signature. Plurals are left out:
/// `max_tokens` is a limit.
const SECRET_WORDS: &[&str] = &[
    "apikey",
    "auth",
    "authentication",
    "authorization",
    "credential",
    "hmac",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "secretkey",
    "sig",
    "sign",
    "signature",
    "token",
];

/// What stands before `key` in the name of a secret; `chat_key` and `store_key` are not secrets.
const KEY_WORDS: &[&str] = &[
    "access", "api", "app", "encrypt", "hook", "private", "secret", "security", "shared", "sign",
    "signing", "verify", "webhook",
];

/// Last words of names that speak about a secret instead of holding one.
const ABOUT_WORDS: &[&str] = &[
    "algorithm",
    "description",
    "env",
    "error",
    "field",
    "file",
    "expires",
    "header",
    "headers",
    "id",
    "label",
    "length",
    "limit",
    "message",
    "method",
    "name",
    "param",
    "parameter",
    "path",
    "prefix",
    "scheme",
    "nonce",
    "suffix",
    "timestamp",
    "title",
    "ttl",
    "type",
    "uri",
    "url",
    "var",
    "version",
];

/// Whether a name says that it holds a secret, a token or a signature; `token_type` does not.
pub(super) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let about = words
        .last()
        .is_some_and(|last| ABOUT_WORDS.contains(&last.as_str()));
    let names_one = words
        .iter()
        .any(|word| SECRET_WORDS.contains(&word.as_str()));
    let names_key = words
        .windows(2)
        .any(|pair| pair[1] == "key" && KEY_WORDS.contains(&pair[0].as_str()));
    let is_key = matches!(words.as_slice(), [only] if only == "key");
    !about && (names_one || names_key || is_key)
}

/// Schemes, algorithms and the like, which stand beside tokens without being one.
const SCHEMES: &[&str] = &[
    "application",
    "basic",
    "bearer",
    "digest",
    "false",
    "hmac-sha256",
    "ed25519",
    "none",
    "null",
    "sha1",
    "sha256",
    "sha512",
    "secret",
    "signature",
    "token",
    "true",
    "undefined",
];

/// Whether a string that is compared with a token, or bound to the name of a secret, can be one:
/// not a scheme, the name of a header or a variable, a path or a sentence.
pub(super) fn can_be_secret(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let is_variable = text.contains('_')
        && text
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
    lower.len() >= 4
        && !SCHEMES.contains(&lower.as_str())
        && !lower.starts_with("x-")
        && !lower.starts_with('/')
        && !lower.ends_with('=')
        && !lower.contains("://")
        && !text.contains(char::is_whitespace)
        && !text.contains('{')
        && !is_variable
}

/// Whether calling something of this name checks who is calling, as far as the name tells.
pub(super) fn is_check(name: &str) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&[
        "verify",
        "verifies",
        "verified",
        "verifier",
        "verification",
        "authenticate",
        "authenticated",
        "authorize",
        "authorized",
        "hmac",
        "signature",
    ]) || (has(&[
        "check", "checks", "valid", "validate", "is", "ensure", "require", "compare", "match",
        "assert", "guard", "allow", "allowed", "test",
    ]) && has(&[
        "sign",
        "sig",
        "signed",
        "token",
        "secret",
        "auth",
        "ip",
        "host",
        "address",
        "sender",
        "source",
        "password",
        "permission",
        "key",
        "trusted",
        "whitelist",
        "allowlist",
    ])) || matches!(words.as_slice(), [only] if only == "auth")
}

/// Whether a name speaks of signatures.
pub(super) fn is_about_signatures(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "hmac" | "sig" | "sign" | "signature" | "signatures" | "signed"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_others() {
        for name in [
            "X-Hub-Signature-256",
            "x-gitlab-token",
            "WEBHOOK_SECRET",
            "apiKey",
            "API_KEY",
            "sign",
            "Authorization",
            "key",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "chat_key",
            "author",
            "design",
            "MAX_TOKENS",
            "X-GitHub-Event",
            "keyboard",
            "assigned",
            "token_type",
            "X-Signature-Timestamp",
            "TOKEN_HEADER",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn names_of_checks_are_told_from_others() {
        for name in [
            "verify",
            "_check_sign",
            "verifySignature",
            "authenticate",
            "is_allowed_ip",
        ] {
            assert!(is_check(name), "{name}");
        }
        for name in [
            "check_run",
            "send_text",
            "sign_off",
            "validate_payload",
            "author",
        ] {
            assert!(!is_check(name), "{name}");
        }
    }

    #[test]
    fn what_stands_beside_a_token_is_no_secret() {
        assert!(can_be_secret("s3cr3t-value"));
        for text in [
            "Bearer",
            "sha256=",
            "X-Token",
            "WEBHOOK_SECRET",
            "no token given",
            "",
            "/a/b",
        ] {
            assert!(!can_be_secret(text), "{text}");
        }
    }
}
