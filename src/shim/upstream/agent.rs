//! An agent that requests are sent to, as one value however many routes lead there.

use crate::shim::config::UpstreamUrl;

/// An agent, and where its connections are kept.
#[derive(Debug)]
pub struct Upstream {
    /// Where it answers.
    pub(crate) url: UpstreamUrl,
    /// Its number, the same for as long as the program runs.
    pub(crate) number: usize,
}
