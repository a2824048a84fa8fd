use std::ffi::OsString;

use clap::CommandFactory;

use super::*;
use crate::cli::{Cli, parse};

/// Every command of the program with its full name, as it is written: both halves in each text.
fn written() -> Vec<(String, Command)> {
    let mut program = Cli::command();
    program.build();
    collect(&program)
}

/// The same in one language.
fn shown(lang: Lang) -> Vec<(String, Command)> {
    collect(&localize(Cli::command(), lang))
}

fn collect(program: &Command) -> Vec<(String, Command)> {
    let mut all = vec![("rehook".to_owned(), program.clone())];
    for command in program.get_subcommands() {
        all.push((format!("rehook {}", command.get_name()), command.clone()));
    }
    all
}

/// The examples of a command: what is typed.
fn typed(examples: &str) -> Vec<String> {
    examples
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with("rehook"))
        .map(str::to_owned)
        .collect()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// What is wrong with a text that has to be there in both languages.
fn fault(text: Option<&StyledStr>) -> Option<&'static str> {
    let Some(text) = text.map(ToString::to_string) else {
        return Some("has no text");
    };
    match text.split_once('\u{2063}') {
        None => Some("is not a pair"),
        Some((english, _)) if is_chinese(english) || english.trim().is_empty() => {
            Some("has no English first")
        }
        Some((_, chinese)) if !is_chinese(chinese) => Some("has no Chinese second"),
        Some(_) => None,
    }
}

#[test]
fn every_command_argument_and_value_has_both_languages() {
    let mut faults = Vec::new();
    for (name, command) in written() {
        if text_of(ADDED_COMMANDS, command.get_name()).is_none() {
            faults.extend(fault(command.get_about()).map(|fault| format!("`{name}` {fault}")));
        }
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if text_of(ADDED_ARGUMENTS, id).is_some() {
                continue;
            }
            faults.extend(
                fault(argument.get_help()).map(|fault| format!("`{name}`, `{id}` {fault}")),
            );
            if let Some(heading) = argument.get_help_heading() {
                let heading = StyledStr::from(heading.to_owned());
                faults.extend(
                    fault(Some(&heading)).map(|fault| format!("heading of `{id}` {fault}")),
                );
            }
            if !argument.get_action().takes_values() {
                continue;
            }
            for value in argument.get_possible_values() {
                let fault = fault(value.get_help());
                let value = value.get_name();
                faults.extend(fault.map(|fault| format!("`{name}`, `{id}`, `{value}` {fault}")));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_command_has_examples_that_are_understood() {
    for (name, command) in written() {
        if command.get_name() == "help" {
            continue;
        }
        let fault = fault(command.get_after_long_help());
        assert_eq!(fault, None, "examples of `{name}`");
        let examples = half_of(command.get_after_long_help().unwrap(), Lang::En);
        let examples = typed(&examples);
        assert!(!examples.is_empty(), "`{name}`");
        for example in examples {
            assert!(example.starts_with(&name), "{example}");
            let arguments: Vec<OsString> = example.split_whitespace().map(Into::into).collect();
            let parsed = parse(&arguments, Lang::En);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err().text);
        }
    }
}

/// The same things in the same order: headings, arguments, values and defaults.
#[test]
fn help_has_the_same_form_in_both_languages() {
    let outline = |arguments: &[&str], lang| {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        let text = parse(&arguments, lang).unwrap_err().text;
        let text = anstream::adapter::strip_str(&text).to_string();
        let outline = text.lines().filter_map(|line| {
            let indent = line.len() - line.trim_start().len();
            let kind = line.trim_start().split([' ', ':', '：']).next()?;
            match indent {
                0 if line.ends_with([':', '：']) => Some("heading".to_owned()),
                2 | 6 if kind.starts_with(['-', '[', '<']) => Some(kind.to_owned()),
                10 if kind == "-" => Some(line.trim().split([':', '：']).next()?.to_owned()),
                10 if kind.starts_with("[default") || kind.starts_with("[默认值") => {
                    Some("default".to_owned())
                }
                _ => None,
            }
        });
        outline.collect::<Vec<_>>()
    };
    for (name, command) in written() {
        if command.get_name() == "help" {
            continue;
        }
        let mut arguments: Vec<&str> = name.split(' ').collect();
        arguments.push("--help");
        let english = outline(&arguments, Lang::En);
        assert!(english.len() > 3, "{name}: {english:?}");
        assert_eq!(english, outline(&arguments, Lang::Zh), "{name}");
    }
}

#[test]
fn one_language_is_shown_throughout() {
    for lang in [Lang::En, Lang::Zh] {
        for (name, mut command) in shown(lang) {
            for help in [command.render_help(), command.render_long_help()] {
                let help = own_words(&help.to_string(), lang);
                assert!(!help.contains('\u{2063}'), "`{name}`:\n{help}");
                let others = match lang {
                    Lang::En => is_chinese(&help).then_some("Chinese"),
                    Lang::Zh => [
                        "Usage",
                        "ptions:",
                        "Arguments",
                        "Commands",
                        "Print",
                        "default:",
                        "values:",
                        "选项:",
                    ]
                    .into_iter()
                    .find(|english| help.contains(english)),
                };
                assert_eq!(others, None, "`{name}`:\n{help}");
            }
        }
    }
}

#[test]
fn arguments_are_read_alike_in_both_languages() {
    for lang in [Lang::En, Lang::Zh] {
        let read = |arguments: &[&str]| {
            localize(Cli::command(), lang)
                .try_get_matches_from(arguments)
                .map_err(|error| error.kind())
        };
        let matches = read(&["rehook", "diff", "--stat", "plugins", "-v"]).unwrap();
        let (name, diff) = matches.subcommand().unwrap();
        assert!(name == "diff" && diff.get_flag("stat") && diff.get_flag("verbose"));
        for help in [&["rehook", "--help"][..], &["rehook", "help", "scan"]] {
            assert_eq!(read(help).unwrap_err(), clap::error::ErrorKind::DisplayHelp);
        }
        let version = read(&["rehook", "scan", "--version"]).unwrap_err();
        assert_eq!(version, clap::error::ErrorKind::DisplayVersion);
    }
}

#[test]
fn the_language_is_known_before_the_arguments_are_parsed() {
    let lang = |arguments: &[&str]| lang_of_arguments(arguments.iter().map(OsStr::new));
    assert_eq!(lang(&["scan", "."]), None);
    assert_eq!(lang(&["--lang", "zh", "--help"]), Some(Lang::Zh));
    assert_eq!(lang(&["scan", "--lang=en"]), Some(Lang::En));
    assert_eq!(lang(&["scan", "--", "--lang=zh"]), None);
    assert_eq!(lang(&["scan", "--lang"]), None);
}
