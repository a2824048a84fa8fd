//! Whether the agents have what the maps name, for `--check`.
//!
//! Asked with a method that no route takes, so that nothing of a plugin runs: an agent that has the route says
//! 405, one that has not says 404 in words of its own (release 2.4.0). What says anything else is not
//! understood, and is not called missing. Whether the plugin of a route is enabled, that release looks only in
//! the route itself, when it is called; so that cannot be asked.
//!
//! Invariant: it ends in time, whatever the agents do.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use unicode_width::UnicodeWidthStr;

use crate::shim::http::chunked::Decoder;
use crate::shim::http::framing::{self, Body};
use crate::shim::http::head::{Head, Scan};
use crate::shim::http::target;
use crate::shim::route::old_url::Destination;
use crate::shim::route::table::Table;
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::dial::dial;
use crate::text;
use crate::text::{Lang, Text};

/// A method that servers know and that no webhook takes.
const METHOD: &str = "PROPFIND";
/// What a route that is not there is answered with: by the agent, and by FastAPI itself.
const NOT_MOUNTED: &str = "Not Found";
/// What the agent says for a plugin that is disabled, or in the middle of a reload.
const NOT_ENABLED: &str = "Plugin not found or disabled";
/// How many are asked at a time.
const AT_A_TIME: usize = 8;
/// How long all of them may take.
const TOTAL: Duration = Duration::from_secs(20);
/// The largest reply that is read.
const LARGEST: u64 = 64 << 10;

/// What an agent says about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    NotMounted,
    NotEnabled,
    /// Something else, with this status.
    Other(u16),
    /// Nothing, or nothing that is a reply.
    Nothing,
    /// It was not asked: it does not answer, or there was no time left.
    NotAsked,
}

impl Presence {
    fn is_missing(self) -> bool {
        matches!(self, Self::NotMounted | Self::NotEnabled)
    }

    fn text(self) -> Text {
        match self {
            Self::There => text!("there", "存在"),
            Self::NotMounted => text!("not mounted (404)", "未挂载（404）"),
            Self::NotEnabled => text!("disabled or reloading (404)", "已禁用或正在重载（404）"),
            Self::Other(status) => text!("unclear ({status})", "无法判断（{status}）"),
            Self::Nothing => text!("no answer", "没有响应"),
            Self::NotAsked => text!("not asked", "未询问"),
        }
    }
}

/// All targets, each once, and what was said about them.
#[derive(Debug)]
pub(crate) struct Targets(Vec<(String, Presence)>);

impl Targets {
    /// Asks for all targets of a table.
    pub(super) fn ask(table: &Table) -> Self {
        let all = distinct(table);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let said = match runtime {
            Ok(runtime) => {
                let said = runtime.block_on(ask_all(&all, table.config.limits.connect));
                // A name that is still being looked up is not waited for.
                runtime.shutdown_background();
                said
            }
            Err(_) => vec![Presence::NotAsked; all.len()],
        };
        let names = all.iter().map(|one| one.agent.url.with(&one.route.target));
        Self(names.zip(said).collect())
    }

    /// Whether one is surely not there.
    pub(crate) fn is_any_missing(&self) -> bool {
        self.0.iter().any(|(_, said)| said.is_missing())
    }

    /// A table of them, and what follows.
    pub(crate) fn shown(&self, lang: Lang) -> String {
        let rows = || self.0.iter().map(|(name, said)| (name, said.text()));
        let width = rows().map(|(_, said)| said.get(lang).width()).max();
        let width = width.unwrap_or_default();
        let mut lines = String::new();
        for (name, said) in rows() {
            let said = said.get(lang);
            let space = " ".repeat(width - said.width());
            lines.push_str(&format!("    {said}{space}  {name}\n"));
        }
        let count = |of: fn(Presence) -> bool| self.0.iter().filter(|(_, said)| of(*said)).count();
        let (all, missing) = (self.0.len(), count(Presence::is_missing));
        let silent = count(|said| matches!(said, Presence::Nothing | Presence::NotAsked));
        if missing > 0 {
            let text = text!(
                "{missing} of {all} new URLs are not on the agent: senders would get 404; look whether the \
                 plugins are enabled and migrated there\n",
                "{all} 个新 URL 中有 {missing} 个在 Agent 上不存在，发送方会收到 404；请检查那里的插件是否已启用、已迁移\n"
            );
            lines.push_str(text.get(lang));
        }
        if silent > 0 {
            let text = text!(
                "of {silent} new URLs it is not known whether they are there: the agent does not answer\n",
                "有 {silent} 个新 URL 无法确认是否存在：Agent 没有响应\n"
            );
            lines.push_str(text.get(lang));
        }
        lines
    }
}

/// The targets of a table, each of an agent once.
fn distinct(table: &Table) -> Vec<Arc<Destination>> {
    let mut seen = HashSet::new();
    let all = table.urls().iter().flat_map(|url| &url.destinations);
    all.filter(|one| seen.insert((one.agent.number, one.route.target.clone())))
        .cloned()
        .collect()
}

