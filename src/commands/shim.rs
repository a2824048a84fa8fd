//! `rehook shim`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use super::{Console, Outcome};
use crate::cli::{LogChoice, ShimArgs};
use crate::lang::Lang;
use crate::shim::config::{Config, Flags, LogFormat, Problem};
use crate::shim::log::Log;
use crate::shim::metrics::Registry;
use crate::shim::table::Table;
use crate::shim::{Listeners, Shared, UNIT, open_files, reload, serve, state};
use crate::text;

/// Serves until SIGTERM or SIGINT, or checks.
pub fn run(args: &ShimArgs, console: &Console) -> anyhow::Result<Outcome> {
    let source = reload::Source { flags: flags(args) };
    let registry = Arc::new(Registry::default());
    let table = match reload::load(&source, &registry) {
        Ok(table) => table,
        Err(problems) => return Ok(refuse(&problems, console)),
    };
    if args.check {
        console.result(&summary(&table, console.lang()))?;
        return Ok(Outcome::Done);
    }
    raise_open_files();
    Ok(match start(source, table, registry, console.lang()) {
        Ok(()) => Outcome::Done,
        Err(problem) => refuse(&[problem], console),
    })
}

fn flags(args: &ShimArgs) -> Flags {
    Flags {
        config: args.config.clone(),
        routes: args.routes.clone(),
        upstream: args.upstream.clone(),
        listen: args.listen.clone(),
        admin: args.admin.clone(),
        trusted_proxies: args.trusted_proxies.clone(),
        passthrough: args.passthrough,
        with_legacy: args.with_legacy,
        sunset: args.sunset.clone(),
        public_url: args.public_url.clone(),
        state: args.state.clone(),
        threads: args.threads.map(usize::from),
        log: args.log.map(|choice| match choice {
            LogChoice::Text => LogFormat::Text,
            LogChoice::Json => LogFormat::Json,
            LogChoice::Off => LogFormat::Off,
        }),
    }
}

/// Says what is wrong.
pub fn refuse(problems: &[Problem], console: &Console) -> Outcome {
    let error = match console.lang() {
        Lang::En => "error: ",
        Lang::Zh => "错误：",
    };
    for problem in problems {
        console.say(&format!("{error}{}\n", problem.show(console.lang())));
    }
    Outcome::Failed
}

fn start(
    source: reload::Source,
    table: Table,
    registry: Arc<Registry>,
    lang: Lang,
) -> Result<(), Problem> {
    let Config {
        listen,
        admin,
        log,
        limits,
        ..
    } = table.config.clone();
    let listeners = Listeners::bind(&listen, admin).map_err(|(address, error)| {
        Problem::general(text!(
            "cannot listen on {address}: {error}; end what uses the port, or choose another with \
             --listen or --admin",
            "无法监听 {address}：{error}；请停掉占用该端口的程序，或用 --listen / --admin 换一个"
        ))
    })?;
    let memory = usize::try_from(limits.memory / UNIT).unwrap_or(usize::MAX);
    let shared = Arc::new(Shared {
        table: ArcSwap::from_pointee(table),
        registry,
        log: Log::new(log, lang, Box::new(std::io::stderr())),
        lang,
        memory: Semaphore::new(memory.min(Semaphore::MAX_PERMITS)),
    });
    state::restore(&shared);
    open_files::foresee(&shared);
    let (senders, page) = listeners.addresses();
    let cannot = |error: std::io::Error| {
        Problem::general(text!(
            "the shim cannot serve: {error}",
            "shim 无法提供服务：{error}"
        ))
    };
    let shutdown = asked_to_stop(|| announce(&shared, &senders, page));
    serve(&shared, listeners, source, shutdown).map_err(cannot)?;
    state::save(&shared);
    Ok(())
}

fn announce(shared: &Shared, senders: &[SocketAddr], admin: Option<SocketAddr>) {
    let table = shared.table.load();
    let upstream = &table.config.upstream;
    let urls = table.urls().len();
    let senders: Vec<String> = senders.iter().map(|a| format!("http://{a}")).collect();
    let senders = senders.join(" ");
    shared.log.event(&text!(
        "serving {urls} old URLs at {senders} from {upstream}",
        "正在 {senders} 提供 {urls} 个旧 URL，由 {upstream} 应答"
    ));
    if let Some(admin) = admin {
        shared.log.event(&text!(
            "health, metrics and the page are at http://{admin}",
            "健康检查、指标和页面位于 http://{admin}"
        ));
    }
}

/// Calls `ready` when a signal to stop would be heard; ends when one is.
async fn asked_to_stop(ready: impl FnOnce()) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        // Without signals the process can still be killed; it must not end by itself.
        return std::future::pending().await;
    };
    ready();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Lets the process have as many connections as it is allowed to.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}

/// What would be served.
fn summary(table: &Table, lang: Lang) -> String {
    let mut lines = String::new();
    for url in table.urls() {
        lines.push_str(&format!("{} [{}]\n", url.path, url.allow));
        for destination in &url.destinations {
            let doors: Vec<&str> = destination.doors.iter().map(|door| door.kind()).collect();
            let doors = match doors.is_empty() {
                true => String::new(),
                false => format!("  ({})", doors.join(", ")),
            };
            let (agent, target) = (&destination.agent.url, &destination.route.target);
            lines.push_str(&format!(
                "    -> {agent}{target}  {}{doors}\n",
                destination.plugin
            ));
        }
    }
    let (count, routes) = (table.urls().len(), PathBuf::from(&table.config.routes));
    let routes = routes.display();
    let last = text!(
        "good: {count} old URLs of {routes} would be served",
        "配置正确：将提供 {routes} 中的 {count} 个旧 URL"
    );
    lines.push_str(last.get(lang));
    lines.push('\n');
    lines
}
