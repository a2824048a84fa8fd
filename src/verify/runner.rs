//! The Python program that runs both sides: its files, which are part of this one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file that Python is given.
const MAIN: &str = "main.py";

/// Every file below `runner/`, with its path there.
const FILES: &[(&str, &str)] = &[
    ("agent.py", include_str!("runner/agent.py")),
    ("case.py", include_str!("runner/case.py")),
    ("child.py", include_str!("runner/child.py")),
    ("compare.py", include_str!("runner/compare.py")),
    ("draft.py", include_str!("runner/draft.py")),
    ("explore.py", include_str!("runner/explore.py")),
    ("lines.py", include_str!("runner/lines.py")),
    ("main.py", include_str!("runner/main.py")),
    ("message.py", include_str!("runner/message.py")),
    ("oracle.py", include_str!("runner/oracle.py")),
    ("probe.py", include_str!("runner/probe.py")),
    ("prove.py", include_str!("runner/prove.py")),
    ("recorder.py", include_str!("runner/recorder.py")),
    ("sample.py", include_str!("runner/sample.py")),
    ("sandbox.py", include_str!("runner/sandbox.py")),
    ("watching.py", include_str!("runner/watching.py")),
];

/// Writes the program into `folder`, which is made; what is returned is the file to run.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write(folder: &Path) -> io::Result<PathBuf> {
    for (name, text) in FILES {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(folder.join(MAIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover;

    /// What is in the folder is in the list, and the other way round.
    #[test]
    fn no_file_of_the_runner_is_missing() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify/runner");
        let mut there: Vec<String> = discover::python_files(&folder)
            .iter()
            .map(|path| path.strip_prefix(&folder).expect("it is in the folder"))
            .map(|path| path.to_string_lossy().replace('\\', "/"))
            .collect();
        there.sort();
        let mut listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(there, listed, "src/verify/runner.rs lists the files");
    }

    #[test]
    fn the_program_is_written_with_its_packages() {
        let folder = tempfile::tempdir().unwrap();
        let main = write(&folder.path().join("runner")).unwrap();
        assert!(main.is_file());
        for (name, text) in FILES {
            let path = folder.path().join("runner").join(name);
            assert_eq!(fs::read_to_string(path).unwrap(), *text);
        }
    }
}
