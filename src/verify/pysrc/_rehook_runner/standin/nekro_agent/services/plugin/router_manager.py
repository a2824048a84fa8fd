"""Puts the routes of plugins on the application."""

from fastapi import FastAPI
from nekro_agent.core.logger import get_sub_logger
from nekro_agent.lacking import attributes_of
from nekro_agent.services.plugin.base import NekroPlugin

logger = get_sub_logger("plugin_system")


class PluginRouterManager:
    def __init__(self):
        self._app: FastAPI | None = None

    def set_app(self, app: FastAPI) -> None:
        self._app = app

    def mount_plugin_router(self, plugin: NekroPlugin) -> bool:
        router = plugin.get_plugin_router()
        if self._app is None or not plugin.is_enabled or router is None:
            return False
        try:
            self._app.include_router(router, prefix=f"/plugins/{plugin.key}")
        except Exception:
            logger.exception(f"cannot mount the routes of {plugin.key}")
            return False
        return True

    __getattr__ = attributes_of("nekro_agent.services.plugin.router_manager.plugin_router_manager")


plugin_router_manager = PluginRouterManager()
