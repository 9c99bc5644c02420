"""What a reply wants, in one look: its intent, how sure that is, and for a promise the day and the sum.

An opt-out is looked for first, then the phrases of `intents.yaml`; a text without any is judged by a small text model.
Whoever is not sure says so, and a person reads it.
"""

import datetime as dt
from functools import cache
from importlib.resources import files

import msgspec

from models.calendar import Zone, date_of
from models.clock import Instant
from models.language.amounts import named_sums
from models.language.days import named_days
from models.language.model import features, knows, probabilities
from models.language.opt_out import opt_out_of
from models.language.phrases import Phrases, compile_phrases, search
from models.language.words import is_reaction, plain, shortened, words
from schemas.interactions import Intent

BY_PHRASE = 0.95
"""Confidence of what a phrase says; the share of held-out examples that are read so and rightly is a little higher."""
WEAK = 0.8
"""Confidence of what follows from a phrase, but is not said."""
GUESSED = 0.9
"""The text model's confidence at most: it is never as sure as a phrase."""
SURE = 0.75
"""The text model is believed from here on; below, a person reads."""
PERHAPS_OPT_OUT = 0.25
"""From here on the text model's opt-out is one in doubt, whatever else is more likely: a missed one cannot be mended."""

_MONTH_FIRST = frozenset({"en-us", "es-us", "en-ph"})
_SHORT = 10
"""Words up to which thanks, a greeting or an absence may be the whole of it; what is longer says something else too."""
_NONE, _CANNOT_PAY, _ACKNOWLEDGED = "none", "cannot_pay", "acknowledgement"
_ORDER: tuple[Intent, ...] = ("wrong_person", "dispute", "paid_already", "hardship", "promise", "question")
"""Which of several intents is the first; a promise with a day goes before all but the first two."""
_UNTIL = frozenset(
    {
        "until",
        "till",
        "til",
        "before",
        "hasta",
        "bis",
        "vor",
        "jusqu",
        "avant",
        "ate",
        "fino",
        "prima",
        "tot",
        "voor",
        "forran",
        "do",
        "przed",
    }
)
_ASKING = frozenset(
    {
        "can i",
        "could i",
        "may i",
        "can we",
        "could we",
        "kann ich",
        "darf ich",
        "puis je",
        "peux je",
        "kan ik",
        "mag ik",
    }
)
_ASKING_ALONE = frozenset({"czy", "is", "would", "how", "when", "what", "where"})
_AHEAD = frozenset(
    {
        "tomorrow",
        "next",
        "within",
        "bis",
        "by",
        "morgen",
        "manana",
        "demain",
        "amanha",
        "domani",
        "imorgon",
        "jutro",
        "putting",
        "slut",
    }
)
_SURELY = frozenset({"will", "ill", "ll", "gonna", "promise", "werde", "voy", "vais", "vou", "zal", "ska"})


