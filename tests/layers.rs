//! The layers of the source: a module imports only from those that stand before it in [`LAYERS`].
//!
//! This list is the one place where the order is written down. The parser's types stay within two
//! modules, so that the parser can be replaced; and nothing outside of tests gives up by panicking.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src` and of its wing `migrate`, lowest first; `commands` may use everything.
const LAYERS: &[&str] = &[
    "text",
    "term",
    "user_error",
    "regular_file",
    "routes",
    "migrate::diagnostic",
    "migrate::edit",
    "migrate::source",
    "migrate::style",
    "migrate::python",
    "migrate::emit",
    "migrate::find",
    "migrate::lint",
    "migrate::plan",
    "migrate::diff",
    "migrate::report",
    "migrate::discover",
    "migrate::git",
    "verify",
    "migrate::apply",
    "cli",
    "commands",
];

/// The modules that see the parser.
const SEE_THE_PARSER: &[&str] = &["migrate::python", "migrate::find", "migrate::lint"];

/// The wing whose modules are layers of their own.
const WING: &str = "migrate";

/// A wing that shares the route map and nothing else with the rest.
const SHIM: &str = "shim";

/// What the shim may use.
const SHARED_WITH_SHIM: &[&str] = &[
    "text",
    "term",
    "user_error",
    "regular_file",
    "routes",
    "shim",
];

/// A file of `src`: the module at the top that it belongs to, its place, and its code without
/// comments and without what is compiled for tests alone.
struct File {
    module: String,
    path: PathBuf,
    lines: Vec<(usize, String)>,
}

impl File {
    /// Whether it is all for tests: `tests.rs`, and what is in `tests/`.
    fn is_test(path: &Path) -> bool {
        path.components().any(|part| {
            let part = Path::new(part.as_os_str()).file_stem();
            part.is_some_and(|part| part == "tests")
        })
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

fn files() -> Vec<File> {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
        let entries = fs::read_dir(folder).expect("src can be read");
        for entry in entries.map(|entry| entry.expect("src can be read")) {
            let path = entry.path();
            if path.is_dir() {
                collect(root, &path, files);
                continue;
            }
            let inside = path.strip_prefix(root).expect("it is in src").to_owned();
            if inside.extension().is_none_or(|extension| extension != "rs")
                || File::is_test(&inside)
            {
                continue;
            }
            let text = fs::read_to_string(&path).expect("src can be read");
            files.push(File {
                module: module(&inside),
                lines: code(&text),
                path: inside,
            });
        }
    }
    let root = support::project().join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        files.len() > LAYERS.len(),
        "there is no source in {}",
        root.display()
    );
    files
}

/// The module of a file, as [`LAYERS`] names it.
fn module(inside: &Path) -> String {
    let path = inside.with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    match parts.as_slice() {
        [wing, module, ..] if wing == WING => format!("{wing}::{module}"),
        [module, ..] => module.clone().into_owned(),
        [] => String::new(),
    }
}

/// The lines of code with their numbers: without comments, and without items under `#[cfg(test)]`:
/// in formatted code these end with a brace, or a semicolon, at the indentation of the attribute.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    // The indentation of an item that is skipped, and how its last line ends.
    let mut skipped: Option<(String, &str)> = None;
    let mut is_attribute = false;
    for (index, line) in text.lines().enumerate() {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let content = line.trim();
        if is_attribute && !content.starts_with('#') {
            is_attribute = false;
            if !content.ends_with([';', '}']) {
                skipped = Some((indent, if content.ends_with('{') { "}" } else { ";" }));
            }
            continue;
        }
        if let Some((of, end)) = &skipped {
            if indent == *of && content.ends_with(end) && (*end == ";" || content == *end) {
                skipped = None;
            }
            continue;
        }
        if content.starts_with("#[cfg(test)]") {
            is_attribute = true;
            continue;
        }
        if !content.starts_with("//") {
            lines.push((index + 1, line.to_owned()));
        }
    }
    lines
}

