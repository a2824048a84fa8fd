//! The end of a request: the reply of an agent, or one of the shim's own, and what becomes of the
//! connection.

use tokio::time::Instant;

use crate::shim::http::rejection::Rejection;
use crate::shim::route::table::OldUrl;
use crate::shim::serve::handler::{Next, Outcome, Request};
use crate::shim::serve::local_response::{self, LocalResponse};
use crate::shim::serve::read::ReadError;
use crate::shim::serve::relay::{self, Client, RelayError};
use crate::shim::serve::worker::RequestBuffers;
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::pool::{self, Answer};

impl Request<'_> {
    /// Sends the reply of an agent on, whose head is in the buffers.
    pub async fn relay(
        self,
        agent: &Upstream,
        mut answer: Answer,
        url: Option<&OldUrl>,
        received: u64,
        deadline: Option<Instant>,
    ) -> Outcome {
        let RequestBuffers { reply, output, .. } = &mut *self.buffers;
        output.clear();
        let client = Client {
            stream: &mut *self.stream,
            http_11: self.head.is_http_11(),
            keep_alive: self.keep_alive,
        };
        let status = reply.status();
        let outcome = |status, label, next| Outcome {
            status,
            label,
            next,
            received,
        };
        match relay::relay(client, reply, &mut answer, &self.signs, output, deadline).await {
            Ok(kept) => {
                if pool::is_kept(reply, answer.body) {
                    self.worker
                        .pool
                        .borrow_mut()
                        .keep_alive(agent, answer.connection);
                }
                let next = match kept {
                    true if self.unread => Next::Linger,
                    true => Next::Request,
                    false => Next::Close,
                };
                outcome(status, "answered", next)
            }
            Err(RelayError::BeforeHead(rejection)) => {
                self.worker.agent_stats(agent.number).fail(rejection);
                self.reject(rejection, url).await
            }
            Err(RelayError::Truncated) => {
                let stats = self.worker.agent_stats(agent.number);
                stats.fail(Rejection::UpstreamBroken);
                outcome(status, "cut", Next::Close)
            }
            Err(RelayError::ClientGone) => outcome(status, "sender_gone", Next::Close),
        }
    }

    /// Answers that the request is refused.
    pub async fn reject(mut self, rejection: Rejection, url: Option<&OldUrl>) -> Outcome {
        self.worker.state.registry.reject(rejection);
        let lang = self.worker.state.lang;
        let local = local_response::rejection(rejection, url, self.table, lang);
        self.unread |= rejection.closes();
        let received = self.buffers.held as u64;
        self.local(&local, rejection.label(), received).await
    }

    /// Answers, or not, a sender whose body did not arrive.
    pub async fn ended(self, ended: ReadError, url: Option<&OldUrl>) -> Outcome {
        match ended {
            ReadError::Rejected(rejection) => self.reject(rejection, url).await,
            ReadError::ClientDisconnected => Outcome {
                status: 0,
                label: "sender_gone",
                next: Next::Close,
                received: 0,
            },
        }
    }

    /// Sends a reply of the shim's own.
    pub async fn local(self, local: &LocalResponse, label: &'static str, received: u64) -> Outcome {
        let keep_alive = self.keep_alive && !self.unread;
        let output = &mut self.buffers.output;
        local.write(self.head.method(), &self.signs, keep_alive, output);
        let next = match relay::write(self.stream, output).await {
            Ok(()) if keep_alive => Next::Request,
            Ok(()) if self.unread => Next::Linger,
            Ok(()) | Err(_) => Next::Close,
        };
        Outcome {
            status: local.status,
            label,
            next,
            received,
        }
    }
}
