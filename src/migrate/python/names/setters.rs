//! What the files of a repo give anew in modules, classes and libraries that are not their own.
//!
//! `module.name = value` and `setattr(module, "name", value)` name what they set. `module.__dict__`,
//! `vars(module)`, `exec(text)` and their like may set anything, in whatever their file can have got
//! hold of. Invariant: looking at the text alone says "may be set" too often rather than too seldom,
//! and what is not in a list of harmless forms counts as setting.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

/// The names that are set somewhere, and what may be set without a name.
#[derive(Debug, Default)]
pub(super) struct Setters {
    /// Names that are set as an attribute of something.
    names: FxHashSet<String>,
    /// Whether built-in names may be set.
    builtins: bool,
    /// Libraries in which something is set, which others of their functions may use.
    changed: FxHashSet<String>,
    /// Modules in which anything may be set: see [`Reach`].
    reach: Reach,
}

/// How far those files reach that may set anything.
///
/// A unit is a topmost package, or a module outside of packages, by the name that others import it by.
#[derive(Debug, Default)]
struct Reach {
    /// Those that set anything, and those that import one of these.
    units: FxHashSet<PathBuf>,
    unit_of: FxHashMap<PathBuf, PathBuf>,
    /// What these units import, or name as a module: modules of the repo.
    imported: FxHashSet<String>,
    /// Libraries that the files themselves import, or that are handed to them.
    libraries: FxHashSet<String>,
    /// Whether one of them imports modules by names that are made at run time.
    is_everything: bool,
    /// The same of the files themselves.
    is_every_library: bool,
}

/// What a file does.
struct FileFacts<'a> {
    path: &'a Path,
    unit: PathBuf,
    imports: FxHashSet<String>,
    imports_any: bool,
    sets_any: bool,
}

impl Setters {
    /// Looks through the files at `paths`; `read` gives their bytes.
    pub(super) fn of(paths: &[PathBuf], read: impl Fn(&Path) -> Option<Vec<u8>>) -> Self {
        let packages: FxHashSet<&Path> = paths
            .iter()
            .filter(|path| path.file_name().is_some_and(|name| name == "__init__.py"))
            .filter_map(|path| path.parent())
            .collect();
        let mut setters = Self::default();
        let mut facts = Vec::new();
        for path in paths {
            // What cannot be read, or is not text, cannot be imported either.
            let Some(bytes) = read(path) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            add_set_attributes(&text, &mut setters.names);
            let sets_any = sets_anything(&text, &mut setters.names);
            let names_builtins = contains(&text, "builtins");
            setters.builtins |= names_builtins && (sets_any || sets_attribute(&text));
            let (imports, imports_any) = imports(&text);
            add_changed_libraries(&text, &imports, &mut setters.changed);
            facts.push(FileFacts {
                path,
                unit: unit(path, &packages),
                imports,
                imports_any,
                sets_any,
            });
        }
        if facts.iter().any(|file| file.sets_any) {
            setters.reach = Reach::of(&facts, read);
        }
        setters
    }

    /// Whether `name` may be set as an attribute of something.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether built-in names may be set anew.
    pub(super) fn sets_builtins(&self) -> bool {
        self.builtins
    }

    /// Whether anything may be set in the module at `path`.
    pub(super) fn reach_module(&self, path: &Path) -> bool {
        let reach = &self.reach;
        if reach.is_everything {
            return true;
        }
        if reach.units.is_empty() {
            return false;
        }
        reach.unit_of.get(path).is_none_or(|unit| {
            reach.units.contains(unit)
                || outer_name(unit).is_none_or(|name| reach.imported.contains(name))
        })
    }

    /// Whether something may be set in the library `name`, which is its top-level name.
    pub(super) fn reach_library(&self, name: &str) -> bool {
        self.changed.contains(name)
            || self.reach.is_every_library
            || self.reach.libraries.contains(name)
    }
}

