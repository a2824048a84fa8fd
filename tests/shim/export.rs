//! The route map as the configuration of nginx and Caddy, judged by them.

use std::path::Path;
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

/// Paths with everything that means something in a configuration.
const ODD: &[&str] = &[
    "a;b",
    "quote'd",
    "say \"hi\"",
    "back\\slash",
    "back\\",
    "\\\"; deny all; x",
    "$host",
    "tick`s",
    "star*",
    "[x]",
    "'",
    "  ",
];

/// What the map of [`odd_map`] has for one of [`ODD`], and what must reach the agent.
fn odd_map() -> String {
    let of = |name: &&str| {
        route(
            "odd.one",
            &format!("/plugins/odd.one/{name}"),
            &[&format!("/api/webhook/{name}")],
        )
    };
    ODD.iter().map(of).collect()
}

/// Everything but letters in percent-encoding.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A server that runs until it is dropped.
struct Server {
    child: std::process::Child,
    address: std::net::SocketAddr,
}

impl Server {
    fn start(command: &mut Command, port: u16) -> Self {
        let child = command.spawn().unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let server = Self { child, address };
        wait_until("the server serves", || {
            std::net::TcpStream::connect(address).is_ok()
        });
        server
    }

    fn send(&self, request: String) -> Message {
        let mut stream = connect(self.address);
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        read_message(&mut stream, false).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago: these servers take none of the system's choice.
fn port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The export of `routes` for `server`, with the agent at `upstream`.
fn export(folder: &Path, server: &str, routes: &str, upstream: &str) -> String {
    write_files(folder, routes, "");
    // A server that stands in front is asked for as `nginx --front`.
    let server: Vec<&str> = server.split(' ').collect();
    let before = [
        "routes",
        "--routes",
        "routes.toml",
        "--upstream",
        upstream,
        "--as",
    ];
    let output = run(folder, &[&before[..], &server[..]].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// nginx with the export of `routes`, checked with `nginx -t` before.
fn nginx(nginx: &Path, folder: &Path, routes: &str, upstream: &str) -> Server {
    let text = export(folder, "nginx", routes, upstream);
    run_nginx(nginx, folder, &text)
}

/// nginx with `text` in its server.
fn run_nginx(nginx: &Path, folder: &Path, text: &str) -> Server {
    std::fs::write(folder.join("webhooks.conf"), text).unwrap();
    let (port, here) = (port(), folder.display());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {here}/{name};"))
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/errors;\n\
         events {{}}\nhttp {{ {temporary} access_log off;\n\
         server {{ listen 127.0.0.1:{port}; include {here}/webhooks.conf; }} }}\n"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    let test = Command::new(nginx)
        .args(["-t", "-q", "-c"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        test.status.success(),
        "{}",
        String::from_utf8_lossy(&test.stderr)
    );
    Server::start(Command::new(nginx).arg("-c").arg(&file), port)
}

/// Caddy with the export of `routes`.
fn caddy(caddy: &Path, folder: &Path, routes: &str, upstream: &str) -> Server {
    let text = export(folder, "caddy", routes, upstream);
    run_caddy(caddy, folder, &text, "webhooks")
}

/// Caddy with the snippet `name` of `text` in its site.
fn run_caddy(caddy: &Path, folder: &Path, text: &str, name: &str) -> Server {
    let port = port();
    let file = folder.join("Caddyfile");
    let site = format!("\nhttp://:{port} {{\n\tbind 127.0.0.1\n\timport {name}\n}}\n");
    std::fs::write(&file, format!("{{\n\tadmin off\n}}\n{text}{site}")).unwrap();
    let mut command = Command::new(caddy);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .stderr(std::fs::File::create(folder.join("errors")).unwrap());
    Server::start(&mut command, port)
}

/// Every path of [`ODD`] is answered by its own route, and nothing else has become a directive.
fn odd_paths_are_served(server: &Server, agent: &Agent) {
    for name in ODD {
        agent.forget();
        let path = format!("/api/webhook/{}?a=%2f", encoded(name));
        let reply = server.send(post(&path, "", "body"));
        assert_eq!(reply.status(), 200, "{name}");
        let seen = agent.request();
        assert_eq!(seen.body, b"body", "{name}");
        let target = seen.first.split(' ').nth(1).unwrap();
        let (target, query) = target.split_once('?').unwrap();
        assert_eq!(query, "a=%2f", "{name}");
        let same = encoded(&format!("/plugins/odd.one/{name}"));
        assert_eq!(encoded(&decoded(target)), same, "{name}");
        assert!(reply.header("deprecation").unwrap().starts_with('@'));
        let link = reply.header("link").unwrap();
        let link = link.strip_prefix('<').unwrap().split_once('>').unwrap();
        assert_eq!(encoded(&decoded(link.0)), same, "{name}");
        assert_eq!(link.1, "; rel=\"successor-version\"");
    }
}

fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn nginx_takes_it_and_serves_it() {
    let Some(program) = program("nginx") else {
        return;
    };
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    // By name: nginx has to resolve it when it starts, and not for each request.
    let upstream = format!("http://localhost:{}", agent.address.port());
    let server = nginx(&program, folder.path(), &map(), &upstream);
    let lines = "X_Under_Score: 1\r\n";
    let good = server.send(post(
        "/api/plugin/github/webhook/github?a=%2f",
        lines,
        "body",
    ));
    let refused = server.send(get("/api/plugin/github/webhook/github"));
    assert_eq!((good.status(), refused.status()), (200, 403));
    let seen = agent.request();
    assert_eq!(
        seen.first,
        "POST /plugins/KroMiose.github/github?a=%2f HTTP/1.1"
    );
    assert_eq!(seen.body, b"body");
    assert_eq!(seen.header("x_under_score").as_deref(), Some("1"));
}

#[test]
fn nginx_serves_odd_paths_and_takes_none_for_a_directive() {
    let Some(program) = program("nginx") else {
        return;
    };
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let upstream = format!("http://{}", agent.address);
    let server = nginx(&program, folder.path(), &odd_map(), &upstream);
    odd_paths_are_served(&server, &agent);
}

#[test]
fn caddy_serves_odd_paths_and_takes_none_for_a_directive() {
    let Some(program) = program("caddy") else {
        return;
    };
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let upstream = format!("http://{}", agent.address);
    let server = caddy(&program, folder.path(), &odd_map(), &upstream);
    odd_paths_are_served(&server, &agent);
    let refused = server.send(post("/API/webhook/%24host", "", ""));
    assert_ne!(refused.status(), 502, "another case is another path");
    assert_eq!(agent.requests().len(), 1);
}

#[test]
fn what_cannot_be_written_is_left_out_with_a_comment() {
    let folder = tempfile::tempdir().unwrap();
    let routes = [
        route(
            "a.b",
            "/plugins/a.b/x",
            &["/api/webhook/x//y", "/api/webhook/../y"],
        ),
        route("a.b", "/plugins/a.b/z", &["/api/webhook/z`\\"]),
        route("a.b", "/plugins/a.b/m", &["/api/webhook/m"]).replace("\"PUT\"", "\"P { }\""),
    ]
    .concat();
    let text = export(folder.path(), "nginx", &routes, "http://127.0.0.1:1");
    for line in [
        "# /api/webhook/x//y: nginx takes out empty segments",
        "# /api/webhook/../y: nginx takes out empty segments",
        "# /api/webhook/m: nginx does not know the method P { }",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    let text = export(folder.path(), "caddy", &routes, "http://127.0.0.1:1");
    for line in [
        "# /api/webhook/z`\\: it has characters that cannot be quoted",
        "# /api/webhook/m: it has characters that cannot be quoted",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
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

/// What nobody but a proxy should say, in every spelling.
const CLAIMS: &str = "X-Forwarded-For: 192.0.2.66\r\nX-Forwarded-Host: evil.example\r\n\
    X-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n\
    X-Forwarded-Server: evil\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-Scheme: https\r\n\
    X-Real-IP: 192.0.2.66\r\nForwarded: for=192.0.2.66\r\nX_Forwarded_For: 192.0.2.66\r\n\
    X_Forwarded_Host: evil.example\r\nX_Forwarded_Proto: https\r\nX_Real_IP: 192.0.2.66\r\n";

/// That nothing of [`CLAIMS`] has arrived.
fn nothing_claimed_arrives(message: &Message) {
    let head = String::from_utf8_lossy(&message.head);
    for claimed in ["192.0.2.66", "evil", "https"] {
        assert!(!head.contains(claimed), "{head}");
    }
    for name in ["X-Forwarded-Port", "X-Forwarded-Ssl"] {
        assert_eq!(message.header(name), None, "{head}");
    }
    assert_eq!(message.header("X-Forwarded-Proto").as_deref(), Some("http"));
}

/// The servers that are installed, each with its export in place of the shim or in front of it.
fn servers(folder: &Path, is_front: bool, routes: &str, upstream: &str) -> Vec<Server> {
    let mut servers = Vec::new();
    let choice = |server: &str| {
        if is_front {
            format!("{server} --front")
        } else {
            server.to_owned()
        }
    };
    if let Some(program) = program("nginx") {
        let folder = folder.join("nginx");
        std::fs::create_dir_all(&folder).unwrap();
        let text = export(&folder, &choice("nginx"), routes, upstream);
        servers.push(run_nginx(&program, &folder, &text));
    }
    if let Some(program) = program("caddy") {
        let folder = folder.join("caddy");
        std::fs::create_dir_all(&folder).unwrap();
        let text = export(&folder, &choice("caddy"), routes, upstream);
        let name = if is_front {
            "webhooks_front"
        } else {
            "webhooks"
        };
        servers.push(run_caddy(&program, &folder, &text, name));
    }
    servers
}

#[test]
fn what_a_caller_claims_does_not_reach_the_agent() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let upstream = format!("http://{}", agent.address);
    for server in servers(folder.path(), false, GITHUB, &upstream) {
        agent.forget();
        let reply = server.send(post("/api/webhook/github", CLAIMS, "x"));
        assert_eq!(reply.status(), 200);
        let seen = agent.request();
        nothing_claimed_arrives(&seen);
        assert_eq!(seen.header("X-Forwarded-For").as_deref(), Some("127.0.0.1"));
    }
}

#[test]
fn in_front_of_the_shim_the_sender_is_who_calls() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let routes = [
        GITHUB,
        &route("a.b", "/plugins/a.b/{id}", &["/own/{id}"]),
        &route("c.d", "/plugins/c.d/x", &["/odd \"one\""]),
    ]
    .concat();
    let shim = Shim::start(
        agent.address,
        &routes,
        "trusted_proxies = [\"127.0.0.1\"]\n",
    );
    let upstream = format!("http://{}", shim.address);
    for server in servers(folder.path(), true, &routes, &upstream) {
        for path in [
            "/api/webhook/github?a=%2f",
            "/own/a%20b",
            "/odd%20%22one%22",
        ] {
            agent.forget();
            let lines = format!("{CLAIMS}X_Under_Score: 1\r\nX-Hub-Signature-256: sha256=x\r\n");
            let reply = server.send(post(path, &lines, "x"));
            assert_eq!(reply.status(), 200, "{path}");
            let seen = agent.request();
            nothing_claimed_arrives(&seen);
            // The one that called the server, and the server.
            let addresses = seen.header("X-Forwarded-For");
            assert_eq!(addresses.as_deref(), Some("127.0.0.1, 127.0.0.1"));
            let host = seen.header("X-Forwarded-Host").unwrap();
            assert_eq!(host, "old.example");
            assert_eq!(seen.header("x_under_score").as_deref(), Some("1"));
            assert!(seen.header("x-hub-signature-256").is_some());
        }
        // What the shim does not have is its own to say.
        let reply = server.send(get("/api/webhook/none"));
        assert_eq!(
            (reply.status(), reply.json()["error"].as_str()),
            (404, Some("not_found"))
        );
    }
    assert!(!shim.log().contains("is not believed"));
}

#[test]
fn a_proxy_that_nobody_has_named_is_warned_of_once() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    for _ in 0..3 {
        let lines = "X-Forwarded-For: 192.0.2.1\r\n";
        assert_eq!(
            shim.send(post("/api/webhook/github", lines, "x")).status(),
            200
        );
    }
    let log = shim.log();
    let said = "127.0.0.1 sends X-Forwarded-For and is not believed";
    assert_eq!(log.matches(said).count(), 1, "{log}");
    assert!(log.contains("`trusted_proxies = [\"127.0.0.1\"]`"), "{log}");
}

#[test]
fn the_recipe_names_what_the_shim_has_to_be_told() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), GITHUB, "");
    for server in ["nginx", "caddy"] {
        let arguments = [
            "routes",
            "--front",
            "--routes",
            "routes.toml",
            "--as",
            server,
        ];
        let output = run(folder.path(), &arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("#     trusted_proxies = [\"127.0.0.1\", \"::1\"]"),
            "{text}"
        );
        assert!(text.contains("127.0.0.1:8080"), "{text}");
    }
}
