//! What is found in a file, as the rest of the program knows it: plain values without the parser's types.

use std::sync::Arc;

use super::handler::Handler;
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::names::{Loaded, PluginId};
use crate::routes::Dialect;

/// What one file holds of the old API.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub loaded: Arc<Loaded>,
    /// Every reference to the old API, in the order of the text.
    pub references: Vec<Reference>,
    /// What needs a manual change here and may register webhooks, in the order of the text.
    pub unclear: Vec<Unclear>,
}

/// Something that needs a manual change, and may take the place of a webhook that is understood, or give
/// away that it is not a webhook any more.
#[derive(Debug, Clone)]
pub struct Unclear {
    /// The plugin; none when it cannot be known.
    pub plugin: Option<PluginId>,
    /// The endpoint; none when it cannot be known.
    pub endpoint: Option<String>,
    /// Where it stands.
    pub range: ByteRange,
    /// From where on everything in the file runs after it; none when that cannot be known.
    pub over_at: Option<usize>,
    /// The branches in which it stands, outermost first.
    pub branches: Vec<Branch>,
    /// What it may do.
    pub effect: Effect,
}

impl Unclear {
    /// One that may run at any time, of no endpoint that is known.
    pub(crate) fn at_any_time(plugin: Option<PluginId>, range: ByteRange, effect: Effect) -> Self {
        Self {
            plugin,
            endpoint: None,
            range,
            over_at: None,
            branches: Vec::new(),
            effect,
        }
    }
}

/// What something that needs a manual change may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It may register a webhook.
    Registers,
    /// It gives the method a name, by which another module may register one.
    Names(String),
    /// It looks an attribute up by a name that cannot be known, and may register a webhook with it; where
    /// the plugin is not known either, only if one is handed on.
    LooksUp,
    /// It reads which webhooks are registered, and may show that in a reply; where that only is in a
    /// function that its module does not use, with the name of that.
    Reads(Option<String>),
}

impl Found {
    /// The registrations that are understood.
    pub fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.references
            .iter()
            .flat_map(|reference| match &reference.kind {
                ReferenceKind::Webhooks(webhooks) => webhooks.as_slice(),
                _ => &[],
            })
    }
}

/// One mention of the old API in code.
#[derive(Debug)]
pub struct Reference {
    /// Where the name stands.
    pub place: ByteRange,
    /// What it is.
    pub kind: ReferenceKind,
    /// What is known of a reference that needs a manual change.
    pub known: Known,
}

impl Reference {
    /// One of which nothing else is known.
    pub(crate) fn new(place: ByteRange, kind: ReferenceKind) -> Self {
        Self {
            place,
            kind,
            known: Known::default(),
        }
    }
}

/// What is known of a registration that is not understood as a whole.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The plugin.
    pub plugin: Option<PluginId>,
    /// The endpoint.
    pub endpoint: Option<String>,
}

/// What a mention of the old API is.
#[derive(Debug)]
pub enum ReferenceKind {
    /// A registration that is understood: one webhook, or in a loop one for each turn.
    Webhooks(Vec<Webhook>),
    /// A name for the method; what it registers are references of their own.
    Alias(Box<Alias>),
    /// Something that needs a manual change, and why.
    ByHand(Box<Diagnostic>),
    /// Not the agent's: another class's method of that name.
    NotOurs,
}

/// A registration that is understood.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The plugin that it is registered on.
    pub plugin: PluginId,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The API that the handler is written for.
    pub dialect: Dialect,
    /// The call of `mount_webhook_method`.
    pub call: CallSite,
    /// Whether it is a decorator, or a call on a function.
    pub form: Form,
    /// The function.
    pub handler: Handler,
    /// How the function is reached.
    pub callable: Callable,
    /// Whether another webhook comes before it that the same call registers.
    pub is_further: bool,
    /// The function of the author around the call that registers for whoever calls it.
    pub registrar: Option<String>,
    /// The branches in which the registration stands, outermost first.
    pub branches: Vec<Branch>,
}

/// A branch of an `if`, `try` or `match` statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The statement.
    pub statement: ByteRange,
    /// Which of its branches.
    pub index: usize,
    /// Whether another branch of the statement cannot run when this one did.
    pub exclusive: bool,
}

/// `name = plugin.mount_webhook_method`, a `partial` of it that gives no endpoint, or `name = other` where
/// that is such a name.
#[derive(Debug)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// The statement.
    pub statement: ByteRange,
    /// The statement that gives the method the name that this is another name for.
    pub of: Option<ByteRange>,
    /// How often the name is used.
    pub uses: usize,
    /// The name that the plugin is called by, when it is a plain name.
    pub receiver_name: Option<String>,
    /// The name that `partial` is called by, or the module that it is taken of.
    pub partial_name: Option<String>,
    /// What is said when it has to stay.
    pub diagnostic: Diagnostic,
}

/// How a handler is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callable {
    /// What is registered.
    pub kind: CallableKind,
    /// The registered expression; of a decorated function its definition.
    pub expression: ByteRange,
    /// Where the function is named.
    pub place: ByteRange,
    /// Whether a name on the way to the function is used for anything else.
    pub is_shared: bool,
}

/// What is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallableKind {
    /// A function.
    Function,
    /// A method of an object or class.
    Method,
    /// A `functools.partial`.
    Partial,
    /// An object that can be called.
    Instance,
    /// A function that another one defines and returns, anew for each call.
    Made,
}

/// An endpoint, and the expression that says it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The endpoint as it is registered.
    pub value: String,
    /// Whether what the expression gives starts with a `/`.
    pub slash: LeadingSlash,
}

/// Whether all that an expression gives starts with a `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadingSlash {
    /// It does.
    Always,
    /// None of it does.
    Never,
    /// In a loop some of it does.
    Sometimes,
}

/// How a webhook is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `@plugin.mount_webhook_method(...)`: the range from `@` to the end of the call.
    Decorator(ByteRange),
    /// `plugin.mount_webhook_method(...)(f)`.
    Call,
}

/// The call of `mount_webhook_method`.
#[derive(Debug, Clone)]
pub struct CallSite {
    /// The whole call.
    pub call: ByteRange,
    /// What is called, as in `plugin.mount_webhook_method`.
    pub callee: ByteRange,
    /// When the plugin is an attribute of a module, that module, as in `pkg` of `pkg.plugin`.
    pub module_prefix: Option<ByteRange>,
    /// The name that the plugin is called by, when it is a plain name.
    pub receiver_name: Option<String>,
    /// The statement that gives the method the name that is called, when it is called by one.
    pub alias: Option<ByteRange>,
    /// The opening bracket.
    pub open: ByteRange,
    /// The closing bracket.
    pub close: ByteRange,
    /// The arguments, in order.
    pub arguments: Vec<Argument>,
    /// Whether a comma follows the last argument.
    pub trailing_comma: bool,
}

/// What an argument of `mount_webhook_method` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The endpoint.
    Endpoint,
    /// The name.
    Name,
    /// The description.
    Description,
}

/// An argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// What it is.
    pub role: Role,
    /// From the keyword to its `=`, when it is given by keyword.
    pub keyword: Option<ByteRange>,
    /// The value, with brackets around it.
    pub value: ByteRange,
}

impl Argument {
    /// The whole argument, the keyword too.
    pub fn range(&self) -> ByteRange {
        let start = self.keyword.map_or(self.value.start(), ByteRange::start);
        ByteRange::new(start, self.value.end())
    }
}
