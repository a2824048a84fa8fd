"""Values that fit a JSON schema, as OpenAPI and pydantic give them."""

import re
from collections.abc import Iterator

from _rehook_runner.probes import patterns

# Models that contain themselves are followed this far.
DEPTH = 6


def sample(
    schema: dict, whole: dict | None = None, optional: bool = True, depth: int = 0
) -> object:
    """A value that fits; `whole` is where references lead. Without `optional` only what has to be
    there is."""
    whole = schema if whole is None else whole
    schema = _led_to(schema, whole)
    for key in ("const", "default"):
        if key in schema and schema[key] is not None:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    examples = schema.get("examples")
    if examples and isinstance(examples, list):
        return examples[0]
    for key in ("anyOf", "oneOf"):
        choices = [one for one in schema.get(key, []) if one.get("type") != "null"]
        if choices:
            return sample(choices[0], whole, optional, depth)
    if "allOf" in schema:
        merged: dict = {}
        for one in schema["allOf"]:
            part = sample(one, whole, optional, depth)
            merged |= part if isinstance(part, dict) else {}
        return merged
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        if depth > DEPTH:
            return {}
        required = schema.get("required", [])
        return {
            name: sample(one, whole, optional, depth + 1)
            for name, one in schema.get("properties", {}).items()
            if optional or name in required
        }
    if kind == "array":
        return (
            [] if depth > DEPTH else [sample(schema.get("items", {}), whole, optional, depth + 1)]
        )
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    return _text(schema)


def others(
    schema: dict, whole: dict | None = None, keys: tuple = ()
) -> Iterator[tuple[tuple, list]]:
    """What may be in the place of single values of a sample, by their keys: the others of an
    enumeration or of a choice of models, a switch the other way, nothing."""
    whole = schema if whole is None else whole
    schema = _led_to(schema, whole)
    if len(keys) > DEPTH:
        return
    values = list(schema.get("enum", ()))[1:]
    if schema.get("type") == "boolean":
        values = [True, False]
    for key in ("anyOf", "oneOf"):
        for number, one in enumerate(schema.get(key, [])):
            if one.get("type") == "null":
                values.append(None)
                continue
            if number:
                values.append(sample(one, whole, depth=len(keys)))
            yield from others(one, whole, keys)
    if values:
        yield keys, values
    for name, one in schema.get("properties", {}).items():
        yield from others(one, whole, (*keys, name))
    if isinstance(schema.get("items"), dict):
        yield from others(schema["items"], whole, (*keys, 0))


def _led_to(schema: dict, whole: dict) -> dict:
    """The schema that a reference leads to; anything fits one that leads nowhere, since plugins may
    write parts of a schema themselves."""
    for _ in range(DEPTH):
        if "$ref" not in schema:
            return schema
        target: object = whole
        for key in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(key) if isinstance(target, dict) else None
        schema = target if isinstance(target, dict) else {}
    return {}


def _number(schema: dict) -> object:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return min(least, schema["maximum"]) if "maximum" in schema else least


def _text(schema: dict) -> str:
    if "pattern" in schema:
        try:
            fitting = patterns.samples(re.compile(schema["pattern"]))
        except re.error:
            # Another language has other patterns.
            fitting = []
        if fitting:
            return fitting[0]
    text = {
        "date-time": "2024-01-02T03:04:05Z",
        "date": "2024-01-02",
        "time": "03:04:05Z",
        "uuid": "00000000-0000-4000-8000-000000000000",
        "uri": "https://example.com/",
        "email": "somebody@example.com",
        "ipv4": "192.0.2.1",
    }.get(schema.get("format", ""), "x")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
