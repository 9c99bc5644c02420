"""Where a customer is, in codes: what is no code is unknown, and New York City is known by its names and ZIP codes."""

import re
from functools import lru_cache
from importlib.resources import files

import msgspec


class _Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `places.yaml`."""

    countries: frozenset[str]
    us_states: frozenset[str]
    boroughs: frozenset[str]
    localities: frozenset[str]
    zip_codes: tuple[str, ...]


_PLACES = msgspec.yaml.decode(files("models.compliance").joinpath("places.yaml").read_bytes(), type=_Places)
COUNTRIES, US_STATES = _PLACES.countries, _PLACES.us_states

_ZIP = re.compile(r"^\s*([0-9]{5})(?:[\s-]?[0-9]{4})?\s*$")
_NO_LETTER = re.compile(r"[^a-z]+")


def country_code(said: str | None) -> str | None:
    """ISO 3166-1 alpha-2 in capitals; None when it is none."""
    code = said.strip().upper() if said else ""
    return code if code in COUNTRIES else None


def state_code(said: str | None, country: str | None) -> str | None:
    """ISO 3166-2 without the country, in capitals; None when it is none of the United States' or nothing at all."""
    code = said.strip().upper() if said else ""
    if country is not None and code.startswith(country + "-"):
        code = code[len(country) + 1 :]
    if country == "US" and code not in US_STATES:
        return None
    return code or None


@lru_cache(maxsize=16_384)
def is_new_york_city(city: str | None, zip_code: str | None) -> bool | None:
    """Whether a place in the state of New York is in one of the five boroughs; None when neither city nor ZIP says."""
    name = _NO_LETTER.sub(" ", (city or "").partition(",")[0].casefold()).strip()
    found = _ZIP.match(zip_code or "")
    if name.removeprefix("the ") in _PLACES.boroughs or name in _PLACES.localities:
        return True
    if found is not None:
        return found[1].startswith(_PLACES.zip_codes)
    return False if name else None
