//! Connections of senders that wait for their next request. When files run out, those that have waited
//! longest go first: a sender may close such a connection at any time, and so may we.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use tokio::time::Instant;

/// How many end at a time.
const AT_A_TIME: usize = 16;

/// The connections of one thread.
#[derive(Debug, Default)]
pub(crate) struct IdleSenders {
    connections: RefCell<HashMap<u64, Rc<Waiting>>>,
    next: Cell<u64>,
}

/// Whether a connection waits.
#[derive(Debug, Default)]
struct Waiting {
    since: Cell<Option<Instant>>,
    has_to_end: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// The place of a connection among the others.
#[derive(Debug)]
pub(super) struct Place {
    all: Rc<IdleSenders>,
    number: u64,
    waiting: Rc<Waiting>,
}

impl IdleSenders {
    /// One more connection.
    pub(super) fn join(all: &Rc<Self>) -> Place {
        let number = all.next.get();
        all.next.set(number + 1);
        let waiting = Rc::new(Waiting::default());
        let mut connections = all.connections.borrow_mut();
        connections.insert(number, Rc::clone(&waiting));
        Place {
            all: Rc::clone(all),
            number,
            waiting,
        }
    }

    /// Ends those that have waited longest.
    pub(crate) fn end_oldest(&self) {
        let connections = self.connections.borrow();
        let mut idle: Vec<(Instant, &Rc<Waiting>)> = connections
            .values()
            .filter(|waiting| !waiting.has_to_end.get())
            .filter_map(|waiting| Some((waiting.since.get()?, waiting)))
            .collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        for (_, waiting) in idle.into_iter().take(AT_A_TIME) {
            waiting.has_to_end.set(true);
            if let Some(waker) = waiting.waker.borrow_mut().take() {
                waker.wake();
            }
        }
    }
}

impl Place {
    /// Says whether the connection waits for a request from now on.
    pub(super) fn waits(&self, waits: bool) {
        self.waiting.since.set(waits.then(Instant::now));
    }

    /// Comes when the connection has to end.
    pub(super) async fn has_to_end(&self) {
        let waiting = &self.waiting;
        poll_fn(|context| {
            if waiting.has_to_end.get() {
                return Poll::Ready(());
            }
            let mut waker = waiting.waker.borrow_mut();
            match &mut *waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.connections.borrow_mut().remove(&self.number);
    }
}
