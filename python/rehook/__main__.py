"""`python -m rehook`: the program, in the place of this process."""

import contextlib
import os
import subprocess
import sys
from typing import NoReturn

from ._find import find_rehook_bin


def main(arguments: list[str]) -> NoReturn:
    try:
        program = find_rehook_bin()
    except FileNotFoundError as error:
        _fail(
            f"the program of this package is not at {error}",
            "install it again: pip install --force-reinstall rehook",
            f"安装包中的程序不在 {error}",
            "请重新安装：pip install --force-reinstall rehook",
        )
    try:
        if os.name == "nt":
            # There another process cannot take the place of this one; Ctrl-C is for the program alone.
            process = subprocess.Popen([program, *arguments])
            while True:
                with contextlib.suppress(KeyboardInterrupt):
                    sys.exit(process.wait())
        os.execv(program, [program, *arguments])
    except OSError as error:
        _fail(
            f"{program} cannot be run here: {error.strerror}",
            "the wheel may be one for another machine, or the folder may forbid programs; "
            "install the one for this machine: pip install --force-reinstall rehook",
            f"无法在本机运行 {program}：{error.strerror}",
            "该 wheel 可能属于其他平台，或所在文件夹禁止运行程序；"
            "请安装适合本机的版本：pip install --force-reinstall rehook",
        )
    raise AssertionError("unreachable")


def _fail(message: str, hint: str, chinese: str, chinese_hint: str) -> NoReturn:
    if _is_chinese():
        text = f"错误：{chinese}\n  提示：{chinese_hint}\n"
    else:
        text = f"error: {message}\n  hint: {hint}\n"
    # A terminal that cannot show it gets what it can.
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(text.encode(encoding, "replace").decode(encoding))
    sys.exit(2)


def _is_chinese() -> bool:
    """The language as the program itself takes it from the environment."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name].lower().startswith("zh")
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
