"""What each rule that can deny a contact says, in a sentence: the rules' own."""

from typing import Final

from models.compliance.packs import packs
from models.compliance.sentences import LIMITS, MISSING, STRATEGY, reason_of

SENTENCES: Final = {
    **{rule.id: reason_of(rule.id) for rules in packs().values() for rule in rules},
    **MISSING,
    **LIMITS,
    **STRATEGY,
}
"""The id of a rule -> what is shown beside it. A tenant's own rules are not known here and are shown by their ids."""
