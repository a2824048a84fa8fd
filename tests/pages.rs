//! The pages are true: samples are what the program prints, commands are understood, links and names
//! lead somewhere, and both languages have the same parts.
//!
//! A sample says above it, in a comment, where it comes from:
//! - `<!-- prints: rehook …, in FOLDER -->`: what the command prints to stdout, in a repo that holds
//!   what is in that folder;
//! - `<!-- in the output of: rehook …, in FOLDER -->`: a JSON value that is somewhere in it;
//! - `<!-- in: FOLDER -->` above a console: what its command prints, stderr as well (see [`plugins`]);
//! - `<!-- a line of: FILE -->`: a line of that file;
//! - `<!-- checked in: FILE -->`: the test in that file looks at the sample.
//!
//! `REHOOK_BLESS=1 cargo test --test pages` writes the first two into the pages.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::project;
use support::python::interpreter;
use support::repo::Repo;
use support::tree::{Entry, Tree};

/// Languages of blocks that show what the program prints: each needs a comment above it.
const SAMPLES: &[&str] = &["console", "diff", "json", "jsonl"];

/// How a reader's Python is called in a sample.
const PYTHON: (&str, &str) = ("/home/me/agent/.venv/bin/python", "3.12.3");

/// A fenced block of a page.
struct Block {
    /// The page, from the root of the project.
    page: String,
    /// The number of its first line in the page, from 0, and its lines.
    start: usize,
    lines: Vec<String>,
    language: String,
    /// What the comment above it says.
    mark: Option<(String, String)>,
}

impl Block {
    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn place(&self) -> String {
        format!("{}:{}", self.page, self.start + 1)
    }
}

/// Every page for people, in a stable order.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(project().join(folder)).expect("there are pages") {
            let name = entry.expect("a page").file_name();
            let name = name.to_str().expect("UTF-8");
            if name.ends_with(".md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    pages.sort();
    pages
}

fn read(page: &str) -> String {
    fs::read_to_string(project().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn blocks(page: &str) -> Vec<Block> {
    let text = read(page);
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some(language) = lines[at].strip_prefix("```") else {
            at += 1;
            continue;
        };
        let mark = at.checked_sub(1).and_then(|above| {
            let comment = lines[above].strip_prefix("<!-- ")?.strip_suffix(" -->")?;
            let (kind, of) = comment.split_once(": ")?;
            Some((kind.to_owned(), of.to_owned()))
        });
        let length = lines[at + 1..].iter().position(|line| *line == "```");
        let length = length.unwrap_or_else(|| panic!("{page}: a block does not end"));
        blocks.push(Block {
            page: page.to_owned(),
            start: at + 1,
            lines: lines[at + 1..at + 1 + length]
                .iter()
                .map(|line| (*line).to_owned())
                .collect(),
            language: language.to_owned(),
            mark,
        });
        at += length + 2;
    }
    blocks
}

/// Compares what a block should hold, or writes it into the page.
fn expect(block: &Block, wanted: &str, equal: impl Fn(&str) -> String) {
    let shown = block.text();
    if equal(&shown) == equal(wanted) {
        return;
    }
    assert!(
        std::env::var_os("REHOOK_BLESS").is_some(),
        "{} does not show what is printed:\n{wanted}",
        block.place()
    );
    // Another block of the page may have been written meanwhile, and moved this one.
    let text = read(&block.page);
    let old = format!("```{}\n{shown}```\n", block.language);
    let new = format!("```{}\n{wanted}```\n", block.language);
    fs::write(project().join(&block.page), text.replacen(&old, &new, 1))
        .expect("the page can be written");
}

fn words(command: &str) -> Vec<&str> {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("rehook"), "{command}");
    words.collect()
}

fn rehook(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehook"));
    command.args(arguments).current_dir(folder);
    command.env("LC_ALL", "C.UTF-8").env_remove("VIRTUAL_ENV");
    command
}

/// What `COMMAND, in FOLDER` prints to stdout.
fn printed(command: &str) -> String {
    let (command, folder) = command.split_once(", in ").expect("a command and a folder");
    let tree = Tree::read(&project().join(folder), &[]).expect("the folder can be read");
    let repo = Repo::new(&tree).expect("a repo can be made");
    let run = repo.rehook(&words(command)).expect("it runs");
    String::from_utf8(run.stdout).expect("UTF-8")
}

