//! How what others have written is shown: names of files and plugins, endpoints, lines of source,
//! messages of programs.
//!
//! Why: a terminal obeys what it is sent. A file name can move the cursor, hide text, or turn the
//! direction of what follows, and so make a report say what nobody wrote.
//!
//! Invariants:
//! - What [`is_harmful`] names reaches no terminal and no text that is written, but as an escape.
//! - JSON stays JSON: there the same characters are escaped as JSON escapes them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{MAIN_SEPARATOR, Path};

/// Whether a character steers what shows it instead of being seen: control characters, those that
/// set the direction of text (UAX 9), ends of lines and pages, and those that are not seen at all.
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text on one line, with what is harmful in it written out.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, |_| false)
}

/// A text on the lines that it has, with what else is harmful in it written out.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_but(text, |character| matches!(character, '\n' | '\t'))
}

/// A path on one line, with what is harmful in it written out.
pub fn path(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// A path with `/` between its parts on every system, as reports and patches have it.
pub(crate) fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace(MAIN_SEPARATOR, "/")
}

/// A path as reports show it: relative to `base` where it is in there.
pub(crate) fn relative(path: &Path, base: &Path) -> String {
    slashes(path.strip_prefix(base).unwrap_or(path))
}

/// The styles of what is for people.
pub(crate) mod style {
    use anstyle::{AnsiColor, Color, Style};

    pub(crate) const BOLD: Style = Style::new().bold();
    pub(crate) const DIM: Style = Style::new().dimmed();
    pub(crate) const RED: Style = colored(AnsiColor::Red);
    pub(crate) const GREEN: Style = colored(AnsiColor::Green);
    pub(crate) const YELLOW: Style = colored(AnsiColor::Yellow);
    pub(crate) const CYAN: Style = colored(AnsiColor::Cyan);

    const fn colored(color: AnsiColor) -> Style {
        Style::new().fg_color(Some(Color::Ansi(color)))
    }
}

/// A character that takes one column: itself, or the mark of one that cannot be shown.
pub fn one_column(character: char) -> char {
    if is_harmful(character) {
        '\u{fffd}'
    } else {
        character
    }
}

/// Text that is JSON, with what is harmful in its strings escaped as JSON escapes it. Outside of
/// strings JSON has no such character but its blanks.
pub fn json(text: String) -> String {
    let is_kept = |character| !is_harmful(character) || matches!(character, '\n' | '\r' | '\t');
    if text.chars().all(is_kept) {
        return text;
    }
    let mut output = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_kept(character) {
            output.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(output, "\\u{unit:04x}");
        }
    }
    output
}

/// What goes to a terminal: only lines, tabs, and the styles that this program uses. A net for what
/// was not escaped where it was put in; a name that has got here can no longer do more than colour
/// its own line.
pub fn sanitized(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = style_length(rest).unwrap_or_default();
        if length > 0 {
            output.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        rest = &rest[character.len_utf8()..];
        push(&mut output, character, matches!(character, '\n' | '\t'));
    }
    Cow::Owned(output)
}

/// The length of a style of ours at the beginning of `text`: `ESC [ n m` of bold, dimmed, a colour
/// that we use, or the end of these.
fn style_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\x1b[")?;
    let end = rest.find('m')?;
    matches!(
        &rest[..end],
        "0" | "1" | "2" | "4" | "31" | "32" | "33" | "34" | "35" | "36"
    )
    .then_some(text.len() - rest.len() + end + 1)
}

fn escaped_but(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_harmful(c) && !is_kept(c)) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push(&mut output, character, is_kept(character));
    }
    Cow::Owned(output)
}

fn push(output: &mut String, character: char, is_kept: bool) {
    if is_kept || !is_harmful(character) {
        output.push(character);
        return;
    }
    match character {
        '\n' => output.push_str("\\n"),
        '\r' => output.push_str("\\r"),
        '\t' => output.push_str("\\t"),
        _ => output.extend(character.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(escaped("插件 a.py"), "插件 a.py");
        assert_eq!(
            escaped("a\x1b]0;x\x07\u{9b}2J\n\r\t\u{202e}b"),
            "a\\u{1b}]0;x\\u{7}\\u{9b}2J\\n\\r\\t\\u{202e}b"
        );
        assert_eq!(escaped_lines("a\n\tb\x1bc"), "a\n\tb\\u{1b}c");
        assert_eq!(path(Path::new("a\nb.py")), "a\\nb.py");
    }

    #[test]
    fn json_is_escaped_as_json() {
        let value = "a\u{202e}\u{7f}\u{e0041}\x1b\n中";
        let text = json(serde_json::to_string_pretty(&[value]).unwrap());
        assert!(!text.chars().any(|c| is_harmful(c) && c != '\n'), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [value]);
    }

    #[test]
    fn only_styles_of_ours_pass() {
        let ours = "\x1b[1m\x1b[31ma\x1b[0m\n\tb";
        assert_eq!(sanitized(ours), ours);
        assert_eq!(
            sanitized("\x1b[8m\x1b[2Ja\u{2066}\r"),
            "\\u{1b}[8m\\u{1b}[2Ja\\u{2066}\\r"
        );
    }
}
