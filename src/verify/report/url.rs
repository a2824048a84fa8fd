//! Whether a difference is nothing but the path of the URL, which is another after a migration: a
//! plugin may log or send it.

use serde_json::Value;

use crate::text;
use crate::text::Text;
use crate::verify::runner::protocol::Difference;

/// Whether both sides are the same but for the path of the request, which is `target` on the new
/// side.
pub(crate) fn is_all(difference: &Difference, target: &str) -> bool {
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

/// What is said where it is. Of all `differing` requests, one is looked at.
pub(crate) fn text(differing: usize) -> Text {
    if differing == 1 {
        return text!(
            "  only the path of the URL differs, which the plugin uses; if nothing relies on it, this can be ignored\n",
            "  差异只在于 URL 的路径，插件用到了它；如果没有人依赖该路径，可以忽略\n"
        );
    }
    let others = differing.saturating_sub(1);
    text!(
        "  for this request only the path of the URL differs, which the plugin uses; if nothing relies on it, this can be ignored (the other {others} were not looked at for this)\n",
        "  这个请求的差异只在于 URL 的路径，插件用到了它；如果没有人依赖该路径，这一差异可以忽略（其余 {others} 个请求未作此项检查）\n"
    )
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
