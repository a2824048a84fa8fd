//! `rehook shim`.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use super::console::Console;
use super::outcome::Outcome;
use super::routes::map_of_repo;
use crate::cli::{LogChoice, ShimArgs};
use crate::shim::config::{Config, Flags, LogFormat};
use crate::shim::lifecycle::{preflight, reload};
use crate::shim::observe::access_log::Log;
use crate::shim::observe::metrics::Registry;
use crate::shim::observe::{counters_file, fd_limit};
use crate::shim::record::{self, Recorder};
use crate::shim::route::table::Table;
use crate::shim::{Listeners, ServerState, UNIT, serve};
use crate::term;
use crate::text;
use crate::text::{Lang, Text, translate};
use crate::user_error::UserError;

/// Ports below it are for root alone.
const FIRST_FREE_PORT: u16 = 1_024;

/// Serves until SIGTERM or SIGINT, or checks.
pub fn run(args: &ShimArgs, console: &Console) -> anyhow::Result<Outcome> {
    let source = reload::Source { flags: flags(args) };
    let registry = Arc::new(Registry::default());
    let table = match reload::load(&source, &registry) {
        Ok(table) => table,
        Err(errors) => return Ok(refuse(&errors, console)),
    };
    let mut errors: Vec<UserError> = preflight::unwritable_counters_file(&table)
        .into_iter()
        .collect();
    if table.config.upstream_check {
        let absent = preflight::absent(&table);
        errors.extend(absent.iter().map(preflight::Absent::error));
    }
    errors.extend(
        args.record
            .as_deref()
            .and_then(|path| record::probe(path).err()),
    );
    if !errors.is_empty() {
        return Ok(refuse(&errors, console));
    }
    if args.check {
        for warning in warnings(&table) {
            console.say(&format!("{}\n", warning.get(console.lang())));
        }
        console.result(&summary(&table, console.lang()))?;
        return Ok(Outcome::Done);
    }
    raise_open_files();
    let recorder = args
        .record
        .as_ref()
        .map(|path| Recorder::open(path, args.record_secrets))
        .transpose()?;
    start(source, table, registry, recorder, console.lang())?;
    Ok(Outcome::Done)
}

/// All that is no error, and yet may not be meant.
fn warnings(table: &Table) -> Vec<Text> {
    let mut warnings = preflight::warnings(table);
    if !table.config.upstream_check {
        let absent = preflight::absent(table);
        warnings.extend(absent.iter().map(preflight::Absent::warning));
    }
    warnings
}

fn flags(args: &ShimArgs) -> Flags {
    Flags {
        config: args.config.clone(),
        // The configuration may name it, or lie beside it.
        routes: match (&args.routes, &args.config) {
            (None, None) => Some(map_of_repo()),
            (routes, _) => routes.clone(),
        },
        upstream: args.upstream.clone(),
        no_upstream_check: args.no_upstream_check,
        listen: args.listen.clone(),
        admin: args.admin.clone(),
        trusted_proxies: args.trusted_proxies.clone(),
        passthrough: args.passthrough,
        with_legacy: args.with_legacy,
        sunset: args.sunset.clone(),
        public_url: args.public_url.clone(),
        counters_file: args.counters_file.clone(),
        threads: args.threads.map(usize::from),
        log: args.log.map(|choice| match choice {
            LogChoice::Text => LogFormat::Text,
            LogChoice::Json => LogFormat::Json,
            LogChoice::Off => LogFormat::Off,
        }),
    }
}

/// Says everything that is wrong.
fn refuse(errors: &[UserError], console: &Console) -> Outcome {
    for error in errors {
        console.error(error);
    }
    Outcome::Failed
}

