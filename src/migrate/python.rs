//! Python as text and as trees: the only folder, with `find`, that sees the parser's types.
//!
//! - [`tokens`]: what trees do not keep: comments, brackets, commas; [`lexer`] reads them.
//! - [`parse`]: the tree of a file, also of one in the syntax of Python 3.12.
//! - [`ast`]: the nodes of a tree; [`tree`]: walking one.
//! - [`function`]: functions as they are defined.
//! - [`imports`]: the import statements of a module and the names in use.
//! - [`names`]: what a name stands for, across the modules of a repo.
//! - [`stdlib`]: the modules that Python has itself.
//! - [`style`]: how a project wants its Python to look.

pub mod ast;
pub(crate) mod function;
pub(crate) mod imports;
pub(crate) mod lexer;
pub mod names;
pub mod parse;
pub(crate) mod stdlib;
pub(crate) mod style;
pub mod tokens;
pub(crate) mod tree;
