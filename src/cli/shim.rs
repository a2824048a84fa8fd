//! The arguments of `rehook shim`, `rehook status` and `rehook routes`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ShimArgs {
    #[arg(long, value_name = "FILE", help = pair!(
        "Configuration file, in TOML; flags override it",
        "TOML 配置文件；命令行参数优先于它"
    ))]
    pub(crate) config: Option<PathBuf>,
    #[arg(long, value_name = "PATH", help = pair!(
        "A route map or a folder of them (repeatable), if not webhook-routes.toml at the root of the repo, or beside the configuration",
        "路由表文件或存放路由表的文件夹，可多次指定；默认为仓库根目录下、或配置文件旁的 webhook-routes.toml"
    ))]
    pub(crate) routes: Vec<PathBuf>,
    #[arg(long, value_name = "URL", help = pair!(
        "URL of the agent, as in http://127.0.0.1:8021 or unix:/run/agent.sock",
        "Agent 的地址，例如 http://127.0.0.1:8021 或 unix:/run/agent.sock"
    ))]
    pub(crate) upstream: Option<String>,
    #[arg(long, help = pair!(
        "Start even if no agent answers yet, as at boot, and log a warning",
        "Agent 尚未响应时也照常启动（例如开机时），只在日志中给出警告"
    ))]
    pub(crate) no_upstream_check: bool,
    #[arg(long, value_name = "ADDRESS", help = pair!(
        "Address to listen on (repeatable) [default: 127.0.0.1:8080]",
        "监听地址，可多次指定 [默认值：127.0.0.1:8080]"
    ))]
    pub(crate) listen: Vec<String>,
    #[arg(long, value_name = "ADDRESS", help = pair!(
        "Address of health checks, metrics and the status page, or `off` [default: 127.0.0.1:9180]",
        "健康检查、指标和状态页的地址，或 `off` [默认值：127.0.0.1:9180]"
    ))]
    pub(crate) admin: Option<String>,
    #[arg(long = "trusted-proxy", value_name = "NETWORK", help = pair!(
        "Proxy or network whose X-Forwarded-* headers are trusted (repeatable)",
        "信任其 X-Forwarded-* 头的代理或网段，可多次指定"
    ))]
    pub(crate) trusted_proxies: Vec<String>,
    #[arg(long, help = pair!(
        "Pass all other requests through to the agent, streams and WebSockets too",
        "其余请求原样转发给 Agent，包括流式响应和 WebSocket"
    ))]
    pub(crate) passthrough: bool,
    #[arg(long, help = pair!(
        "Call the agent's own old URLs as well, for plugins that are not migrated yet",
        "同时调用 Agent 自己的旧 URL，供尚未迁移的插件使用"
    ))]
    pub(crate) with_legacy: bool,
    #[arg(long, value_name = "DATE", help = pair!(
        "Date on which the old URLs end, as in 2026-12-31",
        "旧 URL 停用的日期，例如 2026-12-31"
    ))]
    pub(crate) sunset: Option<String>,
    #[arg(long, value_name = "URL", help = pair!(
        "Public base URL of the new routes, as in https://agent.example.com",
        "新 URL 对外的基础地址，例如 https://agent.example.com"
    ))]
    pub(crate) public_url: Option<String>,
    #[arg(long, value_name = "FILE", help = pair!(
        "Keep the call counts in this file across restarts",
        "把调用计数保存在这个文件中，重启后继续"
    ))]
    pub(crate) counters_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = pair!(
        "Record requests to old URLs in this file, for `rehook verify --requests`; secrets are redacted",
        "把发往旧 URL 的请求记录到这个文件，供 `rehook verify --requests` 使用；密钥会脱敏"
    ))]
    pub(crate) record: Option<PathBuf>,
    #[arg(long, requires = "record", help = pair!("Record secrets too", "记录时不对密钥脱敏"))]
    pub(crate) record_secrets: bool,
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64), help = pair!(
        "Number of threads that serve requests [default: one per core]",
        "服务线程数 [默认值：每个核心一个]"
    ))]
    pub(crate) threads: Option<u16>,
    #[arg(long, value_enum, value_name = "FORMAT", help = pair!(
        "Format of the access log [default: text]",
        "访问日志的格式 [默认值：text]"
    ))]
    pub(crate) log: Option<LogChoice>,
    #[arg(long, value_name = "FILE", help = pair!(
        "Write the log to this file instead of stderr; SIGUSR1 opens it anew, for log rotation",
        "把日志写入这个文件而不是 stderr；收到 SIGUSR1 时重新打开（用于日志轮转）"
    ))]
    pub(crate) log_file: Option<PathBuf>,
    #[arg(long, help = pair!(
        "Validate the configuration, list what would be served, ask the agent whether it has the new URLs, and exit: 0, 1 when it has not, 2 on errors",
        "检查配置、列出将提供的 URL、询问 Agent 新 URL 是否存在，然后退出：0 表示正常，1 表示有新 URL 不存在，2 表示出错"
    ))]
    pub(crate) check: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogChoice {
    #[value(help = pair!("One line per request, for people", "每个请求一行，供人阅读"))]
    Text,
    #[value(help = pair!("One JSON object per request and line", "每个请求一行 JSON"))]
    Json,
    #[value(help = pair!("Events of the shim only, no requests", "只记录 shim 自身的事件，不记录请求"))]
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config", help = pair!(
        "Admin address of the shim [default: 127.0.0.1:9180]",
        "shim 的管理地址 [默认值：127.0.0.1:9180]"
    ))]
    pub(crate) admin: Option<String>,
    #[arg(long, value_name = "FILE", help = pair!(
        "Configuration of the shim, which names the address",
        "shim 的配置文件，从中取得管理地址"
    ))]
    pub(crate) config: Option<PathBuf>,
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = StatusFormat::Text, help = pair!(
        "Format of the output",
        "输出格式"
    ))]
    pub(crate) format: StatusFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StatusFormat {
    #[value(help = pair!("A table, for people", "表格，供人阅读"))]
    Text,
    #[value(help = pair!("JSON, for programs", "JSON，供程序读取"))]
    Json,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct RoutesArgs {
    #[command(subcommand)]
    pub(crate) action: Option<RoutesAction>,
    #[arg(long = "as", value_enum, value_name = "SERVER", required = true, help = pair!(
        "Server to write the configuration for",
        "生成哪种服务器的配置"
    ))]
    pub(crate) server: Option<ServerChoice>,
    #[arg(long, value_name = "FILE", help = pair!(
        "The route map, if not webhook-routes.toml at the root of the repo",
        "路由表文件；默认为仓库根目录下的 webhook-routes.toml"
    ))]
    pub(crate) routes: Option<PathBuf>,
    #[arg(long, help = pair!(
        "For the server that stands in front of `rehook shim`, not in its place",
        "生成位于 `rehook shim` 之前的服务器的配置，而不是用来代替它的配置"
    ))]
    pub(crate) front: bool,
    #[arg(long, value_name = "URL", help = pair!(
        "URL of the agent [default: http://127.0.0.1:8021]; with --front, of the shim [default: http://127.0.0.1:8080]",
        "Agent 的地址 [默认值：http://127.0.0.1:8021]；使用 --front 时为 shim 的地址 [默认值：http://127.0.0.1:8080]"
    ))]
    pub(crate) upstream: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ServerChoice {
    #[value(help = pair!("Locations to include in a server block", "放入 server 块的 location"))]
    Nginx,
    #[value(help = pair!("A snippet to import into a site", "在站点中引入的片段"))]
    Caddy,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesAction {
    #[command(
        about = pair!(
            "Take an old URL that nobody calls any more out of the route map",
            "从路由表中移除不再有人调用的旧 URL"
        ),
        after_long_help = examples![
            (
                "rehook routes retire /api/webhook/github",
                "Remove it, if the shim that runs here says that it was silent long enough",
                "若本机运行的 shim 显示它已足够久无调用，则移除",
            ),
            (
                "rehook routes retire https://old.example/api/webhook/github --force",
                "Remove it although it is still called",
                "即使仍有调用也移除",
            ),
        ]
    )]
    Retire(RetireArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RetireArgs {
    #[arg(value_name = "URL", help = pair!(
        "The old URL: its path, or all of it",
        "旧 URL：路径或完整地址"
    ))]
    pub(crate) url: String,
    #[arg(long, value_name = "FILE", help = pair!(
        "The route map, if not webhook-routes.toml at the root of the repo",
        "路由表文件；默认为仓库根目录下的 webhook-routes.toml"
    ))]
    pub(crate) routes: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", help = pair!(
        "Admin address of the shim that knows when the URL was last called [default: 127.0.0.1:9180]",
        "知道该 URL 最近一次调用时间的 shim 的管理地址 [默认值：127.0.0.1:9180]"
    ))]
    pub(crate) admin: Option<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "admin", help = pair!(
        "Counters file of a shim, if none runs",
        "shim 的计数文件，用于 shim 未运行时"
    ))]
    pub(crate) counters_file: Option<PathBuf>,
    #[arg(long, help = pair!("Also when it is still called", "即使仍有调用也移除"))]
    pub(crate) force: bool,
}
