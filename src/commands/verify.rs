//! `rehook verify`: runs the plugins before and after, and shows where they differ.

mod baseline;

use std::path::Path;

use super::console::Console;
use super::outcome::Outcome;
use super::plan_args::migration_of;
use crate::cli::{AgentArg, Format, VerifyArgs};
use crate::migrate::diagnostic::Severity;
use crate::migrate::pipeline::{Migration, with_parser_stack};
use crate::migrate::plan::Action;
use crate::routes::Route;
use crate::term;
use crate::text;
use crate::text::{Lang, Text};
use crate::user_error::UserError;
use crate::verify::cases::{self, Case, Layout};
use crate::verify::error::VerifyError;
use crate::verify::interrupt;
use crate::verify::job::{AgentChoice, Job};
use crate::verify::python::{self, Places, Python};
use crate::verify::report::{self, View};
use crate::verify::requests::{self, Given};
use crate::verify::results::{Cause, Kind, Status, VerifyReport, Webhook};
use crate::verify::session::Runner;
use crate::verify::temp_dir::WorkDir;

/// Runs the command.
///
/// # Errors
/// See [`migration_of`]; and when nothing can be verified.
pub fn run(args: &VerifyArgs, console: &Console) -> anyhow::Result<Outcome> {
    if cfg!(not(unix)) {
        return Err(UserError::from(VerifyError::NotUnix).into());
    }
    let given = match &args.requests {
        Some(path) => requests::read(path).map_err(UserError::from)?,
        None => Given::default(),
    };
    if let Some(path) = &args.save_requests {
        // Before anything is run, which takes long.
        requests::can_save(path).map_err(UserError::from)?;
    }
    let work_dir = WorkDir::new().map_err(UserError::from)?;
    let migration = migration_of(&args.plan)?;
    let ran = run_in(&work_dir, args, &migration, &given, console);
    // From here on there is nothing that a signal would leave behind, and it ends the program.
    drop(work_dir);
    // Before what else has come of it: processes that are ended leave errors.
    interrupt::check().map_err(UserError::from)?;
    let (results, python) = ran?;
    let view = View {
        results: &results,
        agent: agent(args.agent),
        python: python.as_ref(),
        base: &migration.base,
    };
    show(args, &view, console)?;
    if let Some(path) = &args.save_requests {
        let saved = requests::save(path, &results).map_err(UserError::from)?;
        if !console.is_quiet() {
            console.say(&report::text::saved(path, &saved, console.lang()));
        }
    }
    Ok(match (migration.all_unreadable, results.is_same()) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Done,
        (false, false) => Outcome::Remaining,
    })
}

/// The Python that is meant.
fn python(args: &VerifyArgs, root: &Path) -> Result<Python, VerifyError> {
    python::find(&Places::of_process(args.python.as_deref(), root)?)
}

/// What comes of everything, and the Python that it was run with, if anything was.
fn run_in(
    work_dir: &WorkDir,
    args: &VerifyArgs,
    migration: &Migration,
    given: &Given,
    console: &Console,
) -> anyhow::Result<(VerifyReport, Option<Python>)> {
    let mut results = VerifyReport {
        webhooks: not_migrated(migration),
        ..VerifyReport::default()
    };
    let cases = lay_out(args, migration, work_dir.path(), &mut results)?;
    if cases.is_empty() && results.count(Kind::NotMigrated) == 0 {
        return Err(nothing_to_verify(migration, &results).into());
    }
    results.unsent = cases::unsent(&cases, given);
    let mut python = None;
    if !cases.is_empty() {
        let found = self::python(args, &migration.root).map_err(UserError::from)?;
        if !console.is_quiet() {
            let plugins: Vec<String> = cases.iter().map(Case::plugin).collect();
            let announced = report::text::announcement(&plugins, &found, console.lang());
            console.say(&announced);
        }
        let runner = Runner::start(agent(args.agent), &found, work_dir.path());
        let runner = runner.map_err(UserError::from)?;
        let job = Job {
            seconds: u64::from(args.limit),
            save: args.save_requests.is_some(),
            cases: cases::to_run(&cases, &given.requests, work_dir.path()),
        };
        let said = runner.run(&job).map_err(UserError::from)?;
        results.take(&cases, said).map_err(UserError::from)?;
        python = Some(found);
    }
    Ok((results, python))
}

