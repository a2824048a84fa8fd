//! RH303 and RH304: what is wrong with the way in which a signature is checked.
//!
//! RH303: `==` stops at the first difference, so that the time it takes tells an attacker how
//! much of a guess was right. It is said of a signature or token that the sender sent, of an
//! HMAC, and of a secret setting; not of a scheme (`algorithm != "sha256"`), nor of a digest that
//! no sender takes part in (a check whether a file has changed).
//!
//! RH304: the sender signs the bytes that it sends. `json.dumps` of the parsed body gives other
//! bytes (spaces, escapes, order of keys), so the signature is never, or not always, equal. It is
//! said of an HMAC over it, and of a plain hash that is compared with what was sent.

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::evaluate::{argument, last_name};
use crate::migrate::lint::facts::{Fact, Made};
use crate::migrate::lint::model::Finding;
use crate::migrate::lint::naming_heuristics;
use crate::migrate::python::ast::{self, CmpOp, Constant, Expr};
use crate::migrate::python::tree::range_of;
use crate::routes::Dialect;
use crate::text;

/// RH303, and RH304 of plain hashes, in a comparison.
pub(crate) fn in_comparison(
    context: &CheckContext<'_>,
    compare: &ast::ExprCompare,
    out: &mut Vec<Finding>,
) {
    let ([CmpOp::Eq | CmpOp::NotEq], [right]) =
        (compare.ops.as_slice(), compare.comparators.as_slice())
    else {
        return;
    };
    let left = &*compare.left;
    let facts = [context.evaluator.fact(left), context.evaluator.fact(right)];
    reserialized_hash(context, [left, right], &facts, out);
    let unsafe_side = |mine: &Fact, expression: &Expr, other: &Fact, beside: &Expr| {
        let other_tells = match other {
            Fact::Nothing => false,
            Fact::Literal(..) => {
                literal(context, beside).is_none_or(|text| naming_heuristics::can_be_secret(&text))
            }
            _ => true,
        };
        if !other_tells || matches!((mine, other), (Fact::Sent(_), Fact::Sent(_))) {
            return None;
        }
        match mine {
            Fact::Sent(name) if naming_heuristics::is_secret(name) => Some(name.clone()),
            Fact::Setting(name) if naming_heuristics::is_secret(name) => Some(name.clone()),
            Fact::Digest(Made { keyed: true, .. }) => Some(written(context, expression)),
            Fact::Digest(Made { keyed: false, .. })
                if matches!(other, Fact::Sent(_))
                    || last_name(beside).is_some_and(naming_heuristics::is_secret) =>
            {
                Some(written(context, expression))
            }
            _ => None,
        }
    };
    let what = unsafe_side(&facts[0], left, &facts[1], right)
        .or_else(|| unsafe_side(&facts[1], right, &facts[0], left));
    if let Some(what) = what {
        out.push(context.finding(
            Code::UnsafeComparison,
            range_of(compare),
            text!(
                "`{what}` is compared with `{}`, which takes longer the more of a guess is right",
                "对 `{what}` 使用 `{}` 比较，存在时序攻击风险：耗时取决于匹配的前缀长度",
                operator(compare)
            ),
        ));
    }
}

fn operator(compare: &ast::ExprCompare) -> &'static str {
    match compare.ops.first() {
        Some(CmpOp::NotEq) => "!=",
        _ => "==",
    }
}

/// An expression as it is written, when it is short enough to be part of a sentence; never one
/// that holds a literal, which could be a secret.
fn written(context: &CheckContext<'_>, expression: &Expr) -> String {
    let text = context.loaded.module.source().slice(range_of(expression));
    if text.len() <= 40 && !text.contains(['\n', '"', '\'', '`']) {
        text.to_owned()
    } else {
        "hmac".to_owned()
    }
}

/// The text of a literal that stands where it is compared, or of the constant that it is.
fn literal(context: &CheckContext<'_>, expression: &Expr) -> Option<String> {
    match expression {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(text) => Some(text.clone()),
            Constant::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        },
        other => context.evaluator.resolver.text(other),
    }
}

