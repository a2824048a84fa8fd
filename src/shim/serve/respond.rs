//! The end of a request: the reply of an agent, or one of the shim's own, and what becomes of the
//! connection.

use tokio::time::Instant;

use crate::shim::http::rejection::Refusal;
use crate::shim::route::table::{Agent, OldUrl};
use crate::shim::serve::handler::{Next, Outcome, Request};
use crate::shim::serve::local_response::{self, Local};
use crate::shim::serve::read::Ended;
use crate::shim::serve::relay::{self, Client, Lost};
use crate::shim::serve::worker::Scratch;
use crate::shim::upstream::pool::{self, Answer};

impl Request<'_> {
    /// Sends the reply of an agent on, whose head is in the scratch.
    pub async fn relay(
        self,
        agent: &Agent,
        mut answer: Answer,
        url: Option<&OldUrl>,
        received: u64,
        deadline: Option<Instant>,
    ) -> Outcome {
        let Scratch { reply, output, .. } = &mut *self.scratch;
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
                    self.worker.pool.borrow_mut().keep(agent, answer.connection);
                }
                let next = match kept {
                    true if self.unread => Next::Linger,
                    true => Next::Request,
                    false => Next::Close,
                };
                outcome(status, "answered", next)
            }
            Err(Lost::Before(refusal)) => {
                self.worker.agent_stats(agent.number).fail(refusal);
                self.refuse(refusal, url).await
            }
            Err(Lost::Midway) => {
                let stats = self.worker.agent_stats(agent.number);
                stats.fail(Refusal::UpstreamBroken);
                outcome(status, "cut", Next::Close)
            }
            Err(Lost::Client) => outcome(status, "sender_gone", Next::Close),
        }
    }

    /// Answers that the request is refused.
    pub async fn refuse(mut self, refusal: Refusal, url: Option<&OldUrl>) -> Outcome {
        self.worker.shared.registry.refuse(refusal);
        let lang = self.worker.shared.lang;
        let local = local_response::refusal(refusal, url, self.table, lang);
        self.unread |= refusal.closes();
        let received = self.scratch.held as u64;
        self.local(&local, refusal.label(), received).await
    }

    /// Answers, or not, a sender whose body did not arrive.
    pub async fn ended(self, ended: Ended, url: Option<&OldUrl>) -> Outcome {
        match ended {
            Ended::Refused(refusal) => self.refuse(refusal, url).await,
            Ended::Gone => Outcome {
                status: 0,
                label: "sender_gone",
                next: Next::Close,
                received: 0,
            },
        }
    }

    /// Sends a reply of the shim's own.
    pub async fn local(self, local: &Local, label: &'static str, received: u64) -> Outcome {
        let keep_alive = self.keep_alive && !self.unread;
        let output = &mut self.scratch.output;
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
