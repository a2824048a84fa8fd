//! Bringing the table up to date while requests are answered.
//!
//! Invariants: what is wrong never takes the place of what works; a table is built whole and
//! swapped whole, and a request that has begun ends with the table it began with.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::preflight;
use crate::shim::config::file_stamp::FileStamp;
use crate::shim::config::{self, Config, Flags};
use crate::shim::observe::counters_file;
use crate::shim::observe::metrics::Registry;
use crate::shim::route::build::build;
use crate::shim::route::maps;
use crate::shim::route::table::Table;
use crate::shim::serve::worker::ServerState;
use crate::term;
use crate::text;
use crate::text::Text;
use crate::user_error::UserError;

/// How often the files are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often counts are saved.
const SAVE_EVERY_N_POLLS: u32 = 30;

/// Where the configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The command line.
    pub flags: Flags,
}

/// Reads the configuration and the route map, and builds the table.
pub fn load(source: &Source, registry: &Registry) -> Result<Table, Vec<UserError>> {
    let environment = |name: &str| std::env::var(name).ok();
    // Marked before they are read: what changes meanwhile is then seen as a change.
    let mut read_from: Vec<FileStamp> = source.flags.config.iter().map(FileStamp::of).collect();
    let config = config::load(&source.flags, &environment)?;
    read_from.extend(config.secret_files.iter().map(FileStamp::of));
    let maps = maps::read(&config.routes, config.deprecated_since)?;
    read_from.extend(maps.read_from);
    let mut table = build(&maps.files, config, registry)?;
    if table.urls().is_empty() && !table.config.passthrough {
        return Err(vec![no_routes(&table)]);
    }
    table.read_from = read_from;
    Ok(table)
}

/// With no old URL to answer and nothing let through, every sender would get a 404.
fn no_routes(table: &Table) -> UserError {
    let error = UserError::new(
        text!("there are no routes", "没有任何路由"),
        text!(
            "run `rehook migrate` first, or name another map with --routes; with --passthrough the \
             shim serves without any",
            "请先运行 `rehook migrate`，或用 --routes 指定另一张路由表；加上 --passthrough 时没有路由也可以启动"
        ),
    );
    match table.maps.first().or(table.config.routes.first()) {
        Some(map) => error.at(map, None),
        None => error,
    }
}

/// That a reload would leave nothing of what was served.
fn nothing_left(old: &Table, new: &Table) -> Option<UserError> {
    let is_nothing_left = new.urls().is_empty() && !old.urls().is_empty();
    is_nothing_left.then(|| {
        UserError::new(
            text!(
                "the route maps have no routes any more",
                "路由表中已没有任何路由"
            ),
            text!(
                "bring them back, or restart the shim if that is meant",
                "请恢复它们；如果确实如此，请重启 shim"
            ),
        )
    })
}

/// Reloads on SIGHUP and when a file has changed; saves the counts.
pub(crate) async fn watch(state: Arc<ServerState>, source: Source) {
    let mut hangup = signal(SignalKind::hangup()).ok();
    let mut rotated = signal(SignalKind::user_defined1()).ok();
    let mut known = state.table.load().read_from.clone();
    let mut seen = known.clone();
    let mut look = tokio::time::interval(POLL_INTERVAL);
    let mut looks = 0;
    loop {
        let asked = tokio::select! {
            _ = look.tick() => false,
            Some(()) = next(&mut hangup) => {
                state.log.reopen();
                true
            }
            Some(()) = next(&mut rotated) => {
                state.log.reopen();
                continue;
            }
        };
        looks += 1;
        if looks % SAVE_EVERY_N_POLLS == 0 {
            let table = state.table.load();
            if let Some(path) = &table.config.counters_file {
                counters_file::save(path, &state.registry, &state.log);
            }
        }
        let now: Vec<FileStamp> = known.iter().map(|mark| FileStamp::of(&mark.path)).collect();
        // A file that is still being written may be cut off where it looks whole: only what looks the
        // same twice is read.
        let is_settled = now == seen;
        seen.clone_from(&now);
        if !asked && (now == known || !is_settled) {
            continue;
        }
        known = match reload(&state, &source) {
            true => state.table.load().read_from.clone(),
            // Not tried again before something changes.
            false => now,
        };
    }
}

async fn next(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

/// Reloads now; logs the result, and says whether it was good.
pub(super) fn reload(state: &ServerState, source: &Source) -> bool {
    let [good, bad] = &state.registry.reloads;
    let loaded = load(source, &state.registry).and_then(|table| {
        match nothing_left(&state.table.load(), &table) {
            Some(error) => Err(vec![error]),
            None => Ok(table),
        }
    });
    match loaded {
        Ok(table) => {
            let urls = table.urls().len();
            let old = state.table.swap(Arc::new(table));
            good.fetch_add(1, Ordering::Relaxed);
            state.log.event(&text!(
                "reloaded: {urls} old URLs are served",
                "已重新加载：提供 {urls} 个旧 URL"
            ));
            for warning in gone(&old, &state.table.load()) {
                state.log.event(&warning);
            }
            for warning in preflight::warnings(&state.table.load()) {
                state.log.event(&warning);
            }
            if needs_restart(&old.config, &state.table.load().config) {
                state.log.event(&text!(
                    "listen, admin, threads, log, log_file and memory are taken from the new \
                     configuration only when the shim starts again",
                    "listen、admin、threads、log、log_file 和 memory 的改动要重启 shim 才会生效"
                ));
            }
            true
        }
        Err(errors) => {
            bad.fetch_add(1, Ordering::Relaxed);
            for error in errors {
                let error = error.in_one_line();
                let (en, zh) = error.both();
                state.log.event(&text!(
                    "not reloaded, the old configuration is kept: {en}",
                    "未重新加载，继续使用旧配置：{zh}"
                ));
            }
            false
        }
    }
}

/// Maps that are not there any more, and old URLs that are served no more, which may not be meant: a map
/// can be cut off where it looks whole.
fn gone(old: &Table, new: &Table) -> Vec<Text> {
    let maps = old.maps.iter().filter(|map| !new.maps.contains(map));
    let mut warnings: Vec<Text> = maps
        .map(|map| {
            let map = term::path(map);
            text!(
                "warning: the route map {map} is not there any more",
                "警告：路由表 {map} 已不存在"
            )
        })
        .collect();
    let there: HashSet<&str> = new.urls().iter().map(|url| &*url.path).collect();
    let mut gone = old
        .urls()
        .iter()
        .map(|url| &*url.path)
        .filter(|path| !there.contains(path));
    let Some(first) = gone.next() else {
        return warnings;
    };
    let others = gone.count();
    warnings.push(match others {
        0 => text!(
            "warning: {first} is served no more",
            "警告：不再提供 {first}"
        ),
        _ => text!(
            "warning: {first} and {others} other old URLs are served no more",
            "警告：不再提供 {first} 等旧 URL，另有 {others} 个"
        ),
    });
    warnings
}

fn needs_restart(old: &Config, new: &Config) -> bool {
    old.listen != new.listen
        || old.admin != new.admin
        || old.threads != new.threads
        || old.log != new.log
        || old.log_file != new.log_file
        || old.limits.memory != new.limits.memory
}
