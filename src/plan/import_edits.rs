//! Edits of import statements.
//!
//! A name joins the statement that imports from its module already; else a new statement goes
//! where sorted imports have it: after the last of its section (standard library, third party,
//! the repo's own, relative) that sorts before it. A statement that would become too long gets a
//! line for each name, as `ruff format` would have it.

use super::draft::{Addition, Draft};
use crate::edit::{ByteRange, EditError, TextEdit};
use crate::find::imports::{ImportStatement, ImportedName};
use crate::python::names::ModuleName;
use crate::python::stdlib::is_stdlib;
use crate::python::tokens::TokenKind;
use crate::style::width;

/// Applies the additions and removals of `draft`.
pub fn apply(draft: &mut Draft) -> Result<(), EditError> {
    let additions: Vec<Addition> = std::mem::take(&mut draft.additions).into_iter().collect();
    let removals = std::mem::take(&mut draft.removals);
    let imports = draft.imports.clone();
    let mut new_statements: Vec<(ModuleName, Vec<Addition>)> = Vec::new();
    let mut joins: Vec<(usize, Vec<Addition>)> = Vec::new();
    for addition in additions {
        let home = imports.statements.iter().position(|statement| {
            let early = draft.early.get(&addition.local);
            early.is_none_or(|&offset| statement.range.end() <= offset)
                && can_take(statement, &addition)
        });
        match home {
            Some(index) => match joins.iter_mut().find(|(other, _)| *other == index) {
                Some((_, list)) => list.push(addition),
                None => joins.push((index, vec![addition])),
            },
            None => {
                let module = ModuleName {
                    level: addition.level,
                    dotted: addition.module.clone(),
                };
                let is_plain = addition.name.is_empty() || addition.name != addition.local;
                let same = |(other, list): &&mut (ModuleName, Vec<Addition>)| {
                    *other == module
                        && !is_plain
                        && list.iter().all(|a| !a.name.is_empty() && a.name == a.local)
                };
                match new_statements.iter_mut().find(same) {
                    Some((_, list)) => list.push(addition),
                    None => new_statements.push((module, vec![addition])),
                }
            }
        }
    }
    // A block for type checkers of which nothing stays goes as a whole, with its last statement.
    let is_gone = |statement: &ImportStatement| {
        !statement.names.is_empty()
            && statement
                .names
                .iter()
                .all(|name| removals.contains(&name.local))
    };
    let emptied = |block: ByteRange, count: usize| {
        let inside = imports
            .statements
            .iter()
            .filter(|s| s.type_checking.is_some_and(|(b, _)| b == block));
        inside.filter(|statement| is_gone(statement)).count() == count
    };
    let mut removed_blocks: Vec<ByteRange> = Vec::new();
    for (index, statement) in imports.statements.iter().enumerate() {
        if let Some((block, count)) = statement.type_checking
            && is_gone(statement)
            && emptied(block, count)
        {
            if !removed_blocks.contains(&block) {
                removed_blocks.push(block);
                let whole = ImportStatement {
                    type_checking: Some((block, 1)),
                    ..statement.clone()
                };
                remove_statement(draft, &whole)?;
            }
            continue;
        }
        let gone: Vec<&ImportedName> = statement
            .names
            .iter()
            .filter(|name| removals.contains(&name.local))
            .collect();
        let added = joins
            .iter()
            .find(|(home, _)| *home == index)
            .map_or(&[][..], |(_, list)| list);
        if gone.is_empty() && added.is_empty() {
            continue;
        }
        change_statement(draft, statement, &gone, added)?;
    }
    let gone: Vec<&ImportStatement> = imports
        .statements
        .iter()
        .filter(|statement| {
            let mut edits = draft.edits.iter();
            edits.any(|edit| edit.text().is_empty() && edit.range().contains(statement.range))
        })
        .collect();
    insert_statements(draft, new_statements, &gone)?;
    close_gaps(draft, &gone)
}

