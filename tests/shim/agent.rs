//! All three at once: a sender that signs its raw bytes, the shim, and a real agent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::support::*;

struct Uvicorn(Child);

impl Drop for Uvicorn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_sender_that_signs_is_answered_at_the_old_url() {
    let Some(python) = python_with("fastapi, uvicorn, websockets") else {
        return;
    };
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/agent.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let output = child.stdout.take().unwrap();
    let _uvicorn = Uvicorn(child);
    BufReader::new(output).read_line(&mut said).unwrap();
    let port: u16 = said.trim().parse().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let shim = Shim::start(address, GITHUB, "passthrough = true\n");
    // Spaces, an escape and a character beyond ASCII: a signature of re-made JSON would differ.
    let body = "{ \"name\":\"\\u4e2d\u{6587}\" }";
    let mut mac = Hmac::<Sha256>::new_from_slice(b"It's a Secret to Everybody").unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let lines = format!("X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={signature}\r\n");
    for path in [
        "/api/webhook/github",
        "/api/plugin/KroMiose.github/webhook/github",
    ] {
        let reply = shim.send(post(path, &lines, body));
        let expected = serde_json::json!({ "event": "push", "name": "中文" });
        assert_eq!((reply.status(), reply.json()), (200, expected));
    }
    let reply = shim.send(post("/api/webhook/github", &lines, "{\"name\": 1}"));
    assert_eq!(reply.status(), 403);
    assert_eq!(
        reply.json(),
        serde_json::json!({ "detail": "Invalid signature" })
    );
    let reply = shim.send(get("/plugins/KroMiose.github/stream"));
    assert_eq!(
        (reply.status(), reply.text()),
        (200, "piece 0\npiece 1\npiece 2\n".to_owned())
    );
    // What `--check` asks for is answered as it expects, and calls nothing.
    let folder = tempfile::tempdir().unwrap();
    let missing = route("dev.gone", "/plugins/dev.gone/x", &["/o"]);
    let upstream = format!("upstream = \"http://{address}\"\n");
    write_files(folder.path(), &format!("{GITHUB}{missing}"), &upstream);
    let output = run(folder.path(), &["shim", "--config", "shim.toml", "--check"]);
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{out}");
    for row in [
        format!("    there              http://{address}/plugins/KroMiose.github/github\n"),
        format!("    not mounted (404)  http://{address}/plugins/dev.gone/x\n"),
    ] {
        assert!(out.contains(&row), "{out}");
    }
    // A WebSocket: a frame goes there and comes back.
    let mut stream = shim.connect();
    let handshake = "GET /plugins/KroMiose.github/echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(handshake.as_bytes()).unwrap();
    let reply = read_message(&mut stream, false).unwrap();
    assert_eq!(reply.status(), 101);
    let accept = reply.header("sec-websocket-accept");
    assert_eq!(accept.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    stream.write_all(b"\x81\x82\0\0\0\0hi").unwrap();
    let mut echoed = [0; 4];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"\x81\x02hi");
}
