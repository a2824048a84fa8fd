//! `rehook routes`.

use std::path::Path;

use super::shim::refuse;
use super::{Console, Outcome};
use crate::cli::{RoutesArgs, ServerChoice};
use crate::lang::Lang;
use crate::routes::FILE_NAME;
use crate::shim::config::{Problem, Upstream};
use crate::shim::export::{self, Export};
use crate::shim::lifecycle::reload;

/// Writes the route map as the configuration of another server.
pub fn run(args: &RoutesArgs, console: &Console) -> anyhow::Result<Outcome> {
    match written(args, console.lang()) {
        Ok(text) => {
            console.result(&text)?;
            Ok(Outcome::Done)
        }
        Err(problem) => Ok(refuse(&[problem], console)),
    }
}

fn written(args: &RoutesArgs, lang: Lang) -> Result<String, Problem> {
    let path = args.routes.as_deref().unwrap_or(Path::new(FILE_NAME));
    let map = reload::read_map(path)?;
    let upstream = Upstream::parse(&args.upstream)
        .map_err(|error| Problem::general(error.explain(&args.upstream)))?;
    let export = Export {
        upstream: &upstream,
        deprecated_since: export::deprecated_since(path),
        lang,
    };
    Ok(match args.server {
        ServerChoice::Nginx => export::nginx(&map, export),
        ServerChoice::Caddy => export::caddy(&map, export),
    })
}
