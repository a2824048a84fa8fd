//! From arguments to a plan that is checked: what `scan`, `diff` and `migrate` have in common.

mod callers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::{env, fs, io};

use callers::Callers;
use rayon::prelude::*;

use super::self_check;
use crate::cli::PlanArgs;
use crate::migrate::diagnostic::{Code, Diagnostic, Severity};
use crate::migrate::discover::{self, Discovery};
use crate::migrate::find::{self, Found, ReferenceKind};
use crate::migrate::git;
use crate::migrate::plan::{self, Input, Plan, PlanOptions, PlannedWebhook};
use crate::migrate::python::names::{Files, LoadError, Loaded, Workspace};
use crate::migrate::python::parse::STACK_SIZE;
use crate::migrate::style::{self, ConfigFile, Style};
use crate::regular_file;
use crate::routes::{FILE_NAME, RouteMap, RouteMapError};
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// A plan, and what it was made from.
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// What is written, by path: the files of the plan, and the route map.
    pub changes: Vec<Change>,
    /// Whether they have been written.
    pub is_written: bool,
    /// The route map once the plan is carried out: what was migrated before is in it, too.
    pub route_map: RouteMap,
    /// The root of the repo; outside of one the folder that was asked for.
    pub root: PathBuf,
    /// Whether `root` is the root of a git repo.
    pub is_in_git: bool,
    /// The folder that paths are shown relative to.
    pub base: PathBuf,
    /// Whether that is the current folder.
    pub base_is_current: bool,
    /// How many Python files were looked at.
    pub files_scanned: usize,
    /// Files that were named and are no Python.
    pub not_python: Vec<PathBuf>,
    /// What plugins register that are switched off.
    pub disabled: Disabled,
    /// Whether files that matter were there, but none of them could be read, or nothing of what was
    /// made of them holds.
    pub all_unreadable: bool,
}

/// What is in the files of plugins that are switched off: nothing of it is changed.
#[derive(Default)]
pub struct Disabled {
    /// The files, by path.
    pub files: Vec<PathBuf>,
    /// Their webhooks, as they would be migrated.
    pub webhooks: Vec<PlannedWebhook>,
}

impl Disabled {
    fn of(
        root: &Path,
        others: &Arc<BTreeMap<PathBuf, Vec<u8>>>,
        files: BTreeMap<PathBuf, Vec<u8>>,
        options: PlanOptions,
    ) -> Self {
        if files.is_empty() {
            return Self::default();
        }
        let paths: Vec<PathBuf> = files.keys().cloned().collect();
        let layers = vec![Arc::new(files), others.clone()];
        let pass = Pass::run(root, OverlayFs { layers }, paths.clone(), options);
        Self {
            files: paths,
            webhooks: pass.plan.webhooks,
        }
    }
}

/// A file to write.
pub struct Change {
    /// An absolute path.
    pub path: PathBuf,
    /// The bytes that were read; none for a new file.
    pub before: Option<Vec<u8>>,
    /// The bytes to write.
    pub after: Vec<u8>,
}

impl Prepared {
    /// A path as it is shown: relative to the base where it is below it.
    pub fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.base).unwrap_or(path)
    }

    /// Whether something is left to do by hand once the plan is carried out.
    pub fn has_manual_work(&self) -> bool {
        self.plan.counts.by_hand > 0
            || self
                .plan
                .diagnostics
                .iter()
                .any(|diagnostic| diagnostic.code().severity() != Severity::Advice)
    }
}

/// Reads, finds and plans on a pool of threads whose stacks are deep enough for any code.
///
/// # Errors
/// A [`UserError`] when a path does not exist, when the route map cannot be read, or when the plan
/// does not hold: then this program is at fault.
pub fn prepare(args: &PlanArgs) -> anyhow::Result<Prepared> {
    with_parser_stack(|| prepare_here(args))?
}

/// Runs what parses on a pool of threads whose stacks are deep enough for any code.
///
/// # Errors
/// When there are no threads to be had.
pub fn with_parser_stack<T: Send>(work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK_SIZE)
        .build()?;
    Ok(pool.install(work))
}

