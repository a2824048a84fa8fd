//! The log: one line a request, and what happens to the shim itself.
//!
//! Invariants: a line has no secret in it. Values of queries are redacted, all of them, since
//! nobody can tell which are secrets; a path is the one of the map, where parameters have names and
//! no values; of the headers `User-Agent` alone is given to this module, and what looks like a
//! secret in it is redacted; bodies and secrets never are. What a sender chose is
//! escaped, so that it can neither end a line nor speak to a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use crate::shim::config::LogFormat;
use crate::shim::http::delivery::Delivery;
use crate::shim::http::http_date;
use crate::shim::observe::failures::FailedPlugin;
use crate::shim::observe::log_file;
use crate::shim::observe::log_writer::{LogWriter, Opener};
use crate::shim::observe::redact::{self, REDACTED};
use crate::term;
use crate::text;
use crate::text::{Lang, Text, translate};

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access<'a> {
    /// When it was answered, since 1970.
    pub(crate) time: Duration,
    /// Who sent it.
    pub(crate) sender: IpAddr,
    /// Its method.
    pub(crate) method: &'a [u8],
    /// The path of the map, or what came when it is none of them.
    pub(crate) path: &'a [u8],
    /// The query with its `?`, as it came.
    pub(crate) query: &'a [u8],
    /// The status of the reply.
    pub(crate) status: u16,
    /// From the end of the head to the end of the reply; where no head has come to its end, from
    /// its first byte.
    pub(crate) duration: Duration,
    /// Bytes of the request's body.
    pub(crate) received: u64,
    /// Why the shim answered by itself, or how the reply ended.
    pub(crate) outcome: &'static str,
    /// `User-Agent`.
    pub(crate) agent: &'a [u8],
    /// What the sender calls it.
    pub(crate) delivery: Delivery<'a>,
    /// What happened on the way to the agent; empty when it answered.
    pub(crate) reason: &'static str,
    /// The plugins that failed, of several.
    pub(crate) failed: &'a [FailedPlugin],
}

