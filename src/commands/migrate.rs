//! `rehook migrate`: writes the plan, all files or none.

use std::ffi::OsStr;
use std::path::Path;

use super::console::Console;
use super::exit_status::ExitStatus;
use super::output::{report_view, say_findings, say_pending, show_patch};
use super::plan_args::migration_of;
use crate::cli::{Format, MigrateArgs};
use crate::migrate::apply::{self, FileChange};
use crate::migrate::pipeline::Migration;
use crate::migrate::project::git;
use crate::migrate::report;
use crate::migrate::report::json::Extras;
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// Runs the command.
///
/// # Errors
/// See [`migration_of`]; and when files have uncommitted changes, or cannot be written: then nothing was.
pub(super) fn run(args: &MigrateArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let mut migration = migration_of(&args.plan)?;
    if !args.check
        && let Some(recovered) = apply::recover(&migration.root).map_err(UserError::from)?
    {
        console.say(&format!("{}\n", recovered.text().get(console.lang())));
        // The sources may have changed by it.
        migration = migration_of(&args.plan)?;
    }
    if args.check {
        let view = report_view(&migration);
        show(&view, args.format, console)?;
        say_pending(&migration, console);
        say_findings(&view, console);
        let something = !migration.changes.is_empty() || migration.has_manual_work();
        return Ok(match (something, migration.all_unreadable) {
            (_, true) => ExitStatus::Failed,
            (true, _) => ExitStatus::Remaining,
            (false, _) => ExitStatus::Done,
        });
    }
    refuse_foreign_files(&migration, args)?;
    if !args.allow_dirty && !migration.changes.is_empty() {
        guard(&migration, console)?;
    }
    let changes: Vec<FileChange> = migration
        .changes
        .iter()
        .map(|change| FileChange {
            path: change.path.clone(),
            before: change.before.as_deref().map(<[u8]>::to_vec),
            after: change.after.to_vec(),
        })
        .collect();
    apply::apply(&migration.root, &changes).map_err(UserError::from)?;
    migration.is_written = true;
    let view = report_view(&migration);
    let shown = show(&view, args.format, console);
    if let Err(error) = &shown {
        // What was written is written, whatever becomes of the report.
        console.report(error);
        let note = text!(
            "the files were written all the same; `rehook undo` takes that back\n",
            "文件仍已写入；可用 `rehook undo` 撤销\n"
        );
        console.say(note.get(console.lang()));
    }
    say_findings(&view, console);
    if !changes.is_empty() && !console.is_quiet() {
        let next = text!(
            "next: restart the agent; the old URLs will then stop working: point the senders to the new ones (`rehook scan` lists both), or let `rehook shim` answer for them; `rehook undo` takes all of this back\n",
            "接下来：重启 Agent；此后旧地址将不再响应，请让发送方改用新地址（`rehook scan` 会列出新旧地址），或用 `rehook shim` 代为响应；`rehook undo` 可撤销本次迁移\n"
        );
        console.say(next.get(console.lang()));
    }
    let has_manual_work = migration.has_manual_work() || shown.is_err();
    Ok(match (migration.all_unreadable, has_manual_work) {
        (true, _) => ExitStatus::Failed,
        (_, true) => ExitStatus::Remaining,
        (_, false) => ExitStatus::Done,
    })
}

fn show(view: &report::View<'_>, format: Format, console: &Console) -> anyhow::Result<()> {
    match format {
        Format::Json => console.result(&report::json::render(
            view,
            Extras::default(),
            console.lang(),
        )?)?,
        Format::Text => console.result(&report::text::stat(view, console.lang()))?,
    }
    Ok(())
}

