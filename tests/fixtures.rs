//! Each folder of `fixtures/` is a test: what a migration does to a repo, to the byte.
//!
//! ```text
//! fixtures/<case>/case.toml   about = "one sentence: what the case shows"
//!                             args = []     more arguments for diff and migrate
//!                             exit = 0      of migrate; 1: something needs a manual change; 2: error
//!                             again = 0     of a second migrate, where it is not the same
//!                             [modes]       "path" = "444": given to a file before the run
//!                             the rest is for tests/conformance, which see
//! fixtures/<case>/before/     the repo
//! fixtures/<case>/after/      the repo after `migrate`; not there: nothing may change
//! fixtures/<case>/plan.snap   what `diff` prints, and what `migrate` says
//! ```
//!
//! `REHOOK_BLESS=1` writes `after/` and `plan.snap`. Everything else is checked all the same then,
//! as none of it can be blessed: that the printed patch does what `migrate` does, that a second run
//! has nothing to do, that `undo` gives the bytes back, and that CPython and ruff are content.
//!
//! The built-in plugin of the installed agent takes part with the same checks; its text is not
//! ours, so there is no `after/` to compare it with.

mod support;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use rehook::migrate::diagnostic::Code;
use serde::Deserialize;

use support::edits;
use support::python;
use support::repo::{Repo, Run};
use support::tree::{Entry, Tree, set_mode};

fn main() {
    let cases: Arc<Vec<Case>> = Arc::new(match Case::all() {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("fixtures: {error}");
            std::process::exit(1);
        }
    });
    let verdicts = Arc::new(OnceLock::new());
    let mut trials = Vec::new();
    for index in 0..cases.len() {
        let name = cases[index].name.clone();
        let all = Arc::clone(&cases);
        trials.push(Trial::test(format!("migrate::{name}"), move || {
            all[index].check().map_err(Failed::from)
        }));
        if cases[index].after.is_some() {
            let all = Arc::clone(&cases);
            let verdicts = Arc::clone(&verdicts);
            trials.push(Trial::ignorable_test(
                format!("python::{name}"),
                move || judged(&all, &verdicts, &all[index].name),
            ));
        }
    }
    trials.push(Trial::ignorable_test(
        "migrate::(github of the agent)",
        github,
    ));
    trials.push(Trial::test("every code has a fixture", every_code));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Whether the expected files are to be written rather than compared.
fn bless() -> bool {
    env::var_os("REHOOK_BLESS").is_some_and(|value| value == "1")
}

/// A folder of `fixtures/`.
struct Case {
    name: String,
    folder: PathBuf,
    about: About,
    before: Tree,
    after: Option<Tree>,
}

/// The parts of `case.toml` that this test needs.
#[derive(Deserialize)]
struct About {
    about: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    exit: i32,
    again: Option<i32>,
    #[serde(default)]
    modes: BTreeMap<String, String>,
}

impl Case {
    fn all() -> Result<Vec<Self>, String> {
        let root = support::fixtures();
        let mut cases = Vec::new();
        for entry in fs::read_dir(&root).map_err(|error| format!("{}: {error}", root.display()))? {
            let folder = entry.map_err(|error| error.to_string())?.path();
            let hidden = folder
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if folder.is_dir() && !hidden {
                let case = Self::read(&folder)
                    .map_err(|error| format!("{}: {error}", folder.display()))?;
                cases.push(case);
            }
        }
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(cases)
    }

    fn read(folder: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(folder.join("case.toml"))
            .map_err(|error| format!("case.toml: {error}"))?;
        let about: About =
            toml_edit::de::from_str(&text).map_err(|error| format!("case.toml: {error}"))?;
        if about.about.trim().is_empty() {
            return Err("case.toml: `about` says nothing".to_owned());
        }
        let before =
            Tree::read(&folder.join("before"), &[]).map_err(|error| format!("before: {error}"))?;
        let after = folder.join("after");
        Ok(Self {
            name: folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            folder: folder.to_owned(),
            about,
            before,
            after: if after.is_dir() {
                Some(Tree::read(&after, &[]).map_err(|error| format!("after: {error}"))?)
            } else {
                None
            },
        })
    }

