//! What a coming release of the agent asks for at its own old URLs.

use crate::support::*;

const HEADER: &str = "x-webhook-token";

fn shim(agent: &Agent, config: &str) -> Shim {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "t0psecret\n").unwrap();
    let config = config.replace("TOKEN", &format!("legacy_token_file = {path:?}\n"));
    Shim::start(agent.address, GITHUB, &config)
}

#[test]
fn the_token_goes_to_the_agents_own_old_url_and_nowhere_else() {
    let agent = Agent::start(ok);
    let shim = shim(&agent, "TOKENwith_legacy = true\npassthrough = true\n");
    let own = "X-Webhook-Token: theirs\r\n";
    for path in [
        "/api/webhook/github",
        "/api/webhook/other",
        "/plugins/KroMiose.github/github",
        "/api/plugin/KroMiose.github/webhook/github",
        "/elsewhere",
        "/api/webhook/github/x",
    ] {
        for lines in ["", own] {
            assert_eq!(shim.send(post(path, lines, "x")).status(), 200, "{path}");
        }
    }
    let requests = agent.requests();
    let to = |path: &str| {
        let first = format!("POST {path} HTTP/1.1");
        let mut tokens: Vec<_> = requests
            .iter()
            .filter(|request| request.first == first)
            .map(|request| request.header(HEADER).unwrap_or_default())
            .collect();
        tokens.sort();
        tokens
    };
    assert_eq!(to("/api/webhook/github"), ["t0psecret", "t0psecret"]);
    assert_eq!(to("/api/webhook/other"), ["t0psecret", "t0psecret"]);
    assert_eq!(to("/elsewhere"), ["", "theirs"]);
    assert_eq!(to("/api/webhook/github/x"), ["", "theirs"]);
    let routed = to("/plugins/KroMiose.github/github");
    assert_eq!(routed, ["", "", "", "theirs", "theirs", "theirs"]);
    let shown = format!("{:?}", shim.state.table.load());
    let log = shim.log();
    assert!(!shown.contains("t0psecret") && !log.contains("t0psecret"));
}

#[test]
fn without_a_token_what_the_sender_has_goes_on() {
    let agent = Agent::start(ok);
    let shim = shim(&agent, "with_legacy = true\n");
    shim.send(post(
        "/api/webhook/other",
        "X-Webhook-Token: theirs\r\n",
        "x",
    ));
    assert_eq!(agent.request().header(HEADER).as_deref(), Some("theirs"));
}

#[test]
fn a_wrong_token_is_said_with_its_line() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let two_lines = folder.path().join("two");
    std::fs::write(&two_lines, "one\ntwo\n").unwrap();
    for (token, says) in [
        (
            "legacy_token_env = \"REHOOK_TEST_NOT_SET\"\n".to_owned(),
            "missing or empty",
        ),
        (
            format!("legacy_token_file = {two_lines:?}\n"),
            "is not one secret",
        ),
        (
            "legacy_token_env = [\"PATH\", \"PATH\"]\n".to_owned(),
            "is not one secret",
        ),
        (
            "legacy_token = \"x\"\n".to_owned(),
            "unknown key `legacy_token`",
        ),
    ] {
        let config = format!("with_legacy = true\n{token}");
        let Err(errors) = Shim::try_start(agent.address, GITHUB, &config) else {
            panic!("{token} was taken");
        };
        let shown: Vec<String> = errors
            .iter()
            .map(|error| error.in_one_line().to_string())
            .collect();
        let shown = shown.join("\n");
        assert!(shown.contains(says), "{token}: {shown}");
        assert!(shown.contains("shim.toml:7: "), "{token}: {shown}");
    }
    // One that is never sent may not be meant.
    let upstream = format!("http://{}", agent.address);
    let config = format!("upstream = {upstream:?}\nlegacy_token_env = \"PATH\"\n");
    write_files(folder.path(), GITHUB, &config);
    let output = run(folder.path(), &["shim", "--config", "shim.toml", "--check"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        err.contains("warning: ") && err.contains("means nothing"),
        "{err}"
    );
}
