//! Why the runner has no results.

use std::path::Path;

use super::super::protocol::{Fatal, FatalReason};
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// How the runner ended before it had said everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Died,
    /// It was ended after so many seconds.
    Overdue(u64),
    /// It was ended because it said more than is taken.
    TooMuch,
}

/// It says that nothing can be run with this Python.
pub(crate) fn fatal(fatal: &Fatal, python: &Path) -> UserError {
    let (python, detail) = (term::path(python), &fatal.detail);
    let (message, help) = match fatal.reason {
        FatalReason::NoFastapi => (
            text!(
                "FastAPI is not installed for {python}, so no code was run",
                "{python} 没有安装 FastAPI，因此没有运行任何代码"
            ),
            text!(
                "run `{python} -m pip install fastapi`, or name the environment of your agent with --python",
                "请运行 `{python} -m pip install fastapi`，或用 --python 指定 Agent 所在的环境"
            ),
        ),
        FatalReason::NoAgent => (
            text!(
                "nekro-agent is not installed for {python}, so no code was run",
                "{python} 没有安装 nekro-agent，因此没有运行任何代码"
            ),
            text!(
                "name the environment of your agent with --python, or leave out `--agent installed`",
                "请用 --python 指定 Agent 所在的环境，或去掉 `--agent installed`"
            ),
        ),
        FatalReason::PythonTooOld => (
            text!(
                "{python} is too old, so no code was run: {detail}",
                "{python} 的版本过低，因此没有运行任何代码：{detail}"
            ),
            text!(
                "name a Python of 3.11 or later with --python",
                "请用 --python 指定 3.11 或更高版本的 Python"
            ),
        ),
        FatalReason::BrokenAgent => (
            text!(
                "nekro-agent is installed for {python}, but cannot be imported: {detail}",
                "{python} 安装了 nekro-agent，但无法导入：{detail}"
            ),
            text!(
                "fix that environment, name another with --python, or use the stand-in: --agent stand-in",
                "请修复该环境，用 --python 指定其他环境，或使用模拟 Agent：--agent stand-in"
            ),
        ),
        FatalReason::BrokenFastapi => (
            text!(
                "FastAPI is installed for {python}, but it or what it needs cannot be imported: {detail}",
                "{python} 安装了 FastAPI，但它或它的依赖无法导入：{detail}"
            ),
            text!(
                "fix that environment, or name another with --python",
                "请修复该环境，或用 --python 指定其他环境"
            ),
        ),
    };
    UserError::new(message, help)
}

/// It ended before it was ready; with the last of its stderr.
pub(crate) fn runner_failed(ending: Ending, stderr: &str) -> UserError {
    let said = match stderr.trim() {
        "" => String::new(),
        said => format!("\n{said}"),
    };
    match ending {
        Ending::Died => UserError::new(
            text!(
                "the verify runner ended before it was ready{said}",
                "验证进程未能启动{said}"
            ),
            report_it(),
        ),
        Ending::TooMuch => UserError::new(
            text!(
                "the verify runner said too much before it was ready{said}",
                "验证进程在就绪之前输出了过多内容{said}"
            ),
            report_it(),
        ),
        Ending::Overdue(seconds) => UserError::new(
            text!(
                "the verify runner was not ready after {seconds} seconds{said}",
                "{seconds} 秒后验证进程仍未就绪{said}"
            ),
            text!(
                "run it again with more time: --limit",
                "请用 --limit 延长时限后重试"
            ),
        ),
    }
}

/// It said something that is not a result, or not one of what it was asked.
pub(crate) fn protocol_error(said: &str) -> UserError {
    UserError::new(
        text!(
            "unexpected output from the verify runner: {said}",
            "验证进程输出了无法识别的内容：{said}"
        ),
        report_it(),
    )
}

fn report_it() -> text::Text {
    text!(
        "please report it with this output; another Python may do: --python",
        "请连同以上输出一起反馈；也可以用 --python 换一个 Python 再试"
    )
}