/// Where a section of imports went as a whole, the blank lines on both sides of it become one group.
fn close_gaps(draft: &mut Draft, gone: &[&ImportStatement]) -> Result<(), EditError> {
    for statement in gone.iter().filter(|s| s.type_checking.is_none()) {
        let first = draft.source().line_at(statement.range.start());
        let last = draft.source().line_at(statement.range.end());
        let line = ByteRange::new(first.start(), last.end());
        if !draft.edits.iter().any(|edit| edit.range() == line) {
            continue;
        }
        let has_new = |edit: &TextEdit| {
            edit.range() == ByteRange::at(line.start()) || edit.range() == ByteRange::at(line.end())
        };
        if draft.edits.iter().any(has_new) {
            continue;
        }
        let after = blank_lines_from(draft, line.end());
        let drop = match line.start() {
            0 => after,
            start => after.min(blank_lines_before(draft, start)),
        };
        let mut end = line.end();
        for _ in 0..drop {
            end = draft.source().line_at(end).end();
        }
        if end > line.end() {
            draft.replace(ByteRange::new(line.end(), end), "")?;
        }
    }
    Ok(())
}

/// Whether a name from a module can join a statement.
fn can_take(statement: &ImportStatement, addition: &Addition) -> bool {
    statement.is_from
        && statement.is_top_level
        && statement.type_checking.is_none()
        && !addition.name.is_empty()
        // Sorted imports have a statement of its own for each alias.
        && addition.name == addition.local
        && statement.names.iter().all(|name| name.name == name.local)
        && !statement.names.is_empty()
        && statement.names.iter().all(|name| name.name != "*")
        && statement.module.level == addition.level
        && statement.module.dotted == addition.module
}

fn written(addition: &Addition) -> String {
    if addition.name == addition.local {
        addition.name.clone()
    } else {
        format!("{} as {}", addition.name, addition.local)
    }
}

/// How sorted imports order the names of a statement: constants, classes, the rest.
fn member_key(name: &str) -> (u8, String, String) {
    let is_star = name == "*";
    let kind = if is_star || name.len() > 1 && name.chars().all(|c| !c.is_lowercase()) {
        0
    } else if name.starts_with(char::is_uppercase) {
        1
    } else {
        2
    };
    (kind, name.to_lowercase(), name.to_owned())
}

fn change_statement(
    draft: &mut Draft,
    statement: &ImportStatement,
    gone: &[&ImportedName],
    added: &[Addition],
) -> Result<(), EditError> {
    if gone.len() == statement.names.len() && added.is_empty() {
        return remove_statement(draft, statement);
    }
    let has_comment = draft.loaded.module.tokens().has_comment(statement.range);
    let is_one_line = !draft.slice(statement.range).contains(['\n', '\r']);
    let mut names: Vec<(String, String)> = statement
        .names
        .iter()
        .filter(|name| gone.iter().all(|other| other.range != name.range))
        .map(|name| (name.name.clone(), draft.slice(name.range).to_owned()))
        .collect();
    let was_sorted = names.is_sorted_by_key(|(name, _)| member_key(name));
    if is_one_line {
        for addition in added {
            let key = member_key(&addition.name);
            let at = if was_sorted {
                names.partition_point(|(name, _)| member_key(name) <= key)
            } else {
                names.len()
            };
            names.insert(at, (addition.name.clone(), written(addition)));
        }
        let list: Vec<String> = names.into_iter().map(|(_, written)| written).collect();
        let list_range = list_range(statement);
        let head_start = draft.source().line_at(statement.range.start()).start();
        let head = draft
            .slice(ByteRange::new(head_start, list_range.start()))
            .to_owned();
        let line = draft.source().line_at(statement.range.end());
        let rest = draft
            .slice(ByteRange::new(statement.range.end(), line.end()))
            .trim_end()
            .to_owned();
        let joined = list.join(", ");
        if width(&head) + width(&joined) + width(&rest) <= draft.line_length
            || statement.brackets.is_some()
        {
            return draft.replace(list_range, joined);
        }
        let indent = draft
            .source()
            .indentation_at(statement.range.start())
            .to_owned();
        let unit = draft.source().indent_unit().to_owned();
        let line_end = draft.source().line_end_at(statement.range.start());
        let mut text = format!("({line_end}");
        for name in list {
            text += &format!("{indent}{unit}{name},{line_end}");
        }
        return draft.replace(list_range, text + &indent + ")");
    }
    // Over several lines: each name that comes or goes is a line, or a piece of one.
    for name in gone {
        remove_name(draft, statement, name, has_comment)?;
    }
    for addition in added {
        insert_name(draft, statement, gone, addition, was_sorted)?;
    }
    Ok(())
}

