//! RH305: a header that is looked up in mixed case where all keys are in lower case.
//!
//! `_ctx.webhook_request.headers` is a plain dict whose keys are in lower case, so that
//! `headers.get("X-Hub-Signature-256")` finds nothing, whatever was sent. So is
//! `dict(request.headers)`; the headers of a `Request` themselves are found in any case, and are
//! not spoken about. Neither is a function that looks up the same header in lower case too: its
//! author knows.

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::model::Finding;
use crate::migrate::python::ast::{self, CmpOp, Expr};
use crate::migrate::python::tree::range_of;
use crate::routes::Dialect;
use crate::text;

/// A look-up in a dict of lower-case keys: the key, and the finding when it is in mixed case.
pub(crate) struct Lookup {
    /// The key in lower case.
    pub key: String,
    /// None when the key is in lower case already.
    pub finding: Option<Finding>,
}

/// `headers.get(key)`.
pub(crate) fn in_call(context: &CheckContext<'_>, call: &ast::ExprCall) -> Option<Lookup> {
    let Expr::Attribute(method) = &*call.func else {
        return None;
    };
    if !matches!(method.attr.as_str(), "get" | "pop" | "setdefault") {
        return None;
    }
    lookup(context, &method.value, call.args.first()?)
}

/// `headers[key]`.
pub(crate) fn in_subscript(
    context: &CheckContext<'_>,
    subscript: &ast::ExprSubscript,
) -> Option<Lookup> {
    lookup(context, &subscript.value, &subscript.slice)
}

/// `key in headers`.
pub(crate) fn in_comparison(
    context: &CheckContext<'_>,
    compare: &ast::ExprCompare,
) -> Option<Lookup> {
    match (compare.ops.as_slice(), compare.comparators.as_slice()) {
        ([CmpOp::In | CmpOp::NotIn], [headers]) => lookup(context, headers, &compare.left),
        _ => None,
    }
}

fn lookup(context: &CheckContext<'_>, headers: &Expr, key: &Expr) -> Option<Lookup> {
    if context.evaluator.fact(headers) != Fact::LowerHeaders {
        return None;
    }
    let name = context.evaluator.resolver.text(key)?;
    let lower = name.to_lowercase();
    let finding = (name != lower).then(|| {
        let detail = match context.dialect {
            Dialect::Context => text!(
                "`{name}` is never found: the keys of `webhook_request.headers` are in lower case",
                "`{name}` 永远查不到：`webhook_request.headers` 的键都是小写"
            ),
            Dialect::Request => text!(
                "`{name}` is never found: the keys of a dict made from `request.headers` are in lower case",
                "`{name}` 永远查不到：由 `request.headers` 转成的字典，键都是小写"
            ),
        };
        context
            .finding(Code::MixedCaseHeader, range_of(key), detail)
            .with_hint(text!(
                "look it up as `{lower}`",
                "请改用 `{lower}` 查找"
            ))
    });
    Some(Lookup {
        key: lower,
        finding,
    })
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check, context, request};

    #[test]
    fn mixed_case_is_found_through_aliases() {
        for (body, line) in [
            ("    _ctx.webhook_request.headers.get('X-Token')", 1),
            ("    h = _ctx.webhook_request.headers\n    h['X-Token']", 2),
            (
                "    r = _ctx.webhook_request\n    'X-Token' in r.headers",
                2,
            ),
            (
                "    h = dict(_ctx.webhook_request.headers or {})\n    h.get('X-Token', '')",
                2,
            ),
            (
                "    h = _ctx.webhook_request.headers\n    k = h\n    h.get(NAME)",
                3,
            ),
            (
                "    h = _ctx.webhook_request.headers\n    x = f'{h.get('X-Token')}'",
                2,
            ),
        ] {
            check(&context(body), &[("RH305", line)]);
        }
    }

    #[test]
    fn headers_are_followed_into_helpers() {
        check(
            &[
                &context("    helper(1, headers=_ctx.webhook_request.headers)"),
                "\ndef helper(a, headers):\n    return headers.get('X-A')\n",
            ]
            .concat(),
            &[("RH305", 4)],
        );
    }

    #[test]
    fn a_dict_of_the_headers_of_a_request_has_lower_case_keys() {
        for body in [
            "    h = dict(request.headers)\n    verify(h.get('X-Token'))",
            "    h = dict(request.headers.items())\n    verify(h['X-Token'])",
            "    h = {**request.headers}\n    verify(h.get('X-Token'))",
            "    h = {k: v for k, v in request.headers.items()}\n    verify('X-Token' in h)",
            "    h = {k.lower(): v for k, v in request.headers.items()}\n    verify(h['X-Token'])",
        ] {
            check(&request(body), &[("RH305", 2)]);
        }
        for body in [
            "    verify(request.headers.get('X-Token'))",
            "    h = request.headers.mutablecopy()\n    verify(h.get('X-Token'))",
            "    h = dict(request.headers)\n    verify(h.get('x-token'))",
            "    h = {k.title(): v for k, v in request.headers.items()}\n    verify(h.get('X-Token'))",
            "    h = {v: k for k, v in request.headers.items()}\n    verify(h.get('X-Token'))",
            "    h = {**request.headers, 'X-Token': 'a'}\n    verify(h.get('X-Token'))",
            "    h = dict(request.query_params)\n    verify(h.get('X-Token'))",
        ] {
            check(&request(body), &[]);
        }
    }

    #[test]
    fn lower_case_and_other_dicts_are_left_alone() {
        for body in [
            "    _ctx.webhook_request.headers.get('x-token')",
            "    _ctx.webhook_request.body.get('X-Token')",
            "    h = {k.title(): v for k, v in _ctx.webhook_request.headers.items()}\n    h['X-Token']",
            "    h = _ctx.webhook_request.headers\n    h.get('x-token') or h.get('X-Token')",
            "    h = other()\n    h = _ctx.webhook_request.headers\n    h.get('X-Token')",
        ] {
            check(&context(body), &[]);
        }
    }
}