/// Where the lines go.
pub struct Log {
    format: LogFormat,
    lang: Lang,
    writer: LogWriter,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// A log that writes to `out`, from a thread of its own.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(format: LogFormat, lang: Lang, out: Box<dyn Write + Send>) -> io::Result<Self> {
        Self::with(format, lang, out, None)
    }

    /// A log in the file at `path`, which can be opened anew when it was moved away.
    ///
    /// # Errors
    /// When it cannot be opened, or no thread can be started.
    pub(crate) fn in_file(format: LogFormat, lang: Lang, path: &Path) -> io::Result<Self> {
        let file = log_file::open(path)?;
        let path = path.to_owned();
        let opener: Opener = Box::new(move || match log_file::open(&path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => {
                let error = log_file::cannot_log(&path, &error).in_one_line();
                Err(event_line(format, error.get(lang)))
            }
        });
        Self::with(format, lang, Box::new(file), Some(opener))
    }

    fn with(
        format: LogFormat,
        lang: Lang,
        out: Box<dyn Write + Send>,
        opener: Option<Opener>,
    ) -> io::Result<Self> {
        let dropped = move |count| {
            let text = text!(
                "{count} lines of the log are missing here: they were not taken fast enough",
                "此处缺少 {count} 行日志：读取或写入日志的速度跟不上"
            );
            event_line(format, text.get(lang))
        };
        Ok(Self {
            format,
            lang,
            writer: LogWriter::start(out, Box::new(dropped), opener)?,
        })
    }

    /// Has what comes from now on written to the file that has its name then.
    pub(crate) fn reopen(&self) {
        self.writer.reopen();
    }

    /// Whether requests are logged.
    pub(crate) fn has_requests(&self) -> bool {
        self.format != LogFormat::Off
    }

    /// Takes whole lines, to be written soon. Never waits for whoever reads them.
    pub(crate) fn write(&self, lines: &[u8]) {
        self.writer.push(lines);
    }

    /// Waits until everything is written, but for no longer than `most`.
    pub fn flush(&self, most: Duration) {
        self.writer.flush(most);
    }

    /// Lines that were dropped, since nobody took them.
    pub(super) fn dropped(&self) -> u64 {
        self.writer.dropped()
    }

    /// Says what happened to the shim itself.
    pub(crate) fn event(&self, text: &Text) {
        self.write(event_line(self.format, text.get(self.lang)).as_bytes());
    }

    /// Says that a thread cannot be started.
    pub(crate) fn no_thread(&self, error: &io::Error) {
        let reason = translate::io_error(error);
        let (en, zh) = reason.both();
        self.event(&text!(
            "a thread cannot be started: {en}",
            "无法启动线程：{zh}"
        ));
    }

    /// Puts the line of a request at the end of `lines`.
    pub(crate) fn line(&self, access: &Access<'_>, stamp: &mut Stamp, lines: &mut String) {
        let time = stamp.text(access.time.as_secs());
        let agent = redact::user_agent(access.agent);
        let milliseconds = access.time.subsec_millis();
        let micros = access.duration.as_micros();
        // Writing to memory does not fail.
        let _ = match self.format {
            LogFormat::Off => Ok(()),
            LogFormat::Json => {
                let _ = write!(
                    lines,
                    "{{\"time\":\"{time}.{milliseconds:03}Z\",\"sender\":\"{}\",\"method\":\"",
                    access.sender
                );
                escape_json(access.method, lines);
                lines.push_str("\",\"path\":\"");
                escape_json(access.path, lines);
                redact_query(access.query, lines, escape_json);
                let _ = write!(
                    lines,
                    "\",\"status\":{},\"ms\":{}.{:03},\"received\":{},\"outcome\":\"{}\",\"agent\":\"",
                    access.status,
                    micros / 1000,
                    micros % 1000,
                    access.received,
                    access.outcome
                );
                escape_json(&agent, lines);
                lines.push('"');
                trace_json(access, lines);
                lines.write_str("}\n")
            }
            LogFormat::Text => {
                let _ = write!(lines, "{time}.{milliseconds:03}Z {} ", access.sender);
                escape_text(access.method, lines);
                lines.push(' ');
                escape_text(access.path, lines);
                redact_query(access.query, lines, escape_text);
                let _ = write!(
                    lines,
                    " {} {}.{:03}ms {}B {} \"",
                    access.status,
                    micros / 1000,
                    micros % 1000,
                    access.received,
                    access.outcome
                );
                escape_text(&agent, lines);
                lines.push('"');
                trace_text(access, lines);
                lines.write_str("\n")
            }
        };
    }
}

/// What a failure can be traced by: left out where it is not known.
fn trace_text(access: &Access<'_>, out: &mut String) {
    for (key, value) in names(access) {
        let _ = write!(out, " {key}=\"");
        escape_text(value, out);
        out.push('"');
    }
    if !access.failed.is_empty() {
        let failed: Vec<String> = access.failed.iter().map(FailedPlugin::summary).collect();
        out.push_str(" failed=\"");
        escape_controls(&failed.join(", "), out);
        out.push('"');
    }
}

/// The same as members of an object.
fn trace_json(access: &Access<'_>, out: &mut String) {
    for (key, value) in names(access) {
        let _ = write!(out, ",\"{key}\":\"");
        escape_json(value, out);
        out.push('"');
    }
    for (index, failed) in access.failed.iter().enumerate() {
        out.push_str(if index == 0 { ",\"failed\":[" } else { "," });
        out.push_str("{\"plugin\":\"");
        escape_json(failed.plugin.as_bytes(), out);
        let (status, reason) = (failed.status, failed.reason);
        let _ = write!(out, "\",\"status\":{status},\"reason\":\"{reason}\"}}");
    }
    if !access.failed.is_empty() {
        out.push(']');
    }
}

fn names<'a>(access: &Access<'a>) -> impl Iterator<Item = (&'static str, &'a [u8])> {
    let names = [
        ("delivery", access.delivery.id),
        ("event", access.delivery.event),
        ("reason", access.reason.as_bytes()),
    ];
    names.into_iter().filter(|(_, value)| !value.is_empty())
}

fn event_line(format: LogFormat, text: &str) -> String {
    let time = http_date::rfc3339(http_date::now());
    match format {
        LogFormat::Json => {
            let mut line = format!("{{\"time\":\"{time}\",\"event\":\"");
            escape_json(text.as_bytes(), &mut line);
            line.push_str("\"}\n");
            line
        }
        LogFormat::Text | LogFormat::Off => {
            let mut line = format!("{time} ");
            escape_controls(text, &mut line);
            line.push('\n');
            line
        }
    }
}

