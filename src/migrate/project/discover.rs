//! Paths to the Python files that matter, in a stable order.
//!
//! A file mentions_old_api when the name of the old API is in it, or an import of the module that only its
//! document has; nothing is parsed here. Invariants: `.gitignore` is respected; version control, virtual environments, `node_modules` and
//! caches are not entered unless they are what was asked for; links to folders are not followed;
//! a file that is reached by two paths is taken once; only regular files are read, and a folder
//! whose `.gitignore` is something else is not entered, since what it excludes is not known.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};
use memchr::memmem::Finder;

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::python::names::unreadable;
use crate::regular_file;

/// What is in every mention of the old API: `mount_webhook_method`, `webhook_methods`, and the
/// older document's `mount_webhook`.
const NEEDLE: &[u8] = b"webhook";

/// What is in every file that uses the agent.
const AGENT: &[u8] = b"nekro_agent";
/// The package of which the document names a module that is gone.
const API: &[u8] = b"nekro_agent.api";

/// Whether one of the places of the needle is in such a mention.
fn is_mentioned(bytes: &[u8], finder: &Finder<'_>) -> bool {
    finder.find_iter(bytes).any(|at| {
        bytes[..at].ends_with(b"mount_") || bytes[at + NEEDLE.len()..].starts_with(b"_method")
    })
}

/// The files that matter.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The bytes of each file that mentions the old API, by absolute path.
    pub files: BTreeMap<PathBuf, Arc<[u8]>>,
    /// Those of plugins that are switched off, which were not asked for by name.
    pub disabled: BTreeMap<PathBuf, Arc<[u8]>>,
    /// How many Python files were looked at.
    pub files_scanned: usize,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that were asked for by name and are no Python; they are passed over.
    pub not_python: Vec<PathBuf>,
}

/// Folders that hold no source of the user's.
const IGNORED_DIRS: &[&str] = &[
    "node_modules",
    "__pycache__",
    "__pypackages__",
    "site-packages",
    "venv",
    ".venv",
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".rehook",
];

/// Whether a folder below what was asked for is entered.
fn is_entered(entry: &DirEntry) -> bool {
    if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return true;
    }
    !is_ignored_dir(entry.path())
}

/// What the walk reads in a folder to know what is excluded there. It opens them as they are, and
/// would wait for ever for a pipe.
const EXCLUDES: &[&str] = &[
    ".gitignore",
    ".ignore",
    ".git/info/exclude",
    ".git/commondir",
];

/// The first of the files that say what a folder excludes which cannot be read as a file.
fn unreadable_excludes(folder: &Path) -> Option<PathBuf> {
    let mut files = EXCLUDES.iter().map(|name| folder.join(name));
    let is_unreadable = |path: &PathBuf| !regular_file::is_readable_or_missing(path);
    if let Some(file) = files.find(is_unreadable) {
        return Some(file);
    }
    // In a worktree `.git` is a file that says where that folder is.
    let first_line = |path: &Path| -> Option<String> {
        let text = path.is_file().then(|| regular_file::read_to_string(path));
        Some(text?.ok()?.lines().next()?.to_owned())
    };
    let line = first_line(&folder.join(".git"))?;
    let git = PathBuf::from(line.strip_prefix("gitdir: ")?);
    let common = git.join("commondir");
    if is_unreadable(&common) {
        return Some(common);
    }
    let exclude = git.join(first_line(&common)?).join("info/exclude");
    is_unreadable(&exclude).then_some(exclude)
}

/// Whether a folder holds no source of the user's: version control, a virtual environment, a cache.
pub fn is_ignored_dir(folder: &Path) -> bool {
    let name = folder.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| IGNORED_DIRS.contains(&name)) || folder.join("pyvenv.cfg").exists()
}

/// Whether a file with these bytes mentions_old_api.
pub fn mentions_old_api(bytes: &[u8]) -> bool {
    is_mentioned(bytes, &Finder::new(NEEDLE))
        || memchr::memmem::find(bytes, AGENT).is_some() && uses_lost_module(bytes)
}

