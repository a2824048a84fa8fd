//! How git is run: which program, with which environment and settings, and for how long.

use std::env;
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::error;
use super::limits::TIME_LIMIT;
use super::repo::repo_root;
use crate::user_error::UserError;

/// What would make git look at another repo than the one that a file is in, as inside of a hook.
pub(super) const ENVIRONMENT: &[&str] = &[
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

/// `git` at `root`, to be asked something: it looks at that repo and no other, whatever the
/// environment says, and runs nothing of it. Filters are switched off by [`run`], where they could
/// be run.
pub(crate) fn command(root: &Path) -> Command {
    Place::of(root).command()
}

/// Where git is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// The root of the repo that it is asked about.
    pub(super) root: &'p Path,
    /// The root of what the user asked for, which may be another.
    pub(super) asked: &'p Path,
}

impl<'p> Place<'p> {
    pub(super) fn of(root: &'p Path) -> Self {
        Self { root, asked: root }
    }

    pub(super) fn command(self) -> Command {
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
            let folder = file
                .parent()
                .and_then(|folder| dunce::canonicalize(folder).ok());
            let places = [Some(file.clone()), folder, dunce::canonicalize(file).ok()];
            !places.iter().flatten().any(|place| is_inside(place))
        })
    }

    /// Why git cannot be run.
    fn missing(self) -> UserError {
        match on_path().next() {
            Some(program) if self.program().is_none() => error::of_repo(&program),
            _ => error::missing(),
        }
    }
}

/// Every git in the folders of the `PATH` that are the same from everywhere: a program in the
/// current folder, which may be a stranger's, does not count.
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
pub(crate) fn is_distrust(stderr: &[u8]) -> bool {
    memchr::memmem::find(stderr, b"dubious ownership").is_some()
}

/// What `git` prints when it is run at `place` for `names`, with `filters` switched off; for all if
/// there are none.
pub(super) fn run(
    place: Place<'_>,
    filters: &[String],
    arguments: &[&str],
    names: &[PathBuf],
) -> Result<Vec<u8>, UserError> {
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
pub(super) fn output(
    place: Place<'_>,
    mut git: Command,
    limit: Duration,
) -> Result<std::process::Output, UserError> {
    let root = place.root;
    let failed = |reason: std::io::Error| match reason.kind() {
        ErrorKind::NotFound => place.missing(),
        _ => error::failed(root, &reason.to_string()),
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
        return Err(error::timed_out(root));
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

pub(super) fn failed(root: &Path, stderr: &[u8]) -> UserError {
    if is_distrust(stderr) {
        error::unsafe_ownership(root)
    } else {
        error::failed(root, String::from_utf8_lossy(stderr).trim())
    }
}
