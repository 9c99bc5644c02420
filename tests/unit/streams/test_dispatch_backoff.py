"""Later each time, never all at once, never past the request's end."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.dispatch.backoff import Backoff

FIRST, MOST, NEVER = 1_000, 60_000, 10**15


def backoff(seed: int = 1) -> Backoff:
    return Backoff(FIRST, MOST, random.Random(seed))


@settings(max_examples=50)
@given(seed=st.integers(), tries=st.integers(1, 100))
def test_a_wait_lies_in_the_upper_half_of_its_ceiling(seed: int, tries: int):
    ceiling = min(MOST, FIRST * 2 ** (tries - 1))
    assert ceiling // 2 <= backoff(seed).next_try(0, tries, expires=NEVER) < ceiling


def test_two_requests_do_not_come_back_at_the_same_moment():
    one = backoff()
    assert len({one.next_try(0, 7, expires=NEVER) for _ in range(50)}) > 40


def test_a_provider_is_not_asked_before_it_wants_to_be():
    assert backoff().next_try(0, 1, not_before_ms=30_000, expires=NEVER) >= 30_000


@settings(max_examples=50)
@given(tries=st.integers(1, 40), wait=st.integers(0, 10**6), expires=st.integers(0, 10**5))
def test_a_request_is_looked_at_when_it_expires_at_the_latest(tries: int, wait: int, expires: int):
    assert backoff().next_try(0, tries, not_before_ms=wait, expires=expires) <= expires
    assert backoff().soon(0, wait, expires) <= expires


def test_soon_is_not_sooner_than_asked_for():
    one = backoff()
    waits = {one.soon(0, 10_000, NEVER) for _ in range(50)}
    assert min(waits) >= 10_000
    assert max(waits) < 15_000
    assert len(waits) > 40
