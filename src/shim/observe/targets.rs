//! What is counted of each new route: behind a URL that several plugins share, which of them fails.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The counts of a new route, by class of status: 1xx to 5xx.
#[derive(Debug, Default)]
pub(crate) struct TargetStats {
    classes: [AtomicU64; 5],
    /// The class of the last call; 0 before the first.
    last: AtomicU8,
}

impl TargetStats {
    /// Counts a call that was answered with `status`, or that we answered so in its place.
    pub(crate) fn count(&self, status: u16) {
        let class = (status / 100).clamp(1, 5);
        self.classes[usize::from(class) - 1].fetch_add(1, Ordering::Relaxed);
        self.last.store(class as u8, Ordering::Relaxed);
    }

    /// By class.
    pub(crate) fn counts(&self) -> [u64; 5] {
        std::array::from_fn(|class| self.classes[class].load(Ordering::Relaxed))
    }

    /// Whether the last call failed; none before the first.
    pub(crate) fn last_has_failed(&self) -> Option<bool> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            class => Some(class >= 4),
        }
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
