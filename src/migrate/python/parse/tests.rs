use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Module, Code> {
    let bytes = text.as_bytes().to_vec();
    let source = SourceFile::from_bytes(Path::new("a.py"), bytes).map_err(|d| d.code())?;
    let parse = || Module::parse(source).map_err(|d| d.code());
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_SIZE);
        builder.spawn_scoped(scope, parse).unwrap().join().unwrap()
    })
}

fn names(text: &str) -> Vec<(String, usize)> {
    let module = parse(text).unwrap();
    let mut names = Vec::new();
    module.walk(module.suite(), module.range(), &mut |node| {
        if let Node::Expr(Expr::Name(name)) = node {
            names.push((name.id.to_string(), tree::range_of(name).start()));
        }
        Descend::Into
    });
    names
}

#[test]
fn names_in_fstrings_of_any_version_are_at_their_places() {
    for text in [
        "f\"{abc['k']}\"",
        "f\"{abc[\"k\"]}\"",
        "f'é{\nabc\n}'",
        "f'''{abc['k']}'''",
        "f'{f'{abc}'}'",
        "x = 'é' f'{f'{f'{abc}'}'}'",
        "f'{'':>{abc}}'",
    ] {
        let at = text.find("abc").unwrap();
        assert!(
            names(text).contains(&("abc".to_owned(), at)),
            "{text}: {:?}",
            names(text)
        );
    }
}

#[test]
fn what_is_not_python_3_is_refused_with_its_reason() {
    assert_eq!(parse("x = (\n").unwrap_err(), Code::SyntaxError);
    assert_eq!(parse("print 'x'\n").unwrap_err(), Code::Python2);
    assert_eq!(
        parse("try:\n    pass\nexcept A, e:\n    pass\n").unwrap_err(),
        Code::Python2
    );
}

#[test]
fn statements_that_are_the_same_as_before_are_left_out() {
    let check = |before: &str, after: &str, expected: &str| {
        assert_eq!(
            changed_statements(before, after).concat(),
            expected,
            "{after}"
        );
    };
    check("a\nb\n", "a\nc\nb\n", "c\n");
    check(
        "@x\ndef f():\n  a\n",
        "@y\n# c\ndef f():\n  a\n",
        "@y\n# c\ndef f():\n  a\n",
    );
    // A part of a statement that is there before is not there on its own.
    let branches = "try:\n  a\nexcept E:\n  b\nfinally:\n  c\n";
    check(branches, "else:\n  c\n", "else:\n  c\n");
    check(branches, branches, "");
    check("x = (\na\n)\n", "a\n)\n", "a\n)\n");
    check("x = \"\"\"\na\n\"\"\"\n", "a\n", "a\n");
    check("x = 1", "x = 1\ny = 2", "x = 1\ny = 2");
}

#[test]
fn depth_is_refused_before_it_overflows_the_stack() {
    let brackets = "(".repeat(10_000) + &")".repeat(10_000);
    for text in [
        &brackets,
        &("-".repeat(1_000_000) + "1"),
        &("x".to_owned() + &".y".repeat(100_000)),
        &("not ".repeat(100_000) + "x"),
        &("f".to_owned() + &"()".repeat(100_000)),
        &("if x:\n  pass\n".to_owned() + &"elif x:\n  pass\n".repeat(10_000)),
        &(0..200)
            .map(|n| format!("{}if x:\n", " ".repeat(n)))
            .collect(),
        &("f'{".repeat(1_000) + &"}'".repeat(1_000)),
        &(format!("({}", "not ".repeat(4_000)).repeat(150) + "x" + &")".repeat(150)),
    ] {
        let code = parse(text).map(|_| ()).unwrap_err();
        assert!(
            matches!(code, Code::NestedTooDeeply | Code::SyntaxError),
            "{code:?}"
        );
    }
}

#[test]
fn depth_within_the_limits_is_followed() {
    assert!(parse(&("(".repeat(150) + "1" + &")".repeat(150))).is_ok());
    assert!(parse(&("x".to_owned() + &" + x".repeat(4_000))).is_ok());
    assert!(parse(&("x = [".to_owned() + &"-1, ".repeat(100_000) + "]")).is_ok());
    for (part, last) in [
        ("not ", "x"),
        ("-", "x"),
        ("x ** ", "x"),
        ("lambda: ", "x"),
        ("x if y else ", "x"),
        ("x = ", "x"),
        ("x.", "y"),
    ] {
        let text = part.repeat(2_400) + last;
        assert!(parse(&text).is_ok(), "{part}");
    }
    let elifs = "elif x:\n  pass\n".repeat(4_900);
    assert!(parse(&format!("if x:\n  pass\n{elifs}")).is_ok());
    assert!(parse(&format!("{}x{}", "(not ".repeat(199), ")".repeat(199))).is_ok());
}

/// What stands at each statement and expression of a text, parents first.
fn pieces(text: &str) -> Vec<String> {
    let module = parse(text).unwrap();
    let mut pieces = Vec::new();
    module.walk(module.suite(), module.range(), &mut |node| {
        let place = match node {
            Node::Stmt(statement) => tree::range_of(statement),
            Node::Expr(expression) => tree::range_of(expression),
        };
        pieces.push(text[place.as_range()].to_owned());
        Descend::Into
    });
    pieces
}