    /// A fresh copy of the repo.
    fn repo(&self) -> Result<Repo, String> {
        let repo = Repo::new(&self.before).map_err(|error| error.to_string())?;
        for (path, mode) in &self.about.modes {
            let mode = u32::from_str_radix(mode, 8).map_err(|error| format!("{mode}: {error}"))?;
            set_mode(&repo.root().join(path), mode).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(repo)
    }

    fn check(&self) -> Result<(), String> {
        let args: Vec<&str> = self.about.args.iter().map(String::as_str).collect();
        let outcome = run_all(|| self.repo(), &self.before, &args)?;
        if bless() {
            let written = (outcome.after != self.before).then_some(&outcome.after);
            self.write(written, &outcome.snapshot)
                .map_err(|error| error.to_string())?;
        } else {
            self.compare(&outcome)?;
        }
        agree(
            &outcome,
            || self.repo(),
            &self.before,
            &args,
            self.about.exit,
            self.about.again.unwrap_or(self.about.exit),
        )
    }

    /// Compares with `after/` and `plan.snap`.
    fn compare(&self, outcome: &Outcome) -> Result<(), String> {
        let expected = self.after.as_ref().unwrap_or(&self.before);
        if let Some(difference) = outcome.after.difference(expected) {
            return Err(format!("migrate does not give after/:\n{difference}"));
        }
        let snapshot = fs::read(self.folder.join("plan.snap")).unwrap_or_default();
        let tree = |bytes: &[u8]| {
            let entry = Entry::File(bytes.to_vec(), false);
            Tree(BTreeMap::from([("plan.snap".to_owned(), entry)]))
        };
        match tree(&outcome.snapshot).difference(&tree(&snapshot)) {
            Some(difference) => Err(format!("{difference}\nREHOOK_BLESS=1 accepts it")),
            None => Ok(()),
        }
    }

    fn write(&self, after: Option<&Tree>, snapshot: &[u8]) -> std::io::Result<()> {
        let folder = self.folder.join("after");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        if let Some(after) = after {
            after.write(&folder)?;
        }
        fs::write(self.folder.join("plan.snap"), snapshot)
    }
}

/// What the commands gave.
struct Outcome {
    /// What is in the repo after `migrate`, but for what is kept for `undo`.
    after: Tree,
    /// What the commands printed, as a file to read.
    snapshot: Vec<u8>,
    diff: Run,
    check: Run,
    migrate: Run,
    /// The repo after `migrate`.
    migrated: Repo,
}

/// Runs `diff`, `migrate --check` and `migrate`; all that they can say is in the snapshot.
fn run_all(
    repo: impl Fn() -> Result<Repo, String>,
    before: &Tree,
    args: &[&str],
) -> Result<Outcome, String> {
    let preview = repo()?;
    let diff = rehook(&preview, &["diff", "-v"], args)?;
    let check = rehook(&preview, &["migrate", "--check"], args)?;
    unchanged(&preview, before, "diff or migrate --check")?;
    let migrated = repo()?;
    let migrate = rehook(&migrated, &["migrate", "-v"], args)?;
    Ok(Outcome {
        after: without_journal(&tree_of(&migrated)?),
        snapshot: snapshot(&preview, &diff, &migrated, &migrate),
        diff,
        check,
        migrate,
        migrated,
    })
}

/// Checks what holds for every migration: the commands agree with each other, the patch does what
/// `migrate` does, a second run has nothing to do, and `undo` gives the bytes back.
fn agree(
    outcome: &Outcome,
    repo: impl Fn() -> Result<Repo, String>,
    before: &Tree,
    args: &[&str],
    exit: i32,
    exit_again: i32,
) -> Result<(), String> {
    let Outcome {
        after,
        diff,
        check,
        migrate,
        migrated,
        ..
    } = outcome;
    let changed = after != before;

    expect(migrate, "migrate", exit)?;
    let nothing_done = exit == 2 && !changed;
    expect(diff, "diff", if nothing_done { 2 } else { 0 })?;
    // What needs a manual change is something to migrate, too.
    let something = changed || exit == 1;
    let checked = if nothing_done { 2 } else { something.into() };
    expect(check, "migrate --check", checked)?;
    if changed == diff.stdout.is_empty() {
        return Err(format!(
            "migrate changed {}, but diff printed this patch:\n{}",
            if changed { "something" } else { "nothing" },
            diff.transcript()
        ));
    }

    if changed {
        let git: &[&str] = &["apply", "--whitespace=nowarn", "-"];
        patched(&repo()?, "git", git, &diff.stdout, after)?;
        let gnu = &["--batch", "--forward", "--silent", "-p1"];
        patched(&repo()?, "patch", gnu, &diff.stdout, after)?;
        let json = rehook(&repo()?, &["diff", "--quiet", "--format", "json"], args)?;
        let edited = edits::applied(&json.stdout, before)?;
        if let Some(difference) = edited.difference(after) {
            return Err(format!(
                "the edits do not do what migrate does:\n{difference}"
            ));
        }
    } else if tree_of(migrated)? != *after {
        return Err("migrate changed nothing but left a .rehook folder".to_owned());
    }

    let again = rehook(migrated, &["migrate"], args)?;
    if let Some(difference) = without_journal(&tree_of(migrated)?).difference(after) {
        return Err(format!("a second migrate changes something:\n{difference}"));
    }
    expect(&again, "a second migrate", exit_again)?;
    for (run, what) in [(migrate, "migrate"), (&again, "a second migrate")] {
        count_agrees(run, what)?;
    }

    if changed {
        let undo = rehook(migrated, &["undo"], &[])?;
        expect(&undo, "undo", 0)?;
        unchanged(migrated, before, "undo")?;
    }
    Ok(())
}

fn rehook(repo: &Repo, command: &[&str], args: &[&str]) -> Result<Run, String> {
    let all: Vec<&str> = [&["--color", "never"], command, args].concat();
    repo.rehook(&all).map_err(|error| error.to_string())
}

fn tree_of(repo: &Repo) -> Result<Tree, String> {
    repo.tree().map_err(|error| error.to_string())
}

/// The tree without what `rehook` keeps for `undo`.
fn without_journal(tree: &Tree) -> Tree {
    let mut tree = tree.clone();
    tree.0.retain(|path, _| !path.starts_with(".rehook/"));
    tree
}

fn unchanged(repo: &Repo, before: &Tree, what: &str) -> Result<(), String> {
    match tree_of(repo)?.difference(before) {
        Some(difference) => Err(format!(
            "the tree after {what} is not before/:\n{difference}"
        )),
        None => Ok(()),
    }
}

fn expect(run: &Run, what: &str, exit: i32) -> Result<(), String> {
    if run.exit == exit {
        return Ok(());
    }
    Err(format!(
        "{what} should exit with {exit}:\n{}",
        run.transcript()
    ))
}

/// The exit code says the same as the last line that counts.
fn count_agrees(run: &Run, what: &str) -> Result<(), String> {
    let said = String::from_utf8_lossy(&run.stderr);
    let Some(count) = said
        .lines()
        .rev()
        .find(|line| line.contains(" old API in "))
    else {
        return Ok(());
    };
    let is_unread = count.contains("could not be read");
    let is_by_hand = count.contains("manual change") && !count.contains(", 0 need manual changes");
    if (run.exit == 0) == (is_unread || is_by_hand) {
        return Err(format!(
            "{what}: the exit code and the count do not agree:\n{}",
            run.transcript()
        ));
    }
    Ok(())
}

fn patched(
    repo: &Repo,
    program: &str,
    args: &[&str],
    patch: &[u8],
    after: &Tree,
) -> Result<(), String> {
    let run = repo
        .run(Path::new(program), args, patch)
        .map_err(|error| format!("{program}: {error}"))?;
    let patch = String::from_utf8_lossy(patch);
    if run.exit != 0 {
        return Err(format!(
            "{program} {args:?} refuses the patch: {}\n{patch}",
            run.transcript()
        ));
    }
    match tree_of(repo)?.difference(after) {
        Some(difference) => Err(format!(
            "{program} {args:?} does not do what migrate does:\n{difference}\n{patch}"
        )),
        None => Ok(()),
    }
}

/// What the commands print, as a file to read.
fn snapshot(preview: &Repo, diff: &Run, migrated: &Repo, migrate: &Run) -> Vec<u8> {
    let mut text = Vec::new();
    for (command, repo, run) in [("diff", preview, diff), ("migrate", migrated, migrate)] {
        text.extend_from_slice(format!("$ rehook {command}    # exit {}\n", run.exit).as_bytes());
        for (name, bytes) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            // `migrate` says the same about the plan as `diff` does; once is enough to read.
            if bytes.is_empty() || (command == "migrate" && *bytes == diff.stderr) {
                continue;
            }
            text.extend_from_slice(format!("----- {name}\n").as_bytes());
            text.extend_from_slice(&repo.normalised(bytes));
            if !text.ends_with(b"\n") {
                text.extend_from_slice(b"\n(no newline)\n");
            }
        }
    }
    text
}

