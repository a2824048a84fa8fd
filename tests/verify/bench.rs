//! A repo, a shell script in the place of Python, and what that was asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::repo::{Repo, Run};
use crate::support::tree::{Entry, Tree};

/// A plugin in the form of the releases.
const PLUGIN: &str = r#"from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin("P", "NAME", "d", "0.1.0", "dev", "https://example.com")


@plugin.mount_webhook_method("NAME", "Name")
async def handle(_ctx: AgentCtx):
    print(_ctx.webhook_request.body)
"#;

pub(crate) fn plugin(name: &str) -> String {
    PLUGIN.replace("NAME", name)
}

/// One that needs a manual change.
pub(crate) fn by_hand() -> String {
    plugin("hand").replace("(\"hand\", \"Name\")", "(__name__, \"Name\")")
}

/// A repo, and a folder beside it for the stand-in and what it has seen.
pub(crate) struct Bench {
    pub repo: Repo,
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(files: &[(&str, String)]) -> Self {
        let files = files.iter().map(|(path, text)| {
            let entry = Entry::File(text.clone().into_bytes(), false);
            ((*path).to_owned(), entry)
        });
        Self {
            repo: Repo::new(&Tree(files.collect())).expect("a repo can be made"),
            folder: tempfile::tempdir().expect("there is a temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes the stand-in, which runs `script` in the place of the runner, with the job read and
    /// the trees copied.
    pub(crate) fn python(&self, script: &str) -> String {
        let python = self.path("python");
        let executable = python.to_str().unwrap().chars().map(u32::from);
        let executable: Vec<u32> = executable.collect();
        let seen = self.folder.path().display();
        let text = format!(
            r#"if [ "$1" = -c ]; then
    echo '{{"executable": {executable:?}, "version": [3, 12, 3], "user_base": [], "fastapi": 1}}'
    exit
fi
echo "$3" > {seen}/agent
cat > {seen}/job.json
cp -R trees {seen}/trees
env > {seen}/environment
{script}
"#
        );
        self.script("python", &text)
    }

    /// A program in the folder.
    pub(crate) fn script(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).expect("it can be made");
        // Another process writes it, so that none that is started meanwhile holds it open.
        let written = Command::new("sh")
            .args([
                "-c",
                r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#,
            ])
            .arg(&path)
            .arg(text)
            .status()
            .expect("there is a shell");
        assert!(written.success());
        path.to_string_lossy().into_owned()
    }

    /// A stand-in that says these results.
    pub(crate) fn saying(&self, results: &[Value]) -> String {
        let lines: Vec<String> = results.iter().map(ToString::to_string).collect();
        fs::write(self.path("says"), lines.join("\n") + "\n").expect("it can be written");
        self.python(&format!("cat {}", self.path("says").display()))
    }

    pub(crate) fn verify(&self, python: &str, args: &[&str]) -> Run {
        let all = [&["verify", "--python", python], args].concat();
        let run = self.repo.rehook(&all).expect("rehook runs");
        let said = run.transcript();
        assert!(!said.contains("panicked") && run.exit >= 0, "{said}");
        run
    }

    /// What the runner was to put around the plugins.
    pub(crate) fn agent(&self) -> String {
        let text = fs::read_to_string(self.path("agent")).expect("it was run");
        text.trim().to_owned()
    }

    pub(crate) fn job(&self) -> Value {
        let text = fs::read(self.path("job.json")).expect("there was a job");
        serde_json::from_slice(&text).expect("the job is JSON")
    }

    /// Files of a side of a case: their text by their path.
    pub(crate) fn side(&self, case: &Value, side: &str) -> BTreeMap<String, String> {
        let inside = Path::new(case[side].as_str().expect("a path"));
        assert!(inside.is_relative(), "{}", inside.display());
        let tree = Tree::read(&self.folder.path().join(inside), &[]).expect("it was copied");
        let text = |entry| match entry {
            Entry::File(bytes, _) => String::from_utf8(bytes).expect("text"),
            Entry::Link(target) => panic!("a link to {}", target.display()),
        };
        let files = tree.0.into_iter();
        files.map(|(path, entry)| (path, text(entry))).collect()
    }

    pub(crate) fn commit(&self, message: &str) {
        for args in [&["add", "--all"][..], &["commit", "--quiet", "-m", message]] {
            let run = self.repo.git(args, b"").expect("git runs");
            assert_eq!(run.exit, 0, "{}", run.transcript());
        }
    }

    pub(crate) fn migrate(&self, args: &[&str]) {
        let run = self.repo.rehook(&[&["migrate"], args].concat());
        let run = run.expect("rehook runs");
        assert!(run.exit < 2, "{}", run.transcript());
    }
}

pub(crate) fn ready() -> Value {
    json!({"event": "ready", "agent": "nekro-agent 2.4.0", "python": "3.12.3", "network": "cut", "files": "cut"})
}

pub(crate) fn end() -> Value {
    json!({"event": "end"})
}

pub(crate) fn proof(name: &str, verdict: &str) -> Value {
    json!({
        "event": "proof", "case": format!("dev.{name}"), "plugin": format!("dev.{name}"),
        "endpoint": name, "verdict": verdict, "requests": 9, "file": format!("{name}.py"),
        "first": 7, "last": 9, "reached": [9], "missed": [], "uncovered": [], "differing": 0,
        "difference": null, "endless": [],
    })
}

pub(crate) fn stdout(run: &Run) -> String {
    String::from_utf8_lossy(&run.stdout).into_owned()
}

pub(crate) fn stderr(run: &Run) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[track_caller]
pub(crate) fn check(run: &Run, exit: i32, expected: &[&str]) {
    let said = run.transcript();
    assert_eq!(run.exit, exit, "{said}");
    for text in expected {
        assert!(said.contains(text), "no {text:?} in {said}");
    }
}
