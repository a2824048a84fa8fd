//! Why a migration was not written, not recovered or not taken back.
//!
//! Every error names the place and the reason, and says what to do. Where nothing else is said,
//! no file was changed.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::limits::MOST_RUNS;
use super::paths::list;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::user_error::UserError;

/// What was being done to a file or folder when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reading it, or finding out what it is.
    Read,
    /// Making it.
    Create,
    /// Writing into it.
    Write,
    /// Giving it the owner and the mode of the file that it replaces.
    SetMode,
    /// Waiting until it is on the disk.
    Sync,
    /// Putting it in its place.
    Rename,
    /// Taking it away.
    Remove,
    /// Locking it.
    Lock,
}

/// Why a migration was not written, not recovered or not taken back.
///
/// The message of the system stands in the text already, so it is not given as a source again.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// Another run is at work in the same place.
    Busy {
        /// The root that it works in.
        root: PathBuf,
    },
    /// Files are not what they were when the change was planned.
    Changed {
        /// Those files.
        paths: Vec<PathBuf>,
    },
    /// A file that was to be made is there already.
    Exists {
        /// That file.
        path: PathBuf,
    },
    /// A file must not be written.
    ReadOnly {
        /// That file.
        path: PathBuf,
    },
    /// A folder, a device or the like stands where a file was expected.
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// Something that this program did not put there stands in its folder, in the place of one of its
    /// own files.
    Obstacle {
        /// What stands there.
        path: PathBuf,
    },
    /// Two different changes were asked for one file, by different names.
    Conflict {
        /// The file behind both names.
        path: PathBuf,
    },
    /// The system refused an operation.
    Io {
        /// What was to be done.
        action: Action,
        /// To which file or folder.
        path: PathBuf,
        /// Why it was refused.
        reason: io::Error,
    },
    /// A run failed, and taking back what it had written failed too.
    Halfway {
        /// Why the run failed.
        cause: Box<ApplyError>,
        /// Why it could not be taken back.
        obstacle: Box<ApplyError>,
    },
    /// An earlier run was interrupted and has not been recovered yet.
    Unfinished {
        /// Its journal.
        journal: PathBuf,
    },
    /// An interrupted run cannot be taken back because files were edited since.
    EditedSinceInterruption {
        /// Those files.
        paths: Vec<PathBuf>,
        /// The journal of that run.
        journal: PathBuf,
    },
    /// The last migration cannot be taken back because files were edited since.
    EditedSinceMigration {
        /// Those files.
        paths: Vec<PathBuf>,
    },
    /// There is no migration to take back.
    NothingToUndo {
        /// Where one was looked for.
        root: PathBuf,
    },
    /// A journal is not as it was written.
    Damaged {
        /// The journal.
        journal: PathBuf,
    },
    /// A journal was written by a release that this one does not know.
    UnknownVersion {
        /// The journal.
        journal: PathBuf,
        /// The version of its format.
        version: String,
    },
    /// A journal that this user's `rehook` did not write for this root.
    Foreign {
        /// The journal.
        journal: PathBuf,
    },
    /// A journal that git tracks, so that anybody may have written it.
    Tracked {
        /// The journal.
        journal: PathBuf,
    },
    /// There is no folder to keep the key in that journals are sealed with.
    NoHome,
    /// The key that journals are sealed with cannot be made or read.
    NoKey {
        /// Where it is.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The key that journals are sealed with may be known to others, or is not a key.
    UnsafeKey {
        /// Where it is.
        path: PathBuf,
    },
    /// The key that journals are sealed with would be in the tree that they are for.
    KeyInside {
        /// Where it would be.
        path: PathBuf,
    },
    /// A journal that was copied within this place names a file outside of it.
    Outside {
        /// The journal.
        journal: PathBuf,
        /// The file that it names.
        path: PathBuf,
    },
    /// The name of the state folder is taken by something else.
    NoStateFolder {
        /// What stands there.
        path: PathBuf,
    },
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.user_error(), f)
    }
}

impl From<ApplyError> for UserError {
    fn from(error: ApplyError) -> Self {
        error.user_error()
    }
}

