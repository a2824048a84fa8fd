//! The parts that a pass plans its files in never show.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::stack::with_parser_stack;
use super::*;

const ROOT: &str = "/nowhere";

fn made(name: &str, key: &str) -> String {
    format!(
        "plugin = NekroPlugin(name='{name}', module_name='{key}', description='', version='', \
         author='author', url='')\n"
    )
}

fn registered(endpoint: &str, handler: &str) -> String {
    format!(
        "\n\n@plugin.mount_webhook_method('{endpoint}', name='')\n\
         async def {handler}(request: Request):\n    return {{}}, 201\n"
    )
}

/// `count` plugins, a multiple of 12, of one file each that have to do with others, near and far: each `kind` of them comes again and
/// again, so that no batch has all of what belongs together.
fn files(count: usize) -> BTreeMap<PathBuf, Arc<[u8]>> {
    const HEAD: &str =
        "from fastapi import Request\nfrom nekro_agent.api.plugin import NekroPlugin\n";
    let mut files = BTreeMap::new();
    let mut add = |name: String, text: String| {
        files.insert(Path::new(ROOT).join(name), text.into_bytes().into());
    };
    let shared = made("shared", "shared");
    add(
        "core.py".into(),
        format!("{HEAD}ENDPOINT = 'core'\n{shared}"),
    );
    for number in 0..count {
        let name = format!("p_{number:04}");
        // One of another batch that has a plugin and a handler of its own.
        let of_kind = [0, 9, 0, 10, 11, 9, 0, 10].get(number % 12).unwrap_or(&0);
        let far = (number / 12 * 12 + count / 24 * 12 + of_kind) % count;
        let other = format!("p_{far:04}");
        let hook = registered(&format!("hook_{number}"), "handle");
        let own = made(&name, &name);
        let text = match number % 12 {
            // On the plugin of another module, which registers nothing itself.
            0 => format!("from core import plugin\n{hook}"),
            // On the plugin of a module that registers some, too.
            1 => format!("from {other} import plugin\n{hook}"),
            // The same key as others have, and at one of them the same path.
            2 => format!("{}{}", made(&name, "twice"), registered("twice", "handle")),
            // A handler of another file.
            3 => format!(
                "from {other} import handle\n{own}plugin.mount_webhook_method('far', '')(handle)\n"
            ),
            // A router for the plugin of another file.
            4 => format!(
                "from fastapi import APIRouter\nfrom {other} import plugin as far\n{own}{hook}\n\n\
                 @far.mount_router()\ndef routes():\n    return APIRouter()\n"
            ),
            // Nobody knows the endpoint, which may be one of another file.
            5 => format!(
                "import sys\nfrom {other} import plugin\n{}",
                registered("x", "handle").replace("'x'", "sys.argv[1]")
            ),
            // It cannot be read.
            6 => format!("{own}{hook}def (\n"),
            // A use of a handler of another file, which is therefore looked at at run time.
            7 => format!(
                "import {other}\n{own}{hook}\n\nasync def use():\n    return await {other}.handle(None)\n"
            ),
            // A comment that says nothing.
            8 => format!("{own}{hook}# rehook: ignore[RH0]\n"),
            _ => format!("from core import ENDPOINT\n{own}{hook}"),
        };
        add(format!("{name}.py"), format!("{HEAD}{text}"));
    }
    files
}

fn shown(files: &Arc<BTreeMap<PathBuf, Arc<[u8]>>>, size: usize) -> String {
    let layers = vec![files.clone()];
    let paths = files.keys().cloned().collect();
    let options = PlanOptions::default();
    let pass = Pass::in_batches_of(size, Path::new(ROOT), OverlayFs { layers }, paths, options);
    let Plan {
        files,
        webhooks,
        diagnostics,
        suppressed,
        counts,
        ..
    } = &pass.plan;
    let (broken, found_nothing) = (&pass.broken, pass.found_nothing);
    format!(
        "{files:#?}{webhooks:#?}{diagnostics:#?}{suppressed}{counts:?}{broken:#?}{found_nothing}"
    )
}

#[test]
fn batches_of_any_size_give_the_plan_of_all_files_at_once() {
    with_parser_stack(|| {
        // More than fit into two batches.
        let files = Arc::new(files((2 * SIZE).next_multiple_of(12) + 12));
        let whole = shown(&files, usize::MAX);
        for says in [
            "201",
            "SharedKey",
            "EndpointsCollide",
            "UnknownOrder",
            "Syntax",
        ] {
            assert!(whole.contains(says), "{says}");
        }
        for size in [1, 7, SIZE] {
            let in_batches = shown(&files, size);
            let differs = whole.lines().zip(in_batches.lines()).find(|(a, b)| a != b);
            assert!(whole == in_batches, "batches of {size}: {differs:#?}");
        }
    })
    .unwrap();
}
