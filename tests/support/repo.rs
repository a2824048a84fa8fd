//! A repo in a temporary folder, with everything committed, and the commands that run in it.
//!
//! Nothing of the user reaches it: no git configuration, no language, no colour.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::tree::Tree;

/// What a run of a program gave.
pub(crate) struct Run {
    /// The exit code; -1 if it was ended by a signal.
    pub exit: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Run {
    /// Both outputs and the exit code, for a failure message.
    pub(crate) fn transcript(&self) -> String {
        format!(
            "exit {}\n{}{}",
            self.exit,
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr)
        )
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        }
    }
}

/// A repo in a temporary folder; it goes when this value does.
pub(crate) struct Repo {
    /// Holds `repo`, where the files are, and `home`, which is empty.
    folder: tempfile::TempDir,
}

impl Repo {
    /// A repo whose only commit holds `tree`.
    pub(crate) fn new(tree: &Tree) -> io::Result<Self> {
        let repo = Self {
            folder: tempfile::tempdir()?,
        };
        tree.write(&repo.root())?;
        fs::create_dir_all(repo.folder.path().join("home"))?;
        for args in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "--all"],
            &["commit", "--quiet", "--allow-empty", "--message=before"],
        ] {
            let run = repo.git(args, b"")?;
            if run.exit != 0 {
                return Err(io::Error::other(format!(
                    "git {args:?}: {}",
                    run.transcript()
                )));
            }
        }
        Ok(repo)
    }

    /// The root of the repo.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// What is in the repo now, without git's own folder.
    pub(crate) fn tree(&self) -> io::Result<Tree> {
        Tree::read(&self.root(), &[".git"])
    }

    /// Runs git in the repo.
    pub(crate) fn git(&self, args: &[&str], input: &[u8]) -> io::Result<Run> {
        self.run(Path::new("git"), args, input)
    }

    /// Runs `rehook` in the repo.
    pub(crate) fn rehook(&self, args: &[&str]) -> io::Result<Run> {
        self.run(Path::new(env!("CARGO_BIN_EXE_rehook")), args, b"")
    }

    /// Runs a program in the repo.
    pub(crate) fn run(&self, program: &Path, args: &[&str], input: &[u8]) -> io::Result<Run> {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(self.root())
            .env("HOME", self.folder.path().join("home"))
            .env("XDG_CONFIG_HOME", self.folder.path().join("home"))
            .env_remove("XDG_STATE_HOME")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("LANG")
            .env_remove("LANGUAGE")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "")
            .env("GIT_CONFIG_COUNT", "0")
            .env("GIT_AUTHOR_NAME", "A. Author")
            .env("GIT_AUTHOR_EMAIL", "author@example.com")
            .env("GIT_AUTHOR_DATE", "2025-01-01T00:00:00Z")
            .env("GIT_COMMITTER_NAME", "A. Author")
            .env("GIT_COMMITTER_EMAIL", "author@example.com")
            .env("GIT_COMMITTER_DATE", "2025-01-01T00:00:00Z")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let input = input.to_vec();
        // A thread of its own, so that a program which writes before it has read all cannot stop
        // both; one which does not read at all closes the pipe, and that is its good right.
        let writer = std::thread::spawn(move || {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(&input);
            }
        });
        let output = child.wait_with_output()?;
        let _ = writer.join();
        Ok(output.into())
    }

    /// `bytes` with the repo's own place replaced by `[ROOT]`, as it is another one each time.
    pub(crate) fn normalised(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let root = self.root();
        let mut places = vec![root.to_string_lossy().into_owned()];
        if let Ok(real) = root.canonicalize() {
            places.push(real.to_string_lossy().into_owned());
        }
        for place in places {
            bytes = replace(&bytes, place.as_bytes(), b"[ROOT]");
        }
        bytes
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}
