//! What somebody may have meant who has misspelt a name. Pure, but for [`path`], which looks at folders.

use std::fs;
use std::path::{Path, PathBuf};

/// The candidate that is nearest to `name`, if one is near enough to be meant; of equally near ones
/// the first by name.
pub(crate) fn nearest(name: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let folded = name.to_lowercase();
    // A third of the letters may be wrong; of a short name one.
    let most = (folded.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The path that exists and is nearest to `path`, which does not: the first part of it that is not
/// there is looked for among its neighbours.
pub(crate) fn path(path: &Path) -> Option<PathBuf> {
    let is_there = |folder: &Path| folder.as_os_str().is_empty() || folder.exists();
    let missing = path.ancestors().find(|one| match one.parent() {
        Some(parent) => !one.exists() && is_there(parent),
        None => false,
    })?;
    let folder = missing.parent()?;
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let names = fs::read_dir(here).ok()?.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.into_string().ok()
    });
    let name = nearest(missing.file_name()?.to_str()?, names)?;
    let found = folder.join(name);
    // With the rest, if that is there too.
    let rest = path.strip_prefix(missing).unwrap_or(Path::new(""));
    let whole = found.join(rest);
    let is_more = !rest.as_os_str().is_empty() && whole.exists();
    Some(if is_more { whole } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_when_few_letters_are_wrong() {
        let names = || ["plugins", "README.md", "app.py", "a.py"].map(str::to_owned);
        for (name, expected) in [
            ("plugin", Some("plugins")),
            ("pluigns", Some("plugins")),
            ("Plugins", Some("plugins")),
            ("readme", None),
            ("apps.py", Some("app.py")),
            ("b.py", Some("a.py")),
            ("src", None),
        ] {
            assert_eq!(nearest(name, names()).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_first_part_that_is_not_there_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("plugins/github")).unwrap();
        fs::write(root.join("plugins/github/plugin.py"), "").unwrap();
        for (asked, expected) in [
            ("plugin/github/plugin.py", Some("plugins/github/plugin.py")),
            (
                "plugins/github/plugins.py",
                Some("plugins/github/plugin.py"),
            ),
            ("plugin/gitlab", Some("plugins")),
            ("nowhere/github", None),
        ] {
            let found = path(&root.join(asked));
            let is_folder = found
                .iter()
                .any(|path| path.as_os_str().as_encoded_bytes().ends_with(b"/"));
            assert!(!is_folder, "{asked}");
            assert_eq!(found, expected.map(|name| root.join(name)), "{asked}");
        }
    }
}
