//! The command line: which arguments there are, and what their help says.
//!
//! Invariants: each help text is one [`pair!`] of English and Chinese beside its argument, so a text in
//! one language alone does not compile; [`localize`] picks a half before clap reads anything. Each command
//! has examples, and each example is parsed by a test. Nothing here acts on what was typed.

/// A help text in both languages, English first, as the one string that clap keeps for it.
macro_rules! pair {
    ($english:literal, $chinese:literal) => {
        concat!($english, "\u{2063}", $chinese)
    };
}

/// Examples for `--help`: what is typed, and what it does in both languages.
macro_rules! examples {
    ($(($typed:literal, $english:literal, $chinese:literal $(,)?)),+ $(,)?) => {
        concat!(
            $("  ", $typed, "\n          ", $english, "\n",)+
            "\u{2063}",
            $("  ", $typed, "\n          ", $chinese, "\n",)+
        )
    };
}

mod completions;
mod errors;
mod localize;
mod shim;
mod tips;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::text::Lang;
pub(crate) use completions::CompletionsArgs;
pub(crate) use localize::lang_of_arguments;
#[cfg(target_os = "linux")]
pub(crate) use shim::{LogChoice, RetireArgs, StatusFormat};
pub(crate) use shim::{RoutesAction, RoutesArgs, ServerChoice, ShimArgs, StatusArgs};
#[cfg(target_os = "linux")]
pub(crate) use verify::AgentArg;
pub(crate) use verify::VerifyArgs;

const GLOBAL_OPTIONS: &str = pair!("Global options", "全局选项");

