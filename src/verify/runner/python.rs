//! Which Python runs the plugins.
//!
//! A file of that name proves nothing: it may be a shim that only prints an error, a broken link,
//! or too old. So each candidate is run before it is believed.
//!
//! Invariants:
//! - Without being asked, none is started that the repo contains, that git tracks or that another
//!   user owns: whoever made the repo could have put it there. Only what `--python` names is asked
//!   for.
//! - What is not started for that reason is named.
//! - Nor does one that is started take a module, or the choice of another program, from the repo.

use std::collections::HashSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::migrate::project::git;
use crate::term;
use crate::text;
use crate::text::{Lang, Text, translate};
use crate::user_error::UserError;
use crate::verify::error::{self, VerifyError};
use crate::verify::runner::interrupt;
use crate::verify::runner::process;

/// The oldest version that the agent runs on.
const OLDEST: (u32, u32) = (3, 11);

/// How long a candidate may take to say what it is. Generous: it decides only what is said of one
/// that hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// What a candidate is asked. Syntax that every Python has, so that an old one can say so too; paths
/// as the numbers of their characters, since Python's `json` takes as long to import as all the rest.
const PROBE: &str = "import sys, site
def numbers(path): return [ord(c) for c in path or '']
fastapi = [f for f in sys.meta_path if hasattr(f, 'find_spec') and f.find_spec('fastapi', None)]
print('{\"executable\": %s, \"version\": %s, \"user_base\": %s, \"fastapi\": %d}' % (
 numbers(sys.executable), list(sys.version_info[:3]), numbers(site.getuserbase()), bool(fastapi)))";

/// A Python that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    /// The interpreter, an absolute path.
    pub(crate) executable: PathBuf,
    /// Its version, as in `3.12.3`.
    pub(crate) version: String,
    /// Where packages of this user alone are, which it would not find in another home.
    pub(crate) user_base: Option<PathBuf>,
    /// Environments and interpreters that were not started because nobody asked for them.
    pub(crate) not_started: Vec<PathBuf>,
    /// The root of the repo that it takes nothing from; none when the user named it.
    pub(crate) repo: Option<PathBuf>,
}

/// A candidate that cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct Rejected {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Why it cannot be used.
    pub(crate) problem: Text,
}

#[derive(Deserialize)]
struct Answer {
    executable: Vec<u32>,
    version: (u32, u32, u32),
    user_base: Vec<u32>,
    fastapi: u8,
}

/// Where to look.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// What the user named; then nothing else is looked at.
    pub(crate) named: Option<PathBuf>,
    /// The root of the repo.
    pub(crate) root: PathBuf,
    /// The current folder.
    pub(crate) current: PathBuf,
    /// `VIRTUAL_ENV`.
    pub(crate) virtual_env: Option<OsString>,
    /// `PATH`.
    pub(crate) path: Option<OsString>,
}

impl Places {
    /// The places of this process.
    ///
    /// # Errors
    /// When there is no current folder.
    pub(crate) fn of_process(named: Option<&Path>, root: &Path) -> Result<Self, UserError> {
        Ok(Self {
            named: named.map(Path::to_owned),
            root: root.to_owned(),
            current: env::current_dir().map_err(error::io(Path::new(".")))?,
            virtual_env: env::var_os("VIRTUAL_ENV"),
            path: env::var_os("PATH"),
        })
    }