/// RH304, and RH304 of plain hashes given to `compare_digest`.
pub(crate) fn in_call(
    context: &CheckContext<'_>,
    call: &ast::ExprCall,
    external: Option<&str>,
    out: &mut Vec<Finding>,
) {
    let message = match external {
        Some("hmac.new" | "hmac.digest") => argument(call, 1, "msg"),
        Some("hmac.compare_digest" | "secrets.compare_digest") => {
            if let [left, right] = call.args.as_slice() {
                let facts = [context.evaluator.fact(left), context.evaluator.fact(right)];
                reserialized_hash(context, [left, right], &facts, out);
            }
            None
        }
        Some(_) => None,
        None => match &*call.func {
            Expr::Attribute(method)
                if method.attr.as_str() == "update"
                    && matches!(
                        context.evaluator.fact(&method.value),
                        Fact::Hash(Made { keyed: true, .. })
                    ) =>
            {
                call.args.first()
            }
            _ => None,
        },
    };
    if let Some(message) = message
        && context.evaluator.fact(message) == Fact::Dumped
    {
        out.push(reserialized(context, message));
    }
    if external.is_none_or(|name| !name.starts_with("hmac."))
        && let Some(body) = given_to_check(context, call)
    {
        out.push(reserialized(context, body));
    }
}

/// The serialised body that is given to what checks a signature, by its name or by the signature
/// that it is given too: it is spoken about where it is given, since others may give the bytes.
pub(crate) fn given_to_check<'a>(
    context: &CheckContext<'_>,
    call: &'a ast::ExprCall,
) -> Option<&'a Expr> {
    let name = last_name(&call.func).filter(|name| naming_heuristics::is_check(name))?;
    let given = || {
        let keywords = call.keywords.iter().map(|keyword| &keyword.value);
        call.args.iter().chain(keywords)
    };
    let body = given().find(|argument| context.evaluator.fact(argument) == Fact::Dumped)?;
    let is_signature = naming_heuristics::is_about_signatures(name)
        || given().any(|argument| context.evaluator.fact(argument).is_sent_secret());
    is_signature.then_some(body)
}

/// A plain hash over serialised JSON that is compared with what the sender sent.
fn reserialized_hash(
    context: &CheckContext<'_>,
    sides: [&Expr; 2],
    facts: &[Fact; 2],
    out: &mut Vec<Finding>,
) {
    let made = Fact::Digest(Made {
        keyed: false,
        reserialized: true,
    });
    for (mine, other) in [(0, 1), (1, 0)] {
        if facts[mine] == made && facts[other].is_sent_secret() {
            out.push(reserialized(context, sides[mine]));
        }
    }
}