#[derive(Debug, Parser)]
#[command(
    name = "rehook",
    version,
    propagate_version = true,
    about = pair!(
        "Moves Nekro Agent plugins from webhooks to dynamic routes",
        "将 Nekro Agent 插件从 webhook 迁移到动态路由"
    ),
    after_long_help = examples![
        (
            "rehook scan",
            "List the webhooks below the current folder",
            "列出当前文件夹下的所有 webhook",
        ),
        ("rehook diff", "Preview what would be written", "预览将写入的内容"),
        ("rehook migrate", "Write it", "写入"),
        ("rehook undo", "Revert it", "撤销"),
    ]
)]
pub(crate) struct Cli {
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS, value_enum, value_name = "LANG", help = pair!(
        "Language of messages; if not given, that of LC_ALL, LC_MESSAGES or LANG",
        "界面语言；未指定时依次取自 LC_ALL、LC_MESSAGES、LANG"
    ))]
    pub(crate) lang: Option<LangChoice>,
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS, value_enum, value_name = "WHEN",
          default_value_t = ColorChoice::Auto, help = pair!("When to use colour", "何时使用颜色"))]
    pub(crate) color: ColorChoice,
    #[arg(short, long, global = true, help_heading = GLOBAL_OPTIONS, conflicts_with = "verbose", help = pair!(
        "Print results and errors only",
        "减少输出：只显示结果和错误"
    ))]
    pub(crate) quiet: bool,
    #[arg(short, long, global = true, help_heading = GLOBAL_OPTIONS, help = pair!(
        "Use verbose output: why each decision was made",
        "增加输出：说明每项决定的理由"
    ))]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(
        about = pair!(
            "List every webhook, and what `migrate` would do with it",
            "列出所有 webhook，以及 `migrate` 会如何处理它们"
        ),
        after_long_help = examples![
            ("rehook scan", "All plugins below the current folder", "当前文件夹下的所有插件"),
            ("rehook scan plugins/weather.py", "One plugin", "单个插件"),
            (
                "rehook scan --format markdown",
                "A table of old and new URLs for a README",
                "新旧 URL 对照表，可放入 README",
            ),
            (
                "rehook scan --statistics",
                "How often each code is reported",
                "各诊断代码出现的次数",
            ),
            (
                "rehook scan --quiet --format github",
                "Annotations of a pull request; for GitHub Actions",
                "pull request 中的注解，适用于 GitHub Actions",
            ),
        ]
    )]
    Scan(ScanArgs),
    #[command(
        about = pair!(
            "Show exactly what `migrate` would write, as a patch",
            "以补丁形式显示 `migrate` 将写入的全部内容"
        ),
        after_long_help = examples![
            (
                "rehook diff",
                "The patch for all plugins below the current folder",
                "当前文件夹下所有插件的补丁",
            ),
            ("rehook diff --stat", "How many lines change in which file", "各文件改动的行数"),
            (
                "rehook diff --quiet --exit-code",
                "The patch alone; exit code 1 if there is one",
                "只输出补丁；有改动时退出码为 1",
            ),
        ]
    )]
    Diff(DiffArgs),
    #[command(
        about = pair!("Rewrite the plugins, and write the route map", "改写插件，并写入路由表"),
        after_long_help = examples![
            ("rehook migrate", "All plugins below the current folder", "当前文件夹下的所有插件"),
            ("rehook migrate plugins/weather.py", "One plugin", "单个插件"),
            ("rehook migrate --check", "Write nothing; for CI", "不写入任何文件，适用于 CI"),
        ]
    )]
    Migrate(MigrateArgs),
    #[command(
        about = pair!(
            "Run the plugins before and after, and show where they differ",
            "运行迁移前后的插件，显示两者的差异"
        ),
        after_long_help = examples![
            (
                "rehook verify",
                "Compare what `migrate` would write, or has written, with the original",
                "将 `migrate` 将要写入或已写入的内容与原始版本比较",
            ),
            (
                "rehook verify --python .venv --requests recorded.jsonl",
                "Use the Python of `.venv`, and send recorded requests too",
                "使用 `.venv` 中的 Python，并发送录制的请求",
            ),
            (
                "rehook verify --base v1.2.0",
                "The original is in the commit `v1.2.0`",
                "原始版本在提交 `v1.2.0` 中",
            ),
        ]
    )]
    Verify(VerifyArgs),
    #[command(
        about = pair!("Revert the last migration", "撤销上一次迁移"),
        after_long_help = examples![
            (
                "rehook undo",
                "Restore the files of the last run; again: of the run before it",
                "还原上一次运行改动的文件；再次执行则还原更早的一次",
            ),
            ("rehook undo ../plugins", "In another repo", "在另一个仓库中"),
        ]
    )]
    Undo(UndoArgs),
    #[command(
        about = pair!("Explain a diagnostic code", "解释诊断代码的含义"),
        after_long_help = examples![
            ("rehook explain RH103", "What `RH103` means, with an example", "`RH103` 的含义和示例"),
            ("rehook explain", "All codes", "全部代码"),
        ]
    )]
    Explain(ExplainArgs),
    #[command(
        about = pair!(
            "Answer the old URLs with the new routes of a running agent",
            "用运行中 Agent 的新路由响应旧 URL"
        ),
        after_long_help = examples![
            (
                "rehook shim --upstream http://127.0.0.1:8021",
                "Answer old URLs on 127.0.0.1:8080",
                "在 127.0.0.1:8080 上响应旧 URL",
            ),
            ("rehook shim --config shim.toml --check", "Validate a configuration", "检查配置文件"),
            (
                "rehook shim --config shim.toml --record recorded.jsonl",
                "Record requests for `rehook verify`",
                "记录请求，供 `rehook verify` 使用",
            ),
        ]
    )]
    Shim(Box<ShimArgs>),
    #[command(
        about = pair!(
            "Show how the webhooks of a running shim fare",
            "显示运行中的 shim 的各个 webhook 的状态"
        ),
        after_long_help = examples![
            (
                "rehook status",
                "The shim on this machine; exit code 1 if a webhook fails",
                "本机的 shim；有 webhook 失败时退出码为 1",
            ),
            (
                "rehook status --config shim.toml --format json",
                "The shim of a configuration, for programs",
                "指定配置的 shim，输出供程序读取",
            ),
        ]
    )]
    Status(StatusArgs),
    #[command(
        about = pair!(
            "Write the route map as the configuration of another server, or retire an old URL",
            "把路由表写成其他服务器的配置，或停用旧 URL"
        ),
        after_long_help = examples![
            ("rehook routes --as nginx", "Locations for nginx", "nginx 的 location"),
            (
                "rehook routes --as caddy --upstream http://10.0.0.5:8021",
                "A snippet for Caddy, for an agent on another machine",
                "Caddy 片段，Agent 在另一台机器上",
            ),
            (
                "rehook routes retire /api/webhook/github",
                "Take an old URL out of the map",
                "从路由表中移除一个旧 URL",
            ),
        ]
    )]
    Routes(RoutesArgs),
    #[command(
        about = pair!(
            "Write the script that has a shell complete commands and options",
            "生成 shell 的命令与选项补全脚本"
        ),
        after_long_help = examples![
            (
                "rehook completions bash",
                "To be saved as ~/.local/share/bash-completion/completions/rehook",
                "保存为 ~/.local/share/bash-completion/completions/rehook",
            ),
            (
                "rehook completions fish",
                "To be saved as ~/.config/fish/completions/rehook.fish",
                "保存为 ~/.config/fish/completions/rehook.fish",
            ),
            (
                "rehook completions powershell",
                "To be added to the file that $PROFILE names",
                "追加到 $PROFILE 所指的文件",
            ),
        ]
    )]
    Completions(CompletionsArgs),
}

