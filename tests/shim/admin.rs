//! What the operator sees.

use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt;

use crate::support::*;

/// The admin application answers, without a socket.
pub(crate) fn fetch(shim: &Shim, path: &str) -> (u16, String) {
    fetch_as(shim, path, None)
}

/// The same under a name.
fn fetch_as(shim: &Shim, path: &str, host: Option<&str>) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = rehook::shim::admin::app(std::sync::Arc::clone(&shim.state));
        let mut request = Request::get(path);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.body(Body::empty()).unwrap();
        let reply = app.oneshot(request).await.unwrap();
        let status = reply.status().as_u16();
        let body = axum::body::to_bytes(reply.into_body(), 1 << 20)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    })
}

#[test]
fn health_and_readiness_differ() {
    let mut agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    assert_eq!(fetch(&shim, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(fetch(&shim, "/readyz").0, 200);
    agent.stop();
    assert_eq!(fetch(&shim, "/healthz").0, 200);
    let (status, body) = fetch(&shim, "/readyz");
    assert_eq!(status, 503);
    assert!(body.contains(&agent.address.to_string()), "{body}");
}

#[test]
fn metrics_have_routes_and_never_paths() {
    let agent = Agent::start(ok);
    let routes = [GITHUB, &route("a.b", "/plugins/a.b/t/{id}", &["/o/{id}"])].concat();
    let shim = Shim::start(agent.address, &routes, "");
    for number in 0..3 {
        shim.send(get(&format!("/o/secret{number}")));
        shim.send(get(&format!("/scan/{number}")));
    }
    shim.send(get("/api/webhook/github"));
    let in_flight = &shim.state.registry.in_flight;
    wait_until("all have ended", || {
        in_flight.load(std::sync::atomic::Ordering::Relaxed) == 0
    });
    let (_, text) = fetch(&shim, "/metrics");
    for line in [
        "rehook_shim_requests_total{route=\"/o/{id}\",outcome=\"2xx\"} 3",
        "rehook_shim_requests_total{route=\"/api/webhook/github\",outcome=\"4xx\"} 1",
        "rehook_shim_duration_seconds_count{route=\"/o/{id}\"} 3",
        "rehook_shim_duration_seconds_bucket{route=\"/o/{id}\",le=\"+Inf\"} 3",
        "rehook_shim_refused_total{reason=\"not_found\"} 3",
        "rehook_shim_refused_total{reason=\"method\"} 1",
        "rehook_shim_in_flight 0",
        "rehook_shim_upstream_errors_total{upstream=\"http://127.0.0.1",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("secret") && !text.contains("scan"), "{text}");
    // Nobody has called it.
    let silent = "/api/plugin/github/webhook/github";
    assert!(!text.contains(silent), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        value.parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
    }
}

#[test]
fn routes_say_who_calls_and_whether_anybody_does() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "retire_after = \"30d\"\n");
    shim.send(post(
        "/api/webhook/github",
        "User-Agent: GitHub-Hookshot/1\r\n",
        "x",
    ));
    // It is counted when its reply has been sent.
    let stats = shim.state.registry.url("/api/webhook/github");
    wait_until("it is counted", || stats.counts().calls() == 1);
    let (_, body) = fetch(&shim, "/api/routes");
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    let first = &value["routes"][0];
    assert_eq!(first["legacy"], "/api/webhook/github");
    assert_eq!(first["targets"][0]["plugin"], "KroMiose.github");
    assert_eq!(first["calls"], 1);
    assert_eq!(first["senders"][0]["user_agent"], "GitHub-Hookshot/1");
    assert_eq!(first["can_be_retired"], false);
    // A month ago.
    let since = &shim.state.registry.counted_since;
    since.fetch_sub(31 * 86_400, std::sync::atomic::Ordering::Relaxed);
    let (_, body) = fetch(&shim, "/api/routes");
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        value["routes"][0]["can_be_retired"], false,
        "it was called today"
    );
    assert_eq!(value["routes"][1]["can_be_retired"], true);
    assert_eq!(value["routes"][1]["silent_days"], 31);
    let (_, page) = fetch(&shim, "/");
    assert!(
        page.contains("silent for 31 days: can be retired"),
        "{page}"
    );
}

