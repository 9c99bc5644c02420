"""Whether a customer's own words ask for no more contacts: yes, no, or unsure, which a person must read.

A whole reply that is one of the words of 47 CFR 64.1200(a)(10), or its like in another language, is an opt-out; inside a
sentence the meaning decides, by the phrases of `opt_out.yaml`; a word for stopping that no phrase explains is unsure.
"""

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from models.language.phrases import Found, Phrases, clauses, compile_phrases, search
from models.language.words import is_reaction, plain, shortened, spelt_out, words

Answer = Literal["yes", "no", "unsure"]

_SECTIONS: dict[str, Answer] = {
    "preference": "unsure",
    "plain": "yes",
    "other_sense": "no",
    "opt_out": "yes",
    "unsure": "unsure",
}
_NUMBER = ("call", "sms")
"""A number that is to be forgotten can be called and texted; "quit texting this number" is about texts."""
_SIGNS = ("\U0001f6d1", "\u270b", "\U0001f6ab", "\u26d4", "\U0001f595")
_SHORTEST = 3


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `opt_out.yaml`."""

    alone: list[list[str]]
    strong: list[str]
    polite: list[str]
    lists: dict[str, list[str]]
    preference: list[str]
    plain: list[str]
    other_sense: list[str]
    opt_out: list[str]
    unsure: list[str]
    channels: dict[str, list[str]]


class _Words(msgspec.Struct, frozen=True):
    """The same, made ready."""

    alone: frozenset[str]
    strong: frozenset[str]
    polite: frozenset[str]
    phrases: Phrases
    vocabulary: frozenset[str]
    """Every word that may stand in a clause that is such a word alone."""
    slips: dict[str, str]
    """Misspelt words for stopping, and what was meant."""
    channels: Phrases


@cache
def _known() -> _Words:
    data = msgspec.yaml.decode(files("models.language").joinpath("opt_out.yaml").read_bytes(), type=_Data)
    alone = frozenset(word for line in data.alone for word in line)
    slips = _slips({word for words_ in data.lists.values() for word in words_} | set(data.polite) | alone)
    return _Words(
        alone=alone,
        strong=frozenset(data.strong),
        polite=frozenset(data.polite),
        phrases=compile_phrases({name: getattr(data, name) for name in _SECTIONS}, data.lists),
        vocabulary=frozenset(data.polite).union(slips, *(phrase.split() for phrase in alone)),
        slips=slips,
        channels=compile_phrases(data.channels, {}),
    )


def _slips(known: set[str]) -> dict[str, str]:
    """Two letters swapped, one missing or one doubled: of these words only, and never a word that is one itself."""
    slips: dict[str, str] = {}
    words_of_their_own = known | {"top", "sop", "sto"}
    for word in ("stop", "unsubscribe", "cancel", "revoke", "texting", "calling", "messaging", "contacting", "contact"):
        for place in range(len(word)):
            made = {word[:place] + word[place + 1 :], word[: place + 1] + word[place:]}
            if place + 1 < len(word):
                made.add(word[:place] + word[place + 1] + word[place] + word[place + 2 :])
            slips.update({slip: word for slip in made if slip not in words_of_their_own and len(slip) >= _SHORTEST})
    return slips


def opt_out(text: str) -> Answer:
    """Whether the text asks for no more contacts. Never raises; time in proportion to the text."""
    small = plain(text)
    return opt_out_of(text, small, words(shortened(small)))


def opt_out_of(text: str, small: str, said: list[str]) -> Answer:
    """The same, for who has the plain text and its words already."""
    known = _known()
    if not any(word.isalpha() for word in said):
        return "unsure" if any(sign in text for sign in _SIGNS) else "no"
    if is_reaction(small):
        return "no"
    alone = _alone(known, said)
    if alone == "no" and len(said) > _SHORTEST:
        together = words(spelt_out(small))
        if len(together) < len(said):
            said, alone = together, _alone(known, together)
    if alone == "yes":
        return "yes"
    found = {_SECTIONS[hit.section] for hit in _search(known, said)}
    if "yes" in found:
        return "yes"
    return "unsure" if "unsure" in found or alone == "unsure" else "no"


def _alone(known: _Words, said: list[str]) -> Answer:
    """Yes: nothing but such words, or a clause that can mean nothing else. Unsure: one that might."""
    answer: Answer = "no"
    whole = True
    for clause in clauses(said):
        if not known.vocabulary.issuperset(clause):
            whole = False
            continue
        bare = [word for word in clause if word not in known.polite]
        if not bare:
            continue
        once = bare if len(set(bare)) == len(bare) else list(dict.fromkeys(bare))
        meant = " ".join(once)
        if meant in known.strong:
            return "yes"
        if meant in known.alone or " ".join(bare) in known.alone:
            answer = "unsure"
            continue
        whole = False
        if len(once) == 1 and once[0] in known.slips and known.slips[once[0]] in known.alone:
            answer = "unsure"
    return "yes" if whole and answer == "unsure" else answer


def _search(known: _Words, said: list[str]) -> list[Found]:
    """The phrases of the text; first as it was typed, then with the slips of the finger mended."""
    found = list(search(known.phrases, said))
    if known.slips.keys().isdisjoint(said):
        return found
    mended = [known.slips.get(word, word) for word in said]
    return found + list(search(known.phrases, mended))


def channels_named(text: str) -> frozenset[str]:
    """The channels that the wish names: sms, email, call, voicemail, letter, or all.

    Empty: it names none, so it is about the channel that it arrived on. Only clauses that hold the wish are looked at:
    "don't call me, text me" is about calls.
    """
    known = _known()
    said = words(plain(text))
    mended = [known.slips.get(word, word) for word in said]
    named: set[str] = set()
    for clause in clauses(_split(mended)):
        if _alone(known, clause) == "no" and all(
            _SECTIONS[hit.section] == "no" for hit in search(known.phrases, clause)
        ):
            continue
        sections = {hit.section for hit in search(known.channels, clause)}
        if "number" in sections and sections <= {"number", "all"}:
            named.update(_NUMBER)
        named.update(sections - {"number"})
    if len(named) > 1:
        named.discard("all")
    return frozenset(named)


def _split(said: list[str]) -> list[str]:
    """A "but" or "instead" begins a clause of its own: what should be done in its place is no wish to end it."""
    if "instead" in said:
        place = said.index("instead")
        turns = [at for at in range(place) if said[at] in ("and", "just", "you")]
        if turns:
            said = [*said[: turns[-1]], ",", *said[turns[-1] :]]
    return [
        "," if word in ("but", "aber", "pero", "mais", "mas", "ma", "maar", "men", "ale") else word for word in said
    ]
