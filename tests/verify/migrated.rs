//! What is migrated already, and its original in git.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::bench::{Bench, check, end, plugin, proof, ready};

#[test]
fn what_is_migrated_is_compared_with_the_commit() {
    let bench = Bench::new(&[
        ("plugins/a.py", plugin("a")),
        ("plugins/tools.py", "X = 1\n".to_owned()),
        ("plugins/a.txt", "one".to_owned()),
        ("p/__init__.py", plugin("p")),
        ("p/data/x.json", "{}".to_owned()),
    ]);
    bench.migrate(&[]);
    // Edited by hand since: that is what is shown to be the same, or not.
    let file = bench.repo.root().join("plugins/a.py");
    let text = fs::read_to_string(&file).expect("it is there") + "# by hand\n";
    fs::write(&file, &text).expect("it can be written");
    fs::write(bench.repo.root().join("plugins/a.txt"), "two").expect("it can be written");

    let mut of_package = proof("p", "same");
    of_package["file"] = json!("p/__init__.py");
    let python = bench.saying(&[ready(), proof("a", "same"), of_package, end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        0,
        &[
            "2 same",
            "  HEAD:plugins/a.py:7  ",
            "  HEAD:p/__init__.py:7  ",
        ],
    );
    let job = bench.job();
    let cases: BTreeMap<&str, &Value> = job["cases"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|case| (case["name"].as_str().expect("a name"), case))
        .collect();
    let case = cases["dev.a"];
    assert_eq!(case["routes"][0]["target"], "/plugins/dev.a/a");
    assert_eq!(case["routes"][0]["native"], false);
    let (before, after) = (bench.side(case, "before"), bench.side(case, "after"));
    assert_eq!((&before["a.py"], &after["a.py"]), (&plugin("a"), &text));
    assert_eq!(
        (before["a.txt"].as_str(), after["a.txt"].as_str()),
        ("one", "two")
    );
    assert_eq!(before["tools.py"], "X = 1\n");
    let case = cases["dev.p"];
    assert_eq!(case["item"], "p");
    // In the tree of the commit, though what is compared is elsewhere.
    assert_eq!(case["routes"][0]["written"]["file"], "p/__init__.py");
    let before = bench.side(case, "before");
    assert_eq!(
        (&before["p/__init__.py"], before["p/data/x.json"].as_str()),
        (&plugin("p"), "{}")
    );

    // Of a part of the repo.
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    check(&bench.verify(&python, &["plugins"]), 0, &["1 same"]);
}

#[test]
fn a_commit_that_has_the_routes_too_is_no_original() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    bench.commit("migrated");
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        2,
        &[
            "dev.a: already migrated, and the commit HEAD shows no webhook",
            "name the commit before the migration, as in `--base HEAD~1`",
        ],
    );
    check(
        &bench.verify(&python, &["--base", "HEAD~1"]),
        0,
        &["HEAD~1:a.py:7"],
    );
    check(
        &bench.verify(&python, &["--base", "v9"]),
        2,
        &["there is no commit v9 in"],
    );

    // Who has named a commit is not told to name that one.
    check(
        &bench.verify(&python, &["--base", "HEAD~0"]),
        2,
        &["name another commit before the migration with --base; what needed a manual change"],
    );

    // Beside something that can be verified it is one of the results.
    fs::write(bench.repo.root().join("b.py"), plugin("b")).expect("it can be written");
    let python = bench.saying(&[ready(), proof("b", "same"), end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        1,
        &[
            "failed         dev.a a\n  already migrated",
            "1 same",
            "1 failed",
        ],
    );
}

/// A wrong `--base`, or a repo without a commit, says nothing about plugins that need no original.
#[test]
fn without_the_commit_others_are_verified_all_the_same() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    fs::write(bench.repo.root().join("b.py"), plugin("b")).expect("it can be written");
    let python = bench.saying(&[ready(), proof("b", "same"), end()]);
    let run = bench.verify(&python, &["--base", "v9"]);
    check(
        &run,
        1,
        &[
            "same           dev.b b",
            "failed         dev.a a\n  there is no commit v9 in ",
            "name the commit before the migration with --base",
        ],
    );
    // What was not asked for is not in the way either.
    check(
        &bench.verify(&python, &["--base", "v9", "b.py"]),
        0,
        &["1 same"],
    );
}

#[test]
fn what_is_and_what_is_not_migrated_go_together() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    bench.migrate(&["--native", "a.py"]);
    let python = bench.saying(&[ready(), proof("a", "same"), proof("b", "same"), end()]);
    let run = bench.verify(&python, &[]);
    check(&run, 0, &["2 same", "  HEAD:a.py:7", "  b.py:7"]);
    let job = bench.job();
    // How `a` was migrated is seen from its handler.
    let native = |index: usize| job["cases"][index]["routes"][0]["native"].clone();
    assert_eq!(job["cases"][0]["name"], "dev.b");
    assert_eq!((native(0), native(1)), (json!(false), json!(true)));
}

#[test]
fn a_plugin_that_has_moved_since_is_named() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    let root = bench.repo.root();
    fs::rename(root.join("a.py"), root.join("b.py")).expect("it can be renamed");
    let run = bench.verify("/no/such/python", &[]);
    check(&run, 2, &["dev.a: not at a.py any more", "--base"]);
}
