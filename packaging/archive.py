"""Packs a built program for people without Python: `python3 packaging/archive.py PROGRAM TARGET FOLDER`.

Makes `rehook-VERSION-TARGET.tar.gz` in FOLDER, for Windows a `.zip`, and beside it a file `.sha256` that
`sha256sum -c` reads. The same input gives the same bytes.
"""

import gzip
import hashlib
import io
import pathlib
import re
import sys
import tarfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE", "THIRD-PARTY-LICENSES.txt"]


def version() -> str:
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([^"]+)"', manifest, re.MULTILINE)
    if not found:
        raise SystemExit("error: Cargo.toml names no version")
    return found[1]


def tar(folder: str, files: dict[str, tuple[bytes, int]]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def zipped(folder: str, files: dict[str, tuple[bytes, int]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, mode) in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}")
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def main(program: str, target: str, folder: str) -> int:
    path = pathlib.Path(program)
    name = f"rehook-{version()}-{target}"
    files = {path.name: (path.read_bytes(), 0o755)}
    for document in DOCUMENTS:
        if not (ROOT / document).is_file():
            print(f"error: {document} is not there", file=sys.stderr)
            print(
                "  hint: `python3 packaging/licences.py` makes THIRD-PARTY-LICENSES.txt",
                file=sys.stderr,
            )
            return 1
        files[document] = ((ROOT / document).read_bytes(), 0o644)
    is_windows = "windows" in target
    content = (zipped if is_windows else tar)(name, files)
    packed = pathlib.Path(folder) / f"{name}.{'zip' if is_windows else 'tar.gz'}"
    packed.parent.mkdir(parents=True, exist_ok=True)
    packed.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    pathlib.Path(f"{packed}.sha256").write_text(
        f"{digest}  {packed.name}\n", encoding="ascii", newline="\n"
    )
    print(packed)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
