//! From what the operator wrote to a server that serves until it is told to stop.
//!
//! Invariant: everything that can be found wrong before a sender calls is found here, all of it at once.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::inherited::{self, Inherited};
use super::preflight::{self, Absent};
use super::reload;
use super::targets::Targets;
use crate::shim::config::{Config, Flags};
use crate::shim::observe::access_log::Log;
use crate::shim::observe::metrics::Registry;
use crate::shim::observe::{counters_file, fd_limit, log_file};
use crate::shim::record::{self, Recorder};
use crate::shim::route::table::Table;
use crate::shim::serve::server::{Listeners, serve};
use crate::shim::serve::worker::{ServerState, UNIT};
use crate::signals::Signals;
use crate::term;
use crate::text;
use crate::text::{Lang, Text, translate};
use crate::user_error::UserError;

/// Ports below it are for root alone.
const FIRST_UNPRIVILEGED_PORT: u16 = 1_024;

/// How long the end waits for the log to be read.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// Where requests are recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'p> {
    /// The file.
    pub(crate) path: &'p Path,
    /// Whether secrets are recorded too.
    pub(crate) with_secrets: bool,
}

/// A configuration that can be served, and all that was made of it.
#[derive(Debug)]
pub(crate) struct Checked {
    source: reload::Source,
    registry: Arc<Registry>,
    table: Table,
}

/// Reads the configuration and the route map, and looks at what has to be there besides.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn check(flags: Flags, record: Option<Record<'_>>) -> Result<Checked, Vec<UserError>> {
    let source = reload::Source { flags };
    let registry = Arc::new(Registry::default());
    let table = reload::load(&source, &registry)?;
    let mut errors: Vec<UserError> = preflight::unwritable_counters_file(&table)
        .into_iter()
        .collect();
    if table.config.upstream_check {
        errors.extend(preflight::absent(&table).iter().map(Absent::error));
    }
    let log_file = table.config.log_file.as_deref();
    errors.extend(log_file.and_then(|path| log_file::probe(path).err()));
    errors.extend(record.and_then(|record| record::probe(record.path).err()));
    match errors.is_empty() {
        true => Ok(Checked {
            source,
            registry,
            table,
        }),
        false => Err(errors),
    }
}

impl Checked {
    /// What is not an error, and yet may not be meant.
    pub(crate) fn warnings(&self) -> Vec<Text> {
        warnings(&self.table)
    }

    /// Asks the agents for the new URLs.
    pub(crate) fn ask_for_targets(&self) -> Targets {
        Targets::ask(&self.table)
    }

    /// What would be served.
    pub(crate) fn summary(&self, lang: Lang) -> String {
        let mut lines = String::new();
        for url in self.table.urls() {
            lines.push_str(&format!("{} [{}]\n", url.path, url.allow));
            for destination in &url.destinations {
                let rules: Vec<&str> = destination.auth.iter().map(|rule| rule.kind()).collect();
                let rules = match rules.is_empty() {
                    true => String::new(),
                    false => format!("  ({})", rules.join(", ")),
                };
                let target = destination.agent.url.with(&destination.route.target);
                let plugin = &destination.plugin;
                lines.push_str(&format!("    -> {target}  {plugin}{rules}\n"));
            }
        }
        let count = self.table.urls().len();
        let routes: Vec<String> = self
            .table
            .maps
            .iter()
            .map(|map| term::path(map).to_string())
            .collect();
        let routes = routes.join(", ");
        let last = text!(
            "configuration OK: {count} old URLs of {routes} would be served",
            "配置正确：将提供 {routes} 中的 {count} 个旧 URL"
        );
        lines.push_str(last.get(lang));
        lines.push('\n');
        lines
    }

