//! Why a plugin could not be run, in words.

use std::path::{Path, PathBuf};

use super::details;
use crate::term;
use crate::text;
use crate::text::{Lang, Text};
use crate::verify::error::{Limit, VerifyError};
use crate::verify::results::Cause;
use crate::verify::runner::protocol::{Detail, Fact, Reason, Side};

/// The name of a cause in the JSON report.
pub fn name(cause: &Cause) -> &'static str {
    match cause {
        Cause::NoOriginal { .. } => "no_original",
        Cause::NoRevision { .. } => "no_revision",
        Cause::NoGit => "no_git",
        Cause::Distrusted { .. } => "distrusted",
        Cause::Gone { .. } => "gone",
        Cause::TooLarge { .. } => "too_large",
        Cause::Ran { reason, .. } => match reason {
            Reason::Import => "import",
            Reason::MissingModule => "missing_module",
            Reason::NoPlugin => "no_plugin",
            Reason::NoWebhook => "no_webhook",
            Reason::NoRouter => "no_router",
            Reason::Hang => "hang",
            Reason::Exit => "exit",
            Reason::Crash => "crash",
            Reason::NoSetting => "no_setting",
            Reason::BadSetting => "bad_setting",
            Reason::StandInLacks => "stand_in_lacks",
            Reason::Unsaid => "unsaid",
            Reason::Unreadable => "unreadable",
        },
    }
}

/// The name of a side in the JSON report.
pub fn side(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Ran {
            side: Side::Old, ..
        } => Some("old"),
        Cause::Ran {
            side: Side::New, ..
        } => Some("new"),
        _ => None,
    }
}

/// What more is known of it, for programs: the same whatever the language is.
pub fn detail(cause: &Cause) -> String {
    match cause {
        Cause::Ran {
            detail, answering, ..
        } => details::while_answering(detail, answering.as_ref())
            .get(Lang::En)
            .to_owned(),
        _ => String::new(),
    }
}

/// What is the case, without a full stop.
pub fn text(cause: &Cause) -> Text {
    match cause {
        Cause::NoOriginal { base: Some(base) } => text!(
            "migrated already, and the commit {base} shows no webhook to compare with",
            "已经迁移，而提交 {base} 中没有可供比较的 webhook"
        ),
        Cause::NoOriginal { base: None } => text!(
            "migrated already, and outside of git there is no original to compare with",
            "已经迁移，而不在 git 仓库中就没有可供比较的原始版本"
        ),
        Cause::NoRevision { base, root } => no_revision(base, root).text(),
        Cause::NoGit => VerifyError::NoGit.text(),
        Cause::Distrusted { root } => distrusted(root).text(),
        Cause::TooLarge {
            place,
            limit,
            largest,
        } => too_large(place, *limit, largest).text(),
        Cause::Gone { base, place } => {
            let place = term::path(place);
            text!(
                "not at {place} any more, where it was in the commit {base}",
                "已不在提交 {base} 中的位置 {place}"
            )
        }
        Cause::Ran {
            side,
            reason,
            detail,
            answering,
        } => {
            let (what, when) = (what(*reason), when(*side));
            let colon = if detail.is_empty() {
                ("", "")
            } else {
                (": ", "：")
            };
            let detail = details::while_answering(detail, answering.as_ref());
            let (en, zh) = detail.both();
            Text::new(
                format!(
                    "{}{}{}{en}",
                    what.get(Lang::En),
                    when.get(Lang::En),
                    colon.0
                ),
                format!(
                    "{}{}{}{zh}",
                    spaced(when.get(Lang::Zh), what.get(Lang::Zh)),
                    what.get(Lang::Zh),
                    colon.1
                ),
            )
        }
    }
}

fn no_revision(base: &str, root: &Path) -> VerifyError {
    VerifyError::NoRevision {
        revision: base.to_owned(),
        root: root.to_owned(),
    }
}

fn distrusted(root: &Path) -> VerifyError {
    VerifyError::Distrusted {
        root: root.to_owned(),
    }
}

fn too_large(place: &Path, limit: Limit, largest: &[(PathBuf, u64)]) -> VerifyError {
    VerifyError::TooLarge {
        folder: place.to_owned(),
        limit,
        largest: largest.to_vec(),
    }
}

/// A Chinese text, with a space where Latin letters follow it.
fn spaced(text: &str, next: &str) -> String {
    let is_latin = next.starts_with(|c: char| c.is_ascii_alphanumeric());
    let space = if is_latin && !text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{text}{space}")
}

