//! The original of what has been migrated already: the tree of a commit, written into a folder.
//!
//! Git is only asked. Names that would lead out of the folder are passed over, and links are
//! written last, so that nothing is written through one.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;

use super::copy::CopyBudget;
use crate::migrate::project::git;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::user_error::UserError;
use crate::verify::error::{self, NotRun, VerifyError};
use crate::verify::runner::process::{self, Group, Watchdog};

/// A commit of a repo.
#[derive(Debug)]
pub(crate) struct Baseline {
    root: PathBuf,
    /// The commit, as the user wrote it.
    revision: String,
    files: Vec<File>,
    /// The folders with an `__init__.py`.
    packages: HashSet<PathBuf>,
}

/// A file of the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    id: String,
    is_link: bool,
    /// Relative to the root; leads nowhere else.
    path: PathBuf,
}

impl Baseline {
    /// The tree of `revision` in the repo at `root`.
    ///
    /// # Errors
    /// When there is no such commit, or git does not answer.
    pub(crate) fn open(root: &Path, revision: &str) -> Result<Self, VerifyError> {
        git::check_files(root, &[]).map_err(|error| git_failed(root, &error.message))?;
        let wanted = format!("{revision}^{{commit}}");
        let mut parse = git::command(root);
        parse.args([
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ]);
        let output = output(root, parse)?;
        if git::is_distrust(&output.stderr) {
            return Err(unsafe_ownership(root).into());
        }
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || commit.is_empty() {
            return Err(no_revision(revision, root).into());
        }
        let mut list = git::command(root);
        list.args(["ls-tree", "-r", "-z", "--full-tree", &commit]);
        let listed = output_of(root, list)?;
        let files = listed.split(|&byte| byte == 0).filter_map(File::parse);
        let files: Vec<File> = files.collect();
        let packages = files
            .iter()
            .filter(|file| file.path.file_name() == Some(OsStr::new("__init__.py")))
            .filter_map(|file| file.path.parent().map(Path::to_owned));
        Ok(Self {
            root: root.to_owned(),
            revision: revision.to_owned(),
            packages: packages.collect(),
            files,
        })
    }

    /// The commit, as the user wrote it.
    pub(crate) fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether the folder at `path`, relative to the root, is a package.
    pub(crate) fn is_package(&self, path: &Path) -> bool {
        self.packages.contains(path)
    }

    /// Writes those of its files that are `wanted` into `folder`.
    ///
    /// # Errors
    /// When git does not give them, they cannot be written, or there are too many.
    pub(crate) fn write(
        &self,
        folder: &Path,
        wanted: impl Fn(&Path) -> bool,
        budget: &mut CopyBudget,
    ) -> Result<(), VerifyError> {
        let mut files: Vec<&File> = self.files.iter().filter(|f| wanted(&f.path)).collect();
        files.sort_by_key(|file| file.is_link);
        if files.is_empty() {
            return Ok(());
        }
        let mut command = git::command(&self.root);
        command
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut group = Group::spawn(command).map_err(|error| self.failed(&error))?;
        let watchdog = Watchdog::over(&group, git::TIME_LIMIT);
        let child = group.child();
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.failed(&io::ErrorKind::BrokenPipe.into()));
        };
        let asked: String = files.iter().map(|file| format!("{}\n", file.id)).collect();
        // On a thread of its own, as git answers before it has been asked everything. If it stops
        // reading, its answers end too, which is noticed below.
        thread::spawn(move || drop(stdin.write_all(asked.as_bytes())));
        let mut answers = BufReader::new(stdout);
        for file in files {
            let failed = |error| match watchdog.is_over() {
                true => self.failed(&io::ErrorKind::TimedOut.into()),
                false => self.failed(&error),
            };
            let size = size(&mut answers).map_err(failed)?;
            budget.take(&self.root, size)?;
            let mut bytes = Vec::new();
            let taken = answers.by_ref().take(size + 1).read_to_end(&mut bytes);
            match taken {
                Ok(read) if read as u64 == size + 1 => drop(bytes.pop()),
                Ok(_) => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
                Err(error) => return Err(failed(error)),
            }
            let path = folder.join(&file.path);
            write_file(&path, &bytes, file.is_link).map_err(error::io(&path))?;
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> VerifyError {
        failed(&self.root, error)
    }
}

impl File {
    /// `mode type id<tab>path`; none for what is not a file, and for a path that leads elsewhere.
    fn parse(entry: &[u8]) -> Option<Self> {
        let tab = entry.iter().position(|&byte| byte == b'\t')?;
        let mut words = std::str::from_utf8(entry.get(..tab)?).ok()?.split(' ');
        let (mode, kind, id) = (words.next()?, words.next()?, words.next()?);
        let path = git::name_from_bytes(entry.get(tab + 1..)?)?;
        let is_inside = path.components().all(|part| match part {
            Component::Normal(name) => !name.eq_ignore_ascii_case(OsStr::new(".git")),
            _ => false,
        });
        (kind == "blob" && is_inside).then(|| Self {
            id: id.to_owned(),
            is_link: mode == "120000",
            path,
        })
    }
}

/// The size that the head of an answer tells: `id type size`.
fn size(answers: &mut BufReader<ChildStdout>) -> io::Result<u64> {
    let mut head = String::new();
    answers.by_ref().take(256).read_line(&mut head)?;
    let size = head.trim_end().rsplit(' ').next();
    size.and_then(|size| size.parse().ok())
        .ok_or_else(|| io::Error::other(head.trim_end().to_owned()))
}