impl Reach {
    fn of(facts: &[FileFacts<'_>], read: impl Fn(&Path) -> Option<Vec<u8>>) -> Self {
        let unit_of = |file: &FileFacts<'_>| (file.path.to_owned(), file.unit.clone());
        let mut reach = Self {
            unit_of: facts.iter().map(unit_of).collect(),
            ..Self::default()
        };
        for file in facts.iter().filter(|file| file.sets_any) {
            reach.units.insert(file.unit.clone());
            reach.libraries.extend(file.imports.iter().cloned());
            reach.is_every_library |= file.imports_any;
        }
        // Whoever imports one of these may hand it a module.
        loop {
            let names: FxHashSet<&str> = reach
                .units
                .iter()
                .filter_map(|one| outer_name(one))
                .collect();
            let joining: FxHashSet<PathBuf> = facts
                .iter()
                .filter(|file| !reach.units.contains(&file.unit))
                .filter(|file| {
                    file.imports
                        .iter()
                        .any(|name| names.contains(name.as_str()))
                })
                .map(|file| file.unit.clone())
                .collect();
            if joining.is_empty() {
                break;
            }
            reach.units.extend(joining);
        }
        for file in facts.iter().filter(|file| reach.units.contains(&file.unit)) {
            reach.imported.extend(file.imports.iter().cloned());
            reach.is_everything |= file.imports_any;
            if let Some(bytes) = read(file.path) {
                add_handed(&String::from_utf8_lossy(&bytes), &mut reach.libraries);
            }
        }
        reach
    }
}

/// The topmost package that the file is in, or the file itself.
fn unit(path: &Path, packages: &FxHashSet<&Path>) -> PathBuf {
    let folders = path.ancestors().skip(1);
    let top = folders
        .take_while(|folder| packages.contains(folder))
        .last();
    top.unwrap_or(path).to_owned()
}

/// The name that other units import a unit by.
fn outer_name(unit: &Path) -> Option<&str> {
    unit.file_stem()?.to_str()
}

fn contains(text: &str, word: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some()
}

/// The words of the statements that import, and of what looks modules up; and whether a module is
/// imported whose name cannot be seen there.
fn imports(text: &str) -> (FxHashSet<String>, bool) {
    let mut all = FxHashSet::default();
    let mut is_any = false;
    for statement in import_lines(text) {
        all.extend(words(statement).map(str::to_owned));
        for call in [
            "import_module",
            "__import__",
            "sys.modules",
            "from sys import",
        ] {
            for (at, _) in statement.match_indices(call) {
                let after = statement[at + call.len()..].trim_start();
                let argument = after.trim_start_matches(['(', '[']).trim_start();
                let is_import =
                    statement.trim_start().starts_with("from ") && call != "from sys import";
                is_any |= !is_import
                    && !argument.starts_with(['"', '\''])
                    && !argument.starts_with("__name__]")
                    && !argument.starts_with("__package__]")
                    && (call != "from sys import" || contains(after, "modules"));
            }
        }
    }
    (all, is_any)
}

/// The lines that import or look modules up, those in brackets with what follows in these; one that
/// does both may be there twice.
fn import_lines(text: &str) -> impl Iterator<Item = &str> {
    let of_word = |word: &'static str| memchr::memmem::find_iter(text.as_bytes(), word);
    let mut places = of_word("import").chain(of_word("sys.modules"));
    let mut line = 0..0;
    std::iter::from_fn(move || {
        let at = places.find(|at| !line.contains(at))?;
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[start..];
        let mut end = rest.find('\n').unwrap_or(rest.len());
        if rest.trim_start().starts_with("from ") && rest[..end].contains('(') {
            end = rest.find(')').unwrap_or(rest.len());
        }
        while end < rest.len() && rest[..end].trim_end_matches('\r').ends_with('\\') {
            let next = rest[end..].char_indices().skip(1).find(|(_, c)| *c == '\n');
            end = next.map_or(rest.len(), |(at, _)| end + at);
        }
        line = start..start + end.max(at - start);
        Some(&text[line.clone()])
    })
}

/// Notes the libraries of which something is set: `json.decoder.JSONDecoder.decode = …`.
fn add_changed_libraries(text: &str, imports: &FxHashSet<String>, changed: &mut FxHashSet<String>) {
    let mut roots = FxHashSet::default();
    for_set_attributes(text, &mut |_, head| {
        let start = head
            .trim_end_matches(|c: char| is_word(c) || c == '.')
            .len();
        roots.extend(head[start..].split('.').next().map(str::to_owned));
    });
    for (at, _) in text.match_indices("setattr") {
        let after = text[at + "setattr".len()..].trim_start_matches("__");
        if let Some(call) = after.strip_prefix('(') {
            let first = arguments(call).into_iter().next().unwrap_or_default();
            roots.extend(words(first).map(str::to_owned));
        }
    }
    roots.retain(|root| imports.contains(root));
    if roots.is_empty() {
        return;
    }
    for line in import_lines(text) {
        if words(line).any(|word| roots.contains(word)) {
            changed.extend(words(line).map(str::to_owned));
        }
    }
}

/// Notes what is imported and given to a call as it is: the callee may set anything in it.
fn add_handed(text: &str, libraries: &mut FxHashSet<String>) {
    let mut handed = FxHashSet::default();
    let mut rest = text;
    while let Some(start) = rest.find(['(', ',', '=']) {
        rest = rest[start + 1..].trim_start();
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if after.trim_start().starts_with([')', ',']) {
            handed.insert(word);
        }
        rest = after;
    }
    for line in import_lines(text) {
        if words(line).any(|word| handed.contains(word)) {
            libraries.extend(words(line).map(str::to_owned));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !is_word(c));
    words.filter(|word| !word.is_empty())
}

/// Whether an occurrence surely sets nothing, by what stands before and after it.
type IsHarmless = fn(&str, &str) -> bool;

/// What a text may set anything by, each with whether an occurrence surely does not.
const ANYTHING: &[(&str, IsHarmless)] = &[
    ("__dict__", |head, after| {
        is_own(head.trim_end_matches('.')) || head.ends_with("def ") || only_reads(head, after)
    }),
    ("vars(", |head, after| {
        let end = closing(after);
        let argument = after[..end].trim();
        head.ends_with(is_word)
            || matches!(argument, "self" | "cls")
            || !argument.is_empty()
                && only_reads(head, after[end..].strip_prefix(')').unwrap_or_default())
    }),
    ("exec(", is_other_function),
    ("eval(", is_other_function),
    ("__globals__", |_, _| false),
    ("f_globals", |_, _| false),
    ("f_locals", |_, _| false),
    ("__builtins__", |_, _| false),
    ("import sys as", |_, _| false),
    ("from sys import", |_, after| {
        !contains(after.lines().next().unwrap_or_default(), "modules")
    }),
    ("sys.modules", |head, after| {
        let after = after.trim_start();
        let is_read = head.trim_end().ends_with(" in") || after.starts_with(".get(");
        let end = after.strip_prefix('[').map(closing);
        is_read
            || end.is_some_and(|end| {
                let next = after[end + 1..]
                    .strip_prefix(']')
                    .unwrap_or_default()
                    .trim_start_matches(' ');
                !next.starts_with('=') || next.starts_with("==")
            })
    }),
];

/// Words that hand on a function which sets anything.
const HANDED: &[&str] = &[
    "setattr,",
    "setattr)",
    "setattr\n",
    "vars)",
    "vars,",
    "exec)",
    "exec,",
    "setattr;",
    "setattr as",
];

/// `cursor.exec(`, `model.eval(`, `def exec(`: not the built-in function.
fn is_other_function(head: &str, _: &str) -> bool {
    (head.ends_with(is_word) || head.ends_with('.') || head.ends_with("def "))
        && !head.ends_with("builtins.")
}

/// Whether a dict of names is only read: `**names`, `names.items()`.
fn only_reads(head: &str, after: &str) -> bool {
    let start = head.trim_end_matches(|c: char| is_word(c) || c == '.');
    start.ends_with("**")
        || [".items(", ".get(", ".keys(", ".values(", ".copy("]
            .iter()
            .any(|read| after.starts_with(read))
}

/// Where the bracket closes that was opened before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a text may set anything without naming it; notes what `setattr` and `patch` name.
fn sets_anything(text: &str, names: &mut FxHashSet<String>) -> bool {
    let mut found = false;
    for (word, is_harmless) in ANYTHING {
        found = found
            || memchr::memmem::find_iter(text.as_bytes(), word.as_bytes())
                .any(|at| !is_harmless(&text[..at], &text[at + word.len()..]));
    }
    if contains(text, "setattr") {
        found |= add_setattr(text, names);
    }
    found |= HANDED.iter().any(|word| {
        memchr::memmem::find_iter(text.as_bytes(), word.as_bytes())
            .any(|at| !text[..at].ends_with(|c: char| is_word(c) || c == '.'))
    });
    if contains(text, "mock") {
        found |= add_patched(text, names);
    }
    found
}

/// `setattr(module, "name", value)`: whether one sets what it does not name.
fn add_setattr(text: &str, names: &mut FxHashSet<String>) -> bool {
    let mut found = false;
    for (at, _) in text.match_indices("setattr") {
        let head = &text[..at];
        let after = text[at + "setattr".len()..].trim_start_matches("__");
        // `monkeypatch.setattr` is of a test; the rest are definitions and the own object.
        let skipped = ["monkeypatch.", "def __", "super().__"];
        // `getattr(module, "__setattr__")`
        found |= after.starts_with(['"', '\'']);
        let Some(call) = after.strip_prefix('(') else {
            continue;
        };
        if skipped.iter().any(|one| head.ends_with(one)) {
            continue;
        }
        let arguments = arguments(call);
        let literals = names_among(&arguments);
        let is_own = matches!(arguments.first(), Some(&("self" | "cls")));
        found |= literals.is_empty() && !is_own;
        names.extend(literals.into_iter().map(str::to_owned));
    }
    found
}

/// `mock.patch("module.name")`: whether one sets what it does not name.
fn add_patched(text: &str, names: &mut FxHashSet<String>) -> bool {
    let mut found = false;
    for (at, _) in text.match_indices("patch") {
        let after = &text[at + "patch".len()..];
        found |= after.starts_with(".multiple(") || after.starts_with(".dict(");
        let call = after.strip_prefix(".object").unwrap_or(after);
        let Some(call) = call.strip_prefix('(') else {
            continue;
        };
        let literals = names_among(&arguments(call));
        let head = text[..at].trim_end_matches('.');
        let is_request =
            text[..at].ends_with('.') && !head.ends_with("mock") && !head.ends_with("mocker");
        found |= literals.is_empty() && !is_request;
        for one in literals {
            names.extend(one.rsplit('.').next().map(str::to_owned));
        }
    }
    found
}

/// The arguments of a call, of which the text behind its bracket is given.
fn arguments(call: &str) -> Vec<&str> {
    let mut rest = &call[..closing(call)];
    let mut all = Vec::new();
    while !rest.is_empty() {
        let mut depth = 0usize;
        let end = rest.find(|c: char| {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        let (one, after) = rest.split_at(end.unwrap_or(rest.len()));
        all.push(one.trim());
        rest = after.strip_prefix(',').unwrap_or_default();
    }
    all
}

/// What the first two arguments of a call name: the object may be a string itself.
fn names_among<'t>(arguments: &[&'t str]) -> Vec<&'t str> {
    let first = arguments.iter().take(2);
    first.filter_map(|one| literal(one)).collect()
}

/// The text of a string that is nothing but letters between quotes.
fn literal(argument: &str) -> Option<&str> {
    let quote = argument
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))?;
    let inner = argument.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(['"', '\'', '\\', '+'])).then_some(inner)
}