class Reading(msgspec.Struct, frozen=True):
    """What one reply wants."""

    intent: Intent
    confidence: float
    sure: bool
    """If not, a person must read it."""
    also: tuple[Intent, ...] = ()
    """What it says besides, only where that is sure."""
    due_on: dt.date | None = None
    """The promised day; of several the last."""
    amount_minor: int | None = None
    """The promised sum, when it names exactly one."""
    currency: str | None = None
    """Of the sum; None = neither the text nor the caller says, and the sum is in hundredths."""

    def says(self, intent: str) -> bool:
        """Whether it surely says this, first or besides."""
        return self.sure and (self.intent == intent or intent in self.also)


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `intents.yaml`."""

    lists: dict[str, list[str]]
    sections: dict[str, list[str]]


@cache
def _phrases() -> Phrases:
    data = msgspec.yaml.decode(files("models.language").joinpath("intents.yaml").read_bytes(), type=_Data)
    return compile_phrases(data.sections, data.lists)


def read(text: str, *, said_at: Instant, zone: Zone, currency: str | None, language: str | None = None) -> Reading:
    """Read one reply. Never raises; time in proportion to the text.

    Args:
        said_at: when; days such as "Friday" are counted from its date in `zone`, the customer's.
        currency: the account's; None = not known.
        language: the customer's, as a BCP 47 tag; it and the currency say what 3/4 means.
    """
    small = plain(text)
    said = words(shortened(small))
    wish = opt_out_of(text, small, said)
    if wish != "no":
        return Reading("opt_out", BY_PHRASE if wish == "yes" else 0.5, sure=wish == "yes")
    return _meaning(small, said, said_at, zone, currency, language)


def read_meaning(text: str, *, said_at: Instant, zone: Zone, currency: str | None, language: str | None) -> Reading:
    """Read a reply that is known to be no plain opt-out, as `read` does."""
    small = plain(text)
    return _meaning(small, words(shortened(small)), said_at, zone, currency, language)


def _meaning(
    small: str, said: list[str], said_at: Instant, zone: Zone, currency: str | None, language: str | None
) -> Reading:
    if is_reaction(small) or not said:
        return Reading("other", WEAK, sure=True)
    found = {hit.section for hit in search(_phrases(), said)} - {_NONE}
    today = date_of(zone.day(said_at))
    days = named_days(small, said, today, month_first=_month_first(language, currency))
    sums = named_sums(small, currency)
    intents = _intents(found, said, small, days=bool(days), sums=bool(sums))
    if intents:
        return _told(intents, found, days, sums)
    return _guessed(said, small)


def _month_first(language: str | None, currency: str | None) -> bool | None:
    tag = (language or "").lower()
    if tag in _MONTH_FIRST:
        return True
    if currency == "USD" and tag in ("", "en", "es"):
        return True
    if not tag or tag == "en":
        return None if currency in (None, "CAD") else False
    return False


def _intents(found: set[str], said: list[str], small: str, *, days: bool, sums: bool) -> list[Intent]:
    """What phrases, days and sums say, the first intent first; empty = nothing that is known."""
    intents: list[Intent] = [intent for intent in _ORDER if intent in found]
    promised = "promise" in found
    if _CANNOT_PAY in found and not promised:
        if days and not _UNTIL.isdisjoint(said):
            promised = True
        elif "hardship" not in intents:
            intents.insert(0 if not intents else len(intents), "hardship")
    if days and not found and (sums or len(said) <= 4):
        promised = True
    if days and "paid_already" in intents and not _AHEAD.isdisjoint(said):  # it is paid by the end of next week
        intents.remove("paid_already")
        promised = True
    if promised and "question" in intents and _SURELY.isdisjoint(said):
        asked = "?" in small or said[0] in _ASKING_ALONE or " ".join(said[:2]) in _ASKING
        promised = days and not asked
    intents = [intent for intent in intents if intent != "promise"]
    if promised:
        first = sum(intent in ("wrong_person", "dispute") for intent in intents)
        intents.insert(first if days else len(intents) - ("question" in intents), "promise")
    if not intents and _ACKNOWLEDGED in found and len(said) <= _SHORT:
        intents = ["other"]
    return intents


def _told(
    intents: list[Intent], found: set[str], days: tuple[dt.date, ...], sums: tuple[tuple[int, str | None], ...]
) -> Reading:
    first, *also = intents
    confidence = BY_PHRASE if first in found or first == "other" else WEAK
    if "promise" not in intents:
        return Reading(first, confidence, sure=True, also=tuple(also))
    minor, currency = sums[0] if len(sums) == 1 else (None, None)
    due_on = max(days) if days else None
    return Reading(first, confidence, sure=True, also=tuple(also), due_on=due_on, amount_minor=minor, currency=currency)


def _guessed(said: list[str], small: str) -> Reading:
    """What the text model takes it for."""
    shown = features(said, asks="?" in small)
    likely = probabilities(shown)
    intent = max(likely, key=likely.__getitem__)
    if likely["opt_out"] >= PERHAPS_OPT_OUT:
        return Reading("opt_out", likely["opt_out"], sure=False)
    confidence = min(likely[intent], GUESSED)
    return Reading(intent, confidence, sure=confidence >= SURE and knows(shown))