async fn ask_all(all: &[Arc<Destination>], each: Duration) -> Vec<Presence> {
    let end = Instant::now() + TOTAL;
    let mut said = vec![Presence::NotAsked; all.len()];
    let mut silent = HashSet::new();
    let mut running = JoinSet::new();
    let mut left = all.iter().enumerate();
    loop {
        while running.len() < AT_A_TIME {
            let Some((number, one)) = left.next() else {
                break;
            };
            // One that took no connection will not take the next.
            if silent.contains(&one.agent.number) {
                continue;
            }
            let (agent, path) = (Arc::clone(&one.agent), sample(&one.route.target));
            running.spawn(async move {
                let said = timeout(each, ask(&agent, &path)).await;
                (
                    number,
                    agent.number,
                    said.unwrap_or(Some(Presence::Nothing)),
                )
            });
        }
        match timeout_at(end, running.join_next()).await {
            Ok(Some(Ok((number, _, Some(answer))))) => said[number] = answer,
            Ok(Some(Ok((_, agent, None)))) => {
                silent.insert(agent);
            }
            Ok(Some(Err(_))) => {}
            Ok(None) | Err(_) => return said,
        }
    }
}

/// Asks for a path; none when there is no connection.
async fn ask(agent: &Upstream, path: &str) -> Option<Presence> {
    let mut stream = dial(&agent.url).await.ok()?;
    let (prefix, authority) = (agent.url.prefix(), agent.url.authority());
    let request = format!(
        "{METHOD} {prefix}{path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: rehook\r\n\
         Connection: close\r\n\r\n"
    );
    let mut reply = Vec::new();
    let read = async {
        stream.write_all(request.as_bytes()).await.ok()?;
        (&mut stream)
            .take(LARGEST)
            .read_to_end(&mut reply)
            .await
            .ok()
    };
    // What came before it broke off may be enough.
    let _ = read.await;
    Some(understand(&reply).unwrap_or(Presence::Nothing))
}

fn understand(reply: &[u8]) -> Option<Presence> {
    let end = Scan::default().find_end(reply).ok()??;
    let mut head = Head::default();
    head.read_reply(&reply[..end])?;
    let mut body = Vec::new();
    match framing::of_reply(&head, METHOD.as_bytes()) {
        Some(Body::Chunked) => {
            let mut decoder = Decoder::default();
            decoder
                .decode(&reply[end..], |data| body.extend_from_slice(data))
                .ok()?;
        }
        _ => body.extend_from_slice(&reply[end..]),
    }
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let says = |key: &str, text: &str| json[key].as_str() == Some(text);
    Some(match head.status() {
        405 => Presence::There,
        404 if says("message", NOT_ENABLED) => Presence::NotEnabled,
        404 if says("message", NOT_MOUNTED) || says("detail", NOT_MOUNTED) => Presence::NotMounted,
        status => Presence::Other(status),
    })
}

/// A path of a route, in percent-encoding, with something in place of its parameters that their types take.
fn sample(route: &str) -> String {
    let mut path = String::new();
    let mut rest = route;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        let (inside, after) = after.split_once('}').unwrap_or((after, ""));
        path.push_str(match inside.split_once(':') {
            Some((_, "uuid")) => "00000000-0000-0000-0000-000000000000",
            _ => "0",
        });
        rest = after;
    }
    path.push_str(rest);
    target::encode(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_says_is_understood_or_unclear() {
        let reply = |status: &str, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
        };
        let of_agent = |message: &str| {
            format!(
                r#"{{"error":"HTTPException","message":"{message}","detail":null,"data":null}}"#
            )
        };
        let chunked = |body: &str| {
            format!(
                "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            )
        };
        for (reply, said) in [
            (
                reply("405 No", &of_agent("Method Not Allowed")),
                Some(Presence::There),
            ),
            (reply("405 No", ""), Some(Presence::There)),
            (
                reply("404 No", &of_agent(NOT_MOUNTED)),
                Some(Presence::NotMounted),
            ),
            (
                reply("404 No", r#"{"detail":"Not Found"}"#),
                Some(Presence::NotMounted),
            ),
            (
                chunked(r#"{"detail":"Not Found"}"#),
                Some(Presence::NotMounted),
            ),
            (
                reply("404 No", &of_agent(NOT_ENABLED)),
                Some(Presence::NotEnabled),
            ),
            // The word of a handler, or of a server in between.
            (
                reply("404 No", &of_agent("no such repo")),
                Some(Presence::Other(404)),
            ),
            (reply("404 No", "<html>"), Some(Presence::Other(404))),
            (reply("200 OK", "ok"), Some(Presence::Other(200))),
            (reply("502 Bad", ""), Some(Presence::Other(502))),
            ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), None),
            ("HTTP/1.1 404 Not".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(understand(reply.as_bytes()), said, "{reply}");
        }
    }

    #[test]
    fn a_path_has_something_for_each_parameter() {
        for (route, path) in [
            ("/plugins/a.b/x y", "/plugins/a.b/x%20y"),
            ("/plugins/a.b/{id}/{n:int}", "/plugins/a.b/0/0"),
            ("/plugins/a.b/v{n}/{p:path}", "/plugins/a.b/v0/0"),
            (
                "/plugins/a.b/{u:uuid}",
                "/plugins/a.b/00000000-0000-0000-0000-000000000000",
            ),
        ] {
            assert_eq!(sample(route), path);
        }
    }
}
