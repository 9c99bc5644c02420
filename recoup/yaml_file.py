"""YAML files that people write, read into Structs; what is wrong is said with its file, place and field."""

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from schemas.errors import BadInput

Kind = TypeVar("Kind")

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<path>.*)`)?$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>.*)`$")


def read_yaml(path: Path) -> Any:
    """The parsed content of a YAML file; raises BadInput when it is missing, not UTF-8 or not YAML."""
    try:
        return yaml.safe_load(path.read_text("utf-8-sig"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: byte {error.start} is not UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise BadInput(f"{path}{where}: not YAML: {getattr(error, 'problem', None) or 'unreadable'}.") from error


def convert(content: Any, kind: type[Kind], name: str) -> Kind:
    """The content as a Struct.

    Args:
        name: the file's, for errors.

    Raises:
        BadInput: something is missing, unknown or of the wrong kind.
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{name}: {_said(str(error))}") from error


def _said(message: str) -> str:
    found = _PLACE.match(message)
    what, path = (found["what"], found["path"] or "") if found else (message, "")
    if unknown := _UNKNOWN.match(what):
        return f"`{_join(path, unknown['name'])}` is not known here; is it misspelt?"
    if missing := _MISSING.match(what):
        return f"`{_join(path, missing['name'])}` is missing."
    return f"`{path or 'the file'}`: {what[0].lower()}{what[1:]}."


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
