//! Whether a sender is still there when its reply is written: one that has left was not answered,
//! however good the reply.
//!
//! A sender that has closed its side may only have said that it sends no more, and still read. The two
//! are told apart when the reply is written: the kernel of a sender that has left answers it with a
//! reset.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a reset may take to arrive: the way there and back.
const ROUND_TRIP: Duration = Duration::from_millis(300);

/// Whether the sender has closed its side, as far as the event loop has heard: asks nobody.
pub(super) fn has_closed(stream: &TcpStream) -> bool {
    let ready = pin!(stream.ready(Interest::READABLE));
    let mut context = Context::from_waker(Waker::noop());
    matches!(ready.poll(&mut context), Poll::Ready(Ok(ready)) if ready.is_read_closed())
}

/// Whether a sender that had closed its side before its reply was written has left. Ends the
/// connection.
pub(super) async fn has_left(stream: &mut TcpStream) -> bool {
    // It fails when the reset is there already.
    let _ = stream.shutdown().await;
    let _ = timeout(ROUND_TRIP, stream.ready(Interest::ERROR)).await;
    !matches!(stream.take_error(), Ok(None))
}
