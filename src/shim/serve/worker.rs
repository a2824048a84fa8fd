//! A thread that serves: what its connections share, and never with other threads.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::BytesMut;
use tokio::sync::{Semaphore, watch};

use crate::shim::http::head::Head;
use crate::shim::observe::access_log::{Log, Stamp};
use crate::shim::observe::metrics::{Registry, UpstreamStats};
use crate::shim::record::{Entry, Recorder};
use crate::shim::route::table::Table;
use crate::shim::serve::body::BodyBuffer;
use crate::shim::serve::idle::IdleSenders;
use crate::shim::upstream::pool::Pool;
use crate::text::Lang;

/// What all threads share.
#[derive(Debug)]
pub struct ServerState {
    /// What is served now.
    pub table: ArcSwap<Table>,
    /// What is counted.
    pub registry: Arc<Registry>,
    /// Where lines go.
    pub log: Arc<Log>,
    /// Where requests go that are recorded.
    pub recorder: Option<Arc<Recorder>>,
    /// The language of replies and of the page.
    pub lang: Lang,
    /// The memory for large bodies, in units of [`UNIT`].
    pub memory: Semaphore,
}

/// The unit in which memory for bodies is given out.
pub const UNIT: u64 = 1 << 10;
/// The room for what a sender sends, to begin with.
const INITIAL_CAPACITY: usize = 8 << 10;
/// Memory that grew over this is given back.
const SHRINK_ABOVE: usize = 64 << 10;
/// Buffers kept for the next request of any connection.
const MAX_POOLED: usize = 64;
/// Lines of the log that are written together.
const LINES: usize = 16 << 10;

/// Memory for one request. A connection has one only while it has something to read or to write,
/// so that ten thousand idle ones cost next to nothing.
#[derive(Debug, Default)]
pub(super) struct RequestBuffers {
    /// What has arrived and was not used.
    pub(super) input: BytesMut,
    /// The head of the request.
    pub(super) head: Head,
    /// The head of the reply.
    pub(super) reply: Head,
    /// A body that is large, or came in chunks.
    pub(super) body: BodyBuffer,
    /// What is being written.
    pub(super) output: Vec<u8>,
    /// The request that is being answered, when it is recorded.
    pub(super) recorded: Option<Box<Entry>>,
    /// How much of `input` is the body of the request that is being answered.
    pub(super) held: usize,
    /// The length of that body, wherever it is.
    pub(super) received: usize,
}

impl RequestBuffers {
    /// Makes room for more of a request.
    pub(super) fn make_room(&mut self) {
        if self.input.capacity() - self.input.len() < INITIAL_CAPACITY / 2 {
            self.input.reserve(INITIAL_CAPACITY);
        }
    }
}

/// What the connections of one thread share.
#[derive(Debug)]
pub(super) struct Worker {
    /// What all threads share.
    pub(super) state: Arc<ServerState>,
    /// Connections to agents.
    pub(super) pool: RefCell<Pool>,
    /// Says when to stop.
    pub(super) stop: watch::Receiver<bool>,
    pooled: RefCell<Vec<RequestBuffers>>,
    lines: RefCell<(String, Stamp)>,
    agent_stats: RefCell<Vec<Arc<UpstreamStats>>>,
    /// Connections of senders that wait for their next request.
    pub(super) idle: Rc<IdleSenders>,
    /// Connections that are open in this thread.
    pub(super) open: Cell<usize>,
    /// Those of them that were taken after the signal to stop.
    pub(super) late: Cell<usize>,
}

impl Worker {
    /// A thread's own part.
    pub(super) fn new(state: Arc<ServerState>, stop: watch::Receiver<bool>) -> Rc<Self> {
        let idle = Rc::<IdleSenders>::default();
        Rc::new(Self {
            state,
            stop,
            pool: RefCell::new(Pool::new(Rc::clone(&idle))),
            idle,
            pooled: RefCell::default(),
            lines: RefCell::default(),
            agent_stats: RefCell::default(),
            open: Cell::new(0),
            late: Cell::new(0),
        })
    }

    /// Memory for a request.
    pub(super) fn take_buffers(&self) -> RequestBuffers {
        self.pooled.borrow_mut().pop().unwrap_or_else(|| {
            let input = BytesMut::with_capacity(INITIAL_CAPACITY);
            RequestBuffers {
                input,
                ..RequestBuffers::default()
            }
        })
    }

    /// Gives it back.
    pub(super) fn give_back(&self, buffers: RequestBuffers) {
        let mut pooled = self.pooled.borrow_mut();
        if pooled.len() < MAX_POOLED && buffers.input.is_empty() {
            pooled.push(buffers);
        }
    }

    /// The counts of an agent.
    pub(super) fn agent_stats(&self, number: usize) -> Arc<UpstreamStats> {
        let mut known = self.agent_stats.borrow_mut();
        while known.len() <= number {
            let stats = self.state.registry.agent_stats(known.len());
            known.push(stats);
        }
        Arc::clone(&known[number])
    }

    /// Logs a request; lines are written together.
    pub(crate) fn log(&self, access: &crate::shim::observe::access_log::Access<'_>) {
        let (lines, stamp) = &mut *self.lines.borrow_mut();
        self.state.log.line(access, stamp, lines);
        if lines.len() >= LINES {
            self.state.log.write(lines.as_bytes());
            lines.clear();
        }
    }

    /// Writes the lines that are waiting.
    pub(super) fn flush_log(&self) {
        let (lines, _) = &mut *self.lines.borrow_mut();
        if !lines.is_empty() {
            self.state.log.write(lines.as_bytes());
            lines.clear();
        }
    }
}

impl RequestBuffers {
    /// Ends a request: its body is used, and the memory that one large request needed is given
    /// back.
    pub(super) fn end_request(&mut self) {
        let held = std::mem::take(&mut self.held).min(self.input.len());
        bytes::Buf::advance(&mut self.input, held);
        self.received = 0;
        self.shrink();
    }

    /// Gives memory back that one large request needed.
    fn shrink(&mut self) {
        if self.input.capacity() > SHRINK_ABOVE {
            let rest = std::mem::take(&mut self.input);
            self.input = BytesMut::with_capacity(INITIAL_CAPACITY.max(rest.len()));
            self.input.extend_from_slice(&rest);
        }
        self.body.clear();
        self.output.clear();
        if self.output.capacity() > SHRINK_ABOVE {
            self.output = Vec::new();
        }
    }
}