/// The modules that a line names after `crate::`, as [`LAYERS`] names them.
fn used(line: &str) -> Vec<String> {
    line.split("crate::")
        .skip(1)
        .flat_map(first_names)
        .flat_map(|(name, rest)| match rest.strip_prefix("::") {
            Some(inside) if name == WING => first_names(inside)
                .into_iter()
                .map(|(name, _)| format!("{WING}::{name}"))
                .collect(),
            _ => vec![name],
        })
        .collect()
}

/// The names with which a path or a group of paths begins, each with what follows it.
fn first_names(path: &str) -> Vec<(String, &str)> {
    let parts: Vec<&str> = match path.strip_prefix('{') {
        Some(group) => {
            let mut depth = 1;
            let end = group.find(|c| {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            outer_commas(&group[..end.unwrap_or(group.len())])
        }
        None => vec![path],
    };
    parts
        .into_iter()
        .map(|part| {
            let part = part.trim();
            let end = part.find(|c: char| !c.is_alphanumeric() && c != '_');
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            (name.to_owned(), rest)
        })
        .collect()
}

/// The parts of a group between the commas that are in no group inside.
fn outer_commas(group: &str) -> Vec<&str> {
    let mut depth = 0;
    group
        .split(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .collect()
}

/// Every module is in the list, and the list has no other.
#[test]
fn every_module_has_its_place() {
    let known = |name: &str| LAYERS.contains(&name) || [SHIM, WING, "lib", "main"].contains(&name);
    let files = files();
    let strangers: Vec<_> = files.iter().filter(|file| !known(&file.module)).collect();
    let strangers: Vec<_> = strangers
        .iter()
        .map(|file| file.path.display().to_string())
        .collect();
    assert!(
        strangers.is_empty(),
        "in no layer: {}",
        strangers.join(", ")
    );
    for layer in LAYERS {
        assert!(
            files.iter().any(|file| file.module == *layer),
            "there is no module {layer}"
        );
    }
}

#[test]
fn a_module_imports_only_from_those_below_it() {
    let mut wrong = Vec::new();
    for file in files() {
        if [WING, "lib", "main"].contains(&file.module.as_str()) {
            continue;
        }
        let allowed: Vec<&str> = match LAYERS.iter().position(|layer| *layer == file.module) {
            Some(place) if file.module == "commands" => [&LAYERS[..=place], &[SHIM]].concat(),
            Some(place) => LAYERS[..=place].to_vec(),
            None => SHARED_WITH_SHIM.to_vec(),
        };
        for (number, line) in &file.lines {
            for name in used(line) {
                if !allowed.contains(&name.as_str()) {
                    wrong.push(format!(
                        "{}: `{}` uses `{name}`",
                        file.place(*number),
                        file.module
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_parser_is_seen_where_it_may_be() {
    let mut wrong = Vec::new();
    for file in files() {
        let may = SEE_THE_PARSER.contains(&file.module.as_str());
        for (number, line) in &file.lines {
            if !may && line.contains("rustpython_parser") {
                wrong.push(file.place(*number));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_gives_up_by_panicking() {
    const PANICS: &[&str] = &[
        ".unwrap()",
        ".expect(",
        ".unwrap_err()",
        ".expect_err(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
    ];
    let mut wrong = Vec::new();
    for file in files() {
        for (number, line) in &file.lines {
            if PANICS.iter().any(|panic| line.contains(panic)) {
                wrong.push(format!("{}: {}", file.place(*number), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The helpers above see what they are to see.
#[test]
fn uses_and_code_are_told_apart() {
    assert_eq!(used("use crate::migrate::edit::{A, B};"), ["migrate::edit"]);
    assert_eq!(used("use crate::{term, text::Text};"), ["term", "text"]);
    assert_eq!(
        used("    crate::text::Lang::En, crate::migrate::git::x()"),
        ["text", "migrate::git"]
    );
    assert_eq!(
        used("use crate::migrate::{edit::{A, B}, find};"),
        ["migrate::edit", "migrate::find"]
    );
    let text =
        "a\n// crate::x\n#[cfg(test)]\nmod tests {\n    b\n\"#;\n}\nc\n#[cfg(test)]\nmod t;\nd\n";
    let numbers: Vec<_> = code(text).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 8, 11]);
}
