//! Why a plugin could not be run, in words.

use super::details;
use crate::text;
use crate::text::{Lang, Text};
use crate::user_error::UserError;
use crate::verify::results::Cause;
use crate::verify::runner::protocol::{Answering, Detail, Fact, Reason, Side};

/// What is the case, and what to do about it; `python` is the interpreter.
pub(crate) fn error(cause: &Cause, python: &str) -> UserError {
    match cause {
        Cause::NotRun(not_run) => not_run.error.clone(),
        Cause::Ran {
            side,
            reason,
            detail,
            answering,
        } => {
            let (what, help) = reason_and_help(*reason, python);
            let help = help_while_answering(*reason, detail, answering.as_ref()).unwrap_or(help);
            UserError::new(message(*side, &what, detail, answering.as_ref()), help)
        }
    }
}

/// What more is known of it, for programs: the same whatever the language is.
pub(crate) fn detail(cause: &Cause) -> String {
    match cause {
        Cause::Ran {
            detail, answering, ..
        } => details::while_answering(detail, answering.as_ref())
            .get(Lang::En)
            .to_owned(),
        Cause::NotRun(_) => String::new(),
    }
}

fn message(side: Side, what: &Text, detail: &Detail, answering: Option<&Answering>) -> Text {
    let ((what_en, what_zh), when) = (what.both(), when(side));
    let (when_en, when_zh) = when.both();
    // A space where Latin letters follow Chinese.
    let is_latin = what_zh.starts_with(|c: char| c.is_ascii_alphanumeric());
    let space = if is_latin && !when_zh.is_empty() {
        " "
    } else {
        ""
    };
    let (colon_en, colon_zh) = if detail.is_empty() {
        ("", "")
    } else {
        (": ", "：")
    };
    let detail = details::while_answering(detail, answering);
    let (en, zh) = detail.both();
    text!(
        "{what_en}{when_en}{colon_en}{en}",
        "{when_zh}{space}{what_zh}{colon_zh}{zh}"
    )
}

fn when(side: Side) -> Text {
    match side {
        Side::Old => text!(" before the migration", "迁移前"),
        Side::New => text!(" after the migration", "迁移后"),
        Side::Neither => Text::verbatim(""),
    }
}

/// What to do where a request shows more than the reason does.
fn help_while_answering(
    reason: Reason,
    detail: &Detail,
    answering: Option<&Answering>,
) -> Option<Text> {
    match (reason, detail) {
        (Reason::Hang, Detail::Fact(Fact::NoAnswer { .. })) => Some(text!(
            "see what the handler waits for; here there is no network, and no other request comes meanwhile",
            "请检查处理函数在等待什么；这里没有网络，其间也不会有其他请求"
        )),
        (Reason::Exit | Reason::Crash, _) if answering.is_some() => Some(text!(
            "see what the handler does for that request; here there is only a temporary folder, and no network",
            "请检查处理函数如何处理该请求；这里只有一个临时文件夹，没有网络"
        )),
        _ => None,
    }
}

/// What the runner's reason means, and what to do about it.
fn reason_and_help(reason: Reason, python: &str) -> (Text, Text) {
    let see_whether_it_loads = || {
        text!(
            "see whether the agent loads it; here there is only a temporary folder, and no network",
            "请确认 Agent 能否加载它；这里只有一个临时文件夹，没有网络"
        )
    };
    let see_whether_it_does_so = || {
        text!(
            "see whether it does so in the agent; what it does only under a condition is not seen here",
            "请确认它在 Agent 中是否如此；只在特定条件下进行的注册在此看不到"
        )
    };
    let report_it = || {
        text!(
            "please report it together with the plugin",
            "请连同插件一起反馈"
        )
    };
    match reason {
        Reason::Import => (
            text!("it cannot be imported", "无法导入"),
            see_whether_it_loads(),
        ),
        Reason::MissingModule => (
            text!(
                "it imports a module that is not installed",
                "导入了没有安装的模块"
            ),
            text!(
                "install it in the environment of {python}, or name the environment of your agent with --python",
                "请在 {python} 的环境中安装它，或用 --python 指定 Agent 所在的环境"
            ),
        ),
        Reason::NoPlugin => (
            text!("the agent finds no plugin in it", "Agent 在其中找不到插件"),
            see_whether_it_does_so(),
        ),
        Reason::NoWebhook => (
            text!("it does not register this webhook", "没有注册这个 webhook"),
            see_whether_it_does_so(),
        ),
        Reason::NoRouter => (
            text!("its router is not mounted", "路由没有挂载"),
            see_whether_it_does_so(),
        ),
        Reason::NoSetting => (
            text!(
                "a request names a setting that it does not have",
                "有请求指定了它没有的设置项"
            ),
            text!(
                "see `settings` in that line of the file of --requests; the names are those of the plugin's configuration class",
                "请检查 --requests 文件中该行的 `settings`；名称应与插件配置类的字段一致"
            ),
        ),
        Reason::BadSetting => (
            text!(
                "a request gives a setting a value that it cannot have",
                "有请求给设置项指定了无效的值"
            ),
            text!(
                "see `settings` in that line of the file of --requests; the value has to be one that the plugin's configuration class takes",
                "请检查 --requests 文件中该行的 `settings`；值应能被插件的配置类接受"
            ),
        ),
        Reason::Hang => (
            text!("it takes too long", "用时过长"),
            text!(
                "give it more time with --limit; a plugin that waits for something when it is loaded cannot be run here",
                "请用 --limit 延长时限；加载时要等待外部条件的插件无法在此运行"
            ),
        ),
        Reason::Exit => (
            text!("it ends the process", "结束了进程"),
            see_whether_it_loads(),
        ),
        Reason::Crash => (
            text!("it breaks down", "运行时出错"),
            see_whether_it_loads(),
        ),
        Reason::StandInLacks => (
            text!(
                "it needs something of the agent that the stand-in does not have",
                "需要 Agent 的某项功能，而模拟 Agent 没有"
            ),
            text!(
                "install nekro-agent in the environment of {python}, or name the environment of your agent with --python",
                "请在 {python} 的环境中安装 nekro-agent，或用 --python 指定 Agent 所在的环境"
            ),
        ),
        Reason::NoResult => (text!("there is no result", "没有得到结果"), report_it()),
        Reason::Unreadable => (
            text!(
                "there is a result, but it cannot be read",
                "有结果，但无法读取"
            ),
            report_it(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(reason: Reason, detail: Detail, answering: Option<Answering>) -> Cause {
        Cause::Ran {
            side: Side::Old,
            reason,
            detail,
            answering,
        }
    }

    #[test]
    fn what_happens_while_a_request_is_answered_is_not_about_loading() {
        let answering: Answering =
            serde_json::from_str(r#"{"method": "POST", "about": {"given": "one"}}"#).unwrap();
        let no_answer = Detail::Fact(Fact::NoAnswer { seconds: 5 });
        let code = Detail::Fact(Fact::ExitCode { code: 3 });
        for (cause, is_about_loading) in [
            (ran(Reason::Hang, no_answer, None), false),
            (ran(Reason::Exit, code.clone(), Some(answering)), false),
            (ran(Reason::Exit, code, None), true),
        ] {
            let said = error(&cause, "python").help.get(Lang::En).to_owned();
            assert_eq!(said.contains("load"), is_about_loading, "{said}");
        }
    }
}
