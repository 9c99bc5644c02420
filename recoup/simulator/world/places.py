"""Where customers live: every jurisdiction that a rule pack knows, and the usual holes in what is known of it."""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """One kind of residence."""

    name: str
    country: str
    state: str | None
    city: str | None
    zip: str | None
    time_zones: tuple[str, ...]
    language: str
    share: float
    """Among the customers of its country."""


PLACES = (
    Place("US-MA", "US", "MA", "Boston", "02108", ("America/New_York",), "en", 0.14),
    Place("US-WA", "US", "WA", "Seattle", "98101", ("America/Los_Angeles",), "en", 0.12),
    Place("US-DC", "US", "DC", "Washington", "20001", ("America/New_York",), "en", 0.08),
    Place("US-NYC", "US", "NY", "Brooklyn", "11201", ("America/New_York",), "en", 0.14),
    Place("US-NY", "US", "NY", "Buffalo", "14201", ("America/New_York",), "en", 0.06),
    Place("US-CA", "US", "CA", "Fresno", "93701", ("America/Los_Angeles",), "en", 0.16),
    Place("US-TX", "US", "TX", "Austin", "78701", ("America/Chicago",), "en", 0.16),
    Place("US-TX", "US", "TX", "El Paso", "79901", ("America/Denver", "America/Chicago"), "en", 0.03),
    Place("US-FL", "US", "FL", "Pensacola", "32501", ("America/Chicago", "America/New_York"), "en", 0.05),
    Place("US-?", "US", None, None, None, ("America/New_York",), "en", 0.02),
    Place("US-?", "US", "IL", "Chicago", "60601", (), "en", 0.02),
    Place("US-NY", "US", "NY", None, None, ("America/New_York",), "en", 0.02),
    Place("GB", "GB", "ENG", "Leeds", "LS1 1UR", ("Europe/London",), "en", 0.80),
    Place("GB", "GB", "SCT", "Glasgow", "G1 1XQ", ("Europe/London",), "en", 0.15),
    Place("GB", "GB", None, None, None, ("Europe/London",), "en", 0.05),
    Place("DE", "DE", "BE", "Berlin", "10115", ("Europe/Berlin",), "de", 0.60),
    Place("DE", "DE", "BY", "Augsburg", "86150", ("Europe/Berlin",), "de", 0.40),
)
"""Two zones, none or no city: what the source did not know. The rules then deny more."""
