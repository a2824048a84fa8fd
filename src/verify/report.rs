//! Reports of what was verified: text and JSON from the same [`VerifyReport`].

mod details;
mod difference;
pub(crate) mod json;
mod reasons;
mod request_label;
mod sanitize;
pub(crate) mod saved_requests;
pub(crate) mod text;
mod uncovered;
mod url;

use std::path::Path;

use super::results::{Cause, VerifyReport};
use crate::term;
use crate::text::Lang;
use crate::user_error::UserError;
use crate::verify::options::AgentChoice;
use crate::verify::runner::protocol::About;

/// What was verified, as a report shows it.
pub(crate) struct View<'a> {
    /// The result.
    pub(crate) results: &'a VerifyReport,
    /// The agent that was asked for.
    pub(crate) agent: AgentChoice,
    /// The folder that paths are shown relative to.
    pub(crate) base: &'a Path,
}

impl View<'_> {
    /// A path as it is shown.
    fn shown(&self, path: &Path) -> String {
        term::relative(path, self.base)
    }
}

/// Why a plugin cannot be run, and what to do about it.
pub(crate) fn explained(cause: &Cause) -> UserError {
    reasons::error(cause, "python")
}

/// What a request is called in what is for programs: the same whatever the language is.
pub(crate) fn called(about: &About) -> String {
    request_label::text(about).get(Lang::En).to_owned()
}

/// Lines as people write them, `27-44, 46`: a range goes on over lines that cannot run, such as
/// comments, which are those that are not in `all`.
fn ranges(lines: &[usize], all: &[usize]) -> String {
    let (mut lines, mut all) = (lines.to_vec(), all.to_vec());
    lines.sort_unstable();
    lines.dedup();
    all.sort_unstable();
    let is_between = |first: usize, last: usize| {
        let next = all.partition_point(|&line| line <= first);
        all.get(next).is_some_and(|&line| line < last)
    };
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match ranges.last_mut() {
            Some((_, last)) if !is_between(*last, line) => *last = line,
            _ => ranges.push((line, line)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
