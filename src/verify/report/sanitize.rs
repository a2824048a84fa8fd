//! What comes from a plugin, as people read it: without what could steer the terminal, and shortened.

use super::request_label;
use crate::term;
use crate::text;
use crate::text::Lang;
use crate::verify::requests::Bytes;
use crate::verify::runner::protocol::Request;

/// How many characters of a value are shown.
const MOST_SHOWN: usize = 600;

/// What a request is about, in brackets; nothing when nobody has said.
pub(crate) fn about(request: &Request, lang: Lang) -> String {
    let about = request.about.as_ref().map(request_label::text);
    let about = about.map_or_else(String::new, |about| shortened(about.get(lang)));
    if about.is_empty() {
        return about;
    }
    text!(" ({about})", "（{about}）").get(lang).to_owned()
}

/// A request below the line that introduces it.
pub(crate) fn indented_request(request: &Request, lang: Lang) -> String {
    let mut output = String::new();
    for line in lines(request, lang) {
        output += format!("    {line}").trim_end();
        output.push('\n');
    }
    output
}

/// A request as it goes over the wire.
fn lines(request: &Request, lang: Lang) -> Vec<String> {
    let query = match &request.query {
        Bytes::Text(text) if text.is_empty() => String::new(),
        query => format!("?{}", bytes(query)),
    };
    let mut lines = vec![shortened(&format!(
        "{} {}{query}",
        request.method, request.path
    ))];
    for (name, value) in &request.headers {
        lines.push(shortened(&format!("{name}: {}", bytes(value))));
    }
    match (&request.body, &request.base64) {
        (Some(body), _) if !body.is_empty() => {
            lines.push(String::new());
            lines.extend(shortened_lines(body));
        }
        (_, Some(base64)) => {
            lines.push(String::new());
            lines.push(shortened(&format!("(base64) {base64}")));
        }
        _ => {}
    }
    if !request.settings.is_empty() {
        let settings = serde_json::Value::Object(request.settings.clone()).to_string();
        let label = text!("(with the settings ", "（使用设置 ");
        let end = text!(")", "）");
        lines.push(String::new());
        lines.push(format!(
            "{}{}{}",
            label.get(lang),
            shortened(&settings),
            end.get(lang)
        ));
    }
    lines
}

fn bytes(value: &Bytes) -> String {
    match value {
        Bytes::Text(text) => text.clone(),
        Bytes::Encoded { base64 } => format!("(base64) {base64}"),
    }
}

/// A text of a plugin on one line.
pub(crate) fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters
        .by_ref()
        .take(MOST_SHOWN)
        .map(term::one_column)
        .collect();
    let rest = characters.count();
    if rest > 0 {
        shown += &format!("… (+{rest})");
    }
    shown
}

/// A text of a plugin on one line; of a long one, from shortly before it differs from the one
/// `beside` it.
pub(crate) fn shortened_beside(text: &str, beside: &str) -> String {
    const BEFORE: usize = 40;
    let length = text.chars().count();
    let pairs = text.chars().zip(beside.chars());
    let common = pairs.take_while(|(one, other)| one == other).count();
    let start = common
        .saturating_sub(BEFORE)
        .min(length.saturating_sub(MOST_SHOWN));
    if start == 0 {
        return shortened(text);
    }
    let rest: String = text.chars().skip(start).collect();
    format!("(+{start}) …{}", shortened(&rest))
}

/// A text of a plugin on as many lines as it has, up to a limit.
pub(crate) fn shortened_lines(text: &str) -> Vec<String> {
    const MOST_LINES: usize = 20;
    let mut lines: Vec<String> = text.lines().take(MOST_LINES).map(shortened).collect();
    if text.lines().count() > MOST_LINES {
        lines.push("…".to_owned());
    }
    lines
}