impl ApplyError {
    pub(super) fn no_key(path: &Path, reason: io::Error) -> Self {
        Self::NoKey {
            path: path.to_owned(),
            reason,
        }
    }

    pub(super) fn io(action: Action, path: &Path, reason: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            reason,
        }
    }

    /// The error as a user sees it.
    pub fn user_error(&self) -> UserError {
        let (message, help) = match self {
            Self::Busy { root } => (
                text!(
                    "another run of rehook is at work in {}",
                    "另一个 rehook 进程正在处理 {}",
                    term::path(root)
                ),
                text!(
                    "wait until it has finished, then run rehook again",
                    "请等它结束后再运行 rehook"
                ),
            ),
            Self::Changed { paths } => (
                text!(
                    "changed since it was read, so nothing was written: {}",
                    "文件在读取之后发生了变化，未写入任何内容：{}",
                    list(paths)
                ),
                text!(
                    "run rehook again, so that it sees what the files are now",
                    "请重新运行 rehook，以读取文件的最新内容"
                ),
            ),
            Self::Exists { path } => (
                text!(
                    "{} exists already, so nothing was written",
                    "{} 已存在，未写入任何内容",
                    term::path(path)
                ),
                text!(
                    "look at the file, move it away or choose another name, then run rehook again",
                    "请检查该文件，将其移走或换一个名称，再重新运行 rehook"
                ),
            ),
            Self::ReadOnly { path } => (
                text!(
                    "{} is read-only, so nothing was written",
                    "{} 是只读文件，未写入任何内容",
                    term::path(path)
                ),
                text!(
                    "make the file writable, then run rehook again",
                    "请为文件添加写权限，再重新运行 rehook"
                ),
            ),
            Self::NotAFile { path } => (
                text!(
                    "{} is not a regular file",
                    "{} 不是普通文件",
                    term::path(path)
                ),
                text!(
                    "leave it out, or put a file in its place",
                    "请将其排除，或换成普通文件"
                ),
            ),
            Self::Obstacle { path } => (
                text!(
                    "{} cannot be from rehook: it is not a regular file, or far too large",
                    "{} 不可能由 rehook 写入：它不是普通文件，或者过大",
                    term::path(path)
                ),
                text!(
                    "delete {}, or move it away",
                    "请删除或移走 {}",
                    term::path(path)
                ),
            ),
            Self::Conflict { path } => (
                text!(
                    "two different changes are planned for {}",
                    "对 {} 计划了两处互相冲突的修改",
                    term::path(path)
                ),
                text!(
                    "name the file only once, without the link that leads to it",
                    "请只指定该文件一次，不要同时指定指向它的链接"
                ),
            ),
            Self::Io {
                action,
                path,
                reason,
            } => (
                refused(*action, path, reason),
                refusal_remedy(*action, path, reason),
            ),
            Self::Halfway { cause, obstacle } => {
                let (cause, obstacle) = (cause.user_error(), obstacle.user_error());
                let ((cause_en, cause_zh), (en, zh)) =
                    (cause.message.both(), obstacle.message.both());
                let (first_en, first_zh) = obstacle.help.both();
                (
                    text!(
                        "{cause_en}; taking back what had been written failed too: {en}; every file is whole, but some may be new and others old",
                        "{cause_zh}；撤回已写入的内容时也失败了：{zh}。每个文件都是完整的，但可能有新有旧"
                    ),
                    text!(
                        "{first_en}; then run rehook again: it takes the rest back first",
                        "{first_zh}；然后重新运行 rehook，它会先撤回其余的修改"
                    ),
                )
            }
            Self::Unfinished { journal } => (
                text!(
                    "an earlier run was interrupted and left {}",
                    "之前的一次运行被中断，留下了 {}",
                    term::path(journal)
                ),
                text!(
                    "run rehook again: it will finish or roll back that run first",
                    "请重新运行 rehook，它会先处理这次中断"
                ),
            ),
            Self::EditedSinceInterruption { paths, journal } => (
                text!(
                    "an earlier run was interrupted, and cannot be taken back because files were edited, moved or deleted since: {}",
                    "之前的一次运行被中断，但以下文件此后被编辑、移动或删除，无法恢复：{}",
                    list(paths)
                ),
                text!(
                    "put these files back as they were and run rehook again; or, to keep every file as it is now, delete {}",
                    "请将这些文件恢复原样后重新运行 rehook；如果要保留所有文件的现状，请删除 {}",
                    term::path(journal)
                ),
            ),
            Self::EditedSinceMigration { paths } => (
                text!(
                    "edited, moved or deleted since the migration, so nothing was taken back: {}",
                    "以下文件在迁移之后被编辑、移动或删除，未撤销任何内容：{}",
                    list(paths)
                ),
                text!(
                    "put these files back as the migration wrote them, or take it back with git",
                    "请将这些文件恢复为迁移后的内容，或改用 git 撤销"
                ),
            ),
            Self::NothingToUndo { root } => (
                text!(
                    "there is no migration to take back in {}",
                    "{} 中没有可以撤销的迁移",
                    term::path(root)
                ),
                text!(
                    "name the repo that was migrated; its last {MOST_RUNS} migrations are kept, and each can be taken back once",
                    "请指定执行过迁移的仓库；最近 {MOST_RUNS} 次迁移会保留撤销记录，每次只能撤销一次"
                ),
            ),
            Self::Damaged { journal } => (
                text!("{} is damaged", "{} 已损坏", term::path(journal)),
                text!(
                    "look through the changed files (`git diff`), put right what is not as it should be, then delete {}",
                    "请检查被修改的文件（`git diff`），改正不符合预期之处，然后删除 {}",
                    term::path(journal)
                ),
            ),
            Self::UnknownVersion { journal, version } => (
                text!(
                    "{} was written by another release of rehook (format {version})",
                    "{} 由另一个版本的 rehook 写入（格式版本 {version}）",
                    term::path(journal)
                ),
                text!(
                    "use the release that wrote it; or, to keep every file as it is now, delete {}",
                    "请使用写入它的那个版本；如果要保留所有文件的现状，请删除 {}",
                    term::path(journal)
                ),
            ),
            Self::Foreign { journal } => (
                text!(
                    "{} was not written by your rehook for this folder, so it is not carried out",
                    "{} 不是由您的 rehook 为此文件夹写入的，因此不会执行",
                    term::path(journal)
                ),
                text!(
                    "it was copied or moved here with the folder, or somebody planted it; to keep every file as it is now, delete {}; to take a migration back, use git",
                    "它可能是随文件夹一起复制或移动过来的，也可能是他人恶意放置的；如果要保留所有文件的现状，请删除 {}；如果要撤销迁移，请使用 git",
                    term::path(journal)
                ),
            ),
            Self::Tracked { journal } => (
                text!(
                    "{} is tracked by git, so anybody may have written it, and it is not carried out",
                    "{} 由 git 跟踪，任何人都可能写入过它，因此不会执行",
                    term::path(journal)
                ),
                text!(
                    "run `git rm -r --cached .rehook`; to keep every file as it is now, delete {} as well",
                    "请运行 `git rm -r --cached .rehook`；如果要保留所有文件的现状，请一并删除 {}",
                    term::path(journal)
                ),
            ),
            Self::NoHome => (
                text!(
                    "there is no home folder to keep the key in that shows which journals are yours, so nothing was written",
                    "没有主文件夹，无法保存用来辨认日志归属的密钥，因此未写入任何内容"
                ),
                set_state_home(),
            ),
            Self::NoKey { path, reason } => {
                let reason = translate::io_error(reason);
                let (en, zh) = reason.both();
                (
                    text!(
                        "the key that shows which journals are yours cannot be kept in {0} ({en}), so nothing was written",
                        "无法在 {0} 保存用来辨认日志归属的密钥（{zh}），因此未写入任何内容",
                        term::path(path)
                    ),
                    set_state_home(),
                )
            }
            Self::UnsafeKey { path } => (
                text!(
                    "{} is not a key that only you can read, so nothing was written",
                    "{} 不是只有您本人可读的密钥，因此未写入任何内容",
                    term::path(path)
                ),
                text!(
                    "if nobody else can have read it, run `chmod 600 {0}`; else delete it: a new one is made, and earlier runs can then be taken back with git only",
                    "如果确定没有其他人读取过它，请运行 `chmod 600 {0}`；否则请删除它：之后会生成新的密钥，而更早的迁移只能用 git 撤销",
                    term::path(path)
                ),
            ),
            Self::KeyInside { path } => (
                text!(
                    "the key that shows which journals are yours would be in the repo itself, as {}, where anybody may have put one, so nothing was written",
                    "用来辨认日志归属的密钥会位于仓库之内（{}），任何人都可能在那里放置密钥，因此未写入任何内容",
                    term::path(path)
                ),
                set_state_home(),
            ),
            Self::Outside { path, journal } => (
                text!(
                    "{} was not written in this place, and names a file outside of it: {}",
                    "{} 不是在此处生成的，却指向了目录之外的文件：{}",
                    term::path(journal),
                    term::path(path)
                ),
                text!(
                    "it was copied here, or somebody planted it; to keep every file as it is now, delete {}",
                    "它可能是被复制过来的，也可能是他人恶意放置的；如果要保留所有文件的现状，请删除 {}",
                    term::path(journal)
                ),
            ),
            Self::NoStateFolder { path } => (
                text!(
                    "{} is not a folder, so there is no place for the journal",
                    "{} 不是文件夹，无法存放日志",
                    term::path(path)
                ),
                text!(
                    "move {} away, then run rehook again",
                    "请移走 {}，再重新运行 rehook",
                    term::path(path)
                ),
            ),
        };
        UserError { message, help }
    }
}

