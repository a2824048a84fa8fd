//! From expressions to facts.
//!
//! Invariants: one evaluation looks at no more than [`FUEL`] expressions, however names
//! refer to each other, so that the cost of all of them grows with the text alone.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::migrate::lint::facts::{Fact, Made};
use crate::migrate::python::ast::{self, BoolOp, Constant, Expr, Operator};
use crate::migrate::python::names::{BindingKind, Loaded, Resolver, Value};
use crate::migrate::python::tree::range_of;

/// How many expressions one evaluation looks at.
const FUEL: u32 = 256;

/// How deep an evaluation goes into an expression and along names.
const MAX_DEPTH: u32 = 48;

/// What is known about the names that a function binds.
pub(crate) type Names = FxHashMap<String, Fact>;

/// Answers what is known about the expressions of one function.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    /// What its names stand for.
    pub resolver: Resolver<'a>,
    /// The names of the enclosing functions it, the innermost last.
    pub outer: &'a [Rc<Names>],
    /// Its own names.
    pub own: &'a Names,
}

/// What is left of an evaluation.
struct Budget {
    fuel: Cell<u32>,
}

impl Evaluator<'_> {
    /// What is known about `expression`.
    pub(crate) fn fact(&self, expression: &Expr) -> Fact {
        let budget = Budget {
            fuel: Cell::new(FUEL),
        };
        self.evaluate(expression, &budget, MAX_DEPTH)
    }

    /// Whether the function, or one around it, binds `name`.
    pub(crate) fn is_local(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.outer.iter().any(|names| names.contains_key(name))
    }

    /// The dotted name of what is called, when it is outside the repo.
    pub(crate) fn external(&self, expression: &Expr) -> Option<String> {
        self.resolver.external(expression)
    }

    /// Whether `expression` is a built-in function of this name.
    pub(crate) fn is_builtin(&self, expression: &Expr, names: &[&str]) -> bool {
        matches!(expression, Expr::Name(name)
            if names.contains(&name.id.as_str()) && self.resolver.bindings(&name.id).is_empty())
    }

    fn evaluate(&self, expression: &Expr, budget: &Budget, depth: u32) -> Fact {
        let (Some(fuel), Some(depth)) = (budget.fuel.get().checked_sub(1), depth.checked_sub(1))
        else {
            return Fact::Unknown;
        };
        budget.fuel.set(fuel);
        let of = |inner: &Expr| self.evaluate(inner, budget, depth);
        match expression {
            Expr::Constant(constant) => self.constant(constant),
            Expr::Name(name) => self.name(&name.id, budget, depth),
            Expr::NamedExpr(named) => of(&named.value),
            Expr::Await(awaited) => of(&awaited.value),
            Expr::IfExp(choice) => of(&choice.body).or(of(&choice.orelse)),
            Expr::BoolOp(operation) => match operation.op {
                BoolOp::Or => operation
                    .values
                    .iter()
                    .map(of)
                    .reduce(Fact::or)
                    .unwrap_or_default(),
                BoolOp::And => operation.values.last().map(of).unwrap_or_default(),
            },
            Expr::Dict(dict) => match (dict.keys.as_slice(), dict.values.as_slice()) {
                ([], []) => Fact::Nothing,
                // {**headers}
                ([None], [all]) => as_dict(of(all)),
                _ => Fact::Unknown,
            },
            Expr::DictComp(comprehension) => match copied_dict(comprehension) {
                Some(all) => as_dict(of(all)),
                None => Fact::Unknown,
            },
            Expr::List(list) if list.elts.is_empty() => Fact::Nothing,
            Expr::Attribute(attribute) => self.attribute(attribute, budget, depth),
            Expr::Subscript(subscript) => match of(&subscript.value) {
                Fact::LowerHeaders | Fact::Headers | Fact::Fields | Fact::Parsed => {
                    Fact::Sent(self.resolver.text(&subscript.slice).unwrap_or_default())
                }
                sent @ Fact::Sent(_) => sent,
                digest @ Fact::Digest(_) => digest,
                raw @ Fact::Raw => raw,
                _ if self.external(&subscript.value).as_deref() == Some("os.environ") => {
                    Fact::Environment
                }
                _ => Fact::Unknown,
            },
            Expr::Call(call) => self.call(call, budget, depth),
            Expr::BinOp(operation) if matches!(operation.op, Operator::Add | Operator::Mod) => {
                mixed([of(&operation.left), of(&operation.right)])
            }
            Expr::JoinedStr(joined) => mixed(joined.values.iter().map(|value| match value {
                Expr::FormattedValue(field) => of(&field.value),
                _ => Fact::Nothing,
            })),
            _ => Fact::Unknown,
        }
    }

    fn constant(&self, constant: &ast::ExprConstant) -> Fact {
        let is_empty = match &constant.value {
            Constant::Str(text) => text.is_empty(),
            Constant::Bytes(bytes) => bytes.is_empty(),
            _ => true,
        };
        if is_empty {
            return Fact::Nothing;
        }
        let path = self.resolver.loaded.module.source().path();
        Fact::Literal(path.to_owned(), range_of(constant))
    }

    fn name(&self, name: &str, budget: &Budget, depth: u32) -> Fact {
        let local = self.own.get(name);
        let local = local.or_else(|| self.outer.iter().rev().find_map(|names| names.get(name)));
        match local {
            Some(fact) => fact.clone(),
            None => self.global(name, budget, depth),
        }
    }

    /// What is known about a name that no function around binds by assignment.
    fn global(&self, name: &str, budget: &Budget, depth: u32) -> Fact {
        let Some(depth) = depth.checked_sub(1) else {
            return Fact::Unknown;
        };
        let bindings = self.resolver.bindings(name);
        let facts = bindings.iter().filter(|b| !b.type_checking_only);
        facts
            .map(|binding| match &binding.kind {
                BindingKind::Value(value) => self.at_module_level().evaluate(value, budget, depth),
                BindingKind::From(module, original) => {
                    let workspace = self.resolver.workspace;
                    let path = self.resolver.loaded.module.source().path();
                    let loaded = workspace
                        .locate(path, module)
                        .filter(|found| found != path)
                        .and_then(|found| workspace.load(&found).ok());
                    match loaded {
                        Some(loaded) => self.of_module(&loaded).global(original, budget, depth),
                        None => Fact::Unknown,
                    }
                }
                _ => Fact::Unknown,
            })
            .reduce(Fact::or)
            .unwrap_or_default()
    }

    fn at_module_level(&self) -> Evaluator<'_> {
        self.of_module(self.resolver.loaded)
    }

    fn of_module<'b>(&self, loaded: &'b Loaded) -> Evaluator<'b>
    where
        Self: 'b,
    {
        Evaluator {
            resolver: Resolver::of_module(self.resolver.workspace, loaded),
            outer: &[],
            own: &NO_NAMES,
        }
    }

    fn attribute(&self, attribute: &ast::ExprAttribute, budget: &Budget, depth: u32) -> Fact {
        let base = self.evaluate(&attribute.value, budget, depth);
        match (base, attribute.attr.as_str()) {
            (Fact::Context, "webhook_request") => Fact::WebhookRequest,
            (Fact::WebhookRequest, "headers") => Fact::LowerHeaders,
            (Fact::WebhookRequest, "body") => Fact::Parsed,
            (Fact::Request, "headers") => Fact::Headers,
            (Fact::Request, "query_params" | "cookies" | "path_params") => Fact::Fields,
            (Fact::Request, "client") => Fact::Client,
            (Fact::Client, "host") => Fact::Address,
            (Fact::Config, name) => Fact::Setting(name.to_owned()),
            // client.chat.completions.create, session.headers
            (client @ (Fact::ModelClient | Fact::AsyncClient), _) => client,
            (Fact::Unknown, name) => match self.resolver.value(&attribute.value) {
                Value::Plugin(_) if name == "config" => Fact::Config,
                Value::Module(path) => match self.resolver.workspace.load(&path) {
                    Ok(loaded) => self.of_module(&loaded).global(name, budget, depth),
                    Err(_) => Fact::Unknown,
                },
                _ => Fact::Unknown,
            },
            _ => Fact::Unknown,
        }
    }

    fn call(&self, call: &ast::ExprCall, budget: &Budget, depth: u32) -> Fact {
        let of = |inner: Option<&Expr>| {
            inner.map_or(Fact::Nothing, |inner| self.evaluate(inner, budget, depth))
        };
        let first = call.args.first();
        if let Expr::Attribute(method) = &*call.func {
            let base = self.evaluate(&method.value, budget, depth);
            let known = self.method(base, method.attr.as_str(), first);
            if known != Fact::Unknown {
                return known;
            }
        }
        if last_name(&call.func) == Some("get_config") {
            return Fact::Config;
        }
        if self.is_builtin(&call.func, &["str", "repr", "bytes"]) {
            return match of(first) {
                Fact::Parsed => Fact::Dumped,
                other => other,
            };
        }
        if self.is_builtin(&call.func, &["dict"]) {
            return as_dict(of(first));
        }
        if self.is_builtin(&call.func, &["bytearray"]) {
            return of(first);
        }
        if self.is_builtin(&call.func, &["getattr"]) {
            return match (of(first), call.args.get(1)) {
                (Fact::Config, Some(name)) => self
                    .resolver
                    .text(name)
                    .map_or(Fact::Unknown, Fact::Setting),
                _ => Fact::Unknown,
            };
        }
        let name = match self.resolver.value(&call.func) {
            Value::External(name) => name,
            _ => return Fact::Unknown,
        };
        let made = |keyed: bool, message: Option<&Expr>| Made {
            keyed,
            reserialized: of(message) == Fact::Dumped,
        };
        match name.as_str() {
            "json.loads" | "orjson.loads" | "ujson.loads" | "simplejson.loads" => match of(first) {
                Fact::Raw => Fact::Parsed,
                _ => Fact::Unknown,
            },
            "json.dumps" | "orjson.dumps" | "ujson.dumps" | "simplejson.dumps" => match of(first) {
                Fact::Parsed => Fact::Dumped,
                _ => Fact::Unknown,
            },
            "hmac.new" => Fact::Hash(made(true, argument(call, 1, "msg"))),
            "hmac.digest" => Fact::Digest(made(true, argument(call, 1, "msg"))),
            "hashlib.new" => Fact::Hash(made(false, argument(call, 1, "data"))),
            "base64.b64encode"
            | "base64.urlsafe_b64encode"
            | "base64.b64decode"
            | "binascii.hexlify"
            | "urllib.parse.unquote" => of(first),
            "os.getenv" | "os.environ.get" => Fact::Environment,
            "asyncio.get_event_loop" | "asyncio.get_running_loop" | "asyncio.new_event_loop" => {
                Fact::EventLoop
            }
            "httpx.AsyncClient" | "aiohttp.ClientSession" => Fact::AsyncClient,
            "openai.AsyncOpenAI" | "anthropic.AsyncAnthropic" => Fact::ModelClient,
            "requests.Session" | "requests.session" | "httpx.Client" => Fact::BlockingClient(name),
            _ if name.starts_with("hashlib.") => Fact::Hash(made(false, first)),
            _ => Fact::Unknown,
        }
    }

    fn method(&self, base: Fact, method: &str, first: Option<&Expr>) -> Fact {
        match (base, method) {
            (
                Fact::LowerHeaders | Fact::Headers | Fact::Fields | Fact::Parsed,
                "get" | "pop" | "setdefault" | "getlist",
            ) => Fact::Sent(
                first
                    .and_then(|name| self.resolver.text(name))
                    .unwrap_or_default(),
            ),
            (base @ (Fact::LowerHeaders | Fact::Headers | Fact::Parsed), "copy" | "items") => base,
            (Fact::Headers, "mutablecopy") => Fact::Headers,
            (Fact::Request, "body") => Fact::Raw,
            (Fact::Request, "json" | "form") => Fact::Parsed,
            (Fact::Hash(made), "hexdigest" | "digest") => Fact::Digest(made),
            (hash @ Fact::Hash(_), "copy") => hash,
            (
                base @ (Fact::Sent(_)
                | Fact::Raw
                | Fact::Dumped
                | Fact::Digest(_)
                | Fact::Setting(_)
                | Fact::Environment
                | Fact::Address
                | Fact::Literal(..)),
                "encode" | "decode" | "strip" | "lstrip" | "rstrip" | "lower" | "upper" | "hex"
                | "removeprefix" | "removesuffix" | "replace" | "split" | "rsplit" | "partition"
                | "rpartition" | "get_secret_value",
            ) => base,
            _ => Fact::Unknown,
        }
    }
}

