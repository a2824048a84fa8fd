//! What a name stands for: scopes, imports across the modules of a repo, constants.
//!
//! What always holds: an answer other than [`Value::Unknown`] is the only one possible. A name
//! that is bound in two ways which differ is unknown.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustpython_parser::ast::{self, Constant, Expr, Operator, Stmt};

use super::parse::Module;
use super::stdlib::is_stdlib;
use super::tree::{self, range_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::edit::ByteRange;
use crate::source::SourceFile;
use crate::text;

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
}

impl Budget {
    fn new() -> Self {
        Self {
            steps: Cell::new(MAX_STEPS),
            depth: Cell::new(0),
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

/// A module as it is written after `from` or `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleName {
    /// How many dots stand in front.
    pub level: usize,
    /// The dotted name after them; may be empty.
    pub dotted: String,
}

/// How a name gets its value.
#[derive(Debug, Clone)]
pub enum BindingKind {
    /// `import a.b as name`; without `as` it is the first part that is bound.
    Module(ModuleName),
    /// `from module import original as name`.
    From(ModuleName, String),
    /// `name = expression`, where the expression is one that can be followed.
    Value(Box<Expr>),
    /// `def` or `async def`.
    Function,
    /// `class`, with its bases and what is bound in its body.
    Class(Vec<Expr>, Box<Scope>),
    /// The parameter of a function, with its annotation.
    Parameter(Option<Box<Expr>>),
    /// Anything else: a loop variable, an unpacked tuple, a display of many values.
    Other,
}

/// One place that binds a name.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The statement, or the parameter.
    pub range: ByteRange,
    /// Whether it stands under `if TYPE_CHECKING:`, so that nothing is bound at run time.
    pub type_checking_only: bool,
    /// How.
    pub kind: BindingKind,
}

/// The names that a module, a class or a function binds in its own body.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    bindings: HashMap<String, Vec<Binding>>,
    stars: Vec<ModuleName>,
}

impl Scope {
    /// What `body` binds; the bodies of functions and classes in it are scopes of their own.
    pub fn of_body(body: &[Stmt]) -> Self {
        let mut scope = Self::default();
        scope.add_body(body, false);
        scope
    }

    /// What a function binds: its parameters and its body.
    pub fn of_function(arguments: &ast::Arguments, body: &[Stmt]) -> Self {
        let mut scope = Self::default();
        for parameter in tree::parameters(arguments) {
            let annotation = parameter.annotation.clone();
            scope.bind(
                &parameter.arg,
                range_of(parameter),
                false,
                BindingKind::Parameter(annotation),
            );
        }
        scope.add_body(body, false);
        scope
    }

    /// Where and how `name` is bound.
    pub fn bindings(&self, name: &str) -> &[Binding] {
        self.bindings.get(name).map_or(&[], Vec::as_slice)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.bindings.keys().map(String::as_str)
    }

    /// The modules of `from module import *`.
    pub fn stars(&self) -> &[ModuleName] {
        &self.stars
    }

    fn bind(&mut self, name: &str, range: ByteRange, type_checking_only: bool, kind: BindingKind) {
        self.bindings
            .entry(name.to_owned())
            .or_default()
            .push(Binding {
                range,
                type_checking_only,
                kind,
            });
    }

    /// Binds what is assigned to `target`.
    fn bind_target(&mut self, target: &Expr, range: ByteRange, guard: bool, value: Option<&Expr>) {
        match target {
            Expr::Name(name) => {
                let kind = match value {
                    Some(value) if can_be_followed(value) => {
                        BindingKind::Value(Box::new(value.clone()))
                    }
                    _ => BindingKind::Other,
                };
                self.bind(&name.id, range, guard, kind);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                for element in elts {
                    self.bind_target(element, range, guard, None);
                }
            }
            Expr::Starred(starred) => self.bind_target(&starred.value, range, guard, None),
            _ => {}
        }
    }

    fn add_body(&mut self, body: &[Stmt], guard: bool) {
        for statement in body {
            self.add_statement(statement, guard);
        }
    }