fn what(reason: Reason) -> Text {
    match reason {
        Reason::Import => text!("it cannot be imported", "无法导入"),
        Reason::MissingModule => text!(
            "it imports a module that is not installed",
            "导入了没有安装的模块"
        ),
        Reason::NoPlugin => text!("the agent finds no plugin in it", "Agent 在其中找不到插件"),
        Reason::NoWebhook => text!("it registers no such webhook", "没有注册这个 webhook"),
        Reason::NoRouter => text!("its router is not mounted", "路由没有挂载"),
        Reason::NoSetting => text!(
            "a request names a setting that it does not have",
            "有请求指定了它没有的设置项"
        ),
        Reason::BadSetting => text!(
            "a request gives a setting a value that it cannot have",
            "有请求给设置项指定了无效的值"
        ),
        Reason::Hang => text!("it takes too long", "用时过长"),
        Reason::Exit => text!("it ends the process", "结束了进程"),
        Reason::Crash => text!("it breaks down", "运行时出错"),
        Reason::StandInLacks => text!(
            "it needs something of the agent that the stand-in does not have",
            "需要 Agent 的某项功能，而替身没有"
        ),
        Reason::Unsaid => text!("there is no result", "没有得到结果"),
        Reason::Unreadable => text!(
            "there is a result, but it cannot be read",
            "有结果，但无法读取"
        ),
    }
}

fn when(side: Side) -> Text {
    match side {
        Side::Old => text!(" before the migration", "迁移之前"),
        Side::New => text!(" after the migration", "迁移之后"),
        Side::Neither => Text::verbatim(""),
    }
}

/// What to do about it, without a full stop; `python` is the interpreter.
pub fn remedy(cause: &Cause, python: &str) -> Text {
    match cause {
        Cause::NoOriginal { base: Some(base) } if base != "HEAD" => text!(
            "name another commit before the migration with --base; what was left by hand in that commit too has nothing to be compared with",
            "请用 --base 指定迁移之前的另一个提交；如果它在那个提交中也需要手动处理，就没有可供比较的版本"
        ),
        Cause::NoOriginal { base: Some(_) } => text!(
            "name the commit before the migration, as in `--base HEAD~1`; `git log -- webhook-routes.toml` shows when that was",
            "请指定迁移之前的提交，例如 `--base HEAD~1`；`git log -- webhook-routes.toml` 会显示迁移的时间"
        ),
        Cause::NoOriginal { base: None } => text!(
            "run it before `migrate`, or in a git repo whose commit `--base` names has the original",
            "请在 `migrate` 之前运行，或在 git 仓库中用 `--base` 指定含有原始版本的提交"
        ),
        Cause::NoRevision { base, root } => no_revision(base, root).remedy(),
        Cause::NoGit => VerifyError::NoGit.remedy(),
        Cause::Distrusted { root } => distrusted(root).remedy(),
        Cause::TooLarge {
            place,
            limit,
            largest,
        } => too_large(place, *limit, largest).remedy(),
        Cause::Gone { .. } => text!(
            "name a commit in which it is where it is today: --base",
            "请用 --base 指定位置与现在相同的提交"
        ),
        Cause::Ran {
            reason: Reason::Hang,
            detail: Detail::Fact(Fact::NoAnswer { .. }),
            ..
        } => text!(
            "see what the handler waits for; here there is no network, and no other request comes meanwhile",
            "请检查处理函数在等待什么；这里没有网络，其间也不会有其他请求"
        ),
        Cause::Ran {
            reason: Reason::Exit | Reason::Crash,
            answering: Some(_),
            ..
        } => text!(
            "see what the handler does for that request; here there is only a temporary folder, and no network",
            "请检查处理函数如何处理该请求；这里只有一个临时文件夹，没有网络"
        ),
        Cause::Ran { reason, .. } => match reason {
            Reason::MissingModule => text!(
                "install it in the environment of {python}, or name the environment of your agent with --python",
                "请在 {python} 的环境中安装它，或用 --python 指定 Agent 所在的环境"
            ),
            Reason::StandInLacks => text!(
                "install nekro-agent in the environment of {python}, or name the environment of your agent with --python",
                "请在 {python} 的环境中安装 nekro-agent，或用 --python 指定 Agent 所在的环境"
            ),
            Reason::Hang => text!(
                "give it more time with --limit; a plugin that waits for something when it is loaded cannot be run here",
                "请用 --limit 延长时限；加载时要等待外部条件的插件无法在此运行"
            ),
            Reason::NoWebhook | Reason::NoRouter | Reason::NoPlugin => text!(
                "see whether it does so in the agent; what it does only under a condition is not seen here",
                "请确认它在 Agent 中是否如此；只在特定条件下进行的注册在此看不到"
            ),
            Reason::NoSetting => text!(
                "see `settings` in that line of the file of --requests; the names are those of the plugin's configuration class",
                "请检查 --requests 文件中该行的 `settings`；名称应与插件配置类的字段一致"
            ),
            Reason::BadSetting => text!(
                "see `settings` in that line of the file of --requests; the value has to be one that the plugin's configuration class takes",
                "请检查 --requests 文件中该行的 `settings`；值应能被插件的配置类接受"
            ),
            Reason::Unsaid | Reason::Unreadable => text!(
                "please report it together with the plugin",
                "请连同插件一起反馈"
            ),
            Reason::Import | Reason::Exit | Reason::Crash => text!(
                "see whether the agent loads it; here there is only a temporary folder, and no network",
                "请确认 Agent 能否加载它；这里只有一个临时文件夹，没有网络"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::runner::protocol::Answering;

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
            let said = remedy(&cause, "python").get(Lang::En).to_owned();
            assert_eq!(said.contains("load"), is_about_loading, "{said}");
        }
    }
}