/// A repo with two plugins that are migrated, of which one was changed by hand since.
fn plugins(folder: &str) -> Repo {
    let mut tree = Tree::read(&project().join(folder), &[]).expect("the folder can be read");
    let ci = fs::read(project().join("fixtures/context-file/before/ci.py")).expect("a fixture");
    tree.0.insert("ci.py".to_owned(), Entry::File(ci, false));
    let repo = Repo::new(&tree).expect("a repo can be made");
    let run = repo.rehook(&["migrate", "--quiet"]).expect("it runs");
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let path = repo.root().join("door.py");
    let door = fs::read_to_string(&path).expect("it is there");
    let edited = door.replace("return \"closed\"", "raise HTTPException(status_code=418)");
    assert_ne!(door, edited);
    fs::write(&path, edited).expect("it can be written");
    repo
}

#[test]
fn every_sample_says_where_it_comes_from() {
    let mut without = Vec::new();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        if SAMPLES.contains(&block.language.as_str()) && block.mark.is_none() {
            without.push(block.place());
        }
    }
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn samples_are_what_is_printed() {
    for block in pages().iter().flat_map(|page| blocks(page)) {
        let Some((kind, of)) = &block.mark else {
            continue;
        };
        match kind.as_str() {
            "prints" => expect(&block, &printed(of), str::to_owned),
            "in the output of" => {
                let part: Value = serde_json::from_str(&block.text())
                    .unwrap_or_else(|error| panic!("{}: {error}", block.place()));
                let whole: Value = serde_json::from_str(&printed(of)).expect("JSON");
                assert!(
                    is_in(&part, &whole),
                    "{}: {of} does not print it",
                    block.place()
                );
            }
            "a line of" => {
                let line = block.text();
                assert!(read(of).contains(&line), "{}: not in {of}", block.place());
            }
            "checked in" => {
                assert!(
                    read(of).contains(&block.page),
                    "{of} does not read {}",
                    block.page
                );
            }
            "in" => {}
            other => panic!("{}: unknown comment `{other}`", block.place()),
        }
    }
}

fn is_in(part: &Value, whole: &Value) -> bool {
    part == whole
        || match whole {
            Value::Array(items) => items.iter().any(|item| is_in(part, item)),
            Value::Object(map) => map.values().any(|value| is_in(part, value)),
            _ => false,
        }
}

/// How many requests are found depends on the Python and the libraries: that there are some is compared.
#[test]
fn consoles_show_what_is_printed() {
    let python = match interpreter() {
        Ok(python) => python,
        Err(none) => {
            assert!(!none.expected, "{}", none.reason);
            eprintln!("skipped: {}", none.reason);
            return;
        }
    };
    let version = Command::new(&python)
        .arg("--version")
        .output()
        .expect("it runs");
    let version = String::from_utf8(version.stdout).expect("UTF-8");
    let version = version.trim().trim_start_matches("Python ").to_owned();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        let Some(("in", folder)) = block.mark.as_ref().map(|(kind, of)| (kind.as_str(), of)) else {
            continue;
        };
        let typed = block.lines[0].strip_prefix("$ ").expect("a command");
        let repo = plugins(folder);
        // One pipe for both, so that the order is that of a terminal.
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let mut child = rehook(&repo.root(), &words(typed))
            .args(["--python".as_ref(), python.as_os_str()])
            .stdin(std::process::Stdio::null())
            .stdout(writer.try_clone().expect("a pipe"))
            .stderr(writer)
            .spawn()
            .expect("it runs");
        let mut output = String::new();
        std::io::Read::read_to_string(&mut reader, &mut output).expect("UTF-8");
        child.wait().expect("it ends");
        let output = output
            .replace(&python.display().to_string(), PYTHON.0)
            .replace(&version, PYTHON.1);
        expect(&block, &format!("$ {typed}\n{output}"), without_numbers);
    }
}

