//! Reading a TOML file so that everything wrong in it is said at once, each with its line and what to
//! write instead.
//!
//! Invariants: a key that nobody asked for is an error (a mistyped limit must not be a
//! limit that is not there), and an error never stops the rest from being read.

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use toml_edit::{Item, TableLike, Value};

use crate::shim::auth::is_header_name;
use crate::text;
use crate::text::Text;
use crate::user_error::UserError;

/// The file that is being read, and what was wrong so far.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    errors: RefCell<Vec<(Option<usize>, UserError)>>,
    warnings: RefCell<Vec<UserError>>,
}

impl<'a> Reader<'a> {
    /// A reader of `text`, the content of `file`.
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self {
            file,
            text,
            errors: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// What was wrong, with its lines, and what may not be meant.
    pub(super) fn into_errors(self) -> (Vec<(Option<usize>, UserError)>, Vec<UserError>) {
        (self.errors.into_inner(), self.warnings.into_inner())
    }

    /// The line of a place in the text.
    pub(super) fn line(&self, span: Option<std::ops::Range<usize>>) -> Option<usize> {
        let before = self.text.get(..span?.start)?;
        Some(before.matches('\n').count() + 1)
    }

    /// The column of a place in the text, 1-based, in characters.
    pub(super) fn column(&self, span: Option<std::ops::Range<usize>>) -> usize {
        let before = span.and_then(|span| self.text.get(..span.start));
        let before = before.unwrap_or_default().chars();
        before.rev().take_while(|&c| c != '\n').count() + 1
    }

    /// Says that something is wrong.
    pub(super) fn error(&self, line: Option<usize>, error: UserError) {
        let error = error.at(self.file, line);
        self.errors.borrow_mut().push((line, error));
    }
}

/// A key that had another name in an earlier release.
struct Renamed {
    old: &'static str,
    new: &'static str,
    /// Both as they are written in a file.
    written: (&'static str, &'static str),
}

const RENAMED: &[Renamed] = &[
    Renamed {
        old: "door",
        new: "auth",
        written: ("[[route.door]]", "[[route.auth]]"),
    },
    Renamed {
        old: "state",
        new: "counters_file",
        written: ("state", "counters_file"),
    },
];

/// A table of the file.
pub(super) struct Section<'a> {
    reader: &'a Reader<'a>,
    table: &'a dyn TableLike,
    line: Option<usize>,
    /// The keys that were asked for.
    known: RefCell<Vec<&'static str>>,
}

/// A value, and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// The line.
    pub(super) line: Option<usize>,
}

impl<'a> Section<'a> {
    /// A section over `table`.
    pub(super) fn new(
        reader: &'a Reader<'a>,
        table: &'a dyn TableLike,
        line: Option<usize>,
    ) -> Self {
        Self {
            reader,
            table,
            line,
            known: RefCell::default(),
        }
    }

    /// The line at which it begins.
    pub(super) fn line(&self) -> Option<usize> {
        self.line
    }

    /// Says that something is wrong in line `line` of it.
    pub(super) fn error(&self, line: Option<usize>, message: Text, help: Text) {
        self.wrong(line, UserError::new(message, help));
    }

    /// Says that something is wrong in line `line` of it.
    pub(super) fn wrong(&self, line: Option<usize>, error: UserError) {
        self.reader.error(line.or(self.line), error);
    }

    /// Says that what stands in line `line` of it may not be meant.
    pub(super) fn warn(&self, line: Option<usize>, warning: UserError) {
        let warning = warning.at(self.reader.file, line.or(self.line));
        self.reader.warnings.borrow_mut().push(warning);
    }

    fn item(&self, key: &'static str) -> Option<(&'a Item, Option<usize>)> {
        self.known.borrow_mut().push(key);
        let item = self.table.get(key).filter(|item| !item.is_none())?;
        let span = self.table.key(key).and_then(toml_edit::Key::span);
        Some((item, self.reader.line(span.or_else(|| item.span()))))
    }

