"""Plugins that were changed by hand after their migration, or whose lines are reached in ways that
do not count: what `rehook verify` holds of each, and which changed lines it names."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import template
from program import migrated, run

from _rehook_runner.coverage import line_diff

HEAD = (
    """import functools
import hashlib

from nekro_agent.api import core, message
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
from nekro_agent.api.schemas import AgentCtx, WebhookRequest

"""
    + template.HEAD
    + template.CONFIG
    + """    LABEL: str = "label"


def is_rare(value):
    return hashlib.sha256(str(value).encode()).hexdigest().startswith("0000000")
"""
)

GUARD = """

def guard(handler):
    async def inner(_ctx: AgentCtx):
        if is_rare(_ctx.webhook_request.body):
            await handler(_ctx)

    return inner
"""

WRAPPING = GUARD.replace("    async def", "    @functools.wraps(handler)\n    async def")

HOOK = """

@plugin.mount_webhook_method("{name}", "hook")
async def hook(_ctx: AgentCtx):
    body = _ctx.webhook_request.body
    core.logger.info("done")
"""


@dataclass
class Edited:
    """A plugin, what is changed of it once it is migrated, and what is to be said of it."""

    name: str
    text: str
    # What is replaced, and by what.
    edit: tuple[str, str] = ("", "")
    verdict: str = "not_covered"
    # The changed lines that are named, of the handler before and elsewhere.
    open: list[str] = field(default_factory=list)
    # Another module; with it, the plugin is a package.
    helper: str = ""

    def paths(self, folder: Path) -> list[Path]:
        if not self.helper:
            return [folder / f"{self.name}.py"]
        return [folder / self.name / name for name in ("__init__.py", "helper.py")]


RARE = '    if is_rare(body):\n        core.logger.info("rare")\n'
DONE = '    core.logger.info("done")\n'
NOTIFY = """

def notify(value):
    if is_rare(value):
        core.logger.info("come")
