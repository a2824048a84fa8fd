//! What git knows about files: in which repo they are, and whether they have changes that no
//! commit has.
//!
//! Invariants:
//! - Git is only asked: it writes nothing, not even its index, and runs no program that the repo
//!   names, which may be a stranger's: no hook, file monitor, filter or pager, and nothing that
//!   would fetch what is missing.
//! - It is never a program that the repo contains, wherever the `PATH` leads.
//! - What it compares are the files at the root that was asked for, whatever its settings say.
//! - When git cannot tell, that is an error or an uncommitted change, never "nothing to lose".

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use crate::regular_file;
use crate::term;
use crate::text;
use crate::text::Text;

/// Above this many bytes of names git is asked about the whole repo: the system limits arguments
/// (to 32 KiB on Windows), and git compares each file with each name.
const NAMES_LIMIT: usize = 16 * 1024;

/// How long git may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What would make git look at another repo than the one that a file is in, as inside of a hook.
const ENVIRONMENT: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_TRACE",
    "GIT_EXTERNAL_DIFF",
    "GIT_ATTR_SOURCE",
];

/// Settings that name programs which git could run when it is asked something, and their values
/// that name none.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.askPass=",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "credential.helper=",
    "diff.external=",
    "protocol.allow=never",
    "submodule.recurse=false",
    "status.submoduleSummary=false",
];

/// What keeps git from fetching what a partial clone lacks: the setting of git 2.44 and later, and
/// for those before it that no protocol is allowed.
const NO_FETCHING: &[(&str, &str)] = &[
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_PROTOCOL_FROM_USER", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// Files of a `.git` that git reads when it is asked something.
const READ_BY_GIT: &[&str] = &[
    "HEAD",
    "commondir",
    "config",
    "config.worktree",
    "index",
    "info/attributes",
    "info/exclude",
    "packed-refs",
];

/// Why git did not answer.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no `git` to run.
    #[error("{}", self.text())]
    Missing,
    /// The only `git` of the `PATH` is one that the repo contains.
    #[error("{}", self.text())]
    OfRepo {
        /// That program.
        program: PathBuf,
    },
    /// Git refuses the repo because somebody else owns it.
    #[error("{}", self.text())]
    Distrusted {
        /// The repo.
        root: PathBuf,
    },
    /// A filter that the repo's settings name cannot be switched off.
    #[error("{}", self.text())]
    Filter {
        /// The repo.
        root: PathBuf,
        /// The name of the filter.
        name: String,
    },
    /// A pipe, a device or the like stands where git reads a file: it would wait for ever.
    #[error("{}", self.text())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// Git did not end.
    #[error("{}", self.text())]
    Endless {
        /// The repo.
        root: PathBuf,
    },
    /// Git failed.
    #[error("{}", self.text())]
    Failed {
        /// The repo.
        root: PathBuf,
        /// What it said.
        message: String,
    },
}

impl GitError {
    /// What is the case, without a full stop.
    pub fn text(&self) -> Text {
        match self {
            Self::Missing => text!(
                "cannot find git, so it is not known which files have uncommitted changes",
                "找不到 git，无法判断哪些文件有未提交的修改"
            ),
            Self::OfRepo { program } => text!(
                "the only git on the PATH, {}, is in the repo and is not started, so it is not known which files have uncommitted changes",
                "PATH 中唯一的 git（{}）位于仓库内，不会启动它，因此无法判断哪些文件有未提交的修改",
                term::path(program)
            ),
            Self::Distrusted { root } => text!(
                "git refuses to look at {}, which belongs to another user",
                "{} 属于其他用户，git 拒绝读取",
                term::path(root)
            ),
            Self::Filter { root, name } => text!(
                "the git settings of {} have a filter that cannot be switched off: {}",
                "{} 的 git 设置中有一个无法关闭的过滤器：{}",
                term::path(root),
                term::escaped(name)
            ),
            Self::NotAFile { path } => text!(
                "{} is not a regular file, so git is not asked which files have uncommitted changes",
                "{} 不是普通文件，因此没有询问 git 哪些文件有未提交的修改",
                term::path(path)
            ),
            Self::Endless { root } => text!(
                "git did not say within {} seconds which files of {} have uncommitted changes",
                "git 在 {} 秒内没有回答 {} 中哪些文件有未提交的修改",
                TIME_LIMIT.as_secs(),
                term::path(root)
            ),
            Self::Failed { root, message } => text!(
                "git cannot tell which files of {} have uncommitted changes: {}",
                "git 无法判断 {} 中哪些文件有未提交的修改：{}",
                term::path(root),
                term::escaped(message)
            ),
        }
    }

