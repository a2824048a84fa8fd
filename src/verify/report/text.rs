//! What people read on a terminal.

use std::collections::HashSet;
use std::path::Path;

use anstyle::Style;

use super::sanitize::{about, indented_request, shortened, shortened_lines};
use super::saved_requests::Saved;
use super::{View, details, difference, ranges, reasons, uncovered, url};
use crate::migrate::python::style::width;
use crate::term;
use crate::term::style::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::text;
use crate::text::{Lang, Text};
use crate::verify::options::AgentChoice;
use crate::verify::requests::{SkipReason, Unsent};
use crate::verify::results::{Failure, Kind, Status, Webhook};
use crate::verify::runner::protocol::{Isolation, Nonterminating, STAND_IN, Side, WebhookResult};
use crate::verify::runner::python::Python;

/// How wide the column of verdicts is.
const COLUMN: usize = 15;

/// The whole report.
pub(crate) fn render(view: &View<'_>, lang: Lang) -> String {
    let mut output = String::new();
    for webhook in &view.results.webhooks {
        // Why it failed is said once for the plugin.
        if webhook.kind() != Kind::Failed {
            output += &webhook_text(view, webhook, lang);
        }
    }
    for failure in &view.results.failures {
        output += &failure_text(view, failure, lang);
    }
    for (plugin, what) in &view.results.refused {
        let label = text!("refused", "已阻止");
        let what: Vec<String> = what.iter().map(|what| attempt(what, lang)).collect();
        let plugin = shortened(plugin);
        output += &format!("{}{BOLD}{plugin}{BOLD:#}\n", column(&label, YELLOW, lang));
        output += &format!("  {}\n", what.join("\n  "));
    }
    output + &count(view, lang)
}

/// What a plugin tried (`sandbox.py`): a word, and of what.
fn attempt(what: &str, lang: Lang) -> String {
    let what = shortened(what);
    let text = match what.split_once(' ') {
        Some(("write", path)) => text!("write {path}", "写入 {path}"),
        Some(("run", program)) => text!("run {program}", "运行 {program}"),
        Some(("connect", address)) => text!("connect {address}", "连接 {address}"),
        Some(("end", process)) => text!("end {process}", "结束进程 {process}"),
        _ => Text::verbatim(what),
    };
    text.get(lang).to_owned()
}

fn column(label: &Text, style: Style, lang: Lang) -> String {
    let label = label.get(lang);
    let gap = " ".repeat(COLUMN.saturating_sub(width(label)).max(1));
    format!("{style}{label}{style:#}{gap}")
}

/// A path as people read it.
fn shown(view: &View<'_>, path: &Path) -> String {
    term::escaped(&view.shown(path)).into_owned()
}

/// What a kind is called.
fn label(kind: Kind) -> (Text, Style) {
    match kind {
        Kind::Same => (text!("same", "一致"), GREEN),
        Kind::Differs => (text!("differs", "有差异"), RED),
        Kind::NotCovered => (text!("not covered", "未覆盖"), YELLOW),
        Kind::NotMigrated => (text!("not migrated", "未迁移"), YELLOW),
        Kind::Failed => (text!("failed", "无法运行"), RED),
    }
}

fn webhook_text(view: &View<'_>, webhook: &Webhook, lang: Lang) -> String {
    let (name, style) = label(webhook.kind());
    let unknown = text!("(unknown)", "（未知）");
    let plugin = webhook
        .plugin
        .as_deref()
        .unwrap_or_else(|| unknown.get(lang));
    let endpoint = webhook.endpoint.as_deref();
    let endpoint = shortened(endpoint.unwrap_or_else(|| unknown.get(lang)));
    let plugin = shortened(plugin);
    let mut output = format!(
        "{}{BOLD}{plugin} {endpoint}{BOLD:#}",
        column(&name, style, lang)
    );
    match &webhook.status {
        Status::Run {
            result,
            path,
            elsewhere,
        } => {
            let before = |path: &Path| match &webhook.base {
                Some(base) => format!("{base}:{}", shown(view, path)),
                None => shown(view, path),
            };
            let place = |side: Side, path: &Path| match side {
                Side::Old => before(path),
                Side::New | Side::Neither => shown(view, path),
            };
            let open = uncovered::text(elsewhere, place, lang)
                + &uncovered::conditions(&result.one_way, place, lang);
            output += &run_text(result, &before(path), &open, lang);
            if let (Some(difference), Some(route)) = (&result.difference, &webhook.route) {
                let next = if url::is_all(difference, &route.target) {
                    url::text(result.differing)
                } else {
                    difference::next(webhook.base.as_deref())
                };
                output += next.get(lang);
            }
        }
        Status::NotMigrated(diagnostic) => {
            let mut place = shown(view, diagnostic.path());
            if let Some((line, column)) = diagnostic.position() {
                place += &format!(":{line}:{column}");
            }
            let code = diagnostic.code().as_str();
            let detail = term::escaped(diagnostic.detail().get(lang));
            output += &format!("  {code}\n  {place}  {detail}\n");
        }
        Status::Failed => output.push('\n'),
    }
    output
}

