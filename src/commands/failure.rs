//! The errors of the command line itself.

use std::io;

use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

impl UserError {
    /// The results could not be written to where they were to go.
    pub fn not_shown(error: &io::Error) -> Self {
        let reason = translate::io_error(error);
        let (en, zh) = reason.both();
        Self {
            message: text!(
                "cannot write the results to the standard output: {en}",
                "无法将结果写到标准输出：{zh}"
            ),
            help: text!(
                "make room there, or send the results somewhere else",
                "请清理空间，或将结果输出到别处"
            ),
        }
    }
}
