//! RH401: a call that blocks, in code that runs on the event loop.
//!
//! The agent has one event loop. While one handler waits in `time.sleep` or `requests.get`, no
//! message is read, no other request answered. Reported for the handler and of the functions of the
//! repo that it calls or awaits, plain ones too; not of what is handed to a thread. Only calls that
//! always wait are listed: reading a file may or may not.

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::model::{Finding, Mode};
use crate::migrate::python::ast::{self, Expr};
use crate::migrate::python::tree::range_of;
use crate::text;

/// A call that blocks.
pub(crate) fn in_call(
    context: &CheckContext<'_>,
    call: &ast::ExprCall,
    external: Option<&str>,
    out: &mut Vec<Finding>,
) {
    if context.mode == Mode::Elsewhere || context.around.in_lambda {
        return;
    }
    let name = match external {
        Some(name) if is_blocking(name) => name.to_owned(),
        Some(_) => return,
        None => match method_of_client(context, call) {
            Some(name) => name,
            None => return,
        },
    };
    let function = context.function;
    let detail = if context.is_async {
        text!(
            "`{name}` blocks: the agent does nothing else until it returns",
            "`{name}` 会阻塞：在它返回之前，Agent 无法处理其他任何事情"
        )
    } else {
        text!(
            "`{name}` blocks, and `{function}` is called from async code: the agent does nothing else until it returns",
            "`{name}` 会阻塞，而 `{function}` 是在异步代码中调用的：在它返回之前，Agent 无法处理其他任何事情"
        )
    };
    let finding = context.finding(Code::BlockingCall, range_of(call), detail);
    out.push(match counterpart(&name) {
        Some(other) if context.is_async => finding.with_hint(text!(
            "use `{other}`, or `asyncio.to_thread`",
            "请改用 `{other}`，或使用 `asyncio.to_thread`"
        )),
        _ => finding,
    });
}

fn is_blocking(name: &str) -> bool {
    let Some((module, function)) = name.rsplit_once('.') else {
        return false;
    };
    match module {
        "time" => function == "sleep",
        "requests" | "requests.api" | "httpx" => matches!(
            function,
            "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "request"
        ),
        "urllib.request" => matches!(function, "urlopen" | "urlretrieve"),
        "subprocess" => matches!(
            function,
            "run" | "call" | "check_call" | "check_output" | "getoutput" | "getstatusoutput"
        ),
        "os" => function == "system",
        "socket" => matches!(
            function,
            "create_connection" | "getaddrinfo" | "gethostbyname" | "gethostbyaddr"
        ),
        "smtplib" => matches!(function, "SMTP" | "SMTP_SSL"),
        _ => false,
    }
}

/// `session.post(...)` of a client that blocks.
fn method_of_client(context: &CheckContext<'_>, call: &ast::ExprCall) -> Option<String> {
    let Expr::Attribute(method) = &*call.func else {
        return None;
    };
    let sends = matches!(
        method.attr.as_str(),
        "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "request" | "send"
    );
    match context.evaluator.fact(&method.value) {
        Fact::BlockingClient(name) if sends => Some(format!("{name}().{}", method.attr)),
        _ => None,
    }
}

fn counterpart(name: &str) -> Option<&'static str> {
    match name {
        "time.sleep" => Some("await asyncio.sleep(...)"),
        "os.system" => Some("await asyncio.create_subprocess_shell(...)"),
        _ if name.starts_with("subprocess.") => Some("await asyncio.create_subprocess_exec(...)"),
        _ if name.starts_with("socket.") => Some("await asyncio.open_connection(...)"),
        _ if name.starts_with("requests.")
            || name.starts_with("httpx.")
            || name.starts_with("urllib.") =>
        {
            Some("httpx.AsyncClient")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check, request};

    #[test]
    fn blocking_calls_are_found_in_the_handler() {
        for (body, line) in [
            ("    verify(request)\n    time.sleep(0.5)", 2),
            (
                "    verify(request)\n    r = requests.post('u', json={})",
                2,
            ),
            (
                "    verify(request)\n    with urllib.request.urlopen('u') as f: pass",
                2,
            ),
            (
                "    verify(request)\n    from subprocess import run as go\n    go(['x'])",
                3,
            ),
            (
                "    verify(request)\n    s = requests.Session()\n    s.get('u')",
                3,
            ),
            (
                "    verify(request)\n    with httpx.Client() as c:\n        c.get('u')",
                3,
            ),
            (
                "    verify(request)\n    x = [os.system(c) for c in 'ab']",
                2,
            ),
        ] {
            check(&request(body), &[("RH401", line)]);
        }
    }

    #[test]
    fn blocking_calls_are_found_in_what_it_calls() {
        let below = "\nasync def one():\n    two()\ndef two():\n    time.sleep(1)\n";
        for call in [
            "await one()",
            "two()",
            "asyncio.get_running_loop().create_task(one()).add_done_callback(f)",
        ] {
            let line = format!("    verify(request)\n    keep = {call}\n    return keep");
            check(&[&request(&line), below].concat(), &[("RH401", 8)]);
        }
    }

    #[test]
    fn threads_and_asynchronous_calls_are_left_alone() {
        let below = "\ndef work():\n    time.sleep(1)\nclass requests2: pass\n";
        for body in [
            "    await asyncio.to_thread(work)",
            "    await asyncio.to_thread(lambda: work())",
            "    await asyncio.get_event_loop().run_in_executor(None, work)",
            "    await asyncio.to_thread(time.sleep, 1)",
            "    await asyncio.to_thread(lambda: time.sleep(1))",
            "    def inner():\n        requests.get('u')\n    await asyncio.to_thread(inner)",
            "    async with httpx.AsyncClient() as c:\n        await c.get('u')",
            "    d = {}\n    d.get('u')",
            "    time = 1\n    time.sleep(1)",
        ] {
            check(
                &[&request(&format!("    verify(request)\n{body}")), below].concat(),
                &[],
            );
        }
    }
}
