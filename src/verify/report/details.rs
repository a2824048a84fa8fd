//! What is known of a failure, in words.

use super::request_label;
use crate::text;
use crate::text::Text;
use crate::verify::runner::protocol::{Answering, Detail, Fact, Named};

/// What is the case, without a full stop; empty if nothing is known.
pub(crate) fn text(detail: &Detail) -> Text {
    match detail {
        Detail::Text(text) => Text::verbatim(text.trim()),
        Detail::Fact(fact) => fact_text(fact),
    }
}

/// The same, with the request that was being answered.
pub(crate) fn while_answering(detail: &Detail, answering: Option<&Answering>) -> Text {
    let detail = text(detail);
    let Some(Answering { method, about }) = answering else {
        return detail;
    };
    let about = request_label::text(about);
    let ((en, zh), (about_en, about_zh)) = (detail.both(), about.both());
    text!(
        "{en}, while it answers {method} ({about_en})",
        "{zh}，当时正在响应 {method} 请求（{about_zh}）"
    )
}

fn fact_text(fact: &Fact) -> Text {
    match fact {
        Fact::NoResult { seconds, place } if place.is_empty() => {
            text!("no result after {seconds} s", "{seconds} 秒后仍没有结果")
        }
        Fact::NoResult { seconds, place } => text!(
            "no result after {seconds} s, in {place}",
            "{seconds} 秒后仍没有结果，停在 {place}"
        ),
        Fact::NoAnswer { seconds } => text!(
            "no answer to a plain request after {seconds} s",
            "{seconds} 秒后仍未响应一个普通请求"
        ),
        Fact::TooLarge { mib } => text!(
            "its results are larger than {mib} MiB",
            "其结果超过 {mib} MiB"
        ),
        Fact::InvalidResult { error } => text!("no result: {error}", "没有结果：{error}"),
        Fact::Signal { number } => text!("signal {number}", "信号 {number}"),
        Fact::ExitCode { code } => text!("exit code {code}", "退出码 {code}"),
        Fact::NoWebhook { plugin, endpoint } => text!(
            "{plugin} has no webhook {endpoint}",
            "{plugin} 没有 webhook {endpoint}"
        ),
        Fact::NoRouter { plugin } => text!(
            "the agent does not mount the router of {plugin}",
            "Agent 没有挂载 {plugin} 的路由"
        ),
        Fact::NoPlugin { plugin, there } if there.is_empty() => {
            text!("there is no plugin {plugin}", "没有插件 {plugin}")
        }
        Fact::NoPlugin { plugin, there } => {
            let there = Text::list(there);
            let (en, zh) = there.both();
            text!(
                "there is no plugin {plugin}, only {en}",
                "没有插件 {plugin}，只有 {zh}"
            )
        }
        Fact::NoSetting { plugin, name } => text!(
            "{plugin} has no setting {name}",
            "{plugin} 没有设置项 {name}"
        ),
        Fact::NoSettings { named, there } => {
            let of_each = |colon: &str| {
                let each = named.iter();
                each.map(|Named { place, name }| format!("{place}{colon}{name}"))
                    .collect::<Vec<_>>()
            };
            let (en, zh) = (of_each(": ").join(", "), of_each("：").join("、"));
            if there.is_empty() {
                return text!("{en} (its settings are: none)", "{zh}（它没有设置项）");
            }
            let there = Text::list(there);
            let (there_en, there_zh) = there.both();
            text!(
                "{en} (its settings are: {there_en})",
                "{zh}（它的设置项有：{there_zh}）"
            )
        }
    }
}

#[cfg(test)]
mod tests;
