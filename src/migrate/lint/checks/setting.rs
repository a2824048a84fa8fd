//! RH306: a setting that holds a secret, and is shown to everyone who sees the configuration.
//!
//! The class that `@plugin.mount_config()` registers says of each field what it is;
//! `ExtraField(is_secret=True)` in `json_schema_extra` makes the agent's pages hide it. Only
//! settings with the name of a secret are spoken about, and only when the handler or what it calls
//! verifies senders with them. The extras may be those of the value or of an `Annotated` type. A
//! field whose extras cannot be seen counts as marked.

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::facts::evaluate::{argument, last_name};
use crate::migrate::lint::model::Finding;
use crate::migrate::lint::naming_heuristics;
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::names::{Binding, BindingKind, Loaded, Resolver, Workspace};
use crate::migrate::python::parse;
use crate::migrate::python::tree::{self, Descend, Node, range_of};
use crate::text;

/// The secret settings that a call verifies something with: as the key of an HMAC, in
/// `compare_digest`, or given to what has the name of a check.
pub(crate) fn verified_by_call(
    context: &CheckContext<'_>,
    call: &ast::ExprCall,
    external: Option<&str>,
    out: &mut Vec<String>,
) {
    match external {
        Some("hmac.new" | "hmac.digest") => {
            out.extend(argument(call, 0, "key").and_then(|key| setting(context, key)));
        }
        Some("hmac.compare_digest" | "secrets.compare_digest") => {
            out.extend(call.args.iter().filter_map(|side| setting(context, side)));
        }
        _ if last_name(&call.func).is_some_and(naming_heuristics::is_check) => {
            let keywords = call.keywords.iter().map(|keyword| &keyword.value);
            out.extend(
                call.args
                    .iter()
                    .chain(keywords)
                    .filter_map(|argument| setting(context, argument)),
            );
        }
        _ => {}
    }
}

/// The secret settings that a comparison verifies something with.
pub(crate) fn verified_by_comparison(
    context: &CheckContext<'_>,
    compare: &ast::ExprCompare,
    out: &mut Vec<String>,
) {
    let sides: Vec<Fact> = std::iter::once(&*compare.left)
        .chain(&compare.comparators)
        .map(|side| context.evaluator.fact(side))
        .collect();
    if sides
        .iter()
        .any(|side| matches!(side, Fact::Nothing | Fact::Literal(..)))
    {
        return;
    }
    out.extend(sides.into_iter().filter_map(|side| match side {
        Fact::Setting(name) if naming_heuristics::is_secret(&name) => Some(name),
        _ => None,
    }));
}

fn setting(context: &CheckContext<'_>, expression: &Expr) -> Option<String> {
    match context.evaluator.fact(expression) {
        Fact::Setting(name) if naming_heuristics::is_secret(&name) => Some(name),
        _ => None,
    }
}

/// The fields of the configuration classes in `loaded` that are among `names` and not marked.
pub(crate) fn unmarked(
    workspace: &Workspace,
    loaded: &Loaded,
    names: &[String],
    out: &mut Vec<Finding>,
) {
    if names.is_empty() {
        return;
    }
    let resolver = Resolver::of_module(workspace, loaded);
    let classes = loaded
        .module
        .suite()
        .iter()
        .filter_map(|statement| match statement {
            Stmt::ClassDef(class) if class.decorator_list.iter().any(is_mount_config) => {
                Some(class)
            }
            _ => None,
        });
    for statement in classes.flat_map(|class| &class.body) {
        let (target, annotation, value) = match statement {
            Stmt::AnnAssign(field) => (
                &*field.target,
                Some(&*field.annotation),
                field.value.as_deref(),
            ),
            Stmt::Assign(field) => match field.targets.as_slice() {
                [target] => (target, None, Some(&*field.value)),
                _ => continue,
            },
            _ => continue,
        };
        if let Expr::Name(name) = target
            && names.iter().any(|wanted| wanted == name.id.as_str())
            && !value.is_some_and(|value| is_marked(loaded, value))
            && !annotation.is_some_and(|type_| may_mark(&resolver, type_, MAX_ALIASES))
        {
            let path = loaded.module.source().path().to_owned();
            let name = name.id.as_str();
            let detail = text!(
                "`{name}` is what senders are verified with, and it is not marked `is_secret`: the configuration page shows it",
                "`{name}` 用于校验发送方，却没有标记 `is_secret`：配置页面会显示其内容"
            );
            let range = range_of(target);
            out.push(Finding::new(path, Code::SettingNotSecret, range, detail));
        }
    }
}

