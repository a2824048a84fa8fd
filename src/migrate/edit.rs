//! Edits of a text: what they are, and how they become the new text. Pure.
//!
//! The invariants that everything after this module rests on:
//! - Ranges are bytes of the **original** text and never shift while edits are collected.
//! - The edits of an [`EditSet`] do not overlap; two insertions at one place keep the order in
//!   which they were made.
//! - Every byte outside the edits is in the new text as it was.

use std::ops::Range;

use thiserror::Error;

/// A range of bytes of a text: `start` is in it, `end` is not; `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    start: usize,
    end: usize,
}

impl ByteRange {
    /// The range from `start` up to, and without, `end`. An `end` before `start` gives the empty
    /// range at `start`.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// The empty range at `offset`.
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// The first byte.
    pub fn start(self) -> usize {
        self.start
    }

    /// The byte after the last.
    pub fn end(self) -> usize {
        self.end
    }

    /// Whether no byte is in the range.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies wholly inside.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the byte at `offset` is in the range.
    pub fn contains_offset(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The range as the standard library has it, for slicing.
    pub fn as_range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// The replacement of a range of the original text by another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    range: ByteRange,
    replacement: String,
}

impl TextEdit {
    /// Puts `text` in front of the byte at `offset`.
    pub fn insertion(offset: usize, text: impl Into<String>) -> Self {
        Self::replacement(ByteRange::at(offset), text)
    }

    /// Puts `text` where `range` was.
    pub fn replacement(range: ByteRange, text: impl Into<String>) -> Self {
        Self {
            range,
            replacement: text.into(),
        }
    }

    /// What is replaced.
    pub fn range(&self) -> ByteRange {
        self.range
    }

    /// What it is replaced by.
    pub fn text(&self) -> &str {
        &self.replacement
    }
}

/// How far a change can be trusted, as a promise to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// Only reported: what is equivalent cannot be seen from the source.
    Manual,
    /// The behaviour may change in the way that its explanation states; applied with `--unsafe`.
    Unsafe,
    /// Equivalent; applied by default.
    Safe,
}

/// Why edits cannot be put together.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// Two edits want the same bytes.
    #[error("two edits overlap: bytes {first:?} and {second:?}")]
    Overlap {
        /// The edit that was there.
        first: ByteRange,
        /// The edit that came after it.
        second: ByteRange,
    },
    /// An edit is not within the text, or parts a character.
    #[error("an edit of bytes {0:?} does not fit the text")]
    Misplaced(ByteRange),
}

/// Edits of one text that do not overlap, in the order of their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditSet {
    /// Sorted by range; never overlapping.
    edits: Vec<TextEdit>,
}

impl EditSet {
    /// A set without edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The edits, by place.
    pub fn iter(&self) -> impl Iterator<Item = &TextEdit> {
        self.edits.iter()
    }

    /// Adds an edit.
    ///
    /// # Errors
    /// [`EditError::Overlap`] when another edit wants a byte of the same range, or an insertion
    /// falls inside a replaced range.
    pub fn push(&mut self, edit: TextEdit) -> Result<(), EditError> {
        let index = self.edits.partition_point(|other| {
            (other.range.start, other.range.end) <= (edit.range.start, edit.range.end)
        });
        // An insertion at the start of a replaced range sorts before it; one at its end after it.
        let before = index.checked_sub(1).map(|i| &self.edits[i]);
        let after = self.edits.get(index);
        let overlap = [before, after].into_iter().flatten().find(|other| {
            let (a, b) = (other.range, edit.range);
            if a.is_empty() || b.is_empty() {
                let (inner, outer) = if a.is_empty() { (a, b) } else { (b, a) };
                outer.start < inner.start && inner.start < outer.end
            } else {
                a.start < b.end && b.start < a.end
            }
        });
        if let Some(other) = overlap {
            return Err(EditError::Overlap {
                first: other.range,
                second: edit.range,
            });
        }
        self.edits.insert(index, edit);
        Ok(())
    }

    /// Where the edits inside `range` are among all of them.
    fn inside(&self, range: ByteRange) -> Range<usize> {
        // They do not overlap, so their ends are in order, too.
        let start = self
            .edits
            .partition_point(|edit| edit.range.start < range.start);
        let length = self.edits[start..].partition_point(|edit| edit.range.end <= range.end);
        start..start + length
    }

    /// The edits that overlap `range` or touch it, by place.
    pub(crate) fn touching(&self, range: ByteRange) -> &[TextEdit] {
        let start = self
            .edits
            .partition_point(|edit| edit.range.end < range.start);
        let length = self.edits[start..].partition_point(|edit| edit.range.start <= range.end);
        &self.edits[start..start + length]
    }

    /// The text of `range` with the edits inside it applied.
    pub(crate) fn text_of(&self, range: ByteRange, original: &str) -> String {
        let inside = &self.edits[self.inside(range)];
        splice(&original[range.as_range()], range.start, inside)
    }

    /// Takes out the edits inside `range` and gives the text of `range` with them applied: for a
    /// rule that moves a piece of the text that other rules have already changed.
    pub fn extract_range(&mut self, range: ByteRange, original: &str) -> String {
        let text = self.text_of(range, original);
        self.edits.drain(self.inside(range));
        text
    }