/// The time of the last line, so that a second is written out once.
#[derive(Debug, Default)]
pub(crate) struct Stamp {
    second: u64,
    text: String,
}

impl Stamp {
    fn text(&mut self, second: u64) -> &str {
        if self.second != second || self.text.is_empty() {
            self.second = second;
            self.text = http_date::rfc3339(second);
            self.text.pop();
        }
        &self.text
    }
}

/// A query with `***` in place of each value.
pub(crate) fn redact_query(query: &[u8], out: &mut String, escape: fn(&[u8], &mut String)) {
    if query.is_empty() {
        return;
    }
    for (index, pair) in query[1..].split(|&byte| byte == b'&').enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        match memchr::memchr(b'=', pair) {
            Some(at) => {
                escape(&pair[..at], out);
                out.push('=');
                out.push_str(REDACTED);
            }
            // Without a `=` the whole of it may be the secret.
            None if !pair.is_empty() => out.push_str(REDACTED),
            None => {}
        }
    }
}

/// The longest part of a line that a sender chooses.
const LONGEST: usize = 512;

fn escape_text(bytes: &[u8], out: &mut String) {
    for &byte in bytes.iter().take(LONGEST) {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
}

/// A sentence of the shim's own, which may name what somebody wrote into a file.
fn escape_controls(text: &str, out: &mut String) {
    for character in text.chars() {
        match term::is_harmful(character) {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
}

fn escape_json(bytes: &[u8], out: &mut String) {
    // Cut before what is written out, so that no character is cut in two.
    for character in String::from_utf8_lossy(bytes).chars().take(LONGEST) {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if term::is_harmful(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: LogFormat, path: &[u8], query: &[u8], agent: &[u8]) -> String {
        let log = Log::new(format, Lang::En, Box::new(std::io::sink())).unwrap();
        let access = Access {
            time: Duration::from_millis(784_111_777_042),
            sender: "192.0.2.1".parse().unwrap(),
            method: b"POST",
            path,
            query,
            status: 200,
            duration: Duration::from_micros(1_234),
            received: 7,
            outcome: "answered",
            agent,
            delivery: Delivery::default(),
            reason: "",
            failed: &[],
        };
        let mut lines = String::new();
        log.line(&access, &mut Stamp::default(), &mut lines);
        lines
    }

    #[test]
    fn a_line_says_all_but_secrets() {
        assert_eq!(
            line(
                LogFormat::Text,
                b"/api/webhook/x",
                b"?token=hunter2&a&b=1",
                b"GitHub"
            ),
            "1994-11-06T08:49:37.042Z 192.0.2.1 POST /api/webhook/x?token=***&***&b=*** 200 1.234ms 7B answered \"GitHub\"\n"
        );
        let json = line(LogFormat::Json, b"/x", b"?t=hunter2", b"a");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["path"], "/x?t=***");
        assert_eq!(value["ms"], 1.234);
        assert_eq!(line(LogFormat::Off, b"/x", b"", b""), "");
    }

    #[test]
    fn what_looks_like_a_secret_in_a_user_agent_is_redacted() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = line(format, b"/x", b"", b"ci/1 (token=hunter2) Bearer hunter3");
            assert!(line.contains("ci/1 (token=***) Bearer ***"), "{line}");
            assert!(!line.contains("hunter"), "{line}");
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let out = Box::new(log.reopen().unwrap());
        let file = log.path().to_owned();
        let log = Log::new(LogFormat::Text, Lang::En, out).unwrap();
        log.event(&Text::verbatim("a\nb\x1b[31m 中"));
        log.flush(Duration::from_secs(60));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.ends_with(" a\\nb\\u{1b}[31m 中\n"), "{text}");
    }

    #[test]
    fn a_sender_cannot_write_lines_of_its_own() {
        let evil = b"a\"\n\x1b[31m\xff\\\t";
        let text = line(LogFormat::Text, evil, b"", evil);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(
            text.trim_end()
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte)),
            "{text}"
        );
        let json = line(LogFormat::Json, evil, b"?\n=1", evil);
        assert_eq!(json.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["agent"], "a\"\n\u{1b}[31m\u{fffd}\\\t");
    }
}
