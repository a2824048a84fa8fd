//! The page for people, made of what was really counted: its order, its filters, what is in a row, and
//! that nothing on it is anybody's but ours.

use std::io::Write;

use serde_json::Value;

use crate::admin::fetch;
use crate::support::*;

/// An agent whose plugins `bad…` fail.
fn agent() -> Agent {
    Agent::start(|request, stream| {
        let status = match request.first.contains("/plugins/bad") {
            true => 500,
            false => 200,
        };
        stream.write_all(reply(status, "", "x").as_bytes()).unwrap();
        Keep::Yes
    })
}

/// Four plugins: one is called, one fails, one is never called, one has an endpoint more.
fn map() -> String {
    [
        route("calm.a", "/plugins/calm.a/x", &["/calm", "/calm/too"]),
        route("quiet.a", "/plugins/quiet.a/x", &["/quiet"]),
        route("bad.b", "/plugins/bad.b/x", &["/bad"]),
        route("calm.a", "/plugins/calm.a/y", &["/calm/y"]),
    ]
    .concat()
}

/// Sends it, and waits until it is counted.
fn call(shim: &Shim, path: &str, lines: &str) {
    let stats = shim.state.registry.url(path.split('?').next().unwrap());
    let before = stats.counts().calls();
    shim.send(post(path, lines, "x"));
    wait_until("it is counted", || stats.counts().calls() > before);
}

fn delivery(id: &str) -> String {
    format!("X-GitHub-Delivery: {id}\r\nX-GitHub-Event: push\r\n")
}

/// What stands between tags, in its order.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Vec<&'t str> {
    let parts = text.split(start).skip(1);
    parts.map(|part| part.split(end).next().unwrap()).collect()
}

fn plugins(page: &str) -> Vec<&str> {
    between(page, "<th scope=\"rowgroup\" colspan=\"5\">", "</th>")
}

#[test]
fn a_webhook_has_one_row_below_its_plugin_and_failures_come_first() {
    let agent = agent();
    let shim = Shim::start(agent.address, &map(), "");
    call(&shim, "/calm", &delivery("d-1"));
    call(&shim, "/calm/too", &delivery("d-2"));
    call(&shim, "/bad", &delivery("d-3"));
    let (status, page) = fetch(&shim, "/");
    assert_eq!(status, 200);
    assert_eq!(plugins(&page), ["bad.b", "calm.a", "quiet.a"]);
    let rows: Vec<_> = page.split("<tr class=\"webhook\">").skip(1).collect();
    assert_eq!(rows.len(), 4);
    let bad = rows[0];
    for part in [
        "/plugins/bad.b/x",
        "<code>/bad</code>",
        "<span class=\"tag failing\">failing</span>",
        "<div class=\"failure\">",
        "<code>d-3</code>",
        ">just now</time>",
        "The plugin answered",
    ] {
        let part = part.replace('/', "&#x2f;").replace("<&#x2f;", "</");
        assert!(bad.contains(&part), "{part} is missing in\n{bad}");
    }
    // Both old URLs in the row of their webhook, and the calls of both, the last first.
    let calm = rows.iter().find(|row| row.contains("d-1")).unwrap();
    assert_eq!(between(calm, "<li><code>", "</code>").len(), 2, "{calm}");
    assert!(calm.find("d-2").unwrap() < calm.find("d-1").unwrap());
    assert_eq!(between(calm, "data-label=\"Calls\">", "<"), ["2"]);
    let other = rows.iter().find(|row| row.contains("a&#x2f;y")).unwrap();
    assert_eq!(between(other, "data-label=\"Calls\">", "<"), ["0"]);
}

