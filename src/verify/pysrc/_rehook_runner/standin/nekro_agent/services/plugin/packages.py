"""Packages that a plugin asks for while it is loaded: those that are there."""

import importlib
import re

from nekro_agent.lacking import lack


def dynamic_import_pkg(package_spec: str, import_name: str | None = None, **_how):
    name = import_name or re.split(r"[^\w.-]", package_spec.strip())[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        raise ImportError(lack(f"package {package_spec}, and installs none")) from error
