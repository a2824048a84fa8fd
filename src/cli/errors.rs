//! Chinese for what clap says when the arguments are wrong.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{localize, tips};
use crate::text::Lang;

/// The whole message for an error of the arguments in Chinese, to be printed to stderr; none when
/// it is not an error but help or the version.
pub(super) fn error_in_chinese(error: &clap::Error) -> Option<String> {
    let of = |kind| error.get(kind).map(value_text).unwrap_or_default();
    let argument = of(ContextKind::InvalidArg);
    let value = of(ContextKind::InvalidValue);
    let mut message = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::InvalidSubcommand => {
            format!("没有名为 `{}` 的命令", of(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument => format!("多余或无法识别的参数 `{argument}`"),
        ErrorKind::InvalidValue | ErrorKind::NoEquals if value.is_empty() => {
            format!("参数 `{argument}` 缺少取值")
        }
        ErrorKind::InvalidValue => format!("参数 `{argument}` 的取值 `{value}` 无效"),
        ErrorKind::ValueValidation => {
            let reason = error
                .source()
                .map(|source| format!("：{}", reason_in_chinese(&source.to_string())));
            format!(
                "参数 `{argument}` 的取值 `{value}` 无效{}",
                reason.unwrap_or_default()
            )
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数 `{argument}`"),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::ArgumentConflict if of(ContextKind::PriorArg) == argument => {
            format!("参数 `{argument}` 不能重复使用")
        }
        ErrorKind::ArgumentConflict => format!(
            "参数 `{argument}` 不能与 `{}` 同时使用",
            of(ContextKind::PriorArg)
        ),
        ErrorKind::TooManyValues => format!("参数 `{argument}` 的取值 `{value}` 是多余的"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("参数 `{argument}` 的取值个数不对")
        }
        ErrorKind::InvalidUtf8 => "参数中含有不符合 UTF-8 的内容".to_owned(),
        _ => "参数有误".to_owned(),
    };
    let valid = of(ContextKind::ValidValue);
    if !valid.is_empty() {
        message.push_str(&format!("\n  可选值：{valid}"));
    }
    let suggested = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let suggested = suggested.into_iter().map(of).find(|text| !text.is_empty());
    if let Some(suggested) = suggested {
        message.push_str(&format!("\n  您要找的可能是：{suggested}"));
    }
    if let Some(tip) = tips::tip(error) {
        message.push_str(&format!("\n  提示：{}", tip.get(Lang::Zh)));
    }
    let usage = localize::own_words(&of(ContextKind::Usage), Lang::Zh);
    let usage = usage.trim_start_matches("Usage:").trim();
    if !usage.is_empty() {
        message.push_str(&format!("\n\n用法：{usage}"));
    }
    Some(format!(
        "错误：{message}\n\n更多信息请使用 `--help` 查看。\n"
    ))
}

/// Why a value is refused, as clap and the standard library say it of numbers.
fn reason_in_chinese(reason: &str) -> String {
    if let Some((_, range)) = reason.split_once(" is not in ")
        && let Some((least, most)) = range.split_once("..=")
    {
        return format!("应在 {least} 到 {most} 之间");
    }
    match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "不是非负整数".to_owned()
        }
        other => other.to_owned(),
    }
}

fn value_text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join("、"),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::localize::localize;

    /// The first paragraph of what `rehook` says about `arguments`.
    fn said(arguments: &[&str]) -> Option<String> {
        let command = localize(Cli::command(), Lang::Zh);
        let arguments = std::iter::once(&"rehook").chain(arguments);
        let error = command.try_get_matches_from(arguments).unwrap_err();
        let message = error_in_chinese(&error)?;
        assert!(!message.contains("Usage"), "{message}");
        assert!(message.starts_with("错误："), "{message}");
        assert!(message.ends_with("查看。\n"), "{message}");
        message.split("\n\n").next().map(str::to_owned)
    }

    #[test]
    fn errors_of_the_arguments_are_told_in_chinese() {
        let check = |arguments: &[&str], expected: &str| {
            assert_eq!(said(arguments).as_deref(), Some(expected), "{arguments:?}");
        };
        check(
            &["scna"],
            "错误：没有名为 `scna` 的命令\n  您要找的可能是：scan",
        );
        check(
            &["scan", "--formal"],
            "错误：多余或无法识别的参数 `--formal`\n  您要找的可能是：--format",
        );
        check(&["undo", "a", "b"], "错误：多余或无法识别的参数 `b`");
        check(
            &["diff", "--format", "xml"],
            "错误：参数 `--format <FORMAT>` 的取值 `xml` 无效\n  可选值：text、json、github、sarif",
        );
        check(
            &["diff", "-q", "-v"],
            "错误：参数 `--quiet` 不能与 `--verbose` 同时使用",
        );
        check(
            &["diff", "--stat", "--stat"],
            "错误：参数 `--stat` 不能重复使用",
        );
        check(
            &["diff", "--routes"],
            "错误：参数 `--routes <FILE>` 缺少取值",
        );
        check(
            &["verify", "--limit", "0"],
            "错误：参数 `--limit <SECONDS>` 的取值 `0` 无效：应在 1 到 86400 之间",
        );
        check(
            &["shim", "--threads", "two"],
            "错误：参数 `--threads <NUMBER>` 的取值 `two` 无效：不是非负整数",
        );
        check(
            &["migrate", "--json"],
            "错误：多余或无法识别的参数 `--json`\n  提示：请写成 `--format json`",
        );
        check(
            &["rollback"],
            "错误：没有名为 `rollback` 的命令\n  提示：您要找的可能是 `rehook undo`",
        );
    }

    #[test]
    fn what_is_meant_here_is_said_in_english_too() {
        let said = |arguments: &[&str]| {
            let arguments = std::iter::once(&"rehook").chain(arguments);
            let error = Cli::command().try_get_matches_from(arguments).unwrap_err();
            tips::with_tip(error, Lang::En).to_string()
        };
        let dry = said(&["migrate", "--dry-run"]);
        assert!(dry.contains("tip: `rehook diff` shows"), "{dry}");
        assert!(!dry.contains("as a value"), "{dry}");
        let odd = said(&["migrate", "--no-such-option"]);
        assert!(!odd.contains("tip:"), "{odd}");
        let near = said(&["migrate", "--chekc"]);
        assert!(near.contains("'--check'"), "{near}");
        let command = said(&["apply"]);
        assert!(command.contains("`rehook migrate` may be"), "{command}");
        let path = said(&["src"]);
        assert!(path.contains("`rehook scan src`"), "{path}");
    }

    #[test]
    fn help_is_no_error() {
        for arguments in [&["--help"][..], &["-V"], &[], &["help", "scan"]] {
            assert_eq!(said(arguments), None);
        }
    }
}
