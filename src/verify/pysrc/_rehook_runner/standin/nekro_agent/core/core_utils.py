"""The settings of a plugin: a pydantic model, kept in a file."""

import json
import os
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class ExtraField(BaseModel):
    """How a setting is shown, which is of no matter here, and whether it becomes a variable of the
    environment, which it does."""

    model_config = ConfigDict(extra="allow")

    load_to_sysenv: bool = False
    load_sysenv_as: str = ""


class ConfigBase(BaseModel):
    """The file is named `.yaml` and holds JSON, which is YAML, so that no YAML library is needed."""

    @classmethod
    def load_config(cls, file_path: Path, auto_register: bool = True) -> Self:
        if file_path.exists():
            settings = cls.model_validate(json.loads(file_path.read_text("utf-8")))
        else:
            settings = cls()
        settings._put_into_environment()
        return settings

    def dump_config(self, file_path: Path) -> None:
        file_path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            self.model_dump(), default=str, skipkeys=True, ensure_ascii=False, indent=2
        )
        file_path.write_text(text + "\n", "utf-8")

    def _put_into_environment(self) -> None:
        for name, field in type(self).model_fields.items():
            extra: Any = field.json_schema_extra
            if isinstance(extra, dict) and extra.get("load_to_sysenv"):
                value = json.dumps(getattr(self, name), default=str, ensure_ascii=False)
                os.environ[extra.get("load_sysenv_as", name)] = value
