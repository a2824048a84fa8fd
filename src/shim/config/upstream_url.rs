//! The URL of an agent.

use std::fmt;

use crate::text;
use crate::user_error::UserError;

/// Where an agent answers: plain HTTP, with a path before its own paths if need be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamUrl {
    /// What `Host` says.
    authority: String,
    /// The name or address, without brackets.
    host: String,
    port: u16,
    /// What comes before each path; empty, or with a leading and without a trailing `/`.
    prefix: String,
}

impl UpstreamUrl {
    /// Reads `http://host[:port][/prefix]`.
    pub(crate) fn parse(url: &str) -> Result<Self, UserError> {
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
                    "write it like `http://127.0.0.1:8021`",
                    "请写成 `http://127.0.0.1:8021` 这样的形式"
                ),
            )
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
        let is_path = prefix
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte));
        if !is_name(host) || !is_path {
            return None;
        }
        Some(Self {
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }

    /// What `Host` says.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What comes before each path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_host_port_and_prefix() {
        let parts = |url: &str| {
            let upstream = UpstreamUrl::parse(url).unwrap();
            (
                upstream.host,
                upstream.port,
                upstream.prefix,
                upstream.authority,
            )
        };
        let expected = |host: &str, port, prefix: &str, authority: &str| {
            (
                host.to_owned(),
                port,
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
}
