//! Who calls a handler from outside of the package of its plugin, as a test or a script does, or by
//! the text of its name.
//!
//! Such a caller cannot be changed with the handler, so what it gets from the handler has to stay. A
//! mere import is not a call. What cannot be read counts as one.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::repo::Repo;
use super::word_index::words;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::{Found, texts};
use crate::migrate::python::imports::Imports;
use crate::migrate::python::names::{Loaded, Workspace};
use crate::migrate::python::tokens::TokenKind;

/// The handlers, by module and name, that other files of the repo use.
#[derive(Debug, Default)]
pub(super) struct Callers {
    called: BTreeSet<(PathBuf, String)>,
}

impl Callers {
    /// Looks through the Python files of the repo for uses of handlers whose replies would change.
    pub(super) fn of(workspace: &Workspace, repo: &Repo, found: &[Found]) -> Self {
        let mut registrations: FxHashMap<&Path, FxHashSet<ByteRange>> = FxHashMap::default();
        // By the package, or by the module where it is in none.
        let mut inside: FxHashMap<PathBuf, BTreeSet<(&str, &Path)>> = FxHashMap::default();
        let mut modules: Vec<Importable<'_>> = Vec::new();
        for one in found {
            let path = one.loaded.module.source().path();
            let package = repo.package_root(path);
            let around = package.clone().unwrap_or_else(|| path.to_owned());
            let mut handlers = BTreeSet::new();
            for webhook in one.webhooks() {
                let places = registrations.entry(path).or_default();
                places.insert(webhook.call.call);
                let changed = Some(webhook.handler.name.as_str())
                    .filter(|_| !webhook.handler.replies.is_empty());
                for name in changed.into_iter().chain(webhook.registrar.as_deref()) {
                    let names = inside.entry(around.clone()).or_default();
                    names.insert((name, path));
                    handlers.insert(name);
                }
            }
            if !handlers.is_empty() {
                modules.push(Importable {
                    path,
                    package,
                    handlers,
                });
            }
        }
        if modules.is_empty() {
            return Self::default();
        }
        let mut by_name: FxHashMap<&str, Vec<(&Importable<'_>, ImportName)>> = FxHashMap::default();
        for module in &modules {
            for (name, kind) in module.names() {
                by_name.entry(name).or_default().push((module, kind));
            }
        }
        let all = repo.word_index();
        let mut around: BTreeSet<usize> = BTreeSet::new();
        for name in by_name.keys() {
            let files = all.with_module_name(name).into_iter();
            around.extend(files.filter(|&index| {
                let file = all.file(index);
                let mut handlers = modules.iter().flat_map(|module| &module.handlers);
                handlers.any(|handler| file.may_have(handler))
            }));
        }
        for unit in inside.keys() {
            around.extend(all.of_unit(unit));
        }
        let none = FxHashSet::default();
        let mut called = BTreeSet::new();
        for file in around.into_iter().map(|index| all.file(index)) {
            let path = file.path.as_path();
            let registrations = registrations.get(path).unwrap_or(&none);
            called.extend(uses_in(workspace, path, file.package.is_some(), &by_name));
            if let Some(own) = inside.get(file.package.as_deref().unwrap_or(path)) {
                called.extend(texts_in(workspace, path, registrations, own));
            }
        }
        Self { called }
    }

    /// Whether the handler `name` of the module at `path` is used outside of its package, or by the
    /// text of its name.
    pub(super) fn call(&self, path: &Path, name: &str) -> bool {
        !self.called.is_empty() && self.called.contains(&(path.to_owned(), name.to_owned()))
    }
}

/// A module with handlers whose replies would change.
struct Importable<'a> {
    path: &'a Path,
    /// The topmost package that it is in.
    package: Option<PathBuf>,
    handlers: BTreeSet<&'a str>,
}

/// What a name is that a module is imported by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ImportName {
    /// The module's own.
    Module,
    /// That of its package.
    Package,
}

