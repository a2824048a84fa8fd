//! What people read on a terminal.

use anstyle::Style;
use rayon::prelude::*;

use super::View;
use crate::migrate::diagnostic::{Code, RetiredCode};
use crate::migrate::diff::{self, LineKind};
use crate::migrate::plan::{Action, PlannedWebhook};
use crate::migrate::python::style::width;
use crate::routes::Route;
use crate::term;
use crate::text;
use crate::text::{Lang, Text};

pub(super) use crate::term::style::{BOLD, CYAN, DIM, GREEN, RED, YELLOW};

/// The list of `rehook scan`.
pub(crate) fn webhooks(view: &View<'_>, lang: Lang) -> String {
    let mut output = String::new();
    for one in &view.plan.webhooks {
        let (style, action) = match &one.action {
            Action::Migrate => (GREEN, text!("migrate", "迁移")),
            Action::Drop => (
                DIM,
                text!(
                    "drop: a later registration counts",
                    "删除：以之后的注册为准"
                ),
            ),
            Action::ByHand(diagnostic) => {
                let code = diagnostic.code().as_str();
                (YELLOW, text!("by hand, {code}", "手动处理，{code}"))
            }
        };
        output += &webhook(view, one, (style, action), lang);
    }
    for one in view.disabled {
        output += &webhook(view, one, (DIM, disabled()), lang);
    }
    for path in view.disabled_files {
        if view.disabled.iter().all(|one| one.path != *path) {
            let (path, state) = (view.shown(path), disabled());
            let path = term::escaped(&path);
            output += &format!("{BOLD}{path}{BOLD:#}  {DIM}{}{DIM:#}\n\n", state.get(lang));
        }
    }
    for route in view.migrated_before() {
        let (plugin, endpoint) = (term::escaped(&route.plugin), term::escaped(&route.endpoint));
        let state = text!("migrated before", "此前已迁移");
        output += &format!(
            "{BOLD}{plugin} {endpoint}{BOLD:#}  {DIM}{}{DIM:#}\n",
            state.get(lang)
        );
        output += &urls(route, lang);
        output.push('\n');
    }
    output
}

/// What is said of a plugin that is switched off.
fn disabled() -> Text {
    text!(
        "disabled: migrated only when its file is named",
        "已停用：只有指定该文件时才会迁移"
    )
}

/// A webhook in that list; `state` is what happens to it.
fn webhook(view: &View<'_>, webhook: &PlannedWebhook, state: (Style, Text), lang: Lang) -> String {
    let mut output = String::new();
    let (style, action) = state;
    let path = view.shown(&webhook.path);
    let path = term::escaped(&path);
    let (line, column) = view.position_of(webhook);
    let place = format!("{path}:{line}:{column}");
    let unknown = text!("(unknown)", "（未知）");
    let plugin = webhook
        .plugin
        .as_deref()
        .unwrap_or_else(|| unknown.get(lang));
    let endpoint = webhook
        .endpoint
        .as_deref()
        .unwrap_or_else(|| unknown.get(lang));
    let (plugin, endpoint) = (term::escaped(plugin), term::escaped(endpoint));
    output += &format!(
        "{BOLD}{plugin} {endpoint}{BOLD:#}  {style}{}{style:#}\n",
        action.get(lang)
    );
    let about = match (&webhook.route, &webhook.action) {
        (Some(route), _) => {
            let dialect = route.dialect.as_str();
            text!("{dialect} dialect", "{dialect} 接口")
        }
        // What little is known of it is why.
        (None, Action::ByHand(diagnostic)) => diagnostic.detail().clone(),
        (None, _) => Text::verbatim(""),
    };
    let handler = webhook
        .handler
        .as_ref()
        .map(|name| format!("  {name}"))
        .unwrap_or_default();
    let about = term::escaped(about.get(lang));
    output += &format!("  {place}  {about}{handler}\n");
    if let Some(route) = &webhook.route {
        output += &urls(route, lang);
    }
    output.push('\n');
    output
}

fn urls(route: &Route, lang: Lang) -> String {
    let (old, new) = (text!("old", "旧"), text!("new", "新"));
    let legacy = route
        .legacy
        .iter()
        .map(|legacy| format!("  {}  {}\n", old.get(lang), term::escaped(legacy)));
    let target = format!(
        "  {}  {} {}\n",
        new.get(lang),
        term::escaped(&route.methods.join(",")),
        term::escaped(&route.target)
    );
    legacy.chain([target]).collect()
}

/// How many files of a patch are made into text at once.
const FILES_AT_ONCE: usize = 64;

/// The patch, to the byte, in pieces of whole files; in colour when `is_colored`: then people read it, and
/// what could steer their terminal is written out.
pub(crate) fn patch(view: &View<'_>, is_colored: bool) -> impl Iterator<Item = Vec<u8>> {
    view.files.chunks(FILES_AT_ONCE).map(move |files| {
        let of_files: Vec<Vec<u8>> = files
            .par_iter()
            .map(|change| patch_of(*change, is_colored))
            .collect();
        of_files.concat()
    })
}

/// The patch as a terminal without colours shows it: what could steer it is written out.
pub(crate) fn patch_for_terminal(view: &View<'_>) -> impl Iterator<Item = String> {
    let pieces = patch(view, false);
    pieces.map(|piece| term::escaped_lines(&String::from_utf8_lossy(&piece)).into_owned())
}

