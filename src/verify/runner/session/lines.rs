//! The lines that the runner says, one event each.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::verify::runner::protocol::Event;

/// The longest line that is taken.
const LONGEST: usize = 16 * 1024 * 1024;

/// How much is kept of one that is longer, to see what it is about.
const KEPT: usize = 64 * 1024;

/// How much is taken in all.
const MOST_SAID: u64 = 256 * 1024 * 1024;

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    bytes: Vec<u8>,
    /// How long it is, if that is more than is taken: then `bytes` are its beginning.
    too_long: Option<usize>,
}

impl Line {
    /// One of which only the beginning is there; none if it is not that long.
    fn too_long(bytes: Vec<u8>, length: usize) -> Option<Self> {
        (length > LONGEST).then_some(Self {
            bytes,
            too_long: Some(length),
        })
    }

    /// What it says; or else why it is not an event.
    pub(crate) fn event(&self) -> Result<Event, String> {
        if let Some(length) = self.too_long {
            return Err(format!("{length} B > {LONGEST} B"));
        }
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let message = error.to_string();
            match message.rsplit_once(" at line ") {
                Some((message, _)) => message.to_owned(),
                None => message,
            }
        })
    }

    /// The case that it speaks of, as far as that can be seen.
    pub(crate) fn case(&self) -> Option<String> {
        let name = RefCell::new(None);
        let mut reader = serde_json::Deserializer::from_slice(&self.bytes);
        // What comes after the name may be anything, and need not be there.
        let _ = reader.deserialize_map(Head(&name));
        name.into_inner()
    }

    /// Its beginning, for people.
    pub(crate) fn beginning(&self) -> String {
        const SHOWN: usize = 200;
        let shown = &self.bytes[..self.bytes.len().min(4 * SHOWN)];
        let text = String::from_utf8_lossy(shown);
        let text = text.trim().chars().take(SHOWN);
        let text: String = text.map(|c| if c.is_control() { ' ' } else { c }).collect();
        match self.too_long {
            Some(_) => format!("(a line that is too long) {text}"),
            None => text,
        }
    }
}

/// Looks for the name of a case, and passes over everything else.
struct Head<'n>(&'n RefCell<Option<String>>);

impl<'de> Visitor<'de> for Head<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "case" {
                *self.0.borrow_mut() = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Hands on each line, until there are no more, or `take` says that nobody listens. What is returned
/// is whether there was too much of it.
pub(crate) fn read(stdout: impl Read, take: impl FnMut(Line) -> bool) -> bool {
    read_most(MOST_SAID, stdout, take)
}

fn read_most(most: u64, stdout: impl Read, mut take: impl FnMut(Line) -> bool) -> bool {
    let mut reader = BufReader::new(stdout.take(most));
    while let Ok(Some(line)) = next(&mut reader) {
        if !take(line) {
            return false;
        }
    }
    reader.get_ref().limit() == 0
}

/// The next line; none at the end. What is left there is not a whole line: the runner died.
fn next(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let read = match reader.fill_buf() {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read.is_empty() {
            return Ok(Line::too_long(bytes, length));
        }
        let end = read.iter().position(|&byte| byte == b'\n');
        let part = end.unwrap_or(read.len());
        length += part;
        if length <= LONGEST {
            bytes.extend_from_slice(&read[..part]);
        } else {
            bytes.truncate(KEPT);
        }
        reader.consume(end.map_or(part, |end| end + 1));
        if end.is_some() && length <= LONGEST {
            return Ok(Some(Line {
                bytes,
                too_long: None,
            }));
        }
        if end.is_some() {
            return Ok(Line::too_long(bytes, length));
        }
    }
}

#[cfg(test)]
mod tests;