type Verdicts = Result<BTreeMap<String, Vec<String>>, String>;

/// What CPython and ruff say about one case; asked about all of them at once, the first time.
fn judged(cases: &[Case], verdicts: &OnceLock<Verdicts>, name: &str) -> Result<Completion, Failed> {
    let python = match interpreter()? {
        Ok(python) => python,
        Err(skipped) => return Ok(skipped),
    };
    let verdicts = verdicts.get_or_init(|| {
        let trees: Vec<_> = cases
            .iter()
            .filter_map(|case| Some((case.name.clone(), case.before.clone(), case.after.clone()?)))
            .collect();
        python::judge(&python, &trees)
    });
    verdict(verdicts, name)
}

/// The interpreter, or what to tell without it.
fn interpreter() -> Result<Result<PathBuf, Completion>, Failed> {
    match python::interpreter() {
        Ok(python) => Ok(Ok(python)),
        Err(missing) if missing.expected => Err(missing.reason.into()),
        Err(missing) => Ok(Err(Completion::ignored_with(missing.reason))),
    }
}

fn verdict(verdicts: &Verdicts, name: &str) -> Result<Completion, Failed> {
    match verdicts {
        Ok(verdicts) => match verdicts.get(name) {
            Some(problems) if problems.is_empty() => Ok(Completion::Completed),
            Some(problems) => Err(problems.join("\n").into()),
            None => Err("no verdict about this case".into()),
        },
        Err(error) => Err(error.clone().into()),
    }
}

