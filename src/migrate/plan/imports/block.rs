//! A run of import statements, as an import sorter sees it.
//!
//! What is read here can be written again by [`super::sorted`]; a block that this gives back as it
//! was is one that the sorter is content with, and stays one whatever names come and go.

use crate::migrate::edit::ByteRange;
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::imports::ImportStatement;
use crate::migrate::python::style::is_only_pragmas;
use crate::migrate::python::tokens::{Token, TokenKind};

/// The comments of a statement, or of a name in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Comments {
    /// On lines above it.
    pub(super) above: Vec<String>,
    /// Behind it.
    pub(super) behind: Vec<String>,
    /// After it: before the closing bracket, or behind that.
    pub(super) after: Vec<String>,
}

impl Comments {
    /// All of them, but for those behind it that are for tools: these speak of what is there.
    pub(super) fn without_pragmas(self) -> impl Iterator<Item = String> {
        let behind = self
            .behind
            .into_iter()
            .filter(|comment| !is_only_pragmas(comment));
        let after = self
            .after
            .into_iter()
            .filter(|comment| !is_only_pragmas(comment));
        self.above.into_iter().chain(behind).chain(after)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.above.is_empty() && self.behind.is_empty() && self.after.is_empty()
    }
}

/// A name of a `from` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) comments: Comments,
}

impl Member {
    /// The name by which it is known here.
    pub(super) fn local(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// An import statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) level: usize,
    pub(super) module: String,
    /// The alias of a plain `import`.
    pub(super) alias: Option<String>,
    /// The names of a `from` statement; none in a plain `import`.
    pub(super) members: Option<Vec<Member>>,
    /// Whether a comma follows the last name.
    pub(super) has_comma: bool,
    pub(super) comments: Comments,
}

impl Entry {
    /// The name of the module with its dots, as it is written.
    pub(super) fn full_name(&self) -> String {
        ".".repeat(self.level) + &self.module
    }
}

/// A run of import statements with nothing else between them.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Where it is: whole lines, without a byte order mark.
    pub(super) range: ByteRange,
    /// The white space before each statement.
    pub(super) indent: String,
    /// The statements; none when they cannot be read in this way.
    pub(super) entries: Option<Vec<Entry>>,
    /// The indices of its statements among those of the module.
    pub(super) statements: Vec<usize>,
}

impl Block {
    /// The blocks of a module, by place.
    pub(super) fn all(draft: &Draft) -> Vec<Self> {
        let directives = Directives::of(draft);
        let statements = &draft.names.imports.statements;
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, statement) in statements.iter().enumerate() {
            let previous = groups.last().and_then(|group| group.last());
            let merges = previous.is_some_and(|&previous| {
                let previous = &statements[previous];
                let between = ByteRange::new(previous.range.end(), statement.range.start());
                previous.range == statement.range
                    || previous.is_top_level == statement.is_top_level
                        && previous.type_checking == statement.type_checking
                        && column(draft, previous) == column(draft, statement)
                        && is_blank(draft, between)
                        && !directives.part(previous, statement)
            });
            match groups.last_mut() {
                Some(group) if merges => group.push(index),
                _ => groups.push(vec![index]),
            }
        }
        groups
            .into_iter()
            .map(|group| {
                let of_group = || group.iter().map(|&index| &statements[index]);
                let is_sorted_by_tool = !of_group().any(|s| directives.exclude(s));
                let (range, above) = lines(
                    draft,
                    &statements[group[0]],
                    &statements[group[group.len() - 1]],
                );
                let indent = draft
                    .source()
                    .indentation_at(statements[group[0]].range.start());
                let entries = is_sorted_by_tool
                    .then(|| read(draft, range, above, of_group()))
                    .flatten();
                Self {
                    range,
                    indent: indent.to_owned(),
                    entries,
                    statements: group,
                }
            })
            .collect()
    }
}

/// The columns before a statement.
fn column(draft: &Draft, statement: &ImportStatement) -> usize {
    let start = statement.range.start();
    let line = draft.source().line_at(start);
    let before = draft.slice(ByteRange::new(line.start(), start));
    before.trim_start_matches('\u{feff}').len()
}

/// Whether nothing but white space and comments is in a range.
fn is_blank(draft: &Draft, range: ByteRange) -> bool {
    let tokens = draft.loaded.module.tokens().within(range);
    let kinds = [TokenKind::Comment, TokenKind::Newline];
    tokens.iter().all(|token| kinds.contains(&token.kind))
}

