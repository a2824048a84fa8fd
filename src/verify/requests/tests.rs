use super::*;
use crate::routes::Dialect;
use crate::text::Lang;

fn file(text: impl AsRef<[u8]>) -> Result<Vec<Request>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    fs::write(&path, text).unwrap();
    read(&path).map(|given| given.requests).map_err(|error| {
        let text = error.message;
        let text = text.get(Lang::En);
        text.rsplit_once("requests.jsonl:").unwrap().1.to_owned()
    })
}

#[track_caller]
fn check_error(text: impl AsRef<[u8]>, expected: &str) {
    let error = file(text).unwrap_err();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn what_is_wrong_is_said_in_chinese_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    for (line, expected) in [
        ("[]", "：这一行不是 JSON 对象"),
        (
            r#"{"pat": "/a"}"#,
            "：第 6 列：未知的键 `pat`；可用的键有 `path`",
        ),
        (
            r#"{"path": "/p", "headers": 3}"#,
            "：第 27 列：类型错误：应为对象或键值对数组，实际为整数 `3`",
        ),
        (
            r#"{"path": "/p", "query": 1}"#,
            "：第 26 列：查询参数和请求头的值应为字符串",
        ),
        (
            r#"{"path": "/p"#,
            "：第 12 列：JSON 格式错误：字符串没有结束",
        ),
    ] {
        fs::write(&path, line).unwrap();
        let error = read(&path).unwrap_err();
        let text = error.message;
        let said = text.get(Lang::Zh).rsplit_once("requests.jsonl:1").unwrap();
        assert!(said.1.starts_with(expected), "{}", said.1);
    }
}

#[test]
fn a_line_is_a_request() {
    let text = r#"{"path": "/api/webhook/a%20b?x=1"}

{"path": "/p", "method": "put", "query": "y=2", "headers": {"A": "1", "B": {"base64": "/w=="}}, "body": "{}", "settings": {"S": 1}, "about": "one", "status": 200}
{"path": "/p", "headers": [["A", "1"], ["A", "2"]], "base64": "/w=="}
"#;
    let requests = file(text).unwrap();
    let text = |text: &str| Bytes::Text(text.to_owned());
    assert_eq!(requests.len(), 3);
    let first = &requests[0];
    assert_eq!(
        (first.path.as_str(), &first.query),
        ("/api/webhook/a b", &text("x=1"))
    );
    assert_eq!((first.line, first.method.as_str()), (1, "POST"));
    assert_eq!(first.about, "requests.jsonl:1");
    let second = &requests[1];
    assert_eq!(
        (second.line, second.method.as_str(), second.about.as_str()),
        (3, "PUT", "one")
    );
    let value = Bytes::Encoded {
        base64: "/w==".into(),
    };
    assert_eq!(
        second.headers,
        [("A".into(), text("1")), ("B".into(), value)]
    );
    assert_eq!(second.body, Body::Text("{}".into()));
    assert_eq!(second.settings["S"], 1);
    assert_eq!(
        requests[2].headers,
        [("A".into(), text("1")), ("A".into(), text("2"))]
    );
    assert_eq!(requests[2].body, Body::Encoded("/w==".into()));
    // As it is in a difference that was shown.
    let shown = file(r#"{"path": "/p", "query": {"base64": "Yf8="}}"#).unwrap();
    let base64 = "Yf8=".to_owned();
    assert_eq!(shown[0].query, Bytes::Encoded { base64 });
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let ok = "{\"path\": \"/p\"}\n";
    check_error(
        format!("{ok}{{\"path\": 1}}\n"),
        "2: column 10: invalid type: integer",
    );
    check_error(format!("{ok}\n[]\n"), "3: the line is not an object");
    check_error("nothing\n", "1: the line is not an object");
    check_error("{}", "1: column 2: missing field `path`");
    check_error(
        r#"{"path": "/p", "pth": 1}"#,
        "1: column 20: unknown field `pth`",
    );
    check_error(r#"{"path": "p"}"#, "1: the path \"p\" does not start");
    check_error(
        r#"{"path": "/p?a", "query": ""}"#,
        "1: the query is given twice",
    );
    check_error(
        r#"{"path": "/p", "body": "", "base64": ""}"#,
        "1: the body is given twice",
    );
    check_error(r#"{"path": "/p", "base64": "/"}"#, "1: invalid base64");
    check_error(
        r#"{"path": "/p", "body": "", "body_omitted": 9}"#,
        "1: the body is given, and said to be omitted",
    );
    check_error(
        r#"{"path": "/p", "query": {"base64": "/"}}"#,
        "1: invalid base64",
    );
    check_error(
        r#"{"path": "/p", "headers": {"A": 1}}"#,
        "1: column 34: a query, or a header's value, is",
    );
    check_error(
        r#"{"path": "/p", "headers": {"A B": ""}}"#,
        "1: \"A B\" is not the name of a header",
    );
    check_error(
        r#"{"path": "/p", "headers": {"A": "1\r\nB: 2"}}"#,
        "1: the header A has a line end",
    );
    check_error(
        r#"{"path": "/p", "headers": {"A": {"base64": "!"}}}"#,
        "1: invalid base64",
    );
    check_error(
        r#"{"path": "/p", "method": "A B"}"#,
        "1: \"A B\" is not a method",
    );
    check_error(b"{\"path\": \"/\xff\"}", "1: column ");
    check_error("\n \n", "1: there is no request");
}

#[test]
fn a_line_that_is_not_json_is_skipped_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let ok = r#"{"path": "/p"}"#;
    let text = [
        ok.as_bytes(),
        b"\n{\"path\": \"/p\", \"body\": \"hal\n",
        ok.as_bytes(),
        b"\n{\"path\": \"/\xff\"}\n",
        br#"{"path": "/p", "body_omitted": 9}"#,
        b"\nnothing\n",
    ];
    fs::write(&path, text.concat()).unwrap();
    let given = read(&path).unwrap();
    let lines: Vec<usize> = given.requests.iter().map(|request| request.line).collect();
    assert_eq!(lines, [1, 3]);
    let unusable: Vec<_> = given
        .unusable
        .iter()
        .map(|one| (one.line, one.why))
        .collect();
    let broken = SkipReason::Broken;
    assert_eq!(
        unusable,
        [
            (2, broken),
            (4, broken),
            (5, SkipReason::NoBody),
            (6, broken)
        ]
    );
    let route = Route::new("dev", "a", "ci", Dialect::Request);
    let lines = given.unsent([&route].into_iter()).into_iter();
    assert_eq!(
        lines.map(|one| one.line).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
}

#[test]
fn a_request_is_for_every_route_with_that_old_url() {
    let request = |path: &str| {
        let text = format!("\u{feff}{{\"path\": \"{path}\"}}");
        file(text).unwrap().remove(0)
    };
    let a = Route::new("dev", "a", "ci/x y", Dialect::Request);
    let b = Route::new("dev", "b", "ci", Dialect::Context);
    assert!(request("/api/plugin/dev.a/webhook/ci/x%20y?z=1").is_for(&a));
    assert!(request("/api/webhook/ci").is_for(&b));
    assert!(!request("/api/webhook/ci").is_for(&a));
    assert!(!request("/plugins/dev.b/ci").is_for(&b));
    assert!(!request("/api/webhook/%zz").is_for(&b));
}
