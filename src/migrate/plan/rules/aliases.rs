//! Rule: `mount = plugin.mount_webhook_method` goes once everything that was registered by that name
//! is a route.
//!
//! It stays as long as a use of the name stays, or another module imports it, or a comment stands on
//! its line; then it needs a manual change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::find::{Alias, Found, ReferenceKind};
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::Registered;
use crate::migrate::plan::modules::cross_module::Members;
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// A name that goes.
pub(crate) struct Removed<'a> {
    pub(crate) path: PathBuf,
    pub(crate) alias: &'a Alias,
    /// Whether the import of its `partial`, which stands right above it, was looked at.
    pub(crate) is_import_done: bool,
}

/// Takes the names out whose last uses `gone` are; `beside_plugin` is where the router is written,
/// with the blank lines that belong there.
///
/// # Errors
/// When another edit wants the same bytes.
pub(crate) fn remove<'a>(
    members: &Members<'_>,
    drafts: &mut BTreeMap<PathBuf, Draft>,
    webhooks: &[Registered<'a>],
    gone: &[&Registered<'a>],
    beside_plugin: Option<(&Path, usize)>,
) -> Result<Vec<Removed<'a>>, EditError> {
    let mut files: Vec<&'a Found> = Vec::new();
    for one in webhooks {
        if !files.iter().any(|found| std::ptr::eq(*found, one.found)) {
            files.push(one.found);
        }
    }
    let mut removed = Vec::new();
    for found in files {
        let path = found.loaded.module.source().path();
        let Some(draft) = drafts.get_mut(path) else {
            continue;
        };
        let aliases = found.references.iter().filter_map(|one| match &one.kind {
            ReferenceKind::Alias(alias) => Some(&**alias),
            _ => None,
        });
        // A name for another name stands below it, and goes first.
        let mut aliases: Vec<&Alias> = aliases.collect();
        aliases.sort_by_key(|alias| std::cmp::Reverse(alias.statement));
        let mut gone_here: Vec<&Alias> = Vec::new();
        for alias in aliases {
            let calls: BTreeSet<ByteRange> = gone
                .iter()
                .filter(|one| one.path() == path)
                .filter(|one| one.webhook.call.alias == Some(alias.statement))
                .map(|one| one.webhook.call.call)
                .collect();
            let names = gone_here
                .iter()
                .filter(|other| other.of == Some(alias.statement));
            // A name in `__all__` is a use, too.
            let is_last = calls.len() + names.count() == alias.uses
                && draft.names.imports.uses_of(&alias.name) <= alias.uses + 1
                && !members.is_passed_on(path, &alias.name)
                && !members.others_use(path, &alias.name);
            if !is_last {
                continue;
            }
            if is_alone(draft, alias.statement) && leaves_others(draft, alias.statement) {
                gone_here.push(alias);
            }
        }
        let written_at = beside_plugin.filter(|(module, _)| *module == path);
        let written_at = written_at.map(|(_, offset)| offset);
        let mut statements: Vec<ByteRange> = Vec::new();
        for alias in gone_here {
            let import = import_above(draft, alias);
            let mut range = alias.statement;
            if let Some((name, import)) = &import
                && draft.names.drop_use(name)
                && !is_asked_for(members, draft, path, name)
            {
                range = ByteRange::new(import.start(), range.end());
            }
            statements.push(range);
            removed.push(Removed {
                path: path.to_owned(),
                alias,
                is_import_done: import.is_some(),
            });
        }
        for statements in one_below_another(draft, &statements) {
            let lines = removable(draft, statements, written_at);
            draft.replace(lines, "")?;
        }
    }
    Ok(removed)
}

/// Whether an imported name has to stay though its module does not use it any more.
pub(crate) fn is_asked_for(members: &Members<'_>, draft: &Draft, path: &Path, name: &str) -> bool {
    path.file_name() == Some("__init__.py".as_ref())
        || members.is_passed_on(path, name)
        || members.others_use(path, name)
        || draft.loaded.calls_by_text()
}

