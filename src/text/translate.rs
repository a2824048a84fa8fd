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
        ErrorKind::NotFound => ("no such file or folder", "文件或文件夹不存在"),
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
        ErrorKind::NotADirectory => (
            "a part of the path is not a folder",
            "路径中有一级不是文件夹",
        ),
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
    let zh = shape(&message, "表", &[])
        .or_else(|| toml_syntax(&message))
        .unwrap_or_else(|| format!("TOML 语法错误（{message}）"));
    Text::new(message, zh)
}

/// What a JSON parser says about a text, without the place. `ours` are the names of what our own types
/// expect, in both languages.
pub fn json_error(message: &str, ours: &[(&str, &str)]) -> Text {
    let zh = shape(message, "对象", ours)
        .or_else(|| Some(format!("JSON 格式错误：{}", of(JSON_SYNTAX, message)?)))
        .unwrap_or_else(|| format!("JSON 格式错误（{message}）"));
    Text::new(message, zh)
}

/// What serde says about the shape of a text that can be read; none for anything else.
fn shape(message: &str, map: &str, ours: &[(&str, &str)]) -> Option<String> {
    if let Some(rest) = message.strip_prefix("missing field ") {
        return Some(format!("缺少键 {rest}"));
    }
    for (start, what, which) in [
        ("unknown field ", "未知的键", "键"),
        ("unknown variant ", "无效的取值", "取值"),
        ("duplicate field ", "重复的键", "键"),
    ] {
        let Some(rest) = message.strip_prefix(start) else {
            continue;
        };
        return Some(match rest.split_once(", expected ") {
            Some((given, known)) => {
                let known = known.strip_prefix("one of ").unwrap_or(known);
                let known = known.replace(" or ", "、").replace(", ", "、");
                format!("{what} {given}；可用的{which}有 {known}")
            }
            // There is nothing to choose from.
            None => format!("{what} {}", rest.split(", ").next()?),
        });
    }
    let (what, rest) = [
        ("invalid type: ", "类型错误"),
        ("invalid value: ", "值无效"),
        ("invalid length ", "长度错误"),
    ]
    .into_iter()
    .find_map(|(start, what)| Some((what, message.strip_prefix(start)?)))?;
    let (given, expected) = rest.split_once(", expected ")?;
    let expected = of(ours, expected)
        .map(str::to_owned)
        .or_else(|| kind(expected, map))?;
    // A kind, and the value where it has a short one; of a wrong length the number.
    let (name, value) = match given.split_once(' ') {
        Some(_) if given.starts_with("floating point") => ("floating point", &given[14..]),
        Some((name, value)) => (name, value.trim_start()),
        None => (given, ""),
    };
    let given = match what {
        "长度错误" => given.to_owned(),
        _ => format!("{} {}", kind(name, map)?, value.trim_start()),
    };
    Some(format!(
        "{what}：应为{expected}，实际为{}",
        given.trim_end()
    ))
}

/// A kind of value as serde names it.
fn kind(name: &str, map: &str) -> Option<String> {
    let name = name.strip_prefix("a ").unwrap_or(name);
    let name = name.strip_prefix("an ").unwrap_or(name);
    Some(match name {
        "string" | "character" | "str" => "字符串".to_owned(),
        "integer" | "i64" | "u64" | "usize" => "整数".to_owned(),
        "boolean" => "布尔值".to_owned(),
        "floating point" | "f64" => "浮点数".to_owned(),
        "sequence" | "array" => "数组".to_owned(),
        "null" | "unit" => "null".to_owned(),
        "map" | "table" => map.to_owned(),
        _ if name.starts_with("struct ") => map.to_owned(),
        _ => format!("长度为 {} 的数组", name.strip_prefix("tuple of size ")?),
    })
}

fn of<'t>(table: &[(&str, &'t str)], message: &str) -> Option<&'t str> {
    let (_, zh) = table.iter().find(|(en, _)| *en == message)?;
    Some(zh)
}

/// What `toml_edit` says of a text that is not TOML: what is wrong, and what it expected there.
fn toml_syntax(message: &str) -> Option<String> {
    let (what, expected) = message
        .split_once(", expected ")
        .map_or((message, None), |(what, expected)| (what, Some(expected)));
    let what = of(TOML_SYNTAX, what)?;
    // What is quoted means the same in both languages; words add nothing to what was said.
    let expected = expected.filter(|expected| {
        expected
            .split(", ")
            .all(|one| one.starts_with('`') && one.ends_with('`'))
    });
    Some(match expected {
        Some(expected) => format!(
            "TOML 语法错误：{what}，应为 {}",
            expected.replace(", ", "、")
        ),
        None => format!("TOML 语法错误：{what}"),
    })
}

const TOML_SYNTAX: &[(&str, &str)] = &[
    ("duplicate key", "键重复"),
    ("extra `=`", "多余的 `=`"),
    ("extra assignment between key-value pairs", "多余的 `=`"),
    ("extra comma in array", "数组中有多余的逗号"),
    ("extra comma in inline table", "内联表中有多余的逗号"),
    ("integer number overflowed", "整数超出范围"),
    ("invalid key-value pair", "键值对无效"),
    ("invalid unquoted key", "没有引号的键无效"),
    ("invalid value", "值无效"),
    ("key with no value", "键没有值"),
    (
        "missing assignment between key-value pairs",
        "键和值之间缺少 `=`",
    ),
    (
        "missing comma between array elements",
        "数组元素之间缺少逗号",
    ),
    (
        "missing comma between key-value pairs",
        "键值对之间缺少逗号",
    ),
    ("missing value", "缺少值"),
    ("missing value for key", "键没有值"),
    ("string values must be quoted", "字符串必须加引号"),
    ("unclosed array", "数组没有结束"),
    ("unclosed array table", "表数组的标题没有结束"),
    ("unclosed inline table", "内联表没有结束"),
    ("unclosed table", "表的标题没有结束"),
    ("unexpected content", "多余的内容"),
    ("unexpected key or value", "多余的键或值"),
];

