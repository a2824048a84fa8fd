//! The program: what it says when it cannot serve, and reloading.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

fn folder(routes: &str, config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), routes, config);
    folder
}

/// An agent that is not there, for what does not need one.
const UPSTREAM: &str = "upstream = \"http://127.0.0.1:9\"\nupstream_check = false\n";

fn check(folder: &Path) -> (i32, String, String) {
    let output = run(folder, &["shim", "--config", "shim.toml", "--check"]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn check_says_what_would_be_served() {
    let config = "[[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\nkind = \"gitlab\"\nsecret_env = \"PATH\"\n";
    let folder = folder(GITHUB, &format!("{UPSTREAM}{config}"));
    let (code, out, err) = check(folder.path());
    assert_eq!(code, 0);
    assert!(
        err.starts_with("warning: no agent answers at http://127.0.0.1:9 yet: connection refused"),
        "{err}"
    );
    assert!(
        out.contains("/api/plugin/KroMiose.github/webhook/github [POST]"),
        "{out}"
    );
    assert!(
        out.contains(
            "-> http://127.0.0.1:9/plugins/KroMiose.github/github  KroMiose.github  (token)"
        ),
        "{out}"
    );
    assert!(out.contains("configuration OK: 3 old URLs"), "{out}");
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_remedy() {
    let wrong = "lisen = \"x\"\npassthrough = 1\nadmin = \"here\"\nsunset = \"soon\"\n[limits]\ntotal = 8\nbody = \"big\"\n[[route]]\nplugin = \"nobody.here\"\n";
    let folder = folder(
        GITHUB,
        &format!("{UPSTREAM}{wrong}").replace("admin", "admin2"),
    );
    let (code, out, err) = check(folder.path());
    assert_eq!((code, out.as_str()), (2, ""));
    for part in [
        "shim.toml:6: unknown key `lisen`
  hint: known here are: routes, ",
        "shim.toml:7: the value of `passthrough` is invalid
  hint: write true or false
",
        "shim.toml:9: the value of `sunset` is invalid
  hint: write a date such as 2026-12-31
",
        "shim.toml:11: the value of `total` is invalid
  hint: write a duration such as \"8s\"",
        "shim.toml:12: the value of `body` is invalid
  hint: write a size such as \"25MiB\"",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
}

#[test]
fn errors_are_said_in_the_order_of_their_lines() {
    let wrong = "sunset = \"soon\"\nlisten2 = 1\npassthrough = 1\nretire_after = 3\n[limits]\nidle = 1\nbody = 0\n";
    let folder = folder(GITHUB, &format!("{UPSTREAM}{wrong}"));
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    let line = |text: &str| {
        text.split_once("shim.toml:")?
            .1
            .split_once(':')?
            .0
            .parse()
            .ok()
    };
    let lines: Vec<usize> = err.lines().filter_map(line).collect();
    assert_eq!(lines, [6, 7, 8, 9, 11, 12], "{err}");
}

#[test]
fn a_404_need_not_say_what_is_served() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    assert_eq!(
        shim.send(get("/x")).json()["served"][0],
        "/api/webhook/github"
    );
    let shim = Shim::start(agent.address, GITHUB, "list_urls = false\n");
    let reply = shim.send(get("/x"));
    assert_eq!(
        (reply.status(), reply.json()["served"].is_null()),
        (404, true)
    );
    assert!(!reply.text().contains("/api/"), "{}", reply.text());
}

#[test]
fn a_map_that_is_being_written_is_not_read() {
    let agent = Agent::start(ok);
    let full = [GITHUB, &route("a.b", "/plugins/a.b/x", &["/o"])].concat();
    let folder = folder(&full, &format!("upstream = \"http://{}\"\n", agent.address));
    let process = Process::start(folder.path(), &[]);
    let map = folder.path().join("routes.toml");
    let write = |routes: &str| std::fs::write(&map, format!("version = 1\n{routes}")).unwrap();
    // It looks another way at each look.
    for _ in 0..15 {
        write(GITHUB);
        std::thread::sleep(Duration::from_millis(200));
    }
    write(&full);
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(
        !process.log().contains("served no more"),
        "{}",
        process.log()
    );
    // One that stays so is taken for what it is.
    write(GITHUB);
    wait_until("it is read", || {
        process.log().contains("warning: /o is served no more")
    });
    assert_eq!(process.status(&post("/o", "", "x")), 404);
}

#[test]
fn a_log_that_was_moved_away_is_opened_anew() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let at = |name: &str| folder.path().join(name);
    // Where its standard error goes, too.
    let process = Process::start(folder.path(), &["--log-file", "log"]);
    let count = |name: &str| {
        let text = std::fs::read_to_string(at(name)).unwrap_or_default();
        text.matches(" POST /api/webhook/github 200 ").count()
    };
    let send = |name: &str, expected: usize| {
        assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
        wait_until("it is logged", || count(name) == expected);
    };
    send("log", 1);
    for (signal, moved) in [(Signal::USR1, "log.1"), (Signal::HUP, "log.2")] {
        let before = count("log");
        std::fs::rename(at("log"), at(moved)).unwrap();
        send(moved, before + 1);
        process.signal(signal);
        wait_until("there is a new one", || at("log").exists());
        send("log", 1);
        assert_eq!(count(moved), before + 1);
    }
    let mode = std::fs::metadata(at("log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o007, 0, "it names the addresses of senders");
    drop(process);
    let arguments = ["shim", "--config", "shim.toml", "--log-file", "nowhere/log"];
    let output = run(folder.path(), &arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err.contains("the log cannot be written to nowhere/log: no such file or folder\n  hint: "),
        "{err}"
    );
    let checked = [
        "shim",
        "--config",
        "shim.toml",
        "--log-file",
        "new",
        "--check",
    ];
    assert!(run(folder.path(), &checked).status.success());
    assert!(!at("new").exists(), "a check leaves nothing behind");
}

#[test]
fn a_key_of_an_earlier_name_is_said_to_have_another_now() {
    let folder = folder(
        GITHUB,
        &format!(
            "{UPSTREAM}state = \"c.json\"\n[[route]]\nplugin = \"KroMiose.github\"\n[[route.door]]\nkind = \"gitlab\"\n"
        ),
    );
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    for line in [
        "shim.toml:6: `state` is `counters_file` now",
        "shim.toml:9: `[[route.door]]` is `[[route.auth]]` now",
    ] {
        assert!(err.contains(line), "{err}");
    }
}

#[test]
fn a_route_that_is_not_in_the_map_is_said() {
    let folder = folder(
        GITHUB,
        &format!("{UPSTREAM}[[route]]\nplugin = \"nobody.here\"\n"),
    );
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(err.contains("shim.toml:6: no route of the map is `*` of the plugin `nobody.here`\n  hint: the plugins in the map are: KroMiose.github"), "{err}");
}

#[test]
fn a_broken_map_or_none_is_said() {
    let folder = folder(&format!("{GITHUB}plugin = 3\n"), UPSTREAM);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("routes.toml:10: this is not a route map, at column "),
        "{err}"
    );
    std::fs::remove_file(folder.path().join("routes.toml")).unwrap();
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("routes.toml: the route map cannot be read")
            && err.contains("`rehook migrate` writes it"),
        "{err}"
    );
    let routes = route("a.b", "/plugins/a.b/t/{id}", &["/o/{other}"]);
    write_files(folder.path(), &routes, UPSTREAM);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(err.contains("no parameter `id`"), "{err}");
    let routes = [
        route("a.b", "/plugins/a.b/t/{id}", &["/o/{id}"]),
        route("c.d", "/plugins/c.d/t/{key}", &["/o/{key}"]),
    ];
    write_files(folder.path(), &routes.concat(), UPSTREAM);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("`/o/{id}` and `/o/{key}` match the same URLs"),
        "{err}"
    );
}

#[test]
fn flags_are_checked_too_and_in_chinese() {
    let folder = folder(GITHUB, "");
    let output = run(
        folder.path(),
        &[
            "--lang",
            "zh",
            "shim",
            "--routes",
            "routes.toml",
            "--upstream",
            "https://a",
            "--listen",
            "x",
            "--sunset",
            "2026-02-30",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    for part in [
        "上游 `https://a` 是 https",
        "`x` 不能作为 `--listen` 的地址",
        "`2026-02-30` 不能作为 --sunset 的日期",
    ] {
        assert!(err.contains(part), "{err}");
    }
    let output = run(folder.path(), &["shim", "--routes", "routes.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.contains("no upstream is configured\n  hint: pass --upstream"),
        "{err}"
    );
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder(GITHUB, UPSTREAM);
    for flag in ["--listen", "--admin"] {
        let output = run(
            folder.path(),
            &["shim", "--config", "shim.toml", flag, &address],
        );
        assert_eq!(output.status.code(), Some(2));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            err.contains(&format!(
                "cannot listen on {address}: the address is in use\n  hint: end what uses the port"
            )),
            "{err}"
        );
    }
}

#[test]
fn files_are_read_again_when_they_change_and_the_old_is_kept_when_they_are_wrong() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let process = Process::start(folder.path(), &[]);
    assert_eq!(process.status(&get("/o")), 404);
    let map = folder.path().join("routes.toml");
    let more = [GITHUB, &route("a.b", "/plugins/a.b/t", &["/o"])].concat();
    std::fs::write(&map, format!("version = 1\n{more}")).unwrap();
    wait_until("the new route is served", || {
        process.status(&get("/o")) == 200
    });
    std::fs::write(&map, "version = 1\nroute = [").unwrap();
    wait_until("the log complains", || {
        process
            .log()
            .contains("not reloaded, the old configuration is kept: ")
    });
    assert!(
        process
            .log()
            .contains("routes.toml:2: this is not a route map"),
        "{}",
        process.log()
    );
    assert_eq!(process.status(&get("/o")), 200);
    // It is not tried again before something changes.
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(process.log().matches("not reloaded").count(), 1);
    // By signal, without a change.
    std::fs::write(&map, format!("version = 1\n{GITHUB}")).unwrap();
    wait_until("the route is gone", || process.status(&get("/o")) == 404);
    let before = process.log().matches("reloaded: ").count();
    process.signal(Signal::HUP);
    wait_until("it is read again", || {
        process.log().matches("reloaded: ").count() > before
    });
}

#[test]
fn it_starts_small() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let start = std::time::Instant::now();
    let process = Process::start(folder.path(), &[]);
    assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
    println!("{:?} to the first reply", start.elapsed());
    // What it holds itself; how much of the program the system has mapped depends on how it was built.
    assert!(
        process.own_memory() < 8 << 10,
        "{} KiB",
        process.own_memory()
    );
}

#[test]
fn the_configuration_that_is_shipped_says_the_defaults() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/shim.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("webhook-routes.toml");
    std::fs::write(&map, format!("version = 1\n{GITHUB}")).unwrap();
    let load = |text: &str| {
        let file = folder.path().join("shim.toml");
        std::fs::write(&file, text).unwrap();
        let flags = rehook::shim::config::Flags {
            config: Some(file),
            ..Default::default()
        };
        rehook::shim::config::load(&flags, &|_| None).unwrap()
    };
    assert_eq!(load(&text), load("upstream = \"http://127.0.0.1:8021\"\n"));
}

