//! How a module that registers a webhook gets at the names of the plugin's module.

use std::path::Path;

use crate::migrate::find::plugin::Plugin;
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::Registered;
use crate::migrate::plan::modules::cross_module::names_module;
use crate::migrate::python::names::{BindingKind, ModuleName, Workspace};

/// How a module that registers a webhook gets at the names of the plugin's module.
pub(super) enum Access {
    /// They are its own.
    Own,
    /// Through a module that it has, as in `pkg` of `pkg.plugin`.
    Through(String),
    /// By an import from that module.
    Import(ModuleName),
}

pub(super) fn access(
    workspace: &Workspace,
    one: &Registered<'_>,
    plugin: &Plugin,
    draft: &Draft,
) -> Option<Access> {
    let plugin_module = plugin.loaded.module.source().path();
    if one.path() == plugin_module {
        return Some(Access::Own);
    }
    let names_it = |module: &ModuleName| {
        names_module(one.path(), module, plugin_module)
            || workspace
                .locate(one.path(), module)
                .is_some_and(|located| located == plugin_module)
    };
    if let Some(prefix) = one.webhook.call.module_prefix {
        // `pkg.plugin`, where `pkg` may only pass the plugin on: the router has to be there too.
        let direct = draft.loaded.scope.bindings(draft.slice(prefix));
        let is_plugin_module = direct.iter().any(|binding| match &binding.kind {
            BindingKind::From(module, name) => {
                let dotted = match module.dotted.as_str() {
                    "" => name.clone(),
                    dotted => format!("{dotted}.{name}"),
                };
                names_it(&ModuleName {
                    level: module.level,
                    dotted,
                })
            }
            BindingKind::Module(module) => names_it(module),
            _ => false,
        });
        if is_plugin_module {
            return Some(Access::Through(draft.slice(prefix).to_owned()));
        }
    }
    if let Some(name) = &one.webhook.call.receiver_name
        && let Some((statement, _)) = draft.names.imports.statement_of(name)
        && names_it(&statement.module)
    {
        return Some(Access::Import(statement.module.clone()));
    }
    relative_module(workspace, one.path(), plugin_module).map(Access::Import)
}

/// The relative name of `to` as written in `from`, when both are in one package.
fn relative_module(workspace: &Workspace, from: &Path, to: &Path) -> Option<ModuleName> {
    let folder = from.parent()?;
    let mut target = to.with_extension("");
    if target.file_name() == Some("__init__".as_ref()) {
        target.pop();
    }
    for (ups, ancestor) in folder.ancestors().enumerate() {
        if !workspace.is_file(&ancestor.join("__init__.py")) {
            return None;
        }
        let inside = match target.strip_prefix(ancestor) {
            Ok(inside) => inside,
            Err(_) => continue,
        };
        let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
        return Some(ModuleName {
            level: ups + 1,
            dotted: parts?.join("."),
        });
    }
    None
}

/// The module of the plugin as the file at `path` names it in its imports, else relative.
pub(super) fn module_for(
    workspace: &Workspace,
    draft: &Draft,
    plugin: &Plugin,
    path: &Path,
) -> Option<ModuleName> {
    let plugin_module = plugin.loaded.module.source().path();
    let statements = draft.names.imports.statements.iter();
    let written = statements
        .filter(|statement| {
            statement.is_from && names_module(path, &statement.module, plugin_module)
        })
        .map(|statement| statement.module.clone())
        .next();
    written.or_else(|| relative_module(workspace, path, plugin_module))
}
