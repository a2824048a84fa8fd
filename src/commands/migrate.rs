//! `rehook migrate`: writes the plan, all files or none.

mod places;

use super::prepare::{Prepared, prepare};
use super::scan::{report_view, say_findings, show_patch};
use super::{Console, Failure, Outcome};
use crate::apply::{self, FileChange};
use crate::cli::{Format, MigrateArgs};
use crate::term;
use crate::text;
use crate::{git, report};

/// Runs the command.
///
/// # Errors
/// See [`prepare`]; and when files have uncommitted changes, or cannot be written: then nothing was.
pub fn run(args: &MigrateArgs, console: &Console) -> anyhow::Result<Outcome> {
    let mut prepared = prepare(&args.plan)?;
    if !args.check
        && let Some(recovered) = apply::recover(&prepared.root).map_err(Failure::from)?
    {
        console.say(&format!("{}\n", recovered.text().get(console.lang())));
        // The sources may have changed by it.
        prepared = prepare(&args.plan)?;
    }
    if args.check {
        show(&prepared, args.format, console)?;
        say_findings(&prepared, console);
        let something = !prepared.changes.is_empty() || prepared.leaves_work();
        return Ok(match (something, prepared.nothing_readable) {
            (_, true) => Outcome::Failed,
            (true, _) => Outcome::Remaining,
            (false, _) => Outcome::Done,
        });
    }
    if !args.allow_dirty && !prepared.changes.is_empty() {
        guard(&prepared, console)?;
    }
    let changes: Vec<FileChange> = prepared
        .changes
        .iter()
        .map(|change| FileChange {
            path: change.path.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
        })
        .collect();
    apply::apply(&prepared.root, &changes).map_err(Failure::from)?;
    places::follow(&mut prepared.plan);
    show(&prepared, args.format, console)?;
    say_findings(&prepared, console);
    if !changes.is_empty() && !console.is_quiet() {
        let next = text!(
            "next: restart the agent; the old URLs answer no more then: point the senders to the new ones (`rehook scan` lists both), or let `rehook shim` answer for them; `rehook undo` takes all of this back\n",
            "接下来：重启 Agent；此后旧地址将不再响应，请让发送方改用新地址（`rehook scan` 会列出新旧地址），或用 `rehook shim` 代为应答；`rehook undo` 可撤销本次迁移\n"
        );
        console.say(next.get(console.lang()));
    }
    Ok(match (prepared.nothing_readable, prepared.leaves_work()) {
        (true, _) => Outcome::Failed,
        (_, true) => Outcome::Remaining,
        (_, false) => Outcome::Done,
    })
}

fn show(prepared: &Prepared, format: Format, console: &Console) -> anyhow::Result<()> {
    let view = report_view(prepared);
    match format {
        Format::Json => console.result(&report::json::render(&view, console.lang())?)?,
        Format::Text => console.result(&report::text::stat(&view, console.lang()))?,
    }
    Ok(())
}

/// Refuses to write over what no commit has; shows the preview then.
fn guard(prepared: &Prepared, console: &Console) -> anyhow::Result<()> {
    let files: Vec<_> = prepared
        .changes
        .iter()
        .map(|change| change.path.clone())
        .collect();
    let lost: Vec<_> = if prepared.is_in_git {
        git::uncommitted(&files).map_err(Failure::from)?
    } else {
        files.into_iter().filter(|file| file.exists()).collect()
    };
    if lost.is_empty() {
        return Ok(());
    }
    show_patch(&report_view(prepared), console)?;
    let names = lost
        .iter()
        .map(|path| term::path(prepared.shown(path)))
        .collect::<Vec<_>>();
    let (en, zh) = (names.join(", "), names.join("、"));
    let failure = if prepared.is_in_git {
        Failure {
            text: text!(
                "nothing was written: these files have uncommitted changes: {en}",
                "没有写入任何文件：以下文件有未提交的修改：{zh}"
            ),
            remedy: text!(
                "commit them first, or add --allow-dirty; `rehook undo` takes a migration back either way",
                "请先提交，或加上 --allow-dirty；两种情况下都可以用 `rehook undo` 撤销迁移"
            ),
        }
    } else {
        Failure {
            text: text!(
                "nothing was written: these files are in no git repo: {en}",
                "没有写入任何文件：以下文件不在 git 仓库中：{zh}"
            ),
            remedy: text!(
                "make their folder a git repo and commit them, or add --allow-dirty; `rehook undo` takes a migration back either way",
                "请将所在文件夹纳入 git 并提交，或加上 --allow-dirty；两种情况下都可以用 `rehook undo` 撤销迁移"
            ),
        }
    };
    Err(failure.into())
}