/// From the first name to the last, with the white space before it left out.
fn list_range(statement: &ImportStatement) -> ByteRange {
    let first = statement
        .names
        .first()
        .map_or(statement.range.end(), |name| name.range.start());
    let last = statement
        .names
        .last()
        .map_or(first, |name| name.range.end());
    ByteRange::new(first, last)
}

/// Takes a name out of a statement over several lines, with its comma, and its line when it was
/// alone there.
fn remove_name(
    draft: &mut Draft,
    statement: &ImportStatement,
    name: &ImportedName,
    has_comment: bool,
) -> Result<(), EditError> {
    let index = statement
        .names
        .iter()
        .position(|other| other.range == name.range)
        .unwrap_or_default();
    let line = draft.source().line_at(name.range.start());
    let before = draft
        .slice(ByteRange::new(line.start(), name.range.start()))
        .trim()
        .to_owned();
    let after = draft
        .slice(ByteRange::new(name.range.end(), line.end()))
        .trim()
        .to_owned();
    if before.is_empty() && (after == "," || after.is_empty()) {
        return draft.replace(line, "");
    }
    // A comment on the line speaks of the name that goes; it goes with the line only if it is alone.
    if before.is_empty()
        && has_comment
        && after.trim_start_matches(',').trim_start().starts_with('#')
    {
        let comment_start = draft
            .slice(line)
            .find('#')
            .map_or(line.end(), |at| line.start() + at);
        return draft.replace(ByteRange::new(name.range.start(), comment_start), "");
    }
    let range = match statement.names.get(index + 1) {
        Some(next) => ByteRange::new(name.range.start(), next.range.start()),
        None => {
            let previous = index.checked_sub(1).and_then(|i| statement.names.get(i));
            ByteRange::new(
                previous.map_or(name.range.start(), |p| p.range.end()),
                name.range.end(),
            )
        }
    };
    draft.replace(range, "")
}

fn insert_name(
    draft: &mut Draft,
    statement: &ImportStatement,
    gone: &[&ImportedName],
    addition: &Addition,
    was_sorted: bool,
) -> Result<(), EditError> {
    let key = member_key(&addition.name);
    let stays = |name: &&ImportedName| gone.iter().all(|other| other.range != name.range);
    let next = statement
        .names
        .iter()
        .filter(stays)
        .find(|name| was_sorted && member_key(&name.name) > key);
    let name = written(addition);
    if let Some(next) = next {
        let line = draft.source().line_at(next.range.start());
        let indent = draft
            .slice(ByteRange::new(line.start(), next.range.start()))
            .to_owned();
        if indent.trim().is_empty() {
            // A line of its own, before the comments that stand above its neighbour.
            let at = above_comments(draft, line.start());
            let line_end = draft.source().line_end_at(line.start());
            return draft.insert(at, format!("{indent}{name},{line_end}"));
        }
        return draft.insert(next.range.start(), format!("{name}, "));
    }
    let Some(last) = statement.names.last() else {
        return Ok(());
    };
    let line = draft.source().line_at(last.range.start());
    let indent = draft
        .slice(ByteRange::new(line.start(), last.range.start()))
        .to_owned();
    if indent.trim().is_empty() && statement.brackets.is_some() {
        let line_end = draft.source().line_end_at(line.start());
        if !statement.trailing_comma {
            draft.insert(last.range.end(), ",")?;
        }
        return draft.insert(line.end(), format!("{indent}{name},{line_end}"));
    }
    draft.insert(last.range.end(), format!(", {name}"))
}

