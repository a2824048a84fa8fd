//! Why git did not answer, and what to do about it.

use std::path::Path;

use super::limits::TIME_LIMIT;
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// There is no `git` to run.
pub(super) fn missing() -> UserError {
    UserError::new(
        text!(
            "cannot find git, so it is not known which files have uncommitted changes",
            "找不到 git，无法判断哪些文件有未提交的修改"
        ),
        text!(
            "install git, or use --allow-dirty",
            "请安装 git，或使用 --allow-dirty"
        ),
    )
}

/// The only `git` of the `PATH` is one that the repo contains.
pub(super) fn of_repo(program: &Path) -> UserError {
    UserError::new(
        text!(
            "the only git on the PATH, {}, is in the repo and is not started, so it is not known which files have uncommitted changes",
            "PATH 中唯一的 git（{}）位于仓库内，不会启动它，因此无法判断哪些文件有未提交的修改",
            term::path(program)
        ),
        text!(
            "put the folder of a git outside of the repo on the PATH, or use --allow-dirty",
            "请把仓库之外的 git 所在文件夹加入 PATH，或使用 --allow-dirty"
        ),
    )
}

/// Git refuses the repo because somebody else owns it.
pub(super) fn unsafe_ownership(root: &Path) -> UserError {
    let root = term::path(root);
    UserError::new(
        text!(
            "git refuses to look at {root}, which belongs to another user",
            "{root} 属于其他用户，git 拒绝读取"
        ),
        text!(
            "if you trust the repo, run `git config --global --add safe.directory {root}`; or use --allow-dirty",
            "如果信任该仓库，请运行 `git config --global --add safe.directory {root}`；或使用 --allow-dirty"
        ),
    )
}

/// A filter that the repo's settings name cannot be switched off.
pub(super) fn filter(root: &Path, name: &str) -> UserError {
    UserError::new(
        text!(
            "the git settings of {} have a filter that cannot be switched off: {}",
            "{} 的 git 设置中有一个无法关闭的过滤器：{}",
            term::path(root),
            term::escaped(name)
        ),
        text!(
            "take its section out of the settings (`git config --show-origin --get-regexp '^filter'` says where it is), or use --allow-dirty",
            "请从设置中删除这一节（`git config --show-origin --get-regexp '^filter'` 会显示它在哪个文件中），或使用 --allow-dirty"
        ),
    )
}

/// A pipe, a device or the like stands where git reads a file: it would wait for ever.
pub(super) fn not_a_file(path: &Path) -> UserError {
    let path = term::path(path);
    UserError::new(
        text!(
            "{path} is not a regular file, so git is not asked which files have uncommitted changes",
            "{path} 不是普通文件，因此没有询问 git 哪些文件有未提交的修改"
        ),
        text!(
            "move {path} away, or use --allow-dirty",
            "请移走 {path}，或使用 --allow-dirty"
        ),
    )
}

/// Git did not end.
pub(super) fn timed_out(root: &Path) -> UserError {
    let (root, seconds) = (term::path(root), TIME_LIMIT.as_secs());
    UserError::new(
        text!(
            "git did not say within {seconds} seconds which files of {root} have uncommitted changes",
            "git 在 {seconds} 秒内没有回答 {root} 中哪些文件有未提交的修改"
        ),
        text!(
            "if you trust the repo, see whether `git status` ends in {root}: a pipe among the files of `.git`, or one that its settings name, makes git wait for ever; or use --allow-dirty",
            "如果信任该仓库，请查看 `git status` 在 {root} 中能否结束：`.git` 内的文件或其设置所指的文件如果是管道，git 会一直等待；或使用 --allow-dirty"
        ),
    )
}

/// Git failed; `message` is what it said.
pub(super) fn failed(root: &Path, message: &str) -> UserError {
    let (root, message) = (term::path(root), term::escaped(message));
    UserError::new(
        text!(
            "git cannot tell which files of {root} have uncommitted changes: {message}",
            "git 无法判断 {root} 中哪些文件有未提交的修改：{message}"
        ),
        text!(
            "if you trust the repo, see what `git status` says in {root}; or use --allow-dirty",
            "如果信任该仓库，请在 {root} 中运行 `git status` 查看原因；或使用 --allow-dirty"
        ),
    )
}
