"""What a change of a released schema breaks: for who still sends the old messages, and for who reads the new ones.

Breaking: a type, field or allowed value that is gone; a field that has become required, narrower or has another default
(messages leave defaults out); another key or number of partitions. A new optional field or a new type is fine.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

Json = dict[str, Any]

LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_ABSENT = object()


class Breach(msgspec.Struct, frozen=True):
    """One breaking change, and where."""

    path: str
    says: str

    def __str__(self) -> str:
        return f"{self.path}: {self.says}"


def breaches(old: Json, new: Json, topic: str) -> list[Breach]:
    """Everything in a topic's new schema that breaks the old one."""
    return list(_Comparison(old.get("$defs", {}), new.get("$defs", {})).of_topics(old, new, topic))


def all_breaches(old: dict[str, Json], new: dict[str, Json]) -> list[Breach]:
    """The same for every topic; one that is gone breaks everybody."""
    found: list[Breach] = []
    for topic, schema in old.items():
        found += breaches(schema, new[topic], topic) if topic in new else [Breach(topic, "the topic is gone")]
    return found


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self.old_definitions = old
        self.new_definitions = new

    def of_topics(self, old: Json, new: Json, topic: str) -> Iterator[Breach]:
        for name in ("x-key", "x-partitions"):
            if old.get(name) != new.get(name):
                yield Breach(topic, f"{name.removeprefix('x-')} was {old.get(name)}, is {new.get(name)}")
        old_types, new_types = old["discriminator"]["mapping"], new["discriminator"]["mapping"]
        for name, reference in old_types.items():
            if name in new_types:
                yield from self.of({"$ref": reference}, {"$ref": new_types[name]}, f"{topic}/{name}")
            else:
                yield Breach(f"{topic}/{name}", "the type is gone")

    def of(self, old: Json, new: Json, path: str) -> Iterator[Breach]:
        old, new = _resolved(old, self.old_definitions), _resolved(new, self.new_definitions)
        if old.get("default", _ABSENT) != new.get("default", _ABSENT) and "default" in old:
            yield Breach(path, f"the default was {old['default']!r}, is {new.get('default')!r}")
        choices = _alternatives(new)
        for alternative in _alternatives(old):
            attempts = [list(self._of_one(alternative, choice, path)) for choice in choices]
            yield from min(attempts, key=len)

    def _of_one(self, old: Json, new: Json, path: str) -> Iterator[Breach]:
        old, new = _resolved(old, self.old_definitions), _resolved(new, self.new_definitions)
        if not _types(old) <= _types(new):
            yield Breach(path, f"was {_said(old)}, is {_said(new)}")
            return
        yield from self._of_values(old, new, path)
        if "object" in _types(old):
            yield from self._of_objects(old, new, path)
        if "items" in new:
            yield from self.of(old.get("items", {}), new["items"], f"{path}[]")

    def _of_values(self, old: Json, new: Json, path: str) -> Iterator[Breach]:
        if "enum" in old and "enum" in new:
            for gone in [value for value in old["enum"] if value not in new["enum"]]:
                yield Breach(path, f"the value {gone!r} is gone")
        elif "enum" in new:
            yield Breach(path, "any value was allowed, now only some are")
        for name in (*LOWER_BOUNDS, *UPPER_BOUNDS):
            before, after = old.get(name), new.get(name)
            if after is None or "enum" in old:
                continue
            if before is None or (after > before if name in LOWER_BOUNDS else after < before):
                yield Breach(path, f"{name} was {before}, is {after}")
        for name in ("pattern", "format"):
            if new.get(name) not in (None, old.get(name)) and "enum" not in old:
                yield Breach(path, f"{name} was {old.get(name)}, is {new[name]}")

    def _of_objects(self, old: Json, new: Json, path: str) -> Iterator[Breach]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name in after:
                yield from self.of(schema, after[name], f"{path}.{name}")
            else:
                yield Breach(f"{path}.{name}", "the field is gone")
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield Breach(f"{path}.{name}", "a field that could be left out is now required")
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield Breach(path, "unknown fields were ignored, now they are refused")
        if isinstance(new.get("additionalProperties"), dict):
            values = old.get("additionalProperties")
            yield from self.of(values if isinstance(values, dict) else {}, new["additionalProperties"], f"{path}[]")


def _resolved(schema: Json, definitions: Json) -> Json:
    """The schema with its reference followed; what stands beside the reference wins."""
    while "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        schema = definitions[schema["$ref"].rpartition("/")[2]] | beside
    return schema


def _alternatives(schema: Json) -> list[Json]:
    return list(schema["anyOf"]) if "anyOf" in schema else [schema]


def _types(schema: Json) -> set[str]:
    """The JSON types that a schema allows; whole numbers are numbers."""
    named = schema.get("type")
    if named is None and "enum" in schema:
        named = sorted({_type_of(value) for value in schema["enum"]})
    if named is None:
        return {"null", "boolean", "integer", "number", "string", "array", "object"}
    types = set(named) if isinstance(named, list) else {named}
    return types | {"integer"} if "number" in types else types


def _type_of(value: object) -> str:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return name
    return "null"


def _said(schema: Json) -> str:
    return " or ".join(sorted(_types(schema)))