#[test]
fn what_is_shown_and_its_order_are_in_the_address() {
    let agent = agent();
    let shim = Shim::start(agent.address, &map(), "");
    call(&shim, "/calm", &delivery("d-1"));
    call(&shim, "/bad", &delivery("d-3"));
    let shown = |path: &str| {
        let (status, page) = fetch(&shim, path);
        assert_eq!(status, 200, "{path}");
        let plugins = plugins(&page).into_iter();
        plugins.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(shown("/?show=failing"), ["bad.b"]);
    assert_eq!(shown("/?show=unused"), ["quiet.a", "calm.a"]);
    assert_eq!(shown("/?show=retirable"), [""; 0]);
    assert_eq!(shown("/?q=D-1"), ["calm.a"]);
    assert_eq!(shown("/?q=%2Fquiet"), ["quiet.a"]);
    assert_eq!(shown("/?q=127.0.0.1"), ["bad.b", "calm.a"]);
    assert_eq!(shown("/?sort=plugin"), ["bad.b", "calm.a", "quiet.a"]);
    assert_eq!(shown("/?sort=silence")[0], "quiet.a");
    // Whatever somebody has typed.
    for odd in [
        "/?show=x&sort=y&page=z",
        "/?q=%ff%fe",
        "/?&&==&q",
        "/?page=99",
    ] {
        assert_eq!(shown(odd).is_empty(), odd.contains("%ff"), "{odd}");
    }
    let (_, page) = fetch(&shim, "/?lang=zh&show=failing&refresh=1");
    for part in [
        "<html lang=\"zh-CN\">",
        "失败优先",
        "<input type=\"hidden\" name=\"lang\" value=\"zh\">",
        "<meta http-equiv=\"refresh\" content=\"30\">",
        "<option value=\"failing\" selected>",
        "lang=en",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert!(!fetch(&shim, "/").1.contains("http-equiv"));
}

#[test]
fn a_long_map_has_several_pages() {
    let agent = agent();
    let map: String = (0..450)
        .map(|n| {
            let path = format!("/o/{n}");
            route(
                &format!("a.p{}", n / 7),
                &format!("/plugins/a.p/{n}"),
                &[&path],
            )
        })
        .collect();
    let shim = Shim::start(agent.address, &map, "");
    let rows = |path: &str| {
        let (_, page) = fetch(&shim, path);
        between(&page, "<tr class=\"webhook\">", "</tr>").len()
    };
    assert_eq!(
        [rows("/"), rows("/?page=2"), rows("/?page=3")],
        [200, 200, 50]
    );
    assert_eq!(rows("/?page=4"), 50);
    let (_, page) = fetch(&shim, "/?page=2");
    assert_eq!(
        between(&page, "rel=\"next\" href=\"", "\""),
        ["&#x2f;?page=3"]
    );
    assert_eq!(between(&page, "rel=\"prev\" href=\"", "\""), ["&#x2f;"]);
}

#[test]
fn the_page_needs_nobody_else_and_betrays_nothing() {
    let agent = agent();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "hunter2hunter2").unwrap();
    let config = format!(
        "[[route]]\nplugin = \"calm.a\"\n[[route.auth]]\nkind = \"bearer\"\nsecret_file = {:?}\n",
        secret.path()
    );
    let shim = Shim::start(agent.address, &map(), &config);
    call(
        &shim,
        "/calm?token=hunter3",
        "Authorization: Bearer hunter2hunter2\r\n",
    );
    call(
        &shim,
        "/calm?token=hunter3",
        "Authorization: Bearer hunter4\r\n",
    );
    let evil = "X-GitHub-Delivery: <script>alert(1)</script>\"'\r\nX-GitHub-Event: <img src=x>\r\n\
                User-Agent: <b onclick=x>\r\n";
    call(&shim, "/bad", evil);
    let (_, page) = fetch(&shim, "/?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27");
    assert!(page.contains("value=\"&lt;script&gt;alert(1)"), "{page}");
    assert_eq!(plugins(&page), ["bad.b"]);
    for path in ["/", "/api/webhooks", "/api/routes", "/?lang=zh"] {
        let (_, body) = fetch(&shim, path);
        assert!(!body.contains("hunter"), "{path}: {body}");
    }
    let (_, page) = fetch(&shim, "/");
    for tag in [
        "<script", "<img", "<b on", " src=\"", "url(", "@import", "<link", "https:",
    ] {
        assert!(!page.contains(tag), "{tag}\n{page}");
    }
    let refused = "1 refused since a call was last let in";
    assert!(
        page.contains(refused) && page.contains("tag refusing"),
        "{page}"
    );
    // Over a socket, with what a browser is told.
    let mut stream = connect(shim.admin);
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", shim.admin);
    stream.write_all(request.as_bytes()).unwrap();
    let reply = read_message(&mut stream, false).unwrap();
    let policy = reply.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
}

/// Behind a shared URL the plugin that failed is the one that is failing.
#[test]
fn a_failure_counts_against_the_plugin_that_failed() {
    let agent = agent();
    let map = [
        route("calm.a", "/plugins/calm.a/x", &["/shared"]),
        route("bad.b", "/plugins/bad.b/x", &["/shared", "/bad"]),
    ]
    .concat();
    let shim = Shim::start(agent.address, &map, "");
    call(&shim, "/shared", &delivery("d-1"));
    let webhooks = || -> Value {
        let (_, body) = fetch(&shim, "/api/webhooks");
        serde_json::from_str(&body).unwrap()
    };
    let value = webhooks();
    let (calm, bad) = (&value["webhooks"][0], &value["webhooks"][1]);
    assert_eq!(
        (&calm["state"], &calm["failures"]),
        (&"in_use".into(), &0.into())
    );
    assert_eq!(
        (&bad["state"], &bad["failures"]),
        (&"failing".into(), &1.into())
    );
    assert_eq!(bad["last_failure"]["delivery"], "d-1");
    assert_eq!(calm["urls"][0]["shared"], true);
    assert_eq!(calm["last_calls"][0]["legacy"], "/shared");
    // Nobody has called it for a month.
    let since = &shim.state.registry.counted_since;
    since.fetch_sub(31 * 86_400, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(webhooks()["webhooks"][1]["urls"][1]["can_be_retired"], true);
    assert_eq!(webhooks()["webhooks"][1]["state"], "failing");
}