/// Lays out both sides of everything that is to be verified.
fn lay_out(
    args: &VerifyArgs,
    migration: &Migration,
    folder: &Path,
    results: &mut VerifyReport,
) -> anyhow::Result<Vec<Case>> {
    let trees = folder.join("trees");
    let mut layout = Layout::new(&trees);
    let groups =
        with_parser_stack(|| cases::group(&migration.root, cases::to_migrate(&migration.plan)))?;
    for group in groups {
        let routes: Vec<Route> = group.routes().cloned().collect();
        if let Err(error) = layout.add_planned(group, &migration.plan) {
            let cause =
                Cause::of(error, &migration.root, &migration.root).map_err(UserError::from)?;
            baseline::cannot_run(results, &routes, &cause);
        }
    }
    baseline::add(args, migration, folder, &mut layout, results)?;
    Ok(layout.into_cases())
}

fn agent(asked: AgentArg) -> AgentChoice {
    match asked {
        AgentArg::Auto => AgentChoice::Auto,
        AgentArg::Installed => AgentChoice::Installed,
        AgentArg::StandIn => AgentChoice::StandIn,
    }
}

/// What is left by hand, and the files that could not be read, in which anything may be.
fn not_migrated(migration: &Migration) -> Vec<Webhook> {
    let by_hand = migration.plan.webhooks.iter().filter_map(|webhook| {
        let Action::ByHand(diagnostic) = &webhook.action else {
            return None;
        };
        Some(Webhook {
            route: webhook.route.clone(),
            plugin: webhook.plugin.clone(),
            endpoint: webhook.endpoint.clone(),
            base: None,
            status: Status::NotMigrated(diagnostic.clone()),
        })
    });
    let unread = migration.plan.diagnostics.iter();
    let unread = unread
        .filter(|diagnostic| diagnostic.code().severity() == Severity::Error)
        .map(|diagnostic| Webhook {
            route: None,
            plugin: None,
            endpoint: None,
            base: None,
            status: Status::NotMigrated(Box::new(diagnostic.clone())),
        });
    by_hand.chain(unread).collect()
}

fn nothing_to_verify(migration: &Migration, results: &VerifyReport) -> UserError {
    // What is migrated already has no original, or is somewhere else.
    if let Some(failure) = results.failures.first() {
        let all: Vec<&str> = results
            .failures
            .iter()
            .map(|failure| failure.plugin.as_str())
            .collect();
        let (en, zh) = (all.join(", "), all.join("、"));
        let (reason, remedy) = report::explained(&failure.cause);
        let text = Text::new(
            format!("{en}: {}", reason.get(Lang::En)),
            format!("{zh}：{}", reason.get(Lang::Zh)),
        );
        return UserError {
            message: text,
            help: remedy,
        };
    }
    let files = migration.files_scanned;
    UserError {
        message: text!(
            "nothing to verify: no webhook in {files} Python files, and no route in the route map",
            "没有可验证的内容：{files} 个 Python 文件中没有 webhook，路由表中也没有路由"
        ),
        help: text!(
            "name the folder of a plugin, or the route map with --routes",
            "请指定插件所在的文件夹，或用 --routes 指定路由表"
        ),
    }
}

fn show(args: &VerifyArgs, view: &View<'_>, console: &Console) -> anyhow::Result<()> {
    let lang = console.lang();
    if !console.is_quiet() {
        let requests = args.requests.as_deref().unwrap_or(Path::new(""));
        let notes = report::text::notes(view, &term::path(requests), lang);
        console.say(&notes);
    }
    match args.format {
        Format::Json => console.result(&report::json::render(view, lang)?)?,
        Format::Text => console.result(&report::text::render(view, lang))?,
    }
    Ok(())
}