/// All that `serde_json` says of a text that is not JSON.
const JSON_SYNTAX: &[(&str, &str)] = &[
    ("EOF while parsing a list", "数组没有结束"),
    ("EOF while parsing a string", "字符串没有结束"),
    ("EOF while parsing a value", "内容提前结束"),
    ("EOF while parsing an object", "对象没有结束"),
    ("expected `:`", "应为 `:`"),
    ("expected `,` or `]`", "应为 `,` 或 `]`"),
    ("expected `,` or `}`", "应为 `,` 或 `}`"),
    ("expected ident", "应为 `true`、`false` 或 `null`"),
    ("expected value", "缺少值"),
    ("invalid escape", "转义无效"),
    ("invalid number", "数字无效"),
    ("invalid unicode code point", "Unicode 码位无效"),
    ("key must be a string", "键必须是字符串"),
    (
        "lone leading surrogate in hex escape",
        "转义中的代理项不成对",
    ),
    ("number out of range", "数字超出范围"),
    ("recursion limit exceeded", "嵌套过深"),
    ("trailing characters", "之后还有多余的内容"),
    ("trailing comma", "多余的逗号"),
    ("unexpected end of hex escape", "转义没有结束"),
    (
        "control character (\\u0000-\\u001F) found while parsing a string",
        "字符串中有控制字符",
    ),
];

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
        for (message, zh) in [
            ("missing field `target`", "缺少键 `target`"),
            (
                "unknown field `x`, expected one of `a`, `b`",
                "未知的键 `x`；可用的键有 `a`、`b`",
            ),
            (
                "unknown variant `x`, expected `context` or `request`",
                "无效的取值 `x`；可用的取值有 `context`、`request`",
            ),
            (
                "invalid type: integer `3`, expected a string",
                "类型错误：应为字符串，实际为整数 `3`",
            ),
            (
                "invalid type: floating point `1.5`, expected a map",
                "类型错误：应为表，实际为浮点数 `1.5`",
            ),
            (
                "invalid type: string \"x or y\", expected a sequence",
                "类型错误：应为数组，实际为字符串 \"x or y\"",
            ),
            (
                "unclosed array, expected `]`",
                "TOML 语法错误：数组没有结束，应为 `]`",
            ),
            (
                "string values must be quoted, expected literal string",
                "TOML 语法错误：字符串必须加引号",
            ),
            ("odd\nindeed", "TOML 语法错误（odd; indeed）"),
        ] {
            assert_eq!(toml_error(message).get(Lang::Zh), zh, "{message}");
        }
    }

    /// A value of each kind, for a type that takes none of them but what its name says.
    #[test]
    fn no_reason_of_json_is_half_in_english() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Shape {
            _text: Option<String>,
            _number: Option<u64>,
            _yes: Option<bool>,
            _list: Option<Vec<String>>,
            _pair: Option<(String, String)>,
            _object: Option<std::collections::BTreeMap<String, String>>,
            _one: Option<Choice>,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Choice {
            A,
            B,
        }
        let mut texts: Vec<String> = [
            "[",
            "{",
            "\"",
            "",
            "{\"a\"}",
            "[1 2]",
            "{\"a\": 1 \"b\"}",
            "tru",
            "\"\\x\"",
            "-",
            "{1: 2}",
            "\"\\ud800\"",
            "1e999",
            "{} {}",
            "[1,]",
            "\"\\u12",
            "\"\u{1}\"",
            "\"\\ud800\\u0041\"",
        ]
        .map(str::to_owned)
        .into();
        for key in [
            "_text", "_number", "_yes", "_list", "_pair", "_object", "_one", "_other",
        ] {
            for value in [
                "1",
                "-1",
                "1.5",
                "true",
                "null",
                "\"an x or y\"",
                "[]",
                "[1]",
                "{}",
                "{\"a\": 1}",
            ] {
                texts.push(format!("{{\"{key}\": {value}}}"));
            }
        }
        let mut said = 0;
        for text in texts {
            let error = match serde_json::from_str::<Shape>(&text) {
                Ok(_) => continue,
                Err(error) => error.to_string(),
            };
            let message = error.split(" at line ").next().unwrap_or_default();
            let zh = json_error(message, &[]).get(Lang::Zh).to_owned();
            let ours: String = zh.split(['`', '"']).step_by(2).collect();
            assert!(!ours.contains("expected"), "{text}: {message}: {zh}");
            assert!(
                !ours.contains(" an ") && !ours.contains(" or "),
                "{text}: {message}: {zh}"
            );
            said += 1;
        }
        assert!(said > 40, "{said}");
    }

    #[test]
    fn what_our_own_types_expect_has_a_name_in_both_languages() {
        let ours = [(
            "an object of headers, or a list of pairs",
            "对象或键值对数组",
        )];
        let message =
            "invalid type: integer `3`, expected an object of headers, or a list of pairs";
        let text = json_error(message, &ours);
        assert_eq!(
            text.both(),
            (message, "类型错误：应为对象或键值对数组，实际为整数 `3`")
        );
    }
}
