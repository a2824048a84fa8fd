//! `Via`: that a request went through here, and how a request is known that comes round again.
//!
//! A proxy that is told to forward to itself, at once or by way of others, would go on until no
//! file can be opened any more. The configuration rejects what can be seen in it; a name that leads
//! back here, or another proxy that sends everything here, can be seen in the request alone. `Via`
//! is the header that proxies neither drop nor write anew (RFC 9110, 7.6.3).
//!
//! Invariants: what came in `Via` goes on as it came, in front of our own; our own has a
//! name that no other process has, so that several shims can stand one behind another.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;

const LENGTH: usize = "Via: 1.1 rehook-0123456789abcdef\r\n".len();
/// Where the minor version of HTTP stands in the line.
const MINOR: usize = "Via: 1.".len();
/// Where the name begins.
const NAME: usize = "Via: 1.1 ".len();

/// The line of this process, for as long as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via {
    line: [u8; LENGTH],
}

impl Default for Via {
    /// A name that no other process has.
    fn default() -> Self {
        // The keys of the hasher come from the system's random numbers.
        Self::of(RandomState::new().build_hasher().finish())
    }
}

impl Via {
    fn of(number: u64) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut line = *b"Via: 1.1 rehook-0123456789abcdef\r\n";
        for (place, byte) in line[LENGTH - 18..LENGTH - 2].iter_mut().enumerate() {
            *byte = DIGITS[(number >> (60 - 4 * place)) as usize & 15];
        }
        Self { line }
    }

    /// Whether a request with this head has been here before.
    pub(crate) fn is_in(&self, head: &Head) -> bool {
        let name = &self.line[NAME..LENGTH - 2];
        head.values(Kind::Via)
            .any(|value| memchr::memmem::find(value, name).is_some())
    }

    /// Writes the line for a request with this head; it comes after those that are there.
    pub(crate) fn write(&self, head: &Head, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.line);
        if !head.is_http_11() {
            out[start + MINOR] = b'0';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        let mut head = Head::default();
        head.read_request(text.as_bytes()).unwrap();
        head
    }

    #[test]
    fn a_process_knows_its_own_name_and_no_other() {
        let (own, other) = (Via::of(0x0123_4567_89ab_cdef), Via::of(1));
        let came = head("GET / HTTP/1.0\r\nHost: h\r\nVia: 1.1 front\r\n\r\n");
        assert!(!own.is_in(&came));
        let mut out = Vec::new();
        own.write(&came, &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "Via: 1.0 rehook-0123456789abcdef\r\n"
        );
        // Another proxy joins the lines, and adds its own.
        let again = head(
            "GET / HTTP/1.1\r\nHost: h\r\nvia: 1.1 front, 1.0 rehook-0123456789abcdef, 1.1 b\r\n\r\n",
        );
        assert!(own.is_in(&again));
        assert!(!other.is_in(&again));
    }

    #[test]
    fn two_processes_have_two_names() {
        assert_ne!(Via::default(), Via::default());
    }
}