/// The names of a function that is not there: module level has only what the resolver knows.
static NO_NAMES: LazyLock<Names> = LazyLock::new(Names::default);

/// What is known about a dict with the keys and values of something.
///
/// Starlette's `Headers` are iterated over in lower case, and a dict looks a key up as it is written.
fn as_dict(of: Fact) -> Fact {
    match of {
        Fact::Headers => Fact::LowerHeaders,
        other => other,
    }
}

/// What `{k: v for k, v in x.items()}` takes all its keys and values from: `x.items()`; keys that
/// are made lower case are the same for headers.
fn copied_dict(comprehension: &ast::ExprDictComp) -> Option<&Expr> {
    let [generator] = comprehension.generators.as_slice() else {
        return None;
    };
    let Expr::Tuple(pair) = &generator.target else {
        return None;
    };
    let [Expr::Name(key), Expr::Name(_)] = pair.elts.as_slice() else {
        return None;
    };
    let written = match &*comprehension.key {
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "lower" => &*method.value,
            _ => return None,
        },
        other => other,
    };
    matches!(written, Expr::Name(name) if name.id == key.id).then_some(&generator.iter)
}

/// What is known about a text that is put together of several.
fn mixed(parts: impl IntoIterator<Item = Fact>) -> Fact {
    // The most telling part decides: `"sha256=" + digest` is a digest still.
    let rank = |fact: &Fact| match fact {
        Fact::Digest(_) => 5,
        Fact::Dumped => 4,
        Fact::Setting(_) | Fact::Environment => 3,
        Fact::Sent(_) => 2,
        Fact::Raw => 1,
        _ => 0,
    };
    parts
        .into_iter()
        .max_by_key(rank)
        .filter(|fact| rank(fact) > 0)
        .unwrap_or_default()
}

/// An argument of a call by its place or its keyword.
pub(crate) fn argument<'a>(
    call: &'a ast::ExprCall,
    index: usize,
    keyword: &str,
) -> Option<&'a Expr> {
    let positional = call.args.get(index);
    positional.or_else(|| {
        call.keywords
            .iter()
            .find(|k| k.arg.as_ref().is_some_and(|name| name.as_str() == keyword))
            .map(|k| &k.value)
    })
}

/// The last name of what is called: `c` of `a.b.c`.
pub(crate) fn last_name(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Name(name) => Some(&name.id),
        Expr::Attribute(attribute) => Some(&attribute.attr),
        _ => None,
    }
}
