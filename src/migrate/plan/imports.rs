//! Edits of import statements.
//!
//! Names go to the block of imports that has their module already, else their section. A block that
//! is as the project's import sorter writes it is written anew by its rules ([`sorted`]), and only the
//! lines that differ are changed. In any other a name joins the statement that imports from its
//! module ([`merge`]); else a new statement goes where sorted imports would have it ([`insert`]).

mod block;
mod insert;
pub(super) mod lines;
mod merge;
mod remove;
mod sorted;

use std::collections::{BTreeMap, BTreeSet};

use block::Block;
use insert::insert_statements;
use lines::{blank_lines_before, blank_lines_from};
use merge::{can_merge_into, change_statement};
use remove::{close_gaps, remove_statement};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use sorted::{Changes, Order, StatementKey};

use super::draft::{Addition, Draft};
use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::python::imports::{ImportStatement, ImportedName};
use crate::migrate::python::names::ModuleName;

pub(crate) use sorted::Surroundings;

/// The name that `if TYPE_CHECKING:` uses.
const TYPE_CHECKING: &str = "TYPE_CHECKING";

/// Applies the additions and removals of `draft`.
pub(crate) fn apply(draft: &mut Draft, surroundings: &Surroundings<'_>) -> Result<(), EditError> {
    let additions: Vec<Addition> = std::mem::take(&mut draft.names.additions)
        .into_iter()
        .collect();
    let mut removals = std::mem::take(&mut draft.names.removals);
    if additions.is_empty() && removals.is_empty() {
        return Ok(());
    }
    let style = draft.style.clone();
    let order = Order {
        style: &style,
        surroundings,
    };
    let imports = draft.names.imports.clone();
    let mut blocks = Block::all(draft);
    // A block for type checkers of which nothing stays goes as a whole, with its last statement.
    let gone_whole = empty_type_checking(&imports.statements, &removals);
    for whole in &gone_whole {
        remove_statement(draft, whole)?;
    }
    if !gone_whole.is_empty() && imports.uses_of(TYPE_CHECKING) <= gone_whole.len() {
        removals.insert(TYPE_CHECKING.to_owned());
    }
    let goes = |name: &str| removals.contains(name);
    blocks.retain(|block| {
        let first = block
            .statements
            .first()
            .map(|&index| &imports.statements[index]);
        let around = first.and_then(|statement| statement.type_checking);
        let is_gone = |whole: &ImportStatement| {
            whole.type_checking.map(|(range, _)| range) == around.map(|(range, _)| range)
        };
        around.is_none() || !gone_whole.iter().any(is_gone)
    });

    let mut by_block: BTreeMap<usize, Vec<Addition>> = BTreeMap::new();
    let mut homeless: Vec<Addition> = Vec::new();
    for addition in additions {
        match home(draft, &order, &blocks, &addition) {
            Some(index) => by_block.entry(index).or_default().push(addition),
            None => homeless.push(addition),
        }
    }
    let mut gone: Vec<&ImportStatement> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let added = by_block.remove(&index).unwrap_or_default();
        let statements = block
            .statements
            .iter()
            .map(|&index| &imports.statements[index]);
        let statements: Vec<&ImportStatement> = statements.collect();
        let mut names = statements.iter().flat_map(|statement| &statement.names);
        let mut modules = statements.iter();
        let changes_nothing = added.is_empty()
            && !names.any(|name| goes(&name.local))
            && !modules.any(|statement| goes_whole(draft, statement, &goes));
        if changes_nothing {
            continue;
        }
        let changes = Changes {
            added: &added,
            removed: &goes,
        };
        if let Some((old, new)) = sorted::changed(draft, &order, block, &changes) {
            replace_lines(draft, block, &old, &new)?;
        } else {
            gone.extend(change_unsorted(draft, &order, &statements, added, &goes)?);
        }
    }
    insert_statements(draft, &order, &[], group(&order, homeless), &[])?;
    close_gaps(draft, &gone)
}

