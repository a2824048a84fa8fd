//! The values that an iterable gives, where they are written out.
//!
//! Invariant: a list, dict or set counts as written out only where everything that is done with its
//! name reads it.

use super::loops::{LoopReader, MAX_TURNS};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast;
use crate::migrate::python::ast::{CmpOp, Expr, Stmt};
use crate::migrate::python::names::{BindingKind, ModuleName, Resolver, Scope, Value};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, range_of};

impl LoopReader<'_> {
    /// The values that an iterable gives, in order or, where the order does not matter, in any.
    pub(super) fn values(&self, iterable: &Expr) -> Option<Vec<Expr>> {
        match iterable {
            Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::List(ast::ExprList { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => elements(elts),
            Expr::Dict(dict) => self.pairs(dict).map(|pairs| {
                let keys = pairs.into_iter().map(|(key, _)| key);
                keys.collect()
            }),
            Expr::Name(name) => self.values(&self.display(name)?),
            Expr::Call(call) => self.values_of_call(call),
            _ => None,
        }
    }

    fn values_of_call(&self, call: &ast::ExprCall) -> Option<Vec<Expr>> {
        match &*call.func {
            Expr::Attribute(attribute) if call.args.is_empty() && call.keywords.is_empty() => {
                let dict = match &*attribute.value {
                    dict @ Expr::Dict(_) => dict.clone(),
                    Expr::Name(name) => self.display(name)?,
                    _ => return None,
                };
                let Expr::Dict(dict) = &dict else {
                    return None;
                };
                let pairs = self.pairs(dict)?.into_iter();
                match attribute.attr.as_str() {
                    "items" => Some(pairs.map(|(key, value)| pair(key, value)).collect()),
                    "keys" => Some(pairs.map(|(key, _)| key).collect()),
                    "values" => Some(pairs.map(|(_, value)| value).collect()),
                    _ => None,
                }
            }
            Expr::Name(name) if self.resolver.is_builtin(&name.id) => {
                match (name.id.as_str(), call.args.as_slice()) {
                    ("list" | "tuple" | "set" | "frozenset" | "reversed" | "sorted", [values]) => {
                        self.values(values)
                    }
                    ("enumerate", [values]) if call.keywords.is_empty() => {
                        let values = self.values(values)?.into_iter();
                        let numbered = values.enumerate().map(|(index, value)| {
                            let index = number(index, range_of(&value));
                            pair(index, value)
                        });
                        Some(numbered.collect())
                    }
                    ("zip", [first, second]) if call.keywords.is_empty() => {
                        let (first, second) = (self.values(first)?, self.values(second)?);
                        let both = first.into_iter().zip(second);
                        Some(both.map(|(one, other)| pair(one, other)).collect())
                    }
                    ("range", arguments) if call.keywords.is_empty() => {
                        self.range(arguments, range_of(call))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn range(&self, arguments: &[Expr], place: ByteRange) -> Option<Vec<Expr>> {
        let of = |argument: &Expr| match self.resolver.value(argument) {
            Value::Number(number) => usize::try_from(number).ok(),
            _ => None,
        };
        let (from, to) = match arguments {
            [to] => (0, of(to)?),
            [from, to] => (of(from)?, of(to)?),
            _ => return None,
        };
        (to.saturating_sub(from) <= MAX_TURNS)
            .then(|| (from..to).map(|index| number(index, place)).collect())
    }

    /// Keys and values of a dict that is written out, where no key is there twice.
    fn pairs(&self, dict: &ast::ExprDict) -> Option<Vec<(Expr, Expr)>> {
        let keys: Option<Vec<Expr>> = dict.keys.iter().cloned().collect();
        let keys = keys?;
        let resolver = self.resolver;
        let mut known: Vec<String> = Vec::new();
        for key in &keys {
            let key = resolver.text(key)?;
            if known.contains(&key) {
                return None;
            }
            known.push(key);
        }
        Some(keys.into_iter().zip(dict.values.iter().cloned()).collect())
    }

    /// The string that an endpoint is, in which items of displays may stand; `resolver` knows the names
    /// of the loops too.
    pub(in crate::migrate::find) fn text_of(
        &self,
        resolver: Resolver<'_>,
        endpoint: &Expr,
    ) -> Option<String> {
        if let Some(text) = resolver.text(endpoint) {
            return Some(text);
        }
        match endpoint {
            Expr::BinOp(sum) if sum.op == ast::Operator::Add => {
                let left = self.text_of(resolver, &sum.left)?;
                Some(left + &self.text_of(resolver, &sum.right)?)
            }
            endpoint => resolver.text(&self.item(resolver, endpoint)?),
        }
    }

    /// The display of constants that a call unpacks, where it is written in the call or given to a name of
    /// the module.
    pub(in crate::migrate::find) fn unpacked_display(&self, unpacked: &Expr) -> Option<Expr> {
        let display = match unpacked {
            Expr::Name(name) => {
                let is_global = |scope: &Scope| scope.bindings(&name.id).is_empty();
                let bindings = self.resolver.loaded.scope.bindings(&name.id);
                let is_here =
                    matches!(bindings, [only] if matches!(only.kind, BindingKind::Value(_)));
                let is_kept = self.resolver.keeps(&name.id);
                (self.resolver.locals.iter().all(is_global) && is_here && is_kept)
                    .then(|| self.display(name))??
            }
            written => written.clone(),
        };
        is_literal(&display).then_some(display)
    }

    /// The item that `name[index]` takes of a display.
    fn item(&self, resolver: Resolver<'_>, expression: &Expr) -> Option<Expr> {
        let Expr::Subscript(subscript) = expression else {
            return None;
        };
        let Expr::Name(name) = &*subscript.value else {
            return None;
        };
        match self.display(name)? {
            Expr::Dict(dict) => {
                let key = resolver.text(&subscript.slice)?;
                let pairs = self.pairs(&dict)?.into_iter();
                let mut same =
                    pairs.filter(|(one, _)| self.resolver.text(one).as_ref() == Some(&key));
                same.next().map(|(_, value)| value)
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let Value::Number(index) = resolver.value(&subscript.slice) else {
                    return None;
                };
                elements(&elts)?
                    .into_iter()
                    .nth(usize::try_from(index).ok()?)
            }
            _ => None,
        }
    }

    /// The display that a name stands for whenever the loop runs.
    fn display(&self, name: &ast::ExprName) -> Option<Expr> {
        let [binding] = self.resolver.bindings(&name.id) else {
            return None;
        };
        let display = match &binding.kind {
            BindingKind::Value(display) => display,
            BindingKind::From(module, original) => {
                return self.display_of_module(name, module, original);
            }
            _ => return None,
        };
        let is_local = self
            .resolver
            .locals
            .last()
            .is_some_and(|scope| !scope.bindings(&name.id).is_empty());
        let is_fixed = matches!(&**display, Expr::Tuple(_));
        let is_same_scope = is_local || !self.is_in_function;
        // Its elements are read here: their names have to mean the same.
        let means_the_same = is_same_scope
            || tree::names(display).iter().all(|name| {
                self.resolver
                    .locals
                    .iter()
                    .all(|scope| scope.bindings(name).is_empty())
            });
        let is_understood = means_the_same
            && (is_fixed
                || is_same_scope
                    && is_only_read(self.resolver.loaded.module.suite(), &name.id, 1)
                    && self.resolver.keeps_items(&name.id));
        is_understood.then(|| (**display).clone())
    }

    /// The display that a module of the repo gives a name which is imported from it, when no names
    /// stand in it: those would be of that module.
    fn display_of_module(
        &self,
        name: &ast::ExprName,
        module: &ModuleName,
        original: &str,
    ) -> Option<Expr> {
        let workspace = self.resolver.workspace;
        let path = workspace.locate(self.resolver.loaded.module.source().path(), module)?;
        let loaded = workspace.load(&path).ok()?;
        let inside = Resolver::of_module(workspace, &loaded);
        let [binding] = loaded.scope.bindings(original) else {
            return None;
        };
        let BindingKind::Value(display) = &binding.kind else {
            return None;
        };
        let is_fixed = matches!(&**display, Expr::Tuple(_));
        let is_understood = is_literal(display)
            && inside.keeps(original)
            && (is_fixed
                || self.resolver.keeps_items(original)
                    && is_only_read(loaded.module.suite(), original, 1)
                    && is_only_read(self.resolver.loaded.module.suite(), &name.id, 0));
        is_understood.then(|| (**display).clone())
    }
}

/// Whether an expression is made of constants and displays alone.
fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Constant(_) => true,
        Expr::Tuple(ast::ExprTuple { elts, .. })
        | Expr::List(ast::ExprList { elts, .. })
        | Expr::Set(ast::ExprSet { elts, .. }) => elts.iter().all(is_literal),
        Expr::Dict(dict) => {
            dict.keys.iter().flatten().all(is_literal) && dict.values.iter().all(is_literal)
        }
        _ => false,
    }
}

fn elements(all: &[Expr]) -> Option<Vec<Expr>> {
    let is_counted = !all.iter().any(|one| matches!(one, Expr::Starred(_)));
    is_counted.then(|| all.to_vec())
}

fn number(index: usize, place: ByteRange) -> Expr {
    Expr::Constant(ast::ExprConstant {
        range: text_range(place),
        value: ast::Constant::Int(index.into()),
        kind: None,
    })
}

fn pair(first: Expr, second: Expr) -> Expr {
    let place = ByteRange::new(
        range_of(&first).start().min(range_of(&second).start()),
        range_of(&first).end().max(range_of(&second).end()),
    );
    Expr::Tuple(ast::ExprTuple {
        range: text_range(place),
        elts: vec![first, second],
        ctx: ast::ExprContext::Load,
    })
}

fn text_range(place: ByteRange) -> crate::migrate::python::ast::text_size::TextRange {
    let at = |offset: usize| {
        crate::migrate::python::ast::text_size::TextSize::new(
            u32::try_from(offset).unwrap_or_default(),
        )
    };
    crate::migrate::python::ast::text_size::TextRange::new(at(place.start()), at(place.end()))
}

/// Whether a name that stands for a list, dict or set is only read in a module: looped over,
/// looked up in, counted. Whatever else is done with it could change it.
///
/// `assignments` is how often the name is a target.
fn is_only_read(suite: &[Stmt], name: &str, assignments: usize) -> bool {
    let is_it = |expression: &Expr| tree::is_named(expression, name);
    let (mut all, mut reads) = (0usize, 0usize);
    tree::walk_body(suite, &mut |node| {
        match node {
            Node::Stmt(Stmt::For(s)) => reads += usize::from(is_it(&s.iter)),
            Node::Stmt(Stmt::AsyncFor(s)) => reads += usize::from(is_it(&s.iter)),
            Node::Stmt(_) => {}
            Node::Expr(expression) => match expression {
                Expr::Name(_) => all += usize::from(is_it(expression)),
                Expr::ListComp(ast::ExprListComp { generators, .. })
                | Expr::SetComp(ast::ExprSetComp { generators, .. })
                | Expr::DictComp(ast::ExprDictComp { generators, .. })
                | Expr::GeneratorExp(ast::ExprGeneratorExp { generators, .. }) => {
                    reads += generators.iter().filter(|one| is_it(&one.iter)).count();
                }
                Expr::Subscript(subscript) if matches!(subscript.ctx, ast::ExprContext::Load) => {
                    reads += usize::from(is_it(&subscript.value));
                }
                Expr::Compare(compare) => {
                    let pairs = compare.ops.iter().zip(&compare.comparators);
                    let looked_up = pairs.filter(|(operator, right)| {
                        matches!(operator, CmpOp::In | CmpOp::NotIn) && is_it(right)
                    });
                    reads += looked_up.count();
                }
                Expr::Call(call) => match &*call.func {
                    Expr::Attribute(method) if READS.contains(&method.attr.as_str()) => {
                        reads += usize::from(is_it(&method.value));
                    }
                    Expr::Name(function) if READERS.contains(&function.id.as_str()) => {
                        reads += call.args.iter().filter(|argument| is_it(argument)).count();
                        reads += unpacked(call).filter(|one| is_it(one)).count();
                    }
                    _ => reads += unpacked(call).filter(|one| is_it(one)).count(),
                },
                _ => {}
            },
        }
        Descend::Into
    });
    // The assignment is the one use that is not a read.
    all == reads + assignments
}

/// What a call unpacks with `*` or `**`, of which the function gets a copy.
fn unpacked(call: &ast::ExprCall) -> impl Iterator<Item = &Expr> {
    let values = call.args.iter().filter_map(|argument| match argument {
        Expr::Starred(starred) => Some(&*starred.value),
        _ => None,
    });
    let pairs = call.keywords.iter().filter(|keyword| keyword.arg.is_none());
    values.chain(pairs.map(|keyword| &keyword.value))
}

/// The methods of lists, dicts and sets that read.
const READS: &[&str] = &["items", "keys", "values", "get", "copy", "index", "count"];

/// The functions that read what they are given.
const READERS: &[&str] = &[
    "enumerate",
    "frozenset",
    "len",
    "list",
    "print",
    "reversed",
    "set",
    "sorted",
    "tuple",
    "zip",
];
