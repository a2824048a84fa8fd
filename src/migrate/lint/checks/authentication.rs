//! RH301: a handler that acts on any request.
//!
//! Anybody who knows the URL can call a webhook. A handler is spoken about only when nothing that
//! it does, or that the functions of the repo which it reaches do, looks like a check of the
//! caller: comparing a digest, a token or an address, calling what has the name of a check,
//! refusing with 401 or 403, a dependency of FastAPI, or handing the request to something that
//! cannot be seen.

use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::facts::evaluate::last_name;
use crate::migrate::lint::naming_heuristics;
use crate::migrate::python::ast::{self, Constant, Expr};
use crate::migrate::python::names::Value;
use crate::migrate::python::stdlib::is_stdlib;
use crate::migrate::python::tree::{self, Descend, Node};

/// Modules and functions that are used to check who is calling.
const CHECKS: &[&str] = &[
    "hmac.",
    "secrets.compare_digest",
    "ipaddress.",
    "jwt.",
    "jose.",
    "itsdangerous.",
    "nacl.",
    "cryptography.",
    "fastapi.Depends",
    "fastapi.Security",
    "fastapi.security.",
    "werkzeug.security.",
    "passlib.",
    "ecdsa.",
    "rsa.",
];

/// Whether a name outside the repo is that of a check.
fn is_known_check(name: &str) -> bool {
    CHECKS.iter().any(|check| name.starts_with(check))
}

/// Whether a call looks like a check, or may contain one out of sight.
pub(crate) fn in_call(context: &CheckContext<'_>, call: &ast::ExprCall, callee: &Value) -> bool {
    if last_name(&call.func).is_some_and(naming_heuristics::is_check) {
        return true;
    }
    let seen = match callee {
        Value::External(name) if is_known_check(name) => return true,
        Value::External(name) => is_harmless(name),
        Value::Function(..) => true,
        _ => is_log(&call.func) || is_builtin_name(context, &call.func),
    };
    if seen {
        return false;
    }
    let arguments = call
        .args
        .iter()
        .chain(call.keywords.iter().map(|k| &k.value));
    arguments.into_iter().any(|argument| {
        let fact = context.evaluator.fact(argument);
        fact.is_whole_request() || fact.is_sent_secret() || fact.is_address()
    })
}

/// Whether a comparison is one of a token, a signature, a secret or an address.
pub(crate) fn in_comparison(context: &CheckContext<'_>, compare: &ast::ExprCompare) -> bool {
    let facts: Vec<Fact> = std::iter::once(&*compare.left)
        .chain(&compare.comparators)
        .map(|side| context.evaluator.fact(side))
        .collect();
    let against_nothing = facts.contains(&Fact::Nothing);
    let sent = facts.iter().any(|fact| matches!(fact, Fact::Sent(_)));
    facts.iter().any(|fact| match fact {
        Fact::Address => true,
        Fact::Digest(_) => true,
        // Under a name that is not known, it may be the token.
        Fact::Sent(name) => {
            (name.is_empty() || fact.is_sent_secret() || fact.is_address()) && !against_nothing
        }
        Fact::Setting(_) => (sent || fact.is_secret_setting()) && !against_nothing,
        Fact::Environment => sent,
        _ => false,
    })
}

/// Whether a subscript looks a token up: `USERS[token]`.
pub(crate) fn in_subscript(context: &CheckContext<'_>, subscript: &ast::ExprSubscript) -> bool {
    context.evaluator.fact(&subscript.slice).is_sent_secret()
}

/// Whether an expression is the status of a refusal.
pub(crate) fn is_refusal(expression: &Expr) -> bool {
    match expression {
        Expr::Constant(constant) => {
            matches!(&constant.value, Constant::Int(n) if matches!(u32::try_from(n), Ok(401 | 403)))
        }
        Expr::Attribute(attribute) => matches!(
            attribute.attr.as_str(),
            "HTTP_401_UNAUTHORIZED" | "HTTP_403_FORBIDDEN" | "UNAUTHORIZED" | "FORBIDDEN"
        ),
        _ => false,
    }
}

