"""Whether a wheel can be used where there is nothing but Python: `python tests/package/installed.py FOLDER`.

Installs it from FOLDER into a fresh environment, without an index, and migrates a plugin with it and back, on
each system that the release is for. Needs nothing that is built here.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURE = ROOT / "fixtures/doc-methods"


def files(folder: pathlib.Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".rehook" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def main(wheels: str) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        venv.create(folder / "environment", with_pip=True)
        scripts = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
        python = scripts / ("python.exe" if os.name == "nt" else "python")
        program = scripts / ("rehook.exe" if os.name == "nt" else "rehook")
        install = [str(python), "-m", "pip", "install", "--no-index", "--find-links", wheels]
        subprocess.run([*install, "--only-binary", ":all:", "rehook"], check=True)

        plugins = folder / "plugins"
        shutil.copytree(FIXTURE / "before", plugins)
        state = str(folder / "state")
        environment = {**os.environ, "XDG_STATE_HOME": state, "LC_ALL": "C", "PYTHONUTF8": "1"}

        def run(*command: object) -> subprocess.CompletedProcess:
            words = [str(word) for word in command]
            done = subprocess.run(
                words,
                cwd=plugins,
                env=environment,
                check=False,
                capture_output=True,
                encoding="utf-8",
            )
            print(f"  {' '.join(words[-2:])}: {done.returncode}")
            return done

        before, after = files(plugins), files(FIXTURE / "after")
        patch = run(program, "diff")
        assert "mount_router" in patch.stdout, patch
        assert run(python, "-m", "rehook", "diff").stdout == patch.stdout
        assert run(program, "scan").returncode == 0
        assert run(program, "explain", "RH103").returncode == 0
        assert run(program, "migrate", "--allow-dirty").returncode == 0
        assert files(plugins) == after, files(plugins)
        assert run(program, "routes", "--as", "nginx").returncode == 0
        assert run(program, "undo").returncode == 0
        assert files(plugins) == before, files(plugins)
        if sys.platform != "linux":
            for command in ("shim", "verify"):
                refused = run(program, command)
                assert refused.returncode == 2, refused
                assert "runs on Linux only" in refused.stderr, refused
    print("installed: passed")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
