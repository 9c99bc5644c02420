"""Turn a query as Grafana's ClickHouse datasource stores it into the SQL that the server is sent.

After the documentation and the source of the plugin's version 4.20: `$__conditionalAll` first, then the dashboard's variables,
then the macros of time. What neither knows is an error here, where the plugin would pass it on.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from schemas.errors import BadInput

ALL = "$__all"
"""The value of a variable with everything selected."""

MACRO = re.compile(r"\$__(\w+)")
CONDITION = "$__conditionalAll("
VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")


class Window(msgspec.Struct, frozen=True):
    """The dashboard's time range, and how wide a bucket is."""

    start: datetime
    end: datetime
    interval_seconds: int = 60


def expand(sql: str, window: Window, variables: Mapping[str, str | tuple[str, ...]]) -> str:
    """The SQL that ClickHouse gets.

    Args:
        sql: with macros and variables.
        window: what the macros of time stand for.
        variables: name -> its value; several of a variable that may have several, `ALL` for everything.

    Raises:
        BadInput: a macro, a variable or a format is unknown, or a macro has the wrong number of arguments.
    """
    return _macros(_variables(_conditions(sql, variables), variables), window)


def _conditions(sql: str, variables: Mapping[str, str | tuple[str, ...]]) -> str:
    """`$__conditionalAll(condition, $variable)`: the condition, or `1=1` when everything is selected."""
    while (at := sql.rfind(CONDITION)) >= 0:
        arguments, end = _arguments(sql, at + len(CONDITION) - 1)
        if len(arguments) != 2:
            raise BadInput(f"$__conditionalAll takes a condition and a variable, not {len(arguments)} arguments: {sql}")
        name = VARIABLE.fullmatch(arguments[1])
        if name is None or name[2] is not None:
            raise BadInput(f"$__conditionalAll: {arguments[1]!r} is no plain variable.")
        value = _value(name[1] or name[3], variables)
        sql = sql[:at] + ("1=1" if value in (ALL, (ALL,), "") else arguments[0]) + sql[end:]
    return sql


def _variables(sql: str, variables: Mapping[str, str | tuple[str, ...]]) -> str:
    def written(found: "re.Match[str]") -> str:
        value = _value(found[1] or found[3], variables)
        values = (value,) if isinstance(value, str) else value
        match found[2]:
            case "singlequote":
                return ",".join("'" + one.replace("'", "\\'") + "'" for one in values)
            case None if len(values) == 1:
                return values[0]
            case None:
                raise BadInput(
                    f"{found[0]} has {len(values)} values: say how they are written, as in ${{name:singlequote}}."
                )
            case other:
                raise BadInput(f"{found[0]}: the format {other} is not known here.")

    return VARIABLE.sub(written, sql)


def _value(name: str, variables: Mapping[str, str | tuple[str, ...]]) -> str | tuple[str, ...]:
    if name not in variables:
        raise BadInput(f"No variable of the dashboard is called {name}.")
    return variables[name]


def _macros(sql: str, window: Window) -> str:
    while (found := MACRO.search(sql)) is not None:
        arguments, end = _arguments(sql, found.end())
        try:
            meaning = _macro(found[1], arguments, window)
        except ValueError:
            raise BadInput(f"$__{found[1]} does not take {len(arguments)} arguments.") from None
        if meaning is None:
            raise BadInput(f"The macro $__{found[1]} is not known here.")
        sql = sql[: found.start()] + meaning + sql[end:]
    return sql


def _macro(name: str, arguments: list[str], window: Window) -> str | None:
    """What a macro stands for; None when it is unknown."""
    start, end, seconds = _instant(window.start), _instant(window.end), max(1, window.interval_seconds)
    match name:
        case "fromTime":
            () = arguments
            return start
        case "toTime":
            () = arguments
            return end
        case "interval_s":
            () = arguments
            return str(seconds)
        case "timeFilter":
            (column,) = arguments
            return f"{column} >= {start} AND {column} <= {end}"
        case "dateFilter":
            (column,) = arguments
            return f"{column} >= {_day(window.start)} AND {column} <= {_day(window.end)}"
        case "timeInterval":
            (column,) = arguments
            return f"toStartOfInterval(toDateTime({column}), INTERVAL {seconds} second)"
        case _:
            return None


def _arguments(sql: str, at: int) -> tuple[list[str], int]:
    """The arguments in the brackets that begin at `at`, and where they end; none when no bracket begins there."""
    if sql[at : at + 1] != "(":
        return [], at
    depth, quoted, parts, begin = 0, False, [], at + 1
    for place in range(at, len(sql)):
        char = sql[place]
        if char == "'":
            quoted = not quoted
        if quoted:
            continue
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 or (depth == 1 and char == ","):
            parts.append(sql[begin:place].strip())
            begin = place + 1
        if depth == 0:
            return [part for part in parts if part], place + 1
    raise BadInput(f"A bracket is not closed: {sql[at:]}")


def _instant(at: datetime) -> str:
    return f"toDateTime({math.floor(at.timestamp())})"


def _day(at: datetime) -> str:
    return f"toDate('{at.astimezone(UTC):%Y-%m-%d}')"
