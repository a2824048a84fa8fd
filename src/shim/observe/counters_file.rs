//! Counts over a restart: whether an old URL can be retired takes longer to know than a process
//! lives.
//!
//! Invariants: the file is whole, old or new, also after a power cut; when it cannot be read or
//! written, serving goes on and the log says so; a file that holds something else than counts is left
//! as it is, and no other file is touched, whatever it is called: two shims may keep their counts in
//! one folder.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::regular_file;
use crate::shim::observe::access_log::Log;
use crate::shim::observe::metrics::{Caller, Registry, UrlCounts};
use crate::term;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// 2026-01-01, in seconds since 1970.
const FIRST_RELEASE: u64 = 1_767_225_600;

/// Takes the counts in the file at `path` up again.
pub(crate) fn restore(path: &Path, registry: &Registry, log: &Log) {
    let value = match kept(path) {
        Ok(Some(value)) => value,
        Ok(None) => return,
        Err(error) => return log.event(&error.in_one_line()),
    };
    // Before that there was no such file: the clock was wrong.
    let possible = |since: &u64| *since >= FIRST_RELEASE;
    if let Some(since) = value["counted_since"].as_u64().filter(possible) {
        let counted = &registry.counted_since;
        counted.fetch_min(since, Ordering::Relaxed);
    }
    for (url, counts) in value["urls"].as_object().into_iter().flatten() {
        registry.url(url).restore(&read(counts));
    }
}

/// What the file at `path` holds; nothing when it is not there or empty. When it cannot be told, or is
/// something else, why, and the remedy.
fn kept(path: &Path) -> Result<Option<Value>, UserError> {
    let text = match regular_file::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(no_counts(path)),
        Err(error) => return Err(cannot_keep(path, &error)),
    };
    // A machine that loses its power can leave a file without its content, or zeros in its place.
    if text.trim_matches('\0').is_empty() {
        return Ok(None);
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if value["urls"].is_object() => Ok(Some(value)),
        _ => Err(no_counts(path)),
    }
}

/// When the old URL `url` was called last, by the file at `path`, in seconds since 1970: none when never.
///
/// # Errors
/// When the file cannot be read, or knows nothing of the URL.
pub(crate) fn last_call(path: &Path, url: &str) -> Result<Option<u64>, UserError> {
    let kept = kept(path)?.unwrap_or_default();
    match kept["urls"].get(url) {
        Some(counts) => Ok(Some(read(counts).last).filter(|&last| last > 0)),
        None => Err(UserError::new(
            text!("nothing was counted of this URL", "没有这个 URL 的计数"),
            text!(
                "name the counters file of the shim that serves it",
                "请指定提供该 URL 的 shim 的计数文件"
            ),
        )
        .at(path, None)),
    }
}

/// Saves the counts in the file at `path`.
pub(crate) fn save(path: &Path, registry: &Registry, log: &Log) {
    // The path may be another than at the start.
    if let Err(error) = kept(path) {
        return log.event(&error.in_one_line());
    }
    let urls: serde_json::Map<String, Value> = registry
        .urls()
        .into_iter()
        .map(|(url, counts)| (url, written(&counts)))
        .collect();
    let value = json!({
        "counted_since": registry.counted_since.load(Ordering::Relaxed),
        "urls": urls,
    });
    if let Err(error) = replace(path, &format!("{value:#}\n")) {
        log.event(&cannot_keep(path, &error).in_one_line());
    }
}

/// Puts a file with `text` in the place of the one at `path`.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut new = beside(path)?;
    new.write_all(text.as_bytes())?;
    // Before it takes the place of the old one: else a power cut could leave a file without content.
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    // That it has its name may be lost with the power; then the old one is still there.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A new file in the folder of `path`, of a name that nobody can guess, which only its owner can read:
/// it names the addresses of senders. It is removed unless it is kept.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".rehook-counts-")
        .tempfile_in(folder(path))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether the counts could be kept at `path`: tried as they are saved, and nothing is left behind.
/// If not, why, and the remedy.
pub(crate) fn probe(path: &Path) -> Result<(), UserError> {
    kept(path)?;
    beside(path)
        .and_then(NamedTempFile::close)
        .map_err(|error| cannot_keep(path, &error))
}

fn cannot_keep(path: &Path, error: &io::Error) -> UserError {
    let (path, reason) = (term::path(path), translate::io_error(error));
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "the counts in {path} cannot be kept: {en}",
            "无法保存或读取 {path} 中的计数：{zh}"
        ),
        text!("check the path and its permissions", "请检查路径和权限"),
    )
}

fn no_counts(path: &Path) -> UserError {
    let path = term::path(path);
    UserError::new(
        text!(
            "the counts cannot be kept in {path}: it holds something else, and is left as it is",
            "无法把计数保存到 {path}：其中是别的内容，未作改动"
        ),
        text!(
            "name another file with --counters-file or `counters_file`, or remove it",
            "请用 --counters-file 或 `counters_file` 指定另一个文件，或删除它"
        ),
    )
}

fn written(counts: &UrlCounts) -> Value {
    let senders: Vec<Value> = counts
        .senders
        .iter()
        .map(|sender| {
            json!({
                "address": sender.address.to_string(),
                "name": sender.name,
                "calls": sender.calls,
                "last": sender.last,
            })
        })
        .collect();
    json!({
        "classes": counts.classes,
        "buckets": counts.buckets,
        "microseconds": counts.microseconds,
        "gone": counts.gone,
        "last": counts.last,
        "last_failed": counts.last_failed,
        "refused": counts.refused,
        "senders": senders,
    })
}

fn read(value: &Value) -> UrlCounts {
    // More than anything that was ever counted: sums of them still fit.
    let number = |value: &Value| value.as_u64().unwrap_or(0).min(1 << 50);
    let sender = |value: &Value| {
        Some(Caller {
            address: value["address"].as_str()?.parse().ok()?,
            name: value["name"].as_str()?.to_owned(),
            calls: number(&value["calls"]),
            last: number(&value["last"]),
        })
    };
    UrlCounts {
        classes: std::array::from_fn(|index| number(&value["classes"][index])),
        buckets: std::array::from_fn(|index| number(&value["buckets"][index])),
        microseconds: number(&value["microseconds"]),
        gone: number(&value["gone"]),
        last: number(&value["last"]),
        last_failed: value["last_failed"] == true,
        refused: number(&value["refused"]),
        senders: value["senders"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(sender)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_back_as_they_were_written() {
        let counts = UrlCounts {
            classes: [0, 5, 0, 2, 1],
            microseconds: 77,
            gone: 2,
            last: 9,
            last_failed: true,
            refused: 3,
            senders: vec![Caller {
                address: "2001:db8::1".parse().unwrap(),
                name: "a\"b".to_owned(),
                calls: 8,
                last: 9,
            }],
            ..UrlCounts::default()
        };
        assert_eq!(read(&written(&counts)), counts);
        assert_eq!(
            read(&json!({"classes": "x", "senders": [1]})),
            UrlCounts::default()
        );
    }
}
