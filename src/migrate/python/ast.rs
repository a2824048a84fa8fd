//! The nodes of a tree, under one path for every module that looks at them.

pub use rustpython_ast::*;
