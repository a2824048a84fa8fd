use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::routes::{Dialect, Route};
use crate::text::Lang;
use crate::verify::results::{Failure, Status, Webhook};
use crate::verify::runner::protocol::{Event, Lines, Reason, Side, WebhookResult};

#[test]
fn neighbouring_lines_are_one_range() {
    assert_eq!(ranges(&[], &[]), "");
    assert_eq!(ranges(&[7], &[7]), "7");
    assert_eq!(
        ranges(&[9, 3, 4, 5, 5, 7, 8], &[3, 4, 5, 6, 7, 8, 9]),
        "3-5, 7-9"
    );
    assert_eq!(ranges(&[3, 5, 9], &[3, 5, 7, 9]), "3-5, 9");
    assert_eq!(ranges(&[3, 9], &[9, 3, 7, 5]), "3, 9");
    // As many as no file has take no time.
    let all: Vec<usize> = (0..1_000_000).collect();
    let odd: Vec<usize> = all.iter().copied().filter(|n| n % 2 == 1).collect();
    assert!(ranges(&odd, &all).ends_with("999997, 999999"));
}

fn result(verdict: &str, more: serde_json::Value) -> WebhookResult {
    let mut result = json!({
        "event": "proof", "case": "dev.ci", "plugin": "dev.ci", "endpoint": "ci",
        "verdict": verdict, "requests": 9, "file": "ci.py", "first": 5, "last": 20,
        "reached": [6, 7, 9], "missed": [12, 13], "uncovered": [], "differing": 0,
    });
    for (key, value) in more.as_object().unwrap() {
        result[key] = value.clone();
    }
    match serde_json::from_value(result).unwrap() {
        Event::Webhook(result) => *result,
        other => panic!("{other:?}"),
    }
}

fn results(result: WebhookResult) -> VerifyReport {
    VerifyReport {
        webhooks: vec![Webhook {
            plugin: Some("dev.ci".to_owned()),
            route: Some(Route::new("dev", "ci", "ci", Dialect::Context)),
            endpoint: Some("ci".to_owned()),
            base: None,
            status: Status::Run {
                elsewhere: result.uncovered_elsewhere.clone(),
                result: Box::new(result),
                path: PathBuf::from("/repo/plugins/ci.py"),
            },
        }],
        ..VerifyReport::default()
    }
}

fn text(results: &VerifyReport, lang: Lang) -> String {
    let view = View {
        results,
        agent: AgentChoice::Auto,
        base: Path::new("/repo"),
    };
    anstream::adapter::strip_str(&text::render(&view, lang)).to_string()
}

#[test]
fn a_proof_says_what_was_run_and_what_was_not() {
    let results = results(result("same", json!({})));
    assert_eq!(
        text(&results, Lang::En),
        "same           dev.ci ci  9 requests
  plugins/ci.py:5  lines run: 6-9
  reached by no request, and not changed by the migration: 12-13
1 same, 0 differs, 0 not covered, 0 not migrated, 0 failed
"
    );
    assert_eq!(
        text(&results, Lang::Zh),
        "一致           dev.ci ci  9 个请求
  plugins/ci.py:5  运行的行：6-9
  没有请求触及、迁移也没有改动的行：12-13
一致 1 个，有差异 0 个，未覆盖 0 个，未迁移 0 个，无法运行 0 个
"
    );
}

#[test]
fn what_was_not_covered_is_named() {
    let judged_lines = results(result("not_covered", json!({"uncovered": [13]})));
    assert_eq!(
        text(&judged_lines, Lang::En),
        "not covered    dev.ci ci  9 requests
  plugins/ci.py:5  lines run: 6-9
  changed by the migration, and reached by no request: 13
  hint: give a request that gets there with --requests; --save-requests writes those that were sent, to start from
  reached by no request, and not changed by the migration: 12
0 same, 0 differs, 1 not covered, 0 not migrated, 0 failed
"
    );
    let nothing = json!({"reached": [], "missed": [6, 7], "uncovered": [6]});
    let judged_all = results(result("not_covered", nothing));
    assert!(text(&judged_all, Lang::En).contains(
        "  plugins/ci.py:5  no request got into the handler\n  hint: give a request that gets there with --requests; --save-requests writes those that were sent, to start from\n0 same"
    ));
}

