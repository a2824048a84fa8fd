//! What a pass over a file has found so far, and what is around the place that it looks at.
//!
//! The walk ([`super::walk`]) keeps what is around up to date; everybody else reads it.

use std::path::Path;

use rustc_hash::FxHashSet;

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::lookup::turns::loops::{Loop, LoopReader};
use crate::migrate::find::model::{Branch, Effect, Known, Reference, ReferenceKind, Unclear};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Loaded, PluginId, Resolver, Scope, Workspace};
use crate::text::Text;

/// A function around the place that is looked at.
pub(super) struct EnclosingFunction<'a> {
    pub(super) definition: Definition<'a>,
    pub(super) is_method: bool,
}

pub(super) struct Finder<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) loaded: &'a Loaded,
    pub(super) scopes: Vec<Scope>,
    pub(super) functions: Vec<EnclosingFunction<'a>>,
    pub(super) branches: Vec<Branch>,
    pub(super) loops: Vec<Loop>,
    pub(super) in_class: bool,
    pub(super) in_lambda: bool,
    pub(super) references: Vec<Reference>,
    pub(super) unclear: Vec<Unclear>,
    /// The expression of the statement that is looked at whose value nobody gets.
    pub(super) discarded: Option<ByteRange>,
    /// Whether somebody gets the function that the registration which is looked at gives back.
    pub(super) is_result_used: bool,
    /// The strings that are only shown, or asked for.
    pub(super) shown: FxHashSet<ByteRange>,
    /// What is looked up by a name, and was looked at with what is around it.
    pub(super) handled_lookups: FxHashSet<ByteRange>,
    /// The statements that give the method a name, for each call by it.
    pub(super) called_by_name: Vec<ByteRange>,
}

impl<'a> Finder<'a> {
    /// At the start of `loaded`.
    pub(super) fn new(workspace: &'a Workspace, loaded: &'a Loaded) -> Self {
        Self {
            workspace,
            loaded,
            scopes: Vec::new(),
            functions: Vec::new(),
            branches: Vec::new(),
            loops: Vec::new(),
            in_class: false,
            in_lambda: false,
            references: Vec::new(),
            unclear: Vec::new(),
            discarded: None,
            is_result_used: false,
            shown: FxHashSet::default(),
            handled_lookups: FxHashSet::default(),
            called_by_name: Vec::new(),
        }
    }

    pub(super) fn resolver(&self) -> Resolver<'_> {
        Resolver {
            workspace: self.workspace,
            loaded: self.loaded,
            locals: &self.scopes,
        }
    }

    /// A reader of loops that stand here.
    pub(super) fn loop_reader(&self) -> LoopReader<'_> {
        LoopReader {
            resolver: self.resolver(),
            is_in_function: !self.functions.is_empty(),
        }
    }

    pub(super) fn path(&self) -> &'a Path {
        self.loaded.module.source().path()
    }

    /// A resolver that knows what the names of the loops stand for.
    pub(super) fn with_locals<'s>(&'s self, locals: &'s [Scope]) -> Resolver<'s> {
        Resolver {
            locals,
            ..self.resolver()
        }
    }

    pub(super) fn by_hand(&mut self, place: ByteRange, code: Code, range: ByteRange, detail: Text) {
        let diagnostic = self.loaded.diagnostic_at(code, range, detail);
        self.references.push(Reference::new(
            place,
            ReferenceKind::ByHand(Box::new(diagnostic)),
        ));
    }

    /// Remembers what may register a webhook here; `is_call` is whether it does so when it is run
    /// itself, and not whenever somebody calls what it gives.
    pub(super) fn unclear(
        &mut self,
        plugin: Option<PluginId>,
        endpoint: Option<String>,
        range: ByteRange,
        is_call: bool,
    ) {
        let is_run_once = is_call && self.functions.is_empty() && !self.in_lambda;
        let end_of_loop = self.loops.first().map(|one| one.body().end());
        self.unclear.push(Unclear {
            plugin,
            endpoint,
            range,
            over_at: is_run_once.then(|| end_of_loop.unwrap_or(0).max(range.end())),
            branches: self.branches.clone(),
            effect: Effect::Registers,
        });
    }

    /// Notes what is known of the references since the first `before` ones.
    pub(super) fn say_known(
        &mut self,
        before: usize,
        plugin: Option<&PluginId>,
        endpoint: Option<&str>,
    ) {
        for reference in &mut self.references[before..] {
            reference.known = Known {
                plugin: plugin.cloned(),
                endpoint: endpoint.map(str::to_owned),
            };
        }
    }
}
