//! Which files are planned at once: those that something ties to each other, and no more at a time than
//! memory is wanted for.
//!
//! Before anything is parsed only the package around a file is known. What else ties files is found when
//! they are planned: two batches that turn out to have something in common are then planned again, as
//! one where they have to be. So a batch that was cut wrongly costs time and never a result.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use crate::migrate::plan::Tie;

/// How many files are planned at once, where nothing ties more of them to each other. Modules that
/// others import are parsed once for each batch; the trees of a batch are in memory at the same time.
pub(super) const SIZE: usize = 64;

/// Files, by index, that are planned at once.
pub(super) type Batch = Vec<usize>;

/// Files, by index, and what ties them to each other.
pub(super) struct Ties<'p> {
    paths: &'p [PathBuf],
    /// How many files a batch has, where nothing ties more of them to each other.
    size: usize,
    nodes: FxHashMap<Tie, usize>,
    /// Of each node one that it is tied to; itself when it stands for all of these.
    parents: Vec<usize>,
}

impl<'p> Ties<'p> {
    /// `paths`, which nothing ties yet, for batches of `size` files.
    pub(super) fn of(paths: &'p [PathBuf], size: usize) -> Self {
        let nodes = paths.iter().enumerate();
        Self {
            paths,
            size,
            nodes: nodes
                .map(|(index, path)| (Tie::Path(path.clone()), index))
                .collect(),
            parents: (0..paths.len()).collect(),
        }
    }

    fn node(&mut self, tie: Tie) -> usize {
        let next = self.parents.len();
        let node = *self.nodes.entry(tie).or_insert(next);
        if node == next {
            self.parents.push(next);
        }
        node
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    /// Ties the file at `path` to something, and gives the node of both.
    pub(super) fn add(&mut self, path: PathBuf, to: Tie) -> usize {
        let (file, to) = (self.node(Tie::Path(path)), self.node(to));
        let (a, b) = (self.root(file), self.root(to));
        // The file that comes first stands for all.
        let (first, other) = (a.min(b), a.max(b));
        self.parents[other] = first;
        file
    }

    /// `files`, in batches that nothing known ties to each other.
    pub(super) fn batches(&mut self, files: impl IntoIterator<Item = usize>) -> Vec<Batch> {
        let mut tied: BTreeMap<usize, Batch> = BTreeMap::new();
        for file in files {
            tied.entry(self.root(file)).or_default().push(file);
        }
        let mut batches: Vec<Batch> = Vec::new();
        for files in tied.into_values() {
            match batches.last_mut() {
                Some(last) if last.len().saturating_add(files.len()) <= self.size => {
                    last.extend(files)
                }
                _ => batches.push(files),
            }
        }
        for batch in &mut batches {
            batch.sort_unstable();
        }
        batches
    }

    /// Which of the batches have something in common with another one; `noted` are the nodes that were
    /// seen in each.
    pub(super) fn crossing(
        &mut self,
        batches: &[Batch],
        noted: &[&BTreeSet<usize>],
    ) -> BTreeSet<usize> {
        let mut owners: FxHashMap<usize, usize> = FxHashMap::default();
        let mut crossing = BTreeSet::new();
        for (index, (batch, noted)) in batches.iter().zip(noted).enumerate() {
            for &node in batch.iter().chain(*noted) {
                let owner = *owners.entry(self.root(node)).or_insert(index);
                if owner != index {
                    crossing.extend([owner, index]);
                }
            }
        }
        crossing
    }

    /// The paths of a batch.
    pub(super) fn paths_of(&self, batch: &Batch) -> Vec<PathBuf> {
        batch
            .iter()
            .map(|&index| self.paths[index].clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(count: usize) -> Vec<PathBuf> {
        (0..count)
            .map(|n| PathBuf::from(format!("/{n:04}")))
            .collect()
    }

    fn tie(ties: &mut Ties<'_>, file: usize, to: &str) -> usize {
        ties.add(
            PathBuf::from(format!("/{file:04}")),
            Tie::Key(to.to_owned()),
        )
    }

    #[test]
    fn files_that_nothing_ties_come_in_order_and_in_batches_of_a_size() {
        let paths = paths(SIZE + 1);
        let batches = Ties::of(&paths, SIZE).batches(0..paths.len());
        assert_eq!(batches, [(0..SIZE).collect(), vec![SIZE]]);
    }

    #[test]
    fn what_is_tied_is_in_one_batch_however_much_it_is() {
        let paths = paths(3 * SIZE);
        let mut ties = Ties::of(&paths, SIZE);
        for file in (0..3 * SIZE).step_by(2) {
            tie(&mut ties, file, "key");
        }
        let batches = ties.batches(0..paths.len());
        let tied: Batch = (0..3 * SIZE).step_by(2).collect();
        assert_eq!(batches[0], tied);
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 3 * SIZE);
        assert!(batches[1..].iter().all(|batch| batch.len() <= SIZE));
    }

    #[test]
    fn batches_that_turn_out_to_be_tied_are_known() {
        let paths = paths(4);
        let mut ties = Ties::of(&paths, SIZE);
        let batches = [vec![0], vec![1], vec![2], vec![3]];
        let mut noted = vec![BTreeSet::new(); 4];
        let all: Vec<_> = noted.iter().collect();
        assert!(ties.crossing(&batches, &all).is_empty());
        // The first by itself, the second and the last over a module outside of the batches.
        noted[0].insert(tie(&mut ties, 0, "own"));
        for (batch, file) in [(1, 1), (3, 3)] {
            let module = Tie::Path("/module".into());
            noted[batch].insert(ties.add(PathBuf::from(format!("/{file:04}")), module));
        }
        let all: Vec<_> = noted.iter().collect();
        assert_eq!(ties.crossing(&batches, &all), BTreeSet::from([1, 3]));
        assert_eq!(ties.batches([1, 3]), [vec![1, 3]]);
    }
}
