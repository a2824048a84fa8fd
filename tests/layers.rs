//! The layers of the source: a module imports only from those that stand before it in [`LAYERS`].
//!
//! This list is the one place where the order is written down. The parser's types stay within two
//! modules, so that the parser can be replaced.
//! Within the modules of [`WITHOUT_CIRCLES`] no two files import each other, be it over others. No
//! file of `src` and no folder is longer than a reader takes in at once.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src` and of its wing `migrate`, lowest first; `commands` may use everything.
const LAYERS: &[&str] = &[
    "text",
    "term",
    "nearest",
    "user_error",
    "regular_file",
    "signals",
    "routes",
    "migrate::diagnostic",
    "migrate::edit",
    "migrate::source",
    "migrate::python",
    "migrate::emit",
    "migrate::find",
    "migrate::lint",
    "migrate::plan",
    "migrate::diff",
    "migrate::report",
    "migrate::project",
    "migrate::pipeline",
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
    "signals",
    "routes",
    "shim",
];

/// The modules in which no file imports, directly or over others, what imports it. A child
/// that needs a type of its parent's shows that the type belongs into a file of its own.
const WITHOUT_CIRCLES: &[&str] = &[
    "text",
    "term",
    "user_error",
    "regular_file",
    "signals",
    "routes",
    "migrate::python",
    "migrate::emit",
    "migrate::find",
    "migrate::lint",
    "shim",
    "verify",
    "migrate::diagnostic",
    "migrate::edit",
    "migrate::source",
    "migrate::plan",
    "migrate::diff",
    "migrate::report",
    "migrate::project",
    "migrate::pipeline",
    "migrate::apply",
    "commands",
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

/// The module that a file is, as its path: `["shim", "serve"]`.
fn module_path(inside: &Path) -> Vec<String> {
    let path = inside.with_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    parts
        .filter(|part| !["lib", "main"].contains(&part.as_str()))
        .collect()
}

/// The paths from the root of the crate that a file names, each with its line: what begins with
/// `crate`, `self` or `super`, and what begins with one of `children`.
fn named(file: &File, children: &[String]) -> Vec<(usize, Vec<String>)> {
    let own = module_path(&file.path);
    let mut tokens = Vec::new();
    for (line, text) in &file.lines {
        tokens.extend(words(text).into_iter().map(|word| (*line, word)));
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (line, word) = tokens[at];
        let is_start = at == 0 || tokens[at - 1].1 != "::";
        let begin = match word {
            "crate" => Some(Vec::new()),
            "self" | "super" => Some(own.clone()),
            child if children.iter().any(|other| other == child) => Some(own.clone()),
            _ => None,
        };
        let is_path = tokens.get(at + 1).is_some_and(|(_, next)| *next == "::");
        match begin {
            Some(begin) if is_start && is_path => at = path(&tokens, at, begin, line, &mut found),
            _ => at += 1,
        }
    }
    found
}

/// Reads a path, or the tree of a `use`, from `at` on; where it ends.
fn path(
    tokens: &[(usize, &str)],
    mut at: usize,
    mut base: Vec<String>,
    line: usize,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    while let Some((_, word)) = tokens.get(at) {
        match *word {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|(_, word)| *word != "}") {
                    at = match tokens[at].1 {
                        "," => at + 1,
                        _ => path(tokens, at, base.clone(), tokens[at].0, found),
                    };
                }
                return at + 1;
            }
            "crate" | "self" => {}
            "super" => {
                base.pop();
            }
            name => base.push(name.to_owned()),
        }
        at += 1;
        match tokens.get(at) {
            Some((_, "::")) => at += 1,
            _ => break,
        }
    }
    // `as` another name.
    if tokens.get(at).is_some_and(|(_, word)| *word == "as") {
        at += 2;
    }
    found.push((line, base));
    at
}

/// The names and signs of a line, `::` in one.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if is_name(first) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        if !first.is_whitespace() {
            words.push(word);
        }
        rest = after;
    }
    words
}

/// The modules that files name, as [`LAYERS`] names them, with the places.
fn used(file: &File) -> Vec<(usize, String)> {
    named(file, &[])
        .into_iter()
        .filter_map(|(line, path)| {
            let name = match path.as_slice() {
                [wing, module, ..] if wing == WING => format!("{wing}::{module}"),
                [module, ..] => module.clone(),
                [] => return None,
            };
            Some((line, name))
        })
        .collect()
}

