//! The Python program that runs both sides: its files, which are part of this one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file that Python is given.
const MAIN: &str = "__main__.py";

/// The one package that all of it is in, so that none of its modules is taken for one of a plugin's.
const PACKAGE: &str = "_rehook_runner";

/// Paths in the package, each with the text of its file.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../pysrc/_rehook_runner/", $path)))),+]
    };
}

/// Every file of the package.
pub(crate) const FILES: &[(&str, &str)] = files![
    "__init__.py",
    "__main__.py",
    "main.py",
    "comparison/__init__.py",
    "comparison/compare.py",
    "comparison/differential_run.py",
    "comparison/nondeterminism.py",
    "coverage/__init__.py",
    "coverage/line_diff.py",
    "coverage/required_coverage.py",
    "coverage/conditions.py",
    "coverage/lines.py",
    "coverage/reachable_names.py",
    "model/__init__.py",
    "model/case.py",
    "model/request_label.py",
    "model/limits.py",
    "model/message.py",
    "model/ipc.py",
    "model/json_safe.py",
    "model/saved.py",
    "probes/__init__.py",
    "probes/tracked_numbers.py",
    "probes/parameters.py",
    "probes/patterns.py",
    "probes/probe.py",
    "probes/schema_values.py",
    "probes/builtin_patches.py",
    "probes/tracked_strings.py",
    "probes/watching.py",
    "probes/hints.py",
    "process/__init__.py",
    "process/subprocess_task.py",
    "process/landlock.py",
    "process/network.py",
    "process/parent.py",
    "process/sandbox.py",
    "search/__init__.py",
    "search/candidate.py",
    "search/explore.py",
    "search/seeds.py",
    "side/__init__.py",
    "side/agent.py",
    "side/wrapper_identity.py",
    "side/reference_server.py",
    "side/own_folders.txt",
    "side/recorder.py",
    "side/tracebacks.py",
    "standin/nekro_agent/__init__.py",
    "standin/nekro_agent/lacking.py",
    "standin/nekro_agent/adapters/utils.py",
    "standin/nekro_agent/api/__init__.py",
    "standin/nekro_agent/api/core.py",
    "standin/nekro_agent/api/i18n.py",
    "standin/nekro_agent/api/message.py",
    "standin/nekro_agent/api/plugin.py",
    "standin/nekro_agent/api/schemas.py",
    "standin/nekro_agent/api/signal.py",
    "standin/nekro_agent/api/timer.py",
    "standin/nekro_agent/core/__init__.py",
    "standin/nekro_agent/core/config.py",
    "standin/nekro_agent/core/core_utils.py",
    "standin/nekro_agent/core/exception_handlers.py",
    "standin/nekro_agent/core/logger.py",
    "standin/nekro_agent/core/os_env.py",
    "standin/nekro_agent/core/small_loguru.py",
    "standin/nekro_agent/models/db_chat_channel.py",
    "standin/nekro_agent/routers/__init__.py",
    "standin/nekro_agent/routers/webhook.py",
    "standin/nekro_agent/schemas/agent_ctx.py",
    "standin/nekro_agent/schemas/agent_message.py",
    "standin/nekro_agent/schemas/chat_message.py",
    "standin/nekro_agent/schemas/errors.py",
    "standin/nekro_agent/schemas/i18n.py",
    "standin/nekro_agent/schemas/signal.py",
    "standin/nekro_agent/services/message_service.py",
    "standin/nekro_agent/services/chat/universal_chat_service.py",
    "standin/nekro_agent/services/command/base.py",
    "standin/nekro_agent/services/command/ctl.py",
    "standin/nekro_agent/services/command/group.py",
    "standin/nekro_agent/services/command/schemas.py",
    "standin/nekro_agent/services/plugin/base.py",
    "standin/nekro_agent/services/plugin/collector.py",
    "standin/nekro_agent/services/plugin/packages.py",
    "standin/nekro_agent/services/plugin/router_manager.py",
    "standin/nekro_agent/services/plugin/schema.py",
    "standin/nekro_agent/services/plugin/task.py",
];

/// Writes the program into `folder`, which is made; what is returned is the file to run.
///
/// # Errors
/// When the folder cannot be written to.
pub(crate) fn write(folder: &Path) -> io::Result<PathBuf> {
    let package = folder.join(PACKAGE);
    for (name, text) in FILES {
        let path = package.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(package.join(MAIN))
}

/// The variables that name the folders of a user, each with the folder that it names instead. The program
/// reads the same file.
pub(crate) fn own_folders() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../pysrc/_rehook_runner/side/own_folders.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::project::discover;

    /// What is in the folder is in the list, and the other way round.
    #[test]
    fn every_file_of_the_program_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/verify/pysrc")
            .join(PACKAGE);
        let mut there: Vec<String> = discover::python_files(&folder)
            .iter()
            .map(|path| path.strip_prefix(&folder).expect("it is in the folder"))
            .map(|path| path.to_string_lossy().replace('\\', "/"))
            .collect();
        there.sort();
        let is_python = |name: &&str| Path::new(name).extension().is_some_and(|end| end == "py");
        let mut listed: Vec<&str> = FILES
            .iter()
            .map(|(name, _)| *name)
            .filter(is_python)
            .collect();
        listed.sort_unstable();
        assert_eq!(
            there, listed,
            "src/verify/runner/embedded.rs lists the files"
        );
    }

    #[test]
    fn the_program_is_written_with_its_packages() {
        let folder = tempfile::tempdir().unwrap();
        let main = write(&folder.path().join("runner")).unwrap();
        assert!(main.is_file());
        for (name, text) in FILES {
            let path = main.with_file_name(name);
            assert_eq!(fs::read_to_string(path).unwrap(), *text);
        }
    }
}