#[test]
fn an_address_that_is_not_ours_has_a_remedy_of_its_own() {
    let folder = folder(GITHUB, UPSTREAM);
    // From the block that is for documentation: no machine has it.
    let output = run(
        folder.path(),
        &[
            "--lang",
            "zh",
            "shim",
            "--config",
            "shim.toml",
            "--no-upstream-check",
            "--listen",
            "192.0.2.1:0",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.contains(
            "无法监听 192.0.2.1:0：本机没有这个地址\n  提示：请用 --listen / --admin 给出本机的地址"
        ),
        "{err}"
    );
}

#[test]
fn reasons_of_libraries_are_said_in_the_language_of_the_message() {
    let zh = |folder: &Path| {
        let output = run(
            folder,
            &["--lang", "zh", "shim", "--config", "shim.toml", "--check"],
        );
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let broken = folder(GITHUB, "upstream = [\n");
    let err = zh(broken.path());
    assert!(err.contains("shim.toml:"), "{err}");
    assert!(err.contains("列：TOML 语法错误："), "{err}");
    let shape = folder(&format!("{GITHUB}plugins = 3\n"), UPSTREAM);
    let err = zh(shape.path());
    assert!(err.contains("routes.toml:10: 第 1 列不符合路由表格式：未知的键 `plugins`；可用的键有 `plugin`、`endpoint`"), "{err}");
    std::fs::remove_file(shape.path().join("routes.toml")).unwrap();
    let err = zh(shape.path());
    assert!(err.contains("无法读取路由表：文件或文件夹不存在"), "{err}");
}

/// Addresses at which nobody listens: a port that the system gives to no test that runs meanwhile.
const NOBODY: &str = "127.0.0.1:9";
const NOBODY_ELSE: &str = "127.0.0.2:9";

#[test]
fn an_agent_that_is_not_there_is_said_before_anything_is_served() {
    let agent = Agent::start(ok);
    let (one, other) = (NOBODY, NOBODY_ELSE);
    let config = format!(
        "upstream = \"http://{one}\"\n[[route]]\nplugin = \"KroMiose.github\"\nupstream = \"http://{other}\"\n"
    );
    let folder = folder(GITHUB, &config);
    for check in [&["--check"][..], &[]] {
        let output = run(
            folder.path(),
            &[&["shim", "--config", "shim.toml"], check].concat(),
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let err = String::from_utf8(output.stderr).unwrap();
        for address in [one, other] {
            let line = format!(
                "error: no agent answers at http://{address}: connection refused\n  hint: start the agent"
            );
            assert!(err.contains(&line), "{err}");
        }
        assert!(err.contains("--no-upstream-check"), "{err}");
    }
    let output = run(
        folder.path(),
        &[
            "--lang",
            "zh",
            "shim",
            "--config",
            "shim.toml",
            "--upstream",
            "http://nowhere.invalid:1",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("域名 `nowhere.invalid` 无法解析"), "{err}");
    assert!(err.contains("：连接被拒绝\n  提示：请启动 Agent"), "{err}");
    let good = format!("upstream = \"http://{}\"\n", agent.address);
    write_files(folder.path(), GITHUB, &good);
    let (code, _, err) = check(folder.path());
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn with_the_flag_it_starts_without_an_agent_and_warns() {
    let address = NOBODY;
    let folder = folder(GITHUB, &format!("upstream = \"http://{address}\"\n"));
    let process = Process::start(folder.path(), &["--no-upstream-check"]);
    wait_until("the log warns", || {
        process.log().contains(&format!(
            "warning: no agent answers at http://{address} yet"
        ))
    });
}

#[test]
fn a_file_for_counts_that_cannot_be_written_is_said_at_the_start() {
    let folder = folder(GITHUB, UPSTREAM);
    std::fs::create_dir(folder.path().join("taken")).unwrap();
    for (state, reason) in [
        ("nowhere/counts.json", "no such file or folder"),
        (
            "routes.toml/counts.json",
            "a part of the path is not a folder",
        ),
        ("taken", "it is a folder"),
    ] {
        for check in [&["--check"][..], &[]] {
            let arguments = ["shim", "--config", "shim.toml", "--counters-file", state];
            let output = run(folder.path(), &[&arguments, check].concat());
            assert_eq!(output.status.code(), Some(2), "{state}");
            let err = String::from_utf8(output.stderr).unwrap();
            let line =
                format!("the counts in {state} cannot be kept: {reason}\n  hint: check the path");
            assert!(err.contains(&line), "{err}");
        }
    }
    let arguments = [
        "shim",
        "--config",
        "shim.toml",
        "--check",
        "--counters-file",
        "counts.json",
    ];
    assert!(run(folder.path(), &arguments).status.success());
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "a check leaves nothing behind");
}

#[test]
fn a_file_that_holds_something_else_is_no_place_for_counts_or_requests() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let files = [
        ("routes.toml", &*format!("version = 1\n{GITHUB}")),
        ("list.json", "[1]\n"),
        ("binary", "\0x\0"),
    ];
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        for (option, reason) in [
            ("--counters-file", "the counts cannot be kept in "),
            ("--record", "requests cannot be recorded in "),
        ] {
            for check in [&["--check"][..], &[]] {
                let arguments = ["shim", "--config", "shim.toml", option, name];
                let output = run(folder.path(), &[&arguments, check].concat());
                assert_eq!(output.status.code(), Some(2), "{option} {name}");
                let err = String::from_utf8(output.stderr).unwrap();
                let line = format!("{reason}{name}: it holds something else, and is left as it is");
                assert!(err.contains(&line), "{err}");
                assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            }
        }
    }
    // One that is there and empty, as when it was made for another user or the power went out.
    for empty in ["", "\0\0"] {
        std::fs::write(folder.path().join("counts.json"), empty).unwrap();
        let mut process = Process::start(folder.path(), &["--counters-file", "counts.json"]);
        process.signal(Signal::TERM);
        assert!(process.wait().success());
        assert!(!process.log().contains("counts"), "{}", process.log());
        let text = std::fs::read_to_string(folder.path().join("counts.json")).unwrap();
        assert!(text.contains("counted_since"), "{text}");
    }
}

#[test]
fn keeping_counts_touches_no_file_of_others() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("counts.new"), "mine\n").unwrap();
    std::fs::write(at("precious"), "mine too\n").unwrap();
    std::os::unix::fs::symlink("precious", at("other.new")).unwrap();
    for counts in ["counts.json", "other.json"] {
        let arguments = ["shim", "--config", "shim.toml", "--counters-file", counts];
        let checked = run(folder.path(), &[&arguments[..], &["--check"]].concat());
        assert!(checked.status.success());
        let mut process = Process::start(folder.path(), &["--counters-file", counts]);
        process.signal(Signal::TERM);
        assert!(process.wait().success());
        let mode = std::fs::metadata(at(counts)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it names the addresses of senders");
    }
    assert_eq!(std::fs::read_to_string(at("counts.new")).unwrap(), "mine\n");
    assert_eq!(
        std::fs::read_to_string(at("precious")).unwrap(),
        "mine too\n"
    );
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 8, "nothing else is left behind");
}

