//! The modules of a repo, each read and parsed when it is first asked for, and where a module of a
//! name is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::scope::{Binding, BindingKind, ModuleName, Scope};
use super::setters::Setters;
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::parse::{self, Module};
use crate::migrate::python::stdlib::is_stdlib;
use crate::migrate::source::SourceFile;
use crate::regular_file;
use crate::text;
use crate::text::{Text, translate};

/// A module with the names that it binds.
#[derive(Debug)]
pub struct Loaded {
    /// The module.
    pub module: Module,
    /// The names at module level.
    pub scope: Scope,
}

impl Loaded {
    /// A diagnostic about `range` of the file, with the line of source that it starts in.
    pub fn diagnostic_at(&self, code: Code, range: ByteRange, detail: Text) -> Diagnostic {
        let source = self.module.source();
        let (line, _) = source.position(range.start());
        let on_line = range.end().min(source.line_at(range.start()).end());
        let length = source
            .slice(ByteRange::new(range.start(), on_line))
            .trim_end()
            .chars()
            .count();
        parse::at(source, range.start(), code, detail)
            .with_snippet(source.line_text(line), length.max(1))
    }
}

/// Why a module is not there.
#[derive(Debug, Clone)]
pub enum LoadError {
    /// There is no such file.
    Missing,
    /// It cannot be read or parsed.
    Broken(Box<Diagnostic>),
}

type Slot = Arc<OnceLock<Result<Arc<Loaded>, LoadError>>>;

/// How files are read.
pub trait Files: Send + Sync {
    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>>;

    /// Whether there is a file at `path`.
    fn is_file(&self, path: &Path) -> bool;

    /// The Python files below the folder `root`.
    fn python_files(&self, root: &Path) -> Vec<PathBuf>;
}

/// The modules of a repo, each read and parsed when it is first asked for.
pub struct Workspace {
    /// The folder above which no module is looked for.
    root: PathBuf,
    files: Arc<dyn Files>,
    modules: Mutex<FxHashMap<PathBuf, Slot>>,
    /// What files set in other modules, once it is asked for.
    setters: Arc<OnceLock<Setters>>,
}

impl Workspace {
    /// The modules below `root`, an absolute path, among `files`.
    pub fn new(root: PathBuf, files: Box<dyn Files>) -> Self {
        Self {
            root,
            files: files.into(),
            modules: Mutex::default(),
            setters: Arc::default(),
        }
    }

    /// The same repo with no module read yet: what is read for it goes when it goes. What is known of
    /// all files is shared.
    pub(crate) fn without_modules(&self) -> Self {
        Self {
            root: self.root.clone(),
            files: self.files.clone(),
            modules: Mutex::default(),
            setters: self.setters.clone(),
        }
    }

    /// Looks through all files of the repo for what they set in other modules, in parallel; so nobody
    /// has to wait for it afterwards. Not to be called while others work on the same repo.
    pub(crate) fn survey(&self) {
        self.setters();
    }

    /// The folder above which no module is looked for.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is a file at `path`, an absolute path.
    pub fn is_file(&self, path: &Path) -> bool {
        self.files.is_file(path)
    }

