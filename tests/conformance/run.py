"""Shows that each migrated plugin behaves as before, on the real agent.

Usage: run.py [--verbose] [--no-mutations] [CASE…]. Prints a line for each fixture: proved and by how
many requests, or why there is nothing to prove, or the smallest request that shows a difference with
both answers. Then a line for each mutation: whether the same requests notice it. Exits with 1 if
there is a difference, or a mutation that nothing notices.
"""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
# Both sides are run by the code that `rehook verify` runs them with.
sys.path[:0] = [str(HERE), str(PROJECT / "src/verify/runner")]
sys.dont_write_bytecode = True

import agent
import cases
import mutations
import wheel
from case import Case
from child import Failed
from message import Request, Route


def requests_of(case: Case) -> list[tuple[Route, Request]]:
    return [(route, request) for route in case.routes for request in route.requests]


def compare(case: Case) -> tuple[list[agent.Answer], list[str]]:
    """The answers of the old side, and for each request that shows a difference, the difference."""
    sent = requests_of(case)
    sides = [agent.start(case, side, sent) for side in ("old", "new")]
    old, new = (answers() for answers in sides)
    return old, all_differences(case, old, new)


def all_differences(
    case: Case, old: list[agent.Answer], new: list[agent.Answer]
) -> list[str]:
    sent = requests_of(case)
    differences = []
    # The smallest first: it says most in the least words.
    order = sorted(range(len(sent)), key=lambda i: (len(sent[i][1].shown()), i))
    for index in order:
        route, request = sent[index]
        found = difference(route, request, old[index], new[index])
        if found:
            differences.append(
                f"{route.old} -> {route.target}\n{request.shown()}\n{found}"
            )
    return differences


def difference(
    route: Route, request: Request, old: agent.Answer, new: agent.Answer
) -> str:
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
        if not meets(value, actual[key]):
            found.append((f"{key}, as the case says", value, actual[key]))
    lines = [
        f"  {what}\n    expected {before!r}\n    got      {after!r}"
        for what, before, after in found
    ]
    if lines:
        lines += [
            f"  ({side} raised {answer.raised})"
            for side, answer in (("old", old), ("new", new))
            if answer.raised
        ]
    return "\n".join(lines)


def meets(expected, actual) -> bool:
    """Whether all that a case expects is there; of effects, each expected text in one of them."""
    if (
        isinstance(actual, list)
        and isinstance(expected, list)
        and all(isinstance(e, str) for e in expected)
    ):
        return all(any(text in repr(effect) for effect in actual) for text in expected)
    return expected == actual


def nothing_to_prove(case: Case) -> str:
    if case.skip:
        return f"not run: {case.skip}"
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
            if (
                case.after / path.relative_to(case.before)
            ).read_bytes() != path.read_bytes():
                return f"not run: Python {sys.version_info[0]}.{sys.version_info[1]} does not read {path.name} ({error.msg})"
    return ""


def mutate(proved: list[tuple[Case, list[agent.Answer]]], scratch: Path) -> int:
    """Sends the same requests to code that is a little wrong; the number of slips that passed."""
    # Those with few requests first: one fixture that notices a slip is enough.
    proved = sorted(proved, key=lambda pair: len(pair[1]))
    passed = 0
    for mutation in mutations.MUTATIONS:
        fits, caught = [], ""
        for case, old in proved:
            mutant = mutations.mutant(mutation, case, scratch)
            if mutant is None:
                continue
            fits.append(case.name)
            if noticed(mutant, old):
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
            print(
                f"mutation: {mutation.name}: NOT TRIED, fits nothing that was written"
            )
        sys.stdout.flush()
    print(f"mutations: {passed} not caught or not tried, of {len(mutations.MUTATIONS)}")
    return passed


def noticed(mutant: Case, old: list[agent.Answer]) -> bool:
    """Whether the requests of the case tell the mutant from the original."""
    try:
        new = agent.start(mutant, "new", requests_of(mutant))()
    except Failed:
        return True
    return bool(all_differences(mutant, old, new))


def main() -> int:
    verbose = "--verbose" in sys.argv
    wanted = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    with tempfile.TemporaryDirectory(prefix="rehook-conformance-") as folder:
        os.environ["CONFORMANCE_TMP"] = folder
        agent.prepare()
        readers = {
            path.parent.name: partial(cases.read, path.parent)
            for path in sorted(PROJECT.glob("fixtures/*/case.toml"))
        }
        readers[wheel.NAME] = partial(wheel.case, Path(folder))
        failed, proved = 0, []
        for name, read in readers.items():
            if wanted and name not in wanted:
                continue
            try:
                case = read()
                reason = nothing_to_prove(case)
                if reason:
                    print(f"{name}: {reason}")
                    continue
                old, differences = compare(case)
            except (Failed, wheel.Unusable, ValueError, KeyError) as error:
                failed += 1
                print(f"{name}: FAILED: {error}")
                continue
            if differences:
                failed += 1
                print(f"{name}: DIFFERS in {len(differences)} of {len(old)} requests")
                for text in differences if verbose else differences[:1]:
                    print("\n".join("    " + line for line in text.splitlines()))
            else:
                proved.append((case, old))
                print(f"{name}: proved on the real agent ({len(old)} requests)")
            sys.stdout.flush()
        total = sum(len(old) for _, old in proved)
        print(f"conformance: {len(proved)} proved by {total} requests, {failed} failed")
        if "--no-mutations" not in sys.argv and not wanted:
            failed += mutate(proved, Path(folder))
        os.chdir("/")
        return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
