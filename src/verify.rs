//! Shows for a user's own plugins that the migrated routes behave as the webhooks did, by running
//! both: in Python processes, on copies, without network.
//!
//! [`cases`] says what is compared with what, and lays both sides out; [`runner`] is the process that
//! runs them; [`results`] brings what it says together with what was to be verified, and [`report`]
//! makes sentences of it. [`requests`] are what the user wants to be sent.
//!
//! Invariants:
//! - Nothing of the user's is written to; the sides are copies, and everything that the plugins
//!   write goes into the temporary folder.
//! - Every webhook and every route that was to be verified is in the result, whatever happens to
//!   the process that runs them.
//! - What that process says is bounded in length and time, and it ends with everything that it has
//!   started.
//! - A signal that asks this program to end leaves nothing of it behind ([`runner::interrupt`]).

pub(crate) mod cases;
pub(crate) mod error;
pub(crate) mod options;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod results;
pub(crate) mod runner;

use std::path::Path;

use cases::layout::Layout;
use cases::model::Case;
use cases::{grouping, migrated};
use error::VerifyError;
pub(crate) use options::Options;
use requests::UserRequests;
use results::{Kind, Status, VerifyReport, Webhook};
use runner::interrupt;
use runner::job::{self, Job};
use runner::limits::Limits;
use runner::python::{self, Places, Python};
use runner::session::Runner;
use runner::temp_dir::WorkDir;

use crate::migrate::diagnostic::Severity;
use crate::migrate::pipeline::{Migration, with_parser_stack};
use crate::migrate::plan::Action;
use crate::routes::Route;
use crate::text;
use crate::text::Text;
use crate::user_error::UserError;

/// Verifies what is to be migrated, and what is already. `announce` gets the plugins whose code is
/// run, and of the Python, before any of it is.
///
/// # Errors
/// When nothing can be verified.
pub(crate) fn verify(
    migration: &Migration,
    requests: &UserRequests,
    options: &Options,
    announce: impl FnOnce(&[String], &Python),
) -> Result<VerifyReport, UserError> {
    if cfg!(not(unix)) {
        return Err(not_unix());
    }
    let work_dir = WorkDir::new()?;
    let results = run_in(work_dir.path(), migration, requests, options, announce);
    // From here on there is nothing that a signal would leave behind, and it ends the program.
    drop(work_dir);
    // Before what else has come of it: processes that are ended leave errors.
    interrupt::check()?;
    Ok(results?)
}

fn run_in(
    folder: &Path,
    migration: &Migration,
    requests: &UserRequests,
    options: &Options,
    announce: impl FnOnce(&[String], &Python),
) -> Result<VerifyReport, VerifyError> {
    let mut results = VerifyReport {
        webhooks: not_migrated(migration),
        ..VerifyReport::default()
    };
    let cases = lay_out(folder, migration, options, &mut results)?;
    if cases.is_empty() && results.count(Kind::NotMigrated) == 0 {
        return Err(nothing_to_verify(migration, &results).into());
    }
    let routes = cases.iter().flat_map(|case| &case.subjects);
    results.unsent = requests.unsent(routes.map(|subject| &subject.route));
    if cases.is_empty() {
        return Ok(results);
    }
    let places = Places::of_process(options.python.as_deref(), &migration.root)?;
    let python = python::find(&places)?;
    let plugins: Vec<String> = cases.iter().map(Case::plugin).collect();
    announce(&plugins, &python);
    let runner = Runner::start(options.agent, &python, folder)?;
    let said = runner.run(&Job {
        limits: Limits::new(u64::from(options.limit)),
        save: options.save,
        cases: job::cases(&cases, &requests.requests, folder),
    })?;
    results.merge(&cases, said)?;
    results.python = Some(python);
    Ok(results)
}

/// Lays out both sides of everything that is to be verified.
fn lay_out(
    folder: &Path,
    migration: &Migration,
    options: &Options,
    results: &mut VerifyReport,
) -> Result<Vec<Case>, VerifyError> {
    let (root, plan) = (&migration.root, &migration.plan);
    let trees = folder.join("trees");
    let mut layout = Layout::new(&trees);
    let groups = with_parser_stack(|| grouping::group(root, grouping::to_migrate(plan)))?;
    for group in groups {
        let routes: Vec<Route> = group.routes().cloned().collect();
        if let Err(error) = layout.add_planned(group, plan) {
            results.cannot_run(&routes, error.of_plugin(root, root)?);
        }
    }
    let is_all_else_empty = results.webhooks.is_empty();
    let unverified = migrated::add(options, migration, folder, &mut layout, is_all_else_empty)?;
    for (routes, not_run) in unverified {
        results.cannot_run(&routes, not_run);
    }
    Ok(layout.into_cases())
}

/// What needs a manual change, and the files that could not be read, in which anything may be.
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

/// The runner needs what this system does not have.
fn not_unix() -> UserError {
    UserError::new(
        text!(
            "verify runs on Linux, macOS and other Unix systems only",
            "verify 只能在 Linux、macOS 等 Unix 系统上运行"
        ),
        text!(
            "run it in WSL, or on the system that your agent runs on",
            "请在 WSL 中运行，或在 Agent 所在的系统上运行"
        ),
    )
}

fn nothing_to_verify(migration: &Migration, results: &VerifyReport) -> UserError {
    // What is migrated already has no original, or is somewhere else.
    if let Some(failure) = results.failures.first() {
        let failures = results.failures.iter();
        let plugins: Vec<String> = failures.map(|failure| failure.plugin.clone()).collect();
        let plugins = Text::list(&plugins);
        let (en, zh) = plugins.both();
        let UserError { message, help } = report::explained(&failure.cause);
        let (reason_en, reason_zh) = message.both();
        let message = text!("{en}: {reason_en}", "{zh}：{reason_zh}");
        return UserError { message, help };
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
