//! What the names of a handler stand for: its context, and the parts of it that get names.
//!
//! Invariant: a name is taken for a part of the context wherever it stands in the function, so that
//! whoever walks over its uses also meets those where it means something else.

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{self, Descend, Node, range_of, walk_body};

/// What an expression stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContextPart {
    /// The context.
    Context,
    /// Something of the context that a request does not have.
    Other,
    /// `ctx.webhook_request`.
    WebhookRequest,
    /// The headers, read here.
    Headers,
    /// A name for the headers.
    HeadersName,
    /// The body, read here.
    Body,
}

/// The names of the context and its parts.
pub(super) struct Names<'a> {
    /// The parameter.
    pub(super) parameter: &'a str,
    /// Names for `ctx.webhook_request`.
    pub(super) requests: Vec<&'a str>,
    /// Names for the headers.
    headers: Vec<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(parameter: &'a str) -> Self {
        Self {
            parameter,
            requests: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds the names that the statements of a function give to the headers. An assignment of the
    /// headers stays as it is, with another value, so it may stand in any block.
    pub(super) fn add_headers(&mut self, body: &'a [Stmt]) {
        let mut headers = Vec::new();
        walk_body(body, &mut |node| match node {
            Node::Stmt(statement) => {
                if let Some((name, value)) = single_name(statement)
                    && self.part(value) == Some(ContextPart::Headers)
                {
                    headers.push(name);
                }
                descend_unless_nested(statement)
            }
            Node::Expr(_) => Descend::Past,
        });
        // A name for such a name is none of them: there the name is handed on, to where it is not followed.
        self.headers = headers;
    }

    pub(super) fn is_of_context(&self, name: &str) -> bool {
        name == self.parameter || self.requests.contains(&name) || self.is_of_headers(name)
    }

    pub(super) fn is_of_headers(&self, name: &str) -> bool {
        self.headers.contains(&name)
    }

    /// What `expression` stands for, when it has to do with the context.
    pub(super) fn part(&self, expression: &Expr) -> Option<ContextPart> {
        match expression {
            Expr::Name(name) => match name.id.as_str() {
                name if name == self.parameter => Some(ContextPart::Context),
                name if self.requests.contains(&name) => Some(ContextPart::WebhookRequest),
                name if self.headers.contains(&name) => Some(ContextPart::HeadersName),
                _ => None,
            },
            Expr::Attribute(attribute) => {
                match (self.part(&attribute.value)?, attribute.attr.as_str()) {
                    (ContextPart::Context, "webhook_request") => Some(ContextPart::WebhookRequest),
                    (ContextPart::WebhookRequest, "headers") => Some(ContextPart::Headers),
                    (ContextPart::WebhookRequest, "body") => Some(ContextPart::Body),
                    (ContextPart::Context | ContextPart::WebhookRequest, _) => {
                        Some(ContextPart::Other)
                    }
                    // What is taken of headers or body is a use of these, and the walk meets it there.
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The tokens in `range` that are names, other than of attributes.
pub(super) fn name_tokens(loaded: &Loaded, range: ByteRange) -> impl Iterator<Item = ByteRange> {
    let (tokens, source) = (loaded.module.tokens(), loaded.module.source());
    let is_attribute = |range: ByteRange| {
        let before = tokens.previous(range.start());
        before.is_some_and(|before| source.slice(before.range) == ".")
    };
    tokens
        .within(range)
        .iter()
        .filter(|token| token.kind == TokenKind::Name)
        .map(|token| token.range)
        .filter(move |&range| !is_attribute(range))
}

/// The name at the root of an expression that stands for a part of the context, if its text is what
/// the tree says: names and dots, without brackets or comments between them, so that it can be
/// replaced as a whole.
pub(super) fn plain_root(loaded: &Loaded, expression: &Expr) -> Option<ByteRange> {
    let mut attributes = Vec::new();
    let mut inner = expression;
    while let Expr::Attribute(attribute) = inner {
        attributes.push(attribute.attr.as_str());
        inner = &attribute.value;
    }
    let Expr::Name(name) = inner else {
        return None;
    };
    attributes.push(name.id.as_str());
    attributes.reverse();
    let source = loaded.module.source();
    let written = source.slice(range_of(expression)).chars();
    let written: String = written.filter(|c| !c.is_whitespace()).collect();
    (written == attributes.join(".")).then(|| range_of(inner))
}

/// The name and the value of `name = value`.
pub(super) fn single_name(statement: &Stmt) -> Option<(&str, &Expr)> {
    match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => Some((name.id.as_str(), &assign.value)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether what is in a statement is still in the function around it.
pub(super) fn descend_unless_nested(statement: &Stmt) -> Descend {
    if tree::is_definition(statement) {
        Descend::Past
    } else {
        Descend::Into
    }
}