    /// What to do about it, without a full stop.
    pub fn remedy(&self) -> Text {
        match self {
            Self::Missing => text!(
                "install git, or use --allow-dirty",
                "请安装 git，或使用 --allow-dirty"
            ),
            Self::OfRepo { .. } => text!(
                "put the folder of a git outside of the repo on the PATH, or use --allow-dirty",
                "请把仓库之外的 git 所在文件夹加入 PATH，或使用 --allow-dirty"
            ),
            Self::Distrusted { root } => text!(
                "if you trust the repo, run `git config --global --add safe.directory {}`; or use --allow-dirty",
                "如果信任该仓库，请运行 `git config --global --add safe.directory {}`；或使用 --allow-dirty",
                term::path(root)
            ),
            Self::Filter { .. } => text!(
                "take its section out of the settings (`git config --show-origin --get-regexp '^filter'` says where it is), or use --allow-dirty",
                "请从设置中删除这一节（`git config --show-origin --get-regexp '^filter'` 会显示它在哪个文件中），或使用 --allow-dirty"
            ),
            Self::NotAFile { path } => text!(
                "move {} away, or use --allow-dirty",
                "请移走 {}，或使用 --allow-dirty",
                term::path(path)
            ),
            Self::Endless { root } => text!(
                "if you trust the repo, see whether `git status` ends in {}: a pipe among the files of `.git`, or one that its settings name, makes git wait for ever; or use --allow-dirty",
                "如果信任该仓库，请查看 `git status` 在 {} 中能否结束：`.git` 内的文件或其设置所指的文件如果是管道，git 会一直等待；或使用 --allow-dirty",
                term::path(root)
            ),
            Self::Failed { root, .. } => text!(
                "if you trust the repo, see what `git status` says in {}; or use --allow-dirty",
                "如果信任该仓库，请在 {} 中运行 `git status` 查看原因；或使用 --allow-dirty",
                term::path(root)
            ),
        }
    }
}

/// The root of the repo that `path` (a file or a folder, there or not) is in, without links: the
/// nearest folder upwards with a `.git`, which is a folder, or a file in worktrees and submodules.
pub fn repo_root(path: &Path) -> Option<PathBuf> {
    let real = real(path)?;
    real.ancestors()
        .find(|folder| is_git(&folder.join(".git")))
        .map(Path::to_owned)
}

/// Git passes over a folder of that name that is no repo, and so do we.
fn is_git(path: &Path) -> bool {
    path.is_file() || path.join("HEAD").symlink_metadata().is_ok()
}

/// Which of `files` have changes that no commit has: staged or unstaged, or because git does not
/// know the file, or ignores it, or was told not to look at it (`--assume-unchanged`), or because
/// the file is in no repo. In the order of `files`.
///
/// Each file is looked up in the repo that it is in itself, through links: a repo inside of a
/// repo, and a link that leads elsewhere, are answered rightly. A file that is not there has
/// nothing to lose, unless its removal is not committed.
///
/// # Errors
/// When git is missing, or does not answer for a repo.
pub fn uncommitted(files: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    let mut by_repo: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut places = HashMap::new();
    for file in files {
        if let Some(real) = real(file)
            && let Some(root) = repo_root(&real)
            && let Ok(name) = real.strip_prefix(&root)
        {
            let (root, name) = (root.clone(), name.to_owned());
            by_repo.entry(root.clone()).or_default().push(name.clone());
            places.insert(file, (root, name));
        }
    }
    let mut repos = HashMap::new();
    for (root, names) in by_repo {
        let status = Status::of(&root, &names)?;
        repos.insert(root, status);
    }
    let is_uncommitted = |file: &&PathBuf| {
        let known = places
            .get(file)
            .and_then(|(root, name)| Some((repos.get(root)?, name)));
        match known {
            Some((status, name)) => {
                status.changed.contains(name)
                    || (!status.watched.contains(name) && file.symlink_metadata().is_ok())
            }
            None => file.symlink_metadata().is_ok(),
        }
    };
    Ok(files.iter().filter(is_uncommitted).cloned().collect())
}

