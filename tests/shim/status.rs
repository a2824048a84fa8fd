//! `rehook status` and `rehook routes retire`, asked of a shim that runs.

use std::io::Write;
use std::path::Path;
use std::process::Output;

use crate::support::*;

const MAP: &str = r#"
[[route]] # the one that is called
plugin = "calm.a"
endpoint = "x"
dialect = "context"
methods = ["POST"]
target = "/plugins/calm.a/x"
legacy = [
    "/calm", # GitHub
    "/calm/too", # nobody
]
"#;

/// An agent whose plugins `bad…` fail.
fn agent() -> Agent {
    Agent::start(|request, stream| {
        let status = match request.first.contains("/plugins/bad") {
            true => 500,
            false => 200,
        };
        stream.write_all(reply(status, "", "x").as_bytes()).unwrap();
        Keep::Yes
    })
}

fn call(shim: &Shim, path: &str) {
    let stats = shim.state.registry.url(path);
    let before = stats.counts().calls();
    shim.send(post(path, "X-GitHub-Delivery: d-1\r\n", "x"));
    wait_until("it is counted", || stats.counts().calls() > before);
}

fn rehook(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = run(folder, arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn a_terminal_shows_what_the_page_shows() {
    let agent = agent();
    let evil = route("bad.\u{1b}[31mb\u{202e}", "/plugins/bad.b/x", &["/bad"])
        .replace("{1b}", "001b")
        .replace("{202e}", "202e");
    let shim = Shim::start(agent.address, &[MAP, &evil].concat(), "");
    let folder = tempfile::tempdir().unwrap();
    let admin = shim.admin.to_string();
    let status = |arguments: &[&str]| {
        let all = [&["status", "--admin", &admin], arguments].concat();
        rehook(folder.path(), &all)
    };
    call(&shim, "/calm");
    let (code, text, _) = status(&[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains(": 2 webhooks: 1 in use, 1 no call yet\n"),
        "{text}"
    );
    call(&shim, "/bad");
    let (code, text, errors) = status(&[]);
    assert_eq!((code, errors.as_str()), (1, ""), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].starts_with("STATE    PLUGIN"), "{text}");
    assert!(
        lines[3].starts_with("failing  bad.\\u{1b}[31mb\\u{202e}"),
        "{text}"
    );
    assert!(lines[4].contains(" · 500 · answered · d-1"), "{text}");
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
    let (code, json, _) = status(&["--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &value["fails"]), (1, &true.into()));
    assert_eq!(value["version"], 1);
    assert_eq!(value["webhooks"][1]["state"], "failing");
    let (_, chinese, _) = status(&["--lang", "zh"]);
    assert!(
        chinese.contains("共 2 个 webhook：1 失败，1 使用中"),
        "{chinese}"
    );
    // Where the agent is gone, nothing can be delivered, whatever the last call came to.
    drop(agent);
    let (code, text, _) = status(&[]);
    assert_eq!(code, 1);
    assert!(text.contains(": no agent answers\n"), "{text}");
}

/// Each of them is given two seconds, and the shim five.
#[test]
fn agents_that_are_silent_are_asked_at_the_same_time() {
    let silent: Vec<_> = (0..4)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let mut map = String::new();
    let mut config = String::new();
    for (number, listener) in silent.iter().enumerate() {
        let (plugin, address) = (format!("a.p{number}"), listener.local_addr().unwrap());
        let path = format!("/o/{number}");
        map += &route(&plugin, &format!("/plugins/{plugin}/x"), &[&path]);
        config += &format!("[[route]]\nplugin = {plugin:?}\nupstream = \"http://{address}\"\n");
    }
    let agent = agent();
    let shim = Shim::start(agent.address, &map, &config);
    let folder = tempfile::tempdir().unwrap();
    let admin = shim.admin.to_string();
    let (code, text, error) = rehook(folder.path(), &["status", "--admin", &admin]);
    assert_eq!((code, error.as_str()), (1, ""), "{text}");
    assert_eq!(text.matches(": no agent answers\n").count(), 4, "{text}");
}

#[test]
fn who_is_no_shim_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent();
    let mut gone = Agent::start(ok);
    gone.stop();
    let other = Agent::start(|_, stream| {
        stream.write_all(reply(200, "", "{}").as_bytes()).unwrap();
        Keep::No
    });
    for (address, part) in [
        (gone.address, "no shim answers at"),
        (other.address, "is not the admin address of a shim"),
    ] {
        let (code, out, error) =
            rehook(folder.path(), &["status", "--admin", &address.to_string()]);
        assert_eq!((code, out.as_str()), (2, ""), "{error}");
        assert!(error.contains(part) && error.contains("hint: "), "{error}");
    }
    let shim = Shim::start(agent.address, GITHUB, "");
    let config = format!(
        "upstream = \"http://{}\"\nadmin = \"{}\"\n",
        agent.address, shim.admin
    );
    std::fs::write(folder.path().join("a.toml"), &config).unwrap();
    assert_eq!(
        rehook(folder.path(), &["status", "--config", "a.toml"]).0,
        0
    );
    let off = config.replace(&shim.admin.to_string(), "off");
    std::fs::write(folder.path().join("b.toml"), off).unwrap();
    let (code, _, error) = rehook(folder.path(), &["status", "--config", "b.toml"]);
    assert_eq!(code, 2);
    assert!(
        error.contains("b.toml: the shim of this configuration has no admin"),
        "{error}"
    );
}

#[test]
fn only_what_nobody_calls_is_retired() {
    let agent = agent();
    let shim = Shim::start(agent.address, MAP, "");
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("map.toml");
    let text = format!("version = 1\n{MAP}");
    std::fs::write(&map, &text).unwrap();
    let admin = shim.admin.to_string();
    let retire = |url: &str, more: &[&str]| {
        let all = ["routes", "retire", url, "--routes", "map.toml"];
        let all = [&all, more].concat();
        rehook(folder.path(), &all)
    };
    let since = &shim.state.registry.counted_since;
    since.fetch_sub(31 * 86_400, std::sync::atomic::Ordering::Relaxed);
    call(&shim, "/calm");
    let at = ["--admin", admin.as_str()];
    let (code, _, error) = retire("https://old.example/calm?x=1", &at);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("/calm has not been silent for long enough: last called just now"));
    for unknown in ["/nowhere", "calm", "https://old.example", "/%ff"] {
        let (code, _, error) = retire(unknown, &at);
        assert_eq!(code, 2, "{unknown}: {error}");
    }
    assert_eq!(std::fs::read_to_string(&map).unwrap(), text);
    let (code, said, error) = retire("/calm%2Ftoo", &at);
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(
        said,
        "retired /calm/too of calm.a: not called since counting began\n"
    );
    let left = std::fs::read_to_string(&map).unwrap();
    assert!(
        !left.contains("\"/calm/too\"") && left.contains("# GitHub"),
        "{left}"
    );
    // Behind a link, with its mode; and when nobody can tell.
    let real = folder.path().join("real.toml");
    std::fs::rename(&map, &real).unwrap();
    std::os::unix::fs::symlink(&real, &map).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(&real, mode).unwrap();
    let counts = ["--counters-file", "counts.json", "--force"];
    let (code, said, error) = retire("/calm", &counts);
    assert_eq!(code, 0, "{error}");
    assert_eq!(
        said,
        "retired /calm of calm.a: nobody knows when it was last called\n"
    );
    assert!(
        error.contains("counts.json: nothing was counted of this URL"),
        "{error}"
    );
    assert!(map.is_symlink());
    let data = std::fs::metadata(&real).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions());
    assert_eq!(mode & 0o777, 0o640);
    let left = std::fs::read_to_string(&real).unwrap();
    assert!(
        left.contains("# the one that is called") && !left.contains("\"/calm\""),
        "{left}"
    );
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2, "nothing is left behind");
}

#[test]
fn a_counters_file_tells_when_no_shim_runs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("map.toml"),
        format!("version = 1\n{MAP}"),
    )
    .unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let counts = format!(
        "{{\"counted_since\": 1, \"urls\": {{\"/calm\": {{\"last\": {}}}, \"/calm/too\": {{\"last\": {}}}}}}}",
        now - 60,
        now - 40 * 86_400
    );
    std::fs::write(folder.path().join("counts.json"), counts).unwrap();
    let retire = |url: &str| {
        let all = [
            "routes",
            "retire",
            url,
            "--routes",
            "map.toml",
            "--counters-file",
            "counts.json",
        ];
        rehook(folder.path(), &all)
    };
    assert_eq!(retire("/calm").0, 2);
    let (code, said, _) = retire("/calm/too");
    assert_eq!(code, 0);
    assert!(
        said.starts_with("retired /calm/too of calm.a: last called 40 days ago ("),
        "{said}"
    );
}
