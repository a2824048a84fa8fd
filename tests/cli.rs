//! What the commands print and how they exit, as files: `tests/cli/*.trycmd`, each a transcript
//! in a folder of its own, with `<name>.in/` as its content and `<name>.out/` as what it must be
//! afterwards. `TRYCMD=overwrite cargo test --test cli` accepts what is printed.
//!
//! A case without that last folder would be run where it lies, and change it: so each has one.
//!
//! Nothing of the user reaches them: no git configuration, no language, no colour.

#[test]
fn transcripts() {
    let cases = trycmd::TestCases::new();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = std::env::split_paths(&path)
        .map(|folder| folder.join("git"))
        .find(|git| git.is_file())
        .expect("git is on the PATH");
    cases.register_bin("git", git);
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

/// Help in the language of a locale: the first of the variables that is not empty decides, and the
/// option stands above them all.
#[test]
fn the_locale_decides_the_language() {
    for (variables, args, is_chinese) in [
        (&[][..], &[][..], false),
        (&[("LANG", "zh_CN.UTF-8")], &[], true),
        (&[("LC_ALL", ""), ("LC_MESSAGES", "zh_TW")], &[], true),
        (&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")], &[], false),
        (&[("LC_ALL", "zh_CN.UTF-8")], &["--lang", "en"], false),
        (&[("LC_ALL", "en_US.UTF-8")], &["--lang", "zh"], true),
    ] {
        for arguments in [&["--help"][..], &["explain"], &["explain", "RH999"]] {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_rehook"))
                .env_remove("LC_ALL")
                .env_remove("LC_MESSAGES")
                .env_remove("LANG")
                .envs(variables.iter().copied())
                .args(args)
                .args(arguments)
                .output()
                .expect("it runs");
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8(text).expect("UTF-8");
            let has_chinese = text.chars().any(|c| ('\u{4e00}'..'\u{a000}').contains(&c));
            assert_eq!(
                has_chinese, is_chinese,
                "{variables:?} {args:?} {arguments:?}: {text}"
            );
        }
    }
}

/// Of a code that occurs often, the text lists places; a program gets each diagnostic whole.
#[test]
fn json_has_every_diagnostic() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["scan", "--quiet", "--format", "json", "tests/cli/ignore.in"])
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.matches("\"RH301\"").count(), 6, "{text}");
    assert_eq!(text.matches("\"RH103\"").count(), 5, "{text}");
}
