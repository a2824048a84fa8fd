//! How a statement is broken into lines: as `ruff format` would.

mod place;
mod tree;

use crate::migrate::python::tokens::{TokenKind, Tokens};
pub(crate) use place::Place;
use tree::Tree;

/// `head(arguments)`, where `head` begins right after the indentation: on one line, with the
/// arguments on a line of their own, or with a line for each.
///
/// `exploded` says that the arguments had a line each before, with a comma after the last, which
/// formatters take for a wish.
pub(super) fn call(place: Place<'_>, head: &str, arguments: &[String], exploded: bool) -> String {
    let joined = arguments.join(", ");
    if !joined.contains(['\n', '\r']) {
        let comma = if exploded { "," } else { "" };
        return code(place, &format!("{head}({joined}{comma})"));
    }
    // Text of several lines keeps them.
    let Place {
        indent,
        unit,
        line_end,
        ..
    } = place;
    let mut text = format!("{head}({line_end}");
    for argument in arguments {
        text += &format!("{indent}{unit}{argument},{line_end}");
    }
    text + indent + ")"
}

/// A statement without comments, on as few lines as the formatter would give it. Lines inside its
/// brackets are joined first; a comma before a closing bracket is a wish for a line each.
pub(super) fn code(place: Place<'_>, text: &str) -> String {
    Tree::of(text).render(&place)
}

/// A statement without comments on one line.
pub(super) fn joined(text: &str) -> String {
    Tree::of(text).joined()
}

/// Lines of new code, written with four spaces a level and double quotes, as this place has them:
/// with its indentation in front, its unit of indentation, its line ends and `quote`.
pub(super) fn block(place: Place<'_>, text: &str, quote: char) -> String {
    let mut styled = String::with_capacity(text.len());
    let mut statement = String::new();
    for line in text.lines() {
        if statement.is_empty() {
            statement += line;
        } else {
            statement.push('\n');
            statement += line;
        }
        let tokens = Tokens::new(&statement, 0);
        let of_kind = |kind| tokens.all().iter().filter(|t| t.kind == kind).count();
        if of_kind(TokenKind::Open) > of_kind(TokenKind::Close) {
            continue;
        }
        let has_comment = of_kind(TokenKind::Comment) > 0;
        let whole = std::mem::take(&mut statement);
        let parts: Vec<&str> = if has_comment {
            whole.lines().collect()
        } else {
            vec![&whole]
        };
        for part in parts {
            let content = part.trim_start_matches(' ');
            if !content.is_empty() {
                let level = (part.len() - content.len()) / 4;
                let indent = format!("{}{}", place.indent, place.unit.repeat(level));
                let quoted = if quote == '\'' && !content.contains("\"\"\"") {
                    content.replace('"', "'")
                } else {
                    content.to_owned()
                };
                styled += &indent;
                styled += &if has_comment {
                    quoted
                } else {
                    let place = Place {
                        indent: &indent,
                        suffix: 0,
                        ..place
                    };
                    code(place, &quoted)
                };
            }
            styled += place.line_end;
        }
    }
    styled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::python::style::Style;

    #[track_caller]
    fn check(limit: usize, text: &str, expected: &str) {
        check_style(limit, true, text, expected);
    }

    #[track_caller]
    fn check_style(limit: usize, magic_trailing_comma: bool, text: &str, expected: &str) {
        let style = Style {
            line_length: limit,
            magic_trailing_comma,
            ..Style::default()
        };
        let place = Place {
            indent: "  ",
            unit: "    ",
            line_end: "\n",
            suffix: 0,
            style: &style,
        };
        assert_eq!(code(place, text), expected);
    }

    #[test]
    fn a_call_takes_as_few_lines_as_fit() {
        check(15, "f(aaaa, bbbb)", "f(aaaa, bbbb)");
        check(17, "f(aaaa, bbbb,)", "f(\n      aaaa,\n      bbbb,\n  )");
        check(14, "f(aaaa, bbbb)", "f(\n      aaaa,\n      bbbb,\n  )");
        check(16, "ffff(aaaa, bbbb)", "ffff(\n      aaaa, bbbb\n  )");
        check_style(17, false, "f(\n  aaaa,\n  bbbb,\n)", "f(aaaa, bbbb)");
    }

    #[test]
    fn what_is_in_brackets_is_broken_in_turn() {
        check(
            20,
            "@r(a, methods=[\"GET\", \"PUT\"])",
            "@r(\n      a,\n      methods=[\n          \"GET\",\n          \"PUT\",\n      ],\n  )",
        );
        // A single argument gets no comma, a single parameter does.
        check(
            16,
            "f(g(aaaa, bbbb))",
            "f(\n      g(\n          aaaa,\n          bbbb,\n      )\n  )",
        );
        check(
            20,
            "def f(aaaa: A) -> BBB:",
            "def f(\n      aaaa: A,\n  ) -> BBB:",
        );
        check(
            18,
            "f([aaaaa, bbbbb])",
            "f(\n      [\n          aaaaa,\n          bbbbb,\n      ]\n  )",
        );
        check(20, "aa(bbbb, cccccc)(d)", "aa(bbbb, cccccc)(\n      d\n  )");
        check(
            17,
            "aa(bbbb, cccccc)(d)",
            "aa(\n      bbbb,\n      cccccc,\n  )(d)",
        );
        check(
            16,
            "if \"a\" in b(cc, dd):",
            "if \"a\" in b(\n      cc, dd\n  ):",
        );
    }

    #[test]
    fn operators_start_lines() {
        check(
            18,
            "f(\"/\" + aaaaaaaa, b)",
            "f(\n      \"/\"\n      + aaaaaaaa,\n      b,\n  )",
        );
        check(
            20,
            "f(a=bbbb if cccc else ddd, b)",
            "f(\n      a=bbbb\n      if cccc\n      else ddd,\n      b,\n  )",
        );
        check(
            20,
            "[aaaaaaa for b in ccccc]",
            "[\n      aaaaaaa\n      for b in ccccc\n  ]",
        );
    }

    #[test]
    fn text_of_several_lines_keeps_them() {
        let style = Style::default();
        let place = Place {
            indent: "",
            unit: "  ",
            line_end: "\r\n",
            suffix: 0,
            style: &style,
        };
        let arguments = ["[\n1]".to_owned(), "b".to_owned()];
        assert_eq!(
            call(place, "f", &arguments, false),
            "f(\r\n  [\n1],\r\n  b,\r\n)"
        );
    }
}
