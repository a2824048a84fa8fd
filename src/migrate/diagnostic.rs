//! What `rehook` has to say about a place in the source: codes, severities, diagnostics.
//!
//! A code is stable and stands for one reason; its wording is free to change. All codes are in
//! one table, [`Code::ALL`], and every one has a title and an explanation in both languages; a
//! code that is no longer reported is a [`RetiredCode`].
//! A diagnostic is data: rendering it is the business of `report`.

mod codes;
mod explanations;
mod retired;
mod severity;
mod typed;

use std::path::{Path, PathBuf};

pub use codes::{Code, Explanation};
pub use retired::RetiredCode;
pub use severity::Severity;

use crate::text::Text;

/// Another place that a finding speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub path: PathBuf,
    /// Line and column, 1-based, in characters.
    pub position: (usize, usize),
    /// What is there.
    pub says: Text,
}

/// A finding at a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    code: Code,
    path: PathBuf,
    /// Line and column, 1-based, in characters; none for a finding about the whole file.
    position: Option<(usize, usize)>,
    /// The line of the source, and how many of its characters from the column on are meant.
    snippet: Option<(String, usize)>,
    detail: Text,
    related: Option<Related>,
    hint: Option<Text>,
}

impl Diagnostic {
    /// A finding about a whole file; `detail` says what is the case there, in one sentence
    /// without a full stop.
    pub fn new(code: Code, path: &Path, detail: Text) -> Self {
        Self {
            code,
            path: path.to_owned(),
            position: None,
            snippet: None,
            detail,
            related: None,
            hint: None,
        }
    }

    /// At `line` and `column`, both 1-based.
    #[must_use]
    pub fn with_position(mut self, line: usize, column: usize) -> Self {
        self.position = Some((line, column));
        self
    }

    /// With the line of source that it speaks of, and how many characters of it are meant.
    #[must_use]
    pub fn with_snippet(mut self, line: impl Into<String>, length: usize) -> Self {
        self.snippet = Some((line.into(), length));
        self
    }

    /// With another place that it speaks of.
    #[must_use]
    pub fn with_related(mut self, related: Option<Related>) -> Self {
        self.related = related;
        self
    }

    /// With a remedy that fits this place better than the general one of its code.
    #[must_use]
    pub fn with_hint(mut self, hint: Text) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The other place that it speaks of.
    pub fn related(&self) -> Option<&Related> {
        self.related.as_ref()
    }

    /// Which reason.
    pub fn code(&self) -> Code {
        self.code
    }

    /// In which file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Line and column, 1-based.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }

    /// The line of source, and how many characters from the column on are meant.
    pub fn snippet(&self) -> Option<(&str, usize)> {
        self.snippet
            .as_ref()
            .map(|(line, length)| (line.as_str(), *length))
    }

    /// What is the case there.
    pub fn detail(&self) -> &Text {
        &self.detail
    }

    /// What to do: for this place, else in general for the code.
    pub fn hint(&self) -> Text {
        self.hint.clone().unwrap_or_else(|| self.code.remedy())
    }

    /// The order in which diagnostics are shown: by place, then by code.
    pub fn sort_key(&self) -> (&Path, Option<(usize, usize)>, &'static str) {
        (&self.path, self.position, self.code.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        for typed in ["RH103", "rh103", "Rh103", "103", " RH103 "] {
            assert_eq!(
                Code::from_typed(typed),
                Some(Code::UnknownEndpoint),
                "{typed}"
            );
        }
        for typed in ["", "RH", "RH1", "RH1030", "1O3", "XX103", "密103", "-103"] {
            assert_eq!(Code::from_typed(typed), None, "{typed}");
        }
    }
}
