"""The files that are made from the registry and the Structs, as they should be on disk."""

from functools import cache
from pathlib import Path

from schemas import asyncapi, json_schema
from schemas.registry import topics


@cache
def generated() -> dict[Path, str]:
    """Path -> text of every generated file."""
    files = {
        json_schema.JSON_DIR / json_schema.file_name(topic): json_schema.as_text(json_schema.json_schema(topic))
        for topic in topics().values()
    }
    return files | {asyncapi.ASYNCAPI_FILE: asyncapi.as_text(asyncapi.asyncapi())}


def stale() -> list[Path]:
    """The files that are missing, differ, or belong to no topic any more.

    A schema of an older version of a topic stays: it is a contract that somebody may still hold.
    """
    made = generated()
    differing = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    orphans = [
        path
        for path in sorted(json_schema.JSON_DIR.glob("*.schema.json"))
        if path not in made and path.name.partition(".v")[0] not in topics()
    ]
    return differing + orphans
