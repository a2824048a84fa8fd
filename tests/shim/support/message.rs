//! Requests and replies, read with as little cleverness as possible.

use std::io::Read;
use std::net::TcpStream;

/// A message as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The first line.
    pub first: String,
    /// The headers in their order, as bytes.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, taken out of its chunks.
    pub body: Vec<u8>,
    /// The head as it came.
    pub head: Vec<u8>,
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// All values of a header, joined.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<String> = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn byte(stream: &mut TcpStream) -> Option<u8> {
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(1) => Some(byte[0]),
        _ => None,
    }
}

fn line(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(byte(stream)?);
    }
    line.truncate(line.len() - 2);
    Some(line)
}

fn exactly(stream: &mut TcpStream, length: usize) -> Option<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

/// Reads a message; none when the connection ends before it does. Interim replies are skipped.
pub(crate) fn read_message(stream: &mut TcpStream, head_only: bool) -> Option<Message> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(byte(stream)?);
    }
    let lines: Vec<&[u8]> = head[..head.len() - 4]
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let first = String::from_utf8_lossy(lines[0]).into_owned();
    let headers = lines[1..]
        .iter()
        .map(|line| {
            let at = line
                .iter()
                .position(|&byte| byte == b':')
                .expect("a header");
            let name = String::from_utf8(line[..at].to_vec()).unwrap();
            (name, line[at + 1..].trim_ascii().to_vec())
        })
        .collect();
    let mut message = Message {
        first,
        headers,
        body: Vec::new(),
        head,
    };
    let is_reply = message.first.starts_with("HTTP/");
    if is_reply && message.status() == 100 {
        return read_message(stream, head_only);
    }
    if head_only || is_reply && matches!(message.status(), 101 | 204 | 304) {
        return Some(message);
    }
    if message.header("transfer-encoding").is_some() {
        loop {
            let size = String::from_utf8(line(stream)?).unwrap();
            let size = usize::from_str_radix(&size, 16).unwrap();
            message.body.extend(exactly(stream, size)?);
            assert_eq!(line(stream)?, b"");
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = message.header("content-length") {
        message.body = exactly(stream, length.parse().unwrap())?;
    } else if is_reply {
        stream.read_to_end(&mut message.body).ok()?;
    }
    Some(message)
}
