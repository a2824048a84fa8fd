"""Files of requests: those that a user gives, and those that are saved."""

import json
from dataclasses import replace
from pathlib import Path

from program import verify
from table import PLUGINS
from template import HOOK

# Lines of a file of requests that cannot be sent, the reason, and what is said of it.
WRONG_SETTINGS = [
    ({"TIMES": 1, "TIME": 1}, "no_setting", "given.jsonl:2: TIME (its settings are: "),
    ({"TIMES": "often"}, "bad_setting", "given.jsonl:2: TIMES = 'often': Input should be a valid"),
]


def wrong_settings(agent: str, scratch: Path) -> list[str]:
    """A line of the user's file that names a setting or a value that there is not: it is named, and
    the other webhook of the plugin, and other plugins, are verified."""
    folder = scratch / f"{agent}-settings"
    folder.mkdir()
    (folder / "json_safe.py").write_text(PLUGINS[0].text() + HOOK)
    (folder / "other.py").write_text(replace(PLUGINS[0], name="other").text())
    given = folder / "given.jsonl"
    wrong = []
    for settings, reason, text in WRONG_SETTINGS:
        lines = [{"TIMES": 4}, settings]
        lines = [{"path": "/api/webhook/again", "settings": one, "about": "x"} for one in lines]
        given.write_text("\n".join(json.dumps(one) for one in lines))
        done = verify(folder, agent, "--format", "json", "--requests", str(given))
        result = json.loads(done.stdout)
        verdicts = {one["endpoint"]: one["verdict"] for one in result["webhooks"]}
        failed = [(one["endpoints"], one["reason"]) for one in result["failed"]]
        good = (
            verdicts == {"plain": "same", "again": "failed", "other": "same"}
            and failed == [(["again"], reason)]
            and text in result["failed"][0]["detail"]
        )
        print(f"verify on {agent}: {reason}: {'named' if good else 'NOT NAMED'}")
        if not good:
            wrong.append(f"{reason}: {verdicts}, {result['failed']}")
    return wrong


def saving(agent: str, scratch: Path) -> list[str]:
    """What is saved is what was sent, and is taken when it is given: all of it is sent once more. No
    setting that the plugin comes with is in it, and a file that is there is kept."""
    folder = scratch / f"{agent}-saving"
    folder.mkdir()
    names = ["signed", "set", "methods", "varying"]
    plugins = [one for one in PLUGINS if one.name in names]
    for plugin in plugins:
        text = plugin.text().replace('SECRET: str = ""', 'SECRET: str = "real-secret"')
        (folder / f"{plugin.name}.py").write_text(text)
    first, second = (scratch / f"{agent}-{name}.jsonl" for name in ("first", "second"))
    wrong = []

    def of(*arguments: str) -> dict:
        done = verify(folder, agent, "--format", "json", *arguments)
        result = json.loads(done.stdout)
        verdicts = {one["plugin"]: one["verdict"] for one in result["webhooks"]}
        if set(verdicts.values()) != {"same"} or len(verdicts) != len(plugins):
            wrong.append(f"saving: {verdicts}")
        if result["unused_requests"] or "not saved" in done.stderr:
            wrong.append(f"saving: {result['unused_requests']} {done.stderr}")
        return {one["plugin"]: one["run"]["requests"] for one in result["webhooks"]}

    def lines(path: Path) -> list[dict]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    def keys(path: Path) -> set[str]:
        return {json.dumps(one | {"about": ""}, sort_keys=True) for one in lines(path)}

    counts = of("--save-requests", str(first))
    saved = lines(first)
    if sum(counts.values()) != len(saved):
        wrong.append(f"saving: {counts} were sent, {len(saved)} saved")
    settings = [one["settings"] for one in saved if "settings" in one]
    known = {"SECRET", "CHAT", "LABEL", "LOUD", "TIMES"}
    if not settings or any(not known.issuperset(one) for one in settings):
        wrong.append(f"saving: settings {settings}")
    if "real-secret" in str(settings) or "label" in str([list(one.values()) for one in settings]):
        wrong.append("saving: a setting of the plugin's own")
    of("--requests", str(first), "--save-requests", str(second))
    if not keys(first) <= keys(second):
        wrong.append(f"saving: not sent again: {sorted(keys(first) - keys(second))[:3]}")
    text = first.read_text()
    done = verify(folder, agent, "--save-requests", str(first))
    if done.returncode != 2 or first.read_text() != text:
        wrong.append(f"saving: exit code {done.returncode}, and what is there is written over")
    print(
        f"verify on {agent}: {len(saved)} requests saved: {'sent again' if not wrong else 'NOT SO'}"
    )
    return wrong
