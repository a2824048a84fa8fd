//! Bodies in chunks: a decoder that is fed whatever has arrived.
//!
//! Invariants: the decoder never holds more than it was given, ends at the last byte of the
//! body and no later, and takes no line end but CRLF. Extensions and trailers are read and dropped:
//! they belong to the connection.

use super::start_line::is_in_token;

/// Chunk lines and trailers longer than this are rejected.
const LONGEST_LINE: usize = 4096;
/// Trailers of all together.
const LONGEST_TRAILERS: usize = 16 * 1024;

/// Why a body in chunks cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The digits of a size; how many there were.
    Size(u8),
    /// The rest of a size line, after `;`.
    Extension,
    /// A `;`, or the end of the line, after spaces behind a size.
    ExtensionOrEnd,
    /// The LF of a size line.
    SizeEnd,
    /// The bytes of a chunk.
    Data,
    /// The CR after a chunk.
    DataCr,
    /// The LF after a chunk.
    DataLf,
    /// The first byte of a line of trailers.
    TrailerStart,
    /// The rest of the name of a trailer, up to its `:`.
    TrailerName,
    /// The rest of a line of trailers.
    Trailer,
    /// The LF of a line of trailers.
    TrailerLf,
    /// The LF of the empty line that ends the body.
    EndLf,
    /// Nothing.
    End,
}

/// Where in a body the decoder is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoder {
    expected: Expected,
    /// The bytes of the chunk that are still to come.
    left: u64,
    /// Bytes of the line, or of all trailers, so far.
    line: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            expected: Expected::Size(0),
            left: 0,
            line: 0,
        }
    }
}

impl Decoder {
    /// Whether the body has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.expected == Expected::End
    }

    /// Decodes from the start of `input`, hands the data to `data`, and says how much of `input`
    /// was used: all of it, unless the body ended inside it.
    pub(crate) fn decode(
        &mut self,
        input: &[u8],
        mut data: impl FnMut(&[u8]),
    ) -> Result<usize, Broken> {
        let mut at = 0;
        while at < input.len() && self.expected != Expected::End {
            if self.expected == Expected::Data {
                let there = input.len() - at;
                let take = usize::try_from(self.left).map_or(there, |left| left.min(there));
                data(&input[at..at + take]);
                at += take;
                self.left -= take as u64;
                if self.left == 0 {
                    self.expected = Expected::DataCr;
                }
                continue;
            }
            self.step(input[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> Result<(), Broken> {
        self.line += 1;
        let longest = match self.expected {
            Expected::TrailerStart
            | Expected::TrailerName
            | Expected::Trailer
            | Expected::TrailerLf => LONGEST_TRAILERS,
            _ => LONGEST_LINE,
        };
        if self.line > longest {
            return Err(Broken);
        }
        self.expected = match (self.expected, byte) {
            (Expected::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if digits < 15 => {
                let digit = char::from(byte).to_digit(16).ok_or(Broken)?;
                self.left = self.left * 16 + u64::from(digit);
                Expected::Size(digits + 1)
            }
            (Expected::Size(1..), b'\r') => Expected::SizeEnd,
            (Expected::Size(1..) | Expected::ExtensionOrEnd, b';') => Expected::Extension,
            // Some senders pad sizes; what follows but an extension is not theirs.
            (Expected::Size(1..) | Expected::ExtensionOrEnd, b' ' | b'\t') => {
                Expected::ExtensionOrEnd
            }
            (Expected::ExtensionOrEnd, b'\r') => Expected::SizeEnd,
            (Expected::Extension, b'\r') => Expected::SizeEnd,
            (Expected::Extension, b'\n' | 0) => return Err(Broken),
            (Expected::Extension, _) => Expected::Extension,
            (Expected::SizeEnd, b'\n') => {
                self.line = 0;
                if self.left == 0 {
                    Expected::TrailerStart
                } else {
                    Expected::Data
                }
            }
            (Expected::DataCr, b'\r') => Expected::DataLf,
            (Expected::DataLf, b'\n') => {
                self.line = 0;
                Expected::Size(0)
            }
            (Expected::TrailerStart, b'\r') => Expected::EndLf,
            (Expected::EndLf, b'\n') => Expected::End,
            (Expected::TrailerName, b':') => Expected::Trailer,
            (Expected::TrailerStart | Expected::TrailerName, _) if is_in_token(byte) => {
                Expected::TrailerName
            }
            (Expected::Trailer, b'\r') => Expected::TrailerLf,
            (Expected::TrailerLf, b'\n') => Expected::TrailerStart,
            (Expected::Trailer, b'\t' | b' '..=b'~' | 0x80..) => Expected::Trailer,
            _ => return Err(Broken),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(input: &[u8]) -> Result<(Vec<u8>, usize, bool), Broken> {
        let mut decoder = Decoder::default();
        let mut body = Vec::new();
        let used = decoder.decode(input, |data| body.extend_from_slice(data))?;
        Ok((body, used, decoder.is_done()))
    }

    #[test]
    fn a_body_is_decoded_however_it_is_cut() {
        let input = b"3\r\nabc\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET";
        assert_eq!(
            decode(input),
            Ok((b"abc0123456789".to_vec(), input.len() - 3, true))
        );
        let mut decoder = Decoder::default();
        let mut body = Vec::new();
        for byte in &input[..input.len() - 3] {
            assert!(!decoder.is_done());
            decoder
                .decode(&[*byte], |data| body.extend_from_slice(data))
                .unwrap();
        }
        assert!(decoder.is_done());
        assert_eq!(body, b"abc0123456789");
    }

    #[test]
    fn tricks_are_rejected() {
        for input in [
            &b"\r\n"[..],
            b"-1\r\n",
            b"+1\r\n",
            b"0x1\r\n",
            b" 1\r\n",
            b"1\na\r\n",
            b"1\r\nab",
            b"1\r\na\n",
            b"1;a\nb\r\n",
            b"1\r\r\n",
            b"FFFFFFFFFFFFFFFF\r\n",
            b"0\r\n\n",
            b"0\r\nA: b\n\r\n",
            b"0\r\nab\r\n\r\n",
            b"0\r\nA b: c\r\n\r\n",
            b"0\r\nA: b\r\n c\r\n\r\n",
            b"0\r\n: b\r\n\r\n",
            b"0\r\nA: \x01\r\n\r\n",
        ] {
            assert_eq!(decode(input), Err(Broken), "{}", input.escape_ascii());
        }
        let long = [b"1;".as_slice(), &[b'a'; 5000]].concat();
        assert_eq!(decode(&long), Err(Broken));
        let trailers = [b"0\r\n".as_slice(), &b"A: b\r\n".repeat(4000)].concat();
        assert_eq!(decode(&trailers), Err(Broken));
    }
}
