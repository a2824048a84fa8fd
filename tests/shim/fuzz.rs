//! Nonsense: pieces of requests in every order, and bytes of all kinds. Nothing panics, and what is
//! asked next is answered.
//!
//! `REHOOK_FUZZ_SECONDS=600` makes the run over the socket as long as one likes.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rehook::shim::http::head::{Head, Scan};
use rehook::shim::route::decide::decide;

use crate::support::*;

/// Pieces that mean something in a request, and some that mean nothing.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(
        [
            "GET ",
            "POST ",
            "CONNECT ",
            "OPTIONS * HTTP/1.1\r\n",
            "/api/webhook/github",
            "/o/",
            "%2f",
            "%2e%2e",
            "%",
            "?a=b&",
            "#",
            "http://h/",
            " HTTP/1.1\r\n",
            " HTTP/1.0\r\n",
            "Host: h\r\n",
            "Content-Length: 5\r\n",
            "Content-Length: ",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: ",
            "Connection: close\r\n",
            "Connection: x-a, upgrade\r\n",
            "Upgrade: websocket\r\n",
            "Expect: 100-continue\r\n",
            "X-Forwarded-For: 1.2.3.4, ::1\r\n",
            "X-Hub-Signature-256: sha256=00\r\n",
            "\r\n",
            "\n",
            "\r",
            "5\r\nhello\r\n",
            "0\r\n\r\n",
            "ffffffffffffffff\r\n",
            ";x=y\r\n",
            ": ",
            " ",
            "\t",
            "hello",
            "\0",
            "18446744073709551616",
        ]
        .map(|text: &str| text.as_bytes().to_vec())
        .to_vec(),
    );
    prop_oneof![
        12 => known,
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => Just(b"POST /api/webhook/github HTTP/1.1\r\nHost: h\r\n".to_vec()),
    ]
}

fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..25).prop_map(|pieces| pieces.concat())
}

fn shim(agent: &Agent) -> Shim {
    let routes = [
        GITHUB,
        &route(
            "a.b",
            "/plugins/a.b/t/{id}/{rest:path}",
            &["/o/{id}/{rest:path}"],
        ),
    ]
    .concat();
    let config = "passthrough = true\nwith_legacy = true\ntrusted_proxies = [\"127.0.0.0/8\"]\n\
        [limits]\nhead_time = \"200ms\"\ntotal = \"20s\"\nidle = \"200ms\"\n";
    Shim::start(agent.address, &routes, config)
}

#[test]
fn nonsense_is_decided_without_a_panic() {
    let agent = Agent::start(ok);
    let shim = shim(&agent);
    let table = shim.state.table.load_full();
    let mut runner = TestRunner::new(Config {
        cases: 20_000,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&nonsense(), |bytes| {
        let mut head = Head::default();
        if let Ok(Some(end)) = Scan::default().find_end(&bytes)
            && head.read_request(&bytes[..end]).is_ok()
        {
            let _ = head.mark_named_by_connection();
            let decision = decide(&table, &head);
            prop_assert!(decision.target.path.len() <= bytes.len());
        }
        let _ = Head::default().read_reply(&bytes);
        Ok(())
    });
    result.unwrap();
}

/// Headers from end to end: any name that no proxy knows, any value that a header may have.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let byte = prop_oneof![0x21..=0x7eu8, 0x80..=0xffu8, Just(b' '), Just(b'\t')];
    let value = prop::collection::vec(byte, 0..40).prop_map(|value| value.trim_ascii().to_vec());
    prop::collection::vec(("[xX]-[a-cA-C]{1,3}[!#$&'*+.^_`|~]?", value), 0..30)
}

#[test]
fn whatever_goes_from_end_to_end_arrives_as_it_was() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let body = prop::collection::vec(any::<u8>(), 0..3_000);
    let query = "(\\?[!-\"$-~]{0,30})?";
    let cuts = prop::collection::vec(1..700usize, 0..4);
    let result = runner.run(
        &(headers(), body, query, cuts, any::<bool>()),
        |(headers, body, query, cuts, chunked)| {
            let mut request =
                format!("POST /api/webhook/github{query} HTTP/1.1\r\nHost: h\r\n").into_bytes();
            for (name, value) in &headers {
                request.extend_from_slice(name.as_bytes());
                request.extend_from_slice(b": ");
                request.extend_from_slice(value);
                request.extend_from_slice(b"\r\n");
            }
            if chunked {
                request.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(701) {
                    request.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
                    request.extend_from_slice(piece);
                    request.extend_from_slice(b"\r\n");
                }
                request.extend_from_slice(b"0\r\n\r\n");
            } else {
                request.extend_from_slice(
                    format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
                );
                request.extend_from_slice(&body);
            }
            agent.forget();
            let mut stream = shim.connect();
            let mut rest = request.as_slice();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                stream.write_all(piece).unwrap();
                std::thread::yield_now();
                rest = after;
            }
            stream.write_all(rest).unwrap();
            prop_assert_eq!(read_message(&mut stream, false).unwrap().status(), 200);
            let seen = agent.request();
            prop_assert_eq!(
                &seen.first,
                &format!("POST /plugins/KroMiose.github/github{query} HTTP/1.1")
            );
            let known = [
                "host",
                "content-length",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-forwarded-proto",
                "via",
            ];
            let arrived: Vec<_> = seen
                .headers
                .into_iter()
                .filter(|(name, _)| !known.contains(&name.to_ascii_lowercase().as_str()))
                .collect();
            prop_assert_eq!(arrived, headers);
            prop_assert_eq!(seen.body, body);
            Ok(())
        },
    );
    result.unwrap();
}

#[test]
fn nonsense_over_the_socket_leaves_the_shim_serving() {
    let seconds = std::env::var("REHOOK_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(5);
    let agent = Agent::start(ok);
    let shim = shim(&agent);
    let mut runner = TestRunner::new(Config::default());
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut count = 0u64;
    while Instant::now() < end {
        let bytes = nonsense().new_tree(&mut runner).unwrap().current();
        let mut stream = shim.connect();
        let _ = stream.write_all(&bytes);
        if count.is_multiple_of(2) {
            // Half of them leave at once, the others wait for what is said.
            stream
                .set_read_timeout(Some(Duration::from_millis(2)))
                .unwrap();
            let mut reply = [0; 4096];
            let _ = stream.read(&mut reply);
        }
        count += 1;
        if count.is_multiple_of(200) {
            agent.forget();
            assert_eq!(
                shim.post("x").status(),
                200,
                "after {}",
                bytes.escape_ascii()
            );
        }
    }
    println!("{count} connections in {seconds} s");
    assert_eq!(shim.post("x").status(), 200);
    let connections = &shim.state.registry.connections;
    wait_until("they have all ended", || {
        connections.load(std::sync::atomic::Ordering::Relaxed) == 0
    });
    // A thread that had panicked would make this an error.
    let mut shim = shim;
    shim.stop().unwrap();
}