    fn add_statement(&mut self, statement: &Stmt, guard: bool) {
        let range = range_of(statement);
        match statement {
            Stmt::Import(s) => {
                for alias in &s.names {
                    let full = alias.name.as_str();
                    let (name, dotted) = match &alias.asname {
                        Some(name) => (name.as_str(), full),
                        None => {
                            let first = full.split('.').next().unwrap_or(full);
                            (first, first)
                        }
                    };
                    let module = ModuleName {
                        level: 0,
                        dotted: dotted.to_owned(),
                    };
                    self.bind(name, range, guard, BindingKind::Module(module));
                }
            }
            Stmt::ImportFrom(s) => {
                let module = ModuleName {
                    level: s.level.map_or(0, |level| level.to_usize()),
                    dotted: s
                        .module
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                };
                for alias in &s.names {
                    if alias.name.as_str() == "*" {
                        self.stars.push(module.clone());
                        continue;
                    }
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    let kind = BindingKind::From(module.clone(), alias.name.to_string());
                    self.bind(name, range, guard, kind);
                }
            }
            Stmt::Assign(s) => {
                for target in &s.targets {
                    self.bind_target(target, range, guard, Some(&s.value));
                }
            }
            Stmt::AnnAssign(s) if s.value.is_some() => {
                self.bind_target(&s.target, range, guard, s.value.as_deref());
            }
            Stmt::AugAssign(s) => self.bind_target(&s.target, range, guard, None),
            Stmt::FunctionDef(s) => self.bind(&s.name, range, guard, BindingKind::Function),
            Stmt::AsyncFunctionDef(s) => self.bind(&s.name, range, guard, BindingKind::Function),
            Stmt::ClassDef(s) => {
                let kind = BindingKind::Class(s.bases.clone(), Box::new(Self::of_body(&s.body)));
                self.bind(&s.name, range, guard, kind);
            }
            Stmt::TypeAlias(s) => self.bind_target(&s.name, range, guard, None),
            Stmt::For(s) => {
                self.bind_target(&s.target, range, guard, None);
                self.add_body(&s.body, guard);
                self.add_body(&s.orelse, guard);
            }
            Stmt::AsyncFor(s) => {
                self.bind_target(&s.target, range, guard, None);
                self.add_body(&s.body, guard);
                self.add_body(&s.orelse, guard);
            }
            Stmt::While(s) => {
                self.add_body(&s.body, guard);
                self.add_body(&s.orelse, guard);
            }
            Stmt::If(s) => {
                self.add_body(&s.body, guard || is_type_checking(&s.test));
                self.add_body(&s.orelse, guard);
            }
            Stmt::With(ast::StmtWith { items, body, .. })
            | Stmt::AsyncWith(ast::StmtAsyncWith { items, body, .. }) => {
                for item in items {
                    if let Some(target) = &item.optional_vars {
                        self.bind_target(target, range, guard, None);
                    }
                }
                self.add_body(body, guard);
            }
            Stmt::Match(s) => {
                for case in &s.cases {
                    self.bind_pattern(&case.pattern, range, guard);
                    self.add_body(&case.body, guard);
                }
            }
            Stmt::Try(ast::StmtTry {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            })
            | Stmt::TryStar(ast::StmtTryStar {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            }) => {
                self.add_body(body, guard);
                for ast::ExceptHandler::ExceptHandler(handler) in handlers {
                    if let Some(name) = &handler.name {
                        self.bind(name, range, guard, BindingKind::Other);
                    }
                    self.add_body(&handler.body, guard);
                }
                self.add_body(orelse, guard);
                self.add_body(finalbody, guard);
            }
            _ => {}
        }
    }

