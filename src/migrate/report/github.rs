//! Workflow commands of GitHub Actions: each remark is shown at its line in a pull request.
//!
//! Invariant: one line a remark, and nothing in it can end it or begin another command: what separates
//! is written as GitHub escapes it.

use super::View;
use super::annotations::{Annotation, Level, annotations};
use crate::term;
use crate::text::Lang;

/// The commands, one a line.
pub(crate) fn render(view: &View<'_>, lang: Lang) -> String {
    let remarks = annotations(view, lang);
    remarks.iter().map(|one| command(one, lang)).collect()
}

fn command(one: &Annotation, lang: Lang) -> String {
    let level = match one.rule.level() {
        Level::Note => "notice",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let place = one.position.map_or(String::new(), |(line, column)| {
        let end = one.length.map_or(String::new(), |length| {
            format!(",endColumn={}", column + length)
        });
        format!(",line={line},endLine={line},col={column}{end}")
    });
    let (path, title) = (property(&one.path), property(one.rule.id()));
    let colon = if lang == Lang::Zh { "；" } else { "; " };
    let message = data(&format!("{}{colon}{}", one.message, one.hint));
    format!("::{level} file={path}{place},title=rehook {title}::{message}\n")
}

fn data(text: &str) -> String {
    term::escaped(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::diagnostic::Code;
    use crate::migrate::report::annotations::Rule;

    #[test]
    fn nothing_in_a_remark_ends_it() {
        let remark = Annotation {
            rule: Rule::Code(Code::UnknownEndpoint),
            path: "a,b:c%\n::error::x.py".to_owned(),
            position: Some((3, 5)),
            length: Some(4),
            message: "100% of it\n::stop-commands::x".to_owned(),
            hint: "a: b, c".to_owned(),
            related: None,
        };
        assert_eq!(
            command(&remark, Lang::En),
            "::warning file=a%2Cb%3Ac%25\\n%3A%3Aerror%3A%3Ax.py,line=3,endLine=3,col=5,endColumn=9,\
             title=rehook RH103::100%25 of it\\n::stop-commands::x; a: b, c\n"
        );
    }
}
