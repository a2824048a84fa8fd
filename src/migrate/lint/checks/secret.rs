//! RH302: a secret that stands in the source.
//!
//! A literal is a secret when it is the key of an HMAC, when it is compared with a token or a
//! signature that was sent, or when the handler uses a constant with the name of a secret. Names
//! of headers, of variables and of schemes stand in the same places and are told apart by their
//! looks. What stands in the literal is never part of a message, and is masked in the snippet.

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::facts::evaluate::{argument, last_name};
use crate::migrate::lint::model::Finding;
use crate::migrate::lint::naming_heuristics;
use crate::migrate::python::ast::{self, CmpOp, Expr};
use crate::text;
use crate::text::Text;

/// The key of an HMAC, and what is given to `compare_digest`.
pub(crate) fn in_call(
    context: &CheckContext<'_>,
    call: &ast::ExprCall,
    external: Option<&str>,
    out: &mut Vec<Finding>,
) {
    match external {
        Some("hmac.new" | "hmac.digest") => {
            // Some senders derive the key of their HMAC from a public constant and the secret, which
            // is the message then.
            let derives = argument(call, 1, "msg").is_some_and(|message| {
                matches!(
                    context.evaluator.fact(message),
                    Fact::Setting(_) | Fact::Environment
                )
            });
            if let Some(key) = argument(call, 0, "key")
                && let Fact::Literal(path, range) = context.evaluator.fact(key)
                && !derives
            {
                let detail = text!(
                    "the key of this HMAC stands in the source",
                    "该 HMAC 的密钥直接写在源代码中"
                );
                out.push(Finding::new(path, Code::SecretInSource, range, detail));
            }
        }
        Some("hmac.compare_digest" | "secrets.compare_digest") => {
            if let [left, right] = call.args.as_slice() {
                pair(context, left, right, out);
            }
        }
        _ => {}
    }
}

/// What is compared with `==`.
pub(crate) fn in_comparison(
    context: &CheckContext<'_>,
    compare: &ast::ExprCompare,
    out: &mut Vec<Finding>,
) {
    if let ([CmpOp::Eq | CmpOp::NotEq], [right]) =
        (compare.ops.as_slice(), compare.comparators.as_slice())
    {
        pair(context, &compare.left, right, out);
    }
}

fn pair(context: &CheckContext<'_>, left: &Expr, right: &Expr, out: &mut Vec<Finding>) {
    let facts = (context.evaluator.fact(left), context.evaluator.fact(right));
    let (name, path, range) = match facts {
        (Fact::Sent(name), Fact::Literal(path, range))
        | (Fact::Literal(path, range), Fact::Sent(name)) => (name, path, range),
        _ => return,
    };
    if naming_heuristics::is_secret(&name) && context.literal_can_be_secret(&path, range) {
        let detail = text!(
            "what `{name}` is compared with stands in the source",
            "与 `{name}` 比较的值直接写在源代码中"
        );
        out.push(Finding::new(path, Code::SecretInSource, range, detail));
    }
}

/// A constant with the name of a secret.
pub(crate) fn in_use(context: &CheckContext<'_>, expression: &Expr, out: &mut Vec<Finding>) {
    let Some(name) = last_name(expression) else {
        return;
    };
    let is_local = matches!(expression, Expr::Name(_)) && context.evaluator.is_local(name);
    if is_local || !naming_heuristics::is_secret(name) {
        return;
    }
    if let Fact::Literal(path, range) = context.evaluator.fact(expression)
        && context.literal_can_be_secret(&path, range)
    {
        out.push(Finding::new(
            path,
            Code::SecretInSource,
            range,
            constant(name),
        ));
    }
}

fn constant(name: &str) -> Text {
    text!(
        "the value of `{name}` stands in the source",
        "`{name}` 的值直接写在源代码中"
    )
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{advice, check, request};
    use crate::text::Lang;

    #[test]
    fn secrets_are_found_where_they_stand() {
        let raw = "    raw = await request.body()\n";
        for (body, line) in [
            (
                "    hmac.new(b'hunter22', await request.body(), 'sha256')",
                1,
            ),
            (
                "    key = 'hunter22'\n    hmac.new(key.encode(), await request.body(), 'sha256')",
                1,
            ),
            (
                "    hmac.compare_digest(request.headers['X-Token'], 'hunter22')",
                1,
            ),
            (
                "    hmac.new(bytes('hunter22', 'utf-8'), await request.body(), 'sha256')",
                1,
            ),
        ] {
            check(&request(body), &[("RH302", line)]);
        }
        let use_of_constant = [raw, "    verify(raw, WEBHOOK_TOKEN)"].concat();
        check(
            &[&request(&use_of_constant), "\nWEBHOOK_TOKEN = 'hunter22'\n"].concat(),
            &[("RH302", 4)],
        );
        check(
            &request("    return request.headers.get('X-Token') == 'hunter22'"),
            &[("RH303", 1), ("RH302", 1)],
        );
    }

    #[test]
    fn what_only_speaks_about_secrets_is_left_alone() {
        for (body, below) in [
            (
                "    verify(request.headers[TOKEN_HEADER])",
                "TOKEN_HEADER = 'token-of-ours'\n",
            ),
            (
                "    verify(request, os.environ[SECRET])",
                "SECRET = 'WEBHOOK_SECRET'\n",
            ),
            ("    verify(request, SECRET)", "SECRET = ''\n"),
            ("    verify(request)", "SECRET = 'hunter22'\n"),
            ("    token = 'hunter22'\n    verify(request, token)", ""),
            (
                "    if request.headers['Authorization'].split()[0] == 'Bearer': verify(request)",
                "",
            ),
            (
                "    hmac.new(b'AppData', plugin.config.TOKEN.encode(), 'sha256')",
                "",
            ),
            ("    verify(request, TOKEN)", "TOKEN = os.getenv('TOKEN')\n"),
        ] {
            check(&[&request(body), "\n", below].concat(), &[]);
        }
    }

    #[test]
    fn what_follows_a_masked_secret_stays_in_its_column() {
        let source = request("    hmac.new(b'hunter22', b'', 'md5'); time.sleep(1)");
        let advice = advice(&source);
        let [_, sleep] = advice.as_slice() else {
            panic!("{advice:?}")
        };
        let ((line, length), (_, column)) = (sleep.snippet().unwrap(), sleep.position().unwrap());
        assert!(line.contains("***") && !line.contains("hunter22"), "{line}");
        let meant: String = line.chars().skip(column - 1).take(length).collect();
        assert_eq!(meant, "time.sleep(1)");
    }

    #[test]
    fn no_part_of_a_secret_is_shown() {
        let source = request(
            "    return request.headers.get('X-Token') == 'hunter22' and hmac.new(b'''x\nhunter22''', b'', 'md5')",
        );
        for diagnostic in advice(&source) {
            let said = format!(
                "{:?} {} {}",
                diagnostic.snippet(),
                diagnostic.detail().get(Lang::Zh),
                diagnostic.hint().get(Lang::En)
            );
            assert!(!said.contains("hunter22"), "{said}");
            assert!(said.contains("***"), "{said}");
        }
    }
}
