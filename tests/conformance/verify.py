"""`rehook verify` as a user runs it: what it says of good plugins, of bad ones, and of slips.

Usage: verify.py [installed|stand-in …]. Small plugins are written into a temporary repo and verified
in one run for each agent, so that it is seen too that one does not keep the others from being
verified. Prints a line for each plugin, and exits with 1 if one is not as expected.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "src/verify/pysrc"))

import edits
import given
import processes
import reaching
import verdicts

import shim
from _rehook_runner.process.subprocess_task import Failed


def main() -> int:
    try:
        shim.binary()
    except Failed as error:
        print(f"verify: FAILED: {error}")
        return 1
    wrong = edits.differing_lines()
    parts = [verdicts.good_and_bad, verdicts.slips, verdicts.in_chinese, verdicts.around]
    parts += [verdicts.one_of_two, given.wrong_settings, given.saving]
    parts += [processes.closing, processes.killed, processes.odd_place]
    parts += [processes.broken_fastapi, verdicts.github]
    parts += [edits.edits, edits.a_part, reaching.reaching]
    with tempfile.TemporaryDirectory(prefix="rehook-verify-") as folder:
        for agent in sys.argv[1:] or ["installed", "stand-in"]:
            for part in parts:
                begun = time.monotonic()
                wrong += part(agent, Path(folder))
                took = time.monotonic() - begun
                print(f"verify on {agent}: {part.__name__} took {took:.1f} s", flush=True)
    for one in wrong:
        print(f"WRONG: {one}")
    print(f"verify: {len(wrong)} not as expected")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
