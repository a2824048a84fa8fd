//! A block of imports as the project's import sorter writes it (`ruff`'s rule I001).
//!
//! Invariants: comments stay with what they were at, in their order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::block::{Block, Comments, Entry, Member};
use crate::migrate::plan::draft::{Addition, Draft};
use crate::migrate::plan::model::Input;
use crate::migrate::python::imports::{ImportStatement, ImportedName};
use crate::migrate::python::names::ModuleName;
use crate::migrate::python::stdlib::is_stdlib;
use crate::migrate::python::style::imports::{
    ImportStyle, MemberKey, ModuleKey, ModuleOrigin, Section,
};
use crate::migrate::python::style::{Style, indentation_width, width};

/// What is around a file, as far as the sorting of its imports depends on it.
pub(crate) struct Surroundings<'a> {
    /// The topmost package that the file is in.
    pub(super) package: Option<PathBuf>,
    /// Whether a module or a package is at a path without an ending.
    pub(super) is_module: &'a (dyn Fn(&Path) -> bool + Sync),
}

impl<'a> Surroundings<'a> {
    /// Those of the file at `path`.
    pub(crate) fn of(input: &Input<'a>, path: &Path) -> Self {
        Self {
            package: (input.package_root)(path),
            is_module: input.is_module,
        }
    }

    /// The section of a module among the imports of `draft`.
    pub(super) fn section(&self, style: &Style, module: &ModuleName) -> Section {
        let name = module.dotted.as_str();
        let base = name.split('.').next().unwrap_or_default();
        let package = self.package.as_deref();
        let is_in_sources = || {
            let relative: PathBuf = name.split('.').collect();
            let mut roots = style.source_roots.iter();
            roots.any(|root| (self.is_module)(&root.join(&relative)))
        };
        style.imports.section(name, module.level, || {
            if is_stdlib(base) {
                ModuleOrigin::StandardLibrary
            } else if is_in_sources() {
                ModuleOrigin::Sources
            } else if package.is_some_and(|package| package.ends_with(base)) {
                ModuleOrigin::SamePackage
            } else {
                ModuleOrigin::Installed
            }
        })
    }
}

/// The place of a statement among those of a block.
pub(super) type StatementKey = (usize, usize, u8, ModuleKey);

/// How a sorter orders the statements of a file.
pub(super) struct Order<'a> {
    pub(super) style: &'a Style,
    pub(super) surroundings: &'a Surroundings<'a>,
}

