"""A provider that fails is left alone, tried once, and asked again when it answers."""

from collections.abc import Callable

import pytest

from models.clock import SetClock
from streams.dispatch.breaker import Breaker, Permit
from streams.settings import BreakerSettings

SETTINGS = BreakerSettings(failures=3, share=0.5, window=10, open_ms=1_000, most_open_ms=4_000)


def breaker() -> Breaker:
    return Breaker(SetClock(0), SETTINGS)


def let_pass(one: Breaker, milliseconds: int) -> None:
    one.clock.instant += milliseconds  # type: ignore[attr-defined]


def asked(one: Breaker) -> Permit:
    permit = one.allows()
    assert permit is not None
    return permit


def fail(one: Breaker) -> None:
    one.failed(asked(one))


def succeed(one: Breaker) -> None:
    one.succeeded(asked(one))


def broken() -> Breaker:
    one = breaker()
    for _ in range(3):
        fail(one)
    return one


def test_it_opens_after_failures_in_a_row():
    one = breaker()
    fail(one)
    fail(one)
    fail(one)
    assert not one.allows()
    assert one.waits() == 1_000


def test_a_success_in_between_begins_the_row_again():
    one = breaker()
    for _ in range(4):
        fail(one)
        fail(one)
        succeed(one)
        succeed(one)
        succeed(one)
    assert one.state == "closed"


def test_it_opens_when_half_of_the_last_answers_were_failures():
    one = breaker()
    for number in range(10):
        assert one.state == "closed"
        if number % 2:
            fail(one)
        else:
            succeed(one)
    assert one.state == "open"


def test_half_open_lets_one_probe_through():
    one = broken()
    let_pass(one, 999)
    assert not one.allows()
    let_pass(one, 1)
    assert one.state == "half_open"
    assert one.allows()
    assert not one.allows()
    assert one.waits() == SETTINGS.probe_ms


def test_a_probe_that_succeeds_closes_it():
    one = broken()
    let_pass(one, 1_000)
    succeed(one)
    assert one.state == "closed"
    assert one.allows()


def test_each_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit():
    one = broken()
    for wait in (1_000, 2_000, 4_000, 4_000):
        assert one.waits() == wait
        let_pass(one, wait)
        fail(one)
    assert one.waits() == 4_000


def test_a_probe_that_was_not_made_is_left_for_the_next_one():
    one = broken()
    let_pass(one, 1_000)
    one.unused(asked(one))
    assert one.allows()


def test_a_provider_that_says_for_how_long_is_left_alone_for_so_long():
    one = breaker()
    one.failed(asked(one), retry_after_ms=30_000)
    assert one.state == "open"
    assert one.waits() == 30_000


def test_failures_that_were_under_way_when_it_opened_do_not_lengthen_it():
    one = breaker()
    late = asked(one)
    for _ in range(3):
        fail(one)
    let_pass(one, 500)
    one.failed(late)
    assert one.waits() == 500


def test_a_success_that_was_under_way_when_it_opened_does_not_close_it():
    one = breaker()
    late = asked(one)
    for _ in range(3):
        fail(one)
    one.succeeded(late)
    assert one.state == "open"


@pytest.mark.parametrize("ends", [Breaker.failed, Breaker.succeeded, Breaker.unused])
def test_an_answer_that_is_not_the_probes_ends_no_probe(ends: Callable[[Breaker, Permit], None]):
    one = breaker()
    late = asked(one)
    for _ in range(3):
        fail(one)
    let_pass(one, 1_000)
    probe = asked(one)
    ends(one, late)
    assert one.allows() is None  # no second probe
    one.succeeded(probe)
    assert one.state == "closed"


def test_what_became_of_a_probe_is_said_once():
    one = broken()
    let_pass(one, 1_000)
    first = asked(one)
    one.failed(first)
    let_pass(one, 2_000)
    asked(one)
    one.unused(first)
    assert one.allows() is None