#[test]
fn conditions_that_came_out_one_way_are_named() {
    let one_way = json!([
        {"side": "old", "file": "ci.py", "line": 7, "condition": "amount > 99.5", "never": true},
        {"side": "new", "file": "ci.py", "line": 9, "condition": "amount > 100", "never": false},
    ]);
    let judged = results(result("not_covered", json!({"one_way": one_way})));
    let (en, zh) = (text(&judged, Lang::En), text(&judged, Lang::Zh));
    assert!(en.contains(":7  `amount > 99.5` was never true\n"), "{en}");
    assert!(
        en.contains(":9  `amount > 100` was never false\n  hint: "),
        "{en}"
    );
    assert!(zh.contains(":7  `amount > 99.5` 从未成立\n"), "{zh}");
    assert!(zh.contains(":9  `amount > 100` 从未不成立\n"), "{zh}");
}

#[test]
fn a_difference_that_is_only_the_path_is_called_so() {
    let judged_of = |new: serde_json::Value| {
        let old = json!([{"kind": "log", "text": ["at http://x/api/webhook/ci?a=1"]}]);
        results(result(
            "differs",
            json!({"differing": 9, "difference": {
                "request": {"method": "POST", "path": "/api/webhook/ci"},
                "parts": [
                    {"part": "headers", "old": [["content-length", "64"]],
                        "new": [["content-length", "67"]]},
                    {"part": "effects", "old": old, "new": new},
                ],
            }}),
        ))
    };
    let only = judged_of(json!([{"kind": "log", "text": ["at http://x/plugins/dev.ci/ci?a=1"]}]));
    // Nothing is known of the others.
    let (en, zh) = (text(&only, Lang::En), text(&only, Lang::Zh));
    assert!(en.contains("  for this request only the path of the URL differs, which the plugin"));
    assert!(en.contains(" (the other 8 were not looked at for this)\n"));
    assert!(zh.contains("  这个请求的差异只在于 URL 的路径，"));
    assert!(zh.contains("（其余 8 个请求未作此项检查）\n"));
    let mut alone =
        judged_of(json!([{"kind": "log", "text": ["at http://x/plugins/dev.ci/ci?a=1"]}]));
    if let Status::Run { result, .. } = &mut alone.webhooks[0].status {
        result.differing = 1;
    }
    assert!(text(&alone, Lang::En).contains("  only the path of the URL differs, which"));
    assert!(text(&alone, Lang::Zh).contains("  差异只在于 URL 的路径，"));
    let more = judged_of(json!([{"kind": "log", "text": ["At http://x/plugins/dev.ci/ci?a=1"]}]));
    assert!(!text(&more, Lang::En).contains("only the path"));
    // Nothing has to be done about the path alone.
    assert!(!text(&alone, Lang::En).contains("leave senders where they are"));
    let mut migrated =
        judged_of(json!([{"kind": "log", "text": ["At http://x/plugins/dev.ci/ci?a=1"]}]));
    migrated.webhooks[0].base = Some("1a2b3c4".to_owned());
    let (en, zh) = (text(&migrated, Lang::En), text(&migrated, Lang::Zh));
    assert!(en.contains("; `git diff 1a2b3c4` shows what was changed\n"));
    assert!(zh.contains("；`git diff 1a2b3c4` 会显示做过的改动\n"));
    for (results, is_only) in [(only, true), (more, false)] {
        let view = View {
            results: &results,
            agent: AgentChoice::Auto,
            base: Path::new("/repo"),
        };
        let report = json::render(&view, Lang::En).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let difference = &report["webhooks"][0]["run"]["difference"];
        assert_eq!(difference["only_path"], is_only);
    }
}

#[test]
fn changed_lines_elsewhere_are_named_with_their_side() {
    let elsewhere = json!({"uncovered_elsewhere": [
        {"side": "old", "file": "ci.py", "lines": [31]},
        {"side": "new", "file": "lib/send.py", "lines": [8, 9, 12]},
    ]});
    let mut results = results(result("not_covered", elsewhere));
    results.webhooks[0].base = Some("HEAD".to_owned());
    if let Status::Run { elsewhere, .. } = &mut results.webhooks[0].status {
        for one in elsewhere {
            one.file = Path::new("/repo/plugins").join(&one.file);
        }
    }
    assert_eq!(
        text(&results, Lang::En),
        "not covered    dev.ci ci  9 requests
  HEAD:plugins/ci.py:5  lines run: 6-9
  HEAD:plugins/ci.py  changed (before the migration), and reached by no request: 31
  plugins/lib/send.py  changed (after the migration), and reached by no request: 8-9, 12
  hint: give a request that gets there with --requests; --save-requests writes those that were sent, to start from
  reached by no request, and not changed by the migration: 12-13
0 same, 0 differs, 1 not covered, 0 not migrated, 0 failed
"
    );
    assert!(text(&results, Lang::Zh).contains(
        "  plugins/lib/send.py  改动过（迁移后），但没有请求触及的行：8-9, 12\n  提示：请用 --requests 提供能运行到那里的请求；"
    ));
    let view = View {
        results: &results,
        agent: AgentChoice::Auto,
        base: Path::new("/repo"),
    };
    let report: serde_json::Value =
        serde_json::from_str(&json::render(&view, Lang::En).unwrap()).unwrap();
    assert_eq!(
        report["webhooks"][0]["run"]["uncovered_elsewhere"],
        json!([
            {"side": "old", "path": "plugins/ci.py", "lines": [31]},
            {"side": "new", "path": "plugins/lib/send.py", "lines": [8, 9, 12]},
        ])
    );
}

