"""A provider that fails is left alone, tried once, and asked again when it answers."""

from models.clock import SetClock
from streams.dispatch.breaker import Breaker
from streams.settings import BreakerSettings

SETTINGS = BreakerSettings(failures=3, share=0.5, window=10, open_ms=1_000, most_open_ms=4_000)


def breaker() -> Breaker:
    return Breaker(SetClock(0), SETTINGS)


def let_pass(one: Breaker, milliseconds: int) -> None:
    one.clock.instant += milliseconds  # type: ignore[attr-defined]


def broken() -> Breaker:
    one = breaker()
    for _ in range(3):
        assert one.allows()
        one.failed()
    return one


def test_it_opens_after_failures_in_a_row():
    one = breaker()
    one.failed()
    one.failed()
    assert one.allows()
    one.failed()
    assert not one.allows()
    assert one.waits() == 1_000


def test_a_success_in_between_begins_the_row_again():
    one = breaker()
    for _ in range(4):
        one.failed()
        one.failed()
        one.succeeded()
        one.succeeded()
        one.succeeded()
    assert one.state == "closed"


def test_it_opens_when_half_of_the_last_answers_were_failures():
    one = breaker()
    for number in range(10):
        assert one.state == "closed"
        if number % 2:
            one.failed()
        else:
            one.succeeded()
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
    assert one.allows()
    one.succeeded()
    assert one.state == "closed"
    assert one.allows()


def test_each_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit():
    one = broken()
    for wait in (1_000, 2_000, 4_000, 4_000):
        assert one.waits() == wait
        let_pass(one, wait)
        assert one.allows()
        one.failed()
    assert one.waits() == 4_000


def test_a_probe_that_was_not_made_is_left_for_the_next_one():
    one = broken()
    let_pass(one, 1_000)
    assert one.allows()
    one.unused()
    assert one.allows()


def test_a_provider_that_says_for_how_long_is_left_alone_for_so_long():
    one = breaker()
    one.failed(retry_after_ms=30_000)
    assert one.state == "open"
    assert one.waits() == 30_000


def test_failures_that_were_under_way_when_it_opened_do_not_lengthen_it():
    one = broken()
    let_pass(one, 500)
    one.failed()
    assert one.waits() == 500
