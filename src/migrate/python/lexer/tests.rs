use super::*;

fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
    Tokens::new(text, 0)
        .all()
        .iter()
        .map(|token| (token.kind, &text[token.range.as_range()]))
        .collect()
}

#[test]
fn a_line_becomes_tokens() {
    use TokenKind::*;
    assert_eq!(
        kinds("f(a, 'b)')  # c\n"),
        [
            (Name, "f"),
            (Open, "("),
            (Name, "a"),
            (Comma, ","),
            (String, "'b)'"),
            (Close, ")"),
            (Comment, "# c"),
            (Newline, "\n"),
        ]
    );
}

#[test]
fn line_ends_in_brackets_and_after_backslashes_end_no_statement() {
    let newlines = |text| {
        kinds(text)
            .iter()
            .filter(|(kind, _)| *kind == TokenKind::Newline)
            .count()
    };
    assert_eq!(newlines("f(\n1,\n\n# c\n2)\n"), 1);
    assert_eq!(newlines("a = \\\r\n  b\r\n\r\n"), 1);
    assert_eq!(newlines("'''\n'''\n\"\"\"a\n\n\"\"\"\n"), 2);
}

#[test]
fn strings_end_where_python_ends_them() {
    for text in [
        "'a\\'b'",
        "r'\\\\'",
        "'''a'b'''",
        "\"\"\"a\\\"\"\"\"",
        "f'{x}'",
        "f\"{a[\"b\"]}\"",
        "f'{x:{w}}'",
        "f'{{'",
        "f'{f'{f'{1}'}'}'",
        "rb'\\x'",
        "f'{a!r:>{b}}'",
        "f'{x != 1}'",
        "f'''{\nx\n}'''",
        "f'{\"}\"}'",
        "f\"{'\\n'.join(a)}\"",
        "f'{x=}'",
    ] {
        assert_eq!(kinds(text).len(), 1, "{text}");
    }
}

#[test]
fn only_new_fstrings_are_modern() {
    let modern = |text: &str| !Tokens::new(text, 0).modern_fstrings().is_empty();
    for text in [
        "f'{x}'",
        "f\"{a['b']}\"",
        "f'''{a['b']}'''",
        "f'{x!r:>{w}}'",
        "f'{{}}'",
        "f'\\n{x}'",
    ] {
        assert!(!modern(text), "{text}");
    }
    for text in [
        "f'{a['b']}'",
        "f\"{'\\n'.join(x)}\"",
        "f'{\nx}'",
        "f'{x # c\n}'",
        "f'{f'{1}'}'",
    ] {
        assert!(modern(text), "{text}");
    }
}

#[test]
fn fields_are_the_expressions() {
    let text = "f\"{a[\"b\"]!r:>{w}} {x = } {y!=z}\"";
    let tokens = Tokens::new(text, 0);
    let fields: Vec<&str> = tokens.modern_fstrings()[0]
        .fields
        .iter()
        .map(|range| &text[range.as_range()])
        .collect();
    assert_eq!(fields, ["a[\"b\"]", "w", "x ", "y!=z"]);
}

#[test]
fn no_bytes_make_it_fail() {
    for text in [
        "'",
        "f'{",
        "f'{a:",
        "\"\"\"",
        "\\",
        "f'{'",
        "é\u{feff}",
        "f'{x!",
        "f\"{(\"",
        "\r",
    ] {
        Tokens::new(text, 0);
    }
}
