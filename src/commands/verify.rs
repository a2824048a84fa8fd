//! `rehook verify`: runs the plugins before and after, and shows where they differ.

use std::path::Path;

use super::console::Console;
use super::exit_status::ExitStatus;
use super::plan_args::migration_of;
use crate::cli::{AgentArg, Format, VerifyArgs};
use crate::term;
use crate::verify::options::AgentChoice;
use crate::verify::report::{self, View, saved_requests};
use crate::verify::requests::{self, UserRequests};
use crate::verify::{Options, verify};

/// Runs the command.
///
/// # Errors
/// See [`migration_of`] and [`verify`].
pub(super) fn run(args: &VerifyArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let given = match &args.requests {
        Some(path) => requests::read(path)?,
        None => UserRequests::default(),
    };
    if let Some(path) = &args.save_requests {
        // Before anything is run, which takes long.
        saved_requests::can_save(path)?;
    }
    let migration = migration_of(&args.plan)?;
    let options = options(args);
    let results = verify(&migration, &given, &options, |plugins, python| {
        if !console.is_quiet() {
            let announced = report::text::announcement(plugins, python, console.lang());
            console.say(&announced);
        }
    })?;
    let view = View {
        results: &results,
        agent: options.agent,
        base: &migration.base,
    };
    show(args, &view, console)?;
    if let Some(path) = &args.save_requests {
        let saved = saved_requests::save(path, &results)?;
        if !console.is_quiet() {
            console.say(&report::text::saved(path, &saved, console.lang()));
        }
    }
    Ok(match (migration.all_unreadable, results.is_same()) {
        (true, _) => ExitStatus::Failed,
        (false, true) => ExitStatus::Done,
        (false, false) => ExitStatus::Remaining,
    })
}

fn options(args: &VerifyArgs) -> Options {
    Options {
        paths: args.plan.paths.clone(),
        has_own_maps: args.plan.routes.is_none(),
        allow_unsafe: args.plan.allow_unsafe,
        base: args.base.clone(),
        agent: match args.agent {
            AgentArg::Auto => AgentChoice::Auto,
            AgentArg::Installed => AgentChoice::Installed,
            AgentArg::StandIn => AgentChoice::StandIn,
        },
        python: args.python.clone(),
        limit: args.limit,
        save: args.save_requests.is_some(),
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