    /// The module at `path`, an absolute path.
    ///
    /// # Errors
    /// [`LoadError`] when there is no such file or it is no valid Python.
    pub fn load(&self, path: &Path) -> Result<Arc<Loaded>, LoadError> {
        let slot = {
            let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
            match modules.get(path) {
                Some(slot) => slot.clone(),
                None => modules.entry(path.to_owned()).or_default().clone(),
            }
        };
        slot.get_or_init(|| self.read_and_parse(path)).clone()
    }

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    pub fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        self.files.read(path)
    }

    /// The Python files below a folder, by path.
    pub(crate) fn python_files(&self, folder: &Path) -> Vec<PathBuf> {
        self.files.python_files(folder)
    }

    /// What the files of the repo set in modules, classes and libraries that are not their own.
    pub(super) fn setters(&self) -> &Setters {
        self.setters.get_or_init(|| {
            let paths = self.files.python_files(&self.root);
            Setters::of(&paths, |path| self.files.read(path).ok())
        })
    }

    /// The other modules of the repo that the statements of a module import, those in functions aside:
    /// by the bindings that `counts` accepts, and by `*`. A name of a `from` import may be a module, too.
    pub(crate) fn imported_by(
        &self,
        loaded: &Loaded,
        counts: impl Fn(&Binding) -> bool,
    ) -> Vec<PathBuf> {
        let scope = &loaded.scope;
        let mut modules = scope.stars().to_vec();
        let bindings = scope.names().flat_map(|name| scope.bindings(name));
        for binding in bindings.filter(|binding| counts(binding)) {
            match &binding.kind {
                BindingKind::Module(module) => modules.push(module.clone()),
                BindingKind::From(module, name) => {
                    modules.push(module.submodule(name));
                    modules.push(module.clone());
                }
                _ => {}
            }
        }
        self.locate_others(loaded, &modules)
    }

    /// Where `modules` are, as the module `loaded` names them, itself aside.
    pub(crate) fn locate_others(&self, loaded: &Loaded, modules: &[ModuleName]) -> Vec<PathBuf> {
        let from = loaded.module.source().path();
        let paths = modules.iter().filter_map(|one| self.locate(from, one));
        paths.filter(|path| path != from).collect()
    }

    /// Every module that was asked for and could be parsed, by path.
    pub fn loaded(&self) -> Vec<Arc<Loaded>> {
        let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded: Vec<_> = modules
            .values()
            .filter_map(|slot| slot.get()?.as_ref().ok().cloned())
            .collect();
        loaded.sort_by(|a, b| a.module.source().path().cmp(b.module.source().path()));
        loaded
    }

    fn read_and_parse(&self, path: &Path) -> Result<Arc<Loaded>, LoadError> {
        let bytes = self.files.read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::Missing,
            _ => LoadError::Broken(Box::new(unreadable(path, &error))),
        })?;
        let source = SourceFile::from_bytes(path, bytes).map_err(LoadError::Broken)?;
        let module = Module::parse(source).map_err(LoadError::Broken)?;
        let scope = Scope::of_module(module.suite(), module.source().text());
        Ok(Arc::new(Loaded { module, scope }))
    }

    /// The file of the module `name` as it is written in the file `from`; none outside the repo.
    pub fn locate(&self, from: &Path, name: &ModuleName) -> Option<PathBuf> {
        let parts = || name.dotted.split('.').filter(|part| !part.is_empty());
        let folder = from.parent()?;
        if name.level > 0 {
            let base = folder.ancestors().nth(name.level - 1)?;
            return self.module_file(base, parts());
        }
        let first = parts().next()?;
        if is_stdlib(first) || is_known_distribution(first) {
            return None;
        }
        let below_a_folder = |parts: &[&str]| {
            folder
                .ancestors()
                .take_while(|ancestor| ancestor.starts_with(&self.root))
                .find_map(|ancestor| self.module_file(ancestor, parts.iter().copied()))
        };
        let parts: Vec<&str> = parts().collect();
        below_a_folder(&parts).or_else(|| {
            // As the agent names what it loads.
            let inside = match parts.as_slice() {
                [folder, inside @ ..] if PLUGIN_FOLDERS.contains(folder) => inside,
                all => all,
            };
            let of_repo = || self.in_the_repo_itself(inside);
            let inside_folder = (inside.len() < parts.len() && !inside.is_empty())
                .then(|| below_a_folder(inside).filter(|path| self.is_in_package_of(from, path)))
                .flatten();
            inside_folder.or_else(of_repo)
        })
    }

    /// Whether two files are in one package.
    fn is_in_package_of(&self, from: &Path, path: &Path) -> bool {
        let packages = path
            .ancestors()
            .skip(1)
            .take_while(|folder| self.files.is_file(&folder.join("__init__.py")));
        packages.last().is_some_and(|top| from.starts_with(top))
    }

    /// The file of a module that is named from above the repo, when the repo is a package: by the
    /// name of its folder, or by the plugin's own, which the agent gives to the folder.
    fn in_the_repo_itself(&self, parts: &[&str]) -> Option<PathBuf> {
        let [package, inside @ ..] = parts else {
            return None;
        };
        if !self.files.is_file(&self.root.join("__init__.py")) {
            return None;
        }
        let file = self.module_file(&self.root, inside.iter().copied())?;
        if self.root.file_name().is_some_and(|name| name == *package) {
            return Some(file);
        }
        let bytes = self.files.read(&file).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let says = |quote: char| {
            let named = format!("module_name={quote}{package}{quote}");
            text.contains(&named)
        };
        (says('"') || says('\'')).then_some(file)
    }

    fn module_file<'a>(
        &self,
        base: &Path,
        parts: impl Iterator<Item = &'a str>,
    ) -> Option<PathBuf> {
        let mut stem = base.to_owned();
        stem.extend(parts);
        let exists = |path: &Path| self.files.is_file(path);
        let package = stem.join("__init__.py");
        if exists(&package) {
            return Some(package);
        }
        let name = stem.file_name()?.to_owned();
        let mut file_name = name;
        file_name.push(".py");
        let file = stem.with_file_name(file_name);
        exists(&file).then_some(file)
    }
}

/// The diagnostic of a file that could not be read.
pub fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let reason = translate::io_error(error);
    let (en, zh) = reason.both();
    let diagnostic = Diagnostic::new(
        Code::Unreadable,
        path,
        text!("cannot read the file: {en}", "无法读取文件：{zh}"),
    );
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge => diagnostic.with_hint(text!(
            "only regular files of up to {} MiB are read: take it away, or exclude it in .gitignore",
            "只读取不超过 {} MiB 的普通文件：请将其移走，或在 .gitignore 中排除",
            regular_file::MOST_BYTES >> 20
        )),
        _ => diagnostic,
    }
}

/// The folders from which the agent imports plugins, as packages of these names.
const PLUGIN_FOLDERS: &[&str] = &["builtin", "packages", "workdir"];

/// Distributions whose names mean the same in every plugin, also where a copy of one is the repo.
pub(super) fn is_known_distribution(top_level: &str) -> bool {
    matches!(
        top_level,
        "nekro_agent" | "fastapi" | "starlette" | "pydantic" | "typing_extensions"
    )
}

/// Whether the agent has a module in any case: Python's own, and those that the agent is made of.
pub(crate) fn is_always_installed(dotted: &str) -> bool {
    let first = dotted.split('.').next().unwrap_or_default();
    is_stdlib(first) || is_known_distribution(first)
}

/// Files that a test gives.
#[cfg(test)]
pub struct MemoryFiles(pub std::collections::HashMap<PathBuf, String>);

#[cfg(test)]
impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.as_bytes().into())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn python_files(&self, root: &Path) -> Vec<PathBuf> {
        let below = self.0.keys().filter(|path| path.starts_with(root));
        below.cloned().collect()
    }
}
