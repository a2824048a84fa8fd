//! Everything else, when the shim stands in front of the whole agent: as it is, in both directions,
//! for as long as it takes. Streams, server-sent events, WebSockets.
//!
//! Invariants: nothing is collected; memory does not grow with what goes through.

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Buf;
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::shim::http::chunked::Decoder;
use crate::shim::http::framing::{self, Body, Framing};
use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;
use crate::shim::http::rejection::Rejection;
use crate::shim::route::decide::Decision;
use crate::shim::serve::exchange::{Next, Outcome, Request};
use crate::shim::serve::read::{self, ReadError};
use crate::shim::serve::relay;
use crate::shim::serve::worker::RequestBuffers;
use crate::shim::upstream::call::Call;
use crate::shim::upstream::pool::{Answer, Connection};
use crate::shim::upstream::request_head::{self, Forward, Origin};

/// For how long nothing may come before it is asked whether the other side is still there.
const SILENCE: Duration = Duration::from_secs(60);
/// How long it may take to answer, and how often it is asked again.
const BETWEEN_PROBES: Duration = Duration::from_secs(10);
const PROBES: u32 = 6;
/// How long the agent may take for the head of a reply: long polls are slow by design.
const HEAD_TIMEOUT: Duration = Duration::from_secs(300);

/// Lets a request through.
pub(super) async fn serve(
    mut request: Request<'_>,
    decision: &Decision<'_, '_>,
    framing: Framing,
) -> Outcome {
    let registry = &request.worker.state.registry;
    registry.passed_through.fetch_add(1, Ordering::Relaxed);
    let head = request.head;
    let upgrade = framing.body == Body::Empty
        && head.is_http_11()
        && is_websocket(head)
        && head.has_token(Kind::Connection, "upgrade");
    // It may be silent for as long as it likes, but not gone without a word.
    keep_alive(&*request.stream);
    let forward = match framing.body {
        _ if upgrade => Forward::Upgrade,
        Body::Chunked => Forward::Chunked,
        _ => Forward::Whole(0),
    };
    if framing.expects_continue
        && let Err(ended) = read::send_continue(request.stream).await
    {
        return request.ended(ended, None).await;
    }
    let agent = std::sync::Arc::clone(&request.table.agent);
    let stats = request.worker.agent_stats(agent.number);
    stats.requests.fetch_add(1, Ordering::Relaxed);
    let mut limits = request.table.config.limits;
    // For as long as a reply may take, nobody waits for an agent that is not there.
    limits.reconnect.get_or_insert(limits.route.total);
    let call = Call {
        pool: &request.worker.pool,
        agent: &agent,
        stats: &stats,
        limits: &limits,
        probe: request.table.config.probe.as_deref(),
        via: &request.table.via,
        deadline: request.start + HEAD_TIMEOUT,
    };
    let output = &mut request.buffers.output;
    output.clear();
    let origin = Origin {
        sender: &request.sender,
        authority: decision.authority,
        via: &request.table.via,
        legacy_token: None,
    };
    request_head::write(head, &agent, decision.target, origin, forward, output);
    let begun = timeout_at(
        call.deadline,
        begin(&call, &mut request, framing.body, limits.idle),
    )
    .await;
    let connection = match begun.unwrap_or(Err(ReadError::Rejected(Rejection::UpstreamSlow))) {
        Ok(connection) => connection,
        Err(ended) => {
            if let ReadError::Rejected(rejection) = ended {
                stats.fail(rejection);
            }
            return request.ended(ended, None).await;
        }
    };
    let reply = &request.buffers.reply;
    if reply.status() == 101 {
        if upgrade {
            return tunnel(request, connection).await;
        }
        return request.reject(Rejection::UpstreamBroken, None).await;
    }
    match framing::of_reply(reply, head.method()) {
        Some(body) => {
            let answer = Answer { connection, body };
            request.relay(&agent, answer, None, 0, None).await
        }
        None => request.reject(Rejection::UpstreamBroken, None).await,
    }
}

/// Whether a WebSocket is asked for, and nothing else. Of other protocols `h2c` would bring requests that
/// nobody here looks at: auth rules would be open to whoever speaks it.
fn is_websocket(head: &Head) -> bool {
    let mut values = head.values(Kind::Upgrade);
    let asked = (values.next(), values.next());
    matches!(asked, (Some(one), None) if one.eq_ignore_ascii_case(b"websocket"))
}

/// Has the system find out whether the other side is still there, when nothing comes from it: what is let
/// through has no end of its own.
fn keep_alive(stream: impl AsFd) {
    // One that cannot be asked so is not TCP, and is on this machine.
    let _ = set_socket_keepalive(&stream, true)
        .and_then(|()| set_tcp_keepidle(&stream, SILENCE))
        .and_then(|()| set_tcp_keepintvl(&stream, BETWEEN_PROBES))
        .and_then(|()| set_tcp_keepcnt(&stream, PROBES));
}

