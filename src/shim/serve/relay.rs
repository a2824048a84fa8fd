//! The reply on its way back.
//!
//! Invariants: the reply of a route that has a length of up to 64 KiB is read to its end
//! before a byte of it is sent, so that half a reply of the agent is an honest 502, and one that
//! takes too long a 504. One that is longer, comes in chunks, or goes through as it is (then it may
//! take as long as it likes) is streamed, and ends with the connection when the agent's ends early.
//! Memory does not grow with the reply.

use std::io::{self, Write};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::shim::http::chunked::Decoder;
use crate::shim::http::framing::Body;
use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;
use crate::shim::http::rejection::Rejection;
use crate::shim::route::deprecation;
use crate::shim::serve::departure;
use crate::shim::upstream::pool::Answer;

/// A reply of a route up to this length is read before it is sent.
const SMALL: u64 = 64 << 10;
/// A sender that takes nothing of its reply for so long is given up.
const STALLED: Duration = Duration::from_secs(30);

/// Where the reply goes.
#[derive(Debug)]
pub(super) struct Client<'a> {
    /// The connection of the sender.
    pub(super) stream: &'a mut TcpStream,
    /// Whether it speaks HTTP/1.1, that is, knows chunks.
    pub(super) http_11: bool,
    /// Whether it may send another request.
    pub(super) keep_alive: bool,
}

/// Why a reply did not arrive.
#[derive(Debug)]
pub(super) enum RelayError {
    /// Nothing was sent yet: another reply can be given.
    BeforeHead(Rejection),
    /// It has begun: the connection has to end.
    Truncated,
    /// The sender is gone.
    ClientGone {
        /// Whether it has had the head of the reply.
        has_begun: bool,
    },
}

/// How a reply was sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relayed {
    /// Whether the connection of the sender is kept.
    pub(super) kept: bool,
    /// Whether the sender had closed its side before the end of the reply was written.
    pub(super) was_closed: bool,
}

/// The sender had left before there was a reply.
const GONE: RelayError = RelayError::ClientGone { has_begun: false };
/// The sender has left in the middle of the reply.
const GONE_MEANWHILE: RelayError = RelayError::ClientGone { has_begun: true };

