use super::*;

fn attributes(text: &str) -> String {
    let mut names = FxHashSet::default();
    add_set_attributes(text, &mut names);
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort();
    names.concat()
}

#[test]
fn attributes_that_are_set_are_noted() {
    let text = "conf.A = 1\nconf.B += 1\nconf.C: int = 1\nconf.D, x = 1, 2\n(conf.E, x) = 1, 2\n\
                for conf.F in y:\nwith a as conf.G:\ndel conf.H\n(conf.I)=1\n\
                sys.modules['p.conf'].J = 1\na.b.K //= 2\nx = conf.L = 3\n\
                conf . M = 1\nconf.N \\\n    = 1\nif a: conf.O: int = 1\n";
    assert_eq!(attributes(text), "ABCDEFGHIJKLMNO");
    assert_eq!(attributes("(\n    conf.A,\n    conf.B\n) = 1, 2\n"), "AB");
    assert_eq!(attributes("(x,\n conf.A, y,\n z) = 1, 2, 3, 4\n"), "A");
    assert_eq!(attributes("for x, conf.A in y:\n"), "A");
    assert_eq!(attributes("for (\n    x,\n    conf.A,\n) in y:\n"), "A");
    assert_eq!(attributes("(conf.\n    A) = 1\n"), "A");
    assert_eq!(attributes("import conf as self\nself.A = 1\n"), "A");
    assert_eq!(attributes("def f(self):\n    self.A = 1\n"), "A");
    assert_eq!(attributes("self.__new__ = f\n"), "__new__");
    assert_eq!(attributes("r.scope['method'] = 1\n"), "scope");
    assert_eq!(attributes("r.scope['method']\nr.scope.get('x')\n"), "");
}

#[test]
fn attributes_that_are_only_read_are_not() {
    let text = "self.A = 1\ncls.A = 1\nx = conf.A\nif conf.A == 1:\nif conf.A:\nf(conf.A, x=1)\n\
                return conf.A, 1\nif conf.A <= 1 or conf.A >= 1:\n{conf.A: 1}\nx[conf.A]\n\
                monkeypatch.setattr(conf, 'A', 1)\nf(\n    conf.A,\n)\nx = f(conf.A)\n\
                x = (conf.A) == 1\nassert f(conf.A) == 1\n";
    assert_eq!(attributes(text), "");
}

#[test]
fn what_may_set_anything_is_told_from_what_names_it() {
    for text in [
        "conf.__dict__['A'] = 1",
        "conf.__dict__.update(A=1)",
        "d = vars(conf)",
        "vars(sys.modules['conf'])['A'] = 1",
        "exec(text)",
        "builtins.exec(text)",
        "f.__globals__['A'] = 1",
        "sys.modules['conf'] = other",
        "setattr(conf, name, 1)",
        "setattr(\n    conf,\n    'a' + 'b',\n    1,\n)",
        "map(setattr, a, b, c)",
        "object.__setattr__(conf, name, 1)",
        "from unittest import mock\nmock.patch(name, 1)",
        "from sys import modules\nmodules['conf'] = other",
        "import sys as s\ns.modules['conf'] = other",
        "modules = sys.modules\nmodules['conf'] = other",
        "put = setattr\nput(conf, name, 1)",
        "getattr(conf, '__setattr__')('A', 1)",
    ] {
        assert!(sets_anything(text, &mut FxHashSet::default()), "{text}");
    }
    for text in [
        "setattr(conf, 'A', 1)",
        "builtins.setattr(conf, 'A', 1)",
        "setattr(\n    conf,\n    'A',\n    1,\n)",
        "type.__setattr__(conf, 'A', 1)",
        "from unittest import mock\nmock.patch('conf.A', 1)",
        "from unittest import mock\nmock.patch.object(conf, 'A', 1)",
    ] {
        let mut names = FxHashSet::default();
        assert!(!sets_anything(text, &mut names), "{text}");
        assert!(names.contains("A"), "{text}");
    }
    for text in [
        "self.__dict__.update(A=1)",
        "{**vars(a), **b.__dict__}",
        "for name, value in vars(a).items():",
        "setattr(self, name, value)",
        "def __setattr__(self, name, value):\n    super().__setattr__(name, value)",
        "monkeypatch.setattr(conf, name, 1)",
        "cursor.exec(text)",
        "regex.eval(text)",
        "if 'conf' in sys.modules:",
        "path = sys.modules['conf'].__file__",
        "from unittest import mock\nclient.patch(url)",
    ] {
        let mut names = FxHashSet::default();
        assert!(!sets_anything(text, &mut names), "{text}");
        assert!(!names.contains("A"), "{text}");
    }
}

#[test]
fn libraries_of_which_something_is_set_are_noted() {
    let text = "import json\nimport os\njson.decoder.JSONDecoder.decode = f\n";
    let mut changed = FxHashSet::default();
    add_changed_libraries(text, &imports::imports(text).0, &mut changed);
    assert!(changed.contains("json") && !changed.contains("os"));
}

#[test]
fn what_may_set_anything_reaches_what_it_can_have_got() {
    let files = [
        ("/r/a/__init__.py", "from . import tools"),
        ("/r/a/tools.py", "def f(m):\n    m.__dict__['A'] = 1"),
        (
            "/r/b.py",
            "import json\nfrom a import tools\nimport c\ntools.f(c)\ntools.f(json)",
        ),
        ("/r/c.py", "A = 1"),
        ("/r/d.py", "import os\nA = 1"),
    ];
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| PathBuf::from(path)).collect();
    let setters = Setters::of(&paths, |path| {
        let (_, text) = files.iter().find(|(other, _)| Path::new(other) == path)?;
        Some(text.as_bytes().into())
    });
    let reached = files.map(|(path, _)| setters.reach_module(Path::new(path)));
    assert_eq!(reached, [true, true, true, true, false]);
    assert!(setters.reach_library("json"));
    assert!(!setters.reach_library("os"));
}

#[test]
fn what_a_migration_writes_sets_nothing() {
    let template = include_str!("../../../../../templates/python/reply_route.py.j2");
    for line in text::WRITTEN {
        assert!(template.lines().any(|one| one.trim() == *line), "{line}");
        let mut names = FxHashSet::default();
        assert!(
            !sets_anything(&format!("def f():\n    {line}\n"), &mut names),
            "{line}"
        );
        assert!(
            sets_anything(&format!("def f():\n    x = {line}\n"), &mut names),
            "{line}"
        );
    }
}