impl Order<'_> {
    fn settings(&self) -> &ImportStyle {
        &self.style.imports
    }

    /// The place of a section.
    pub(super) fn section_index(&self, section: &Section) -> usize {
        let order = &self.settings().section_order;
        let index = order.iter().position(|other| other == section);
        index.unwrap_or(order.len())
    }

    /// The blank lines before the section at a place of the order.
    pub(super) fn blank_lines_before(&self, section: usize) -> usize {
        let settings = self.settings();
        let section = settings.section_order.get(section);
        usize::from(!section.is_some_and(|s| settings.no_lines_before.contains(s)))
    }

    /// The key of a statement: `first` the first name of a `from` statement with its alias, none for
    /// a plain `import`, which may have an `alias` itself.
    pub(super) fn key(
        &self,
        module: &ModuleName,
        first: Option<(&str, Option<&str>)>,
        alias: Option<&str>,
    ) -> StatementKey {
        let settings = self.settings();
        let section = self.surroundings.section(self.style, module);
        let is_from = first.is_some();
        let part = match module.level {
            0 => settings.separate_part(&module.dotted),
            _ => 0,
        };
        let kind = if section == Section::Future {
            u8::from(!is_from)
        } else if settings.force_sort_within_sections {
            0
        } else {
            u8::from(is_from != settings.from_first)
        };
        let first = first.map(|(name, alias)| settings.member_key(name, alias));
        (
            part,
            self.section_index(&section),
            kind,
            settings.module_key(&module.dotted, module.level, alias, first, is_from),
        )
    }

    pub(super) fn member_key(&self, name: &str, alias: Option<&str>) -> MemberKey {
        self.settings().member_key(name, alias)
    }

    /// The key of a statement that is there.
    pub(super) fn key_of_statement(&self, statement: &ImportStatement) -> StatementKey {
        let first = statement.names.first();
        let alias = |name: &ImportedName| (name.local != name.name).then(|| name.local.clone());
        let alias = first.and_then(alias);
        let first = first.map(|name| (name.name.as_str(), alias.as_deref()));
        // `*` has no name here.
        let star = statement.is_from.then_some(("*", None));
        self.key(&statement.module, first.or(star), None)
    }

    /// The key of the statement that a name would have for itself.
    pub(super) fn key_of_addition(&self, addition: &Addition) -> StatementKey {
        let module = ModuleName {
            level: addition.level,
            dotted: addition.module.clone(),
        };
        let is_plain = addition.name.is_empty();
        let own = if is_plain {
            &addition.module
        } else {
            &addition.name
        };
        let alias = (addition.local != *own).then_some(addition.local.as_str());
        if is_plain {
            self.key(&module, None, alias)
        } else {
            self.key(&module, Some((&addition.name, alias)), None)
        }
    }

    fn entry_key(&self, entry: &Entry) -> StatementKey {
        let module = ModuleName {
            level: entry.level,
            dotted: entry.module.clone(),
        };
        let first = entry.members.as_ref().and_then(|members| members.first());
        let first = first.map(|member| (member.name.as_str(), member.alias.as_deref()));
        self.key(&module, first, entry.alias.as_deref())
    }

    fn section_of(&self, entry: &Entry) -> Section {
        let module = ModuleName {
            level: entry.level,
            dotted: entry.module.clone(),
        };
        self.surroundings.section(self.style, &module)
    }

    /// The lines of the entries, sorted, without their line ends.
    pub(super) fn lines(&self, entries: &[Entry], indent: &str, unit: &str) -> Vec<String> {
        let settings = self.settings();
        let mut sorted: Vec<(StatementKey, Entry)> = Vec::new();
        for entry in self.merged(entries) {
            sorted.push((self.entry_key(&entry), entry));
        }
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let mut lines: Vec<String> = Vec::new();
        let mut previous: Option<(usize, usize, bool)> = None;
        for (key, mut entry) in sorted {
            let section = self.section_of(&entry);
            let (part, place, is_from) = (key.0, key.1, entry.members.is_some());
            let starts_section = previous.is_none_or(|(p, s, _)| (p, s) != (part, place));
            self.drop_headings(&mut entry);
            match previous {
                Some((p, before, _)) if starts_section => {
                    // Sections in between that are empty bring their blank line, too.
                    let crossed = settings.section_order.iter().skip(before + 1);
                    let mut crossed = crossed.take(place.saturating_sub(before));
                    let is_parted = p != part
                        || crossed.any(|section| !settings.no_lines_before.contains(section));
                    if is_parted {
                        lines.push(String::new());
                    }
                }
                Some((.., was_from))
                    if was_from != is_from
                        && !settings.force_sort_within_sections
                        && is_from != settings.from_first =>
                {
                    lines.extend((0..settings.lines_between_types).map(|_| String::new()));
                }
                _ => {}
            }
            if starts_section && let Some(heading) = settings.import_heading.get(&section) {
                lines.push(heading.clone());
            }
            if !starts_section && !entry.comments.above.is_empty() {
                lines.push(String::new());
            }
            lines.append(&mut entry.comments.above);
            lines.extend(self.statement(&entry, indent, unit));
            previous = Some((part, place, is_from));
        }
        for line in &mut lines {
            if !line.is_empty() {
                line.insert_str(0, indent);
            }
        }
        lines
    }

    /// Takes the headings of sections out of the comments above a statement.
    fn drop_headings(&self, entry: &mut Entry) {
        let headings = &self.settings().import_heading;
        let is_heading = |comment: &String| headings.values().any(|other| other == comment);
        entry.comments.above.retain(|comment| !is_heading(comment));
    }

    /// Statements of one module as one, and each name for itself where the settings want that.
    fn merged(&self, entries: &[Entry]) -> Vec<Entry> {
        let settings = self.settings();
        let mut merged: Vec<Entry> = Vec::new();
        for entry in entries {
            let Some(members) = &entry.members else {
                let is_same = |other: &&mut Entry| {
                    other.members.is_none()
                        && (&other.module, &other.alias) == (&entry.module, &entry.alias)
                };
                match merged.iter_mut().find(is_same) {
                    Some(same) => join(&mut same.comments, &entry.comments),
                    None => merged.push(entry.clone()),
                }
                continue;
            };
            let is_isolated = |member: &Member| {
                member.name == "*"
                    || settings.isolates(&entry.module)
                    || member.alias.is_some() && !settings.combine_as_imports
            };
            let mut comments = entry.comments.clone();
            for member in members {
                let is_isolated = is_isolated(member);
                let home = merged.iter().position(|other| {
                    let others = other.members.iter().flatten();
                    let mut others = others.map(|other| (&other.name, &other.alias));
                    (other.level, &other.module) == (entry.level, &entry.module)
                        && match others.next() {
                            None => false,
                            Some((name, alias)) if is_isolated => {
                                others.next().is_none()
                                    && (name, alias) == (&member.name, &member.alias)
                            }
                            Some((name, alias)) => {
                                name != "*" && (alias.is_none() || settings.combine_as_imports)
                            }
                        }
                });
                let home = home.unwrap_or_else(|| {
                    merged.push(Entry {
                        members: Some(Vec::new()),
                        has_comma: false,
                        comments: Comments::default(),
                        ..entry.clone()
                    });
                    merged.len() - 1
                });
                let home = &mut merged[home];
                join(&mut home.comments, &std::mem::take(&mut comments));
                home.has_comma |= entry.has_comma && !settings.isolates(&entry.module);
                let known = home.members.get_or_insert_default();
                match known
                    .iter_mut()
                    .find(|other| (&other.name, &other.alias) == (&member.name, &member.alias))
                {
                    Some(same) => join(&mut same.comments, &member.comments),
                    None => known.push(member.clone()),
                }
            }
        }
        for entry in &mut merged {
            if let Some(members) = &mut entry.members {
                members.sort_by_cached_key(|m| self.member_key(&m.name, m.alias.as_deref()));
            }
        }
        merged
    }

    /// The lines of one statement, without its indentation and without what is above it.
    fn statement(&self, entry: &Entry, indent: &str, unit: &str) -> Vec<String> {
        let behind = |text: String, comments: &[String]| {
            comments
                .iter()
                .fold(text, |text, comment| text + "  " + comment)
        };
        let module = entry.full_name();
        let Some(members) = &entry.members else {
            let text = match &entry.alias {
                Some(alias) => format!("import {module} as {alias}"),
                None => format!("import {module}"),
            };
            return vec![behind(text, &entry.comments.behind)];
        };
        let written = |member: &Member| match &member.alias {
            Some(alias) => format!("{} as {alias}", member.name),
            None => member.name.clone(),
        };
        let head = format!("from {module} import ");
        let names: Vec<String> = members.iter().map(written).collect();
        let settings = self.settings();
        let is_star = members.iter().any(|member| member.name == "*");
        let keeps_lines =
            entry.has_comma && settings.split_on_trailing_comma && self.style.magic_trailing_comma
                || settings.force_wrap_aliases
                    && members.len() > 1
                    && members.iter().any(|member| member.alias.is_some());
        let has_comments = members.iter().any(|member| !member.comments.is_empty());
        let mut line = behind(head.clone() + &names.join(", "), &entry.comments.behind);
        for Member { comments, .. } in members {
            line = behind(line, &comments.above);
            line = behind(line, &comments.behind);
            line = behind(line, &comments.after);
        }
        line = behind(line, &entry.comments.after);
        let columns = indentation_width(indent, self.style.indent_width) + width(&line);
        let fits = columns <= self.style.line_length;
        if is_star || fits && !keeps_lines && (members.len() == 1 || !has_comments) {
            return vec![line];
        }
        let mut lines = vec![behind(head + "(", &entry.comments.behind)];
        for (member, name) in members.iter().zip(names) {
            let inner = |comment: &String| format!("{unit}{comment}");
            lines.extend(member.comments.above.iter().map(inner));
            lines.push(behind(format!("{unit}{name},"), &member.comments.behind));
            lines.extend(member.comments.after.iter().map(inner));
        }
        lines.push(behind(")".to_owned(), &entry.comments.after));
        lines
    }
}

