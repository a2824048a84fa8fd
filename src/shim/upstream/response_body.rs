//! The body of a reply that is not sent on as it comes: whether it is whole.
//!
//! Invariants: a reply that ends before its end is a failure, however good its status; what
//! was only read ahead is still there to be sent on.

use bytes::Buf;
use tokio::time::{Instant, timeout_at};

use crate::shim::http::chunked::Decoder;
use crate::shim::http::framing::Body;
use crate::shim::http::rejection::Rejection;
use crate::shim::upstream::pool::Answer;

/// How much of a body is read ahead.
const AHEAD: usize = 64 << 10;

/// A reply whose body is being read.
#[derive(Debug)]
pub(crate) struct BufferedResponse {
    answer: Answer,
    decoder: Decoder,
    /// Bytes that are still to come, when there is a length.
    left: u64,
    /// Bytes of the connection's input that are the body.
    looked: usize,
    whole: bool,
}

impl From<Answer> for BufferedResponse {
    fn from(answer: Answer) -> Self {
        Self {
            left: match answer.body {
                Body::Length(length) => length,
                _ => u64::MAX,
            },
            whole: answer.body == Body::Empty,
            decoder: Decoder::default(),
            looked: 0,
            answer,
        }
    }
}

impl BufferedResponse {
    /// Reads to the end, or until there is enough to keep the agent from waiting for long.
    pub(crate) async fn ahead(&mut self, deadline: Instant) -> Result<(), Rejection> {
        while !self.look()? && self.looked <= AHEAD {
            self.more(deadline).await?;
        }
        Ok(())
    }

    /// Reads to the end and keeps nothing. The connection can then be used again, if the reply
    /// lets it.
    pub(crate) async fn finish(&mut self, deadline: Instant) -> Result<(), Rejection> {
        loop {
            let whole = self.look()?;
            self.answer.connection.input.advance(self.looked);
            self.looked = 0;
            if whole {
                return Ok(());
            }
            self.more(deadline).await?;
        }
    }

    /// The reply: to be sent on, or with nothing left of it.
    pub(crate) fn into_answer(self) -> Answer {
        self.answer
    }

    /// Looks at what has come; says whether it is all.
    fn look(&mut self) -> Result<bool, Rejection> {
        let come = &self.answer.connection.input[self.looked..];
        if self.whole || come.is_empty() {
            return Ok(self.whole);
        }
        let used = if self.answer.body == Body::Chunked {
            let used = self.decoder.decode(come, |_| ());
            self.whole = self.decoder.is_done();
            used.map_err(|_| Rejection::UpstreamBroken)?
        } else {
            let used = usize::try_from(self.left).map_or(come.len(), |left| left.min(come.len()));
            self.left -= used as u64;
            self.whole = self.left == 0;
            used
        };
        self.looked += used;
        Ok(self.whole)
    }

    async fn more(&mut self, deadline: Instant) -> Result<(), Rejection> {
        match timeout_at(deadline, self.answer.connection.read()).await {
            Ok(Ok(0)) if self.answer.body == Body::UntilClose => self.whole = true,
            Ok(Ok(0) | Err(_)) => return Err(Rejection::UpstreamBroken),
            Ok(Ok(_)) => {}
            Err(_) => return Err(Rejection::UpstreamSlow),
        }
        Ok(())
    }
}