/// The plan of the tree at `root`, which is looked at and never written. Has to run on deep stacks.
///
/// # Errors
/// As for [`prepare`].
pub fn plan_of(root: &Path, options: PlanOptions) -> anyhow::Result<Plan> {
    let discovery = discover::discover(&[root.to_owned()])
        .map_err(|(path, error)| UserError::path(&path, &error))?;
    let paths = discovery.files.keys().cloned().collect();
    let layers = vec![Arc::new(discovery.files)];
    Ok(Pass::run(root, OverlayFs { layers }, paths, options).plan)
}

fn real_paths(args: &PlanArgs) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in &args.paths {
        paths.push(fs::canonicalize(path).map_err(|error| UserError::path(path, &error))?);
    }
    Ok(paths)
}

fn prepare_here(args: &PlanArgs) -> anyhow::Result<Prepared> {
    let ignored = ignored(&args.ignore)?;
    let paths = real_paths(args)?;
    let discovery =
        discover::discover(&paths).map_err(|(path, error)| UserError::path(&path, &error))?;
    let (root, is_in_git) = root_of(&paths);
    let Discovery {
        files,
        files_scanned,
        diagnostics,
        not_python,
        disabled,
    } = discovery;
    let files = Arc::new(files);
    let options = PlanOptions {
        allow_unsafe: args.allow_unsafe,
        native: args.native,
    };

    let pass = Pass::run(
        &root,
        OverlayFs {
            layers: vec![files.clone()],
        },
        files.keys().cloned().collect(),
        options,
    );
    let mut plan = pass.plan;
    self_check::hold(&mut plan, |plan| {
        self_check::faults(&root, &files, plan, options)
    })?;
    let disabled = Disabled::of(&root, &files, disabled, options);
    let all_unreadable = pass.found_nothing && !(pass.broken.is_empty() && diagnostics.is_empty())
        || plan.is_all_withdrawn();
    plan.diagnostics.extend(pass.broken);
    plan.diagnostics.extend(diagnostics);
    let all = plan.diagnostics.len();
    plan.diagnostics
        .retain(|diagnostic| !ignored.contains(&diagnostic.code()));
    plan.suppressed += all - plan.diagnostics.len();
    plan.diagnostics
        .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));

    let mut changes: Vec<Change> = plan
        .files
        .iter()
        .map(|file| Change {
            path: file.path.clone(),
            before: Some(file.before.clone()),
            after: file.after.clone(),
        })
        .collect();
    let (route_map, route_map_change) = route_map(args, &root, &plan)?;
    changes.extend(route_map_change);
    let current = fs::canonicalize(env::current_dir()?)?;
    let base = base_of(&paths, &root, &current, &changes);
    Ok(Prepared {
        plan,
        changes,
        is_written: false,
        route_map,
        root,
        is_in_git,
        base_is_current: base == current,
        base,
        files_scanned,
        not_python,
        disabled,
        all_unreadable,
    })
}

/// The codes that `--ignore` names.
fn ignored(typed: &[String]) -> Result<BTreeSet<Code>, UserError> {
    let code = |typed: &String| match Code::from_typed(typed) {
        Some(code) if code.severity() == Severity::Advice => Ok(code),
        Some(code) => {
            let code = code.as_str();
            Err(UserError {
                message: text!(
                    "--ignore cannot leave {code} out: it is not advice",
                    "--ignore 不能忽略 {code}：它不是建议"
                ),
                help: text!(
                    "only advice can be ignored, such as RH301; `rehook explain {code}` says what to do",
                    "只有建议（例如 RH301）可以忽略；`rehook explain {code}` 会说明处理办法"
                ),
            })
        }
        None => Err(UserError {
            message: text!(
                "--ignore names a code that there is not: `{typed}`",
                "--ignore 指定的代码不存在：`{typed}`"
            ),
            help: text!(
                "write codes with commas between them, as in RH301,RH402; `rehook explain` lists all codes",
                "请用逗号分隔各个代码，例如 RH301,RH402；`rehook explain` 会列出所有代码"
            ),
        }),
    };
    typed.iter().map(code).collect()
}

