//! The functions of the repo that a webhook reaches, each looked at with what it is given.
//!
//! Invariants: a function is looked at a bounded number of times, and the functions are
//! bounded too, so that the work grows with the text and ends on any input. Where a bound cuts
//! something off, the caller counts as checked: nothing is said about what was not seen.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::migrate::edit::ByteRange;
use crate::migrate::lint::facts::evaluate::Names;
use crate::migrate::lint::model::{Analysis, CallArguments, Edge, Entry, Mode, Subject};
use crate::migrate::lint::walk;
use crate::migrate::python::function::{Definition, definitions_at};
use crate::migrate::python::names::{Resolver, Scope, Workspace};
use crate::routes::Dialect;

/// How many calls are followed from a handler.
const MAX_DEPTH: usize = 12;

/// How many different things a function is given before what it is given is left out.
const MAX_VARIANTS: usize = 6;

/// How many functions are followed in all.
const MAX_FUNCTIONS: usize = 4_096;

/// A function, and how it is entered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    path: PathBuf,
    range: ByteRange,
    mode: Mode,
    in_context: bool,
    entry: Entry,
    /// The looked-at function around it, whose names it sees.
    around: Option<usize>,
}

struct Reached {
    key: Key,
    depth: usize,
    analysis: Analysis,
    callers: Vec<usize>,
    /// The names of the enclosing functions it.
    outer: Vec<Rc<Names>>,
}

/// The functions that are reached, and what was found in them.
pub(super) struct Reach<'a> {
    workspace: &'a Workspace,
    reached: Vec<Reached>,
    known: FxHashMap<Key, usize>,
    variants: FxHashMap<(PathBuf, ByteRange), usize>,
    pending: VecDeque<usize>,
    scopes: Scopes,
}

impl<'a> Reach<'a> {
    /// Nothing is reached yet.
    pub(super) fn new(workspace: &'a Workspace) -> Self {
        Self {
            workspace,
            reached: Vec::new(),
            known: FxHashMap::default(),
            variants: FxHashMap::default(),
            pending: VecDeque::new(),
            scopes: Scopes::default(),
        }
    }

    /// The handler that is defined at `range` of `path`.
    pub(super) fn handler(&mut self, path: &Path, range: ByteRange, dialect: Dialect) -> usize {
        let key = Key {
            path: path.to_owned(),
            range,
            mode: Mode::BeforeReply,
            in_context: dialect == Dialect::Context,
            entry: Entry::Handler,
            around: None,
        };
        self.enter(key, 0, Vec::new())
    }

    /// Looks at everything that is reached from the handlers.
    pub(super) fn run(&mut self) {
        while let Some(index) = self.pending.pop_front() {
            let edges = self.look_at(index);
            for edge in edges {
                self.follow(index, edge);
            }
        }
        // Whoever calls a function that checks the caller is checked.
        let mut checked: VecDeque<usize> = (0..self.reached.len())
            .filter(|&index| self.reached[index].analysis.checks_caller)
            .collect();
        while let Some(index) = checked.pop_front() {
            for caller in std::mem::take(&mut self.reached[index].callers) {
                let analysis = &mut self.reached[caller].analysis;
                if !std::mem::replace(&mut analysis.checks_caller, true) {
                    checked.push_back(caller);
                }
            }
        }
    }

    /// Whether the handler, or something that it reaches, looks like it checks the caller.
    pub(super) fn checks_caller(&self, index: usize) -> bool {
        self.reached[index].analysis.checks_caller
    }

    /// What was found, function by function.
    pub(super) fn into_analyses(self) -> impl Iterator<Item = Analysis> {
        self.reached.into_iter().map(|reached| reached.analysis)
    }

    fn enter(&mut self, key: Key, depth: usize, outer: Vec<Rc<Names>>) -> usize {
        if let Some(&index) = self.known.get(&key) {
            return index;
        }
        let index = self.reached.len();
        self.known.insert(key.clone(), index);
        self.reached.push(Reached {
            key,
            depth,
            analysis: Analysis::default(),
            callers: Vec::new(),
            outer,
        });
        self.pending.push_back(index);
        index
    }

