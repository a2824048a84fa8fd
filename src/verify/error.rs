//! Why nothing can be verified, or one plugin cannot.
//!
//! The sentences and remedies stand where a fault is known; what is here is what code branches on.

use std::io;
use std::path::{Path, PathBuf};

use crate::term;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

const MIB: u64 = 1024 * 1024;

/// Why nothing can be verified, or one plugin cannot.
#[derive(Debug)]
pub(crate) enum VerifyError {
    /// Nothing can be.
    User(UserError),
    /// One plugin cannot; others may be.
    NotRun(NotRun),
    /// There is more of a plugin, or of a repo, than is copied.
    TooLarge(TooLarge),
    /// A signal asked this program to end.
    Interrupted,
}

/// Why a plugin is not run at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotRun {
    /// The name of it in the JSON report.
    pub(crate) reason: &'static str,
    /// What people read.
    pub(crate) error: UserError,
}

/// There is more of something than is copied.
#[derive(Debug)]
pub(crate) struct TooLarge {
    /// The plugin's file or folder, or that of the repo.
    pub(crate) place: PathBuf,
    /// How much is copied at most.
    pub(crate) limit: Limit,
    /// What is largest of it, with the sizes.
    pub(crate) largest: Vec<(PathBuf, u64)>,
}

/// How much is copied at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So many bytes.
    Bytes(u64),
    /// So many files.
    Files(usize),
}

/// A file or folder that cannot be read or written.
pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> UserError {
    let path = path.to_owned();
    move |error| {
        let (path, reason) = (term::path(&path), translate::io_error(&error));
        let (en, zh) = reason.both();
        UserError::new(
            text!("{path}: {en}", "{path}：{zh}"),
            text!(
                "check that it is there, that you may read it, and that there is space left for temporary files",
                "请确认它存在、您有读取权限，并且临时文件夹还有空间"
            ),
        )
    }
}

impl VerifyError {
    /// What is not run for this reason, where it concerns one plugin. What is in the folder of `copied`
    /// is called by its place in that of `real`.
    ///
    /// # Errors
    /// The error, when it concerns more than that plugin.
    pub(crate) fn of_plugin(self, copied: &Path, real: &Path) -> Result<NotRun, Self> {
        let shown = |path: PathBuf| match path.strip_prefix(copied) {
            Ok(inside) => real.join(inside),
            Err(_) => path,
        };
        match self {
            Self::TooLarge(TooLarge {
                place,
                limit,
                largest,
            }) => {
                let largest = largest.into_iter();
                let shown = TooLarge {
                    place: shown(place),
                    limit,
                    largest: largest.map(|(path, size)| (shown(path), size)).collect(),
                };
                Ok(NotRun {
                    reason: "too_large",
                    error: shown.into(),
                })
            }
            Self::NotRun(not_run) => Ok(not_run),
            other => Err(other),
        }
    }
}

impl From<UserError> for VerifyError {
    fn from(error: UserError) -> Self {
        Self::User(error)
    }
}

impl From<NotRun> for VerifyError {
    fn from(not_run: NotRun) -> Self {
        Self::NotRun(not_run)
    }
}

impl From<VerifyError> for UserError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::User(error) => error,
            VerifyError::NotRun(not_run) => not_run.error,
            VerifyError::TooLarge(too_large) => too_large.into(),
            VerifyError::Interrupted => Self::new(
                text!("interrupted", "已中断"),
                text!(
                    "nothing was written outside of a temporary folder, which is gone",
                    "除已删除的临时文件夹外，没有写入任何内容"
                ),
            ),
        }
    }
}

impl From<TooLarge> for UserError {
    fn from(error: TooLarge) -> Self {
        let place = term::path(&error.place);
        let named = |separator: &str| {
            let each = error
                .largest
                .iter()
                .map(|(path, size)| format!("{} ({} MiB)", term::path(path), size.div_ceil(MIB)));
            each.collect::<Vec<_>>().join(separator)
        };
        let (en, zh) = if error.largest.is_empty() {
            (String::new(), String::new())
        } else {
            (
                format!(", the largest of it {}", named(", ")),
                format!("，其中最大的是 {}", named("、")),
            )
        };
        let message = match error.limit {
            Limit::Bytes(bytes) => {
                let size = bytes / MIB;
                text!(
                    "{place}, with what is copied along, is more than is left of the {size} MiB that are copied at most{en}",
                    "{place} 连同随之复制的内容超过了最多复制的 {size} MiB 中剩余的部分{zh}"
                )
            }
            Limit::Files(files) => text!(
                "{place}, with what is copied along, is more than is left of the {files} files that are copied at most{en}",
                "{place} 连同随之复制的内容超过了最多复制的 {files} 个文件中剩余的部分{zh}"
            ),
        };
        Self::new(
            message,
            text!(
                "move what does not belong to the plugin out of its folder, or verify it alone: what is copied counts for all plugins together",
                "请把不属于插件的内容移出该文件夹，或单独验证这个插件：复制的总量由所有插件共用"
            ),
        )
    }
}
