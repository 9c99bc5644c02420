"""Values that add up, probabilities that are exact, draws that repeat, and a log that can be asked again."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.actions.arms import in_hold_out
from models.actions.options import WAITING, Option, Question
from models.actions.policy import Strategist, best_of, choose, drawn, probabilities, segment_of, tried, weigh
from schemas.actions import Context
from schemas.strategies import (
    ActionSpec,
    ActionStrategy,
    Condition,
    Effect,
    Explore,
    Learned,
    LearnedEffect,
    Prices,
    Segment,
    WaitCalibration,
)

EMAIL = ActionSpec(
    id="email", action="contact", channel="email", template="first", cost={"USD": 0.2},
    effect=Effect(log_odds=0.3, sd=0.1), complaint=0.001, opt_out=0.002,
)  # fmt: skip
CALL = ActionSpec(
    id="call", action="contact", channel="call", template="script", cost={"USD": 25}, staff_minutes=3,
    effect=Effect(log_odds=0.6, sd=0.2), by_segment={"large": Effect(log_odds=0.9, sd=0.2)}, complaint=0.003,
)  # fmt: skip
PERSON = ActionSpec(id="person", action="hand_to_person", staff_minutes=12, effect=Effect(log_odds=0.7, sd=0.3))
PRICES = Prices(minute={"USD": 60}, complaint={"USD": 5_000}, opt_out={"USD": 400})
LARGE = Segment(
    name="large", when={"at_stake_minor": Condition(at_least=100_000), "country": Condition(one_of=("US",))}
)


def strategy(**fields):
    base: dict[str, Any] = {"name": "test", "actions": (EMAIL, CALL, PERSON), "prices": PRICES, "segments": (LARGE,)}
    return ActionStrategy(**base | fields)


def question(score=0.5, at_stake=20_000, currency="USD", **context):
    base: dict[str, Any] = {"days_past_due": 10, "country": "US"}
    return Question(score, currency, at_stake, Context(**base | context))


def options(**more):
    return [
        WAITING,
        Option("email", "contact", "email", "first", **more),
        Option("call", "contact", "call", "script", **more),
        Option("person", "hand_to_person"),
    ]


def values(of, asked, choices=None):
    return {its.option.id: its for its in weigh(Strategist(of), asked, choices or options())}


def test_the_value_is_the_gain_less_what_it_costs():
    email = values(strategy(), question())["email"]
    assert email.pay_action == pytest.approx(1 / (1 + math.exp(-0.3)), abs=1e-9)
    assert email.lift_low == pytest.approx(1 / (1 + math.exp(-0.2)) - 0.5, abs=1e-9)
    assert email.gain == pytest.approx(email.lift_low * 20_000 * 0.9)
    assert (email.cost, email.scarcity) == (0.2, 0.0)
    assert email.friction == pytest.approx(0.001 * 5_000 + 0.002 * 400)
    assert email.value == email.gain - email.cost - email.friction - email.scarcity


def test_staff_minutes_cost_what_a_minute_is_worth():
    assert values(strategy(), question())["call"].cost == 25 + 3 * 60
    assert values(strategy(), question())["person"].cost == 12 * 60


def test_an_effect_moves_those_in_the_middle_most():
    lifts = [values(strategy(), question(score))["email"].lift_low for score in (0.01, 0.5, 0.99)]
    assert lifts[1] > 5 * max(lifts[0], lifts[2])
    assert values(strategy(), question(0.999_999))["email"].value < 0  # pays anyway: all that is left is the friction


def test_caution_takes_the_effect_lower():
    lifts = [values(strategy(caution=caution), question())["email"].lift_low for caution in (0, 1, 4)]
    assert lifts[0] > lifts[1] > 0 > lifts[2]


def test_friction_grows_with_recent_contacts():
    fresh, tired, worn = (values(strategy(), question(contacts_30=n))["email"].friction for n in (0, 3, 500))
    assert tired == pytest.approx(fresh * 1.4**3)
    assert math.isfinite(worn)


def test_who_answers_is_moved_more_and_who_never_does_less():
    means = [
        values(strategy(), question(made=made, answered=answered))["email"].pay_action
        for made, answered in ((10, 0), (0, 0), (10, 9))
    ]
    assert means[0] < means[1] < means[2]


def test_money_that_goes_back_lowers_what_is_expected():
    gain = values(strategy(), question())["email"].gain
    assert values(strategy(), question(payments=10, reversed=0))["email"].gain == pytest.approx(gain)
    assert values(strategy(), question(payments=10, reversed=10))["email"].gain == pytest.approx(gain / 2)


def test_the_last_contact_of_a_limit_is_dear():
    free, three, last = (values(strategy(), question(), options(left=left)) for left in (None, 3, 1))
    best = free["call"].gain
    assert free["email"].scarcity == 0
    assert three["email"].scarcity == pytest.approx(0.5 * best / 3)
    assert last["email"].scarcity == pytest.approx(0.5 * best)
    assert last["person"].scarcity == 0  # no contact, no limit
    assert (
        last["email"].value == last["email"].gain - last["email"].cost - last["email"].friction - last["email"].scarcity
    )


def test_a_contact_that_can_never_be_made_makes_none_dear():
    never = [
        WAITING,
        Option("email", "contact", "email", "first", left=1),
        Option("call", "contact", "call", "script", allowed=False),
    ]
    later = [*never[:2], Option("call", "contact", "call", "script", allowed=False, next_allowed_at=1)]
    email = values(strategy(), question(), never)["email"]
    assert email.scarcity == pytest.approx(0.5 * email.gain)
    assert values(strategy(), question(), later)["email"].scarcity > email.scarcity


def test_an_effect_may_be_another_one_in_a_segment():
    small, large = question(at_stake=99_999), question(at_stake=100_000)
    of = Strategist(strategy())
    assert (segment_of(of, small), segment_of(of, large)) == ("", "large")
    assert segment_of(of, question(at_stake=100_000, country="DE")) == ""
    assert values(strategy(), large)["call"].pay_action > values(strategy(), small)["call"].pay_action
    assert values(strategy(), large)["email"].pay_action == values(strategy(), small)["email"].pay_action


def test_what_was_learned_takes_the_place_of_what_was_declared():
    learned = Learned(
        at=datetime(2026, 3, 1, tzinfo=UTC),
        source="test",
        horizon_days=30,
        wait=WaitCalibration(offset=-1.0, slope=0.5, n=100),
        effects=(
            LearnedEffect(action="email", log_odds=0.1, sd=0.0),
            LearnedEffect(action="email", segment="large", log_odds=0.2, sd=0.0),
        ),
    )
    found = values(strategy(learned=learned), question())
    assert found["email"].pay_action == pytest.approx(1 / (1 + math.exp(0.9)), abs=1e-9)
    assert values(strategy(learned=learned), question(at_stake=200_000))["email"].pay_action == pytest.approx(
        1 / (1 + math.exp(0.8)), abs=1e-9
    )
    assert found["call"].pay_action == pytest.approx(1 / (1 + math.exp(0.4)), abs=1e-9)  # still the declared effect


def test_an_action_outside_its_days_or_segment_is_not_offered():
    late = ActionSpec(
        id="late", action="contact", channel="letter", template="last", from_days=11, effect=Effect(log_odds=1, sd=0)
    )
    large = ActionSpec(
        id="large",
        action="contact",
        channel="sms",
        template="short",
        segments=("large",),
        effect=Effect(log_odds=1, sd=0),
    )
    of = strategy(actions=(late, large))
    choices = [WAITING, Option("late", "contact", "letter", "last"), Option("large", "contact", "sms", "short")]
    denied = {its.option.id: its.option.denied_by for its in weigh(Strategist(of), question(), choices)}
    assert denied == {"": (), "late": ("strategy:offers",), "large": ("strategy:offers",)}
    allowed = weigh(Strategist(of), question(at_stake=100_000, days_past_due=11), choices)
    assert all(its.option.allowed for its in allowed)


def test_nothing_is_chosen_in_a_currency_without_prices():
    of = Strategist(strategy())
    weighed = weigh(of, question(currency="CHF"), options())
    assert {its.option.denied_by for its in weighed[1:3]} == {("strategy:prices",)}
    assert probabilities(of, weighed, "CHF") == [1.0, 0.0, 0.0, 0.0]


def test_another_strategys_option_is_known_by_what_it_does():
    other = [WAITING, Option("their-mail", "contact", "email", "first"), Option("email", "contact", "email", "other")]
    weighed = weigh(Strategist(strategy()), question(), other)
    assert weighed[1].value == values(strategy(), question())["email"].value
    assert weighed[2].option.denied_by == ("strategy:offers",)


def test_what_is_tried_out_is_not_worse_than_the_floor_and_waiting_always_is():
    dear = [WAITING, Option("email", "contact", "email", "first"), Option("call", "contact", "call", "script")]
    small = question(at_stake=1_000)
    for floor, places in ((0.0, [0, 1]), (-1_000.0, [0, 1, 2]), (10_000.0, [0])):
        of = Strategist(strategy(explore=Explore(share=0.2, floor={"USD": floor})))
        assert tried(of, weigh(of, small, dear), "USD") == places


def test_random_draws_evenly_and_none_waits():
    of = Strategist(strategy(policy="random"))
    weighed = weigh(of, question(), options())
    assert probabilities(of, weighed, "USD") == [0.25] * 4
    assert {choose(of, weighed, "USD", str(number))[0] for number in range(50)} == {0, 1, 2, 3}
    none = Strategist(ActionStrategy(name="none", policy="none"))
    assert probabilities(none, weighed, "USD") == [1.0, 0.0, 0.0, 0.0]
    assert choose(none, weighed, "USD", "x") == (0, "policy")


def test_draws_come_as_often_as_their_probability_says():
    of = Strategist(strategy(explore=Explore(share=0.4)))
    weighed = weigh(of, question(), options())
    chances = probabilities(of, weighed, "USD")
    chosen = [choose(of, weighed, "USD", f"id-{number}") for number in range(20_000)]
    for place, chance in enumerate(chances):
        assert sum(its[0] == place for its in chosen) / 20_000 == pytest.approx(chance, abs=0.015)
    assert sum(arm == "explore" for _, arm in chosen) / 20_000 == pytest.approx(0.4, abs=0.015)


def test_numbers_are_drawn_from_the_whole_of_their_range():
    numbers = [drawn(str(number)) for number in range(4_000)]
    assert all(0 <= number < 1 for number in numbers)
    assert sum(numbers) / 4_000 == pytest.approx(0.5, abs=0.02)


def test_a_larger_share_holds_out_the_same_accounts_and_more():
    keys = [f"acme|{number}" for number in range(4_000)]
    some = {key for key in keys if in_hold_out("spring", key, 0.1)}
    assert len(some) == pytest.approx(400, abs=60)
    assert some < {key for key in keys if in_hold_out("spring", key, 0.3)}
    assert some != {key for key in keys if in_hold_out("autumn", key, 0.1)}
    assert not any(in_hold_out("spring", key, 0.0) for key in keys)
    assert all(in_hold_out("spring", key, 1.0) for key in keys)


# -- whatever the question ---------------------------------------------------------------------------------------------

contexts = st.builds(
    Context,
    days_past_due=st.integers(-5, 60),
    contacts_30=st.integers(0, 80),
    made=st.integers(0, 50),
    answered=st.integers(0, 80),
    payments=st.integers(0, 30),
    reversed=st.integers(0, 40),
    country=st.sampled_from(["", "US", "DE"]),
)
questions = st.builds(
    Question, st.floats(0, 1), st.sampled_from(["USD", "CHF"]), st.integers(0, 10**9), contexts
)  # fmt: skip
option_sets = st.tuples(
    *[
        st.builds(
            Option,
            st.just(spec.id),
            st.just(spec.action),
            st.just(spec.channel),
            st.just(spec.template),
            allowed=st.booleans(),
            left=st.none() | st.integers(0, 4),
        )
        for spec in (EMAIL, CALL, PERSON)
    ]
).map(lambda found: [WAITING, *found])
strategies = st.builds(
    strategy,
    policy=st.sampled_from(["nba", "random"]),
    explore=st.builds(Explore, share=st.floats(0, 1), floor=st.just({"USD": -100.0})),
    caution=st.floats(0, 5),
    scarcity=st.floats(0, 1),
)


@settings(max_examples=150, deadline=None)
@given(strategies, questions, option_sets, st.text(max_size=8))
def test_probabilities_are_those_of_the_choice_and_sum_to_one(of, asked, choices, decision_id):
    strategist = Strategist(of)
    weighed = weigh(strategist, asked, choices)
    chances = probabilities(strategist, weighed, asked.currency)
    assert math.fsum(chances) == pytest.approx(1.0, abs=1e-12)
    assert all(0 <= chance <= 1 + 1e-12 for chance in chances)
    assert all(its.option.allowed or not chance for its, chance in zip(weighed, chances, strict=True))
    place, _ = choose(strategist, weighed, asked.currency, decision_id)
    assert chances[place] > 0
    assert (place, _) == choose(strategist, weighed, asked.currency, decision_id)
    assert probabilities(strategist, weighed, asked.currency, "hold_out")[0] == 1.0
    assert choose(strategist, weighed, asked.currency, decision_id, "hold_out") == (0, "hold_out")


@settings(max_examples=150, deadline=None)
@given(strategies, questions, option_sets)
def test_terms_add_up_and_the_best_is_the_best(of, asked, choices):
    strategist = Strategist(of)
    weighed = weigh(strategist, asked, choices)
    for its in weighed:
        assert its.value == its.gain - its.cost - its.friction - its.scarcity
        assert min(its.cost, its.friction, its.scarcity) >= 0
    best = weighed[best_of(weighed)]
    assert best.option.allowed
    assert best.value == max([0.0, *(its.value for its in weighed if its.option.allowed)])
