use std::path::Path;

use super::*;

const GITHUB: &str = r#"version = 1

[[route]]
plugin = "KroMiose.github"
endpoint = "github"
dialect = "context"
methods = ["POST"]
target = "/plugins/KroMiose.github/github"
legacy = ["/api/webhook/github", "/api/plugin/KroMiose.github/webhook/github", "/api/plugin/github/webhook/github"]
"#;

fn parsed(text: &str) -> RouteMap {
    parse(text, Path::new("map.toml")).unwrap()
}

fn github() -> Route {
    Route::new("KroMiose", "github", "github", Dialect::Context)
}

#[test]
fn a_new_map_is_written_as_the_contract_shows_it() {
    let mut map = RouteMap::default();
    map.merge(vec![github()]);
    assert_eq!(map.to_string(), GITHUB);
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let map = parsed(GITHUB);
    assert_eq!(map.routes(), [github()]);
    assert_eq!(map.to_string(), GITHUB);
}

#[test]
fn known_routes_and_comments_stay() {
    let text = GITHUB.replace("\"github\"\ndialect", "\"github\" # as before\ndialect");
    let mut map = parsed(&text);
    map.merge(vec![github()]);
    assert_eq!(map.to_string(), text);
    map.merge(vec![Route::new("me", "ci", "/a/b", Dialect::Request)]);
    assert!(map.to_string().starts_with(&text));
    assert_eq!(map.routes().len(), 2);
    assert_eq!(parsed(&map.to_string()).routes(), map.routes());
}

#[test]
fn a_changed_route_is_brought_up_to_date_in_its_place() {
    let mut map = parsed(GITHUB);
    let changed = Route {
        dialect: Dialect::Request,
        ..github()
    };
    map.merge(vec![changed.clone()]);
    assert_eq!(map.routes(), [changed]);
    assert_eq!(map.to_string(), GITHUB.replace("context", "request"));
}

#[test]
fn new_routes_stand_below_the_known_ones_and_above_the_end() {
    let ci = || Route::new("me", "ci", "a", Dialect::Context);
    let block = |route: Route| {
        let mut map = RouteMap::default();
        map.merge(vec![route]);
        map.to_string().replace("version = 1\n", "")
    };
    let changed = || Route {
        dialect: Dialect::Request,
        ..ci()
    };
    for (text, expected) in [
        (
            "",
            format!("version = 1\n{}{}", block(github()), block(changed())),
        ),
        (
            "# a\nversion = 1 # b\n",
            format!(
                "# a\nversion = 1 # b\n{}{}",
                block(github()),
                block(changed())
            ),
        ),
        (
            "version = 1\nroute = []\n",
            format!("version = 1\n{}{}", block(github()), block(changed())),
        ),
        (GITHUB, format!("{GITHUB}{}", block(changed()))),
        (GITHUB.trim_end(), format!("{GITHUB}{}", block(changed()))),
        (
            &format!("{GITHUB}# the end"),
            format!("{GITHUB}{}# the end", block(changed())),
        ),
    ] {
        let mut map = match text {
            "" => RouteMap::default(),
            _ => parsed(text),
        };
        map.merge(vec![github(), ci()]);
        map.merge(vec![changed()]);
        assert_eq!(map.to_string(), expected, "{text}");
        assert_eq!(parsed(&map.to_string()).routes(), map.routes());
    }
}

/// What is said about `text`, in English.
fn error(text: &str) -> String {
    let error = parse(text, Path::new("map.toml")).unwrap_err();
    error.to_string()
}

#[test]
fn a_path_that_is_none_is_named_with_its_line() {
    let moved = GITHUB.replace("/plugins/KroMiose.github/github", "/plugins/../api/x");
    assert_eq!(
        error(&moved),
        "map.toml:8: the target `/plugins/../api/x` of KroMiose.github is not a path below \
         /plugins/, where the routes of plugins are"
    );
    for (old, fault) in [
        ("api/webhook/github", "does not begin with `/`"),
        ("/api/webhook/github?x", "contains `?` or `#`"),
        ("/api/webhook/github#x", "contains `?` or `#`"),
        ("/api/webhook/git\\nhub", "contains a control character"),
    ] {
        let map = GITHUB.replace("/api/webhook/github\", \"", &format!("{old}\", \""));
        let error = error(&map);
        assert!(error.starts_with("map.toml:9: the old path `"), "{error}");
        assert!(error.contains(fault), "{old}: {error}");
    }
}