fn run_text(result: &WebhookResult, place: &str, open: &str, lang: Lang) -> String {
    let (requests, differing) = (result.requests, result.differing);
    let amount = match result.difference {
        Some(_) => text!(
            "  {differing} of {requests} requests",
            "  {requests} 个请求中有 {differing} 个不一致"
        ),
        None => text!("  {requests} requests", "  {requests} 个请求"),
    };
    let mut output = format!("{}\n", amount.get(lang));
    let first = result.first;
    let all = [result.reached.as_slice(), &result.missed].concat();
    let reached = ranges(&result.reached, &all);
    let ran = if result.reached.is_empty() {
        text!(
            "  {place}:{first}  no request got into the handler\n",
            "  {place}:{first}  没有请求进入处理函数\n"
        )
    } else {
        text!(
            "  {place}:{first}  lines run: {reached}\n",
            "  {place}:{first}  运行的行：{reached}\n"
        )
    };
    output += ran.get(lang);
    let changed: HashSet<&usize> = result.uncovered.iter().collect();
    let is_changed = |line: &&usize| changed.contains(line);
    let unchanged: Vec<usize> = result
        .missed
        .iter()
        .filter(|l| !is_changed(l))
        .copied()
        .collect();
    if !result.uncovered.is_empty() && !result.reached.is_empty() {
        let lines = ranges(&result.uncovered, &all);
        output += text!(
            "  changed by the migration, and reached by no request: {lines}\n",
            "  迁移改动过，但没有请求触及的行：{lines}\n"
        )
        .get(lang);
    }
    if !result.reached.is_empty() {
        output += open;
    }
    if result.reached.is_empty() || !result.uncovered.is_empty() || !open.is_empty() {
        let hint = text!(
            "  hint: give a request that gets there with --requests; --save-requests writes those that were sent, to start from\n",
            "  提示：请用 --requests 提供能运行到那里的请求；可用 --save-requests 写出已发送的请求，在此基础上修改\n"
        );
        output += hint.get(lang);
    }
    if !unchanged.is_empty() && !result.reached.is_empty() {
        let lines = ranges(&unchanged, &all);
        let text = text!(
            "reached by no request, and not changed by the migration: {lines}",
            "没有请求触及、迁移也没有改动的行：{lines}"
        );
        output += &format!("  {DIM}{}{DIM:#}\n", text.get(lang));
    }
    output += &nonterminating_text(&result.nonterminating, lang);
    if let Some(difference) = &result.difference {
        output += &difference::text(difference, lang);
    }
    output
}

