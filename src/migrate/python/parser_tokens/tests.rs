use proptest::prelude::*;
use rustpython_parser::Mode;
use rustpython_parser::lexer::lex;

use super::*;

fn ours(text: &str) -> Option<Vec<LexResult>> {
    let is_odd = Cell::new(false);
    let tokens = Tokens::new(text, 0);
    let given = ParserTokens::new(text, &tokens, &is_odd).collect();
    (!is_odd.get()).then_some(given)
}

#[track_caller]
fn same(text: &str) {
    let theirs: Vec<LexResult> = lex(text, Mode::Module).collect();
    assert_eq!(ours(text), Some(theirs), "{text:?}");
}

#[test]
fn tokens_are_those_of_the_parser() {
    for text in [
        "",
        "\n\n",
        "x",
        "x\n",
        "x  # c",
        "# c",
        "\u{feff}x = 1\n",
        "if x:\n    y\n# c\n    z\nelse:\n\tw\n",
        "if x:\n    if y:\n        z",
        "if x:\n  y\n   \n\x0c\nz",
        "f(a,\n  # c\n  b\n)\n",
        "a = \\\n  b + \\\r\n c\r\nd\r\n",
        "x = 1; y = 0xff if 0 else 2\n",
        "1 0 1_000 123456789012345678901234567890 0xFF 0o17 0b1_0 1.5 1. .5 1e5 1E-5 1.5e+10\n",
        "x[1:2] = a.b @ c ** d // e % f << g >> h & i | j ^ ~k\n",
        "a += 1; a -= 1; a *= 1; a /= 1; a //= 1; a %= 1; a **= 1; a @= 1; a &= 1\n",
        "a |= 1; a ^= 1; a <<= 1; a >>= 1; (b := 1); a != b; a <= b; a >= b; a == b; a < b > c\n",
        "def f(a: int = ..., /, *, b=None) -> None: ...\n",
        "'a' \"b\" '''c\n'd''' \"\"\"e\\\"\"\"\" r'\\\\' 'x' f'{x}' rb'\\x' Rb'' u'' fR'{y!r:>{w}}' ''\n",
        "'a\\\r\nb' '''c\r\nd\re'''\r\n",
        "match x:\n    case [1, *_] if y: pass\n    case _: pass\n",
        "match = 1\nmatch.x: int = 2\nmatch(x)\ncase: int = 1\nprint(match, case, type)\n",
        "match lambda: x:\n    case _: pass\nmatch[lambda x: 1]\n",
        "type X = int\ntype X[T: (int, str)] = list[T]\ntype(x)\ntype = 1\ntype type = int\n",
        "async def f():\n    async with a as b, c: await d\n    async for x in y: yield x\n",
        "'中文' # 注释\n",
    ] {
        same(text);
    }
}

#[test]
fn what_is_odd_is_left_to_the_parser() {
    for text in [
        "'a",
        "'a\\'",
        "\"\"\"a",
        "\"\"\"a\\\"\"\"",
        "f(",
        ")",
        "a ? b",
        "a $ b",
        "a ! b",
        "x \\ y",
        "x \\",
        "\\\nx\n",
        "if x:\n    y\n  z\n",
        "if x:\n \ty\n",
        "if x:\n\ty\n        z\n",
        "t'{x}'",
        "ur'x'",
        "01",
        "1j",
        "1_000.5",
        "0x",
        "1__0",
        "1if x else y",
        "1.real",
        "变量 = 1",
        "\0",
    ] {
        assert_eq!(ours(text), None, "{text:?}");
    }
}

/// Pieces of code that meet each other in odd ways.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    " ", "  ", "    ", "\t", "\x0c", "\n", "\r\n", "\r", "\\", "\\\n", "#", "# c\n", "x:\n",
    "a", "_", "中", "é", "if", "match", "case", "type", "lambda", "def", "\0", "\u{feff}", "?",
    "0", "1", "12", "0x", "e", "e5", "j", ".", "..", ":", "=", "==", "!", "-", "->", "*", "**",
    "/", "<", ">", ">>=", "@", "~", ",", ";", "(", ")", "[", "]", "{", "}", "{x}", "{{", "$",
    "'", "\"", "'''", "\"\"\"", "f'", "rb\"", "t'", "u'", "\\'", "\\\\",
];

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_but_the_tokens_of_the_parser_is_given(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
    ) {
        let text = pieces.concat();
        let tokens = Tokens::new(&text, 0);
        if tokens.modern_fstrings().is_empty()
            && let Some(ours) = ours(&text)
        {
            let theirs: Vec<LexResult> = lex(&text, Mode::Module).collect();
            prop_assert_eq!(ours, theirs, "{:?}", text);
        }
    }
}

#[test]
fn code_as_authors_write_it_is_seldom_odd() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let mut given = 0;
    let mut odd = Vec::new();
    for entry in ignore::Walk::new(fixtures).flatten() {
        if entry.path().extension().is_none_or(|ending| ending != "py") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        match ours(&text) {
            Some(ours) => {
                given += 1;
                let theirs: Vec<LexResult> = lex(&text, Mode::Module).collect();
                assert_eq!(ours, theirs, "{}", entry.path().display());
            }
            None => odd.push(entry.path().to_owned()),
        }
    }
    assert!(given > 20 * odd.len(), "{given} given, odd: {odd:#?}");
}