fn is_mount_config(decorator: &Expr) -> bool {
    matches!(decorator, Expr::Call(call)
        if matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "mount_config"))
}

/// How many names are followed from one type to the next.
const MAX_ALIASES: usize = 8;

/// Whether the type of a field says that it is secret, or may say so out of sight.
///
/// Types that surely say nothing are listed; every other one may.
fn may_mark(resolver: &Resolver<'_>, annotation: &Expr, aliases: usize) -> bool {
    match annotation {
        Expr::Constant(constant) => match &constant.value {
            Constant::None | Constant::Ellipsis => false,
            Constant::Str(text) => {
                parse::quoted(text).is_none_or(|parsed| may_mark(resolver, &parsed, aliases))
            }
            _ => true,
        },
        Expr::BinOp(union) if union.op == ast::Operator::BitOr => {
            may_mark(resolver, &union.left, aliases) || may_mark(resolver, &union.right, aliases)
        }
        Expr::Subscript(subscript) => {
            let arguments = match &*subscript.slice {
                Expr::Tuple(tuple) => tuple.elts.as_slice(),
                one => std::slice::from_ref(one),
            };
            match resolver.external(&subscript.value).as_deref() {
                Some("typing.Annotated" | "typing_extensions.Annotated") => {
                    let Some((type_, extras)) = arguments.split_first() else {
                        return true;
                    };
                    may_mark(resolver, type_, aliases)
                        || extras.iter().any(|extra| match extra {
                            Expr::Constant(_) => false,
                            Expr::Call(_) => is_marked(resolver.loaded, extra),
                            _ => true,
                        })
                }
                // A literal's arguments are values.
                Some("typing.Literal" | "typing_extensions.Literal") => false,
                Some("typing.Optional" | "typing.Union" | "typing.List" | "typing.Dict") => {
                    arguments.iter().any(|one| may_mark(resolver, one, aliases))
                }
                _ => {
                    !is_builtin_type(resolver, &subscript.value)
                        || arguments.iter().any(|one| may_mark(resolver, one, aliases))
                }
            }
        }
        Expr::Name(name) => match resolver.bindings(&name.id) {
            [] => !is_builtin_type(resolver, annotation),
            [
                Binding {
                    kind: BindingKind::Value(alias),
                    ..
                },
            ] => match aliases.checked_sub(1) {
                Some(aliases) => may_mark(resolver, alias, aliases),
                None => true,
            },
            _ => !is_plain_external(resolver, annotation),
        },
        Expr::Attribute(_) => !is_plain_external(resolver, annotation),
        _ => true,
    }
}

/// Whether a name stands for a built-in type.
fn is_builtin_type(resolver: &Resolver<'_>, expression: &Expr) -> bool {
    matches!(expression, Expr::Name(name)
        if resolver.bindings(&name.id).is_empty()
            && matches!(name.id.as_str(), "bool" | "bytes" | "dict" | "float" | "int" | "list" | "object" | "set" | "str" | "tuple"))
}

/// Whether a type from outside the repo is known to have no extras.
fn is_plain_external(resolver: &Resolver<'_>, expression: &Expr) -> bool {
    matches!(
        resolver.external(expression).as_deref(),
        Some("pydantic.SecretStr" | "pydantic.SecretBytes" | "pydantic.StrictStr" | "typing.Any")
    )
}

/// Whether the value of a field says that it is secret, or may say so out of sight.
fn is_marked(loaded: &Loaded, value: &Expr) -> bool {
    let Expr::Call(field) = value else {
        return false;
    };
    if field.keywords.iter().any(|keyword| keyword.arg.is_none()) {
        return true;
    }
    let Some(extra) = argument(field, usize::MAX, "json_schema_extra") else {
        return false;
    };
    if says_secret(extra) {
        return true;
    }
    match extra {
        // Extras of several fields may be a constant of the module.
        Expr::Name(name) => match loaded.scope.bindings(&name.id) {
            [binding] => match &binding.kind {
                BindingKind::Value(value) => says_secret(value),
                _ => true,
            },
            _ => true,
        },
        Expr::Dict(_) => false,
        Expr::Call(call) => {
            let of_extra_field = matches!(&*call.func, Expr::Attribute(method)
                if matches!(&*method.value, Expr::Call(inner) if last_name(&inner.func) == Some("ExtraField")));
            !of_extra_field && last_name(&call.func) != Some("ExtraField")
        }
        _ => true,
    }
}