fn patch_of(change: diff::Change<'_>, is_colored: bool) -> Vec<u8> {
    let mut output = Vec::new();
    for (kind, line) in diff::unified(change) {
        if !is_colored {
            output.extend_from_slice(&line);
            continue;
        }
        let style = match kind {
            LineKind::Header => BOLD,
            LineKind::Hunk => CYAN,
            LineKind::Context => Style::new(),
            LineKind::Removed => RED,
            LineKind::Added => GREEN,
        };
        // The style ends before the line end, so that it never reaches into the next line.
        let (content, end) = match line.strip_suffix(b"\n") {
            Some(content) => (content, &b"\n"[..]),
            None => (line.as_slice(), &b""[..]),
        };
        output.extend_from_slice(style.render().to_string().as_bytes());
        let content = String::from_utf8_lossy(content);
        output.extend_from_slice(term::escaped_lines(&content).as_bytes());
        output.extend_from_slice(style.render_reset().to_string().as_bytes());
        output.extend_from_slice(end);
    }
    output
}

/// The changed lines of each file, counted.
pub(crate) fn stat(view: &View<'_>, lang: Lang) -> String {
    let rows: Vec<(String, usize, usize)> = view
        .files
        .iter()
        .map(|change| {
            let (added, removed) = diff::stat(*change);
            let path = term::slashes(change.path);
            (term::escaped(&path).into_owned(), added, removed)
        })
        .collect();
    let widest = rows
        .iter()
        .map(|(path, ..)| width(path))
        .max()
        .unwrap_or_default();
    let mut output = String::new();
    for (path, added, removed) in &rows {
        let gap = " ".repeat(widest - width(path));
        output += &format!(" {path}{gap} | {GREEN}+{added}{GREEN:#} {RED}-{removed}{RED:#}\n");
    }
    if !rows.is_empty() {
        let files = rows.len();
        let noun = if files == 1 { "file" } else { "files" };
        let added: usize = rows.iter().map(|row| row.1).sum();
        let removed: usize = rows.iter().map(|row| row.2).sum();
        let total = text!(
            " {files} {noun}, {added} lines added, {removed} removed\n",
            " {files} 个文件，增加 {added} 行，删除 {removed} 行\n"
        );
        output += total.get(lang);
    }
    output
}

/// All codes with their titles.
pub(crate) fn codes(lang: Lang) -> String {
    let line = |code: &Code| {
        format!(
            "{BOLD}{}{BOLD:#}  {}\n",
            code.as_str(),
            code.title().get(lang)
        )
    };
    Code::ALL.iter().map(line).collect()
}

/// What a code means, with an example.
pub(crate) fn explanation(code: Code, lang: Lang) -> String {
    let explanation = code.explanation();
    let (title, remedy) = (code.title(), code.remedy());
    let (to_do, before, after) = (
        text!("What to do", "处理办法"),
        text!("Before", "修改前"),
        text!("After", "修改后"),
    );
    let colon = if lang == Lang::Zh { "：" } else { ": " };
    let mut output = format!("{BOLD}{}{BOLD:#}  {}\n\n", code.as_str(), title.get(lang));
    output += &wrapped(explanation.meaning.get(lang));
    output += &format!(
        "\n{BOLD}{}{BOLD:#}{colon}{}\n",
        to_do.get(lang),
        remedy.get(lang)
    );
    for (label, example) in [(before, explanation.before), (after, explanation.after)] {
        output += &format!("\n{BOLD}{}{BOLD:#}{}\n", label.get(lang), colon.trim_end());
        for line in example.lines() {
            output += format!("    {line}").trim_end();
            output.push('\n');
        }
    }
    output
}

/// What a code meant that is no longer reported.
pub(crate) fn retired(code: &RetiredCode, lang: Lang) -> String {
    let (title, reason) = (code.title.get(lang), code.reason.get(lang));
    let label = text!("retired", "已停用");
    let label = label.get(lang);
    format!(
        "{BOLD}{}{BOLD:#}  ({label}) {title}\n\n{}",
        code.code,
        wrapped(reason)
    )
}

/// Text in lines of at most 80 columns, broken at spaces and after wide characters.
fn wrapped(text: &str) -> String {
    const COLUMNS: usize = 80;
    let mut output = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut word = String::new();
        let mut end_word = |line: &mut String, word: &mut String| {
            if width(line) + width(word.trim_end()) > COLUMNS && !line.is_empty() {
                output.push_str(line.trim_end());
                output.push('\n');
                line.clear();
            }
            line.push_str(word);
            word.clear();
        };
        for c in paragraph.chars() {
            // A line does not start with a closing mark, so that one stays with what it follows.
            let is_mark = "，。；：！？、）”》".contains(c);
            let is_wide = width(c.encode_utf8(&mut [0; 4])) > 1;
            if is_wide && !is_mark {
                end_word(&mut line, &mut word);
            }
            word.push(c);
            if c == ' ' {
                end_word(&mut line, &mut word);
            }
        }
        end_word(&mut line, &mut word);
        output.push_str(line.trim_end());
        output.push('\n');
    }
    output
}
