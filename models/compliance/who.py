"""Who the customer is, as far as rules ask: what is missing or no known code is None, and is named."""

from functools import lru_cache

import msgspec

from models.calendar import Zone, zone
from models.compliance.places import country_code, is_new_york_city, state_code

ROLES = ("creditor", "third_party")
DEBT_CLASSES = ("consumer", "business")
UNKNOWN = "unknown_"
"""What the ids of missing knowledge begin with; the field follows."""

UTC = Zone("UTC")


class Said(msgspec.Struct, frozen=True, gc=False):
    """What was told, in the words that it was told in; None or empty = nothing."""

    collector_role: str | None = None
    debt_class: str | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    zip: str | None = None
    time_zones: tuple[str, ...] | None = None


class Who(msgspec.Struct, frozen=True, gc=False):
    """What that comes to."""

    role: str | None
    debt_class: str | None
    country: str | None
    state: str | None
    new_york_city: bool | None
    zones: tuple[Zone, ...]
    """Every zone that the customer may be in; empty = not known."""
    missing: tuple[str, ...]
    """`unknown_<field>` of all that must be known and is not."""

    @property
    def clocks(self) -> tuple[Zone, ...]:
        """The zones that dates are reckoned in; without any, UTC's dates say which rules are in force."""
        return self.zones or (UTC,)


@lru_cache(maxsize=65_536)
def who_is(said: Said) -> Who:
    """Read what was told; never raises."""
    role = said.collector_role if said.collector_role in ROLES else None
    debt_class = said.debt_class if said.debt_class in DEBT_CLASSES else None
    country = country_code(said.country)
    state = state_code(said.state, country)
    zones = zones_named(said.time_zones or ())
    in_city = is_new_york_city(said.city, said.zip) if (country, state) == ("US", "NY") else False
    missing = {
        "collector_role": role is None,
        "debt_class": debt_class is None,
        "country": country is None,
        "state": country == "US" and state is None,
        "city": in_city is None,
        "time_zones": not zones,
    }
    return Who(
        role=role,
        debt_class=debt_class,
        country=country,
        state=state,
        new_york_city=in_city,
        zones=zones,
        missing=tuple(sorted(UNKNOWN + field for field, is_missing in missing.items() if is_missing)),
    )


@lru_cache(maxsize=4_096)
def zones_named(names: tuple[str, ...]) -> tuple[Zone, ...]:
    """The zones of these names; none at all when there is no zone of one of them, for the customer may be there."""
    found = [zone(name) for name in dict.fromkeys(names)]
    known = tuple(place for place in found if place is not None)
    return known if len(known) == len(found) else ()
