"""Plugins that do not end, or end the process, for some requests or for all; and those that cannot
be loaded."""

from template import Plugin

NAN = {"a": float("nan"), "b": float("-inf")}
HUGE = {"a": 123456789012345678901234567890, "b": float("inf")}

FAILING = [
    Plugin(
        "ends_for_one",
        """
if _ctx.webhook_request.body.get("again") == "loop":
    while True:
        pass
if _ctx.webhook_request.body.get("then") == "one":
    core.logger.info("one")
    if _ctx.webhook_request.body.get("two") == "two":
        core.logger.info("two")
core.logger.info("done")
""",
        missed=["while True:", "pass"],
        endless=[("body again = 'loop'", {"again": "loop"})],
    ),
    Plugin(
        "ends_for_few",
        """
if _ctx.webhook_request.body.get("wait"):
    await asyncio.Event().wait()
for name in ("one", "two", "three", "four"):
    if _ctx.webhook_request.body.get(name) == name:
        while True:
            pass
core.logger.info("done")
""",
        top="import asyncio",
        missed=["await asyncio.Event().wait()", "while True:", "pass"],
        endless=[
            ("body wait = 'x'", {"wait": "x"}),
            ("body wait = 1", {"wait": 1}),
            ("body one = 'one'", {"one": "one"}),
        ],
    ),
    Plugin(
        "ends_the_process_for_one",
        """
if _ctx.webhook_request.body.get("again") == "end":
    os._exit(3)
if _ctx.webhook_request.body.get("then") == "one":
    core.logger.info("one")
core.logger.info("done")
""",
        top="import os",
        missed=["os._exit(3)"],
        endless=[("body again = 'end'", {"again": "end"})],
    ),
    Plugin(
        "ends_in_the_background",
        """
if _ctx.webhook_request.body.get("again") == "end":
    asyncio.create_task(end())
core.logger.info("done")
""",
        top="""
import asyncio


async def end():
    raise SystemExit(4)
""",
        missed=["asyncio.create_task(end())"],
        endless=[("body again = 'end'", {"again": "end"})],
    ),
    Plugin(
        "ends_for_a_number",
        """
if "Infinity" in json.dumps(_ctx.webhook_request.body):
    os._exit(3)
core.logger.info("done")
""",
        top="import json\nimport os",
        missed=["os._exit(3)"],
        endless=[("an object with a huge number", HUGE), ("an object with NaN", NAN)],
    ),
    # The agent has a middleware that makes a task of what is inside, so that ends the server.
    Plugin(
        "exits_in_a_handler",
        """
if _ctx.webhook_request.body.get("again") == "end":
    sys.exit(3)
if _ctx.webhook_request.body.get("then") == "stop":
    raise KeyboardInterrupt
core.logger.info("done")
""",
        top="import sys",
        missed=["sys.exit(3)", "raise KeyboardInterrupt"],
        endless=[
            ("body again = 'end'", {"again": "end"}),
            ("body then = 'stop'", {"then": "stop"}),
        ],
    ),
    Plugin(
        "missing",
        "pass",
        top="import a_package_that_is_not_there",
        verdict="missing_module",
    ),
    Plugin("raises", "pass", top='raise RuntimeError("when imported")', verdict="import"),
    Plugin("exits", "pass", top="import os\n\nos._exit(3)", verdict="exit"),
    Plugin("exits_politely", "pass", top="raise SystemExit(4)", verdict="exit"),
    Plugin("exits_later", "os._exit(3)", top="import os", verdict="exit"),
    Plugin("hangs", "while True:\n    pass", verdict="hang"),
    Plugin("waits", "await asyncio.Event().wait()", top="import asyncio", verdict="hang"),
    Plugin("dies", "ctypes.string_at(0)", top="import ctypes", verdict="crash"),
]
