"""What is held of plugins: of those in `table.py`, and after slips in what has been migrated."""

import json
import shutil
import sysconfig
from pathlib import Path

from program import migrated, run, said, verify
from table import PLUGINS, named
from template import HOOK

from _rehook_runner.process import landlock

# What slips are made in.
SLIPPING = [
    "plain",
    "signed",
    "signed_bytes",
    "varying_in_number",
    "varying_keys",
    "waits_in_a_thread",
    "does_not_say_which",
]

# Slips in what has been migrated, and the part of the answer that shows them. Each is made in the
# working tree, while the original is in git.
SLIPS = [
    ("status", "status_code=403", "status_code=401", "status"),
    ("body", '"branch": "other"', '"branch": "others"', "body"),
    ("header", '.get("x-signature"', '.get("x-signatures"', "status"),
    ("effect", 'core.logger.info("come")', 'core.logger.info("gone")', "effects"),
    ("text after a token", "} deployed", "} failed", "effects"),
    ("effect beside a thread", 'info("started")', 'info("stopped")', "effects"),
    # Requests that show these get into no other line and show no other kind of effect.
    (
        "half of a condition",
        '.LOUD and status == "fine"',
        ".LOUD",
        "effects",
    ),
    ("long text", "{len(name) if", "{min(len(name), 99) if", "effects"),
    ("value of a key that varies", "uuid4().hex: 1", "uuid4().hex: 2", "body"),
]


def good_and_bad(agent: str, scratch: Path) -> list[str]:
    """All plugins in one run."""
    folder, outside = scratch / f"{agent}-all", scratch / f"{agent}-outside.txt"
    folder.mkdir()
    outside.write_text("mine")
    # Without Python only the system can keep a plugin from it.
    plugins = [one for one in PLUGINS if "without_python" not in one.name or landlock.version()]
    # A module beside a plugin may have the name of one of the runner's.
    (folder / "lines.py").write_text('WORDS = "mine"\n')
    for plugin in plugins:
        text = plugin.text().replace("{outside}", str(outside))
        (folder / f"{plugin.name}.py").write_text(text)
    code, result, messages = run(folder, agent)
    verdicts = said(result)
    wrong = []
    if code != 1:
        wrong.append(f"exit code {code} instead of 1\n{messages}")
    beside = {path.name: path for path in scratch.glob(f"{outside.name}*")}
    is_kept = list(beside) == [outside.name] and outside.read_text() == "mine"
    if not is_kept or (folder / "own.txt").exists():
        wrong.append(f"a plugin has changed a file outside of its folder: {list(beside)}")
    for plugin in plugins:
        key = f"dev.{plugin.name}"
        faults = []
        if verdicts.get(key) != plugin.verdict:
            faults.append(f"{verdicts.get(key)} instead of {plugin.verdict}")
        lines = (folder / f"{plugin.name}.py").read_text().splitlines()
        about = next((one["run"] for one in result["webhooks"] if one["plugin"] == key), None)
        missed = [lines[line - 1].strip() for line in (about or {}).get("missed", [])]
        if missed != plugin.missed:
            faults.append(f"reached by no request: {missed} instead of {plugin.missed}")
        refused = [
            what for one in result["refused"] if one["plugin"] == key for what in one["what"]
        ]
        for what in plugin.refused:
            if what.replace("{outside}", str(outside)) not in refused:
                faults.append(f"not refused: {what}")
        endless = [one["request"] for one in (about or {}).get("endless", [])]
        endless = [(one["about"], json.loads(one["body"])) for one in endless]
        # By what they say: a number that is none is not equal to itself.
        if repr(endless) != repr(plugin.endless):
            faults.append(f"without an end: {endless} instead of {plugin.endless}")
        print(f"verify on {agent}: {plugin.name}: {'; '.join(faults) or plugin.verdict}")
        wrong += faults
    return wrong


def slips(agent: str, scratch: Path) -> list[str]:
    """Plugins that have been migrated, committed before, and changed a little after."""
    wrong = []
    folder = scratch / f"{agent}-slips"
    folder.mkdir()
    for name in SLIPPING:
        plugin = named(name)
        (folder / f"{name}.py").write_text(plugin.text())
    migrated(folder)
    code, result, messages = run(folder, agent)
    if code != 0 or set(said(result).values()) != {"same"}:
        wrong.append(f"what is migrated is not proved: {said(result)} {messages}")
    texts = {path: path.read_text() for path in folder.glob("*.py")}
    for name, old, new, part in SLIPS:
        slipping = [path for path, text in texts.items() if old in text]
        for path in slipping:
            path.write_text(texts[path].replace(old, new))
        # The others are as they were, and each takes its time.
        code, result, _ = run(folder, agent, [path.name for path in slipping])
        for path in slipping:
            path.write_text(texts[path])
        shown = [one["run"]["difference"] for one in result["webhooks"] if one["run"]["difference"]]
        parts = {one["part"] for difference in shown for one in difference["parts"]}
        good = code == 1 and part in parts
        print(f"verify on {agent}: a slip in the {name}: {'shown' if good else 'NOT SHOWN'}")
        if not good:
            wrong.append(f"{name}: exit code {code}, parts {parts}")
    return wrong