    /// The value at `key`, read by `read`; when it cannot be, `expected` says what should be there.
    pub(super) fn value<T>(
        &self,
        key: &'static str,
        expected: (&str, &str),
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<At<T>> {
        let (item, line) = self.item(key)?;
        match item.as_value().and_then(read) {
            Some(value) => Some(At { value, line }),
            None => {
                let (en, zh) = expected;
                self.error(
                    line,
                    text!("the value of `{key}` is invalid", "`{key}` 的值无效"),
                    text!("write {en}", "请写成{zh}"),
                );
                None
            }
        }
    }

    /// A string.
    pub(super) fn string(&self, key: &'static str) -> Option<At<String>> {
        self.value(
            key,
            ("a string in quotes", "带引号的字符串"),
            |value| value.as_str().map(str::to_owned),
        )
    }

    /// The name of a header; nothing in it when what is there is not one.
    pub(super) fn header_name(&self, key: &'static str) -> Option<Option<String>> {
        let At { value, .. } = self.string(key)?;
        Some(Some(value).filter(|name| is_header_name(name)))
    }

    /// Yes or no.
    pub(super) fn boolean(&self, key: &'static str) -> Option<At<bool>> {
        self.value(key, ("true or false", " true 或 false"), Value::as_bool)
    }

    /// A whole number from 1 on.
    pub(super) fn count(&self, key: &'static str) -> Option<At<usize>> {
        self.value(
            key,
            ("a whole number from 1 on", "大于等于 1 的整数"),
            |value| {
                value
                    .as_integer()
                    .and_then(|number| usize::try_from(number).ok())
                    .filter(|&number| number > 0)
            },
        )
    }

    /// A duration, as in `"8s"`.
    pub(super) fn duration(&self, key: &'static str) -> Option<At<Duration>> {
        let expected = (
            "a duration such as \"8s\", \"500ms\" or \"2m\"",
            "时长，例如 \"8s\"、\"500ms\" 或 \"2m\"",
        );
        self.value(key, expected, |value| parse_duration(value.as_str()?))
    }

    /// A number of bytes, as in `"25MiB"`.
    pub(super) fn size(&self, key: &'static str) -> Option<At<u64>> {
        let expected = (
            "a size such as \"25MiB\", \"64KiB\" or a number of bytes",
            "大小，例如 \"25MiB\"、\"64KiB\" 或字节数",
        );
        self.value(key, expected, |value| match value.as_integer() {
            Some(number) => u64::try_from(number).ok().filter(|&number| number > 0),
            None => parse_size(value.as_str()?),
        })
    }

    /// A list of strings, or one string.
    pub(super) fn strings(&self, key: &'static str) -> Option<At<Vec<String>>> {
        let expected = ("a list of strings", "字符串数组");
        self.value(key, expected, |value| match value.as_str() {
            Some(text) => Some(vec![text.to_owned()]),
            None => value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// A date, in TOML's own form or in quotes; in seconds since 1970.
    pub(super) fn date(&self, key: &'static str) -> Option<At<u64>> {
        let expected = ("a date such as 2026-12-31", "日期，例如 2026-12-31");
        self.value(key, expected, |value| match value.as_datetime() {
            Some(date) => crate::shim::http::http_date::parse(&date.to_string()),
            None => crate::shim::http::http_date::parse(value.as_str()?),
        })
    }

    /// The networks in a list that was read from it; the rest is said to be wrong.
    pub(super) fn networks(&self, list: &At<Vec<String>>) -> Vec<IpNet> {
        let parsed = list.value.iter().filter_map(|text| {
            parse_network(text)
                .map_err(|error| self.wrong(list.line, error))
                .ok()
        });
        parsed.collect()
    }

    /// The table at `key`.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let (item, line) = self.item(key)?;
        match item.as_table_like() {
            Some(table) => Some(Section::new(self.reader, table, line)),
            None => {
                self.error(
                    line,
                    text!("`{key}` is not a table", "`{key}` 不是表"),
                    text!("write it as `[{key}]`", "请写成 `[{key}]`"),
                );
                None
            }
        }
    }

    /// The tables at `key`, written as `[[key]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some((item, line)) = self.item(key) else {
            return Vec::new();
        };
        if let Some(tables) = item.as_array_of_tables() {
            return tables
                .iter()
                .map(|table| Section::new(self.reader, table, self.reader.line(table.span())))
                .collect();
        }
        if item.as_array().is_some_and(toml_edit::Array::is_empty) {
            self.warn(line, is_empty(key));
        }
        let inline: Option<Vec<_>> = item.as_array().and_then(|array| {
            array
                .iter()
                .map(|value| {
                    let table = value.as_inline_table()?;
                    Some(Section::new(self.reader, table, line))
                })
                .collect()
        });
        inline.unwrap_or_else(|| {
            self.error(
                line,
                text!("`{key}` is not a list of tables", "`{key}` 不是表数组"),
                text!("write each as `[[{key}]]`", "请把每一项写成 `[[{key}]]`"),
            );
            Vec::new()
        })
    }

    /// Ends the section: keys that nobody asked for are errors.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter() {
            if known.contains(&key) {
                continue;
            }
            let span = self.table.key(key).and_then(toml_edit::Key::span);
            let line = self.reader.line(span);
            let renamed = RENAMED
                .iter()
                .find(|one| one.old == key && known.contains(&one.new));
            if let Some(Renamed { written, .. }) = renamed {
                let (old, new) = written;
                self.error(
                    line,
                    text!("`{old}` is `{new}` now", "`{old}` 已更名为 `{new}`"),
                    text!("write `{new}`", "请改写为 `{new}`"),
                );
                continue;
            }
            let names = known.join(", ");
            self.error(
                line,
                text!("unknown key `{key}`", "未知的键 `{key}`"),
                text!("known here are: {names}", "这里可用的键：{names}"),
            );
        }
    }
}