/// Names come from authors of plugins, and what a sender calls itself from anybody.
#[test]
fn no_name_steers_what_shows_it() {
    let agent = Agent::start(ok);
    let routes = route("a.b", "/plugins/a.b/t", &["/api/webhook/x"])
        .replace("\"a.b\"", r#""a.b\u001b[2J\u202e<b>""#)
        .replace("webhook/x", r"webhook/x\u202e");
    let shim = Shim::start(agent.address, &routes, "");
    let path = "/api/webhook/x%e2%80%ae";
    shim.send(format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nuser-agent: <i>\u{202e}\u{9b}2J\r\nconnection: close\r\n\r\n"
    ));
    let stats = shim.state.registry.url("/api/webhook/x\u{202e}");
    wait_until("it is counted", || stats.counts().calls() == 1);
    for path in ["/", "/api/routes", "/api/webhooks", "/metrics"] {
        let (status, body) = fetch(&shim, path);
        assert_eq!(status, 200);
        let steers = |c: char| c != '\n' && rehook::term::is_harmful(c);
        assert!(!body.contains(steers), "{path}: {body:?}");
        assert!(body.contains("202e"), "{path}: {body}");
        let is_page = path == "/";
        assert!(!(is_page && body.contains("<i>")), "{body}");
    }
}

#[test]
fn counts_are_kept_over_a_restart() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.json");
    let config = format!(
        "upstream = \"http://{}\"\ncounters_file = {file:?}\n",
        agent.address
    );
    write_files(folder.path(), GITHUB, &config);
    for round in 1..=2 {
        let mut process = Process::start(folder.path(), &[]);
        assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
        process.signal(rustix::process::Signal::TERM);
        assert!(process.wait().success());
        let text = std::fs::read_to_string(&file).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["urls"]["/api/webhook/github"]["classes"][1], round);
    }
}

#[test]
fn a_person_can_read_the_page_in_a_browser() {
    let Some(browser) = program("chromium") else {
        return;
    };
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    shim.send(post(
        "/api/webhook/github",
        "User-Agent: <script>document.title='x'</script>\r\n",
        "x",
    ));
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg("--dump-dom")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{}/", shim.admin))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        "/api/webhook/github",
        "KroMiose.github",
        "/plugins/KroMiose.github/github",
        "&lt;script&gt;",
        "127.0.0.1",
        "in use",
        "never called",
    ] {
        assert!(shown.contains(part), "{part} is not shown in\n{shown}");
    }
    assert!(!shown.contains("<script"), "{shown}");
}

#[test]
fn a_page_that_is_not_ours_reads_nothing() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    for path in ["/", "/api/routes", "/metrics", "/healthz", "/nowhere"] {
        let (status, body) = fetch_as(&shim, path, Some("evil.example:9180"));
        assert_eq!(status, 421, "{path}");
        assert!(
            body.contains("localhost") && body.contains("管理页面"),
            "{body}"
        );
    }
    for host in ["localhost:1", "127.0.0.1:9180", "[::1]:9180"] {
        assert_eq!(fetch_as(&shim, "/healthz", Some(host)).0, 200, "{host}");
    }
    // Over a socket, as a browser does.
    let mut stream = connect(shim.admin);
    std::io::Write::write_all(&mut stream, get("/healthz").as_bytes()).unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 421);
    let table = shim.state.table.load_full();
    let mut config = table.config.clone();
    config.admin = Some("0.0.0.0:9180".parse().unwrap());
    let registry = &shim.state.registry;
    let elsewhere = rehook::shim::route::build::build(&[], config, registry).unwrap();
    shim.state.table.store(std::sync::Arc::new(elsewhere));
    assert_eq!(fetch_as(&shim, "/healthz", Some("evil.example")).0, 200);
}
