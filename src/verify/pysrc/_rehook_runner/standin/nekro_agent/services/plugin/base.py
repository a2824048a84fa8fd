"""A plugin: what it says of itself, what it registers, its settings and its store."""

import asyncio
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from fastapi import APIRouter
from nekro_agent.core.core_utils import ConfigBase
from nekro_agent.core.logger import get_sub_logger
from nekro_agent.core.os_env import OsEnv
from nekro_agent.lacking import attributes_of, without
from nekro_agent.schemas.i18n import I18nDict, SupportedLang, get_text
from nekro_agent.services.command.group import CommandGroup
from nekro_agent.services.plugin.schema import (
    PromptInjectMethod,
    SandboxMethod,
    SandboxMethodType,
    WebhookMethod,
)


def _registers(register: Callable):
    """A decorator that leaves what it decorates as it is."""

    def decorator(decorated):
        register(decorated)
        return decorated

    return decorator


def _keeps(attribute: str):
    """A method whose decorator keeps a function as an attribute of the plugin."""
    return lambda self: _registers(lambda func: setattr(self, attribute, func))


@without(
    *(
        "collect_available_methods",
        "render_inject_prompt",
        "render_sandbox_methods_prompt",
    ),
    *("enable", "disable", "get_docs", "get_webui_url_path", "get_webui_type"),
)
class NekroPlugin:
    def __init__(
        self,
        name: str,
        module_name: str,
        description: str,
        version: str,
        author: str,
        url: str,
        support_adapter: list[str] | None = None,
        is_builtin: bool = False,
        is_package: bool = False,
        i18n_name: I18nDict | None = None,
        i18n_description: I18nDict | None = None,
        allow_sleep: bool | None = None,
        sleep_brief: str = "",
        webui_path: str | None = None,
    ):
        self.name = name
        self.module_name = _identifier(module_name, "module_name")
        self.description = description.strip()
        self.version = version.strip()
        self.author = _identifier(author, "author")
        self.url = url.strip()
        self.support_adapter = support_adapter or []
        self.i18n_name = i18n_name
        self.i18n_description = i18n_description
        self.allow_sleep = allow_sleep
        self.sleep_brief = sleep_brief.strip()
        self.webui_path = webui_path
        self.key = f"{self.author}.{self.module_name}"
        self.logger = get_sub_logger("plugin", f"plugin.{self.key}", plugin_key=self.key)
        self.is_builtin = is_builtin
        self.is_package = is_package
        self._is_enabled = True
        self._module: ModuleType | None = None
        self._path = Path(OsEnv.DATA_DIR) / "plugin_data" / self.key
        self._config_class: type[ConfigBase] = ConfigBase
        self._config: ConfigBase | None = None
        self._on_enabled_callbacks: list[Callable] = []
        self._on_disabled_callbacks: list[Callable] = []
        self.on_user_message_method: Callable | None = None
        self.on_system_message_method: Callable | None = None
        self.reset_methods()

    def reset_methods(self) -> None:
        self.init_method: Callable | None = None
        self.cleanup_method: Callable | None = None
        self.prompt_inject_method: PromptInjectMethod | None = None
        self.on_reset_method: Callable | None = None
        self.sandbox_methods: list[SandboxMethod] = []
        self.webhook_methods: dict[str, WebhookMethod] = {}
        self._collect_methods_func: Callable | None = None
        self._async_tasks: dict[str, Callable] = {}
        self._commands: list = []
        self._router_func: Callable[[], APIRouter] | None = None
        self._router: APIRouter | None = None

    @property
    def is_enabled(self) -> bool:
        return self._is_enabled

    @property
    def store(self) -> "PluginStore":
        return PluginStore(self)

    def get_name(self, lang: SupportedLang = SupportedLang.ZH_CN) -> str:
        return get_text(self.i18n_name, self.name, lang)

    def get_description(self, lang: SupportedLang = SupportedLang.ZH_CN) -> str:
        return get_text(self.i18n_description, self.description, lang)

    # What it registers.

    def mount_webhook_method(self, endpoint: str, name: str, description: str = ""):
        return _registers(
            lambda f: self.webhook_methods.update({endpoint: WebhookMethod(name, description, f)})
        )

    def mount_router(self):
        def register(func: Callable[[], APIRouter]) -> None:
            self._router_func, self._router = func, None

        return _registers(register)

    mount_init_method = _keeps("init_method")
    mount_cleanup_method = _keeps("cleanup_method")
    mount_on_channel_reset = _keeps("on_reset_method")
    mount_on_user_message = _keeps("on_user_message_method")
    mount_on_system_message = _keeps("on_system_message_method")
    mount_collect_methods = _keeps("_collect_methods_func")

    def mount_prompt_inject_method(self, name: str, description: str = ""):
        def register(func: Callable) -> None:
            self.prompt_inject_method = PromptInjectMethod(name, description, func)

        return _registers(register)

    def mount_sandbox_method(
        self, method_type: SandboxMethodType, name: str, description: str = ""
    ):
        def register(func: Callable) -> None:
            func._method_type = method_type  # type: ignore[attr-defined]
            self.sandbox_methods.append(SandboxMethod(method_type, name, description, func))

        return _registers(register)

    def mount_async_task(self, task_type: str):
        return _registers(lambda func: self._async_tasks.update({task_type: func}))

    def mount_command(self, name: str, description: str, aliases=None, permission=None, **_about):
        return _registers(lambda func: self._commands.append((name, func)))

    def mount_command_group(self, name: str, description: str, permission=None, **_about):
        return CommandGroup(name, description, self._commands)

    def on_enabled(self):
        return _registers(self._on_enabled_callbacks.append)

    def on_disabled(self):
        return _registers(self._on_disabled_callbacks.append)

    # What becomes of it.

    def get_plugin_router(self) -> APIRouter | None:
        """The routes, made when they are first asked for; none if that fails."""
        if self._router is None and self._router_func:
            try:
                made = self._router_func()
                if not isinstance(made, APIRouter):
                    raise TypeError(f"the router is a {type(made).__name__}")
                if made.routes:
                    router = APIRouter()
                    router.include_router(made)
                    self._router = router
            except Exception:
                self.logger.exception(f"{self.key} has no router")
        return self._router

    async def trigger_callbacks(self, event_type: str) -> None:
        callbacks = (
            self._on_enabled_callbacks if event_type == "enabled" else self._on_disabled_callbacks
        )
        results = await asyncio.gather(*(call() for call in callbacks), return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                self.logger.error(f"a callback of {self.key} failed: {result}")

    def _set_module(self, module: ModuleType) -> None:
        self._module = module

    # Its settings and its folder.

    def mount_config(self):
        def register(config_class: type[ConfigBase]) -> None:
            if not issubclass(config_class, ConfigBase):
                raise TypeError("Config class must inherit from ConfigBase")
            self._config_class = config_class
            self.get_config()

        return _registers(register)

    def get_config(self, config_cls: type[ConfigBase] = ConfigBase):
        if self._config is None:
            self._config = self._config_class.load_config(self._config_file())
            self._config.dump_config(self._config_file())
        return self._config

    def save_config(self, config: ConfigBase) -> None:
        if not isinstance(config, self._config_class):
            raise TypeError("存入的配置项类型有误")
        self._config = config
        config.dump_config(self._config_file())

    def _config_file(self) -> Path:
        return self._path / "config.yaml"

    def get_plugin_data_dir(self) -> Path:
        self._path.mkdir(parents=True, exist_ok=True)
        return self._path

    def get_plugin_path(self) -> Path:
        warnings.warn("use get_plugin_data_dir()", DeprecationWarning, stacklevel=2)
        return self.get_plugin_data_dir()

    def get_vector_collection_name(self, key: str = "") -> str:
        return f"{self.key}-{key}" if key else self.key


class PluginStore:
    """Values of a plugin. There is no database: whoever runs the agent puts functions in the place
    of `get`, `set` and `delete`."""

    def __init__(self, plugin: NekroPlugin):
        self._plugin = plugin

    __getattr__ = attributes_of("nekro_agent.api.plugin.PluginStore")


def _identifier(text: str, what: str) -> str:
    text = text.strip()
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError(
            f"{what} must be letters, digits and underscores, no digit first: {text!r}"
        )
    return text