fn join(into: &mut Comments, from: &Comments) {
    into.above.extend_from_slice(&from.above);
    into.behind.extend_from_slice(&from.behind);
    into.after.extend_from_slice(&from.after);
}

/// The names that come to a block, and those that go.
pub(super) struct Changes<'c> {
    pub(super) added: &'c [Addition],
    pub(super) removed: &'c dyn Fn(&str) -> bool,
}

/// The old and the new lines of a block that is as the sorter writes it, the former with the file's
/// usual indentation; none when it is not, or when
/// a comment would be left without what it speaks of.
pub(super) fn changed(
    draft: &Draft,
    order: &Order<'_>,
    block: &Block,
    changes: &Changes<'_>,
) -> Option<(Vec<String>, Vec<String>)> {
    let entries = block.entries.as_ref()?;
    let unit = draft.indent_unit();
    let expected = order.lines(entries, &block.indent, unit);
    let actual: Vec<String> = lines_of(draft.slice(block.range));
    // An indentation of another kind is not the sorter's business.
    let is_same = actual.len() == expected.len()
        && actual
            .iter()
            .zip(&expected)
            .all(|(a, b)| a.trim_start() == b.trim_start());
    if !is_same {
        return None;
    }
    let mut kept: Vec<Entry> = Vec::new();
    // The comments of statements that go; they stay above the next.
    let mut waiting: Vec<String> = Vec::new();
    for entry in entries {
        let mut entry = entry.clone();
        order.drop_headings(&mut entry);
        waiting.append(&mut entry.comments.above);
        let Some(members) = entry.members.take() else {
            if entry.alias.is_none() && (changes.removed)(&entry.module) {
                waiting.extend(entry.comments.without_pragmas());
                continue;
            }
            entry.comments.above = std::mem::take(&mut waiting);
            kept.push(entry);
            continue;
        };
        let mut stay: Vec<Member> = Vec::new();
        let mut of_members: Vec<String> = Vec::new();
        for mut member in members {
            of_members.append(&mut member.comments.above);
            if (changes.removed)(member.local()) {
                of_members.extend(std::mem::take(&mut member.comments).without_pragmas());
            } else {
                member.comments.above = std::mem::take(&mut of_members);
                stay.push(member);
            }
        }
        match stay.last_mut() {
            Some(last) => {
                last.comments.after.append(&mut of_members);
                entry.comments.above = std::mem::take(&mut waiting);
                entry.members = Some(stay);
                kept.push(entry);
            }
            None => {
                waiting.append(&mut of_members);
                waiting.extend(entry.comments.without_pragmas());
            }
        }
    }
    if !waiting.is_empty() {
        return None;
    }
    // One statement for what comes from one module, so that it gets its comma from nobody.
    let mut added: BTreeMap<(usize, &str, bool), Entry> = BTreeMap::new();
    for addition in changes.added {
        let is_plain = addition.name.is_empty();
        let alias = (addition.local != addition.name && !is_plain
            || is_plain && addition.local != addition.module)
            .then(|| addition.local.clone());
        let entry = added
            .entry((addition.level, &addition.module, is_plain))
            .or_insert_with(|| Entry {
                level: addition.level,
                module: addition.module.clone(),
                alias: None,
                members: None,
                has_comma: false,
                comments: Comments::default(),
            });
        if is_plain {
            entry.alias = alias;
        } else {
            entry.members.get_or_insert_default().push(Member {
                name: addition.name.clone(),
                alias,
                comments: Comments::default(),
            });
        }
    }
    kept.extend(added.into_values());
    Some((expected, order.lines(&kept, &block.indent, unit)))
}

/// The lines of a text, without their line ends.
fn lines_of(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        lines.push(rest[..end].to_owned());
        let after = &rest[end..];
        rest = after
            .strip_prefix("\r\n")
            .or_else(|| after.strip_prefix(['\n', '\r']))
            .unwrap_or_default();
    }
    lines
}