/// The start of the comment lines that stand right above the line at `line_start`.
fn above_comments(draft: &Draft, line_start: usize) -> usize {
    let mut at = line_start;
    while let Some(before) = at.checked_sub(1) {
        let line = draft.source().line_at(before);
        if !draft.slice(line).trim_start().starts_with('#') {
            break;
        }
        at = line.start();
    }
    at
}

/// Takes a whole statement out, and the `if TYPE_CHECKING:` around it when nothing else is in it.
/// A comment on its line stays.
fn remove_statement(draft: &mut Draft, statement: &ImportStatement) -> Result<(), EditError> {
    let range = match statement.type_checking {
        Some((block, 1)) => block,
        _ => statement.range,
    };
    let first = draft.source().line_at(range.start());
    let last = draft.source().line_at(range.end());
    let before = draft
        .slice(ByteRange::new(first.start(), range.start()))
        .to_owned();
    let after = draft
        .slice(ByteRange::new(range.end(), last.end()))
        .trim()
        .to_owned();
    let is_block = statement
        .type_checking
        .is_some_and(|(block, _)| block == range);
    let has_comment = draft.loaded.module.tokens().has_comment(range);
    if is_block && (has_comment || after.starts_with('#')) {
        // Its comments stay where it was.
        let code = draft
            .slice(ByteRange::new(range.start(), last.end()))
            .trim_end();
        let whole = ByteRange::new(range.start(), range.start() + code.len());
        let rest = remainder(draft, whole, false);
        draft.replace(whole, rest)?;
        return remove_unused_type_checking(draft);
    }
    if !before.trim().is_empty() || !after.is_empty() || has_comment {
        if !before.trim().is_empty() && has_comment {
            // Behind another statement there is no place for its comments: it stays.
            return Ok(());
        }
        let is_alone = before.trim().is_empty() && (after.is_empty() || after.starts_with('#'));
        let rest = remainder(draft, range, !is_alone);
        if after.starts_with('#') && before.trim().is_empty() && !has_comment {
            let comment = draft
                .slice(ByteRange::new(range.end(), last.end()))
                .find('#')
                .unwrap_or_default();
            return draft.replace(ByteRange::new(range.start(), range.end() + comment), "");
        }
        return draft.replace(range, rest);
    }
    // The blank lines around a block that goes become one group, the larger one.
    let mut end = last.end();
    if is_block {
        let blank_after = blank_lines_from(draft, end);
        let blank_before = blank_lines_before(draft, first.start());
        let drop = blank_before.min(blank_after);
        for _ in 0..drop {
            end = draft.source().line_at(end).end();
        }
    }
    draft.replace(ByteRange::new(first.start(), end), "")?;
    if is_block {
        remove_unused_type_checking(draft)?;
    }
    Ok(())
}

/// Takes the import of `TYPE_CHECKING` out when the block that went was the only use of it.
fn remove_unused_type_checking(draft: &mut Draft) -> Result<(), EditError> {
    if draft.imports.uses_of("TYPE_CHECKING") > 1 {
        return Ok(());
    }
    let imports = draft.imports.clone();
    match imports.statement_of("TYPE_CHECKING") {
        Some((statement, name)) => change_statement(draft, statement, &[name], &[]),
        None => Ok(()),
    }
}

/// What stays of a statement that goes: its comments, each on its line, and `pass` where there has
/// to be a statement.
fn remainder(draft: &Draft, range: ByteRange, needs_pass: bool) -> String {
    let indent = draft.source().indentation_at(range.start());
    let line_end = draft.source().line_end_at(range.start());
    let tokens = draft.loaded.module.tokens().within(range).iter();
    let comments = tokens.filter(|token| token.kind == TokenKind::Comment);
    let mut lines: Vec<&str> = comments.map(|c| draft.slice(c.range).trim_end()).collect();
    lines.extend(needs_pass.then_some("pass"));
    lines.join(&format!("{line_end}{indent}"))
}

