//! What a name stands for: scopes, imports across the modules of a repo, constants.
//!
//! - [`scope`]: how the names of a module, class or function are bound.
//! - [`workspace`]: the modules of a repo, each read and parsed once.
//! - [`resolver`]: what an expression stands for; [`strings`] and [`enums`] are parts of it.
//! - [`stays`], [`setters`]: whether anything else may give a name another value.

mod enums;
mod resolver;
mod scope;
mod setters;
mod stays;
mod strings;
mod value;
mod workspace;

pub use resolver::Resolver;
pub use scope::{Binding, BindingKind, ModuleName, Scope, is_type_checking};
pub use stays::names_from_stars;
pub use value::{Member, MemberKind, PluginId, Value};
#[cfg(test)]
pub use workspace::MemoryFiles;
pub(crate) use workspace::is_always_installed;
pub use workspace::{Files, LoadError, Loaded, Workspace, unreadable};