#[test]
fn nodes_are_where_python_has_them() {
    for (text, expected) in [
        (
            "@a\n@b(1)\nasync \\\n def f(*c: d): pass\n",
            "async \\\n def f(*c: d): pass",
        ),
        ("@a\nclass é: pass\n", "class é: pass"),
        ("@a\n# class\ndef f(): pass\n", "def f(): pass"),
        ("if a: b\nelif c: d\nelse: e\n", "elif c: d\nelse: e"),
        ("f(x for x in y)\n", "x for x in y"),
        ("(a) + (b)\n", "(a) + (b)"),
        ("x = a, b\n", "a, b"),
        ("with (a as b, c): d; e;\n", "with (a as b, c): d; e"),
    ] {
        let pieces = pieces(text);
        assert!(
            pieces.iter().any(|piece| piece == expected),
            "{text}: {pieces:?}"
        );
    }
    let module = parse("def f(*c: d, **e): pass\n").unwrap();
    let Stmt::FunctionDef(function) = &module.suite()[0] else {
        panic!("a function")
    };
    let places = tree::parameters(&function.args).map(|one| tree::range_of(one).start());
    assert_eq!(places.collect::<Vec<_>>(), [7, 15]);
}

/// The constants of a text as Rust shows them; what an f-string is made of in brackets.
fn constants(text: &str) -> String {
    fn show(expression: &Expr, shown: &mut String) {
        match expression {
            Expr::Constant(constant) => *shown += &format!("{:?} ", constant.value),
            Expr::JoinedStr(string) => {
                *shown += "[";
                string.values.iter().for_each(|value| show(value, shown));
                *shown += "] ";
            }
            Expr::FormattedValue(field) => {
                *shown += &format!("{:?} ", field.conversion);
                if let Some(spec) = &field.format_spec {
                    show(spec, shown);
                }
            }
            _ => panic!("{expression:?}"),
        }
    }
    let mut shown = String::new();
    for statement in parse(text).unwrap().suite() {
        let Stmt::Expr(statement) = statement else {
            panic!("an expression")
        };
        show(&statement.value, &mut shown);
    }
    shown.trim_end().to_owned()
}

#[test]
fn constants_are_what_python_reads() {
    for (text, expected) in [
        ("0xffff_ffff_ffff_ffff_f", "Int(295147905179352825855)"),
        ("1_0000000000000000000_0", "Int(100000000000000000000)"),
        ("0b1; 0o17; 00.5", "Int(1) Int(15) Float(0.5)"),
        ("1e400; .5j", "Float(inf) Complex { real: 0.0, imag: 0.5 }"),
        ("'a' \"b\" u'\\x63\\N{HYPHEN}'", "Str(\"abc\u{2010}\")"),
        ("b'a' rb'\\n'", "Bytes([97, 92, 110])"),
        ("'''a\r\nb\\r\rc\\\r\nd'''", "Str(\"a\\nb\\r\\ncd\")"),
        ("b'''\r\n'''", "Bytes([10])"),
        (
            "f'''a\r\n{x}\r\n{x:\r\n}'''",
            "[Str(\"a\\n\") None Str(\"\\n\") None [Str(\"\\n\") ] ]",
        ),
        ("f'{{a}}' 'b' f'c'", "[Str(\"{a}bc\") ]"),
        ("'' f'{x!r}'", "[Str(\"\") Repr ]"),
        (
            "f'{x = }{x=:>{y}}'",
            "[Str(\"x = \") Repr Str(\"x=\") None [Str(\">\") None ] ]",
        ),
        ("None; True; ...", "None Bool(true) Ellipsis"),
    ] {
        assert_eq!(constants(&format!("{text}\n")), expected, "{text}");
    }
}

#[test]
fn names_are_as_they_are_written() {
    let normal_form_differs = "ﬁ.ﬁ";
    assert_eq!(names(normal_form_differs), [("ﬁ".to_owned(), 0)]);
}

#[test]
fn what_python_3_12_refuses_is_refused() {
    for text in [
        "def f(a, *, a): pass\n",
        "lambda a, *a: 0\n",
        "f(a=1, a=2)\n",
        "f'{*a}'\n",
        "t'{a}'\n",
        "class A[T = int]: pass\n",
        "try:\n    pass\nexcept A, B:\n    pass\n",
        "if x:\n\ta\n        b\n",
        "if x:\n        a\n\tb\n",
        "if x:\n  \ta\n \tb\n",
        "(a + 1) = 2\n",
        "x = 01\n",
        "x = $\n",
        "x = '\\N{no such name}'\n",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    for text in [
        "\u{feff}x = 1\n",
        "if x:\n \ta\n \tb\n",
        "if x:\n\ta\n\x0cy\n",
        "match = case = type = 1\nmatch(x)\n",
        "type A[T: int, *Ts, **P] = int\n",
        "x[*a]\n",
        "",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn what_stands_in_quotes_is_an_expression_alone() {
    for (text, is_one) in [
        ("int | None", true),
        ("int\n", true),
        (" int", false),
        ("x = 1", false),
        ("", false),
        ("a; b", false),
        ("a\nb", false),
    ] {
        assert_eq!(quoted(text).is_some(), is_one, "{text:?}");
    }
    let place = quoted("ab.c").map(|expression| tree::range_of(&expression).start());
    assert_eq!(place, Some(QUOTED as usize));
}
