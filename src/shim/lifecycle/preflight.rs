//! What has to be there before the shim serves: agents that can be reached, a file for counts that
//! can be written. And what an operator should know although it is not an error.
//!
//! Why at the start and not when the first request comes: whoever starts the shim is looking then.
//! A reload looks at none of it: an agent may restart at any time, and requests wait for it.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::shim::http::upstream_url::{AgentAddress, UpstreamUrl};
use crate::shim::observe::counters_file;
use crate::shim::route::table::Table;
use crate::text;
use crate::text::{Text, translate};
use crate::user_error::UserError;

/// An agent that cannot be reached, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absent {
    agent: String,
    reason: Text,
}

impl Absent {
    /// For those who want the agent to be there: with the remedy.
    pub(super) fn error(&self) -> UserError {
        let agent = &self.agent;
        let (en, zh) = self.reason.both();
        UserError::new(
            text!(
                "no agent answers at {agent}: {en}",
                "{agent} 上没有 Agent 响应：{zh}"
            ),
            text!(
                "start the agent, name another with --upstream or `upstream`, or give \
                 --no-upstream-check if it will start later",
                "请启动 Agent，或用 --upstream / `upstream` 指定另一个；若它稍后才启动，请加上 \
                 --no-upstream-check"
            ),
        )
    }

    /// For those who said that it may come later.
    pub(super) fn warning(&self) -> Text {
        let agent = &self.agent;
        let (en, zh) = self.reason.both();
        text!(
            "warning: no agent answers at {agent} yet: {en}; until it does, senders get 503",
            "警告：{agent} 上还没有 Agent 响应：{zh}；在它启动之前，发送方会收到 503"
        )
    }
}

/// The agents of the table that cannot be reached, in its order. Takes no longer than the time in
/// which a connection has to be made, however many there are.
pub(super) fn absent(table: &Table) -> Vec<Absent> {
    let patience = table.config.limits.connect;
    let end = Instant::now() + patience;
    let mut asked = Vec::new();
    for agent in table.agents() {
        let (answer, answered) = mpsc::channel();
        let url = agent.url.clone();
        let started = std::thread::Builder::new().spawn(move || {
            // Nobody listens any more when it took too long.
            let _ = answer.send(reach(&url, end));
        });
        asked.push((agent, started.map(|_| answered)));
    }
    let too_long = || translate::io_error(&ErrorKind::TimedOut.into());
    let mut absent = Vec::new();
    for (agent, answered) in asked {
        let result = match answered {
            Ok(answered) => {
                // A name is resolved by the system, which has a patience of its own.
                let left = end.saturating_duration_since(Instant::now());
                match answered.recv_timeout(left + Duration::from_millis(200)) {
                    Ok(result) => result,
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                        Err(too_long())
                    }
                }
            }
            Err(error) => Err(translate::io_error(&error)),
        };
        if let Err(reason) = result {
            let agent = agent.url.to_string();
            absent.push(Absent { agent, reason });
        }
    }
    absent
}

fn reach(url: &UpstreamUrl, end: Instant) -> Result<(), Text> {
    let (host, port) = match url.address() {
        AgentAddress::Tcp(host, port) => (host.as_str(), *port),
        AgentAddress::Unix(path) => {
            let connected = UnixStream::connect(path);
            return connected.map(drop).map_err(|e| translate::io_error(&e));
        }
    };
    let unknown = |error: io::Error| {
        text!(
            "the name `{host}` does not resolve ({error})",
            "域名 `{host}` 无法解析（{error}）"
        )
    };
    let addresses = (host, port).to_socket_addrs();
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses.map_err(unknown)? {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            last = ErrorKind::TimedOut.into();
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(translate::io_error(&last))
}

/// That the counts cannot be kept where they should be.
pub(super) fn unwritable_counters_file(table: &Table) -> Option<UserError> {
    let path = table.config.counters_file.as_deref()?;
    counters_file::probe(path).err()
}

/// What is not an error, and yet may not be meant.
pub(super) fn warnings(table: &Table) -> Vec<Text> {
    let said = |warning: &UserError| {
        let warning = warning.in_one_line();
        let (en, zh) = warning.both();
        text!("warning: {en}", "警告：{zh}")
    };
    table.config.warnings.iter().map(said).collect()
}