/// Refuses to write to files of another repo, or outside of this one, to which links lead: nobody who
/// named this repo has named them.
fn refuse_foreign_files(migration: &Migration, args: &MigrateArgs) -> Result<(), UserError> {
    let named: Vec<_> = args
        .plan
        .paths
        .iter()
        .filter_map(|path| dunce::canonicalize(path).ok())
        .collect();
    let repo = git::repo_root(&migration.root);
    let is_foreign = |path: &Path, real: &Path| {
        // The map of --routes is named as well.
        let is_named = named.iter().any(|named| real.starts_with(named))
            || args.plan.routes.is_some() && path.extension() == Some(OsStr::new("toml"));
        let is_own = real.starts_with(&migration.root) && git::repo_root(real) == repo;
        real != path && !is_named && !is_own
    };
    let foreign: Vec<_> = migration
        .changes
        .iter()
        .filter_map(|change| Some((change, dunce::canonicalize(&change.path).ok()?)))
        .filter(|(change, real)| is_foreign(&change.path, real))
        .collect();
    // The map comes last, and is what has to be seen to first.
    let Some((_, first)) = foreign.last() else {
        return Ok(());
    };
    let names: Vec<_> = foreign
        .iter()
        .map(|(change, real)| {
            let link = term::path(migration.shown(&change.path));
            format!("{link} -> {}", term::path(real))
        })
        .collect();
    let (en, zh, first) = (names.join(", "), names.join("、"), term::path(first));
    let is_map = foreign
        .iter()
        .any(|(change, _)| change.path.extension() == Some(OsStr::new("toml")));
    let remedy = if is_map {
        text!(
            "to write the route map there, name it where it is, as in `--routes {first}`; else put a file in the place of the link",
            "如果确实要把路由表写到那里，请直接指定它本身，例如 `--routes {first}`；否则请用普通文件替换该链接"
        )
    } else {
        text!(
            "to migrate such a file, name it where it is, as in `rehook migrate {first}`; or name only the other files of this repo",
            "如需迁移这样的文件，请直接指定它本身，例如 `rehook migrate {first}`；或只指定本仓库的其他文件"
        )
    };
    Err(UserError {
        message: text!(
            "nothing was written: these links lead out of the repo: {en}",
            "没有写入任何文件：以下链接指向仓库之外：{zh}"
        ),
        help: remedy,
    })
}

/// Refuses to write over what no commit has, and what is not what `rehook` itself wrote last; shows
/// the preview then.
fn guard(migration: &Migration, console: &Console) -> anyhow::Result<()> {
    let files: Vec<_> = migration
        .changes
        .iter()
        .map(|change| change.path.clone())
        .collect();
    let mut lost: Vec<_> = if migration.is_in_git {
        git::uncommitted(&files)?
    } else {
        files.into_iter().filter(|file| file.exists()).collect()
    };
    if !lost.is_empty() {
        let read: Vec<(&Path, &[u8])> = migration
            .changes
            .iter()
            .filter(|change| lost.contains(&change.path))
            .filter_map(|change| Some((&*change.path, change.before.as_deref()?)))
            .collect();
        let ours = apply::written_last(&migration.root, &read);
        lost.retain(|path| !ours.contains(&&**path));
    }
    if lost.is_empty() {
        return Ok(());
    }
    show_patch(&report_view(migration), console)?;
    let names = lost
        .iter()
        .map(|path| term::path(migration.shown(path)))
        .collect::<Vec<_>>();
    let (en, zh) = (names.join(", "), names.join("、"));
    let filtered = if migration.is_in_git {
        git::behind_filters(&lost)?
    } else {
        Vec::new()
    };
    let failure = if !filtered.is_empty() {
        let filters: Vec<_> = filtered
            .iter()
            .map(|(path, filter)| {
                let path = term::path(migration.shown(path));
                format!("{path} ({})", term::escaped(filter))
            })
            .collect();
        let (filters_en, filters_zh) = (filters.join(", "), filters.join("、"));
        UserError {
            message: text!(
                "nothing was written: these files have uncommitted changes: {en}; of these only a git filter could tell for certain, and none is run here: {filters_en}",
                "没有写入任何文件：以下文件有未提交的修改：{zh}；其中只有 git 过滤器才能确定是否有修改的（这里不会运行过滤器）：{filters_zh}"
            ),
            help: text!(
                "if you trust the repo, see what `git status` says, and commit what it names; then add --allow-dirty; `rehook undo` takes a migration back either way",
                "如果信任该仓库，请查看 `git status` 的结果并提交其中列出的修改；然后加上 --allow-dirty；两种情况下都可以用 `rehook undo` 撤销迁移"
            ),
        }
    } else if migration.is_in_git {
        UserError {
            message: text!(
                "nothing was written: these files have uncommitted changes: {en}",
                "没有写入任何文件：以下文件有未提交的修改：{zh}"
            ),
            help: text!(
                "commit them first, or add --allow-dirty; `rehook undo` takes a migration back either way",
                "请先提交，或加上 --allow-dirty；两种情况下都可以用 `rehook undo` 撤销迁移"
            ),
        }
    } else {
        UserError {
            message: text!(
                "nothing was written: these files are in no git repo: {en}",
                "没有写入任何文件：以下文件不在 git 仓库中：{zh}"
            ),
            help: text!(
                "make their folder a git repo and commit them, or add --allow-dirty; `rehook undo` takes a migration back either way",
                "请将所在文件夹纳入 git 并提交，或加上 --allow-dirty；两种情况下都可以用 `rehook undo` 撤销迁移"
            ),
        }
    };
    Err(failure.into())
}
