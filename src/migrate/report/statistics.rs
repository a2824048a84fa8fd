//! How often each code is reported, the most frequent first.

use std::collections::BTreeMap;

use super::View;
use super::findings::style_of;
use super::text::BOLD;
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::text::Lang;

/// Each code that is reported with its number, the most frequent first.
pub(super) fn counts(view: &View<'_>) -> Vec<(Code, usize)> {
    let mut number_of: BTreeMap<Code, usize> = BTreeMap::new();
    for code in view.reported().map(Diagnostic::code) {
        *number_of.entry(code).or_default() += 1;
    }
    let mut counts: Vec<(Code, usize)> = number_of.into_iter().collect();
    counts.sort_by_key(|&(code, number)| (std::cmp::Reverse(number), code));
    counts
}

/// One line a code: its number, the code and its title.
pub(crate) fn render(view: &View<'_>, lang: Lang) -> String {
    let counts = counts(view);
    let widest = counts.first().map_or(0, |(_, most)| most.to_string().len());
    let line = |(code, number): &(Code, usize)| {
        let (style, name) = (style_of(*code), code.as_str());
        let title = code.title();
        let title = title.get(lang);
        format!("{BOLD}{number:>widest$}{BOLD:#}  {style}{name}{style:#}  {title}\n")
    };
    counts.iter().map(line).collect()
}
