//! Which modules a module imports, and when: at once, or when one of its functions runs.

use std::path::PathBuf;

use super::runs_before_mounting;
use crate::migrate::python::ast::Stmt;
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Loaded, ModuleName, Workspace};
use crate::migrate::python::tree::{Descend, Node, walk_body};

/// The modules of the repo that a module imports.
#[derive(Default)]
pub(crate) struct Imported {
    /// While it is imported itself, or initialised.
    pub(crate) at_once: Vec<PathBuf>,
    /// When one of its functions runs.
    pub(crate) late: Vec<PathBuf>,
}

impl Imported {
    pub(crate) fn of(workspace: &Workspace, loaded: &Loaded) -> Self {
        let mut imported = Self {
            at_once: workspace.imported_by(loaded, |binding| !binding.type_checking_only),
            late: Vec::new(),
        };
        let suite = loaded.module.suite();
        walk_body(suite, &mut |node| match node {
            Node::Stmt(statement) => match Definition::of(statement) {
                Some(function) => {
                    let modules = workspace.locate_others(loaded, &imports_in(function.body));
                    if runs_before_mounting(suite, function) {
                        imported.at_once.extend(modules);
                    } else {
                        imported.late.extend(modules);
                    }
                    Descend::Past
                }
                None => Descend::Into,
            },
            Node::Expr(_) => Descend::Past,
        });
        imported
    }
}

/// The modules that the import statements in a body name.
fn imports_in(body: &[Stmt]) -> Vec<ModuleName> {
    let mut modules = Vec::new();
    walk_body(body, &mut |node| match node {
        Node::Stmt(Stmt::Import(statement)) => {
            modules.extend(statement.names.iter().map(|alias| ModuleName {
                level: 0,
                dotted: alias.name.to_string(),
            }));
            Descend::Past
        }
        Node::Stmt(Stmt::ImportFrom(statement)) => {
            let module = ModuleName::of_from(statement);
            let names = statement.names.iter();
            modules.extend(names.map(|alias| module.submodule(&alias.name)));
            modules.push(module);
            Descend::Past
        }
        Node::Stmt(_) => Descend::Into,
        Node::Expr(_) => Descend::Past,
    });
    modules
}