    fn bind_pattern(&mut self, pattern: &ast::Pattern, range: ByteRange, guard: bool) {
        let mut name = |name: &Option<ast::Identifier>| {
            if let Some(name) = name {
                self.bind(name, range, guard, BindingKind::Other);
            }
        };
        match pattern {
            ast::Pattern::MatchAs(p) => {
                name(&p.name);
                if let Some(inner) = &p.pattern {
                    self.bind_pattern(inner, range, guard);
                }
            }
            ast::Pattern::MatchStar(p) => name(&p.name),
            ast::Pattern::MatchMapping(p) => {
                name(&p.rest);
                p.patterns
                    .iter()
                    .for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchSequence(p) => {
                p.patterns
                    .iter()
                    .for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchClass(p) => {
                let patterns = p.patterns.iter().chain(&p.kwd_patterns);
                patterns.for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchOr(p) => {
                p.patterns
                    .iter()
                    .for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => {}
        }
    }
}

/// Whether the test of an `if` is `TYPE_CHECKING`, however it was imported.
pub fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// Whether an assigned value is worth keeping: large displays of data are not.
fn can_be_followed(value: &Expr) -> bool {
    match value {
        Expr::Constant(_)
        | Expr::JoinedStr(_)
        | Expr::Name(_)
        | Expr::Attribute(_)
        | Expr::IfExp(_) => true,
        Expr::BinOp(_) | Expr::Call(_) | Expr::NamedExpr(_) | Expr::Await(_) => true,
        Expr::Tuple(tuple) => tuple.elts.len() <= 3,
        Expr::Dict(dict) => dict.values.len() <= 32,
        _ => false,
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
    /// Known to be none of these: a number with a fraction, `None`, a list, a dict.
    Other,
    /// It cannot be told.
    Unknown,
}

/// A module with the names that it binds.
#[derive(Debug)]
pub struct Loaded {
    /// The module.
    pub module: Module,
    /// The names at module level.
    pub scope: Scope,
}

/// Why a module is not there.
#[derive(Debug, Clone)]
pub enum LoadError {
    /// There is no such file.
    Missing,
    /// It cannot be read or parsed.
    Broken(Box<Diagnostic>),
}

type Slot = Arc<OnceLock<Result<Arc<Loaded>, LoadError>>>;

/// How files are read.
pub trait Files: Send + Sync {
    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Whether there is a file at `path`.
    fn is_file(&self, path: &Path) -> bool;
}

/// The modules of a repo, each read and parsed when it is first asked for.
pub struct Workspace {
    /// The folder above which no module is looked for.
    root: PathBuf,
    files: Box<dyn Files>,
    modules: Mutex<HashMap<PathBuf, Slot>>,
}

impl Workspace {
    /// The modules below `root`, an absolute path, among `files`.
    pub fn new(root: PathBuf, files: Box<dyn Files>) -> Self {
        Self {
            root,
            files,
            modules: Mutex::default(),
        }
    }

    /// The folder above which no module is looked for.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The module at `path`, an absolute path.
    ///
    /// # Errors
    /// [`LoadError`] when there is no such file or it is no valid Python.
    pub fn load(&self, path: &Path) -> Result<Arc<Loaded>, LoadError> {
        let slot = {
            let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
            match modules.get(path) {
                Some(slot) => slot.clone(),
                None => modules.entry(path.to_owned()).or_default().clone(),
            }
        };
        slot.get_or_init(|| self.read_and_parse(path)).clone()
    }

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }

    /// Every module that was asked for and could be parsed, in no order.
    pub fn into_modules(self) -> Vec<Arc<Loaded>> {
        let modules = self.modules.into_inner();
        modules
            .unwrap_or_else(PoisonError::into_inner)
            .into_values()
            .filter_map(|slot| Arc::into_inner(slot)?.into_inner()?.ok())
            .collect()
    }

    /// Every module that was asked for and could be parsed, by path.
    pub fn loaded(&self) -> Vec<Arc<Loaded>> {
        let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded: Vec<_> = modules
            .values()
            .filter_map(|slot| slot.get()?.as_ref().ok().cloned())
            .collect();
        loaded.sort_by(|a, b| a.module.source().path().cmp(b.module.source().path()));
        loaded
    }

    fn read_and_parse(&self, path: &Path) -> Result<Arc<Loaded>, LoadError> {
        let bytes = self.files.read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::Missing,
            _ => LoadError::Broken(Box::new(unreadable(path, &error))),
        })?;
        let source = SourceFile::from_bytes(path, bytes).map_err(LoadError::Broken)?;
        let module = Module::parse(source).map_err(LoadError::Broken)?;
        let scope = Scope::of_body(module.suite());
        Ok(Arc::new(Loaded { module, scope }))
    }

    /// The file of the module `name` as it is written in the file `from`; none outside the repo.
    pub fn locate(&self, from: &Path, name: &ModuleName) -> Option<PathBuf> {
        let parts = || name.dotted.split('.').filter(|part| !part.is_empty());
        let folder = from.parent()?;
        if name.level > 0 {
            let base = folder.ancestors().nth(name.level - 1)?;
            return self.module_file(base, parts());
        }
        let first = parts().next()?;
        if is_stdlib(first) || is_known_distribution(first) {
            return None;
        }
        folder
            .ancestors()
            .take_while(|ancestor| ancestor.starts_with(&self.root))
            .find_map(|ancestor| self.module_file(ancestor, parts()))
    }

    fn module_file<'a>(
        &self,
        base: &Path,
        parts: impl Iterator<Item = &'a str>,
    ) -> Option<PathBuf> {
        let mut stem = base.to_owned();
        stem.extend(parts);
        let exists = |path: &Path| self.files.is_file(path);
        let package = stem.join("__init__.py");
        if exists(&package) {
            return Some(package);
        }
        let name = stem.file_name()?.to_owned();
        let mut file_name = name;
        file_name.push(".py");
        let file = stem.with_file_name(file_name);
        exists(&file).then_some(file)
    }
}

/// The diagnostic of a file that could not be read.
pub fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(
        Code::Unreadable,
        path,
        text!("cannot read the file: {error}", "无法读取文件：{error}"),
    )
}