/// That a list at `key` says nothing.
pub(super) fn is_empty(key: &str) -> UserError {
    UserError::new(
        text!(
            "`{key}` is empty, and means nothing",
            "`{key}` 为空，不起任何作用"
        ),
        text!("fill it, or remove the line", "请填写内容，或删除这一行"),
    )
}

/// Reads a network, or a single address.
pub(super) fn parse_network(text: &str) -> Result<IpNet, UserError> {
    let address = || text.parse().ok().map(|address: IpAddr| address.into());
    text.parse().ok().or_else(address).ok_or_else(|| {
        UserError::new(
            text!("`{text}` is not a network", "`{text}` 不是网段"),
            text!(
                "write it like `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`",
                "请写成 `10.0.0.0/8`、`2001:db8::/32` 或 `192.0.2.7`"
            ),
        )
    })
}

/// Reads `8s`, `500ms`, `2m`, `1h`, `30d`.
fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|character: char| !character.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    let milliseconds = match text[split..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.checked_mul(milliseconds)?);
    // Longer than this, adding it to an instant could overflow.
    (duration > Duration::ZERO && duration <= Duration::from_secs(3_660 * 86_400))
        .then_some(duration)
}

/// Reads `25MiB`, `64KiB`, `1GiB`, `10MB`, `512`.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..split].parse().ok()?;
    let unit = match text[split..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit).filter(|&size| size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(parse_duration("8s"), Some(Duration::from_secs(8)));
        assert_eq!(parse_duration("500 ms"), Some(Duration::from_millis(500)));
        for wrong in ["8", "s", "", "-1s", "0s", "99999999999d", "1y"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
        assert_eq!(parse_size("25MiB"), Some(25 << 20));
        assert_eq!(parse_size("10 kb"), Some(10_000));
        assert_eq!(parse_size("7"), Some(7));
        for wrong in ["", "MiB", "-1", "0", "1.5MiB", "99999999999GiB"] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
    }
}
