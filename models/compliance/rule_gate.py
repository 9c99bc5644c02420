"""The gate in force: a tenant's rules, evaluated on a live account's state."""

from collections.abc import Sequence

from models.compliance.exact import judge
from models.compliance.gate import Situation, Verdict
from models.compliance.live import case_of, rules_for


class RuleGate:
    """Judges contacts by every rule that binds the tenant."""

    def judge(self, situation: Situation) -> Verdict:
        """Whether the contact is allowed now, and if not, from when on."""
        return judge(rules_for(situation.tenant), case_of(situation))

    def judge_all(self, situations: Sequence[Situation]) -> list[Verdict]:
        """Several contacts of one account at one instant."""
        return [self.judge(situation) for situation in situations]