/// Whether a file that mentions the agent may use the module of the document that is gone: what
/// cannot be rewritten of it is found again when no webhook is left beside it.
fn uses_lost_module(bytes: &[u8]) -> bool {
    if memchr::memmem::find(bytes, b"create_temp_ctx").is_some() {
        return true;
    }
    let starts_word = |bytes: &[u8], word: &[u8]| {
        bytes.strip_prefix(word).is_some_and(|rest| {
            rest.first()
                .is_none_or(|&next| !(next.is_ascii_alphanumeric() || next == b'_'))
        })
    };
    memchr::memmem::find_iter(bytes, API).any(|at| {
        let rest = &bytes[at + API.len()..];
        if let Some(rest) = rest.strip_prefix(b".") {
            return starts_word(rest, b"context");
        }
        let Some(names) = rest.trim_ascii_start().strip_prefix(b"import") else {
            return false;
        };
        // To the end of the statement, or a little further.
        let end = if names.trim_ascii_start().starts_with(b"(") {
            memchr::memchr(b')', names)
        } else {
            memchr::memchr_iter(b'\n', names).find(|&end| {
                let line = names[..end].strip_suffix(b"\r").unwrap_or(&names[..end]);
                !line.ends_with(b"\\")
            })
        };
        let names = &names[..end.unwrap_or(names.len())];
        memchr::memmem::find_iter(names, b"context").any(|at| {
            let is_start = at.checked_sub(1).is_none_or(|before| {
                !(names[before].is_ascii_alphanumeric() || names[before] == b'_')
            });
            is_start && starts_word(&names[at..], b"context")
        })
    })
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

/// Whether the agent keeps a file for a plugin that is switched off: `NAME.py.disabled`.
fn is_disabled(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.ends_with(".py.disabled"))
}

/// Whether a file that was asked for by name is Python: by its name, in which `.py` may stand before
/// other endings; or, where the name has no ending, because it says so in its first line.
fn is_python_by_name(path: &Path, bytes: &[u8]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut endings = name.split('.').skip(1).peekable();
    if endings.peek().is_none() {
        let first = bytes.split(|&byte| byte == b'\n').next();
        return first.is_some_and(|line| {
            line.starts_with(b"#!") && memchr::memmem::find(line, b"python").is_some()
        });
    }
    endings.any(|ending| matches!(ending, "py" | "pyw" | "pyi"))
}

/// Looks through `paths`, which are absolute.
///
/// # Errors
/// The path that does not exist, with the reason.
pub fn discover(paths: &[PathBuf]) -> Result<Discovery, (PathBuf, io::Error)> {
    for path in paths {
        fs::metadata(path).map_err(|error| (path.clone(), error))?;
    }
    let mut refused: Vec<Diagnostic> = Vec::new();
    // What is above is read as well.
    let paths: Vec<&PathBuf> = paths
        .iter()
        .filter(|path| {
            let file = path.ancestors().find_map(unreadable_excludes);
            refused.extend(file.iter().map(|file| not_regular(file)));
            file.is_none()
        })
        .collect();
    let Some((first, rest)) = paths.split_first() else {
        return Ok(Discovery {
            diagnostics: refused,
            ..Discovery::default()
        });
    };
    let mut builder = WalkBuilder::new(first);
    for path in rest {
        builder.add(path);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    builder.follow_links(false).threads(threads);

    let files_scanned = AtomicUsize::new(0);
    type Read = (PathBuf, bool, Arc<[u8]>);
    let found: Mutex<Vec<Read>> = Mutex::default();
    let failed: Arc<Mutex<Vec<Diagnostic>>> = Arc::new(Mutex::new(refused));
    let not_python: Mutex<Vec<PathBuf>> = Mutex::default();
    let fail = |diagnostic| {
        failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(diagnostic)
    };
    let not_entered = Arc::clone(&failed);
    builder.filter_entry(move |entry| {
        if !is_entered(entry) {
            return false;
        }
        if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
            return true;
        }
        let file = unreadable_excludes(entry.path());
        let mut failed = not_entered.lock().unwrap_or_else(PoisonError::into_inner);
        failed.extend(file.iter().map(|file| not_regular(file)));
        file.is_none()
    });
    builder.build_parallel().run(|| {
        let (finder, agent) = (Finder::new(NEEDLE), Finder::new(AGENT));
        let mut buffer = Vec::new();
        let (files_scanned, found, fail, not_python) = (&files_scanned, &found, &fail, &not_python);
        Box::new(move |entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let (path, error) = walk_error(error);
                    fail(unreadable(&path, &error));
                    return WalkState::Continue;
                }
            };
            let is_asked_for = entry.depth() == 0;
            let is_link = entry.path_is_symlink();
            let is_folder = entry.file_type().is_none_or(|kind| kind.is_dir());
            let is_disabled = !is_asked_for && is_disabled(entry.path());
            let may_matter = is_python(entry.path()) || is_asked_for || is_disabled;
            if is_folder || !may_matter {
                return WalkState::Continue;
            }
            match regular_file::read_into(entry.path(), &mut buffer) {
                Ok(()) if is_asked_for && !is_python_by_name(entry.path(), &buffer) => {
                    let mut others = not_python.lock().unwrap_or_else(PoisonError::into_inner);
                    others.push(entry.path().to_owned());
                }
                Ok(()) => {
                    if !is_disabled {
                        files_scanned.fetch_add(1, Ordering::Relaxed);
                    }
                    let mentions_old_api = is_mentioned(&buffer, &finder)
                        || agent.find(&buffer).is_some() && uses_lost_module(&buffer);
                    if mentions_old_api {
                        let one = (entry.path().to_owned(), is_link, Arc::from(&buffer[..]));
                        found
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(one);
                    }
                }
                // A link to a folder.
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
                // It has gone since the folder was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !is_link => {}
                Err(error) => fail(unreadable(entry.path(), &error)),
            }
            WalkState::Continue
        })
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Files before the links to them.
    found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    let mut seen = HashSet::new();
    let mut discovery = Discovery {
        files_scanned: files_scanned.into_inner(),
        ..Discovery::default()
    };
    for (path, _, bytes) in found {
        let real = dunce::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if !seen.insert(real) {
            continue;
        }
        // A file that was asked for by name is one of the others, whatever its name.
        if is_disabled(&path) && !paths.contains(&&path) {
            discovery.disabled.insert(path, bytes);
        } else {
            discovery.files.insert(path, bytes);
        }
    }
    discovery.not_python = not_python
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    discovery.not_python.sort();
    discovery.diagnostics =
        std::mem::take(&mut failed.lock().unwrap_or_else(PoisonError::into_inner));
    discovery
        .diagnostics
        .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    Ok(discovery)
}

