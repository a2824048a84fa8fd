use super::*;
use crate::migrate::python::names::MemoryFiles;

fn workspace(files: &[(&str, &str)]) -> Workspace {
    let files = files.iter();
    let given = files
        .map(|(path, text)| (Path::new("/r").join(path), (*text).to_owned()))
        .collect();
    Workspace::new(PathBuf::from("/r"), Box::new(MemoryFiles(given)))
}

/// What `X` stands for at the end of `a.py` among `files`.
fn value_of_x(files: &[(&str, &str)]) -> Value {
    let workspace = workspace(files);
    let loaded = workspace.load(&Path::new("/r").join(files[0].0)).unwrap();
    let resolver = Resolver::of_module(&workspace, &loaded);
    resolver.name("X", &Budget::new())
}

fn text_of_x(files: &[(&str, &str)]) -> Option<String> {
    match value_of_x(files) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[test]
fn constants_are_followed_through_expressions() {
    for text in [
        "X = 'a/b'",
        "X = 'a' '/b'",
        "A = 'a'\nX = A + '/b'",
        "A: str = 'a'\nX = f'{A}/b'",
        "A = B = 'b'\nX = '/'.join(['a', A])",
        "class C:\n    A = 'a/b'\nX = C.A",
        "X = 'a/b' if y else 'a/b'",
        "try:\n    X = 'a/b'\nexcept E:\n    X = 'a' + '/b'",
        "A = 'a'\nX = '%s/b' % A",
        "X = '%s/%s' % ('a', 'b')",
        "X = '{}/{}'.format('a', 'b')",
        "X = '{1}/{0}'.format('b', 'a')",
        "X = '{a}/b'.format(a='a')",
        "X = 'A/B'.lower()",
        "X = '/a/b/'.strip('/')",
        "X = 'a/c'.replace('c', 'b')",
        "class C:\n    A = 'a'\n    B = A + '/b'\nX = C.B",
        "A = 'a/b'\nclass C:\n    A = A\nX = C.A",
        "from enum import Enum\nclass E(Enum):\n    A = 'a/b'\nX = E.A.value",
        "from enum import Enum\nclass E(str, Enum):\n    A = 'a'\nX = E.A + '/b'",
        "import enum\nclass E(enum.StrEnum):\n    A = 'a'\nX = f'{E.A}/b'",
    ] {
        assert_eq!(
            text_of_x(&[("a.py", text)]).as_deref(),
            Some("a/b"),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_constant_is_unknown() {
    for text in [
        "X = f()",
        "X = 'a'\nX = 'b'",
        "X = 'a'\nX += 'b'",
        "for X in 'ab': pass",
        "X = X",
        "A = B\nB = A\nX = A",
        "X = f'{a!r}'",
        "X = 'a'\ndef f():\n    global X\n    X = 'b'",
        "X = '%s' % ('a', 'b')",
        "X = '%r' % 'a'",
        "X = '{:>9}'.format('a')",
        "X = '{}{0}'.format('a')",
        "class C:\n    A = 'a'\nC.A = 'b'\nX = C.A",
        "from enum import Enum\nclass E(Enum):\n    A = 'a'\nX = E.A + 'b'",
        "from enum import Enum\nclass E(str, Enum):\n    A = 'a'\nX = f'{E.A}'",
        "from other import TextEnum\nclass E(TextEnum):\n    A = 'a'\nX = E.A.value",
    ] {
        assert_eq!(text_of_x(&[("a.py", text)]), None, "{text}");
    }
}

#[test]
fn sums_of_sums_end_in_time() {
    let mut text = String::from("A0 = 'a'\n");
    for level in 1..200 {
        text += &format!("A{level} = A{0} + A{0}\n", level - 1);
    }
    text += "X = A199\n";
    assert_eq!(text_of_x(&[("a.py", &text)]), None);
}

#[test]
fn imports_are_followed_across_modules() {
    let constant = ("p/b.py", "X = 'x'");
    for (path, text) in [
        ("p/a.py", "from .b import X"),
        ("p/a.py", "from . import b\nX = b.X"),
        ("p/a.py", "from p.b import X"),
        ("p/a.py", "import p.b as q\nX = q.X"),
        ("p/a.py", "from .b import *"),
        ("p/q/a.py", "from ..b import X"),
        ("a.py", "import p.b\nX = p.b.X"),
    ] {
        let files = [
            (path, text),
            constant,
            ("p/__init__.py", ""),
            ("p/q/__init__.py", ""),
        ];
        assert_eq!(text_of_x(&files).as_deref(), Some("x"), "{path}: {text}");
    }
}

#[test]
fn a_package_may_import_itself_by_its_full_name() {
    for (path, text) in [
        ("p/a.py", "from workdir.p.b import X"),
        ("p/a.py", "import packages.p.b as b\nX = b.X"),
        ("p/a.py", "from workdir.p import b\nX = b.X"),
    ] {
        let files = [(path, text), ("p/b.py", "X = 'x'"), ("p/__init__.py", "")];
        assert_eq!(text_of_x(&files).as_deref(), Some("x"), "{path}: {text}");
    }
    // The repo is the package itself.
    let own = "NekroPlugin(module_name='weather')\nX = 'x'";
    for text in [
        "from packages.weather.main import X",
        "from weather.main import X",
        "from r.main import X",
    ] {
        let files = [("a.py", text), ("main.py", own), ("__init__.py", "")];
        assert_eq!(text_of_x(&files).as_deref(), Some("x"), "{text}");
    }
    for text in [
        "from packages.rain.main import X",
        "from plugins.workdir.r.main import X",
    ] {
        let files = [("a.py", text), ("main.py", own), ("__init__.py", "")];
        assert_eq!(text_of_x(&files), None, "{text}");
    }
}

#[test]
fn plugins_are_found_under_any_name() {
    for text in [
        "from nekro_agent.api.plugin import NekroPlugin\nX = NekroPlugin('n')",
        "from nekro_agent.api.plugin import NekroPlugin as N\nX = N('n')",
        "import nekro_agent.api.plugin as api\nX = api.NekroPlugin('n')",
        "import nekro_agent.api.plugin\nX = nekro_agent.api.plugin.NekroPlugin('n')",
        "from nekro_agent.api.plugin import NekroPlugin\nclass P(NekroPlugin): pass\nX = P('n')",
        "from fastapi import *\nfrom nekro_agent.api.plugin import *\nX = NekroPlugin('n')",
        "from nekro_agent.api.plugin import NekroPlugin\nY = NekroPlugin('n')\nX = Y",
        "try:\n    from nekro_agent.api.plugin import NekroPlugin\nexcept ImportError:\n    from nekro_agent.services.plugin.base import NekroPlugin\nX = NekroPlugin('n')",
        "try:\n    from nekro_agent.api.plugin import NekroPlugin\nexcept ImportError:\n    NekroPlugin = None\nX = NekroPlugin('n')",
    ] {
        assert!(
            matches!(value_of_x(&[("a.py", text)]), Value::Plugin(_)),
            "{text}"
        );
    }
    for text in [
        "from bus import NekroPlugin\nX = NekroPlugin()",
        "class N: pass\nX = N()",
        "try:\n    from nekro_agent.api.plugin import NekroPlugin\nexcept ImportError:\n    from stub import NekroPlugin\nX = NekroPlugin('n')",
        "try:\n    from nekro_agent.api.plugin import NekroPlugin\nexcept ImportError:\n    class NekroPlugin: pass\nX = NekroPlugin('n')",
    ] {
        assert!(
            !matches!(value_of_x(&[("a.py", text)]), Value::Plugin(_)),
            "{text}"
        );
    }
}

#[test]
fn the_plugin_of_a_package_is_one_through_all_its_modules() {
    let files = [
        ("p/h.py", "from . import plugin as X"),
        ("p/__init__.py", "from .plugin import plugin"),
        (
            "p/plugin.py",
            "from nekro_agent.api.plugin import NekroPlugin\nplugin = NekroPlugin('n')",
        ),
    ];
    let Value::Plugin(id) = value_of_x(&files) else {
        panic!("not a plugin")
    };
    assert_eq!(id.module, Path::new("/r/p/plugin.py"));
}
