//! Whether the agent has what the map names, as `--check` finds it out.

use std::io::Write;
use std::path::Path;

use crate::support::*;

fn of_agent(status: u16, message: &str) -> String {
    let body =
        format!(r#"{{"error":"HTTPException","message":"{message}","detail":null,"data":null}}"#);
    reply(status, "Content-Type: application/json\r\n", &body)
}

fn check(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let common = ["shim", "--config", "shim.toml", "--check"];
    let output = run(folder, &[&common[..], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn files(upstream: &str, plugins: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let routes = plugins.iter().map(|plugin| {
        let target = format!("/plugins/dev.{plugin}/x/{{id}}");
        let (old, other) = (format!("/o/{plugin}/{{id}}"), format!("/p/{plugin}/{{id}}"));
        route(&format!("dev.{plugin}"), &target, &[&old, &other])
    });
    let routes: String = routes.collect();
    write_files(
        folder.path(),
        &routes,
        &format!("upstream = {upstream:?}\n"),
    );
    folder
}

#[test]
fn check_asks_the_agent_for_each_target() {
    let agent = Agent::start(|message, stream| {
        let path = message.first.split(' ').nth(1).unwrap();
        let reply = match path {
            "/plugins/dev.there/x/0" => of_agent(405, "Method Not Allowed"),
            "/plugins/dev.off/x/0" => of_agent(404, "Plugin not found or disabled"),
            "/plugins/dev.gone/x/0" => of_agent(404, "Not Found"),
            "/plugins/dev.own/x/0" => of_agent(404, "no such thing"),
            "/plugins/dev.silent/x/0" => String::new(),
            _ => panic!("{path}"),
        };
        stream.write_all(reply.as_bytes()).unwrap();
        Keep::No
    });
    let upstream = format!("http://{}", agent.address);
    let folder = files(&upstream, &["there", "off", "gone", "own", "silent"]);
    let (code, out, _) = check(folder.path(), &[]);
    assert_eq!(code, 1, "{out}");
    let row = |said: &str, plugin: &str| {
        format!("    {said:27}  {upstream}/plugins/dev.{plugin}/x/{{id}}\n")
    };
    for (said, plugin) in [
        ("there", "there"),
        ("disabled or reloading (404)", "off"),
        ("not mounted (404)", "gone"),
        ("unclear (404)", "own"),
        ("no answer", "silent"),
    ] {
        assert!(out.contains(&row(said, plugin)), "{plugin}: {out}");
    }
    assert!(
        out.contains("2 of 5 new URLs are not on the agent"),
        "{out}"
    );
    // Each once, with a method that calls no handler.
    let requests = agent.requests();
    assert_eq!(requests.len(), 5);
    assert!(
        requests
            .iter()
            .all(|request| request.first.starts_with("PROPFIND "))
    );
    let folder = files(&upstream, &["there", "own"]);
    let (code, out, _) = check(folder.path(), &["--lang", "zh"]);
    assert_eq!(code, 0, "what is unclear is not missing: {out}");
    assert!(out.contains("    存在             http://"), "{out}");
    assert!(out.contains("    无法判断（404）  http://"), "{out}");
}

#[test]
fn an_agent_that_is_not_there_is_no_failure_unless_it_has_to_be() {
    let folder = files("http://127.0.0.1:9", &["a", "b"]);
    let (code, out, err) = check(folder.path(), &["--no-upstream-check"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("    not asked  http://127.0.0.1:9/plugins/dev.a/x/{id}\n"),
        "{out}"
    );
    assert!(
        out.contains("of 2 new URLs it is not known whether they are there"),
        "{out}"
    );
    let (code, _, err) = check(folder.path(), &[]);
    assert_eq!(code, 2);
    assert!(err.contains("no agent answers at"), "{err}");
}
