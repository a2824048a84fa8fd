//! Chinese for everything that clap prints as help.
//!
//! The English texts stand beside the arguments in `cli`; here is one line for each of them, by
//! command and argument. A new argument needs a line in [`ARGUMENTS`] (and one in [`VALUES`] for
//! each of its named values), a new command one in [`COMMANDS`], a new heading one in
//! [`HEADINGS`]; a test names what is missing.

mod errors;

use std::ffi::OsStr;

use clap::builder::PossibleValue;
use clap::{Arg, Command};

pub use errors::error_in_chinese;

use crate::text::Lang;

/// What each command does: by its name, the program itself as an empty one.
const COMMANDS: &[(&str, &str)] = &[
    ("", "将 Nekro Agent 插件从 webhook 迁移到动态路由"),
    ("scan", "列出所有 webhook，以及 `migrate` 会如何处理它们"),
    ("diff", "以补丁形式显示 `migrate` 将写入的全部内容"),
    ("migrate", "改写插件，并写入路由表"),
    ("verify", "运行迁移前后的插件，显示两者的差异"),
    ("undo", "撤销上一次迁移"),
    ("explain", "解释诊断代码的含义"),
    ("shim", "用运行中 Agent 的新路由应答旧 URL"),
    ("routes", "把路由表写成其他服务器的配置"),
    ("help", "显示本帮助，或指定命令的帮助"),
];

/// Each argument: the command (`*` for every command), its id, its help.
const ARGUMENTS: &[(&str, &str, &str)] = &[
    ("*", "help", "显示帮助"),
    ("*", "version", "显示版本号"),
    ("*", "lang", "界面语言；未指定时取自 LC_ALL 或 LANG"),
    ("*", "color", "何时使用颜色"),
    ("*", "quiet", "减少输出：只显示结果和错误"),
    ("*", "verbose", "增加输出：说明每项决定的理由"),
    ("*", "paths", "要查看的文件和文件夹"),
    (
        "*",
        "allow_unsafe",
        "同时应用可能改变行为的修改，具体影响见各项说明",
    ),
    (
        "*",
        "native",
        "将接收 AgentCtx 的处理函数改写为直接接收 Request：此后响应即函数的返回值，只能读取 JSON 请求体，非对象的请求体也会传给函数，查找请求头不区分大小写",
    ),
    (
        "*",
        "routes",
        "路由表文件；默认为仓库根目录下的 webhook-routes.toml",
    ),
    ("*", "ignore", "不显示这些代码的建议，例如 RH301,RH402"),
    ("*", "format", "结果的格式"),
    ("diff", "stat", "只统计每个文件的改动行数"),
    (
        "diff",
        "exit_code",
        "有改动时以退出码 1 结束，与 git 的同名选项一致",
    ),
    (
        "migrate",
        "check",
        "不写入任何文件；有需要迁移的内容时以退出码 1 结束",
    ),
    (
        "migrate",
        "allow_dirty",
        "即使文件有未提交的改动，或不在 git 仓库中，也照常写入",
    ),
    (
        "verify",
        "python",
        "运行插件的 Python 或其环境的文件夹；默认依次取 VIRTUAL_ENV 和 PATH 中的；仓库中的须在此指定",
    ),
    (
        "verify",
        "requests",
        "额外发送的请求：每行一个 JSON 对象的文件",
    ),
    (
        "verify",
        "save_requests",
        "把发送过的请求写入这个文件，供 --requests 读取",
    ),
    ("verify", "base", "已迁移插件的原始版本所在的提交"),
    ("verify", "agent", "插件在什么环境中运行"),
    ("verify", "limit", "每个插件迁移前后各自的时限，以秒计"),
    ("undo", "path", "已迁移仓库中的任一文件夹"),
    (
        "explain",
        "code",
        "诊断代码，例如 RH101；省略时列出全部代码",
    ),
    (
        "shim",
        "routes",
        "路由表文件；默认为仓库根目录下、或配置文件旁的 webhook-routes.toml",
    ),
    ("shim", "config", "TOML 配置文件；命令行参数优先于它"),
    (
        "shim",
        "upstream",
        "Agent 的地址，例如 http://127.0.0.1:8021",
    ),
    (
        "shim",
        "no_upstream_check",
        "Agent 尚未应答时也照常启动（例如开机时），只在日志中给出警告",
    ),
    (
        "shim",
        "listen",
        "供发送方调用的地址，可多次指定 [默认：127.0.0.1:8080]",
    ),
    (
        "shim",
        "admin",
        "健康检查、指标和页面的地址，或 `off` [默认：127.0.0.1:9180]",
    ),
    (
        "shim",
        "trusted_proxies",
        "采信其 X-Forwarded-* 的代理或网段，可多次指定",
    ),
    (
        "shim",
        "passthrough",
        "其余请求原样交给 Agent，包括流式响应和 WebSocket",
    ),
    (
        "shim",
        "with_legacy",
        "同时调用 Agent 自己的旧 URL，照顾尚未迁移的插件",
    ),
    ("shim", "sunset", "旧 URL 停用的日期，例如 2026-12-31"),
    (
        "shim",
        "public_url",
        "发送方看到的新 URL 的开头，例如 https://agent.example.com",
    ),
    (
        "shim",
        "counters_file",
        "把调用计数保存在这个文件中，重启后继续",
    ),
    (
        "shim",
        "record",
        "把发往旧 URL 的请求记录到这个文件，供 `rehook verify --requests` 使用；密钥会打码",
    ),
    ("shim", "record_secrets", "记录时保留密钥，不打码"),
    ("shim", "threads", "服务线程数 [默认：每个核心一个]"),
    ("shim", "log", "请求日志的格式 [默认：text]"),
    ("shim", "check", "不提供服务，只检查配置并列出将提供的 URL"),
    ("routes", "server", "哪种服务器的配置"),
    ("routes", "upstream", "Agent 的地址"),
];

