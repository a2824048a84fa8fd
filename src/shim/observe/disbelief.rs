//! A peer that says for whom it calls, and is not believed: most often a proxy that somebody forgot to
//! name, and then every sender behind it has the proxy's address.
//!
//! Invariant: said once in an hour, whoever calls how often.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::shim::http::http_date;
use crate::shim::observe::access_log::Log;
use crate::text;

/// How many seconds pass before it is said again.
const SILENCE: u64 = 3_600;

/// Says it, if it was not said lately: `said` is when.
pub(crate) fn log(said: &AtomicU64, log: &Log, peer: IpAddr) {
    let (now, last) = (http_date::now(), said.load(Ordering::Relaxed));
    let is_first = now.saturating_sub(last) >= SILENCE
        && said
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
    if is_first {
        log.event(&text!(
            "warning: {peer} sends X-Forwarded-For and is not believed, so that it counts as the sender; \
             if it is a proxy of yours, write `trusted_proxies = [\"{peer}\"]`",
            "警告：{peer} 发来了 X-Forwarded-For 但不受信任，因此它自己被当作发送方；如果它是您的代理，\
             请写 `trusted_proxies = [\"{peer}\"]`"
        ));
    }
}