/// The import of the `partial` of a name, below the header of the module and right above the name, which
/// go together; and the name that it binds.
fn import_above<'a>(draft: &Draft, alias: &'a Alias) -> Option<(&'a str, ByteRange)> {
    let name = alias.partial_name.as_deref()?;
    let imports = &draft.names.imports;
    let mut binding = imports.statements.iter().filter(|one| {
        let mut names = one.names.iter();
        names.any(|imported| imported.local == name) || one.is_of_module(&draft.loaded, name)
    });
    let import = binding.next().filter(|one| {
        one.is_top_level && one.names.len() <= 1 && one.range.start() >= imports.header_end
    })?;
    let between = ByteRange::new(import.range.end(), alias.statement.start());
    let is_above = binding.next().is_none()
        && import.range.end() <= alias.statement.start()
        && draft.source().slice(between).trim().is_empty();
    (is_above && is_alone(draft, import.range)).then_some((name, import.range))
}

/// Whether nothing else stands on the lines of a statement.
fn is_alone(draft: &Draft, statement: ByteRange) -> bool {
    let source = draft.source();
    let lines = lines_of(draft, statement);
    let before = source.slice(ByteRange::new(lines.start(), statement.start()));
    let after = source.slice(ByteRange::new(statement.end(), lines.end()));
    let is_alone = before.trim().is_empty() && after.trim().is_empty();
    is_alone && !draft.loaded.module.tokens().has_comment(lines)
}

/// Whether the block of a statement has others, so that it is not empty without it.
fn leaves_others(draft: &Draft, statement: ByteRange) -> bool {
    let suite = draft.loaded.module.suite();
    if suite.iter().any(|one| range_of(one) == statement) {
        return true;
    }
    let mut statements_around = 0;
    tree::walk_body(suite, &mut |node| {
        let Node::Stmt(parent) = node else {
            return Descend::Past;
        };
        let mut children = 0;
        let mut is_parent = false;
        tree::children(Node::Stmt(parent), &mut |child| {
            if let Node::Stmt(child) = child {
                children += 1;
                is_parent |= range_of(child) == statement;
            }
        });
        if is_parent {
            // Several blocks of one statement are not told apart: only in a function they are one.
            let is_function = tree::is_definition(parent);
            statements_around = if is_function { children } else { 1 };
        }
        Descend::Into
    });
    statements_around > 1
}

fn lines_of(draft: &Draft, statements: ByteRange) -> ByteRange {
    let source = draft.source();
    let first = source.line_at(statements.start());
    let last = source.line_at(statements.end());
    ByteRange::new(first.start(), last.end())
}

/// The statements, which come the last first, as ranges of those without a line between them.
fn one_below_another(draft: &Draft, statements: &[ByteRange]) -> Vec<ByteRange> {
    let mut ranges: Vec<ByteRange> = Vec::new();
    for &this in statements.iter().rev() {
        match ranges.last_mut() {
            Some(range) if lines_of(draft, *range).end() == lines_of(draft, this).start() => {
                *range = ByteRange::new(range.start(), this.end());
            }
            _ => ranges.push(this),
        }
    }
    ranges
}

/// The lines of statements with the blank lines on one side of them: those of which there are fewer.
fn removable(draft: &Draft, statements: ByteRange, written_at: Option<usize>) -> ByteRange {
    let source = draft.source();
    let lines = lines_of(draft, statements);
    let text = source.text();
    let above = blank_lines(&text[..lines.start()], true);
    let below = blank_lines(&text[lines.end()..], false);
    if above.0 == 0 && below.0 == 0 {
        return lines;
    }
    let follows_router = written_at == Some(lines.start() - above.1);
    if below.0 <= above.0 || follows_router {
        ByteRange::new(lines.start(), lines.end() + below.1)
    } else {
        ByteRange::new(lines.start() - above.1, lines.end())
    }
}

/// How many blank lines a text starts with, or ends with, and how many bytes they take.
fn blank_lines(text: &str, at_end: bool) -> (usize, usize) {
    let blank = |line: &&str| line.trim().is_empty();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let found: Vec<&str> = if at_end {
        lines.into_iter().rev().take_while(blank).collect()
    } else {
        lines.into_iter().take_while(blank).collect()
    };
    (found.len(), found.iter().map(|line| line.len()).sum())
}
