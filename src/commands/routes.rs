//! `rehook routes`.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{RoutesArgs, ServerChoice};
use crate::lang::Lang;
use crate::routes::FILE_NAME;
use crate::shim::config::{Problem, Upstream};
use crate::shim::{export, reload};

/// Writes the route map as the configuration of another server.
pub fn run(args: &RoutesArgs, lang: Lang) -> ExitCode {
    match written(args, lang) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{}", problem.show(lang));
            ExitCode::from(2)
        }
    }
}

fn written(args: &RoutesArgs, lang: Lang) -> Result<String, Problem> {
    let path = args.routes.as_deref().unwrap_or(Path::new(FILE_NAME));
    let map = reload::read_map(path)?;
    let upstream = Upstream::parse(&args.upstream)
        .map_err(|error| Problem::general(error.explain(&args.upstream)))?;
    Ok(match args.server {
        ServerChoice::Nginx => export::nginx(&map, &upstream, lang),
        ServerChoice::Caddy => export::caddy(&map, &upstream, lang),
    })
}
