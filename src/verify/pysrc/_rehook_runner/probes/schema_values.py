"""Values that fit a JSON schema, as OpenAPI and pydantic give them."""

import re
from collections.abc import Iterator

from _rehook_runner.probes import patterns

# Models that contain themselves are followed this far.
DEPTH = 6
# Texts and lists that are made to be as long as a bound are no longer.
LONGEST = 2000


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


def bounds(
    schema: dict, whole: dict | None = None, keys: tuple = ()
) -> Iterator[tuple[tuple, list]]:
    """Values at each bound that a schema names, and beside it, by the keys of what has the bound."""
    whole = schema if whole is None else whole
    schema = _led_to(schema, whole)
    if len(keys) > DEPTH:
        return
    values: list = []
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        bound = schema.get(key)
        if isinstance(bound, (int, float)) and not isinstance(bound, bool):
            steps = (-1, 0, 1) if float(bound).is_integer() else (-0.01, 0, 0.01)
            values += [_exact(bound + step, schema) for step in steps]
    if isinstance(multiple := schema.get("multipleOf"), (int, float)):
        values += [multiple, multiple * 2, multiple + 1]
    for key, item in (("Length", None), ("Items", schema.get("items", {}))):
        for bound in (schema.get("min" + key), schema.get("max" + key)):
            if isinstance(bound, int) and bound <= LONGEST:
                sizes = [size for size in (bound - 1, bound, bound + 1) if size >= 0]
                one = "x" if item is None else sample(item, whole, depth=len(keys))
                values += ["x" * size if item is None else [one] * size for size in sizes]
    if "pattern" in schema:
        values += _fitting(schema["pattern"])
    if values:
        yield keys, values
    for key in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(key, []):
            yield from bounds(one, whole, keys)
    for name, one in schema.get("properties", {}).items():
        yield from bounds(one, whole, (*keys, name))
    if isinstance(schema.get("items"), dict):
        yield from bounds(schema["items"], whole, (*keys, 0))


def _exact(value: float, schema: dict) -> float | int:
    return int(value) if schema.get("type") == "integer" else round(value, 6)


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


def _fitting(pattern: str) -> list:
    """Texts that fit a pattern."""
    try:
        return list(patterns.samples(re.compile(pattern)))
    except re.error:
        # Another language has other patterns.
        return []


def _text(schema: dict) -> str:
    if "pattern" in schema and (fitting := _fitting(schema["pattern"])):
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
