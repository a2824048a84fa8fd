//! Whether a difference is nothing but the path of the URL, which is another after a migration: a
//! plugin may log or send it.

use serde_json::Value;

use super::super::outcome::Difference;

/// Whether both sides are the same but for the path of the request, which is `target` on the new
/// side.
pub fn is_all(difference: &Difference, target: &str) -> bool {
    let old_path = difference.request.path.as_str();
    !difference.parts.is_empty()
        && old_path.len() > 1
        && difference.parts.iter().all(|part| {
            let expected = with_path(&part.old, old_path, target);
            part.old != part.new
                && (expected == part.new
                    || part.part == "headers" && is_length(&expected, &part.new, old_path, target))
        })
}

/// Whether headers are the same but for the length of a body that has the path in it.
fn is_length(expected: &Value, new: &Value, old_path: &str, target: &str) -> bool {
    let (Value::Array(expected), Value::Array(new)) = (expected, new) else {
        return false;
    };
    let each = target.len().abs_diff(old_path.len());
    let length = |header: &Value| -> Option<usize> {
        let is_length = header.get(0)?.as_str()? == "content-length";
        let value = header.get(1)?.as_str()?.parse().ok();
        value.filter(|_| is_length)
    };
    let is_same = |(one, other): (&Value, &Value)| match (length(one), length(other)) {
        (Some(one), Some(other)) => one.abs_diff(other).checked_rem(each) == Some(0),
        _ => one == other,
    };
    expected.len() == new.len() && expected.iter().zip(new).all(is_same)
}

/// The value with the path in the place of the other, wherever it is.
fn with_path(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(from, to)),
        Value::Array(all) => all.iter().map(|one| with_path(one, from, to)).collect(),
        Value::Object(all) => all
            .iter()
            .map(|(key, one)| (key.replace(from, to), with_path(one, from, to)))
            .collect(),
        other => other.clone(),
    }
}