def in_chinese(agent: str, scratch: Path) -> list[str]:
    """A difference in a Chinese report: what the request is called is Chinese too, but for what the
    user calls it, also where that is a name which is used here."""
    folder = scratch / f"{agent}-chinese"
    folder.mkdir()
    path = folder / "json_safe.py"
    path.write_text(PLUGINS[0].text())
    migrated(folder)
    path.write_text(path.read_text().replace('"come"', '"gone"'))
    given = scratch / f"{agent}-given.jsonl"
    given.write_text('{"path": "/api/webhook/plain", "about": "null"}\n')
    wrong = []
    for name, arguments in (("没有请求体", []), ("null", ["--requests", str(given)])):
        said = verify(folder, agent, "--lang", "zh", *arguments).stdout
        good = f"能显示差异的最小请求（{name}）：" in said
        print(f"verify on {agent}: called {name} in Chinese: {'shown' if good else 'NOT SHOWN'}")
        if not good:
            wrong.append(f"not called {name}:\n{said}")
    plugin = named("exits_later")
    (folder / "exits_later.py").write_text(plugin.text())
    said = verify(folder, agent, "--lang", "zh", places=["exits_later.py"]).stdout
    good = "结束了进程：退出码 3，当时正在响应 POST 请求（普通请求）\n" in said
    print(f"verify on {agent}: a failure in Chinese: {'so' if good else 'NOT SO'}")
    if not good:
        wrong.append(f"no failure in Chinese:\n{said}")
    return wrong


# What only text that is not UTF-8 shows.
SLIP = '.decode(errors="replace")'


def around(agent: str, scratch: Path) -> list[str]:
    """Two webhooks, of which the second gets a part of the table of bodies while both have the same
    function around them. Then it gets one of its own, whose slip only the rest of the table shows."""
    folder = scratch / f"{agent}-around"
    folder.mkdir()
    path = folder / "json_safe.py"
    path.write_text(PLUGINS[0].text() + HOOK)
    migrated(folder)

    def verdicts() -> tuple[list[str], list[int]]:
        _, result, _ = run(folder, agent)
        found = sorted(result["webhooks"], key=lambda one: one["endpoint"], reverse=True)
        return [one["verdict"] for one in found], [one["run"]["requests"] for one in found]

    wrong = []
    shared, (whole, part) = verdicts()
    text = path.read_text()
    start, end = text.index("def webhook_route("), text.index("@plugin.mount_router()")
    own = text[start:end].replace("webhook_route(", "own_route(").replace(".decode()", SLIP)
    text = text[:end] + own + text[end:]
    path.write_text(text.replace('@webhook_route("/again"', '@own_route("/again"'))
    slipped, _ = verdicts()
    good = shared == ["same", "same"] and part < whole and slipped == ["same", "differs"]
    print(f"verify on {agent}: a function around a handler of its own: {slipped[1]}")
    if not good:
        wrong.append(f"around: {shared}, {whole} and {part} requests; with a slip {slipped}")
    return wrong


def one_of_two(agent: str, scratch: Path) -> list[str]:
    """Two webhooks, of which the second ends the process, on both sides or after the migration only:
    the first is proved all the same."""
    folder = scratch / f"{agent}-two"
    folder.mkdir()
    path = folder / "json_safe.py"
    before = PLUGINS[0].text() + HOOK
    line = "core.logger.info(str("
    wrong = []

    def check(what: str, side: str, texts: list[str]) -> None:
        _, result, _ = run(folder, agent)
        verdicts = {one["endpoint"]: one["verdict"] for one in result["webhooks"]}
        failed = [(one["side"], one["endpoints"], one["reason"]) for one in result["failed"]]
        said = str(result["failed"])
        good = (
            verdicts == {"plain": "same", "again": "failed"}
            and failed == [(side, ["again"], "exit")]
            and all(text in said for text in texts)
        )
        print(f"verify on {agent}: one of two ends the process {what}: {failed}")
        if not good:
            wrong.append(f"one of two, {what}: {verdicts}, {said}")

    path.write_text(before.replace(line, "import os; os._exit(3)\n    " + line))
    check("always", "old", ["exit code 3, while it answers POST (a plain request)"])
    path.write_text(before)
    migrated(folder)
    path.write_text(path.read_text().replace(line, "import os; os._exit(3)\n    " + line))
    check("after the migration", "new", ["exit code 3, while it answers POST ("])
    return wrong


def github(agent: str, scratch: Path) -> list[str]:
    """The plugin that the agent comes with."""
    folder = scratch / f"{agent}-github"
    source = Path(sysconfig.get_paths()["purelib"]) / "plugins/builtin/github"
    shutil.copytree(source, folder / "github", ignore=shutil.ignore_patterns("__pycache__"))
    code, result, messages = run(folder, agent)
    one = result["webhooks"][0]
    about = one["run"] or {}
    print(
        f"verify on {agent}: github of the agent: {one['verdict']}, {about.get('requests')} requests, "
        f"{len(about.get('reached', []))} lines reached, {len(about.get('missed', []))} not"
    )
    if code != 0 or one["verdict"] != "same" or not about["reached"]:
        return [f"github: exit code {code}, {one}\n{messages}"]
    return []
