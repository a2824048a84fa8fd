//! Changed lines that no request reaches, besides those of the handler before, and conditions in changed
//! lines that came out one way only.

use std::path::Path;

use super::ranges;
use super::sanitize::shortened;
use crate::text;
use crate::text::{Lang, Text};
use crate::verify::runner::protocol::{Lines, OneWay, Side};

/// A line of text for each file; `shown` says what a file of a side is called.
pub(crate) fn text(
    elsewhere: &[Lines],
    shown: impl Fn(Side, &Path) -> String,
    lang: Lang,
) -> String {
    let of_file = |one: &Lines| {
        // Each gap counts, since nothing is known of the lines between.
        let all: Vec<usize> = match (one.lines.iter().min(), one.lines.iter().max()) {
            (Some(first), Some(last)) => (*first..=*last).collect(),
            _ => Vec::new(),
        };
        let (lines, place) = (ranges(&one.lines, &all), shown(one.side, &one.file));
        let when = when(one.side);
        let (en, zh) = (when.get(Lang::En), when.get(Lang::Zh));
        text!(
            "  {place}  changed ({en}), and reached by no request: {lines}\n",
            "  {place}  改动过（{zh}），但没有请求触及的行：{lines}\n"
        )
        .get(lang)
        .to_owned()
    };
    elsewhere.iter().map(of_file).collect()
}

/// A line of text for each condition that came out one way only.
pub(crate) fn conditions(
    one_way: &[OneWay],
    shown: impl Fn(Side, &Path) -> String,
    lang: Lang,
) -> String {
    let of_condition = |one: &OneWay| {
        let (place, line) = (shown(one.side, &one.file), one.line);
        let condition = shortened(&one.condition);
        let text = if one.never {
            text!(
                "  {place}:{line}  `{condition}` was never true
",
                "  {place}:{line}  `{condition}` 从未成立
"
            )
        } else {
            text!(
                "  {place}:{line}  `{condition}` was never false
",
                "  {place}:{line}  `{condition}` 从未不成立
"
            )
        };
        text.get(lang).to_owned()
    };
    one_way.iter().map(of_condition).collect()
}

fn when(side: Side) -> Text {
    match side {
        Side::Old => text!("before the migration", "迁移前"),
        Side::New | Side::Neither => text!("after the migration", "迁移后"),
    }
}
