//! A file while its changes are collected: edits of its text, and the names that it needs.

mod import_requests;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::call_format::Place;
use crate::migrate::edit::{ByteRange, EditError, EditSet, TextEdit};
use crate::migrate::python::imports::Imports;
use crate::migrate::python::names::{Loaded, Workspace};
use crate::migrate::python::style::{Style, comment_width};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::source::SourceFile;
pub(crate) use import_requests::{Addition, ImportRequests};

/// A file and what is to become of it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// The file.
    pub loaded: Arc<Loaded>,
    /// How the project wants it to look.
    pub style: Arc<Style>,
    /// The edits so far.
    pub edits: EditSet,
    /// The names that it needs and no longer needs.
    pub names: ImportRequests,
    /// Places in statements that may have become too wide, or narrow enough for fewer lines.
    pub(super) touched: BTreeSet<usize>,
    /// The quote for new strings.
    quote: char,
    /// Whether the document's API is rewritten already.
    doc_only_api_begun: bool,
}

impl Draft {
    /// A file without changes.
    pub(super) fn of(loaded: Arc<Loaded>, style: Arc<Style>) -> Self {
        let imports = Arc::new(Imports::of(&loaded));
        Self::new(loaded, imports, style)
    }

    /// A file without changes whose imports were read already.
    pub(super) fn new(loaded: Arc<Loaded>, imports: Arc<Imports>, style: Arc<Style>) -> Self {
        let own_quote = || loaded.module.source().preferred_quote();
        Self {
            quote: style.quote.unwrap_or_else(own_quote),
            names: ImportRequests::new(loaded.clone(), imports),
            loaded,
            style,
            edits: EditSet::new(),
            touched: BTreeSet::new(),
            doc_only_api_begun: false,
        }
    }

    /// Takes into account what the `*` imports of the file give.
    pub(crate) fn with_stars(mut self, workspace: &Workspace) -> Self {
        self.names.add_stars(workspace);
        self
    }

    /// The file's text and style.
    pub(super) fn source(&self) -> &SourceFile {
        self.loaded.module.source()
    }

    /// The text of a range as it was.
    pub(super) fn slice(&self, range: ByteRange) -> &str {
        self.source().slice(range)
    }

    /// Where the line ends that a statement which ends at `end` is on: with what follows it there
    /// behind `;`, and the lines that a backslash joins to it.
    pub(crate) fn line_end_after(&self, end: usize) -> usize {
        self.source().line_at(self.last_offset_of_line(end)).end()
    }

    /// Where the line end stands, or the text ends, behind that statement and what follows it there.
    pub(crate) fn last_offset_of_line(&self, end: usize) -> usize {
        let tokens = self.loaded.module.tokens().all();
        let after = tokens.partition_point(|token| token.range.start() < end);
        let newline = tokens[after..]
            .iter()
            .find(|token| token.kind == TokenKind::Newline);
        let text_end = self.source().text().len();
        newline.map_or(text_end, |token| token.range.start())
    }

    /// One level of indentation: the file's own, else the project's.
    pub(super) fn indent_unit(&self) -> &str {
        let own = self.source().indent_unit();
        own.or(self.style.indent.as_deref()).unwrap_or("    ")
    }

    /// The place of a statement at `offset`; `rest` is what follows it on its last line.
    pub(crate) fn place(&self, offset: usize, rest: &str) -> Place<'_> {
        Place {
            indent: self.source().indentation_at(offset),
            unit: self.indent_unit(),
            line_end: self.source().line_end_at(offset),
            suffix: comment_width(rest, self.style.trailing_pragmas),
            style: &self.style,
        }
    }

    /// Puts `text` at `offset`.
    ///
    /// # Errors
    /// When another edit wants the same bytes.
    pub(super) fn insert(
        &mut self,
        offset: usize,
        text: impl Into<String>,
    ) -> Result<(), EditError> {
        self.edits.push(TextEdit::insertion(offset, text))
    }

    /// Puts `text` where `range` was.
    ///
    /// # Errors
    /// When another edit wants the same bytes.
    pub(super) fn replace(
        &mut self,
        range: ByteRange,
        text: impl Into<String>,
    ) -> Result<(), EditError> {
        self.edits.push(TextEdit::replacement(range, text))
    }

    /// Notes that the width of the statement at `offset` changes.
    pub(super) fn touch(&mut self, offset: usize) {
        self.touched.insert(offset);
    }

    /// The text of `range` with the edits in it applied, which are thereby taken out.
    pub(super) fn take_text(&mut self, range: ByteRange) -> String {
        let text = self.loaded.module.source().text();
        self.edits.extract_range(range, text)
    }

    /// Lets `ask` ask for imports of names that code at `offset` uses while the module is imported.
    pub(super) fn importing_before<T>(
        &mut self,
        offset: usize,
        ask: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.names.needed_before = Some(offset);
        let result = ask(self);
        self.names.needed_before = None;
        result
    }

    /// Begins the rewriting of the document's API here; whether it is the first time.
    pub(super) fn begin_doc_only_api(&mut self) -> bool {
        !std::mem::replace(&mut self.doc_only_api_begun, true)
    }

    /// The quote for new strings.
    pub(super) fn quote(&self) -> char {
        self.quote
    }
}