/// The plugin that comes with the agent: a change in the two files that need one.
fn github() -> Result<Completion, Failed> {
    let python = match interpreter()? {
        Ok(python) => python,
        Err(skipped) => return Ok(skipped),
    };
    let before = python::github_plugin(&python)?;
    let repo = || Repo::new(&before).map_err(|error| error.to_string());
    let outcome = run_all(repo, &before, &[])?;
    agree(&outcome, repo, &before, &[], 0, 0)?;
    let after = outcome.after;
    let touched: Vec<&str> = after
        .0
        .iter()
        .filter(|(path, entry)| before.0.get(*path) != Some(*entry))
        .map(|(path, _)| path.as_str())
        .collect();
    if touched != ["handlers.py", "plugin.py", "webhook-routes.toml"] {
        return Err(format!("other files than expected are changed: {touched:?}").into());
    }
    let trees = [("github".to_owned(), before, after)];
    verdict(&python::judge(&python, &trees), "github")
}

/// A code that no fixture shows is a promise that nobody checks.
fn every_code() -> Result<(), Failed> {
    let mut shown = String::new();
    for entry in fs::read_dir(support::fixtures())? {
        let snapshot = entry?.path().join("plan.snap");
        if let Ok(bytes) = fs::read(snapshot) {
            shown.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    // No input leads to a fault of the program's own; a unit test shows what is said of one.
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|&&code| code != Code::OwnFault)
        .map(|code| code.as_str())
        .filter(|code| !shown.contains(&format!(": {code} ")))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("no plan.snap shows: {}", missing.join(", ")).into())
}