/// The requests that did not end, and what to do about them.
fn nonterminating_text(nonterminating: &[Nonterminating], lang: Lang) -> String {
    let mut output = String::new();
    for one in nonterminating {
        let (about, seconds) = (about(&one.request, lang), one.seconds);
        let ended = shortened(details::text(&one.exit).get(lang));
        let intro = if !ended.is_empty() {
            text!(
                "a request{about} ended the process ({ended}); it was not compared:",
                "有一个请求{about}结束了进程（{ended}），没有参与比较："
            )
        } else if one.search_resumed {
            text!(
                "a request{about} had not ended after {seconds} s; it was not compared, and the search went on without it:",
                "有一个请求{about}在 {seconds} 秒后仍未结束，没有参与比较；已略过它继续寻找其他请求："
            )
        } else {
            text!(
                "a request{about} had not ended after {seconds} s; it was not compared, and the search ended there:",
                "有一个请求{about}在 {seconds} 秒后仍未结束，没有参与比较；此后没有再寻找其他请求："
            )
        };
        output += &format!("  {YELLOW}{}{YELLOW:#}\n", intro.get(lang));
        output += &indented_request(&one.request, lang);
    }
    if nonterminating.iter().any(|one| one.exit.is_empty()) {
        let hint = text!(
            "  hint: see whether the handler waits or loops for such a request; give others with --requests\n",
            "  提示：请检查处理函数遇到这样的请求是否会一直等待或循环；可用 --requests 提供其他请求\n"
        );
        output += hint.get(lang);
    }
    if nonterminating.iter().any(|one| !one.exit.is_empty()) {
        let hint = text!(
            "  hint: the server would have ended with it as well; see whether the handler is to do so\n",
            "  提示：服务器同样会因此结束；请检查处理函数是否应当如此\n"
        );
        output += hint.get(lang);
    }
    output
}

fn failure_text(view: &View<'_>, failure: &Failure, lang: Lang) -> String {
    let (name, style) = label(Kind::Failed);
    let python = view
        .results
        .python
        .as_ref()
        .map(|python| term::path(&python.executable));
    let python = python.unwrap_or_else(|| "python".to_owned());
    let endpoints = shortened(&failure.endpoints.join(", "));
    let mut output = format!(
        "{}{BOLD}{} {endpoints}",
        column(&name, style, lang),
        shortened(&failure.plugin),
    );
    output = format!("{}{BOLD:#}\n", output.trim_end());
    let error = reasons::error(&failure.cause, &python);
    for line in shortened_lines(error.message.get(lang)) {
        output += &format!("  {line}\n");
    }
    let hint = text!("hint: ", "提示：");
    output + &format!("  {}{}\n", hint.get(lang), error.help.get(lang))
}

/// The last line: how many there are of each kind, and on what they ran.
fn count(view: &View<'_>, lang: Lang) -> String {
    let counts = Kind::ALL.map(|kind| {
        let (name, count) = (label(kind).0, view.results.count(kind));
        let (en, zh) = (name.get(Lang::En), name.get(Lang::Zh));
        text!("{count} {en}", "{zh} {count} 个")
            .get(lang)
            .to_owned()
    });
    let separator = if lang == Lang::Zh { "，" } else { ", " };
    let mut output = counts.join(separator);
    if let Some(ready) = &view.results.ready {
        let (agent, python) = (shortened(&ready.agent), shortened(&ready.python));
        let executable = view
            .results
            .python
            .as_ref()
            .map(|python| term::path(&python.executable));
        let executable = executable.unwrap_or_default();
        let around = if agent == STAND_IN && view.agent == AgentChoice::Auto {
            text!(
                "; on the stand-in, because no agent is installed for {executable}, Python {python}",
                "；运行于模拟 Agent（{executable} 没有安装 Agent），Python {python}"
            )
        } else if agent == STAND_IN {
            text!(
                "; on the stand-in, Python {python}",
                "；运行于模拟 Agent，Python {python}"
            )
        } else {
            text!(
                "; on {agent}, Python {python}",
                "；运行于 {agent}，Python {python}"
            )
        };
        output += around.get(lang);
    }
    output.push('\n');
    output
}

/// What is said before any code of a plugin is run: what runs, and what it can do.
pub(crate) fn announcement(plugins: &[String], python: &Python, lang: Lang) -> String {
    let (executable, version) = (term::path(&python.executable), &python.version);
    /// A repo of hundreds is not listed.
    const MOST_NAMED: usize = 8;
    let count = plugins.len();
    let noun = if count == 1 { "plugin" } else { "plugins" };
    let named: Vec<String> = plugins
        .iter()
        .take(MOST_NAMED)
        .map(|plugin| shortened(plugin))
        .collect();
    let rest = if count > MOST_NAMED { ", …" } else { "" };
    let (en, zh) = (named.join(", ") + rest, named.join("、") + rest);
    let mut output = text!(
        "running the code of {count} {noun} ({en}), before and after, with {executable} (Python {version}), in a temporary folder: it has your rights and reads what you can read; the system keeps it from the network, other programs and other folders where it can\n",
        "正在用 {executable}（Python {version}）运行 {count} 个插件（{zh}）迁移前后的代码，在临时文件夹中进行：它拥有您的权限，能读取您可读的内容；在系统支持时，它不能访问网络、启动其他程序或写入其他文件夹\n"
    )
    .get(lang)
    .to_owned();
    for path in &python.not_started {
        let path = term::path(path);
        output += text!(
            "{path} was not started, because anybody who can change the repo could have put it there: if you trust it, use --python {path}\n",
            "没有启动 {path}，因为能修改该仓库的任何人都可能放置它：如果信任它，请使用 --python {path}\n"
        )
        .get(lang);
    }
    output
}

