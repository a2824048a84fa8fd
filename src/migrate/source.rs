//! A Python source file as bytes and as text, and the style it is written in.
//!
//! Invariants: `encode(text)` of an unchanged text gives back the bytes that were read, to
//! the byte; a file for which that does not hold is refused when it is read. A byte order mark
//! and every kind of line end are part of the text.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use encoding_rs::Encoding as Charset;

use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::ByteRange;
use crate::text;

/// How the text of a file is stored (PEP 263).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// ASCII: no byte above 127.
    Ascii,
    /// ISO 8859-1: byte and code point are the same.
    Latin1,
    /// One of the charsets of the WHATWG Encoding Standard that Python has too.
    Charset(&'static Charset),
}

impl Encoding {
    /// The encoding of that name in Python, as far as it is known here.
    fn from_python_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        match name.as_str() {
            "utf-8" | "utf8" | "utf-8-sig" | "u8" => Some(Self::Utf8),
            "ascii" | "us-ascii" | "646" => Some(Self::Ascii),
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => Some(Self::Latin1),
            "cp936" | "936" => Some(Self::Charset(encoding_rs::GBK)),
            "cp932" => Some(Self::Charset(encoding_rs::SHIFT_JIS)),
            "cp949" => Some(Self::Charset(encoding_rs::EUC_KR)),
            "cp950" => Some(Self::Charset(encoding_rs::BIG5)),
            "utf-16" | "utf-16le" | "utf-16be" | "utf-16-le" | "utf-16-be" => None,
            other => Charset::for_label(other.as_bytes()).map(|charset| {
                if charset == encoding_rs::UTF_8 {
                    Self::Utf8
                } else {
                    Self::Charset(charset)
                }
            }),
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Ascii => std::str::from_utf8(bytes)
                .ok()
                .filter(|text| text.is_ascii())
                .map(str::to_owned),
            Self::Latin1 => Some(bytes.iter().map(|&byte| char::from(byte)).collect()),
            Self::Charset(charset) => charset
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(std::borrow::Cow::into_owned),
        }
    }

    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect(),
            Self::Charset(charset) => {
                let (bytes, _, unmappable) = charset.encode(text);
                (!unmappable).then(|| bytes.into_owned())
            }
        }
    }
}

/// A Python file that could be read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: PathBuf,
    bytes: Arc<[u8]>,
    text: String,
    encoding: Encoding,
    /// Where each line starts, in bytes of `text`; the first is 0.
    line_starts: Vec<usize>,
    /// What [`Self::indent_unit`] found.
    indent_unit: OnceLock<Option<String>>,
}

