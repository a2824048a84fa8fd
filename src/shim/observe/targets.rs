//! What is counted of each new route: behind a URL that several plugins share, which of them fails.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The counts of a new route, by class of status: 1xx to 5xx.
#[derive(Debug, Default)]
pub(crate) struct TargetStats([AtomicU64; 5]);

impl TargetStats {
    /// Counts a call that was answered with `status`, or that we answered so in its place.
    pub(crate) fn count(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.0[class].fetch_add(1, Ordering::Relaxed);
    }

    /// By class.
    pub(crate) fn counts(&self) -> [u64; 5] {
        std::array::from_fn(|class| self.0[class].load(Ordering::Relaxed))
    }
}

/// A new route: the plugin and its path.
type Name = (String, String);

/// The counts of all new routes; they outlive a reload.
#[derive(Debug, Default)]
pub(crate) struct Targets(Mutex<HashMap<Name, Arc<TargetStats>>>);

impl Targets {
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Arc<TargetStats>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts of a route.
    pub(crate) fn get(&self, plugin: &str, path: &str) -> Arc<TargetStats> {
        let name = (plugin.to_owned(), path.to_owned());
        Arc::clone(self.lock().entry(name).or_default())
    }

    /// All that were ever in a table, by name.
    pub(super) fn all(&self) -> Vec<(Name, [u64; 5])> {
        let targets = self.lock();
        let mut all: Vec<_> = targets
            .iter()
            .map(|(name, stats)| (name.clone(), stats.counts()))
            .collect();
        all.sort();
        all
    }
}
