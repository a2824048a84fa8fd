//! How a call is broken into lines: as `ruff format` would.

use crate::style::width;

/// Where a call stands, and how wide its lines may be.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The white space at the start of the statement's line.
    pub indent: &'a str,
    /// One level of indentation.
    pub unit: &'a str,
    /// The line end.
    pub line_end: &'a str,
    /// The columns that a line may take.
    pub limit: usize,
    /// The columns that follow the call on its last line, as a comment does.
    pub suffix: usize,
}

/// `head(arguments)`, where `head` begins right after the indentation: on one line, with the
/// arguments on a line of their own, or with a line for each.
///
/// `exploded` says that the arguments had a line each before, with a comma after the last, which
/// formatters take for a wish.
pub fn call(place: Place<'_>, head: &str, arguments: &[String], exploded: bool) -> String {
    let Place {
        indent,
        unit,
        line_end,
        limit,
        suffix,
    } = place;
    let joined = arguments.join(", ");
    let has_line_end = joined.contains(['\n', '\r']);
    let indent_width = indentation_width(indent);
    if !exploded
        && !has_line_end
        && indent_width + width(head) + width(&joined) + 2 + suffix <= limit
    {
        return format!("{head}({joined})");
    }
    let inner = format!("{indent}{unit}");
    let inner_width = indentation_width(&inner);
    if !exploded && !has_line_end && inner_width + width(&joined) <= limit {
        return format!("{head}({line_end}{inner}{joined}{line_end}{indent})");
    }
    let mut text = format!("{head}({line_end}");
    for argument in arguments {
        text += &format!("{inner}{argument},{line_end}");
    }
    text + indent + ")"
}

/// The columns of an indentation; a tab counts as the formatters' default of four.
pub fn indentation_width(indent: &str) -> usize {
    indent.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: usize, exploded: bool, expected: &str) {
        let place = Place {
            indent: "  ",
            unit: "    ",
            line_end: "\n",
            limit,
            suffix: 0,
        };
        let arguments = ["aaaa".to_owned(), "bbbb".to_owned()];
        assert_eq!(call(place, "f", &arguments, exploded), expected);
    }

    #[test]
    fn a_call_takes_as_few_lines_as_fit() {
        check(15, false, "f(aaaa, bbbb)");
        check(17, true, "f(\n      aaaa,\n      bbbb,\n  )");
        check(14, false, "f(\n      aaaa,\n      bbbb,\n  )");
    }

    #[test]
    fn arguments_share_a_line_where_they_can() {
        let place = Place {
            indent: "",
            unit: "  ",
            line_end: "\r\n",
            limit: 12,
            suffix: 0,
        };
        let arguments = ["aaaa".to_owned(), "bbbb".to_owned()];
        assert_eq!(
            call(place, "ffff", &arguments, false),
            "ffff(\r\n  aaaa, bbbb\r\n)"
        );
    }
}
