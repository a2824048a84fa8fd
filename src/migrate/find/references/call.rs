//! A call that registers: what is called, on which plugin, with which arguments, and the webhooks that come of it.

pub(super) mod build;
pub(super) mod callee;
pub(super) mod site;