/// Sends the request, whose head is in the output, and reads the head of the reply.
async fn begin(
    call: &Call<'_>,
    request: &mut Request<'_>,
    body: Body,
    idle: Duration,
) -> Result<Connection, ReadError> {
    let mut connection = call
        .begin(request.head.method(), &request.buffers.output, b"")
        .await?;
    let has_ended = match body {
        Body::Length(length) => {
            copy(
                request.stream,
                request.buffers,
                &mut connection,
                length,
                idle,
            )
            .await
        }
        Body::Chunked => copy_chunks(request.stream, request.buffers, &mut connection, idle).await,
        Body::Empty | Body::UntilClose => Ok(true),
    };
    // Else the agent takes no more of the body: it has answered already, or is gone.
    if has_ended? {
        request.unread = false;
    }
    let reply = &mut request.buffers.reply;
    loop {
        call.read_head(&mut connection, reply).await?;
        if reply.status() == 101 || reply.status() >= 200 {
            return Ok(connection);
        }
    }
}

/// Sends a body of `left` bytes on as it comes. Says whether the agent has taken all of it.
async fn copy(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    connection: &mut Connection,
    mut left: u64,
    idle: Duration,
) -> Result<bool, ReadError> {
    loop {
        let there = buffers.input.len();
        let take = usize::try_from(left).map_or(there, |left| left.min(there));
        let part = buffers.input.split_to(take);
        // It has answered, or is gone: either way it wants no more.
        if connection.send(&part).await.unwrap_or(true) {
            return Ok(false);
        }
        drop(part);
        left -= take as u64;
        if left == 0 {
            return Ok(true);
        }
        if !more(stream, buffers, connection, idle).await? {
            return Ok(false);
        }
    }
}

/// The same for a body in chunks.
async fn copy_chunks(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    connection: &mut Connection,
    idle: Duration,
) -> Result<bool, ReadError> {
    let mut decoder = Decoder::default();
    loop {
        // The head in it has been sent.
        let RequestBuffers { input, output, .. } = buffers;
        output.clear();
        let used = decoder.decode(input, |data| {
            // Writing to memory does not fail.
            let _ = write!(output, "{:x}\r\n", data.len());
            output.extend_from_slice(data);
            output.extend_from_slice(b"\r\n");
        });
        input.advance(used.map_err(|_| Rejection::Chunk)?);
        if decoder.is_done() {
            output.extend_from_slice(b"0\r\n\r\n");
        }
        if connection.send(output).await.unwrap_or(true) {
            return Ok(false);
        }
        if decoder.is_done() {
            return Ok(true);
        }
        if !more(stream, buffers, connection, idle).await? {
            return Ok(false);
        }
    }
}

/// Reads more of a body. Says whether the agent still wants it.
async fn more(
    stream: &mut TcpStream,
    buffers: &mut RequestBuffers,
    connection: &mut Connection,
    idle: Duration,
) -> Result<bool, ReadError> {
    buffers.make_room();
    let read = tokio::select! {
        biased;
        read = timeout(idle, stream.read_buf(&mut buffers.input)) => read,
        () = connection.answers_early() => return Ok(false),
    };
    match read {
        Ok(Ok(0) | Err(_)) => Err(ReadError::ClientDisconnected),
        Ok(Ok(_)) => Ok(true),
        Err(_) => Err(Rejection::SenderSlow.into()),
    }
}

/// Another protocol from here on: bytes in both directions, until one side has had enough.
async fn tunnel(request: Request<'_>, mut connection: Connection) -> Outcome {
    let RequestBuffers {
        input,
        reply,
        output,
        ..
    } = request.buffers;
    output.clear();
    keep_alive(&connection.stream);
    write_switch(reply, output);
    output.extend_from_slice(&connection.input);
    let early = input.split();
    let outcome = |label| Outcome::new(101, label, Next::Close, 0);
    let mut stop = request.worker.stop.clone();
    let begun = async {
        relay::write(request.stream, output).await?;
        connection.stream.write_all(&early).await
    };
    if begun.await.is_err() {
        return outcome("sender_gone");
    }
    let grace = request.table.config.limits.grace;
    tokio::select! {
        _ = tokio::io::copy_bidirectional(request.stream, &mut connection.stream) => {}
        _ = async {
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep_until(Instant::now() + grace).await;
        } => {}
    }
    outcome("tunnel")
}

fn write_switch(reply: &Head, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
    for (kind, name, value) in reply.lines() {
        if !matches!(kind, Kind::Hop | Kind::Coding | Kind::Length) {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
}
