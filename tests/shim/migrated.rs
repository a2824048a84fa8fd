//! The whole way: plugins that `rehook migrate` has just migrated, served by the real agent's own
//! code under uvicorn, behind the shim, for a sender that signs its raw bytes and knows only the old
//! URLs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::support::*;

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Copies the files of a folder that has no folders.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The agent with the plugins in `folder`, and where it listens.
fn agent(python: &Path, folder: &Path, settings: &[&str]) -> (Ended, SocketAddr) {
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/serve.py"))
        .arg(folder)
        .args(settings)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let child = Ended(child);
    let port = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("serving ")?.parse().ok());
    let port: u16 = port.expect("the agent says where it serves");
    (child, SocketAddr::from(([127, 0, 0, 1], port)))
}

#[test]
fn what_was_just_migrated_answers_at_its_old_urls_as_before() {
    let Some(python) = python_with("nekro_agent, uvicorn") else {
        return;
    };
    let repo = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    copy(&fixtures.join("doc-github/before"), repo.path());
    copy(&fixtures.join("context-file/before"), repo.path());
    let migrated = Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["migrate", "--allow-dirty", "--quiet"])
        .current_dir(repo.path())
        .output()
        .unwrap();
    assert_eq!(migrated.status.code(), Some(0), "{migrated:?}");
    let routes = fs::read_to_string(repo.path().join("webhook-routes.toml")).unwrap();
    let settings = [
        "dev.github_hook.GITHUB_WEBHOOK_SECRET=It's a Secret to Everybody",
        "dev.ci.TOKEN=t0ken",
    ];
    let (_agent, address) = agent(&python, repo.path(), &settings);
    // The version is what the support code writes first itself.
    let routes = routes.strip_prefix("version = 1\n").unwrap();
    let shim = Shim::start(address, routes, "");

    // Spaces, an escape and a character beyond ASCII: a signature of re-made JSON would differ.
    let body = "{ \"zen\":\"\\u4e2d\u{6587}\" }";
    let mut mac = Hmac::<Sha256>::new_from_slice(b"It's a Secret to Everybody").unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let lines = format!(
        "Content-Type: application/json\r\nX-GitHub-Event: ping\r\nX-Hub-Signature-256: sha256={signature}\r\n"
    );
    for path in [
        "/api/webhook/github",
        "/api/plugin/dev.github_hook/webhook/github",
        "/api/plugin/github_hook/webhook/github",
    ] {
        let reply = shim.send(post(path, &lines, body));
        let expected =
            json!({ "status": "success", "message": "Event 'ping' received and acknowledged." });
        assert_eq!((reply.status(), reply.json()), (200, expected), "{path}");
        let reply = shim.send(post(path, &lines, "{ \"zen\":\"\" }"));
        assert_eq!(reply.status(), 403, "{path}");
    }

    // The old server's reply, whatever the handler returns; and its error when the handler raises.
    let lines = "Content-Type: application/json\r\nX-Event: build\r\nX-Token: t0ken\r\n";
    let reply = shim.send(post(
        "/api/webhook/ci",
        lines,
        r#"{"project": "x", "status": "ok"}"#,
    ));
    let expected = json!({
        "success": true,
        "message": "Webhook 处理完成，成功: 0，失败: 0",
        "data": { "results": [], "errors": [] },
    });
    assert_eq!((reply.status(), reply.json()), (200, expected));
    let refused = shim.send(post("/api/webhook/ci", "X-Token: other\r\n", "{}"));
    assert_eq!(refused.status(), 403);
}
