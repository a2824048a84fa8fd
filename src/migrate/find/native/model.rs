//! What `native` answers: what is to be changed in a handler, or why it needs its context.

use crate::migrate::edit::ByteRange;
use crate::text::Text;

/// What is to be changed in a handler so that it takes the `Request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRewrite {
    /// The parameter, with its annotation.
    pub parameter: ByteRange,
    /// Its new name.
    pub name: &'static str,
    /// The reads of headers and body.
    pub reads: Vec<Read>,
    /// The simple statements of several lines that reads are in.
    pub broken_lines: Vec<ByteRange>,
    /// The statements that have no meaning any more.
    pub removals: Vec<Removal>,
    /// How many decorators the function has, the registrations among them.
    pub decorators: usize,
}

/// A read of a part of the webhook request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// The expression, as in `ctx.webhook_request.body`.
    pub range: ByteRange,
    /// Which part.
    pub part: Part,
}

/// A part of the webhook request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The headers.
    Headers,
    /// The body.
    Body {
        /// Whether something is taken of it at once, so that an `await` needs brackets.
        in_brackets: bool,
    },
}

/// A statement that goes: a test whether there is a webhook request, or a name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    /// The statement.
    pub statement: ByteRange,
    /// Its lines, with the blank lines after it that would be too many.
    pub lines: ByteRange,
    /// The names that are used in it, the parameter aside, each as often as it is used.
    pub names: Vec<String>,
}

/// Why a handler needs its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotRewritable {
    /// Where.
    pub range: ByteRange,
    /// What is the case there.
    pub detail: Text,
}
