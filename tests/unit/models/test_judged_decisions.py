"""Logged decisions become episodes: what is a choice, when a window ends, and whose merit a payment is."""

import msgspec
import numpy as np
import pytest

from models.calendar import DAY, HOUR
from models.evaluation.decisions import COLUMNS, Decided, materials
from models.evaluation.judge import judge
from models.evaluation.policies import Logged, OfStrategy, Uniform, Waits, is_choice
from schemas.strategies import ActionSpec, ActionStrategy, Effect, Explore
from tests.unit.models.logged import CALL, EMAIL, START, WAIT, decision, euros, option, portfolio

WINDOW = 14 * DAY


def only(decided, policy=None, until=None, window=WINDOW):
    (material,) = materials(decided, policy or Logged(), window, until)
    return material


def rewards(decided, **options):
    return only(decided, **options).log.reward.tolist()


def test_a_payment_is_the_merit_of_the_last_choice_before_it():
    first, second = decision(at=START), decision(at=START + 3 * DAY, number=2)
    money = (
        euros(1, START - DAY),  # before any choice
        euros(2, START),  # at its very instant: it was known
        euros(4, START + HOUR),
        euros(8, START + 3 * DAY),  # the second choice was made because of it
        euros(16, START + 4 * DAY),
        euros(32, START + WINDOW),
        euros(64, START + WINDOW + 1),  # after the window
    )
    assert rewards([Decided(first, money), Decided(second)]) == [4 + 8, 16 + 32]
    assert rewards([Decided(first), Decided(second, money)]) == [4 + 8, 16 + 32]


def test_a_reversal_takes_the_credit_away_where_it_was_given():
    first, second = decision(at=START), decision(at=START + 3 * DAY, number=2)
    came = START + HOUR
    kept = (euros(100, came), euros(-40, START + 5 * DAY, came))
    assert rewards([Decided(first, kept), Decided(second)]) == [60, 0]
    late = (euros(100, came), euros(-40, START + 20 * DAY, came))
    assert rewards([Decided(first, late), Decided(second)]) == [100, 0]
    of_before = (euros(-40, START + 5 * DAY, START - DAY),)
    assert rewards([Decided(first, of_before), Decided(second)]) == [0, 0]


def test_the_next_window_begins_at_the_first_choice_after_the_last_one():
    days = (0, 5, 13, 14, 20, 40)
    decided = [Decided(decision(at=START + day * DAY, number=place + 1)) for place, day in enumerate(days)]
    log = only(decided).log
    assert log.episode.tolist() == [0, 0, 0, 1, 1, 2]
    assert set(log.account.tolist()) == {0}
    assert log.x[:, COLUMNS.index("days_left")].tolist() == [14, 9, 1, 14, 8, 14]


def test_a_window_that_has_not_ended_is_left_out():
    decided = [Decided(decision("a1", START)), Decided(decision("a2", START + DAY))]
    material = only(decided, until=START + WINDOW)
    assert material.log.episodes == 1
    assert material.left_out == {"not_ended": 1}


def test_what_rules_have_settled_is_no_choice_of_any_policy():
    settled = {"context": None, "currency": None}
    assert is_choice(decision())
    assert not is_choice(decision(actions=(option(WAIT),)))
    assert not is_choice(decision(actions=(option(WAIT, 1.0), option(EMAIL, 0.0, allowed=False))))
    forced = (option(WAIT, 0.0), option(("hand_to_person", None, None), 1.0))
    assert not is_choice(decision(actions=forced, **settled))
    assert is_choice(decision(actions=forced, policy="schedule:household", **settled))
    assert is_choice(decision(actions=(option(WAIT, 0.9), option(EMAIL, 0.1)), **settled))


def test_a_payment_after_a_settled_decision_is_the_merit_of_the_choice_before_it():
    settled = decision(at=START + DAY, number=2, actions=(option(WAIT),), context=None, currency=None)
    money = (euros(7, START + 2 * DAY),)
    assert rewards([Decided(decision(at=START), money), Decided(settled)]) == [7]


def test_held_out_accounts_are_measured_apart():
    held = decision("a2", arm="hold_out", actions=(option(WAIT, 1.0), option(EMAIL, 0.0)))
    decided = [Decided(decision("a1")), Decided(held, (euros(50, START + HOUR),))]
    material = only(decided)
    assert material.log.accounts == 1
    assert material.held_out.tolist() == [[50.0, 1.0]]
    assert material.left_out == {"hold_out": 1}


def test_currencies_are_judged_apart():
    euro, dollar = decision("a1"), decision("a2", currency="USD")
    money = (euros(5, START + HOUR), msgspec.structs.replace(euros(9, START + HOUR), currency="USD"))
    found = list(materials([Decided(euro, money), Decided(dollar, money)], Logged(), WINDOW, None))
    assert [(its.currency, its.log.reward.tolist()) for its in found] == [("EUR", [5]), ("USD", [9])]


def test_tenants_are_judged_apart():
    others = decision("a1", tenant_id="soldano")
    found = list(materials([Decided(decision("a1")), Decided(others)], Logged(), WINDOW, None))
    assert [its.tenant_id for its in found] == ["nordlicht", "soldano"]


