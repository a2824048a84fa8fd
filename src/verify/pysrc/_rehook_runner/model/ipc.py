"""Results on their way from a process that runs a plugin to the one that does not.

The plugin can write to the way as well. So only what is a plain value, or of a kind that is `serializable`,
arrives: nothing is imported and nothing is called for what comes (pickle, "Restricting Globals").
"""

import io
import pickle

KINDS: dict[str, type] = {}
NAMES: dict[type, str] = {}


def serializable(kind: type) -> type:
    """Lets objects of a class be sent."""
    KINDS[kind.__name__] = kind
    NAMES[kind] = kind.__name__
    return kind


def pack(value: object) -> bytes:
    """Raises `pickle.PicklingError` for what contains anything else."""
    data = io.BytesIO()
    _Pickler(data, protocol=5).dump(value)
    return data.getvalue()


def unpack(data: bytes) -> object:
    """Raises what it likes for what `pack` has not made."""
    return _Unpickler(io.BytesIO(data)).load()


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        # By name alone: the modules may be hidden from the plugin.
        return NAMES.get(value) if isinstance(value, type) else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name):
        return KINDS[name]

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name} does not travel")
