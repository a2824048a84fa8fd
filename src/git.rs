//! What git knows about files: in which repo they are, and whether they have changes that no
//! commit has.
//!
//! What always holds:
//! - Git is only asked: it writes nothing, not even its index, and runs no hook and no file
//!   monitor of the repo, which may be a stranger's.
//! - When git cannot tell, that is an error or an uncommitted change, never "nothing to lose".

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;

use crate::lang::Text;
use crate::text;

/// Above this many bytes of names git is asked about the whole repo: the system limits arguments
/// (to 32 KiB on Windows), and git compares each file with each name.
const NAMES_LIMIT: usize = 16 * 1024;

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
];

/// Why git did not answer.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no `git` to run.
    #[error("{}", self.text())]
    Missing,
    /// Git refuses the repo because somebody else owns it.
    #[error("{}", self.text())]
    Distrusted {
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
            Self::Distrusted { root } => text!(
                "git refuses to look at {}, which belongs to another user",
                "{} 属于其他用户，git 拒绝读取",
                root.display()
            ),
            Self::Failed { root, message } => text!(
                "git cannot tell which files of {} have uncommitted changes: {message}",
                "git 无法判断 {} 中哪些文件有未提交的修改：{message}",
                root.display()
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
            Self::Distrusted { root } => text!(
                "if you trust the repo, run `git config --global --add safe.directory {}`; or use --allow-dirty",
                "如果信任该仓库，请运行 `git config --global --add safe.directory {}`；或使用 --allow-dirty",
                root.display()
            ),
            Self::Failed { root, .. } => text!(
                "see what `git status` says in {}, or use --allow-dirty",
                "请在 {} 中运行 `git status` 查看原因，或使用 --allow-dirty",
                root.display()
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
        let length: usize = names.iter().map(|name| name.as_os_str().len() + 1).sum();
        let names = if length > NAMES_LIMIT { &[] } else { names };
        let status = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
        ];
        let changed = run(root, &status, names)?
            .split(|&byte| byte == 0)
            // Two letters and a blank, then the name.
            .filter_map(|entry| name_from_bytes(entry.get(3..)?))
            .collect();
        // The letter in front is small for a file that is assumed unchanged, and `S` for one that
        // is skipped.
        let watched = run(root, &["ls-files", "--full-name", "-v", "-z"], names)?
            .split(|&byte| byte == 0)
            .filter(|entry| matches!(entry.first(), Some(tag) if tag.is_ascii_uppercase() && *tag != b'S'))
            .filter_map(|entry| name_from_bytes(entry.get(2..)?))
            .collect();
        Ok(Self { changed, watched })
    }
}

/// `git` at `root`, to be asked something: it looks at that repo and no other, whatever the
/// environment says, and runs nothing of it.
pub fn command(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.args(["--no-optional-locks", "--literal-pathspecs"])
        .args(["-c", "core.fsmonitor=false"])
        .arg("-C")
        .arg(root)
        // The messages are looked into.
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    for variable in ENVIRONMENT {
        git.env_remove(variable);
    }
    git
}

/// Whether git says on stderr that it refuses a repo because somebody else owns it.
pub fn is_distrust(stderr: &[u8]) -> bool {
    memchr::memmem::find(stderr, b"dubious ownership").is_some()
}

/// What `git` prints when it is run at `root` for `names`; for all if there are none.
fn run(root: &Path, arguments: &[&str], names: &[PathBuf]) -> Result<Vec<u8>, GitError> {
    let mut git = command(root);
    git.args(arguments).arg("--").args(names);
    let output = git.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => GitError::Missing,
        _ => GitError::Failed {
            root: root.to_owned(),
            message: error.to_string(),
        },
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(if is_distrust(&output.stderr) {
        GitError::Distrusted {
            root: root.to_owned(),
        }
    } else {
        GitError::Failed {
            root: root.to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }
    })
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
