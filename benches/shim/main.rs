//! `rehook shim` against nginx, side by side in one run: `cargo bench --bench shim`.
//!
//! Both have one thread, the same rewrite, the same agent (an nginx that answers at once) and the
//! same senders: 32 kept connections, a POST of 1 KiB. Machines are shared, so rounds alternate,
//! and what is compared is processor time per completed request, which the load of others changes
//! little; the spread over the rounds is printed beside it. Latency is measured at a fixed rate,
//! from the moment at which a request was due, so that a server that stalls cannot hide it.
//!
//! Without nginx the shim is measured alone.

mod load;
mod servers;

use std::time::Duration;

use load::{Load, Measured};
use servers::{Agent, Server};

/// How often each is measured.
const ROUNDS: usize = 5;
/// How long a round is.
const ROUND: Duration = Duration::from_secs(3);
/// Requests in a second, when latency is measured.
const RATE: u32 = 2_000;

fn main() {
    // `cargo test --all-targets` runs this too, unoptimised: the figures would say nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not run: `cargo bench --bench shim` measures");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for configurations");
    let agent = Agent::start(folder.path());
    println!("one thread each, 32 kept connections, POST of 1 KiB, {ROUNDS} rounds of {ROUND:?}\n");

    let shim = Server::shim(folder.path(), &agent, 1, &[]);
    let nginx = Server::nginx(folder.path(), &agent);
    let mut servers = vec![shim];
    servers.extend(nginx);
    compare(
        "processor time per request, as fast as they can",
        &servers,
        None,
    );
    compare(
        "at a fixed rate of 2,000 requests in a second",
        &servers,
        Some(RATE),
    );
    drop(servers);

    let few = Server::shim(folder.path(), &agent, 10, &[]);
    let many = Server::shim(folder.path(), &agent, 10_000, &[]);
    compare("10,000 routes against 10", &[many, few], None);

    memory(folder.path(), &agent);
}

/// Measures all in turn, several times, and prints the first in relation to the second.
fn compare(title: &str, servers: &[Server], rate: Option<u32>) {
    let mut rounds: Vec<Vec<Measured>> = servers.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        let mut turn: Vec<_> = servers.iter().zip(&mut rounds).collect();
        // Who comes second would always find what the first has left behind.
        if round % 2 == 1 {
            turn.reverse();
        }
        for (server, rounds) in turn {
            let before = server.processor_time();
            let mut measured = Load::new(server.address, rate, ROUND).run();
            let used = server.processor_time() - before;
            measured.processor_time = used / measured.requests.max(1) as f64;
            rounds.push(measured);
        }
    }
    println!("{title}");
    type Value = fn(&Measured) -> f64;
    let values: [(&str, Value); 4] = [
        ("processor µs per request", |m| m.processor_time * 1e6),
        ("requests per second", |m| {
            m.requests as f64 / ROUND.as_secs_f64()
        }),
        ("latency µs, median", |m| m.latency(0.50)),
        ("latency µs, 99th percentile", |m| m.latency(0.99)),
    ];
    for (name, value) in values {
        print!("  {name:28}");
        let mut medians = Vec::new();
        for (server, rounds) in servers.iter().zip(&rounds) {
            let mut all: Vec<f64> = rounds.iter().map(value).collect();
            all.sort_by(f64::total_cmp);
            let (least, middle, most) = (all[0], all[all.len() / 2], all[all.len() - 1]);
            print!("  {}: {middle:.1} ({least:.1} to {most:.1})", server.name);
            medians.push(middle);
        }
        match medians.as_slice() {
            [first, second] => println!("   ratio {:.2}", first / second),
            _ => println!(),
        }
    }
    let failed: u64 = rounds
        .iter()
        .flatten()
        .map(|measured| measured.failed)
        .sum();
    println!("  replies other than 200: {failed}\n");
}

/// Memory and the time to the first reply.
fn memory(folder: &std::path::Path, agent: &Agent) {
    let mut starts: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            Server::shim(folder, agent, 1, &[])
                .first_reply
                .as_secs_f64()
                * 1e3
        })
        .collect();
    starts.sort_by(f64::total_cmp);
    println!(
        "start to first reply: {:.1} ms ({:.1} to {:.1})",
        starts[ROUNDS / 2],
        starts[0],
        starts[ROUNDS - 1]
    );
    let shim = Server::shim(folder, agent, 1, &[]);
    println!("memory idle: {:.1} MiB", shim.memory());
    let open = load::open(shim.address, 1_000);
    println!(
        "memory with 1,000 open connections that have sent a request each: {:.1} MiB",
        shim.memory()
    );
    drop(open);
}
