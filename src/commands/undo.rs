//! `rehook undo`: takes the last migration back; called again, the one before.

use std::path::Path;

use super::console::Console;
use super::exit_status::ExitStatus;
use crate::cli::UndoArgs;
use crate::migrate::apply;
use crate::migrate::project::git;
use crate::user_error::UserError;
use crate::{term, text};

/// Runs the command.
///
/// # Errors
/// When there is nothing to take back, or files were edited since: then nothing was written.
pub(super) fn run(args: &UndoArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let path =
        dunce::canonicalize(&args.path).map_err(|error| UserError::path(&args.path, &error))?;
    let folder = if path.is_dir() {
        path.as_path()
    } else {
        path.parent().unwrap_or(&path)
    };
    let root = git::repo_root(folder).unwrap_or_else(|| folder.to_owned());
    let lang = console.lang();
    if let Some(recovered) = apply::recover(&root).map_err(UserError::from)? {
        console.say(&format!("{}\n", recovered.text().get(lang)));
        if let apply::Recovered::MigrationTakenBack(_) | apply::Recovered::UndoFinished(_) =
            recovered
        {
            return Ok(ExitStatus::Done);
        }
    }
    let undone = apply::undo(&root).map_err(UserError::from)?;
    let mut result = String::new();
    let mut line = |label: &crate::text::Text, path: &Path| {
        result += &format!("{} {}\n", label.get(lang), term::path(path));
    };
    for path in &undone.restored {
        line(&text!("restored", "已恢复"), path);
    }
    for path in &undone.removed {
        line(&text!("removed", "已删除"), path);
    }
    if let Err(failure) = console.result(&result) {
        // What was taken back is taken back, whatever becomes of the list.
        console.report(&failure.into());
        let note = text!(
            "the migration was taken back all the same\n",
            "迁移仍已撤销\n"
        );
        console.say(note.get(lang));
    }
    if undone.earlier > 0 && !console.is_quiet() {
        let note = match undone.earlier {
            1 => text!(
                "one earlier migration can be taken back too: run `rehook undo` again\n",
                "还可以撤销更早的 1 次迁移：请再次运行 `rehook undo`\n"
            ),
            earlier => text!(
                "{earlier} earlier migrations can be taken back too, one at a time: run `rehook undo` again\n",
                "还可以逐次撤销更早的 {earlier} 次迁移：请再次运行 `rehook undo`\n"
            ),
        };
        console.say(note.get(lang));
    }
    Ok(ExitStatus::Done)
}