def test_candidates_answer_in_the_order_of_the_actions():
    asked = decision(actions=(option(WAIT, 0.2), option(EMAIL, 0.8), option(CALL, 0.0, allowed=False)))
    assert Waits().probabilities(asked) == [1.0, 0.0, 0.0]
    assert Uniform().probabilities(asked) == [0.5, 0.5, 0.0]
    assert Logged().probabilities(asked) == [0.2, 0.8, 0.0]
    assert Waits().probabilities(decision(actions=(option(EMAIL, 0.5), option(CALL, 0.5)))) is None


def strategy(*more):
    specs = (
        ActionSpec(
            id="mail", action="contact", channel="email", template="overdue_first", effect=Effect(log_odds=1.0, sd=0.1)
        ),
        *more,
    )
    return ActionStrategy(name="bold", actions=specs, explore=Explore(share=0.2))


def test_a_strategy_values_the_logged_decision_again():
    policy = OfStrategy(strategy(), "bold")
    asked = decision(actions=(option(WAIT, 0.9), option(EMAIL, 0.1, id="mail")))
    assert policy.probabilities(asked) == pytest.approx([0.1, 0.9])
    assert policy.probabilities(decision(context=None)) is None
    dear = ActionSpec(id="call", action="hand_to_person", cost={"USD": 5.0}, effect=Effect(log_odds=1.0, sd=0.1))
    in_dollars = OfStrategy(strategy(dear), "bold")
    assert in_dollars.probabilities(decision()) is None
    assert in_dollars.probabilities(decision(currency="USD")) is not None


def test_what_a_candidate_cannot_be_asked_and_what_was_never_offered_is_told():
    policy = OfStrategy(strategy(), "bold")
    unvalued = decision("a2", context=None)
    material = only([Decided(decision("a1")), Decided(unvalued)], policy)
    assert material.unanswered == 1
    assert material.never_offered == ()
    calls = (option(WAIT, 0.5), option(CALL, 0.5))
    assert only([Decided(decision("a1", actions=calls))], policy).never_offered == (EMAIL,)


def test_what_the_candidate_would_not_have_offered_either_is_not_missed():
    effect = Effect(log_odds=1.0, sd=0.1)
    hold = ActionSpec(id="hold", action="credit_hold", debt_class="business", effect=effect)
    late = ActionSpec(id="late", action="hand_to_person", from_days=60, effect=effect)
    second = ActionSpec(id="second", action="hand_to_person", after=("mail",), effect=effect)
    decided = [Decided(decision("a1"))]
    assert only(decided, OfStrategy(strategy(hold, late, second), "bold")).never_offered == ()
    soon = msgspec.structs.replace(late, from_days=5)
    assert only(decided, OfStrategy(strategy(soon), "bold")).never_offered == (("hand_to_person", "", ""),)


def test_a_schedule_cannot_be_put_to_logged_decisions():
    with pytest.raises(ValueError, match="days of single invoices"):
        OfStrategy(ActionStrategy(name="old", policy="schedule"), "old")


def test_actions_that_are_the_same_to_everybody_are_one():
    twice = (option(WAIT, 0.5), option(EMAIL, 0.2, id="mail"), option(EMAIL, 0.3, id="mail-again"))
    material = only([Decided(decision(chosen=EMAIL, actions=twice))])
    assert material.actions == (EMAIL, ("wait", "", ""))
    assert material.log.logged.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("actions", "chosen", "says"),
    [
        ((option(WAIT, 0.5), option(EMAIL, 0.5)), CALL, "not among its actions"),
        ((option(WAIT, 0.0), option(EMAIL, 1.0)), WAIT, "probability 0"),
        ((option(WAIT, 0.5), option(EMAIL, 0.4)), WAIT, "do not sum to 1"),
    ],
)
def test_a_decision_that_contradicts_itself_is_named(actions, chosen, says):
    with pytest.raises(ValueError, match=f"decision a1-1: .*{says}"):
        only([Decided(decision(chosen=chosen, actions=actions))])


@pytest.mark.parametrize(("policy", "each"), [(Waits(), 0.1), (Uniform(), 0.2)])
def test_the_money_of_another_policy_is_found_in_the_log(policy, each):
    material = only(portfolio(1_200), policy)
    judged = judge(material.log, material.candidate, resamples=300)
    truth = 3 * each * 10_000
    assert material.log.episodes == 1_200
    assert judged.diagnostics.longest == 3
    for name in ("dr", "snips"):
        found = judged.of(name)
        assert found.low <= truth <= found.high
        assert found.value == pytest.approx(truth, rel=0.2)


def test_a_schedules_log_is_refused_whatever_the_candidate():
    rng = np.random.default_rng(0)
    sent = (option(WAIT, 0.0), option(EMAIL, 1.0))
    decided = [
        Decided(
            decision(
                f"a{number:04}", chosen=EMAIL, actions=sent, policy="schedule:household", context=None, currency=None
            ),
            (euros(100, START + HOUR),) if rng.random() < 0.3 else (),
        )
        for number in range(400)
    ]
    for policy in (Waits(), Uniform()):
        material = only(decided, policy)
        judged = judge(material.log, material.candidate, resamples=20)
        assert "no_exploration" in [refusal.reason for refusal in judged.refused]
        assert judged.estimates == ()
    logged = only(decided, Logged())
    assert judge(logged.log, logged.candidate, resamples=20).refused == ()
