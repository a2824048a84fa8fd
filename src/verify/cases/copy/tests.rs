use super::*;
use crate::user_error::UserError;

/// A folder with these files.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        let path = folder.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    folder
}

fn unit(folder: &tempfile::TempDir, source: &str, kind: Kind) -> PluginSource {
    let source = folder.path().join("in").join(source);
    let item = source.file_name().unwrap().to_string_lossy().into_owned();
    PluginSource { source, item, kind }
}

/// What is in a folder, by path.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    collect(folder, &mut files).unwrap();
    files
        .iter()
        .map(|path| {
            path.strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

fn laid_out(folder: &tempfile::TempDir, unit: &PluginSource) -> Vec<String> {
    let target = folder.path().join("out");
    lay_out(unit, &BTreeMap::new(), &target, &mut CopyBudget::default()).unwrap();
    files(&target)
}

#[test]
fn a_package_comes_with_all_that_is_in_it() {
    let folder = folder(&[
        "p/__init__.py",
        "p/data/a.json",
        "p/.hidden",
        "p/.git",
        "p/deep/.git/config",
        "p/__pycache__/a.pyc",
        "p/node_modules/x/y.js",
        "p/env/pyvenv.cfg",
        "p/env/lib/z.py",
        "other.py",
    ]);
    let unit = unit(&folder, "p", Kind::Package);
    assert_eq!(
        laid_out(&folder, &unit),
        ["p/.hidden", "p/__init__.py", "p/data/a.json"]
    );
}

#[test]
fn a_file_comes_with_what_it_may_import() {
    let folder = folder(&[
        "ci.py",
        "tools.py",
        "lib/__init__.py",
        "lib/a.py",
        "recordings/a.wav",
    ]);
    let unit = unit(&folder, "ci.py", Kind::File);
    assert_eq!(
        laid_out(&folder, &unit),
        ["ci.py", "lib/__init__.py", "lib/a.py", "tools.py"]
    );
}

#[test]
fn what_changes_is_written_as_it_will_be() {
    let folder = folder(&["p/__init__.py", "p/a.py"]);
    let unit = unit(&folder, "p", Kind::Package);
    let changed = folder.path().join("in/p/a.py");
    let changes = BTreeMap::from([(changed.as_path(), &b"new"[..])]);
    let target = folder.path().join("out");
    lay_out(&unit, &changes, &target, &mut CopyBudget::default()).unwrap();
    assert_eq!(fs::read(target.join("p/a.py")).unwrap(), b"new");
    assert_eq!(
        fs::read(target.join("p/__init__.py")).unwrap(),
        b"p/__init__.py"
    );
    assert_eq!(fs::read(changed).unwrap(), b"p/a.py");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_copied_and_links_to_folders_are_not() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["p/__init__.py", "shared/a.py"]);
    let inside = folder.path().join("in/p");
    symlink("../shared/a.py", inside.join("a.py")).unwrap();
    symlink("../shared", inside.join("shared")).unwrap();
    symlink("..", inside.join("around")).unwrap();
    symlink("nowhere", inside.join("broken")).unwrap();
    let unit = unit(&folder, "p", Kind::Package);
    assert_eq!(laid_out(&folder, &unit), ["p/__init__.py", "p/a.py"]);
    let copy = folder.path().join("out/p/a.py");
    assert!(!copy.is_symlink());
    assert_eq!(fs::read(copy).unwrap(), b"shared/a.py");
}

#[test]
fn too_much_is_an_error_that_names_the_folder() {
    let folder = folder(&["p/__init__.py", "p/a.py"]);
    let unit = unit(&folder, "p", Kind::Package);
    let target = folder.path().join("out");
    let allow = |bytes, files| {
        lay_out(
            &unit,
            &BTreeMap::new(),
            &target,
            &mut CopyBudget::new(bytes, files),
        )
        .map_err(|error| UserError::from(error).to_string())
    };
    let named = folder.path().join("in/p").display().to_string();
    let error = allow(15, 10).unwrap_err();
    assert!(error.contains(&named) && error.contains("MiB"), "{error}");
    let error = allow(1000, 1).unwrap_err();
    assert!(
        error.contains(&named) && error.contains("1 files"),
        "{error}"
    );
    allow(19, 2).unwrap();
}
