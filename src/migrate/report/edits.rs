//! The edits of each changed file, as programs want them: places in the file as it is now, and what is
//! put there.
//!
//! Invariants:
//! - The edits of a file are in the order of their places, and no two of them overlap or touch: applied
//!   from the last to the first, or all at once, they give the bytes that `migrate` writes.
//! - Bytes are those of the file, also where its encoding is another than UTF-8.

use serde::Serialize;

use super::View;
use crate::migrate::edit::{ByteRange, TextEdit};
use crate::migrate::plan::FilePlan;
use crate::migrate::source::SourceFile;

/// A replacement of a part of a file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Edit {
    start: Place,
    end: Place,
    replacement: String,
}

/// A place in a file.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Place {
    /// From the start of the file, in its bytes.
    byte: usize,
    /// 1-based.
    line: usize,
    /// 1-based, in characters; a byte order mark does not count.
    column: usize,
}

/// The edits of each of the view's files.
pub(super) fn edits(view: &View<'_>) -> Vec<Vec<Edit>> {
    let of_plan = view.plan.files.iter().map(of_source);
    // Behind the files of the plan is the route map, if it changes.
    let others = view.files.iter().skip(view.plan.files.len());
    let of_others = others.map(|change| of_bytes(change.before.unwrap_or_default(), change.after));
    of_plan.chain(of_others).collect()
}

/// Those of a source that was planned.
fn of_source(file: &FilePlan) -> Vec<Edit> {
    let source = SourceFile::from_bytes(&file.path, file.before.clone()).ok();
    let edits = source.and_then(|source| {
        let edits: Vec<Edit> = joined(file.edits.iter())
            .into_iter()
            .map(|(range, replacement)| {
                let place = |offset: usize| {
                    let (line, column) = source.position(offset);
                    let byte = source.encode(source.text().get(..offset)?)?.len();
                    Some(Place { byte, line, column })
                };
                Some(Edit {
                    start: place(range.start())?,
                    end: place(range.end())?,
                    replacement,
                })
            })
            .collect::<Option<_>>()?;
        // An encoding with shifts has bytes that belong to no character.
        let is_whole = applied(&file.before, &edits, &source) == Some(file.after.to_vec());
        is_whole.then_some(edits)
    });
    edits.unwrap_or_else(|| of_text(file.text_before(), file.text_after(), file.before.len()))
}

/// The bytes with the edits applied.
fn applied(before: &[u8], edits: &[Edit], source: &SourceFile) -> Option<Vec<u8>> {
    let mut after = Vec::new();
    let mut done = 0;
    for edit in edits {
        after.extend_from_slice(before.get(done..edit.start.byte)?);
        after.extend_from_slice(&source.encode(&edit.replacement)?);
        done = edit.end.byte;
    }
    after.extend_from_slice(before.get(done..)?);
    Some(after)
}

/// Edits that touch each other as one: their order would matter otherwise.
fn joined<'e>(edits: impl Iterator<Item = &'e TextEdit>) -> Vec<(ByteRange, String)> {
    let mut joined: Vec<(ByteRange, String)> = Vec::new();
    for edit in edits {
        let range = edit.range();
        match joined.last_mut() {
            Some((last, text)) if last.end() == range.start() => {
                *last = ByteRange::new(last.start(), range.end());
                text.push_str(edit.text());
            }
            _ => joined.push((range, edit.text().to_owned())),
        }
    }
    joined
}

/// The one edit between two versions of a file in UTF-8: what is between the lines that they have in
/// common at both ends.
fn of_bytes(before: &[u8], after: &[u8]) -> Vec<Edit> {
    let before = String::from_utf8_lossy(before);
    of_text(&before, &String::from_utf8_lossy(after), before.len())
}

