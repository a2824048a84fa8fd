"""Shows that each migrated plugin behaves as before, on the real agent.

Usage: run.py [--verbose] [--no-mutations] [CASE…]. Prints a line for each fixture: proved and by how
many requests, at the new URLs and through the shim at the old ones, or why there is nothing to prove,
or the smallest request that shows a difference with both answers. Then a line for each mutation:
whether the same requests notice it. Exits with 1 if there is a difference, or a mutation that nothing
notices.

On a release of the agent before 2.3 it is a part: the cases that have a route of the request dialect,
which FastAPI makes, and those that are named; at the new URLs alone; without what those releases answer
otherwise (they caught every error of a handler, and answered with success false).
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
# Both sides are run by the code that `rehook verify` runs them with.
sys.path[:0] = [str(HERE), str(PROJECT / "src/verify/pysrc")]
sys.dont_write_bytecode = True

import cases
import mutations
import old_urls
import wheel

import shim
from _rehook_runner.model.case import Case
from _rehook_runner.model.message import Request, Route
from _rehook_runner.process.subprocess_task import Failed
from _rehook_runner.side import agent

# Whether the agent is one of the releases that answered errors of handlers otherwise.
IS_OLDER = tuple(map(int, version("nekro-agent").split(".")[:2])) < (2, 3)


@dataclass
class Comparison:
    """What the sides gave: the plan, the answers of the old side, and for each request that shows a
    difference, the difference."""

    plan: old_urls.Plan
    old: list[agent.Answer]
    differences: list[str]
    differences_through_the_shim: list[str]


def compare(case: Case) -> Comparison:
    plan = old_urls.plan(case)
    sent = {"old": plan.old, "new": plan.new}
    if not IS_OLDER:
        sent["shim"] = [one.sent for one in plan.through]
    sides = [(start(case, side, part), part) for side, part in sent.items()]
    answers: dict[agent.Sent, agent.Answer] = {}
    unusable = []
    for answers_of_side, part in sides:
        # All are waited for, so that none outlives what is said about the case.
        try:
            answers |= zip(part, answers_of_side())
        except Failed as error:
            unusable.append(str(error))
    if unusable:
        raise cases.Unusable("; ".join(unusable))
    effects = {sent: answer.effects for sent, answer in answers.items()}
    behind = [] if IS_OLDER else through_the_shim(plan, answers, effects)
    if behind:
        # Perhaps the plugin only writes down what the shim adds to the headers.
        told = agent.start(case, "old", [old_urls.told(sent) for sent in plan.old])()
        effects |= {sent: answer.effects for sent, answer in zip(plan.old, told)}
        behind = through_the_shim(plan, answers, effects)
    old = [answers[sent] for sent in plan.old]
    new = [answers[sent] for sent in plan.new]
    return Comparison(plan, old, all_differences(plan, old, new), behind)


def start(case: Case, side: str, sent: list[agent.Sent]) -> Callable[[], list[agent.Answer]]:
    """Begins a side: `old`, `new`, or `shim`, which is the new one at the old URLs."""
    if side != "shim":
        return agent.start(case, side, sent)
    through = partial(shim.in_front_of, routes=case.after / "webhook-routes.toml")
    return agent.start(case, "new", sent, through=through)


def through_the_shim(
    plan: old_urls.Plan, answers: dict[agent.Sent, agent.Answer], effects: dict[agent.Sent, list]
) -> list[str]:
    """For each request through the shim that shows a difference, the difference."""
    differences = []
    for one in by_size(plan.through, lambda one: one.sent):
        if found := old_urls.difference(one, answers, effects):
            url, request = one.sent.url, one.sent.request
            behind = ", ".join(route.target for route in one.routes)
            differences.append(f"{url} -> shim -> {behind}\n{request.shown()}\n{shown(found)}")
    return differences


def by_size(items: list, sent_of: Callable) -> list:
    """The smallest request first: it says most in the least words."""
    return sorted(items, key=lambda item: len(sent_of(item).request.shown()))


def all_differences(
    plan: old_urls.Plan, old: list[agent.Answer], new: list[agent.Answer]
) -> list[str]:
    differences = []
    triples = list(zip(plan.new, old, new))[: plan.compared]
    for sent, before, after in by_size(triples, lambda triple: triple[0]):
        route, request = sent.route, sent.request
        if IS_OLDER and before.status == 205:
            # FastAPI 0.110 sends such a reply without its body, and later ones with it.
            continue
        if IS_OLDER and route.dialect == "context" and (caught(before) or after.raised):
            continue
        found = difference(route, request, before, after)
        if found:
            differences.append(f"{route.old} -> {route.target}\n{request.shown()}\n{found}")
    return differences


def caught(old: agent.Answer) -> bool:
    """Whether an older release has caught an error, and answered in its own way."""
    body = old.json()
    return isinstance(body, dict) and body.get("success") is False


def difference(route: Route, request: Request, old: agent.Answer, new: agent.Answer) -> str:
    """In what the answers differ, or the new one from what the case says itself."""
    found = []
    if old.status != new.status:
        found.append(("status", old.status, new.status))
    # A handler that takes the request itself answers for itself, and does without a context.
    if not route.native and old.json() != new.json():
        found.append(("body", old.json(), new.json()))
    if not route.native and old.headers != new.headers:
        found.append(("headers", old.headers, new.headers))
    if old.effects != new.effects:
        found.append(("effects", old.effects, new.effects))
    if not route.native and old.contexts != new.contexts:
        found.append(("context", old.contexts, new.contexts))
    actual = {
        "status": new.status,
        "json": new.json(),
        "effects": new.effects,
        "body": new.body.decode("utf-8", "replace"),
    }
    for key, value in request.expect.items():
        if IS_OLDER and (key, value, new.status) == ("status", 400, 422):
            # What does not validate is FastAPI's own answer there.
            continue
        if not meets(value, actual[key]):
            found.append((f"{key}, as the case says", value, actual[key]))
    lines = [shown(found)] if found else []
    if lines:
        lines += [
            f"  ({side} raised {answer.raised})"
            for side, answer in (("old", old), ("new", new))
            if answer.raised
        ]
    return "\n".join(lines)


def shown(found: list[tuple]) -> str:
    return "\n".join(
        f"  {what}\n    expected {before!r}\n    got      {after!r}"
        for what, before, after in found
    )


def meets(expected, actual) -> bool:
    """Whether all that a case expects is there; of effects, each expected text in one of them."""
    if (
        isinstance(actual, list)
        and isinstance(expected, list)
        and all(isinstance(e, str) for e in expected)
    ):
        return all(any(text in repr(effect) for effect in actual) for text in expected)
    return expected == actual


def nothing_to_prove(case: Case, named: bool) -> str:
    if case.skip:
        return f"not run: {case.skip}"
    if IS_OLDER and not named and all(route.dialect != "request" for route in case.routes):
        return "not of this part: it has no route of the request dialect"
    if case.after is None:
        return "nothing to prove: refused, and left as it was"
    if not case.routes:
        return "nothing to prove: it has no routes"
    for path in sorted(case.before.rglob("*.py")):
        if not path.is_file():
            # A link that leads nowhere.
            continue
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            if (case.after / path.relative_to(case.before)).read_bytes() != path.read_bytes():
                version = f"{sys.version_info[0]}.{sys.version_info[1]}"
                return f"not run: Python {version} does not read {path.name} ({error.msg})"
    return ""


def mutate(proved: list[tuple[Case, Comparison]], scratch: Path) -> int:
    """Sends the same requests to code that is a little wrong; the number of slips that passed."""
    # Those with few requests first: one fixture that notices a slip is enough.
    proved = sorted(proved, key=lambda pair: pair[1].plan.compared)
    passed = 0
    for mutation in mutations.MUTATIONS:
        fits, caught = [], ""
        for case, comparison in proved:
            mutant = mutations.mutant(mutation, case, scratch)
            if mutant is None:
                continue
            fits.append(case.name)
            if noticed(mutant, comparison):
                caught = case.name
                break
        if caught:
            print(f"mutation: {mutation.name}: caught in {caught}")
        elif fits:
            passed += 1
            print(f"mutation: {mutation.name}: NOT CAUGHT in {', '.join(fits)}")
        else:
            # A list that has fallen behind the emitted code would say less than it seems to.
            passed += 1
            print(f"mutation: {mutation.name}: NOT TRIED, fits nothing that was written")
        sys.stdout.flush()
    print(f"mutations: {passed} not caught or not tried, of {len(mutations.MUTATIONS)}")
    return passed


def noticed(mutant: Case, comparison: Comparison) -> bool:
    """Whether the requests of the case tell the mutant from the original."""
    try:
        new = agent.start(mutant, "new", comparison.plan.new)()
    except Failed:
        return True
    return bool(all_differences(comparison.plan, comparison.old, new))


def main() -> int:
    try:
        shim.binary()
    except Failed as error:
        print(f"conformance: FAILED: {error}")
        return 1
    verbose = "--verbose" in sys.argv
    wanted = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    with tempfile.TemporaryDirectory(prefix="rehook-conformance-") as folder:
        os.environ["REHOOK_SCRATCH"] = folder
        agent.prepare()
        releases = [f"{name} {version(name)}" for name in ("nekro-agent", "fastapi")]
        print(f"conformance: on {', '.join(releases)}{', in part' if IS_OLDER else ''}")
        readers = {
            path.parent.name: partial(cases.read, path.parent)
            for path in sorted(PROJECT.glob("fixtures/*/case.toml"))
        }
        readers[wheel.NAME] = partial(wheel.case, Path(folder))
        failed, proved, totals = 0, [], Counter()
        for name, read in readers.items():
            if wanted and name not in wanted:
                continue
            try:
                case = read()
                reason = nothing_to_prove(case, bool(wanted))
                if reason:
                    print(f"{name}: {reason}")
                    continue
                comparison = compare(case)
            except (Failed, ValueError, KeyError) as error:
                failed += 1
                print(f"{name}: FAILED: {error}")
                continue
            sent = comparison.plan.compared
            through = 0 if IS_OLDER else len(comparison.plan.through)
            before, behind = comparison.differences, comparison.differences_through_the_shim
            if not before:
                print(f"{name}: proved on the real agent ({sent} requests)", end=", ")
                proved.append((case, comparison))
                totals["sent"] += sent
            else:
                print(f"{name}: DIFFERS in {len(before)} of {sent} requests", end=", ")
            if not behind:
                print(f"through the shim ({through} requests)")
                totals["through"] += through
            else:
                print(f"DIFFERS through the shim in {len(behind)} of {through} requests")
            failed += bool(before or behind)
            for text in before + behind if verbose else before[:1] + behind[:1]:
                print("\n".join("    " + line for line in text.splitlines()))
            sys.stdout.flush()
        print(
            f"conformance: {len(proved)} proved by {totals['sent']} requests, "
            f"and by {totals['through']} through the shim, {failed} failed"
        )
        if "--no-mutations" not in sys.argv and not wanted and not IS_OLDER:
            failed += mutate(proved, Path(folder))
        os.chdir("/")
        return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
