//! `rehook routes`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::console::Console;
use super::exit_status::ExitStatus;
#[cfg(target_os = "linux")]
use crate::cli::RetireArgs;
use crate::cli::{RoutesAction, RoutesArgs, ServerChoice};
use crate::migrate::project::git;
use crate::routes::{self, FILE_NAME};
use crate::shim::UpstreamUrl;
use crate::shim::export::{self, Export};
#[cfg(target_os = "linux")]
use crate::shim::retire::{self, Source};
#[cfg(target_os = "linux")]
use crate::shim::status;
#[cfg(not(target_os = "linux"))]
use crate::user_error::UserError;

/// Where the agent is, and where the shim, if nobody says so.
const AGENT: &str = "http://127.0.0.1:8021";
const SHIM: &str = "http://127.0.0.1:8080";

/// Writes the route map as the configuration of another server, or takes an old URL out of it.
pub(super) fn run(args: &RoutesArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    #[cfg(target_os = "linux")]
    if let Some(RoutesAction::Retire(args)) = &args.action {
        return retire(args, console);
    }
    #[cfg(not(target_os = "linux"))]
    if let Some(RoutesAction::Retire(_)) = &args.action {
        return Err(UserError::linux_only("routes retire").into());
    }
    let Some(server) = args.server else {
        // The arguments ask for it.
        return Ok(ExitStatus::Failed);
    };
    let path = args.routes.clone().unwrap_or_else(map_of_repo);
    let map = routes::read(&path)?;
    let default = if args.front { SHIM } else { AGENT };
    let upstream = UpstreamUrl::parse(args.upstream.as_deref().unwrap_or(default))?;
    let export = Export {
        upstream: &upstream,
        deprecated_since: routes::modified_or_now(&path),
        lang: console.lang(),
    };
    console.result(&match (server, args.front) {
        (ServerChoice::Nginx, false) => export::nginx(&map, export)?,
        (ServerChoice::Caddy, false) => export::caddy(&map, export)?,
        (ServerChoice::Nginx, true) => export::nginx_front(&map, export)?,
        (ServerChoice::Caddy, true) => export::caddy_front(&map, export)?,
    })?;
    Ok(ExitStatus::Done)
}

#[cfg(target_os = "linux")]
fn retire(args: &RetireArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let path = args.routes.clone().unwrap_or_else(map_of_repo);
    let source = match &args.counters_file {
        Some(file) => Source::CountersFile(file),
        None => Source::Shim(args.admin.as_deref().unwrap_or(status::ADMIN)),
    };
    let retired = retire::retire(&path, &args.url, source, args.force)?;
    console.result(&format!("{}\n", retired.said.get(console.lang())))?;
    if let Some(error) = retired.unknown.filter(|_| !console.is_quiet()) {
        console.say(&format!("{}\n", error.in_one_line().get(console.lang())));
    }
    Ok(ExitStatus::Done)
}

/// Where the route map is if nobody says so: at the root of the repo that the current folder is in, as
/// `migrate` writes it; in the current folder outside of one, or where only that has one.
pub(super) fn map_of_repo() -> PathBuf {
    let here = Path::new(FILE_NAME);
    let current = env::current_dir().and_then(fs::canonicalize).ok();
    let root = current.as_deref().and_then(git::repo_root);
    match root.filter(|root| Some(root) != current.as_ref()) {
        Some(root) if root.join(FILE_NAME).exists() || !here.exists() => root.join(FILE_NAME),
        _ => here.to_owned(),
    }
}
