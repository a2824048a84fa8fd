//! What the commands print and how they exit, as files: `tests/cli/*.trycmd`, each a transcript
//! in a folder of its own, with `<name>.in/` as its content and `<name>.out/` as what it must be
//! afterwards. `TRYCMD=overwrite cargo test --test cli` accepts what is printed.
//!
//! Nothing of the user reaches them: no git configuration, no language, no colour.

#[test]
fn transcripts() {
    let cases = trycmd::TestCases::new();
    cases.register_bin("git", std::path::Path::new("git"));
    for (key, value) in [
        ("LC_ALL", "C.UTF-8"),
        ("LANG", ""),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", ""),
        ("GIT_AUTHOR_NAME", "A. Author"),
        ("GIT_AUTHOR_EMAIL", "author@example.com"),
        ("GIT_COMMITTER_NAME", "A. Author"),
        ("GIT_COMMITTER_EMAIL", "author@example.com"),
    ] {
        cases.env(key, value);
    }
    cases.case("tests/cli/*.trycmd");
}