/// What git says about the files of a repo. Names are relative to the root that git sees: should
/// it see another than we do, because `.git` is broken, then no file is known to be watched.
struct Status {
    /// Those with staged or unstaged changes.
    changed: HashSet<PathBuf>,
    /// Those that it knows and looks at.
    watched: HashSet<PathBuf>,
}

impl Status {
    fn of(root: &Path, names: &[PathBuf]) -> Result<Self, GitError> {
        check_files(root, names)?;
        let place = Place::of(root);
        let filters = filters(place)?;
        let names = within_limit(names);
        let status = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            // Each is a repo of its own, with settings of its own.
            "--ignore-submodules=all",
        ];
        let changed = run(place, &filters, &status, names)?
            .split(|&byte| byte == 0)
            // Two letters and a blank, then the name.
            .filter_map(|entry| name_from_bytes(entry.get(3..)?))
            .collect();
        // The letter in front is small for a file that is assumed unchanged, and `S` for one that
        // is skipped.
        let list = ["ls-files", "--full-name", "-v", "-z"];
        let watched = run(place, &filters, &list, names)?
            .split(|&byte| byte == 0)
            .filter(|entry| matches!(entry.first(), Some(tag) if tag.is_ascii_uppercase() && *tag != b'S'))
            .filter_map(|entry| name_from_bytes(entry.get(2..)?))
            .collect();
        Ok(Self { changed, watched })
    }
}

/// `names`, or none, which means all, where they are too many for the arguments of a program.
fn within_limit(names: &[PathBuf]) -> &[PathBuf] {
    let length: usize = names.iter().map(|name| name.as_os_str().len() + 1).sum();
    if length > NAMES_LIMIT { &[] } else { names }
}

