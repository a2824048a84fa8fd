//! What a name stands for: scopes, imports across the modules of a repo, constants.
//!
//! Invariants: an answer other than [`Value::Unknown`] is the only one possible. A name
//! that is bound in two ways which differ is unknown.

mod enums;
mod scope;
mod setters;
mod stays;
mod strings;
mod workspace;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use rustpython_parser::ast::{self, Constant, Expr, Operator};

use super::tree::range_of;
use crate::migrate::edit::ByteRange;

pub use enums::{Member, MemberKind};
pub use scope::{Binding, BindingKind, ModuleName, Scope, is_type_checking};
pub use stays::names_from_stars;
#[cfg(test)]
pub use workspace::Given;
pub(crate) use workspace::is_always_installed;
pub use workspace::{Files, LoadError, Loaded, Workspace, unreadable};

/// How many expressions, names and imports one question may lead to: names that stand for sums of
/// names could lead to more than there is time for.
const MAX_STEPS: usize = 2_000;

/// How long a string may become, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// How deeply expressions, names and imports may lead to each other.
const MAX_DEPTH: usize = 100;

/// The steps that are left for a question, and how deep it has led.
struct Budget {
    steps: Cell<usize>,
    depth: Cell<usize>,
    /// Whether a name that may be set anew elsewhere is unknown.
    only_what_stays: bool,
}

impl Budget {
    fn new() -> Self {
        Self {
            steps: Cell::new(MAX_STEPS),
            depth: Cell::new(0),
            only_what_stays: false,
        }
    }

    /// Whether another step may be taken; takes it.
    fn spend(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }

    /// What `step` answers one level deeper; unknown where that is too deep.
    fn deeper(&self, step: impl FnOnce() -> Value) -> Value {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH || !self.spend() {
            return Value::Unknown;
        }
        self.depth.set(depth + 1);
        let value = step();
        self.depth.set(depth);
        value
    }
}

/// The call that makes a plugin, which is what tells one plugin from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    /// The module in which the call stands.
    pub module: PathBuf,
    /// The call `NekroPlugin(...)`.
    pub call: ByteRange,
}

/// What an expression stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A module of the repo.
    Module(PathBuf),
    /// Something outside the repo, by its dotted name.
    External(String),
    /// What a call of something outside the repo gives, by the dotted name of what is called.
    CallOf(String),
    /// A plugin.
    Plugin(PluginId),
    /// A function of the repo.
    Function(PathBuf, ByteRange),
    /// A class of the repo.
    Class(PathBuf, ByteRange),
    /// An instance of a class of the repo that is no plugin.
    Instance(PathBuf, ByteRange),
    /// A member of an enumeration of the repo.
    Member(Member),
    /// Known to be none of these: a number with a fraction, `None`, a list, a dict.
    Other,
    /// It cannot be told.
    Unknown,
}

/// Answers what expressions of one module stand for.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    /// The modules around it.
    pub workspace: &'a Workspace,
    /// The module.
    pub loaded: &'a Loaded,
    /// The scopes of the functions around the expression, the innermost last.
    pub locals: &'a [Scope],
}

