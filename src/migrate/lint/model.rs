//! What the walk over a function is given and gives, and what a check says.

use std::path::PathBuf;
use std::rc::Rc;

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::facts::evaluate::Names;
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::Resolver;
use crate::routes::Dialect;
use crate::text::Text;

/// A piece of advice before it is a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: PathBuf,
    pub(super) code: Code,
    pub(super) range: ByteRange,
    pub(super) detail: Text,
    pub(super) hint: Option<Text>,
}

impl Finding {
    pub(super) fn new(path: PathBuf, code: Code, range: ByteRange, detail: Text) -> Self {
        Self {
            path,
            code,
            range,
            detail,
            hint: None,
        }
    }

    pub(super) fn with_hint(mut self, hint: Text) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// When a function runs, as seen from the reply of the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// On the event loop, and the reply waits for it.
    BeforeReply,
    /// On the event loop, in a task of its own.
    Background,
    /// In a thread, or it cannot be told when.
    Elsewhere,
}

/// What is around a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodeContext {
    /// In the body of a loop.
    pub in_loop: bool,
    /// In a `lambda`.
    pub in_lambda: bool,
    /// Below `await`, so that what is called here is waited for.
    pub awaited: bool,
    /// Right under `await`.
    pub directly_awaited: bool,
}

/// What a function is given when it is called, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct CallArguments {
    /// By place.
    pub positional: Vec<Fact>,
    /// By name.
    pub keywords: Vec<(String, Fact)>,
}

/// How a function is entered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    /// As the handler of a webhook.
    Handler,
    /// By a call, or by something that it was handed to.
    Call(CallArguments),
}

/// A function of the repo that is called or handed on.
#[derive(Debug)]
pub(super) struct Edge {
    /// Its file.
    pub path: PathBuf,
    /// Its definition.
    pub range: ByteRange,
    /// When it runs, if it is a plain function or awaited.
    pub mode: Mode,
    /// Whether it is called below `await`.
    pub awaited: bool,
    /// Whether it is handed on instead of being called.
    pub handed_on: bool,
    /// What it is given.
    pub given: CallArguments,
}

/// What is known about a function once it has been looked at.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// What the checks say.
    pub findings: Vec<Finding>,
    /// Whether something in it looks like a check of the caller.
    pub checks_caller: bool,
    /// The secret settings that it verifies something with.
    pub verified: Vec<String>,
    /// What it calls.
    pub edges: Vec<Edge>,
    /// What is known about its names.
    pub names: Rc<Names>,
}

/// A function to look at.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// What its names stand for, its own among them.
    pub resolver: Resolver<'a>,
    /// What is known about the names of the enclosing functions it.
    pub outer: &'a [Rc<Names>],
    /// The function.
    pub definition: Definition<'a>,
    /// When it runs.
    pub mode: Mode,
    /// The dialect of the webhook that reaches it.
    pub dialect: Dialect,
    /// How it is entered.
    pub entry: &'a Entry,
}
