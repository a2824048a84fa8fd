//! A difference as people read it: the request, and what each side gave. What both gave alike is left
//! out, and so is what follows from the rest; programs get all of it (`json`).

use anstyle::Style;
use serde_json::Value;

use super::sanitize::{about, indented_request, shortened, shortened_beside};
use crate::migrate::python::style::width;
use crate::term::style::{BOLD, GREEN, RED};
use crate::text;
use crate::text::{Lang, Text};
use crate::verify::runner::protocol::{Difference, Part};

/// How many items of a side are shown.
const MOST_ITEMS: usize = 20;

/// The header that follows from the body.
const LENGTH: &str = "content-length";

/// The request that shows it, and what differs.
pub(crate) fn text(difference: &Difference, lang: Lang) -> String {
    let about = about(&difference.request, lang);
    let intro = text!(
        "  the smallest request that shows it{about}:\n",
        "  能显示差异的最小请求{about}：\n"
    );
    let mut output = intro.get(lang).to_owned();
    output += &indented_request(&difference.request, lang);
    let has_body = difference.parts.iter().any(|part| part.part == "body");
    for part in &difference.parts {
        let Some(sides) = Sides::of(part, has_body) else {
            continue;
        };
        output += &format!("  {BOLD}{}{BOLD:#}", part_name(&part.part).get(lang));
        if sides.alike > 0 {
            let alike = sides.alike;
            output += text!(" ({alike} more alike)", "（另有 {alike} 项相同）").get(lang);
        }
        output.push('\n');
        output += &side(&text!("old: ", "旧："), RED, &sides.old, &sides.new, lang);
        output += &side(&text!("new: ", "新："), GREEN, &sides.new, &sides.old, lang);
    }
    output
}

/// What to do about it; `base` is the commit with the original, of a plugin that is migrated already.
pub(crate) fn next(base: Option<&str>) -> Text {
    match base {
        None => text!(
            "  hint: leave senders where they are until this is as you want it; `rehook diff` shows what the migration changes\n",
            "  提示：在结果符合预期之前，请不要切换发送方；`rehook diff` 会显示迁移所做的改动\n"
        ),
        Some(base) => text!(
            "  hint: leave senders where they are until this is as you want it; `git diff {base}` shows what was changed\n",
            "  提示：在结果符合预期之前，请不要切换发送方；`git diff {base}` 会显示做过的改动\n"
        ),
    }
}

fn side(label: &Text, style: Style, items: &[String], others: &[String], lang: Lang) -> String {
    let label = label.get(lang);
    let nothing = text!("(nothing)", "（无）");
    let mut lines: Vec<String> = items
        .iter()
        .enumerate()
        .take(MOST_ITEMS)
        .map(|(place, item)| {
            let other = others.get(place).map_or("", String::as_str);
            shortened_beside(item, other)
        })
        .collect();
    if items.is_empty() {
        lines.push(nothing.get(lang).to_owned());
    }
    let rest = items.len().saturating_sub(MOST_ITEMS);
    if rest > 0 {
        lines.push(format!("… (+{rest})"));
    }
    // What follows stands below the first.
    let indented = format!("\n    {}", " ".repeat(width(label)));
    format!("    {style}{label}{}{style:#}\n", lines.join(&indented))
}

fn part_name(part: &str) -> Text {
    match part {
        "status" => text!("status", "状态码"),
        "body" => text!("body", "响应体"),
        "headers" => text!("headers", "响应头"),
        "effects" => text!("what the plugin did", "插件做了什么"),
        "context" => text!("context given to the handler", "传给处理函数的上下文"),
        other => Text::verbatim(shortened(other)),
    }
}

/// What each side gave of a part, item by item, and how many items they have in common.
struct Sides {
    old: Vec<String>,
    new: Vec<String>,
    alike: usize,
}

impl Sides {
    /// None where all that differs follows from the body.
    fn of(part: &Part, has_body: bool) -> Option<Self> {
        let whole = || Self {
            old: vec![part.old.to_string()],
            new: vec![part.new.to_string()],
            alike: 0,
        };
        let (Value::Array(old), Value::Array(new)) = (&part.old, &part.new) else {
            return Some(whole());
        };
        let sides = match part.part.as_str() {
            "headers" => Self::of_headers(old, new, has_body)?,
            "effects" => Self::of_effects(old, new),
            _ => return Some(whole()),
        };
        // What is left out may be all that differs.
        Some(if sides.old == sides.new {
            whole()
        } else {
            sides
        })
    }

    fn of_headers(old: &[Value], new: &[Value], has_body: bool) -> Option<Self> {
        let (mut old, mut new) = (old.to_vec(), new.to_vec());
        if has_body && length(&old).is_some() && length(&new).is_some() {
            for headers in [&mut old, &mut new] {
                headers.retain(|header| header.get(0).is_none_or(|name| name != LENGTH));
            }
            if old == new {
                return None;
            }
        }
        // Their order does not count.
        let all = old.len();
        old.retain(|header| match new.iter().position(|one| one == header) {
            Some(place) => {
                new.remove(place);
                false
            }
            None => true,
        });
        Some(Self {
            alike: all - old.len(),
            old: old.iter().map(header).collect(),
            new: new.iter().map(header).collect(),
        })
    }

    fn of_effects(old: &[Value], new: &[Value]) -> Self {
        let before = old.iter().zip(new).take_while(|(one, other)| one == other);
        let before = before.count();
        let (old, new) = (&old[before..], &new[before..]);
        let after = old.iter().rev().zip(new.iter().rev());
        let after = after.take_while(|(one, other)| one == other).count();
        let each = |all: &[Value]| all[..all.len() - after].iter().map(effect).collect();
        Self {
            old: each(old),
            new: each(new),
            alike: before + after,
        }
    }
}

/// The one length among headers.
fn length(headers: &[Value]) -> Option<u64> {
    let mut lengths = headers.iter().filter(|header| header[0] == LENGTH);
    let length = lengths.next()?.get(1)?.as_str()?.parse().ok();
    length.filter(|_| lengths.next().is_none())
}

fn header(header: &Value) -> String {
    match (header[0].as_str(), header[1].as_str()) {
        (Some(name), Some(value)) => format!("{name}: {value}"),
        _ => header.to_string(),
    }
}

/// What a plugin did (`recorder.py`), as in `log INFO "come"`.
fn effect(effect: &Value) -> String {
    let Some((Value::String(kind), values)) = effect.as_array().and_then(|all| all.split_first())
    else {
        return effect.to_string();
    };
    let is_word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
    };
    if !is_word(kind) {
        return effect.to_string();
    }
    let mut words = vec![kind.clone()];
    for (place, value) in values.iter().enumerate() {
        match value {
            // The level of a log.
            Value::String(level) if kind == "log" && place == 0 && is_word(level) => {
                words.push(level.clone());
            }
            // There is no exception, and nothing else is said of how.
            Value::Null if place + 1 == values.len() => {}
            Value::Object(how) if place + 1 == values.len() && how.is_empty() => {}
            other => words.push(other.to_string()),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests;
