//! What the agent has to load for a plugin: a package's folder, or a file.
//!
//! The agent imports each entry of its folder of plugins and takes the attribute `plugin` of it. So
//! it is the nearest package around the plugin's module that binds this name, else the module alone.

use std::path::{Path, PathBuf};

use crate::migrate::python::names::Workspace;

/// The name that the agent looks for in what it has imported.
const PLUGIN: &str = "plugin";

/// What the agent loads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PluginSource {
    /// The package's folder, or the file; an absolute path.
    pub(crate) source: PathBuf,
    /// What it is called in the agent's folder.
    pub(crate) item: String,
    /// What kind of thing it is, and in which of the agent's folders.
    pub(crate) kind: Kind,
}

/// What the agent loads, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A file among its siblings, in the folder for plugins that are being written.
    File,
    /// A package, in that folder too.
    Package,
    /// A repo that is the package itself, in the folder for those that were cloned.
    ClonedRepo,
}

impl Kind {
    /// The name of the agent's folder.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::File | Self::Package => "workdir",
            Self::ClonedRepo => "packages",
        }
    }
}

impl PluginSource {
    /// The source of the plugin that is made in `module`; `root` is the root of the repo, and
    /// `module_name` the second half of the plugin's key, under which the agent clones a repo.
    pub(crate) fn of(workspace: &Workspace, root: &Path, module: &Path, module_name: &str) -> Self {
        let packages = module
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(root))
            .take_while(|folder| workspace.is_file(&folder.join("__init__.py")));
        let package = packages
            .into_iter()
            .find(|folder| binds_plugin(workspace, &folder.join("__init__.py")));
        match package {
            Some(package) if package == root => Self {
                source: package.to_owned(),
                item: if is_identifier(module_name) {
                    module_name.to_owned()
                } else {
                    name_of(package)
                },
                kind: Kind::ClonedRepo,
            },
            Some(package) => Self {
                source: package.to_owned(),
                item: name_of(package),
                kind: Kind::Package,
            },
            None => Self {
                source: module.to_owned(),
                item: name_of(module),
                kind: Kind::File,
            },
        }
    }

    /// The folder whose contents are laid out, and where they go in the agent's folder.
    pub(crate) fn layout(&self) -> (&Path, &Path) {
        match self.kind {
            Kind::File => (self.source.parent().unwrap_or(&self.source), Path::new("")),
            Kind::Package | Kind::ClonedRepo => (&self.source, Path::new(&self.item)),
        }
    }

    /// Where a file of the repo is in the agent's folder; none when it is not laid out.
    pub(crate) fn laid_out(&self, path: &Path) -> Option<PathBuf> {
        let (folder, prefix) = self.layout();
        Some(prefix.join(path.strip_prefix(folder).ok()?))
    }

    /// Where a file of the agent's folder comes from.
    pub(crate) fn origin(&self, laid_out: &Path) -> PathBuf {
        let (folder, prefix) = self.layout();
        folder.join(laid_out.strip_prefix(prefix).unwrap_or(laid_out))
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_')
}

/// Whether a module binds the name itself, or takes all names of one that does.
fn binds_plugin(workspace: &Workspace, module: &Path) -> bool {
    binds(workspace, module, &mut Vec::new())
}

fn binds(workspace: &Workspace, module: &Path, seen: &mut Vec<PathBuf>) -> bool {
    if seen.iter().any(|known| known == module) {
        return false;
    }
    seen.push(module.to_owned());
    let Ok(loaded) = workspace.load(module) else {
        return false;
    };
    let bindings = loaded.scope.bindings(PLUGIN);
    bindings.iter().any(|binding| !binding.type_checking_only)
        || loaded.scope.stars().iter().any(|star| {
            let module = workspace.locate(module, star);
            module.is_some_and(|module| binds(workspace, &module, seen))
        })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::migrate::python::names::MemoryFiles;

    fn plugin(files: &[(&str, &str)], module: &str) -> (String, String, Kind) {
        let files: HashMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (Path::new("/repo").join(path), (*text).to_owned()))
            .collect();
        let root = Path::new("/repo");
        let workspace = Workspace::new(root.to_owned(), Box::new(MemoryFiles(files)));
        let plugin = PluginSource::of(&workspace, root, &root.join(module), "weather");
        let source = plugin.source.strip_prefix(root).unwrap();
        (
            source.to_string_lossy().into_owned(),
            plugin.item,
            plugin.kind,
        )
    }

    #[test]
    fn a_file_stands_for_itself() {
        let found = plugin(&[("plugins/ci.py", "")], "plugins/ci.py");
        assert_eq!(found, ("plugins/ci.py".into(), "ci.py".into(), Kind::File));
    }

    #[test]
    fn the_nearest_package_that_binds_the_plugin_is_loaded() {
        for init in [
            "from .base import plugin\n",
            "from .base import *\n",
            "from . import base\nplugin = base.plugin\n",
        ] {
            let files = [
                ("all/__init__.py", ""),
                ("all/gamma/__init__.py", init),
                ("all/gamma/deep/__init__.py", ""),
                ("all/gamma/base.py", "plugin = 1\n"),
                ("all/gamma/deep/base.py", ""),
            ];
            for module in ["all/gamma/base.py", "all/gamma/deep/base.py"] {
                let found = plugin(&files, module);
                let expected = ("all/gamma".into(), "gamma".into(), Kind::Package);
                assert_eq!(found, expected, "{init}");
            }
        }
    }

    #[test]
    fn a_package_that_binds_no_plugin_is_only_a_folder() {
        let files = [
            (
                "all/__init__.py",
                "import typing\nif typing.TYPE_CHECKING:\n    from .a import plugin\n",
            ),
            ("all/a.py", "plugin = 1\n"),
        ];
        let found = plugin(&files, "all/a.py");
        assert_eq!(found, ("all/a.py".into(), "a.py".into(), Kind::File));
    }

    #[test]
    fn a_repo_that_is_the_package_has_the_name_of_the_plugin() {
        let files = [
            ("__init__.py", "from .main import plugin\n"),
            ("main.py", ""),
        ];
        let found = plugin(&files, "main.py");
        assert_eq!(found, (String::new(), "weather".into(), Kind::ClonedRepo));
    }

    #[test]
    fn packages_that_take_all_names_of_each_other_end() {
        let files = [
            ("p/__init__.py", "from .a import *\n"),
            ("p/a.py", "from . import *\n"),
        ];
        assert_eq!(plugin(&files, "p/a.py").2, Kind::File);
    }

    #[test]
    fn what_the_agent_has_is_led_back_to_the_repo() {
        let plugin = PluginSource {
            source: "/repo".into(),
            item: "weather".into(),
            kind: Kind::ClonedRepo,
        };
        let (inside, path) = (Path::new("weather/a/b.py"), Path::new("/repo/a/b.py"));
        assert_eq!(plugin.origin(inside), path);
        assert_eq!(plugin.laid_out(path).as_deref(), Some(inside));
        assert_eq!(plugin.laid_out(Path::new("/other/b.py")), None);
        let plugin = PluginSource {
            source: "/repo/plugins/ci.py".into(),
            item: "ci.py".into(),
            kind: Kind::File,
        };
        assert_eq!(
            plugin.origin(Path::new("ci.py")),
            Path::new("/repo/plugins/ci.py")
        );
    }
}
