"""Runs plugins before and after their migration, for `rehook verify`.

All modules are in this one package, whose name no plugin uses: so whatever a plugin imports is its own.
A package uses those before it: `model`, `process`, `side`, `probes`, `coverage`, `search`, `comparison`.
"""
