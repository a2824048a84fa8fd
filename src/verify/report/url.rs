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
        && difference
            .parts
            .iter()
            .all(|part| part.old != part.new && with_path(&part.old, old_path, target) == part.new)
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
