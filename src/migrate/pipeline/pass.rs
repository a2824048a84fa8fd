//! One pass over sources: found, related, planned. Nothing is written.
//!
//! A pass plans its files in batches, as many at the same time as there are threads, and lets go of the
//! trees of each: so memory grows with what is found, not with what is read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::batches::{Batch, SIZE, Ties};
use super::callers::Callers;
use super::overlay::OverlayFs;
use super::related::{lookups, related};
use super::repo::Repo;
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::find::{self, Found};
use crate::migrate::plan::{self, Input, Part, Plan, PlanOptions, Tie};
use crate::migrate::python::names::LoadError;

/// One pass over the sources: found, related, planned.
pub(super) struct Pass {
    pub(super) plan: Plan,
    pub(super) broken: Vec<Diagnostic>,
    pub(super) found_nothing: bool,
}

/// What comes of the files of a batch.
struct Done {
    part: Part,
    broken: Vec<Diagnostic>,
    found_nothing: bool,
    /// The nodes of its ties.
    noted: BTreeSet<usize>,
}

impl Pass {
    pub(super) fn run(
        root: &Path,
        files: OverlayFs,
        paths: Vec<PathBuf>,
        options: PlanOptions,
    ) -> Self {
        Self::in_batches_of(SIZE, root, files, paths, options)
    }

    /// As [`Pass::run`], with batches of another size.
    fn in_batches_of(
        size: usize,
        root: &Path,
        files: OverlayFs,
        paths: Vec<PathBuf>,
        options: PlanOptions,
    ) -> Self {
        let repo = Repo::new(root, files);
        let mut ties = Ties::of(&paths, size);
        for path in &paths {
            if let Some(package) = repo.package_root(path) {
                ties.add(path.clone(), Tie::Path(package));
            }
        }
        let mut batches: Vec<Batch> = Vec::new();
        let mut done: Vec<Done> = Vec::new();
        let mut next = ties.batches(0..paths.len());
        if !next.is_empty() {
            repo.survey(next.len() > 1);
        }
        while !next.is_empty() {
            let of_next: Vec<Vec<PathBuf>> = next.iter().map(|one| ties.paths_of(one)).collect();
            let planned: Vec<Done> = of_next
                .into_par_iter()
                .with_max_len(1)
                .map(|paths| Done::of(&repo, &paths, options))
                .collect();
            batches.extend(next);
            for mut one in planned {
                let of_batch = one.part.take_ties().into_iter();
                one.noted = of_batch.map(|(path, tie)| ties.add(path, tie)).collect();
                done.push(one);
            }
            let noted: Vec<_> = done.iter().map(|one| &one.noted).collect();
            let crossing = ties.crossing(&batches, &noted);
            let again: Vec<usize> = crossing
                .iter()
                .flat_map(|&one| batches[one].clone())
                .collect();
            let mut index = 0..;
            done.retain(|_| index.next().is_some_and(|index| !crossing.contains(&index)));
            let mut index = 0..;
            batches.retain(|_| index.next().is_some_and(|index| !crossing.contains(&index)));
            next = ties.batches(again);
        }
        let found_nothing = done.iter().all(|one| one.found_nothing);
        let mut broken = Vec::new();
        let mut parts = Vec::new();
        for one in done {
            broken.extend(one.broken);
            parts.push(one.part);
        }
        broken.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        Self {
            plan: Plan::of_parts(parts),
            broken,
            found_nothing,
        }
    }
}

impl Done {
    /// Plans the files at `paths`.
    fn of(repo: &Repo, paths: &[PathBuf], options: PlanOptions) -> Self {
        let workspace = repo.workspace();
        let results: Vec<Result<Found, LoadError>> = paths
            .par_iter()
            .map(|path| {
                workspace
                    .load(path)
                    .map(|loaded| find::references::find(&workspace, loaded))
            })
            .collect();
        let mut found = Vec::new();
        let mut broken = Vec::new();
        for result in results {
            match result {
                Ok(one) => found.push(one),
                Err(LoadError::Broken(diagnostic)) => broken.push(*diagnostic),
                // It vanished after it was listed.
                Err(LoadError::Missing) => {}
            }
        }
        let package_root = |path: &Path| repo.package_root(path);
        found.extend(lookups(&workspace, &found, &package_root));
        let related = related(&workspace, &found, &package_root);
        let callers = Callers::of(&workspace, repo, &found);
        let input = Input {
            workspace: &workspace,
            found: &found,
            related: &related,
            options,
            style: &|path| repo.style(path),
            is_module: &|path: &Path| repo.is_module(path),
            package_root: &package_root,
            is_called_outside: &|path, name| callers.call(path, name),
        };
        Self {
            part: plan::plan(&input),
            broken,
            found_nothing: found.is_empty(),
            noted: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests;
