//! An agent that requests are sent to, as one value however many routes lead there.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::shim::http::upstream_url::UpstreamUrl;

/// An agent, and where its connections are kept.
#[derive(Debug)]
pub struct Upstream {
    /// Where it answers.
    pub(crate) url: UpstreamUrl,
    /// Its number, the same for as long as the program runs.
    pub(crate) number: usize,
    /// Whether it is known to answer.
    pub(crate) doubt: Doubt,
}

impl Upstream {
    /// An agent of which nothing is known yet.
    pub(crate) fn new(url: UpstreamUrl, number: usize) -> Self {
        Self {
            url,
            number,
            doubt: Doubt::default(),
        }
    }
}

/// Whether something that takes connections may be no agent yet: a port that docker has published takes
/// them before anybody listens behind it, and closes them at once. A request that must not arrive twice
/// is not what this should be found out with.
#[derive(Debug)]
pub(crate) struct Doubt {
    is_raised: AtomicBool,
    is_being_probed: AtomicBool,
}

impl Default for Doubt {
    fn default() -> Self {
        Self {
            is_raised: AtomicBool::new(true),
            is_being_probed: AtomicBool::new(false),
        }
    }
}

impl Doubt {
    /// A connection has ended without a byte of a reply.
    pub(super) fn raise(&self) {
        self.is_raised.store(true, Ordering::Relaxed);
    }

    /// Whether there is any.
    pub(super) fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Relaxed)
    }

    /// The task of finding out; none when another request has it already.
    pub(super) fn begin_probe(&self) -> Option<Probing<'_>> {
        let begun = self.is_being_probed.swap(true, Ordering::Relaxed);
        // Not `then_some`: to drop one is to give the task up.
        (!begun).then(|| Probing(self))
    }
}

/// The task of finding out whether an agent answers.
#[derive(Debug)]
pub(super) struct Probing<'d>(&'d Doubt);

impl Probing<'_> {
    /// It has answered.
    pub(super) fn it_answers(self) {
        self.0.is_raised.store(false, Ordering::Relaxed);
    }
}

impl Drop for Probing<'_> {
    fn drop(&mut self) {
        self.0.is_being_probed.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_finds_out_for_all() {
        let doubt = Doubt::default();
        assert!(doubt.is_raised(), "nothing is known at the start");
        let given_up = doubt.begin_probe().unwrap();
        assert!(doubt.begin_probe().is_none() && doubt.begin_probe().is_none());
        drop(given_up);
        assert!(doubt.is_raised());
        doubt.begin_probe().unwrap().it_answers();
        assert!(!doubt.is_raised());
        doubt.raise();
        assert!(doubt.is_raised() && doubt.begin_probe().is_some());
    }
}
