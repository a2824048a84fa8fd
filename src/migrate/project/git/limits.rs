//! Limits that messages name.

use std::time::Duration;

/// How long git may take.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);