/// What each file imports of the others: the line, and the number of the other.
fn imports(files: &[File]) -> Vec<Vec<(usize, usize)>> {
    let modules: Vec<_> = files.iter().map(|file| module_path(&file.path)).collect();
    let of = |own: usize| {
        let children: Vec<String> = modules
            .iter()
            .filter(|module| {
                module.len() == modules[own].len() + 1 && module.starts_with(&modules[own])
            })
            .filter_map(|module| module.last().cloned())
            .collect();
        named(&files[own], &children)
            .into_iter()
            .filter_map(|(line, path)| {
                // The longest beginning that is a file: what follows is in it.
                let lengths = (1..=path.len()).rev();
                let other = lengths
                    .filter_map(|length| {
                        modules.iter().position(|module| *module == path[..length])
                    })
                    .next()?;
                (other != own).then_some((line, other))
            })
            .collect()
    };
    (0..files.len()).map(of).collect()
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
        for (number, name) in used(&file) {
            if !allowed.contains(&name.as_str()) {
                let place = file.place(number);
                wrong.push(format!("{place}: `{}` uses `{name}`", file.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let files = files();
    let imports = imports(&files);
    let reaches = |from: usize, to: usize| {
        let (mut seen, mut waiting) = (vec![false; files.len()], vec![from]);
        while let Some(file) = waiting.pop() {
            if file == to {
                return true;
            }
            if !std::mem::replace(&mut seen[file], true) {
                waiting.extend(imports[file].iter().map(|(_, other)| *other));
            }
        }
        false
    };
    let mut circles = Vec::new();
    for (number, file) in files.iter().enumerate() {
        if !WITHOUT_CIRCLES.contains(&file.module.as_str()) {
            continue;
        }
        for (line, other) in &imports[number] {
            if reaches(*other, number) {
                let other = files[*other].path.display();
                circles.push(format!(
                    "{}: imports {other}, which imports it",
                    file.place(*line)
                ));
            }
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn the_parser_is_seen_where_it_may_be() {
    let mut wrong = Vec::new();
    for file in files() {
        let may = SEE_THE_PARSER.contains(&file.module.as_str());
        for (number, line) in &file.lines {
            if !may
                && ["rustpython_", "ruff_python_", "python::ast"]
                    .iter()
                    .any(|name| line.contains(name))
            {
                wrong.push(file.place(*number));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Words that have been given up for those of the field, each with what is said instead. Names come back by
/// copying old code; here they are noticed, those of the Python files too, since the list of these is code.
const GIVEN_UP: &[(&str, &str)] = &[
    ("Allowance", "CopyBudget"),
    ("Amount", "Verbosity"),
    ("Around", "EnclosingFunction, CheckContext"),
    ("ByFolder", "PerDirCache"),
    ("Cut", "Isolation"),
    ("DISTRUST", "REUSE_BACKOFF"),
    ("Distrusted", "UnsafeOwnership"),
    ("DocumentUse", "DocOnlyUse"),
    ("Door", "AuthRule"),
    ("Endless", "Nonterminating"),
    ("Figure", "TrackedNumber"),
    ("Garbled", "ProtocolError, InvalidResult"),
    ("Given", "UserRequests, or what it is that was given"),
    ("Heard", "RunnerMessage"),
    ("IsThere", "AlreadyExists"),
    ("Join", "MountStrategy"),
    ("Judged", "VerifyReport"),
    ("Kept", "IdleConnections, Isolation"),
    ("LARGEST_KEPT", "SHRINK_ABOVE"),
    ("LAST_LOOK", "SHUTDOWN_ACCEPT_WINDOW"),
    ("LOOK", "POLL_INTERVAL"),
    ("Layered", "OverlayFs"),
    ("Ledger", "ReferenceCounts"),
    ("Listening", "SignalGuard"),
    ("Little", "Quiet"),
    ("Local", "LocalResponse"),
    ("LookedAt", "Rejected"),
    ("Lost", "RelayError"),
    ("MOST_KEPT", "MAX_POOLED"),
    ("Mark", "FileStamp"),
    ("Meaning", "ContextPart"),
    ("Midway", "Truncated"),
    ("Moment", "AuthPhase"),
    ("Much", "Verbose"),
    ("NOT_ENTERED", "IGNORED_DIRS"),
    ("Native", "RequestRewrite"),
    ("Natives", "RequestRewrites"),
    ("Pieces", "SplitResult"),
    ("Problem", "Blocker"),
    ("Proof", "WebhookResult"),
    ("Proved", "Same"),
    ("ROOM", "INITIAL_CAPACITY"),
    ("Reading", "BufferedResponse"),
    ("Refusal", "Rejection, NotRewritable"),
    ("SAVE", "SAVE_EVERY_N_POLLS"),
    ("SOON", "NON_IDEMPOTENT_REUSE_WINDOW"),
    ("Said", "SessionOutput, RateLimited"),
    ("Scene", "CheckContext"),
    ("Scratch", "RequestBuffers"),
    ("Silent", "RunnerFailed"),
    ("Spot", "InsertPosition"),
    ("Unit", "PluginSource"),
    ("Usual", "Normal"),
    ("Wanted", "RouterPlan"),
    ("Watch", "HintCollector"),
    ("Whose", "Owner"),
    ("WhyUnsent", "SkipReason"),
    ("Wish", "Hint"),
    ("can_take", "can_merge_into"),
    ("carry", "transition"),
    ("carry_rest", "complete"),
    ("clock", "http_date"),
    ("doors", "auth"),
    ("exercised", "required_coverage"),
    ("figures", "tracked_numbers"),
    ("foresee", "check_at_startup"),
    ("hear", "spawn_signal_thread"),
    ("holds_no_source", "is_ignored_dir"),
    ("intake", "validate"),
    ("is_given_up", "is_freed"),
    ("judged", "results"),
    ("leaves_work", "has_manual_work"),
    ("lift_from_type_checking", "promote_type_checking_import"),
    ("looked_at", "files_scanned"),
    ("nothing_readable", "all_unreadable"),
    ("of_system", "io_error"),
    ("of_toml", "toml_error"),
    ("on_deep_stacks", "with_parser_stack"),
    ("open_files", "fd_limit"),
    ("oracle", "reference_server"),
    ("parcel", "ipc"),
    ("prepare", "pipeline"),
    ("scene", "context"),
    ("settle", "resolve_duplicates"),
    ("shadows", "builtin_patches"),
    ("so_far", "partial"),
    ("stranger", "unknown_case"),
    ("take_within", "extract_range"),
    ("travels", "serializable"),
    ("unproved_elsewhere", "uncovered_elsewhere"),
    ("unsaid", "missing_result_cause"),
    ("varying", "nondeterminism"),
    ("wishes", "hints"),
    ("workplace", "temp_dir"),
];

/// Names of files that have been given up in a wing; elsewhere they may be the right ones, as in code they are
/// words of every day.
const GIVEN_UP_FILES: &[(&str, &[&str])] = &[
    (
        "shim",
        &[
            "answer",
            "clock",
            "combine",
            "doors",
            "drain",
            "mask",
            "open_files",
            "own",
            "receive",
            "refuse",
            "reply",
            "signs",
            "state",
            "wrong",
        ],
    ),
    (
        "migrate",
        &[
            "advice", "by_hand", "carry", "document", "foreign", "intake", "layout", "members",
            "places", "prepare", "scene", "words",
        ],
    ),
    (
        "verify",
        &[
            "about",
            "judged",
            "open",
            "original",
            "outcome",
            "run",
            "shown",
            "trees",
            "units",
            "workplace",
        ],
    ),
];

#[test]
fn names_that_were_given_up_stay_away() {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut wrong = Vec::new();
    for file in files() {
        let stem = file.path.file_stem().and_then(|stem| stem.to_str());
        for (wing, names) in GIVEN_UP_FILES {
            if file.path.starts_with(wing) && stem.is_some_and(|stem| names.contains(&stem)) {
                wrong.push(format!("{}: an old name", file.path.display()));
            }
        }
        for (number, line) in &file.lines {
            for word in line.split(|c| !is_word(c)) {
                if let Some((old, new)) = GIVEN_UP.iter().find(|(old, _)| *old == word) {
                    wrong.push(format!("{}: `{old}` is {new}", file.place(*number)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The most lines of code that a file has.
const MOST_LINES: usize = 500;

/// The most files that a folder has, not counting the folders in it, of which each has a file here that says
/// what it is.
const MOST_FILES: usize = 13;

#[test]
fn files_and_folders_can_be_taken_in() {
    let files = files();
    let mut folders: BTreeMap<&Path, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in &files {
        if let Some(folder) = file.path.parent() {
            *folders.entry(folder).or_default() += 1;
        }
        let is_code = |line: &&(usize, String)| !line.1.trim().is_empty();
        let lines = file.lines.iter().filter(is_code).count();
        if lines > MOST_LINES {
            wrong.push(format!("{} has {lines} lines", file.path.display()));
        }
    }
    // Those of the crate itself are the wings, the ground, and the two that begin a crate.
    for (folder, files) in folders.into_iter().skip(1) {
        if files > MOST_FILES {
            wrong.push(format!("{} has {files} files", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The helpers above see what they are to see.
#[test]
fn uses_and_code_are_told_apart() {
    let all = |children: &[&str], text: &str| -> Vec<String> {
        let file = File {
            module: "migrate::plan".to_owned(),
            path: "migrate/plan/reply.rs".into(),
            lines: code(text),
        };
        let children: Vec<_> = children.iter().map(|&child| child.to_owned()).collect();
        let named = named(&file, &children).into_iter();
        named.map(|(_, path)| path.join("::")).collect()
    };
    assert_eq!(
        all(
            &[],
            "use crate::{term, text::{self, Text as T},\n    migrate::{edit::A, find}};"
        ),
        [
            "term",
            "text",
            "text::Text",
            "migrate::edit::A",
            "migrate::find"
        ]
    );
    assert_eq!(
        all(
            &["part"],
            "use super::draft::{self, Draft};\npart::x(); a::part::y; self::z::a()"
        ),
        [
            "migrate::plan::draft",
            "migrate::plan::draft::Draft",
            "migrate::plan::reply::part::x",
            "migrate::plan::reply::z::a",
        ]
    );
    assert_eq!(
        all(&[], "super::super::git::x(crate::text::Lang::En, &self.y)"),
        ["migrate::git::x", "text::Lang::En",]
    );
    let text =
        "a\n// crate::x\n#[cfg(test)]\nmod tests {\n    b\n\"#;\n}\nc\n#[cfg(test)]\nmod t;\nd\n";
    let numbers: Vec<_> = code(text).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 8, 11]);
}
