//! The changes to write, and the results of applying, recovering and undoing them.

use std::path::PathBuf;

use super::error::ApplyError;
use super::paths::list;
use crate::term;
use crate::text;
use crate::text::Text;

/// A file of a migration: what it must be, and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Where the file is; a link leads to the file that is meant.
    pub path: PathBuf,
    /// The bytes that it was read as; none for a file that is to be made.
    pub before: Option<Vec<u8>>,
    /// The bytes that it gets.
    pub after: Vec<u8>,
}

/// What [`recover`](super::recover) did about an interrupted run. Paths are relative to the root where they are
/// inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// A migration was taken back: these files were new, and are old again.
    MigrationTakenBack(Vec<PathBuf>),
    /// A migration had written all its files, these: it can be undone now.
    MigrationFinished(Vec<PathBuf>),
    /// An undo was finished: these files were still new, and are old again.
    UndoFinished(Vec<PathBuf>),
}

impl Recovered {
    /// What was done, without a full stop.
    pub fn text(&self) -> Text {
        match self {
            Self::MigrationTakenBack(files) if files.is_empty() => text!(
                "an earlier migration was interrupted before it had changed a file",
                "之前的一次迁移被中断，尚未修改任何文件"
            ),
            Self::MigrationTakenBack(files) => text!(
                "an earlier migration was interrupted; the files that it had written are as they were before it: {}",
                "之前的一次迁移被中断，已将它写入的文件恢复原样：{}",
                list(files)
            ),
            Self::MigrationFinished(files) => text!(
                "an earlier migration was interrupted after it had written all its files; `rehook undo` takes it back: {}",
                "之前的一次迁移在写完所有文件之后被中断，可用 `rehook undo` 撤销：{}",
                list(files)
            ),
            Self::UndoFinished(files) if files.is_empty() => text!(
                "an earlier undo was interrupted after it had restored all files",
                "之前的一次撤销在恢复完所有文件之后被中断"
            ),
            Self::UndoFinished(files) => text!(
                "an earlier undo was interrupted; the files that it had not restored yet are restored: {}",
                "之前的一次撤销被中断，已恢复其余文件：{}",
                list(files)
            ),
        }
    }
}

/// What [`undo`](super::undo) did. Paths are relative to the root where they are inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// Files that have the bytes and the mode again that they had before the migration.
    pub restored: Vec<PathBuf>,
    /// Files that the migration had made.
    pub removed: Vec<PathBuf>,
    /// How many migrations before it can be taken back now, one after another.
    pub earlier: usize,
}

/// Something in the state folder that is not finished.
#[derive(Debug)]
pub enum Pending {
    /// A journal of ours: the next run that writes finishes it or takes it back.
    Interrupted {
        /// The journal.
        journal: PathBuf,
    },
    /// A journal or undo record that will be refused, and why.
    Refused(ApplyError),
}

impl Pending {
    /// What is the case and what comes of it, with a full line for each sentence.
    pub fn text(&self) -> Text {
        match self {
            Self::Interrupted { journal } => text!(
                "an earlier run was interrupted and left {}; the next `rehook migrate` or `rehook undo` finishes it or takes it back first",
                "之前的一次运行被中断，留下了 {}；下一次 `rehook migrate` 或 `rehook undo` 会先将其完成或撤回",
                term::path(journal)
            ),
            Self::Refused(error) => error.user_error().in_one_line(),
        }
    }
}
