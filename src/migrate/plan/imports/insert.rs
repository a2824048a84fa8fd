//! New statements, in a block that is not as the sorter has it, or where there is none: where sorted
//! imports would have them.

use super::lines::above_comments;
use super::merge::written;
use super::sorted::{Order, StatementKey};
use crate::migrate::edit::EditError;
use crate::migrate::plan::draft::{Addition, Draft};
use crate::migrate::python::imports::ImportStatement;
use crate::migrate::python::names::ModuleName;
use crate::migrate::python::style::width;

/// Where a new statement goes, and how many blank lines part it from its neighbour there.
enum InsertPosition {
    After { offset: usize, gap: usize },
    Before { offset: usize, gap: usize },
}

impl InsertPosition {
    fn offset(&self) -> usize {
        match self {
            Self::After { offset, .. } | Self::Before { offset, .. } => *offset,
        }
    }
}

/// Puts new statements among those of `block`, of which some are `gone`.
pub(super) fn insert_statements(
    draft: &mut Draft,
    order: &Order<'_>,
    block: &[&ImportStatement],
    statements: Vec<(ModuleName, Vec<Addition>)>,
    gone: &[&ImportStatement],
) -> Result<(), EditError> {
    let mut pending: Vec<(InsertPosition, StatementKey, String)> = Vec::new();
    for (module, mut names) in statements {
        let is_from = names.iter().all(|addition| !addition.name.is_empty());
        names.sort_by_cached_key(|addition| order.member_key(&addition.name, None));
        let text = statement_text(draft, &module, &names);
        let first_name = names.first().map_or("", |addition| &addition.name);
        let first = is_from.then_some((first_name, None));
        let key = order.key(&module, first, None);
        let early = names
            .iter()
            .filter_map(|name| draft.names.early.get(&name.local));
        let spot = spot(draft, order, block, &key, early.min().copied(), gone);
        pending.push((spot, key, text));
    }
    pending.sort_by(|a, b| a.1.cmp(&b.1));
    let places: Vec<(usize, usize)> = pending
        .iter()
        .map(|(spot, key, _)| (spot.offset(), key.1))
        .collect();
    for (index, (spot, _, text)) in pending.into_iter().enumerate() {
        let (offset, gap, after) = match spot {
            InsertPosition::After { offset, gap } => (offset, gap, true),
            InsertPosition::Before { offset, gap } => (offset, gap, false),
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
        let blank = line_end.repeat(if shares { 0 } else { gap });
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
    if width(&line) <= draft.style.line_length {
        return line;
    }
    let unit = draft.indent_unit();
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
    order: &Order<'_>,
    block: &[&ImportStatement],
    key: &StatementKey,
    early: Option<usize>,
    gone: &[&ImportStatement],
) -> InsertPosition {
    let stays =
        |statement: &&ImportStatement| gone.iter().all(|other| other.range != statement.range);
    let all = || {
        let statements = draft.names.imports.statements.iter();
        statements
            .filter(|statement| statement.is_top_level)
            .filter(|statement| early.is_none_or(|offset| statement.range.end() <= offset))
            .filter(stays)
            .collect()
    };
    let header: Vec<&ImportStatement> = match block.iter().copied().filter(stays).collect() {
        own if Vec::is_empty(&own) => all(),
        own => own,
    };
    // One that stands further down is there for a reason that a new one does not share.
    let at_top =
        |statement: &&ImportStatement| statement.range.end() <= draft.names.imports.header_end;
    let header = match header.iter().copied().filter(at_top).collect::<Vec<_>>() {
        top if top.is_empty() => header,
        top => top,
    };
    let key_of = |statement: &ImportStatement| order.key_of_statement(statement);
    let section_of = |statement: &ImportStatement| {
        let key = key_of(statement);
        (key.0, key.1)
    };
    let section = (key.0, key.1);
    let after = |statement: &ImportStatement, gap| InsertPosition::After {
        offset: draft.line_end_after(statement.range.end()),
        gap,
    };
    let same_section: Vec<&&ImportStatement> =
        header.iter().filter(|s| section_of(s) == section).collect();
    if let Some(previous) = same_section.iter().rev().find(|s| key_of(s) < *key) {
        return after(previous, 0);
    }
    if let Some(next) = same_section.first() {
        return before(draft, next, 0);
    }
    if let Some(previous) = header.iter().rev().find(|s| section_of(s) < section) {
        return after(previous, order.blank_lines_before(key.1));
    }
    if let Some(next) = header.iter().find(|s| section_of(s) > section) {
        return before(draft, next, order.blank_lines_before(section_of(next).1));
    }
    match draft.names.imports.docstring {
        Some(docstring) => InsertPosition::After {
            offset: draft.line_end_after(docstring.end()),
            gap: 1,
        },
        None => InsertPosition::Before {
            offset: draft.names.imports.first_statement,
            gap: order.style.imports.lines_after_imports.unwrap_or(1),
        },
    }
}

fn before(draft: &Draft, statement: &ImportStatement, gap: usize) -> InsertPosition {
    let source = draft.source();
    let line = source.line_at(statement.range.start());
    let above = above_comments(draft, line.start());
    let is_file_head = above == 0
        || source.text()[..above]
            .trim_start_matches('\u{feff}')
            .is_empty();
    if above < line.start() && is_file_head && gap == 0 {
        // The comments are the file's; they stay on top.
        return InsertPosition::After {
            offset: draft.line_end_after(statement.range.end()),
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
    InsertPosition::Before {
        offset: bom.max(offset),
        gap,
    }
}