/// The named values of arguments: the argument's id, the value, what it means.
const VALUES: &[(&str, &str, &str)] = &[
    ("lang", "en", "英文"),
    ("lang", "zh", "中文"),
    ("color", "auto", "输出到支持颜色的终端时使用"),
    ("color", "always", "始终使用"),
    ("color", "never", "从不使用"),
    ("log", "text", "每个请求一行，供人阅读"),
    ("log", "json", "每个请求一行 JSON"),
    ("log", "off", "只记录 shim 自身的事件，不记录请求"),
    ("server", "nginx", "nginx：放入 server 块的 location"),
    ("server", "caddy", "Caddy：在站点中引入的片段"),
    ("agent", "auto", "已安装的 Agent；没有时使用替身"),
    ("agent", "installed", "已安装的 Agent"),
    ("agent", "stand-in", "Agent 的替身"),
    ("format", "text", "供人阅读的文本"),
    ("format", "json", "供程序读取的 JSON"),
    ("format", "markdown", "新旧 URL 对照表，可放入插件的 README"),
];

/// The headings of groups of arguments.
const HEADINGS: &[(&str, &str)] = &[("Global options", "全局选项")];

/// `command` with its help in `lang`, all commands below it too.
///
/// It is built on the way, so that what clap adds by itself (`--help`, `--version`, `help`) is
/// there to be translated.
pub fn localize(mut command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Zh => {
            command.build();
            translate(command, "")
        }
    }
}

/// The language that `--lang` asks for, read before the arguments are parsed, since help and errors
/// are printed while they are.
pub fn lang_of_arguments<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Option<Lang> {
    let mut arguments = arguments
        .into_iter()
        .take_while(|argument| *argument != "--");
    let mut lang = None;
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--lang") => arguments.next().and_then(OsStr::to_str),
            Some(text) => text.strip_prefix("--lang="),
            None => None,
        };
        lang = match value {
            Some("en") => Some(Lang::En),
            Some("zh") => Some(Lang::Zh),
            _ => lang,
        };
    }
    lang
}