/// How many blank lines start at `offset`, the start of a line.
pub fn blank_lines_from(draft: &Draft, offset: usize) -> usize {
    let source = draft.source();
    let mut at = offset;
    let mut count = 0;
    while at < source.text().len() {
        let line = source.line_at(at);
        if !source.slice(line).trim().is_empty() {
            break;
        }
        count += 1;
        at = line.end();
    }
    count
}

fn blank_lines_before(draft: &Draft, offset: usize) -> usize {
    let source = draft.source();
    let mut at = offset;
    let mut count = 0;
    while let Some(before) = at.checked_sub(1) {
        let line = source.line_at(before);
        if !source.slice(line).trim().is_empty() {
            break;
        }
        count += 1;
        at = line.start();
    }
    count
}

/// The section of a module among sorted imports.
fn section(draft: &Draft, module: &ModuleName) -> u8 {
    let first = module.dotted.split('.').next().unwrap_or_default();
    match () {
        () if module.level > 0 => 4,
        () if first == "__future__" => 0,
        () if is_stdlib(first) => 1,
        () if is_own_package(draft, first) => 3,
        () => 2,
    }
}

/// Whether a module of that name lies beside the file or above it.
fn is_own_package(draft: &Draft, first: &str) -> bool {
    let path = draft.source().path();
    path.ancestors()
        .skip(1)
        .any(|folder| folder.file_name().is_some_and(|name| name == first))
}

/// The section, plain imports before `from`, more dots before fewer, the module, its first name.
type StatementKey = (
    u8,
    bool,
    std::cmp::Reverse<usize>,
    String,
    (u8, String, String),
);

/// How sorted imports order statements.
fn statement_key(
    section: u8,
    is_from: bool,
    module: &ModuleName,
    first_name: &str,
) -> StatementKey {
    let dots = std::cmp::Reverse(module.level);
    (
        section,
        is_from,
        dots,
        module.dotted.to_lowercase(),
        member_key(first_name),
    )
}

/// Where a new statement goes, and whether a blank line parts it from its neighbour there.
enum Spot {
    After { offset: usize, gap: bool },
    Before { offset: usize, gap: bool },
}

impl Spot {
    fn offset(&self) -> usize {
        match self {
            Self::After { offset, .. } | Self::Before { offset, .. } => *offset,
        }
    }
}

fn insert_statements(
    draft: &mut Draft,
    statements: Vec<(ModuleName, Vec<Addition>)>,
    gone: &[&ImportStatement],
) -> Result<(), EditError> {
    let mut pending: Vec<(Spot, StatementKey, String)> = Vec::new();
    for (module, mut names) in statements {
        let is_from = names.iter().all(|addition| !addition.name.is_empty());
        names.sort_by_key(|addition| member_key(&addition.name));
        let text = statement_text(draft, &module, &names);
        let first_name = names.first().map_or("", |addition| &addition.name);
        let key = statement_key(section(draft, &module), is_from, &module, first_name);
        let early = names.iter().filter_map(|name| draft.early.get(&name.local));
        let spot = spot(draft, &key, early.min().copied(), gone);
        pending.push((spot, key, text));
    }
    pending.sort_by(|a, b| a.1.cmp(&b.1));
    let places: Vec<(usize, u8)> = pending
        .iter()
        .map(|(spot, key, _)| (spot.offset(), key.0))
        .collect();
    for (index, (spot, _, text)) in pending.into_iter().enumerate() {
        let (offset, gap, after) = match spot {
            Spot::After { offset, gap } => (offset, gap, true),
            Spot::Before { offset, gap } => (offset, gap, false),
        };
        let line_end = draft
            .source()
            .line_end_at(offset.saturating_sub(1))
            .to_owned();
        // New statements of one new section share its blank line, before the first or after the last.
        let neighbour = if after {
            index.checked_sub(1)
        } else {
            Some(index + 1)
        };
        let shares = neighbour.and_then(|n| places.get(n)) == places.get(index);
        let blank = if gap && !shares {
            line_end.as_str()
        } else {
            ""
        };
        let missing_end = offset > 0 && !draft.source().text()[..offset].ends_with(['\n', '\r']);
        let block = if after {
            if missing_end {
                format!("{line_end}{blank}{text}")
            } else {
                format!("{blank}{text}{line_end}")
            }
        } else {
            format!("{text}{line_end}{blank}")
        };
        draft.insert(offset, block)?;
    }
    Ok(())
}