impl SourceFile {
    /// Decodes the bytes of the file at `path` as Python would.
    ///
    /// # Errors
    /// A diagnostic of the RH0xx range when Python could not read it either, or when it cannot be
    /// written back to the byte.
    pub fn from_bytes(path: &Path, bytes: impl Into<Arc<[u8]>>) -> Result<Self, Box<Diagnostic>> {
        let bytes: Arc<[u8]> = bytes.into();
        let refuse = |code, offset: usize, detail| {
            let (line, column) = raw_position(&bytes, offset);
            Err(Box::new(
                Diagnostic::new(code, path, detail).with_position(line, column),
            ))
        };
        if let Some(offset) = memchr::memchr(0, &bytes) {
            return refuse(
                Code::NullByte,
                offset,
                text!("the file contains a null byte", "文件中含有空字节（NUL）"),
            );
        }
        let declared = declared_encoding(&bytes);
        let bom = bytes.starts_with(b"\xef\xbb\xbf");
        let encoding = match &declared {
            None => Encoding::Utf8,
            Some((offset, name)) => match Encoding::from_python_name(name) {
                Some(encoding) if bom && encoding != Encoding::Utf8 => {
                    return refuse(
                        Code::WrongEncoding,
                        *offset,
                        text!(
                            "the file declares {name}, but starts with the byte order mark of UTF-8",
                            "文件声明的编码是 {name}，但开头却是 UTF-8 的字节顺序标记（BOM）"
                        ),
                    );
                }
                Some(encoding) => encoding,
                None => {
                    return refuse(
                        Code::WrongEncoding,
                        *offset,
                        text!(
                            "the file declares the encoding {name}, which is not known here",
                            "文件声明的编码 {name} 无法识别"
                        ),
                    );
                }
            },
        };
        let Some(decoded) = encoding.decode(&bytes) else {
            let offset = match encoding {
                Encoding::Ascii => bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0),
                _ => std::str::from_utf8(&bytes)
                    .err()
                    .map_or(0, |error| error.valid_up_to()),
            };
            return match declared {
                None => refuse(
                    Code::NotUtf8,
                    offset,
                    text!(
                        "the file is not UTF-8 and declares no other encoding",
                        "文件不是 UTF-8 编码，也没有声明其他编码"
                    ),
                ),
                Some((_, name)) => refuse(
                    Code::WrongEncoding,
                    offset,
                    text!(
                        "the file declares the encoding {name}, but its bytes are not valid in it",
                        "文件声明的编码是 {name}，但内容并不符合该编码"
                    ),
                ),
            };
        };
        if encoding.encode(&decoded).as_deref() != Some(&*bytes) {
            return refuse(
                Code::WrongEncoding,
                0,
                text!(
                    "the file could not be written back in its encoding without changing other bytes",
                    "按其声明的编码写回时，无法保证其余字节不变"
                ),
            );
        }
        Ok(Self {
            path: path.to_owned(),
            line_starts: line_starts(&decoded),
            indent_unit: OnceLock::new(),
            text: decoded,
            encoding,
            bytes,
        })
    }

    /// Where the file is, as it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes as they were read.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// The decoded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range; empty where that is not one of this text.
    pub fn slice(&self, range: ByteRange) -> &str {
        self.text.get(range.as_range()).unwrap_or_default()
    }

    /// The bytes of `text` in this file's encoding; none when a character has no place in it.
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        self.encoding.encode(text)
    }

    /// Whether every character can be written in this file.
    pub fn is_unicode(&self) -> bool {
        self.encoding == Encoding::Utf8
    }

    /// The line (1-based) and column (1-based, in characters) of the byte at `offset`.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        (
            line,
            before.trim_start_matches('\u{feff}').chars().count() + 1,
        )
    }

    /// The byte at a line and column, as [`Self::position`] gives them; none past the end.
    pub fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = *self.line_starts.get(line.checked_sub(1)?)?;
        let mut characters = self.text[start..].char_indices();
        let (offset, _) = characters.nth(column.checked_sub(1)?)?;
        Some(start + offset)
    }

    /// The bytes of the line that holds `offset`, with its line end.
    pub fn line_at(&self, offset: usize) -> ByteRange {
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let end = self.line_starts.get(line).copied();
        ByteRange::new(self.line_starts[line - 1], end.unwrap_or(self.text.len()))
    }

    /// The text of a line (1-based) without its line end; empty past the last one.
    pub fn line_text(&self, line: usize) -> &str {
        let Some(&start) = self.line_starts.get(line.wrapping_sub(1)) else {
            return "";
        };
        self.slice(self.line_at(start))
            .trim_end_matches(['\r', '\n'])
    }

    /// The white space at the start of the line that holds `offset`.
    pub fn indentation_at(&self, offset: usize) -> &str {
        let line = self
            .slice(self.line_at(offset))
            .trim_start_matches('\u{feff}');
        &line[..line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len()]
    }

    /// Whether nothing but white space is before `offset` on its line.
    pub fn starts_line(&self, offset: usize) -> bool {
        let before = ByteRange::new(self.line_at(offset).start(), offset);
        self.slice(before).trim().is_empty()
    }

    /// The line end of the line that holds `offset`; of the line before it when it is the last
    /// and has none; `\n` in a file without any.
    pub fn line_end_at(&self, offset: usize) -> &'static str {
        let line = self.line_at(offset);
        let own = line_end_of(self.slice(line));
        own.or_else(|| {
            let before = line.start().checked_sub(1)?;
            line_end_of(self.slice(self.line_at(before)))
        })
        .unwrap_or("\n")
    }

    /// One level of indentation as this file has it: its first indented line's.
    pub fn indent_unit(&self) -> Option<&str> {
        let find = || self.find_indent_unit().map(str::to_owned);
        self.indent_unit.get_or_init(find).as_deref()
    }

    fn find_indent_unit(&self) -> Option<&str> {
        let mut previous = "";
        for line in self.text.lines() {
            let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
            if !indent.is_empty() && previous.trim_end().ends_with(':') {
                return Some(indent);
            }
            if !line.trim().is_empty() {
                if !indent.is_empty() {
                    previous = "";
                    continue;
                }
                previous = line.split('#').next().unwrap_or(line);
            }
        }
        None
    }

    /// The quote that this file writes its strings with: the more frequent one; `"` when even.
    pub fn preferred_quote(&self) -> char {
        let single = memchr::memchr_iter(b'\'', self.text.as_bytes()).count();
        let double = memchr::memchr_iter(b'"', self.text.as_bytes()).count();
        if single > double { '\'' } else { '"' }
    }
}