/// The repo that the paths are in; outside of one, or across several, the folder that holds them all.
fn root_of(paths: &[PathBuf]) -> (PathBuf, bool) {
    let folder_of = |path: &PathBuf| {
        if path.is_dir() {
            path.clone()
        } else {
            path.parent().map_or_else(|| path.clone(), Path::to_owned)
        }
    };
    let mut common = paths.first().map(folder_of).unwrap_or_default();
    while !paths.iter().all(|path| path.starts_with(&common)) && common.pop() {}
    match git::repo_root(&common) {
        Some(root) if paths.iter().all(|path| path.starts_with(&root)) => (root, true),
        _ => (common, false),
    }
}

/// The folder that paths are shown relative to: the current one, when all that is looked at and
/// written is in it; else what was asked for; else the root.
fn base_of(paths: &[PathBuf], root: &Path, current: &Path, changes: &[Change]) -> PathBuf {
    let holds_all = |folder: &Path| changes.iter().all(|change| change.path.starts_with(folder));
    if paths.iter().all(|path| path.starts_with(current)) && holds_all(current) {
        return current.to_owned();
    }
    match paths {
        [only] if only.is_dir() && holds_all(only) => only.clone(),
        _ => root.to_owned(),
    }
}

/// Files: those that were read already, or are about to be written, before those on the disk.
pub(super) struct OverlayFs {
    pub(super) layers: Vec<Arc<BTreeMap<PathBuf, Vec<u8>>>>,
}

impl Files for OverlayFs {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.layers.iter().find_map(|layer| layer.get(path)) {
            Some(bytes) => Ok(bytes.clone()),
            None => regular_file::read(path),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.layers.iter().any(|layer| layer.contains_key(path)) || path.is_file()
    }

    fn python_files(&self, root: &Path) -> Vec<PathBuf> {
        discover::python_files(root)
    }
}

/// One pass over the sources: found, related, planned.
pub(super) struct Pass {
    pub(super) plan: Plan,
    pub(super) broken: Vec<Diagnostic>,
    found_nothing: bool,
}

impl Pass {
    pub(super) fn run(
        root: &Path,
        files: OverlayFs,
        paths: Vec<PathBuf>,
        options: PlanOptions,
    ) -> Self {
        let workspace = Workspace::new(root.to_owned(), Box::new(files));
        let results: Vec<Result<Found, LoadError>> = paths
            .par_iter()
            .map(|path| {
                workspace
                    .load(path)
                    .map(|loaded| find::references::find(&workspace, loaded))
            })
            .collect();
        let mut found = Vec::new();
        let mut broken = Vec::new();
        for result in results {
            match result {
                Ok(one) => found.push(one),
                Err(LoadError::Broken(diagnostic)) => broken.push(*diagnostic),
                // It vanished after it was listed.
                Err(LoadError::Missing) => {}
            }
        }
        let package_roots = PerDirCache::<Option<PathBuf>>::default();
        let package_root = |path: &Path| package_roots.of(path, || discover::package_root(path));
        found.extend(lookups(&workspace, &found, &package_root));
        let related = related(&workspace, &found, &package_root);
        let callers = Callers::of(&workspace, root, &found, &package_root);
        let styles = PerDirCache::<Arc<Style>>::default();
        let modules = Modules::default();
        let input = Input {
            workspace: &workspace,
            found: &found,
            related: &related,
            options,
            style: &|path| styles.of(path, || Arc::new(style_of(path, root))),
            is_module: &|path: &Path| modules.is_there(path),
            package_root: &package_root,
            is_called_outside: &|path, name| callers.call(path, name),
        };
        let plan = plan::plan(&input);
        let found_nothing = found.is_empty();
        // Trees are many small pieces: both cores let go of them.
        drop(related);
        drop(found);
        workspace.into_modules().into_par_iter().for_each(drop);
        Self {
            plan,
            broken,
            found_nothing,
        }
    }
}

/// What may be in a module that belongs to a plugin and has no webhook itself.
const RELATED: &[&str] = &[
    "mount_router",
    "_router_func",
    "._router",
    "mount_config",
    "create_temp_ctx",
    "api.context",
    "context",
    ".config",
    "get_plugin_path",
    "APIRouter",
];