/// How many requests were saved.
pub(crate) fn saved(path: &Path, saved: &Saved, lang: Lang) -> String {
    let (path, Saved { written, left_out }) = (term::path(path), saved);
    let are = |count: usize| match count {
        1 => "request was",
        _ => "requests were",
    };
    let (they, others) = (are(*written), are(*left_out));
    let mut output = match written {
        0 => text!(
            "no requests to save in {path}\n",
            "没有可以写入 {path} 的请求\n"
        ),
        _ => text!(
            "{written} {they} saved in {path}: send them again with --requests\n",
            "已把 {written} 个请求写入 {path}，可用 --requests 再次发送\n"
        ),
    }
    .get(lang)
    .to_owned();
    if *left_out > 0 {
        output += text!(
            "{left_out} {others} not saved, because such a file cannot have that\n",
            "有 {left_out} 个请求没有写入，因为这样的文件容纳不下或无法表示它们\n"
        )
        .get(lang);
    }
    output
}

/// What is said of requests that were not sent: a line for each path and reason, since a recording may
/// have many.
fn unsent(unsent: &[Unsent], requests: &str, lang: Lang) -> String {
    let mut groups: Vec<(&Unsent, usize)> = Vec::new();
    for one in unsent {
        let is_alike =
            |(first, _): &&mut (&Unsent, usize)| (&first.path, first.why) == (&one.path, one.why);
        match groups.iter_mut().find(is_alike) {
            Some((_, others)) => *others += 1,
            None => groups.push((one, 0)),
        }
    }
    let mut output = String::new();
    for (first, others) in groups {
        let (line, path) = (first.line, shortened(&first.path));
        let more = match others {
            0 => text!("", ""),
            _ => text!(
                " (and {others} more like it)",
                "（另有 {others} 个同类请求）"
            ),
        };
        let (more_en, more_zh) = more.both();
        let text = match first.why {
            SkipReason::NoOldUrl => text!(
                "{requests}:{line}: {path} is not an old URL of what was verified; the request was not sent{more_en}\n",
                "{requests}:{line}：{path} 不是本次验证的旧 URL，该请求没有发送{more_zh}\n"
            ),
            SkipReason::NoBody => text!(
                "{requests}:{line}: the request to {path} was recorded without its body, which was too large, and was not sent{more_en}\n",
                "{requests}:{line}：发往 {path} 的请求因请求体过大而未记录其内容，没有发送{more_zh}\n"
            ),
            SkipReason::Broken => text!(
                "{requests}:{line}: warning: this line is not JSON, as when it was cut off; it was skipped{more_en}\n",
                "{requests}:{line}：警告：这一行不是 JSON（可能只写了一半），已跳过{more_zh}\n"
            ),
        };
        output += text.get(lang);
    }
    output
}

/// What is to be said besides the results.
pub(crate) fn notes(view: &View<'_>, requests: &str, lang: Lang) -> String {
    let mut output = unsent(&view.results.unsent, requests, lang);
    let ready = view.results.ready.as_ref();
    if ready.is_some_and(|ready| ready.files == Isolation::PythonOnly) {
        output += text!(
            "this system does not keep a process away from files and programs: only what Python itself would call was refused
",
            "本系统无法禁止进程写入文件和启动程序：只拒绝了 Python 自身的这类调用
"
        )
        .get(lang);
    }
    if ready.is_some_and(|ready| ready.network == Isolation::PythonOnly) {
        output += text!(
            "this system does not let a process be cut off from the network: only what Python itself would call was refused\n",
            "本系统无法切断进程的网络：只拒绝了 Python 自身的网络调用\n"
        )
        .get(lang);
    }
    output
}
