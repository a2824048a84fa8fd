//! What people read besides the result: what needs a manual change, what was noticed, and the count.
//!
//! Invariants:
//! - Every diagnostic is named with its place. Only the first few of a code are shown with source and
//!   hint, so that what is rare is not lost among what is frequent.
//! - No line with source or carets is wider than the terminal: a wrapped line of carets would point
//!   at nothing.

use std::collections::BTreeMap;

use super::View;
use super::text::{BOLD, CYAN, DIM, RED, YELLOW};
use crate::migrate::diagnostic::{Code, Diagnostic, Severity};
use crate::migrate::plan::Action;
use crate::migrate::python::style::width;
use crate::term;
use crate::text;
use crate::text::Lang;

/// How much is said besides results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Errors, and what needs a manual change.
    Quiet,
    /// Advice and the count too.
    Normal,
    /// Also why each webhook is migrated as it is, and every diagnostic with its source.
    Verbose,
}

/// How the findings are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// How much is said.
    pub amount: Verbosity,
    /// The language.
    pub lang: Lang,
    /// How many columns a line may have; none where nobody's terminal is known.
    pub columns: Option<usize>,
}

/// Of one code, how many are shown with their source and hint; one more is, rather than to be listed
/// alone.
const SHOWN_IN_FULL: usize = 3;

/// A line of megabytes helps nobody: what is shown of it is around the place.
const WIDEST: usize = 120;
/// The least that is shown of a line, however narrow the terminal.
const NARROWEST: usize = 8;

/// What needs a manual change, what was noticed, and the count.
pub(crate) fn findings(view: &View<'_>, style: Style) -> String {
    let Style { amount, lang, .. } = style;
    let mut output = String::new();
    if amount == Verbosity::Verbose {
        output += &migrated(view, lang);
    }
    let mut diagnostics: Vec<&Diagnostic> = view
        .reported()
        .filter(|one| amount != Verbosity::Quiet || one.code().severity() != Severity::Advice)
        .collect();
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    let mut number_of: BTreeMap<Code, usize> = BTreeMap::new();
    for diagnostic in &diagnostics {
        *number_of.entry(diagnostic.code()).or_default() += 1;
    }
    let is_frequent = |code| amount != Verbosity::Verbose && number_of[&code] > SHOWN_IN_FULL + 1;
    let mut by_code: BTreeMap<Code, Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in diagnostics {
        let code = diagnostic.code();
        let of_code = by_code.entry(code).or_default();
        of_code.push(diagnostic);
        if !is_frequent(code) || of_code.len() <= SHOWN_IN_FULL {
            output += &in_full(view, diagnostic, style);
        }
    }
    for (code, diagnostics) in by_code {
        if is_frequent(code) {
            output += &places(view, code, &diagnostics[SHOWN_IN_FULL..], lang);
        }
    }
    if amount != Verbosity::Quiet {
        for path in view.not_python {
            let path = view.shown(path);
            let path = term::escaped(&path);
            output += text!(
                "{path} is not a Python file, and is passed over\n",
                "{path} 不是 Python 文件，已跳过\n"
            )
            .get(lang);
        }
        let suppressed = view.plan.suppressed;
        if amount == Verbosity::Verbose && suppressed > 0 {
            output += text!(
                "advice switched off by comments or --ignore: {suppressed}\n",
                "被注释或 --ignore 关闭的建议：{suppressed} 条\n"
            )
            .get(lang);
        }
        output += &count(view, lang);
    }
    output
}

/// The webhooks that become routes, and where.
fn migrated(view: &View<'_>, lang: Lang) -> String {
    let mut output = String::new();
    for webhook in &view.plan.webhooks {
        let (Some(route), Action::Migrate) = (&webhook.route, &webhook.action) else {
            continue;
        };
        let path = view.shown(&webhook.path);
        let path = term::escaped(&path);
        let (line, column) = view.position_of(webhook);
        let place = format!("{path}:{line}:{column}");
        let (target, dialect) = (term::escaped(&route.target), route.dialect);
        let line = if view.is_written {
            text!(
                "{place}: migrated to {target} ({dialect} dialect)\n",
                "{place}：已迁移到 {target}（{dialect} 接口）\n"
            )
        } else {
            text!(
                "{place}: would be migrated to {target} ({dialect} dialect)\n",
                "{place}：将迁移到 {target}（{dialect} 接口）\n"
            )
        };
        output += line.get(lang);
    }
    output
}