/// Whether `is_secret` is given as anything but `False`, as a keyword or the key of a dict, or may
/// be given by `**`.
fn says_secret(expression: &Expr) -> bool {
    let mut says = false;
    let is_false =
        |value: &Expr| matches!(value, Expr::Constant(c) if c.value == Constant::Bool(false));
    tree::walk(Node::Expr(expression), &mut |node| {
        match node {
            Node::Expr(Expr::Call(call)) => {
                for keyword in &call.keywords {
                    match &keyword.arg {
                        Some(name) if name.as_str() == "is_secret" => {
                            says |= !is_false(&keyword.value);
                        }
                        Some(_) => {}
                        None => says = true,
                    }
                }
            }
            Node::Expr(Expr::Dict(dict)) => {
                for (key, value) in dict.keys.iter().zip(&dict.values) {
                    says |= match key {
                        Some(Expr::Constant(key)) => {
                            matches!(&key.value, Constant::Str(key) if key == "is_secret")
                                && !is_false(value)
                        }
                        _ => true,
                    };
                }
            }
            _ => {}
        }
        Descend::Into
    });
    says
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check, request};

    const TOKEN_CHECK: &str =
        "    ok = hmac.compare_digest(request.headers['x'], plugin.get_config().TOKEN)";

    const ALIASES: &str = "\
from typing import Annotated, Optional
from elsewhere import Elsewhere
Secret = Annotated[str, Field(json_schema_extra=ExtraField(is_secret=True).model_dump())]
Again = Secret
Open = str
";

    fn with_field(body: &str, field: &str) -> String {
        format!(
            "{}\n@plugin.mount_config()\nclass Settings(ConfigBase):\n    {field}\n\n{ALIASES}",
            request(body)
        )
    }

    #[test]
    fn fields_that_are_not_marked_are_found() {
        for field in [
            "TOKEN: str = ''",
            "TOKEN: str = Field(default='', title='t')",
            "TOKEN: str = Field('', json_schema_extra=ExtraField(is_secret=False).model_dump())",
            "TOKEN: str = Field('', json_schema_extra={'a': 1})",
            "TOKEN: str = Field('', json_schema_extra=ExtraField(title='t').model_dump())",
            "TOKEN: Optional[str] = None",
            "TOKEN: 'str | None' = None",
            "TOKEN: Annotated[str, Field(title='t')] = ''",
            "TOKEN: Open = ''",
        ] {
            check(&with_field(TOKEN_CHECK, field), &[("RH306", 5)]);
        }
        for body in [
            "    config = plugin.get_config()\n    hmac.new(config.TOKEN.encode(), await request.body(), 'md5')",
            "    verify(await request.body(),\n        secret=plugin.config.TOKEN)",
        ] {
            check(&with_field(body, "TOKEN: str = ''"), &[("RH306", 6)]);
        }
    }

    #[test]
    fn marked_fields_and_other_settings_are_left_alone() {
        for field in [
            "TOKEN: str = Field('', json_schema_extra=ExtraField(is_secret=True).model_dump())",
            "TOKEN: str = Field('', json_schema_extra=ExtraField(title='t', is_secret=True).model_dump())",
            "TOKEN: str = Field('', json_schema_extra={'is_secret': True})",
            "TOKEN: str = Field('', **SECRET_FIELD)",
            "TOKEN: str = Field('', json_schema_extra=hidden())",
            "TOKEN: Annotated[str, Field(json_schema_extra=ExtraField(is_secret=True).model_dump())] = ''",
            "TOKEN: Secret = ''",
            "TOKEN: Secret | None = None",
            "TOKEN: 'Secret' = ''",
            "TOKEN: Again = ''",
            "TOKEN: Elsewhere = ''",
            "OTHER_TOKEN: str = ''",
        ] {
            check(&with_field(TOKEN_CHECK, field), &[]);
        }
        for body in [
            "    verify(request)\n    send(plugin.get_config().TOKEN)",
            "    if plugin.config.TOKEN == '': verify(request)",
            "    verify(request, plugin.config.CHAT_KEY)",
        ] {
            check(
                &with_field(body, "TOKEN: str = ''\n    CHAT_KEY: str = ''"),
                &[],
            );
        }
    }
}
