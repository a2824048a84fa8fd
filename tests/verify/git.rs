//! What git does not tell, and more than one repo.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, check, end, plugin, proof, ready};
use crate::support::repo::Run;

/// Runs `rehook verify` with a variable of the environment.
fn verify_with(bench: &Bench, variable: &str, args: &[&str]) -> Run {
    let rehook = env!("CARGO_BIN_EXE_rehook");
    let all = [&[variable, rehook, "verify"], args].concat();
    let run = bench.repo.run(Path::new("/usr/bin/env"), &all, b"");
    run.expect("rehook runs")
}

#[test]
fn a_repo_of_somebody_else_is_named_with_what_to_do() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    let other = "GIT_TEST_ASSUME_DIFFERENT_OWNER=1";
    let root = fs::canonicalize(bench.repo.root()).expect("it is there");
    let remedy = format!(
        "`git config --global --add safe.directory {}`",
        root.display()
    );
    check(
        &verify_with(&bench, other, &[]),
        2,
        &["dev.a: already migrated, and git refuses", &remedy],
    );
    check(
        &verify_with(&bench, other, &["--lang", "zh"]),
        2,
        &["属于其他用户", &remedy],
    );
    // Others need no original.
    fs::write(bench.repo.root().join("b.py"), plugin("b")).expect("it can be written");
    let python = bench.saying(&[ready(), proof("b", "same"), end()]);
    check(
        &verify_with(&bench, other, &["--python", &python]),
        1,
        &[
            "same           dev.b b",
            "failed         dev.a a\n",
            &remedy,
        ],
    );
}

#[test]
fn without_git_it_is_said_that_there_is_none() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    let path = format!("PATH={}", bench.path("empty").display());
    check(
        &verify_with(&bench, &path, &[]),
        2,
        &[
            "dev.a: already migrated, and git is not available",
            "install git",
        ],
    );
    check(
        &verify_with(&bench, &path, &["--lang", "zh"]),
        2,
        &["找不到 git", "请安装 git"],
    );
}

#[test]
fn each_of_several_repos_has_its_own_originals() {
    let (one, two) = (
        Bench::new(&[("a.py", plugin("a"))]),
        Bench::new(&[("b.py", plugin("b"))]),
    );
    one.migrate(&[]);
    let other = two.repo.root();
    let paths = [".", &other.to_string_lossy()];
    let python = one.saying(&[ready(), proof("a", "same"), proof("b", "same"), end()]);
    // One is migrated, the other is not.
    check(&one.verify(&python, &paths), 0, &["2 same", "HEAD:"]);
    two.migrate(&[]);
    fs::remove_dir_all(one.path("trees")).expect("they were copied");
    check(&one.verify(&python, &paths), 0, &["2 same"]);
    let job = one.job();
    for (case, name) in job["cases"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(["a", "b"])
    {
        assert_eq!(case["name"], format!("dev.{name}"));
        let file = format!("{name}.py");
        assert_eq!(one.side(case, "before")[&file], plugin(name));
        assert_ne!(one.side(case, "after")[&file], plugin(name));
    }
    // A file of one of them.
    let python = one.saying(&[ready(), proof("a", "same"), end()]);
    check(&one.verify(&python, &["a.py"]), 0, &["1 same"]);
    // One of them has no such commit any more.
    two.commit("migrated");
    check(
        &one.verify(&python, &paths),
        1,
        &[
            "same           dev.a a",
            "failed         dev.b b\n  already migrated",
        ],
    );
}
