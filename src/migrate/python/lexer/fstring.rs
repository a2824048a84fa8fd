//! Where strings end: f-strings of Python 3.12 may hold quotes, comments and line ends of their own.

use crate::migrate::python::tokens::is_name_byte;

/// An f-string as it was scanned; offsets within the text.
pub(super) struct ScannedString {
    pub(super) end: usize,
    pub(super) fields: Vec<(usize, usize)>,
    pub(super) modern: bool,
}

/// How deep strings inside strings are followed.
pub(super) const MAX_STRING_DEPTH: usize = 40;

pub(super) fn is_string_prefix(prefix: &[u8]) -> bool {
    prefix.len() <= 2
        && prefix
            .iter()
            .all(|b| matches!(b.to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't'))
}

/// 3 for a triple quote at `quote`, else 1.
pub(super) fn quote_width(bytes: &[u8], quote: usize) -> usize {
    match bytes.get(quote..quote + 3) {
        Some([a, b, c]) if a == b && b == c => 3,
        _ => 1,
    }
}

fn closes(bytes: &[u8], at: usize, quote: u8, width: usize) -> bool {
    bytes
        .get(at..at + width)
        .is_some_and(|end| end.iter().all(|&b| b == quote))
}

/// The end of the string whose quote is at `quote`; a string that is not closed ends with its
/// line, a triple-quoted one with the text.
pub(super) fn scan_plain_string(bytes: &[u8], quote: usize) -> usize {
    let (mark, width) = (bytes[quote], quote_width(bytes, quote));
    let mut at = quote + width;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                at += if bytes.get(at + 1..at + 3) == Some(b"\r\n") {
                    3
                } else {
                    2
                }
            }
            b'\n' | b'\r' if width == 1 => return at,
            _ if closes(bytes, at, mark, width) => return at + width,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The f-string whose quote is at `quote`; none when it is not closed.
pub(super) fn scan_fstring(bytes: &[u8], quote: usize, levels: usize) -> Option<ScannedString> {
    let (mark, width) = (bytes[quote], quote_width(bytes, quote));
    let mut scan = ScannedString {
        end: 0,
        fields: Vec::new(),
        modern: false,
    };
    let mut at = quote + width;
    loop {
        match *bytes.get(at)? {
            b'\\' => {
                at += if bytes.get(at + 1..at + 3) == Some(b"\r\n") {
                    3
                } else {
                    2
                }
            }
            b'\n' | b'\r' if width == 1 => return None,
            b'{' if bytes.get(at + 1) == Some(&b'{') => at += 2,
            b'{' => at = scan_field(bytes, at + 1, (mark, width), levels, &mut scan)?,
            _ if closes(bytes, at, mark, width) => {
                scan.end = at + width;
                return Some(scan);
            }
            _ => at += 1,
        }
    }
}

/// The replacement field whose content starts at `start`; gives the offset after its `}`.
fn scan_field(
    bytes: &[u8],
    start: usize,
    (mark, width): (u8, usize),
    levels: usize,
    scan: &mut ScannedString,
) -> Option<usize> {
    let levels = levels.checked_sub(1)?;
    let mut depth = 0usize;
    let mut at = start;
    let field_end = loop {
        match *bytes.get(at)? {
            b'(' | b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b')' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b'}' => break at,
            b'!' if depth == 0 && bytes.get(at + 1) != Some(&b'=') => break at,
            b':' if depth == 0 => break at,
            b'#' => {
                scan.modern = true;
                let rest = &bytes[at..];
                at += memchr::memchr2(b'\n', b'\r', rest)?;
            }
            b'\n' | b'\r' => {
                scan.modern |= width == 1;
                at += 1;
            }
            b'\\' => {
                scan.modern = true;
                at += 1;
            }
            inner @ (b'"' | b'\'') => {
                let inner_width = quote_width(bytes, at);
                scan.modern |= inner == mark && (width == 1 || inner_width == 3);
                let prefixed = (start..at)
                    .rev()
                    .take_while(|&i| is_name_byte(bytes[i]))
                    .any(|i| matches!(bytes[i], b'f' | b'F' | b't' | b'T'));
                let end = if prefixed {
                    let nested = scan_fstring(bytes, at, levels)?;
                    scan.modern |= nested.modern;
                    nested.end
                } else {
                    scan_plain_string(bytes, at)
                };
                // What older parsers would refuse inside a nested string, too.
                let nested = bytes.get(at..end)?;
                scan.modern |= nested.contains(&b'\\')
                    || nested.contains(&b'#')
                    || (nested.contains(&mark) && width == 1)
                    || (width == 3 && nested.windows(3).any(|w| w == [mark; 3]));
                at = end;
            }
            _ => at += 1,
        }
    };
    // `{x=}` shows the expression itself: the `=` is not part of it.
    let text = &bytes[start..field_end];
    let mut expression_end = field_end;
    let trimmed = text.trim_ascii_end();
    if let [head @ .., b'='] = trimmed
        && !matches!(head.last(), Some(b'=' | b'!' | b'<' | b'>'))
    {
        expression_end = start + head.len();
    }
    scan.fields.push((start, expression_end));
    at = field_end;
    if bytes[at] == b'!' {
        while !matches!(*bytes.get(at)?, b':' | b'}') {
            at += 1;
        }
    }
    if bytes[at] == b':' {
        at += 1;
        loop {
            match *bytes.get(at)? {
                b'}' => break,
                b'{' => at = scan_field(bytes, at + 1, (mark, width), levels, scan)?,
                b'\n' | b'\r' if width == 1 => return None,
                _ if closes(bytes, at, mark, width) => return None,
                _ => at += 1,
            }
        }
    }
    Some(at + 1)
}
