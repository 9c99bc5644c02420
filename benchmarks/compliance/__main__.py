"""How much CPU the gate takes for an account's whole action set: `python -m benchmarks.compliance`.

The states are those of the benchmark's portfolio after some hours of its life; every account is judged on five channels
at one instant, as decide asks. The best of several rounds is printed, so that a busy machine does not count.
"""

import argparse
import time

import msgspec

from benchmarks.portfolio import START, TENANT, Portfolio
from models.account.profile import ContactPoint
from models.account.state import AccountState, Facts
from models.actions.contact import point_for
from models.calendar import HOUR, MINUTE, instant
from models.compliance.gate import Situation
from models.compliance.rule_gate import RuleGate
from schemas.envelope import account_key

CHANNELS = ("email", "sms", "call", "voicemail", "letter")
ELSEWHERE = {
    channel: ContactPoint(channel, f"nowhere-{channel}", verified=True)
    if channel in ("sms", "call", "letter")
    else None
    for channel in CHANNELS
}
"""For accounts that name none, so that the whole set is judged."""
MOST_MICROSECONDS = 15.0


def accounts_of(count: int, events_each: int) -> list[Facts]:
    """Accounts that some events have happened to."""
    portfolio = Portfolio(count)
    states: dict[bytes, AccountState] = {}
    events = [*portfolio.first(), *portfolio.events(count * events_each, count, 12 * 3600.0)]
    for event in events:
        state = states.setdefault(account_key(event.tenant_id, event.account_id), AccountState())
        state.facts.apply(event)
    return [state.facts for state in states.values()]


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=4, help="For each account, after its first ones.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    at = instant(START) + 12 * HOUR + 14 * HOUR
    found = accounts_of(options.accounts, options.events)
    gate, best, allowed, denied = RuleGate(), float("inf"), 0, 0
    for number in range(options.rounds):
        moment = at + number * MINUTE
        asked = [
            [
                Situation(at=moment, channel=channel, tenant=TENANT, facts=facts, point=point)
                for channel in CHANNELS
                if (point := point_for(facts.crm, channel, TENANT.debt_class) or ELSEWHERE[channel]) is not None
            ]
            for facts in found
        ]
        started = time.process_time()
        answers = [gate.judge_all(situations) for situations in asked]
        best = min(best, time.process_time() - started)
        allowed = sum(verdict.allowed for each in answers for verdict in each)
        denied = sum(not verdict.allowed for each in answers for verdict in each)
    microseconds = best / len(found) * 1e6
    result = {
        "accounts": len(found),
        "contacts_judged": allowed + denied,
        "allowed": allowed,
        "denied": denied,
        "microseconds_per_account": round(microseconds, 2),
        "most": MOST_MICROSECONDS,
    }
    print(msgspec.json.encode(result).decode() if options.json else "\n".join(f"{k}: {v}" for k, v in result.items()))


if __name__ == "__main__":
    main()
