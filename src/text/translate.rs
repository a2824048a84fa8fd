//! What the system and libraries say, in both languages.
//!
//! Why: a Chinese sentence with an English reason in it is half a sentence. Reasons that users meet
//! are said in both languages; of the rest the original is kept in parentheses, since it is what
//! people search for.

use std::io::{Error, ErrorKind};

use super::Text;
use crate::text;

/// Why the system could not do something.
pub fn io_error(error: &Error) -> Text {
    let (en, zh) = match error.kind() {
        ErrorKind::NotFound => ("no such file or folder", "没有这个文件或文件夹"),
        ErrorKind::PermissionDenied => ("permission denied", "没有权限"),
        ErrorKind::ConnectionRefused => ("connection refused", "连接被拒绝"),
        ErrorKind::ConnectionReset => ("connection reset", "连接被重置"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            ("no route leads there", "网络不可达")
        }
        ErrorKind::AddrInUse => ("the address is in use", "地址已被占用"),
        ErrorKind::AddrNotAvailable => ("this machine has no such address", "本机没有这个地址"),
        ErrorKind::TimedOut => ("timed out", "超时"),
        ErrorKind::IsADirectory => ("it is a folder", "它是文件夹"),
        ErrorKind::NotADirectory => ("a part of the path is no folder", "路径中有一级不是文件夹"),
        ErrorKind::ReadOnlyFilesystem => ("the file system is read-only", "文件系统只读"),
        ErrorKind::StorageFull => ("no space is left", "磁盘空间不足"),
        ErrorKind::InvalidData => ("it is not UTF-8", "不是 UTF-8 文本"),
        // As `regular_file` says them; the system has a number for what it says itself.
        ErrorKind::InvalidInput if error.raw_os_error().is_none() => {
            ("it is not a regular file", "它不是普通文件")
        }
        ErrorKind::FileTooLarge => ("it is too large", "文件过大"),
        #[cfg(unix)]
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            ("its link leads back to itself", "链接指向了自身")
        }
        _ => return text!("{error}", "系统错误（{error}）"),
    };
    Text::new(en, zh)
}

/// What a TOML parser says about a text.
pub fn toml_error(message: &str) -> Text {
    let message = message.trim_end().replace('\n', "; ");
    let zh = in_chinese(&message).unwrap_or_else(|| format!("TOML 语法错误（{message}）"));
    Text::new(message, zh)
}

/// What a JSON parser says about a text, without the place.
pub fn json_error(message: &str) -> Text {
    let zh = in_chinese(message).unwrap_or_else(|| format!("JSON 格式错误（{message}）"));
    Text::new(message, zh)
}

/// What serde says about the shape of a text that can be read; none for anything else.
fn in_chinese(message: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("missing field ") {
        return Some(format!("缺少键 {rest}"));
    }
    for (start, what) in [
        ("unknown field ", "没有这个键："),
        ("unknown variant ", "没有这个值："),
        ("duplicate field ", "键重复："),
    ] {
        let Some(rest) = message.strip_prefix(start) else {
            continue;
        };
        return Some(match rest.split_once(", expected ") {
            Some((given, known)) => {
                let known = known.strip_prefix("one of ").unwrap_or(known);
                let known = known.replace(" or ", "、").replace(", ", "、");
                format!("{what}{given}；可用的有 {known}")
            }
            None => format!("{what}{rest}"),
        });
    }
    let (given, expected) = message
        .strip_prefix("invalid type: ")?
        .split_once(", expected ")?;
    let (kind, value) = given.split_once(' ').unwrap_or((given, ""));
    let (kind, expected) = (name_of(kind), name_of(expected.trim_start_matches("a ")));
    Some(format!("类型不对：这里是{kind} {value}，应为{expected}").replace(" ，", "，"))
}

/// The kinds of values that serde names.
fn name_of(kind: &str) -> &str {
    match kind {
        "string" => "文本",
        "integer" | "i64" => "整数",
        "boolean" => "布尔值",
        "floating" => "小数",
        "sequence" => "列表",
        "map" => "表",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn reasons_of_the_system_are_said_in_both_languages() {
        let refused = io_error(&Error::from(ErrorKind::ConnectionRefused));
        assert_eq!(refused.get(Lang::En), "connection refused");
        assert_eq!(refused.get(Lang::Zh), "连接被拒绝");
        let rare = io_error(&Error::other("odd"));
        assert_eq!(rare.get(Lang::En), "odd");
        assert_eq!(rare.get(Lang::Zh), "系统错误（odd）");
    }

    #[test]
    fn what_serde_says_is_said_in_chinese() {
        let zh = |message| toml_error(message).get(Lang::Zh).to_owned();
        assert_eq!(zh("missing field `target`"), "缺少键 `target`");
        assert_eq!(
            zh("unknown field `x`, expected one of `a`, `b`"),
            "没有这个键：`x`；可用的有 `a`、`b`"
        );
        assert_eq!(
            zh("unknown variant `x`, expected `context` or `request`"),
            "没有这个值：`x`；可用的有 `context`、`request`"
        );
        assert_eq!(
            zh("invalid type: integer `3`, expected a string"),
            "类型不对：这里是整数 `3`，应为文本"
        );
        assert_eq!(
            zh("unclosed array\nexpected `]`"),
            "TOML 语法错误（unclosed array; expected `]`）"
        );
        let zh = |message| json_error(message).get(Lang::Zh).to_owned();
        assert_eq!(zh("missing field `path`"), "缺少键 `path`");
        assert_eq!(
            zh("expected `,` or `}`"),
            "JSON 格式错误（expected `,` or `}`）"
        );
    }
}
