"""A dead letter's value changed: fields set to other values, or the whole of it by hand."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from recoup.dead_letters.letters import Letter
from schemas.envelope import account_key
from schemas.errors import BadInput

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

Accepts = Callable[[bytes | None, bytes | None], bool]
"""Whether the pipeline would take this key and value."""


def with_fields(
    letter: Letter, settings: Sequence[str], accepts: Accepts, *, rekey: bool
) -> tuple[bytes | None, bytes]:
    """The letter's key and value with `field=value` of each setting.

    A value is JSON if it can be read as JSON (`amount_minor=1250`), else text. Where the pipeline would take it only as
    text (`invoice_id=1250`), it is text. A field inside another is `allocations[0].amount_minor`.

    Raises:
        BadInput: the value is no JSON object, or has no such place.
    """
    as_json = _set(letter, settings, as_text=False)
    key = _key(as_json, letter, rekey=rekey)
    if not accepts(key, msgspec.json.encode(as_json)):
        as_text = _set(letter, settings, as_text=True)
        if accepts(_key(as_text, letter, rekey=rekey), msgspec.json.encode(as_text)):
            as_json = as_text
    return _key(as_json, letter, rekey=rekey), msgspec.json.encode(as_json)


def by_hand(letter: Letter, edit: Callable[[str], str | None], *, rekey: bool) -> tuple[bytes | None, bytes]:
    """The letter's key and value after `edit` has had its text; unchanged when `edit` returns None.

    Raises:
        BadInput: it is not text.
    """
    text = _text(letter)
    try:
        shown = msgspec.json.format(text.encode(), indent=2).decode()
    except msgspec.DecodeError:
        shown = text
    edited = edit(shown)
    value = text.encode() if edited is None else _compact(edited)
    try:
        parsed = msgspec.json.decode(value)
    except msgspec.DecodeError:
        parsed = None
    return (_key(parsed, letter, rekey=rekey) if isinstance(parsed, dict) else letter.key), value


def rekeyed(letter: Letter) -> tuple[bytes | None, bytes | None]:
    """The letter with the key that its tenant and account make; raises BadInput when it names none."""
    return _key(_object(letter), letter, rekey=True), letter.value


def _compact(text: str) -> bytes:
    try:
        return msgspec.json.format(text.encode(), indent=-1)
    except msgspec.DecodeError:
        return text.strip().encode()


def _set(letter: Letter, settings: Sequence[str], *, as_text: bool) -> dict[str, Any]:
    parsed = _object(letter)
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise BadInput(f"--set {setting!r}: expected field=value, such as amount_minor=1250.")
        _put(parsed, path, value if as_text else _read(value), letter)
    return parsed


def _put(parsed: dict[str, Any], path: str, value: Any, letter: Letter) -> None:
    steps: list[str | int] = [int(index) if index else name for index, name in _STEP.findall(path)]
    place: Any = parsed
    for step in steps[:-1]:
        place = _inside(place, step)
    if not steps or not _fits(place, steps[-1]):
        raise BadInput(f"--set {path}: the message at {letter.at} has no such place.")
    place[steps[-1]] = value


def _inside(place: Any, step: str | int) -> Any:
    if not _fits(place, step):
        return None
    return place.get(step) if isinstance(step, str) else place[step]


def _fits(place: Any, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(place, dict)
    return isinstance(place, list) and step < len(place)


def _read(value: str) -> Any:
    try:
        return msgspec.json.decode(value.encode())
    except msgspec.DecodeError:
        return value


def _object(letter: Letter) -> dict[str, Any]:
    try:
        parsed = msgspec.json.decode(_text(letter).encode())
    except msgspec.DecodeError as error:
        raise BadInput(f"The message at {letter.at} is no JSON; mend it with --edit.") from error
    if not isinstance(parsed, dict):
        raise BadInput(f"The message at {letter.at} is JSON, but no object; mend it with --edit.")
    return parsed


def _text(letter: Letter) -> str:
    try:
        return (letter.value or b"").decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"The message at {letter.at} is not UTF-8, so its text cannot be mended here.") from error


def _key(parsed: dict[str, Any], letter: Letter, *, rekey: bool) -> bytes | None:
    if not rekey:
        return letter.key
    tenant, account = parsed.get("tenant_id"), parsed.get("account_id")
    if not isinstance(tenant, str) or not isinstance(account, str):
        raise BadInput(f"The message at {letter.at} names no tenant and account to make a key of.")
    return account_key(tenant, account)
