"""A second reading of the contact rules, straight from their text and the event log; it shares no code with the product.

It is slow and plain on purpose: one function a rule, with the words of the rule above it.
"""

from tests.compliance_oracle.judge import judge, judge_contact, next_allowed

__all__ = ["judge", "judge_contact", "next_allowed"]
