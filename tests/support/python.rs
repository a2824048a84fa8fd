//! The project's own Python, and what CPython and ruff say about the code that `rehook` writes.
//!
//! Without that Python these checks cannot be made. Where it is expected (`tests/run.sh` and CI)
//! that is a failure, elsewhere a reason to skip them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::project;
use super::tree::Tree;

/// Why there is no Python to ask.
pub(crate) struct NoPython {
    /// What to tell the user.
    pub reason: String,
    /// Whether it should have been there.
    pub expected: bool,
}

/// The interpreter of `.python/`.
pub(crate) fn interpreter() -> Result<PathBuf, NoPython> {
    let own = if cfg!(windows) {
        project().join(".python/Scripts/python.exe")
    } else {
        project().join(".python/bin/python")
    };
    let told = env::var_os("REHOOK_PYTHON").map(PathBuf::from);
    let python = told.clone().unwrap_or(own);
    if python.is_file() && project().join(".python/requirements.txt").is_file() {
        return Ok(python);
    }
    Err(NoPython {
        reason: "there is no .python folder yet: run `sh tests/run.sh`".to_owned(),
        expected: told.is_some() || env::var_os("CI").is_some(),
    })
}

/// The built-in `github` plugin of the agent that is installed in `.python/`.
pub(crate) fn github_plugin(python: &PathBuf) -> Result<Tree, String> {
    let output = Command::new(python)
        .args([
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ])
        .output()
        .map_err(|error| error.to_string())?;
    let site = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let plugin = site.join("plugins/builtin/github");
    let mut tree = Tree::read(&plugin, &["__pycache__"])
        .map_err(|error| format!("{}: {error}", plugin.display()))?;
    tree.0.retain(|path, _| !path.contains("__pycache__"));
    Ok(tree)
}

/// What CPython and ruff find in each tree after the migration that they did not find before it.
///
/// One interpreter and one run of ruff for all of them, as starting these costs more than the
/// checks do.
pub(crate) fn judge(
    python: &PathBuf,
    trees: &[(String, Tree, Tree)],
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (name, before, after) in trees {
        for (side, tree) in [("before", before), ("after", after)] {
            tree.write(&folder.path().join(side).join(name))
                .map_err(|error| error.to_string())?;
        }
    }
    // Ends the search for a configuration, which would else go on above the temporary folder.
    fs::write(folder.path().join("ruff.toml"), "").map_err(|error| error.to_string())?;
    let output = Command::new(python)
        .arg(project().join("tests/python/check_trees.py"))
        .arg(folder.path())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
