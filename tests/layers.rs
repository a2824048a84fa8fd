//! The layers of the source: a module imports only from those that stand before it in [`LAYERS`].
//!
//! This list is the one place where the order is written down. The parser's types stay within two
//! modules, so that the parser can be replaced; and nothing outside of tests gives up by panicking.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src`, lowest first; `commands` may use everything.
const LAYERS: &[&str] = &[
    "lang",
    "term",
    "regular_file",
    "diagnostic",
    "edit",
    "source",
    "style",
    "routes",
    "python",
    "emit",
    "find",
    "plan",
    "diff",
    "report",
    "discover",
    "git",
    "verify",
    "apply",
    "cli",
    "commands",
];

/// The modules that see the parser.
const SEE_THE_PARSER: &[&str] = &["python", "find"];

/// A wing that shares the route map and nothing else with the rest.
const SHIM: &str = "shim";

/// What the shim may use.
const SHARED_WITH_SHIM: &[&str] = &[
    "lang",
    "term",
    "regular_file",
    "diagnostic",
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
            let module = inside.components().next().expect("a file has a name");
            let module = Path::new(module.as_os_str())
                .file_stem()
                .expect("a file has a name");
            let text = fs::read_to_string(&path).expect("src can be read");
            files.push(File {
                module: module.to_string_lossy().into_owned(),
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

/// The modules at the top that a line names after `crate::` (or `rehook::` in `main`).
fn used(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for path in line.split("crate::").skip(1) {
        let group = path
            .strip_prefix('{')
            .map(|group| group.split('}').next().unwrap_or(group));
        let parts: Vec<&str> = match group {
            Some(group) => group.split(',').collect(),
            None => vec![path],
        };
        for part in parts {
            let name = part
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_');
            names.push(name.collect());
        }
    }
    names
}

/// Every module is in the list, and the list has no other.
#[test]
fn every_module_has_its_place() {
    let known = |name: &str| LAYERS.contains(&name) || [SHIM, "lib", "main"].contains(&name);
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
        if file.module == "lib" || file.module == "main" {
            continue;
        }
        let allowed: Vec<&str> = match LAYERS.iter().position(|layer| *layer == file.module) {
            Some(place) if file.module == "commands" => [&LAYERS[..=place], &[SHIM]].concat(),
            Some(place) => LAYERS[..=place].to_vec(),
            None => SHARED_WITH_SHIM.to_vec(),
        };
        for (number, line) in &file.lines {
            for name in used(line) {
                // The macro for sentences in both languages is known by its name alone.
                if name != "text" && !allowed.contains(&name.as_str()) {
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
    assert_eq!(used("use crate::edit::{A, B};"), ["edit"]);
    assert_eq!(used("use crate::{diff, plan::Plan};"), ["diff", "plan"]);
    assert_eq!(
        used("    crate::lang::Lang::En, crate::git::x()"),
        ["lang", "git"]
    );
    let text =
        "a\n// crate::x\n#[cfg(test)]\nmod tests {\n    b\n\"#;\n}\nc\n#[cfg(test)]\nmod t;\nd\n";
    let numbers: Vec<_> = code(text).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 8, 11]);
}
