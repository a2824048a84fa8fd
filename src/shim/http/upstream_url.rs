//! The URL of an agent: over TCP, or of a socket in the file system.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text;
use crate::user_error::UserError;

/// Where an agent answers: plain HTTP, with a path before its own paths if need be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamUrl {
    /// What `Host` says.
    authority: String,
    address: AgentAddress,
    /// What comes before each path; empty, or with a leading and without a trailing `/`.
    prefix: String,
}

/// Where connections to an agent are made to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum AgentAddress {
    /// A name or address, without brackets, and a port.
    Tcp(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// What `Host` says to an agent that has no host.
const NO_HOST: &str = "localhost";

impl UpstreamUrl {
    /// Reads `http://host[:port][/prefix]`, or `unix:/path[:/prefix]`, also as nginx (`http://unix:/path`) and
    /// Caddy (`unix//path`) write it.
    pub(crate) fn parse(url: &str) -> Result<Self, UserError> {
        let forms = ["unix:", "http://unix:", "unix/"];
        if let Some(rest) = forms.iter().find_map(|form| url.strip_prefix(form)) {
            return Self::parse_unix(rest).ok_or_else(|| not_a_socket(url));
        }
        if url.starts_with("https://") {
            return Err(UserError::new(
                text!(
                    "the upstream `{url}` is https: the shim speaks plain HTTP to an agent on the \
                     same machine or network",
                    "上游 `{url}` 是 https：shim 只以明文 HTTP 访问同机或内网的 Agent"
                ),
                text!(
                    "give its http:// address, and leave TLS to the proxy in front",
                    "请填写它的 http:// 地址，TLS 交给前面的反向代理处理"
                ),
            ));
        }
        Self::parse_http(url).ok_or_else(|| {
            UserError::new(
                text!(
                    "`{url}` is not the URL of an agent",
                    "`{url}` 不是 Agent 的 URL"
                ),
                text!(
                    "write it like `http://127.0.0.1:8021` or `unix:/run/agent.sock`",
                    "请写成 `http://127.0.0.1:8021` 或 `unix:/run/agent.sock` 这样的形式"
                ),
            )
        })
    }

    fn parse_unix(rest: &str) -> Option<Self> {
        let (path, prefix) = match rest.find(":/") {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        let path = format!("/{}", path.strip_prefix('/')?.trim_start_matches('/'));
        let is_path = path.len() > 1 && !path.ends_with('/') && !path.contains(char::is_control);
        (is_path && is_short(&path) && is_prefix(prefix)).then(|| Self {
            authority: NO_HOST.to_owned(),
            address: AgentAddress::Unix(PathBuf::from(path)),
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }

    fn parse_http(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, prefix) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (
                    host,
                    port.strip_prefix(':').or(port.is_empty().then_some("80")),
                )
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, Some("80")),
            },
        };
        let port = port
            .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|port| port.parse().ok())
            .filter(|&port| port != 0)?;
        let is_name = |host: &str| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
        };
        if !is_name(host) || !is_prefix(prefix) {
            return None;
        }
        Some(Self {
            authority: authority.to_owned(),
            address: AgentAddress::Tcp(host.to_owned(), port),
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }

    /// What `Host` says.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Where connections are made to.
    pub(crate) fn address(&self) -> &AgentAddress {
        &self.address
    }

    /// The socket in the file system, if it is one.
    pub(crate) fn socket(&self) -> Option<&Path> {
        match &self.address {
            AgentAddress::Unix(path) => Some(path),
            AgentAddress::Tcp(..) => None,
        }
    }

    /// A path of the agent, as a person reads it.
    pub(crate) fn with(&self, path: &str) -> String {
        match self.socket().filter(|_| self.prefix.is_empty()) {
            Some(_) => format!("{self}:{path}"),
            None => format!("{self}{path}"),
        }
    }

    /// What comes before each path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// Whether the system takes a path of that length for a socket.
#[cfg(unix)]
fn is_short(path: &str) -> bool {
    std::os::unix::net::SocketAddr::from_pathname(path).is_ok()
}

/// Elsewhere there is no such socket; the configuration is for another machine.
#[cfg(not(unix))]
fn is_short(_: &str) -> bool {
    true
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            AgentAddress::Tcp(..) => write!(f, "http://{}{}", self.authority, self.prefix),
            AgentAddress::Unix(path) if self.prefix.is_empty() => {
                write!(f, "unix:{}", path.display())
            }
            AgentAddress::Unix(path) => write!(f, "unix:{}:{}", path.display(), self.prefix),
        }
    }
}

