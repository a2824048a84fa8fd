//! The Python program that runs both sides: its files, which are part of this one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file that Python is given.
const MAIN: &str = "main.py";

/// Every file below `runner/`, with its path there.
pub(super) const FILES: &[(&str, &str)] = &[
    ("agent.py", include_str!("runner/agent.py")),
    ("around.py", include_str!("runner/around.py")),
    ("case.py", include_str!("runner/case.py")),
    ("changed.py", include_str!("runner/changed.py")),
    ("child.py", include_str!("runner/child.py")),
    ("compare.py", include_str!("runner/compare.py")),
    ("draft.py", include_str!("runner/draft.py")),
    ("exercised.py", include_str!("runner/exercised.py")),
    ("explore.py", include_str!("runner/explore.py")),
    ("figures.py", include_str!("runner/figures.py")),
    ("label.py", include_str!("runner/label.py")),
    ("landlock.py", include_str!("runner/landlock.py")),
    ("lines.py", include_str!("runner/lines.py")),
    ("main.py", include_str!("runner/main.py")),
    ("mentions.py", include_str!("runner/mentions.py")),
    ("message.py", include_str!("runner/message.py")),
    ("network.py", include_str!("runner/network.py")),
    ("oracle.py", include_str!("runner/oracle.py")),
    ("parameters.py", include_str!("runner/parameters.py")),
    ("parcel.py", include_str!("runner/parcel.py")),
    ("patterns.py", include_str!("runner/patterns.py")),
    ("parent.py", include_str!("runner/parent.py")),
    ("plain.py", include_str!("runner/plain.py")),
    ("probe.py", include_str!("runner/probe.py")),
    ("prove.py", include_str!("runner/prove.py")),
    ("recorder.py", include_str!("runner/recorder.py")),
    ("sample.py", include_str!("runner/sample.py")),
    ("sandbox.py", include_str!("runner/sandbox.py")),
    ("saved.py", include_str!("runner/saved.py")),
    ("shadows.py", include_str!("runner/shadows.py")),
    (
        "standin/nekro_agent/__init__.py",
        include_str!("runner/standin/nekro_agent/__init__.py"),
    ),
    (
        "standin/nekro_agent/adapters/utils.py",
        include_str!("runner/standin/nekro_agent/adapters/utils.py"),
    ),
    (
        "standin/nekro_agent/api/__init__.py",
        include_str!("runner/standin/nekro_agent/api/__init__.py"),
    ),
    (
        "standin/nekro_agent/api/core.py",
        include_str!("runner/standin/nekro_agent/api/core.py"),
    ),
    (
        "standin/nekro_agent/api/i18n.py",
        include_str!("runner/standin/nekro_agent/api/i18n.py"),
    ),
    (
        "standin/nekro_agent/api/message.py",
        include_str!("runner/standin/nekro_agent/api/message.py"),
    ),
    (
        "standin/nekro_agent/api/plugin.py",
        include_str!("runner/standin/nekro_agent/api/plugin.py"),
    ),
    (
        "standin/nekro_agent/api/schemas.py",
        include_str!("runner/standin/nekro_agent/api/schemas.py"),
    ),
    (
        "standin/nekro_agent/api/signal.py",
        include_str!("runner/standin/nekro_agent/api/signal.py"),
    ),
    (
        "standin/nekro_agent/api/timer.py",
        include_str!("runner/standin/nekro_agent/api/timer.py"),
    ),
    (
        "standin/nekro_agent/core/__init__.py",
        include_str!("runner/standin/nekro_agent/core/__init__.py"),
    ),
    (
        "standin/nekro_agent/core/config.py",
        include_str!("runner/standin/nekro_agent/core/config.py"),
    ),
    (
        "standin/nekro_agent/core/core_utils.py",
        include_str!("runner/standin/nekro_agent/core/core_utils.py"),
    ),
    (
        "standin/nekro_agent/core/exception_handlers.py",
        include_str!("runner/standin/nekro_agent/core/exception_handlers.py"),
    ),
    (
        "standin/nekro_agent/core/logger.py",
        include_str!("runner/standin/nekro_agent/core/logger.py"),
    ),
    (
        "standin/nekro_agent/core/os_env.py",
        include_str!("runner/standin/nekro_agent/core/os_env.py"),
    ),
    (
        "standin/nekro_agent/core/small_loguru.py",
        include_str!("runner/standin/nekro_agent/core/small_loguru.py"),
    ),
    (
        "standin/nekro_agent/lacking.py",
        include_str!("runner/standin/nekro_agent/lacking.py"),
    ),
    (
        "standin/nekro_agent/models/db_chat_channel.py",
        include_str!("runner/standin/nekro_agent/models/db_chat_channel.py"),
    ),
    (
        "standin/nekro_agent/routers/__init__.py",
        include_str!("runner/standin/nekro_agent/routers/__init__.py"),
    ),
    (
        "standin/nekro_agent/routers/webhook.py",
        include_str!("runner/standin/nekro_agent/routers/webhook.py"),
    ),
    (
        "standin/nekro_agent/schemas/agent_ctx.py",
        include_str!("runner/standin/nekro_agent/schemas/agent_ctx.py"),
    ),
    (
        "standin/nekro_agent/schemas/agent_message.py",
        include_str!("runner/standin/nekro_agent/schemas/agent_message.py"),
    ),
    (
        "standin/nekro_agent/schemas/chat_message.py",
        include_str!("runner/standin/nekro_agent/schemas/chat_message.py"),
    ),
    (
        "standin/nekro_agent/schemas/errors.py",
        include_str!("runner/standin/nekro_agent/schemas/errors.py"),
    ),
    (
        "standin/nekro_agent/schemas/i18n.py",
        include_str!("runner/standin/nekro_agent/schemas/i18n.py"),
    ),
    (
        "standin/nekro_agent/schemas/signal.py",
        include_str!("runner/standin/nekro_agent/schemas/signal.py"),
    ),
    (
        "standin/nekro_agent/services/chat/universal_chat_service.py",
        include_str!("runner/standin/nekro_agent/services/chat/universal_chat_service.py"),
    ),
    (
        "standin/nekro_agent/services/command/base.py",
        include_str!("runner/standin/nekro_agent/services/command/base.py"),
    ),
    (
        "standin/nekro_agent/services/command/ctl.py",
        include_str!("runner/standin/nekro_agent/services/command/ctl.py"),
    ),
    (
        "standin/nekro_agent/services/command/group.py",
        include_str!("runner/standin/nekro_agent/services/command/group.py"),
    ),
    (
        "standin/nekro_agent/services/command/schemas.py",
        include_str!("runner/standin/nekro_agent/services/command/schemas.py"),
    ),
    (
        "standin/nekro_agent/services/message_service.py",
        include_str!("runner/standin/nekro_agent/services/message_service.py"),
    ),
    (
        "standin/nekro_agent/services/plugin/base.py",
        include_str!("runner/standin/nekro_agent/services/plugin/base.py"),
    ),
    (
        "standin/nekro_agent/services/plugin/collector.py",
        include_str!("runner/standin/nekro_agent/services/plugin/collector.py"),
    ),
    (
        "standin/nekro_agent/services/plugin/packages.py",
        include_str!("runner/standin/nekro_agent/services/plugin/packages.py"),
    ),
    (
        "standin/nekro_agent/services/plugin/router_manager.py",
        include_str!("runner/standin/nekro_agent/services/plugin/router_manager.py"),
    ),
    (
        "standin/nekro_agent/services/plugin/schema.py",
        include_str!("runner/standin/nekro_agent/services/plugin/schema.py"),
    ),
    (
        "standin/nekro_agent/services/plugin/task.py",
        include_str!("runner/standin/nekro_agent/services/plugin/task.py"),
    ),
    ("starts.py", include_str!("runner/starts.py")),
    ("texts.py", include_str!("runner/texts.py")),
    ("tracebacks.py", include_str!("runner/tracebacks.py")),
    ("varying.py", include_str!("runner/varying.py")),
    ("watching.py", include_str!("runner/watching.py")),
    ("wishes.py", include_str!("runner/wishes.py")),
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
    use crate::migrate::discover;

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
