//! How a project wants its Python to look, as its formatter and its import sorter are told.
//!
//! Pure: which files tell, and what is on the disk, is the caller's. What nobody says is what
//! `ruff` has by default; a setting that cannot be understood is one that nobody has said.

mod config;
pub(crate) mod imports;
mod model;
mod pattern;
mod width;

pub(crate) use config::{CONFIG_FILES, ConfigFile, style};
pub(crate) use model::Style;
pub(crate) use width::{comment_width, indentation_width, is_only_pragmas, is_pragma, width};
