//! What people read on a terminal.

use anstyle::{AnsiColor, Style};
use rayon::prelude::*;

use super::View;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::diff::{self, LineKind};
use crate::lang::{Lang, Text};
use crate::plan::Action;
use crate::routes::Route;
use crate::style::width;
use crate::term;
use crate::text;

const BOLD: Style = Style::new().bold();
const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GREEN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const YELLOW: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const CYAN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const DIM: Style = Style::new().dimmed();

/// How much is said besides results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Errors, and what is left by hand.
    Little,
    /// Advice and the count too.
    Usual,
    /// Also why each webhook is migrated as it is.
    Much,
}

/// The list of `rehook scan`.
pub fn webhooks(view: &View<'_>, lang: Lang) -> String {
    let mut output = String::new();
    for webhook in &view.plan.webhooks {
        let path = view.shown(&webhook.path);
        let place = format!(
            "{}:{}:{}",
            term::escaped(&path),
            webhook.line,
            webhook.column
        );
        let (style, action) = match &webhook.action {
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
        let unknown = text!("(unknown)", "（未知）");
        let plugin = webhook
            .route
            .as_ref()
            .map_or(unknown.get(lang), |route| &route.plugin);
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
                text!("{dialect} dialect", "{dialect} 写法")
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

/// The patch, to the byte; in colour when `is_colored`: then people read it, and what could steer
/// their terminal is written out.
pub fn patch(view: &View<'_>, is_colored: bool) -> Vec<u8> {
    let of_files: Vec<Vec<u8>> = view
        .files
        .par_iter()
        .map(|change| patch_of(*change, is_colored))
        .collect();
    of_files.concat()
}

/// The patch as a terminal without colours shows it: what could steer it is written out.
pub fn patch_for_terminal(view: &View<'_>) -> String {
    let patch = patch(view, false);
    term::escaped_lines(&String::from_utf8_lossy(&patch)).into_owned()
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
pub fn stat(view: &View<'_>, lang: Lang) -> String {
    let rows: Vec<(String, usize, usize)> = view
        .files
        .iter()
        .map(|change| {
            let (added, removed) = diff::stat(*change);
            let path = change.path.to_string_lossy();
            let path = path.replace(std::path::MAIN_SEPARATOR, "/");
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

/// What is left by hand, what was noticed, and the count.
pub fn findings(view: &View<'_>, amount: Amount, lang: Lang) -> String {
    let mut output = String::new();
    if amount == Amount::Much {
        for webhook in &view.plan.webhooks {
            if let (Some(route), Action::Migrate) = (&webhook.route, &webhook.action) {
                let path = view.shown(&webhook.path);
                let place = format!(
                    "{}:{}:{}",
                    term::escaped(&path),
                    webhook.line,
                    webhook.column
                );
                let (target, dialect) = (term::escaped(&route.target), route.dialect);
                output += text!(
                    "{place}: migrated to {target} ({dialect} dialect)\n",
                    "{place}：迁移到 {target}（{dialect} 写法）\n"
                )
                .get(lang);
            }
        }
    }
    let by_hand = view
        .plan
        .webhooks
        .iter()
        .filter_map(|webhook| match &webhook.action {
            Action::ByHand(diagnostic) => Some(&**diagnostic),
            _ => None,
        });
    let mut diagnostics: Vec<&Diagnostic> = by_hand.chain(&view.plan.diagnostics).collect();
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    for diagnostic in diagnostics {
        if amount == Amount::Little && diagnostic.code().severity() == Severity::Advice {
            continue;
        }
        output += &rendered(view, diagnostic, lang);
    }
    if amount != Amount::Little {
        output += &ledger(view, lang);
    }
    output
}

/// A diagnostic with its line of source and its hint.
fn rendered(view: &View<'_>, diagnostic: &Diagnostic, lang: Lang) -> String {
    let style = match diagnostic.code().severity() {
        Severity::Advice => CYAN,
        Severity::Manual => YELLOW,
        Severity::Error => RED,
    };
    let mut place = term::escaped(&view.shown(diagnostic.path())).into_owned();
    if let Some((line, column)) = diagnostic.position() {
        place += &format!(":{line}:{column}");
    }
    let code = diagnostic.code().as_str();
    let detail = term::escaped(diagnostic.detail().get(lang));
    let mut output = format!("{BOLD}{place}{BOLD:#}: {style}{code}{style:#} {detail}\n");
    if let (Some((text, length)), Some((line, column))) =
        (diagnostic.snippet(), diagnostic.position())
    {
        // A line of megabytes helps nobody: what is shown of it is around the place.
        const MOST: usize = 120;
        let from = (column - 1).saturating_sub(MOST / 2);
        let from = if text.chars().count() <= MOST {
            0
        } else {
            from
        };
        let shown: String = text.chars().skip(from).take(MOST).map(one_column).collect();
        let before = text.chars().skip(from).take(column - 1 - from);
        let before: String = before.map(one_column).collect();
        let meant: String = text
            .chars()
            .skip(column - 1)
            .take(length.min(MOST))
            .map(one_column)
            .collect();
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        output += &format!("{DIM}{number} |{DIM:#} {}\n", shown.trim_end());
        let marks = "^".repeat(width(&meant).max(1));
        output += &format!(
            "{DIM}{margin} |{DIM:#} {}{style}{marks}{style:#}\n",
            " ".repeat(width(&before))
        );
    }
    let hint = diagnostic.hint();
    let label = text!("hint: ", "提示：");
    let hint = term::escaped(hint.get(lang));
    output + &format!("  {}{hint}\n", label.get(lang))
}

/// A character of a source as it is shown above its marks: a tab is as wide as a blank.
fn one_column(character: char) -> char {
    if character == '\t' {
        ' '
    } else {
        term::one_column(character)
    }
}

/// The last line: every reference to the old API is in it.
fn ledger(view: &View<'_>, lang: Lang) -> String {
    let files = view.looked_at;
    let noun = if files == 1 { "file" } else { "files" };
    let count = view.plan.ledger;
    let unread = view
        .plan
        .diagnostics
        .iter()
        .filter(|d| d.code().severity() == Severity::Error)
        .count();
    let unread = match unread {
        0 => String::new(),
        count => text!(
            "; files that could not be read: {count}",
            "；无法读取的文件：{count} 个"
        )
        .get(lang)
        .to_owned(),
    };
    if count.found == 0 && count.not_ours == 0 {
        let text = text!(
            "no reference to the old API in {files} Python {noun}{unread}\n",
            "在 {files} 个 Python 文件中没有发现对旧接口的引用{unread}\n"
        );
        return text.get(lang).to_owned();
    }
    let (found, migrated, by_hand) = (count.found, count.migrated, count.by_hand);
    let (unaccounted, not_ours) = (count.unaccounted(), count.not_ours);
    let references = if found == 1 {
        "reference"
    } else {
        "references"
    };
    let text = text!(
        "{found} {references} to the old API in {files} Python {noun}: {migrated} migrated, {by_hand} left by hand, {unaccounted} unaccounted for",
        "在 {files} 个 Python 文件中发现 {found} 处对旧接口的引用：迁移 {migrated} 处，需手动处理 {by_hand} 处，去向不明 {unaccounted} 处"
    );
    let mut output = text.get(lang).to_owned();
    if not_ours > 0 {
        output += text!(
            "; {not_ours} of the same name are not the agent's",
            "；另有 {not_ours} 处同名但与 Agent 无关"
        )
        .get(lang);
    }
    output += &unread;
    output.push('\n');
    output
}

/// All codes with their titles.
pub fn codes(lang: Lang) -> String {
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
pub fn explanation(code: Code, lang: Lang) -> String {
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
