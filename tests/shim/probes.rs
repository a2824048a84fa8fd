//! Raw probes: bytes that servers could read in two ways. The table `probes.txt` says of each what the shim
//! has to do with it, and what other servers did when they were measured (`probes.py`).

use std::io::Write;
use std::net::Shutdown;

use crate::support::*;

const TABLE: &str = include_str!("probes.txt");

struct Probe {
    is_guarded: bool,
    results: Vec<&'static str>,
    name: &'static str,
    bytes: Vec<u8>,
}

fn probes() -> Vec<Probe> {
    let mut is_guarded = false;
    let mut probes = Vec::new();
    for line in TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with('[') {
            is_guarded = line == "[guarded]";
            continue;
        }
        let mut parts = line.splitn(3, "| ");
        let results = parts.next().unwrap().split_whitespace().collect();
        let name = parts.next().unwrap().trim_end();
        probes.push(Probe {
            is_guarded,
            results,
            name,
            bytes: decoded(parts.next().unwrap()),
        });
    }
    probes
}

/// The bytes that a text of the table stands for.
fn decoded(raw: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let code = &rest[at + 1..];
        let length = match &code[..1] {
            "r" => {
                bytes.push(b'\r');
                1
            }
            "n" => {
                bytes.push(b'\n');
                1
            }
            "t" => {
                bytes.push(b'\t');
                1
            }
            "x" => {
                bytes.push(u8::from_str_radix(&code[1..3], 16).unwrap());
                3
            }
            "{" => {
                let end = code.find('}').unwrap();
                let (part, count) = code[1..end].rsplit_once('*').unwrap();
                bytes.extend(decoded(part).repeat(count.parse().unwrap()));
                end + 1
            }
            other => panic!("{other} in {raw}"),
        };
        rest = &code[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Sends it, and says what came back and how much of it reached the agent.
fn result(shim: &Shim, agent: &Agent, bytes: &[u8]) -> String {
    agent.forget();
    let mut stream = shim.connect();
    // A server that has refused it may not read all of it.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut statuses = Vec::new();
    let is_head = bytes.starts_with(b"HEAD ");
    while let Some(reply) = read_message(&mut stream, is_head) {
        statuses.push(reply.status().to_string());
    }
    let statuses = match statuses.is_empty() {
        true => "-".to_owned(),
        false => statuses.join("+"),
    };
    format!("{statuses}/{}", agent.requests().len())
}

#[test]
fn what_can_be_read_in_two_ways_reaches_no_agent() {
    let agent = Agent::start(ok);
    let map = [GITHUB, &route("a.b", "/plugins/a.b/t/{id}", &["/o/{id}"])].concat();
    let open = Shim::start(agent.address, &map, "");
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "hunter2hunter2").unwrap();
    let rules = format!(
        "passthrough = true\n[[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\n\
         kind = \"bearer\"\nsecret_file = {:?}\n",
        secret.path()
    );
    let guarded = Shim::start(agent.address, &map, &rules);
    let probes = probes();
    assert!(probes.len() >= 150, "{}", probes.len());
    let mut wrong = Vec::new();
    for probe in &probes {
        let shim = if probe.is_guarded { &guarded } else { &open };
        let (name, wanted) = (probe.name, probe.results[0]);
        let got = result(shim, &agent, &probe.bytes);
        if got != wanted {
            wrong.push(format!("{name}: {got}, not {wanted}"));
        }
        let (statuses, reached) = wanted.split_once('/').unwrap();
        let is_refused = statuses.starts_with(['4', '5', '-']);
        assert!(!is_refused || reached == "0", "{name}: {wanted}");
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_probe_was_measured_with_every_server() {
    for probe in probes() {
        let Probe { results, name, .. } = probe;
        assert_eq!(results.len(), 4, "{name}");
        for result in results {
            let (statuses, reached) = result.split_once('/').unwrap();
            assert!(reached.parse::<u8>().is_ok(), "{name}: {result}");
            let is_status = |status: &str| matches!(status, "-" | "0.9") || status.len() == 3;
            assert!(statuses.split('+').all(is_status), "{name}: {result}");
        }
    }
}
