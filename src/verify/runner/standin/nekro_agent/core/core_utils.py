"""The settings of a plugin: a pydantic model, kept in a file."""

import json
import os
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from nekro_agent.lacking import names_of

__getattr__ = names_of(__name__)


class ExtraField(BaseModel):
    """How a setting is shown, which nothing does here, and whether it becomes a variable of the
    environment, which it does."""

    is_hidden: bool = False
    is_secret: bool = False
    placeholder: str = ""
    is_textarea: bool = False
    ref_model_groups: bool = False
    ref_email_accounts_send_enabled: bool = False
    model_type: str = "chat"
    required: bool = False
    overridable: bool = False
    sub_item_name: str = "项目"
    load_to_sysenv: bool = False
    load_sysenv_as: str = ""
    load_to_nonebot_env: bool = False
    load_nbenv_as: str = ""
    is_need_restart: bool = False
    ref_presets: bool = False
    ref_presets_no_default: bool = False
    ref_presets_multiple: bool = False
    i18n_category: dict[str, str] | None = None
    i18n_title: dict[str, str] | None = None
    i18n_description: dict[str, str] | None = None


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
