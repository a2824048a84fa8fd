"""What stands around every route."""

import asyncio
import time

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from nekro_agent.core.exception_handlers import register_exception_handlers


def mount_middlewares(app: FastAPI) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_middleware(Timing)
    register_exception_handlers(app)


class Timing:
    """Says in the reply how long it took."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        started = time.perf_counter()

        async def timed(message):
            if message["type"] == "http.response.start":
                took = f"{(time.perf_counter() - started) * 1000:.2f}ms".encode()
                message["headers"] = [*message["headers"], (b"x-process-time", took)]
            await send(message)

        try:
            await self.app(scope, receive, timed)
        except (SystemExit, KeyboardInterrupt) as error:
            # Around what the agent has here runs a task of its own, and out of one that ends the
            # server.
            await asyncio.create_task(_raise(error))


async def _raise(error: BaseException) -> None:
    raise error