#[test]
fn what_a_file_of_counts_has_become_meanwhile_is_left_as_it_is() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let mut process = Process::start(folder.path(), &["--counters-file", "counts.json"]);
    std::fs::write(folder.path().join("counts.json"), "mine\n").unwrap();
    process.signal(Signal::TERM);
    assert!(process.wait().success());
    let text = std::fs::read_to_string(folder.path().join("counts.json")).unwrap();
    assert_eq!(text, "mine\n");
    let log = process.log();
    assert!(
        log.contains("the counts cannot be kept in counts.json: it holds something else"),
        "{log}"
    );
}

#[test]
fn an_address_that_is_given_twice_is_said() {
    let folder = folder(GITHUB, UPSTREAM);
    for arguments in [
        &["--listen", "127.0.0.1:8090", "--admin", "127.0.0.1:8090"][..],
        &["--listen", "127.0.0.1:8090", "--listen", "127.0.0.1:8090"],
    ] {
        let common = ["shim", "--config", "shim.toml", "--check"];
        let output = run(folder.path(), &[&common, arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains(" is given twice: "), "{err}");
    }
    let any = [
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ];
    let common = ["shim", "--config", "shim.toml", "--check"];
    assert!(
        run(folder.path(), &[&common[..], &any].concat())
            .status
            .success()
    );
}

#[test]
fn a_map_without_routes_is_refused_unless_everything_is_let_through() {
    let agent = Agent::start(ok);
    let upstream = format!("upstream = \"http://{}\"\n", agent.address);
    let folder = folder("", &upstream);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("routes.toml: there are no routes\n  hint: run `rehook migrate` first"),
        "{err}"
    );
    let output = run(folder.path(), &["shim", "--config", "shim.toml"]);
    assert_eq!(output.status.code(), Some(2));
    write_files(
        folder.path(),
        "",
        &format!("{upstream}passthrough = true\n"),
    );
    assert_eq!(check(folder.path()).0, 0);
    // One that becomes empty does not take the place of one that is not.
    write_files(folder.path(), GITHUB, &upstream);
    let process = Process::start(folder.path(), &[]);
    // At once: a file that is being written could be seen half.
    let aside = folder.path().join("aside");
    std::fs::write(&aside, "version = 1\n").unwrap();
    std::fs::rename(&aside, folder.path().join("routes.toml")).unwrap();
    wait_until("the log complains", || {
        let log = process.log();
        log.lines().any(|line| {
            line.contains("not reloaded, the old configuration is kept: ")
                && line.contains("there are no routes")
        })
    });
    assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
}