/// Which plugins, and how far to go with them: what all commands that plan a migration take.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[arg(value_name = "PATH", default_value = ".", help = pair!(
        "Files and folders to look at",
        "要处理的文件和文件夹"
    ))]
    pub(crate) paths: Vec<PathBuf>,
    #[arg(long = "unsafe", help = pair!(
        "Also apply unsafe fixes (may change behaviour; see `rehook explain`)",
        "同时应用不安全的修改（可能改变行为，参见 `rehook explain`）"
    ))]
    pub(crate) allow_unsafe: bool,
    #[arg(long, help = pair!(
        "Rewrite handlers of an AgentCtx to take the Request themselves: then the reply is what they \
         return, only JSON bodies are understood, one that is not an object reaches them, and header \
         look-ups ignore case",
        "将接收 AgentCtx 的处理函数改写为直接接收 Request：此后响应即函数的返回值，只能读取 JSON 请求体，\
         非对象的请求体也会传给函数，查找请求头不区分大小写"
    ))]
    pub(crate) native: bool,
    #[arg(long, value_name = "FILE", help = pair!(
        "The route map, if not webhook-routes.toml at the root of the repo",
        "路由表文件；默认为仓库根目录下的 webhook-routes.toml"
    ))]
    pub(crate) routes: Option<PathBuf>,
    #[arg(long, value_name = "CODES", value_delimiter = ',', help = pair!(
        "Leave advice of these codes out, as in RH301,RH402",
        "不显示这些代码的建议，例如 RH301,RH402"
    ))]
    pub(crate) ignore: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[arg(long, help = pair!(
        "Count what is reported, by code, instead of listing the webhooks",
        "按代码统计报告的内容，而不列出 webhook"
    ))]
    pub(crate) statistics: bool,
    #[arg(long, value_enum, default_value_t = ScanFormat::Text, value_name = "FORMAT", help = pair!(
        "Output format",
        "输出格式"
    ))]
    pub(crate) format: ScanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[arg(long, help = pair!("Only count the changed lines of each file", "只统计每个文件的改动行数"))]
    pub(crate) stat: bool,
    #[arg(long, conflicts_with = "stat", help = pair!(
        "Count what is reported, by code, instead of showing the patch",
        "按代码统计报告的内容，而不显示补丁"
    ))]
    pub(crate) statistics: bool,
    #[arg(long, help = pair!(
        "Exit with 1 if there is a change, as `git diff --exit-code` does",
        "有改动时以退出码 1 结束，与 `git diff --exit-code` 一致"
    ))]
    pub(crate) exit_code: bool,
    #[arg(long, value_enum, default_value_t = DiffFormat::Text, value_name = "FORMAT", help = pair!(
        "Output format",
        "输出格式"
    ))]
    pub(crate) format: DiffFormat,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[arg(long, help = pair!(
        "Write nothing; exit with 1 if there is something to migrate",
        "不写入任何文件；有需要迁移的内容时以退出码 1 结束"
    ))]
    pub(crate) check: bool,
    #[arg(long, help = pair!(
        "Write even to files with uncommitted changes, or outside git",
        "即使文件有未提交的改动，或不在 git 仓库中，也照常写入"
    ))]
    pub(crate) allow_dirty: bool,
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", help = pair!(
        "Output format",
        "输出格式"
    ))]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    #[arg(value_name = "PATH", default_value = ".", help = pair!(
        "A folder of the repo that was migrated",
        "已迁移仓库中的任一文件夹"
    ))]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[arg(value_name = "CODE", help = pair!(
        "A code, as in RH101; all of them are listed if none is given",
        "诊断代码，例如 RH101；省略时列出全部代码"
    ))]
    pub(crate) code: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LangChoice {
    #[value(help = pair!("English", "英文"))]
    En,
    #[value(help = pair!("Chinese", "中文"))]
    Zh,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ColorChoice {
    #[value(help = pair!("On a terminal that shows it", "输出到支持颜色的终端时使用"))]
    Auto,
    #[value(help = pair!("Always", "始终使用"))]
    Always,
    #[value(help = pair!("Never", "从不使用"))]
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[value(help = pair!("For people", "供人阅读的文本"))]
    Text,
    #[value(help = pair!("For programs", "供程序读取的 JSON"))]
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    #[value(help = pair!("For people", "供人阅读的文本"))]
    Text,
    #[value(help = pair!("For programs", "供程序读取的 JSON"))]
    Json,
    #[value(help = pair!(
        "Annotations of GitHub Actions, shown at the lines of a pull request",
        "GitHub Actions 注解，显示在 pull request 的对应行"
    ))]
    Github,
    #[value(help = pair!(
        "SARIF 2.1.0, for code scanning",
        "SARIF 2.1.0，供代码扫描服务读取"
    ))]
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    #[value(help = pair!("For people", "供人阅读的文本"))]
    Text,
    #[value(help = pair!("For programs", "供程序读取的 JSON"))]
    Json,
    #[value(help = pair!(
        "A table of old and new URLs for the README of a plugin",
        "新旧 URL 对照表，可放入插件的 README"
    ))]
    Markdown,
    #[value(help = pair!(
        "Annotations of GitHub Actions, shown at the lines of a pull request",
        "GitHub Actions 注解，显示在 pull request 的对应行"
    ))]
    Github,
    #[value(help = pair!(
        "SARIF 2.1.0, for code scanning",
        "SARIF 2.1.0，供代码扫描服务读取"
    ))]
    Sarif,
}

/// What is printed instead of running a command: help, the version, or what is wrong with the arguments.
#[derive(Debug)]
pub(crate) struct Message {
    /// The whole text, with ANSI colours.
    pub(crate) text: String,
    /// Whether it goes to stderr, with the exit code of an error.
    pub(crate) is_error: bool,
}

/// Reads the arguments of a process, the first of which is its name; `lang` is the language of help and
/// errors.
///
/// # Errors
/// What is to be printed instead of running a command.
pub(crate) fn parse(arguments: &[OsString], lang: Lang) -> Result<Cli, Message> {
    localize::localize(Cli::command(), lang)
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| {
            let error = tips::with_tip(error, lang);
            let text = match (lang, errors::error_in_chinese(&error)) {
                (Lang::Zh, Some(text)) => text,
                _ => localize::own_words(&error.render().ansi().to_string(), lang),
            };
            // clap pads empty lines, and ends examples without a line break.
            let lines = text.trim_end().lines().map(str::trim_end);
            let text = lines.map(|line| format!("{line}\n")).collect();
            let is_error = error.use_stderr();
            Message { text, is_error }
        })
}