    /// Looks at one function; gives what it calls.
    fn look_at(&mut self, index: usize) -> Vec<Edge> {
        let reached = &self.reached[index];
        let key = &reached.key;
        let loaded = self.workspace.load(&key.path);
        let (Ok(loaded), dialect) = (
            loaded,
            if key.in_context {
                Dialect::Context
            } else {
                Dialect::Request
            },
        ) else {
            self.reached[index].analysis.checks_caller = true;
            return Vec::new();
        };
        let chain = definitions_at(loaded.module.suite(), key.range);
        let Some(&definition) = chain.last() else {
            self.reached[index].analysis.checks_caller = true;
            return Vec::new();
        };
        let analysis = walk::analyse(Subject {
            resolver: Resolver {
                workspace: self.workspace,
                loaded: &loaded,
                locals: self.scopes.of(&key.path, &chain),
            },
            outer: &reached.outer,
            definition,
            mode: key.mode,
            dialect,
            entry: &key.entry,
        });
        let reached = &mut self.reached[index];
        reached.analysis = analysis;
        std::mem::take(&mut reached.analysis.edges)
    }

    fn follow(&mut self, caller: usize, edge: Edge) {
        let from = &self.reached[caller];
        let depth = from.depth + 1;
        let Ok(loaded) = self.workspace.load(&edge.path) else {
            return;
        };
        let chain = definitions_at(loaded.module.suite(), edge.range);
        let Some(definition) = chain.last() else {
            return;
        };
        // A coroutine runs when it is awaited, a function that is handed on wherever it is called;
        // of an async one it is certain that this is on the event loop.
        let mode = match edge.mode {
            Mode::Elsewhere if !definition.is_async => Mode::Elsewhere,
            _ if edge.handed_on && !definition.is_async => Mode::Elsewhere,
            Mode::BeforeReply if definition.is_async && (edge.handed_on || !edge.awaited) => {
                Mode::Background
            }
            Mode::Elsewhere => Mode::Background,
            mode => mode,
        };
        let same_file = from.key.path == edge.path;
        let around = chain.len().checked_sub(2).map(|outer| chain[outer].range);
        let (outer, around) = match around {
            Some(range) if same_file && range == from.key.range => {
                let mut outer = from.outer.clone();
                outer.push(from.analysis.names.clone());
                (outer, Some(caller))
            }
            Some(range)
                if same_file && range.contains(from.key.range) && from.key.around.is_some() =>
            {
                (from.outer.clone(), from.key.around)
            }
            _ => (Vec::new(), None),
        };
        let place = (edge.path.clone(), edge.range);
        let mut key = Key {
            path: edge.path,
            range: edge.range,
            mode,
            in_context: from.key.in_context,
            entry: Entry::Call(edge.given),
            around,
        };
        if !self.known.contains_key(&key) {
            let variants = self.variants.entry(place).or_default();
            if *variants >= MAX_VARIANTS {
                key.entry = Entry::Call(CallArguments::default());
                key.around = None;
            }
            *variants += 1;
        }
        let outer = if key.around.is_some() {
            outer
        } else {
            Vec::new()
        };
        let is_new = !self.known.contains_key(&key);
        if is_new && (depth > MAX_DEPTH || self.reached.len() >= MAX_FUNCTIONS) {
            self.reached[caller].analysis.checks_caller = true;
            return;
        }
        let callee = self.enter(key, depth, outer);
        self.reached[callee].callers.push(caller);
    }
}

/// The scopes of the enclosing functions the last place that was asked for; the next one mostly has
/// the same ones.
#[derive(Default)]
struct Scopes {
    path: PathBuf,
    ranges: Vec<ByteRange>,
    scopes: Vec<Scope>,
}

impl Scopes {
    fn of(&mut self, path: &Path, chain: &[Definition<'_>]) -> &[Scope] {
        if self.path != path {
            self.path = path.to_owned();
            self.ranges.clear();
        }
        let shared = self
            .ranges
            .iter()
            .zip(chain)
            .take_while(|(range, definition)| **range == definition.range)
            .count();
        self.ranges.truncate(shared);
        self.scopes.truncate(shared);
        for definition in &chain[shared..] {
            self.ranges.push(definition.range);
            let scope = Scope::of_function(definition.arguments, definition.body);
            self.scopes.push(scope);
        }
        &self.scopes
    }
}