/// Whether a text sets any attribute.
fn sets_attribute(text: &str) -> bool {
    let mut names = FxHashSet::default();
    add_set_attributes(text, &mut names);
    add_setattr(text, &mut names);
    !names.is_empty()
}

/// Notes the names that a text sets as attributes of something other than `self` and `cls`.
fn add_set_attributes(text: &str, names: &mut FxHashSet<String>) {
    let mut note = |name: &str, _: &str| {
        names.insert(name.to_owned());
    };
    for_set_attributes(text, &mut note);
    // `request.scope["method"] = value`
    let places = memchr::memmem::find_iter(text.as_bytes(), ".scope");
    let mut afters = places.map(|at| &text[at + ".scope".len()..]);
    if afters.any(|after| !after.starts_with(is_word) && !reads_item(after)) {
        names.insert("scope".to_owned());
    }
}

/// Whether what stands behind a dict only reads it or one of its items.
fn reads_item(after: &str) -> bool {
    let end = after.strip_prefix('[').map(closing);
    after.starts_with(".get(")
        || end.is_some_and(|end| {
            let next = after[end + 1..].strip_prefix(']').unwrap_or_default();
            !assigns(next.trim_start_matches(' '))
        })
}

/// Calls `note` with each name that is set as an attribute, and the text of its line before it.
fn for_set_attributes(text: &str, note: &mut dyn FnMut(&str, &str)) {
    // `(\n    module.name,\n) = values`
    let has_open_targets = text.lines().any(|line| {
        let end = closing(line);
        let after = line.get(end + 1..).unwrap_or_default().trim_start();
        assigns(after) || after.starts_with("in ") || line.ends_with(" as (")
    });
    let self_is_own = keeps_self(text);
    let mut ends_with_dot = false;
    for line in text.lines() {
        // `(module.\n    name) = value`
        let joined = ends_with_dot.then(|| format!("_.{}", line.trim_start()));
        let line = joined.as_deref().unwrap_or(line);
        ends_with_dot = line.trim_end().ends_with('.');
        let mut rest = line;
        while let Some(dot) = rest.find('.') {
            let head = line[..line.len() - rest.len() + dot].trim_end();
            let after = rest[dot + 1..].trim_start();
            let end = after.find(|c: char| !is_word(c)).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            // What changes a class or function is also set on `self` and `cls`.
            let is_special = name.starts_with("__") && name.ends_with("__");
            let is_target = || {
                let next = after.trim();
                next.is_empty() || next.starts_with([',', ')', ']'])
            };
            if !name.is_empty()
                && (is_special || !self_is_own || !is_own(head))
                && (is_set(line.trim_start(), head, after) || has_open_targets && is_target())
            {
                note(name, head);
            }
            rest = after;
        }
    }
}