fn reserialized(context: &CheckContext<'_>, place: &Expr) -> Finding {
    let finding = context.finding(
        Code::ReserializedSignature,
        range_of(place),
        text!(
            "the signature is computed over the body after it was parsed and serialised again: these are not the bytes that were signed",
            "签名是对解析后又重新序列化的请求体计算的，与发送方签名的字节并不相同"
        ),
    );
    match context.dialect {
        Dialect::Request => finding,
        Dialect::Context => finding.with_hint(text!(
            "the bytes are not in the context: let the route take the `Request` and sign `await request.body()`",
            "上下文中没有原始字节：请让路由函数接收 `Request`，并对 `await request.body()` 计算签名"
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check, context, request};

    #[test]
    fn comparisons_with_equals_are_found() {
        for (body, line) in [
            (
                "    if request.headers.get('X-Token') != plugin.get_config().TOKEN:\n        return",
                1,
            ),
            ("    return token_of_sender() == plugin.config.SECRET", 1),
            (
                "    return token_of_sender() == f'Bearer {plugin.config.SECRET}'",
                1,
            ),
            (
                "    got = request.query_params['token']\n    return got.strip() == expected()",
                2,
            ),
            (
                "    raw = await request.body()\n    mine = hmac.new(key(), raw, hashlib.sha256).hexdigest()\n    return 'sha256=' + mine == theirs()",
                3,
            ),
            (
                "    sig = request.headers['X-Signature'].split('=', 1)[1]\n    ok = sig == hashlib.sha256(await request.body()).hexdigest()",
                2,
            ),
            (
                "    algo, sig = request.headers['x-sign'].split('=')\n    if algo != 'sha1': return\n    return sig == other()",
                3,
            ),
        ] {
            check(&request(body), &[("RH303", line)]);
        }
    }

    #[test]
    fn a_token_is_followed_into_the_helper_that_compares_it() {
        check(
            &[
                &request("    ok = helper(request.headers.get('X-Gitlab-Token'))"),
                "\ndef helper(given):\n    return given == plugin.config.SECRET\n",
            ]
            .concat(),
            &[("RH303", 4)],
        );
    }

    #[test]
    fn comparisons_that_tell_nobody_anything_are_left_alone() {
        for body in [
            "    ok = hmac.compare_digest(request.headers.get('X-Token'), plugin.get_config().TOKEN)",
            "    if request.headers.get('X-Token') == '':\n        raise HTTPException(401)",
            "    if request.headers.get('X-GitHub-Event') == 'push':\n        verify(request)",
            "    scheme, token = request.headers['Authorization'].split(' ')\n    ok = scheme == 'Bearer'",
            "    ok = request.headers.get('X-Auth-Type') == expected()",
            "    ok = plugin.config.SIGN_TYPE == 'hmac-sha1-base64'",
            "    verify(request)\n    same = hashlib.md5(await request.body()).hexdigest() == last()",
        ] {
            check(&request(body), &[]);
        }
    }

    #[test]
    fn signatures_over_json_are_found() {
        for (body, line) in [
            (
                "    hmac.new(k(), json.dumps(_ctx.webhook_request.body).encode(), 'sha256')",
                1,
            ),
            (
                "    b = _ctx.webhook_request.body\n    text = json.dumps(b, sort_keys=True)\n    msg = f'{now()}.{text}'.encode()\n    hmac.new(k(), msg=msg, digestmod='sha256')",
                4,
            ),
            (
                "    b = _ctx.webhook_request.body\n    h = hmac.new(k(), digestmod='sha256')\n    h.update(str(b).encode())",
                3,
            ),
        ] {
            check(&context(body), &[("RH304", line)]);
        }
        check(
            &request(
                "    data = await request.json()\n    mine = hashlib.sha256((plugin.config.TOKEN + json.dumps(data)).encode()).hexdigest()\n    ok = secrets.compare_digest(mine, request.headers['X-Signature'])",
            ),
            &[("RH304", 3)],
        );
    }

    #[test]
    fn serialised_json_is_spoken_about_where_a_helper_is_given_it() {
        check(
            &[
                &context(
                    "    given = _ctx.webhook_request.headers.get('x-signature')
    ok = is_signed(json.dumps(_ctx.webhook_request.body).encode(), given)",
                ),
                "\ndef is_signed(raw, given):\n    return hmac.compare_digest(hmac.new(k(), raw, 'md5').hexdigest(), given)\n",
            ]
            .concat(),
            &[("RH304", 2)],
        );
    }

    #[test]
    fn json_that_is_signed_for_others_is_left_alone() {
        for body in [
            "    raw = await request.body()\n    hmac.new(k(), raw, 'sha256')",
            "    payload = {'a': 1}\n    hmac.new(k(), json.dumps(payload).encode(), 'sha256')",
            "    data = await request.json()\n    verify(request)\n    key = hashlib.md5(json.dumps(data).encode()).hexdigest()",
            "    data = await request.json()\n    verify(request)\n    same = hashlib.md5(json.dumps(data).encode()).hexdigest() == last()",
            "    data = await request.json()\n    verify(request)\n    verify_shape(json.dumps(data))",
            "    data = json.loads(await request.body())\n    verify(request)\n    log(json.dumps(data))",
        ] {
            check(&request(body), &[]);
        }
    }
}