fn set_state_home() -> Text {
    text!(
        "set XDG_STATE_HOME to a folder outside of the repo that you can write to, also for `rehook undo`",
        "请将 XDG_STATE_HOME 设为仓库之外的一个可写文件夹，运行 `rehook undo` 时也要保持该设置"
    )
}

fn refused(action: Action, path: &Path, reason: &io::Error) -> Text {
    let (en, zh) = match action {
        Action::Read => ("cannot read", "无法读取"),
        Action::Create => ("cannot create", "无法创建"),
        Action::Write => ("cannot write", "无法写入"),
        Action::SetMode => ("cannot set the permissions of", "无法设置权限："),
        Action::Sync => ("cannot write to disk", "无法写入磁盘："),
        Action::Rename => ("cannot put in place", "无法替换"),
        Action::Remove => ("cannot remove", "无法删除"),
        Action::Lock => ("cannot lock", "无法锁定"),
    };
    let space = if zh.ends_with('：') { "" } else { " " };
    let path = term::path(path);
    let reason = translate::io_error(reason);
    let (reason_en, reason_zh) = reason.both();
    text!("{en} {path}: {reason_en}", "{zh}{space}{path}：{reason_zh}")
}

fn refusal_remedy(action: Action, path: &Path, reason: &io::Error) -> Text {
    let folder = term::path(path.parent().unwrap_or(path));
    match reason.kind() {
        ErrorKind::NotFound => text!("check that {folder} exists", "请确认 {folder} 存在"),
        ErrorKind::PermissionDenied if action == Action::Read => text!(
            "check that you may read {}",
            "请确认您对 {} 有读取权限",
            term::path(path)
        ),
        ErrorKind::PermissionDenied => text!(
            "check that you may write in {folder}",
            "请确认您对 {folder} 有写权限"
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => text!(
            "make room on the disk of {folder}",
            "请清理 {folder} 所在磁盘的空间"
        ),
        ErrorKind::ReadOnlyFilesystem => text!(
            "mount the file system of {folder} so that it can be written",
            "请以可写方式挂载 {folder} 所在的文件系统"
        ),
        _ => text!(
            "fix the cause reported by the system, then try again",
            "请根据系统给出的原因处理后重试"
        ),
    }
}