/// The statements for type checkers whose block goes with them: each as if it were alone there.
fn empty_type_checking(
    statements: &[ImportStatement],
    removals: &BTreeSet<String>,
) -> Vec<ImportStatement> {
    let is_gone = |statement: &&ImportStatement| {
        let mut names = statement.names.iter();
        !statement.names.is_empty() && names.all(|name| removals.contains(&name.local))
    };
    let mut wholes: Vec<ImportStatement> = Vec::new();
    for statement in statements.iter().filter(is_gone) {
        let Some((block, count)) = statement.type_checking else {
            continue;
        };
        let is_inside = |s: &&ImportStatement| s.type_checking.is_some_and(|(b, _)| b == block);
        let known = wholes.iter().any(|whole| is_inside(&whole));
        let inside = statements.iter().filter(is_inside);
        if !known && inside.filter(is_gone).count() == count {
            wholes.push(ImportStatement {
                type_checking: Some((block, 1)),
                ..statement.clone()
            });
        }
    }
    wholes
}

/// The block that a name goes to: one with a statement that takes it, else the last with something of
/// its section before it, else one where its section would be.
fn home(draft: &Draft, order: &Order<'_>, blocks: &[Block], addition: &Addition) -> Option<usize> {
    let statements = &draft.names.imports.statements;
    let early = draft.names.early.get(&addition.local);
    let candidates: Vec<(usize, Vec<&ImportStatement>)> = blocks
        .iter()
        .map(|block| block.statements.iter().map(|&index| &statements[index]))
        .map(Iterator::collect::<Vec<_>>)
        .enumerate()
        .filter(|(_, block)| {
            block.iter().all(|statement| {
                statement.is_top_level
                    && early.is_none_or(|&offset| statement.range.end() <= offset)
            })
        })
        .collect();
    let takes = |(_, block): &&(usize, Vec<&ImportStatement>)| {
        let mut block = block.iter();
        block.any(|statement| can_merge_into(draft, order, statement, addition))
    };
    if let Some((index, _)) = candidates.iter().find(takes) {
        return Some(*index);
    }
    // One that stands further down is there for a reason that a new one does not share.
    let is_at_top = |(_, block): &&(usize, Vec<&ImportStatement>)| {
        let ends = block.last().map(|statement| statement.range.end());
        ends.is_some_and(|end| end <= draft.names.imports.header_end)
    };
    let mut top: Vec<&(usize, Vec<&ImportStatement>)> =
        candidates.iter().filter(is_at_top).collect();
    if top.is_empty() {
        top = candidates.iter().collect();
    }
    let key = order.key_of_addition(addition);
    let section = (key.0, key.1);
    let keys = |block: &[&ImportStatement]| -> Vec<StatementKey> {
        block
            .iter()
            .map(|statement| order.key_of_statement(statement))
            .collect()
    };
    let keyed: Vec<(usize, Vec<StatementKey>)> = top
        .iter()
        .map(|(index, block)| (*index, keys(block)))
        .collect();
    let in_section = |other: &StatementKey| (other.0, other.1) == section;
    let before = |other: &StatementKey| in_section(other) && *other < key;
    let earlier = |other: &StatementKey| (other.0, other.1) < section;
    let last = |test: &dyn Fn(&StatementKey) -> bool| {
        let mut blocks = keyed.iter().rev();
        blocks.find(|(_, keys)| keys.iter().any(test))
    };
    let first = |test: &dyn Fn(&StatementKey) -> bool| {
        let mut blocks = keyed.iter();
        blocks.find(|(_, keys)| keys.iter().any(test))
    };
    last(&before)
        .or_else(|| first(&in_section))
        .or_else(|| last(&earlier))
        .or_else(|| keyed.first())
        .map(|(index, _)| *index)
}