fn start(
    source: reload::Source,
    table: Table,
    registry: Arc<Registry>,
    recorder: Option<Recorder>,
    lang: Lang,
) -> Result<(), UserError> {
    let Config {
        listen,
        admin,
        log,
        limits,
        ..
    } = table.config.clone();
    let listeners = Listeners::bind(&listen, admin)
        .map_err(|(address, error)| cannot_listen(address, &error))?;
    let memory = usize::try_from(limits.memory / UNIT).unwrap_or(usize::MAX);
    let state = Arc::new(ServerState {
        table: ArcSwap::from_pointee(table),
        registry,
        recorder: recorder.map(Arc::new),
        log: Arc::new(Log::new(log, lang, Box::new(std::io::stderr()))),
        lang,
        memory: Semaphore::new(memory.min(Semaphore::MAX_PERMITS)),
    });
    let table = state.table.load_full();
    if let Some(path) = &table.config.counters_file {
        counters_file::restore(path, &state.registry, &state.log);
    }
    fd_limit::check_at_startup(&table, &state.log);
    let (senders, page) = listeners.addresses();
    let cannot = |error: std::io::Error| {
        let reason = translate::io_error(&error);
        let (en, zh) = reason.both();
        UserError::new(
            text!("the shim cannot serve: {en}", "shim 无法提供服务：{zh}"),
            text!("the log says more", "详见日志"),
        )
    };
    let shutdown = asked_to_stop(|| {
        announce(&state, &senders, page);
        warn(&state);
    });
    if let Some(recorder) = &state.recorder {
        recorder.begin(&state.log).map_err(cannot)?;
    }
    let served = serve(&state, listeners, source, shutdown);
    if let Some(recorder) = &state.recorder {
        recorder.finish(&state.log);
    }
    served.map_err(cannot)?;
    if let Some(path) = &state.table.load().config.counters_file {
        counters_file::save(path, &state.registry, &state.log);
    }
    Ok(())
}

/// Why an address cannot be listened on, and the remedy, which differs by the reason.
fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> UserError {
    let (help, help_zh) = match error.kind() {
        ErrorKind::AddrInUse => (
            "end what uses the port, or choose another with --listen or --admin",
            "请停掉占用该端口的程序，或用 --listen / --admin 换一个",
        ),
        ErrorKind::AddrNotAvailable => (
            "give an address of this machine to --listen or --admin, or 0.0.0.0 for all of them",
            "请用 --listen / --admin 给出本机的地址，或用 0.0.0.0 监听全部地址",
        ),
        ErrorKind::PermissionDenied if address.port() < FIRST_FREE_PORT => (
            "ports below 1024 are for root: choose a higher one with --listen or --admin, or let \
             the program have CAP_NET_BIND_SERVICE",
            "1024 以下的端口需要 root 权限：请用 --listen / --admin 换一个更大的端口，或授予程序 \
             CAP_NET_BIND_SERVICE",
        ),
        _ => (
            "choose another address with --listen or --admin",
            "请用 --listen / --admin 换一个地址",
        ),
    };
    let reason = translate::io_error(error);
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "cannot listen on {address}: {en}",
            "无法监听 {address}：{zh}"
        ),
        Text::new(help, help_zh),
    )
}

fn announce(state: &ServerState, senders: &[SocketAddr], admin: Option<SocketAddr>) {
    let table = state.table.load();
    let upstream = &table.config.upstream;
    let urls = table.urls().len();
    let senders: Vec<String> = senders.iter().map(|a| format!("http://{a}")).collect();
    let senders = senders.join(" ");
    state.log.event(&text!(
        "serving {urls} old URLs at {senders} from {upstream}",
        "正在 {senders} 提供 {urls} 个旧 URL，由 {upstream} 应答"
    ));
    if let Some(admin) = admin {
        state.log.event(&text!(
            "health, metrics and the page are at http://{admin}",
            "健康检查、指标和页面位于 http://{admin}"
        ));
    }
}

/// Logs the warnings, from a thread of their own: an agent that is not there must not delay serving.
fn warn(state: &Arc<ServerState>) {
    let shared_too = Arc::clone(state);
    let started = std::thread::Builder::new().spawn(move || {
        let table = shared_too.table.load_full();
        for warning in warnings(&table) {
            shared_too.log.event(&warning);
        }
    });
    if let Err(error) = started {
        let reason = translate::io_error(&error);
        let (en, zh) = reason.both();
        state.log.event(&text!(
            "a thread cannot be started: {en}",
            "无法启动线程：{zh}"
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
            let rules: Vec<&str> = destination.auth.iter().map(|rule| rule.kind()).collect();
            let rules = match rules.is_empty() {
                true => String::new(),
                false => format!("  ({})", rules.join(", ")),
            };
            let (agent, target) = (&destination.agent.url, &destination.route.target);
            lines.push_str(&format!(
                "    -> {agent}{target}  {}{rules}\n",
                destination.plugin
            ));
        }
    }
    let (count, routes) = (table.urls().len(), PathBuf::from(&table.config.routes));
    let routes = term::path(&routes);
    let last = text!(
        "configuration OK: {count} old URLs of {routes} would be served",
        "配置正确：将提供 {routes} 中的 {count} 个旧 URL"
    );
    lines.push_str(last.get(lang));
    lines.push('\n');
    lines
}
