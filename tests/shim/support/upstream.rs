//! An agent that does what a test wants, connection by connection.

use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::net::sockopt::set_socket_linger;

use super::message::{Message, read_message};

/// What becomes of a connection after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It takes another request.
    Yes,
    /// It is closed.
    No,
    /// It is closed, and the sender notices by a reset.
    Reset,
}

/// An agent.
pub(crate) struct Agent {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Message>>>,
    connections: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    /// By number; those that have ended are gone.
    open: Arc<Mutex<HashMap<usize, TcpStream>>>,
    accepting: Option<std::thread::JoinHandle<()>>,
}

/// Whether the shim only wants to know whether an agent answers.
pub(crate) fn is_probe(message: &Message) -> bool {
    message.first == "GET /api/health HTTP/1.1"
        && message.header("user-agent").as_deref() == Some("rehook")
}

/// A reply with a body.
pub(crate) fn reply(status: u16, lines: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\n{lines}Content-Length: {length}\r\n\r\n{body}")
}

/// Answers 200 to everything.
pub(crate) fn ok(_: &Message, stream: &mut TcpStream) -> Keep {
    stream.write_all(reply(200, "", "ok").as_bytes()).unwrap();
    Keep::Yes
}

impl Agent {
    /// An agent that gives every request to `answer`.
    pub(crate) fn start(
        answer: impl Fn(&Message, &mut TcpStream) -> Keep + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer)
    }

    pub(crate) fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Message, &mut TcpStream) -> Keep + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let mut agent = Self {
            address,
            requests: Arc::default(),
            connections: Arc::default(),
            stopped: Arc::default(),
            open: Arc::default(),
            accepting: None,
        };
        let (requests, connections) = (Arc::clone(&agent.requests), Arc::clone(&agent.connections));
        let (stopped, open) = (Arc::clone(&agent.stopped), Arc::clone(&agent.open));
        let answer = Arc::new(answer);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let number = connections.fetch_add(1, Ordering::SeqCst);
                open.lock()
                    .unwrap()
                    .insert(number, stream.try_clone().unwrap());
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                let open = Arc::clone(&open);
                std::thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    while let Some(message) = read_message(&mut stream, false) {
                        if is_probe(&message) {
                            stream.write_all(reply(404, "", "").as_bytes()).unwrap();
                            continue;
                        }
                        requests.lock().unwrap().push(message.clone());
                        match answer(&message, &mut stream) {
                            Keep::Yes => {}
                            Keep::No => break,
                            Keep::Reset => {
                                // The last handle that is closed sends it, not a shutdown.
                                let now = Some(std::time::Duration::ZERO);
                                set_socket_linger(&stream, now).unwrap();
                                open.lock().unwrap().remove(&number);
                                return;
                            }
                        }
                    }
                    let _ = stream.shutdown(std::net::Shutdown::Both);
                    open.lock().unwrap().remove(&number);
                });
            }
        });
        agent.accepting = Some(accepting);
        agent
    }

    /// What has arrived.
    pub(crate) fn requests(&self) -> Vec<Message> {
        self.requests.lock().unwrap().clone()
    }

    /// Forgets what has arrived, for tests that take long.
    pub(crate) fn forget(&self) {
        self.requests.lock().unwrap().clear();
    }

    /// The one request that has arrived.
    pub(crate) fn request(&self) -> Message {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Stops listening and closes everything, as a process that is killed.
    pub(crate) fn stop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(accepting) = self.accepting.take() {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect(self.address);
            accepting.join().unwrap();
        }
        for (_, stream) in self.open.lock().unwrap().drain() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop();
    }
}
