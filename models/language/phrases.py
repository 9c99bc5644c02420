"""Phrases as data: a phrase list is compiled once, and a text is searched in one pass over its words.

A phrase begins with a fixed word, so a text without such words costs one look-up a word. Gaps are bounded, so the time
grows with the text and not faster.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from models.language.words import CLAUSE, SENTENCE

_END = r"(?=[.,] |\Z)"
_GAP = r"(?:[^ .,]+ )"


class Phrase:
    """One phrase, compiled when its first word is first met: most are never asked for in the life of a worker."""

    __slots__ = ("_pattern", "begins", "seconds", "section", "source")

    def __init__(self, section: str, source: str, *, begins: bool, seconds: frozenset[str] | None) -> None:
        """`begins`: it must stand where a clause begins. `source`: over the words, each followed by one blank.

        `seconds`: what the second word can only be, when that is known; asked first, as it is cheap.
        """
        self.section, self.source, self.begins, self.seconds = section, source, begins, seconds
        self._pattern: re.Pattern[str] | None = None

    def end(self, text: str, offset: int) -> int | None:
        """Where the phrase ends in the text when it stands at `offset`."""
        if self._pattern is None:
            self._pattern = re.compile(self.source)
        found = self._pattern.match(text, offset)
        return None if found is None else found.end()


class Found(NamedTuple):
    """A phrase in a text; the ends are places in the list of words."""

    section: str
    first: int
    after: int


Phrases = dict[str, tuple[Phrase, ...]]
"""By first word, in the order in which they are asked."""


class BadPhrase(ValueError):
    """A phrase of the data cannot be read."""


def compile_phrases(sections: Mapping[str, Iterable[str]], lists: Mapping[str, Iterable[str]]) -> Phrases:
    """The phrases of each section, in the order of the sections. Raises BadPhrase, naming section and phrase."""
    found: dict[str, list[Phrase]] = {}
    for section, lines in sections.items():
        for line in lines:
            try:
                firsts, phrase = _compile(section, line, lists)
            except (KeyError, IndexError, ValueError) as wrong:
                raise BadPhrase(f"{section}: the phrase {line!r} cannot be read ({wrong}).") from wrong
            for first in firsts:
                found.setdefault(first, []).append(phrase)
    return {first: tuple(phrases) for first, phrases in found.items()}


def _compile(section: str, line: str, lists: Mapping[str, Iterable[str]]) -> tuple[list[str], Phrase]:
    parts = line.split()
    begins = parts[0] == "^"
    parts = parts[begins:]
    if parts[0][0] in "~-!$" or parts[0].endswith("?"):
        raise ValueError("it must begin with a fixed word")
    firsts = sorted({choice.split("_")[0] for choice in _choices(parts[0], lists)})
    source = "".join(_part(part, lists) for part in parts)
    return firsts, Phrase(section, source, begins=begins, seconds=_seconds(parts, lists))


def _seconds(parts: list[str], lists: Mapping[str, Iterable[str]]) -> frozenset[str] | None:
    if any("_" in choice for choice in _choices(parts[0], lists)):
        return None
    if len(parts) == 1 or parts[1][0] in "~-!$" or parts[1].endswith("?") or "$" in parts[1].split("|"):
        return None
    return frozenset(choice.split("_")[0] for choice in _choices(parts[1], lists))


def _part(part: str, lists: Mapping[str, Iterable[str]]) -> str:
    if part == "$":
        return _END
    if part[0] == "~":
        return f"{_GAP}{{0,{int(part[1:])}}}?"
    if part[0] == "-":
        barred = _part("!<no>", lists)
        return f"(?:{barred}{_GAP}){{0,{int(part[1:])}}}?{barred}"
    optional = part.endswith("?")
    choices = _choices(part.removesuffix("?").removeprefix("!"), lists)
    ends = [choice for choice in choices if choice == "$"]
    fixed = [f"{re.escape(choice.replace('_', ' '))} ".replace(r"\ ", " ") for choice in choices if choice != "$"]
    group = "|".join([*fixed, *([_END] if ends else [])])
    if part[0] == "!":
        return f"(?!{group})"
    return f"(?:{group})?" if optional else f"(?:{group})"


def _choices(part: str, lists: Mapping[str, Iterable[str]]) -> list[str]:
    choices: list[str] = []
    for choice in part.split("|"):
        choices += lists[choice[1:-1]] if choice.startswith("<") else [choice]
    return choices


def search(phrases: Phrases, words: list[str]) -> Iterator[Found]:
    """The phrases in the text from left to right; what one has taken is not looked at again."""
    if phrases.keys().isdisjoint(words):
        return
    text = " ".join(words) + " "
    place = offset = 0
    while place < len(words):
        word = words[place]
        candidates = phrases.get(word)
        end = _match_at(candidates, text, offset, words, place) if candidates is not None else None
        if end is None:
            place, offset = place + 1, offset + len(word) + 1
            continue
        section, after = end
        taken = text.count(" ", offset, after)
        yield Found(section, place, place + taken)
        place, offset = place + taken, after


def _match_at(
    candidates: tuple[Phrase, ...], text: str, offset: int, words: list[str], place: int
) -> tuple[str, int] | None:
    """The section of the first phrase that stands here, and where it ends in the text."""
    begins = place == 0 or words[place - 1] in (CLAUSE, SENTENCE)
    second = words[place + 1] if place + 1 < len(words) else ""
    for phrase in candidates:
        seconds = phrase.seconds
        if (seconds is not None and second not in seconds) or (phrase.begins and not begins):
            continue
        end = phrase.end(text, offset)
        if end is not None:
            return phrase.section, end
    return None


def clauses(words: list[str]) -> list[list[str]]:
    """The words between the ends of clauses and sentences; empty ones are left out."""
    ends = [-1, *(place for place, word in enumerate(words) if word in (CLAUSE, SENTENCE)), len(words)]
    return [words[first + 1 : after] for first, after in pairwise(ends) if after > first + 1]