impl Importable<'_> {
    fn names(&self) -> impl Iterator<Item = (&str, ImportName)> {
        let stem = self.path.file_stem().filter(|stem| *stem != "__init__");
        let stem = stem.map(|name| (name, ImportName::Module));
        let package = self.package.as_deref().and_then(Path::file_name);
        let names = stem
            .into_iter()
            .chain(package.map(|name| (name, ImportName::Package)));
        names.filter_map(|(name, kind)| Some((name.to_str()?, kind)))
    }

    /// Whether the file at `path` can have the handlers without an import from another package.
    fn is_around(&self, path: &Path) -> bool {
        match &self.package {
            Some(package) => path.starts_with(package),
            None => path == self.path,
        }
    }
}

/// The handlers that a file uses: it names them, and the module or package that they are in.
fn uses_in(
    workspace: &Workspace,
    file: &Path,
    is_in_package: bool,
    by_name: &FxHashMap<&str, Vec<(&Importable<'_>, ImportName)>>,
) -> Vec<(PathBuf, String)> {
    let Ok(bytes) = workspace.read(file) else {
        return Vec::new();
    };
    let modules: BTreeMap<&Path, &Importable<'_>> = words(&bytes)
        .filter_map(|word| by_name.get(word))
        .flatten()
        .filter(|(module, name)| {
            // From within another package, only the name of its own leads to a module of a package.
            let leads_there =
                *name == ImportName::Package || !is_in_package || module.package.is_none();
            leads_there && !module.is_around(file)
        })
        .map(|(module, _)| (module.path, *module))
        .collect();
    if modules.is_empty() {
        return Vec::new();
    }
    let words: FxHashSet<&str> = words(&bytes).collect();
    let named: Vec<(&Path, &str)> = modules
        .values()
        .flat_map(|module| module.handlers.iter().map(|name| (module.path, *name)))
        .filter(|(_, name)| words.contains(name))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let loaded = workspace.load(file);
    named
        .into_iter()
        .filter(|(_, name)| loaded.as_ref().map_or(true, |loaded| uses(loaded, name)))
        .map(|(module, name)| (module.to_owned(), name.to_owned()))
        .collect()
}

/// The handlers of its own package that a file may call by the text of their names.
fn texts_in(
    workspace: &Workspace,
    file: &Path,
    registrations: &FxHashSet<ByteRange>,
    own: &BTreeSet<(&str, &Path)>,
) -> Vec<(PathBuf, String)> {
    let Ok(bytes) = workspace.read(file) else {
        return Vec::new();
    };
    let quoted = texts::Quoted::of(&bytes);
    let by_text = OnceCell::new();
    let calls_by_text = |loaded: &Loaded| *by_text.get_or_init(|| loaded.calls_by_text());
    own.iter()
        .filter(|(name, module)| {
            if file != *module && !quoted.has(name) {
                return false;
            }
            let Ok(loaded) = workspace.load(file) else {
                return true;
            };
            file == *module && calls_by_text(&loaded)
                || quoted.has(name) && texts::has_name_as_text(&loaded, name, registrations)
        })
        .map(|(name, module)| ((*module).to_owned(), (*name).to_owned()))
        .collect()
}

/// Whether a module does more with `name` than to import it.
fn uses(loaded: &Loaded, name: &str) -> bool {
    let imports = Imports::of(loaded);
    let source = loaded.module.source();
    let is_import = |at: usize| {
        let mut statements = imports.statements.iter();
        statements.any(|statement| statement.range.start() <= at && at < statement.range.end())
    };
    let renamed = imports
        .statements
        .iter()
        .flat_map(|statement| &statement.names)
        .any(|imported| imported.name == name && imports.uses_of(&imported.local) > 0);
    renamed
        || loaded.module.tokens().all().iter().any(|token| {
            let text = source.slice(token.range);
            match token.kind {
                TokenKind::Name => text == name && !is_import(token.range.start()),
                // `patch("package.module.name")`, `getattr(module, "name")`
                TokenKind::String | TokenKind::FString => {
                    words(text.as_bytes()).any(|word| word == name)
                }
                _ => false,
            }
        })
}