/// The modules of the packages of plugins that do not name the old API, and may use it by a name that they
/// put together.
fn lookups(
    workspace: &Workspace,
    found: &[Found],
    package_root: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Vec<Found> {
    let known: BTreeSet<&Path> = found
        .iter()
        .map(|one| one.loaded.module.source().path())
        .collect();
    let roots: BTreeSet<PathBuf> = found
        .iter()
        .flat_map(Found::webhooks)
        .filter_map(|webhook| package_root(&webhook.plugin.module))
        .collect();
    let files: BTreeSet<PathBuf> = roots
        .iter()
        .flat_map(|root| discover::python_files(root))
        .collect();
    files
        .into_par_iter()
        .filter(|path| !known.contains(path.as_path()))
        .filter(|path| {
            workspace.read(path).is_ok_and(|bytes| {
                let has = |word: &&str| memchr::memmem::find(&bytes, word.as_bytes()).is_some();
                find::references::LOOKUPS.iter().any(has)
            })
        })
        .filter_map(|path| workspace.load(&path).ok())
        .map(|loaded| find::references::find(workspace, loaded))
        .filter(|found| !found.unclear.is_empty())
        .collect()
}

/// The modules of the packages of plugins that may have to change, or that tell how.
fn related(
    workspace: &Workspace,
    found: &[Found],
    package_root: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Vec<Arc<Loaded>> {
    let known: BTreeSet<&Path> = found
        .iter()
        .map(|one| one.loaded.module.source().path())
        .collect();
    let mut plugin_modules = BTreeSet::new();
    // Whoever names a handler may call it.
    let mut handlers: BTreeMap<PathBuf, BTreeSet<&str>> = BTreeMap::new();
    for webhook in found.iter().flat_map(Found::webhooks) {
        plugin_modules.insert(webhook.plugin.module.clone());
        if let Some(root) = discover::package_root(&webhook.plugin.module) {
            let names = handlers.entry(root).or_default();
            names.insert(&webhook.handler.name);
        }
    }
    // So may whoever names the method as the plugin does.
    for reference in found.iter().flat_map(|one| &one.references) {
        if let (ReferenceKind::Alias(alias), Some(plugin)) =
            (&reference.kind, &reference.known.plugin)
            && let Some(root) = discover::package_root(&plugin.module)
        {
            handlers.entry(root).or_default().insert(&alias.name);
        }
    }
    let roots: BTreeSet<PathBuf> = plugin_modules
        .iter()
        .filter_map(|module| package_root(module))
        .collect();
    let names_handler = |path: &Path, bytes: &[u8]| {
        let of_roots = handlers.iter().filter(|(root, _)| path.starts_with(root));
        of_roots
            .flat_map(|(_, names)| names)
            .any(|name| memchr::memmem::find(bytes, name.as_bytes()).is_some())
    };
    let mut files: BTreeSet<PathBuf> = roots
        .iter()
        .flat_map(|root| discover::python_files(root))
        .collect();
    let of_plugins = plugin_modules.clone();
    files.extend(plugin_modules);
    files
        .into_par_iter()
        .filter(|path| !known.contains(path.as_path()))
        .filter(|path| {
            of_plugins.contains(path)
                || workspace.read(path).is_ok_and(|bytes| {
                    RELATED
                        .iter()
                        .any(|word| memchr::memmem::find(&bytes, word.as_bytes()).is_some())
                        || names_handler(path, &bytes)
                })
        })
        .filter_map(|path| workspace.load(&path).ok())
        .collect()
}

/// What holds for all files of a folder, each folder asked once.
struct PerDirCache<T> {
    known: Mutex<HashMap<PathBuf, T>>,
}

impl<T> Default for PerDirCache<T> {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
        }
    }
}

impl<T: Clone> PerDirCache<T> {
    /// What holds for the file at `path`; `ask` finds it out.
    fn of(&self, path: &Path, ask: impl FnOnce() -> T) -> T {
        let Some(folder) = path.parent() else {
            return ask();
        };
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(folder).cloned();
        known.unwrap_or_else(|| {
            let asked = ask();
            lock().insert(folder.to_owned(), asked.clone());
            asked
        })
    }
}