fn without_numbers(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let counts = line.contains("requests") || line.contains("个请求");
        let digits = |c: char| if counts && c.is_ascii_digit() { '0' } else { c };
        let line: String = line.chars().map(digits).collect();
        let mut line = line;
        while line.contains("00") {
            line = line.replace("00", "0");
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn commands_in_pages_are_understood() {
    let mut seen = 0;
    for block in pages().iter().flat_map(|page| blocks(page)) {
        if block.language != "sh" {
            continue;
        }
        for line in &block.lines {
            let line = line
                .split(" #")
                .next()
                .and_then(|line| line.split(" > ").next())
                .unwrap_or_default()
                .trim_end_matches(['&', ' ']);
            let command = match line.split_once(" -- ") {
                Some(("cargo run --release", arguments)) => format!("rehook {arguments}"),
                _ => line.to_owned(),
            };
            if !command.starts_with("rehook ") {
                continue;
            }
            seen += 1;
            let arguments = [words(&command), vec!["--help"]].concat();
            let output = rehook(project(), &arguments).output().expect("it runs");
            assert!(output.status.success(), "{}: {line}", block.place());
        }
    }
    assert!(seen > 5);
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The lines of a page that are not in blocks.
fn prose(page: &str) -> String {
    let mut is_code = false;
    let text = read(page);
    let lines = text.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.map(|line| format!("{line}\n")).collect()
}

fn headings(page: &str) -> Vec<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.map(str::to_owned).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let folder = Path::new(&page).parent().unwrap_or(Path::new(""));
        for target in prose(&page)
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if target.contains("://") {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                PathBuf::from(&page)
            } else {
                folder.join(path)
            };
            let is_there = project().join(&path).exists();
            let has_heading = || {
                let path = path.to_str().expect("UTF-8").replace("docs/../", "");
                headings(&path)
                    .iter()
                    .any(|heading| anchor(heading.trim_start_matches('#')) == fragment)
            };
            if !is_there || (!fragment.is_empty() && !has_heading()) {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn both_languages_have_the_same_parts() {
    let shape = |page: &str| {
        let headings = headings(page);
        let levels: Vec<usize> = headings
            .iter()
            .map(|line| line.len() - line.trim_start_matches('#').len())
            .collect();
        let blocks: Vec<String> = blocks(page)
            .into_iter()
            .map(|block| block.language)
            .collect();
        let rows = prose(page)
            .lines()
            .filter(|line| line.starts_with('|'))
            .count();
        let points = prose(page)
            .lines()
            .filter(|line| line.starts_with("- "))
            .count();
        (levels, blocks, rows, points)
    };
    for page in pages() {
        let Some(name) = page.strip_suffix(".zh-CN.md") else {
            let is_for_users = page.starts_with("docs/") && !page.starts_with("docs/decisions/");
            let other = page.replace(".md", ".zh-CN.md");
            assert!(
                !is_for_users || project().join(&other).exists(),
                "there is no {other}"
            );
            continue;
        };
        assert_eq!(shape(&format!("{name}.md")), shape(&page), "{page}");
    }
}

/// Whether a line of Rust defines a name, or takes it from a file below.
fn defines(line: &str, name: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.clone().any(|word| word == name)
        && words.any(|word| {
            [
                "const", "enum", "fn", "mod", "struct", "trait", "type", "use",
            ]
            .contains(&word)
        })
}

/// The files and modules that the pages for developers name are there.
#[test]
fn names_in_the_architecture_are_there() {
    fn collect(folder: &Path, files: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("it can be read") {
            let path = entry.expect("an entry").path();
            let inside = path
                .strip_prefix(project())
                .expect("inside")
                .to_str()
                .expect("UTF-8");
            files.insert(inside.to_owned());
            if path.is_dir() {
                collect(&path, files);
            }
        }
    }
    let mut files = BTreeSet::new();
    for folder in ["src", "tests", "docs", "deploy", "templates", "benches"] {
        collect(&project().join(folder), &mut files);
    }
    let ends_with = |path: &str| {
        let path = path.trim_end_matches('/');
        let end = format!("/{path}");
        files
            .iter()
            .find(|file| *file == path || file.ends_with(&end))
    };
    // `a::b::c` is a module, or an item of one.
    let is_module = |name: &str| {
        let parts: Vec<&str> = name.split("::").collect();
        let (last, above) = parts.split_last().expect("a name");
        if ends_with(&format!("{}.rs", parts.join("/"))).is_some() {
            return true;
        }
        let file = match above {
            [] => None,
            above if above[0].starts_with(char::is_uppercase) => return true,
            above => ends_with(&format!("{}.rs", above.join("/"))),
        };
        file.is_some_and(|file| read(file).lines().any(|line| defines(line, last)))
    };
    let mut gone = Vec::new();
    for page in pages() {
        if page != "ARCHITECTURE.md"
            && page != "CONTRIBUTING.md"
            && !page.starts_with("docs/decisions/")
        {
            continue;
        }
        for name in prose(&page).split('`').skip(1).step_by(2) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_/.:-".contains(c);
            if !name.chars().all(plain) || name.contains("http") {
                continue;
            }
            let is_there = if name.contains("::") {
                is_module(name)
            } else if name.contains('/') && !name.starts_with(['.', '/']) || name.ends_with(".py") {
                ends_with(name).is_some() || project().join(name).exists()
            } else {
                true
            };
            if !is_there {
                gone.push(format!("{page}: {name}"));
            }
        }
    }
    assert!(gone.is_empty(), "{gone:#?}");
}