/// Writes `bytes` to a sender, as long as it takes some of them.
pub(super) async fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match timeout(STALLED, stream.write(bytes)).await {
            Ok(Ok(0)) | Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(Ok(taken)) => bytes = &bytes[taken..],
            Ok(Err(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Writes the head of a reply; says whether the body goes in chunks and whether the connection is
/// kept.
pub(super) fn write_head(
    reply: &Head,
    body: Body,
    deprecation: &[u8],
    http_11: bool,
    keep_alive: bool,
    out: &mut Vec<u8>,
) -> (bool, bool) {
    let unknown = matches!(body, Body::Chunked | Body::UntilClose);
    let chunked = unknown && http_11;
    let keep_alive = keep_alive && (!unknown || chunked);
    // Writing to memory does not fail.
    let _ = write!(out, "HTTP/1.1 {} ", reply.status());
    out.extend_from_slice(reply.reason());
    out.extend_from_slice(b"\r\n");
    let (mut own_deprecation, mut own_sunset) = (false, false);
    // One length, and none where there is no body to have it (RFC 9110, 8.6).
    let mut has_length = reply.status() == 204;
    for (kind, name, value) in reply.lines() {
        own_deprecation |= kind == Kind::Deprecation;
        own_sunset |= kind == Kind::Sunset;
        if matches!(
            kind,
            Kind::Connection | Kind::Hop | Kind::Coding | Kind::Upgrade
        ) {
            continue;
        }
        if kind == Kind::Length && std::mem::replace(&mut has_length, true) {
            continue;
        }
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    if chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    deprecation::put(deprecation, own_deprecation, own_sunset, out);
    if !keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    (chunked, keep_alive)
}

/// Sends the reply on.
pub(super) async fn relay(
    client: Client<'_>,
    reply: &Head,
    answer: &mut Answer,
    deprecation: &[u8],
    out: &mut Vec<u8>,
    deadline: Option<Instant>,
) -> Result<Relayed, RelayError> {
    let (body, input) = (answer.body, &mut answer.connection);
    if let Body::Length(length) = body
        && length <= SMALL
        && (deadline.is_some() || input.input.len() as u64 >= length)
    {
        let length = length as usize;
        while input.input.len() < length {
            let read = by(deadline, input.read()).await;
            match read {
                Ok(Ok(0) | Err(_)) => {
                    return Err(RelayError::BeforeHead(Rejection::UpstreamBroken));
                }
                Ok(Ok(_)) => {}
                Err(_) => return Err(RelayError::BeforeHead(Rejection::UpstreamSlow)),
            }
        }
        let (_, kept) = write_head(
            reply,
            body,
            deprecation,
            client.http_11,
            client.keep_alive,
            out,
        );
        let bytes = input.input.split_to(length);
        out.extend_from_slice(&bytes);
        let was_closed = departure::has_closed(client.stream);
        write(client.stream, out).await.map_err(|_| GONE)?;
        return Ok(Relayed { kept, was_closed });
    }
    let (chunked, kept) = write_head(
        reply,
        body,
        deprecation,
        client.http_11,
        client.keep_alive,
        out,
    );
    let was_closed = departure::has_closed(client.stream);
    write(client.stream, out).await.map_err(|_| GONE)?;
    if body == Body::Empty {
        return Ok(Relayed { kept, was_closed });
    }
    let was_closed = stream(client.stream, body, chunked, answer, out, deadline).await?;
    Ok(Relayed { kept, was_closed })
}

async fn by<T>(
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Result<T, tokio::time::error::Elapsed> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await,
        None => Ok(future.await),
    }
}

/// Sends the body on as it comes. Says whether the sender had closed its side before the end.
async fn stream(
    client: &mut TcpStream,
    body: Body,
    chunked: bool,
    answer: &mut Answer,
    out: &mut Vec<u8>,
    deadline: Option<Instant>,
) -> Result<bool, RelayError> {
    let mut decoder = Decoder::default();
    let mut left = match body {
        Body::Length(length) => length,
        _ => u64::MAX,
    };
    let mut deadline = deadline;
    let connection = &mut answer.connection;
    loop {
        out.clear();
        let input = &mut connection.input;
        let mut done = false;
        if body == Body::Chunked {
            let used = decoder.decode(input, |data| put(out, data, chunked));
            let used = used.map_err(|_| RelayError::Truncated)?;
            bytes::Buf::advance(input, used);
            done = decoder.is_done();
        } else {
            let take = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
            put(out, &input.split_to(take), chunked);
            left -= take as u64;
            done |= left == 0;
        }
        if done && chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        // What the sender takes its time for is not the agent's.
        let before = Instant::now();
        let was_closed = departure::has_closed(client);
        write(client, out).await.map_err(|_| GONE_MEANWHILE)?;
        if done {
            return Ok(was_closed);
        }
        deadline = deadline.map(|deadline| deadline + before.elapsed());
        let end = tokio::select! {
            biased;
            read = by(deadline, connection.read()) => match read {
                Ok(Ok(0)) => true,
                Ok(Ok(_)) => false,
                Ok(Err(_)) | Err(_) => return Err(RelayError::Truncated),
            },
            // A sender that leaves in the middle of a stream must not keep it open.
            () = gone(client), if deadline.is_none() => return Err(GONE_MEANWHILE),
        };
        if end {
            if body != Body::UntilClose {
                return Err(RelayError::Truncated);
            }
            let last: &[u8] = if chunked { b"0\r\n\r\n" } else { b"" };
            let was_closed = departure::has_closed(client);
            write(client, last).await.map_err(|_| GONE_MEANWHILE)?;
            return Ok(was_closed);
        }
    }
}

fn put(out: &mut Vec<u8>, data: &[u8], chunked: bool) {
    if data.is_empty() {
        return;
    }
    if chunked {
        let _ = write!(out, "{:x}\r\n", data.len());
    }
    out.extend_from_slice(data);
    if chunked {
        out.extend_from_slice(b"\r\n");
    }
}

/// Ends when the other side has closed its connection; not when it sends something.
async fn gone(stream: &TcpStream) {
    let mut byte = [0u8; 1];
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        match rustix::net::recv(stream, &mut byte, flags) {
            Ok((_, 0)) => return,
            // The next request is waiting already: then it is there, and is not looked at again.
            Ok(_) => std::future::pending().await,
            Err(rustix::io::Errno::AGAIN) => {
                // Known to be readable no more: wait for the next event.
                let _ = stream.try_io(tokio::io::Interest::READABLE, || {
                    Err::<(), _>(io::ErrorKind::WouldBlock.into())
                });
            }
            Err(_) => return,
        }
    }
}
