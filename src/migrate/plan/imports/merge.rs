//! Names that come to a statement, or go from one, in a block that is not as the sorter has it:
//! the statement keeps its form and its order.

use super::lines::above_comments;
use super::remove::remove_statement;
use super::sorted::Order;
use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::plan::draft::{Addition, Draft};
use crate::migrate::python::imports::{ImportStatement, ImportedName};
use crate::migrate::python::style::imports::MemberKey;
use crate::migrate::python::style::{comment_width, indentation_width, is_pragma, width};
use crate::migrate::python::tokens::TokenKind;

/// Whether a name from a module can join a statement.
pub(super) fn can_merge_into(
    draft: &Draft,
    order: &Order<'_>,
    statement: &ImportStatement,
    addition: &Addition,
) -> bool {
    let settings = &order.style.imports;
    let is_alone = |name: &str, local: &str| name != local && !settings.combine_as_imports;
    statement.is_from
        && statement.is_top_level
        && statement.type_checking.is_none()
        && !addition.name.is_empty()
        && !settings.isolates(&addition.module)
        // Sorted imports have a statement of its own for each alias.
        && !is_alone(&addition.name, &addition.local)
        && statement.names.iter().all(|name| !is_alone(&name.name, &name.local))
        && !statement.names.is_empty()
        && statement.names.iter().all(|name| name.name != "*")
        && statement.module.level == addition.level
        && statement.module.dotted == addition.module
        && !has_pragma(draft, statement)
}

/// Whether a comment for a tool is at a statement: it speaks of the names that are there.
fn has_pragma(draft: &Draft, statement: &ImportStatement) -> bool {
    let end = draft.source().line_at(statement.range.end()).end();
    let tokens = draft.loaded.module.tokens();
    let here = tokens.within(ByteRange::new(statement.range.start(), end));
    let mut comments = here.iter().filter(|token| token.kind == TokenKind::Comment);
    comments.any(|comment| is_pragma(draft.slice(comment.range)))
}

pub(super) fn written(addition: &Addition) -> String {
    if addition.name == addition.local {
        addition.name.clone()
    } else {
        format!("{} as {}", addition.name, addition.local)
    }
}

pub(super) fn change_statement(
    draft: &mut Draft,
    order: &Order<'_>,
    statement: &ImportStatement,
    gone: &[&ImportedName],
    added: &[Addition],
) -> Result<(), EditError> {
    if gone.len() == statement.names.len() && added.is_empty() {
        return remove_statement(draft, statement);
    }
    let has_comment = draft.loaded.module.tokens().has_comment(statement.range);
    // Lines that a backslash joins are one.
    let is_one_line =
        statement.brackets.is_none() || !draft.slice(statement.range).contains(['\n', '\r']);
    let mut names: Vec<(MemberKey, String)> = statement
        .names
        .iter()
        .filter(|name| gone.iter().all(|other| other.range != name.range))
        .map(|name| (member_key(order, name), draft.slice(name.range).to_owned()))
        .collect();
    let was_sorted = names.is_sorted_by(|a, b| a.0 <= b.0);
    if is_one_line {
        for addition in added {
            let key = order.member_key(&addition.name, None);
            let at = if was_sorted {
                names.partition_point(|(name, _)| *name <= key)
            } else {
                names.len()
            };
            names.insert(at, (key, written(addition)));
        }
        let list: Vec<String> = names.into_iter().map(|(_, written)| written).collect();
        let list_range = names_after_import(draft, statement);
        let follows_keyword = draft
            .slice(list_range)
            .trim_start_matches(' ')
            .starts_with('\\');
        let lead = if follows_keyword { " " } else { "" };
        let head_start = draft.source().line_at(list_range.start()).start();
        let head = draft
            .slice(ByteRange::new(head_start, list_range.start()))
            .to_owned();
        let line = draft.source().line_at(statement.range.end());
        let rest = draft.slice(ByteRange::new(statement.range.end(), line.end()));
        let style = &draft.style;
        let indent = draft.source().indentation_at(head_start).to_owned();
        let joined = list.join(", ");
        let columns = indentation_width(&indent, style.indent_width)
            + width(&head[indent.len()..])
            + width(&joined)
            + comment_width(rest, style.trailing_pragmas);
        if columns <= style.line_length || statement.brackets.is_some() {
            return draft.replace(list_range, format!("{lead}{joined}"));
        }
        let unit = draft.indent_unit().to_owned();
        let line_end = draft.source().line_end_at(statement.range.start());
        let mut text = format!("{lead}({line_end}");
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
        insert_name(draft, order, statement, gone, addition, was_sorted)?;
    }
    Ok(())
}

/// The names of a statement; where they begin on a line of their own behind a backslash, what is
/// before them up to `import` too.
fn names_after_import(draft: &Draft, statement: &ImportStatement) -> ByteRange {
    let names = statement.names.first().zip(statement.names.last());
    let end = statement.range.end();
    let Some((first, last)) = names else {
        return ByteRange::at(end);
    };
    let range = ByteRange::new(first.range.start(), last.range.end());
    let keyword = draft.loaded.module.tokens().previous(first.range.start());
    match keyword {
        Some(keyword) if statement.brackets.is_none() => {
            let before = ByteRange::new(keyword.range.end(), first.range.start());
            if draft.slice(before).contains('\\') {
                ByteRange::new(keyword.range.end(), range.end())
            } else {
                range
            }
        }
        _ => range,
    }
}

fn member_key(order: &Order<'_>, name: &ImportedName) -> MemberKey {
    let alias = (name.local != name.name).then_some(name.local.as_str());
    order.member_key(&name.name, alias)
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
    order: &Order<'_>,
    statement: &ImportStatement,
    gone: &[&ImportedName],
    addition: &Addition,
    was_sorted: bool,
) -> Result<(), EditError> {
    let key = order.member_key(&addition.name, None);
    let stays = |name: &&ImportedName| gone.iter().all(|other| other.range != name.range);
    let next = statement
        .names
        .iter()
        .filter(stays)
        .find(|name| was_sorted && member_key(order, name) > key);
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
    let first_line = draft.source().line_at(last.range.start());
    let indent = draft
        .slice(ByteRange::new(first_line.start(), last.range.start()))
        .to_owned();
    // The comma behind the name may be on a line of its own.
    let comma = statement
        .trailing_comma
        .then(|| draft.loaded.module.tokens().next(last.range.end()))
        .flatten();
    let end = comma.map_or(last.range.end(), |comma| comma.range.end());
    let line = draft.source().line_at(end);
    let closes_below = statement
        .brackets
        .is_some_and(|(_, close)| close.start() >= line.end());
    if indent.trim().is_empty() && closes_below {
        let line_end = draft.source().line_end_at(line.start());
        if comma.is_none() {
            draft.insert(end, ",")?;
        }
        return draft.insert(line.end(), format!("{indent}{name},{line_end}"));
    }
    match comma {
        Some(_) => draft.insert(end, format!(" {name},")),
        None => draft.insert(end, format!(", {name}")),
    }
}