/// Changes the lines of a block that are not the same before and after.
fn replace_lines(
    draft: &mut Draft,
    block: &Block,
    old: &[String],
    new: &[String],
) -> Result<(), EditError> {
    let mut starts = vec![block.range.start()];
    for _ in old {
        let last = starts.last().copied().unwrap_or_default();
        starts.push(draft.source().line_at(last).end());
    }
    if new.is_empty() {
        // The blank lines around it become one group, the larger one.
        let end = block.range.end();
        let both = blank_lines_before(draft, block.range.start()).min(blank_lines_from(draft, end));
        let mut last = end;
        for _ in 0..both {
            last = draft.source().line_at(last).end();
        }
        let start = block.range.start();
        return draft.replace(ByteRange::new(start, last), "");
    }
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (from, to) = (starts[op.old_range().start], starts[op.old_range().end]);
        // A new line ends as its neighbour does.
        let neighbour = if from > block.range.start() {
            from - 1
        } else {
            from
        };
        let line_end = draft.source().line_end_at(neighbour);
        let lines = new[op.new_range()].iter();
        let text: String = lines.flat_map(|line| [line.as_str(), line_end]).collect();
        draft.replace(ByteRange::new(from, to), text)?;
    }
    Ok(())
}

/// Changes the statements of a block one by one; gives those that are gone.
fn change_unsorted<'s>(
    draft: &mut Draft,
    order: &Order<'_>,
    statements: &[&'s ImportStatement],
    added: Vec<Addition>,
    goes: &dyn Fn(&str) -> bool,
) -> Result<Vec<&'s ImportStatement>, EditError> {
    let mut merges: Vec<Vec<Addition>> = vec![Vec::new(); statements.len()];
    let mut new: Vec<Addition> = Vec::new();
    for addition in added {
        let takes =
            |statement: &&ImportStatement| can_merge_into(draft, order, statement, &addition);
        match statements.iter().position(takes) {
            Some(index) => merges[index].push(addition),
            None => new.push(addition),
        }
    }
    for (statement, added) in statements.iter().zip(merges) {
        let names = statement.names.iter();
        let gone: Vec<&ImportedName> = names.filter(|name| goes(&name.local)).collect();
        if !gone.is_empty() || !added.is_empty() {
            change_statement(draft, order, statement, &gone, &added)?;
        } else if goes_whole(draft, statement, goes) {
            remove_statement(draft, statement)?;
        }
    }
    let is_gone = |statement: &&ImportStatement| {
        let mut edits = draft.edits.iter();
        edits.any(|edit| edit.text().is_empty() && edit.range().contains(statement.range))
    };
    let gone: Vec<&ImportStatement> = statements.iter().copied().filter(is_gone).collect();
    insert_statements(draft, order, statements, group(order, new), &gone)?;
    Ok(gone)
}

/// Whether a statement is `import module` of a module that goes.
fn goes_whole(draft: &Draft, statement: &ImportStatement, goes: &dyn Fn(&str) -> bool) -> bool {
    goes(&statement.module.dotted)
        && statement.is_of_module(&draft.loaded, &statement.module.dotted)
}

/// Puts the names together that one statement can have.
fn group(order: &Order<'_>, additions: Vec<Addition>) -> Vec<(ModuleName, Vec<Addition>)> {
    let settings = &order.style.imports;
    let mut statements: Vec<(ModuleName, Vec<Addition>)> = Vec::new();
    let is_alone = |addition: &Addition| {
        addition.name.is_empty()
            || settings.isolates(&addition.module)
            || addition.name != addition.local && !settings.combine_as_imports
    };
    for addition in additions {
        let module = ModuleName {
            level: addition.level,
            dotted: addition.module.clone(),
        };
        let same = |(other, list): &&mut (ModuleName, Vec<Addition>)| {
            *other == module && !is_alone(&addition) && !list.iter().any(is_alone)
        };
        match statements.iter_mut().find(same) {
            Some((_, list)) => list.push(addition),
            None => statements.push((module, vec![addition])),
        }
    }
    statements
}