/// The lines of a block, and where the comments above its first statement end: at the block's start
/// when those are the file's own.
fn lines(draft: &Draft, first: &ImportStatement, last: &ImportStatement) -> (ByteRange, usize) {
    let source = draft.source();
    let line = source.line_at(first.range.start()).start();
    let above = super::lines::above_comments(draft, line);
    let is_file_head = source.text()[..above]
        .trim_start_matches('\u{feff}')
        .is_empty();
    let headings = &draft.style.imports.import_heading;
    let start = if is_file_head {
        // Only headings, which the sorter writes itself, are the block's.
        let mut start = line;
        while let Some(before) = start.checked_sub(1) {
            let line = source.line_at(before);
            let comment = source.slice(line).trim();
            if !headings.values().any(|heading| heading == comment) {
                break;
            }
            start = line.start();
        }
        start
    } else {
        above
    };
    let mark = if start == 0 && source.text().starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let end = draft.line_end_after(last.range.end());
    (ByteRange::new(start + mark, end), line)
}

/// The comments that tell an import sorter what to leave alone.
#[derive(Default)]
struct Directives {
    excluded: Vec<ByteRange>,
    splits: Vec<usize>,
    skips_file: bool,
}

impl Directives {
    fn of(draft: &Draft) -> Self {
        let mut directives = Self::default();
        let mut off: Option<usize> = None;
        let comments = draft.loaded.module.tokens().all().iter();
        for comment in comments.filter(|token| token.kind == TokenKind::Comment) {
            let start = comment.range.start();
            let text = draft.slice(comment.range).trim_end();
            if !text.contains("isort:") {
                continue;
            }
            let plain = text
                .replace("ruff: isort:", "isort:")
                .replace("isort:skip", "isort: skip");
            match (plain.as_str(), off) {
                ("# isort: split", _) => directives.splits.push(start),
                ("# isort: skip_file", _) => directives.skips_file = true,
                ("# isort: on", Some(from)) => {
                    directives.excluded.push(ByteRange::new(from, start));
                    off = None;
                }
                ("# isort: off", None) => off = Some(start),
                (other, None) if other.contains("isort: skip") => {
                    directives.excluded.push(draft.source().line_at(start));
                }
                _ => {}
            }
        }
        if let Some(from) = off {
            let end = draft.source().text().len();
            directives.excluded.push(ByteRange::new(from, end));
        }
        directives
    }

    fn exclude(&self, statement: &ImportStatement) -> bool {
        let start = statement.range.start();
        self.skips_file
            || self
                .excluded
                .iter()
                .any(|range| range.contains_offset(start))
    }

    /// Whether two statements are in different blocks.
    fn part(&self, first: &ImportStatement, second: &ImportStatement) -> bool {
        let between = first.range.end()..second.range.start();
        let is_split = self.splits.iter().any(|at| between.contains(at));
        is_split || self.exclude(first) != self.exclude(second)
    }
}

/// Reads the statements of a block; none when something else is on their lines.
fn read<'s>(
    draft: &Draft,
    range: ByteRange,
    first_line: usize,
    statements: impl Iterator<Item = &'s ImportStatement>,
) -> Option<Vec<Entry>> {
    let source = draft.source();
    let tokens = draft.loaded.module.tokens();
    let mut entries: Vec<Entry> = Vec::new();
    // What was read up to; comments above the first statement are its own.
    let mut read_to = range.start().min(first_line);
    let mut previous: Option<ByteRange> = None;
    for statement in statements {
        if previous == Some(statement.range) {
            // `import a, b`: sorters part them.
            return None;
        }
        previous = Some(statement.range);
        let first = source.line_at(statement.range.start());
        let end = draft.line_end_after(statement.range.end());
        let before = source.slice(ByteRange::new(first.start(), statement.range.start()));
        if !before.trim_matches(['\u{feff}', ' ', '\t']).is_empty() {
            return None;
        }
        let comments_in = |from: usize, to: usize| {
            let inside = tokens.within(ByteRange::new(from, to.max(from))).iter();
            let comments = inside.filter(|token| token.kind == TokenKind::Comment);
            comments.map(|token| source.slice(token.range).trim_end().to_owned())
        };
        let rest = ByteRange::new(statement.range.end(), end);
        let is_alone = tokens
            .within(rest)
            .iter()
            .all(|token| matches!(token.kind, TokenKind::Comment | TokenKind::Newline));
        if !is_alone {
            return None;
        }
        let above: Vec<String> = comments_in(read_to, statement.range.start()).collect();
        let behind: Vec<String> = comments_in(rest.start(), rest.end()).collect();
        read_to = rest.end();
        let inside = tokens.within(statement.range);
        entries.push(entry(draft, inside, above, behind)?);
    }
    // A last line without an end has no place for one after it.
    let ends = source.slice(range).ends_with(['\n', '\r']);
    ends.then_some(entries)
}

