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
use crate::migrate::git;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::verify::error::VerifyError;
use crate::verify::process::{self, Group, Watchdog};

/// A commit of a repo.
#[derive(Debug)]
pub struct Baseline {
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
    pub fn open(root: &Path, revision: &str) -> Result<Self, VerifyError> {
        git::check_files(root, &[]).map_err(|error| VerifyError::Git {
            root: root.to_owned(),
            message: error.text(),
        })?;
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
            return Err(VerifyError::Distrusted {
                root: root.to_owned(),
            });
        }
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || commit.is_empty() {
            return Err(VerifyError::NoRevision {
                revision: revision.to_owned(),
                root: root.to_owned(),
            });
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
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether the folder at `path`, relative to the root, is a package.
    pub fn is_package(&self, path: &Path) -> bool {
        self.packages.contains(path)
    }

    /// Writes those of its files that are `wanted` into `folder`.
    ///
    /// # Errors
    /// When git does not give them, they cannot be written, or there are too many.
    pub fn write(
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
            write_file(&path, &bytes, file.is_link).map_err(VerifyError::io(&path))?;
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> VerifyError {
        failed(&self.root, error)
    }
}

impl File {
    /// `mode type id<tab>path`; none for what is no file, and for a path that leads elsewhere.
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
            "{} 秒内没有应答，例如它自己的文件中有管道",
            git::TIME_LIMIT.as_secs()
        ),
        _ => translate::io_error(error),
    };
    VerifyError::Git {
        root: root.to_owned(),
        message,
    }
}

fn output(root: &Path, command: Command) -> Result<std::process::Output, VerifyError> {
    process::output(command, git::TIME_LIMIT).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => VerifyError::NoGit,
        _ => failed(root, &error),
    })
}

fn output_of(root: &Path, command: Command) -> Result<Vec<u8>, VerifyError> {
    let output = output(root, command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(VerifyError::Git {
        root: root.to_owned(),
        message: Text::verbatim(term::escaped(said.trim()).into_owned()),
    })
}

#[cfg(all(test, unix))]
mod tests;
