"""What each rule that can deny a contact says, in a sentence: the rules' own."""

from typing import Final

from models.compliance.packs import packs
from models.compliance.sentences import LIMITS, MISSING, reason_of

STRATEGY: Final = {
    "strategy:hours": "Outside the hours in which the strategy makes contacts.",
    "strategy:caps": "The strategy's own limit of contacts is reached.",
    "strategy:offers": "The strategy does not offer this action now.",
    "strategy:prices": "The strategy has no price for this action.",
}
"""Denied by what a strategy says of itself; no rule has a sentence for it."""

SENTENCES: Final = {
    **{rule.id: reason_of(rule.id) for rules in packs().values() for rule in rules},
    **MISSING,
    **LIMITS,
    **STRATEGY,
}
"""The id of a rule -> what is shown beside it. A tenant's own rules are not known here and are shown by their ids."""
