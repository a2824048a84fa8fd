//! What holds for any input: of edits, of whole files, and of bytes that nobody meant to be Python.
//!
//! `PROPTEST_CASES` sets how many inputs are tried; CI uses the default of the library, 256.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;
use rehook::migrate::diagnostic::Code;
use rehook::migrate::diff;
use rehook::migrate::edit::{ByteRange, EditSet, TextEdit};
use rehook::migrate::pipeline::plan_of_files;
use rehook::migrate::plan::{Action, Plan, PlanOptions};
use rehook::migrate::python::parse::{Module, STACK_SIZE};
use rehook::migrate::python::tokens::TokenKind;
use rehook::migrate::source::SourceFile;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// ---------------------------------------------------------------- edits

/// A text, and edits of it that do not overlap: each a range in characters and its replacement.
fn text_and_edits() -> impl Strategy<Value = (String, Vec<TextEdit>)> {
    let pieces =
        prop::collection::vec(("[a-zé中\n]{0,6}", "[a-zé中\n]{0,6}", any::<bool>()), 1..12);
    pieces.prop_map(|pieces| {
        let mut text = String::new();
        let mut edits = Vec::new();
        for (kept, changed, replace) in pieces {
            text.push_str(&kept);
            // At least one character apart, since two edits of one place are put in order.
            text.push('|');
            let start = text.len();
            text.push_str(&changed);
            let new = if replace { "NEW" } else { "" };
            if replace || !changed.is_empty() {
                edits.push(TextEdit::replacement(
                    ByteRange::new(start, text.len()),
                    new,
                ));
            }
        }
        (text, edits)
    })
}

fn set_of<'a>(edits: impl IntoIterator<Item = &'a TextEdit>) -> EditSet {
    let mut set = EditSet::new();
    for edit in edits {
        set.push(edit.clone()).expect("they do not overlap");
    }
    set
}

/// The parts of `text` outside of `edits`, which are in order.
fn outside<'t>(text: &'t str, edits: &[TextEdit]) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut at = 0;
    for edit in edits {
        parts.push(&text[at..edit.range().start()]);
        at = edit.range().end();
    }
    parts.push(&text[at..]);
    parts
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn text_outside_of_edits_survives((text, edits) in text_and_edits()) {
        let new = set_of(&edits).apply(&text).expect("they fit the text");
        let mut expected = String::new();
        let mut replacements = edits.iter();
        for part in outside(&text, &edits) {
            expected.push_str(part);
            expected.push_str(replacements.next().map_or("", TextEdit::text));
        }
        prop_assert_eq!(new, expected);
    }

    #[test]
    fn the_order_in_which_edits_are_made_does_not_matter(
        (text, edits) in text_and_edits(),
        order in any::<prop::sample::Selector>(),
    ) {
        let mut shuffled: Vec<&TextEdit> = Vec::new();
        let mut rest: Vec<&TextEdit> = edits.iter().collect();
        while !rest.is_empty() {
            let chosen = order.select(0..rest.len());
            shuffled.push(rest.remove(chosen));
        }
        prop_assert_eq!(set_of(shuffled).apply(&text), set_of(&edits).apply(&text));
    }

    #[test]
    fn edits_of_the_same_bytes_are_refused(
        start in 0usize..20,
        length in 1usize..20,
        into in 0usize..20,
        other in 1usize..20,
    ) {
        let mut set = EditSet::new();
        set.push(TextEdit::replacement(ByteRange::new(start, start + length), "")).expect("the first");
        let inside = start + into % length;
        let second = TextEdit::replacement(ByteRange::new(inside, inside + other), "");
        prop_assert!(set.push(second).is_err());
    }
}

// ---------------------------------------------------------------- whole files

/// Files in memory, below the folder `/repo`.
#[derive(Clone, Default)]
struct Sources(BTreeMap<PathBuf, Vec<u8>>);

impl Sources {
    fn one(bytes: &[u8]) -> Self {
        Self(BTreeMap::from([(
            PathBuf::from("/repo/p.py"),
            bytes.to_vec(),
        )]))
    }

