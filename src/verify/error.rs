//! Why nothing could be verified: the place and the reason, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::term;
use crate::text;
use crate::text::{Lang, Text, translate};
use crate::verify::runner::protocol::{Fatal, FatalReason};
use crate::verify::runner::python::LookedAt;

const MIB: u64 = 1024 * 1024;

/// Why nothing could be verified.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The runner needs what this system does not have.
    #[error("{}", self.text())]
    NotUnix,
    /// No Python that can be used.
    #[error("{}", self.text())]
    NoPython {
        /// What was looked at.
        looked_at: Vec<LookedAt>,
        /// Whether the user named it.
        is_named: bool,
    },
    /// A file or folder cannot be read or written.
    #[error("{}", self.text())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file that requests are to be saved in is there already.
    #[error("{}", self.text())]
    IsThere {
        /// The file.
        path: PathBuf,
    },
    /// There is more of a plugin, or of a repo, than is copied.
    #[error("{}", self.text())]
    TooLarge {
        /// The plugin's file or folder, or that of the repo.
        folder: PathBuf,
        /// How much is copied at most.
        limit: Limit,
        /// What is largest of it, with the sizes.
        largest: Vec<(PathBuf, u64)>,
    },
    /// A line of the requests file.
    #[error("{}", self.text())]
    Requests {
        /// The file.
        path: PathBuf,
        /// The line, 1-based.
        line: usize,
        /// What is wrong with it.
        reason: Text,
    },
    /// There is no such revision.
    #[error("{}", self.text())]
    NoRevision {
        /// The revision.
        revision: String,
        /// The repo.
        root: PathBuf,
    },
    /// There is no `git` to ask for the original.
    #[error("{}", self.text())]
    NoGit,
    /// Git refuses the repo because somebody else owns it.
    #[error("{}", self.text())]
    Distrusted {
        /// The repo.
        root: PathBuf,
    },
    /// Git did not give the tree of a revision.
    #[error("{}", self.text())]
    Git {
        /// The repo.
        root: PathBuf,
        /// What it said.
        message: Text,
    },
    /// The runner says that nothing can be run.
    #[error("{}", self.text())]
    Fatal {
        /// What it says.
        fatal: Fatal,
        /// The interpreter.
        python: PathBuf,
    },
    /// The runner did not start.
    #[error("{}", self.text())]
    Silent {
        /// How it ended.
        ending: Ending,
        /// The last of what it wrote to stderr.
        stderr: String,
    },
    /// The runner said something that is no result.
    #[error("{}", self.text())]
    Garbled {
        /// The beginning of it.
        said: String,
    },
    /// A signal asked this program to end.
    #[error("{}", self.text())]
    Interrupted,
}

/// How much is copied at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many bytes.
    Bytes(u64),
    /// So many files.
    Files(usize),
}

/// How the runner ended before it had said everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself.
    Died,
    /// It was ended after so many seconds.
    Overdue(u64),
    /// It was ended because it said more than is taken.
    TooMuch,
}

