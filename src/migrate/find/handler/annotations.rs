//! How the names in an annotation are bound: FastAPI looks them up when the route is made.

use super::parameters::known_arguments::builtin_validator;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::lookup::BUILTIN_TYPES;
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Constant, Expr};
use crate::migrate::python::names::Resolver;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::migrate::python::{parse, tree};

/// An annotation, and how the names in it are bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The expression.
    pub range: ByteRange,
    /// The names at the root of its attributes, each with the dotted name outside the repo that it
    /// stands for, if it does.
    pub names: Vec<AnnotationName>,
}

/// A name in an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationName {
    /// The name as it is written.
    pub name: String,
    /// What it stands for outside the repo, as in `fastapi.Request`.
    pub external: Option<String>,
    /// Whether it is bound only for type checkers.
    pub type_checking_only: bool,
    /// Whether it is bound at all, at module level or as a built-in.
    pub is_bound: bool,
    /// Whether it is bound by an enclosing function the handler.
    pub is_local: bool,
    /// Where the module binds it first.
    pub(crate) bound_from: Option<usize>,
}

/// How the names of an annotation are bound; strings in it are read as expressions.
pub(crate) fn annotation(resolver: Resolver<'_>, expression: &Expr) -> Annotation {
    let mut names: Vec<AnnotationName> = Vec::new();
    for (root, whole) in annotation_roots(expression) {
        let name = root.id.to_string();
        let global = resolver.loaded.scope.bindings(&name);
        let is_local = resolver
            .locals
            .iter()
            .any(|scope| !scope.bindings(&name).is_empty());
        names.push(AnnotationName {
            external: resolver.external(&whole),
            type_checking_only: !global.is_empty()
                && global.iter().all(|binding| binding.type_checking_only),
            is_bound: !global.is_empty()
                || !resolver.loaded.scope.stars().is_empty()
                || BUILTIN_TYPES.contains(&name.as_str())
                || builtin_validator(&name),
            is_local,
            bound_from: global.iter().map(|binding| binding.range.start()).min(),
            name,
        });
    }
    Annotation {
        range: range_of(expression),
        names,
    }
}

/// The names in an annotation, each with the attribute that it is the root of.
pub(super) fn annotation_roots(expression: &Expr) -> Vec<(ast::ExprName, Expr)> {
    let mut roots = Vec::new();
    roots_in(expression, true, &mut roots);
    roots
}

/// `in_type` is whether a string is a type in quotes, and not a value, as it is in `Literal["a"]`
/// and behind the type in `Annotated[str, Header(alias="X-Name")]`.
fn roots_in(expression: &Expr, in_type: bool, roots: &mut Vec<(ast::ExprName, Expr)>) {
    tree::walk(Node::Expr(expression), &mut |node| match node {
        Node::Expr(whole @ (Expr::Name(_) | Expr::Attribute(_))) => {
            let mut inner = whole;
            while let Expr::Attribute(attribute) = inner {
                inner = &attribute.value;
            }
            match inner {
                Expr::Name(name) => {
                    roots.push((name.clone(), whole.clone()));
                    Descend::Past
                }
                _ => Descend::Into,
            }
        }
        Node::Expr(Expr::Constant(constant)) => {
            if in_type
                && let Constant::Str(text) = &constant.value
                && let Some(parsed) = parse::quoted(text)
            {
                roots_in(&parsed, true, roots);
            }
            Descend::Past
        }
        // Strings that are given to what makes a type say more about it.
        Node::Expr(Expr::Call(call)) if in_type => {
            roots_in(&call.func, true, roots);
            for argument in &call.args {
                roots_in(argument, false, roots);
            }
            for keyword in &call.keywords {
                roots_in(&keyword.value, false, roots);
            }
            Descend::Past
        }
        Node::Expr(Expr::Lambda(lambda)) => {
            let own: Vec<&str> = tree::parameters(&lambda.args)
                .map(|parameter| parameter.arg.as_str())
                .collect();
            let mut inside = Vec::new();
            roots_in(&lambda.body, false, &mut inside);
            inside.retain(|(root, _)| !own.contains(&root.id.as_str()));
            roots.append(&mut inside);
            Descend::Past
        }
        Node::Expr(Expr::Subscript(subscript)) if in_type => {
            let name = match &*subscript.value {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => "",
            };
            let parts = match &*subscript.slice {
                Expr::Tuple(tuple) => tuple.elts.as_slice(),
                one => std::slice::from_ref(one),
            };
            roots_in(&subscript.value, true, roots);
            for (index, part) in parts.iter().enumerate() {
                let is_value = name == "Literal" || (name == "Annotated" && index > 0);
                roots_in(part, !is_value, roots);
            }
            Descend::Past
        }
        _ => Descend::Into,
    });
}
