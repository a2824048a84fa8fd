use serde_json::{Value, json};

use super::*;
use crate::text::Lang;

/// Both texts of a detail as the runner says it.
fn texts(detail: Value, answering: Option<Value>) -> (String, String) {
    let detail: Detail = serde_json::from_value(detail).unwrap();
    let answering: Option<Answering> = answering.map(|one| serde_json::from_value(one).unwrap());
    let text = while_answering(&detail, answering.as_ref());
    (text.get(Lang::En).to_owned(), text.get(Lang::Zh).to_owned())
}

#[test]
fn what_the_runner_finds_is_said_in_both_languages() {
    let named = json!([{"place": "a:2", "name": "B"}, {"place": "a:3", "name": "C"}]);
    for (detail, en, zh) in [
        (
            json!({"kind": "no_result", "seconds": 5}),
            "no result after 5 s",
            "5 秒后仍没有结果",
        ),
        (
            json!({"kind": "no_result", "seconds": 5, "place": "a.py:3"}),
            "no result after 5 s, in a.py:3",
            "5 秒后仍没有结果，停在 a.py:3",
        ),
        (
            json!({"kind": "no_answer", "seconds": 5}),
            "no answer to a plain request after 5 s",
            "5 秒后仍未应答一个普通请求",
        ),
        (
            json!({"kind": "too_large", "mib": 512}),
            "its results are larger than 512 MiB",
            "其结果超过 512 MiB",
        ),
        (
            json!({"kind": "garbled", "error": "EOFError"}),
            "no result: EOFError",
            "没有结果：EOFError",
        ),
        (
            json!({"kind": "signal", "number": 11}),
            "signal 11",
            "信号 11",
        ),
        (
            json!({"kind": "exit_code", "code": 3}),
            "exit code 3",
            "退出码 3",
        ),
        (
            json!({"kind": "no_webhook", "plugin": "p", "endpoint": "e"}),
            "p has no webhook e",
            "p 没有 webhook e",
        ),
        (
            json!({"kind": "no_router", "plugin": "p"}),
            "the agent does not mount the router of p",
            "Agent 没有挂载 p 的路由",
        ),
        (
            json!({"kind": "no_plugin", "plugin": "p", "there": ["q", "r"]}),
            "there is no plugin p, only q, r",
            "没有插件 p，只有 q、r",
        ),
        (
            json!({"kind": "no_plugin", "plugin": "p", "there": []}),
            "there is no plugin p",
            "没有插件 p",
        ),
        (
            json!({"kind": "no_setting", "plugin": "p", "name": "N"}),
            "p has no setting N",
            "p 没有设置项 N",
        ),
        (
            json!({"kind": "no_settings", "named": named, "there": ["D", "E"]}),
            "a:2: B, a:3: C (its settings are: D, E)",
            "a:2：B、a:3：C（它的设置项有：D、E）",
        ),
        (
            json!({"kind": "no_settings", "named": named, "there": []}),
            "a:2: B, a:3: C (its settings are: none)",
            "a:2：B、a:3：C（它没有设置项）",
        ),
        // What somebody says is as it is said.
        (json!("ValueError: x"), "ValueError: x", "ValueError: x"),
    ] {
        let expected = (en.to_owned(), zh.to_owned());
        assert_eq!(texts(detail, None), expected);
    }
}

#[test]
fn the_request_that_was_being_answered_is_called_by_its_name() {
    let exit = || json!({"kind": "exit_code", "code": 3});
    let about = json!({"known": {"kind": "plain"}});
    let (en, zh) = texts(exit(), Some(json!({"method": "POST", "about": about})));
    assert_eq!(en, "exit code 3, while it answers POST (a plain request)");
    assert_eq!(zh, "退出码 3，当时正在应答 POST 请求（普通请求）");
    let about = json!({"given": "mine"});
    let (_, zh) = texts(exit(), Some(json!({"method": "PUT", "about": about})));
    assert_eq!(zh, "退出码 3，当时正在应答 PUT 请求（mine）");
}

#[test]
fn what_has_another_form_is_no_detail() {
    for bad in [
        json!({"kind": "exit_code"}),
        json!({"kind": "exit_code", "code": -1}),
        json!({"kind": "exit_code", "code": 3, "more": 1}),
        json!({"kind": "unheard_of"}),
        json!({"code": 3}),
        json!(3),
        json!(null),
    ] {
        assert!(
            serde_json::from_value::<Detail>(bad.clone()).is_err(),
            "{bad}"
        );
    }
}
