//! One question to the admin address of a shim.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use crate::term;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// How long the connection may take, and each read.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer: that of tens of thousands of webhooks.
const LONGEST: u64 = 256 << 20;

/// What `path` answers at `admin`.
pub(super) fn get(admin: &str, path: &str) -> Result<Value, UserError> {
    let reply = fetch(admin, path).map_err(|error| no_answer(admin, &error))?;
    let text = String::from_utf8_lossy(&reply);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| not_a_shim(admin))?;
    // What is not ready says so with 503, and why.
    let is_known = head
        .split(' ')
        .nth(1)
        .is_some_and(|status| status == "200" || status == "503");
    match serde_json::from_str(body) {
        Ok(value) if is_known => Ok(value),
        _ => Err(not_a_shim(admin)),
    }
}

fn fetch(admin: &str, path: &str) -> io::Result<Vec<u8>> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in admin.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return ask(stream, path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask(mut stream: TcpStream, path: &str) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the reply is not in chunks, and ends with the connection.
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    match stream.take(LONGEST).read_to_end(&mut reply) {
        // What the system calls a read that has taken too long.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(io::ErrorKind::TimedOut.into())
        }
        Err(error) => Err(error),
        Ok(_) => Ok(reply),
    }
}

fn no_answer(admin: &str, error: &io::Error) -> UserError {
    let (admin, reason) = (term::escaped(admin), translate::io_error(error));
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "no shim answers at {admin}: {en}",
            "{admin} 上没有 shim 响应：{zh}"
        ),
        text!(
            "start one with `rehook shim`, or name its admin address with --admin, or its \
             configuration with --config; from another machine, `ssh -L 9180:127.0.0.1:9180 HOST`",
            "请用 `rehook shim` 启动，或用 --admin 指定它的管理地址，或用 --config 指定它的配置；\
             在另一台机器上可先执行 `ssh -L 9180:127.0.0.1:9180 HOST`"
        ),
    )
}

/// Something else answers, or a shim that knows no such question.
pub(super) fn not_a_shim(admin: &str) -> UserError {
    let admin = term::escaped(admin);
    UserError::new(
        text!(
            "what answers at {admin} is not the admin address of a shim of this version",
            "{admin} 上的响应不是来自此版本 shim 的管理地址"
        ),
        text!(
            "name the admin address with --admin (not the one that senders call), or update the shim",
            "请用 --admin 指定管理地址（不是供发送方调用的地址），或更新 shim"
        ),
    )
}