    /// The same files, with what the plan changes changed.
    fn after(&self, plan: &Plan) -> Self {
        let mut files = self.0.clone();
        for file in &plan.files {
            files.insert(file.path.clone(), file.after.to_vec());
        }
        Self(files)
    }
}

/// What a pass over the files gives: the plan, and how many files could not be read.
fn pass(sources: &Sources) -> (Plan, usize) {
    let root = Path::new("/repo");
    let (plan, broken) = plan_of_files(root, sources.0.clone(), PlanOptions::default());
    let is_at_fault = plan.webhooks.iter().any(|webhook| match &webhook.action {
        Action::ByHand(diagnostic) => diagnostic.code() == Code::OwnFault,
        _ => false,
    });
    assert!(!is_at_fault, "what a rule makes fits together");
    (plan, broken.len())
}

/// Runs `check` where trees of any depth can be walked: on the pool that the program uses, too.
fn deep<T: Send>(check: impl FnOnce() -> T + Send) -> T {
    static POOL: OnceLock<rayon::ThreadPool> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let builder = rayon::ThreadPoolBuilder::new().stack_size(STACK_SIZE);
        builder.build().expect("threads can be made")
    });
    pool.install(check)
}

/// The comments of a file, in order.
fn comments(text: &[u8]) -> Vec<String> {
    let source = SourceFile::from_bytes(Path::new("p.py"), text.to_vec()).expect("readable");
    let module = Module::parse(source).expect("valid Python");
    let comments = module
        .tokens()
        .all()
        .iter()
        .filter(|t| t.kind == TokenKind::Comment);
    comments
        .map(|token| module.source().slice(token.range).trim_end().to_owned())
        .collect()
}

/// Checks what holds for every plan.
fn holds(sources: &Sources) -> TestCaseResult {
    let (plan, broken) = pass(sources);
    prop_assert_eq!(plan.counts.unaccounted(), 0);
    for file in &plan.files {
        prop_assert!(
            !file.edits.is_empty(),
            "a file without edits is in the plan"
        );
        // The bytes outside of the edits are what they were.
        let edits: Vec<TextEdit> = file.edits.iter().cloned().collect();
        let mut rest = file.text_after();
        for (part, edit) in outside(file.text_before(), &edits).iter().zip(&edits) {
            let after = rest
                .strip_prefix(part)
                .and_then(|rest| rest.strip_prefix(edit.text()));
            prop_assert!(after.is_some(), "text outside of the edits is changed");
            rest = after.unwrap_or_default();
        }
        prop_assert!(file.text_before().ends_with(rest));
        prop_assert_eq!(
            comments(&file.before),
            comments(&file.after),
            "comments are lost"
        );
        let change = diff::Change {
            path: Path::new("p.py"),
            before: Some(&file.before),
            after: &file.after,
        };
        prop_assert!(!diff::unified(change).is_empty());
    }
    let after = sources.after(&plan);
    let (again, broken_after) = pass(&after);
    prop_assert_eq!(broken_after, broken, "the result is no valid Python");
    prop_assert!(again.files.is_empty(), "a second run changes something");
    Ok(())
}

/// The source of a plugin, put together from forms that authors use.
fn plugin() -> impl Strategy<Value = String> {
    (
        select(HEADS),
        select(IMPORTS),
        select(PLUGINS),
        select(MOUNTS),
        prop::collection::vec((select(DECORATORS), select(HANDLERS), select(BODIES)), 0..5),
        select(TAILS),
    )
        .prop_map(|(head, imports, plugin, mount, handlers, tail)| {
            let mut text = format!("{head}{imports}{plugin}{mount}");
            for (number, (decorator, handler, body)) in handlers.into_iter().enumerate() {
                let endpoint = format!("e{number}");
                text += "\n\n";
                text += &decorator.replace("ENDPOINT", &endpoint);
                text += &handler.replace("NAME", &format!("handle_{number}"));
                text += body;
            }
            text + tail
        })
}

const HEADS: &[&str] = &[
    "",
    "\"\"\"A plugin.\"\"\"\n\n",
    "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# 版权\n\n",
    "# head\nfrom __future__ import annotations\n\n",
];

