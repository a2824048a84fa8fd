//! The edits that `diff --format json` gives, applied as a program would apply them.

use super::tree::{Entry, Tree};

/// `before` with the edits in `json` applied.
pub(crate) fn applied(json: &[u8], before: &Tree) -> Result<Tree, String> {
    let report: serde_json::Value =
        serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let mut after = before.clone();
    for file in list(&report["files"])? {
        let path = file["path"].as_str().ok_or("a file without a path")?;
        let old = match before.0.get(path) {
            Some(Entry::File(bytes, _)) => bytes.as_slice(),
            None if file["is_new"] == true => &[],
            _ => return Err(format!("{path} is no file")),
        };
        let mut new = Vec::new();
        let mut done = 0;
        for edit in list(&file["edits"])? {
            let start = place(&edit["start"], old)?;
            let end = place(&edit["end"], old)?;
            if (start < done || start == done && done > 0) || end < start {
                return Err(format!("{path}: this edit overlaps or touches: {edit}"));
            }
            let text = edit["replacement"].as_str().ok_or("no replacement")?;
            new.extend_from_slice(&old[done..start]);
            new.extend_from_slice(&encoded(text, old));
            done = end;
        }
        new.extend_from_slice(&old[done..]);
        let executable = matches!(before.0.get(path), Some(Entry::File(_, true)));
        after
            .0
            .insert(path.to_owned(), Entry::File(new, executable));
    }
    Ok(after)
}

fn list(value: &serde_json::Value) -> Result<&Vec<serde_json::Value>, String> {
    value.as_array().ok_or_else(|| format!("no list: {value}"))
}

/// The byte of a place, whose line and column have to lead to the same.
fn place(value: &serde_json::Value, bytes: &[u8]) -> Result<usize, String> {
    let number = |key: &str| {
        let number = value[key]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("no `{key}` in {value}"))
    };
    let (byte, line, column) = (number("byte")?, number("line")?, number("column")?);
    let mut start = 0;
    let mut at = 1;
    while at < line {
        let Some(end) = bytes[start..]
            .iter()
            .position(|&byte| byte == b'\n' || byte == b'\r')
        else {
            return Err(format!("there is no line {line}"));
        };
        start += end + 1;
        if bytes[..start].ends_with(b"\r") && bytes[start..].starts_with(b"\n") {
            start += 1;
        }
        at += 1;
    }
    let before = bytes
        .get(start..byte)
        .ok_or(format!("{value} is past it"))?;
    let text = decoded(before, bytes);
    let characters = text.trim_start_matches('\u{feff}').chars().count();
    if characters + 1 == column {
        Ok(byte)
    } else {
        Err(format!("byte and column do not agree: {value}"))
    }
}

/// The fixtures have two encodings.
fn is_utf8(file: &[u8]) -> bool {
    std::str::from_utf8(file).is_ok()
}

fn decoded(part: &[u8], file: &[u8]) -> String {
    if is_utf8(file) {
        String::from_utf8_lossy(part).into_owned()
    } else {
        encoding_rs::GBK.decode(part).0.into_owned()
    }
}

fn encoded(text: &str, file: &[u8]) -> Vec<u8> {
    if is_utf8(file) {
        text.as_bytes().to_vec()
    } else {
        encoding_rs::GBK.encode(text).0.into_owned()
    }
}
