//! What a sender sends: heads and bodies, within their limits and their time.
//!
//! Invariants: no more is read into memory than the limits allow; a body over its limit is
//! rejected from its head alone where the head tells; all but small bodies share one budget of memory.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::shim::config::Limits;
use crate::shim::http::chunked::Decoder;
use crate::shim::http::framing::Body;
use crate::shim::http::head::Scan;
use crate::shim::http::rejection::Rejection;
use crate::shim::serve::relay;
use crate::shim::serve::worker::{RequestBuffers, UNIT};

/// A body up to this size stays where it arrives, and is not counted against the budget.
const SMALL: u64 = 16 << 10;

/// How long a body may take before it has to come with the least rate.
const HEAD_START: Duration = Duration::from_secs(5);

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The sender is gone, before a request or in the middle of one.
    ClientDisconnected,
    /// What it sent is rejected.
    Rejected(Rejection),
}

impl From<Rejection> for ReadError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Reads the head of a request, which has begun at `start`, into `buffers`; what follows it stays in
/// its input.
pub(super) async fn head(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    limits: &Limits,
    start: Instant,
) -> Result<(), ReadError> {
    let deadline = start + limits.head_time;
    let mut scan = Scan::default();
    let mut started = false;
    loop {
        if !started {
            // Empty lines before a request are an old habit of some senders (RFC 9112, 2.2).
            let empty = buffers
                .input
                .iter()
                .take_while(|b| b"\r\n".contains(b))
                .count();
            bytes::Buf::advance(&mut buffers.input, empty);
            if let Some(first) = buffers.input.first() {
                // Another protocol, TLS for instance, would never send the end of a head.
                if !first.is_ascii_alphabetic() {
                    return Err(Rejection::Malformed.into());
                }
                started = true;
            }
        }
        match scan.find_end(&buffers.input)? {
            Some(end) if end <= limits.head => {
                buffers.head.read_request(&buffers.input[..end])?;
                bytes::Buf::advance(&mut buffers.input, end);
                return Ok(());
            }
            None if buffers.input.len() < limits.head => {}
            _ => return Err(Rejection::HeadTooLarge.into()),
        }
        buffers.make_room();
        match timeout_at(deadline, stream.read_buf(&mut buffers.input)).await {
            Ok(Ok(0) | Err(_)) => return Err(ReadError::ClientDisconnected),
            Ok(Ok(_)) => {}
            Err(_) if started => return Err(Rejection::SenderSlow.into()),
            Err(_) => return Err(ReadError::ClientDisconnected),
        }
    }
}

/// Where a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the start of the `input` of the buffers.
    Input,
    /// In the `body` of the buffers.
    Body,
}

/// A body that has been read.
#[derive(Debug)]
pub(super) struct Received<'m> {
    /// Its length.
    pub(super) length: usize,
    /// Where it is.
    pub(super) place: Place,
    /// Its part of the budget, given back when it is dropped.
    _memory: Option<SemaphorePermit<'m>>,
}

impl Received<'_> {
    /// The body.
    pub(super) fn bytes<'s>(&self, buffers: &'s RequestBuffers) -> &'s [u8] {
        match self.place {
            Place::Body => buffers.body.bytes(),
            Place::Input => &buffers.input[..self.length],
        }
    }
}

/// Tells a sender that waits for it that its body is wanted.
pub(super) async fn send_continue(stream: &mut TcpStream) -> Result<(), ReadError> {
    relay::write(stream, b"HTTP/1.1 100 Continue\r\n\r\n")
        .await
        .map_err(|_| ReadError::ClientDisconnected)
}

/// The time that a sender has for a body: it may not be silent for long, and has to come with a least
/// rate on average. A fixed time would cut off large bodies on slow lines, and let small ones dawdle.
#[derive(Debug)]
struct Pace {
    gap: Duration,
    rate: u64,
    /// When it began; later, when the sender had to wait for us.
    begun: Instant,
}

impl Pace {
    fn new(limits: &Limits) -> Self {
        Self {
            gap: limits.body_gap,
            rate: limits.body_rate,
            begun: Instant::now(),
        }
    }

    /// By when more has to come, with so many bytes there.
    fn next(&self, there: usize, now: Instant) -> Instant {
        let earned = Duration::from_secs_f64(there as f64 / self.rate as f64);
        let average = self.begun + earned.max(HEAD_START);
        average.min(now + self.gap)
    }

    /// Waits for memory; that is no fault of the sender's.
    async fn budget<'m>(
        &mut self,
        memory: &'m Semaphore,
        size: u64,
        deadline: Instant,
    ) -> Result<SemaphorePermit<'m>, ReadError> {
        let before = Instant::now();
        let permit = budget(memory, size, deadline).await?;
        self.begun += before.elapsed();
        Ok(permit)
    }
}