/// `name` is how [`COMMANDS`] and [`ARGUMENTS`] call the command.
fn translate(command: Command, name: &str) -> Command {
    let usage = command.clone().render_usage().to_string();
    let usage = usage
        .trim_start_matches("Usage:")
        .trim()
        .replace("[OPTIONS]", "[选项]")
        .replace("<COMMAND>", "<命令>")
        .replace("[COMMAND]", "[命令]");
    let style = *command.get_styles().get_usage();
    let mut command = command
        .override_usage(usage)
        .help_template(format!(
            "{{before-help}}{{about-with-newline}}\n{style}用法：{style:#}{{usage}}\n\n{{all-args}}{{after-help}}"
        ))
        .subcommand_help_heading("命令")
        .mut_args(|argument| translate_argument(argument, name))
        .mut_subcommands(|subcommand| {
            let name = subcommand.get_name().to_owned();
            translate(subcommand, &name)
        });
    if let Some(about) = about(name) {
        command = command.about(about).long_about(about);
    }
    command
}

fn translate_argument(argument: Arg, command: &str) -> Arg {
    let heading = match argument.get_help_heading() {
        Some(heading) => HEADINGS
            .iter()
            .find(|(english, _)| *english == heading)
            .map(|(_, chinese)| *chinese),
        None if argument.is_positional() => Some("参数"),
        None => Some("选项"),
    };
    let id = argument.get_id().as_str().to_owned();
    let argument = match heading {
        Some(heading) => argument.help_heading(heading),
        None => argument,
    };
    let Some(help) = help(command, &id) else {
        return argument;
    };
    let takes_value = argument.get_action().takes_values();
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let values: Vec<PossibleValue> = argument
        .get_possible_values()
        .into_iter()
        .filter(|value| takes_value && !value.is_hide_set())
        .collect();

    let mut short = help.to_owned();
    let mut long = help.to_owned();
    if !values.is_empty() {
        let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        short.push_str(&format!(" [可选值：{}]", names.join("、")));
        long.push_str("\n\n可选值：");
        for name in names {
            let meaning = value_help(&id, name).unwrap_or_default();
            long.push_str(&format!("\n- {name}：{meaning}"));
        }
    }
    if takes_value && !defaults.is_empty() {
        let default = format!("[默认值：{}]", defaults.join("、"));
        short.push_str(&format!(" {default}"));
        long.push_str(&format!("\n\n{default}"));
    }
    argument
        .help(short)
        .long_help(long)
        .hide_possible_values(true)
        .hide_default_value(true)
}

fn about(command: &str) -> Option<&'static str> {
    COMMANDS
        .iter()
        .find(|(name, _)| *name == command)
        .map(|(_, text)| *text)
}

fn help(command: &str, argument: &str) -> Option<&'static str> {
    let find = |command| {
        ARGUMENTS
            .iter()
            .find(|(of, id, _)| *of == command && *id == argument)
    };
    find(command)
        .or_else(|| find("*"))
        .map(|(_, _, text)| *text)
}

