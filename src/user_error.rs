//! An error as a user sees it: what is wrong and where, and what to do about it.
//!
//! Made where the fault is known, so that the sentence and its remedy stand together. An error on
//! which code branches is an enum of its own, and becomes one of these at the edge.

use std::fmt;
use std::io;
use std::path::Path;

use crate::nearest;
use crate::term;
use crate::text;
use crate::text::{Text, translate};

/// An error with its remedy, in both languages, each without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// What is wrong, and where.
    pub message: Text,
    /// What to do about it.
    pub help: Text,
}

impl UserError {
    /// An error from its two sentences.
    pub fn new(message: Text, help: Text) -> Self {
        Self { message, help }
    }

    /// A path that was asked for does not exist or cannot be read.
    pub fn path(path: &Path, error: &io::Error) -> Self {
        let meant = match error.kind() {
            io::ErrorKind::NotFound => nearest::path(path),
            _ => None,
        };
        let (path, reason) = (term::path(path), translate::io_error(error));
        let (en, zh) = reason.both();
        Self {
            message: text!("cannot access {path}: {en}", "无法访问 {path}：{zh}"),
            help: match meant {
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

    /// The error, said of a file, and of a line of it where that is known.
    pub fn at(self, path: &Path, line: Option<usize>) -> Self {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let (place, (en, zh)) = (term::path(path), self.message.both());
        Self {
            message: text!("{place}{line}: {en}", "{place}{line}: {zh}"),
            help: self.help,
        }
    }

    /// Both sentences in one line.
    pub fn in_one_line(&self) -> Text {
        let ((en, zh), (help_en, help_zh)) = (self.message.both(), self.help.both());
        text!("{en}; {help_en}", "{zh}；{help_zh}")
    }

    /// A file that has to be read besides the sources.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let (path, reason) = (term::path(path), translate::io_error(error));
        let (en, zh) = reason.both();
        Self {
            message: text!("cannot read {path}: {en}", "无法读取 {path}：{zh}"),
            help: text!("check that you may read it", "请确认您有读取权限"),
        }
    }

    /// This program made something that is wrong; nothing was written.
    pub fn bug(reason: &Text) -> Self {
        let (en, zh) = reason.both();
        Self {
            message: text!(
                "this is a bug in rehook, and nothing was written: {en}",
                "这是 rehook 自身的缺陷，没有写入任何文件：{zh}"
            ),
            help: text!(
                "please report it together with the file; meanwhile migrate the other files by naming them",
                "请连同相关文件一起反馈；在此之前，可以逐个指定其他文件进行迁移"
            ),
        }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for UserError {}