const IMPORTS: &[&str] = &[
    "from fastapi import Request  # req\nfrom nekro_agent.api.plugin import NekroPlugin\nfrom nekro_agent.api.schemas import AgentCtx\n\n",
    "from typing import TYPE_CHECKING\n\nfrom nekro_agent.api.plugin import NekroPlugin\n\nif TYPE_CHECKING:\n    # for checkers\n    from fastapi import Request\n    from nekro_agent.api.schemas import AgentCtx\n\n",
    "import json\nfrom fastapi import (\n    HTTPException,  # errors\n    # above\n    Request,\n)\nfrom nekro_agent.api.plugin import (NekroPlugin)\nfrom nekro_agent.api.schemas import *\n",
    "import fastapi\nfrom fastapi import Request; from nekro_agent.api.plugin import NekroPlugin\n",
    "from nekro_agent.api.plugin import *\nfrom fastapi import *\n",
];

const PLUGINS: &[&str] = &[
    "plugin = NekroPlugin(\n    name=\"N\",\n    module_name=\"n\",  # the module\n    description=\"d\",\n    version=\"1\",\n    author=\"a\",\n    url=\"u\",\n)\n",
    "plugin = NekroPlugin('N', 'n', 'd', '1', 'a', 'u')  # one line\n# below\nx = 1\n",
    "router = JSONResponse = body = 1\nplugin: NekroPlugin = NekroPlugin(name=\"N\", module_name=\"n\", description=\"d\", version=\"1\", author=\"a\", url=\"u\"); y = 2\n",
    "try:\n    plugin = NekroPlugin(name=\"N\", module_name=\"n\", description=\"d\", version=\"1\", author=\"a\", url=\"u\")\nfinally:\n    pass\n",
];

const MOUNTS: &[&str] = &[
    "",
    "from fastapi import APIRouter  # late\n\nrouter = APIRouter()\n\n\n@plugin.mount_router()\ndef create_router():\n    return router  # mine\n",
    "\n\n@plugin.mount_router()\ndef make():\n    import fastapi\n    # local\n    local = fastapi.APIRouter()  # here\n    return local\n",
];

const DECORATORS: &[&str] = &[
    "@plugin.mount_webhook_method(\"/ENDPOINT\", \"A name\")\n",
    "@plugin.mount_webhook_method(  # open\n    endpoint=\"/ENDPOINT\",  # the endpoint\n    # the name\n    name=\"名\",\n    description='d'  # no comma\n    # last\n)  # close\n# between\n",
    "# above\n@plugin.mount_webhook_method('ENDPOINT', name='n', description='''several\nlines''',)  # noqa: E501\n",
    "@plugin \\\n    .mount_webhook_method(\"/ENDPOINT\" \\\n    , \"n\")\n",
    "@(plugin.mount_webhook_method((\"/ENDPOINT\")))\n",
    "@plugin.mount_webhook_method(f\"/{'ENDPOINT'}\", \"x\", \"y\")\n@plugin.mount_webhook_method(\"/ENDPOINT/two\", \"second\")\n",
    "@plugin.mount_webhook_method(f\"/{f\"ENDPOINT\"}\", unknown)\n",
    "",
];

const HANDLERS: &[&str] = &[
    "async def NAME(request: Request):\n",
    "async def NAME(_ctx: AgentCtx) -> None:  # context\n",
    "async def NAME(request: \"Request\", *, size: int = 1) -> tuple[dict, int]:\n",
    "async def NAME(  # parameters\n    request: Request,  # the request\n):  # end\n    # before all\n",
    "async def NAME(data):\n",
    "def NAME(request: Request):\n",
];

const BODIES: &[&str] = &[
    "    return {\"a\": 1}, 201  # created\n",
    "    # first\n    if request.method == 'GET': return {}, 404  # one line\n    return ({'a': request.method}, 200) if request else ({}, 400)\n",
    "    return {\n        \"a\": 1,  # one\n        # two\n    }, 202  # accepted\n",
    "    return (  # open\n        # body\n        {\"a\": x}  # x\n        ,  # comma\n        201  # status\n        # end\n    )  # close\n",
    "    return\"text\", 200\n",
    "    return(await request.json(), 200)\n",
    "    def inner():\n        return 1, 2  # not a reply\n    return inner()\n",
    "    return f\"{request.method!r:>{10}}\", 200, {\"X\": f\"{f\"a\"}\"}\n",
    "    return None, 204  # empty\n",
    "    return {\"a\": 1}, \\\n        201\n",
    "    data = _ctx.webhook_request.body  # body\n    return data\n",
    "    try: return 1, 200\n    except ValueError: return 2, 500\n    finally: pass\n",
    "    '''docs'''\n    x = 1; return x, 299;  # done\n",
    "    yield 1\n",
];

