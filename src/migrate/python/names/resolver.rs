//! Answers what an expression stands for: through assignments, imports, attributes and calls.
//!
//! Invariants: an answer other than [`Value::Unknown`] is the only one possible; a name that is bound in
//! two ways which differ is unknown.

use std::path::{Path, PathBuf};

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Constant, Expr, Operator};
use crate::migrate::python::names::scope::{Binding, BindingKind, ModuleName, Scope};
use crate::migrate::python::names::value::{Budget, MAX_TEXT, PluginId, Value};
use crate::migrate::python::names::workspace::{Loaded, Workspace};
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// Answers what expressions of one module stand for.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    /// The modules around it.
    pub workspace: &'a Workspace,
    /// The module.
    pub loaded: &'a Loaded,
    /// The scopes of the enclosing functions the expression, the innermost last.
    pub locals: &'a [Scope],
}

impl<'a> Resolver<'a> {
    /// One that sees the names at the level of a module.
    pub(crate) fn of_module(workspace: &'a Workspace, loaded: &'a Loaded) -> Self {
        Self {
            workspace,
            loaded,
            locals: &[],
        }
    }

    /// The same with other scopes of enclosing functions.
    pub(crate) fn with_locals<'l>(self, locals: &'l [Scope]) -> Resolver<'l>
    where
        'a: 'l,
    {
        Resolver { locals, ..self }
    }

    pub(super) fn path(&self) -> &'a Path {
        self.loaded.module.source().path()
    }

    /// What `expression` stands for.
    pub fn value(&self, expression: &Expr) -> Value {
        self.evaluate(expression, &Budget::new())
    }

    /// What `expression` stands for, whatever other modules and `*` imports do: names that they may
    /// set again are unknown.
    pub fn lasting_value(&self, expression: &Expr) -> Value {
        self.evaluate(expression, &Budget::for_what_stays())
    }

    /// The string that `expression` stands for.
    pub fn text(&self, expression: &Expr) -> Option<String> {
        Self::as_text(self.value(expression))
    }

    /// Whether the names in `expression` keep what they stand for here: no other module may set them, nor
    /// their own one by their text.
    pub(crate) fn lasts(&self, expression: &Expr) -> bool {
        let mut lasts = true;
        tree::walk(Node::Expr(expression), &mut |node| match node {
            Node::Expr(named @ (Expr::Name(_) | Expr::Attribute(_))) => {
                let value = self.value(named);
                let is_known = matches!(
                    value,
                    Value::Text(_) | Value::Number(_) | Value::Function(..)
                );
                lasts &= !is_known || self.lasting_value(named) == value;
                if is_known {
                    Descend::Past
                } else {
                    Descend::Into
                }
            }
            _ => Descend::Into,
        });
        lasts
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

    /// Whether a name is the parameter of an enclosing function, and what it is annotated with.
    pub(crate) fn parameter_annotation(&self, name: &str) -> Option<Option<&'a Expr>> {
        let mut bindings = self.bindings(name).iter();
        bindings.find_map(|binding| match &binding.kind {
            BindingKind::Parameter(annotation) => Some(annotation.as_deref()),
            _ => None,
        })
    }

    pub(super) fn evaluate(&self, expression: &Expr, budget: &Budget) -> Value {
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

    pub(super) fn name(&self, name: &str, budget: &Budget) -> Value {
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

    pub(super) fn binding(&self, binding: &Binding, name: &str, budget: &Budget) -> Value {
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
    pub(super) fn imported(&self, module: &ModuleName, name: &str, budget: &Budget) -> Value {
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
                    let inside = Resolver::of_module(self.workspace, &loaded);
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

    pub(super) fn submodule(&self, module: &ModuleName, name: &str) -> Option<PathBuf> {
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
                let inside = Resolver::of_module(self.workspace, &loaded);
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
                let inside = Resolver::of_module(self.workspace, &loaded);
                match loaded.scope.class_at(range) {
                    Some((bases, scope)) => inside.class_attribute(bases, scope, attribute, budget),
                    None => Value::Unknown,
                }
            }
            Value::Member(member) => Self::member_attribute(member, attribute),
            _ => Value::Unknown,
        }
    }

    pub(super) fn call(&self, call: &ast::ExprCall, budget: &Budget) -> Value {
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
    pub(super) fn derives_from(
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
        let inside = Resolver::of_module(self.workspace, &loaded);
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
mod tests;
