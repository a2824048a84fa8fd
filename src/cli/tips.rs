//! Tips for commands and options that do not exist here, but in other tools.
//!
//! clap suggests names that are spelt alike; here are those that other tools use for the same thing.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::text;
use crate::text::{Lang, Text};

/// Options of other tools, and what to use instead.
const OPTIONS: &[(&[&str], &str, &str)] = &[
    (
        &[
            "--dry-run",
            "--dryrun",
            "--dry",
            "-n",
            "--preview",
            "--show",
            "--no-write",
            "--diff",
            "--patch",
        ],
        "`rehook diff` shows what would be written and writes nothing; `rehook migrate --check` says by its exit code whether there is something",
        "`rehook diff` 只显示将写入的内容，不写入任何文件；`rehook migrate --check` 用退出码表示是否有需要迁移的内容",
    ),
    (
        &["--write", "-w", "--fix", "--apply", "--in-place", "-i"],
        "`rehook migrate` writes, without an option",
        "`rehook migrate` 不加选项就会写入",
    ),
    (
        &["--force", "-f", "--yes", "-y"],
        "`rehook migrate --allow-dirty` writes even to files with uncommitted changes",
        "`rehook migrate --allow-dirty` 会写入有未提交修改的文件",
    ),
    (
        &["--unsafe-fixes", "--fix-unsafe", "--aggressive"],
        "`--unsafe` applies unsafe changes too",
        "`--unsafe` 会同时应用不安全的修改",
    ),
    (
        &["--undo", "--revert", "--rollback"],
        "`rehook undo` reverts the last migration",
        "`rehook undo` 撤销上一次迁移",
    ),
    (
        &["--state"],
        "`--state` is `--counters-file` now",
        "`--state` 已更名为 `--counters-file`",
    ),
    (
        &["--json"],
        "write `--format json`",
        "请写成 `--format json`",
    ),
    (
        &["--map", "--route-map", "--routes-file"],
        "`--routes FILE` names the route map",
        "`--routes FILE` 指定路由表文件",
    ),
    (
        &["--disable", "--exclude-code", "--extend-ignore", "--noqa"],
        "`--ignore CODE` leaves advice of that code out",
        "`--ignore CODE` 不显示该代码的建议",
    ),
    (
        &["--select", "--rule"],
        "`rehook explain CODE` says what a code means",
        "`rehook explain CODE` 解释诊断代码的含义",
    ),
    (
        &["--language", "--locale"],
        "write `--lang en` or `--lang zh`",
        "请写成 `--lang en` 或 `--lang zh`",
    ),
];

/// Commands of other tools, and what to use instead.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["list", "ls", "find", "status", "search"], "rehook scan"),
    (
        &["preview", "show", "plan", "patch", "dry-run"],
        "rehook diff",
    ),
    (
        &[
            "apply",
            "fix",
            "run",
            "write",
            "convert",
            "rewrite",
            "upgrade",
            "transform",
        ],
        "rehook migrate",
    ),
    (&["check", "lint"], "rehook migrate --check"),
    (&["revert", "rollback", "restore", "back"], "rehook undo"),
    (&["test", "compare", "prove"], "rehook verify"),
    (
        &["rule", "rules", "code", "codes", "why", "doc"],
        "rehook explain",
    ),
    (
        &["serve", "server", "proxy", "start", "compat"],
        "rehook shim",
    ),
    (
        &["map", "route", "export", "nginx", "caddy"],
        "rehook routes",
    ),
];

/// What to try instead, for an error of the arguments.
pub(super) fn tip(error: &clap::Error) -> Option<Text> {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let typed = of(ContextKind::InvalidArg)?;
            let typed = typed.split_once('=').map_or(typed, |(name, _)| name);
            let (_, en, zh) = OPTIONS.iter().find(|(names, ..)| names.contains(&typed))?;
            Some(Text::new(*en, *zh))
        }
        ErrorKind::InvalidSubcommand => {
            let typed = of(ContextKind::InvalidSubcommand)?;
            if let Some((_, command)) = COMMANDS.iter().find(|(names, _)| names.contains(&typed)) {
                return Some(text!(
                    "`{command}` may be what you want",
                    "您要找的可能是 `{command}`"
                ));
            }
            Path::new(typed).exists().then(|| {
                text!(
                    "name a command before the path, as in `rehook scan {typed}`",
                    "请在路径之前写上命令，例如 `rehook scan {typed}`"
                )
            })
        }
        _ => None,
    }
}

/// The error with the tip in it that fits, and without those of clap that do not.
pub(super) fn with_tip(mut error: clap::Error, lang: Lang) -> clap::Error {
    let tip = tip(&error);
    let is_unknown_option = error.kind() == ErrorKind::UnknownArgument
        && matches!(
            error.get(ContextKind::InvalidArg),
            Some(ContextValue::String(typed)) if typed.starts_with('-') && !Path::new(typed).exists()
        );
    if is_unknown_option {
        // "To pass it as a value, use `-- --typed`": nobody meant a file of that name.
        error.remove(ContextKind::Suggested);
    }
    if let Some(tip) = tip {
        // It is known what was meant: a name that is only spelt alike leads away from it.
        if error.remove(ContextKind::SuggestedArg).is_some() {
            // It is that of the other option.
            error.remove(ContextKind::Usage);
        }
        error.remove(ContextKind::SuggestedSubcommand);
        let tip = ContextValue::StyledStrs(vec![tip.get(lang).to_owned().into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}
