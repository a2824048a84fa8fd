//! What looks like a secret is not shown.
//!
//! Why guess at all: nobody puts a secret into `User-Agent` on purpose, but some senders can set no
//! other header. A name that is redacted by mistake costs a line of a log; a secret that is not can
//! be read by everyone who reads the log.

use std::borrow::Cow;

/// The longest name of a sender that is looked at; what comes after it is cut off.
const LONGEST: usize = 512;
/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "***";

/// Words after which a secret comes.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "digest", "apikey", "key"];
/// Parts of names that secrets have, without `-` and `_`.
const SECRET_NAMES: &[&str] = &[
    "token",
    "secret",
    "signature",
    "apikey",
    "passw",
    "auth",
    "cookie",
    "credential",
    "pwd",
    "privatekey",
    "session",
];
/// Names that are secrets as they are, and no parts of names: `monkey` and `pinned` are not.
const SECRET_WORDS: &[&str] = &["key", "pin", "otp", "sig", "sign"];

/// Whether a header, a parameter or a key with this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let mut words = name.split(['-', '_', '.']);
    let is_word = |word: &str| {
        SECRET_WORDS
            .iter()
            .any(|other| word.eq_ignore_ascii_case(other))
    };
    if words.any(is_word) {
        return true;
    }
    let name: String = name
        .chars()
        .filter(|character| !matches!(character, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect();
    // Authors are everywhere, and no secrets.
    let name = name
        .replace("authoris", "auth")
        .replace("authoriz", "auth")
        .replace("author", "");
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// A `User-Agent` without what looks like a secret: the value of each `name=value`, what follows
/// `Bearer` and its like, the user of a URL, and long runs of letters with digits.
pub(crate) fn user_agent(whole: &[u8]) -> Cow<'_, [u8]> {
    let bytes = &whole[..whole.len().min(LONGEST)];
    let is_cut = bytes.len() < whole.len();
    let mut redacted = Vec::new();
    // Up to where `bytes` have been copied.
    let mut copied = 0;
    let mut expected = false;
    let mut start = 0;
    while start < bytes.len() {
        if is_between(bytes[start]) {
            start += 1;
            continue;
        }
        let length = bytes[start..].iter().position(|&byte| is_between(byte));
        let end = length.map_or(bytes.len(), |length| start + length);
        let word = &bytes[start..end];
        let (secret, next) = secret_in(word, expected, is_cut && end == bytes.len());
        if let Some((from, to)) = secret {
            redacted.extend_from_slice(&bytes[copied..start + from]);
            redacted.extend_from_slice(REDACTED.as_bytes());
            copied = start + to;
        }
        expected = next;
        start = end;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    redacted.extend_from_slice(&bytes[copied..]);
    Cow::Owned(redacted)
}

fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b";,()<>[]{}\"'".contains(&byte)
}

/// Where in `word` a secret is, and whether one is expected in the word after it.
fn secret_in(word: &[u8], expected: bool, is_cut: bool) -> (Option<(usize, usize)>, bool) {
    let is_scheme = SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme.as_bytes()));
    if is_scheme {
        return (None, true);
    }
    let end = word.len();
    if expected {
        return (Some((0, end)), false);
    }
    if let Some(from) = memchr::memmem::find(word, b"://")
        && let Some(at) = memchr::memrchr(b'@', word)
        && at > from + 3
    {
        // A query of the same URL goes with it.
        let to = memchr::memchr(b'=', &word[at..]).map_or(at, |_| end);
        return (Some((from + 3, to)), false);
    }
    // At its end a `=` may be the padding of base64.
    let padded = word.iter().rposition(|&byte| byte != b'=');
    let unpadded = padded.map_or(0, |last| last + 1);
    if let Some(at) = memchr::memchr(b'=', &word[..unpadded]) {
        return (Some((at + 1, end)), false);
    }
    if unpadded < end && is_secret_name(&String::from_utf8_lossy(&word[..unpadded])) {
        return (memchr::memchr(b':', word).map(|at| (at + 1, end)), true);
    }
    if let Some(at) = memchr::memchr(b':', word)
        && is_secret_name(&String::from_utf8_lossy(&word[..at]))
    {
        return match at + 1 < end {
            true => (Some((at + 1, end)), false),
            false => (None, true),
        };
    }
    (run_in(word, is_cut), false)
}