#[test]
fn a_list_of_nobody_is_no_auth_rule() {
    let config = "[[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\nkind = \"addresses\"\nallow = []\n";
    let folder = folder(GITHUB, &format!("{UPSTREAM}{config}"));
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("shim.toml:10: `allow` is empty, so nobody could call"),
        "{err}"
    );
}

#[test]
fn what_may_not_be_meant_is_said_by_the_check_and_at_the_start() {
    let agent = Agent::start(ok);
    let config = format!(
        "upstream = \"http://{}\"\ntrusted_proxies = [\"10.0.0.0/8\", \"0.0.0.0/0\"]\n\
         [[route]]\nplugin = \"KroMiose.github\"\nauth = []\n\
         [[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\nkind = \"gitlab\"\nsecret_file = \"secret\"\n",
        agent.address
    );
    let folder = folder(
        GITHUB,
        &config.replace("auth = []", "endpoint = \"github\"\nauth = []"),
    );
    let config = folder.path().join("shim.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text
        .replace("listen = \"127.0.0.1:0\"", "listen = []")
        .replace("admin = \"127.0.0.1:0\"", "admin = \"0.0.0.0:0\"");
    std::fs::write(&config, text).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s3\n").unwrap();
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&secret, mode(0o644)).unwrap();
    let expected = [
        "shim.toml:2: `listen` is empty, and means nothing",
        "shim.toml:9: `auth` is empty, and means nothing",
        "everyone on this machine can read the secret in secret",
        "`trusted_proxies` has 0.0.0.0/0: whoever calls can claim any address",
        "the admin page at 0.0.0.0:0 has no password",
    ];
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 0, "{err}");
    for part in expected {
        let said = |line: &str| line.starts_with("warning: ") && line.contains(part);
        assert!(err.lines().any(said), "{part} is missing in\n{err}");
    }
    // Listening where senders are not meant to look for it, so that the port is free.
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("listen = []", "listen = [\"127.0.0.1:0\"]");
    std::fs::write(&config, text).unwrap();
    let process = Process::start(folder.path(), &[]);
    wait_until("the log warns", || {
        let log = process.log();
        expected[1..].iter().all(|part| log.contains(part))
    });
    // What was mended is not spoken of.
    std::fs::set_permissions(&secret, mode(0o600)).unwrap();
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 0);
    assert!(!err.contains("can read the secret"), "{err}");
}

