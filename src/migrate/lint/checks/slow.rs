//! RH402: slow work that the sender has to wait for.
//!
//! Senders give up after a few seconds (GitHub after 10) and count a failure. Reported for what is slow
//! for certain and awaited before the reply: a sleep of a second or more, a request in a loop, the
//! answer of a language model. Work in a task of its own is not waited for.

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::model::{Finding, Mode};
use crate::migrate::python::ast::{self, Constant, Expr};
use crate::migrate::python::names::Value;
use crate::migrate::python::tree::range_of;
use crate::text;

/// `await x`, or `async with x`: `awaited` is `x`.
pub(crate) fn in_await(context: &CheckContext<'_>, awaited: &Expr, out: &mut Vec<Finding>) {
    if context.mode != Mode::BeforeReply || context.around.in_lambda {
        return;
    }
    let Expr::Call(call) = awaited else {
        return;
    };
    let external = context.evaluator.external(&call.func);
    let detail = match external.as_deref() {
        Some("asyncio.sleep" | "anyio.sleep") => {
            let Some(seconds) = call.args.first().and_then(|n| seconds(context, n)) else {
                return;
            };
            if seconds < 1.0 {
                return;
            }
            text!(
                "the sender waits {seconds} s for the reply here",
                "发送方要在此处等待 {seconds} 秒才能收到响应"
            )
        }
        Some(name) if is_model(name) => model(name.rsplit('.').next().unwrap_or(name)),
        Some(_) => return,
        None => {
            let Expr::Attribute(method) = &*call.func else {
                return;
            };
            match (context.evaluator.fact(&method.value), method.attr.as_str()) {
                (Fact::ModelClient, "create" | "parse") => model("create"),
                (
                    Fact::AsyncClient,
                    "get" | "post" | "put" | "patch" | "delete" | "head" | "request",
                ) if context.around.in_loop => text!(
                    "the sender waits for one request after another in this loop",
                    "发送方要等待此循环中的请求逐个完成"
                ),
                _ => return,
            }
        }
    };
    out.push(context.finding(Code::SlowReply, range_of(call), detail));
}

/// What the agent's own calls of a language model are named.
fn is_model(name: &str) -> bool {
    name.starts_with("nekro_agent.")
        && matches!(
            name.rsplit('.').next(),
            Some("gen_openai_chat_response" | "gen_openai_chat_stream")
        )
}

fn model(name: &str) -> crate::text::Text {
    text!(
        "the sender waits for the answer of a language model: `{name}`",
        "发送方要等待语言模型的回答：`{name}`"
    )
}

fn seconds(context: &CheckContext<'_>, expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Float(seconds),
            ..
        }) => Some(*seconds),
        other => match context.evaluator.resolver.value(other) {
            // No author writes a sleep of more seconds than a float holds exactly.
            Value::Number(seconds) => i32::try_from(seconds).ok().map(f64::from),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check, request};

    #[test]
    fn slow_work_before_the_reply_is_found() {
        for (body, line) in [
            ("    await asyncio.sleep(10)", 2),
            (
                "    await asyncio.sleep(delay=0) if 0 else await asyncio.sleep(1.5)",
                2,
            ),
            (
                "    c = httpx.AsyncClient()\n    for u in urls():\n        await c.post(u)",
                4,
            ),
            (
                "    async with aiohttp.ClientSession() as s:\n        while more():\n            async with s.get('u') as r: pass",
                4,
            ),
            (
                "    from openai import AsyncOpenAI\n    c = AsyncOpenAI()\n    await c.chat.completions.create(model='m')",
                4,
            ),
            (
                "    from nekro_agent.services.agent.openai import gen_openai_chat_response as gen\n    r = await gen(model='m')",
                3,
            ),
        ] {
            let body = format!("    verify(request)\n{body}");
            check(&request(&body), &[("RH402", line)]);
        }
    }

    #[test]
    fn slow_work_is_found_in_what_is_awaited() {
        let below = "\nasync def work():\n    await asyncio.sleep(WAIT)\nWAIT = 3\n";
        for call in [
            "await work()",
            "await asyncio.gather(work(), x())",
            "await asyncio.create_task(work())",
        ] {
            let body = format!("    verify(request)\n    {call}");
            check(&[&request(&body), below].concat(), &[("RH402", 5)]);
        }
    }

    #[test]
    fn quick_work_and_tasks_are_left_alone() {
        let below = "\nasync def work():\n    await asyncio.sleep(3)\n";
        for body in [
            "    await asyncio.sleep(0.2)",
            "    await asyncio.sleep(n())",
            "    TASKS.add(asyncio.create_task(work()))",
            "    task = asyncio.create_task(asyncio.sleep(5))\n    TASKS.add(task)",
            "    await TASKS.put(asyncio.create_task(work()))",
            "    request.state.tasks.add_task(work)",
            "    async with httpx.AsyncClient() as c:\n        await c.post('u')",
            "    for x in range(3):\n        await store.get(x)",
        ] {
            check(
                &[&request(&format!("    verify(request)\n{body}")), below].concat(),
                &[],
            );
        }
    }
}
