//! Loops over literals: what the names of a loop stand for in each turn.
//!
//! Invariants: the turns are all that there can be, and a name that stands for something else in a
//! turn than what is said here is not answered. So a loop is understood when its values are written
//! out (a display, or a name that stands for one and is only read), when nothing in its body gives
//! its variables another value, and when there are not too many.

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::names::{Resolver, Scope};
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// How many times a call may run that is understood.
pub(super) const MAX_TURNS: usize = 64;

/// The values of a loop's variables in one turn.
type Turn = Vec<(String, Expr)>;

/// A loop around the place that is looked at.
pub(in crate::migrate::find) struct Loop {
    /// What the variables stand for, turn by turn; none when that cannot be seen.
    turns: Option<Vec<Turn>>,
    /// The names that the body binds under a condition: a turn may see what an earlier one left.
    unknown: Vec<String>,
    body: ByteRange,
}

impl Loop {
    /// A loop whose turns cannot be seen.
    pub(in crate::migrate::find) fn unknown(body: ByteRange) -> Self {
        Self {
            turns: None,
            unknown: Vec::new(),
            body,
        }
    }

    /// What is run again and again.
    pub(in crate::migrate::find) fn body(&self) -> ByteRange {
        self.body
    }
}

/// Reads loops, and what stands inside of them.
#[derive(Clone, Copy)]
pub(in crate::migrate::find) struct LoopReader<'a> {
    /// The names at the place that is looked at, without those of the loops around it.
    pub(in crate::migrate::find) resolver: Resolver<'a>,
    /// Whether that place is in the body of a function, which runs when others have run.
    pub(in crate::migrate::find) is_in_function: bool,
}

/// Whether something in the body of a loop may end it, or a turn of it, before its end.
pub(in crate::migrate::find) fn may_end_early(body: &[Stmt]) -> bool {
    let mut found = false;
    tree::walk_body(body, &mut |node| match node {
        Node::Stmt(Stmt::Break(_) | Stmt::Continue(_) | Stmt::Return(_)) => {
            found = true;
            Descend::Past
        }
        Node::Stmt(statement) if !tree::is_definition(statement) => Descend::Into,
        Node::Stmt(_) | Node::Expr(_) => Descend::Past,
    });
    found
}

/// What the names of the loops stand for when the call at `place` runs, each time that it runs;
/// none when that cannot be seen.
pub(in crate::migrate::find) fn environments(
    loops: &[Loop],
    place: ByteRange,
) -> Option<Vec<Vec<Scope>>> {
    let mut all: Vec<Vec<Scope>> = vec![Vec::new()];
    for one in loops {
        let turns = one.turns.as_ref()?;
        let extent = ByteRange::new(one.body.start(), place.start().max(one.body.start()));
        if turns.is_empty() || all.len() * turns.len() > MAX_TURNS {
            return None;
        }
        all = all
            .iter()
            .flat_map(|outer| {
                turns.iter().map(move |turn| {
                    let mut scopes = outer.clone();
                    scopes.push(Scope::of_values(extent, turn, &one.unknown));
                    scopes
                })
            })
            .collect();
    }
    Some(all)
}

impl LoopReader<'_> {
    /// `for target in values: body`.
    pub(in crate::migrate::find) fn for_loop(&self, statement: &ast::StmtFor) -> Loop {
        let range = range_of(statement);
        let (Some(first), Some(last)) = (statement.body.first(), statement.body.last()) else {
            return Loop::unknown(range);
        };
        let body = ByteRange::new(range_of(first).start(), range_of(last).end());
        let scope = Scope::of_body(&statement.body);
        let direct: Vec<ByteRange> = statement.body.iter().map(range_of).collect();
        let unknown: Vec<String> = scope
            .names()
            .filter(|name| {
                let bindings = scope.bindings(name);
                bindings.len() > 1 || bindings.iter().any(|one| !direct.contains(&one.range))
            })
            .map(str::to_owned)
            .collect();
        let turns = self
            .turns(&statement.target, &statement.iter)
            .filter(|turns| {
                let names = turns.iter().flatten().map(|(name, _)| name.as_str());
                let mut names: Vec<&str> = names.collect();
                names.sort_unstable();
                names.dedup();
                names
                    .iter()
                    .all(|name| scope.bindings(name).is_empty() && !rebinds(&statement.body, name))
            });
        Loop {
            turns,
            unknown,
            body,
        }
    }

    /// `... for target in values`, around an expression.
    pub(in crate::migrate::find) fn comprehension(
        &self,
        whole: ByteRange,
        one: &ast::Comprehension,
    ) -> Loop {
        let turns = (!one.is_async && one.ifs.is_empty())
            .then(|| self.turns(&one.target, &one.iter))
            .flatten();
        Loop {
            turns,
            unknown: Vec::new(),
            body: whole,
        }
    }

    fn turns(&self, target: &Expr, values: &Expr) -> Option<Vec<Turn>> {
        let values = self.values(values)?;
        values
            .iter()
            .map(|value| {
                let mut turn = Vec::new();
                unpack(target, value, &mut turn)?;
                Some(turn)
            })
            .collect()
    }
}

/// What the names of a target stand for when it is given `value`.
fn unpack(target: &Expr, value: &Expr, turn: &mut Turn) -> Option<()> {
    match target {
        Expr::Name(name) => {
            if turn.iter().any(|(other, _)| *other == name.id.as_str()) {
                return None;
            }
            turn.push((name.id.to_string(), value.clone()));
            Some(())
        }
        Expr::Tuple(ast::ExprTuple { elts: targets, .. })
        | Expr::List(ast::ExprList { elts: targets, .. }) => {
            let Expr::Tuple(ast::ExprTuple { elts: values, .. }) = value else {
                return None;
            };
            if targets.len() != values.len() || values.iter().any(|v| matches!(v, Expr::Starred(_)))
            {
                return None;
            }
            targets
                .iter()
                .zip(values)
                .try_for_each(|(target, value)| unpack(target, value, turn).ok_or(()))
                .ok()
        }
        _ => None,
    }
}

/// Whether an expression or `del` in the body gives a name another value.
pub(super) fn rebinds(body: &[Stmt], name: &str) -> bool {
    let is_name = |expression: &Expr| tree::is_named(expression, name);
    let mut found = false;
    tree::walk_body(body, &mut |node| {
        match node {
            Node::Expr(Expr::NamedExpr(named)) => found |= is_name(&named.target),
            Node::Stmt(Stmt::Delete(delete)) => found |= delete.targets.iter().any(is_name),
            _ => {}
        }
        Descend::Into
    });
    found
}
