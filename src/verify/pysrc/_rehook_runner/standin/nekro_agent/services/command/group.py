"""Commands under one name."""

from collections.abc import Callable


class CommandGroup:
    def __init__(self, group_name: str, description: str, commands_list: list, **_about):
        self._group_name = group_name
        self._description = description
        self._commands_list = commands_list

    def command(self, name: str, description: str, **_about) -> Callable[[Callable], Callable]:
        def decorator(func: Callable) -> Callable:
            self._commands_list.append((f"{self._group_name}.{name}", func))
            return func

        return decorator
