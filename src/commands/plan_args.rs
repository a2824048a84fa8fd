//! What is typed for a plan, checked.

use std::collections::BTreeSet;

use crate::cli::PlanArgs;
use crate::migrate::diagnostic::{Code, Severity};
use crate::migrate::pipeline::{Migration, Options, migration};
use crate::migrate::plan::PlanOptions;
use crate::text;
use crate::user_error::UserError;

/// The migration of what was typed.
///
/// # Errors
/// As for [`migration`], and for a code that cannot be ignored.
pub(super) fn migration_of(args: &PlanArgs) -> Result<Migration, UserError> {
    migration(&Options {
        paths: args.paths.clone(),
        routes: args.routes.clone(),
        ignored: ignored(&args.ignore)?,
        plan: PlanOptions {
            allow_unsafe: args.allow_unsafe,
            native: args.native,
        },
    })
}

/// The codes that `--ignore` names.
fn ignored(typed: &[String]) -> Result<BTreeSet<Code>, UserError> {
    let code = |typed: &String| match Code::from_typed(typed) {
        Some(code) if code.severity() == Severity::Advice => Ok(code),
        Some(code) => {
            let code = code.as_str();
            Err(UserError {
                message: text!(
                    "--ignore cannot leave {code} out: it is not advice",
                    "--ignore 不能忽略 {code}：它不是建议"
                ),
                help: text!(
                    "only advice can be ignored, such as RH301; `rehook explain {code}` says what to do",
                    "只有建议（例如 RH301）可以忽略；`rehook explain {code}` 会说明处理办法"
                ),
            })
        }
        None => Err(UserError {
            message: text!(
                "--ignore names a code that there is not: `{typed}`",
                "--ignore 指定的代码不存在：`{typed}`"
            ),
            help: text!(
                "write codes with commas between them, as in RH301,RH402; `rehook explain` lists all codes",
                "请用逗号分隔各个代码，例如 RH301,RH402；`rehook explain` 会列出所有代码"
            ),
        }),
    };
    typed.iter().map(code).collect()
}
