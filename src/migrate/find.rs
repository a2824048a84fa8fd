//! From trees to what the rest of the program speaks of: plugins, webhooks, handlers, replies.
//! Nothing behind it sees the parser's types.
//!
//! - [`model`]: what is found, as the rest of the program knows it.
//! - [`references`]: every reference to the old API, and what it registers.
//! - [`blocker`]: what stands in the way of a migration.
//! - [`path_parameters`]: endpoints with parameters.
//! - [`handler`]: the function behind a registration, and its dialect.
//! - [`lookup`]: what a name leads to: classes, functions, values; in loops, each time that a call runs.
//! - [`reply`]: what a handler returns, as far as it can be seen.
//! - [`native`]: whether a handler that takes a context could take the request itself.
//! - [`plugin`]: the plugin behind a registration, its key, its own router.
//! - [`doc_only_api`]: the API that the document names and no release has.
//! - [`handed_on`]: whether a plugin may be known by a name that does not lead to it.
//! - [`texts`]: where a module has the name of a handler as a text.
//! - [`suppression`]: comments that switch advice off.
//!
//! Invariants: every reference to the old API in a file is in [`Found::references`], once,
//! with what becomes of it; so nothing can be left out silently.

mod blocker;
pub(crate) mod doc_only_api;
pub(crate) mod handed_on;
pub(crate) mod handler;
mod lookup;
mod model;
pub(crate) mod native;
pub(crate) mod path_parameters;
pub(crate) mod plugin;
pub mod references;
pub(crate) mod reply;
pub(crate) mod suppression;
pub(crate) mod texts;

pub use blocker::Blocker;
pub use handler::{Handler, Parameter, Returns};
pub use model::{
    Alias, Argument, Branch, CallSite, Callable, CallableKind, Effect, Endpoint, Form, Found,
    Known, LeadingSlash, Reference, ReferenceKind, Role, Unclear, Webhook,
};
pub use reply::{Body, Conditional, Reply, ReplyShape};