#[test]
fn every_error_of_the_map_has_its_line() {
    let of = |target: &str, legacy: &[&str]| route("a.b", target, legacy);
    let inline = "route = [\n  { plugin = \"a.b\", endpoint = \"e\", dialect = \"context\", methods = [], target = \"/plugins/a.b/o\", legacy = [] },\n]\n";
    let again = of("/plugins/a.b/o", &["/t"]).replace("\"/t\"]", "\n  \"/t\",\n  \"u\",\n]");
    for (routes, line) in [
        (
            of("/plugins/a.b/t", &["o"]),
            "9: the old path `o` of a.b does not begin with `/`",
        ),
        (again, "11: the old path `u` of a.b does not begin with `/`"),
        (
            of("/plugins/a.b/t", &["/o\nreturn 200;"]),
            "9: the old path `/o\\nreturn 200;` of a.b contains a control character",
        ),
        (
            of("/plugins/a.b/c?x", &["/o"]),
            "8: the target `/plugins/a.b/c?x` of a.b contains `?` or `#`",
        ),
        (
            of("/plugins/a/..;/x", &["/o"]),
            "8: the target `/plugins/a/..;/x` of a.b is not a path below /plugins/",
        ),
        (
            of("t?", &["/o"]),
            "8: the target `t?` of a.b is not a path below /plugins/",
        ),
        (
            of("/plugins/a.b/t/{id}/{id}", &["/o/{id}"]),
            "8: the path `/plugins/a.b/t/{id}/{id}` of a.b cannot be served: two parameters have the same name",
        ),
        (
            of("/plugins/a.b/t/{id}", &["/o/{x}"]),
            "9: the path `/o/{x}` has no parameter `id`",
        ),
        (
            of("/plugins/a.b/t", &["/o/{x}", "/o/{y}"]),
            "9: the paths `/o/{x}` and `/o/{y}` match the same URLs",
        ),
        (
            of("/plugins/a.b/t", &["/o"]).replace(
                "\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\", \"HEAD\", \"OPTIONS\"",
                "",
            ),
            "7: the route `/plugins/a.b/t` of a.b has no methods\n  hint: list at least one",
        ),
        (inline.to_owned(), "3: the route `e` of a.b has no methods"),
        (
            of("/plugins/a.b/t", &["/o"]) + &of("/plugins/a.b/t", &["/p"]),
            "13: the endpoint `/plugins/a.b/t` of a.b is there twice\n  hint: delete one",
        ),
    ] {
        let folder = folder(&routes, UPSTREAM);
        let (code, _, err) = check(folder.path());
        assert_eq!(code, 2);
        assert!(
            err.contains(&format!("routes.toml:{line}")),
            "{line} is missing in\n{err}"
        );
    }
    let folder = folder("", UPSTREAM);
    std::fs::write(folder.path().join("routes.toml"), "\nversion = 9\n").unwrap();
    let (_, _, err) = check(folder.path());
    assert!(
        err.contains("routes.toml:2: the route map has version 9"),
        "{err}"
    );
}

/// As `migrate` writes it, whatever folder of the repo this is.
#[test]
fn the_map_is_found_at_the_root_of_the_repo() {
    let folder = folder(GITHUB, "");
    let (root, below) = (folder.path(), folder.path().join("plugins/github"));
    std::fs::create_dir_all(root.join(".git")).unwrap();
    std::fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::create_dir_all(&below).unwrap();
    std::fs::rename(root.join("routes.toml"), root.join("webhook-routes.toml")).unwrap();
    let commands: [&[&str]; 2] = [
        &["routes", "--as", "nginx"],
        &[
            "shim",
            "--check",
            "--upstream",
            "http://127.0.0.1:9",
            "--no-upstream-check",
        ],
    ];
    let succeeds = |at: &Path| {
        for args in commands {
            let output = run(at, args);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        }
    };
    succeeds(root);
    succeeds(&below);
    // Without one there, that of this folder is taken.
    std::fs::rename(
        root.join("webhook-routes.toml"),
        below.join("webhook-routes.toml"),
    )
    .unwrap();
    succeeds(&below);
    let output = run(root, commands[0]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("webhook-routes.toml"), "{said}");
}