/// Whether `self` and `cls` are nothing but the first parameters of methods.
fn keeps_self(text: &str) -> bool {
    let is_other = |word: &str| {
        [
            format!(" as {word}"),
            format!("{word} = "),
            format!("for {word} "),
        ]
        .iter()
        .any(|form| contains(text, form))
    };
    let mut lines = text.lines();
    !is_other("self")
        && !is_other("cls")
        && !lines.any(|line| {
            (line.starts_with("def ") || line.starts_with("async def "))
                && (contains(line, "self") || contains(line, "cls"))
        })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the attribute is one of `self` or `cls`.
fn is_own(head: &str) -> bool {
    let start = head.trim_end_matches(is_word).len();
    matches!(&head[start..], "self" | "cls") && !head[..start].ends_with('.')
}

fn assigns(text: &str) -> bool {
    text.starts_with('=') && !text.starts_with("==")
}

/// Whether an attribute in `line`, which stands between `head` and `after`, is set.
fn is_set(line: &str, head: &str, after: &str) -> bool {
    let next = after.trim_start();
    let closed = next.trim_start_matches([')', ' ']);
    if assigns(closed)
        && (next.starts_with('=')
            || !head.contains(['=', '('])
            || head.trim_start().starts_with('(') && !head.contains('='))
        || next == "\\"
    {
        return true;
    }
    // `+=` and its like
    let operator = next.trim_start_matches(|c: char| "+-*/%@&|^<>".contains(c));
    if operator.len() < next.len() && assigns(operator) {
        return !matches!(&next[..next.len() - operator.len()], "<" | ">");
    }
    let first = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    // `module.name: type = value`
    let statement = head.rsplit([';', ':']).next().unwrap_or(head);
    if next.starts_with(':')
        && !statement
            .trim_start()
            .contains(|c: char| !is_word(c) && c != '.')
        && (statement.len() == head.len() || next.contains(" = "))
    {
        return true;
    }
    // `for module.name in`, `with … as module.name`, `del module.name`
    let target = head.trim_end_matches(|c: char| is_word(c) || c == '.');
    if first(&["del "]) || target.ends_with("for ") || target.ends_with(" as ") {
        return true;
    }
    // `for name, module.name in`, `with … as (module.name, name)`
    let is_among_targets = |word: &str| {
        head.rfind(word).is_some_and(|at| {
            let between = &head[at + word.len()..];
            between.contains([',', '(', '[', '*'])
                && !between.contains(" in ")
                && between
                    .chars()
                    .all(|c| is_word(c) || " .,([*)]".contains(c))
        })
    };
    if is_among_targets("for ") || is_among_targets(" as ") {
        return true;
    }
    // `module.name, other = values`
    next.starts_with([',', ')', ']'])
        && !first(&["return", "await ", "raise ", "yield "])
        && next.match_indices('=').any(|(at, _)| {
            let one = &next[at..];
            assigns(one) && !next[..at].ends_with(['=', '!', '<', '>']) && {
                let opened = next[..at].matches('(').count();
                opened == 0 && next[..at].ends_with(' ')
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(text: &str) -> String {
        let mut names = FxHashSet::default();
        add_set_attributes(text, &mut names);
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        names.concat()
    }

    #[test]
    fn attributes_that_are_set_are_noted() {
        let text = "conf.A = 1\nconf.B += 1\nconf.C: int = 1\nconf.D, x = 1, 2\n(conf.E, x) = 1, 2\n\
                    for conf.F in y:\nwith a as conf.G:\ndel conf.H\n(conf.I)=1\n\
                    sys.modules['p.conf'].J = 1\na.b.K //= 2\nx = conf.L = 3\n\
                    conf . M = 1\nconf.N \\\n    = 1\nif a: conf.O: int = 1\n";
        assert_eq!(attributes(text), "ABCDEFGHIJKLMNO");
        assert_eq!(attributes("(\n    conf.A,\n    conf.B\n) = 1, 2\n"), "AB");
        assert_eq!(attributes("(x,\n conf.A, y,\n z) = 1, 2, 3, 4\n"), "A");
        assert_eq!(attributes("for x, conf.A in y:\n"), "A");
        assert_eq!(attributes("for (\n    x,\n    conf.A,\n) in y:\n"), "A");
        assert_eq!(attributes("(conf.\n    A) = 1\n"), "A");
        assert_eq!(attributes("import conf as self\nself.A = 1\n"), "A");
        assert_eq!(attributes("def f(self):\n    self.A = 1\n"), "A");
        assert_eq!(attributes("self.__new__ = f\n"), "__new__");
        assert_eq!(attributes("r.scope['method'] = 1\n"), "scope");
        assert_eq!(attributes("r.scope['method']\nr.scope.get('x')\n"), "");
    }

    #[test]
    fn attributes_that_are_only_read_are_not() {
        let text = "self.A = 1\ncls.A = 1\nx = conf.A\nif conf.A == 1:\nif conf.A:\nf(conf.A, x=1)\n\
                    return conf.A, 1\nif conf.A <= 1 or conf.A >= 1:\n{conf.A: 1}\nx[conf.A]\n\
                    monkeypatch.setattr(conf, 'A', 1)\nf(\n    conf.A,\n)\nx = f(conf.A)\n\
                    x = (conf.A) == 1\nassert f(conf.A) == 1\n";
        assert_eq!(attributes(text), "");
    }

    #[test]
    fn what_may_set_anything_is_told_from_what_names_it() {
        for text in [
            "conf.__dict__['A'] = 1",
            "conf.__dict__.update(A=1)",
            "d = vars(conf)",
            "vars(sys.modules['conf'])['A'] = 1",
            "exec(text)",
            "builtins.exec(text)",
            "f.__globals__['A'] = 1",
            "sys.modules['conf'] = other",
            "setattr(conf, name, 1)",
            "setattr(\n    conf,\n    'a' + 'b',\n    1,\n)",
            "map(setattr, a, b, c)",
            "object.__setattr__(conf, name, 1)",
            "from unittest import mock\nmock.patch(name, 1)",
            "from sys import modules\nmodules['conf'] = other",
            "import sys as s\ns.modules['conf'] = other",
            "modules = sys.modules\nmodules['conf'] = other",
            "put = setattr\nput(conf, name, 1)",
            "getattr(conf, '__setattr__')('A', 1)",
        ] {
            assert!(sets_anything(text, &mut FxHashSet::default()), "{text}");
        }
        for text in [
            "setattr(conf, 'A', 1)",
            "builtins.setattr(conf, 'A', 1)",
            "setattr(\n    conf,\n    'A',\n    1,\n)",
            "type.__setattr__(conf, 'A', 1)",
            "from unittest import mock\nmock.patch('conf.A', 1)",
            "from unittest import mock\nmock.patch.object(conf, 'A', 1)",
        ] {
            let mut names = FxHashSet::default();
            assert!(!sets_anything(text, &mut names), "{text}");
            assert!(names.contains("A"), "{text}");
        }
        for text in [
            "self.__dict__.update(A=1)",
            "{**vars(a), **b.__dict__}",
            "for name, value in vars(a).items():",
            "setattr(self, name, value)",
            "def __setattr__(self, name, value):\n    super().__setattr__(name, value)",
            "monkeypatch.setattr(conf, name, 1)",
            "cursor.exec(text)",
            "regex.eval(text)",
            "if 'conf' in sys.modules:",
            "path = sys.modules['conf'].__file__",
            "from unittest import mock\nclient.patch(url)",
        ] {
            let mut names = FxHashSet::default();
            assert!(!sets_anything(text, &mut names), "{text}");
            assert!(!names.contains("A"), "{text}");
        }
    }

    #[test]
    fn libraries_of_which_something_is_set_are_noted() {
        let text = "import json\nimport os\njson.decoder.JSONDecoder.decode = f\n";
        let mut changed = FxHashSet::default();
        add_changed_libraries(text, &imports(text).0, &mut changed);
        assert!(changed.contains("json") && !changed.contains("os"));
    }

    #[test]
    fn what_may_set_anything_reaches_what_it_can_have_got() {
        let files = [
            ("/r/a/__init__.py", "from . import tools"),
            ("/r/a/tools.py", "def f(m):\n    m.__dict__['A'] = 1"),
            (
                "/r/b.py",
                "import json\nfrom a import tools\nimport c\ntools.f(c)\ntools.f(json)",
            ),
            ("/r/c.py", "A = 1"),
            ("/r/d.py", "import os\nA = 1"),
        ];
        let paths: Vec<PathBuf> = files.iter().map(|(path, _)| PathBuf::from(path)).collect();
        let setters = Setters::of(&paths, |path| {
            let (_, text) = files.iter().find(|(other, _)| Path::new(other) == path)?;
            Some(text.as_bytes().to_vec())
        });
        let reached = files.map(|(path, _)| setters.reach_module(Path::new(path)));
        assert_eq!(reached, [true, true, true, true, false]);
        assert!(setters.reach_library("json"));
        assert!(!setters.reach_library("os"));
    }
}
