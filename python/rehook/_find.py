"""Where `pip` has put the binary."""

import os
import sys
import sysconfig
from collections.abc import Iterator


def find_rehook_bin() -> str:
    """The path of the program; raises FileNotFoundError where the wheel was not installed whole."""
    name = "rehook" + (sysconfig.get_config_var("EXE") or "")
    tried = [os.path.join(folder, name) for folder in _folders()]
    for path in tried:
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(tried[0])


def _folders() -> Iterator[str]:
    yield sysconfig.get_path("scripts")
    # Installed over a system's Python, which has another scheme: `pip install --prefix`, Debian.
    yield sysconfig.get_path("scripts", vars={"base": sys.base_prefix})
    # `pip install --user`
    user_scheme = {"nt": "nt_user"}.get(os.name, "posix_user")
    if sys.platform == "darwin" and sys._framework:  # type: ignore[attr-defined]
        user_scheme = "osx_framework_user"
    yield sysconfig.get_path("scripts", scheme=user_scheme)
    # `pip install --target`, and build environments, whose scripts lie beside the packages.
    package = os.path.dirname(os.path.realpath(__file__))
    yield os.path.join(os.path.dirname(package), "bin")
    # `pip install --prefix`: `lib/python3.x/site-packages/rehook`.
    prefix = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(package))))
    yield os.path.join(prefix, "bin")