impl VerifyError {
    /// A file or folder that cannot be read or written.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::Io { path, error }
    }

    /// What is the case, without a full stop.
    pub fn text(&self) -> Text {
        match self {
            Self::NotUnix => text!(
                "verify runs on Linux, macOS and other Unix systems only",
                "verify 只能在 Linux、macOS 等 Unix 系统上运行"
            ),
            Self::NoPython {
                looked_at,
                is_named,
            } => no_python(looked_at, *is_named),
            Self::Io { path, error } => {
                let (path, reason) = (term::path(path), translate::io_error(error));
                let (en, zh) = reason.both();
                text!("{path}: {en}", "{path}：{zh}")
            }
            Self::IsThere { path } => {
                let path = term::path(path);
                text!(
                    "{path} already exists; it is not overwritten",
                    "{path} 已经存在，不会覆盖"
                )
            }
            Self::TooLarge {
                folder,
                limit,
                largest,
            } => too_large(folder, *limit, largest),
            Self::Requests { path, line, reason } => {
                let path = term::path(path);
                let (en, zh) = (reason.get(Lang::En), reason.get(Lang::Zh));
                text!("{path}:{line}: {en}", "{path}:{line}：{zh}")
            }
            Self::NoRevision { revision, root } => {
                let root = term::path(root);
                text!(
                    "there is no commit {revision} in {root}",
                    "{root} 中没有提交 {revision}"
                )
            }
            Self::NoGit => text!(
                "already migrated, and git is not available to read the original",
                "已经迁移，而找不到 git，无法取出原始版本"
            ),
            Self::Distrusted { root } => {
                let root = term::path(root);
                text!(
                    "migrated already, and git refuses to give the original from {root}, which belongs to another user",
                    "已经迁移，而 {root} 属于其他用户，git 拒绝从中取出原始版本"
                )
            }
            Self::Git { root, message } => {
                let root = term::path(root);
                let (en, zh) = message.both();
                text!(
                    "git does not give the original from {root}: {en}",
                    "git 无法从 {root} 取出原始版本：{zh}"
                )
            }
            Self::Fatal { fatal, python } => fatal_text(fatal, python),
            Self::Silent { ending, stderr } => silent(*ending, stderr),
            Self::Garbled { said } => text!(
                "unexpected output from the verify runner: {said}",
                "运行插件的程序输出了无法识别的内容：{said}"
            ),
            Self::Interrupted => text!("interrupted", "已中断"),
        }
    }

    /// What to do about it, without a full stop.
    pub fn remedy(&self) -> Text {
        match self {
            Self::NotUnix => text!(
                "run it in WSL, or on the system that your agent runs on",
                "请在 WSL 中运行，或在 Agent 所在的系统上运行"
            ),
            Self::NoPython { .. } => text!(
                "name a Python of 3.11 or later with --python, best one in which nekro-agent is installed",
                "请用 --python 指定 3.11 或更高版本的 Python，最好是已安装 nekro-agent 的环境"
            ),
            Self::Io { .. } => text!(
                "check that it is there, that you may read it, and that there is space left for temporary files",
                "请确认它存在、您有读取权限，并且临时文件夹还有空间"
            ),
            Self::IsThere { .. } => text!(
                "name another file with --save-requests, or remove that one",
                "请用 --save-requests 指定其他文件，或先删除它"
            ),
            Self::TooLarge { .. } => text!(
                "move what is no part of the plugin out of its folder, or verify it alone: what is copied counts for all plugins together",
                "请把不属于插件的内容移出该文件夹，或单独验证这个插件：复制的总量由所有插件共用"
            ),
            Self::Requests { .. } => text!(
                r#"each line is an object as in {{"path": "/api/webhook/github", "method": "POST", "headers": {{"X-Event": "push"}}, "body": "{{}}"}}"#,
                r#"每行一个对象，例如 {{"path": "/api/webhook/github", "method": "POST", "headers": {{"X-Event": "push"}}, "body": "{{}}"}}"#
            ),
            Self::NoRevision { .. } => text!(
                "name the commit before the migration with --base",
                "请用 --base 指定迁移之前的提交"
            ),
            Self::NoGit => text!(
                "install git, or add its folder to the PATH",
                "请安装 git，或把它所在的文件夹加入 PATH"
            ),
            Self::Distrusted { root } => {
                let root = term::path(root);
                text!(
                    "if you trust the repo, run `git config --global --add safe.directory {root}`, or run verify as its owner",
                    "如果信任该仓库，请运行 `git config --global --add safe.directory {root}`，或以其所有者的身份运行 verify"
                )
            }
            Self::Git { .. } => text!(
                "if you trust the repo, see what `git status` says there; what a partial clone lacks is not fetched here: `git fetch` it first",
                "如果信任该仓库，请在该处运行 `git status` 查看原因；这里不会为部分克隆取回缺少的对象，请先运行 `git fetch`"
            ),
            Self::Fatal { fatal, python } => fatal_remedy(fatal, python),
            Self::Silent {
                ending: Ending::Overdue(_),
                ..
            } => text!(
                "run it again with more time: --limit",
                "请用 --limit 延长时限后重试"
            ),
            Self::Silent { .. } | Self::Garbled { .. } => text!(
                "please report it with this output; another Python may do: --python",
                "请连同以上输出一起反馈；也可以用 --python 换一个 Python 再试"
            ),
            Self::Interrupted => text!(
                "nothing was written outside of a temporary folder, which is gone",
                "除已删除的临时文件夹外，没有写入任何内容"
            ),
        }
    }
}