/// The first run of characters that looks made by a machine, up to the end of the word: what
/// follows it may be the rest of it.
fn run_in(word: &[u8], is_cut: bool) -> Option<(usize, usize)> {
    let mut start = 0;
    for run in word.split(|&byte| !(byte.is_ascii_alphanumeric() || b"+-_".contains(&byte))) {
        let reaches_the_cut = is_cut && start + run.len() == word.len();
        if is_machine_made(run) || reaches_the_cut {
            return Some((start, word.len()));
        }
        start += run.len() + 1;
    }
    None
}

fn is_machine_made(run: &[u8]) -> bool {
    let has_digit = |piece: &[u8]| piece.iter().any(u8::is_ascii_digit);
    let random = |piece: &[u8]| {
        let has_letter = piece.iter().any(u8::is_ascii_alphabetic);
        piece.len() >= 40
            || piece.len() >= 20 && has_digit(piece) && has_letter
            || piece.len() >= 16 && has_digit(piece) && piece.iter().all(u8::is_ascii_hexdigit)
    };
    run.len() >= 32 && has_digit(run) || run.split(|byte| b"-_".contains(byte)).any(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_senders_stay() {
        for name in [
            "GitHub-Hookshot/044aadd",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.129",
            "python-requests/2.31.0",
            "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Bitbucket-Webhooks/2.0",
            "ESP8266HTTPClient",
            "curl/8.5.0",
            "中文/1",
            "",
        ] {
            let shown = user_agent(name.as_bytes());
            assert_eq!(String::from_utf8_lossy(&shown), name);
        }
    }

    #[test]
    fn what_looks_like_a_secret_does_not() {
        for (name, shown) in [
            ("ci/1 token=hunter2; x", "ci/1 token=***; x"),
            ("ci/1 id=7", "ci/1 id=***"),
            ("ci token: hunter2 end", "ci token: *** end"),
            ("ci api_key:hunter2", "ci api_key:***"),
            ("ci password= hunter2", "ci password= ***"),
            ("Bearer hunter2", "Bearer ***"),
            (
                "ci Authorization: Bearer hunter2",
                "ci Authorization: Bearer ***",
            ),
            ("ci/deadbeefdeadbee0", "ci/***"),
            ("ci (ghp_16C7e42F292c6912E7710c838347Ae178B4a)", "ci (***)"),
            ("ci/wJalrXUtnFEMI7K1MDENG/bPxRfiCYEX", "ci/***"),
            ("x 123e4567-e89b-12d3-a456-426614174000", "x ***"),
            (
                "+https://me:hunter2@ci.example/",
                "+https://***@ci.example/",
            ),
            (
                "+https://ci.example/?token=hunter2",
                "+https://ci.example/?token=***",
            ),
        ] {
            let seen = user_agent(name.as_bytes());
            assert_eq!(String::from_utf8_lossy(&seen), shown, "{name}");
        }
    }

    #[test]
    fn a_secret_is_not_cut_in_two_and_half_shown() {
        let name = format!("{} short123{}", "a b ".repeat(126), "x".repeat(600));
        let shown = user_agent(name.as_bytes());
        assert!(shown.len() <= LONGEST);
        assert!(
            shown.ends_with(b" ***"),
            "{}",
            String::from_utf8_lossy(&shown)
        );
    }

    #[test]
    fn names_of_secrets_are_known_however_they_are_written() {
        for name in [
            "X-Hub-Signature-256",
            "Authorization",
            "api_key",
            "apiKey",
            "PASSWORD",
            "Set-Cookie",
            "Proxy-Authorization",
            "pwd",
            "private_key",
            "X-Session-Id",
            "otp",
            "pin",
            "key",
            "X-Api.Key",
            "access_key_id",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "Host",
            "Content-Type",
            "monkey",
            "footprint",
            "pinned",
            "name",
            "X-GitHub-Event",
            "author",
            "authors",
            "co_authored_by",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
