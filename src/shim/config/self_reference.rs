//! The shim's own addresses: each can be listened on once, and an upstream that is one of them would
//! send every request back.
//!
//! Names other than `localhost` are not looked up here, where nothing waits for a network: a
//! request that comes back by way of one is known by its `Via`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::model::Config;
use crate::shim::http::upstream_url::{AgentAddress, UpstreamUrl};
use crate::text;
use crate::user_error::UserError;

/// Says which addresses are given twice, and which upstreams are addresses of the shim itself.
pub(super) fn check(config: &Config, errors: &mut Vec<UserError>) {
    let own: Vec<SocketAddr> = config.listen.iter().copied().chain(config.admin).collect();
    for (index, address) in own.iter().enumerate() {
        // Port 0 is another one each time.
        if address.port() != 0 && own[..index].contains(address) {
            errors.push(UserError::new(
                text!(
                    "{address} is given twice: what senders call and the admin page need an \
                     address each",
                    "{address} 重复：供发送方调用的地址和管理地址必须各不相同"
                ),
                text!(
                    "change --listen, `listen`, --admin or `admin`",
                    "请修改 --listen、`listen`、--admin 或 `admin`"
                ),
            ));
        }
    }
    let rules = config.rules.iter();
    let of_rules = rules.filter_map(|rule| Some((rule.upstream.as_ref()?, rule.line)));
    for (upstream, line) in [(&config.upstream, None)].into_iter().chain(of_rules) {
        let Some(address) = own.iter().find(|own| leads_to(upstream, **own, is_here)) else {
            continue;
        };
        let error = UserError::new(
            text!(
                "the upstream `{upstream}` is the shim itself, which listens on {address}: every \
                 request would come back to it",
                "上游 `{upstream}` 就是 shim 自己（监听 {address}）：每个请求都会绕回来"
            ),
            text!(
                "give the address of the agent, or another --listen or --admin",
                "请填写 Agent 的地址，或用 --listen / --admin 换一个监听地址"
            ),
        );
        errors.push(match (line, &config.file) {
            (Some(_), Some(file)) => error.at(file, line),
            _ => error,
        });
    }
}

/// Whether a connection to `upstream` ends at the listener `own`.
fn leads_to(upstream: &UpstreamUrl, own: SocketAddr, is_here: impl Fn(IpAddr) -> bool) -> bool {
    // The shim listens on TCP alone.
    let AgentAddress::Tcp(host, port) = upstream.address() else {
        return false;
    };
    if *port != own.port() {
        return false;
    }
    let listens_on = |address: IpAddr| {
        let own = own.ip().to_canonical();
        // Connecting to "any address" is connecting to this machine.
        let address = match address.to_canonical() {
            IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            address => address,
        };
        match own {
            IpAddr::V4(any) if any.is_unspecified() => address.is_ipv4() && is_here(address),
            // Takes what comes over IPv4 as well.
            IpAddr::V6(any) if any.is_unspecified() => is_here(address),
            own => own == address,
        }
    };
    if host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        return listens_on(Ipv4Addr::LOCALHOST.into()) || listens_on(Ipv6Addr::LOCALHOST.into());
    }
    host.parse().is_ok_and(listens_on)
}

/// Whether this machine has `address`: no other can be taken by a socket.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_known_as_the_shim_itself() {
        let loops = |listen: &str, upstream: &str| {
            let upstream = UpstreamUrl::parse(&format!("http://{upstream}")).unwrap();
            leads_to(&upstream, listen.parse().unwrap(), |address| {
                address.is_loopback() || address.to_string() == "192.0.2.7"
            })
        };
        for (listen, upstream) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("127.0.0.1:8080", "127.0.0.1:8080/prefix"),
            ("127.0.0.1:8080", "localhost:8080"),
            ("127.0.0.1:8080", "LocalHost.:8080"),
            ("127.0.0.1:8080", "0.0.0.0:8080"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("0.0.0.0:8080", "127.3.2.1:8080"),
            ("0.0.0.0:8080", "0.0.0.0:8080"),
            ("0.0.0.0:8080", "localhost:8080"),
            ("0.0.0.0:8080", "192.0.2.7:8080"),
            ("[::]:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("[::]:8080", "[::ffff:127.0.0.1]:8080"),
            ("[::1]:8080", "localhost:8080"),
            ("[::1]:8080", "[::]:8080"),
        ] {
            assert!(loops(listen, upstream), "{listen} {upstream}");
        }
        for (listen, upstream) in [
            ("127.0.0.1:8080", "127.0.0.1:8021"),
            ("127.0.0.1:8080", "127.0.0.2:8080"),
            ("127.0.0.1:8080", "[::1]:8080"),
            ("127.0.0.1:8080", "agent:8080"),
            ("0.0.0.0:8080", "192.0.2.8:8080"),
            ("0.0.0.0:8080", "[::1]:8080"),
            ("127.0.0.1:0", "127.0.0.1:80"),
            ("127.0.0.1:8080", "unix:/run/agent.sock"),
        ] {
            assert!(!loops(listen, upstream), "{listen} {upstream}");
        }
    }

    #[test]
    fn this_machine_knows_its_addresses() {
        assert!(is_here(Ipv4Addr::LOCALHOST.into()));
        assert!(!is_here("192.0.2.1".parse().unwrap()));
    }
}
