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

mod error;
mod limits;
mod process;
mod repo;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::regular_file;
use crate::user_error::UserError;
pub(crate) use limits::TIME_LIMIT;
use process::{Place, failed, output, run};
#[cfg(target_os = "linux")]
pub(crate) use process::{command, is_distrust};
use repo::real;
pub(crate) use repo::repo_root;

/// Above this many bytes of names git is asked about the whole repo: the system limits arguments
/// (to 32 KiB on Windows), and git compares each file with each name.
const NAMES_LIMIT: usize = 16 * 1024;

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
pub(crate) fn uncommitted(files: &[PathBuf]) -> Result<Vec<PathBuf>, UserError> {
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
    fn of(root: &Path, names: &[PathBuf]) -> Result<Self, UserError> {
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
pub(crate) fn behind_filters(files: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, UserError> {
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
pub(crate) fn is_tracked(path: &Path, asked: &Path) -> Result<bool, UserError> {
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
/// When there is one.
pub(crate) fn check_files(root: &Path, names: &[PathBuf]) -> Result<(), UserError> {
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
            return Err(error::not_a_file(&path));
        }
    }
    Ok(())
}

/// The filters that the settings name, whatever file they are in. Asking for settings runs nothing.
fn filters(place: Place<'_>) -> Result<Vec<String>, UserError> {
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
            return Err(error::filter(root, filter));
        }
        filters.insert(filter.to_owned());
    }
    Ok(filters.into_iter().collect())
}

/// A path as git prints it.
#[cfg(unix)]
pub(crate) fn name_from_bytes(name: &[u8]) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

/// A path as git prints it.
#[cfg(not(unix))]
pub(crate) fn name_from_bytes(name: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(std::str::from_utf8(name).ok()?))
}

#[cfg(all(test, unix))]
mod tests;