/// Reads one statement: `behind` are the comments on its last line.
fn entry(
    draft: &Draft,
    tokens: &[Token],
    above: Vec<String>,
    behind: Vec<String>,
) -> Option<Entry> {
    let text = |token: &Token| draft.slice(token.range);
    let line = |offset: usize| draft.source().line_at(offset);
    let (first, mut rest) = tokens.split_first()?;
    // The dotted name, and what follows it.
    let mut name = String::new();
    while let Some((token, after)) = rest.split_first()
        && (text(token) == "."
            || token.kind == TokenKind::Name && !matches!(text(token), "import" | "as"))
    {
        name += text(token);
        rest = after;
    }
    let level = name.len() - name.trim_start_matches('.').len();
    let module = name[level..].to_owned();
    let mut entry = Entry {
        level,
        module,
        alias: None,
        members: None,
        has_comma: false,
        comments: Comments {
            above,
            ..Comments::default()
        },
    };
    if text(first) == "import" {
        entry.comments.behind = behind;
        entry.alias = match rest {
            [] => None,
            [keyword, alias] if text(keyword) == "as" => Some(text(alias).to_owned()),
            _ => return None,
        };
        return Some(entry);
    }
    // A backslash has no place in what sorters write.
    let whole = ByteRange::new(first.range.start(), tokens.last()?.range.end());
    if draft.slice(whole).contains('\\') {
        return None;
    }
    let mut members: Vec<Member> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    let mut expects_name = true;
    let mut renames = false;
    // The line on which the name that was read last ends.
    let mut member_line = None;
    let opens_on_own_line = {
        let first_name = rest
            .iter()
            .skip(1)
            .find(|token| token.kind == TokenKind::Name || text(token) == "*")?;
        !line(first.range.start()).contains(first_name.range)
    };
    let count = rest
        .iter()
        .filter(|token| token.kind == TokenKind::Comma)
        .count();
    let has_several = count > 1
        || count == 1 && {
            let last = rest
                .iter()
                .rev()
                .find(|t| !matches!(t.kind, TokenKind::Close | TokenKind::Comment));
            last.is_none_or(|token| token.kind != TokenKind::Comma)
        };
    for token in rest.iter().skip(1) {
        match token.kind {
            TokenKind::Comment => {
                let comment = text(token).trim_end().to_owned();
                let here = line(token.range.start());
                let is_on_first_line = here == line(first.range.start());
                if is_on_first_line && (has_several || opens_on_own_line) {
                    entry.comments.behind.push(comment);
                } else if member_line == Some(here)
                    && let Some(member) = members.last_mut()
                {
                    member.comments.behind.push(comment);
                } else {
                    waiting.push(comment);
                }
            }
            TokenKind::Comma => {
                entry.has_comma = true;
                expects_name = true;
            }
            TokenKind::Open | TokenKind::Close => {}
            TokenKind::Name if text(token) == "as" && !expects_name => renames = true,
            _ if renames => {
                members.last_mut()?.alias = Some(text(token).to_owned());
                renames = false;
                member_line = Some(line(token.range.start()));
            }
            _ if expects_name => {
                members.push(Member {
                    name: text(token).to_owned(),
                    alias: None,
                    comments: Comments {
                        above: std::mem::take(&mut waiting),
                        ..Comments::default()
                    },
                });
                member_line = Some(line(token.range.start()));
                expects_name = false;
                entry.has_comma = false;
            }
            _ => return None,
        }
    }
    let last = members.last_mut()?;
    last.comments.after.append(&mut waiting);
    let end_line = tokens.last().map(|token| line(token.range.start()));
    let is_on_first_line = end_line == Some(line(first.range.start()));
    if is_on_first_line && (has_several || opens_on_own_line) {
        entry.comments.behind.extend(behind);
    } else if member_line == end_line {
        last.comments.behind.extend(behind);
    } else {
        entry.comments.after.extend(behind);
    }
    entry.members = Some(members);
    Some(entry)
}
