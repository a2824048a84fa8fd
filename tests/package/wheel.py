"""A wheel, from the source distribution to the patch: `python tests/package/wheel.py`.

Makes the source distribution, and from it a wheel as `pip` does where there is none for a machine; installs
it into a fresh environment without an index; and runs it there, as a program and as a module, on a fixture.
Then it is damaged, and has to say so.

The wheel is built with the `dev` profile: what is tested is the package, its binary is that of all other
tests, and a release build takes five minutes more. The folders stay in `target/package`, so that a second
run compiles nothing again.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
REHOOK = os.environ.get("REHOOK_BIN") or str(TARGET / "debug/rehook")
FOLDER = TARGET / "package"
FIXTURE = ROOT / "fixtures/doc-methods/before"

# Nothing of the user's reaches them, and no index.
ENVIRONMENT = {
    **os.environ,
    "PIP_NO_INDEX": "1",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "LC_ALL": "C.UTF-8",
    "PYTHONUTF8": "1",
}


def run(*command: object, **more: str) -> subprocess.CompletedProcess:
    words = [str(word) for word in command]
    return subprocess.run(
        words, check=False, capture_output=True, encoding="utf-8", env={**ENVIRONMENT, **more}
    )


def must(*command: object, **more: str) -> str:
    done = run(*command, **more)
    if done.returncode != 0:
        raise SystemExit(
            f"FAILED: {command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def check(what: str, is_so: bool, seen: object = "") -> None:
    if not is_so:
        raise SystemExit(f"FAILED: {what}\n{seen}")
    print(f"  {what}")


def source_distribution(out: pathlib.Path) -> pathlib.Path:
    must(sys.executable, ROOT / "packaging/versions.py")
    must(sys.executable, ROOT / "packaging/licences.py")
    must(
        sys.executable,
        "-m",
        "maturin",
        "sdist",
        "--manifest-path",
        ROOT / "Cargo.toml",
        "--out",
        out,
    )
    (archive,) = out.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.split("/", 1)[1] for name in packed.getnames()}
    needed = {
        "LICENSE",
        "THIRD-PARTY-LICENSES.txt",
        "Cargo.lock",
        "pyproject.toml",
        "README.md",
        "PKG-INFO",
    }
    check("the source distribution has its licences and its lock file", needed <= names, names)
    others = [name for name in names if name.startswith(("fixtures", ".", "deploy", "docs"))]
    check("it has no fixtures and nothing of the tests' own", not others, others)
    check("it is small", archive.stat().st_size < 3_000_000, archive.stat().st_size)
    return archive


def wheel(archive: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    # Always at the same place: cargo compiles again what it finds at another.
    unpacked = FOLDER / "source"
    with tarfile.open(archive) as packed:
        packed.extractall(FOLDER, filter="data")
    shutil.rmtree(unpacked, ignore_errors=True)
    (FOLDER / archive.name.removesuffix(".tar.gz")).rename(unpacked)
    options = {
        "MATURIN_PEP517_ARGS": "--profile dev --strip --locked",
        "CARGO_TARGET_DIR": str(TARGET),
        "CARGO_NET_OFFLINE": "true",
        "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    build = ["pip", "wheel", "--no-build-isolation", "--no-deps", "-w", out, unpacked]
    must(sys.executable, "-m", *build, **options)
    (made,) = out.glob("*.whl")
    with zipfile.ZipFile(made) as packed:
        names = packed.namelist()
    licences = [name for name in names if "/licenses/" in name]
    check("the wheel has both files of licences", len(licences) == 2, names)
    return made


def check_installed(scripts: pathlib.Path, python: pathlib.Path) -> None:
    suffix = ".exe" if os.name == "nt" else ""
    program = scripts / f"rehook{suffix}"
    expected = must(REHOOK, "diff", "-q", FIXTURE)
    check("the fixture has a patch", "mount_router" in expected)
    for way in ([program], [python, "-m", "rehook"]):
        name = " ".join(pathlib.Path(word).name for word in way[:1]) + " ".join(
            ["", *map(str, way[1:])]
        )
        check(f"`{name} diff` shows the patch", must(*way, "diff", "-q", FIXTURE) == expected)
        check(
            f"`{name}` has its exit codes",
            run(*way, "diff", "-q", "--exit-code", FIXTURE).returncode == 1,
        )

    kept = program.read_bytes()
    # The head of an ELF file for a machine that nobody has.
    program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xff\xf0" + bytes(44))
    damaged = run(python, "-m", "rehook", "diff")
    is_named = (
        damaged.returncode == 2
        and "cannot be run here" in damaged.stderr
        and "hint" in damaged.stderr
    )
    check("a wheel for another machine is named", is_named, damaged)
    chinese = run(python, "-m", "rehook", "diff", LC_ALL="zh_CN.UTF-8")
    check(
        "in Chinese too", "无法在本机运行" in chinese.stderr and "提示" in chinese.stderr, chinese
    )
    program.unlink()
    missing = run(python, "-m", "rehook", "diff")
    is_named = (
        missing.returncode == 2
        and "is not at" in missing.stderr
        and "Traceback" not in missing.stderr
    )
    check("a program that is missing is named", is_named, missing)
    program.write_bytes(kept)
    program.chmod(0o755)


def main() -> int:
    out = FOLDER / "dist"
    for folder in (out, FOLDER / "environment"):
        shutil.rmtree(folder, ignore_errors=True)
    out.mkdir(parents=True)
    made = wheel(source_distribution(out), out)
    venv.create(FOLDER / "environment", with_pip=True)
    scripts = FOLDER / "environment" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    install = [
        "pip",
        "install",
        "--no-index",
        "--find-links",
        out,
        "--only-binary",
        ":all:",
        "rehook",
    ]
    must(python, "-m", *install)
    check(f"{made.name} is installed without an index", True)
    check_installed(scripts, python)
    print("wheel: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
