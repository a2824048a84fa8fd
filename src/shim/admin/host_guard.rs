//! Who may be asked for: a page on the internet can have its own name resolve to 127.0.0.1, and
//! would then read the admin page through the browser of whoever looks at it (DNS rebinding). The
//! browser still says the name that it called, so names of others are rejected.
//!
//! Only a listener on loopback is guarded: whoever binds another address calls it by names that
//! only they know.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What is answered to a name of others.
const MISDIRECTED: &str = "The admin page is answered only under localhost, 127.0.0.1 or [::1]. Call it \
    by one of these names, or bind it to another address with --admin.\n\
    管理页面只以 localhost、127.0.0.1 或 [::1] 的名义响应。请用其中之一访问，或用 --admin 绑定到其他地址。\n";

/// Whether a listener at `address` has to be guarded.
pub(super) fn is_guarded(address: Option<SocketAddr>) -> bool {
    address.is_some_and(|address| address.ip().to_canonical().is_loopback())
}

/// Rejects what was called under a name of others.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match is_ours(request.headers()) {
        true => next.run(request).await,
        false => (StatusCode::MISDIRECTED_REQUEST, MISDIRECTED).into_response(),
    }
}

/// Without a `Host` no browser has called.
fn is_ours(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::HOST)
        .iter()
        .all(|host| host.to_str().is_ok_and(is_loopback))
}

fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) => (name, port),
            None => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let address: Option<IpAddr> = name.parse().ok();
    let is_name = name.eq_ignore_ascii_case("localhost");
    is_port && (is_name || address.is_some_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_known() {
        for host in [
            "localhost",
            "LocalHost:9180",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]",
            "[::1]:9180",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9180",
            "evil.example:127",
            "192.0.2.1",
            "[::1",
            "[::2]",
            "[::1].evil.example",
            "localhost:9180.evil",
            "user@localhost",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn what_others_can_reach_is_the_operators() {
        let guarded = |text: &str| is_guarded(Some(text.parse().unwrap()));
        assert!(guarded("127.0.0.1:9180") && guarded("[::1]:9180"));
        assert!(!guarded("0.0.0.0:9180") && !guarded("192.0.2.1:9180"));
    }
}
