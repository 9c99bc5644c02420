"""The JSON Schema of each topic, made from the Structs: the contract for whoever does not read Python."""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from schemas.currencies import CURRENCIES
from schemas.registry import Topic, TypeSpec

JSON_DIR = Path(__file__).parent / "json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


def file_name(topic: Topic) -> str:
    """The name of a topic's schema in `schemas/json/`; its number is that of the topic's newest type."""
    return f"{topic.name}.v{max(spec.version for spec in topic.types.values())}.schema.json"


def json_schema(topic: Topic) -> Json:
    """What a message of the topic may be: one of its types, told apart by `type`."""
    roots, components = msgspec.json.schema_components(
        [spec.struct for spec in topic.types.values()], ref_template="#/$defs/{name}"
    )
    definitions = dict(sorted(components.items()))
    for spec in topic.types.values():
        definitions[spec.struct.__name__]["properties"]["schema_version"] |= {"enum": [spec.version]}
    _describe(definitions, topic.types)
    schema = {
        "$schema": DIALECT,
        "$id": f"urn:recoup:schemas:{file_name(topic)}",
        "title": topic.name,
        "description": topic.what,
        "x-key": topic.key,
        "x-partitions": topic.partitions,
        "oneOf": list(roots),
        "discriminator": {
            "propertyName": "type",
            "mapping": {name: root["$ref"] for name, root in zip(topic.types, roots, strict=True)},
        },
        "$defs": _with_currencies_lifted(definitions),
    }
    # Defaults come as Python's values; read back, the schema equals one that comes from a file.
    read: Json = json.loads(json.dumps(schema))
    return read


def as_text(schema: Json) -> str:
    """As it is checked in."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _describe(definitions: dict[str, Json], types: dict[str, TypeSpec]) -> None:
    """Give each property the note that stands under its field in the code, or in the code of a base."""
    lineage = {spec.struct.__name__: [base.__name__ for base in spec.struct.__mro__] for spec in types.values()}
    for name, definition in definitions.items():
        for field, schema in definition.get("properties", {}).items():
            owners = (owner for owner in lineage.get(name, [name]) if (owner, field) in _field_notes())
            if (owner := next(owners, None)) is not None:
                schema.setdefault("description", _field_notes()[owner, field])


@cache
def _field_notes() -> dict[tuple[str, str], str]:
    """(Struct, field) -> the string literal under the field, for every Struct of this package."""
    return {
        (item.name, field.target.id): " ".join(note.value.value.split())
        for path in sorted(Path(__file__).parent.glob("*.py"))
        for item in ast.parse(path.read_text("utf-8")).body
        if isinstance(item, ast.ClassDef)
        for field, note in zip(item.body, item.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant) and isinstance(note.value.value, str)
    }


def _with_currencies_lifted(definitions: dict[str, Json]) -> dict[str, Json]:
    """The 150 codes named once instead of in every field."""
    lifted: dict[str, Json] = _lift(definitions)
    if lifted != definitions:
        lifted["Currency"] = {"title": "Currency", "description": "ISO 4217.", "enum": sorted(CURRENCIES)}
    return lifted


def _lift(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_lift(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if set(schema.get("enum", ())) == CURRENCIES:
        return {name: value for name, value in schema.items() if name != "enum"} | {"$ref": "#/$defs/Currency"}
    return {name: _lift(value) for name, value in schema.items()}
