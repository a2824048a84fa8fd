//! The route map as the configuration of nginx and Caddy, judged by them.

use std::process::Command;

use crate::support::*;

fn map() -> String {
    [
        GITHUB,
        &route(
            "a.b",
            "/plugins/a.b/x y/中",
            &["/api/plugin/a.b/webhook/x y/中"],
        ),
        &route(
            "a.b",
            "/plugins/a.b/job/{id}",
            &["/api/plugin/a.b/webhook/job/{id}"],
        ),
        &route("c.d", "/plugins/c.d/github", &["/api/webhook/github"]),
        &route("e.f", "/plugins/e.f/$host", &["/api/webhook/$host"]),
    ]
    .concat()
}

fn exported(server: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &map(), "");
    let output = run(
        folder.path(),
        &["routes", "--as", server, "--routes", "routes.toml"],
    );
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_a_server_cannot_do_is_said_in_a_comment() {
    for server in ["nginx", "caddy"] {
        let text = exported(server);
        assert!(
            text.contains(
                "# /api/webhook/github: several plugins (KroMiose.github, c.d) are behind it"
            ),
            "{text}"
        );
        assert!(
            text.contains("# /api/plugin/a.b/webhook/job/{id}: it has a parameter"),
            "{text}"
        );
        assert!(
            text.contains("# /api/webhook/$host: it has characters that cannot be quoted"),
            "{text}"
        );
        assert!(text.contains("/plugins/KroMiose.github/github"), "{text}");
        assert!(text.contains("/plugins/a.b/x%20y/%E4%B8%AD"), "{text}");
    }
}

#[test]
fn a_map_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["routes", "--as", "nginx"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("webhook-routes.toml")
    );
}

#[test]
fn nginx_takes_it_and_serves_it() {
    let Some(nginx) = program("nginx") else {
        return;
    };
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_files(path, &map(), "");
    let upstream = format!("http://{}", agent.address);
    let output = run(
        path,
        &[
            "routes",
            "--as",
            "nginx",
            "--routes",
            "routes.toml",
            "--upstream",
            &upstream,
        ],
    );
    std::fs::write(path.join("webhooks.conf"), output.stdout).unwrap();
    // nginx takes no port of the system's choice; a free one is asked for first.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let here = path.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {here}/{name};"))
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/errors;\n\
         events {{}}\nhttp {{ {temporary} access_log off;\n\
         server {{ listen 127.0.0.1:{port}; include {here}/webhooks.conf; }} }}\n"
    );
    let file = path.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    let test = Command::new(&nginx)
        .args(["-t", "-q", "-c"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        test.status.success(),
        "{}",
        String::from_utf8_lossy(&test.stderr)
    );
    let mut server = Command::new(&nginx).arg("-c").arg(&file).spawn().unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    wait_until("nginx serves", || {
        std::net::TcpStream::connect(address).is_ok()
    });
    let status = |request: String| {
        let mut stream = connect(address);
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        read_message(&mut stream, false).unwrap().status()
    };
    let good = status(post("/api/plugin/github/webhook/github?a=%2f", "", "body"));
    let refused = status(get("/api/plugin/github/webhook/github"));
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!((good, refused), (200, 403));
    let seen = agent.request();
    assert_eq!(
        seen.first,
        "POST /plugins/KroMiose.github/github?a=%2f HTTP/1.1"
    );
    assert_eq!(seen.body, b"body");
}

#[test]
fn caddy_takes_it() {
    let Some(caddy) = program("caddy") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Caddyfile");
    let site = "\nhttp://127.0.0.1:1 {\n\timport webhooks\n}\n";
    std::fs::write(&file, exported("caddy") + site).unwrap();
    let output = Command::new(caddy)
        .args(["validate", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