impl<'a> Resolver<'a> {
    fn path(&self) -> &'a Path {
        self.loaded.module.source().path()
    }

    /// What `expression` stands for.
    pub fn value(&self, expression: &Expr) -> Value {
        self.evaluate(expression, &Budget::new())
    }

    /// What `expression` stands for, whatever other modules and `*` imports do: names that they may
    /// set anew are unknown.
    pub fn lasting_value(&self, expression: &Expr) -> Value {
        let budget = Budget {
            only_what_stays: true,
            ..Budget::new()
        };
        self.evaluate(expression, &budget)
    }

    /// The string that `expression` stands for.
    pub fn text(&self, expression: &Expr) -> Option<String> {
        Self::as_text(self.value(expression))
    }

    /// The dotted name of what `expression` stands for outside the repo.
    pub fn external(&self, expression: &Expr) -> Option<String> {
        match self.value(expression) {
            Value::External(name) => Some(name),
            _ => None,
        }
    }

    /// The bindings that a name has here: those of the innermost scope that binds it.
    pub fn bindings(&self, name: &str) -> &'a [Binding] {
        self.locals
            .iter()
            .rev()
            .map(|scope| scope.bindings(name))
            .find(|bindings| !bindings.is_empty())
            .unwrap_or_else(|| self.loaded.scope.bindings(name))
    }

    /// Whether a name is the parameter of a function around, and what it is annotated with.
    pub(crate) fn parameter_annotation(&self, name: &str) -> Option<Option<&'a Expr>> {
        let mut bindings = self.bindings(name).iter();
        bindings.find_map(|binding| match &binding.kind {
            BindingKind::Parameter(annotation) => Some(annotation.as_deref()),
            _ => None,
        })
    }

    fn evaluate(&self, expression: &Expr, budget: &Budget) -> Value {
        budget.deeper(|| self.evaluate_here(expression, budget))
    }

    fn evaluate_here(&self, expression: &Expr, budget: &Budget) -> Value {
        match expression {
            // What is inside it was not there for the parser.
            Expr::Constant(_) | Expr::JoinedStr(_)
                if self.loaded.module.is_blanked(range_of(expression)) =>
            {
                Value::Unknown
            }
            Expr::Constant(constant) => match &constant.value {
                Constant::Str(text) => Value::Text(text.clone()),
                Constant::Int(number) => number.try_into().map_or(Value::Other, Value::Number),
                _ => Value::Other,
            },
            Expr::Name(name) => self.name(&name.id, budget),
            Expr::Attribute(attribute) => {
                let base = self.evaluate(&attribute.value, budget);
                self.attribute(base, &attribute.attr, budget)
            }
            Expr::Call(call) => self.call(call, budget),
            Expr::BinOp(operation) if operation.op == Operator::Add => {
                let left = self.evaluate(&operation.left, budget);
                let right = self.evaluate(&operation.right, budget);
                match (Self::as_text(left), Self::as_text(right)) {
                    (Some(left), Some(right)) if left.len() + right.len() <= MAX_TEXT => {
                        Value::Text(left + &right)
                    }
                    _ => Value::Unknown,
                }
            }
            Expr::BinOp(operation) if operation.op == Operator::Mod => self
                .percent(operation, budget)
                .map_or(Value::Unknown, Value::Text),
            Expr::JoinedStr(joined) => self
                .joined(&joined.values, budget)
                .map_or(Value::Unknown, Value::Text),
            Expr::NamedExpr(named) => self.evaluate(&named.value, budget),
            Expr::IfExp(choice) => {
                let (body, orelse) = (
                    self.evaluate(&choice.body, budget),
                    self.evaluate(&choice.orelse, budget),
                );
                if body == orelse { body } else { Value::Unknown }
            }
            Expr::Dict(_) | Expr::List(_) | Expr::Set(_) | Expr::Tuple(_) | Expr::Lambda(_) => {
                Value::Other
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::GeneratorExp(_) => {
                Value::Other
            }
            _ => Value::Unknown,
        }
    }

    fn name(&self, name: &str, budget: &Budget) -> Value {
        if !budget.only_what_stays {
            return self.name_as_bound(name, budget);
        }
        let is_local = self
            .locals
            .iter()
            .any(|scope| !scope.bindings(name).is_empty());
        let value = self.name_as_bound(name, budget);
        if is_local {
            return value;
        }
        let is_bound = !self.loaded.scope.bindings(name).is_empty();
        let gives = |star: &&ModuleName| self.star_gives(star, name);
        let mut stars = self.loaded.scope.stars().iter().filter(gives);
        if stars.any(|star| self.imported(star, name, budget) != value) {
            return Value::Unknown;
        }
        match value {
            // What is imported from outside is not looked after any further.
            Value::External(_) | Value::Module(_) | Value::Unknown => value,
            // Its own module is asked where it is bound.
            _ if !is_bound => value,
            _ if self.keeps_but_for_stars(name) => value,
            _ => Value::Unknown,
        }
    }

    fn name_as_bound(&self, name: &str, budget: &Budget) -> Value {
        let mut known: Option<Value> = None;
        for binding in self.bindings(name) {
            if binding.type_checking_only {
                continue;
            }
            let value = self.binding(binding, name, budget);
            match &known {
                None => known = Some(value),
                Some(known) if *known == value => {}
                // The class has moved between releases: `try` one place, then the other.
                Some(Value::External(known)) if is_plugin_class(known) && is_plugin(&value) => {}
                Some(_) => return Value::Unknown,
            }
        }
        if let Some(value) = known {
            return value;
        }
        // Only under TYPE_CHECKING: it stands for what it stands for to a type checker.
        if let Some(binding) = self.bindings(name).first() {
            return self.binding(binding, name, budget);
        }
        let from_stars = self.loaded.scope.stars().iter();
        let values: Vec<Value> = from_stars
            .map(|star| self.imported(star, name, budget))
            .filter(|value| *value != Value::Unknown)
            .collect();
        // Which names a module outside the repo has cannot be seen, so with several it may be that
        // of any of them; but only the agent has its plugin class.
        let is_sure = |value: &&Value| match value {
            Value::External(name) => is_plugin_class(name),
            _ => true,
        };
        match (values.iter().find(is_sure), values.as_slice()) {
            (Some(sure), _) => sure.clone(),
            (None, [only]) => only.clone(),
            (None, _) => Value::Unknown,
        }
    }

    fn binding(&self, binding: &Binding, name: &str, budget: &Budget) -> Value {
        match &binding.kind {
            BindingKind::Module(module) => match self.workspace.locate(self.path(), module) {
                Some(path) => Value::Module(path),
                None => Value::External(module.dotted.clone()),
            },
            BindingKind::From(module, original) => self.imported(module, original, budget),
            BindingKind::Value(value) => {
                // What is assigned outside of a loop does not see the loop's names.
                let mut locals = self.locals;
                while let [outer @ .., innermost] = locals
                    && !innermost.holds_at(binding.range)
                {
                    locals = outer;
                }
                // `name = name`, and a loop of names, end at the limit of steps.
                Resolver { locals, ..*self }.evaluate(value, budget)
            }
            BindingKind::Function => Value::Function(self.path().to_owned(), binding.range),
            BindingKind::Class(..) => Value::Class(self.path().to_owned(), binding.range),
            BindingKind::Other if name == "__all__" => Value::Other,
            BindingKind::Parameter(_) | BindingKind::Other => Value::Unknown,
        }
    }

    /// What `from module import name` gives.
    fn imported(&self, module: &ModuleName, name: &str, budget: &Budget) -> Value {
        if !budget.spend() {
            return Value::Unknown;
        }
        let Some(path) = self.workspace.locate(self.path(), module) else {
            // `from . import x` in a folder without `__init__.py`: a module beside this one.
            if module.level > 0 {
                return self
                    .submodule(module, name)
                    .map_or(Value::Unknown, Value::Module);
            }
            return match module.dotted.as_str() {
                "" => Value::Unknown,
                dotted => Value::External(format!("{dotted}.{name}")),
            };
        };
        let in_module = if path == self.path() {
            Value::Unknown
        } else {
            match self.workspace.load(&path) {
                Ok(loaded) => {
                    let inside = Resolver {
                        workspace: self.workspace,
                        loaded: &loaded,
                        locals: &[],
                    };
                    inside.name(name, budget)
                }
                Err(_) => Value::Unknown,
            }
        };
        if in_module != Value::Unknown {
            return in_module;
        }
        self.submodule(module, name)
            .map_or(Value::Unknown, Value::Module)
    }

    fn submodule(&self, module: &ModuleName, name: &str) -> Option<PathBuf> {
        let dotted = match module.dotted.as_str() {
            "" => name.to_owned(),
            dotted => format!("{dotted}.{name}"),
        };
        let module = ModuleName {
            level: module.level,
            dotted,
        };
        self.workspace.locate(self.path(), &module)
    }

    fn attribute(&self, base: Value, attribute: &str, budget: &Budget) -> Value {
        match base {
            Value::External(name) => Value::External(format!("{name}.{attribute}")),
            Value::Module(path) => {
                let Ok(loaded) = self.workspace.load(&path) else {
                    return Value::Unknown;
                };
                let inside = Resolver {
                    workspace: self.workspace,
                    loaded: &loaded,
                    locals: &[],
                };
                let value = inside.name(attribute, budget);
                if value != Value::Unknown || path.file_name() != Some("__init__.py".as_ref()) {
                    return value;
                }
                let module = ModuleName {
                    level: 1,
                    dotted: attribute.to_owned(),
                };
                let submodule = self.workspace.locate(&path, &module);
                submodule.map_or(Value::Unknown, Value::Module)
            }
            Value::Class(path, range) => {
                let Ok(loaded) = self.workspace.load(&path) else {
                    return Value::Unknown;
                };
                let inside = Resolver {
                    workspace: self.workspace,
                    loaded: &loaded,
                    locals: &[],
                };
                match loaded.scope.class_at(range) {
                    Some((bases, scope)) => inside.class_attribute(bases, scope, attribute, budget),
                    None => Value::Unknown,
                }
            }
            Value::Member(member) => Self::member_attribute(member, attribute),
            _ => Value::Unknown,
        }
    }

    fn call(&self, call: &ast::ExprCall, budget: &Budget) -> Value {
        if let Some(text) = self.string_call(call, budget) {
            return Value::Text(text);
        }
        match self.evaluate(&call.func, budget) {
            Value::External(name) if is_plugin_class(&name) => Value::Plugin(PluginId {
                module: self.path().to_owned(),
                call: range_of(call),
            }),
            Value::External(name) => Value::CallOf(name),
            Value::Class(path, range) => {
                if self.derives_from(&path, range, &is_plugin_class, budget) {
                    Value::Plugin(PluginId {
                        module: self.path().to_owned(),
                        call: range_of(call),
                    })
                } else {
                    Value::Instance(path, range)
                }
            }
            _ if self.can_only_be_a_plugin(&call.func, budget) => Value::Plugin(PluginId {
                module: self.path().to_owned(),
                call: range_of(call),
            }),
            _ => Value::Unknown,
        }
    }

    /// Whether what is called is the agent's plugin class or cannot be called at all: `None` takes
    /// its place where the import fails.
    fn can_only_be_a_plugin(&self, called: &Expr, budget: &Budget) -> bool {
        let Expr::Name(name) = called else {
            return false;
        };
        let values: Vec<Value> = self
            .bindings(&name.id)
            .iter()
            .map(|binding| self.binding(binding, &name.id, budget))
            .collect();
        values.iter().any(is_plugin)
            && values
                .iter()
                .all(|value| is_plugin(value) || *value == Value::Other)
    }

    /// Whether `expression` is a pydantic model that is defined in the repo.
    pub fn is_model(&self, expression: &Expr) -> bool {
        let is_base = |name: &str| matches!(name, "pydantic.BaseModel" | "pydantic.main.BaseModel");
        match self.value(expression) {
            Value::Class(path, range) => self.derives_from(&path, range, &is_base, &Budget::new()),
            _ => false,
        }
    }

    /// Whether a class of the repo derives from one outside of it.
    fn derives_from(
        &self,
        path: &Path,
        range: ByteRange,
        is_base: &dyn Fn(&str) -> bool,
        budget: &Budget,
    ) -> bool {
        let Ok(loaded) = self.workspace.load(path) else {
            return false;
        };
        if !budget.spend() {
            return false;
        }
        let inside = Resolver {
            workspace: self.workspace,
            loaded: &loaded,
            locals: &[],
        };
        let bases = loaded.scope.class_at(range).map(|(bases, _)| bases);
        bases
            .into_iter()
            .flatten()
            .any(|base| match inside.evaluate(base, budget) {
                Value::External(name) => is_base(&name),
                Value::Class(path, range) => inside.derives_from(&path, range, is_base, budget),
                _ => false,
            })
    }
}

/// Whether a value is the agent's plugin class.
fn is_plugin(value: &Value) -> bool {
    matches!(value, Value::External(name) if is_plugin_class(name))
}

/// Whether a dotted name is that of the agent's plugin class: `nekro_agent.api.plugin.NekroPlugin`
/// and the modules that it comes from.
fn is_plugin_class(name: &str) -> bool {
    name.starts_with("nekro_agent.") && name.ends_with(".NekroPlugin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(files: &[(&str, &str)]) -> Workspace {
        let files = files.iter();
        let given = files
            .map(|(path, text)| (Path::new("/r").join(path), (*text).to_owned()))
            .collect();
        Workspace::new(PathBuf::from("/r"), Box::new(Given(given)))
    }

    /// What `X` stands for at the end of `a.py` among `files`.
    fn value_of_x(files: &[(&str, &str)]) -> Value {
        let workspace = workspace(files);
        let loaded = workspace.load(&Path::new("/r").join(files[0].0)).unwrap();
        let resolver = Resolver {
            workspace: &workspace,
            loaded: &loaded,
            locals: &[],
        };
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
}
