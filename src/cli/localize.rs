//! Help in the language of the user.
//!
//! The command tree comes with both halves of every `pair!` in each text; here it is built, so that
//! what clap adds itself is there too, and one half is kept. Named values and defaults are written here for
//! both languages, since clap has words of its own for them, in English alone; the headings that it
//! writes around everything are exchanged in what it printed.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StyledStr};
use clap::{Arg, Command};

use super::GLOBAL_OPTIONS;
use crate::text;
use crate::text::Lang;

/// The arguments that clap adds by itself.
const ADDED_ARGUMENTS: &[(&str, &str)] = &[
    (
        "help",
        pair!(
            "Print help: a summary with `-h`, all of it with `--help`",
            "显示帮助：`-h` 显示摘要，`--help` 显示全文"
        ),
    ),
    ("version", pair!("Print version", "显示版本号")),
];

/// The command that clap adds by itself.
const ADDED_COMMANDS: &[(&str, &str)] = &[(
    "help",
    pair!(
        "Print this help, or that of a command",
        "显示本帮助，或指定命令的帮助"
    ),
)];

/// What stands around the texts in what clap prints.
const OWN_WORDS: &[(&str, &str)] = &[
    ("Commands:", "命令："),
    ("Arguments:", "参数："),
    ("Options:", "选项："),
    ("全局选项:", "全局选项："),
    ("[OPTIONS]", "[选项]"),
    ("<COMMAND>", "<命令>"),
    ("[COMMAND]", "[命令]"),
];

/// `command` with its help in `lang`, all commands below it too.
pub(super) fn localize(mut command: Command, lang: Lang) -> Command {
    command.build();
    pick(command, lang)
}

/// What clap printed, with its own words in `lang`.
pub(super) fn own_words(printed: &str, lang: Lang) -> String {
    let mut printed = printed.to_owned();
    if lang == Lang::Zh {
        for (english, chinese) in OWN_WORDS {
            printed = printed.replace(english, chinese);
        }
    }
    printed
}

/// The language that `--lang` asks for, read before the arguments are parsed, since help and errors
/// are printed while they are.
pub(crate) fn lang_of_arguments<'a>(
    arguments: impl IntoIterator<Item = &'a OsStr>,
) -> Option<Lang> {
    let mut arguments = arguments
        .into_iter()
        .take_while(|argument| *argument != "--");
    let mut lang = None;
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--lang") => arguments.next().and_then(OsStr::to_str),
            Some(text) => text.strip_prefix("--lang="),
            None => None,
        };
        lang = match value {
            Some("en") => Some(Lang::En),
            Some("zh") => Some(Lang::Zh),
            _ => lang,
        };
    }
    lang
}

fn pick(command: Command, lang: Lang) -> Command {
    let heading = *command.get_styles().get_usage();
    let usage = text!("{heading}Usage:{heading:#} ", "{heading}用法：{heading:#}");
    let about = match text_of(ADDED_COMMANDS, command.get_name()) {
        Some(pair) => Some(half(pair, lang).to_owned()),
        None => command.get_about().map(|about| half_of(about, lang)),
    };
    let examples = command.get_after_long_help().map(|examples| {
        let title = text!(
            "{heading}Examples:{heading:#}\n",
            "{heading}示例：{heading:#}\n"
        );
        format!("{}{}", title.get(lang), half_of(examples, lang))
    });
    let mut command = command
        .help_template(format!(
            "{{before-help}}{{about-with-newline}}\n{}{{usage}}\n\n{{all-args}}{{after-help}}",
            usage.get(lang)
        ))
        .mut_args(|argument| pick_in_argument(argument, lang))
        .mut_subcommands(|subcommand| pick(subcommand, lang));
    if let Some(about) = about {
        command = command.about(about);
    }
    if let Some(examples) = examples {
        command = command.after_long_help(examples);
    }
    command
}

fn pick_in_argument(argument: Arg, lang: Lang) -> Arg {
    let argument = if argument.get_help_heading() == Some(GLOBAL_OPTIONS) {
        argument.help_heading(half(GLOBAL_OPTIONS, lang))
    } else {
        argument
    };
    let mut short = match text_of(ADDED_ARGUMENTS, argument.get_id().as_str()) {
        Some(pair) => half(pair, lang).to_owned(),
        None => match argument.get_help() {
            Some(help) => half_of(help, lang),
            None => return argument,
        },
    };
    let mut long = short.clone();
    if argument.get_action().takes_values() {
        let values = argument.get_possible_values();
        let values: Vec<&PossibleValue> =
            values.iter().filter(|value| !value.is_hide_set()).collect();
        if !values.is_empty() {
            let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
            let (english, chinese) = (names.join(", "), names.join("、"));
            let in_brief = text!(" [possible values: {english}]", " [可选值：{chinese}]");
            short.push_str(in_brief.get(lang));
            long.push_str(text!("\n\nPossible values:", "\n\n可选值：").get(lang));
            for value in values {
                let name = value.get_name();
                let meaning = value.get_help().map(|help| half_of(help, lang));
                let meaning = meaning.unwrap_or_default();
                long.push_str(text!("\n- {name}: {meaning}", "\n- {name}：{meaning}").get(lang));
            }
        }
        let defaults: Vec<_> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        if !defaults.is_empty() {
            let (english, chinese) = (defaults.join(", "), defaults.join("、"));
            let default = text!("[default: {english}]", "[默认值：{chinese}]");
            short.push_str(&format!(" {}", default.get(lang)));
            long.push_str(&format!("\n\n{}", default.get(lang)));
        }
    }
    argument
        .help(short)
        .long_help(long)
        .hide_possible_values(true)
        .hide_default_value(true)
}

fn text_of(added: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let found = added.iter().find(|(added, _)| *added == name);
    found.map(|(_, pair)| *pair)
}

fn half_of(pair: &StyledStr, lang: Lang) -> String {
    half(&pair.to_string(), lang).to_owned()
}

/// The half of a `pair!` in `lang`; a text that is not a pair stays as it is.
fn half(pair: &str, lang: Lang) -> &str {
    match (pair.split_once('\u{2063}'), lang) {
        (Some((english, _)), Lang::En) => english,
        (Some((_, chinese)), Lang::Zh) => chinese,
        (None, _) => pair,
    }
}

#[cfg(test)]
mod tests;
