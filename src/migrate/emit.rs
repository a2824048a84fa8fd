//! The Python that is written into plugins: made from the templates, and known again in a later run.
//!
//! - [`render`]: values to text, through `templates/python/`.
//! - [`written`]: whether a function is one that a template gave.

mod render;
mod written;

pub(crate) use render::{
    BUILTINS_OF_REPLY_ROUTE, BUILTINS_OF_WEBHOOK_ROUTE, EmitError, WebhookRouteNames,
    message_width, mount_router, webhook_route,
};
pub(crate) use render::{ReplyRouteNames, reply_route};
pub(crate) use written::{Helper, PATH, is_as_written, is_like_a_helper, known_helper};