#[test]
fn a_broken_map_says_where() {
    let twice = format!("{GITHUB}{}", GITHUB.replace("version = 1", ""));
    for (text, start) in [
        (
            "version = 1\nroute = [",
            "map.toml:2: this is not a route map",
        ),
        (
            "version = 1\n\n[[route]]\nplugin = 3\n",
            "map.toml:4: this is not a route map",
        ),
        ("\nversion = 7", "map.toml:2: the route map has version 7"),
        (&twice, "map.toml:14: the endpoint `github`"),
    ] {
        let error = error(text);
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn a_missing_map_is_an_error_only_where_one_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    assert!(read_if_present(&path).unwrap().is_none());
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("no such file"), "{error}");
    std::fs::write(&path, GITHUB).unwrap();
    let (map, bytes) = read_if_present(&path).unwrap().unwrap();
    assert_eq!(map.routes(), [github()]);
    assert_eq!(bytes, GITHUB.as_bytes());
    std::fs::write(&path, b"\xff").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.ends_with("it is not UTF-8"), "{error}");
}

#[test]
fn a_retired_url_is_gone_and_the_rest_stays() {
    let text = r#"# ours
version = 1

[[route]] # first
plugin = "a.b"
endpoint = "x"
dialect = "context"
methods = ["POST"]
target = "/plugins/a.b/x"
legacy = [
    "/api/webhook/x", # GitHub
    "/api/plugin/a.b/webhook/x", # GitLab
    # nobody
    "/api/plugin/b/webhook/x",
]
"#;
    let mut map = parsed(text);
    assert_eq!(map.retire("/nowhere"), [""; 0]);
    assert_eq!(map.to_string(), text);
    assert_eq!(map.retire("/api/plugin/a.b/webhook/x"), ["a.b"]);
    let line = "    \"/api/plugin/a.b/webhook/x\",";
    let rest = map.to_string();
    assert!(!rest.contains(line), "{rest}");
    for comment in ["# ours", "# first", "# GitHub", "# GitLab", "# nobody"] {
        assert!(rest.contains(comment), "{comment}\n{rest}");
    }
    let left = ["/api/webhook/x", "/api/plugin/b/webhook/x"];
    assert_eq!(parsed(&rest).routes()[0].legacy, left);
    for url in left {
        assert_eq!(map.retire(url), ["a.b"]);
    }
    let rest = map.to_string();
    assert!(
        rest.contains("# GitHub") && rest.contains("# nobody"),
        "{rest}"
    );
    assert_eq!(parsed(&rest).routes()[0].legacy, [""; 0]);
}

#[test]
fn a_comment_behind_the_last_url_stays_one() {
    let text = GITHUB.replace(", \"/api/plugin/github", ", # here\n  \"/api/plugin/github");
    let mut map = parsed(&text);
    let _ = map.retire("/api/plugin/github/webhook/github");
    let rest = map.to_string();
    assert!(rest.contains("# here\n"), "{rest}");
    assert_eq!(parsed(&rest).routes()[0].legacy.len(), 2);
}

#[test]
fn lists_in_one_line_stay_in_one_line() {
    let without = |url: &str, legacy: &str| {
        let mut map = parsed(GITHUB);
        assert_eq!(map.retire(url), ["KroMiose.github"]);
        let (before, _) = GITHUB.split_once("legacy").unwrap();
        assert_eq!(map.to_string(), format!("{before}legacy = [{legacy}]\n"));
        // A later run does not bring it back.
        let text = map.to_string();
        map.merge(vec![github()]);
        assert_eq!(map.to_string(), text);
    };
    without(
        "/api/webhook/github",
        r#""/api/plugin/KroMiose.github/webhook/github", "/api/plugin/github/webhook/github""#,
    );
    without(
        "/api/plugin/github/webhook/github",
        r#""/api/webhook/github", "/api/plugin/KroMiose.github/webhook/github""#,
    );
    let inline = r#"version = 1
route = [{ plugin = "a.b", endpoint = "x", dialect = "request", methods = ["GET"], target = "/plugins/a.b/x", legacy = ["/a", "/b"] }] # all
"#;
    let mut map = parsed(inline);
    assert_eq!(map.retire("/a"), ["a.b"]);
    assert_eq!(map.to_string(), inline.replace("\"/a\", ", ""));
}