/// Which of `files` have a filter (`filter.*.clean` in the settings) that would have told whether
/// they are changed, with its name: it is never run.
///
/// # Errors
/// When git is missing, or does not answer for a repo.
pub fn behind_filters(files: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, GitError> {
    let mut found = Vec::new();
    for file in files {
        let Some(real) = real(file) else { continue };
        let Some(root) = repo_root(&real) else {
            continue;
        };
        let Ok(name) = real.strip_prefix(&root) else {
            continue;
        };
        let names = [name.to_owned()];
        check_files(&root, &names)?;
        let place = Place::of(&root);
        let known = filters(place)?;
        // `path`, `filter` and the value, each with a null byte behind it.
        let said = run(place, &known, &["check-attr", "-z", "filter"], &names)?;
        let value = said.split(|&byte| byte == 0).nth(2).unwrap_or_default();
        if let Some(filter) = known.iter().find(|filter| filter.as_bytes() == value) {
            found.push((file.clone(), filter.clone()));
        }
    }
    Ok(found)
}

/// Whether git tracks the file at `path`, or any in the folder of that name. False outside of git.
/// `asked` is the root of what was asked for: no `git` in it is started.
///
/// # Errors
/// When git is missing, or does not answer.
pub fn is_tracked(path: &Path, asked: &Path) -> Result<bool, GitError> {
    let Some(real) = real(path) else {
        return Ok(false);
    };
    // A folder may be the root of a repo itself; what is asked is who holds it.
    let Some(root) = real.parent().and_then(repo_root) else {
        return Ok(false);
    };
    let Ok(name) = real.strip_prefix(&root) else {
        return Ok(false);
    };
    let names = [name.to_owned()];
    check_files(&root, &names)?;
    let place = Place { root: &root, asked };
    let filters = filters(place)?;
    Ok(!run(place, &filters, &["ls-files", "-z"], &names)?.is_empty())
}

/// An error when git would wait for ever for one of the files that it reads at `root`, or in the
/// folders of `names`: a pipe in its place.
///
/// # Errors
/// [`GitError::NotAFile`].
pub fn check_files(root: &Path, names: &[PathBuf]) -> Result<(), GitError> {
    let mut git = root.join(".git");
    if git.is_file() {
        // In worktrees and submodules it says where that folder is.
        let text = regular_file::read_to_string(&git).unwrap_or_default();
        if let Some(place) = text.strip_prefix("gitdir: ") {
            git = root.join(place.trim_end());
        }
    }
    let own = READ_BY_GIT.iter().map(|name| git.join(name));
    let folders: BTreeSet<&Path> = names
        .iter()
        .flat_map(|name| name.ancestors().skip(1))
        .collect();
    let attributes = folders
        .into_iter()
        .map(|folder| root.join(folder).join(".gitattributes"));
    for path in own.chain(attributes) {
        if path.metadata().is_ok_and(|about| !about.is_file()) {
            return Err(GitError::NotAFile { path });
        }
    }
    Ok(())
}

/// The filters that the settings name, whatever file they are in. Asking for settings runs nothing.
fn filters(place: Place<'_>) -> Result<Vec<String>, GitError> {
    let root = place.root;
    let mut git = place.command();
    git.args(["config", "--includes", "--name-only", "-z", "--get-regexp"])
        .arg("^filter\\.");
    let output = output(place, git, TIME_LIMIT)?;
    // 1 says that there are none.
    if !output.status.success() && output.status.code() != Some(1) {
        return Err(failed(root, &output.stderr));
    }
    let mut filters = BTreeSet::new();
    for name in output.stdout.split(|&byte| byte == 0) {
        let name = String::from_utf8_lossy(name);
        let Some((filter, _)) = name
            .strip_prefix("filter.")
            .and_then(|rest| rest.rsplit_once('.'))
        else {
            continue;
        };
        // `-c name=value` ends the name at the first `=`, and takes no bytes that are not text.
        if filter.contains(['=', '\u{fffd}']) {
            return Err(GitError::Filter {
                root: root.to_owned(),
                name: filter.to_owned(),
            });
        }
        filters.insert(filter.to_owned());
    }
    Ok(filters.into_iter().collect())
}

/// `git` at `root`, to be asked something: it looks at that repo and no other, whatever the
/// environment says, and runs nothing of it. Filters are switched off by [`run`], where they could
/// be run.
pub fn command(root: &Path) -> Command {
    Place::of(root).command()
}

/// Where git is asked.
#[derive(Debug, Clone, Copy)]
struct Place<'p> {
    /// The root of the repo that it is asked about.
    root: &'p Path,
    /// The root of what the user asked for, which may be another.
    asked: &'p Path,
}

impl<'p> Place<'p> {
    fn of(root: &'p Path) -> Self {
        Self { root, asked: root }
    }

    fn command(self) -> Command {
        // A name that leads nowhere: it is missing then, as it would be by its name.
        let program = self.program();
        let mut git = Command::new(program.unwrap_or_else(|| "/nonexistent/git".into()));
        git.args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"]);
        for setting in SETTINGS {
            git.args(["-c", setting]);
        }
        git.arg("-C").arg(self.root);
        // Else `core.worktree` could have other files compared than those that are meant.
        git.arg("--work-tree").arg(self.root);
        // The messages are looked into.
        git.env("LC_ALL", "C").stdin(Stdio::null());
        for variable in ENVIRONMENT {
            git.env_remove(variable);
        }
        git.envs(NO_FETCHING.iter().copied());
        git
    }