    /// Serves until a signal to stop.
    ///
    /// # Errors
    /// When it cannot begin to, or a thread has died.
    pub(crate) fn serve(self, record: Option<Record<'_>>, lang: Lang) -> Result<(), UserError> {
        // Before there are threads: it looks into the environment and changes it.
        let inherited = inherited::take()?;
        raise_fd_limit();
        let recorder = record
            .map(|record| Recorder::open(record.path, record.with_secrets))
            .transpose()?
            .map(Arc::new);
        let Config {
            listen,
            admin,
            log,
            limits,
            ..
        } = self.table.config.clone();
        let listeners = listeners(inherited, &listen, admin)?;
        let log = match &self.table.config.log_file {
            Some(path) => {
                Log::in_file(log, lang, path).map_err(|error| log_file::cannot_log(path, &error))?
            }
            None => stderr()
                .and_then(|out| Log::new(log, lang, Box::new(out)))
                .map_err(|error| cannot_serve(&error))?,
        };
        let memory = usize::try_from(limits.memory / UNIT).unwrap_or(usize::MAX);
        let state = Arc::new(ServerState {
            table: ArcSwap::from_pointee(self.table),
            registry: self.registry,
            recorder: recorder.clone(),
            log: Arc::new(log),
            lang,
            memory: Semaphore::new(memory.min(Semaphore::MAX_PERMITS)),
        });
        let table = state.table.load_full();
        if let Some(path) = &table.config.counters_file {
            counters_file::restore(path, &state.registry, &state.log);
        }
        fd_limit::check_at_startup(&table, &state.log);
        let (senders, page) = listeners.addresses();
        let shutdown = shutdown_signal(|| {
            announce(&state, &senders, page);
            warn(&state);
        });
        if let Some(recorder) = &recorder {
            recorder
                .begin(&state.log)
                .map_err(|error| cannot_serve(&error))?;
        }
        let served = serve(&state, listeners, self.source, shutdown);
        if let Some(recorder) = &recorder {
            recorder.finish(&state.log);
        }
        // Reloads may have named another.
        if let Some(path) = &state.table.load().config.counters_file {
            counters_file::save(path, &state.registry, &state.log);
        }
        state.log.flush(LOG_PATIENCE);
        served.map_err(|error| cannot_serve(&error))
    }
}

/// The standard error without the lock of the standard library: whoever wants to write to it at the end
/// must not wait for a log that nobody reads.
fn stderr() -> io::Result<File> {
    Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

fn warnings(table: &Table) -> Vec<Text> {
    let mut warnings = preflight::warnings(table);
    if !table.config.upstream_check {
        warnings.extend(preflight::absent(table).iter().map(Absent::warning));
    }
    warnings
}

/// The sockets that were passed, and new ones where none were.
fn listeners(
    inherited: Inherited,
    listen: &[SocketAddr],
    admin: Option<SocketAddr>,
) -> Result<Listeners, UserError> {
    let is_passed = !inherited.senders.is_empty();
    let listen = if is_passed { &[] } else { listen };
    let admin = admin.filter(|_| inherited.admin.is_none());
    let mut listeners = Listeners::bind(listen, admin)
        .map_err(|(address, error)| cannot_listen(address, &error))?;
    listeners.inherit(inherited.senders, inherited.admin);
    Ok(listeners)
}

fn cannot_serve(error: &io::Error) -> UserError {
    let reason = translate::io_error(error);
    let (en, zh) = reason.both();
    UserError::new(
        text!("the shim cannot serve: {en}", "shim 无法提供服务：{zh}"),
        text!("the log says more", "详见日志"),
    )
}

/// Why an address cannot be listened on, and the remedy, which differs by the reason.
fn cannot_listen(address: SocketAddr, error: &io::Error) -> UserError {
    let (help, help_zh) = match error.kind() {
        ErrorKind::AddrInUse => (
            "end what uses the port, or choose another with --listen or --admin",
            "请停掉占用该端口的程序，或用 --listen / --admin 换一个",
        ),
        ErrorKind::AddrNotAvailable => (
            "give an address of this machine to --listen or --admin, or 0.0.0.0 for all of them",
            "请用 --listen / --admin 给出本机的地址，或用 0.0.0.0 监听全部地址",
        ),
        ErrorKind::PermissionDenied if address.port() < FIRST_UNPRIVILEGED_PORT => (
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
        "正在 {senders} 提供 {urls} 个旧 URL，由 {upstream} 响应"
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
    let of_thread = Arc::clone(state);
    let started = std::thread::Builder::new().spawn(move || {
        for warning in warnings(&of_thread.table.load_full()) {
            of_thread.log.event(&warning);
        }
    });
    if let Err(error) = started {
        state.log.no_thread(&error);
    }
}

/// Calls `ready` when a signal to stop would be heard; ends when one is.
async fn shutdown_signal(ready: impl FnOnce()) {
    let Ok(mut signals) = Signals::listen(false) else {
        // Without signals the process can still be killed; it must not end by itself.
        return std::future::pending().await;
    };
    ready();
    signals.next().await;
}

/// Lets the process have as many connections as it is allowed to.
fn raise_fd_limit() {
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