/// The diagnostic of something that stands where a file is read.
fn not_regular(path: &Path) -> Diagnostic {
    unreadable(path, &io::ErrorKind::InvalidInput.into())
}

/// The place and reason of an error of the walk.
fn walk_error(error: ignore::Error) -> (PathBuf, io::Error) {
    let mut path = PathBuf::new();
    let mut inner = &error;
    loop {
        match inner {
            ignore::Error::WithPath { path: here, err } => {
                path.clone_from(here);
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                inner = err
            }
            _ => break,
        }
    }
    let reason = inner.to_string();
    let kind = error
        .io_error()
        .map_or(io::ErrorKind::Other, io::Error::kind);
    (
        path,
        error
            .into_io_error()
            .unwrap_or_else(|| io::Error::new(kind, reason)),
    )
}

/// The Python files below `folder`, by path; none where what it excludes cannot be read, which
/// [`discover`] says.
pub fn python_files(folder: &Path) -> Vec<PathBuf> {
    if folder.ancestors().find_map(unreadable_excludes).is_some() {
        return Vec::new();
    }
    let walk = WalkBuilder::new(folder)
        .follow_links(false)
        .filter_entry(|entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            is_entered(entry) && !(is_folder && unreadable_excludes(entry.path()).is_some())
        })
        .build();
    let mut files: Vec<PathBuf> = walk
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_type().is_some_and(|kind| kind.is_file()) && is_python(entry.path())
        })
        .map(DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// The topmost package that the file at `path` is in: the highest folder of an unbroken line of
/// folders with an `__init__.py`.
pub fn package_root(path: &Path) -> Option<PathBuf> {
    let folders = path.ancestors().skip(1);
    folders
        .take_while(|folder| folder.join("__init__.py").exists())
        .last()
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_the_lost_module_are_seen() {
        for (text, expected) in [
            ("from nekro_agent.api import context\n", true),
            (
                "from nekro_agent.api import core, context as c, message\n",
                true,
            ),
            (
                "from nekro_agent.api import (\n    core,\n    context,\n)\n",
                true,
            ),
            (
                "from nekro_agent.api import core, \\\r\n    context\n",
                true,
            ),
            ("import nekro_agent.api.context\n", true),
            ("from nekro_agent.api.context import x", true),
            (
                "from nekro_agent import api\napi.context.create_temp_ctx(k)\n",
                true,
            ),
            ("from nekro_agent.api import core\ncontext = 1\n", false),
            (
                "from nekro_agent.api import (\n    core,\n)\ncontext = 1\n",
                false,
            ),
            ("from nekro_agent.api import contexts, my_context\n", false),
            ("from nekro_agent.api.contexts import x\n", false),
            ("from nekro_agent.api.plugin import NekroPlugin\n", false),
            ("nekro_agent.api", false),
        ] {
            assert_eq!(mentions_old_api(text.as_bytes()), expected, "{text}");
        }
        assert!(!mentions_old_api(b"context.create_temp_ctx"));
    }

    #[test]
    fn a_named_file_is_python_by_its_name_or_first_line() {
        for (name, text, expected) in [
            ("a.py", "", true),
            ("a.py.disabled", "", true),
            ("a.pyw", "", true),
            ("README.md", "#!/usr/bin/python3\n", false),
            ("a.python.txt", "", false),
            ("tool", "#!/usr/bin/env python3\n", true),
            ("tool", "#!/bin/sh\n# python\n", false),
            ("LICENSE", "", false),
            (".env", "", false),
        ] {
            let is_python = is_python_by_name(Path::new(name), text.as_bytes());
            assert_eq!(is_python, expected, "{name}");
        }
    }
}
