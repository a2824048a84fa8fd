//! How many files this process may have open, and what happens when they are used up: each
//! connection is a file, that of a sender as well as that to an agent.
//!
//! Invariants: a shortage is said, at the start when it can be foreseen and when it comes,
//! and then not more than once in a minute, however many connections wait.

use std::io;
use std::sync::atomic::Ordering;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::shim::http::http_date;
use crate::shim::observe::access_log::Log;
use crate::shim::observe::metrics::Registry;
use crate::shim::route::table::Table;
use crate::text;

/// Files other than connections: listeners, timers, the log, files that are read again.
const OTHERS: u64 = 128;
/// Connections that are enough where nobody asked for a number.
const ENOUGH: u64 = 1_024;
/// How many seconds pass before a shortage is said again.
const SILENCE: u64 = 60;

/// Says when the limit on open files is lower than the limit on connections needs: one that was
/// asked for, or enough for the senders of a small server.
pub(crate) fn check_at_startup(table: &Table, log: &Log) {
    let asked = table.config.limits.connections;
    let connections = asked.map_or(ENOUGH, |asked| asked as u64);
    let (needed, each) = needed(table, connections);
    let Some(most) = getrlimit(Resource::Nofile)
        .current
        .filter(|&most| most < needed)
    else {
        return;
    };
    let fits = (most.saturating_sub(OTHERS) / each).max(1);
    log.event(&text!(
        "warning: {connections} connections may need {needed} open files, and only {most} are \
         allowed; allow more (LimitNOFILE= of systemd, ulimit -Hn), or set `connections = {fits}` \
         under [limits]",
        "警告：{connections} 个连接可能需要打开 {needed} 个文件，而系统只允许 {most} 个；请调高上限\
         （systemd 的 LimitNOFILE=，或 ulimit -Hn），或在 [limits] 中设置 `connections = {fits}`"
    ));
}

/// The files that all connections may need, and those of each: its own, and one for each call
/// that is made at the same time.
fn needed(table: &Table, connections: u64) -> (u64, u64) {
    let calls = table
        .urls()
        .iter()
        .map(|url| url.destinations.len() + usize::from(url.with_legacy));
    let each = 1 + calls.max().unwrap_or(0).max(1) as u64;
    (
        connections.saturating_mul(each).saturating_add(OTHERS),
        each,
    )
}

/// Whether the system had no file, or no memory, for one more connection.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    let short = short.map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|raw| short.contains(&raw))
}

/// Says that a connection could not be taken, when it is for a shortage and was not said lately.
pub(crate) fn log_exhaustion(registry: &Registry, log: &Log, error: &io::Error) {
    if !is_exhaustion(error) {
        return;
    }
    let said = &registry.shortage_said;
    let (now, last) = (http_date::now(), said.load(Ordering::Relaxed));
    if now.saturating_sub(last) < SILENCE
        || said
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
    {
        return;
    }
    let open = registry.connections.load(Ordering::Relaxed);
    log.event(&text!(
        "no connection can be taken ({error}) while {open} are open; those that wait for a request \
         are ended, the longest first; allow more open files, or lower `connections` under [limits]",
        "无法接受新连接（{error}），当前已打开 {open} 个；正在关闭等待请求的空闲连接，等待最久的优先；\
         请调高打开文件数上限，或调低 [limits] 中的 `connections`"
    ));
}