pub(super) fn style_of(code: Code) -> anstyle::Style {
    match code.severity() {
        Severity::Advice => CYAN,
        Severity::Manual => YELLOW,
        Severity::Error => RED,
    }
}

fn place(view: &View<'_>, diagnostic: &Diagnostic) -> String {
    let mut place = term::escaped(&view.shown(diagnostic.path())).into_owned();
    if let Some((line, column)) = view.place_of(diagnostic) {
        place += &format!(":{line}:{column}");
    }
    place
}

/// The places of further diagnostics of a code, of which others were shown in full.
fn places(view: &View<'_>, code: Code, more: &[&Diagnostic], lang: Lang) -> String {
    let (style, name, number) = (style_of(code), code.as_str(), more.len());
    let head = text!(
        "{style}{name}{style:#} in {number} more places (`-v` shows them with their source):\n",
        "另有 {number} 处 {style}{name}{style:#}（加上 `-v` 可连同源码一起显示）：\n"
    );
    let mut output = head.get(lang).to_owned();
    for diagnostic in more {
        let place = place(view, diagnostic);
        // Advice is the same everywhere; what is to be done by hand has its own reason each time.
        output += &match code.severity() {
            Severity::Advice => format!("  {BOLD}{place}{BOLD:#}\n"),
            Severity::Manual | Severity::Error => {
                let detail = term::escaped(diagnostic.detail().get(lang));
                format!("  {BOLD}{place}{BOLD:#}: {detail}\n")
            }
        };
    }
    output
}

/// A diagnostic with its line of source and its hint.
fn in_full(view: &View<'_>, diagnostic: &Diagnostic, style: Style) -> String {
    let Style { lang, columns, .. } = style;
    let style = style_of(diagnostic.code());
    let place = place(view, diagnostic);
    let code = diagnostic.code().as_str();
    let detail = term::escaped(diagnostic.detail().get(lang));
    let mut output = format!("{BOLD}{place}{BOLD:#}: {style}{code}{style:#} {detail}\n");
    if let (Some((text, length)), Some((line, column))) =
        (view.snippet_of(diagnostic), view.place_of(diagnostic))
    {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let columns = columns.map_or(WIDEST, |columns| {
            columns.saturating_sub(number.len() + " | ".len())
        });
        let Excerpt {
            text,
            before,
            marks,
        } = excerpt(text, column, length, columns.clamp(NARROWEST, WIDEST));
        output += &format!("{DIM}{number} |{DIM:#} {text}\n");
        output += &format!(
            "{DIM}{margin} |{DIM:#} {}{style}{}{style:#}\n",
            " ".repeat(before),
            "^".repeat(marks)
        );
    }
    if let Some(related) = diagnostic.related() {
        let path = view.shown(&related.path);
        let (line, column) = view.positions.map_position(&related.path, related.position);
        let (label, says) = (text!("see: ", "参见："), related.says.get(lang));
        output += &format!(
            "  {}{BOLD}{path}:{line}:{column}{BOLD:#} {says}\n",
            label.get(lang)
        );
    }
    let hint = diagnostic.hint();
    let label = text!("hint: ", "提示：");
    let hint = term::escaped(hint.get(lang));
    output + &format!("  {}{hint}\n", label.get(lang))
}

/// A line of source as it is shown, and the carets below it: how many columns are before them, and
/// how many they are.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    before: usize,
    marks: usize,
}

