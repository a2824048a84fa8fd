//! An auth rule for a sender that nobody here knows: what its HMAC is of, and how it is written.
//!
//! Invariants: a signature is always of the body; a time that is looked at is always signed.

use crate::shim::auth::{
    AuthRule, Encoding, Hash, HmacRule, Secrets, Signed, SignedTime, TOLERANCE,
};
use crate::shim::config::reader::{At, Section};
use crate::text;

/// Reads the keys of a rule of kind `hmac`.
pub(super) fn read_rule(section: &Section<'_>, secrets: Option<Secrets>) -> Option<AuthRule> {
    let hash = named(
        section,
        "hash",
        Hash::named,
        "\"sha1\", \"sha256\", \"sha512\"",
    );
    let encoding = named(section, "encoding", Encoding::named, "\"hex\", \"base64\"");
    let prefix = section.string("prefix").map(|at| at.value);
    let header = section.header_name("header");
    if header.as_ref().is_none_or(Option::is_none) {
        section.error(
            None,
            text!(
                "an auth rule of kind \"hmac\" needs `header`",
                "\"hmac\" 类型的鉴权规则需要 `header`"
            ),
            text!(
                "name the header that holds the signature",
                "请写明存放签名的请求头名称"
            ),
        );
    }
    let time = time(section);
    let signed = signed(section, matches!(time, Ok(Some(_))));
    Some(AuthRule::Hmac(HmacRule {
        header: header??,
        hash: hash?.unwrap_or(Hash::Sha256),
        encoding: encoding?.unwrap_or(Encoding::Hex),
        prefix: prefix.unwrap_or_default(),
        signed: signed?,
        time: time.ok()?,
        secrets: secrets?,
    }))
}

/// The value at `key`, if there is one; nothing when it is none of `names`.
fn named<T>(
    section: &Section<'_>,
    key: &'static str,
    read: impl Fn(&str) -> Option<T>,
    names: &str,
) -> Option<Option<T>> {
    let Some(At { value, line }) = section.string(key) else {
        return Some(None);
    };
    let found = read(&value);
    if found.is_none() {
        section.error(
            line,
            text!("the value of `{key}` is invalid", "`{key}` 的值无效"),
            text!("write one of: {names}", "请写成以下之一：{names}"),
        );
    }
    found.map(Some)
}

/// The time, if there is one.
fn time(section: &Section<'_>) -> Result<Option<SignedTime>, ()> {
    let tolerance = section.duration("tolerance");
    match section.header_name("timestamp_header") {
        Some(Some(header)) => Ok(Some(SignedTime {
            header,
            tolerance: tolerance.map_or(TOLERANCE, |at| at.value),
        })),
        Some(None) => {
            section.error(
                None,
                text!(
                    "the value of `timestamp_header` is not the name of a header",
                    "`timestamp_header` 的值不是请求头名称"
                ),
                text!(
                    "write it like \"X-Timestamp\"",
                    "请写成 \"X-Timestamp\" 这样的形式"
                ),
            );
            Err(())
        }
        None => match tolerance {
            None => Ok(None),
            Some(At { line, .. }) => {
                section.error(
                    line,
                    text!(
                        "`tolerance` means nothing without `timestamp_header`",
                        "没有 `timestamp_header` 时 `tolerance` 不起作用"
                    ),
                    text!(
                        "name the header that holds the time, or remove the line",
                        "请写明存放时间戳的请求头，或删除这一行"
                    ),
                );
                Err(())
            }
        },
    }
}

fn signed(section: &Section<'_>, has_time: bool) -> Option<Signed> {
    let said = section.string("signed");
    let line = said.as_ref().and_then(|at| at.line);
    let signed = match said {
        Some(At { value, .. }) => Signed::parse(&value),
        None => Some(Signed::body()),
    };
    let Some(signed) = signed else {
        section.error(
            line,
            text!(
                "the value of `signed` is not understood",
                "无法理解 `signed` 的值"
            ),
            text!(
                "write text with {{body}}, {{timestamp}} and {{header:NAME}} in their places, as in \
                 \"{{timestamp}}.{{body}}\"",
                "请写成含有 {{body}}、{{timestamp}}、{{header:NAME}} 的文本，例如 \"{{timestamp}}.{{body}}\""
            ),
        );
        return None;
    };
    if !signed.has_body() {
        section.error(
            line,
            text!(
                "`signed` leaves the body out: whoever has seen one request could send any other",
                "`signed` 没有包含请求体：截获过一个请求的人就能发送任意内容"
            ),
            text!(
                "write {{body}} where it is signed",
                "请在相应位置写上 {{body}}"
            ),
        );
        return None;
    }
    if signed.has_time() != has_time {
        section.error(
            line,
            text!(
                "`timestamp_header` and {{timestamp}} in `signed` go together: a time that is not signed \
                 proves nothing",
                "`timestamp_header` 与 `signed` 中的 {{timestamp}} 必须同时出现：未签名的时间戳不能证明什么"
            ),
            text!(
                "write both, as in `signed = \"{{timestamp}}.{{body}}\"`, or neither",
                "请同时写上，例如 `signed = \"{{timestamp}}.{{body}}\"`，或都不写"
            ),
        );
        return None;
    }
    Some(signed)
}