fn value_help(argument: &str, value: &str) -> Option<&'static str> {
    VALUES
        .iter()
        .find(|(of, name, _)| *of == argument && *name == value)
        .map(|(_, _, text)| *text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// Every command of the program by the name that the tables know it by, built.
    fn commands() -> Vec<(String, Command)> {
        fn collect(command: &Command, name: &str, into: &mut Vec<(String, Command)>) {
            into.push((name.to_owned(), command.clone()));
            for subcommand in command.get_subcommands() {
                collect(subcommand, subcommand.get_name(), into);
            }
        }
        let mut all = Vec::new();
        collect(&localize(Cli::command(), Lang::Zh), "", &mut all);
        all
    }

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    /// What of the command tree has no Chinese.
    #[test]
    fn all_help_is_there_in_chinese() {
        let mut missing = Vec::new();
        for (name, command) in commands() {
            if command.is_hide_set() {
                continue;
            }
            let text = command.get_about().map(ToString::to_string);
            if !text.is_some_and(|text| is_chinese(&text)) {
                missing.push(format!("COMMANDS: `{name}`"));
            }
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                let id = argument.get_id().as_str();
                if argument
                    .get_help_heading()
                    .is_none_or(|heading| !is_chinese(heading))
                {
                    missing.push(format!("HEADINGS: `{name}`, `{id}`"));
                }
                let short = argument.get_help().map(ToString::to_string);
                let long = argument.get_long_help().map(ToString::to_string);
                if ![short, long]
                    .into_iter()
                    .all(|text| text.is_some_and(|t| is_chinese(&t)))
                {
                    missing.push(format!("ARGUMENTS: `{name}`, `{id}`"));
                }
                if !argument.get_action().takes_values() {
                    continue;
                }
                for value in argument.get_possible_values() {
                    if !value.is_hide_set() && value_help(id, value.get_name()).is_none() {
                        missing.push(format!("VALUES: `{id}`, `{}`", value.get_name()));
                    }
                }
            }
        }
        assert!(missing.is_empty(), "without Chinese: {missing:#?}");
    }

    #[test]
    fn no_line_is_for_something_that_is_gone() {
        let all = commands();
        for (name, _) in COMMANDS {
            assert!(all.iter().any(|(of, _)| of == name), "COMMANDS: `{name}`");
        }
        for (of, id, _) in ARGUMENTS {
            let used = all.iter().any(|(name, command)| {
                (*of == "*" || of == name) && command.get_arguments().any(|a| a.get_id() == id)
            });
            assert!(used, "ARGUMENTS: `{of}`, `{id}`");
        }
    }

    #[test]
    fn the_help_speaks_chinese_throughout() {
        for (name, mut command) in commands() {
            for help in [command.render_help(), command.render_long_help()] {
                let help = help.to_string();
                for english in [
                    "Usage",
                    "Options",
                    "Arguments",
                    "Commands",
                    "Print",
                    "default:",
                ] {
                    assert!(!help.contains(english), "`{name}`: {english} in\n{help}");
                }
            }
        }
    }

    /// Where the map is looked for differs by command.
    #[test]
    fn the_place_of_the_route_map_is_the_same_in_both_languages() {
        for (name, chinese) in commands() {
            let english = Cli::command();
            let english = english
                .find_subcommand(&name)
                .and_then(|command| command.get_arguments().find(|a| a.get_id() == "routes"));
            let chinese = chinese.get_arguments().find(|a| a.get_id() == "routes");
            let (Some(english), Some(chinese)) = (english, chinese) else {
                continue;
            };
            let text = |argument: &Arg| argument.get_help().map(ToString::to_string).unwrap();
            assert_eq!(
                text(english).contains("beside the configuration"),
                text(chinese).contains("配置文件旁"),
                "{name}"
            );
        }
    }

    #[test]
    fn arguments_are_read_as_in_english() {
        let read = |arguments: &[&str]| {
            localize(Cli::command(), Lang::Zh)
                .try_get_matches_from(arguments)
                .map_err(|error| error.kind())
        };
        let matches = read(&["rehook", "diff", "--stat", "plugins", "-v"]).unwrap();
        let (name, diff) = matches.subcommand().unwrap();
        assert!(name == "diff" && diff.get_flag("stat") && diff.get_flag("verbose"));
        for help in [&["rehook", "--help"][..], &["rehook", "help", "scan"]] {
            assert_eq!(read(help).unwrap_err(), clap::error::ErrorKind::DisplayHelp);
        }
        let version = read(&["rehook", "scan", "--version"]).unwrap_err();
        assert_eq!(version, clap::error::ErrorKind::DisplayVersion);
    }

    #[test]
    fn the_language_is_known_before_the_arguments_are_parsed() {
        let lang = |arguments: &[&str]| lang_of_arguments(arguments.iter().map(OsStr::new));
        assert_eq!(lang(&["scan", "."]), None);
        assert_eq!(lang(&["--lang", "zh", "--help"]), Some(Lang::Zh));
        assert_eq!(lang(&["scan", "--lang=en"]), Some(Lang::En));
        assert_eq!(lang(&["scan", "--", "--lang=zh"]), None);
        assert_eq!(lang(&["scan", "--lang"]), None);
    }

    #[test]
    fn english_stays_as_it_is() {
        let help = localize(Cli::command(), Lang::En).render_help().to_string();
        assert!(help.contains("Usage: rehook"));
    }
}