const TAILS: &[&str] = &[
    "",
    "# the end\n",
    "\n\nprint('mount_webhook_method')  # a string\n",
];

/// The line ends of a source, and how it ends.
fn variant(text: &str, line_end: &str, final_newline: bool) -> String {
    let text = if final_newline {
        text
    } else {
        text.trim_end_matches('\n')
    };
    text.replace('\n', line_end)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_plugin_is_changed_as_promised(source in plugin()) {
        deep(|| holds(&Sources::one(source.as_bytes())))?;
    }

    #[test]
    fn a_file_without_webhooks_is_left_alone(source in plugin()) {
        let source = source.replace("mount_webhook_method", "mount_sandbox_method");
        let (plan, _) = deep(|| pass(&Sources::one(source.as_bytes())));
        prop_assert!(plan.files.is_empty());
        prop_assert!(plan.webhooks.is_empty());
    }

    #[test]
    fn line_ends_do_not_change_what_is_done(source in plugin(), line_end in select(&["\r\n", "\r"][..])) {
        let after = |text: &str| {
            let sources = Sources::one(text.as_bytes());
            let (plan, _) = pass(&sources);
            let changed = sources.after(&plan);
            let text = changed.0.into_values().next().unwrap_or_default();
            String::from_utf8(text).expect("it was UTF-8")
        };
        let (plain, other) = deep(|| (after(&source), after(&variant(&source, line_end, true))));
        let back = other.replace(line_end, "\n");
        prop_assert_eq!(other, plain.replace('\n', line_end), "line ends are mixed");
        prop_assert_eq!(back, plain);
    }

    #[test]
    fn a_missing_last_newline_and_tabs_change_nothing_else(source in plugin(), tabs: bool) {
        let source = variant(&source, "\n", false);
        let source = if tabs { source.replace("    ", "\t") } else { source };
        deep(|| {
            let sources = Sources::one(source.as_bytes());
            holds(&sources)?;
            let (plan, _) = pass(&sources);
            for file in &plan.files {
                prop_assert_eq!(file.after.ends_with(b"\n"), file.before.ends_with(b"\n"));
            }
            Ok(())
        })?;
    }
}

// ---------------------------------------------------------------- any bytes

/// The Python files of the fixtures.
fn fixtures() -> &'static [Vec<u8>] {
    fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "py")
                && let Ok(bytes) = fs::read(&path)
                && bytes.len() < 20_000
            {
                files.push((path, bytes));
            }
        }
    }
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = Vec::new();
        collect(&support::fixtures(), &mut files);
        files.sort();
        files.into_iter().map(|(_, bytes)| bytes).collect()
    })
}

/// A change that somebody's editor, or a broken disk, may make to a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Delete(Index, usize),
    Repeat(Index, usize),
    Insert(Index, &'static str),
    DropLine(Index),
    SwapLines(Index, Index),
    Splice(Index, Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (at(), 1usize..40).prop_map(|(at, length)| Damage::Delete(at, length)),
        (at(), 1usize..40).prop_map(|(at, length)| Damage::Repeat(at, length)),
        (at(), select(TOKENS)).prop_map(|(at, token)| Damage::Insert(at, token)),
        at().prop_map(Damage::DropLine),
        (at(), at()).prop_map(|(a, b)| Damage::SwapLines(a, b)),
        (at(), at(), at()).prop_map(|(file, from, to)| Damage::Splice(file, from, to)),
    ]
}

/// A damaged file, which is shown as it is when it does harm.
struct Damaged(Vec<u8>);

impl std::fmt::Debug for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", String::from_utf8_lossy(&self.0))
    }
}

fn damaged_plugin() -> impl Strategy<Value = Damaged> {
    (any::<Index>(), prop::collection::vec(damage(), 1..6))
        .prop_map(|(file, damages)| damaged(&fixtures()[file.index(fixtures().len())], &damages))
}

