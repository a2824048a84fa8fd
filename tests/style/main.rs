//! What is clean stays clean: each entry of `settings.toml` is a test with all files of `files/`.
//!
//! The files are first brought into the form that ruff gives them under the entry's settings, so
//! that they are clean. Then they are migrated; ruff may find nothing in the result that it did not
//! find before, by the rules of [`RULES`] and by its formatter.
//!
//! All entries are judged by the same few runs of ruff, since starting it costs more than it does.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde::Deserialize;

use support::python;
use support::tree::{Entry, Tree};

/// What every entry builds upon.
const RULES: &str = r#"
[lint]
select = [
    "E", "F", "W", "I", "UP", "B", "C4", "SIM", "RET", "RUF", "PT", "ANN", "D", "N", "ASYNC", "S",
    "PL", "C90",
]
[lint.pydocstyle]
convention = "google"
"#;

/// The name of the file with [`RULES`].
const BASE: &str = "rules.toml";

/// An entry of `settings.toml`.
#[derive(Deserialize)]
struct Setting {
    name: String,
    /// A `ruff.toml`.
    ruff: Option<String>,
    /// Configuration files, by path.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Table {
    setting: Vec<Setting>,
}

/// Each entry's problems, by its name.
type Verdicts = Result<BTreeMap<String, Vec<String>>, String>;

fn main() {
    let folder = support::project().join("tests/style");
    let text = fs::read_to_string(folder.join("settings.toml")).expect("the table can be read");
    let table: Table = toml_edit::de::from_str(&text).expect("the table is in order");
    let names: Vec<String> = table.setting.iter().map(|s| s.name.clone()).collect();
    let shared = Arc::new((table.setting, OnceLock::<Verdicts>::new()));
    let trials = names.into_iter().map(|name| {
        let shared = Arc::clone(&shared);
        Trial::ignorable_test(name.clone(), move || {
            let python = match python::interpreter() {
                Ok(python) => python,
                Err(missing) if missing.expected => return Err(missing.reason.into()),
                Err(missing) => return Ok(Completion::ignored_with(missing.reason)),
            };
            let (settings, verdicts) = &*shared;
            verdict(verdicts.get_or_init(|| judge_all(&python, settings)), &name)
        })
    });
    let trials = trials.collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn verdict(verdicts: &Verdicts, name: &str) -> Result<Completion, Failed> {
    let problems = verdicts.as_ref().map_err(Clone::clone)?;
    match problems.get(name) {
        Some(problems) if problems.is_empty() => Ok(Completion::Completed),
        Some(problems) => Err(problems.join("\n").into()),
        None => Err("no verdict about this entry".into()),
    }
}

/// Makes the files clean under each entry's settings, migrates them, and asks ruff about both.
fn judge_all(python: &PathBuf, settings: &[Setting]) -> Verdicts {
    let said = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(said)?;
    let sources = support::project().join("tests/style/files");
    let sources = Tree::read(&sources, &[]).map_err(said)?;
    for setting in settings {
        let mut tree = sources.clone();
        tree.0.extend(configuration(setting));
        tree.write(&place(folder.path(), setting)).map_err(said)?;
    }
    // The sorter may leave lines for the formatter, and the formatter for the sorter.
    for _ in 0..2 {
        let fix: &[&str] = &[
            "check",
            "--no-cache",
            "--quiet",
            "--exit-zero",
            "--select=I",
        ];
        ruff(python, folder.path(), &[fix, &["--fix-only", "."]].concat())?;
        ruff(
            python,
            folder.path(),
            &["format", "--no-cache", "--quiet", "."],
        )?;
    }
    let unclean = ruff(
        python,
        folder.path(),
        &[
            "check",
            "--no-cache",
            "--quiet",
            "--select=I",
            "--output-format=concise",
            ".",
        ],
    )? + &ruff(
        python,
        folder.path(),
        &[
            "format",
            "--no-cache",
            "--check",
            "--output-format=concise",
            ".",
        ],
    )?;
    let mut trees = Vec::new();
    let mut problems: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, setting) in settings.iter().enumerate() {
        let root = place(folder.path(), setting);
        let before = Tree::read(&root, &[]).map_err(said)?;
        let own = problems.entry(setting.name.clone()).or_default();
        let name = root
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let of_this = unclean
            .lines()
            .filter(|line| line.contains(&format!("{name}/")));
        own.extend(of_this.map(|line| format!("not clean to begin with: {line}")));
        own.extend(migrate(&root).err());
        let mut after = Tree::read(&root, &[".rehook"]).map_err(said)?;
        after.0.remove("webhook-routes.toml");
        if after == before {
            own.push("nothing was migrated".to_owned());
        }
        trees.push((format!("{index}"), before, after));
    }
    for (index, found) in python::judge(python, &trees)? {
        let setting = index
            .parse()
            .ok()
            .and_then(|index: usize| settings.get(index));
        let name = setting
            .map(|setting| setting.name.clone())
            .unwrap_or_default();
        problems.entry(name).or_default().extend(found);
    }
    Ok(problems)
}

/// Where the files of an entry are.
fn place(folder: &Path, setting: &Setting) -> PathBuf {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name = setting.name.replace(|c| !is_plain(c), "_");
    folder.join(name)
}

/// The configuration files of an entry: those at the top build upon [`BASE`].
fn configuration(setting: &Setting) -> BTreeMap<String, Entry> {
    let mut files = setting.files.clone();
    if let Some(ruff) = &setting.ruff {
        files.insert("ruff.toml".to_owned(), ruff.clone());
    }
    for (path, text) in &mut files {
        if path == "pyproject.toml" {
            *text = text.replacen("[tool.ruff]", &format!("[tool.ruff]\nextend = '{BASE}'"), 1);
        } else if !path.contains('/') {
            *text = format!("extend = '{BASE}'\n{text}");
        }
    }
    files.insert(BASE.to_owned(), RULES.to_owned());
    let entry = |text: String| Entry::File(text.into_bytes(), false);
    files
        .into_iter()
        .map(|(path, text)| (path, entry(text)))
        .collect()
}

/// What ruff prints; that it finds something is no failure.
fn ruff(python: &Path, folder: &Path, args: &[&str]) -> Result<String, String> {
    let run = Command::new(python)
        .args(["-m", "ruff"])
        .args(args)
        .current_dir(folder)
        .output()
        .map_err(|error| error.to_string())?;
    if !matches!(run.status.code(), Some(0 | 1)) {
        let errors = String::from_utf8_lossy(&run.stderr);
        return Err(format!("ruff {}: {errors}", args.join(" ")));
    }
    Ok(String::from_utf8_lossy(&run.stdout).into_owned())
}

fn migrate(root: &Path) -> Result<(), String> {
    // Where its keys are kept is never a folder of what it migrates.
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let run = Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["--color", "never", "migrate", "--allow-dirty"])
        .current_dir(root)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .output()
        .map_err(|error| error.to_string())?;
    if run.status.code() == Some(0) {
        return Ok(());
    }
    Err(format!(
        "migrate should leave nothing to do:\n{}",
        String::from_utf8_lossy(&run.stderr)
    ))
}
