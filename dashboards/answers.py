"""What Grafana would be answered: a dashboard's variables and panels, asked of a live ClickHouse and Prometheus."""

import json
import math
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from dashboards.macros import ALL, Window, expand
from dashboards.queries import FORMATS, PLUGIN
from schemas.errors import BadInput, NotReady

Dashboard = Mapping[str, Any]
"""As the files under `json` have it."""
Variables = dict[str, str | tuple[str, ...]]

POINTS: Final = 300
"""Grafana asks for about as many points as a panel has pixels; half of that shows the same."""
INTERVALS: Final = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
    604_800,
)
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
SCRAPE_SECONDS: Final = 15
"""`$__rate_interval` is at least four of these, as Grafana has it."""
ANSWER_SECONDS: Final = 10.0
SERIES: Final = FORMATS["series"]


class Frame(msgspec.Struct, frozen=True):
    """The answer to one query."""

    names: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        return [row[self.names.index(name)] for row in self.rows]


class Series(msgspec.Struct, frozen=True):
    """One line of a panel: its labels, and a value for each instant."""

    name: str
    labels: Mapping[str, str]
    points: Sequence[tuple[datetime, float | None]]


class Client(Protocol):
    """What a client of ClickHouse can do here."""

    def query(self, query: str) -> Any: ...


def seconds(duration: str) -> int:
    """`90d`, `1m`, `30s` in seconds."""
    try:
        return int(duration[:-1]) * UNITS[duration[-1]]
    except (KeyError, ValueError, IndexError):
        raise BadInput(f"{duration!r} is no duration such as 90d, 6h, 1m or 30s.") from None


def window(dashboard: Dashboard, now: datetime, since: str = "", until: str = "") -> Window:
    """The time that a dashboard shows at first, or from and to what is given as `now-...`."""

    def at(text: str) -> datetime:
        return now if text == "now" else now - timedelta(seconds=seconds(text.removeprefix("now-")))

    return Window(at(since or str(dashboard["time"]["from"])), at(until or str(dashboard["time"]["to"])))


def window_of(panel: Mapping[str, Any], shown: Window) -> Window:
    """The time with the panel's interval: the range in about `POINTS` steps, never less than the panel's own."""
    least = seconds(panel["interval"]) if panel.get("interval") else 1
    wanted = (shown.end - shown.start).total_seconds() / POINTS
    step = next((one for one in INTERVALS if one >= max(wanted, least)), INTERVALS[-1])
    return msgspec.structs.replace(shown, interval_seconds=step)


def chosen(client: Client, dashboard: Dashboard, shown: Window, wishes: Mapping[str, tuple[str, ...]]) -> Variables:
    """A value for each variable, in their order: what is wished for, or all, or the first there is.

    Raises:
        BadInput: nothing can be chosen, or not what is wished for.
    """
    found: Variables = {}
    for variable in dashboard.get("templating", {}).get("list", []):
        name, offered = variable["name"], options(client, variable, shown, found)
        wish = wishes.get(name, ())
        if unknown := [one for one in wish if one not in offered]:
            raise BadInput(
                f"{name}: {', '.join(unknown)} cannot be chosen. There is: {', '.join(offered) or 'nothing'}."
            )
        if not offered:
            raise BadInput(f"{dashboard['title']}: nothing can be chosen for the variable {name}; is anything landed?")
        if variable.get("multi"):
            found[name] = wish or (ALL,)
        else:
            found[name] = wish[0] if wish else offered[0]
    return found


def options(client: Client, variable: Mapping[str, Any], shown: Window, before: Variables) -> list[str]:
    """What a variable offers, given what was chosen for those before it."""
    answer = client.query(expand(variable["query"]["rawSql"], shown, before))
    return [str(row[0]) for row in answer.result_rows]


def is_of_clickhouse(target: Mapping[str, Any]) -> bool:
    """Whether a query is for ClickHouse; the others are for Prometheus."""
    return bool(target["datasource"]["type"] == PLUGIN)


def frame(client: Client, sql: str) -> Frame:
    """What ClickHouse answers to expanded SQL."""
    answer = client.query(sql)
    return Frame(tuple(answer.column_names), [tuple(row) for row in answer.result_rows])


def as_series(answer: Frame) -> list[Series]:
    """As the plugin makes series: by time, columns of text become labels, each column of numbers one series a label."""
    if not answer.rows:
        return []  # the client tells no names of columns then
    at = answer.names.index("time")
    numbers = [n for n in range(len(answer.names)) if n != at and _is_number(answer, n)]
    texts = [n for n in range(len(answer.names)) if n != at and n not in numbers]
    found: dict[tuple[int, tuple[str, ...]], list[tuple[datetime, float | None]]] = {}
    for row in answer.rows:
        for number in numbers:
            value = None if row[number] is None else float(row[number])
            found.setdefault((number, tuple(str(row[n]) for n in texts)), []).append((_instant(row[at]), value))
    return [
        Series(answer.names[number], {answer.names[n]: text for n, text in zip(texts, said, strict=True)}, points)
        for (number, said), points in found.items()
    ]


def promql(url: str, target: Mapping[str, Any], shown: Window) -> list[Series]:
    """What Prometheus answers over the window.

    Raises:
        NotReady: it does not answer, or refuses the query.
    """
    step = max(SCRAPE_SECONDS, shown.interval_seconds)
    query = str(target["expr"]).replace("$__rate_interval", f"{max(4 * SCRAPE_SECONDS, step + SCRAPE_SECONDS)}s")
    asked = urllib.parse.urlencode(
        {"query": query, "start": shown.start.timestamp(), "end": shown.end.timestamp(), "step": step}
    )
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query_range?{asked}", timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            found = json.load(answer)["data"]["result"]
    except OSError as error:
        raise NotReady(f"Prometheus at {url} does not answer {query!r}: {error}") from error
    return [
        Series(_legend(target, one["metric"]), one["metric"], [_point(*point) for point in one["values"]])
        for one in found
    ]


def _legend(target: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    legend = str(target.get("legendFormat") or "")
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", value)
    return legend or "Value"


def _point(at: float, value: str) -> tuple[datetime, float | None]:
    number = float(value)
    return datetime.fromtimestamp(at, UTC), None if math.isnan(number) else number


def _is_number(answer: Frame, column: int) -> bool:
    first = next((row[column] for row in answer.rows if row[column] is not None), None)
    return first is None or (isinstance(first, int | float) and not isinstance(first, bool))


def _instant(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
