//! The errors of the command line itself.

use std::io;

use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

impl UserError {
    /// The results could not be written to where they were to go.
    pub fn not_shown(error: &io::Error) -> Self {
        let reason = translate::io_error(error);
        let (en, zh) = reason.both();
        Self {
            message: text!(
                "cannot write the results to the standard output: {en}",
                "无法将结果写到标准输出：{zh}"
            ),
            help: text!(
                "make room there, or send the results somewhere else",
                "请清理空间，或将结果输出到别处"
            ),
        }
    }

    /// A command that Linux alone has: `shim` lives of its sockets and signals, `verify` of its processes
    /// and limits.
    #[cfg(any(test, not(target_os = "linux")))]
    pub(super) fn linux_only(command: &str) -> Self {
        let system = std::env::consts::OS;
        Self {
            message: text!(
                "`rehook {command}` runs on Linux only, and this is {system}",
                "`rehook {command}` 只能在 Linux 上运行，而当前系统是 {system}"
            ),
            help: text!(
                "run it on the Linux machine of the agent, in a container, or in WSL; scan, diff, migrate, \
                 undo, routes and explain work here",
                "请在 Agent 所在的 Linux 机器、容器或 WSL 中运行；scan、diff、migrate、undo、routes 与 explain \
                 在此均可使用"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn a_command_of_linux_is_named_with_the_way_out() {
        let error = UserError::linux_only("verify");
        for lang in [Lang::En, Lang::Zh] {
            assert!(error.message.get(lang).contains("`rehook verify`"));
            assert!(error.help.get(lang).contains("WSL"));
        }
    }
}