    /// Where the byte at `offset` of the original is in the new text; the start of what has replaced it,
    /// if something has.
    pub fn map_offset(&self, offset: usize) -> usize {
        let mut put_in = 0;
        let mut taken_out = 0;
        for TextEdit { range, replacement } in &self.edits {
            if range.end > offset {
                let start = range.start.min(offset);
                return start + put_in - taken_out;
            }
            put_in += replacement.len();
            taken_out += range.end - range.start;
        }
        offset + put_in - taken_out
    }

    /// The new text.
    ///
    /// # Errors
    /// [`EditError::Misplaced`] when an edit lies outside `original` or parts a character.
    pub fn apply(&self, original: &str) -> Result<String, EditError> {
        for TextEdit { range, .. } in &self.edits {
            if !original.is_char_boundary(range.start) || !original.is_char_boundary(range.end) {
                return Err(EditError::Misplaced(*range));
            }
        }
        Ok(splice(original, 0, &self.edits))
    }
}

/// `text`, which stands at `base` in the original, with `edits` (sorted, not overlapping) applied.
fn splice(text: &str, base: usize, edits: &[TextEdit]) -> String {
    let grown: usize = edits.iter().map(|edit| edit.replacement.len()).sum();
    let mut new = String::with_capacity(text.len() + grown);
    let mut done = 0;
    for edit in edits {
        new.push_str(&text[done..edit.range.start - base]);
        new.push_str(&edit.replacement);
        done = edit.range.end - base;
    }
    new.push_str(&text[done..]);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(edits: &[(usize, usize, &str)]) -> Result<EditSet, EditError> {
        let mut set = EditSet::new();
        for (start, end, text) in edits {
            set.push(TextEdit::replacement(ByteRange::new(*start, *end), *text))?;
        }
        Ok(set)
    }

    #[test]
    fn a_byte_is_followed_to_where_it_is_afterwards() {
        let set = set(&[(1, 1, "++"), (2, 4, "C"), (5, 6, "")]).unwrap();
        assert_eq!(set.apply("abcdefg").unwrap(), "a++bCeg");
        let follow = |offset| set.map_offset(offset);
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6, 7].map(follow),
            [0, 3, 4, 4, 5, 6, 6, 7]
        );
        assert_eq!(EditSet::new().map_offset(3), 3);
    }

    #[test]
    fn edits_apply_to_the_original_in_any_order() {
        let set = set(&[(4, 5, "E"), (0, 1, "A"), (2, 2, "+")]).unwrap();
        assert_eq!(set.apply("abcde").unwrap(), "Ab+cdE");
    }

    #[test]
    fn insertions_at_one_place_keep_their_order() {
        let set = set(&[(1, 1, "x"), (1, 1, "y"), (1, 2, "B")]).unwrap();
        assert_eq!(set.apply("abc").unwrap(), "axyBc");
    }

    #[test]
    fn overlapping_edits_are_refused() {
        assert!(set(&[(0, 3, ""), (2, 4, "")]).is_err());
        assert!(set(&[(0, 3, ""), (1, 1, "x")]).is_err());
        assert!(set(&[(1, 1, "x"), (0, 3, "")]).is_err());
        assert!(set(&[(0, 3, ""), (3, 3, "x"), (0, 0, "y")]).is_ok());
    }

    #[test]
    fn an_edit_inside_a_character_is_refused() {
        assert_eq!(
            set(&[(1, 1, "x")]).unwrap().apply("é"),
            Err(EditError::Misplaced(ByteRange::at(1)))
        );
        assert!(set(&[(9, 9, "x")]).unwrap().apply("a").is_err());
    }

    #[test]
    fn edits_at_the_ends_of_a_range_are_inside_and_others_may_touch_it() {
        let set = set(&[
            (0, 1, "A"),
            (1, 1, "+"),
            (1, 2, "B"),
            (3, 3, "-"),
            (3, 4, "D"),
        ])
        .unwrap();
        let range = ByteRange::new(1, 3);
        assert_eq!(set.text_of(range, "abcde"), "+Bc-");
        let places = |edits: &[TextEdit]| -> Vec<_> {
            let ranges = edits.iter().map(|edit| edit.range());
            ranges.map(|range| (range.start(), range.end())).collect()
        };
        let all = [(0, 1), (1, 1), (1, 2), (3, 3), (3, 4)];
        assert_eq!(places(set.touching(range)), all);
        assert_eq!(places(set.touching(ByteRange::at(2))), [(1, 2)]);
        assert_eq!(places(set.touching(ByteRange::new(4, 5))), [(3, 4)]);
    }

    #[test]
    fn edits_inside_a_range_can_be_taken_out_with_its_text() {
        let mut set = set(&[(0, 1, "A"), (2, 3, "C"), (4, 5, "E")]).unwrap();
        assert_eq!(set.extract_range(ByteRange::new(1, 4), "abcde"), "bCd");
        assert_eq!(set.apply("abcde").unwrap(), "AbcdE");
    }
}
