"""Cases judged line by line: every line that is not blank gives one line, in their order, whatever the line holds."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from models.calendar import utc
from models.compliance.exact import judge
from models.compliance.packs import rules_of
from recoup.compliance.case_file import BadCase, case_from
from schemas.rules import Compliance

_encode = msgspec.json.Encoder().encode
_BOM = b"\xef\xbb\xbf"


class Answer(msgspec.Struct, frozen=True):
    """What is written for one line."""

    text: bytes
    is_bad: bool = False


def answers(lines: Iterable[bytes]) -> Iterator[Answer]:
    """The answer to each line that is not blank; raises BadInput only when a rule pack is wrong."""
    rules = rules_of(Compliance())
    for place, line in enumerate(lines):
        said = line.removeprefix(_BOM) if not place else line
        if said.strip():
            yield _answer(said, rules)


def _answer(line: bytes, rules: Any) -> Answer:
    name: Any = None
    try:
        parsed = msgspec.json.decode(line.decode())
        if not isinstance(parsed, dict):
            raise BadCase("expected an object with case, at, contact, account, facts, history")  # noqa: TRY301 - a line is answered in one place
        name = parsed.get("case")
        case = case_from(parsed)
        verdict = judge(rules, case)
    except BadCase as error:
        return _bad(name, str(error))
    except UnicodeDecodeError as error:
        return _bad(name, f"not UTF-8, at byte {error.start}")
    except msgspec.DecodeError as error:
        return _bad(name, f"not JSON: {error}")
    except RecursionError:
        return _bad(name, "not JSON: nested too deeply")
    again = case.at if verdict.allowed else verdict.next_allowed_at
    return Answer(
        _encode(
            {
                "case": name,
                "allowed": verdict.allowed,
                "denied_by": verdict.denied_by,
                "reasons": verdict.reasons,
                "next_allowed_at": None if again is None else utc(again),
            }
        )
    )


def _bad(name: Any, says: str) -> Answer:
    return Answer(_encode({"case": name, "error": says}), is_bad=True)
