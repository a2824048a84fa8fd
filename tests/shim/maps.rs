//! Several route maps: files and folders of them.

use std::path::Path;

use crate::support::*;

fn write(path: impl AsRef<Path>, routes: &str) {
    std::fs::write(path, format!("version = 1\n{routes}")).unwrap();
}

fn a() -> String {
    route("dev.a", "/plugins/dev.a/x", &["/o/a"])
}

fn b() -> String {
    route("dev.b", "/plugins/dev.b/x", &["/o/b"])
}

/// A folder with a configuration, and `maps`, a folder with two maps.
fn folder(agent: &Agent, routes: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let maps = folder.path().join("maps");
    std::fs::create_dir(&maps).unwrap();
    write(maps.join("a.toml"), &a());
    write(maps.join("b.toml"), &b());
    let config = format!(
        "routes = {routes}\nupstream = \"http://{}\"\nlisten = \"127.0.0.1:0\"\n\
         admin = \"127.0.0.1:0\"\n",
        agent.address
    );
    std::fs::write(folder.path().join("shim.toml"), config).unwrap();
    folder
}

fn check(folder: &Path) -> (i32, String, String) {
    let output = run(folder, &["shim", "--config", "shim.toml", "--check"]);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn maps_are_files_or_folders() {
    let agent = Agent::start(ok);
    for routes in [
        "\"maps\"",
        "[\"maps/a.toml\", \"maps/b.toml\"]",
        // Twice the same file is one map.
        "[\"maps/b.toml\", \"maps\", \"maps/../maps/a.toml\"]",
    ] {
        let folder = folder(&agent, routes);
        let maps = folder.path().join("maps");
        std::fs::write(maps.join("notes.txt"), "not a map").unwrap();
        std::fs::write(maps.join(".a.toml.swp.toml"), "not a map").unwrap();
        let (code, out, err) = check(folder.path());
        assert_eq!((code, &*err), (0, ""), "{routes}: {out}");
        assert!(out.contains("/o/a [") && out.contains("/o/b ["), "{out}");
        assert!(
            out.contains("configuration OK: 2 old URLs of maps/"),
            "{out}"
        );
        let flags = [
            "shim",
            "--upstream",
            "http://127.0.0.1:9",
            "--no-upstream-check",
            "--check",
        ];
        let flags = [
            &flags[..],
            &["--routes", "maps/a.toml", "--routes", "maps/b.toml"],
        ]
        .concat();
        let output = run(folder.path(), &flags);
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(
            out.contains("2 old URLs of maps/a.toml, maps/b.toml"),
            "{out}"
        );
    }
}

#[test]
fn what_clashes_is_named_with_both_files() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, "\"maps\"");
    let b = folder.path().join("maps/b.toml");
    write(&b, &a());
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    let says =
        "maps/b.toml:5: the endpoint `/plugins/dev.a/x` of dev.a (/o/a) is in maps/a.toml:5 too";
    assert!(err.contains(says), "{err}");
    // Two plugins at one old URL may be meant: both are called.
    write(&b, &route("dev.b", "/plugins/dev.b/x", &["/o/b", "/o/a"]));
    let (code, out, err) = check(folder.path());
    assert_eq!(code, 0, "{err}");
    let says = "warning: maps/b.toml:9: the old URL /o/a is at maps/a.toml:9 too";
    assert!(err.contains(says), "{err}");
    assert!(out.contains("2 old URLs"), "{out}");
    // An error in one of them names it.
    std::fs::write(&b, "version = 1\n[[route]\n").unwrap();
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(err.contains("maps/b.toml:2: "), "{err}");
    std::fs::remove_file(&b).unwrap();
    std::fs::write(
        folder.path().join("shim.toml"),
        "routes = [\"maps/a.toml\", \"maps/b.toml\"]\nupstream = \"http://127.0.0.1:9\"\n",
    )
    .unwrap();
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("maps/b.toml: the route map cannot be read"),
        "{err}"
    );
}

#[test]
fn a_map_that_comes_or_goes_is_noticed() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, "\"maps\"");
    let maps = folder.path().join("maps");
    let process = Process::start(folder.path(), &[]);
    let status = |path: &str| process.status(&post(path, "", "x"));
    assert_eq!(
        (status("/o/a"), status("/o/b"), status("/o/c")),
        (200, 200, 404)
    );
    write(
        maps.join("c.toml"),
        &route("dev.c", "/plugins/dev.c/x", &["/o/c"]),
    );
    wait_until("the new map is served", || status("/o/c") == 200);
    std::fs::remove_file(maps.join("b.toml")).unwrap();
    wait_until("the map that is gone is served no more", || {
        status("/o/b") == 404
    });
    for warning in [
        "warning: the route map maps/b.toml is not there any more",
        "warning: /o/b is served no more",
    ] {
        wait_until("the log says so", || process.log().contains(warning));
    }
    // What is wrong in one of them keeps all of them as they were.
    std::fs::write(maps.join("a.toml"), "version = 1\n[[route]\n").unwrap();
    wait_until("the wrong map is refused", || {
        process.log().contains("not reloaded")
    });
    assert_eq!((status("/o/a"), status("/o/c")), (200, 200));
    assert!(
        process.log().contains("maps/a.toml:2: "),
        "{}",
        process.log()
    );
}

#[test]
fn maps_that_are_all_gone_do_not_replace_those_that_were_there() {
    let agent = Agent::start(ok);
    for passthrough in ["", "passthrough = true\n"] {
        let folder = folder(&agent, "\"maps\"");
        let config = folder.path().join("shim.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}{passthrough}")).unwrap();
        let process = Process::start(folder.path(), &[]);
        agent.forget();
        for name in ["a.toml", "b.toml"] {
            std::fs::remove_file(folder.path().join("maps").join(name)).unwrap();
        }
        wait_until("it is said", || process.log().contains("not reloaded"));
        assert_eq!(process.status(&post("/o/a", "", "x")), 200);
        assert!(agent.request().first.contains("/plugins/dev.a/x"));
    }
}

#[test]
fn a_map_has_a_largest_size() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, "\"maps\"");
    let b = folder.path().join("maps/b.toml");
    let comment = format!("{}#{}\n", b_text(), "x".repeat(16 << 20));
    std::fs::write(&b, comment).unwrap();
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("maps/b.toml: the route map cannot be read: it is too large"),
        "{err}"
    );
}

fn b_text() -> String {
    format!("version = 1\n{}", b())
}
