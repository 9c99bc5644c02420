"""A small linear text model: for a text without a known phrase, how likely each intent is.

Its features are words, pairs of neighbours and beginnings of words; its weights are data (`weights.json`), made by
`python -m models.language.train` from `examples/*.yaml`. Multinomial logistic regression: the probabilities are the
softmax of the sums of weights.
"""

import math
from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec

from models.language.words import CLAUSE, SENTENCE
from schemas.interactions import Intent

STEM = 5
"""Letters of the beginning of a longer word: payment, paying and payed share one."""
ASKS, SHORT = "?", "(short)"
"""Features of the text as a whole: it has a question mark; it has one or two words."""
SCALE = 100
"""Weights are kept as whole hundredths."""
MOST_WORDS = 400
"""Words that are looked at; what a long letter wants stands in its beginning."""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `weights.json`."""

    examples: str
    """Hash of the examples that it was trained on."""
    intents: tuple[Intent, ...]
    bias: tuple[int, ...]
    """By intent, in hundredths."""
    weights: dict[str, tuple[int, ...]]
    """By feature, then by intent, in hundredths."""


@cache
def weights() -> Weights:
    """The weights that this release brings."""
    return msgspec.json.decode(files("models.language").joinpath("weights.json").read_bytes(), type=Weights)


def features(said: list[str], *, asks: bool) -> set[str]:
    """What a text shows to the model. `asks`: it has a question mark."""
    told = [
        word if word[0] not in "0123456789" else "#" for word in said[:MOST_WORDS] if word not in (CLAUSE, SENTENCE)
    ]
    found = set(told)
    found.update(f"{word[:STEM]}*" for word in told if len(word) > STEM)
    found.update(map(" ".join, pairwise(told)))
    if told:
        found.add(f"^{told[0]}")
    if asks:
        found.add(ASKS)
    if len(told) <= 2:
        found.add(SHORT)
    return found


def knows(shown: set[str]) -> bool:
    """Whether it has ever seen a word of the text, or a pair or a beginning of one."""
    return not weights().weights.keys().isdisjoint(shown - {ASKS, SHORT})


def probabilities(shown: set[str]) -> dict[Intent, float]:
    """How likely each intent is; they sum to 1. An unknown text is judged by the bias alone."""
    model = weights()
    sums = list(model.bias)
    known = model.weights
    for feature in shown & known.keys():
        for place, weight in enumerate(known[feature]):
            sums[place] += weight
    most = max(sums)
    odds = [math.exp((value - most) / SCALE) for value in sums]
    whole = sum(odds)
    return {intent: value / whole for intent, value in zip(model.intents, odds, strict=True)}
