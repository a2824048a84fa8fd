//! The table: a line for each webhook, what fails first, and below what fails its last failure.

use anstyle::Style;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::ago::ago;
use super::model::{Status, seconds, state};
use crate::term;
use crate::term::style::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::text;
use crate::text::Lang;

/// The states in the order in which somebody has to look at them.
const ORDER: [&str; 5] = ["failing", "refusing", "in_use", "unused", "retirable"];
/// The widest a column is made.
const WIDEST: usize = 40;

pub(super) fn table(status: &Status, lang: Lang, now: u64) -> String {
    let mut webhooks: Vec<&Value> = status.webhooks.iter().collect();
    webhooks.sort_by_key(|webhook| rank(webhook));
    let mut out = summary(status, lang);
    let header: [String; 6] = [
        text!("STATE", "状态"),
        text!("PLUGIN", "插件"),
        text!("ENDPOINT", "端点"),
        text!("CALLS", "调用"),
        text!("FAILURES", "失败"),
        text!("LAST CALL", "最近一次调用"),
    ]
    .map(|text| text.get(lang).to_owned());
    let rows: Vec<[String; 6]> = webhooks.iter().map(|w| cells(w, lang, now)).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let all = rows.iter().chain([&header]).map(|row| row[column].width());
        all.max().unwrap_or(0).min(WIDEST)
    });
    if rows.is_empty() {
        return out;
    }
    out.push('\n');
    line(&header, widths, BOLD, &mut out);
    for (webhook, row) in webhooks.iter().zip(&rows) {
        line(row, widths, style(webhook), &mut out);
        if webhook["state"] == "failing" {
            let failure = failure(&webhook["last_failure"], lang, now);
            out.push_str(&format!("  {DIM}{failure}{DIM:#}\n"));
        }
    }
    out
}

fn rank(webhook: &Value) -> usize {
    let state = webhook["state"].as_str().unwrap_or_default();
    // One that a later shim knows is not known to be harmless.
    let known = ORDER.iter().position(|known| *known == state);
    known.unwrap_or(0)
}

fn style(webhook: &Value) -> Style {
    match webhook["state"].as_str().unwrap_or_default() {
        "failing" => RED,
        "refusing" | "retirable" => YELLOW,
        "in_use" => GREEN,
        _ => Style::new(),
    }
}

fn summary(status: &Status, lang: Lang) -> String {
    let all = status.webhooks.len();
    let admin = term::escaped(&status.admin).into_owned();
    let counts: Vec<String> = ORDER
        .iter()
        .filter_map(|name| {
            let count = status
                .webhooks
                .iter()
                .filter(|w| w["state"] == *name)
                .count();
            (count > 0).then(|| format!("{count} {}", state(name).get(lang)))
        })
        .collect();
    let separator = if lang == Lang::Zh { "，" } else { ", " };
    let counts = counts.join(separator);
    let first = text!(
        "{admin}: {all} webhooks: {counts}",
        "{admin}：共 {all} 个 webhook：{counts}"
    );
    let mut out = format!("{}\n", first.get(lang));
    let upstreams = status.readiness["upstreams"].as_array();
    for upstream in upstreams.into_iter().flatten() {
        if upstream["answers"] != true {
            let url = shown(&upstream["upstream"]);
            let text = text!("{url}: no agent answers", "{url}：没有 Agent 响应");
            out.push_str(&format!("{RED}{}{RED:#}\n", text.get(lang)));
        }
    }
    if let Some(hang) = status.readiness["threads"]["hang"]
        .as_u64()
        .filter(|&n| n > 0)
    {
        let text = text!("{hang} threads hang", "{hang} 个线程没有响应");
        out.push_str(&format!("{RED}{}{RED:#}\n", text.get(lang)));
    }
    out
}

fn cells(webhook: &Value, lang: Lang, now: u64) -> [String; 6] {
    let number = |value: &Value| value.as_u64().unwrap_or(0).to_string();
    let last = match seconds(&webhook["last_call"]) {
        Some(last) => ago(now, last),
        None => text!("never", "从未"),
    };
    [
        term::escaped(state(webhook["state"].as_str().unwrap_or_default()).get(lang)).into_owned(),
        shown(&webhook["plugin"]),
        shown(&webhook["endpoint"]),
        number(&webhook["calls"]),
        number(&webhook["failures"]),
        last.get(lang).to_owned(),
    ]
}

fn failure(call: &Value, lang: Lang, now: u64) -> String {
    let time = seconds(&call["time"]).map(|time| ago(now, time).get(lang).to_owned());
    let why = match call["reason"].as_str().unwrap_or_default() {
        "" => shown(&call["outcome"]),
        reason => term::escaped(reason).into_owned(),
    };
    let status = call["status"].as_u64().map(|status| status.to_string());
    let plugins = call["failed"].as_array().into_iter().flatten();
    let plugins = plugins.map(|p| format!("{}: {}", shown(&p["plugin"]), p["status"]));
    let parts = [time, status, Some(why)].into_iter().flatten();
    let parts = parts.chain(plugins).chain([
        shown(&call["event"]),
        shown(&call["delivery"]),
        shown(&call["legacy"]),
    ]);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

fn shown(value: &Value) -> String {
    term::escaped(value.as_str().unwrap_or_default()).into_owned()
}

/// A row: numbers to the right, what is too wide spreads over its column.
fn line(cells: &[String; 6], widths: [usize; 6], style: Style, out: &mut String) {
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let room = " ".repeat(width.saturating_sub(cell.width()));
        match column {
            0 => out.push_str(&format!("{style}{cell}{style:#}{room}")),
            3 | 4 => out.push_str(&format!("  {room}{cell}")),
            5 => out.push_str(&format!("  {cell}")),
            _ => out.push_str(&format!("  {cell}{room}")),
        }
    }
    out.push('\n');
}