/// Distributions whose names mean the same in every plugin, also where a copy of one is the repo.
fn is_known_distribution(top_level: &str) -> bool {
    matches!(
        top_level,
        "nekro_agent" | "fastapi" | "starlette" | "pydantic" | "typing_extensions"
    )
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

    /// The string that `expression` stands for.
    pub fn text(&self, expression: &Expr) -> Option<String> {
        match self.value(expression) {
            Value::Text(text) => Some(text),
            _ => None,
        }
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
                match (left, right) {
                    (Value::Text(left), Value::Text(right))
                        if left.len() + right.len() <= MAX_TEXT =>
                    {
                        Value::Text(left + &right)
                    }
                    _ => Value::Unknown,
                }
            }
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

    fn joined(&self, values: &[Expr], budget: &Budget) -> Option<String> {
        let mut whole = String::new();
        for value in values {
            match value {
                Expr::Constant(ast::ExprConstant {
                    value: Constant::Str(text),
                    ..
                }) => whole += text,
                Expr::FormattedValue(field)
                    if field.format_spec.is_none()
                        && field.conversion == ast::ConversionFlag::None =>
                {
                    match self.evaluate(&field.value, budget) {
                        Value::Text(text) => whole += &text,
                        Value::Number(number) => whole += &number.to_string(),
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        Some(whole)
    }

    fn name(&self, name: &str, budget: &Budget) -> Value {
        let mut known: Option<Value> = None;
        for binding in self.bindings(name) {
            if binding.type_checking_only {
                continue;
            }
            let value = self.binding(binding, name, budget);
            match &known {
                None => known = Some(value),
                Some(known) if *known == value => {}
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
                // `name = name`, and a loop of names, end at the limit of steps.
                self.evaluate(value, budget)
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
                let Some(scope) = class_scope(&loaded.scope, range) else {
                    return Value::Unknown;
                };
                let [binding] = scope.bindings(attribute) else {
                    return Value::Unknown;
                };
                inside.binding(binding, attribute, budget)
            }
            _ => Value::Unknown,
        }
    }

    fn call(&self, call: &ast::ExprCall, budget: &Budget) -> Value {
        if let Some(text) = self.string_method(call, budget) {
            return Value::Text(text);
        }
        match self.evaluate(&call.func, budget) {
            Value::External(name) if is_plugin_class(&name) => Value::Plugin(PluginId {
                module: self.path().to_owned(),
                call: range_of(call),
            }),
            Value::External(name) => Value::CallOf(name),
            Value::Class(path, range) => {
                if self.class_is_plugin(&path, range, budget) {
                    Value::Plugin(PluginId {
                        module: self.path().to_owned(),
                        call: range_of(call),
                    })
                } else {
                    Value::Instance(path, range)
                }
            }
            _ => Value::Unknown,
        }
    }

    /// Whether a class of the repo derives from the agent's plugin class.
    fn class_is_plugin(&self, path: &Path, range: ByteRange, budget: &Budget) -> bool {
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
        let bases = loaded
            .scope
            .bindings
            .values()
            .flatten()
            .find_map(|binding| match &binding.kind {
                BindingKind::Class(bases, _) if binding.range == range => Some(bases),
                _ => None,
            });
        bases
            .into_iter()
            .flatten()
            .any(|base| match inside.evaluate(base, budget) {
                Value::External(name) => is_plugin_class(&name),
                Value::Class(path, range) => inside.class_is_plugin(&path, range, budget),
                _ => false,
            })
    }

    /// `"/".join([...])` and `"{}".format(...)` of constants.
    fn string_method(&self, call: &ast::ExprCall, budget: &Budget) -> Option<String> {
        let Expr::Attribute(method) = &*call.func else {
            return None;
        };
        if method.attr.as_str() != "join" || !call.keywords.is_empty() {
            return None;
        }
        let Value::Text(separator) = self.evaluate(&method.value, budget) else {
            return None;
        };
        let [Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })] =
            call.args.as_slice()
        else {
            return None;
        };
        let parts: Option<Vec<String>> = elts
            .iter()
            .map(|part| match self.evaluate(part, budget) {
                Value::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        Some(parts?.join(&separator))
    }
}

fn class_scope(scope: &Scope, range: ByteRange) -> Option<&Scope> {
    scope
        .bindings
        .values()
        .flatten()
        .find_map(|binding| match &binding.kind {
            BindingKind::Class(_, scope) if binding.range == range => Some(&**scope),
            _ => None,
        })
}

/// Whether a dotted name is that of the agent's plugin class: `nekro_agent.api.plugin.NekroPlugin`
/// and the modules that it comes from.
fn is_plugin_class(name: &str) -> bool {
    name.starts_with("nekro_agent.") && name.ends_with(".NekroPlugin")
}

/// Files that a test gives.
#[cfg(test)]
pub struct Given(pub HashMap<PathBuf, String>);

#[cfg(test)]
impl Files for Given {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.clone().into_bytes())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
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
    fn plugins_are_found_under_any_name() {
        for text in [
            "from nekro_agent.api.plugin import NekroPlugin\nX = NekroPlugin('n')",
            "from nekro_agent.api.plugin import NekroPlugin as N\nX = N('n')",
            "import nekro_agent.api.plugin as api\nX = api.NekroPlugin('n')",
            "import nekro_agent.api.plugin\nX = nekro_agent.api.plugin.NekroPlugin('n')",
            "from nekro_agent.api.plugin import NekroPlugin\nclass P(NekroPlugin): pass\nX = P('n')",
            "from fastapi import *\nfrom nekro_agent.api.plugin import *\nX = NekroPlugin('n')",
            "from nekro_agent.api.plugin import NekroPlugin\nY = NekroPlugin('n')\nX = Y",
        ] {
            assert!(
                matches!(value_of_x(&[("a.py", text)]), Value::Plugin(_)),
                "{text}"
            );
        }
        for text in [
            "from bus import NekroPlugin\nX = NekroPlugin()",
            "class N: pass\nX = N()",
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
