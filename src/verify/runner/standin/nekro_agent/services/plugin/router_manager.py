"""Puts the routes of plugins on the application."""

import inspect
from functools import wraps

from fastapi import FastAPI, HTTPException
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
            # Releases of FastAPI that copy the routes of an included router take the endpoints as
            # they are then, and have them guarded; those that keep the router itself do not.
            for route in router.routes:
                if callable(getattr(route, "endpoint", None)):
                    route.endpoint = guarded(route.endpoint, plugin)
            self._app.include_router(router, prefix=f"/plugins/{plugin.key}")
        except Exception:
            logger.exception(f"cannot mount the routes of {plugin.key}")
            return False
        return True

    __getattr__ = attributes_of("nekro_agent.services.plugin.router_manager.plugin_router_manager")


def guarded(endpoint, plugin: NekroPlugin):
    """The endpoint of a plugin, gone while that is disabled. One that is not async is then called
    in the event loop, as on the real agent."""

    @wraps(endpoint)
    async def call(*args, **kwargs):
        if not plugin.is_enabled:
            raise HTTPException(404, "Plugin not found or disabled")
        result = endpoint(*args, **kwargs)
        return await result if inspect.iscoroutinefunction(endpoint) else result

    return call


plugin_router_manager = PluginRouterManager()
