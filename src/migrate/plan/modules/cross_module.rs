//! The modules that belong to a plugin, and which of them use names of the others.
//!
//! A package with many plugins is one value that they share, and what each asks of all the others
//! is looked up: the work grows with the package, not with its square.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::facts::ModuleFacts;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::handed_on::hands_on;
use crate::migrate::find::{CallableKind, Form};
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::Registered;
use crate::migrate::python::imports;
use crate::migrate::python::imports::uses_of_global;
use crate::migrate::python::names::{ModuleName, PluginId, Workspace};

/// The modules that belong to a plugin.
pub(crate) struct Members<'f> {
    workspace: &'f Workspace,
    modules: Vec<&'f ModuleFacts>,
    users: OnceLock<FxHashMap<&'f str, Users<'f>>>,
    re_imports: OnceLock<FxHashMap<&'f str, Vec<ReImport<'f>>>>,
    /// Which plugins are handed on, once that is asked.
    handed_on: Mutex<FxHashMap<PluginId, bool>>,
}

/// The modules that use a name: it only matters whether there is another than a given one.
struct Users<'f> {
    first: &'f Path,
    several: bool,
}

/// `from module import name` in a module, under whatever name.
pub(crate) struct ReImport<'f> {
    /// The name; `*` for all of them.
    pub(crate) name: &'f str,
    /// By which name it is known in the module with the import.
    local: &'f str,
    /// The module with the import.
    pub(crate) path: &'f Path,
    /// What it imports from.
    pub(crate) from: &'f ModuleName,
    facts: &'f ModuleFacts,
}

impl ReImport<'_> {
    /// Whether the module with the import does something with the name.
    fn is_used_as(&self, local: &str) -> bool {
        let imports = self.facts.imports();
        let uses = imports.uses_of(local);
        if uses == 0 {
            return false;
        }
        let is_global = imports.statements.iter().all(|statement| {
            statement.is_top_level || statement.names.iter().all(|name| name.local != local)
        });
        !is_global || uses_of_global(&self.facts.parts.loaded, local) > 0
    }
}

/// How many modules in a row may pass a name on.
const MAX_IMPORTS: usize = 8;

impl<'f> Members<'f> {
    /// The modules `modules`, by path.
    pub(crate) fn new(workspace: &'f Workspace, modules: Vec<&'f ModuleFacts>) -> Self {
        Self {
            workspace,
            modules,
            users: OnceLock::new(),
            re_imports: OnceLock::new(),
            handed_on: Mutex::default(),
        }
    }

    /// The modules, by path.
    pub(crate) fn modules(&self) -> &[&'f ModuleFacts] {
        &self.modules
    }

    /// Whether the module at `path` is one of them.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.modules
            .binary_search_by(|facts| facts.path().cmp(path))
            .is_ok()
    }

    /// Whether a module other than the one at `path` takes `name` as an attribute of something.
    pub(crate) fn others_use(&self, path: &Path, name: &str) -> bool {
        if let [only] = self.modules.as_slice()
            && only.path() == path
        {
            return false;
        }
        let users = self.users.get_or_init(|| users(&self.modules));
        let users = users.get(name);
        users.is_some_and(|users| users.several || users.first != path)
    }

    /// Whether anything but the plugin's own attributes is asked for by its name: then it may be known by
    /// any other.
    pub(crate) fn is_handed_on(&self, plugin: &PluginId) -> bool {
        let lock = || {
            self.handed_on
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(&known) = lock().get(plugin) {
            return known;
        }
        let is_handed_on = self.files_around(plugin).iter().any(|path| {
            let loaded = self.workspace.load(path);
            loaded.is_ok_and(|loaded| hands_on(self.workspace, &loaded, plugin))
        });
        lock().insert(plugin.clone(), is_handed_on);
        is_handed_on
    }

    /// The modules that may import a plugin: those of its package.
    fn files_around(&self, plugin: &PluginId) -> Vec<PathBuf> {
        let is_package = |folder: &&Path| self.workspace.is_file(&folder.join("__init__.py"));
        let folders = plugin.module.ancestors().skip(1);
        let mut files = match folders.take_while(is_package).last() {
            Some(package) => self.workspace.python_files(package),
            None => vec![plugin.module.clone()],
        };
        files.extend(self.modules.iter().map(|facts| facts.path().to_owned()));
        files.sort();
        files.dedup();
        files
    }

    /// The imports from modules whose name ends as that of the module at `path` does.
    pub(crate) fn imports_from(&self, path: &Path) -> &[ReImport<'f>] {
        let all = self.re_imports.get_or_init(|| re_imports(&self.modules));
        let name = module_stem(path).and_then(OsStr::to_str);
        name.and_then(|name| all.get(name))
            .map_or(&[], Vec::as_slice)
    }

    /// The imports of `name` from the module at `path`, `import *` among them.
    fn imports_of<'s>(
        &'s self,
        path: &'s Path,
        name: &'s str,
    ) -> impl Iterator<Item = &'s ReImport<'f>> {
        self.imports_from(path).iter().filter(move |import| {
            import.path != path
                && (import.name == "*" || import.name == name)
                && (names_module(import.path, import.from, path)
                    || self.workspace.locate(import.path, import.from).as_deref() == Some(path))
        })
    }

    /// Whether another module of the package imports `name` from the module at `path`.
    pub(crate) fn is_passed_on(&self, path: &Path, name: &str) -> bool {
        self.imports_of(path, name).any(|import| import.name != "*")
    }

    /// Whether another module that imports `name` from the module at `path`, however often it was
    /// passed on, does anything with it: an import alone is not a use.
    pub(crate) fn is_used_where_imported(&self, path: &Path, name: &str) -> bool {
        self.is_used_after(path, name, MAX_IMPORTS)
    }

    fn is_used_after(&self, path: &Path, name: &str, imports: usize) -> bool {
        let Some(imports) = imports.checked_sub(1) else {
            return true;
        };
        self.imports_of(path, name).any(|import| {
            let local = if import.name == "*" {
                name
            } else {
                import.local
            };
            import.is_used_as(local)
                || self.others_use(import.path, local)
                || self.is_used_after(import.path, local, imports)
        })
    }
}