fn is_prefix(prefix: &str) -> bool {
    prefix
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte))
}

fn not_a_socket(url: &str) -> UserError {
    UserError::new(
        text!(
            "`{url}` is not the socket of an agent",
            "`{url}` 不是 Agent 的套接字"
        ),
        text!(
            "write its whole path, of at most 107 bytes, like `unix:/run/agent.sock`",
            "请写出完整路径（不超过 107 字节），例如 `unix:/run/agent.sock`"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_host_port_and_prefix() {
        let parts = |url: &str| {
            let upstream = UpstreamUrl::parse(url).unwrap();
            (upstream.address, upstream.prefix, upstream.authority)
        };
        let expected = |host: &str, port, prefix: &str, authority: &str| {
            (
                AgentAddress::Tcp(host.to_owned(), port),
                prefix.to_owned(),
                authority.to_owned(),
            )
        };
        assert_eq!(
            parts("http://127.0.0.1:8021"),
            expected("127.0.0.1", 8021, "", "127.0.0.1:8021")
        );
        assert_eq!(
            parts("http://agent/a/"),
            expected("agent", 80, "/a", "agent")
        );
        assert_eq!(parts("http://[::1]:9/"), expected("::1", 9, "", "[::1]:9"));
        assert_eq!(parts("http://[::1]"), expected("::1", 80, "", "[::1]"));
    }

    #[test]
    fn what_is_no_agent_is_rejected() {
        let https = UpstreamUrl::parse("https://a").unwrap_err();
        assert!(https.help.to_string().contains("leave TLS"), "{https}");
        for url in [
            "",
            "a",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:x",
            "http://a:99999",
            "ftp://a",
            "http://a b",
            "http://u@a",
            "http://[::1",
            "http://[x]",
            "http://a/?q",
            "http://[::1]x",
        ] {
            let error = UpstreamUrl::parse(url).unwrap_err();
            assert!(error.to_string().ends_with("is not the URL of an agent"));
        }
    }
    #[test]
    fn a_socket_has_a_path_and_a_prefix() {
        for (url, path, shown) in [
            ("unix:/run/a.sock", "/run/a.sock", "unix:/run/a.sock"),
            ("unix:///run/a.sock", "/run/a.sock", "unix:/run/a.sock"),
            ("unix//run/a.sock", "/run/a.sock", "unix:/run/a.sock"),
            ("http://unix:/run/a.sock", "/run/a.sock", "unix:/run/a.sock"),
            (
                "http://unix:/run/a.sock:/base/",
                "/run/a.sock",
                "unix:/run/a.sock:/base",
            ),
            ("unix:/run/a:b", "/run/a:b", "unix:/run/a:b"),
        ] {
            let upstream = UpstreamUrl::parse(url).unwrap();
            assert_eq!(upstream.socket(), Some(Path::new(path)), "{url}");
            assert_eq!(upstream.authority(), "localhost");
            assert_eq!(upstream.to_string(), shown);
            assert_eq!(UpstreamUrl::parse(shown).unwrap(), upstream);
        }
        let with = |url: &str| UpstreamUrl::parse(url).unwrap().with("/x");
        assert_eq!(with("unix:/a.sock"), "unix:/a.sock:/x");
        assert_eq!(with("unix:/a.sock:/b"), "unix:/a.sock:/b/x");
        assert_eq!(with("http://a/b"), "http://a/b/x");
        let long = format!("unix:/{}", "a".repeat(107));
        for url in [
            "unix:",
            "unix:/",
            "unix:a.sock",
            "unix:/run/",
            "unix:/a\n",
            "unix:/a:/b c",
            "http://unix:",
            "unix/a.sock",
            &long,
        ] {
            let error = UpstreamUrl::parse(url).unwrap_err();
            assert!(
                error.message.to_string().contains("not the socket"),
                "{url}"
            );
        }
    }
}