fn write_file(path: &Path, bytes: &[u8], is_link: bool) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    #[cfg(unix)]
    if is_link {
        use std::os::unix::ffi::OsStrExt;
        return std::os::unix::fs::symlink(OsStr::from_bytes(bytes), path);
    }
    // Where there are no links, git writes files that name the target; so do we.
    let _ = is_link;
    fs::write(path, bytes)
}

fn failed(root: &Path, error: &io::Error) -> VerifyError {
    let message = match error.kind() {
        io::ErrorKind::TimedOut => text!(
            "it did not answer within {} seconds, as when a pipe is among its own files",
            "{} 秒内没有响应，例如它自己的文件中有管道",
            git::TIME_LIMIT.as_secs()
        ),
        _ => translate::io_error(error),
    };
    git_failed(root, &message).into()
}

fn output(root: &Path, command: Command) -> Result<std::process::Output, VerifyError> {
    process::output(command, git::TIME_LIMIT).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => no_git().into(),
        _ => failed(root, &error),
    })
}

fn output_of(root: &Path, command: Command) -> Result<Vec<u8>, VerifyError> {
    let output = output(root, command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = Text::verbatim(term::escaped(said.trim()).into_owned());
    Err(git_failed(root, &said).into())
}

/// Git did not give what was asked of it.
fn git_failed(root: &Path, message: &Text) -> UserError {
    let root = term::path(root);
    let (en, zh) = message.both();
    UserError::new(
        text!(
            "git cannot read the original from {root}: {en}",
            "git 无法从 {root} 读取迁移前的版本：{zh}"
        ),
        text!(
            "if you trust the repo, see what `git status` says there; what a partial clone lacks is not fetched here: `git fetch` it first",
            "如果信任该仓库，请在该处运行 `git status` 查看原因；这里不会为部分克隆取回缺少的对象，请先运行 `git fetch`"
        ),
    )
}

/// There is no such commit.
fn no_revision(revision: &str, root: &Path) -> NotRun {
    let root = term::path(root);
    NotRun {
        reason: "no_revision",
        error: UserError::new(
            text!(
                "there is no commit {revision} in {root}",
                "{root} 中没有提交 {revision}"
            ),
            text!(
                "name the commit before the migration with --base",
                "请用 --base 指定迁移之前的提交"
            ),
        ),
    }
}

/// There is no git to ask for the original.
fn no_git() -> NotRun {
    NotRun {
        reason: "no_git",
        error: UserError::new(
            text!(
                "already migrated, and git is not available to read the original",
                "该插件已迁移，但找不到 git，无法取得迁移前的版本"
            ),
            text!(
                "install git, or add its folder to the PATH",
                "请安装 git，或把它所在的文件夹加入 PATH"
            ),
        ),
    }
}

/// Git refuses the repo because somebody else owns it.
fn unsafe_ownership(root: &Path) -> NotRun {
    let root = term::path(root);
    NotRun {
        reason: "distrusted",
        error: UserError::new(
            text!(
                "already migrated, and git refuses to read the original from {root}, which belongs to another user",
                "该插件已迁移，但 {root} 属于其他用户，git 拒绝从中读取迁移前的版本"
            ),
            text!(
                "if you trust the repo, run `git config --global --add safe.directory {root}`, or run verify as its owner",
                "如果信任该仓库，请运行 `git config --global --add safe.directory {root}`，或以其所有者的身份运行 verify"
            ),
        ),
    }
}

/// The commit `base` does not show what a plugin was; there is none outside of git.
pub(crate) fn no_original(base: Option<&str>) -> NotRun {
    let message = match base {
        Some(base) => text!(
            "already migrated, and the commit {base} shows no webhook to compare with",
            "该插件已迁移，但提交 {base} 中没有可供比较的 webhook"
        ),
        None => text!(
            "already migrated, and outside of git there is no original to compare with",
            "该插件已迁移，但不在 git 仓库中，没有迁移前的版本可供比较"
        ),
    };
    let help = match base {
        Some("HEAD") => text!(
            "name the commit before the migration, as in `--base HEAD~1`; `git log -- webhook-routes.toml` shows when that was",
            "请指定迁移之前的提交，例如 `--base HEAD~1`；`git log -- webhook-routes.toml` 会显示迁移的时间"
        ),
        Some(_) => text!(
            "name another commit before the migration with --base; what needed a manual change in that commit too has nothing to be compared with",
            "请用 --base 指定迁移之前的另一个提交；如果它在那个提交中也需要手动处理，就没有可供比较的版本"
        ),
        None => text!(
            "run it before `migrate`, or in a git repo whose commit `--base` names has the original",
            "请在 `migrate` 之前运行，或在 git 仓库中用 `--base` 指定含有原始版本的提交"
        ),
    };
    NotRun {
        reason: "no_original",
        error: UserError::new(message, help),
    }
}

/// A plugin is not at the place any more that it had in the commit `base`.
pub(crate) fn gone(base: &str, place: &Path) -> NotRun {
    let place = term::path(place);
    NotRun {
        reason: "gone",
        error: UserError::new(
            text!(
                "not at {place} any more, where it was in the commit {base}",
                "已从提交 {base} 中的位置 {place} 移走"
            ),
            text!(
                "name a commit in which it is where it is today: --base",
                "请用 --base 指定位置与现在相同的提交"
            ),
        ),
    }
}

#[cfg(all(test, unix))]
mod tests;