fn damaged_form() -> impl Strategy<Value = Damaged> {
    (plugin(), prop::collection::vec(damage(), 1..4))
        .prop_map(|(source, damages)| damaged(source.as_bytes(), &damages))
}

fn damaged(bytes: &[u8], damages: &[Damage]) -> Damaged {
    let mut bytes = bytes.to_vec();
    for damage in damages {
        let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match damage {
            Damage::Flip(at, byte) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            Damage::Delete(at, length) => {
                let at = place(at, &bytes);
                let end = (at + length).min(bytes.len());
                bytes.drain(at..end);
            }
            Damage::Repeat(at, length) => {
                let at = place(at, &bytes);
                let end = (at + length).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(end..end, piece);
            }
            Damage::Insert(at, token) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, token.bytes());
            }
            Damage::DropLine(at) => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
                if !lines.is_empty() {
                    lines.remove(at.index(lines.len()));
                }
                bytes = lines.concat();
            }
            Damage::SwapLines(a, b) => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
                if !lines.is_empty() {
                    let (a, b) = (a.index(lines.len()), b.index(lines.len()));
                    lines.swap(a, b);
                }
                bytes = lines.concat();
            }
            Damage::Splice(file, from, to) => {
                let other = &fixtures()[file.index(fixtures().len())];
                let (from, to) = (place(from, &bytes), place(to, other));
                bytes.truncate(from);
                bytes.extend_from_slice(&other[to..]);
            }
        }
    }
    Damaged(bytes)
}

/// Words and signs of Python, of both APIs, and of the corners of the grammar.
const TOKENS: &[&str] = &[
    "plugin",
    ".",
    "mount_webhook_method",
    "(",
    ")",
    "\"/a\"",
    ",",
    "\"name\"",
    "@",
    "\n",
    "    ",
    "\t",
    "\r",
    "\r\n",
    "\x0c",
    "\\\n",
    "#",
    "# c\n",
    "async ",
    "def ",
    "h",
    ":",
    "return ",
    "return(",
    "201",
    "{",
    "}",
    "[",
    "]",
    "lambda ",
    "if ",
    " else ",
    "for x in y",
    ";",
    "=",
    ":=",
    "*",
    "**",
    "f\"{",
    "}\"",
    "f'",
    "'''",
    "\"\"\"",
    "'",
    "\"",
    "\\N{DASH}",
    "import ",
    "from fastapi import ",
    "Request",
    "AgentCtx",
    "class C:\n",
    "await ",
    "yield ",
    "match x:\n",
    "case _:\n",
    "type X = int\n",
    "é",
    "中",
    "\u{feff}",
    "\u{2028}",
    "\u{a0}",
    "-> int",
    "name=",
    "endpoint=",
    "global plugin\n",
    "plugin = NekroPlugin('N','n','d','1','a','u')\n",
    "router",
    "APIRouter()",
    "mount_router()",
    "plugin.config",
    "context.create_temp_ctx(k)",
    "None",
    ", 204",
    "__all__",
    "pass\n",
    "try:\n",
    "except:\n",
    "finally:\n",
    "with a as b:\n",
    "del plugin\n",
    "\u{0}",
];

/// No bytes may make a stage panic, or make a plan that does not fit together.
fn survives(bytes: &[u8]) -> TestCaseResult {
    let sources = Sources::one(bytes);
    let (plan, _) = pass(&sources);
    prop_assert_eq!(plan.counts.unaccounted(), 0);
    if plan.files.is_empty() {
        return Ok(());
    }
    holds(&sources)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn damaged_plugins_do_no_harm(damaged in damaged_plugin()) {
        deep(|| survives(&damaged.0))?;
    }

    #[test]
    fn damaged_forms_do_no_harm(damaged in damaged_form()) {
        deep(|| survives(&damaged.0))?;
    }

    #[test]
    fn any_tokens_do_no_harm(tokens in prop::collection::vec(select(TOKENS), 0..60)) {
        let text = tokens.concat() + "mount_webhook_method";
        deep(|| survives(text.as_bytes()))?;
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        deep(|| survives(&bytes))?;
    }
}
