use serde_json::json;

use super::*;

/// What is shown below the request.
fn shown(parts: Value, lang: Lang) -> String {
    let difference = json!({"request": {"method": "POST", "path": "/p"}, "parts": parts});
    let difference = serde_json::from_value(difference).unwrap();
    let text = anstream::adapter::strip_str(&text(&difference, lang)).to_string();
    let (_, shown) = text.split_once("    POST /p\n").unwrap();
    shown.to_owned()
}

#[test]
fn a_length_that_follows_from_the_body_is_left_out() {
    let body = json!({"part": "body", "old": "a", "new": "bc"});
    let headers = |old: Value, new: Value| json!({"part": "headers", "old": old, "new": new});
    let kind = json!(["content-type", "text/plain"]);
    let length = |length: &str| json!(["content-length", length]);
    let lengths = headers(json!([length("3"), kind]), json!([length("4"), kind]));
    let of_body = "  body\n    old: \"a\"\n    new: \"bc\"\n";
    assert_eq!(shown(json!([body, lengths]), Lang::En), of_body);
    // Without a body that differs it is a difference, and so is one that is missing.
    assert_eq!(
        shown(json!([lengths]), Lang::En),
        "  headers (1 more alike)\n    old: content-length: 3\n    new: content-length: 4\n"
    );
    let missing = headers(json!([length("3"), kind]), json!([kind]));
    assert_eq!(
        shown(json!([body, missing]), Lang::Zh),
        "  响应体\n    旧：\"a\"\n    新：\"bc\"\n  响应头（另有 1 项相同）\n    旧：content-length: 3\n    新：（无）\n"
    );
    // What differs besides it is shown without it.
    let more = headers(
        json!([length("3"), kind]),
        json!([length("4"), ["content-type", "text/html"], ["x-a", "1"]]),
    );
    let expected = "  headers\n    old: content-type: text/plain\n    new: content-type: text/html\n         x-a: 1\n";
    assert_eq!(
        shown(json!([body, more]), Lang::En),
        format!("{of_body}{expected}")
    );
}

#[test]
fn what_a_plugin_did_is_said_in_words() {
    let log = |text: &str| json!(["log", "INFO", text, null]);
    let effects = |old: Value, new: Value| json!([{"part": "effects", "old": old, "new": new}]);
    assert_eq!(
        shown(
            effects(
                json!([log("a"), log("come")]),
                json!([log("a"), log("gone")])
            ),
            Lang::En
        ),
        "  what the plugin did (1 more alike)\n    old: log INFO \"come\"\n    new: log INFO \"gone\"\n"
    );
    let sent = json!(["send", "onebot_v11-group_1", [["text", "你好"]], {}]);
    let failed = json!(["log", "ERROR", "no", "ValueError: x"]);
    assert_eq!(
        shown(effects(json!([sent, failed]), json!([])), Lang::Zh),
        "  插件做了什么\n    旧：send \"onebot_v11-group_1\" [[\"text\",\"你好\"]]\n        log ERROR \"no\" \"ValueError: x\"\n    新：（无）\n"
    );
    // Where the words would be the same, all of it is shown.
    assert_eq!(
        shown(
            effects(
                json!([["log", "INFO", "a", null]]),
                json!([["log", "INFO", "a"]])
            ),
            Lang::En
        ),
        "  what the plugin did\n    old: [[\"log\",\"INFO\",\"a\",null]]\n    new: [[\"log\",\"INFO\",\"a\"]]\n"
    );
    let many: Vec<Value> = (0..25).map(|n| log(&n.to_string())).collect();
    let many = shown(effects(json!(many), json!([])), Lang::En);
    assert!(
        many.contains("log INFO \"19\"\n         … (+5)\n"),
        "{many}"
    );
}

#[test]
fn of_long_texts_the_place_is_shown_in_which_they_differ() {
    let long = |end: &str| format!("{}{end}{}", "y".repeat(2000), "z".repeat(2000));
    let shown = shown(
        json!([{"part": "body", "old": long("a"), "new": long("b")}]),
        Lang::En,
    );
    for end in ["old: (+1961) …", "new: (+1961) …"] {
        assert!(shown.contains(end), "{shown}");
    }
    assert!(shown.contains("yaz") && shown.contains("ybz"), "{shown}");
}