#[test]
fn lines_of_no_file_in_the_tree_are_none() {
    let lines = |side: &str, file: &str| {
        let lines = json!({"side": side, "file": file, "lines": [1]});
        serde_json::from_value::<Lines>(lines).is_ok()
    };
    assert!(lines("new", "a/b.py"));
    for file in ["", "/etc/passwd", "../b.py", "a/../../b.py"] {
        assert!(!lines("new", file), "{file}");
    }
    assert!(!lines("", "b.py") && !lines("both", "b.py"));
}

#[test]
fn a_proof_with_something_open_contradicts_itself() {
    let elsewhere = json!([{"side": "new", "file": "ci.py", "lines": [8]}]);
    for (verdict, more, contradicts) in [
        ("same", json!({}), false),
        ("same", json!({"uncovered": [12]}), true),
        ("same", json!({"uncovered_elsewhere": elsewhere}), true),
        ("same", json!({"reached": []}), true),
        (
            "not_covered",
            json!({"uncovered_elsewhere": elsewhere}),
            false,
        ),
        ("differs", json!({"uncovered": [12]}), false),
    ] {
        let result = result(verdict, more.clone());
        assert_eq!(result.contradicts_itself(), contradicts, "{verdict} {more}");
    }
}

#[test]
fn a_difference_is_shown_as_a_request_and_two_answers() {
    let difference = json!({"differing": 3, "difference": {
        "request": {
            "about": {"known": {"kind": "form"}}, "method": "POST", "path": "/api/webhook/ci", "query": "a=1",
            "headers": [["X-A", "1"], ["X-B", {"base64": "/w=="}]],
            "body": "a\u{1b}[2J\nb", "settings": {"TOKEN": "x"},
        },
        "parts": [
            {"part": "status", "old": 200, "new": 500},
            {"part": "effects", "old": ["sent"], "new": ["\u{202e}x"]},
        ],
    }});
    let results = results(result("differs", difference));
    assert_eq!(
        text(&results, Lang::En),
        "differs        dev.ci ci  3 of 9 requests
  plugins/ci.py:5  lines run: 6-9
  reached by no request, and not changed by the migration: 12-13
  the smallest request that shows it (a form):
    POST /api/webhook/ci?a=1
    X-A: 1
    X-B: (base64) /w==

    a\u{fffd}[2J
    b

    (with the settings {\"TOKEN\":\"x\"})
  status
    old: 200
    new: 500
  what the plugin did
    old: \"sent\"
    new: \"\u{fffd}x\"
  hint: leave senders where they are until this is as you want it; `rehook diff` shows what the migration changes
0 same, 1 differs, 0 not covered, 0 not migrated, 0 failed
"
    );
}

#[test]
fn no_name_gets_control_characters_onto_the_terminal() {
    let name = "ctl\u{1b}[31mRED\u{7}";
    let mut results = results(result("same", json!({})));
    results.webhooks[0].endpoint = Some(name.to_owned());
    results
        .refused
        .push((name.to_owned(), vec![name.to_owned()]));
    results.failures.push(Failure {
        plugin: name.to_owned(),
        endpoints: vec![name.to_owned()],
        cause: Cause::Ran {
            side: Side::Old,
            reason: Reason::Crash,
            detail: name.into(),
            answering: None,
        },
    });
    let view = View {
        results: &results,
        agent: AgentChoice::Auto,
        base: Path::new("/repo"),
    };
    let shown = text::render(&view, Lang::En);
    assert!(
        !shown.contains("\u{1b}[31mRED") && !shown.contains('\u{7}'),
        "{shown:?}"
    );
    assert_eq!(shown.matches("ctl\u{fffd}[31mRED\u{fffd}").count(), 6);
}

#[test]
fn what_was_refused_is_said_in_the_language_of_the_report() {
    let what = [
        "write /a b",
        "run git",
        "connect 192.0.2.1",
        "end 7",
        "else /a",
    ];
    let results = VerifyReport {
        refused: vec![("dev.ci".to_owned(), what.map(str::to_owned).to_vec())],
        ..VerifyReport::default()
    };
    let en = "  write /a b\n  run git\n  connect 192.0.2.1\n  end 7\n  else /a\n";
    assert!(text(&results, Lang::En).contains(en));
    let zh = "  写入 /a b\n  运行 git\n  连接 192.0.2.1\n  结束进程 7\n  else /a\n";
    assert!(text(&results, Lang::Zh).contains(zh));
}

#[test]
fn chinese_has_a_space_before_latin_letters_alone() {
    let text = |side, reason| {
        let cause = Cause::Ran {
            side,
            reason,
            detail: "".into(),
            answering: None,
        };
        explained(&cause).message.get(Lang::Zh).to_owned()
    };
    assert_eq!(
        text(Side::Old, Reason::NoPlugin),
        "迁移前 Agent 在其中找不到插件"
    );
    assert_eq!(
        text(Side::Neither, Reason::NoPlugin),
        "Agent 在其中找不到插件"
    );
    assert_eq!(text(Side::New, Reason::Import), "迁移后无法导入");
}

#[test]
fn a_query_that_is_no_text_is_shown_in_base64() {
    let difference = json!({"difference": {
        "request": {"method": "POST", "path": "/p", "query": {"base64": "Yf8="}}, "parts": [],
    }});
    let results = results(result("differs", difference));
    let shown = text(&results, Lang::En);
    assert!(shown.contains("    POST /p?(base64) Yf8=\n"), "{shown}");
}

fn endless(about: &str, went_on: bool) -> serde_json::Value {
    json!({
        "request": {
            "about": {"given": about}, "method": "POST", "path": "/api/webhook/ci",
            "headers": [["content-type", "application/json"]],
            "body": "{\"a\": \"loop\"}", "settings": {"LOUD": true},
        },
        "seconds": 5, "went_on": went_on, "ended": "",
    })
}

#[test]
fn a_request_that_did_not_end_is_said_beside_the_verdict() {
    let endless = json!([endless("first", true), endless("", false)]);
    let results = results(result("same", json!({"endless": endless})));
    assert!(results.is_same());
    assert_eq!(
        text(&results, Lang::En),
        "same           dev.ci ci  9 requests
  plugins/ci.py:5  lines run: 6-9
  reached by no request, and not changed by the migration: 12-13
  a request (first) had not ended after 5 s; it was not compared, and the search went on without it:
    POST /api/webhook/ci
    content-type: application/json

    {\"a\": \"loop\"}

    (with the settings {\"LOUD\":true})
  a request had not ended after 5 s; it was not compared, and the search ended there:
    POST /api/webhook/ci
    content-type: application/json

    {\"a\": \"loop\"}

    (with the settings {\"LOUD\":true})
  hint: see whether the handler waits or loops for such a request; give others with --requests
1 same, 0 differs, 0 not covered, 0 not migrated, 0 failed
"
    );
    let shown = text(&results, Lang::Zh);
    for expected in [
        "  有一个请求（first）在 5 秒后仍未结束，没有参与比较；已略过它继续寻找其他请求：\n    POST /api/webhook/ci\n",
        "  有一个请求在 5 秒后仍未结束，没有参与比较；此后没有再寻找其他请求：\n    POST /api/webhook/ci\n",
        "    {\"a\": \"loop\"}\n\n    （使用设置 {\"LOUD\":true}）\n  提示：请检查处理函数遇到这样的请求是否会一直等待或循环；可用 --requests 提供其他请求\n一致 1 个",
    ] {
        assert!(shown.contains(expected), "no {expected:?} in {shown}");
    }
}

#[test]
fn a_request_that_ended_the_process_is_said_as_such() {
    let mut one = endless("first", true);
    one["ended"] = json!({"kind": "exit_code", "code": 3});
    let results = results(result("same", json!({"endless": [one]})));
    let shown = text(&results, Lang::En);
    let expected = "  a request (first) ended the process (exit code 3); it was not compared:\n    POST /api/webhook/ci\n";
    assert!(shown.contains(expected), "{shown}");
    assert!(!shown.contains("loops"), "{shown}");
    let shown = text(&results, Lang::Zh);
    let expected = "  有一个请求（first）结束了进程（退出码 3），没有参与比较：\n";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn programs_are_told_of_it_too() {
    let results = results(result(
        "differs",
        json!({"endless": [endless("first", false)]}),
    ));
    let view = View {
        results: &results,
        agent: AgentChoice::Auto,
        base: Path::new("/repo"),
    };
    let report = json::render(&view, Lang::En).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let mut expected = endless("first", false);
    expected["request"]["about"] = json!("first");
    expected["request"]["query"] = json!("");
    assert_eq!(report["webhooks"][0]["run"]["endless"], json!([expected]));
}

#[test]
fn requests_are_called_by_chinese_names_in_chinese() {
    let called = |about: serde_json::Value| {
        let difference = json!({"difference": {
            "request": {"about": about, "method": "POST", "path": "/"}, "parts": [],
        }});
        results(result("differs", difference))
    };
    let known = called(json!({"known": {"kind": "object", "method": "PUT"}}));
    let shown = text(&known, Lang::Zh);
    assert!(
        shown.contains("  能显示差异的最小请求（JSON 对象，用 PUT 发送）：\n"),
        "{shown}"
    );
    let given = called(json!({"given": "an \u{1b}object"}));
    let shown = text(&given, Lang::Zh);
    assert!(
        shown.contains("  能显示差异的最小请求（an \u{fffd}object）：\n"),
        "{shown}"
    );
    // Programs are told in one language.
    let view = View {
        results: &known,
        agent: AgentChoice::Auto,
        base: Path::new("/repo"),
    };
    let report = json::render(&view, Lang::Zh).unwrap();
    assert!(
        report.contains("\"about\": \"an object, by PUT\""),
        "{report}"
    );
}

#[test]
fn long_values_are_cut() {
    let value = "y".repeat(2000);
    let difference = json!({"difference": {
        "request": {"method": "POST", "path": "/", "body": "x\n".repeat(100)},
        "parts": [{"part": "body", "old": value, "new": null}],
    }});
    let shown = text(&results(result("differs", difference)), Lang::En);
    assert!(shown.contains("yyy… (+1402)\n"), "{shown}");
    assert_eq!(shown.matches("    x\n").count(), 20, "{shown}");
}

#[test]
fn every_reason_has_words_and_a_name() {
    for (reason, name) in [
        (Reason::Import, "import"),
        (Reason::MissingModule, "missing_module"),
        (Reason::NoPlugin, "no_plugin"),
        (Reason::NoWebhook, "no_webhook"),
        (Reason::NoRouter, "no_router"),
        (Reason::Hang, "hang"),
        (Reason::Exit, "exit"),
        (Reason::Crash, "crash"),
        (Reason::NoSetting, "no_setting"),
        (Reason::BadSetting, "bad_setting"),
        (Reason::StandInLacks, "stand_in_lacks"),
    ] {
        assert_eq!(
            serde_json::from_value::<Reason>(json!(name)).unwrap(),
            reason
        );
        let cause = Cause::Ran {
            side: Side::New,
            reason,
            detail: "X: y".into(),
            answering: None,
        };
        let failed = VerifyReport {
            failures: vec![Failure {
                plugin: "dev.ci".to_owned(),
                endpoints: vec!["a".to_owned(), "b".to_owned()],
                cause,
            }],
            ..VerifyReport::default()
        };
        let shown = text(&failed, Lang::En);
        assert!(
            shown.starts_with("failed         dev.ci a, b\n  "),
            "{shown}"
        );
        assert!(
            shown.contains(" after the migration: X: y\n  hint: "),
            "{shown}"
        );
        let shown = text(&failed, Lang::Zh);
        assert!(
            shown.contains("  迁移后") && shown.contains("：X: y\n  提示："),
            "{shown}"
        );
        assert!(!failed.is_same());
    }
}

#[test]
fn what_the_system_does_not_keep_away_is_said() {
    let note = |network: &str, files: &str, lang: Lang| {
        let ready = json!({
            "event": "ready", "agent": "stand-in", "python": "3.12.3",
            "network": network, "files": files,
        });
        let mut results = results(result("same", json!({})));
        results.ready = match serde_json::from_value(ready).unwrap() {
            Event::Ready(ready) => Some(ready),
            other => panic!("{other:?}"),
        };
        let view = View {
            results: &results,
            agent: AgentChoice::Auto,
            base: Path::new("/repo"),
        };
        text::notes(&view, "", lang)
    };
    for lang in [Lang::En, Lang::Zh] {
        assert_eq!(note("cut", "cut", lang), "");
    }
    assert_eq!(
        note("cut", "refused", Lang::En),
        "this system does not keep a process away from files and programs: only what Python itself would call was refused\n"
    );
    assert_eq!(
        note("refused", "refused", Lang::Zh),
        "本系统无法禁止进程写入文件和启动程序：只拒绝了 Python 自身的这类调用\n\
         本系统无法切断进程的网络：只拒绝了 Python 自身的网络调用\n"
    );
}
