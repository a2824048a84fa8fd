//! Rule: of several registrations of an endpoint in one plugin the last one counted.
//!
//! `webhook_methods` was a dict, so the last registration won; a router gives a request to its
//! first route. The decorators of the earlier ones are therefore taken away. Where it cannot be
//! seen which one is the last, all of them need a manual change; branches that exclude each other
//! are not such a case.

use std::collections::HashMap;

use crate::migrate::diagnostic::Code;
use crate::migrate::find::Blocker;
use crate::migrate::find::Branch;
use crate::migrate::find::path_parameters::can_match_alike;
use crate::migrate::plan::model::Registered;
use crate::migrate::plan::rules::registration;
use crate::routes::route_path;
use crate::text;

/// What is to be done with each of a plugin's webhooks as far as the others matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It counts.
    Keep,
    /// A later one took its place.
    Drop,
    /// It cannot be told.
    Unknown(Box<Blocker>),
}

/// Judges all webhooks of one plugin, each with whether it needs a manual change anyway.
pub(crate) fn judge<'a>(
    webhooks: impl Iterator<Item = (&'a Registered<'a>, bool)>,
) -> Vec<Verdict> {
    let (webhooks, has_problem): (Vec<&Registered<'_>>, Vec<bool>) = webhooks.unzip();
    let paths: Vec<String> = webhooks
        .iter()
        .map(|one| route_path(&one.webhook.endpoint.value))
        .collect();
    let mut same_path: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, path) in paths.iter().enumerate() {
        same_path.entry(path).or_default().push(index);
    }
    let patterns: Vec<usize> = (0..paths.len())
        .filter(|&index| paths[index].contains('{'))
        .collect();
    paths
        .iter()
        .enumerate()
        .map(|(index, path)| {
            match judge_one(&webhooks, &has_problem, index, &same_path[path.as_str()]) {
                Verdict::Keep => judge_patterns(&webhooks, &paths, &patterns, index),
                verdict => verdict,
            }
        })
        .collect()
}

/// A path with a parameter that another webhook's path may match too: which of the two the old
/// server asked first is not known. `patterns` are the paths with parameters.
fn judge_patterns(
    webhooks: &[&Registered<'_>],
    paths: &[String],
    patterns: &[usize],
    index: usize,
) -> Verdict {
    let path = &paths[index];
    let is_alike = |other: &usize| paths[*other] != *path && can_match_alike(path, &paths[*other]);
    let alike = if path.contains('{') {
        (0..paths.len()).find(is_alike)
    } else {
        patterns.iter().copied().find(is_alike)
    };
    match alike {
        None => Verdict::Keep,
        Some(other) => Verdict::Unknown(Box::new(Blocker::manual(
            Code::EndpointsCollide,
            webhooks[index].webhook.call.call,
            text!(
                "the endpoints `{}` and `{}` match the same requests",
                "端点 `{}` 与 `{}` 会匹配相同的请求",
                webhooks[index].webhook.endpoint.value,
                webhooks[other].webhook.endpoint.value
            ),
        ))),
    }
}

/// `same_path` are the webhooks whose endpoints become the same path, this one among them.
fn judge_one(
    webhooks: &[&Registered<'_>],
    has_problem: &[bool],
    index: usize,
    same_path: &[usize],
) -> Verdict {
    let this = webhooks[index];
    let mut verdict = Verdict::Keep;
    for &other_index in same_path {
        if other_index == index {
            continue;
        }
        let other = webhooks[other_index];
        if other.webhook.endpoint.value == this.webhook.endpoint.value {
            if exclusive(&this.webhook.branches, &other.webhook.branches)
                && this.path() == other.path()
            {
                continue;
            }
            if has_problem[other_index] {
                return unknown_order(this);
            }
            match (earlier(this, other), earlier(other, this)) {
                (true, _) => verdict = Verdict::Drop,
                (_, true) => {}
                _ => return unknown_order(this),
            }
        } else {
            return Verdict::Unknown(Box::new(Blocker::manual(
                Code::EndpointsCollide,
                this.webhook.call.call,
                text!(
                    "the endpoints `{}` and `{}` become the same path",
                    "端点 `{}` 与 `{}` 会得到同一路径",
                    this.webhook.endpoint.value,
                    other.webhook.endpoint.value
                ),
            )));
        }
    }
    verdict
}

fn unknown_order(this: &Registered<'_>) -> Verdict {
    Verdict::Unknown(Box::new(Blocker::manual(
        Code::UnknownOrder,
        this.webhook.call.call,
        text!(
            "the endpoint `{}` is registered more than once, and which registration is the last cannot be seen",
            "端点 `{}` 被注册了多次，无法看出哪一次最后生效",
            this.webhook.endpoint.value
        ),
    )))
}

/// Whether the two stand in branches of which only one runs.
pub(crate) fn exclusive(a: &[Branch], b: &[Branch]) -> bool {
    a.iter().zip(b).any(|(a, b)| {
        a.statement == b.statement && a.index != b.index && a.exclusive && b.exclusive
    })
}

/// Whether `first` certainly runs before `second`, `second` runs whenever `first` does, and the
/// registration of `first` can be taken away.
fn earlier(first: &Registered<'_>, second: &Registered<'_>) -> bool {
    let (a, b) = (first.webhook, second.webhook);
    let runs_after: fn(&[Branch], &[Branch]) -> bool = |a, b| a.starts_with(b);
    first.path() == second.path()
        && a.call.call.end() <= b.call.call.start()
        && runs_after(&a.branches, &b.branches)
        // Such a function runs where it is called.
        && a.registrar.is_none()
        && b.registrar.is_none()
        && !a.handler.is_nested
        && !b.handler.is_nested
        && registration::removable_lines(&first.found.loaded, a).is_some()
        && a.handler.range != b.handler.range
}