    /// The files that may be a Python, the first choice first.
    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(named) = &self.named {
            return vec![self.named_file(named)];
        }
        let active = self.virtual_env.as_ref().map(PathBuf::from);
        // Where a relative one is depends on the current folder, which may be in the repo.
        let active = active.filter(|environment| environment.is_absolute());
        let on_path = ["python3", "python"]
            .into_iter()
            .flat_map(|name| self.on_path(name.as_ref()));
        let mut seen = HashSet::new();
        active
            .iter()
            .map(|environment| python_of(environment))
            .chain(on_path)
            .filter(|file| file.symlink_metadata().is_ok() && seen.insert(file.clone()))
            .collect()
    }

    /// The environments of the repo and of the current folder, which are only named.
    fn environments(&self) -> Vec<PathBuf> {
        let folders = [self.root.as_path(), self.current.as_path()];
        let mut environments: Vec<PathBuf> = folders
            .into_iter()
            .flat_map(|folder| [folder.join(".venv"), folder.join("venv")])
            .filter(|environment| python_of(environment).symlink_metadata().is_ok())
            .collect();
        environments.sort();
        environments.dedup();
        environments
    }

    /// Why the interpreter at `file` is not started unless it is asked for.
    fn objection(&self, file: &Path) -> Option<Text> {
        if self.named.is_some() {
            return None;
        }
        let environment = environment_of(file);
        let places = [file, environment];
        // As it is named, and where it is: the one may be a link to the other.
        let is_inside = |path: &Path| {
            let real = path.canonicalize();
            path.starts_with(&self.root) || real.is_ok_and(|real| real.starts_with(&self.root))
        };
        if places.into_iter().any(is_inside) {
            return Some(text!(
                "it is in the repo, and not started unless --python names it",
                "它在仓库中，除非用 --python 指定，否则不会启动"
            ));
        }
        if places
            .into_iter()
            .any(|path| git::is_tracked(path, &self.root).unwrap_or(true))
        {
            return Some(text!(
                "git tracks it, or cannot tell, and it is not started unless --python names it",
                "它由 git 跟踪，或无法判断是否由 git 跟踪，除非用 --python 指定，否则不会启动"
            ));
        }
        if places.into_iter().any(is_of_another_user) {
            return Some(text!(
                "another user owns it, and it is not started unless --python names it",
                "它属于其他用户，除非用 --python 指定，否则不会启动"
            ));
        }
        None
    }

    /// The root of the repo that nothing is taken from unasked.
    fn repo(&self) -> Option<&Path> {
        self.named.is_none().then_some(self.root.as_path())
    }

    /// A name without a folder is looked for on the `PATH`; an environment's folder stands for its
    /// interpreter. Links stay: an environment is known by the path of its link.
    fn named_file(&self, named: &Path) -> PathBuf {
        if named.components().count() == 1
            && !named.exists()
            && let Some(found) = self.on_path(named.as_os_str()).next()
        {
            return found;
        }
        let path = self.current.join(named);
        if path.is_dir() {
            python_of(&path)
        } else {
            path
        }
    }

    fn on_path(&self, name: &OsStr) -> impl Iterator<Item = PathBuf> {
        let folders: Vec<PathBuf> = self
            .path
            .iter()
            .flat_map(|path| env::split_paths(path).collect::<Vec<_>>())
            .collect();
        let name = format!("{}{}", name.to_string_lossy(), env::consts::EXE_SUFFIX);
        folders
            .into_iter()
            .filter(|folder| folder.is_absolute())
            .map(move |folder| folder.join(&name))
            .filter(|file| file.is_file())
    }
}

/// The folder of the environment that an interpreter belongs to: what is in it decides what is run.
fn environment_of(file: &Path) -> &Path {
    let environment = file.parent().and_then(Path::parent);
    let environment = environment.filter(|folder| folder.join("pyvenv.cfg").exists());
    environment.unwrap_or(file)
}

/// Whether somebody else than this user or root owns what is at `path`, or the folder that it is in.
#[cfg(unix)]
fn is_of_another_user(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    let owner = |metadata: std::io::Result<std::fs::Metadata>| metadata.map(|about| about.uid());
    let owners = [
        owner(path.metadata()),
        owner(path.symlink_metadata()),
        path.parent()
            .map_or(Ok(user), |folder| owner(folder.metadata())),
    ];
    // Whose it is when it cannot be told is not known.
    let is_known = |owner: std::io::Result<u32>| owner.is_ok_and(|id| id == user || id == 0);
    !owners.into_iter().all(is_known)
}

#[cfg(not(unix))]
fn is_of_another_user(_: &Path) -> bool {
    false
}

fn python_of(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    })
}

/// The first Python that can be used; one that has FastAPI before one without, which can run no
/// plugin.
///
/// # Errors
/// When there is none, with where it was looked for; and when this program is to end.
pub(crate) fn find(places: &Places) -> Result<Python, VerifyError> {
    let mut rejected = Vec::new();
    let mut without_fastapi = None;
    let mut not_started = Vec::new();
    if places.named.is_none() {
        not_started = places.environments();
        rejected.extend(not_started.iter().map(|path| Rejected {
            path: path.clone(),
            problem: text!(
                "not started unless --python names it",
                "除非用 --python 指定，否则不会启动"
            ),
        }));
    }
    for path in places.candidates() {
        if let Some(problem) = places.objection(&path) {
            let is_known = |known: &PathBuf| path.starts_with(known);
            if !not_started.iter().any(is_known) {
                not_started.push(path.clone());
                rejected.push(Rejected { path, problem });
            }
            continue;
        }
        let answer = probe(&path, places.repo());
        interrupt::check()?;
        match answer {
            Ok((python, true)) => {
                return Ok(Python {
                    not_started,
                    ..python
                });
            }
            Ok((python, false)) => {
                without_fastapi.get_or_insert(python);
            }
            Err(problem) => rejected.push(Rejected { path, problem }),
        }
    }
    let python = without_fastapi.ok_or_else(|| no_python(&rejected, places.named.is_some()))?;
    Ok(Python {
        not_started,
        ..python
    })
}

