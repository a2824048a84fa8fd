"""Measures `rehook` beside its peers, in one run: `python3 benches/compare.py [--check]`.

Makes its inputs in a temporary folder, builds the release binary, and runs the contestants in
turn, several rounds, so that whatever else the machine does falls on all of them. Prints medians
with the spread, the ratios, and the targets; with `--check` a target that is missed is an error.
The last that it prints is the table of `docs/guarantees.md`: each figure beside its peer.

The peers are ripgrep (`rg`) and nginx, from the system; LibCST, ast-grep, and ruff with one rule, which
parses every file and does next to nothing else, from `.python/`, which `sh tests/run.sh setup` makes.
One that is not there is left out, and the report says so.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import inputs

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".python/bin/python"
AST_GREP = ROOT / ".python/bin/ast-grep"
RUFF = ROOT / ".python/bin/ruff"
CODEMOD = ROOT / "benches/libcst_codemod.py"
MIB = 1024 * 1024


@dataclasses.dataclass
class Run:
    wall: float
    processor: float
    peak: int


class Contestant:
    """A command, and what its runs took."""

    def __init__(
        self, name: str, command: list, codes: set[int] = frozenset({0}), rounds: int | None = None
    ):
        self.name = name
        self.command = [str(part) for part in command]
        self.codes = codes
        self.rounds = rounds
        self.runs: list[Run] = []

    def run(self, keep: bool = True) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        messages = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        if process.returncode not in self.codes:
            sys.exit(
                f"{self.name} failed with {process.returncode}: {messages.decode(errors='replace')}"
            )
        if keep:
            # What the system counts begins with the memory of this script before the child became
            # its own program, so a peak of less than that (about 20 MiB) is not seen.
            self.runs.append(Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024))

    def median(self, what: str = "wall") -> float:
        return statistics.median(getattr(run, what) for run in self.runs)

    def line(self) -> str:
        walls = [run.wall * 1000 for run in self.runs]
        processor = [run.processor * 1000 for run in self.runs]
        peak = max(run.peak for run in self.runs) / MIB
        return (
            f"  {self.name:34} wall {statistics.median(walls):9.1f} ms ({min(walls):.1f} to {max(walls):.1f})"
            f"   processor {statistics.median(processor):9.1f} ms ({min(processor):.1f} to {max(processor):.1f})"
            f"   peak {peak:.0f} MiB   {len(walls)} runs"
        )


def amount(values: list[float], unit: str) -> str:
    """The median, with the least and the most."""

    def text(value: float) -> str:
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    least, most = text(min(values)), text(max(values))
    return f"{text(statistics.median(values))} {unit} ({least} to {most})"


class Table:
    """Each figure beside its peer, as the documentation has it."""

    def __init__(self):
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, what: str, ours: Contestant, theirs: Contestant | None = None) -> None:
        kinds = {"wall": "elapsed", "processor": "processor time"}
        for kind, words in kinds.items():
            values = [getattr(run, kind) * 1000 for run in ours.runs]
            row = [f"{what}: {words}", amount(values, "ms"), "", ""]
            if theirs:
                others = [getattr(run, kind) * 1000 for run in theirs.runs]
                row[2] = f"{theirs.name}: {amount(others, 'ms')}"
                row[3] = f"{statistics.median(values) / statistics.median(others):.2f}"
            self.rows.append(tuple(row))

    def add_memory(self, what: str, ours: Contestant) -> None:
        peaks = [run.peak / MIB for run in ours.runs]
        self.rows.append((f"{what}: peak memory", amount(peaks, "MiB"), "", ""))

    def print(self) -> None:
        print("\n| | `rehook` | beside it | ratio |\n|---|---|---|---|")
        for row in self.rows:
            print("".join(f"| {cell} " if cell else "| " for cell in row) + "|")


TABLE = Table()


def compete(title: str, contestants: list[Contestant], rounds: int) -> None:
    print(f"\n{title}", flush=True)
    for one in contestants:
        # The first run finds nothing in the caches.
        if one.rounds is None:
            one.run(keep=False)
    for number in range(rounds):
        # Each goes first in its turn.
        shift = number % len(contestants)
        for one in contestants[shift:] + contestants[:shift]:
            if one.rounds is None or number < one.rounds:
                one.run()
    for one in contestants:
        print(one.line(), flush=True)


class Targets:
    def __init__(self):
        self.missed: list[str] = []

    def check(self, text: str, value: float, limit: float, at_least: bool = False) -> None:
        met = value >= limit if at_least else value <= limit
        sign = "at least" if at_least else "at most"
        print(
            f"  {'met   ' if met else 'MISSED'} {text}: {value:.2f}, {sign} {limit:g}", flush=True
        )
        if not met:
            self.missed.append(text)


def skipped(what: str, reason: str) -> None:
    print(f"  skipped: {what}: {reason}")


def scan(rehook: pathlib.Path, folder: pathlib.Path, targets: Targets, options) -> None:
    tree = folder / "tree"
    packages = next(iter(ROOT.glob(".python/lib/python*/site-packages")), None)
    if packages is None:
        skipped("scan", "there is no .python/; `sh tests/run.sh setup` makes it")
        return
    inputs.tree_without_webhooks(tree, packages, options.files)
    ours = Contestant("rehook scan", [rehook, "scan", tree])
    contestants = [ours]
    if shutil.which("rg"):
        # rg says 1 when it finds nothing.
        theirs = Contestant(
            "`rg -l mount_webhook_method`", ["rg", "-l", "mount_webhook_method", tree], {1}
        )
        contestants.append(theirs)
    compete(f"{options.files} Python files without a webhook", contestants, options.rounds)
    if len(contestants) > 1:
        targets.check("scan / rg, wall time", ours.median() / theirs.median(), 1.5)
        ratio = ours.median("processor") / theirs.median("processor")
        print(f"         scan / rg, processor time: {ratio:.2f}")
        TABLE.add(f"`scan` of {options.files:,} files without a webhook", ours, theirs)
    else:
        skipped("the comparison with ripgrep", "there is no `rg` on the PATH")
    targets.check("scan, peak memory in MiB", max(run.peak for run in ours.runs) / MIB, 64)
    shutil.rmtree(tree)


def diff(rehook: pathlib.Path, folder: pathlib.Path, targets: Targets, options) -> None:
    tree = folder / "plugins"
    inputs.plugins(tree, 1000)
    ours = Contestant("rehook diff", [rehook, "diff", tree], {0})
    contestants = [ours]
    if AST_GREP.exists():
        pattern, rewrite = "plugin.mount_webhook_method($$$ARGUMENTS)", "router.post($$$ARGUMENTS)"
        command = [
            AST_GREP,
            "run",
            "--lang",
            "python",
            "-p",
            pattern,
            "-r",
            rewrite,
            "--color",
            "never",
            tree,
        ]
        sg = Contestant("ast-grep, the decorator alone", command)
        contestants.append(sg)
    if RUFF.exists():
        # A rule that no file breaks.
        command = [RUFF, "check", "--isolated", "--no-cache", "--select", "B002", tree]
        ruff = Contestant("ruff, one rule", command)
        contestants.append(ruff)
    has_libcst = (
        PYTHON.exists()
        and subprocess.run(
            [PYTHON, "-c", "import libcst"], capture_output=True, check=False
        ).returncode
        == 0
    )
    if has_libcst:
        rounds = max(1, options.rounds // 3)
        alone = Contestant("LibCST, the decorator alone", [PYTHON, CODEMOD, tree], rounds=rounds)
        two = Contestant(
            "the same in 2 processes", [PYTHON, CODEMOD, tree, "--processes", "2"], rounds=rounds
        )
        contestants += [alone, two]
    compete("1000 plugins that all need it", contestants, options.rounds)
    what = "`diff` of 1,000 plugins"
    if AST_GREP.exists():
        TABLE.add(what, ours, sg)
    if RUFF.exists():
        TABLE.add(what, ours, ruff)
        ratio = ours.median("processor") / ruff.median("processor")
        print(f"         diff / ruff with one rule, processor time: {ratio:.2f}")
    else:
        skipped("the comparison with ruff", "it is not in .python/")
    if has_libcst:
        TABLE.add(what, ours, alone)
    TABLE.add_memory(what, ours)
    if has_libcst:
        targets.check("LibCST / diff, wall time", alone.median() / ours.median(), 50, at_least=True)
        print(
            f"         LibCST in 2 processes / diff, wall time: {two.median() / ours.median():.1f}"
        )
        print(
            f"         LibCST / diff, processor time: {alone.median('processor') / ours.median('processor'):.1f}"
        )
    else:
        skipped(
            "the comparison with LibCST",
            "it is not in .python/; `sh tests/run.sh setup` installs it",
        )
    if AST_GREP.exists():
        targets.check("diff / ast-grep, wall time", ours.median() / sg.median(), 0.9)
        ratio = ours.median("processor") / sg.median("processor")
        targets.check("diff / ast-grep, processor time", ratio, 0.9)
    else:
        skipped(
            "the comparison with ast-grep",
            "it is not in .python/; `sh tests/run.sh setup` installs it",
        )
    shutil.rmtree(tree)


def growth(rehook: pathlib.Path, folder: pathlib.Path, targets: Targets, options) -> None:
    """The target is a quarter more per file, of processor time, at ten times as many."""
    layouts = {
        "plugins in folders": inputs.plugins,
        "plugins in one package": inputs.package,
        "one plugin, a webhook a module": inputs.spread,
    }
    for layout, make in layouts.items():
        contestants = []
        for count in (1000, 3000, 10_000):
            tree = folder / f"growth_{count}"
            make(tree, count)
            contestants.append(
                (count, Contestant(f"rehook diff, {count} files", [rehook, "diff", tree], {0}))
            )
        compete(f"Growth: {layout}", [one for _, one in contestants], max(3, options.rounds // 3))
        per_file = []
        for count, one in contestants:
            processor = one.median("processor")
            per_file.append(processor / count)
            cores = processor / one.median()
            print(
                f"         {count:6} files: {one.median() / count * 1e6:6.0f} us wall,"
                f" {processor / count * 1e6:6.0f} us processor time a file; {cores:.2f} cores busy"
            )
        targets.check(
            f"{layout}: time a file at 10,000 / at 1,000", per_file[2] / per_file[0], 1.25
        )
        _, most = contestants[-1]
        if layout == "plugins in folders":
            TABLE.add("`diff` of 10,000 plugins", most)
            TABLE.add_memory("`diff` of 10,000 plugins", most)
            peak = max(run.peak for run in most.runs) / MIB
            targets.check("10,000 plugins, peak memory in MiB", peak, 300)
        for count, _ in contestants:
            shutil.rmtree(folder / f"growth_{count}")
    contestants = []
    for count in (1000, 5000):
        tree = folder / f"long_{count}"
        tree.mkdir()
        (tree / "plugin.py").write_text(inputs.plugin(1, count), encoding="utf-8")
        contestants.append(
            Contestant(f"rehook diff, {count} webhooks", [rehook, "diff", tree], {0})
        )
    compete("Growth: webhooks in one file", contestants, max(3, options.rounds // 3))
    few, many = (one.median("processor") for one in contestants)
    targets.check("one file: time a webhook at 5,000 / at 1,000", many / few / 5, 1.25)


def first_output(rehook: pathlib.Path, folder: pathlib.Path, targets: Targets, _options) -> None:
    tree = folder / "single"
    tree.mkdir()
    (tree / "plugin.py").write_text(inputs.plugin(7), encoding="utf-8")
    one = Contestant("rehook diff", [rehook, "diff", tree], {0})
    compete("One plugin file", [one], 50)
    targets.check("diff of one plugin, wall time in ms", one.median() * 1000, 20)
    TABLE.add("`diff` of one plugin", one)


def shim(_rehook: pathlib.Path, _folder: pathlib.Path, targets: Targets, _options) -> None:
    """What `cargo bench --bench shim` measures, which runs the servers and their senders."""
    print("\nThe compat server", flush=True)
    command = ["cargo", "bench", "--locked", "--quiet", "--bench", "shim"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="")
    rows = re.findall(
        r"  (\S.*?)  +shim: (.*?\))(?:  nginx: (.*?\))   ratio ([0-9.]+))?$", output, re.M
    )
    if not rows or not rows[0][2]:
        skipped("the comparison with nginx", "there is no `nginx` on the PATH")
    for what, ours, theirs, ratio in rows[:1]:
        TABLE.rows.append((f"`shim`: {what}", ours, f"nginx: {theirs}" if theirs else "", ratio))
        if ratio:
            targets.check("shim / nginx, processor time", float(ratio), 0.83)


PARTS = {"scan": scan, "diff": diff, "growth": growth, "first": first_output, "shim": shim}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"which of {', '.join(PARTS)}; all by default"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--files", type=int, default=18_000, help="files of the tree without a webhook"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")

    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    rehook = target / "release" / ("rehook.exe" if os.name == "nt" else "rehook")
    targets = Targets()
    print(f"{os.cpu_count()} cores; medians, with the fastest and the slowest run in brackets")
    with tempfile.TemporaryDirectory(prefix="rehook-bench-") as folder:
        for name in options.parts or PARTS:
            PARTS[name](rehook, pathlib.Path(folder), targets, options)
    TABLE.print()
    if targets.missed:
        print(f"\n{len(targets.missed)} targets missed: {'; '.join(targets.missed)}")
        sys.exit(1 if options.check else 0)
    print("\nall targets met")


if __name__ == "__main__":
    main()
