//! Rule: the annotations of a route resolve when its decorator runs.
//!
//! FastAPI looks the names up in the globals of the module. A name that is imported only for type
//! checkers gets an import at run time instead, when it comes from outside the repo; from inside,
//! importing it could make a circle, so the webhook needs a manual change. A handler of one parameter
//! without an annotation, which is used as a request, gets `: Request`: FastAPI would take it for
//! a query parameter.

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::EditError;
use crate::migrate::find::Blocker;
use crate::migrate::find::Handler;
use crate::migrate::find::handler::AnnotationName;
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::names::is_always_installed;
use crate::text;

/// What stands in the way of resolving the annotations of `handler`.
pub(crate) fn problem(handler: &Handler, future_annotations: bool) -> Option<Blocker> {
    if handler.is_elsewhere
        && let Some(parameter) = &handler.unannotated_request
    {
        return Some(Blocker::manual(
            Code::UnresolvedAnnotation,
            handler.name_range,
            text!(
                "the parameter `{parameter}` has no annotation, and its function is in another module",
                "参数 `{parameter}` 没有类型注解，而其函数位于另一个模块中"
            ),
        ));
    }
    let annotations = handler
        .parameters
        .iter()
        .filter_map(|parameter| parameter.annotation.as_ref());
    for annotation in annotations {
        for name in &annotation.names {
            let resolves = if name.is_local {
                !future_annotations
            } else if name.type_checking_only {
                name.external.is_some() && !handler.is_elsewhere
            } else {
                name.is_bound
            };
            if !resolves {
                let place = if handler.is_elsewhere {
                    handler.name_range
                } else {
                    annotation.range
                };
                let problem = Blocker::manual(
                    Code::UnresolvedAnnotation,
                    place,
                    text!(
                        "`{}` in the annotation is not a name of the module when the route is made",
                        "创建路由时，注解中的 `{}` 不是模块中的名称",
                        name.name
                    ),
                );
                return Some(match name.is_local {
                    true => problem.with_hint(text!(
                        "define or import `{}` at module level",
                        "请在模块顶层定义或导入 `{}`",
                        name.name
                    )),
                    false => problem,
                });
            }
        }
    }
    None
}

/// What stands in the way of resolving them where the registration at `registered_at` runs, as
/// `reply_route` does; FastAPI itself tries once more when the router is mounted.
pub(crate) fn problem_at_once(
    draft: &Draft,
    handler: &Handler,
    registered_at: usize,
) -> Option<Blocker> {
    if handler.is_elsewhere {
        return None;
    }
    let mut annotations = handler
        .parameters
        .iter()
        .filter_map(|parameter| parameter.annotation.as_ref());
    annotations.find_map(|annotation| {
        let mut names = annotation.names.iter();
        let below =
            names.find(|name| is_below(name, registered_at) && !can_move_up(draft, &name.name))?;
        let problem = Blocker::manual(
            Code::UnresolvedAnnotation,
            annotation.range,
            text!(
                "`{}` in the annotation is defined further below, after the route is made",
                "注解中的 `{}` 定义在更靠后的位置，创建路由时还不存在",
                below.name
            ),
        );
        Some(problem.with_hint(text!(
            "put the definition of `{}` above the registration",
            "请把 `{}` 的定义移到注册之前",
            below.name
        )))
    })
}

fn is_below(name: &AnnotationName, registered_at: usize) -> bool {
    name.bound_from.is_some_and(|from| from > registered_at)
}

/// Whether a name is imported once, from where the agent has it in any case, so that the import can
/// stand further up.
fn can_move_up(draft: &Draft, name: &str) -> bool {
    let Some((statement, _)) = draft.names.imports.statement_of(name) else {
        return false;
    };
    statement.is_from
        && statement.is_top_level
        && statement.module.level == 0
        && is_always_installed(&statement.module.dotted)
        && draft.loaded.scope.bindings(name).len() == 1
        && !draft.names.has_from_star(name)
}

/// Makes the annotations resolve, for `reply_route` where the registration at `needed_at` runs.
///
/// # Errors
/// When another edit wants the same bytes.
pub(crate) fn rewrite(
    draft: &mut Draft,
    handler: &Handler,
    needed_at: Option<usize>,
) -> Result<(), EditError> {
    if let Some(needed_at) = needed_at {
        move_imports_up(draft, handler, needed_at);
    }
    let only_for_checkers: Vec<AnnotationName> = handler
        .parameters
        .iter()
        .filter_map(|parameter| parameter.annotation.as_ref())
        .flat_map(|annotation| &annotation.names)
        .filter(|name| name.type_checking_only)
        .cloned()
        .collect();
    for name in only_for_checkers {
        let imports = draft.names.imports.clone();
        if let Some((statement, imported)) = imports.statement_of(&name.name)
            && statement.type_checking.is_some()
        {
            draft
                .names
                .import_from(&statement.module, &imported.name, &[]);
        }
    }
    let request = handler.parameters.iter();
    let mut request = request.filter(|one| handler.unannotated_request.as_ref() == Some(&one.name));
    if let Some(parameter) = request.next() {
        let request = draft.names.import(
            "fastapi",
            "Request",
            &["starlette.requests", "fastapi.requests"],
        );
        draft.insert(parameter.name_end, format!(": {request}"))?;
    }
    Ok(())
}

/// Moves the imports up that the annotations need before `needed_at`.
fn move_imports_up(draft: &mut Draft, handler: &Handler, needed_at: usize) {
    let names = handler
        .parameters
        .iter()
        .filter_map(|parameter| parameter.annotation.as_ref())
        .flat_map(|annotation| &annotation.names);
    for name in names.filter(|name| is_below(name, needed_at)) {
        if !can_move_up(draft, &name.name) {
            continue;
        }
        let imports = draft.names.imports.clone();
        if let Some((statement, imported)) = imports.statement_of(&name.name) {
            draft.importing_before(needed_at, |draft| {
                draft
                    .names
                    .import_from(&statement.module, &imported.name, &[])
            });
        }
    }
}
