"""Read a reply as its event brings it: where the customer is and how dates are written there is told by its number alone.

The fold of interactions must not look at other topics, so neither the account's zone nor its currency is known here. The
day that "Friday" is counted from is the date at the number's country, else in UTC; it is off by one at most, near
midnight. A sum without a currency is left without one.
"""

from models.calendar import zone
from models.clock import Instant
from models.language.reading import Reading, read_meaning

_COUNTRIES = {
    "+1": ("America/Chicago", "en-US"),
    "+31": ("Europe/Amsterdam", "nl"),
    "+32": ("Europe/Brussels", "nl"),
    "+33": ("Europe/Paris", "fr"),
    "+34": ("Europe/Madrid", "es"),
    "+351": ("Europe/Lisbon", "pt"),
    "+353": ("Europe/Dublin", "en-IE"),
    "+39": ("Europe/Rome", "it"),
    "+41": ("Europe/Zurich", "de"),
    "+43": ("Europe/Vienna", "de"),
    "+44": ("Europe/London", "en-GB"),
    "+45": ("Europe/Copenhagen", "da"),
    "+46": ("Europe/Stockholm", "sv"),
    "+47": ("Europe/Oslo", "nb"),
    "+48": ("Europe/Warsaw", "pl"),
    "+49": ("Europe/Berlin", "de"),
    "+52": ("America/Mexico_City", "es"),
    "+55": ("America/Sao_Paulo", "pt"),
    "+61": ("Australia/Sydney", "en-AU"),
    "+64": ("Pacific/Auckland", "en-NZ"),
}
"""By the calling code of a number: one of the country's zones, and the locale that its dates are written in."""
_ELSEWHERE = ("UTC", None)


def read_reply(text: str, address: str | None, said_at: Instant) -> Reading:
    """What a reply wants that is no opt-out.

    Raises:
        LookupError: the machine has no time zones at all.
    """
    name, language = _country(address)
    there = zone(name)
    if there is None:
        raise LookupError(f"The time zone {name} is not known on this machine: install its zone data (tzdata).")
    return read_meaning(text, said_at=said_at, zone=there, currency=None, language=language)


def _country(address: str | None) -> tuple[str, str | None]:
    if address and address[0] == "+":
        for length in (2, 3, 4):
            known = _COUNTRIES.get(address[:length])
            if known is not None:
                return known
    return _ELSEWHERE