/// Reads a body of at most `most` bytes into `buffers`; waits for memory until `deadline`.
pub(super) async fn body<'m>(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    body: Body,
    most: u64,
    memory: &'m Semaphore,
    limits: &Limits,
    deadline: Instant,
) -> Result<Received<'m>, ReadError> {
    buffers.body.clear();
    buffers.held = 0;
    let pace = Pace::new(limits);
    let received = match body {
        Body::Length(length) if length > most => return Err(Rejection::BodyTooLarge.into()),
        Body::Length(length) if length > SMALL => {
            large(stream, buffers, length, memory, pace, deadline).await?
        }
        Body::Length(length) => {
            let length = length as usize;
            let missing = length.saturating_sub(buffers.input.len());
            buffers.input.reserve(missing);
            while buffers.input.len() < length {
                let next = pace.next(buffers.input.len(), Instant::now());
                more(stream, buffers, next).await?;
            }
            buffers.held = length;
            Received {
                length,
                place: Place::Input,
                _memory: None,
            }
        }
        Body::Chunked => chunks(stream, buffers, most, memory, pace, deadline).await?,
        Body::Empty | Body::UntilClose => Received {
            length: 0,
            place: Place::Input,
            _memory: None,
        },
    };
    buffers.received = received.length;
    Ok(received)
}

/// Reads a body that does not stay where it arrives.
async fn large<'m>(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    length: u64,
    memory: &'m Semaphore,
    mut pace: Pace,
    deadline: Instant,
) -> Result<Received<'m>, ReadError> {
    let permit = pace.budget(memory, length, deadline).await?;
    let length = usize::try_from(length).map_err(|_| Rejection::BodyTooLarge)?;
    let RequestBuffers { input, body, .. } = buffers;
    body.reserve(length)?;
    let there = input.len().min(length);
    body.put(&input.split_to(there));
    while body.len() < length {
        let next = pace.next(body.len(), Instant::now());
        let missing = length - body.len();
        let room = body.room();
        let missing = missing.min(room.len());
        let read = timeout_at(next, stream.read(&mut room[..missing])).await;
        match read {
            Ok(Ok(0) | Err(_)) => return Err(ReadError::ClientDisconnected),
            Ok(Ok(read)) => body.filled(read),
            Err(_) => return Err(Rejection::SenderSlow.into()),
        }
    }
    Ok(Received {
        length,
        place: Place::Body,
        _memory: Some(permit),
    })
}

async fn chunks<'m>(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    most: u64,
    memory: &'m Semaphore,
    mut pace: Pace,
    deadline: Instant,
) -> Result<Received<'m>, ReadError> {
    let mut decoder = Decoder::default();
    let mut permit: Option<SemaphorePermit<'m>> = None;
    let mut budgeted = SMALL;
    loop {
        let RequestBuffers { input, body, .. } = buffers;
        // No chunk has more data than there are bytes.
        body.reserve(input.len())?;
        let used = decoder
            .decode(input, |data| body.put(data))
            .map_err(|_| Rejection::Chunk)?;
        bytes::Buf::advance(input, used);
        let length = body.len() as u64;
        if length > most {
            return Err(Rejection::BodyTooLarge.into());
        }
        if length > budgeted {
            // Twice what is there, so that a body of n bytes asks for memory log n times.
            let next = (length * 2).min(most.max(length));
            let another = pace.budget(memory, next - budgeted, deadline).await?;
            match &mut permit {
                Some(permit) => permit.merge(another),
                None => permit = Some(another),
            }
            budgeted = next;
        }
        if decoder.is_done() {
            return Ok(Received {
                length: buffers.body.len(),
                place: Place::Body,
                _memory: permit,
            });
        }
        buffers.make_room();
        let next = pace.next(buffers.body.len(), Instant::now());
        more(stream, buffers, next).await?;
    }
}

async fn budget(
    memory: &Semaphore,
    size: u64,
    deadline: Instant,
) -> Result<SemaphorePermit<'_>, ReadError> {
    let units = u32::try_from(size.div_ceil(UNIT)).map_err(|_| Rejection::BodyTooLarge)?;
    match timeout_at(deadline, memory.acquire_many(units)).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(Rejection::Busy.into()),
    }
}

async fn more(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    deadline: Instant,
) -> Result<(), ReadError> {
    match timeout_at(deadline, stream.read_buf(&mut buffers.input)).await {
        Ok(Ok(0) | Err(_)) => Err(ReadError::ClientDisconnected),
        Ok(Ok(_)) => Ok(()),
        Err(_) => Err(Rejection::SenderSlow.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_time_that_it_earns() {
        let pace = Pace::new(&Limits::default());
        let by = |there: usize, after: u64| {
            let now = pace.begun + Duration::from_secs(after);
            (pace.next(there, now) - pace.begun).as_secs()
        };
        assert_eq!(by(0, 0), 5, "the beginning");
        assert_eq!(by(100, 4), 5);
        assert_eq!(by(20 * (64 << 10), 1), 11, "ten seconds of silence");
        assert_eq!(by(20 * (64 << 10), 15), 20, "64 KiB a second");
        assert_eq!(by(24 << 20, 100), 110);
    }
}
