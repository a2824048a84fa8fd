//! What a command came to.

use std::process::ExitCode;

/// What a command came to, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Exit code 0: nothing is left to do.
    Done,
    /// Exit code 1: something is left to do, or would change.
    Remaining,
    /// Exit code 2: it could not be done.
    Failed,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Done => Self::SUCCESS,
            ExitStatus::Remaining => Self::from(1),
            ExitStatus::Failed => Self::from(2),
        }
    }
}
