//! Codes as users type them.

use super::codes::Code;

impl Code {
    /// The code that somebody means who types `RH103`, `rh103` or `103`.
    pub fn from_typed(typed: &str) -> Option<Self> {
        let number = typed_number(typed);
        let is_it = |code: &&Self| code.as_str().strip_prefix("RH") == Some(number);
        Self::ALL.iter().find(is_it).copied()
    }
}

/// The number of a code that a user typed: `rh103`, `103`.
pub(super) fn typed_number(typed: &str) -> &str {
    let typed = typed.trim();
    match typed.get(..2) {
        Some(start) if start.eq_ignore_ascii_case("RH") => &typed[2..],
        _ => typed,
    }
}