fn no_python(looked_at: &[LookedAt], is_named: bool) -> Text {
    let list = |lang: Lang, separator: &str| {
        let each = looked_at.iter().map(|one| {
            let path = term::path(&one.path);
            format!("{path} ({})", one.problem.get(lang))
        });
        each.collect::<Vec<_>>().join(separator)
    };
    let (en, zh) = (list(Lang::En, ", "), list(Lang::Zh, "、"));
    if is_named {
        return text!(
            "this Python cannot be used: {en}",
            "无法使用这个 Python：{zh}"
        );
    }
    if looked_at.is_empty() {
        return text!(
            "there is no Python: no VIRTUAL_ENV, and no python3 or python on the PATH",
            "找不到 Python：没有 VIRTUAL_ENV，PATH 上也没有 python3 或 python"
        );
    }
    text!(
        "no Python that can be used was found; looked at {en}",
        "没有找到可用的 Python；已查看：{zh}"
    )
}

fn too_large(place: &Path, limit: Limit, largest: &[(PathBuf, u64)]) -> Text {
    let place = term::path(place);
    let named = |separator: &str| {
        let each = largest
            .iter()
            .map(|(path, size)| format!("{} ({} MiB)", term::path(path), size.div_ceil(MIB)));
        each.collect::<Vec<_>>().join(separator)
    };
    let (en, zh) = if largest.is_empty() {
        (String::new(), String::new())
    } else {
        (
            format!(", the largest of it {}", named(", ")),
            format!("，其中最大的是 {}", named("、")),
        )
    };
    match limit {
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
    }
}

fn fatal_text(fatal: &Fatal, python: &Path) -> Text {
    let (python, detail) = (term::path(python), &fatal.detail);
    match fatal.reason {
        FatalReason::NoFastapi => text!(
            "FastAPI is not installed for {python}, so no code was run",
            "{python} 没有安装 FastAPI，因此没有运行任何代码"
        ),
        FatalReason::NoAgent => text!(
            "nekro-agent is not installed for {python}, so no code was run",
            "{python} 没有安装 nekro-agent，因此没有运行任何代码"
        ),
        FatalReason::PythonTooOld => text!(
            "{python} is too old, so no code was run: {detail}",
            "{python} 的版本过低，因此没有运行任何代码：{detail}"
        ),
        FatalReason::BrokenAgent => text!(
            "nekro-agent is installed for {python}, but cannot be imported: {detail}",
            "{python} 安装了 nekro-agent，但无法导入：{detail}"
        ),
        FatalReason::BrokenFastapi => text!(
            "FastAPI is installed for {python}, but it or what it needs cannot be imported: {detail}",
            "{python} 安装了 FastAPI，但它或它的依赖无法导入：{detail}"
        ),
    }
}

fn fatal_remedy(fatal: &Fatal, python: &Path) -> Text {
    let python = term::path(python);
    match fatal.reason {
        FatalReason::NoFastapi => text!(
            "run `{python} -m pip install fastapi`, or name the environment of your agent with --python",
            "请运行 `{python} -m pip install fastapi`，或用 --python 指定 Agent 所在的环境"
        ),
        FatalReason::NoAgent => text!(
            "name the environment of your agent with --python, or leave out `--agent installed`",
            "请用 --python 指定 Agent 所在的环境，或去掉 `--agent installed`"
        ),
        FatalReason::PythonTooOld => text!(
            "name a Python of 3.11 or later with --python",
            "请用 --python 指定 3.11 或更高版本的 Python"
        ),
        FatalReason::BrokenAgent => text!(
            "mend that environment, name another with --python, or use the stand-in: --agent stand-in",
            "请修复该环境，用 --python 指定其他环境，或使用替身：--agent stand-in"
        ),
        FatalReason::BrokenFastapi => text!(
            "mend that environment, or name another with --python",
            "请修复该环境，或用 --python 指定其他环境"
        ),
    }
}

fn silent(ending: Ending, stderr: &str) -> Text {
    let said = match stderr.trim() {
        "" => String::new(),
        said => format!("\n{said}"),
    };
    match ending {
        Ending::Died => text!(
            "what runs the plugins ended before it had begun{said}",
            "运行插件的程序还没开始就结束了{said}"
        ),
        Ending::TooMuch => text!(
            "what runs the plugins said much, but not that it had begun{said}",
            "运行插件的程序输出了大量内容，却没有说明已经开始{said}"
        ),
        Ending::Overdue(seconds) => text!(
            "what runs the plugins had not begun after {seconds} seconds{said}",
            "{seconds} 秒之后，运行插件的程序仍未开始{said}"
        ),
    }
}
