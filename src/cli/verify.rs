//! The arguments of `rehook verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, PlanArgs};

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[arg(long, value_name = "PYTHON", help = pair!(
        "The Python that runs the plugins, or the folder of its environment, if not that of VIRTUAL_ENV or \
         of the PATH; one in the repo is started only if it is named here",
        "运行插件的 Python 或其环境的文件夹；默认依次取 VIRTUAL_ENV 和 PATH 中的；仓库中的须在此指定"
    ))]
    pub(crate) python: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = pair!(
        "File of further requests to send, one JSON object per line",
        "额外发送的请求：每行一个 JSON 对象的文件"
    ))]
    pub(crate) requests: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = pair!(
        "Write the requests that were sent to this new file, in the form that --requests reads",
        "把发送过的请求写入这个新文件，供 --requests 读取"
    ))]
    pub(crate) save_requests: Option<PathBuf>,
    #[arg(long, value_name = "REV", default_value = "HEAD", help = pair!(
        "Commit with the original of plugins that are already migrated",
        "已迁移插件的原始版本所在的提交"
    ))]
    pub(crate) base: String,
    #[arg(long, value_enum, default_value_t = AgentArg::Auto, value_name = "AGENT", help = pair!(
        "Agent to run the plugins in",
        "在哪个 Agent 中运行插件"
    ))]
    pub(crate) agent: AgentArg,
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=86400), help = pair!(
        "Time limit for a plugin, before and after each",
        "每个插件迁移前后各自的时限，以秒计"
    ))]
    pub(crate) limit: u32,
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", help = pair!("Output format", "输出格式"))]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AgentArg {
    #[value(help = pair!("The installed agent, else a stand-in for it", "已安装的 Agent；没有时使用模拟 Agent"))]
    Auto,
    #[value(help = pair!("The installed agent", "已安装的 Agent"))]
    Installed,
    #[value(help = pair!("A stand-in for it", "模拟 Agent（stand-in）"))]
    StandIn,
}
