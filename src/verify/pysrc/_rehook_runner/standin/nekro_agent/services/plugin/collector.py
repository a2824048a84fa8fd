"""Finds the plugins in the agent's folders, and loads them."""

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from nekro_agent.core.config import config
from nekro_agent.core.logger import get_sub_logger
from nekro_agent.core.os_env import BUILTIN_PLUGIN_DIR, PACKAGES_DIR, WORKDIR_PLUGIN_DIR
from nekro_agent.lacking import attributes_of
from nekro_agent.services.plugin.base import NekroPlugin

logger = get_sub_logger("plugin_system")


@dataclass
class FailedPluginInfo:
    """Why a module is no plugin."""

    module_name: str
    file_path: str
    error_message: str
    error_type: str
    stack_trace: str | None = None


class PluginCollector:
    def __init__(self):
        self.loaded_plugins: dict[str, NekroPlugin] = {}
        self.failed_plugins: dict[str, FailedPluginInfo] = {}

    async def init_plugins(self) -> None:
        """Loads all; what is wrong with one is kept from the others."""
        folders = [Path(p) for p in (BUILTIN_PLUGIN_DIR, WORKDIR_PLUGIN_DIR, PACKAGES_DIR)]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            # A plugin is imported as `workdir.name`.
            parent = str(folder.parent.absolute())
            if parent not in sys.path:
                sys.path.insert(0, parent)
        for folder in folders:
            for item in folder.iterdir():
                try:
                    await self._try_load_plugin(
                        item,
                        is_builtin=folder is folders[0],
                        is_package=folder is folders[2],
                    )
                except Exception:
                    logger.exception(f"cannot load {item}")

    async def _try_load_plugin(
        self, item_path: Path, is_builtin: bool = False, is_package: bool = False
    ) -> bool:
        """Whether it looks like a plugin: a module, a package's folder, or its `__init__.py`."""
        if item_path.name == "__init__.py":
            item_path = item_path.parent
        if item_path.is_file() and item_path.suffix == ".py":
            name = item_path.stem
        elif (item_path / "__init__.py").exists() and item_path.name != "__pycache__":
            name = item_path.name
        else:
            return False
        module_path = f"{item_path.parent.name}.{name}"
        try:
            module = import_module(module_path)
        except Exception as error:  # noqa: BLE001
            self._failed(module_path, item_path, type(error).__name__, str(error))
            return True
        if not hasattr(module, "plugin"):
            message = f"{module_path} has no `plugin`"
            self._failed(module_path, item_path, "MissingPluginInstance", message)
            return True
        plugin: NekroPlugin = module.plugin
        plugin._set_module(module)
        if known := self.loaded_plugins.get(plugin.key):
            await self._clean_up(known)
        try:
            if plugin.init_method:
                await plugin.init_method()
        except Exception as error:  # noqa: BLE001
            self._failed(module_path, item_path, type(error).__name__, str(error))
            return True
        plugin.is_builtin |= is_builtin
        plugin.is_package |= is_package
        plugin._is_enabled = plugin.key in config.PLUGIN_ENABLED
        if plugin.is_enabled:
            await plugin.trigger_callbacks("enabled")
        self.loaded_plugins[plugin.key] = plugin
        self.failed_plugins.pop(module_path, None)
        return True

    async def _clean_up(self, plugin: NekroPlugin) -> None:
        if plugin.cleanup_method:
            await plugin.cleanup_method()

    def _failed(self, module_path: str, path: Path, error_type: str, message: str) -> None:
        name = module_path.rpartition(".")[2]
        trace = traceback.format_exc()
        self.failed_plugins[module_path] = FailedPluginInfo(
            name, str(path), message, error_type, trace
        )

    def get_plugin(self, key: str) -> NekroPlugin | None:
        return self.loaded_plugins.get(key)

    def get_plugins_with_router(self) -> list[NekroPlugin]:
        plugins = self.loaded_plugins.values()
        return [p for p in plugins if p.is_enabled and p.get_plugin_router() is not None]

    def get_webhook_methods_by_endpoint(self, endpoint: str) -> list[tuple[str, Callable]]:
        """Those of all enabled plugins, in the order in which they were loaded."""
        return [
            (key, plugin.webhook_methods[endpoint].func)
            for key, plugin in self.loaded_plugins.items()
            if plugin.is_enabled and endpoint in plugin.webhook_methods
        ]

    __getattr__ = attributes_of("nekro_agent.services.plugin.collector.plugin_collector")


plugin_collector = PluginCollector()
