//! An error that a user sees: the place and the reason, and what to do about it.

use std::fmt;
use std::io;
use std::path::Path;

use super::nearest;
use crate::migrate::apply::ApplyError;
use crate::migrate::git::GitError;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::verify::error::VerifyError;

/// An error with its remedy, in both languages.
#[derive(Debug)]
pub struct Failure {
    /// What is the case, and where.
    pub text: Text,
    /// What to do.
    pub remedy: Text,
}

impl Failure {
    /// A path that was asked for does not exist or cannot be read.
    pub fn path(path: &Path, error: &io::Error) -> Self {
        let meant = match error.kind() {
            io::ErrorKind::NotFound => nearest::path(path),
            _ => None,
        };
        let (path, reason) = (term::path(path), translate::io_error(error));
        let (en, zh) = reason.both();
        Self {
            text: text!("cannot access {path}: {en}", "无法访问 {path}：{zh}"),
            remedy: match meant {
                Some(meant) => text!(
                    "name a file or a folder that exists; did you mean {}?",
                    "请指定存在的文件或文件夹；您要找的可能是 {}",
                    term::path(&meant)
                ),
                None => text!(
                    "name a file or a folder that exists",
                    "请指定存在的文件或文件夹"
                ),
            },
        }
    }

    /// A file that has to be read besides the sources.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let (path, reason) = (term::path(path), translate::io_error(error));
        let (en, zh) = reason.both();
        Self {
            text: text!("cannot read {path}: {en}", "无法读取 {path}：{zh}"),
            remedy: text!("check that you may read it", "请确认您有读取权限"),
        }
    }

    /// The results could not be written to where they were to go.
    pub fn not_shown(error: &io::Error) -> Self {
        let reason = translate::io_error(error);
        let (en, zh) = reason.both();
        Self {
            text: text!(
                "cannot write the results to the standard output: {en}",
                "无法将结果写到标准输出：{zh}"
            ),
            remedy: text!(
                "make room there, or send the results somewhere else",
                "请清理空间，或将结果输出到别处"
            ),
        }
    }

    /// This program made something that is wrong; nothing was written.
    pub fn bug(reason: &Text) -> Self {
        let (en, zh) = (
            reason.get(crate::text::Lang::En),
            reason.get(crate::text::Lang::Zh),
        );
        Self {
            text: text!(
                "this is a bug in rehook, and nothing was written: {en}",
                "这是 rehook 自身的缺陷，没有写入任何文件：{zh}"
            ),
            remedy: text!(
                "please report it together with the file; meanwhile migrate the other files by naming them",
                "请连同相关文件一起反馈；在此之前，可以逐个指定其他文件进行迁移"
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Self {
            text: error.text(),
            remedy: error.remedy(),
        }
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self {
            text: error.text(),
            remedy: error.remedy(),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        Self {
            text: error.text(),
            remedy: error.remedy(),
        }
    }
}