"""
NOTIFIES = HOOK.replace(DONE, "    notify(body)\n" + DONE)

EDITED = [
    Edited("kept", HOOK, verdict="same"),
    Edited("changed_and_run", HOOK, (DONE, DONE.replace(")\n", ")  # so\n")), "same"),
    Edited("inserted", HOOK, (DONE, RARE + DONE), open=['core.logger.info("rare")']),
    Edited(
        "helper_changed",
        NOTIFY + NOTIFIES,
        ('"come"', '"gone"'),
        open=['core.logger.info("come")', 'core.logger.info("gone")'],
    ),
    Edited(
        "helper_migrated",
        NOTIFY.replace('"come"', "plugin.config.LABEL") + NOTIFIES,
        open=[
            "core.logger.info(plugin.config.LABEL)",
            "core.logger.info(plugin.get_config().LABEL)",
        ],
    ),
    Edited(
        "module_changed",
        "\n\nfrom .helper import is_odd\n" + HOOK.replace(DONE, "    is_odd(body)\n" + DONE),
        ("return False", "return 0"),
        open=["return False", "return 0"],
        helper="def is_odd(value):\n    if value:\n        return True\n    elif value is plugin:\n"
        "        return False\n\n\nplugin = object()\n",
    ),
    Edited(
        "text_of_several_lines",
        HOOK.replace(DONE, '    if is_rare(body):\n        core.logger.info("""a\n        b""")\n'),
        ("        b", "        c"),
        open=['core.logger.info("""a', 'core.logger.info("""a'],
    ),
    Edited(
        "for_another_purpose",
        """

@plugin.mount_init_method()
async def start():
    core.logger.info("started")
    if is_rare(""):
        core.logger.info("come")
"""
        + HOOK,
        ('"come"', '"gone"'),
        "same",
    ),
    Edited(
        "registered_in_a_function",
        """

@plugin.mount_init_method()
async def start():
    @plugin.mount_webhook_method("{name}", "hook")
    async def hook(_ctx: AgentCtx):
        core.logger.info("done")
""",
        verdict="same",
    ),
    Edited("not_wrapped", GUARD + HOOK.replace("async", "@guard\nasync")),
    Edited(
        "not_wrapped_and_changed",
        GUARD + HOOK.replace("async", "@guard\nasync").replace('"done"', "plugin.config.LABEL"),
        open=[
            "core.logger.info(plugin.config.LABEL)",
            "core.logger.info(plugin.get_config().LABEL)",
        ],
    ),
    Edited(
        "on_one_line",
        WRAPPING
        + '\n\n@plugin.mount_webhook_method("{name}", "hook")\n@guard\n'
        + 'async def hook(_ctx: AgentCtx): core.logger.info("done")\n',
    ),
    Edited(
        "on_one_line_and_run",
        "\n\ndef label(): return plugin.config.LABEL\n"
        + '\n\n@plugin.mount_webhook_method("{name}", "hook")\n'
        + "async def hook(_ctx: AgentCtx): core.logger.info(label())\n",
        verdict="same",
    ),
    Edited(
        "helper_on_one_line",
        "\n\ndef notify(value): return plugin.config.LABEL\n"
        + HOOK.replace(DONE, "    if is_rare(body):\n        notify(body)\n"),
        open=[
            "def notify(value): return plugin.config.LABEL",
            "def notify(value): return plugin.get_config().LABEL",
        ],
    ),
    Edited(
        "run_while_loaded",
        WRAPPING
        + HOOK.replace("async", "@guard\nasync")
        + """

@plugin.mount_init_method()
async def start():
    request = WebhookRequest(headers={{}}, body={{}})
    await hook.__wrapped__(await AgentCtx.create_by_webhook(request))
""",
    ),
    Edited("long_table", HOOK + "\n\nTABLE = [\n" + "    0,\n" * 4000 + "]\n", verdict="same"),
    Edited(
        "two",
        HOOK + HOOK.replace('("{name}"', '("{name}-other"').replace("hook(", "other("),
        (DONE, RARE + DONE),
        open=['core.logger.info("rare")'],
    ),
]


def edits(agent: str, scratch: Path) -> list[str]:
    """All of them in one run."""
    folder = scratch / f"{agent}-edits"
    folder.mkdir()
    before: dict[Path, list[str]] = {}
    for plugin in EDITED:
        texts = [(HEAD + plugin.text).format(name=plugin.name), plugin.helper]
        for path, text in zip(plugin.paths(folder), texts, strict=False):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            before[path.relative_to(folder)] = text.splitlines()
    migrated(folder)
    for plugin in EDITED:
        for path in plugin.paths(folder):
            # In the last place that it is: an earlier one may be another webhook's.
            start, found, end = path.read_text().rpartition(plugin.edit[0] or "\0")
            path.write_text(start + (plugin.edit[1] if found else "") + end)
    _, result, messages = run(folder, agent)
    wrong = []
    for plugin in EDITED:
        about = {
            one["endpoint"]: one
            for one in result["webhooks"]
            if one["plugin"] == f"dev.{plugin.name}" and one["run"]
        }
        # Only the last of several webhooks is changed.
        verdicts = [one["verdict"] for one in about.values()]
        expected = [*["same"] * (len(verdicts) - 1), plugin.verdict]
        named = []
        for one in about.values():
            path = Path(one["run"]["path"])
            named += [before[path][line - 1].strip() for line in one["run"]["uncovered"]]
            for lines in one["run"]["uncovered_elsewhere"]:
                path = Path(lines["path"])
                text = (folder / path).read_text().splitlines()
                text = before[path] if lines["side"] == "old" else text
                named += [text[line - 1].strip() for line in lines["lines"]]
        good = verdicts == expected and verdicts and sorted(named) == sorted(plugin.open)
        print(f"verify on {agent}: edited, {plugin.name}: {'; '.join(verdicts)}")
        if not good:
            wrong.append(f"{plugin.name}: {verdicts} instead of {expected}; {named}\n{messages}")
    return wrong


OTHER_MODULE = """from nekro_agent.api import core
from nekro_agent.api.schemas import AgentCtx

from . import plugin


@plugin.mount_webhook_method("context", "hook")
async def context(_ctx: AgentCtx):
    core.logger.info("done")
"""

REQUEST_MODULE = """from fastapi import Request

from . import plugin


@plugin.mount_webhook_method("/request", "hook")
async def request(request: Request):
    return {"n": 1}, 201
"""


def a_part(agent: str, scratch: Path) -> list[str]:
    """One file of a package: what is around the handlers of others is not asked for."""
    folder = scratch / f"{agent}-part"
    package = folder / "parts"
    package.mkdir(parents=True)
    text = HEAD.format(name="parts") + "\n\nfrom . import first, second\n"
    (package / "__init__.py").write_text(text)
    (package / "first.py").write_text(OTHER_MODULE)
    (package / "second.py").write_text(REQUEST_MODULE)
    migrated(folder)
    wrong = []
    for path, expected in (("parts/first.py", 1), ("parts/second.py", 1), (".", 2)):
        code, result, messages = run(folder, agent, places=[path])
        verdicts = [one["verdict"] for one in result["webhooks"]]
        print(f"verify on {agent}: {path} of a package: {', '.join(verdicts)}")
        if verdicts != ["same"] * expected:
            wrong.append(f"{path}: exit code {code}, {result['webhooks']}\n{messages}")
    return wrong


def differing_lines() -> list[str]:
    """Which lines of two texts differ: what is left must be the same, however long they are."""
    chance = random.Random(1)
    zero = [b"0"]
    pairs = [
        ([b"a"] + zero * 100_000 + [b"b"] + zero, [b"c"] + zero * 90_000 + [b"d"] + zero * 20_000),
        (zero * 100_000, [b"a", b"0"] * 50_000),
    ]
    for _ in range(500):
        old = [chance.choice("abcdefgh").encode() for _ in range(chance.randrange(20))]
        new = [line for line in old if chance.random() > 0.2]
        new.insert(chance.randrange(len(new) + 1), b"z")
        pairs.append((old, new))
    wrong = []
    for old, new in pairs:
        removed, added = line_diff.lines(old, new)
        left = [line for number, line in enumerate(old, 1) if number not in removed]
        right = [line for number, line in enumerate(new, 1) if number not in added]
        if left != right:
            wrong.append(f"what does not differ of {old[:20]} and {new[:20]} is not the same")
    return wrong