/// Whether the parameters of a handler contain a dependency.
pub(crate) fn in_parameters(context: &CheckContext<'_>, arguments: &ast::Arguments) -> bool {
    let annotations = tree::parameters(arguments).filter_map(|p| p.annotation.as_deref());
    let defaults =
        tree::plain_parameters(arguments).filter_map(|argument| argument.default.as_deref());
    let mut found = false;
    for expression in annotations.chain(defaults) {
        tree::walk(Node::Expr(expression), &mut |node| {
            if let Node::Expr(expression @ (Expr::Name(_) | Expr::Attribute(_))) = node {
                found |= context
                    .evaluator
                    .external(expression)
                    .is_some_and(|name| is_known_check(&name));
            }
            Descend::Into
        });
    }
    found
}

/// Whether a decorator has the name of a check.
pub(crate) fn is_checking_decorator(decorator: &Expr) -> bool {
    let called = match decorator {
        Expr::Call(call) => &*call.func,
        other => other,
    };
    last_name(called)
        .is_some_and(|name| naming_heuristics::is_check(name) || naming_heuristics::is_secret(name))
}

/// Whether what is outside the repo is known to check nobody, whatever it is given.
fn is_harmless(name: &str) -> bool {
    let top = name.split('.').next().unwrap_or(name);
    is_stdlib(top)
        || matches!(
            top,
            "nekro_agent"
                | "fastapi"
                | "starlette"
                | "pydantic"
                | "loguru"
                | "orjson"
                | "httpx"
                | "aiohttp"
                | "requests"
        )
}

/// Whether the root of what is called is a name that nothing binds: a built-in.
fn is_builtin_name(context: &CheckContext<'_>, function: &Expr) -> bool {
    matches!(function, Expr::Name(name)
        if context.evaluator.resolver.bindings(&name.id).is_empty()
            && context.loaded.scope.stars().is_empty())
}

/// Whether a call only writes to a log.
fn is_log(function: &Expr) -> bool {
    let Expr::Attribute(method) = function else {
        return false;
    };
    let writes = matches!(
        method.attr.as_str(),
        "debug"
            | "info"
            | "warning"
            | "warn"
            | "error"
            | "exception"
            | "critical"
            | "success"
            | "trace"
            | "log"
    );
    writes && last_name(&method.value).is_some_and(|name| name.to_lowercase().contains("log"))
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check_all, context, request};

    #[test]
    fn handlers_that_check_nothing_are_found() {
        for source in [
            request("    return {'ok': True}"),
            request(
                "    data = await request.json()\n    core.logger.info(f'{request.headers}')\n    await send(data['text'])",
            ),
            context("    if _ctx.webhook_request.headers.get('x-github-event') == 'push': pass"),
            context("    logger.info(_ctx.webhook_request.headers)"),
            request(
                "    token = request.headers.get('X-Token')\n    if token is None or token == '': return",
            ),
            [
                &request("    await store(await request.json())"),
                "\nasync def store(data):\n    print(data)\n",
            ]
            .concat(),
            request("    core.logger.info(request.client.host)"),
        ] {
            check_all(&source, &[("RH301", 0)]);
        }
    }

    #[test]
    fn anything_like_a_check_is_enough() {
        for source in [
            request("    if request.headers.get('X-Token') not in TOKENS: return"),
            request("    ok = hmac.compare_digest(request.headers['a'], b())"),
            request("    if request.client.host not in ALLOWED: return"),
            request("    host = request.client.host\n    ip = ipaddress.ip_address(host)"),
            request("    if x(): raise HTTPException(status_code=403)"),
            request("    if x(): raise HTTPException(status.HTTP_401_UNAUTHORIZED)"),
            request("    await self.guard.inspect(request)"),
            request("    if request.headers.get(header_name()) in accepted(): return"),
            request("    user = USERS.get(request.query_params['token'])"),
            [&request("    await one(request)"), "\nasync def one(r):\n    two(r.headers)\ndef two(headers):\n    if headers['Authorization'] in x(): pass\n"].concat(),
            [&request("    await asyncio.to_thread(two, request.headers)"), "\ndef two(headers):\n    if headers['Authorization'] in x(): pass\n"].concat(),
            context("    if _ctx.webhook_request.body.get('secret') != plugin.get_config().KEY: pass")
                .replace("!=", "not in"),
            request("    pass").replace("request: Request", "request: Request, who=Depends(user)"),
            request("    pass").replace("async def", "@token_required\nasync def"),
            request("    def check():\n        return request.headers['X-Token'] in x()\n    if not check(): return"),
        ] {
            check_all(&source, &[]);
        }
    }
}
