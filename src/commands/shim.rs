//! `rehook shim`.

pub(super) mod status;

use super::console::Console;
use super::exit_status::ExitStatus;
use super::routes::map_of_repo;
use crate::cli::{LogChoice, ShimArgs};
use crate::shim::config::{Flags, LogFormat};
use crate::shim::lifecycle::start::{self, Record};

/// Serves until SIGTERM or SIGINT, or checks.
pub(super) fn run(args: &ShimArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let record = args.record.as_deref().map(|path| Record {
        path,
        with_secrets: args.record_secrets,
    });
    let checked = match start::check(flags(args), record) {
        Ok(checked) => checked,
        Err(errors) => {
            errors.iter().for_each(|error| console.error(error));
            return Ok(ExitStatus::Failed);
        }
    };
    if args.check {
        for warning in checked.warnings() {
            console.say(&format!("{}\n", warning.get(console.lang())));
        }
        console.result(&checked.summary(console.lang()))?;
        let targets = checked.ask_for_targets();
        console.result(&targets.shown(console.lang()))?;
        if targets.is_any_missing() {
            return Ok(ExitStatus::Remaining);
        }
    } else {
        checked.serve(record, console.lang())?;
    }
    Ok(ExitStatus::Done)
}

fn flags(args: &ShimArgs) -> Flags {
    Flags {
        config: args.config.clone(),
        // The configuration may name it, or lie beside it.
        routes: match (args.routes.is_empty(), &args.config) {
            (true, None) => vec![map_of_repo()],
            _ => args.routes.clone(),
        },
        upstream: args.upstream.clone(),
        no_upstream_check: args.no_upstream_check,
        listen: args.listen.clone(),
        admin: args.admin.clone(),
        trusted_proxies: args.trusted_proxies.clone(),
        passthrough: args.passthrough,
        with_legacy: args.with_legacy,
        sunset: args.sunset.clone(),
        public_url: args.public_url.clone(),
        counters_file: args.counters_file.clone(),
        threads: args.threads.map(usize::from),
        log_file: args.log_file.clone(),
        log: args.log.map(|choice| match choice {
            LogChoice::Text => LogFormat::Text,
            LogChoice::Json => LogFormat::Json,
            LogChoice::Off => LogFormat::Off,
        }),
    }
}