/// The style that holds for a file, as `ruff` finds it: that of the nearest folder with a file that
/// tells, with what it extends.
fn style_of(path: &Path, root: &Path) -> Style {
    let mut black: Option<ConfigFile> = None;
    let mut files: Vec<ConfigFile> = Vec::new();
    let here = path.ancestors().skip(1);
    let candidates =
        here.flat_map(|folder| style::CONFIG_FILES.iter().map(|name| folder.join(name)));
    for file in candidates.filter_map(|path| config_file(&path)) {
        if black.is_none() {
            black = Some(file.clone());
        }
        if file.is_of_ruff() {
            files.push(file);
            break;
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(path) = files.last().and_then(ConfigFile::extends)
        && let Ok(real) = fs::canonicalize(path)
        && seen.insert(real.clone())
        && let Some(file) = config_file(&real)
    {
        files.push(file);
    }
    style::style(&files, black.as_ref(), root)
}

/// The configuration file at `path`: a regular file of a size that somebody might have written.
fn config_file(path: &Path) -> Option<ConfigFile> {
    let bytes = regular_file::read_up_to(path, 1 << 20).ok()?;
    ConfigFile::parse(path, std::str::from_utf8(&bytes).ok()?)
}

/// Which paths without an ending are those of a module or a package. All files of a repo import
/// mostly the same, so the disk is asked once.
#[derive(Default)]
struct Modules(RwLock<HashMap<PathBuf, bool>>);

impl Modules {
    fn is_there(&self, path: &Path) -> bool {
        let known = self
            .0
            .read()
            .ok()
            .and_then(|known| known.get(path).copied());
        if let Some(known) = known {
            return known;
        }
        let is_file = |ending| path.with_extension(ending).is_file();
        let is_there = path.is_dir() || is_file("py") || is_file("pyi");
        if let Ok(mut known) = self.0.write() {
            known.insert(path.to_owned(), is_there);
        }
        is_there
    }
}

/// The route map with the new routes in it, and its file when that changes.
fn route_map(
    args: &PlanArgs,
    root: &Path,
    plan: &Plan,
) -> anyhow::Result<(RouteMap, Option<Change>)> {
    let path = match &args.routes {
        // Without `..` in it, so that a patch can name it.
        Some(path) => {
            let absolute = std::path::absolute(path)?;
            let folder = absolute.parent().unwrap_or(&absolute);
            let folder =
                fs::canonicalize(folder).map_err(|error| UserError::path(folder, &error))?;
            folder.join(absolute.file_name().unwrap_or_default())
        }
        None => root.join(FILE_NAME),
    };
    let (mut map, before) = read_with_bytes(&path)?;
    let routes = plan.routes();
    if routes.is_empty() {
        return Ok((map, None));
    }
    map.merge(&routes);
    let after = map.to_string().into_bytes();
    let change = (before.as_ref() != Some(&after)).then_some(Change {
        path,
        before,
        after,
    });
    Ok((map, change))
}

/// The route map at `path`; an empty one where there is no file.
///
/// # Errors
/// When it cannot be read.
pub fn read_route_map(path: &Path) -> anyhow::Result<RouteMap> {
    Ok(read_with_bytes(path)?.0)
}

fn broken_map(path: &Path, error: &RouteMapError) -> UserError {
    let line = error.line().map(|line| format!(":{line}"));
    let place = term::path(path) + &line.unwrap_or_default();
    let (text, remedy) = (error.text(), error.remedy());
    let ((en, zh), (remedy_en, remedy_zh)) = (text.both(), remedy.both());
    UserError {
        message: text!("{place}: {en}", "{place}: {zh}"),
        help: text!(
            "{remedy_en}; or name another file with --routes",
            "{remedy_zh}；或用 --routes 指定其他文件"
        ),
    }
}

fn read_with_bytes(path: &Path) -> anyhow::Result<(RouteMap, Option<Vec<u8>>)> {
    let before = match regular_file::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(UserError::unreadable(path, &error).into()),
    };
    let map = match &before {
        Some(bytes) => std::str::from_utf8(bytes)
            .map_err(|_| UserError::unreadable(path, &io::ErrorKind::InvalidData.into()))?
            .parse::<RouteMap>()
            .map_err(|error| broken_map(path, &error))?,
        None => RouteMap::default(),
    };
    Ok((map, before))
}
