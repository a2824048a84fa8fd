//! Threads whose stacks are deep enough for any code.

use crate::migrate::python::parse::STACK_SIZE;
use crate::text;
use crate::user_error::UserError;

/// Runs what parses on a pool of threads whose stacks are deep enough for any code.
///
/// # Errors
/// When there are no threads to be had.
pub fn with_parser_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, UserError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK_SIZE)
        .build()
        .map_err(|error| {
            UserError::new(
                text!("cannot start threads: {error}", "无法启动线程：{error}"),
                text!(
                    "raise the limits on processes and memory (`ulimit -u`, `ulimit -v`), and try again",
                    "请调高进程数和内存限制（`ulimit -u`、`ulimit -v`）后重试"
                ),
            )
        })?;
    Ok(pool.install(work))
}