/// `length` is that of the file in bytes.
fn of_text(before: &str, after: &str, length: usize) -> Vec<Edit> {
    let is_utf8 = length == before.len();
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let same = |(a, b): &(&&str, &&str)| a == b;
    // Where bytes and text have other lengths, places in the middle would be guessed.
    let common = |is_same: usize| if is_utf8 { is_same } else { 0 };
    let head = common(old.iter().zip(&new).take_while(same).count());
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = common(tail.take_while(same).count());
    let byte = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let end = old.len() - tail;
    let place = |lines: usize| {
        let last = lines.checked_sub(1).and_then(|last| old.get(last));
        let (line, column) = match last {
            Some(last) if !last.ends_with('\n') => (lines, last.chars().count() + 1),
            _ => (lines + 1, 1),
        };
        let byte = if lines == old.len() {
            length
        } else {
            byte(&old[..lines])
        };
        Place { byte, line, column }
    };
    vec![Edit {
        start: place(head),
        end: place(end),
        replacement: new[head..new.len() - tail].concat(),
    }]
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::migrate::edit::EditSet;

    fn plan(before: &[u8], edits: &[(usize, usize, &str)]) -> FilePlan {
        let path = PathBuf::from("a.py");
        let source = SourceFile::from_bytes(&path, before.to_vec()).unwrap();
        let mut set = EditSet::new();
        for (start, end, text) in edits {
            let edit = TextEdit::replacement(ByteRange::new(*start, *end), *text);
            set.push(edit).unwrap();
        }
        let text_after = set.apply(source.text()).unwrap();
        FilePlan::new(&source, text_after, set).unwrap()
    }

    fn places(edits: &[Edit]) -> Vec<(usize, usize, usize, usize, &str)> {
        let place = |edit| {
            let Edit {
                start,
                end,
                replacement,
            }: &Edit = edit;
            (
                start.byte,
                end.byte,
                start.line,
                start.column,
                replacement.as_str(),
            )
        };
        edits.iter().map(place).collect()
    }

    #[test]
    fn edits_that_touch_are_one() {
        let file = plan(
            b"abc\ndef\n",
            &[(1, 1, "x"), (1, 1, "y"), (1, 2, "z"), (5, 6, "")],
        );
        let edits = of_source(&file);
        assert_eq!(places(&edits), [(1, 2, 1, 2, "xyz"), (5, 6, 2, 2, "")]);
    }

    #[test]
    fn bytes_are_those_of_the_file() {
        let (before, _, _) = encoding_rs::GBK.encode("# coding: gbk\nx = '文字'; y = 1\n");
        let text = "# coding: gbk\nx = '文字'; y";
        let offset = text.len();
        let file = plan(&before, &[(offset - 1, offset, "名")]);
        let edits = of_source(&file);
        // Two bytes a character there, three in UTF-8.
        assert_eq!(places(&edits), [(offset - 3, offset - 2, 2, 11, "名")]);
    }

    #[test]
    fn a_byte_order_mark_has_bytes_and_no_column() {
        let file = plan(b"\xef\xbb\xbfa = 1\n", &[(3, 4, "b")]);
        assert_eq!(places(&of_source(&file)), [(3, 4, 1, 1, "b")]);
        let edits = of_bytes(b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa\nb\n");
        assert_eq!(places(&edits), [(5, 5, 2, 1, "b\n")]);
    }

    #[test]
    fn a_new_file_is_put_in_whole() {
        assert_eq!(places(&of_bytes(b"", b"a\nb\n")), [(0, 0, 1, 1, "a\nb\n")]);
    }

    #[test]
    fn only_what_differs_is_replaced() {
        let edits = of_bytes(b"a\nb\nc\n", b"a\nB\nc\n");
        assert_eq!(places(&edits), [(2, 4, 2, 1, "B\n")]);
        let edits = of_bytes(b"a\n", b"a\nb\n");
        assert_eq!(places(&edits), [(2, 2, 2, 1, "b\n")]);
        let edits = of_bytes(b"a\nb", b"a\nb\n");
        assert_eq!(places(&edits), [(2, 3, 2, 1, "b\n")]);
    }
}
