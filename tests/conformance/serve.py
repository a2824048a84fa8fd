"""The agent with migrated plugins, served by uvicorn: for tests that send over the network.

    python serve.py FOLDER [PLUGIN.SETTING=VALUE ...]

It takes a port that the system gives it, prints `serving PORT`, and runs until it is ended. Chats
and the database are replaced as for the comparisons; nothing leaves the machine.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "src/verify/pysrc"))


def main() -> None:
    folder, *settings = sys.argv[1:]
    folder = Path(folder).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["REHOOK_SCRATCH"] = scratch

        from _rehook_runner.model.case import Case
        from _rehook_runner.side import agent
        from _rehook_runner.side.recorder import Recorder

        agent.prepare()
        agent.place(folder)
        Recorder(Case(name="serve", before=folder, after=folder, routes=[])).install()
        asyncio.run(serve(agent, settings))


async def serve(agent, settings: list[str]) -> None:
    import uvicorn
    from wire import tcp

    app, collector = await agent.application()
    for setting in settings:
        name, value = setting.split("=", 1)
        plugin, name = name.rsplit(".", 1)
        setattr(collector.get_plugin(plugin).get_config(), name, value)
    listener = tcp()
    listener.bind(("127.0.0.1", 0))
    print(f"serving {listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve(sockets=[listener])


if __name__ == "__main__":
    main()
