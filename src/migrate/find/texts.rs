//! Where a module has the name of a handler as a text, by which it may be looked up and called.

use rustc_hash::FxHashSet;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tree::{Descend, Node, is_named, range_of};

/// The words that stand in quotes of their own in a text: a quick look before [`has_name_as_text`].
pub(crate) struct Quoted<'t> {
    bytes: &'t [u8],
    words: FxHashSet<&'t [u8]>,
}

impl<'t> Quoted<'t> {
    /// Those of `bytes`.
    pub(crate) fn of(bytes: &'t [u8]) -> Self {
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let quotes = bytes.iter().enumerate().filter(|(_, byte)| is_quote(byte));
        let words = quotes.filter_map(|(at, quote)| {
            let rest = &bytes[at + 1..];
            let end = rest.iter().position(|&byte| !is_word(byte))?;
            (end > 0 && rest[end] == *quote).then(|| &rest[..end])
        });
        Self {
            bytes,
            words: words.collect(),
        }
    }

    /// Whether `name` stands so in the text.
    pub(crate) fn has(&self, name: &str) -> bool {
        if name.bytes().all(is_word) {
            return self.words.contains(name.as_bytes());
        }
        ['"', '\''].iter().any(|quote| {
            let quoted = format!("{quote}{name}{quote}");
            memchr::memmem::find(self.bytes, quoted.as_bytes()).is_some()
        })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Whether a string of the module is `name`, other than as what surely does not name a function: a
/// key, what something is compared with, what a plugin or a registration is called, in `__all__`.
pub(crate) fn has_name_as_text(
    loaded: &Loaded,
    name: &str,
    registrations: &FxHashSet<ByteRange>,
) -> bool {
    let module = &loaded.module;
    let mut others = registrations.clone();
    let mut found = false;
    module.walk(module.suite(), module.range(), &mut |node| {
        match node {
            Node::Stmt(statement) if is_no_use(statement) => return Descend::Past,
            Node::Stmt(Stmt::Match(statement)) => {
                for case in &statement.cases {
                    add_pattern(&case.pattern, &mut others);
                }
            }
            // The texts of a reply.
            Node::Stmt(Stmt::Return(statement)) => {
                if let Some(value) = &statement.value {
                    add_displayed(value, &mut others);
                }
            }
            Node::Stmt(_) => {}
            Node::Expr(expression) => {
                if others.contains(&range_of(expression)) {
                    return Descend::Past;
                }
                match expression {
                    Expr::Constant(constant) => {
                        found |= matches!(&constant.value, Constant::Str(text) if text == name);
                    }
                    Expr::Call(call) if registers(call) => return Descend::Past,
                    Expr::Call(call) => others.extend(key_of(call)),
                    Expr::Dict(dict) => {
                        let keys = dict.keys.iter().flatten();
                        others.extend(keys.filter(|key| key.is_constant_expr()).map(range_of));
                    }
                    // `("endpoint", handler)`: what a loop registers.
                    Expr::Tuple(ast::ExprTuple { elts, .. })
                        if elts.iter().any(|one| is_named(one, name)) =>
                    {
                        let texts = elts.iter().filter(|one| one.is_constant_expr());
                        others.extend(texts.map(range_of));
                    }
                    Expr::Subscript(subscript) => {
                        others.insert(range_of(&*subscript.slice));
                    }
                    Expr::Compare(comparison) => {
                        let compared = comparison.comparators.iter().chain([&*comparison.left]);
                        let texts = compared.filter(|one| !one.is_call_expr());
                        others.extend(texts.map(range_of));
                    }
                    _ => {}
                }
            }
        }
        Descend::Into
    });
    found
}

/// `__all__ = [...]`, `__all__ += [...]`, and a text that stands alone.
fn is_no_use(statement: &Stmt) -> bool {
    let is_all = |target: &Expr| is_named(target, "__all__");
    match statement {
        Stmt::Assign(assign) => assign.targets.iter().all(is_all),
        Stmt::AugAssign(assign) => is_all(&assign.target),
        Stmt::AnnAssign(assign) => is_all(&assign.target),
        Stmt::Expr(statement) => statement.value.is_constant_expr(),
        _ => false,
    }
}

/// Methods of loggers.
const LOG_METHODS: &[&str] = &[
    "critical",
    "debug",
    "error",
    "exception",
    "info",
    "success",
    "trace",
    "warning",
];

/// Whether a call only logs a text, or says what something is called: that of a plugin, of one of its
/// registrations, or of `__all__`.
fn registers(call: &ast::ExprCall) -> bool {
    match &*call.func {
        Expr::Name(name) => name.id.ends_with("Plugin"),
        Expr::Attribute(attribute) => {
            attribute.attr.starts_with("mount_")
                || attribute.attr.ends_with("Plugin")
                || LOG_METHODS.contains(&attribute.attr.as_str())
                || is_named(&attribute.value, "__all__")
        }
        // `getattr(plugin, "mount_webhook_method")(…)`
        Expr::Call(inner) => matches!(inner.args.get(1), Some(Expr::Constant(constant))
            if matches!(&constant.value, Constant::Str(text) if text.starts_with("mount_"))),
        _ => false,
    }
}

/// The key in `data.get("key")` and what is like it.
fn key_of(call: &ast::ExprCall) -> Option<ByteRange> {
    let Expr::Attribute(method) = &*call.func else {
        return None;
    };
    let has_key = matches!(method.attr.as_str(), "get" | "pop" | "setdefault");
    has_key.then(|| call.args.first().map(range_of)).flatten()
}

/// Notes the constants in a display, and in displays in it.
fn add_displayed(expression: &Expr, others: &mut FxHashSet<ByteRange>) {
    match expression {
        Expr::Constant(_) => {
            others.insert(range_of(expression));
        }
        Expr::Dict(dict) => dict
            .values
            .iter()
            .for_each(|one| add_displayed(one, others)),
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            elts.iter().for_each(|one| add_displayed(one, others));
        }
        _ => {}
    }
}

fn add_pattern(pattern: &ast::Pattern, others: &mut FxHashSet<ByteRange>) {
    match pattern {
        ast::Pattern::MatchValue(p) => {
            others.insert(range_of(&*p.value));
        }
        ast::Pattern::MatchOr(p) => p.patterns.iter().for_each(|p| add_pattern(p, others)),
        _ => {}
    }
}