fn line_end_of(line: &str) -> Option<&'static str> {
    if line.ends_with("\r\n") {
        Some("\r\n")
    } else if line.ends_with('\n') {
        Some("\n")
    } else if line.ends_with('\r') {
        Some("\r")
    } else {
        None
    }
}

/// Where lines start; Python ends a line with `\n`, `\r\n` and `\r`.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for offset in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        if bytes[offset] == b'\n' || bytes.get(offset + 1) != Some(&b'\n') {
            starts.push(offset + 1);
        }
    }
    starts
}

/// Line and column (1-based, in bytes) of an offset in bytes that could not be decoded.
fn raw_position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    (line, before.len() - start + 1)
}

/// The encoding that a comment in one of the first two lines declares, and where its name starts
/// (PEP 263: `^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)`; the second line counts only when
/// the first is blank or a comment).
fn declared_encoding(bytes: &[u8]) -> Option<(usize, String)> {
    let bytes_at = |offset: usize| bytes.get(offset..).unwrap_or_default();
    let mut offset = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    for _ in 0..2 {
        let rest = bytes_at(offset);
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = &rest[..length];
        let content = line.trim_ascii_start();
        if content.starts_with(b"#") {
            let found = memchr::memmem::find_iter(line, b"coding").find_map(|at| {
                let after = &line[at + 6..];
                let [b':' | b'=', value @ ..] = after else {
                    return None;
                };
                let blank = value
                    .iter()
                    .take_while(|b| matches!(b, b' ' | b'\t'))
                    .count();
                let name: String = value[blank..]
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
                    .map(|&b| char::from(b))
                    .collect();
                (!name.is_empty()).then_some((offset + at + 7 + blank, name))
            });
            if found.is_some() {
                return found;
            }
        } else if !content.is_empty() {
            return None;
        }
        offset += length;
        offset += match bytes_at(offset) {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => return None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<SourceFile, Code> {
        SourceFile::from_bytes(Path::new("a.py"), bytes.to_vec()).map_err(|d| d.code())
    }

    #[test]
    fn a_declared_encoding_is_read_and_written_back() {
        let bytes = b"# -*- coding: gbk -*-\nx = '\xc4\xe3\xba\xc3'\n";
        let file = read(bytes).unwrap();
        assert!(file.text().contains("你好"));
        assert_eq!(file.encode(file.text()).unwrap(), bytes);
        assert_eq!(file.encode("\u{1f600}"), None);
    }

    #[test]
    fn what_python_cannot_read_is_refused() {
        assert_eq!(read(b"x = '\xff'\n").unwrap_err(), Code::NotUtf8);
        assert_eq!(read(b"x = 1\0\n").unwrap_err(), Code::NullByte);
        assert_eq!(
            read(b"# coding: klingon\n").unwrap_err(),
            Code::WrongEncoding
        );
        assert_eq!(
            read(b"# coding: gbk\n'\xff\xff'\n").unwrap_err(),
            Code::WrongEncoding
        );
        assert_eq!(
            read(b"\xef\xbb\xbf# coding: gbk\n").unwrap_err(),
            Code::WrongEncoding
        );
    }

    #[test]
    fn only_a_comment_in_the_first_two_lines_declares() {
        assert!(declared_encoding(b"x = 1 # coding: gbk\n").is_none());
        assert!(declared_encoding(b"x = 1\n# coding: gbk\n").is_none());
        assert!(declared_encoding(b"\n\n# coding: gbk\n").is_none());
        assert_eq!(
            declared_encoding(b"#!/usr/bin/python\n# vim: fileencoding=gbk :")
                .unwrap()
                .1,
            "gbk"
        );
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let file = read("\u{feff}a = 'é'; b\r\nc\rd\n".as_bytes()).unwrap();
        let position = |needle: char| file.position(file.text().find(needle).unwrap());
        assert_eq!(position('a'), (1, 1));
        assert_eq!(position('b'), (1, 10));
        assert_eq!(position('c'), (2, 1));
        assert_eq!(position('d'), (3, 1));
    }

    #[test]
    fn the_style_is_the_files_own() {
        let file = read(b"if x:\n\ty = 'a'\r\nz").unwrap();
        assert_eq!(file.indent_unit(), Some("\t"));
        assert_eq!(file.preferred_quote(), '\'');
        assert_eq!(file.line_end_at(0), "\n");
        assert_eq!(file.line_end_at(7), "\r\n");
        assert_eq!(file.line_end_at(file.text().len()), "\r\n");
        assert_eq!(read(b"x = 1").unwrap().line_end_at(0), "\n");
    }
}
