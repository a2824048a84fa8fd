//! Senders: as fast as they are answered, or at a fixed rate.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: u32 = 32;

/// Who sends what, and for how long.
pub(crate) struct Load {
    address: SocketAddr,
    rate: Option<u32>,
    time: Duration,
}

/// The result.
pub(crate) struct Measured {
    pub requests: u64,
    /// Replies other than 200.
    pub failed: u64,
    /// Seconds of processor time per request.
    pub processor_time: f64,
    /// In microseconds, in order.
    latencies: Vec<f64>,
}

impl Measured {
    /// The latency that this share of the requests did not exceed, in microseconds.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies
            .get(index.min(last))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

fn request() -> String {
    let body = "x".repeat(1024);
    format!(
        "POST /api/webhook/endpoint0 HTTP/1.1\r\nHost: hooks.example.com\r\n\
         User-Agent: GitHub-Hookshot/044aadd\r\nAccept: */*\r\nContent-Type: application/json\r\n\
         X-GitHub-Event: push\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958\r\n\
         X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The length of the reply at the start of `bytes`, when it is whole.
fn reply_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).expect("a head");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let whole = head + length.unwrap_or(0);
    (bytes.len() >= whole).then_some(whole)
}

impl Load {
    pub(crate) fn new(address: SocketAddr, rate: Option<u32>, time: Duration) -> Self {
        Self {
            address,
            rate,
            time,
        }
    }

    /// Sends until the time is over.
    pub(crate) fn run(&self) -> Measured {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let start = Instant::now();
            let senders: Vec<_> = (0..CONNECTIONS)
                .map(|number| tokio::spawn(send(self.address, self.rate, number, start, self.time)))
                .collect();
            let mut measured = Measured {
                requests: 0,
                failed: 0,
                processor_time: 0.0,
                latencies: Vec::new(),
            };
            for sender in senders {
                let (latencies, failed) = sender.await.expect("a sender");
                measured.requests += latencies.len() as u64;
                measured.failed += failed;
                measured.latencies.extend(latencies);
            }
            measured.latencies.sort_by(f64::total_cmp);
            measured
        })
    }
}

async fn send(
    address: SocketAddr,
    rate: Option<u32>,
    number: u32,
    start: Instant,
    time: Duration,
) -> (Vec<f64>, u64) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let request = request();
    let (mut latencies, mut failed) = (Vec::new(), 0);
    let mut reply = Vec::with_capacity(4096);
    let pause = rate.map(|rate| Duration::from_secs(1) * CONNECTIONS / rate);
    let mut due = start + pause.unwrap_or_default() * number / CONNECTIONS;
    loop {
        let waited = Instant::now() <= due;
        match pause {
            Some(pause) => {
                tokio::time::sleep_until(due.into()).await;
                due += pause;
            }
            None => due = Instant::now(),
        }
        if start.elapsed() >= time {
            return (latencies, failed);
        }
        // Late because of the reply before it: that is the server's. Late because the timer of
        // this program is coarse: that is not.
        let was_due = due - pause.unwrap_or_default();
        let sent_at = match waited {
            true => Instant::now(),
            false => was_due,
        };
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it takes a request");
        reply.clear();
        while reply_length(&reply).is_none() {
            let read = stream.read_buf(&mut reply).await.expect("it answers");
            assert!(read > 0, "it closed the connection");
        }
        latencies.push(sent_at.elapsed().as_secs_f64() * 1e6);
        failed += u64::from(!reply.starts_with(b"HTTP/1.1 200 "));
    }
}

/// Opens connections, sends a request on each, and leaves them open.
pub(crate) fn open(address: SocketAddr, count: usize) -> Vec<std::net::TcpStream> {
    let request = request();
    (0..count)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(address).expect("a connection");
            stream
                .write_all(request.as_bytes())
                .expect("it takes a request");
            let mut reply = Vec::new();
            let mut bytes = [0; 4096];
            while reply_length(&reply).is_none() {
                let read = stream.read(&mut bytes).expect("it answers");
                assert!(read > 0, "it closed the connection");
                reply.extend_from_slice(&bytes[..read]);
            }
            stream
        })
        .collect()
}

/// An agent in this process, for machines without nginx.
pub(crate) fn answer_all() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 16 << 10];
                let mut seen = Vec::new();
                while let Ok(read @ 1..) = stream.read(&mut bytes) {
                    seen.extend_from_slice(&bytes[..read]);
                    while let Some(length) = reply_length(&seen) {
                        seen.drain(..length);
                        let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
                        if stream.write_all(reply).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}
