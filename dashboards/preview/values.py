"""Numbers as Grafana writes them: by unit and decimals, and in the colour of their threshold."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

SHORT: Final = ((1e12, " Tri"), (1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
SECONDS: Final = ((86_400, " days"), (3_600, " hours"), (60, " mins"), (1, " s"), (0.001, " ms"), (0.000_001, " µs"))
BYTES: Final = ((1024**4, " TiB"), (1024**3, " GiB"), (1024**2, " MiB"), (1024, " KiB"))
PALETTE: Final = (
    "#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0", "#508642", "#CCA300",
    "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477",
)  # fmt: skip
"""Grafana's classic palette, for series that have no colour of their own."""


def written(value: Any, unit: str, decimals: int | None = None) -> str:
    """A value as a panel shows it; null is a dash, text stays as it is."""
    if value is None:
        return "-"
    if isinstance(value, date):  # a datetime is one as well
        return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else f"{value:%Y-%m-%d}"
    if isinstance(value, str | bool):
        return str(value)
    number = float(value)
    match unit:
        case "percentunit":
            return _digits(number * 100, decimals, 1) + "%"
        case "short":
            return _scaled(number, SHORT, decimals)
        case "s":
            return _scaled(number, SECONDS, decimals) if number else "0 s"
        case "ms":
            return _scaled(number / 1000, SECONDS, decimals) if number else "0 ms"
        case "bytes":
            return _scaled(number, BYTES, decimals, " B")
        case "locale":
            return _digits(number, decimals, 0 if number == int(number) else 2, grouped=True)
        case _ if unit.startswith("suffix:"):
            return _digits(number, decimals, _auto(number)) + unit.removeprefix("suffix:")
        case _:
            return _digits(number, decimals, 0 if number == int(number) else 2)


def colour(value: Any, thresholds: Mapping[str, Any]) -> str:
    """The colour of the last step that a value has reached."""
    found = ""
    for step in thresholds.get("steps", []):
        if step["value"] is None or (isinstance(value, int | float) and value >= step["value"]):
            found = step["color"]
    return found


def ink_on(paint: str) -> str:
    """Black or white, whichever can be read on a colour such as `#1F4470`."""
    red, green, blue = (int(paint[at : at + 2], 16) for at in (1, 3, 5))
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 150 else "#22272e"


def overrides(panel: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a panel says of the field of that name."""
    return {
        its["id"]: its.get("value")
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == name
        for its in override["properties"]
    }


def colours(panel: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """A colour for each series: its own, or the next of the palette."""
    own = {name: overrides(panel, name).get("color", {}).get("fixedColor") for name in names}
    return {name: own[name] or PALETTE[at % len(PALETTE)] for at, name in enumerate(names)}


def _scaled(number: float, scales: Sequence[tuple[float, str]], decimals: int | None, plain: str = "") -> str:
    for factor, suffix in scales:
        if abs(number) >= factor:
            return _digits(number / factor, decimals, _auto(number / factor)) + suffix
    return _digits(number, decimals, _auto(number)) + plain


def _auto(number: float) -> int:
    """Three digits that mean something."""
    if number == int(number):
        return 0
    return 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2


def _digits(number: float, decimals: int | None, usual: int, *, grouped: bool = False) -> str:
    places = usual if decimals is None else decimals
    text = f"{number:,.{places}f}" if grouped else f"{number:.{places}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text
