//! The modules around a plugin: what was seen of each, which of them use names of the others, and which are
//! imported late.

pub(crate) mod cross_module;
pub(crate) mod facts;
pub(crate) mod late_imports;