fn statement_text(draft: &Draft, module: &ModuleName, names: &[Addition]) -> String {
    let path = ".".repeat(module.level) + &module.dotted;
    if let [only] = names
        && only.name.is_empty()
    {
        return if only.local == only.module {
            format!("import {path}")
        } else {
            format!("import {path} as {}", only.local)
        };
    }
    let list: Vec<String> = names.iter().map(written).collect();
    let line = format!("from {path} import {}", list.join(", "));
    if width(&line) <= draft.line_length {
        return line;
    }
    let unit = draft.source().indent_unit();
    let line_end = draft.source().line_end_at(0);
    let lines: String = list
        .iter()
        .map(|name| format!("{unit}{name},{line_end}"))
        .collect();
    format!("from {path} import ({line_end}{lines})")
}

/// Where the statement of that key goes; `early` the offset that it has to stand before.
fn spot(
    draft: &Draft,
    key: &StatementKey,
    early: Option<usize>,
    gone: &[&ImportStatement],
) -> Spot {
    let source = draft.source();
    let header: Vec<&ImportStatement> = draft
        .imports
        .statements
        .iter()
        .filter(|statement| statement.is_top_level)
        .filter(|statement| early.is_none_or(|offset| statement.range.end() <= offset))
        .filter(|statement| gone.iter().all(|other| other.range != statement.range))
        .collect();
    // One that stands further down is there for a reason that a new one does not share.
    let at_top = |statement: &&ImportStatement| statement.range.end() <= draft.imports.header_end;
    let header = match header.iter().copied().filter(at_top).collect::<Vec<_>>() {
        top if top.is_empty() => header,
        top => top,
    };
    let key_of = |statement: &ImportStatement| {
        let first_name = statement.names.first().map_or("", |name| &name.name);
        let module = &statement.module;
        statement_key(
            section(draft, module),
            statement.is_from,
            module,
            first_name,
        )
    };
    let after = |statement: &ImportStatement, gap| Spot::After {
        offset: source.line_at(statement.range.end()).end(),
        gap,
    };
    let same_section: Vec<&&ImportStatement> =
        header.iter().filter(|s| key_of(s).0 == key.0).collect();
    if let Some(previous) = same_section.iter().rev().find(|s| key_of(s) < *key) {
        return after(previous, false);
    }
    if let Some(next) = same_section.first() {
        return before(draft, next, false);
    }
    if let Some(previous) = header.iter().rev().find(|s| key_of(s).0 < key.0) {
        return after(previous, true);
    }
    if let Some(next) = header.iter().find(|s| key_of(s).0 > key.0) {
        return before(draft, next, true);
    }
    match draft.imports.docstring {
        Some(docstring) => Spot::After {
            offset: source.line_at(docstring.end()).end(),
            gap: true,
        },
        None => Spot::Before {
            offset: draft.imports.first_statement,
            gap: true,
        },
    }
}

fn before(draft: &Draft, statement: &ImportStatement, gap: bool) -> Spot {
    let source = draft.source();
    let line = source.line_at(statement.range.start());
    let above = above_comments(draft, line.start());
    let is_file_head = above == 0
        || source.text()[..above]
            .trim_start_matches('\u{feff}')
            .is_empty();
    if above < line.start() && is_file_head && !gap {
        // The comments are the file's; they stay on top.
        return Spot::After {
            offset: source.line_at(statement.range.end()).end(),
            gap,
        };
    }
    let offset = if above < line.start() && is_file_head {
        line.start()
    } else {
        above
    };
    let bom = if offset == 0 && source.text().starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        offset
    };
    Spot::Before {
        offset: bom.max(offset),
        gap,
    }
}
