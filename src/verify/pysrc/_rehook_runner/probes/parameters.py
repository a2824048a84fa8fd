"""Puts probes in the place of what FastAPI hands to handlers, and to what they depend on: values of the
query, headers, fields of forms, and bodies.

For finding requests only. Where a release of FastAPI does it otherwise, there are none.
"""

from collections.abc import Callable

from _rehook_runner.probes.hints import BODY, HintCollector, Place
from _rehook_runner.probes.probe import wrap

# What FastAPI calls the parts of a request whose values are told apart by name.
PARTS = ("header", "query")


def install(watch: HintCollector, probed: Callable[[object, object], None]) -> None:
    """Before the plugin is imported. `probed` does it for a model, with what it was made of."""
    from fastapi import params
    from fastapi.dependencies import utils
    from pydantic import BaseModel

    read_named = getattr(utils, "request_params_to_args", None)
    read_body = getattr(utils, "request_body_to_args", None)

    def named(fields, received, *others, **options):
        values, errors = read_named(fields, received, *others, **options)
        for field in fields or ():
            part = str(getattr(getattr(field.field_info, "in_", ""), "value", ""))
            if part in PARTS and field.name in values:
                place = Place(part, (field.alias,))
                values[field.name] = _wrapped(watch, place, values[field.name])
        return values, errors

    async def body(*arguments, **options):
        values, errors = await read_body(*arguments, **options)
        fields, given = [*arguments, *options.values()][:2]
        whole = wrap(watch, BODY, given) if isinstance(given, dict) else None
        is_alone = len(fields) == 1 and not options.get("embed_body_fields")
        for field in fields:
            value = values.get(field.name)
            if isinstance(field.field_info, params.Form):
                if isinstance(value, str):
                    values[field.name] = wrap(watch, Place("form", (field.alias,)), value)
            elif whole is None:
                continue
            elif isinstance(value, BaseModel):
                probed(value, whole if is_alone else dict.get(whole, field.alias))
            else:
                place = BODY if is_alone else BODY.child(field.alias)
                values[field.name] = _wrapped(watch, place, value)
        return values, errors

    if read_named:
        utils.request_params_to_args = named
    if read_body:
        utils.request_body_to_args = body


def _wrapped(watch: HintCollector, place: Place, value: object) -> object:
    """A value of a plain kind as a probe: of another class it may be more than it looks like."""
    return wrap(watch, place, value) if type(value) in (str, int, float, dict, list) else value
