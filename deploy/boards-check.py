"""Holds boards to the schema that Grafana publishes for them, in its package grafana-foundation-sdk.

A board passes where its models read it without losing anything (a key that they do not know is lost),
where each value is of the type they declare, and where every panel is of a kind they know. For the
queries of Postgres the package has no model; the tests run those.

    boards-check.py FILE.json…
"""

import enum
import json
import sys
import types
import typing
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import Runtime
from grafana_foundation_sdk.models.dashboard import Dashboard, FieldConfig


def lost(given, kept, place):
    """What stands in a board and not in what the models made of it."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from lost(value, kept[key], f"{place}.{key}")
            elif value is not None:
                yield f"{place}.{key}: no such field"
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (value, other) in enumerate(zip(given, kept)):
            yield from lost(value, other, f"{place}[{number}]")
    elif given != kept:
        yield f"{place}: {given!r} is read as {kept!r}"


def fits(value, hint):
    """Whether a value is of a declared type; models are looked into by `wrong`."""
    origin = typing.get_origin(hint)
    if hint is typing.Any or hint is object or isinstance(hint, typing.TypeVar):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin is list:
        return isinstance(value, list) and all(fits(one, typing.get_args(hint)[0]) for one in value)
    if origin is dict:
        of = typing.get_args(hint)[1]
        return isinstance(value, dict) and all(fits(one, of) for one in value.values())
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return value in [one.value for one in hint] or isinstance(value, hint)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def wrong(model, place):
    """Every value of a model, and of the models in it, that is not of its declared type."""
    if isinstance(model, dict):
        for key, value in model.items():
            yield from wrong(value, f"{place}.{key}")
    elif isinstance(model, list):
        for number, value in enumerate(model):
            yield from wrong(value, f"{place}[{number}]")
    elif type(model).__module__.startswith("grafana_foundation_sdk.models"):
        hints = typing.get_type_hints(type(model))
        for name, value in vars(model).items():
            if name in hints and not isinstance(model, enum.Enum) and not fits(value, hints[name]):
                yield f"{place}.{name}: {value!r} is not {hints[name]}"
            yield from wrong(value, f"{place}.{name}")


def held(given, read, place):
    model = read(given)
    yield from lost(given, json.loads(JSONEncoder().encode(model)), place)
    yield from wrong(model, place)


def overridden(panel, kind):
    """What overrides set: the schema leaves it open, but each is a field of the panel's own."""
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for one in override["properties"]:
            own, name = one["id"].startswith("custom."), one["id"].removeprefix("custom.")
            read = kind.field_config_from_json_hook if own else FieldConfig.from_json
            if read:
                yield from held({name: one["value"]}, read, f"panel {panel['id']}: override")


def problems(board):
    for panel in board.get("panels", []):
        kind = Runtime().panelcfg_config(panel["type"])
        if kind:
            yield from overridden(panel, kind)
        elif panel["type"] != "row":
            yield f"panel {panel['id']}: {panel['type']!r} is no kind of panel"
    yield from held(board, Dashboard.from_json, "board")


def main(paths):
    register_default_plugins()
    count = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            board = json.load(file)
        for problem in problems(board):
            print(f"{path}: {problem}", file=sys.stderr)
            count += 1
    if count or not paths:
        sys.exit(f"{count} problems in {len(paths)} boards")
    print(f"{len(paths)} boards fit Grafana's schema")


if __name__ == "__main__":
    main(sys.argv[1:])
