//! Mentions of the old API that the tree does not lead to. It is the text that is asked here, so that
//! nothing is overlooked.

mod attributes;
mod lookups;

use rustc_hash::FxHashSet;

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::{Reference, ReferenceKind};
use crate::migrate::find::references::method::{TABLE, is_method};
use crate::migrate::python::ast::Stmt;
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::text;

/// The places where the method's name stands that the tree did not lead to: definitions, arguments,
/// names of something else. It is the text that is asked here, so that nothing is overlooked:
/// an attribute of that name which the tree did not show needs a manual change.
pub(super) fn unvisited_mentions(loaded: &Loaded, known: &[Reference]) -> Vec<Reference> {
    let module = &loaded.module;
    let source = module.source();
    let known: FxHashSet<ByteRange> = known.iter().map(|reference| reference.place).collect();
    let patterns = patterns(loaded);
    let names = module
        .tokens()
        .all()
        .iter()
        .filter(|token| token.kind == TokenKind::Name && is_method(source.slice(token.range)))
        .filter(|token| !known.contains(&token.range));
    names
        .map(|token| {
            let before = module.tokens().previous(token.range.start());
            let is_attribute = before.is_some_and(|dot| source.slice(dot.range) == ".");
            // `case NekroPlugin(mount_webhook_method=mount)`
            let is_captured = patterns.iter().any(|one| one.contains(token.range));
            let kind = if is_attribute || is_captured {
                let method = source.slice(token.range);
                let detail = text!(
                    "this mention of `{method}` is not understood",
                    "无法理解此处对 `{method}` 的引用"
                );
                let diagnostic = loaded.diagnostic_at(Code::NotARegistration, token.range, detail);
                ReferenceKind::ByHand(Box::new(diagnostic))
            } else {
                ReferenceKind::NotOurs
            };
            Reference::new(token.range, kind)
        })
        .collect()
}

/// The strings that are the name of the method or of the table, in a module that looks attributes up by
/// their names, but for those that are `known`, or only `shown`.
pub(super) fn names_in_strings(
    loaded: &Loaded,
    known: &[Reference],
    shown: &FxHashSet<ByteRange>,
) -> Vec<Reference> {
    let module = &loaded.module;
    let source = module.source();
    let tokens = module.tokens().all();
    let method_in = |range: ByteRange| {
        let quoted = source
            .slice(range)
            .trim_start_matches(|c: char| c.is_alphabetic());
        let inside = quoted.trim_matches(['"', '\'']);
        (is_method(inside) || inside == TABLE).then(|| inside.to_owned())
    };
    let strings: Vec<(ByteRange, String)> = tokens
        .iter()
        .filter(|token| token.kind == TokenKind::String)
        .filter_map(|token| Some((token.range, method_in(token.range)?)))
        .filter(|(range, _)| !known.iter().any(|one| one.place.contains(*range)))
        .filter(|(range, _)| !shown.contains(range))
        .collect();
    let looks_up = || {
        let mut names = tokens.iter().filter(|token| token.kind == TokenKind::Name);
        names.any(|token| LOOKUPS.contains(&source.slice(token.range)))
    };
    if strings.is_empty() || !looks_up() {
        return Vec::new();
    }
    let reference = |(place, method): (ByteRange, String)| {
        let detail = text!(
            "the name of `{method}` stands here as a string, by which it may be looked up",
            "此处以字符串写出了 `{method}` 的名称，可能会据此获取该方法"
        );
        let diagnostic = loaded.diagnostic_at(Code::NotARegistration, place, detail);
        Reference::new(place, ReferenceKind::ByHand(Box::new(diagnostic)))
    };
    strings.into_iter().map(reference).collect()
}

/// The patterns of `match` statements.
fn patterns(loaded: &Loaded) -> Vec<ByteRange> {
    let module = &loaded.module;
    let mut ranges = Vec::new();
    if module.source().text().contains("match ") {
        module.walk(module.suite(), module.range(), &mut |node| {
            if let Node::Stmt(Stmt::Match(statement)) = node {
                ranges.extend(statement.cases.iter().map(|case| range_of(&case.pattern)));
            }
            Descend::Into
        });
    }
    ranges
}

/// What gives an attribute by its name.
pub(crate) const LOOKUPS: &[&str] = &[
    "__delattr__",
    "__dict__",
    "__getattr__",
    "__getattribute__",
    "__setattr__",
    "attrgetter",
    "delattr",
    "getattr",
    "getattr_static",
    "getmembers",
    "methodcaller",
    "setattr",
    "vars",
];