/// The last part of the name of the module at `path`.
fn module_stem(path: &Path) -> Option<&OsStr> {
    match path.file_stem() {
        Some(stem) if stem == "__init__" => path.parent()?.file_name(),
        stem => stem,
    }
}

fn users<'f>(modules: &[&'f ModuleFacts]) -> FxHashMap<&'f str, Users<'f>> {
    let mut users: FxHashMap<&str, Users<'_>> = FxHashMap::default();
    for facts in modules {
        let path = facts.path();
        let imports = facts.imports();
        let names = imports.attributes.iter().map(String::as_str);
        for name in names {
            users
                .entry(name)
                .and_modify(|users| users.several |= users.first != path)
                .or_insert(Users {
                    first: path,
                    several: false,
                });
        }
    }
    users
}

fn re_imports<'f>(modules: &[&'f ModuleFacts]) -> FxHashMap<&'f str, Vec<ReImport<'f>>> {
    let mut re_imports: FxHashMap<&str, Vec<ReImport<'_>>> = FxHashMap::default();
    for facts in modules {
        let path = facts.path();
        // Those inside functions too.
        for statement in facts.imports().statements.iter().filter(|s| s.is_from) {
            let from = &statement.module;
            for imported in &statement.names {
                let last = match from.dotted.rsplit('.').next() {
                    Some("") | None => path
                        .ancestors()
                        .nth(from.level)
                        .and_then(Path::file_name)
                        .and_then(OsStr::to_str),
                    last => last,
                };
                if let Some(last) = last {
                    re_imports.entry(last).or_default().push(ReImport {
                        name: &imported.name,
                        local: &imported.local,
                        path,
                        from,
                        facts,
                    });
                }
            }
        }
    }
    re_imports
}

/// Whether a handler is used other than by registering it.
pub(crate) fn is_used_elsewhere(
    members: &Members<'_>,
    draft: &Draft,
    one: &Registered<'_>,
) -> bool {
    let webhook = one.webhook;
    let name = &webhook.handler.name;
    if webhook.callable.is_shared {
        return true;
    }
    // Where the registrations themselves name it; a loop may do so once for several.
    let registrations = || {
        let places: BTreeSet<ByteRange> = one
            .found
            .webhooks()
            .filter(|webhook| webhook.form == Form::Call && webhook.handler.name == *name)
            .map(|webhook| webhook.callable.place)
            .collect();
        places.len()
    };
    let loaded = &one.found.loaded;
    // Few handlers are named anywhere else: only then it matters whose the name is there.
    let is_taken = draft.names.imports.attributes.contains(name)
        && webhook.callable.kind != CallableKind::Function;
    let used_here = if is_taken {
        imports::uses_as_attribute(loaded, name) + imports::uses_of_global(loaded, name)
            > registrations()
    } else {
        draft.names.imports.uses_of(name) > 0
            && imports::uses_of_global(loaded, name) > registrations()
    };
    used_here
        || members.others_use(one.path(), name)
        || members.is_used_where_imported(one.path(), name)
}

/// Whether a module name, as written in the file `from`, is that of the file `path`: by its path
/// alone.
pub(crate) fn names_module(from: &Path, module: &ModuleName, path: &Path) -> bool {
    let mut stem = path.with_extension("");
    if stem.file_name() == Some("__init__".as_ref()) {
        stem.pop();
    }
    let parts: Vec<&str> = module
        .dotted
        .split('.')
        .filter(|part| !part.is_empty())
        .collect();
    if module.level > 0 {
        let base = from.ancestors().nth(module.level);
        return base.is_some_and(|base| base.join(parts.iter().collect::<PathBuf>()) == stem);
    }
    !parts.is_empty() && stem.ends_with(parts.iter().collect::<PathBuf>())
}
