//! Why git did not answer, and what to do about it.

use std::path::PathBuf;

use thiserror::Error;

use super::limits::TIME_LIMIT;
use crate::term;
use crate::text;
use crate::text::Text;

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
    UnsafeOwnership {
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
    TimedOut {
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
            Self::UnsafeOwnership { root } => text!(
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
            Self::TimedOut { root } => text!(
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
            Self::UnsafeOwnership { root } => text!(
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
            Self::TimedOut { root } => text!(
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