    /// The first git of the `PATH` that nobody can have put there with a repo.
    fn program(self) -> Option<PathBuf> {
        let current = env::current_dir().ok();
        let current = current.as_deref().and_then(repo_root);
        let repos = [Some(self.root), Some(self.asked), current.as_deref()];
        let is_inside = |path: &Path| {
            repos
                .into_iter()
                .flatten()
                .any(|repo| path.starts_with(repo))
        };
        on_path().find(|file| {
            // As it is named, and where it is, by its folder and by itself: each may be a link.
            let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
            let places = [Some(file.clone()), folder, file.canonicalize().ok()];
            !places.iter().flatten().any(|place| is_inside(place))
        })
    }

    /// Why git cannot be run.
    fn missing(self) -> GitError {
        match on_path().next() {
            Some(program) if self.program().is_none() => GitError::OfRepo { program },
            _ => GitError::Missing,
        }
    }
}

/// Every git in the folders of the `PATH` that are the same from everywhere: a program in the
/// current folder, which may be a stranger's, is none.
fn on_path() -> impl Iterator<Item = PathBuf> {
    let name = format!("git{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders
        .into_iter()
        .filter(|folder| folder.is_absolute())
        .map(move |folder| folder.join(&name))
        .filter(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Whether git says on stderr that it refuses a repo because somebody else owns it.
pub fn is_distrust(stderr: &[u8]) -> bool {
    memchr::memmem::find(stderr, b"dubious ownership").is_some()
}

/// What `git` prints when it is run at `place` for `names`, with `filters` switched off; for all if
/// there are none.
fn run(
    place: Place<'_>,
    filters: &[String],
    arguments: &[&str],
    names: &[PathBuf],
) -> Result<Vec<u8>, GitError> {
    let mut git = place.command();
    // Before the words of the command, which `command` has not given yet.
    for filter in filters {
        for setting in ["clean=", "smudge=", "process=", "required=false"] {
            git.arg("-c").arg(format!("filter.{filter}.{setting}"));
        }
    }
    git.args(arguments).arg("--").args(names);
    let output = output(place, git, TIME_LIMIT)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(place.root, &output.stderr))
}

/// Runs git, for `limit` at most: a repo can make it wait for ever, by a pipe among its own
/// files.
fn output(
    place: Place<'_>,
    mut git: Command,
    limit: Duration,
) -> Result<std::process::Output, GitError> {
    let root = place.root;
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => place.missing(),
        _ => GitError::Failed {
            root: root.to_owned(),
            message: error.to_string(),
        },
    };
    git.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().map_err(failed)?;
    let (sender, receiver) = mpsc::channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = thread::spawn(move || read_all(stderr));
    thread::spawn(move || {
        let stdout = read_all(stdout);
        // Nobody listens any more when it took too long.
        let _ = sender.send((stdout, errors.join().unwrap_or_default()));
    });
    let Ok((stdout, stderr)) = receiver.recv_timeout(limit) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(GitError::Endless {
            root: root.to_owned(),
        });
    };
    let status = child.wait().map_err(failed)?;
    Ok(std::process::Output {
        status,
        stdout,
        stderr,
    })
}

/// What comes out of a pipe until it ends.
fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What cannot be read is missing in what was said; the exit code tells.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

fn failed(root: &Path, stderr: &[u8]) -> GitError {
    if is_distrust(stderr) {
        GitError::Distrusted {
            root: root.to_owned(),
        }
    } else {
        GitError::Failed {
            root: root.to_owned(),
            message: String::from_utf8_lossy(stderr).trim().to_owned(),
        }
    }
}

/// A path without links, of which the last part need not be there.
fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    let path = std::path::absolute(path).ok()?;
    let name = path.file_name().unwrap_or(OsStr::new(""));
    match path.parent()?.canonicalize() {
        Ok(folder) => Some(folder.join(name)),
        Err(_) => Some(path.clone()),
    }
}

/// A path as git prints it.
#[cfg(unix)]
pub fn name_from_bytes(name: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

/// A path as git prints it.
#[cfg(not(unix))]
pub fn name_from_bytes(name: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(std::str::from_utf8(name).ok()?))
}

#[cfg(all(test, unix))]
mod tests;