/// What of a line is shown in at most `columns` columns, so that the characters from `column`
/// (1-based) on are in it; `length` of them are meant. An ellipsis stands where something is left
/// out.
fn excerpt(line: &str, column: usize, length: usize, columns: usize) -> Excerpt {
    let shown = |c: char| match c {
        '\t' => ' ',
        _ => term::one_column(c),
    };
    let chars: Vec<char> = line.trim_end().chars().map(shown).collect();
    let width_of = |chars: &[char]| width(&chars.iter().collect::<String>());
    let start = column.saturating_sub(1).min(chars.len());
    // More than the room is never shown, however long the line is.
    let length = length.clamp(1, columns);
    let end = start.saturating_add(length).min(chars.len());
    let (mut from, mut to) = (0, chars.len());
    if width_of(&chars) > columns {
        from = start.saturating_sub(columns);
        // A third of the room for what is before the place, unless all of it has room.
        while width_of(&chars[from..start]) + 1 > columns / 3
            && width_of(&chars[from..end]) + 2 > columns
        {
            from += 1;
        }
        let room = columns - usize::from(from > 0);
        let mut used = 0;
        to = from;
        while to < chars.len() {
            let next = width_of(&chars[to..=to]);
            // One column for the ellipsis, unless this is the last.
            if used + next + usize::from(to + 1 < chars.len()) > room {
                break;
            }
            used += next;
            to += 1;
        }
    }
    let ellipsis = |is_cut| if is_cut { "…" } else { "" };
    let (head, tail) = (ellipsis(from > 0), ellipsis(to < chars.len()));
    let middle: String = chars[from..to].iter().collect();
    let meant = &chars[start.min(to)..end.min(to)];
    Excerpt {
        before: width(head) + width_of(&chars[from..start.min(to)]),
        // Past the end of the line, as for what is missing there, one.
        marks: width_of(meant).max(1),
        text: format!("{head}{middle}{tail}").trim_end().to_owned(),
    }
}

/// The last line: every reference to the old API is in it.
fn count(view: &View<'_>, lang: Lang) -> String {
    let files = view.files_scanned;
    let noun = if files == 1 { "file" } else { "files" };
    let count = view.plan.counts;
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
    let manual = match by_hand {
        1 => "needs a manual change",
        _ => "need manual changes",
    };
    let migrated = if view.is_written {
        text!("{migrated} migrated", "已迁移 {migrated} 处")
    } else {
        text!("{migrated} to migrate", "待迁移 {migrated} 处")
    };
    let (migrated_en, migrated_zh) = migrated.both();
    let text = text!(
        "{found} {references} to the old API in {files} Python {noun}: {migrated_en}, {by_hand} {manual}, {unaccounted} unaccounted for",
        "在 {files} 个 Python 文件中发现 {found} 处对旧接口的引用：{migrated_zh}，需手动处理 {by_hand} 处，未归类 {unaccounted} 处"
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The excerpt with its carets below, as it is read.
    fn shown(line: &str, column: usize, length: usize, columns: usize) -> String {
        let Excerpt {
            text,
            before,
            marks,
        } = excerpt(line, column, length, columns);
        let carets = format!("{}{}", " ".repeat(before), "^".repeat(marks));
        assert!(width(&text) <= columns, "{text}");
        assert!(carets.len() <= columns, "{text}\n{carets}");
        format!("{text}\n{carets}")
    }

    #[test]
    fn a_line_with_room_is_shown_as_it_is() {
        assert_eq!(shown("    a = b", 9, 1, 20), "    a = b\n        ^");
        assert_eq!(shown("a\tb", 3, 1, 20), "a b\n  ^");
        assert_eq!(
            shown("a = \"你好\" + b", 5, 4, 20),
            "a = \"你好\" + b\n    ^^^^^^"
        );
    }

    #[test]
    fn carets_past_the_end_are_one() {
        assert_eq!(shown("a =", 5, 1, 20), "a =\n   ^");
        assert_eq!(shown("", 1, 3, 20), "\n^");
    }

    #[test]
    fn a_long_line_is_cut_and_its_carets_too() {
        let line = "return compare(first_argument, second_argument, third_argument)";
        assert_eq!(
            shown(line, 1, 63, 30),
            "return compare(first_argument…\n^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
        );
        assert_eq!(
            shown(line, 32, 15, 30),
            "…st_argument, second_argument…\n              ^^^^^^^^^^^^^^^"
        );
        assert_eq!(
            shown(line, 49, 14, 30),
            "…ond_argument, third_argument)\n               ^^^^^^^^^^^^^^"
        );
    }

    #[test]
    fn no_line_gets_wider_than_there_is_room_for() {
        let line =
            "x = [\"文字\", 'é', 0x1f, '\u{200b}', \"很长的一段文字，用来占位\", tail_of_the_line]";
        let length = line.chars().count();
        for columns in NARROWEST..60 {
            for column in 1..=length + 2 {
                for meant in [1, 5, length] {
                    shown(line, column, meant, columns);
                }
            }
        }
    }
}
