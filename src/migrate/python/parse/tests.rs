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
}