/// None of those that were `rejected` can be used.
fn no_python(rejected: &[Rejected], is_named: bool) -> UserError {
    let list = |lang: Lang, separator: &str| {
        let each = rejected.iter().map(|one| {
            let path = term::path(&one.path);
            format!("{path} ({})", one.problem.get(lang))
        });
        each.collect::<Vec<_>>().join(separator)
    };
    let (en, zh) = (list(Lang::En, ", "), list(Lang::Zh, "、"));
    let message = if is_named {
        text!(
            "this Python cannot be used: {en}",
            "无法使用这个 Python：{zh}"
        )
    } else if rejected.is_empty() {
        text!(
            "there is no Python: no VIRTUAL_ENV, and no python3 or python on the PATH",
            "找不到 Python：没有 VIRTUAL_ENV，PATH 上也没有 python3 或 python"
        )
    } else {
        text!(
            "no Python that can be used was found; looked at {en}",
            "没有找到可用的 Python；已查看：{zh}"
        )
    };
    UserError::new(
        message,
        text!(
            "name a Python of 3.11 or later with --python, best one in which nekro-agent is installed",
            "请用 --python 指定 3.11 或更高版本的 Python，最好是已安装 nekro-agent 的环境"
        ),
    )
}

/// Where Python finds modules and what is compiled of them, in the variables that say so.
const MODULES: &[&str] = &["PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE"];

/// Takes from the environment of `command`, which starts a Python, what leads into the repo at
/// `repo`, and what leads who knows where: modules there, such as `sitecustomize`, run at every start.
/// An empty part of `PYTHONPATH` is the current folder.
pub(crate) fn leave_out(command: &mut Command, repo: &Path) {
    // Beside each source is said which compiled file is its own, and this one says another.
    command.env_remove("PYTHONPYCACHEPREFIX");
    let is_elsewhere = |path: &PathBuf| {
        let real = path.canonicalize();
        path.is_absolute()
            && !path.starts_with(repo)
            && !real.is_ok_and(|real| real.starts_with(repo))
    };
    for variable in MODULES {
        let Some(value) = env::var_os(variable) else {
            continue;
        };
        let all: Vec<PathBuf> = env::split_paths(&value).collect();
        let kept: Vec<&PathBuf> = all.iter().filter(|path| is_elsewhere(path)).collect();
        if kept.len() == all.len() {
            continue;
        }
        match env::join_paths(&kept) {
            Ok(value) if !kept.is_empty() => command.env(variable, value),
            _ => command.env_remove(variable),
        };
    }
}

/// What a candidate says of itself, and whether it has FastAPI. Nothing is taken from `repo`.
fn probe(path: &Path, repo: Option<&Path>) -> Result<(Python, bool), Text> {
    let mut command = Command::new(path);
    command
        .args(["-c", PROBE])
        // Else a module of the current folder could take the place of Python's own.
        .env("PYTHONSAFEPATH", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    if let Some(repo) = repo {
        leave_out(&mut command, repo);
        // A program that chooses among several by a file of the current folder, as those of version
        // managers do, does not choose by one of the repo.
        command.current_dir("/");
    }
    let output = match process::output_within(command, LIMIT) {
        Ok(Some(output)) => output,
        Ok(None) => return Err(text!("it does not answer", "没有响应")),
        Err(error) => {
            let reason = translate::io_error(&error);
            let (en, zh) = reason.both();
            return Err(text!("it does not run: {en}", "无法运行：{zh}"));
        }
    };
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        match said.trim().lines().last() {
            Some(said) => text!("it does not run: {said}", "无法运行：{said}"),
            None => text!("it is not a Python", "不是 Python"),
        }
    })?;
    let (major, minor, micro) = answer.version;
    let version = format!("{major}.{minor}.{micro}");
    if (major, minor) < OLDEST {
        return Err(text!("Python {version}", "Python {version}"));
    }
    let executable = path_of(&answer.executable).filter(|path| path.is_absolute());
    let python = Python {
        executable: executable.unwrap_or_else(|| path.to_owned()),
        version,
        user_base: path_of(&answer.user_base),
        not_started: Vec::new(),
        repo: repo.map(Path::to_owned),
    };
    Ok((python, answer.fastapi != 0))
}

/// The path that Python's text of these characters stands for; none for an empty one, or one that
/// no path has. A byte that is not UTF-8 is a character of its own there, U+DC80 to U+DCFF (PEP 383).
fn path_of(characters: &[u32]) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    for &character in characters {
        match (character, char::from_u32(character)) {
            (_, Some(character)) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (0xDC80..=0xDCFF, None) => bytes.push(u8::try_from(character & 0xFF).ok()?),
            (_, None) => return None,
        }
    }
    git::name_from_bytes(&bytes).filter(|path| !path.as_os_str().is_empty())
}

#[cfg(all(test, unix))]
mod tests;
